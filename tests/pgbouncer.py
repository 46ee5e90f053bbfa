"""A real PgBouncer in transaction mode before the tests' PostgreSQL, from the system's packages."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy.engine import make_url

from tests.postgres import postgres_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

_PLACES: Final = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin", "/usr/local/bin"))
_TRIES: Final = 200
# Fewer sessions than clients, so that a client gets another one every time.
_CONFIG: Final = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
server_round_robin = 1
max_client_conn = 200
"""


def program() -> str | None:
    """Where it is; None if it is not installed."""
    return shutil.which("pgbouncer", path=_PLACES)


@contextmanager
def pooled_url() -> Iterator[str]:
    """URL of a fresh, empty database behind a pooler of its own; skips the test where there is none."""
    found = program()
    if found is None:
        pytest.skip("no PgBouncer: install pgbouncer from the system's packages")
    url = make_url(postgres_url())
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="ai-addons-bouncer-") as folder:
        config = Path(folder) / "pgbouncer.ini"
        config.write_text(_CONFIG.format(server=_server(url), port=port))
        # It refuses to be root, and must read its settings.
        Path(folder).chmod(0o755)
        account = ["-u", _account(url)] if os.geteuid() == 0 else []
        with subprocess.Popen([found, "-q", *account, str(config)], stderr=subprocess.DEVNULL) as process:
            try:
                _wait(port)
                behind = url.set(host="127.0.0.1", port=port, query={"pooler": "transaction"})
                yield behind.render_as_string(hide_password=False)
            finally:
                process.terminate()


def _place(url: URL) -> str:
    return str(url.query.get("host") or url.host)


def _server(url: URL) -> str:
    password = f" password={url.password}" if url.password else ""
    return f"host={_place(url)} port={url.port or 5432} user={url.username or 'postgres'}{password}"


def _account(url: URL) -> str:
    """Whoever may use the server's socket, where it has one."""
    place = _place(url)
    owner = pwd.getpwuid(Path(place).stat().st_uid).pw_name if place.startswith("/") else "nobody"
    return "nobody" if owner == "root" else owner


def _wait(port: int) -> None:
    for _ in range(_TRIES):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    msg = "PgBouncer does not answer"
    raise RuntimeError(msg)
