"""What a request says, checked before anything is done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel, ValidationError

from ai_addons.billing.orders import OWN_KEYS
from ai_addons.billing.records import check_id
from ai_addons.web.errors import PayloadTooLarge, UnsupportedMediaType, ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.web.base import Endpoint, WebRequest

M = TypeVar("M", bound=BaseModel)

KEY: Final = "idempotency-key"
"""Header with which a client makes a request one that is carried out once."""

_NOTHING: Final = b"{}"
_UNKNOWN: Final = "extra_forbidden"


def check_body(endpoint: Endpoint, request: WebRequest, *, most: int, most_raw: int) -> None:
    """Refuse a body that is not even read.

    Args:
        endpoint: What it is for.
        request: As it came.
        most: Bytes of a body.
        most_raw: Bytes of one that the endpoint reads itself.

    Raises:
        PayloadTooLarge: If it is larger.
        UnsupportedMediaType: If it is said to be something else than JSON, or nothing is said. A form that a page
            elsewhere sends with somebody's cookies ends here too.
    """
    if len(request.body) > (most_raw if endpoint.raw else most):
        raise PayloadTooLarge
    if endpoint.body is not None and request.body and not _is_json(request.headers.get("content-type", "")):
        raise UnsupportedMediaType


def read_body(model: type[M], body: bytes) -> M:
    """A body as its model has it; no body is an empty one. The parser itself ends at 200 levels of nesting.

    Raises:
        ValidationFailed: If it does not fit.
    """
    try:
        return model.model_validate_json(body or _NOTHING)
    except ValidationError as error:
        raise ValidationFailed(_faults(error, "body")) from None


def read_query(model: type[M], query: Mapping[str, str]) -> M:
    """A query string as its model has it.

    Raises:
        ValidationFailed: If it does not fit.
    """
    try:
        return model.model_validate(dict(query))
    except ValidationError as error:
        raise ValidationFailed(_faults(error, "query")) from None


def read_key(headers: Mapping[str, str]) -> str | None:
    """The client's ``Idempotency-Key``, None without one.

    Raises:
        ValidationFailed: If it is no name, or one of the books' own.
    """
    key = headers.get(KEY)
    if key is None:
        return None
    if key.startswith(OWN_KEYS):
        wrong = fault("id", ("header", KEY), f"An idempotency key does not begin with {' or '.join(OWN_KEYS)}.")
        raise wrong
    try:
        check_id(key, "an idempotency key")
    except ValueError:
        wrong = fault("id", ("header", KEY), "An idempotency key is 1 to 255 characters of text.")
        raise wrong from None
    return key


def fault(kind: str, loc: tuple[str, ...], msg: str) -> ValidationFailed:
    """One thing that is wrong with a request.

    Args:
        kind: A stable word for it.
        loc: Where it is.
        msg: What it should be; never what it is.
    """
    return ValidationFailed([{"type": kind, "loc": list(loc), "msg": msg}])


def _is_json(content_type: str) -> bool:
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _faults(error: ValidationError, where: str) -> list[dict[str, object]]:
    """What is wrong and where; never the value, which may be personal, nor a name that only the client has."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        {
            "type": one["type"],
            "loc": [where, *(one["loc"][:-1] if one["type"] == _UNKNOWN else one["loc"])],
            "msg": one["msg"],
        }
        for one in found
    ]
