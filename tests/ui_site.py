"""A small site for a browser: the shop's pages, and pages of a host with the components, over real HTTP.

The API under the components is a stand-in that tests steer: it answers in the shapes that the
endpoints have, at once, and keeps what it was asked.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from ai_addons.web import Principal, WebRequest
from tests.ui_shop import ROOT, SHOP, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

    from ai_addons.web import Web

PRICING: Final[dict[str, Any]] = {
    "currency": "GHS",
    "credit_packs": [
        {"type": "STARTER", "name": "Starter", "price": "30.00", "credits": "30.00", "bonus_credits": "0.00"}
        | {"total_credits": "30.00", "cost_per_credit": "1.00", "savings": "0.000", "recommended": False},
        {"type": "VALUE", "name": "Value", "price": "80.00", "credits": "80.00", "bonus_credits": "20.00"}
        | {"total_credits": "100.00", "cost_per_credit": "0.80", "savings": "0.200", "recommended": True},
    ],
    "custom_pack": {"type": "CUSTOM", "least": "10.00", "most": "5000.00", "tiers": []},
    "feature_costs": [
        {"feature": "report_summary", "name": "AI Report Summary", "credits": "0.20", "popular": False},
        {"feature": "gratis", "name": "<b>Gratis</b>", "credits": "0.00", "popular": False},
    ],
}
WAITING: Final[dict[str, Any]] = {
    "status": "PENDING",
    "next_step": "approve_on_phone",
    "display_text": "Approve the payment on your phone.",
    "seconds_left": 180,
    "payment_url": None,
    "credits": "100.00",
}
SHORT: Final[dict[str, Any]] = {
    "code": "insufficient_credits",
    "status": 402,
    "title": "Not enough AI credits",
    "required": "3.00",
    "available": "1.00",
    "shortfall": "2.00",
}


class Api:
    """The stand-in for the API.

    Attributes:
        answers: Status and body by method and path below ``ai/``.
        asked: What came: method, path, headers and body.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "GET credits/": (200, {"balance": "12.00", "held": "0.00", "available": "12.00", "trial_credits": "0.00"}),
            "GET pricing/": (200, PRICING),
            "POST purchase/": (201, {"purchase_id": "o-1", "payment_reference": "aia-1", "payment_url": None}),
            "GET purchases/o-1/": (200, WAITING),
            "POST purchases/o-1/otp/": (200, WAITING),
            "POST trial/": (200, {"credits_added": "5.00"}),
            "POST work/": (200, {"text": "done"}),
        }
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self._lock = threading.Lock()

    def says(self, what: str, code: int, body: Any = None, /, **changes: Any) -> None:
        """From now on this is answered."""
        base = self.answers.get(what, (200, {}))[1]
        with self._lock:
            self.answers[what] = (code, body if body is not None else {**base, **changes})

    def count(self, what: str) -> int:
        """How often it was asked."""
        with self._lock:
            return sum(1 for name, _, _ in self.asked if name == what)

    def sent(self, what: str) -> tuple[dict[str, str], Any]:
        """Headers and body of the last time."""
        with self._lock:
            return [(headers, body) for name, headers, body in self.asked if name == what][-1]

    def answer(self, what: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        """Answer a request."""
        with self._lock:
            self.asked.append((what, headers, json.loads(body) if body else None))
            status, told = self.answers.get(what, (404, {"code": "not_found", "status": 404}))
        kind = "application/problem+json" if status >= 400 else "application/json"
        return status, kind, json.dumps(told).encode()


class _Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
        del format, args


class Site:
    """A server in a thread.

    Args:
        web: The shop's endpoints.
        api: Answers what is asked below ``ai/`` in place of the shop's; None for the shop's own.
    """

    def __init__(self, web: Web, api: Api | None = None) -> None:
        self.web = web
        self.api = api
        self.hosted: dict[str, str] = {}
        self._server = make_server("127.0.0.1", 0, self._app, WSGIServer, _Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def page(self, body: str, *, lang: str = "en") -> str:
        """Address of a page of the host with the components in it."""
        head = f'<title>Host</title><meta charset="utf-8"><link rel="icon" href="data:,">{self._tags()}'
        path = f"/host/{len(self.hosted)}"
        self.hosted[path] = f'<!doctype html><html lang="{lang}"><head>{head}</head><body>{body}</body></html>'
        return f"{self.url}{path}"

    def _tags(self) -> str:
        return self.web.assets(ROOT, csrf_token=TOKEN)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def _app(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = dict(_headers(environ))
        if path in self.hosted:
            # As strict as a host may be: no inline style, no inline script.
            policy = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:"
            return _send(
                start, 200, {"content-type": "text/html", "content-security-policy": policy}, self.hosted[path].encode()
            )
        if path.endswith(".js") and path in HOST_SCRIPTS:
            return _send(start, 200, {"content-type": "text/javascript"}, HOST_SCRIPTS[path].encode())
        below = path.removeprefix(ROOT)
        if self.api is not None and below.startswith("ai/") and not below.startswith("ai/ui/"):
            status, kind, sent = self.api.answer(f"{method} {below[3:]}", headers, body)
            return _send(start, status, {"content-type": kind}, sent)
        answer = self.web.dispatch(self._request(method, below, environ, headers, body))
        return _send(start, answer.status, {**answer.headers, "content-type": answer.content_type}, answer.body)

    def _request(
        self, method: str, path: str, environ: WSGIEnvironment, headers: dict[str, str], body: bytes
    ) -> WebRequest:
        return WebRequest(
            method=method,
            path=path,
            query=dict(parse_qsl(environ.get("QUERY_STRING", ""))),
            headers=headers,
            body=body,
            principal=Principal(business_id=SHOP, user_id="u_1"),
            root=ROOT,
            csrf_token=TOKEN,
            origin=self.url,
        )


HOST_SCRIPTS: Final[dict[str, str]] = {}
"""Scripts of hosts by path, put there by tests."""


def _headers(environ: WSGIEnvironment) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].lower().replace("_", "-"), value
    yield "content-type", environ.get("CONTENT_TYPE", "")


def _send(start: StartResponse, status: int, headers: dict[str, str], body: bytes) -> list[bytes]:
    start(f"{status} x", [*headers.items(), ("content-length", str(len(body)))])
    return [body]


def wait_until(page: Any, ready: Callable[[], bool]) -> None:
    """Let the page go on until something is so.

    Raises:
        AssertionError: If it is not so within some seconds.
    """
    for _ in range(200):
        if ready():
            return
        page.wait_for_timeout(50)
    raise AssertionError
