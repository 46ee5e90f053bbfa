"""The database behind the store: connections, durable write transactions, and its errors as ours.

SQLite runs in WAL mode with ``synchronous=FULL``. Every write transaction
starts with ``BEGIN IMMEDIATE``: a deferred one that upgrades from read to write
fails at once with "database is locked", whatever the busy timeout says.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from weakref import finalize, ref

from sqlalchemy import Connection, StaticPool, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ai_addons.billing.schema import SCHEMA_VERSION, metadata
from ai_addons.billing.sql import statements as sql
from ai_addons.errors import BillingError, ConfigError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator

    import sqlalchemy
    from sqlalchemy import URL, Engine

__all__ = ["Connection", "Database", "Row"]

Row: TypeAlias = "sqlalchemy.Row[*tuple[Any, ...]]"
"""A row of any statement; its columns are attributes."""

_BUSY_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 0.01
_BEGIN: Final = "ai_addons_begin"
_PRIMARY_CODE: Final = 0xFF
# STRICT tables came with this release.
_OLDEST_SQLITE: Final = (3, 37, 0)


class Database:
    """One SQLite database, opened at the first use and safe to share between threads.

    A process that forks finds its own connections on both sides; a database kept
    in memory starts empty in the child.

    Args:
        url: SQLAlchemy URL, e.g. ``sqlite:///shop.db``; ``sqlite://`` keeps it in memory.

    Raises:
        ConfigError: For a URL that cannot be read or a database of another kind.
    """

    def __init__(self, url: str) -> None:
        self._url = _read_url(url)
        self._lock = threading.Lock()
        self._writer = threading.Lock()
        self._engine: Engine | None = None
        self._at_end: finalize[..., Database] | None = None
        _watch_forks(self)

    @property
    def path(self) -> str | None:
        """File of the database, None when it lives in memory."""
        name = self._url.database
        return None if name in (None, "", ":memory:") else name

    @contextmanager
    def write(self) -> Generator[Connection, None, None]:
        """One durable write transaction; rolled back when the block raises.

        Threads of this process queue for it here, so SQLite's busy handler, which
        is unfair, only ever sees one of them.

        Raises:
            StoreUnavailable: If the database stayed locked too long, is full or cannot be written.
            BillingError: If a rule of the tables refuses what was written.
        """
        if not self._writer.acquire(timeout=_BUSY_SECONDS):
            raise StoreUnavailable
        try:
            with self._transaction("BEGIN IMMEDIATE") as connection:
                yield connection
        finally:
            self._writer.release()

    @contextmanager
    def read(self) -> Generator[Connection, None, None]:
        """One consistent view of the books; waits for a writer only in a database kept in memory.

        Raises:
            StoreUnavailable: If the database cannot be read.
        """
        if self.path is None:
            # All of it is one connection, which can hold one transaction at a time.
            with self.write() as connection:
                yield connection
        else:
            with self._transaction("BEGIN") as connection:
                yield connection

    def close(self) -> None:
        """Close every connection; the next use opens the database again (empty, if it lived in memory)."""
        with self._writer, self._lock:
            self._drop_engine()

    def _drop_engine(self) -> None:
        if self._at_end is not None:
            # Runs once: here, when the last reference goes, or when the interpreter ends.
            self._at_end()
        self._engine = None

    @contextmanager
    def _transaction(self, begin: str) -> Generator[Connection, None, None]:
        try:
            with _begun(self._opened(), begin) as connection:
                yield connection
        except (StatementError, PoolTimeout) as error:
            # Not chained: the original carries the statement and its parameters.
            raise _as_ours(error) from None

    def _opened(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._check_folder()
                with ExitStack() as on_failure:
                    engine = self._connect()
                    on_failure.callback(engine.dispose)
                    with _begun(engine, "BEGIN IMMEDIATE") as connection:
                        _ensure_schema(connection)
                    on_failure.pop_all()
                    self._engine = engine
                    self._at_end = finalize(self, engine.dispose)
            return self._engine

    def _check_folder(self) -> None:
        folder = Path(self.path).absolute().parent if self.path is not None else None
        if folder is not None and not folder.is_dir():
            msg = f"The folder {folder} of store.url does not exist. Nothing was charged. Make it, or change store.url."
            raise ConfigError(msg)

    def _connect(self) -> Engine:
        settings: dict[str, Any] = {"connect_args": {"timeout": _BUSY_SECONDS}}
        if self.path is None:
            settings = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        engine = create_engine(self._url, hide_parameters=True, **settings)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine

    def before_fork(self) -> None:
        """Wait for the write in flight and close the file: SQLite's connections must not cross a fork."""
        self._writer.acquire()
        self._lock.acquire()
        if self.path is not None:
            self._drop_engine()

    def after_fork_in_parent(self) -> None:
        """Go on; the file is opened again at the next use."""
        self._lock.release()
        self._writer.release()

    def after_fork_in_child(self) -> None:  # pragma: no cover  # no coverage leaves a forked child; a test forks one
        """Start afresh, with locks that no thread of the parent can hold."""
        self._lock, self._writer, self._engine = threading.Lock(), threading.Lock(), None


