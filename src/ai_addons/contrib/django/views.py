"""The endpoints as a Django view."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import connections, transaction
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from ai_addons.contrib._bridge import answer, check_length, encoded, query_of, refusal, under
from ai_addons.contrib.django.apps import app
from ai_addons.contrib.django.hooks import principal_of
from ai_addons.contrib.wsgi import sent_headers
from ai_addons.errors import AddOnsError
from ai_addons.web import PayloadTooLarge, WebRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from ai_addons.web import Principal, Web, WebResponse


def make_view(
    web: Callable[[], Web] = lambda: app().web,
    principal: Callable[[HttpRequest], Principal | None] = principal_of,
) -> Callable[..., HttpResponse]:
    """The view of every path below ``ai/``.

    It is exempt from Django's check against forged requests, which the principal hook makes for those it knows by a
    cookie, and from ``ATOMIC_REQUESTS``: a transaction of the request would keep a wallet locked for all of it.

    Args:
        web: The endpoints, asked for at each request.
        principal: Who is asking.
    """

    def view(request: HttpRequest, path: str) -> HttpResponse:
        return sent(respond(web(), request, path, partial(principal, request)))

    made: Any = csrf_exempt(view)
    for alias in connections:
        made = transaction.non_atomic_requests(using=alias)(made)
    exempt: Callable[..., HttpResponse] = made
    return exempt


def respond(web: Web, request: HttpRequest, path: str, principal: Callable[[], Principal | None]) -> WebResponse:
    """The answer of an endpoint.

    Args:
        web: The endpoints.
        request: Django's.
        path: Below the mount, decoded.
        principal: Who is asking.
    """
    here = request_of(request, path)
    try:
        # Before anything touches `request.POST`: after it there may be no body to read.
        here = replace(here, body=_body(request))
    except AddOnsError as error:
        return refusal(web, here, error)
    return answer(web, here, principal, partial(get_token, request))


def request_of(request: HttpRequest, path: str) -> WebRequest:
    """A request in our terms, without its body; nobody is known yet."""
    below = encoded(path)
    return WebRequest(
        method=str(request.method),
        path=below,
        query=query_of(request.META.get("QUERY_STRING", "")),
        headers=sent_headers(request.META),
        root=under(encoded(request.path).removesuffix(below)),
        origin=_origin(request),
    )


def _origin(request: HttpRequest) -> str | None:
    try:
        # Held against ALLOWED_HOSTS.
        return f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return None


def root_of() -> str:
    """Where the host's addresses have our endpoints; links begin with it.

    Raises:
        NoReverseMatch: If the host does not include them.
    """
    return str(reverse("ai_addons:credits")).removesuffix("ai/credits/")


def sent(response: WebResponse) -> HttpResponse:
    """An answer in Django's terms."""
    return HttpResponse(
        response.body, status=response.status, content_type=response.content_type, headers=dict(response.headers)
    )


def _body(request: HttpRequest) -> bytes:
    check_length(request.META.get("CONTENT_LENGTH"))
    try:
        return bytes(request.body)
    except RequestDataTooBig:
        # The host's own limit is lower.
        raise PayloadTooLarge from None
