"""Who is asking, by Django's own login; and how a hook of the host is called."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeAlias

from asgiref.sync import async_to_sync

from ai_addons.contrib._bridge import nobody
from ai_addons.contrib.django.conf import host_settings, loaded
from ai_addons.web import CsrfFailed, Principal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest

    from ai_addons.contrib.django._typed import CsrfViewMiddleware
else:
    from django.middleware.csrf import CsrfViewMiddleware

BusinessHook: TypeAlias = "Callable[[HttpRequest], Principal | str | None]"
"""The business that the signed-in user acts for: its id, or a `Principal` where there is more to say."""


@dataclass(frozen=True, slots=True)
class SessionPrincipal:
    """A principal hook; see `session_principal`."""

    get_business: BusinessHook

    def __call__(self, request: HttpRequest) -> Principal | None:
        """Who is asking.

        Raises:
            CsrfFailed: If a page of somebody else may have made the browser send this.
        """
        found = self.identify(request)
        if found is not None:
            check_csrf(request)
        return found

    def identify(self, request: HttpRequest) -> Principal | None:
        """Who is signed in, for views that the host protects itself."""
        user: Any = request.user
        return as_principal(self.get_business(request), user) if user.is_authenticated else None


def session_principal(get_business: BusinessHook) -> SessionPrincipal:
    """A principal hook for hosts whose login is Django's session.

    Our views are exempt from Django's middleware against forged requests, because it would refuse clients with a
    token too. So this hook runs the same check by hand, for whoever is known by a cookie.

    Args:
        get_business: The business that ``request.user`` acts for: its id, or a `Principal` with roles; None for none.
    """
    return SessionPrincipal(get_business)


def as_principal(business: Principal | str | None, user: Any) -> Principal | None:  # noqa: ANN401  # of the host's model
    """What a host's hook said of a signed-in user."""
    if business is None or isinstance(business, Principal):
        return business
    return Principal(business_id=str(business), user_id=str(user.pk))


def check_csrf(request: HttpRequest) -> None:
    """Django's own check against forged requests.

    Raises:
        CsrfFailed: If it fails.
    """
    check: Any = _Csrf(nobody)
    check.process_request(request)
    if check.process_view(request, None, (), {}) is not None:
        raise CsrfFailed


class _Csrf(CsrfViewMiddleware):
    """The middleware, giving the reason in place of a page."""

    def _reject(self, _request: HttpRequest, reason: str) -> str:
        return reason


def principal_of(request: HttpRequest) -> Principal | None:
    """Who the host says is asking; nobody where it has no hook."""
    hook = loaded("PRINCIPAL", host_settings().PRINCIPAL)
    return None if hook is None else _called(hook, request)


def payer_of(request: HttpRequest) -> Principal | None:
    """The same for views of the host's own: those it protects itself."""
    hook = loaded("PRINCIPAL", host_settings().PRINCIPAL)
    return None if hook is None else _called(getattr(hook, "identify", hook), request)


def _called(hook: Callable[..., Any], request: HttpRequest) -> Principal | None:
    """What a hook says, be it async or not; one that is runs on the host's event loop, if there is one."""
    said: Any = hook(request)
    found: Principal | None = async_to_sync(_wait)(said) if isawaitable(said) else said
    return found


async def _wait(said: Awaitable[Principal | None]) -> Principal | None:
    return await said
