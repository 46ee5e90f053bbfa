"""Answers kept in a directory, on diskcache, with everything in it that runs or points elsewhere shut off.

diskcache up to 5.6.3, its last release, unpickles what stands in its directory
and reads, writes and deletes files that its rows name (CVE-2025-69872). A
settings row sets any attribute of the cache or runs as a PRAGMA. None of that
happens here: rows hold plain text or are refused, no row names a file, and
settings are ours or refused. One refused row condemns the whole directory.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast
from weakref import finalize

from ai_addons.cache.base import MAX_BYTES, CacheFault, CacheSize
from ai_addons.cache.entries import RefusedRow, row, unexpired, until
from ai_addons.cache.textonly import DATABASE, PRAGMAS, TIMEOUT, OursOnly, TextOnly

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.clock import Clock
    from ai_addons.settings import Eviction

logger: logging.Logger = logging.getLogger("ai_addons.cache")

T = TypeVar("T")

_FILES: Final = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal")
# These say that the machine or another process is in the way; anything else says that the file is not ours any more.
_IN_THE_WAY: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)


class _Cache(Protocol):
    """The part of `diskcache.Cache` that is used."""

    def get(self, key: str) -> object: ...
    def set(self, key: str, value: str, *, expire: float, tag: str) -> object: ...
    def drop(self, tag: str | None, prefix: str) -> int: ...
    def volume(self) -> int: ...
    def __len__(self) -> int: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class _Process:
    """What one process has open; a forked child leaves its parent's connection alone and opens its own."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    cache: _Cache | None = None
    file: tuple[int, int] | None = None
    at_end: finalize[..., DiskAnswers] | None = None


class DiskAnswers:
    """An answer cache in a directory of its own, shared by threads and processes of one user.

    The directory is opened at the first use. A damaged or tampered one is logged,
    dropped and started empty. Of the directory's content only diskcache's own
    database files are ever touched.

    Args:
        directory: Where the answers are kept; made with mode 0700.
        size_limit: Upper size in bytes; then answers make room for new ones.
        clock: What the time to live is measured by.
        eviction: Which ones: ``least-recently-stored``, ``least-recently-used`` or ``least-frequently-used``.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        size_limit: int,
        clock: Clock,
        *,
        eviction: Eviction = "least-recently-stored",
    ) -> None:
        # diskcache expands ~ and $NAME itself; expanded here, both mean the same directory.
        self._directory = Path(os.path.expandvars(Path(directory).expanduser())).absolute()
        # Joined once: it is looked at before every step, and joining paths costs more than looking does.
        self._database = os.fspath(self._directory / DATABASE)
        self._size_limit = size_limit
        self._eviction: Eviction = eviction
        self._clock = clock
        self._processes: dict[int, _Process] = {}

    def get(self, key: str) -> str | None:
        """The stored text, or None if there is none or its time is over.

        Raises:
            CacheFault: If the directory cannot be used.
        """
        return self._run(lambda cache: unexpired(cache.get(key), self._clock.now()))

    def put(self, key: str, value: str, *, ttl: float, tag: str) -> None:
        """Keep a text for ``ttl`` seconds under a tag.

        Raises:
            CacheFault: If the text is longer than `MAX_BYTES`, or the directory cannot be used.
        """
        stored = row(until(self._clock.now(), ttl), value)
        self._run(lambda cache: cache.set(key, stored, expire=ttl, tag=tag))

    def evict(self, tag: str | None = None, *, prefix: str = "") -> int:
        """Drop everything under a tag whose key begins with a prefix; how many texts went.

        Raises:
            CacheFault: If the directory cannot be used; some texts may be left.
        """
        return self._run(lambda cache: cache.drop(tag, prefix))

    def size(self) -> CacheSize:
        """How many texts are stored, and the size of the database.

        Raises:
            CacheFault: If the directory cannot be used.
        """
        return self._run(lambda cache: CacheSize(len(cache), cache.volume()))

    def close(self) -> None:
        """Let go of the files; the next use opens them again."""
        with self._here().lock:
            self._drop_connection()

    def _here(self) -> _Process:
        process = os.getpid()
        # setdefault is atomic, so threads that come first together agree.
        return self._processes.get(process) or self._processes.setdefault(process, _Process())

    def _run(self, step: Callable[[_Cache], T]) -> T:
        """Do one step; a directory that shows damage is emptied and the step done once more."""
        with self._here().lock:
            try:
                try:
                    return step(self._opened())
                except (RefusedRow, sqlite3.Error) as error:
                    self._condemn(error)
                    return step(self._opened())
            except (RefusedRow, sqlite3.Error, OSError, _diskcache().Timeout) as error:
                msg = f"the answer cache in {self._directory} cannot be used ({type(error).__name__})"
                raise CacheFault(msg) from error

    def _opened(self) -> _Cache:
        """The open cache; opened again if somebody replaced or removed the file."""
        here = self._here()
        if here.cache is not None and _identity(self._database) == here.file:
            return here.cache
        self._drop_connection()
        if make_private(self._directory):
            self._remove_files("it was open to other users")
        here.file = _identity(self._database)
        _check_files(self._directory)
        here.cache = _open(self._directory, self._size_limit, self._eviction)
        here.at_end = finalize(self, _close, here.cache, os.getpid())
        here.file = _identity(self._database)
        return here.cache

    def _drop_connection(self) -> None:
        here = self._here()
        here.cache = None
        if here.at_end is not None:
            # Runs once: here, when the last reference goes, or when the interpreter ends.
            here.at_end()

    def _condemn(self, error: Exception) -> None:
        """Empty the directory, unless the error says that the machine is in the way or another process did it."""
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _IN_THE_WAY:
            raise error
        known = self._here().file
        self._drop_connection()
        if known in (None, _identity(self._database)):
            self._remove_files(str(error))

    def _remove_files(self, reason: str) -> None:
        """Remove diskcache's own files; nothing that a row names."""
        logger.warning("answer cache in %s dropped, starting empty: %s", self._directory, reason)
        for name in _FILES:
            with suppress(FileNotFoundError):
                (self._directory / name).unlink()


