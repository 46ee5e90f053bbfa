"""The database behind the store: connections, durable transactions, and its errors as ours.

SQLite runs in WAL mode with ``synchronous=FULL``. Every write transaction
starts with ``BEGIN IMMEDIATE``: a deferred one that upgrades from read to write
fails at once with "database is locked", whatever the busy timeout says.
PostgreSQL runs at READ COMMITTED; a wallet's row is locked before it is read.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import finalize, ref

from sqlalchemy import text

from ai_addons.billing.sql import connecting
from ai_addons.billing.sql.failures import as_ours, is_of_database, may_run_again, root
from ai_addons.billing.sql.gate import FairLock, FileGate
from ai_addons.billing.sql.tx import Tx
from ai_addons.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ClauseElement, Engine, PoolProxiedConnection

    from ai_addons.billing.sql.tx import Prepared

T = TypeVar("T")

_WAIT_SECONDS: Final = 30.0
_TRIES: Final = 8
_PAUSE_SECONDS: Final = 0.02
_NAMES: Final = "ai_addons"
_WRITE: Final = "BEGIN IMMEDIATE"
_GATE_SUFFIX: Final = "-gate"
_SNAPSHOT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


class Database:
    """One SQLite or PostgreSQL database, opened at the first use and safe to share between threads.

    A process that forks finds its own connections on both sides; a database kept
    in memory starts empty in the child.

    Args:
        url: SQLAlchemy URL, e.g. ``sqlite:///shop.db`` or ``postgresql://pos@db/pos``; ``sqlite://`` keeps it
            in memory. ``?pooler=transaction`` says that PgBouncer in transaction mode stands before the server.

    Raises:
        ConfigError: For a URL that cannot be read or a database of another kind.
    """

    def __init__(self, url: str) -> None:
        self._url = connecting.read_url(url)
        self.postgres: bool = self._url.get_backend_name() == "postgresql"
        self._lock = threading.Lock()
        self._writer = FairLock()
        self._gate = FileGate(None if self.path is None else self.path + _GATE_SUFFIX)
        self._prepared: dict[ClauseElement, Prepared] = {}
        self._engine: Engine | None = None
        self._kept: list[PoolProxiedConnection] = []
        self._room = threading.BoundedSemaphore(connecting.POOL)
        self._at_end: finalize[..., Database] | None = None
        self._mine = False
        _watch_forks(self)

    @property
    def path(self) -> str | None:
        """File of the database, None when it lives in memory or on a server."""
        name = self._url.database
        return None if self.postgres or name in (None, "", ":memory:") else name

    @property
    def name(self) -> str:
        """Where the books are kept, for people; without user or password."""
        if self.postgres:
            return f"PostgreSQL, {self._url.database} on {self._url.host or 'this machine'}"
        return "SQLite, in memory" if self.path is None else f"SQLite, {self.path}"

    def write(self, work: Callable[[Tx], T]) -> T:
        """Do some work in one durable write transaction; rolled back when it raises.

        On SQLite threads of this process queue for it, and then the processes that
        share the file, each in order of arrival. On PostgreSQL the work is done again
        after a conflict, so it must change nothing but the database.

        Raises:
            StoreUnavailable: If the database stayed locked too long, is full or cannot be written.
            BillingError: If a rule of the tables refuses what was written.
        """
        if self.postgres:
            return self._persist(work)
        self._take_turn()
        try:
            return self._once(work, begin=_WRITE)
        finally:
            self._end_turn()

    def read(self, work: Callable[[Tx], T], *, snapshot: bool = False) -> T:
        """Look at the books; waits for a writer only in a database kept in memory.

        Args:
            work: Queries, and nothing but queries.
            snapshot: Whether all of them must see the same moment.

        Raises:
            StoreUnavailable: If the database cannot be read.
        """
        if self.postgres:
            return self._persist(_seen_at_once(work) if snapshot else work, books=False)
        if self.path is None:
            # All of it is one connection, which can hold one transaction at a time.
            return self.write(work)
        return self._once(work, begin="BEGIN")

    def close(self) -> None:
        """Close every connection; the next use opens the database again (empty, if it lived in memory)."""
        if not self._writer.acquire(_WAIT_SECONDS):
            raise StoreUnavailable
        try:
            with self._lock:
                self._drop_engine()
        finally:
            self._writer.release()

    # Plain calls rather than context managers: this is done for every write.

    def _take_turn(self) -> None:
        """Write alone: no other thread, and no other process that shares the file."""
        if not self._writer.acquire(_WAIT_SECONDS):
            raise StoreUnavailable
        try:
            # Not open yet, there may be no folder to put the gate in; SQLite's busy handler waits.
            if self._engine is not None:
                self._gate.enter()
        except OSError as error:
            self._writer.release()
            raise as_ours(error, sqlite3, in_doubt=False) from None
        except BaseException:
            self._writer.release()
            raise

    def _end_turn(self) -> None:
        try:
            self._gate.leave()
        finally:
            self._writer.release()

    def _drop_engine(self) -> None:
        if self._at_end is not None:
            # Runs once: here, when the last reference goes, or when the interpreter ends.
            self._at_end()
        self._gate.close()
        self._engine = None

    def _persist(self, work: Callable[[Tx], T], *, books: bool = True) -> T:
        """Do the work again as long as other transactions get in its way."""
        give_up = time.monotonic() + _WAIT_SECONDS
        for tries in range(1, _TRIES):
            try:
                return self._once(work, books=books, last=time.monotonic() > give_up)
            except _Again:
                # Jitter, or two that collided would collide again.
                time.sleep(random.uniform(0, _PAUSE_SECONDS * 2**tries))  # noqa: S311  # no secret
        return self._once(work, books=books, last=True)

    def _once(self, work: Callable[[Tx], T], *, begin: str | None = None, books: bool = True, last: bool = False) -> T:
        # On its own: a failure to open says what is wrong with the settings.
        engine = self._opened()
        progress = _Progress()
        try:
            return self._transact(engine, work, begin, progress)
        except Exception as error:
            driver = engine.dialect.loaded_dbapi
            if not is_of_database(error, driver):
                raise
            in_doubt = books and progress.broken and progress.committing
            # A time limit of the host's is an OSError too, and ends it.
            lost = progress.broken and isinstance(root(error), driver.Error)
            again = may_run_again(error) or (lost and not in_doubt)
            if progress.broken:
                # Those that lie idle are broken too, most likely.
                _shut(engine, self._kept)
            told = _Again() if begin is None and again and not last else as_ours(error, driver, in_doubt=in_doubt)
        # Raised out here, so that the original with its statement and parameters is not even in the chain.
        raise told from None

    def _transact(self, engine: Engine, work: Callable[[Tx], T], begin: str | None, progress: _Progress) -> T:
        # On a server any of a few connections will do; of a file only one writes at a time, so one does for all writes.
        keep = self.postgres or (begin is _WRITE and self.path is not None)
        pooled = self._borrow(engine, kept=keep)
        try:
            driver: Any = pooled.driver_connection
            tx = self._begin(pooled, engine)
            try:
                if begin is not None:
                    driver.execute(begin)
                result = work(tx)
                progress.committing = True
                tx.commit()
            except BaseException:
                progress.broken = True
                if not getattr(driver, "closed", False):
                    driver.rollback()
                    # Only now: what interrupts this too leaves a transaction open that nobody must go on with.
                    progress.broken = False
                raise
            return result
        finally:
            if progress.broken and (self.postgres or self.path is not None):
                # Books in memory would go with their one connection.
                pooled.invalidate()
            self._return(engine, pooled, keep=keep and not progress.broken)

    def _borrow(self, engine: Engine, *, kept: bool) -> PoolProxiedConnection:
        """A connection: one that is kept, or one of the engine's pool, whose book-keeping costs more than a query."""
        if self.postgres and not self._room.acquire(timeout=_WAIT_SECONDS):
            raise StoreUnavailable
        try:
            with suppress(IndexError):
                if kept:
                    return self._kept.pop()
            return engine.raw_connection()
        except BaseException:
            self._leave_room()
            raise

    def _return(self, engine: Engine, pooled: PoolProxiedConnection, *, keep: bool) -> None:
        if not keep:
            pooled.close()
        elif engine is self._engine:
            self._kept.append(pooled)
        else:
            # Closed meanwhile, by whoever closed the database.
            pooled.invalidate()
        self._leave_room()

    def _leave_room(self) -> None:
        if self.postgres:
            self._room.release()

    def _begin(self, pooled: PoolProxiedConnection, engine: Engine) -> Tx:
        if not self.postgres:
            return Tx(pooled.driver_connection, engine.dialect, self._prepared)
        from ai_addons.billing.sql.pipelined import Names, PipelinedTx, PooledTx  # noqa: PLC0415  # needs psycopg

        driver: Any = pooled.driver_connection
        if connecting.shares_sessions(self._url):
            return PooledTx(driver, engine.dialect, self._prepared)
        # As long as the connection lives, so do the statements prepared on it.
        names = pooled.info.setdefault(_NAMES, Names())
        return PipelinedTx(driver, engine.dialect, self._prepared, names)

    def _opened(self) -> Engine:
        with self._lock:
            if self._engine is None:
                engine = self._engine = connecting.open_engine(self._url)
                self._at_end = finalize(self, _shut, engine, self._kept)
            return self._engine

    def before_fork(self) -> None:
        """Wait for the write in flight and close the connections: they must not cross a fork."""
        # A write that takes longer than this goes on in the parent; the child starts with a lock of its own.
        self._mine = self._writer.acquire(_WAIT_SECONDS)
        self._lock.acquire()
        if self.path is not None or self.postgres:
            self._drop_engine()

    def after_fork_in_parent(self) -> None:
        """Go on; the database is opened again at the next use."""
        self._lock.release()
        if self._mine:
            self._writer.release()

    def after_fork_in_child(self) -> None:  # pragma: no cover  # no coverage leaves a forked child; a test forks one
        """Start afresh, with locks that no thread of the parent can hold."""
        self._lock, self._writer, self._engine, self._kept = threading.Lock(), FairLock(), None, []
        self._room = threading.BoundedSemaphore(connecting.POOL)


def _shut(engine: Engine, kept: list[PoolProxiedConnection]) -> None:
    """Close every connection, the one that is kept for writes too."""
    while kept:
        kept.pop().invalidate()
    engine.dispose()


class _Progress:
    """How far a transaction came."""

    def __init__(self) -> None:
        self.committing = False
        self.broken = False


class _Again(Exception):
    """Another transaction got in the way; nothing was booked."""


def _seen_at_once(work: Callable[[Tx], T]) -> Callable[[Tx], T]:
    def inside(tx: Tx) -> T:
        tx.write(_SNAPSHOT, {})
        return work(tx)

    return inside


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
