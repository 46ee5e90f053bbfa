"""Many hands on one wallet: threads, processes, and processes that die."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.doctor import examine
from ai_addons.billing.records import CallIdentity, Hold
from ai_addons.billing.sql import Database
from ai_addons.clock import SystemClock, Uuid7
from ai_addons.errors import InsufficientCreditsError, LedgerConflict
from ai_addons.money import Credits
from ai_addons.testing.fakes import ManualClock
from tests.books import OK, TTL, Books, on_disk, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.billing.store import Store

ROOT = Path(__file__).parents[1]
KILLS = int(os.environ.get("AI_ADDONS_TEST_KILLS", "20"))
THREADS = 32


def _child(job: str, file: Path, seed: int = 0, count: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.books_child", job, str(file), str(seed), str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # our own file, no shell


def _call(key: str | None = None) -> CallIdentity:
    return CallIdentity(
        business="biz_7",
        user=None,
        id=key or Uuid7().new(SystemClock().now()),
        feature="collection_analysis",
        request_hash="request",
        keyed=key is not None,
    )


@pytest.fixture(params=["memory", "file"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Database, Store]]:
    """One database that many threads use, in memory and on disk."""
    database = Database("sqlite://") if request.param == "memory" else on_disk(tmp_path)
    store = open_store(database)
    store.grant("biz_7", Credits(12), source="purchase", ref="order-1")
    yield database, store
    database.close()


def test_parallel_calls_cannot_pass_one_balance(shared: tuple[Database, Store]) -> None:
    """With 12 credits and a price of 5, exactly two of 32 simultaneous calls go through."""
    database, store = shared

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
    assert examine(database).ok


def test_parallel_captures_of_one_hold_charge_once(shared: tuple[Database, Store]) -> None:
    """Fifty simultaneous captures of one hold all report the one charge that was made."""
    database, store = shared
    hold = store.hold(_call("sale-81"), Credits(5))
    assert isinstance(hold, Hold)
    with ThreadPoolExecutor(THREADS) as pool:
        booked = list(pool.map(lambda _: store.capture(hold, OK), range(50)))
    assert {(one.charged, one.balance) for one in booked} == {(Credits(5), Credits(7))}
    assert len(store.transactions("biz_7")) == 1
    assert examine(database).ok


def test_one_key_in_parallel_starts_one_call(shared: tuple[Database, Store]) -> None:
    """Of many identical requests at once one may work; the others are told to wait."""
    _, store = shared

    def attempt(_: int) -> bool:
        try:
            return isinstance(store.hold(_call("sale-81"), Credits(1)), Hold)
        except LedgerConflict:
            return False

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(attempt, range(THREADS))) == 1


def test_one_grant_in_parallel_is_booked_once(shared: tuple[Database, Store]) -> None:
    """A webhook delivered many times at once gives its credits once."""
    _, store = shared

    def give(_: int) -> bool:
        return store.grant("biz_7", Credits(100), source="purchase", ref="order-2").replayed

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(give, range(THREADS))) == THREADS - 1
    assert store.wallet("biz_7").posted == Credits(112)


def test_readers_and_writers_do_not_wait_for_each_other_in_vain(shared: tuple[Database, Store]) -> None:
    """Balances read while calls are booked are never torn: held never exceeds posted."""
    _, store = shared

    def work(number: int) -> bool:
        if number % 2:
            wallet = store.wallet("biz_7")
            return Credits(0) <= wallet.held <= wallet.posted
        held = store.hold(_call(), Credits("0.01"))
        assert isinstance(held, Hold)
        return store.capture(held, OK).charged == Credits("0.01")

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(work, range(200)))


def test_processes_and_threads_share_one_wallet_exactly(tmp_path: Path) -> None:
    """Four processes of four threads spend 100 credits in calls of 5: exactly twenty are paid."""
    database = on_disk(tmp_path)
    store = open_store(database)
    store.grant("biz_7", Credits(102), source="purchase", ref="order-1")
    children = [_child("spend", tmp_path / "books.db", count=15) for _ in range(4)]
    paid = [int(child.communicate(timeout=100)[0]) for child in children]
    wallet = store.wallet("biz_7")
    assert (sum(paid), wallet.posted, wallet.held) == (20, Credits(2), Credits(0))
    assert examine(database).ok
    database.close()


def test_processes_may_create_one_file_at_the_same_moment(tmp_path: Path) -> None:
    """Whoever comes first makes the tables; nobody sees a locked or half-made database."""
    children = [_child("open", tmp_path / "books.db", seed) for seed in range(8)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    for child in children:
        child.communicate(timeout=100)
        assert child.returncode == 0
    database = on_disk(tmp_path)
    report = examine(database)
    assert (report.ok, report.wallets) == (True, 8)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("books")) == [
        "books.db",
        "books.db-shm",
        "books.db-wal",
    ]
    database.close()


def test_a_process_killed_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """After each hard kill the books agree, and what the dead process held comes back in time."""
    dice = random.Random(20260929)  # noqa: S311  # dice, not secrets
    file = tmp_path / "books.db"
    orphans = 0
    for kill in range(KILLS):
        child = _child("churn", file, seed=kill)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(dice.uniform(0, 0.08))
        child.kill()
        child.communicate()
        database = on_disk(tmp_path)
        assert examine(database).ok
        orphans += bool(open_store(database).wallet("biz_7").held)
        store = open_store(database, ManualClock(SystemClock().now() + TTL))
        store.sweep()
        assert store.wallet("biz_7").held == Credits(0)
        assert examine(database).ok
        database.close()
    assert orphans > 0, "no kill ever hit an open hold, so nothing was proved"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("kind", ["file", "memory"])
def test_a_forked_worker_has_its_own_connections(tmp_path: Path, kind: str) -> None:
    """A server that forks after its first call goes on in parent and child; memory is not shared."""
    database = Database("sqlite://") if kind == "memory" else on_disk(tmp_path)
    store = open_store(database)
    store.grant("biz_7", Credits(12), source="purchase", ref="order-1")
    child = os.fork()
    if child == 0:
        try:
            store.grant("biz_7", Credits(1), source="promo", ref="child")
            os._exit(int(store.wallet("biz_7").posted.decimal))
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    in_child, in_parent = os.waitstatus_to_exitcode(status), store.wallet("biz_7").posted
    assert (in_child, in_parent) == ((13, Credits(13)) if kind == "file" else (1, Credits(12)))
    assert examine(database).ok
    database.close()


def test_no_connection_to_a_file_crosses_a_fork(tmp_path: Path) -> None:
    """Before a fork the file is closed, as SQLite demands, and writers wait until it is over."""
    database = on_disk(tmp_path)
    store = open_store(database)
    store.grant("biz_7", Credits(12), source="purchase", ref="order-1")
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
