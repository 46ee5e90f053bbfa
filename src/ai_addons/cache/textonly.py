"""What stands in front of diskcache's own classes so that nothing in a directory runs or points elsewhere.

This module does not import diskcache; `disk` puts the parts together.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ai_addons.cache.entries import RefusedRow, keepable

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT: Final = 1.0
"""Seconds to wait for another process's write."""

DATABASE: Final = "cache.db"
"""Name of diskcache's database."""

PRAGMAS: Final[dict[str, int | str]] = {
    "auto_vacuum": 1,
    "journal_mode": "wal",
    "synchronous": 1,
    "cache_size": 1_024,
    # Mapped pages turn a file cut short by somebody else into a crash of this process.
    "mmap_size": 0,
    "trusted_schema": 0,
}
"""How every connection is set, whatever the directory's own settings say."""

_RAW: Final = 1
_BATCH: Final = 100
_COUNTERS: Final = frozenset({"count", "size", "hits", "misses"})


class TextOnly:
    """In front of `diskcache.Disk`: rows hold text, and no row has a file."""

    def __init__(self, _directory: str = "", **_settings: object) -> None:
        """Take nothing over: there are no files to keep and no pickles to write."""

    def put(self, key: object) -> tuple[str, bool]:
        """A key on its way in."""
        return keepable(key), True

    def get(self, key: object, raw: object) -> str:
        """A key on its way out."""
        if not raw or not isinstance(key, str):
            self._refuse("a pickled key")
        return key

    def store(self, value: object, _read: object, key: object = None) -> tuple[int, int, None, str]:
        """A value on its way in: size on disk beside the row, mode, file name, row value."""
        del key
        return 0, _RAW, None, keepable(value)

    def fetch(self, mode: object, filename: object, value: object, _read: object) -> str:
        """A value on its way out."""
        if mode != _RAW or filename is not None or not isinstance(value, str):
            self._refuse("a value that is not plain text")
        return value

    def remove(self, _file_path: object) -> NoReturn:
        """Never: no row of ours has a file, so a row that names one is not ours."""
        self._refuse("a row that names a file")

    def _refuse(self, what: str) -> NoReturn:
        raise RefusedRow(what)


class OursOnly:
    """In front of `diskcache.Cache`: settings are ours, and one connection serves all threads.

    The caller's lock keeps threads apart. One connection can be closed for
    certain, whereas diskcache leaves one open in each thread that used it.
    """

    ours: dict[str, object]
    _connection: sqlite3.Connection | None = None
    _directory: str

    def __init__(self, directory: str, **settings: object) -> None:
        parent: Any = super()
        with ExitStack() as undo:
            undo.callback(self.close)
            parent.__init__(directory, **settings)
            undo.pop_all()

    def reset(self, key: str, value: object = None, update: bool = True) -> object:  # noqa: FBT001, FBT002  # diskcache's signature
        """Set an attribute from a settings row; diskcache itself would set any, or run it as a PRAGMA."""
        del update
        if key in _COUNTERS and value is None:
            value = self._counter(key)
        elif key not in self.ours or value != self.ours[key]:
            msg = "a setting that is not ours"
            raise RefusedRow(msg)
        setattr(self, key, value)
        return value

    def drop(self, tag: str | None, prefix: str) -> int:
        """Delete the rows under a tag whose key begins with a prefix; how many."""
        wanted = [("tag = ?", tag)] if tag is not None else []
        if prefix:
            # Not LIKE: an underscore in a feature's key would stand for any character.
            wanted.append((f"substr(key, 1, {len(prefix)}) = ?", prefix))
        where = "".join(f"{condition} AND " for condition, _ in wanted)
        select = f"SELECT rowid, filename FROM Cache WHERE {where}rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608  # fixed words
        arguments = [*(value for _, value in wanted), 0, _BATCH]
        parent: Any = self
        return int(parent._select_delete(select, arguments, arg_index=len(wanted)))  # noqa: SLF001  # diskcache's own way

    def _counter(self, key: str) -> int:
        rows = self._sql("SELECT value FROM Settings WHERE key = ?", (key,)).fetchall()
        if len(rows) != 1 or not isinstance(rows[0][0], int):
            msg = "a counter that is no number"
            raise RefusedRow(msg)
        return rows[0][0]

    @property
    def _con(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _connect(Path(self._directory) / DATABASE)
        return self._connection

    @property
    def _sql(self) -> Callable[..., sqlite3.Cursor]:
        return self._con.execute

    @property
    def _sql_retry(self) -> Callable[..., sqlite3.Cursor]:
        # diskcache would try for a minute, longer than a whole call may take.
        return self._con.execute

    def close(self) -> None:
        """Close the one connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _connect(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(database, timeout=TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        for name, value in PRAGMAS.items():
            # Of two processes that switch a new file to WAL together one is refused; the mode is in the file.
            with suppress(sqlite3.OperationalError):
                connection.execute(f"PRAGMA {name} = {value}").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
