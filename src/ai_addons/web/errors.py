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

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        super().__init__()
        self.allowed: tuple[str, ...] = tuple(allowed)


class PayloadTooLarge(WebError):
    """This request is too large. Nothing was charged. Send less."""

    http_status = 413


class UnsupportedMediaType(WebError):
    """This address takes JSON only. Nothing was charged. Send it with `Content-Type: application/json`."""

    http_status = 415


class ValidationFailed(WebError):
    """This request is not made as it must be. Nothing was charged. Correct what is listed.

    Attributes:
        faults: Each with ``type``, ``loc`` and ``msg``; never the value that was sent.
    """

    code = "validation_error"
    http_status = 422

    def __init__(self, faults: Sequence[Mapping[str, object]] = ()) -> None:
        super().__init__()
        self.faults: tuple[Mapping[str, object], ...] = tuple(faults)


class PackNotOnSale(ValidationFailed):
    """This pack is not to be had. Nothing was charged. Look at the price list."""


class TrialNotOffered(WebError):
    """There are no trial credits here. Nothing was granted. Look at the price list."""

    http_status = 409


class TooManyRequests(WebError):
    """These are too many requests in a short time. Nothing was charged. Wait a little and try again.

    Attributes:
        retry_after: Whole seconds to wait.
    """

    http_status = 429
    retryable = True

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__()
        self.retry_after = retry_after


class Unexpected(WebError):
    """Something went wrong here, and the operator has been told. As far as is known nothing was charged.

    Look at your credits before you try again.
    """

    http_status = 500


class NotAvailable(WebError):
    """This is not to be had just now. Nothing was charged. The operator has been told; try again later."""

    http_status = 503
