"""Whoever asks pays for the AI calls made in the host's views, and is told what they cost."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async

from ai_addons import Credits, bill_to, receipts
from ai_addons.contrib.django.conf import host_settings
from ai_addons.contrib.django.hooks import payer_of
from ai_addons.errors import AddOnsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.http import HttpRequest, HttpResponse

    from ai_addons import Receipt
    from ai_addons.web import Principal

_SERVER_ERROR: Final = 500
CHARGED: Final = "AI-Credits-Charged"
AVAILABLE: Final = "AI-Credits-Available"


class CreditsMiddleware:
    """Sets the payer, for WSGI and ASGI hosts; put it below the middleware that knows the user.

    A response to a request that made AI calls says in `CHARGED` what they cost together, and in `AVAILABLE` what the
    business had left after the last of them, both in credits. What a streamed response calls comes too late for it.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:  # noqa: ANN401  # a response, or what becomes one
        """Answer a request."""
        if iscoroutinefunction(self):
            return self._answer(request)
        with ExitStack() as stack:
            log = _open(stack, payer(request))
            return told(self._get_response(request), log)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        found = await sync_to_async(payer, thread_sensitive=True)(request)
        with ExitStack() as stack:
            log = _open(stack, found)
            return told(await self._get_response(request), log)


def payer(request: HttpRequest) -> Principal | None:
    """Who pays; a refusal of the hook means nobody: whether the view may go on is for the view to say."""
    try:
        return payer_of(request)
    except AddOnsError as error:
        if error.http_status >= _SERVER_ERROR:
            raise
        return None


def _open(stack: ExitStack, found: Principal | None) -> list[Receipt]:
    if found is not None and found.business_id:
        stack.enter_context(bill_to(found.business_id, user=found.user_id))
    return stack.enter_context(receipts())


def told(response: Any, log: Sequence[Receipt]) -> Any:  # noqa: ANN401  # of any class of Django's
    """The response, with what its calls cost."""
    if log and host_settings().CREDIT_HEADERS:
        response[CHARGED] = sum((receipt.charged for receipt in log), Credits(0)).short
        response[AVAILABLE] = log[-1].balance.short
    return response
