"""Many hands on one wallet: threads, processes, and processes that die."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.doctor import examine
from ai_addons.billing.records import CallIdentity, Hold
from ai_addons.billing.sql import Database
from ai_addons.clock import SystemClock, Uuid7
from ai_addons.errors import InsufficientCreditsError, LedgerConflict
from ai_addons.money import Credits
from tests import books_child
from tests.books import OK, Books, Opened, file_url, new_url, open_books, untouched_url
from tests.postgres import emptied_url
from tests.processes import Child

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

THREADS = 32
KINDS = ["memory", "file", "postgresql"]


def _child(job: str, url: str, seed: int = 0, count: int = 0) -> Child:
    return Child(books_child.main, job, url, seed, count)


def _call(key: str | None = None) -> CallIdentity:
    return CallIdentity(
        business="biz_7",
        user=None,
        id=key or Uuid7().new(SystemClock().now()),
        feature="collection_analysis",
        request_hash="request",
        keyed=key is not None,
    )


def _open(kind: str, folder: Path) -> Opened:
    """Books of a kind with twelve credits, on the real clock."""
    urls = {"memory": lambda: "sqlite://", "file": lambda: file_url(folder), "postgresql": emptied_url}
    opened = open_books(Database(urls[kind]()))
    opened.funding.grant("biz_7", Credits(12), source="purchase", ref="order-1")
    return opened


@pytest.fixture(params=KINDS)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """One database that many threads use: in memory, in a file, on a server."""
    opened = _open(request.param, tmp_path)
    yield opened
    opened.books.database.close()


def test_parallel_calls_cannot_pass_one_balance(shared: Opened) -> None:
    """With 12 credits and a price of 5, exactly two of 32 simultaneous calls go through."""
    store = shared.store

    def attempt(_: int) -> Hold | None:
        try:
            held = store.hold(_call(), Credits(5))
        except InsufficientCreditsError:
            return None
        return held if isinstance(held, Hold) else None

    with ThreadPoolExecutor(THREADS) as pool:
        held = [hold for hold in pool.map(attempt, range(THREADS)) if hold is not None]
        list(pool.map(lambda hold: store.capture(hold, OK), held))
    wallet = store.wallet("biz_7")
    assert (len(held), wallet.posted, wallet.held) == (2, Credits(2), Credits(0))
    assert examine(shared.books.database).ok


def test_parallel_captures_of_one_hold_charge_once(shared: Opened) -> None:
    """Fifty simultaneous captures of one hold all report the one charge that was made."""
    store = shared.store
    hold = store.hold(_call("sale-81"), Credits(5))
    assert isinstance(hold, Hold)
    with ThreadPoolExecutor(THREADS) as pool:
        booked = list(pool.map(lambda _: store.capture(hold, OK), range(50)))
    assert {(one.charged, one.balance) for one in booked} == {(Credits(5), Credits(7))}
    assert len(store.transactions("biz_7")) == 1
    assert examine(shared.books.database).ok


def test_one_key_in_parallel_starts_one_call(shared: Opened) -> None:
    """Of many identical requests at once one may work; the others are told to wait."""
    store = shared.store

    def attempt(_: int) -> bool:
        try:
            return isinstance(store.hold(_call("sale-81"), Credits(1)), Hold)
        except LedgerConflict:
            return False

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(attempt, range(THREADS))) == 1


def test_one_grant_in_parallel_is_booked_once(shared: Opened) -> None:
    """A webhook delivered many times at once gives its credits once."""

    def give(_: int) -> bool:
        return shared.funding.grant("biz_7", Credits(100), source="purchase", ref="order-2").replayed

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(give, range(THREADS))) == THREADS - 1
    assert shared.store.wallet("biz_7").posted == Credits(112)


def test_readers_and_writers_do_not_wait_for_each_other_in_vain(shared: Opened) -> None:
    """Balances read while calls are booked are never torn: held never exceeds posted."""
    store = shared.store

    def work(number: int) -> bool:
        if number % 2:
            wallet = store.wallet("biz_7")
            return Credits(0) <= wallet.held <= wallet.posted
        held = store.hold(_call(), Credits("0.01"))
        assert isinstance(held, Hold)
        return store.capture(held, OK).charged == Credits("0.01")

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(work, range(200)))


@pytest.mark.usefixtures("each_database")
def test_processes_and_threads_share_one_wallet_exactly(tmp_path: Path) -> None:
    """Four processes of four threads spend 102 credits in calls of 5: exactly twenty are paid."""
    url = new_url(tmp_path)
    opened = open_books(Database(url))
    opened.funding.grant("biz_7", Credits(102), source="purchase", ref="order-1")
    with ExitStack() as ended:
        children = [ended.enter_context(_child("spend", url, count=15)) for _ in range(4)]
        paid = [int(child.rest()) for child in children]
    wallet = opened.store.wallet("biz_7")
    assert (sum(paid), wallet.posted, wallet.held) == (20, Credits(2), Credits(0))
    assert examine(opened.books.database).ok
    opened.books.database.close()


@pytest.mark.usefixtures("each_database")
def test_processes_may_create_one_database_at_the_same_moment(tmp_path: Path) -> None:
    """Whoever comes first makes the tables; nobody sees a locked or half-made database."""
    url = untouched_url(tmp_path)
    with ExitStack() as ended:
        children = [ended.enter_context(_child("open", url, seed)) for seed in range(8)]
        assert [child.stdout.readline() for child in children] == ["ready\n"] * 8
        for child in children:
            child.stdin.write("now\n")
            child.stdin.flush()
        for child in children:
            child.rest()
        assert [child.returncode for child in children] == [0] * 8
    database = Database(url)
    report = examine(database)
    assert (report.ok, report.wallets) == (True, 8)
    database.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("kind", KINDS)
def test_a_forked_worker_has_its_own_connections(tmp_path: Path, kind: str) -> None:
    """A server that forks after its first call goes on in parent and child; memory is not shared."""
    opened = _open(kind, tmp_path)
    store = opened.store
    child = os.fork()
    if child == 0:
        try:
            opened.funding.grant("biz_7", Credits(1), source="promo", ref="child")
            os._exit(int(store.wallet("biz_7").posted.decimal))
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    in_child, in_parent = os.waitstatus_to_exitcode(status), store.wallet("biz_7").posted
    assert (in_child, in_parent) == ((1, Credits(12)) if kind == "memory" else (13, Credits(13)))
    assert examine(opened.books.database).ok
    opened.books.database.close()


def test_no_connection_to_a_file_crosses_a_fork(tmp_path: Path) -> None:
    """Before a fork the file is closed, as SQLite demands, and writers wait until it is over."""
    store = _open("file", tmp_path).store
    database = store._database
    wal = tmp_path / "books.db-wal"
    assert wal.exists()
    database.before_fork()
    with ThreadPoolExecutor(1) as pool:
        assert not wal.exists(), "the last connection to close removes the write-ahead log"
        waiting = pool.submit(store.wallet, "biz_7")
        assert not waiting.done()
        database.after_fork_in_parent()
        assert waiting.result(10).posted == Credits(12)
    database.close()


def test_databases_that_are_gone_do_not_mind_a_fork() -> None:
    """A store closed and forgotten long ago does not disturb a later fork."""
    books = Books()
    books.database.close()
    del books
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
