"""The fake gateway on 127.0.0.1."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self, cast
from urllib.parse import parse_qsl

from ai_addons.billing.gateways.fake.api import PaystackApi
from ai_addons.billing.gateways.fake.desk import Desk
from ai_addons.billing.gateways.fake.hooks import HookPlan, HookSender
from ai_addons.billing.gateways.fake.site import Site
from ai_addons.billing.gateways.fake.wire import Answer
from ai_addons.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from ai_addons.clock import Clock

KEY: Final = "sk_test_fake_gateway"
"""The secret key, if none is given; it opens nothing but this server."""

PORT: Final = 8765
"""Where it listens, if nothing is said."""

_POLL_SECONDS: Final = 0.05
_MOST_BYTES: Final = 1_000_000
_SITE: Final = ("checkout", "phone", "operator", "style.css", "")


class FakeGatewayServer:
    """Paystack's protocol, and pages for a person, on 127.0.0.1.

    Use it as a context manager::

        with FakeGatewayServer(hooks=HookPlan(url="http://127.0.0.1:8000/ai/webhooks/paystack/")) as server:
            gateway = FakePaystack(server.url)
            …
            server.desk.approve(reference)

    Args:
        port: Where to listen; 0 takes a free one.
        key: The secret key that callers must show; ``sk_live_`` makes its payments claim to be live.
        path: An SQLite file to keep everything in; None keeps it in memory.
        hooks: Where webhooks go, and how.
        clock: Where the time comes from; None is the machine's.

    Attributes:
        desk: The gateway's side of everything.
        api: What answers calls; its `fail_next` breaks some.
        hooks: What sends webhooks; its `plan` may be changed.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        key: str = KEY,
        path: Path | None = None,
        hooks: HookPlan | None = None,
        clock: Clock | None = None,
    ) -> None:
        used = clock if clock is not None else SystemClock()
        self.key = key
        self.hooks: HookSender = HookSender(hooks if hooks is not None else HookPlan(), key=key, clock=SystemClock())
        domain = "live" if key.startswith("sk_live_") else "test"
        self.desk: Desk = Desk(clock=used, domain=domain, path=path, tell=self.hooks.send)
        self.api: PaystackApi = PaystackApi(self.desk, key=key)
        self._site = Site(self.desk, self.hooks)
        self._port = port
        self._exit = ExitStack()

    def __repr__(self) -> str:
        """Without the key."""
        return f"FakeGatewayServer({self.desk.site!r})"

    @property
    def url(self) -> str:
        """Where it listens; also the base URL of its API."""
        return self.desk.site

    def __enter__(self) -> Self:
        """Start serving.

        Raises:
            OSError: If the port is taken.
        """
        with ExitStack() as starting:
            starting.callback(self.desk.close)
            http = starting.enter_context(_Server(("127.0.0.1", self._port), self._answer))
            self.desk.site = f"http://127.0.0.1:{http.server_address[1]}"
            self.hooks.start()
            starting.callback(self.hooks.stop)
            thread = threading.Thread(target=http.serve_forever, args=(_POLL_SECONDS,), name="fake-gateway")
            thread.start()
            starting.callback(thread.join)
            starting.callback(http.shutdown)
            self._exit = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, after what is being answered."""
        self._exit.close()

    def _answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer | None:
        path, _, query = target.partition("?")
        if path.removeprefix("/").split("/")[0] in _SITE:
            return self._site.answer(method, path, headers, body)
        return self.api.answer(method, path, query=dict(parse_qsl(query)), headers=headers, body=body)


class _Server(ThreadingHTTPServer):
    """One thread a connection, which ends with its answer; stopping waits for those that are at work."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], answer: Callable[[str, str, dict[str, str], bytes], Answer | None]
    ) -> None:
        self.answer = answer
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as socketserver has it
        """Print what went wrong; a client that went away is nothing wrong."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server_version = "FakeGateway"
    sys_version = ""
    # Seconds that a client may be silent.
    timeout = 5

    def _serve(self) -> None:
        length = self.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > _MOST_BYTES:
            self._write(Answer(413, b""))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = cast("_Server", self.server).answer(self.command, self.path, headers, self.rfile.read(int(length)))
        if answer is not None:
            self._write(answer)

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = _serve  # noqa: N815  # the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's own name
        """Say nothing: a request names people and references."""
