"""PostgreSQL: locks, round trips, the server's clock, and tables that several hosts make."""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.engine import make_url

from ai_addons import AddOns, Prompt, Settings, bill_to, billed_feature
from ai_addons.billing.schema import metadata
from ai_addons.billing.sql import Database, statements
from ai_addons.clock import SystemClock
from ai_addons.errors import BillingError, ConfigError
from ai_addons.money import Credits
from tests.books import OK, TTL, Books, kept_in, open_books
from tests.hands import at_once
from tests.postgres import emptied_url, postgres_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_addons.billing.sql import Tx

psycopg = pytest.importorskip("psycopg")

OWN = {"business": "biz_7"}
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(autouse=True)
def _on_postgres() -> Iterator[None]:
    with kept_in("postgresql"):
        yield


@pytest.fixture
def books() -> Iterator[Books]:
    """A business with twelve credits."""
    with closing(Books()) as opened:
        yield opened


def _until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def _show(tx: Tx, *names: str) -> list[str]:
    return [tx.connection.execute(f"SHOW {name}").fetchone()[0] for name in names]


# One transaction.


def test_transactions_are_read_committed_whatever_the_server_prefers() -> None:
    """A wallet that was waited for is seen as it is now, also where the database's default is another."""
    url = postgres_url()
    with closing(psycopg.connect(url, autocommit=True)) as operator:
        name = make_url(url).database
        operator.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    names = ("transaction_isolation", "transaction_read_only", "lock_timeout")
    with closing(Database(url)) as books:
        assert books.write(lambda tx: _show(tx, *names)) == ["read committed", "off", "10s"]
        assert books.read(lambda tx: _show(tx, *names)) == ["read committed", "off", "10s"]
        assert books.read(lambda tx: _show(tx, *names), snapshot=True) == ["repeatable read", "on", "10s"]


@pytest.mark.parametrize("snapshot", [True, False])
def test_a_report_sees_one_moment(books: Books, snapshot: bool) -> None:
    """Questions that must fit together do, whoever books between them; others see what is newest."""

    def look(tx: Tx) -> list[Any]:
        before = tx.rows(statements.LOOK, OWN)[0].posted
        books.buy("3", "order-2")
        return [before, tx.rows(statements.LOOK, OWN)[0].posted]

    later = 12_000_000 if snapshot else 15_000_000
    assert books.database.read(look, snapshot=snapshot) == [12_000_000, later]


def test_one_wallet_is_one_at_a_time_and_the_next_does_not_wait(books: Books) -> None:
    """Two transactions on a wallet follow each other, the second sees the first; another wallet goes on."""
    books.buy("1", "order-1", business="biz_8")
    locked, leave, order = threading.Event(), threading.Event(), list[object]()

    def first(tx: Tx) -> None:
        tx.rows(statements.WALLET, OWN)
        locked.set()
        assert leave.wait(30)
        tx.connection.execute("UPDATE business_ai_credits SET lifetime_in = 77 WHERE business_id = 'biz_7'")
        order.append("first")

    def second(tx: Tx) -> None:
        order.append(tx.rows(statements.WALLET, OWN)[0].lifetime_in)

    threads = [threading.Thread(target=books.database.write, args=[work]) for work in (first, second)]
    threads[0].start()
    assert locked.wait(30)
    threads[1].start()
    _until(lambda: books.sql(WAITING) == [(1,)])
    books.buy("1", "order-2", business="biz_8")
    assert order == []
    leave.set()
    for thread in threads:
        thread.join(30)
    assert order == ["first", 77]


@contextmanager
def _traced(books: Books) -> Iterator[Callable[[], int]]:
    """How many answers the one connection has waited for; what libpq itself says."""
    with tempfile.TemporaryFile() as log:
        connection = books.database.read(lambda tx: tx.connection)
        connection.pgconn.trace(log.fileno())
        try:
            yield lambda: _count(connection, log)
        finally:
            connection.pgconn.untrace()


def _count(connection: Any, log: Any) -> int:
    connection.pgconn.untrace()
    log.seek(0)
    answers = int(log.read().count(b"ReadyForQuery"))
    log.truncate(0)
    log.seek(0)
    connection.pgconn.trace(log.fileno())
    return answers


