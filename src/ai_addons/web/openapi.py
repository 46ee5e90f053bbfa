"""The endpoints as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections import defaultdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from ai_addons.catalog import Offer
from ai_addons.errors import (
    IdempotencyConflict,
    InsufficientCreditsError,
    LedgerConflict,
    NotFound,
    StoreUnavailable,
)
from ai_addons.money import Credits, Money
from ai_addons.web.base import Answer
from ai_addons.web.errors import (
    CsrfFailed,
    Forbidden,
    MethodNotAllowed,
    NotAvailable,
    PayloadTooLarge,
    TooManyRequests,
    Unauthenticated,
    Unexpected,
    UnsupportedMediaType,
    ValidationFailed,
)
from ai_addons.web.parsing import KEY
from ai_addons.web.problems import PROBLEM, described, title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ai_addons.errors import AddOnsError
    from ai_addons.web.base import Endpoint

Schemas = dict[tuple[type[BaseModel], Literal["validation", "serialization"]], dict[str, Any]]

_REFS: Final = "#/components/schemas/{model}"
_PARTS: Final = re.compile(r"{(\w+)}")
_UI: Final = "ai/ui/"
_LONGEST_NAME: Final = 255
_ABOUT: Final = (
    "Credits and paid AI features. Who asks is known from the host's own login. Credits are decimal text with 2 to 6 "
    "decimals, money is decimal text with 2, times are UTC. Errors are problems (RFC 9457) with a stable `code`. A "
    "path answers 405 to other methods than its own, and `HEAD` like `GET`. With the setting `web.compat` amounts are "
    'numbers, errors are `{"error": ...}`, and what is 201 here is 200.'
)


class Fault(Answer):
    """One thing that is wrong with a request; never what was sent."""

    type: str
    loc: list[str | int]
    msg: str


class OfferAnswer(Answer):
    """A pack that would be enough."""

    type: str
    price: str
    credits: str


class Problem(Answer):
    """An error (RFC 9457). ``code`` is stable; the last fields are there with some codes only."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[Fault] = Field(default_factory=list[Fault])
    required: str = ""
    available: str = ""
    shortfall: str = ""
    offers: list[OfferAnswer] = Field(default_factory=list[OfferAnswer])
    recommended: str | None = None
    packs_url: str = ""


def document(endpoints: Sequence[Endpoint], *, root: str = "/") -> dict[str, Any]:
    """All endpoints that machines talk to, as an OpenAPI 3.1 document.

    Args:
        endpoints: The table; pages and their files are left out.
        root: Path under which they are mounted.
    """
    told = [endpoint for endpoint in endpoints if is_told(endpoint)]
    schemas, definitions = _schemas(told)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for endpoint in told:
        paths[f"/{endpoint.path}"][endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "AI add-ons", "version": version("ai-addons"), "description": _ABOUT},
        "servers": [{"url": root}],
        "paths": {path: _path_item(path, operations) for path, operations in paths.items()},
        "components": {"schemas": definitions},
    }


def operation(endpoint: Endpoint) -> dict[str, Any]:
    """One endpoint as in `document`, in one piece: no reference leads out of it, and the parts of its path are in it.

    For a framework that writes the host's own document.

    Args:
        endpoint: The endpoint.
    """
    schemas, definitions = _schemas([endpoint])
    made = _operation(endpoint, schemas)
    if parameters := [*_parts(endpoint.path), *made.get("parameters", ())]:
        made["parameters"] = parameters
    return cast("dict[str, Any]", _resolved(made, definitions))


def _resolved(schema: object, definitions: Mapping[str, Any]) -> object:
    if isinstance(schema, dict):
        known = cast("dict[str, object]", schema)
        reference = known.get("$ref")
        if isinstance(reference, str):
            return _resolved(definitions[reference.rpartition("/")[2]], definitions)
        return {name: _resolved(part, definitions) for name, part in known.items()}
    if isinstance(schema, list):
        return [_resolved(part, definitions) for part in cast("list[object]", schema)]
    return schema


def is_told(endpoint: Endpoint) -> bool:
    """Whether an endpoint is for machines."""
    return not endpoint.page and not endpoint.path.startswith(_UI)


def door_errors(endpoint: Endpoint) -> tuple[type[AddOnsError], ...]:
    """What an endpoint may answer before it is even asked, or whatever it does."""
    writes = endpoint.method == "POST"
    found: list[tuple[bool, tuple[type[AddOnsError], ...]]] = [
        (endpoint.action is not None, (Unauthenticated, Forbidden)),
        (endpoint.action is not None and writes, (CsrfFailed,)),
        ("{" in endpoint.path, (NotFound,)),
        (writes, (PayloadTooLarge,)),
        (endpoint.body is not None, (UnsupportedMediaType,)),
        (endpoint.body is not None or endpoint.query is not None or endpoint.keyed, (ValidationFailed,)),
        (endpoint.keyed, (IdempotencyConflict, LedgerConflict)),
        (endpoint.costly, (TooManyRequests,)),
        (True, (Unexpected, StoreUnavailable, NotAvailable)),
    ]
    return tuple(error for applies, errors in found if applies for error in errors)


