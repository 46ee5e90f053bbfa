"""The endpoints in a FastAPI host, with their schemas in its OpenAPI document (extra ``fastapi``).

Annotations are evaluated here: FastAPI reads those of views, and one that is text would be looked up outside the
function that the view is made in, not be found, and turn the request into a query parameter.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response, params
from fastapi.responses import JSONResponse

from ai_addons import bill_to
from ai_addons.contrib._bridge import METHODS, OURS
from ai_addons.contrib.starlette import (
    EVERYTHING,
    PrincipalHook,
    TokenHook,
    add_errors,
    called,
    cookie_principal,
    make_view,
)
from ai_addons.web import Forbidden, Unauthenticated, Web
from ai_addons.web.base import Endpoint
from ai_addons.web.openapi import is_told, operation

__all__ = ["add_errors", "cookie_principal", "payer", "router"]


def router(
    web: Web,
    *,
    principal: PrincipalHook | None = None,
    csrf_token: TokenHook | None = None,
    origin: str | None = None,
    dependencies: Sequence[params.Depends] = (),
) -> APIRouter:
    """The endpoints as a router, for ``app.include_router(router(web, principal=…), prefix="/shop")``.

    Every path below ``ai/`` is ours, and what is none of them is our 404.

    Args:
        web: The endpoints.
        principal: Who is asking. None knows nobody: whatever needs somebody is refused.
        csrf_token: What the host's own check wants a form to send back.
        origin: The host's own address for browsers, e.g. ``https://pos.example.com``; what a request says of it may be
            forged.
        dependencies: FastAPI's, for every endpoint.
    """
    made = APIRouter(dependencies=list(dependencies), tags=["AI credits"])
    for endpoint in web.endpoints:
        view = make_view(web, endpoint.path, principal=principal, csrf_token=csrf_token, origin=origin)
        made.add_api_route(
            f"/{endpoint.path}",
            _for_fastapi(view),
            methods=[endpoint.method],
            name=endpoint.name,
            summary=endpoint.summary,
            operation_id=endpoint.name,
            status_code=endpoint.status,
            response_model=endpoint.answer,
            # Without a model FastAPI knows nothing of the answer, and would call it JSON.
            response_class=Response if endpoint.answer is None else JSONResponse,
            openapi_extra=_described(endpoint),
            include_in_schema=is_told(endpoint),
        )
    everything = make_view(web, OURS, principal=principal, csrf_token=csrf_token, origin=origin)
    made.add_api_route(EVERYTHING, _for_fastapi(everything), methods=list(METHODS), include_in_schema=False)
    return made


def payer(principal: PrincipalHook) -> Callable[[Request], AsyncGenerator[None, None]]:
    """A dependency for the host's own routes: whoever asks pays for the AI calls made in them.

    Args:
        principal: Who is asking.

    Raises:
        Unauthenticated: In a request of nobody.
        Forbidden: In one of somebody who acts for no business.
    """

    async def dependency(request: Request) -> AsyncGenerator[None, None]:
        found = await called(principal, request)
        if found is None:
            raise Unauthenticated
        if not found.business_id:
            raise Forbidden
        with bill_to(found.business_id, user=found.user_id):
            yield

    return dependency


def _for_fastapi(view: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """The view with annotations that FastAPI can read."""

    async def fastapi_view(request: Request) -> Any:  # noqa: ANN401  # else FastAPI makes a schema of it
        return await view(request)

    return fastapi_view


def _described(endpoint: Endpoint) -> dict[str, Any]:
    """What is told of it everywhere, less what FastAPI writes by itself: tags, and the answer, which it names."""
    made = operation(endpoint)
    del made["tags"]
    if endpoint.answer is not None:
        made["responses"][str(endpoint.status)]["content"].pop("application/json", None)
    return made
