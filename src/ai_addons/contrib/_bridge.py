"""What the adapters of all frameworks share, so that each only translates."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote

from ai_addons.errors import AddOnsError, ConfigError
from ai_addons.web.errors import PayloadTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ai_addons.web import Principal, Web, WebRequest, WebResponse
    from ai_addons.web.base import Endpoint

OURS: Final = "ai/"
"""Every endpoint stands below it; so do the 404 and the 405 of what is none."""

METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
"""What frameworks are told to leave to us; ``Web.find`` says which of them there are."""

MOST_BODY: Final = 1_048_576
"""Bytes of the longest body that is read, 1 MiB: many times what a gateway sends in a webhook."""

_MOST_DIGITS: Final = 20
_SERVER_ERROR: Final = 500
_logger: Final = logging.getLogger("ai_addons.web")


def answer(
    web: Web,
    request: WebRequest,
    principal: Callable[[], Principal | None],
    csrf_token: Callable[[], str | None],
) -> WebResponse:
    """Answer a request; who asks is found out only where somebody must be known.

    Args:
        web: The endpoints.
        request: As the framework has it, with no principal yet.
        principal: Asks the host who is there; errors of ours become the answer.
        csrf_token: Asks the host for what a form must send back; only for pages.
    """
    endpoint = sought(web, request)
    try:
        if endpoint is not None and endpoint.action is not None:
            request = replace(request, principal=principal())
        if endpoint is not None and endpoint.page:
            request = replace(request, csrf_token=csrf_token())
    except AddOnsError as error:
        return refusal(web, request, error)
    return dispatched(web, request)


def dispatched(web: Web, request: WebRequest) -> WebResponse:
    """The answer of an endpoint; a head is what a whole answer has above its body."""
    return headless(request, web.dispatch(replace(request, method="GET") if request.method == "HEAD" else request))


def sought(web: Web, request: WebRequest) -> Endpoint | None:
    """The endpoint that a request is for; None where dispatch will say that there is none."""
    try:
        return web.find(request.method, request.path)[0]
    except AddOnsError:
        return None


def refusal(web: Web, request: WebRequest, error: AddOnsError) -> WebResponse:
    """The answer to a request that did not come as far as an endpoint."""
    return headless(request, web.problem(error, request))


def problem_of(web: Web, request: WebRequest, error: AddOnsError, root: str) -> WebResponse:
    """The answer to a request of the host's own that ended in an error of ours."""
    if error.http_status == _SERVER_ERROR and not isinstance(error, ConfigError):
        # The client learns nothing from it; whoever runs the host must. Of what is not configured `Web` itself tells.
        _logger.error("%s %s failed: %s", request.method, request.path, error.code, exc_info=error)
    return refusal(web, replace(request, root=under(root)), error)


def headless(request: WebRequest, response: WebResponse) -> WebResponse:
    """The answer without its body, if only its head was asked for; the length stays that of the whole."""
    if request.method != "HEAD":
        return response
    headers = {**response.headers, "content-length": str(len(response.body))}
    return replace(response, body=b"", headers=headers)


def encoded(path: str) -> str:
    """A decoded path as `WebRequest` wants it.

    Every framework hands out a decoded path, and only some the original; so all of them encode it anew.
    """
    return quote(path, safe="/")


def query_of(text: str) -> dict[str, str]:
    """A query string's values; of a repeated name the last."""
    return dict(parse_qsl(text, keep_blank_values=True))


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; those of a repeated name as one list (RFC 9110, section 5.2)."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def check_length(told: str | int | None) -> int:
    """The announced length of a body, 0 where none is.

    Raises:
        PayloadTooLarge: If it is more than is read.
    """
    said = "" if told is None else str(told)
    if not (said.isascii() and said.isdecimal()):
        return 0
    # Python refuses to read a number of thousands of digits.
    if len(said) > _MOST_DIGITS or int(said) > MOST_BODY:
        raise PayloadTooLarge
    return int(said)


def nobody(_request: object = None) -> None:
    """Who is there, or what token, where a host has no hook: nobody and none."""
    return


def under(root: str) -> str:
    """A mount with a slash at both ends."""
    return f"/{root.strip('/')}/" if root.strip("/") else "/"
