"""The hooks that the settings name, and which ones can be told of events at all."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING

from ai_addons import plugins
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from ai_addons.events import EventHook


def make_hook(name: str) -> EventHook:
    """A hook that the settings name.

    Raises:
        UnknownPlugin: If there is none of that name.
        ConfigError: If it needs a package that is not installed.
    """
    try:
        hook: EventHook = plugins.load("hooks", name)()
    except ImportError as missing:
        msg = (
            f"The hook {name!r} needs {missing.name}, which is not installed. Nothing was charged. "
            "For a hook of the SDK's own run: pip install 'ai-addons[otel,prometheus]'"
        )
        raise ConfigError(msg) from missing
    return hook


def not_async(hook: EventHook) -> EventHook:
    """The hook itself.

    Raises:
        ConfigError: If it is async: nobody would await it, and it would never hear anything.
    """
    if iscoroutinefunction(hook) or iscoroutinefunction(type(hook).__call__):
        msg = (
            f"The hook {getattr(hook, '__name__', type(hook).__name__)!r} is async, and events are told without "
            "waiting. Nothing was charged. Make it a plain function that puts the event into a queue."
        )
        raise ConfigError(msg)
    return hook
