"""A cache directory that somebody changed: nothing in it is executed, read or deleted, and the cache goes on."""

from __future__ import annotations

import logging
import os
import pickle
import sqlite3
from typing import TYPE_CHECKING

import pytest

from ai_addons.cache import textonly
from ai_addons.cache.disk import DiskAnswers
from ai_addons.cache.entries import RefusedRow
from ai_addons.testing.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

posix = pytest.mark.skipif(os.name != "posix", reason="links need no rights on POSIX only")


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the cache lives, beside a file that nothing may touch."""
    (tmp_path / "canary.txt").write_text("1790000000000000000 stolen", encoding="utf-8")
    return tmp_path / "cache"


@pytest.fixture
def cache(home: Path) -> Iterator[DiskAnswers]:
    """A cache with one answer, open."""
    made = DiskAnswers(home, 10**8, ManualClock())
    made.put("a", "good", ttl=3_600, tag="t")
    yield made
    made.close()


def tamper(home: Path, statement: str, *values: object) -> None:
    """Change the database behind the cache's back."""
    connection = sqlite3.connect(home / "cache.db")
    with connection:
        changed = connection.execute(statement, values).rowcount
    connection.close()
    assert changed, "the attack did not change anything"


def assert_unharmed(home: Path) -> None:
    """Nothing was executed, deleted or left of the attack, and the cache works."""
    assert not (home.parent / "executed").exists()
    assert (home.parent / "canary.txt").read_text(encoding="utf-8") == "1790000000000000000 stolen"
    fresh = DiskAnswers(home, 10**8, ManualClock())
    assert fresh.get("a") is None
    fresh.put("a", "again", ttl=60, tag="t")
    assert fresh.get("a") == "again"
    fresh.close()


READ: Callable[[DiskAnswers], object] = lambda cache: cache.get("a")  # noqa: E731  # a row of the tables below
OVERWRITE: Callable[[DiskAnswers], object] = lambda cache: cache.put("a", "new", ttl=60, tag="t")  # noqa: E731  # as above
EVICT: Callable[[DiskAnswers], object] = lambda cache: cache.evict("t")  # noqa: E731  # as above


def store_another(cache: DiskAnswers) -> None:
    """A write of something else, which clears out what has expired."""
    cache.put("b", "other", ttl=60, tag="u")
    cache.evict("u")


@pytest.mark.parametrize("reopened", [False, True])
@pytest.mark.parametrize("mode", [4, 3, 2, 0, 1, None, "1; DROP TABLE Cache"])
def test_pickled_value_is_never_loaded(cache: DiskAnswers, home: Path, mode: object, *, reopened: bool) -> None:
    """A value row that would run code when unpickled is refused, and the directory starts empty."""
    tamper(home, "UPDATE Cache SET mode = ?, value = ?", mode, pickle.dumps(Bomb(home.parent / "executed")))
    if reopened:
        cache.close()
    assert cache.get("a") is None
    assert_unharmed(home)


def test_pickled_key_is_never_loaded(cache: DiskAnswers, home: Path) -> None:
    """A key row that would run code when unpickled is not even looked at, and refused where it is."""
    tamper(home, "UPDATE Cache SET raw = 0, key = ?", pickle.dumps(Bomb(home.parent / "executed")))
    assert cache.get("a") is None
    opened = cache._here().cache
    with pytest.raises(RefusedRow, match="pickled key"):
        list(opened)  # type: ignore[call-overload]  # reason: diskcache iterates; the port does not
    with pytest.raises(RefusedRow, match="pickled key"):
        textonly.TextOnly().get(b"x", raw=True)
    assert cache.evict("t") == 1
    assert_unharmed(home)


@pytest.mark.parametrize("use", [READ, OVERWRITE, EVICT])
@pytest.mark.parametrize("mode", [1, 2, 3, 4])
@pytest.mark.parametrize("absolute", [False, True])
def test_row_that_names_a_file_touches_none(
    cache: DiskAnswers, home: Path, use: Callable[[DiskAnswers], object], mode: int, *, absolute: bool
) -> None:
    """A row pointing at another file cannot have it read, deleted by eviction or deleted by overwriting."""
    name = str(home.parent / "canary.txt") if absolute else "../canary.txt"
    tamper(home, "UPDATE Cache SET mode = ?, filename = ?", mode, name)
    assert use(cache) in (None, 0)
    assert cache.get("a") in (None, "new")
    cache.evict("t")
    assert_unharmed(home)


def test_expired_row_that_names_a_file_touches_none(cache: DiskAnswers, home: Path) -> None:
    """The clearing out of expired rows deletes rows only."""
    tamper(home, "UPDATE Cache SET filename = '../canary.txt', expire_time = 1")
    store_another(cache)
    assert_unharmed(home)


