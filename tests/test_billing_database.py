"""The database: where it may be, what it refuses, and what its failures look like to a person."""

from __future__ import annotations

import gc
import sqlite3
import threading
import time
import weakref
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.doctor import examine
from ai_addons.billing.records import CallIdentity
from ai_addons.billing.schema import SCHEMA_VERSION, metadata
from ai_addons.billing.sql import Database, database, statements
from ai_addons.errors import BillingError, ConfigError, StoreUnavailable
from ai_addons.money import Credits
from tests.books import OK, Books, on_disk, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("shop.db", "is no database URL"),
        ("", "is no database URL"),
        ("sqlite://:port:/x", "is no database URL"),
        ("postgresql://u:hunter2@db/shop", "keeps its books in SQLite"),
        ("nosuch://u:hunter2@db/shop", "keeps its books in SQLite"),
        ("sqlite+aiosqlite:///shop.db", "keeps its books in SQLite"),
        ("sqlite:///file:shop.db?mode=memory&uri=true", "plain file"),
    ],
)
def test_a_url_that_cannot_work_is_refused_at_once_without_its_password(url: str, hint: str) -> None:
    """A wrong store.url is a clear configuration error before anything is opened."""
    with pytest.raises(ConfigError, match=hint) as refused:
        Database(url)
    assert "Nothing was charged" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_has_no_path(url: str) -> None:
    """What lives in memory has no file beside which to keep a key."""
    assert Database(url).path is None


def test_a_database_on_disk_knows_its_path(tmp_path: Path) -> None:
    """The file's name can be had, and nothing is opened for asking."""
    found = on_disk(tmp_path)
    assert found.path == str(tmp_path / "books.db")
    assert list(tmp_path.iterdir()) == []


def test_an_sqlite_without_strict_tables_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Python with an old SQLite the message names the version instead of a syntax error."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(ConfigError, match=r"needs SQLite 3\.37 or later"):
        Database("sqlite://")


def test_books_outlive_the_process(tmp_path: Path) -> None:
    """What was booked is there after closing and opening again; closing twice does no harm."""
    first = on_disk(tmp_path)
    open_store(first).grant("biz_7", Credits(5), source="promo", ref="x")
    first.close()
    first.close()
    assert open_store(first).wallet("biz_7").posted == Credits(5)
    first.close()
    again = on_disk(tmp_path)
    assert open_store(again).wallet("biz_7").posted == Credits(5)
    again.close()


def test_every_commit_is_durable(tmp_path: Path) -> None:
    """The file is in WAL mode and each commit waits for the disk."""
    books = on_disk(tmp_path)
    with books.write() as tx:
        assert tx.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert tx.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    books.close()


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """An older package refuses to write into tables it does not know."""
    books = on_disk(tmp_path)
    open_store(books).grant("biz_7", Credits(5), source="promo", ref="x")
    with books.write() as tx:
        tx.exec_driver_sql("UPDATE ai_schema SET version = version + 1")
    books.close()
    with pytest.raises(ConfigError, match=f"schema {SCHEMA_VERSION + 1}.*Upgrade the package"):
        open_store(books).wallet("biz_7")
    books.close()


def test_the_books_can_live_in_the_host_s_own_file(tmp_path: Path) -> None:
    """A file that has tables and a user_version already keeps both, beside ours."""
    with closing(sqlite3.connect(tmp_path / "books.db")) as host:
        host.execute("CREATE TABLE sales (id INTEGER)")
        host.execute("PRAGMA user_version = 42")
        host.commit()
    books = on_disk(tmp_path)
    open_store(books).grant("biz_7", Credits(5), source="promo", ref="x")
    with books.read() as tx:
        assert tx.exec_driver_sql("PRAGMA user_version").scalar_one() == 42
        assert tx.exec_driver_sql("SELECT count(*) FROM sales").scalar_one() == 0
    books.close()


def _no_database(folder: Path) -> Database:
    (folder / "books.db").write_bytes(b"this is a picture of a cat" * 100)
    return on_disk(folder)


def _broken_tables(folder: Path) -> Database:
    books = on_disk(folder)
    open_store(books).wallet("biz_7")
    with books.write() as tx:
        tx.exec_driver_sql("DROP TABLE business_ai_credits")
    return books


