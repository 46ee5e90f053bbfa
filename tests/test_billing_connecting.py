"""How a database is reached: its URL, its driver, its file, and tables of the right release."""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.schema import HEAD
from ai_addons.billing.sql import Database, connecting
from ai_addons.errors import ConfigError, StoreUnavailable
from ai_addons.money import Credits
from tests.books import Opened, on_disk, open_books, open_store, run_sql

if TYPE_CHECKING:
    from pathlib import Path

    from ai_addons.billing.sql import Tx


def _with_credits(books: Database) -> Opened:
    """Books in which a business has five credits."""
    opened = open_books(books)
    opened.funding.grant("biz_7", Credits(5), source="promo", ref="x")
    return opened


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("shop.db", "is no database URL"),
        ("", "is no database URL"),
        ("sqlite://:port:/x", "is no database URL"),
        ("mysql://u:hunter2@db/shop", "kept in SQLite or PostgreSQL"),
        ("postgresql+asyncpg://u:hunter2@db/shop", "kept in SQLite or PostgreSQL"),
        ("nosuch://u:hunter2@db/shop", "kept in SQLite or PostgreSQL"),
        ("sqlite+aiosqlite:///shop.db", "kept in SQLite or PostgreSQL"),
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


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite://", "SQLite, in memory"),
        ("sqlite:///shop.db", "SQLite, shop.db"),
        ("postgresql://u:hunter2@db.test:5433/shop", "PostgreSQL, shop on db.test"),
        ("postgres://u:hunter2@db.test/shop", "PostgreSQL, shop on db.test"),
        ("postgresql+psycopg:///shop", "PostgreSQL, shop on this machine"),
    ],
)
def test_people_are_told_where_the_books_are_and_no_password(url: str, name: str) -> None:
    """The name shown by the doctor holds neither user nor password."""
    found = Database(url)
    assert (found.name, found.postgres) == (name, name.startswith("PostgreSQL"))
    assert found.path == ("shop.db" if url == "sqlite:///shop.db" else None)


def test_an_sqlite_without_strict_tables_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Python with an old SQLite the message names the version instead of a syntax error."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 9))
    with pytest.raises(ConfigError, match=r"needs SQLite 3\.37 or later"):
        Database("sqlite://")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 0))
    assert Database("sqlite://").path is None


def test_a_missing_driver_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL without its driver is a mistake in the installation, told before anything is charged."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    books = open_store(Database("postgresql://pos@db.test/pos"))
    with pytest.raises(ConfigError, match=r"needs its driver\. Nothing was charged\. Run: pip install 'ai-addons\[po"):
        books.wallet("biz_7")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A folder that is not there is a mistake in the settings, not a passing fault."""
    books = Database(f"sqlite:///{tmp_path / 'missing' / 'books.db'}")
    with pytest.raises(ConfigError, match=r"missing of store\.url does not exist\. Nothing was charged"):
        _with_credits(books)


def test_every_commit_is_durable(tmp_path: Path) -> None:
    """The file is in WAL mode and each commit waits for the disk, on every connection."""
    with closing(on_disk(tmp_path)) as books:

        def look(tx: Tx) -> tuple[object, object]:
            ask = tx.connection.execute
            return ask("PRAGMA journal_mode").fetchone()[0], ask("PRAGMA synchronous").fetchone()[0]

        assert books.write(look) == books.write(look) == books.read(look) == ("wal", 2)


def test_the_switch_to_wal_waits_for_others_and_gives_up_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that another program writes in the old mode is waited for, but not for ever."""
    monkeypatch.setattr(connecting, "_BUSY_SECONDS", 0.2)
    file = tmp_path / "books.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE theirs (id INTEGER)")
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="locked"):
            _with_credits(on_disk(tmp_path))
        assert time.monotonic() - started < 10
        monkeypatch.setattr(connecting, "_BUSY_SECONDS", 30.0)
        release = threading.Timer(0.1, other.execute, ["ROLLBACK"])
        release.start()
        with closing(on_disk(tmp_path)) as books:
            assert _with_credits(books).store.wallet("biz_7").posted == Credits(5)
        release.join()


def test_a_store_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    """An older package refuses to write into tables it does not know."""
    books = on_disk(tmp_path)
    _with_credits(books)
    run_sql(books, "UPDATE ai_schema_version SET version_num = '9000'")
    books.close()
    with pytest.raises(
        ConfigError, match=rf"newer ai_addons \(schema 9000.*knows {HEAD}\)\. Nothing was charged\. Upg"
    ):
        open_store(books).wallet("biz_7")
    books.close()


@pytest.mark.parametrize(
    "change", ["DROP TABLE ai_schema_version", "UPDATE ai_schema_version SET version_num = '0001'"]
)
def test_a_store_of_an_earlier_release_is_to_be_upgraded(tmp_path: Path, change: str) -> None:
    """Old tables, also those of the first release, are left alone; the command to run is named."""
    books = on_disk(tmp_path)
    _with_credits(books)
    run_sql(books, change)
    books.close()
    with pytest.raises(ConfigError, match=r"earlier release \(schema 0001,.*Nothing was charged.*`ai-addons db up"):
        open_store(books).wallet("biz_7")
    books.close()


def test_the_books_can_live_in_the_host_s_own_file(tmp_path: Path) -> None:
    """A file that has tables and a user_version already keeps both, beside ours."""
    with closing(sqlite3.connect(tmp_path / "books.db")) as host:
        host.execute("CREATE TABLE sales (id INTEGER)")
        host.execute("PRAGMA user_version = 42")
        host.commit()
    with closing(on_disk(tmp_path)) as books:
        _with_credits(books)
        assert run_sql(books, "PRAGMA user_version") == [(42,)]
        assert run_sql(books, "SELECT count(*) FROM sales") == [(0,)]