def all_errors(endpoint: Endpoint) -> dict[int, list[type[AddOnsError]]]:
    """Every error of an endpoint by its status, each once."""
    by_status: dict[int, list[type[AddOnsError]]] = defaultdict(list)
    for error in dict.fromkeys((*door_errors(endpoint), *endpoint.errors)):
        by_status[error.http_status].append(error)
    return dict(sorted(by_status.items()))


def _schemas(endpoints: Iterable[Endpoint]) -> tuple[Schemas, dict[str, Any]]:
    """Every model with where its schema stands, and all schemas by name."""
    wanted: dict[tuple[type[BaseModel], Literal["validation", "serialization"]], None] = {(Problem, "validation"): None}
    for endpoint in endpoints:
        if endpoint.body is not None:
            wanted[endpoint.body, "validation"] = None
        if endpoint.answer is not None:
            wanted[endpoint.answer, "serialization"] = None
    found, definitions = models_json_schema(list(wanted), ref_template=_REFS)
    schemas: Schemas = {key: found[key] for key in wanted}
    return schemas, dict(definitions["$defs"])


def _path_item(path: str, operations: Mapping[str, Any]) -> dict[str, Any]:
    """A path's operations, with the named parts of the path."""
    parts = _parts(path)
    return {**({"parameters": parts} if parts else {}), **operations}


def _parts(path: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in _PARTS.findall(path)]


def _operation(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.path.split("/")[1].removesuffix(".json")],
        "responses": {
            str(endpoint.status): _success(endpoint, schemas),
            **{str(status): _failure(errors, schemas) for status, errors in all_errors(endpoint).items()},
        },
    }
    if parameters := [*_query(endpoint), *_headers(endpoint)]:
        made["parameters"] = parameters
    if (body := _request(endpoint, schemas)) is not None:
        made["requestBody"] = body
    if endpoint.action is not None:
        # Who may is the host's to say: its login and its `authorize`.
        made["x-action"] = endpoint.action
    return made


def _query(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    schema = endpoint.query.model_json_schema()
    required = schema.get("required", [])
    return [
        _parameter(name, "query", dict(about), required=name in required)
        for name, about in schema["properties"].items()
    ]


def _parameter(name: str, where: str, about: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    """A parameter; what may be left out is never null, which a query string cannot say."""
    kinds: list[dict[str, Any]] = [kind for kind in about.pop("anyOf", []) if kind.get("type") != "null"]
    if about.get("default", ...) is None:
        del about["default"]
    text = about.pop("description", "")
    schema: dict[str, Any] = {**about, **(kinds[0] if kinds else {})}
    made: dict[str, Any] = {"name": name, "in": where, "required": required, "schema": schema}
    return {**made, "description": text} if text else made


def _headers(endpoint: Endpoint) -> list[dict[str, Any]]:
    if not endpoint.keyed:
        return []
    about = {
        "type": "string",
        "minLength": 1,
        "maxLength": _LONGEST_NAME,
        "description": "Makes this one request: the same again gets the same answer, another is refused.",
    }
    return [_parameter(KEY.title(), "header", about)]


def _request(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any] | None:
    if endpoint.raw:
        return {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    if endpoint.body is None:
        return None
    needed = any(field.is_required() for field in endpoint.body.model_fields.values())
    schema = schemas[endpoint.body, "validation"]
    return {"required": needed, "content": {"application/json": {"schema": schema}}}


def _success(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    content = {
        kind: {"schema": schemas[endpoint.answer, "serialization"]}
        if endpoint.answer is not None and kind == "application/json"
        else {"schema": {"type": "object" if kind == "application/json" else "string"}}
        for kind in endpoint.kinds
    }
    return {"description": endpoint.summary, "content": content}


def _failure(errors: Sequence[type[AddOnsError]], schemas: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": "; ".join(title(error) for error in errors),
        "content": {
            PROBLEM: {
                "schema": schemas[Problem, "validation"],
                "examples": {error.code: {"value": described(_example(error))} for error in errors},
            }
        },
    }
    if TooManyRequests in errors:
        seconds = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
        made["headers"] = {"Retry-After": seconds}
    return made


def _example(error: type[AddOnsError]) -> AddOnsError:
    """An error as it might come."""
    made = _EXAMPLES.get(error)
    if made is not None:
        return made()
    if issubclass(error, ValidationFailed):
        return error([{"type": "missing", "loc": ["body", "pack_type"], "msg": "Field required"}])
    return error()


_EXAMPLES: Final[Mapping[type[AddOnsError], Callable[[], AddOnsError]]] = {
    MethodNotAllowed: lambda: MethodNotAllowed(["GET", "HEAD"]),
    TooManyRequests: lambda: TooManyRequests(30),
    InsufficientCreditsError: lambda: InsufficientCreditsError(
        required=Credits(3),
        available=Credits(1),
        offers=(Offer("STARTER", Money(30), Credits(30)), Offer("VALUE", Money(80), Credits(100), recommended=True)),
    ),
}
