"""The host's `AddOns` and `Web`, made from its Django settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_addons import AddOns, Settings
from ai_addons.contrib.django.borrowing import borrowed, url_of
from ai_addons.contrib.django.conf import SETTING, imported, loaded
from ai_addons.errors import ConfigError
from ai_addons.web import Web
from ai_addons.web.endpoints import ENDPOINTS

if TYPE_CHECKING:
    from ai_addons.contrib.django.conf import HostSettings
    from ai_addons.web.base import Endpoint


def make_addons(host: HostSettings) -> AddOns:
    """What the host's settings say.

    Raises:
        ConfigError: If they say it wrongly.
    """
    own = loaded("ADDONS", host.ADDONS)
    if own is not None:
        made: AddOns = own()
        return made
    lent = borrowed(host.DATABASE) if host.DATABASE is not None and host.CONNECTION == "borrowed" else None
    return AddOns(
        Settings(**_sections(host)),
        hooks=[hook for one in host.HOOKS if (hook := loaded("HOOKS", one)) is not None],
        profile=loaded("PROFILE", host.PROFILE),
        database=lent,
    )


def make_web(host: HostSettings, addons: AddOns) -> Web:
    """The endpoints with the host's say in who may do what.

    Raises:
        ConfigError: If the settings name no function.
    """
    more = host.ENDPOINTS
    further: tuple[Endpoint, ...] = imported("ENDPOINTS", more) if isinstance(more, str) else more
    return Web(
        addons,
        authorize=loaded("AUTHORIZE", host.AUTHORIZE),
        translate=loaded("TRANSLATE", host.TRANSLATE),
        endpoints=(*ENDPOINTS, *further),
    )


def _sections(host: HostSettings) -> dict[str, Any]:
    """The SDK's settings; where the books are is said once."""
    if host.DATABASE is None:
        if host.CONNECTION == "borrowed":
            msg = f"{SETTING} borrows a connection and names no DATABASE. Nothing was charged. Name its alias."
            raise ConfigError(msg)
        return host.SETTINGS
    if "store" in host.SETTINGS:
        msg = (
            f"{SETTING} says twice where the books are: in SETTINGS['store'] and as DATABASE (default 'default'). "
            "Nothing was charged. Leave one out; for the first set DATABASE to None."
        )
        raise ConfigError(msg)
    if host.CONNECTION == "borrowed":
        return host.SETTINGS
    return {**host.SETTINGS, "store": {"url": url_of(host.DATABASE)}}
