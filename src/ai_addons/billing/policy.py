"""The port to a billing policy: pure rules, never a write.

A policy says what is sold and what is given. The store does every booking, so
a policy cannot break an invariant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ai_addons.catalog import Pack
    from ai_addons.money import Credits


class Policy(Protocol):
    """How credits are sold (`ai_addons.policies` entry points)."""

    @property
    def name(self) -> str:
        """Name in the settings."""
        ...

    @property
    def trial(self) -> Credits:
        """Credits given once to a new business; zero for no trial."""
        ...

    def packs(self) -> tuple[Pack, ...]:
        """What can be bought, cheapest first."""
        ...
