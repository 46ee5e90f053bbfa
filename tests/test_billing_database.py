"""The database: work done whole or not at all, one writer at a time, and failures as a person sees them."""

from __future__ import annotations

import gc
import shutil
import sqlite3
import threading
import weakref
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.doctor import examine
from ai_addons.billing.records import CallIdentity
from ai_addons.billing.sql import Database, connecting, database
from ai_addons.billing.sql.gate import FileGate
from ai_addons.errors import StoreUnavailable
from ai_addons.money import Credits
from tests.books import OK, Books, Opened, on_disk, open_books, open_store, run_sql

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.billing.sql import Tx

CALL = CallIdentity(business="biz_7", user=None, id="k", feature="f", request_hash="h", keyed=True)


def _with_credits(books: Database) -> Opened:
    """Books in which a business has five credits."""
    opened = open_books(books)
    _more(opened, "x")
    return opened


def _more(opened: Opened, ref: str) -> Credits:
    """The balance after five credits more."""
    return opened.funding.grant("biz_7", Credits(5), source="promo", ref=ref).balance


def test_books_outlive_the_process(tmp_path: Path) -> None:
    """What was booked is there after closing and opening again; closing twice does no harm."""
    first = on_disk(tmp_path)
    _with_credits(first)
    first.close()
    first.close()
    assert open_store(first).wallet("biz_7").posted == Credits(5)
    first.close()
    again = on_disk(tmp_path)
    assert open_store(again).wallet("biz_7").posted == Credits(5)
    again.close()


def test_books_in_memory_end_with_their_closing() -> None:
    """Closed books in memory are empty when they are opened again."""
    books = Books()
    assert books.balance() == ("12", "0")
    books.close()
    assert books.balance() == ("0", "0")


def _no_database(folder: Path) -> Database:
    (folder / "books.db").write_bytes(b"this is a picture of a cat" * 100)
    return on_disk(folder)


def _no_room_for_the_log(folder: Path) -> Database:
    (folder / "books.db-wal").mkdir()
    return on_disk(folder)


def _broken_tables(folder: Path) -> Database:
    books = on_disk(folder)
    _with_credits(books)
    run_sql(books, "DROP TABLE business_ai_credits")
    return books


@pytest.mark.parametrize("broken", [_no_database, _no_room_for_the_log, _broken_tables])
def test_a_store_that_cannot_be_used_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Callable[[Path], Database]
) -> None:
    """A file that is no database, no log beside it, or lost tables: one clear message at once, nothing charged."""
    # A pause before another try would be an error: this does not get better by waiting.
    monkeypatch.setattr(connecting, "_RETRY_SECONDS", None)
    books = broken(tmp_path)
    with pytest.raises(StoreUnavailable, match=r"Nothing was charged.*check store\.url") as refused:
        open_store(books).wallet("biz_secret")
    assert "biz_secret" not in str(refused.value)
    assert "SELECT" not in str(refused.value)
    assert refused.value.__suppress_context__
    books.close()


def test_a_folder_that_goes_away_is_an_error_to_retry(tmp_path: Path) -> None:
    """A disk that is unmounted under a running host is told as ours, not as the system's own error."""
    (tmp_path / "disk").mkdir()
    books = on_disk(tmp_path / "disk")
    opened = open_books(books)
    assert opened.store.find(CALL) is None
    shutil.rmtree(tmp_path / "disk")
    with pytest.raises(StoreUnavailable, match="Nothing was charged"):
        _more(opened, "y")
    (tmp_path / "disk").mkdir()
    books.close()
    assert _more(opened, "y") == Credits(5)
    books.close()


