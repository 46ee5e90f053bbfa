"""A shop, its payment gateway and a payer's browser, each behind a real socket."""

from __future__ import annotations

import queue
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self, cast
from urllib.parse import parse_qs, urlsplit

from ai_addons.addons import AddOns
from ai_addons.billing.gateways.fake.hooks import HookPlan
from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from ai_addons.errors import AddOnsError
from ai_addons.testing.kit import kit_settings
from tests.gateway_browser import Browser

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from ai_addons.llm.base import Llm
    from ai_addons.testing import ManualClock

BUSINESS: Final = "biz_7"
EMAIL: Final = "ama@shop.example"
PHONE: Final = "0244000000"
_POLL_SECONDS: Final = 0.02
_PATIENCE: Final = 20


class HostServer(ThreadingHTTPServer):
    """The host's two addresses: where a gateway sends webhooks, and where a payer's browser comes back to.

    Attributes:
        addons: What they work with; set before anybody calls.
        answered: The status of each webhook, once it has been answered.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Host)
        self.addons: AddOns
        self.answered = queue.SimpleQueue[int]()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def webhook(self, gateway: str, headers: dict[str, str], body: bytes) -> int:
        """Keep a message and work on it; the HTTP status of the answer."""
        try:
            self.addons.orders.receive(gateway, headers, body)
        except AddOnsError as error:
            return error.http_status
        self.addons.orders.work_inbox()
        return 200

    def come_back(self, reference: str) -> tuple[int, str]:
        """What a payer is shown who comes back from the gateway's page."""
        try:
            applied = self.addons.orders.verify(BUSINESS, reference)
        except AddOnsError as error:
            return error.http_status, error.code
        return 200, f"{applied.order.state}: {applied.balance.short} credits"


class _Host(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        host = cast("HostServer", self.server)
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        status = host.webhook(self.path.removeprefix("/webhooks/"), dict(self.headers.items()), body)
        self._write(status, "")
        host.answered.put(status)

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        self._write(*cast("HostServer", self.server).come_back(asked["reference"][0]))

    def _write(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's own name
        """Say nothing."""


class Street:
    """All three, on one clock that only the test moves.

    Args:
        folder: Where the shop's books are kept.
        clock: The time, for the shop and for the gateway.
        llm: What answers the shop's features.
    """

    def __init__(self, folder: Path, clock: ManualClock, llm: Llm) -> None:
        self.clock = clock
        self._folder = folder
        self._llm = llm
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            self.gateway = starting.enter_context(FakeGatewayServer(clock=self.clock))
            self.host = starting.enter_context(HostServer())
            thread = threading.Thread(target=self.host.serve_forever, args=(_POLL_SECONDS,))
            thread.start()
            starting.callback(thread.join)
            starting.callback(self.host.shutdown)
            self.addons = self.host.addons = AddOns(self._settings(), clock=self.clock, llm=self._llm, environ={})
            starting.callback(self.addons.close)
            self.browser = Browser(self.gateway.url)
            starting.callback(self.browser.http.close)
            self._exit = starting.pop_all()
        self.find_webhooks()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def _settings(self) -> Any:
        return kit_settings(
            store={"url": f"sqlite:///{self._folder / 'shop.db'}"},
            gateways={"fake": {"base_url": self.gateway.url}},
            payments={"gateways": ("fake",), "return_url": f"{self.host.url}/back"},
        )

    def find_webhooks(self) -> None:
        """The gateway knows where to send webhooks."""
        self.gateway.hooks.plan = HookPlan(url=f"{self.host.url}/webhooks/fake", tries=1)

    def lose_webhooks(self) -> None:
        """The gateway sends none."""
        self.gateway.hooks.plan = HookPlan()

    def webhook(self) -> int:
        """Wait until the shop has answered the next webhook; with which status."""
        return self.host.answered.get(timeout=_PATIENCE)

    def available(self) -> str:
        """Credits that the shop can spend."""
        return self.addons.wallet(BUSINESS).available.short

    def agrees(self) -> None:
        """The books agree with themselves and with the gateway, and a second look changes nothing."""
        before = self.available()
        told = self.addons.orders.reconcile()
        assert (told.granted, told.discrepancies) == (0, ())
        report = self.addons.doctor()
        assert (report.findings, self.available()) == ((), before)
