"""What the host says in ``AI_ADDONS`` of its Django settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final, Literal, TypeAlias

from django.conf import settings
from django.utils.module_loading import import_string
from pydantic import BaseModel, ConfigDict, ValidationError

from ai_addons.errors import ConfigError

SETTING: Final = "AI_ADDONS"

Hook: TypeAlias = str | Callable[..., Any]


class HostSettings(BaseModel):
    """The keys of ``AI_ADDONS``; a hook is a dotted path or the function itself."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    PRINCIPAL: Hook | None = None
    """``principal(request) -> Principal | None``: who is asking. None knows nobody: what needs somebody is refused."""
    AUTHORIZE: Hook | None = None
    """``authorize(principal, action) -> bool``. None refuses all that needs somebody."""
    TRANSLATE: Hook | None = None
    """``translate(sentence, request) -> str``: the shop owner's pages in another language. None for English."""
    PROFILE: Hook | None = None
    """``profile(business_id) -> BusinessProfile``."""
    HOOKS: tuple[Hook, ...] = ()
    """Receive every event."""
    SETTINGS: dict[str, Any] = {}
    """Settings of the SDK by keyword, as for ``ai_addons.Settings``; environment and files count below them."""
    DATABASE: str | None = "default"
    """Alias of the database with our tables. None: that of the SDK's own setting ``store.url``."""
    CONNECTION: Literal["own", "borrowed"] = "own"
    """Whether the books have connections of their own to it, or work on Django's (see `borrowed`)."""
    ADDONS: Hook | None = None
    """``addons() -> AddOns``, for a host that makes it itself; PROFILE to CONNECTION are not read then."""
    ENDPOINTS: tuple[Any, ...] | str = ()
    """Endpoints of the host's own, or the dotted path of a tuple of them."""
    CREDIT_HEADERS: bool = True
    """Whether the middleware tells in headers what a request's AI calls cost."""


def host_settings() -> HostSettings:
    """The host's ``AI_ADDONS`` as it is now; nothing for a host that says nothing.

    Raises:
        ConfigError: For an unknown key or a value of another type.
    """
    try:
        return HostSettings.model_validate(getattr(settings, SETTING, {}))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        msg = f"{SETTING} in the Django settings is not valid ({wrong}). Nothing was charged. Correct it."
        raise ConfigError(msg) from None


def loaded(name: str, hook: Hook | None) -> Callable[..., Any] | None:
    """A hook of the host.

    Args:
        name: Its key, for the message.
        hook: As it stands in ``AI_ADDONS``.

    Raises:
        ConfigError: If nothing stands at its path, or it cannot be called.
    """
    if hook is None:
        return None
    found = imported(name, hook) if isinstance(hook, str) else hook
    if not callable(found):
        msg = f"{SETTING}[{name!r}] must be a function or its dotted path. Nothing was charged."
        raise ConfigError(msg)
    checked: Callable[..., Any] = found
    return checked


def imported(name: str, path: str) -> Any:  # noqa: ANN401  # whatever stands there
    """What stands at a dotted path of the host.

    Args:
        name: Its key, for the message.
        path: As it stands in ``AI_ADDONS``.

    Raises:
        ConfigError: If nothing stands there.
    """
    try:
        return import_string(path)
    except ImportError as error:
        msg = f"{SETTING}[{name!r}] names {path!r}, which cannot be imported ({error}). Nothing was charged."
        raise ConfigError(msg) from error
