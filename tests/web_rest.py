"""The Django host of the tests with Django REST framework; imported only once Django is set up."""

from __future__ import annotations

from typing import Any, Final

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied

from ai_addons.contrib.drf import drf_principal
from ai_addons.web import CsrfFailed, Principal, Unauthenticated
from tests.web_hosts import WHO, who


class Somebody:
    """A user of the host."""

    is_authenticated = True

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.pk = principal.user_id


class ByHeader(BaseAuthentication):  # type: ignore[misc]  # the framework has no types
    """A login class of the host."""

    def authenticate(self, request: Any) -> tuple[Somebody, None] | None:
        try:
            found = who(request.headers.get(WHO))
        except Unauthenticated:
            raise AuthenticationFailed from None
        except CsrfFailed:
            raise PermissionDenied("CSRF Failed: CSRF token missing.") from None  # noqa: EM101, TRY003  # the framework's words
        return None if found is None else (Somebody(found), None)


PRINCIPAL: Final = drf_principal(lambda request: request.user.principal)
