"""The SDK over HTTP, for any framework: one table of endpoints and one `Web.dispatch`.

The adapters under ``ai_addons.contrib`` translate a framework's request into a `WebRequest` and the
`WebResponse` back, and do nothing else, so that every framework answers with the same bytes.
"""

from __future__ import annotations

from ai_addons.web.base import Action, Principal, WebRequest, WebResponse
from ai_addons.web.dispatch import Web
from ai_addons.web.errors import (
    CsrfFailed,
    Forbidden,
    MethodNotAllowed,
    PayloadTooLarge,
    Unauthenticated,
    ValidationFailed,
    WebError,
)

__all__ = [
    "Action",
    "CsrfFailed",
    "Forbidden",
    "MethodNotAllowed",
    "PayloadTooLarge",
    "Principal",
    "Unauthenticated",
    "ValidationFailed",
    "Web",
    "WebError",
    "WebRequest",
    "WebResponse",
]