def test_row_that_names_a_file_is_dropped_with_the_oldest_and_touches_none(home: Path) -> None:
    """The clearing out for lack of room deletes rows only."""
    small = DiskAnswers(home, 1, ManualClock())
    small.put("a", "good", ttl=60, tag="t")
    tamper(
        home,
        "INSERT INTO Cache (key, raw, store_time, tag, mode, filename) VALUES ('x', 1, 1, 't', 1, '../canary.txt')",
    )
    store_another(small)
    small.close()
    assert_unharmed(home)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_directory", "/elsewhere"),
        ("_disk", "x"),
        ("disk_fetch", "x"),
        ("disk_put", "x"),
        ("disk__directory", ".."),
        ("get", "x"),
        ("__class__", "x"),
        ("eviction_police", "none"),
        ("sqlite_user_version", 7),
        ("sqlite_writable_schema", 1),
        (b"sqlite_\xff", 1),
        ("count", "x"),
        ("size", None),
        ("size", 1.5),
        ("size", b"\x80\x04"),
    ],
)
def test_settings_row_changes_nothing(cache: DiskAnswers, home: Path, key: object, value: object) -> None:
    """A row in diskcache's settings table sets no attribute, runs no PRAGMA and moves no directory."""
    cache.close()
    tamper(home, "INSERT OR REPLACE INTO Settings VALUES (?, ?)", key, value)
    again = DiskAnswers(home, 10**8, ManualClock())
    assert again.get("a") is None
    connection = sqlite3.connect(home / "cache.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    connection.close()
    again.close()
    assert_unharmed(home)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("disk_min_file_size", 0),
        ("eviction_policy", "none"),
        ("sqlite_journal_mode", "delete"),
        ("statistics", 1),
        ("tag_index", 0),
        ("size_limit", 1),
    ],
)
def test_changed_setting_is_overruled_by_ours(cache: DiskAnswers, home: Path, key: str, value: object) -> None:
    """A known setting with another value is replaced by ours and costs no answer."""
    cache.close()
    tamper(home, "UPDATE Settings SET value = ? WHERE key = ?", value, key)
    again = DiskAnswers(home, 10**8, ManualClock())
    assert again.get("a") == "good"
    again.put("b", "x" * 100_000, ttl=60, tag="t")
    assert again.get("b") == "x" * 100_000
    assert {path.name for path in home.iterdir()} <= {"cache.db", "cache.db-wal", "cache.db-shm"}
    again.close()


def test_counter_tampered_with_while_open_costs_the_directory_and_no_call(cache: DiskAnswers, home: Path) -> None:
    """A size that is no number is refused at the next write, which then succeeds in an empty directory."""
    tamper(home, "UPDATE Settings SET value = NULL WHERE key = 'size'")
    cache.put("b", "text", ttl=60, tag="t")
    assert [cache.get("a"), cache.get("b")] == [None, "text"]


@pytest.mark.parametrize("text", ["no time", " x", "-1 x", "\u0661 x", "9" * 5_000 + " x", ""])
def test_row_without_our_expiry_is_refused(cache: DiskAnswers, home: Path, text: str) -> None:
    """A text that this cache did not write is not handed out."""
    tamper(home, "UPDATE Cache SET value = ?", text)
    assert cache.get("a") is None
    assert_unharmed(home)


def test_refused_row_is_logged_and_empties_the_directory_only(
    cache: DiskAnswers, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator reads what happened; other files in the directory stay."""
    (home / "notes.txt").write_text("mine", encoding="utf-8")
    tamper(home, "UPDATE Cache SET mode = 4")
    with caplog.at_level(logging.WARNING, "ai_addons.cache"):
        assert cache.get("a") is None
    assert [record.getMessage() for record in caplog.records] == [
        f"answer cache in {home} dropped, starting empty: a value that is not plain text"
    ]
    assert (home / "notes.txt").read_text(encoding="utf-8") == "mine"


@posix
@pytest.mark.parametrize("name", ["cache.db", "cache.db-wal"])
@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_linked_database_is_dropped_and_its_target_left_alone(home: Path, name: str, link: str) -> None:
    """A link named like the database must not make diskcache write into the shop's own books."""
    books = home.parent / "books.db"
    connection = sqlite3.connect(books)
    connection.execute("CREATE TABLE ledger (amount INTEGER)")
    connection.close()
    before = books.read_bytes()
    home.mkdir(mode=0o700)
    getattr(home / name, link)(books)
    cache = DiskAnswers(home, 10**8, ManualClock())
    assert cache.get("a") is None
    cache.put("a", "text", ttl=60, tag="t")
    assert cache.get("a") == "text"
    cache.close()
    assert books.read_bytes() == before
