"""How a database is reached: its URL, its engine, and whether its tables are ours and of today."""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import StaticPool, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from ai_addons.billing.schema import FOR_FIRST_RELEASE, HEAD, VERSION_TABLE, first_version, metadata
from ai_addons.billing.sql.failures import as_ours
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

_BUSY_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 0.01
_PRIMARY_CODE: Final = 0xFF
# STRICT tables came with this release.
_OLDEST_SQLITE: Final = (3, 37, 0)
POOL: Final = 8
"""Connections to a server; more only make a hot row slower."""
_LOCK_TIMEOUT: Final = "SET lock_timeout = '10s'"
_POOLER: Final = "pooler"
_TRANSACTION: Final = "transaction"
# Any number that nobody else uses; processes that make the tables at the same moment queue for it.
CREATION: Final = "SELECT pg_advisory_xact_lock(7205759403792793)"


def read_url(url: str) -> URL:
    """Read a database URL.

    Raises:
        ConfigError: If it is none, or names a database we do not keep books in.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The URL may hold a password, so the message does not repeat it.
        msg = "store.url is no database URL; write e.g. 'sqlite:///shop.db'. Nothing was charged."
        raise ConfigError(msg) from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        if parsed.query.get(_POOLER, _TRANSACTION) != _TRANSACTION:
            msg = (
                "store.url names a pooler of a kind that is not known. Nothing was charged. Write pooler=transaction "
                "for PgBouncer in transaction mode; one in session mode needs nothing."
            )
            raise ConfigError(msg)
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        msg = (
            f"store.url names a {parsed.drivername} database; books are kept in SQLite or PostgreSQL. "
            f"Nothing was charged. Write e.g. 'sqlite:///shop.db' or 'postgresql://pos@localhost/pos'."
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


def shares_sessions(url: URL) -> bool:
    """Whether a pooler gives each transaction whatever session of the server is free (``?pooler=transaction``).

    Then nothing may be left in a session: no setting, and no statement prepared under a name.
    """
    return _POOLER in url.query


def open_engine(url: URL) -> Engine:
    """An engine whose tables are there and of today.

    Raises:
        ConfigError: If they are of another release, or the folder or driver is missing.
        StoreUnavailable: If the database does not answer.
    """
    engine = make_engine(url)
    with ExitStack() as on_failure:
        on_failure.callback(engine.dispose)
        try:
            with engine.connect() as connection, connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.exec_driver_sql(CREATION)
                ensure_schema(connection)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise as_ours(error, engine.dialect.loaded_dbapi, in_doubt=False) from None
        on_failure.pop_all()
    return engine


def make_engine(url: URL) -> Engine:
    """An engine that has not connected yet.

    Raises:
        ConfigError: If the folder of the file or the driver is missing.
    """
    if url.get_backend_name() == "postgresql":
        return _postgres(url)
    memory = url.database in (None, "", ":memory:")
    settings: dict[str, Any] = {"connect_args": {"timeout": _BUSY_SECONDS, "check_same_thread": False}}
    if memory:
        settings |= {"poolclass": StaticPool}
    elif not (folder := Path(url.database or "").absolute().parent).is_dir():
        msg = f"The folder {folder} of store.url does not exist. Nothing was charged. Make it, or change store.url."
        raise ConfigError(msg)
    engine = create_engine(url, hide_parameters=True, **settings)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgres(url: URL) -> Engine:
    try:
        # One order of parameters, as the driver wants them; the server closes nothing while we are idle.
        # Whoever used a connection has ended what was begun on it: a ROLLBACK on return would only cost time.
        pool = {"pool_size": POOL, "max_overflow": 0, "pool_reset_on_return": None}
        shared = shares_sessions(url)
        # By itself the driver prepares what it has sent five times.
        arguments = {"connect_args": {"prepare_threshold": None}} if shared else {}
        bare = url.difference_update_query([_POOLER])
        engine = create_engine(bare, hide_parameters=True, paramstyle="format", **pool, **arguments)
    except (ModuleNotFoundError, NoSuchModuleError):
        msg = "PostgreSQL needs its driver. Nothing was charged. Run: pip install 'ai-addons[postgres]'."
        raise ConfigError(msg) from None
    event.listen(engine, "connect", _fit_types if shared else _prepare_postgres)
    return engine


def _begin_sqlite(connection: Connection) -> None:
    """Where SQLAlchemy itself begins, it makes tables: nobody else may write meanwhile."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
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


def _prepare_postgres(connection: Any, record: object) -> None:  # noqa: ANN401  # psycopg's connection
    """Set up a fresh PostgreSQL connection."""
    _fit_types(connection, record)
    connection.execute(_LOCK_TIMEOUT)
    connection.commit()


def _fit_types(connection: Any, _record: object) -> None:  # noqa: ANN401  # as above
    """Set up the driver's side of a connection."""
    from psycopg.types.numeric import Int8Dumper  # noqa: PLC0415  # only where PostgreSQL is used

    # One type for all whole numbers, or each size of amount would be another statement to plan.
    connection.adapters.register_dumper(int, Int8Dumper)


def ensure_schema(connection: Connection) -> None:
    """Create the tables where there are none; refuse those of another release.

    The version stands in a table of its own: the host may keep its own tables in
    the same database.

    Raises:
        ConfigError: If the tables are older or newer than this release.
    """
    found = schema_version(connection)
    if found is None:
        metadata.create_all(connection)
        # As Alembic would make it.
        key = f"CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num)"
        connection.exec_driver_sql(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL, {key})")
        connection.execute(first_version.insert(), {"version": FOR_FIRST_RELEASE})
        connection.exec_driver_sql(f"INSERT INTO {VERSION_TABLE} VALUES ('{HEAD}')")  # noqa: S608  # a constant
    elif found < HEAD:
        msg = (
            f"The tables of the store are of an earlier release (schema {found}, this one needs {HEAD}). "
            f"Nothing was charged. Make a backup, then run `ai-addons db upgrade`."
        )
        raise ConfigError(msg)
    elif found > HEAD:
        msg = (
            f"The store was written by a newer ai_addons (schema {found}, this one knows {HEAD}). "
            f"Nothing was charged. Upgrade the package."
        )
        raise ConfigError(msg)


def schema_version(connection: Connection) -> str | None:
    """The version of the tables, None where there are none."""
    looking = inspect(connection)
    if looking.has_table(VERSION_TABLE):
        return str(connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar_one())  # noqa: S608  # a constant
    # The first release counted in a table of its own.
    return "0001" if looking.has_table("ai_schema") else None
