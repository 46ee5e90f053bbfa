"""Plug-ins by name, through entry points; the built-ins come in by the same door."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ai_addons.errors import UnknownPlugin

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def load(group: str, name: str) -> Any:  # noqa: ANN401  # each group has its own type, checked by its contract tests
    """Load what a plug-in registered, or what stands at a path.

    What is registered is read once for each `sys.path`: a package that is installed
    while the process runs is seen by the next one.

    Args:
        group: Port, e.g. ``policies`` for the group ``ai_addons.policies``.
        name: Name in the settings, or ``package.module:attribute`` for a host's own, which needs no entry point.

    Raises:
        UnknownPlugin: If no installed package registers that name, or nothing stands at that path.
    """
    if ":" in name:
        return _at(group, name)
    found = {entry.name: entry for entry in _registered(group)}
    if name not in found:
        known = sorted(found)
        close = get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Installed are: {', '.join(known) or 'none'}."
        msg = f"No plug-in {name!r} in ai_addons.{group}; nothing was charged. {hint}"
        raise UnknownPlugin(msg)
    return found[name].load()


def load_all(group: str) -> tuple[Any, ...]:
    """Load what every plug-in of a port registered."""
    return tuple(entry.load() for entry in _registered(group))


def _registered(group: str) -> tuple[EntryPoint, ...]:
    """What installed packages registered for a port."""
    return _installed(f"ai_addons.{group}", tuple(sys.path))


@lru_cache(maxsize=32)
def _installed(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:  # noqa: ARG001  # where Python looks
    """What every installed package registered: a file of each is read, which takes milliseconds."""
    return tuple(entry_points(group=group))


def _at(group: str, path: str) -> Any:  # noqa: ANN401  # as for `load`
    module, _, attribute = path.partition(":")
    try:
        return attrgetter(attribute)(import_module(module))
    # ValueError and TypeError are Python's answers to an empty and to a relative module name.
    except (ImportError, AttributeError, ValueError, TypeError) as reason:
        msg = (
            f"No plug-in for ai_addons.{group} at {path!r}; nothing was charged. Python says: {reason}. "
            "Write it as package.module:attribute, importable where the host runs."
        )
        raise UnknownPlugin(msg) from reason
