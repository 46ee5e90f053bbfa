"""The endpoints in a FastAPI host, with their schemas in its OpenAPI document (extra ``fastapi``).

Annotations are evaluated here: FastAPI reads those of views, and one that is text would be looked up outside the
function that the view is made in, not be found, and turn the request into a query parameter.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from fastapi import APIRouter, Request, params
from pydantic import BaseModel

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
from ai_addons.errors import AddOnsError, InsufficientCreditsError
from ai_addons.web import Forbidden, Unauthenticated, ValidationFailed, Web
from ai_addons.web.base import Endpoint
from ai_addons.web.problems import PROBLEM

__all__ = ["add_errors", "cookie_principal", "payer", "router"]

_TEXT: Final = {"type": "string"}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "code": _TEXT, "detail": _TEXT},
}
_AMOUNTS: Final = ("required", "available", "shortfall", "packs_url")


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
            responses=_responses(endpoint),
            openapi_extra=_asked(endpoint),
            include_in_schema=not endpoint.page,
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


def _responses(endpoint: Endpoint) -> dict[int | str, dict[str, Any]]:
    """Its errors, those of the door among them."""
    door: list[type[AddOnsError]] = [] if endpoint.action is None else [Unauthenticated, Forbidden]
    if endpoint.body is not None or endpoint.query is not None:
        door.append(ValidationFailed)
    by_status: dict[int | str, dict[str, Any]] = {}
    for error in (*door, *endpoint.errors):
        schema = _bought(_PROBLEM) if issubclass(error, InsufficientCreditsError) else _PROBLEM
        content = {PROBLEM: {"schema": schema}}
        by_status[error.http_status] = {"description": HTTPStatus(error.http_status).phrase, "content": content}
    return by_status


def _bought(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A problem with what is missing, and where it is sold."""
    return {**schema, "properties": {**schema["properties"], **dict.fromkeys(_AMOUNTS, _TEXT)}}


def _asked(endpoint: Endpoint) -> dict[str, Any]:
    """What it takes: the parts of its path, its query, its body."""
    parts = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
    parameters = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in parts]
    if endpoint.query is not None:
        parameters += _query_parameters(inlined(endpoint.query))
    if endpoint.keyed:
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": _TEXT})
    asked: dict[str, Any] = {"parameters": parameters} if parameters else {}
    if endpoint.body is not None:
        asked["requestBody"] = {"content": {"application/json": {"schema": inlined(endpoint.body)}}}
    return asked


def _query_parameters(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        for name, part in schema.get("properties", {}).items()
    ]


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """A model's schema in one piece: references into it would point into the host's document."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})
    return cast("dict[str, Any]", _resolved(schema, parts))


def _resolved(schema: object, parts: Mapping[str, Any]) -> object:
    if isinstance(schema, dict):
        known = cast("dict[str, object]", schema)
        reference = known.get("$ref")
        if isinstance(reference, str):
            return _resolved(parts[reference.rpartition("/")[2]], parts)
        return {name: _resolved(part, parts) for name, part in known.items()}
    if isinstance(schema, list):
        return [_resolved(part, parts) for part in cast("list[object]", schema)]
    return schema
