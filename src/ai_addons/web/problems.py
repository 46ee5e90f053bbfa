"""Errors as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ai_addons.errors import AddOnsError, InsufficientCreditsError
from ai_addons.web.base import WebResponse
from ai_addons.web.errors import MethodNotAllowed, ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM: Final = "application/problem+json"
NO_STORE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Headers of every answer that is not a file."""
PRICING: Final = "ai/pricing/"
"""Where packs are listed, below the mount."""


def problem(error: AddOnsError, *, root: str = "/") -> WebResponse:
    """The answer that tells a client of an error.

    Args:
        error: What went wrong. Its message is shown, so it holds nothing of a provider and nothing personal.
        root: Path under which the endpoints are mounted, for links.
    """
    body: dict[str, object] = {
        "type": f"urn:ai-addons:problem:{error.code}",
        "title": title(type(error)),
        "status": error.http_status,
        "code": error.code,
        "detail": str(error),
        **_more(error, root),
    }
    headers = {**NO_STORE, **_headers(error)}
    return WebResponse(status=error.http_status, body=json.dumps(body).encode(), content_type=PROBLEM, headers=headers)


def title(cls: type[AddOnsError]) -> str:
    """The fixed name of an error for people: its words, the first with a capital."""
    return cls.code.replace("_", " ").capitalize()


def _more(error: AddOnsError, root: str) -> Mapping[str, object]:
    if isinstance(error, ValidationFailed):
        return {"errors": list(error.faults)}
    if isinstance(error, InsufficientCreditsError):
        return {
            "required": error.required.short,
            "available": error.available.short,
            "shortfall": error.shortfall.short,
            "packs_url": f"{root}{PRICING}",
        }
    return {}


def _headers(error: AddOnsError) -> Mapping[str, str]:
    return {"allow": ", ".join(error.allowed)} if isinstance(error, MethodNotAllowed) else {}