def test_books_that_go_out_of_use_close_their_file(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """A host that forgets `close` leaves no open connection behind, neither for reading nor for writing."""
    books = on_disk(tmp_path)
    assert _with_credits(books).store.find(CALL) is None
    engine = weakref.ref(books._opened())
    connections: list[sqlite3.Connection] = [act(lambda tx: tx.connection) for act in (books.write, books.read)]
    del books
    gc.collect()
    assert engine() is None
    for connection in connections:
        with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
            connection.execute("SELECT 1")
    assert not recwarn.list


def test_a_full_disk_books_nothing(tmp_path: Path) -> None:
    """When the disk is full the call is refused whole, and works again when there is room."""
    with closing(on_disk(tmp_path)) as books:
        opened = _with_credits(books)
        ((pages,),) = run_sql(books, "PRAGMA page_count")
        run_sql(books, f"PRAGMA max_page_count = {pages}")

        def fill() -> None:
            for number in range(2_000):
                _more(opened, f"{number}" * 50)

        with pytest.raises(StoreUnavailable, match="full"):
            fill()
        assert examine(books).ok
        before = opened.store.wallet("biz_7").posted
        run_sql(books, "PRAGMA max_page_count = 1000000")
        assert _more(opened, "room again") == before + Credits(5)
        assert examine(books).ok


def test_a_file_that_may_not_be_written_refuses_every_booking(tmp_path: Path) -> None:
    """On a read-only database balances can be read and nothing can be booked."""
    with closing(on_disk(tmp_path)) as books:
        opened = _with_credits(books)
        run_sql(books, "PRAGMA query_only = ON")
        with pytest.raises(StoreUnavailable, match="readonly"):
            _more(opened, "y")
        assert opened.store.wallet("biz_7").posted == Credits(5)


def test_a_database_locked_for_too_long_is_an_error_to_retry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another program keeps the file locked, the call fails in time with a retryable error."""
    monkeypatch.setattr(connecting, "_BUSY_SECONDS", 0.05)
    with closing(on_disk(tmp_path)) as books:
        opened = _with_credits(books)
        with closing(sqlite3.connect(tmp_path / "books.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="locked") as refused:
                _more(opened, "y")
            assert refused.value.retryable
            assert opened.store.wallet("biz_7").posted == Credits(5)
            other.execute("ROLLBACK")
        assert _more(opened, "y") == Credits(10)


@pytest.mark.parametrize("act", ["write", "close"])
def test_a_thread_that_writes_for_too_long_does_not_hang_the_others(monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    """Waiting for another thread of this process ends with the same retryable error."""
    monkeypatch.setattr(database, "_WAIT_SECONDS", 0.05)
    books = Books()
    entered, leave = threading.Event(), threading.Event()

    def write_long(_: Tx) -> None:
        entered.set()
        leave.wait(10)

    thread = threading.Thread(target=books.database.write, args=[write_long])
    thread.start()
    entered.wait(10)
    with pytest.raises(StoreUnavailable, match="Nothing was charged"):
        books.balance() if act == "write" else books.close()
    leave.set()
    thread.join()
    assert books.balance() == ("12", "0")


def test_a_pool_that_is_exhausted_is_an_error_to_retry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many readers at once end in our own retryable error, not in the pool's."""
    with closing(on_disk(tmp_path)) as books:
        opened = open_books(books)
        engine = books._opened()
        monkeypatch.setattr(engine.pool, "_timeout", 0.01)
        connections = [engine.connect() for _ in range(15)]
        with pytest.raises(StoreUnavailable, match="did not answer"):
            opened.store.find(CALL)
        for connection in connections:
            connection.close()
        assert opened.store.find(CALL) is None


def test_readers_see_one_moment_and_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    """A report that asks several questions gets answers that fit together, whoever books meanwhile."""
    with closing(on_disk(tmp_path)) as books:
        opened = _with_credits(books)

        def look(tx: Tx) -> list[int]:
            posted = []
            for ref in "yz":
                posted.append(tx.connection.execute("SELECT posted FROM business_ai_credits").fetchone()[0])
                _more(opened, ref)
            return posted

        assert books.read(look, snapshot=True) == [5_000_000, 5_000_000]
        assert opened.store.wallet("biz_7").posted == Credits(15)


def test_after_a_failure_the_connection_is_fit_for_use(tmp_path: Path) -> None:
    """An error in the middle of a write leaves no lock and no half-open transaction behind."""
    with closing(on_disk(tmp_path)) as books:
        opened = _with_credits(books)
        hold = opened.store.hold(CALL, Credits(1))

        def fail(tx: Tx) -> None:
            tx.connection.execute("UPDATE business_ai_credits SET held = 5")
            raise KeyboardInterrupt

        for act in (books.write, books.read):
            with pytest.raises(KeyboardInterrupt):
                act(fail)
            assert opened.store.wallet("biz_7").held == Credits(1)
        opened.store.capture(hold, OK)  # type: ignore[arg-type]  # a hold, or the test would have failed
        assert examine(books).ok


def test_an_interrupted_wait_gives_up_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while another process writes leaves the line; nobody waits for who is gone."""
    monkeypatch.setattr(database, "_WAIT_SECONDS", 0.05)
    with closing(on_disk(tmp_path)) as books:
        opened = _with_credits(books)

        def interrupt(_: FileGate) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(FileGate, "enter", interrupt)
            with pytest.raises(KeyboardInterrupt):
                _more(opened, "y")
        assert _more(opened, "y") == Credits(10)


def test_a_fork_during_a_long_write_leaves_the_turn_with_the_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fork that cannot wait any longer goes on; the write is finished, and until then nobody else writes."""
    monkeypatch.setattr(database, "_WAIT_SECONDS", 0.05)
    with closing(on_disk(tmp_path)) as books:
        opened = _with_credits(books)
        entered, leave = threading.Event(), threading.Event()

        def write_long(tx: Tx) -> None:
            entered.set()
            assert leave.wait(10)
            tx.connection.execute("UPDATE business_ai_credits SET lifetime_in = 77")

        thread = threading.Thread(target=books.write, args=[write_long])
        thread.start()
        assert entered.wait(10)
        books.before_fork()
        books.after_fork_in_parent()
        with pytest.raises(StoreUnavailable, match="Nothing was charged"):
            _more(opened, "y")
        leave.set()
        thread.join()
        assert run_sql(books, "SELECT lifetime_in FROM business_ai_credits") == [(77,)]
        assert _more(opened, "y") == Credits(10)


def test_books_in_memory_go_on_after_a_fork() -> None:
    """Their one connection is all there is of them, so it is not closed for a child."""
    with closing(Database("sqlite://")) as books:
        books.write(lambda tx: tx.connection.execute("CREATE TABLE kept (a)"))
        books.before_fork()
        books.after_fork_in_parent()
        assert books.read(lambda tx: tx.connection.execute("SELECT count(*) FROM kept").fetchall()) == [(0,)]