def _close(cache: _Cache, process: int) -> None:
    """Close the connection, in the process that opened it."""
    if os.getpid() == process:
        cache.close()


def _identity(database: str) -> tuple[int, int] | None:
    """Which file the database is, or None if there is none."""
    try:
        found = os.stat(database, follow_symlinks=False)  # noqa: PTH116  # a path object takes longer than the system
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def make_private(directory: Path) -> bool:
    """Make the directory ours alone; True if others could have written to it before.

    Raises:
        CacheFault: If it is no directory, a link, or somebody else's.
    """
    try:
        # First, for mkdir locks the directory above, which other processes are at work in.
        found = os.stat(directory, follow_symlinks=False)  # noqa: PTH116  # done for every answer, and quicker
    except FileNotFoundError:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
        found = directory.stat(follow_symlinks=False)
    if not stat.S_ISDIR(found.st_mode):
        msg = f"the answer cache needs a directory of its own; {directory} is a link or a file"
        raise CacheFault(msg)
    if found.st_uid != _user():
        msg = f"the answer cache needs a directory of its own; {directory} belongs to another user"
        raise CacheFault(msg)
    if os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077:
        directory.chmod(0o700)
        return bool(found.st_mode & 0o022)
    return False


def _check_files(directory: Path) -> None:
    """Refuse database files that lead elsewhere: a link would let diskcache write into another file."""
    for name in _FILES:
        with suppress(FileNotFoundError):
            found = (directory / name).stat(follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid != _user():
                msg = f"{name} is a link or belongs to another user"
                raise RefusedRow(msg)


def _user() -> int:
    """Who runs this; Windows has no such number and reports 0 as every file's owner."""
    return int(getattr(os, "geteuid", int)())


def _diskcache() -> Any:  # noqa: ANN401  # the library has no types
    import diskcache  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]  # loaded at the first use; has no types

    return diskcache


def _open(directory: Path, size_limit: int, eviction: Eviction) -> _Cache:
    """Open diskcache with our parts in front of its own."""
    library = _diskcache()
    settings: dict[str, object] = {
        **library.DEFAULT_SETTINGS,
        **{f"sqlite_{name}": value for name, value in PRAGMAS.items()},
        "size_limit": size_limit,
        "eviction_policy": eviction,
        "tag_index": 1,
        # Above the cap, so that diskcache never keeps a value in a file.
        "disk_min_file_size": MAX_BYTES * 2,
    }
    disk = type("TextDisk", (TextOnly, library.Disk), {})
    made = type("TextCache", (OursOnly, library.Cache), {"ours": settings})
    try:
        return cast("_Cache", made(str(directory), timeout=TIMEOUT, disk=disk, **settings))
    except (TypeError, ValueError, AttributeError) as error:
        # Rows of the wrong type or number in the settings table break diskcache's own unpacking.
        msg = "unreadable settings"
        raise RefusedRow(msg) from error
