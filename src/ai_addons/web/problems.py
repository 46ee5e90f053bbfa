"""Errors as ``application/problem+json`` (RFC 9457), or as the first plan had them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from ai_addons.errors import AddOnsError, CallError, GatewayError, InsufficientCreditsError, StoreUnavailable
from ai_addons.web.base import WebResponse
from ai_addons.web.compat import as_numbers
from ai_addons.web.errors import MethodNotAllowed, PackNotOnSale, TooManyRequests, ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ai_addons.catalog import Offer

PROBLEM: Final = "application/problem+json"
NO_STORE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Headers of every answer that is not a file."""
PRICING: Final = "ai/pricing/"
"""Where packs are listed, below the mount."""

_BAD_PACK: Final = 400
# What these say may quote a provider, a gateway or a database.
_QUOTING: Final = (CallError, GatewayError, StoreUnavailable)


def problem(error: AddOnsError, *, root: str = "/", compat: bool = False) -> WebResponse:
    """The answer that tells a client of an error.

    Args:
        error: What went wrong.
        root: Path under which the endpoints are mounted, for links.
        compat: Whether to answer as the first plan had it: ``{"error": …}``, numbers, and 400 for a bad pack.
    """
    headers = {**NO_STORE, **_headers(error)}
    if compat:
        status = _BAD_PACK if isinstance(error, PackNotOnSale) else error.http_status
        plain = {"error": detail(error), "code": error.code, **_more(error, root)}
        return WebResponse(status=status, body=json.dumps(as_numbers(plain)).encode(), headers=headers)
    body = described(error, root)
    return WebResponse(status=error.http_status, body=json.dumps(body).encode(), content_type=PROBLEM, headers=headers)


def described(error: AddOnsError, root: str = "/") -> dict[str, object]:
    """What a problem says of an error."""
    return {
        "type": f"urn:ai-addons:problem:{error.code}",
        "title": title(type(error)),
        "status": error.http_status,
        "code": error.code,
        "detail": detail(error),
        **{name: _text(value) for name, value in _more(error, root).items()},
    }


def title(cls: type[AddOnsError]) -> str:
    """The fixed name of an error for people: its words, the first with a capital."""
    return cls.code.replace("_", " ").capitalize()


def detail(error: AddOnsError) -> str:
    """What a client is told: the error's own words, but never those of a provider, a gateway or a database."""
    return str(type(error)()) if isinstance(error, _QUOTING) else str(error)


def _more(error: AddOnsError, root: str) -> Mapping[str, object]:
    if isinstance(error, ValidationFailed):
        return {"errors": list(error.faults)}
    if isinstance(error, InsufficientCreditsError):
        return {
            "required": error.required,
            "available": error.available,
            "shortfall": error.shortfall,
            "offers": [
                {"type": offer.type, "price": offer.price.decimal, "credits": offer.credits} for offer in error.offers
            ],
            "recommended": _recommended(error.offers),
            "packs_url": f"{root}{PRICING}",
        }
    return {}


def _recommended(offers: Sequence[Offer]) -> str | None:
    """The pack to point to: the recommended one if it is enough, else the cheapest that is."""
    chosen = next((offer for offer in offers if offer.recommended), offers[0] if offers else None)
    return None if chosen is None else chosen.type


def _text(value: object) -> object:
    """JSON of a value: amounts as decimal text."""
    if isinstance(value, list):
        return [_text(one) for one in cast("list[object]", value)]
    if isinstance(value, dict):
        return {name: _text(one) for name, one in cast("dict[str, object]", value).items()}
    return value if value is None or isinstance(value, (str, int)) else str(value)


def _headers(error: AddOnsError) -> Mapping[str, str]:
    if isinstance(error, MethodNotAllowed):
        return {"allow": ", ".join(error.allowed)}
    return {"retry-after": str(error.retry_after)} if isinstance(error, TooManyRequests) else {}
