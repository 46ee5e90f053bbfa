"""The provider budget: what all models together may cost in a day and in a month. Pure.

A call that is about to be made counts with the most it can cost, its bound. When
it ends, what it did cost takes the bound's place; where nobody knows, the bound
stays, because a provider may bill it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.billing.months import day_start, month_start
from ai_addons.money import usd

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from ai_addons.billing.limits import Window
    from ai_addons.money import PicoUsd

Standing: TypeAlias = Literal["ok", "warn", "spent"]
"""What one more call does to a window: nothing, reach the warning level unknown to anybody, or maybe go over it."""

_AT_ONCE: Final = 250
"""More calls than this are never decided at the same moment: no database server is given so many connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent on models in each window.

    Attributes:
        window: How long it counts.
        amount: Pico-USD; zero stops all paid calls.
    """

    window: Window
    amount: PicoUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a window counts so far.

    Attributes:
        held: Bounds of calls in progress, pico-USD.
        used: What ended calls cost, pico-USD.
        warned: The budget that a warning was told of, pico-USD; -1 for none.
        stopped: The budget that was told to be spent, pico-USD; -1 for none.
    """

    held: int = 0
    used: int = 0
    warned: int = -1
    stopped: int = -1

    @property
    def total(self) -> int:
        """Pico-USD that are spent or may be."""
        return self.held + self.used


@dataclass(frozen=True, slots=True)
class Windows:
    """The day and the month that an instant lies in.

    Attributes:
        day: Start of the day, UTC microseconds.
        month: Start of the month, UTC microseconds.
    """

    day: int
    month: int

    @classmethod
    def at(cls, at: int, tz: str) -> Windows:
        """Those of an instant.

        Args:
            at: UTC microseconds.
            tz: IANA name of the operator's zone.

        Raises:
            ConfigError: For a zone that is not known.
        """
        return cls(day_start(at, tz), month_start(at, tz))

    def start(self, window: Window) -> int:
        """Start of one of them, UTC microseconds."""
        return self.day if window == "day" else self.month


def standing(budget: Budget, spent: Spent, bound: int, warn_at: Decimal) -> Standing:
    """How a window stands if a call is let through that may cost this much.

    Args:
        budget: What may be spent in it.
        spent: What it counts so far.
        bound: The most the call can cost, pico-USD.
        warn_at: Share of the budget that is worth a warning, above 0 to 1.
    """
    after = spent.total + bound
    if after > budget.amount:
        return "spent"
    # Whole numbers on both sides, so that no decimal context of the host rounds the level.
    share, whole = warn_at.as_integer_ratio()
    return "warn" if spent.warned != budget.amount and after * whole >= budget.amount * share else "ok"


def is_far(budget: Budget, spent: Spent, bound: int, warn_at: Decimal) -> bool:
    """Whether it does not matter what other calls are let through at the same moment."""
    return standing(budget, spent, (1 + _AT_ONCE) * bound, warn_at) == "ok"


def facts(budget: Budget, warn_at: Decimal) -> Mapping[str, str]:
    """What is told of a budget that is nearly or wholly spent."""
    return {"window": budget.window, "budget_usd": f"{usd(budget.amount):f}", "warn_at": str(warn_at)}
