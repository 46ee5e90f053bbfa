"""The endpoints in a Starlette host, and what the FastAPI adapter is made of (extra ``fastapi``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ai_addons.contrib._bridge import (
    METHODS,
    MOST_BODY,
    OURS,
    check_length,
    dispatched,
    encoded,
    joined,
    nobody,
    problem_of,
    query_of,
    refusal,
    sought,
    under,
)
from ai_addons.contrib._origin import check_origin
from ai_addons.errors import AddOnsError
from ai_addons.web import PayloadTooLarge, Principal, WebRequest

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.applications import Starlette

    from ai_addons.web import Web, WebResponse

T = TypeVar("T")

PrincipalHook: TypeAlias = Callable[[Request], Principal | Awaitable[Principal | None] | None]
"""Who is asking; may be async. One that is not runs in a thread."""
TokenHook: TypeAlias = Callable[[Request], str | Awaitable[str | None] | None]
"""What the host's own check wants a form to send back."""

EVERYTHING: Final = f"/{OURS}{{rest:path}}"
"""Every path of ours."""


def routes(
    web: Web,
    *,
    principal: PrincipalHook | None = None,
    csrf_token: TokenHook | None = None,
    origin: str | None = None,
) -> list[Route]:
    """The endpoints as routes, e.g. for ``Mount("/shop", routes=routes(web, principal=…))``.

    Args:
        web: The endpoints.
        principal: Who is asking. None knows nobody: whatever needs somebody is refused.
        csrf_token: What the host's own check wants a form to send back.
        origin: The host's own address for browsers, e.g. ``https://pos.example.com``; what a request says of it may be
            forged.
    """
    view = make_view(web, OURS, principal=principal, csrf_token=csrf_token, origin=origin)
    return [Route(EVERYTHING, view, methods=list(METHODS), name="ai_addons")]


def make_view(
    web: Web, pattern: str, *, principal: PrincipalHook | None, csrf_token: TokenHook | None, origin: str | None
) -> Callable[[Request], Awaitable[Response]]:
    """A view for the paths of one pattern.

    Args:
        web: The endpoints.
        pattern: Below the mount; `OURS` for all paths that begin with it.
        principal: Who is asking.
        csrf_token: What a form must send back.
        origin: The host's own address for browsers.
    """

    async def view(request: Request) -> Response:
        here = replace(_request_of(request, _below(request, pattern)), origin=origin)
        return _sent(await _answer(web, here, request, principal or nobody, csrf_token or nobody))

    return view


def cookie_principal(get_principal: PrincipalHook, *, origins: Collection[str] = ()) -> PrincipalHook:
    """A principal hook for hosts whose login is a cookie.

    A browser sends cookies with requests that other sites make it send, so one that changes something must say that
    it comes from the host's own origin.

    Args:
        get_principal: Who the cookie's session belongs to.
        origins: Further origins that are the host's own; needed behind a proxy that hides its scheme or name.
    """

    async def hook(request: Request) -> Principal | None:
        own = f"{request.url.scheme}://{request.url.netloc}"
        check_origin(request.method, joined(request.headers.items()), own=own, trusted=origins)
        return await called(get_principal, request)

    return hook


def add_errors(app: Starlette, web: Web, *, root: str = "/") -> None:
    """Answer errors of ours that the host's own routes raise as our endpoints do: 402 with what to buy, and so on.

    Args:
        app: The host.
        web: The endpoints.
        root: Path under which they are mounted; links begin with it.
    """

    def handler(request: Request, error: Exception) -> Response:
        if not isinstance(error, AddOnsError):  # pragma: no cover  # it is registered for ours alone
            raise error
        return _sent(problem_of(web, _request_of(request, ""), error, root))

    app.add_exception_handler(AddOnsError, handler)


async def called(hook: Callable[[Request], T | Awaitable[T]], request: Request) -> T:
    """What a hook says, be it async or not."""
    if iscoroutinefunction(hook):
        return cast("T", await hook(request))
    found: Any = await run_in_threadpool(hook, request)
    return cast("T", await found if isawaitable(found) else found)


async def _answer(
    web: Web, here: WebRequest, request: Request, principal: PrincipalHook, csrf_token: TokenHook
) -> WebResponse:
    """As `ai_addons.contrib._bridge.answer`, with hooks that may be async and the work in a thread."""
    endpoint = sought(web, here)
    try:
        here = replace(here, body=await _body(request))
        if endpoint is not None and endpoint.action is not None:
            here = replace(here, principal=await called(principal, request))
        if endpoint is not None and endpoint.page:
            here = replace(here, csrf_token=await called(csrf_token, request))
    except AddOnsError as error:
        return refusal(web, here, error)
    return await run_in_threadpool(dispatched, web, here)


def _request_of(request: Request, below: str) -> WebRequest:
    """A request in our terms, without its body; nobody is known yet."""
    path = encoded(below)
    full = encoded(request.scope.get("root_path", "").rstrip("/") + _route_path(request))
    return WebRequest(
        method=request.method,
        path=path,
        query=query_of(request.scope["query_string"].decode("latin-1")),
        headers=joined(request.headers.items()),
        root=under(full.removesuffix(path)),
    )


def _route_path(request: Request) -> str:
    """The path without that of the mount; a proxy may have cut the latter off already."""
    path, mount = str(request.scope["path"]), str(request.scope.get("root_path", "")).rstrip("/")
    return path.removeprefix(mount) if path.startswith(f"{mount}/") else path


def _below(request: Request, pattern: str) -> str:
    """The part of the path that belongs to us."""
    if pattern == OURS:
        return OURS + str(request.path_params["rest"])
    return "/".join(_route_path(request).split("/")[-len(pattern.split("/")) :])


async def _body(request: Request) -> bytes:
    check_length(request.headers.get("content-length"))
    got = bytearray()
    async for piece in request.stream():
        got += piece
        if len(got) > MOST_BODY:
            raise PayloadTooLarge
    return bytes(got)


def _sent(response: WebResponse) -> Response:
    # As a header, because Starlette adds a charset to a media type.
    headers = {**response.headers, "content-type": response.content_type}
    return Response(response.body, status_code=response.status, headers=headers)