@pytest.mark.parametrize("broken", [_no_database, _broken_tables])
def test_a_store_that_cannot_be_used_says_so(tmp_path: Path, broken: Callable[[Path], Database]) -> None:
    """A file that is no database, or lost tables: one clear message, nothing charged."""
    books = broken(tmp_path)
    with pytest.raises(StoreUnavailable, match=r"Nothing was charged.*check store\.url") as refused:
        open_store(books).wallet("biz_secret")
    assert "biz_secret" not in str(refused.value)
    assert "SELECT" not in str(refused.value)
    books.close()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A folder that is not there is a mistake in the settings, not a passing fault."""
    books = Database(f"sqlite:///{tmp_path / 'missing' / 'books.db'}")
    with pytest.raises(ConfigError, match=r"missing of store\.url does not exist\. Nothing was charged"):
        open_store(books).wallet("biz_7")


def test_books_that_go_out_of_use_close_their_file(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """A host that forgets `close` leaves no open connection behind."""
    books = on_disk(tmp_path)
    open_store(books).wallet("biz_7")
    connection = weakref.ref(books._opened())
    del books
    gc.collect()
    assert connection() is None
    assert not recwarn.list


def test_a_full_disk_books_nothing(tmp_path: Path) -> None:
    """When the disk is full the call is refused whole, and works again when there is room."""
    books = on_disk(tmp_path)
    store = open_store(books)
    store.grant("biz_7", Credits(5), source="promo", ref="x")
    with books.write() as tx:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        for number in range(2_000):
            store.grant("biz_7", Credits(5), source="promo", ref=f"{number}" * 50)

    with pytest.raises(StoreUnavailable, match="full"):
        fill()
    assert examine(books).ok
    with books.write() as tx:
        tx.exec_driver_sql("PRAGMA max_page_count = 1000000")
    store.grant("biz_7", Credits(5), source="promo", ref="room again")
    assert examine(books).ok
    books.close()


def test_a_file_that_may_not_be_written_refuses_every_booking(tmp_path: Path) -> None:
    """On a read-only database balances can be read and nothing can be booked."""
    books = on_disk(tmp_path)
    store = open_store(books)
    store.grant("biz_7", Credits(5), source="promo", ref="x")
    with books.write() as tx:
        tx.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable, match="readonly"):
        store.grant("biz_7", Credits(5), source="promo", ref="y")
    assert store.wallet("biz_7").posted == Credits(5)
    books.close()


def test_a_database_locked_for_too_long_is_an_error_to_retry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another program keeps the file locked, the call fails in time with a retryable error."""
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    books = on_disk(tmp_path)
    store = open_store(books)
    store.grant("biz_7", Credits(5), source="promo", ref="x")
    with closing(sqlite3.connect(tmp_path / "books.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked") as refused:
            store.grant("biz_7", Credits(5), source="promo", ref="y")
        assert refused.value.retryable
        assert store.wallet("biz_7").posted == Credits(5)
        other.execute("ROLLBACK")
    assert store.grant("biz_7", Credits(5), source="promo", ref="y").balance == Credits(10)
    books.close()


def test_a_thread_that_writes_for_too_long_does_not_hang_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for another thread of this process ends with the same retryable error."""
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    books = Books()
    entered, leave = threading.Event(), threading.Event()

    def write_long() -> None:
        with books.database.write():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=write_long)
    thread.start()
    entered.wait(10)
    with pytest.raises(StoreUnavailable):
        books.store.wallet("biz_7")
    leave.set()
    thread.join()
    assert books.balance() == ("12", "0")


def test_the_switch_to_wal_waits_for_others_and_gives_up_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that another program writes in the old mode is waited for, but not for ever."""
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.2)
    file = tmp_path / "books.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE theirs (id INTEGER)")
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="locked"):
            open_store(on_disk(tmp_path)).wallet("biz_7")
        assert time.monotonic() - started < 10
        monkeypatch.setattr(database, "_BUSY_SECONDS", 30.0)
        release = threading.Timer(0.1, other.execute, ["ROLLBACK"])
        release.start()
        books = on_disk(tmp_path)
        assert open_store(books).wallet("biz_7").posted == Credits(0)
        release.join()
    books.close()


