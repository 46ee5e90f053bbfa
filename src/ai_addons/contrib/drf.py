"""Who is asking by the login classes of a Django REST framework host, and our rules in its own views."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rest_framework.exceptions import APIException
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.settings import api_settings

from ai_addons.contrib._bridge import problem_of
from ai_addons.contrib.django.apps import app
from ai_addons.contrib.django.conf import host_settings, loaded
from ai_addons.contrib.django.hooks import BusinessHook, as_principal, payer_of
from ai_addons.contrib.django.views import request_of, root_of, sent
from ai_addons.errors import AddOnsError
from ai_addons.web import CsrfFailed, Forbidden, Principal, Unauthenticated, WebError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from ai_addons.web import Action

    # The framework ships no types; this is what type checkers see of its classes.

    class BasePermission:
        """A rule of who may."""

    class BaseParser:
        """What reads a body."""

else:
    from rest_framework.parsers import BaseParser
    from rest_framework.permissions import BasePermission

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_SERVER_ERROR: Final = 500


class _Unread(BaseParser):
    """For bodies that are no form: the check against forged requests looks for its field, and nobody for anything."""

    media_type = "*/*"

    def parse(self, _stream: object, _media_type: object = None, _context: object = None) -> dict[str, str]:
        return {}


@dataclass(frozen=True, slots=True)
class DrfPrincipal:
    """A principal hook; see `drf_principal`."""

    get_business: BusinessHook

    def __call__(self, request: HttpRequest) -> Principal | None:
        """Who is asking.

        Raises:
            WebError: If one of the host's classes refuses the request, with its status.
        """
        return self._known(copy(request))

    def identify(self, request: HttpRequest) -> Principal | None:
        """Who is known, for views that the host protects itself.

        Raises:
            WebError: If one of the host's classes refuses the request.
        """
        copied: Any = copy(request)
        # As Django's own test client says it; the view, or Django's middleware, makes the check.
        copied._dont_enforce_csrf_checks = True  # noqa: SLF001  # its only name
        return self._known(copied)

    def _known(self, request: Any) -> Principal | None:  # noqa: ANN401  # Django's
        """By a copy of the request: the framework writes whom it found, or nobody, into the one that it is given."""
        classes = api_settings.DEFAULT_AUTHENTICATION_CLASSES
        parsers = (FormParser(), MultiPartParser(), _Unread())
        wrapped: Any = Request(request, parsers=parsers, authenticators=[made() for made in classes])
        try:
            user = wrapped.user
        except APIException as error:
            raise _as_ours(error) from None
        return as_principal(self.get_business(request), user) if user is not None and user.is_authenticated else None


def drf_principal(get_business: BusinessHook) -> DrfPrincipal:
    """A principal hook for hosts that sign people in by the framework's own classes.

    The host's ``DEFAULT_AUTHENTICATION_CLASSES`` decide: a token, a JWT, or the session with its check against
    forged requests.

    Args:
        get_business: The business that ``request.user`` acts for: its id, or a `Principal` with roles; None for none.
    """
    return DrfPrincipal(get_business)


class MayReadCredits(BasePermission):
    """For views of the host's own: whoever may see the business's credits. Others are subclasses of two lines."""

    action: Action = "credits:read"
    """What is asked of the host's ``AUTHORIZE``."""

    def has_permission(self, request: Any, _view: object) -> bool:  # noqa: ANN401  # the framework's request
        """Whether whoever asks may do it."""
        found, allowed = payer_of(request._request), loaded("AUTHORIZE", host_settings().AUTHORIZE)  # noqa: SLF001  # documented so by the framework
        return found is not None and allowed is not None and allowed(found, self.action) is True


class MayBuyCredits(MayReadCredits):
    """Whoever may spend the business's money on credits."""

    action: Action = "credits:purchase"


class MaySeeUsage(MayReadCredits):
    """Whoever may see what was used."""

    action: Action = "usage:read"


class MayManageAddon(MayReadCredits):
    """Whoever may take and end the monthly add-on."""

    action: Action = "addon:manage"


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """For ``EXCEPTION_HANDLER``: errors of ours in the host's views are answered as by our endpoints."""
    if not isinstance(error, AddOnsError):
        # Loads the host's login classes, whose module may well import this one.
        from rest_framework.views import exception_handler as usual_handler  # noqa: PLC0415  # as just said

        usual: HttpResponse | None = usual_handler(error, context)
        return usual
    request: HttpRequest = context["request"]._request  # noqa: SLF001  # as above
    return sent(problem_of(app().web, request_of(request, ""), error, root_of()))


def _as_ours(error: APIException) -> AddOnsError:
    """An error of the host's classes as one of ours; its text may hold anything and is left out."""
    if error.status_code == _UNAUTHORIZED:
        return Unauthenticated()
    if error.status_code == _FORBIDDEN:
        # That is what the framework's own session class says.
        return CsrfFailed() if str(error.detail).startswith("CSRF Failed") else Forbidden()
    if error.status_code >= _SERVER_ERROR:
        raise error
    return WebError()
