"""The cache directory: for its owner only; damage is a miss, and faults never fail a call."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.cache import disk, textonly
from ai_addons.cache.base import MAX_BYTES, CacheFault
from ai_addons.cache.disk import DiskAnswers
from ai_addons.cache.entries import RefusedRow
from ai_addons.testing.fakes import ManualClock
from tests import cache_child
from tests.processes import Child

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

posix = pytest.mark.skipif(os.name != "posix", reason="modes, owners and fork are POSIX's")


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


@pytest.mark.parametrize("size", [40_000, 200_000])
def test_long_answers_round_trip(cache: DiskAnswers, home: Path, size: int) -> None:
    """An answer longer than diskcache's limit for rows comes back, and never goes to a file."""
    cache.put("long", "\u20b5" * (size // 3), ttl=60, tag="t")
    assert cache.get("long") == "\u20b5" * (size // 3)
    assert {path.name for path in home.iterdir()} <= {"cache.db", "cache.db-wal", "cache.db-shm"}


@pytest.mark.parametrize("text", ["x" * (MAX_BYTES + 1), "\u20b5" * 100_000, "\ud800"])
def test_text_that_cannot_be_kept_is_a_fault_and_costs_nothing_else(cache: DiskAnswers, text: str) -> None:
    """A text too long or broken is not stored; the call goes on and the other answers stay."""
    with pytest.raises(CacheFault, match="only text of up to 262144 bytes is kept"):
        cache.put("b", text, ttl=60, tag="t")
    with pytest.raises(CacheFault):
        cache.get(text)
    assert cache.get("a") == "good"


def test_only_text_is_kept() -> None:
    """Nothing but text enters, so nothing else can come out."""
    assert textonly.TextOnly().get("key", raw=1) == "key"
    with pytest.raises(CacheFault):
        textonly.TextOnly().store({"a": 1}, None)


@posix
@pytest.mark.parametrize(
    ("before", "kept"), [(None, "good"), (0o755, "good"), (0o750, "good"), (0o777, None), (0o770, None)]
)
def test_directory_is_for_its_owner_only(cache: DiskAnswers, home: Path, before: int | None, kept: str | None) -> None:
    """The directory has mode 0700; what others could have written into is not trusted."""
    if before is not None:
        cache.close()
        home.chmod(before)
    assert cache.get("a") == kept
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@posix
def test_linked_directory_is_refused(home: Path) -> None:
    """A link in place of the directory could lead anywhere."""
    elsewhere = home.parent / "elsewhere"
    elsewhere.mkdir()
    home.symlink_to(elsewhere)
    with pytest.raises(CacheFault, match="is a link or a file"):
        DiskAnswers(home, 10**8, ManualClock()).get("a")
    assert list(elsewhere.iterdir()) == []


def test_file_in_place_of_the_directory_is_a_fault(home: Path) -> None:
    """A wrong path in the settings costs answers, not calls."""
    home.write_text("x", encoding="utf-8")
    with pytest.raises(CacheFault, match="is a link or a file"):
        DiskAnswers(home, 10**8, ManualClock()).get("a")
    with pytest.raises(CacheFault, match="cannot be used"):
        DiskAnswers(home / "inside", 10**8, ManualClock()).get("a")


@posix
def test_directory_of_another_user_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's directory is not used, even when it can be written."""
    home.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: home.stat().st_uid + 1)
    with pytest.raises(CacheFault, match="belongs to another user"):
        DiskAnswers(home, 10**8, ManualClock()).get("a")


@pytest.mark.parametrize(
    "content",
    [b"", b"not a database, but long enough to look like one" * 100, b"SQLite format 3\x00" + b"\xff" * 4_096],
)
def test_corrupt_file_is_an_empty_cache(home: Path, content: bytes) -> None:
    """A damaged database costs stored answers and nothing else."""
    home.mkdir(mode=0o700)
    (home / "cache.db").write_bytes(content)
    cache = DiskAnswers(home, 10**8, ManualClock())
    assert cache.get("a") is None
    cache.put("a", "text", ttl=60, tag="t")
    assert cache.get("a") == "text"
    cache.close()


def test_foreign_table_of_the_same_name_is_an_empty_cache(home: Path) -> None:
    """A database of somebody else's making is replaced."""
    home.mkdir(mode=0o700)
    for made in ("CREATE TABLE Cache (x)", "CREATE TABLE Settings (key, value)"):
        connection = sqlite3.connect(home / "cache.db")
        connection.execute(made)
        connection.execute("CREATE TABLE IF NOT EXISTS Settings (key, value)")
        connection.execute("INSERT INTO Settings VALUES ('count', 1), ('count', 2)")
        connection.commit()
        connection.close()
        cache = DiskAnswers(home, 10**8, ManualClock())
        assert cache.get("a") is None
        cache.put("a", "text", ttl=60, tag="t")
        assert cache.get("a") == "text"
        cache.close()
        (home / "cache.db").unlink()


def test_damage_while_open_is_an_empty_cache(cache: DiskAnswers, home: Path) -> None:
    """Rows that SQLite itself cannot read any more are given up."""
    tamper(home, "UPDATE Cache SET value = CAST(x'80ff' AS TEXT)")
    assert cache.get("a") is None
    cache.put("a", "again", ttl=60, tag="t")
    assert cache.get("a") == "again"


def test_removed_directory_is_made_again(cache: DiskAnswers, home: Path) -> None:
    """Emptying the cache by hand while the shop is open is safe."""
    for path in home.iterdir():
        path.unlink()
    home.rmdir()
    assert cache.get("a") is None
    cache.put("a", "again", ttl=60, tag="t")
    assert cache.get("a") == "again"


def test_database_replaced_by_another_process_is_opened_again(cache: DiskAnswers, home: Path) -> None:
    """When one process empties a tampered directory, the others follow instead of dropping it once more."""
    other = DiskAnswers(home, 10**8, ManualClock())
    assert other.get("a") == "good"
    tamper(home, "UPDATE Cache SET mode = 4")
    assert other.get("a") is None
    other.put("b", "new", ttl=60, tag="t")
    assert [cache.get("a"), cache.get("b")] == [None, "new"]
    other.close()


def test_refusal_of_a_file_that_is_gone_already_drops_nothing(cache: DiskAnswers, home: Path) -> None:
    """Two processes that meet the same bad row do not delete each other's fresh start."""
    cache._here().file = (0, 0)
    cache._condemn(RefusedRow("seen by two"))
    other = DiskAnswers(home, 10**8, ManualClock())
    assert other.get("a") == "good"
    other.close()


def test_locked_database_is_a_fault_within_seconds_and_loses_nothing(
    cache: DiskAnswers, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that holds the lock costs a second and a miss, not the stored answers."""
    monkeypatch.setattr(textonly, "TIMEOUT", 0.05)
    cache.close()
    holder = sqlite3.connect(home / "cache.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with pytest.raises(CacheFault, match="cannot be used"):
        cache.get("a")
    assert time.monotonic() - started < 5
    holder.execute("COMMIT")
    assert cache.get("a") == "good"
    holder.execute("BEGIN IMMEDIATE")
    assert cache.get("a") == "good"
    with pytest.raises(CacheFault, match=r"cannot be used \(Timeout\)"):
        cache.put("a", "new", ttl=60, tag="t")
    with pytest.raises(CacheFault, match=r"cannot be used \(Timeout\)"):
        cache.evict("t")
    holder.execute("COMMIT")
    holder.close()
    assert cache.get("a") == "good"


def test_directory_that_cannot_be_emptied_is_a_fault(
    cache: DiskAnswers, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the damaged files cannot be removed, calls go on without a cache."""
    tamper(home, "UPDATE Cache SET mode = 4")
    monkeypatch.setattr(disk, "_FILES", ())
    with pytest.raises(CacheFault, match="RefusedRow"):
        cache.get("a")


def test_broken_connection_is_closed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot even be set up leaves no connection open."""
    home.mkdir(mode=0o700)
    (home / "cache.db").write_bytes(b"x" * 4_096)
    made: list[sqlite3.Connection] = []
    real = sqlite3.connect

    def connect(*args: object, **kwargs: object) -> sqlite3.Connection:
        made.append(real(*args, **kwargs))  # type: ignore[call-overload]  # reason: passed on as it comes
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", connect)
    cache = DiskAnswers(home, 10**8, ManualClock())
    assert cache.get("a") is None
    cache.close()
    assert len(made) > 1
    for connection in made:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_size_limit_makes_room_by_dropping_the_oldest(home: Path) -> None:
    """The directory does not grow much beyond its limit, and the newest answers stay."""
    cache = DiskAnswers(home, 2_000_000, ManualClock())
    for number in range(100):
        cache.put(f"k{number}", "x" * 50_000, ttl=3_600, tag="t")
    assert cache.get("k99") is not None
    assert cache.get("k0") is None
    cache.close()
    assert (home / "cache.db").stat().st_size < 3_000_000


@pytest.mark.parametrize(("eviction", "kept"), [("least-recently-stored", False), ("least-recently-used", True)])
def test_settings_say_what_makes_room(home: Path, eviction: Any, *, kept: bool) -> None:
    """The oldest answer goes first, or stays as long as it is asked for; a change of the setting drops nothing."""
    before = DiskAnswers(home, 2_000_000, ManualClock(), eviction="least-frequently-used")
    before.put("first", "x" * 50_000, ttl=3_600, tag="t")
    before.close()
    cache = DiskAnswers(home, 2_000_000, ManualClock(), eviction=eviction)
    assert cache.get("first") is not None
    for number in range(100):
        cache.put(f"k{number}", "x" * 50_000, ttl=3_600, tag="t")
        cache.get("first")
    assert (cache.get("first") is not None) is kept
    assert cache.get("k99") is not None
    cache.close()


def test_directory_may_be_given_from_the_home_or_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde or a variable means the same directory to this cache and to diskcache."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHOP", "kiosk")
    cache = DiskAnswers("~/$SHOP/cache", 10**8, ManualClock())
    cache.put("a", "text", ttl=60, tag="t")
    cache.close()
    assert (tmp_path / "kiosk" / "cache" / "cache.db").exists()


def test_processes_share_a_directory(home: Path) -> None:
    """Several workers start together on an empty directory; each finds what the others stored."""
    with ExitStack() as ended:
        workers = [ended.enter_context(Child(cache_child.fill, "disk", str(home), "", name)) for name in "abcd"]
        assert [(worker.rest(), worker.returncode) for worker in workers] == [("", 0)] * 4
    cache = DiskAnswers(home, 10**8, ManualClock())
    assert [cache.get(f"{name}{number}") for name in "abcd" for number in (0, 49)] == [
        f"{name}{number}" for name in "abcd" for number in (0, 49)
    ]
    cache.close()


FORK = """
import os, sys
from ai_addons.cache.disk import DiskAnswers
from ai_addons.testing.fakes import ManualClock
cache = DiskAnswers(sys.argv[1], 10**8, ManualClock())
cache.put("parent", "1", ttl=3600, tag="t")
# As if another thread were in the middle of a read: the child must not wait for it.
cache._here().lock.acquire()
child = os.fork()
if child == 0:
    assert cache.get("parent") == "1"
    cache.put("child", "2", ttl=3600, tag="t")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
cache._here().lock.release()
assert cache.get("child") == "2"
cache.close()
"""


@posix
def test_forked_worker_opens_its_own_connection(home: Path) -> None:
    """A server that opens the cache and then forks its workers shares no connection and no lock with them."""
    result = subprocess.run(  # our own program
        [sys.executable, "-c", FORK, str(home)], capture_output=True, text=True, timeout=30, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_importing_the_cache_loads_no_diskcache() -> None:
    """A host that keeps answers in memory never loads the library with the advisory."""
    program = "import sys, ai_addons.cache.disk; sys.exit('diskcache' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # our own program


def test_threads_that_come_first_together_open_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst of first calls opens one connection."""
    opened: list[int] = []
    real = disk._open

    def open_counted(*arguments: Any) -> object:
        opened.append(1)
        return real(*arguments)

    monkeypatch.setattr(disk, "_open", open_counted)
    cache = DiskAnswers(home, 10**8, ManualClock())
    threads = [threading.Thread(target=cache.get, args=("a",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cache.close()
    assert opened == [1]
