"""Which `AddOns` calls use: that of the innermost block, else the installed one, else one from the environment."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from ai_addons.addons.whole import AddOns, open_blocks

if TYPE_CHECKING:
    from collections.abc import Callable


class _Installed:
    """The object that calls use where no block names another."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._addons: AddOns | Callable[[], AddOns] | None = None

    def put(self, addons: AddOns | Callable[[], AddOns] | None) -> AddOns | Callable[[], AddOns] | None:
        with self._lock:
            before, self._addons = self._addons, addons
            return before

    def get(self) -> AddOns:
        with self._lock:
            found = AddOns.from_env if self._addons is None else self._addons
            made = found if isinstance(found, AddOns) else found()
            self._addons = made
            return made


_installed: Final = _Installed()


def install(addons: AddOns | Callable[[], AddOns] | None) -> AddOns | Callable[[], AddOns] | None:
    """Make this the one that all calls of the process use; None forgets it.

    Args:
        addons: The object, or what makes it at the first call.

    Returns:
        The one used before, so that a test can put it back.
    """
    return _installed.put(addons)


def current() -> AddOns:
    """The object in use: the innermost ``with addons:``, else the installed one, else one from the environment."""
    blocks = open_blocks.get()
    return blocks[-1] if blocks else _installed.get()