def test_errors_carry_no_statement_and_no_values() -> None:
    """What a rule of the tables refuses is told without SQL, ids or amounts, also in the traceback."""
    books = Books()
    with pytest.raises(BillingError, match="UNIQUE constraint failed") as refused:
        books.sql("INSERT INTO ai_trial_claims VALUES ('secret', 'phone', 1), ('secret', 'phone', 1)")
    assert refused.value.__suppress_context__
    assert "INSERT" not in str(refused.value)
    with pytest.raises(BillingError) as refused:
        books.sql("INSERT INTO ai_trial_claims VALUES (?, ?, ?), (?, ?, ?)", ("secret", "phone", 1) * 2)
    assert "secret" not in f"{refused.value} {refused.value.__context__}"


def test_a_failed_transaction_leaves_no_trace() -> None:
    """Whatever goes wrong half-way, the books are as before and the next call works."""
    books = Books()

    def fail_half_way() -> None:
        with books.database.write() as tx:
            tx.exec_driver_sql("UPDATE business_ai_credits SET held = 1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert books.balance() == ("12", "0")
    books.store.capture(books.hold(), OK)
    assert examine(books.database).ok


@pytest.mark.parametrize("amount", [1.0, True, "5", Decimal(5), 1e300, datetime.now(UTC)])
def test_amounts_that_are_no_whole_numbers_never_reach_the_database(amount: object) -> None:
    """A float, bool, text or Decimal is refused before the driver could round it."""
    books = Books()
    with pytest.raises(TypeError, match="stored as whole numbers"), books.database.write() as tx:
        tx.execute(statements.SAVE_WALLET, {"business": "biz_7", "posted": amount})
    assert books.balance() == ("12", "0")


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_numbers_beyond_64_bits_never_reach_the_database(number: int) -> None:
    """A number that does not fit is refused instead of failing in the driver."""
    books = Books()
    with pytest.raises(OverflowError, match="64 bits"), books.database.write() as tx:
        tx.execute(statements.SAVE_WALLET, {"business": "biz_7", "next_due_at": number})


@pytest.mark.parametrize("value", ["0.1", "'five'", "x'00'"])
def test_the_tables_refuse_what_is_no_integer(value: str) -> None:
    """Raw SQL cannot put a fraction, a word or a blob where an amount belongs."""
    books = Books()
    with pytest.raises(BillingError, match="cannot store"):
        books.sql(f"UPDATE business_ai_credits SET posted = {value}")  # noqa: S608  # the values stand above


def test_every_table_is_strict() -> None:
    """No table was forgotten: all of them are STRICT."""
    books = Books()
    tables = dict(books.sql("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"))
    assert {table: tables[table] for table in metadata.tables} == dict.fromkeys(metadata.tables, 1)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (statements.GRANTS_LEFT, "ix_grant_burn"),
        (statements.HOLDS_DUE, "ix_hold_open"),
        (statements.FIRST_EXPIRY, "ix_hold_open"),
        (statements.HELD_OPEN, "ix_hold_open"),
        (statements.WALLETS_DUE, "ix_wallet_due"),
        (statements.TRANSACTIONS, "ix_transaction_time"),
        (statements.DROP_ANSWERS, "ix_result_expiry"),
    ],
)
def test_hot_questions_are_answered_from_an_index(statement: object, index: str) -> None:
    """No call slows down as the books grow: the plan names the index made for it."""
    books = Books()
    text = str(getattr(statement, "compile")(books.database._opened())).replace("\n", " ")  # noqa: B009  # any statement
    plan = books.sql(f"EXPLAIN QUERY PLAN {text}", ("x",) * text.count("?"))
    assert index in " ".join(row[3] for row in plan)


def test_a_pool_that_is_exhausted_is_an_error_to_retry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many readers at once end in our own retryable error, not in the pool's."""
    books = on_disk(tmp_path)
    store = open_store(books)
    engine = books._opened()
    monkeypatch.setattr(engine.pool, "_timeout", 0.01)
    connections = [engine.connect() for _ in range(15)]
    call = CallIdentity(business="b", user=None, id="k", feature="f", request_hash="h", keyed=True)
    with pytest.raises(StoreUnavailable, match="did not answer"):
        store.find(call)
    for connection in connections:
        connection.close()
    assert store.find(call) is None
    books.close()
