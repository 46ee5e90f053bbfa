"""`ai-addons fake-gateway`: started, used and stopped as a person does."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from ai_addons.billing.gateways.fake.server import KEY
from tests.test_cli import call

if TYPE_CHECKING:
    from pathlib import Path


def start(*arguments: str) -> subprocess.Popen[str]:
    """The command, in a process of its own."""
    command = [sys.executable, "-m", "ai_addons", "fake-gateway", "--port", "0", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Ctrl-C, and what else it said."""
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=30)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there")
def test_it_runs_until_it_is_stopped_and_keeps_what_it_was_told(tmp_path: Path) -> None:
    """Its addresses as JSON; a payment made before is there when it runs again."""
    asked = {"email": "shop@example.com", "amount": 3000, "reference": "aia-1"}
    headers = {"authorization": f"Bearer {KEY}"}
    for again in (False, True):
        process = start("--keep", str(tmp_path / "payments.db"), "--json")
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        places = json.loads("".join(lines))
        assert sorted(places) == ["api", "key", "operator", "phone"]
        with httpx.Client(base_url=places["api"], headers=headers, trust_env=False) as http:
            assert http.get(places["phone"]).status_code == 200
            made = http.post("/transaction/initialize", json=asked)
        assert made.status_code == (400 if again else 200)
        assert stop(process) == ("", "Stopped.\n")
        assert process.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there")
def test_it_says_where_its_pages_are() -> None:
    """For a person: the address, the key, the phone, the operator."""
    process = start("--webhook", "http://127.0.0.1:9/hooks")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(6)]
    stop(process)
    assert lines[0] == "A fake gateway runs. No money moves.\n"
    assert [line.split()[0] for line in lines[1:5]] == ["api", "key", "phone", "operator"]
    assert lines[3].endswith("/phone\n")


def test_a_port_that_is_taken_is_named() -> None:
    """With what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = call("fake-gateway", "--port", port, code=3)
    assert f"Port {port} cannot be used" in result.stderr
    assert "--port" in result.stderr


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1/", "http://"])
def test_webhooks_go_to_an_address_only(url: str) -> None:
    """Anything else is refused before it runs."""
    assert "is no address for webhooks" in call("fake-gateway", "--webhook", url, code=2).stderr
