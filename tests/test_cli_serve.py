"""`ai-addons serve`: started, used and stopped as a person does, and whom it lets in."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ai_addons.cli.serve import check_access, demo_principal, is_loopback, may, token_principal
from ai_addons.errors import ConfigError
from ai_addons.web import CsrfFailed, Principal
from tests.test_cli import call

if TYPE_CHECKING:
    from pathlib import Path

WHO = Principal(business_id="demo")
TOKEN = "t" * 32


def start(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """The command, in a process of its own, and its addresses."""
    command = [sys.executable, "-m", "ai_addons", "serve", "--port", "0", "--json", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or lines[-1] not in ("}\n", ""):
        lines.append(process.stdout.readline())
    return process, json.loads("".join(lines))


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there")
def test_it_answers_at_once_where_nothing_is_configured(tmp_path: Path) -> None:
    """Books in the folder, a gateway that moves no money, and no login on the own machine."""
    process, places = start(tmp_path)
    with httpx.Client(trust_env=False) as http:
        balance = http.get(places["credits"])
        nothing = http.get(f"{places['url']}elsewhere")
        phone = http.get(places["phone"])
        other_name = http.get(places["credits"], headers={"host": "evil.example"})
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=30)

    assert (balance.status_code, balance.json()["balance"]) == (200, "0.00")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "not_found")
    assert (phone.status_code, other_name.status_code) == (200, 401)
    assert (out, told.splitlines()[0], process.returncode) == ("", "Stopped.", 0)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((name, True) for name in ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost")),
        *((name, False) for name in ("0.0.0.0", "192.168.1.5", "shop.example", "localhost.evil.example", "", "::")),  # noqa: S104  # refused
    ],
)
def test_an_address_that_others_reach_needs_a_token(host: str, *, expected: bool) -> None:
    """Without one only addresses of the machine itself are served."""
    assert is_loopback(host) is expected
    check_access(host, TOKEN)
    if expected:
        check_access(host, None)
    else:
        with pytest.raises(ConfigError, match="a token is needed"):
            check_access(host, None)


def test_a_short_token_is_refused() -> None:
    """It could be guessed."""
    with pytest.raises(ConfigError, match="fewer than 32"):
        check_access("127.0.0.1", "t" * 31)


@pytest.mark.parametrize(
    ("shown", "known"),
    [
        *((wrong, False) for wrong in (None, TOKEN, "Bearer ", f"Bearer {TOKEN}x", "Bearer tökén")),
        (f"Bearer {TOKEN}", True),
    ],
)
def test_only_who_shows_the_token_is_known(shown: str | None, *, known: bool) -> None:
    """As a bearer, whole and exact."""
    environ: dict[str, Any] = {} if shown is None else {"HTTP_AUTHORIZATION": shown}

    assert token_principal(WHO, TOKEN)(environ) == (WHO if known else None)


@pytest.mark.parametrize(
    ("host", "origin", "known"),
    [
        ("127.0.0.1:8765", None, True),
        ("localhost:8765", "http://localhost:8765", True),
        ("[::1]:8765", None, True),
        ("[::1]", None, True),
        ("localhost", None, True),
        ("evil.example:8765", None, False),
        ("", None, False),
        ("127.0.0.1:8765", "https://evil.example", None),
        ("127.0.0.1:8765", "null", None),
        ("127.0.0.1:8765", "http://127.0.0.1:9999", None),
    ],
)
def test_a_page_elsewhere_gets_nothing_from_this_machine(host: str, origin: str | None, *, known: bool | None) -> None:
    """Neither by another name for the machine nor by a form that a browser sends."""
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "HTTP_HOST": host}
    environ |= {} if origin is None else {"HTTP_ORIGIN": origin}
    if known is None:
        with pytest.raises(CsrfFailed):
            demo_principal(WHO)(environ)
    else:
        assert demo_principal(WHO)(environ) == (WHO if known else None)


def test_operators_rights_are_asked_for() -> None:
    """A tenant's own by default, the rest with ``--operator``."""
    boss = Principal(business_id="demo", roles=frozenset({"operator"}))

    assert (may(WHO, "credits:purchase"), may(WHO, "admin:read"), may(boss, "admin:write")) == (True, False, True)


def test_a_port_that_is_taken_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one message, with what to do."""
    monkeypatch.chdir(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = call("serve", "--port", str(taken.getsockname()[1]), code=3)

    assert "Choose another with --port" in result.stderr


def test_a_missing_server_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "waitress.server", None)

    result = call("serve", "--port", "0", code=3)

    assert "pip install 'ai-addons[serve]'" in result.stderr