def _watch_forks(database: Database) -> None:
    """Tell a database of forks for as long as it lives."""
    if sys.platform == "win32":  # pragma: no cover  # there is no fork
        return
    alive = ref(database)

    def tell(what: str) -> None:
        if (found := alive()) is not None:
            getattr(found, what)()

    os.register_at_fork(
        before=lambda: tell("before_fork"),
        after_in_parent=lambda: tell("after_fork_in_parent"),
        after_in_child=lambda: tell("after_fork_in_child"),
    )


def _read_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The URL may hold a password, so the message does not repeat it.
        msg = "store.url is no database URL; write e.g. 'sqlite:///shop.db'. Nothing was charged."
        raise ConfigError(msg) from None
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        msg = (
            f"store.url names a {parsed.drivername} database; this version keeps its books in SQLite. "
            f"Nothing was charged. Write e.g. 'sqlite:///shop.db'."
        )
        raise ConfigError(msg)
    if (parsed.database or "").startswith("file:"):
        msg = "store.url must name a plain file, not a file: URI. Nothing was charged. Write e.g. 'sqlite:///shop.db'."
        raise ConfigError(msg)
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        msg = (
            f"The store needs SQLite 3.37 or later; this Python has {sqlite3.sqlite_version}. Nothing was charged. "
            f"Use a newer Python."
        )
        raise ConfigError(msg)
    return parsed


@contextmanager
def _begun(engine: Engine, begin: str) -> Generator[Connection, None, None]:
    with engine.connect() as connection:
        connection.execution_options(**{_BEGIN: begin})
        with connection.begin():
            yield connection


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options()[_BEGIN])


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    """Set up a fresh SQLite connection; pysqlite's own transaction control is switched off."""
    connection.isolation_level = None
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL; SQLite does not wait by itself when another process does the same."""
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > give_up:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _ensure_schema(connection: Connection) -> None:
    """Create the tables where there are none; refuse those of a later version.

    The version stands in a table of its own: the host may keep its own tables, and
    its own ``user_version``, in the same file.
    """
    if not inspect(connection).has_table("ai_schema"):
        metadata.create_all(connection)
        connection.execute(sql.SET_VERSION, {"version": SCHEMA_VERSION})
        return
    version = connection.execute(sql.VERSION).scalar_one()
    if version > SCHEMA_VERSION:
        msg = (
            f"The store was written by a newer ai_addons (schema {version}, this one knows {SCHEMA_VERSION}). "
            f"Nothing was charged. Upgrade the package."
        )
        raise ConfigError(msg)


def _as_ours(error: StatementError | PoolTimeout) -> Exception:
    """The error as one of our tree, saying what the database says without statement or values."""
    if isinstance(error, IntegrityError):
        return BillingError(
            f"The credit store refused this entry ({error.orig}). Nothing was charged. Run `ai-addons doctor`."
        )
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError) and isinstance(error.orig, Exception):
        # Not from the database: a value that a column's type refused.
        return error.orig
    cause = f" ({error.orig})" if isinstance(error, DBAPIError) else ""
    return StoreUnavailable(
        f"The credit store did not answer{cause}. Nothing was charged. Try again in a moment; "
        f"if it stays so, check store.url, the disk and the file's permissions."
    )
