"""The books behind PgBouncer in transaction mode: each transaction in another session, and nothing left in any."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing import migrations
from ai_addons.billing.schema import HEAD
from ai_addons.billing.sql import Database, connecting, statements
from ai_addons.errors import ConfigError, StoreUnavailable
from ai_addons.money import Credits
from tests.books import FAILED, OK, Books
from tests.hands import at_once
from tests.old_books import stamp
from tests.pgbouncer import pooled_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.billing.sql import Tx

pytest.importorskip("psycopg")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a database behind a pooler."""
    with pooled_url() as found:
        yield found


@pytest.fixture
def books(url: str) -> Iterator[Books]:
    """A new business with twelve credits."""
    with closing(Books(database=Database(url), business=f"biz_{uuid.uuid4().hex}")) as opened:
        yield opened


def test_sessions_are_lent_for_a_transaction_only(books: Books) -> None:
    """Clients outnumber the sessions, and one client meets several of them."""
    found = at_once(8, lambda _: [_session(books) for _ in range(10)])
    sessions = {one for mine in found for one in mine}
    assert 1 < len(sessions) <= 3
    assert any(len(set(mine)) > 1 for mine in found)


def _session(books: Books) -> int:
    def work(tx: Tx) -> int:
        # Long enough that transactions of several clients overlap: else one session serves them all.
        return int(tx.connection.execute("SELECT pg_backend_pid(), pg_sleep(0.01)").fetchone()[0])

    return books.database.write(work)


def test_nothing_is_left_in_a_session(books: Books) -> None:
    """No statement is prepared under a name; the time to wait for a lock holds in the transaction and not after it."""
    books.store.capture(books.hold("5"), OK)

    def look(tx: Tx) -> tuple[Any, Any]:
        prepared = tx.connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0]
        return prepared, tx.connection.execute("SHOW lock_timeout").fetchone()[0]

    assert {books.database.write(look) for _ in range(6)} == {(0, "10s")}
    engine = connecting.make_engine(connecting.read_url(books.database._url.render_as_string(hide_password=False)))
    try:
        for _ in range(6):
            with engine.connect() as connection:
                assert connection.exec_driver_sql("SHOW lock_timeout").scalar_one() == "0"
    finally:
        engine.dispose()


def test_a_call_is_held_captured_voided_and_replayed(books: Books) -> None:
    """The life of calls, as on a server without a pooler."""
    books.store.capture(books.hold("5", "sale-1"), OK)
    books.store.void(books.hold("4", "sale-2"), FAILED)
    assert books.balance() == ("7", "0")
    past = books.store.find(books.call("sale-1"))
    assert past is not None
    assert past.charged == Credits(5)
    assert books.report().ok


def test_a_wallet_that_many_want_is_exact(books: Books) -> None:
    """Eight threads take turns at one wallet, each with a lock of its own session."""

    def sell(_: int) -> None:
        for _ in range(5):
            books.store.capture(books.hold("0.1"), OK)

    at_once(8, sell)
    assert books.balance() == ("8", "0")
    assert books.report().ok


def test_a_report_sees_one_moment(books: Books) -> None:
    """A snapshot is asked for inside its transaction."""

    def look(tx: Tx) -> tuple[int, int]:
        before = tx.rows(statements.LOOK, {"business": books.business})[0].posted
        books.buy("1", "order-2")
        return before, tx.rows(statements.LOOK, {"business": books.business})[0].posted

    assert books.database.read(look, snapshot=True) == (12_000_000, 12_000_000)


def test_an_error_gives_its_session_back(books: Books) -> None:
    """What is rolled back leaves no lock and no session behind."""

    def fail(tx: Tx) -> None:
        tx.rows(statements.WALLET, {"business": books.business})
        raise LookupError

    for _ in range(8):
        with pytest.raises(LookupError):
            books.database.write(fail)
    with pytest.raises(StoreUnavailable, match="division by zero"):
        books.database.write(lambda tx: tx.connection.execute("SELECT 1/0"))
    books.buy("1", "order-2")
    assert books.balance() == ("13", "0")


def test_hosts_that_make_and_upgrade_the_tables_queue() -> None:
    """The lock for it is one of the transaction, so it works through the pooler too."""
    with pooled_url() as fresh:
        found = at_once(3, lambda _: migrations.upgrade(fresh))
        assert sorted(found, key=str) == [(HEAD, HEAD), (HEAD, HEAD), (None, HEAD)]
        stamp(fresh, "9999")
        with pytest.raises(ConfigError, match="newer"):
            migrations.upgrade(fresh)


def test_another_kind_of_pooler_is_refused() -> None:
    """A misspelt word would mean sessions that are taken for one's own."""
    with pytest.raises(ConfigError, match="pooler=transaction"):
        Database("postgresql://pos@127.0.0.1/pos?pooler=statement")
