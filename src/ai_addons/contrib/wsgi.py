"""The endpoints as a plain WSGI application, for any server and any framework that can mount one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from ai_addons.contrib._bridge import answer, check_length, encoded, joined, nobody, query_of, refusal, under
from ai_addons.contrib._origin import check_origin
from ai_addons.errors import AddOnsError
from ai_addons.web import WebRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ai_addons.web import Principal, Web, WebResponse

_PREFIX: Final = "HTTP_"
_BARE: Final = ("CONTENT_TYPE", "CONTENT_LENGTH")
_USUAL_PORTS: Final = {"http": "80", "https": "443"}


def wsgi(
    web: Web,
    *,
    principal: Callable[[WSGIEnvironment], Principal | None] | None = None,
    csrf_token: Callable[[WSGIEnvironment], str | None] | None = None,
    origin: str | None = None,
) -> WSGIApplication:
    """The endpoints as a WSGI application.

    Mount it with its prefix in ``SCRIPT_NAME``; every path below is ours, and what is none of them is our 404.

    Args:
        web: The endpoints.
        principal: Who is asking, from the environ; wrap it in `cookie_principal` if the login is a cookie. None knows
            nobody: whatever needs somebody is refused.
        csrf_token: What the host's own check wants a form to send back.
        origin: The host's own address for browsers, e.g. ``https://pos.example.com``; what a request says of it may be
            forged.
    """

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        here = replace(request_of(environ), origin=origin)
        response = _respond(web, here, environ, principal or nobody, csrf_token or nobody)
        start_response(_status(response.status), _headers(response))
        return [response.body]

    return application


def cookie_principal(
    get_principal: Callable[[WSGIEnvironment], Principal | None], *, origins: Collection[str] = ()
) -> Callable[[WSGIEnvironment], Principal | None]:
    """A principal hook for hosts whose login is a cookie.

    A browser sends cookies with requests that other sites make it send, so one that changes something must say that
    it comes from the host's own origin.

    Args:
        get_principal: Who the cookie's session belongs to.
        origins: Further origins that are the host's own; needed behind a proxy that hides its scheme or name.
    """

    def hook(environ: WSGIEnvironment) -> Principal | None:
        check_origin(environ["REQUEST_METHOD"].upper(), sent_headers(environ), own=_origin(environ), trusted=origins)
        return get_principal(environ)

    return hook


def _origin(environ: WSGIEnvironment) -> str:
    """The origin that was asked (PEP 3333, "URL Reconstruction"); browsers leave a usual port out."""
    scheme, port = environ["wsgi.url_scheme"], environ["SERVER_PORT"]
    named = environ["SERVER_NAME"] if port == _USUAL_PORTS.get(scheme) else f"{environ['SERVER_NAME']}:{port}"
    return f"{scheme}://{environ.get('HTTP_HOST') or named}"


def _respond(
    web: Web,
    request: WebRequest,
    environ: WSGIEnvironment,
    principal: Callable[[WSGIEnvironment], Principal | None],
    csrf_token: Callable[[WSGIEnvironment], str | None],
) -> WebResponse:
    try:
        request = replace(request, body=_body(environ))
    except AddOnsError as error:
        return refusal(web, request, error)
    return answer(web, request, partial(principal, environ), partial(csrf_token, environ))


def _body(environ: WSGIEnvironment) -> bytes:
    length = check_length(environ.get("CONTENT_LENGTH"))
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    return body


def request_of(environ: WSGIEnvironment) -> WebRequest:
    """A request in our terms, without its body; nobody is known yet."""
    return WebRequest(
        method=environ["REQUEST_METHOD"].upper(),
        path=encoded(_text(environ.get("PATH_INFO", "")).removeprefix("/")),
        query=query_of(environ.get("QUERY_STRING", "")),
        headers=sent_headers(environ),
        root=under(encoded(_text(environ.get("SCRIPT_NAME", "")))),
    )


def _text(native: str) -> str:
    """A path as text: WSGI hands out its bytes as Latin-1 (PEP 3333)."""
    return native.encode("latin-1").decode("utf-8", "replace")


def sent_headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """The headers in an environ, or in what a framework keeps in the same form."""
    return joined(_pairs(environ))


def _pairs(environ: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith(_PREFIX):
            yield name.removeprefix(_PREFIX).replace("_", "-"), value
        elif name in _BARE and value:
            yield name.replace("_", "-"), value


def _status(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def _headers(response: WebResponse) -> list[tuple[str, str]]:
    length = response.headers.get("content-length", str(len(response.body)))
    rest = [(name.title(), value) for name, value in response.headers.items() if name != "content-length"]
    return [("Content-Type", response.content_type), ("Content-Length", length), *rest]
