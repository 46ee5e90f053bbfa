"""Errors that only the web knows; the adapters and the host's own hooks may raise them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.errors import AddOnsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class WebError(AddOnsError):
    """This request cannot be answered. Nothing was charged."""

    http_status = 400


class Unauthenticated(WebError):
    """Nobody is signed in. Nothing was charged. Sign in and try again."""

    http_status = 401


class Forbidden(WebError):
    """You may not do this. Nothing was charged. Ask whoever runs your account."""

    http_status = 403


class CsrfFailed(WebError):
    """This request does not come from one of our own pages. Nothing was charged. Load the page again."""

    http_status = 403


class MethodNotAllowed(WebError):
    """This address does not take that method. Nothing was charged.

    Attributes:
        allowed: The methods that it takes.
    """

    http_status = 405

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__()
        self.allowed = tuple(allowed)


class PayloadTooLarge(WebError):
    """This request is too large. Nothing was charged. Send less."""

    http_status = 413


class ValidationFailed(WebError):
    """This request is not made as it must be. Nothing was charged. Correct what is listed.

    Attributes:
        faults: Each with ``type``, ``loc`` and ``msg``; never the value that was sent.
    """

    http_status = 422

    def __init__(self, faults: Sequence[Mapping[str, object]]) -> None:
        super().__init__()
        self.faults = tuple(faults)