def test_a_hold_and_a_capture_take_two_round_trips_each(books: Books) -> None:
    """What is written travels with the commit: a far-away server is waited for four times in a billed call."""
    books.buy("100", "order-2")
    with _traced(books) as count:
        hold = books.hold("5", "sale-81")
        assert count() == 2
        books.store.capture(hold, OK)
        assert count() == 2
        books.store.void(books.hold(), OK)
        assert count() == 4


def test_whole_numbers_are_all_of_one_type(books: Books) -> None:
    """Small or large, an amount is a bigint, so that one plan serves all of them."""
    asked = "SELECT pg_typeof(?)::text, pg_typeof(?)::text, pg_typeof(?)::text"
    assert books.sql(asked, (1, 2**40, -(2**63))) == [("bigint",) * 3]


def test_ids_sort_as_bytes(books: Books) -> None:
    """Every text column compares as SQLite and Python do, whatever language the server speaks."""
    found = books.sql(
        """SELECT table_name || '.' || column_name, collation_name FROM information_schema.columns
        WHERE data_type = 'text' AND table_schema = current_schema()"""
    )
    texts = {f"{table}.{column.name}" for table in metadata.tables.values() for column in table.c if _is_text(column)}
    assert dict(found) == dict.fromkeys(texts, "C")
    names = ["b", "B", "a", "é", "Z", "_", "a b", "ab"]
    for name in names:
        books.buy("1", "order-1", business=name)
    books.sql("UPDATE business_ai_credits SET next_due_at = 1")
    rows = books.database.read(lambda tx: tx.rows(statements.WALLETS_DUE, {"now": 1, "after": "_"}))
    assert [row.business_id for row in rows] == ["a", "a b", "ab", "b", "biz_7", "é"]


def _is_text(column: Any) -> bool:
    return column.type.python_type is str


# Time and tables.


def test_the_server_s_clock_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose clock is years behind books at the time that all hosts share."""
    monkeypatch.setattr(SystemClock, "now", lambda _: 1_000_000_000_000_000)
    now = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
    with closing(Database(emptied_url())) as kept:
        books = Books(database=kept, clock=SystemClock())  # type: ignore[arg-type]  # as on a real host
        ((before,),) = books.sql(now)
        hold = books.hold("5", "sale-81")
        books.store.capture(hold, OK)
        ((after,),) = books.sql(now)
        assert before <= hold.expires_at - TTL <= books.store.ledger("biz_7")[-1].booked_at <= after
        assert books.store.wallet("biz_7").posted == Credits(7)


def test_a_test_s_own_clock_is_obeyed(books: Books) -> None:
    """A clock that is given is asked instead of the server."""
    books.clock.advance(10 * TTL)
    assert books.hold().expires_at == books.clock.now() + TTL


def test_threads_and_hosts_may_make_the_tables_at_the_same_moment() -> None:
    """Whoever comes first makes them; the others wait and find them."""
    url = postgres_url()
    hosts = [Database(url) for _ in range(4)]
    given = at_once(8, lambda n: Books("1", f"biz_{n}", database=hosts[n % 4]).balance())
    assert given == [("1", "0")] * 8
    for host in hosts:
        host.close()


def test_tables_that_may_not_be_made_are_an_error_to_retry() -> None:
    """A user without the right to make tables is told what the server says, and nothing is half made."""
    url = postgres_url()
    name = make_url(url).database
    with closing(psycopg.connect(url, autocommit=True)) as operator:
        operator.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with closing(Database(url)) as books, pytest.raises(BillingError, match=r"read-only transaction.*Nothing was ch"):
        open_books(books).store.wallet("biz_7")


def test_postgresql_needs_a_secret_that_all_hosts_share() -> None:
    """Without it the first call is refused, and nothing is booked."""

    @billed_feature("greeting", credits="1")
    def greet() -> Prompt:
        """Say hello."""
        return Prompt(user="Say hello.")

    url = postgres_url()
    with (
        AddOns(Settings(store={"url": url})) as addons,
        bill_to("biz_7"),
        pytest.raises(ConfigError, match=r"need a secret.*Nothing was charged\. Set AI_ADDONS_SECRET"),
    ):
        greet()
    addons.close()
    with closing(psycopg.connect(url)) as operator:
        assert operator.execute("SELECT count(*) FROM ai_transactions").fetchone() == (0,)
