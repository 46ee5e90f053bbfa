"""The example shops, each started as a process of its own, as its README line says."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from tests.test_cli import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
COMMANDS: Final = {"django": ("examples/django_shop/manage.py", "demo"), "fastapi": ("examples/fastapi_shop.py",)}
"""What starts each shop."""

_PATIENCE: Final = 200  # seconds for a start, on a busy machine
_TOKEN: Final = re.compile(r'name="(?:csrfmiddlewaretoken|ai-addons-csrf)" (?:value|content)="([^"]+)"')


@dataclass(frozen=True, slots=True)
class RunningShop:
    """A shop that answers, and its gateway.

    Attributes:
        kind: A key of `COMMANDS`.
        url: Where the shop is.
        gateway: Where the gateway is.
        log: What the process said.
    """

    kind: str
    url: str
    gateway: str
    log: Path

    @contextmanager
    def person(self, name: str) -> Iterator[Person]:
        """Somebody who is signed in, without a browser."""
        headers = {"origin": self.url}
        with httpx.Client(
            base_url=self.url, headers=headers, follow_redirects=True, timeout=60, trust_env=False
        ) as http:
            form = {"username": name, "password": f"{name}-demo", **_field(http.get("/login/").text)}
            page = http.post("/login/", data=form)
            assert page.status_code == 200, page.text
            token = _TOKEN.search(page.text)
            http.headers["x-csrftoken"] = "" if token is None else token[1]
            yield Person(http)

    def approve(self, reference: str) -> None:
        """Press Approve on the payer's phone."""
        told = httpx.post(f"{self.gateway}/phone/approve", data={"reference": reference}, trust_env=False, timeout=30)
        assert told.status_code == 303, told.text


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks."""

    http: httpx.Client

    def ask(self, feature: str, subject: str = "") -> httpx.Response:
        """Press a button of the shop."""
        return self.http.post(f"/api/ask/{feature}/", json={"subject": subject})

    def available(self) -> str:
        """Credits that can be spent."""
        told: str = self.http.get("/ai/credits/").json()["available"]
        return told

    def buy(self, shop: RunningShop, **pack: str) -> None:
        """Buy a pack by Mobile Money and approve it."""
        way = {"payment_method": "MOMO", "phone": "0244000001", "network": "mtn"}
        made = self.http.post("/ai/purchase/", json={**way, **pack})
        assert made.status_code == 201, made.text
        reference = made.json()["payment_reference"]
        shop.approve(reference)
        told = self.http.post("/ai/verify-payment/", json={"reference": reference}).json()
        assert told["success"] is True, told


def _field(page: str) -> dict[str, str]:
    found = _TOKEN.search(page)
    return {} if found is None else {"csrfmiddlewaretoken": found[1]}


@contextmanager
def running(kind: str, folder: Path) -> Iterator[RunningShop]:
    """Start a shop and stop it as Ctrl-C does.

    Args:
        kind: A key of `COMMANDS`.
        folder: For its database and its log.
    """
    port, gateway = _free_port(), _free_port()
    log = folder / "log.txt"
    known = {name: value for name, value in os.environ.items() if name not in KEYS}
    environ = known | {"SHOP_DATABASE": str(folder / "shop.db"), "SHOP_GATEWAY_PORT": str(gateway)}
    script, *more = COMMANDS[kind]
    command = [sys.executable, str(ROOT / script), *more, "--port", str(port)]
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environ, cwd=folder) as process:
        shop = RunningShop(kind, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{gateway}", log)
        try:
            _wait(process, shop)
            yield shop
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=_PATIENCE)
    assert "Traceback" not in log.read_text()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def _wait(process: subprocess.Popen[bytes], shop: RunningShop) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(f"{shop.url}/login/", trust_env=False, timeout=10)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(shop.log.read_text())
