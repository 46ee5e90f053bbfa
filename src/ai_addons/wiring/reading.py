"""What the settings say, in the words of the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing.budget import Budget
from ai_addons.billing.given import pico_usd
from ai_addons.billing.limits import SCOPES, WINDOWS, Limit
from ai_addons.billing.spending import Purse
from ai_addons.llm.breaker import Rules

if TYPE_CHECKING:
    from datetime import timedelta

    from ai_addons.billing.limits import Window
    from ai_addons.money import PicoUsd
    from ai_addons.settings import BreakerSettings, LimitSettings, Settings


def micros(duration: timedelta) -> int:
    """A duration in whole microseconds."""
    return round(duration.total_seconds() * 1_000_000)


def circuit_rules(settings: BreakerSettings) -> Rules | None:
    """When circuits open; None if they never do."""
    if not settings.failures:
        return None
    return Rules(
        failures=settings.failures,
        window=settings.window.total_seconds(),
        pause=settings.pause.total_seconds(),
        longest=settings.longest.total_seconds(),
    )


def purse_of(settings: Settings) -> Purse:
    """The provider budget of the settings."""
    budget = settings.budget
    sums: dict[Window, PicoUsd | None] = {"day": pico_usd(budget.usd_day), "month": pico_usd(budget.usd_month)}
    return Purse(
        budgets=tuple(Budget(window=window, amount=amount) for window, amount in sums.items() if amount is not None),
        warn_at=budget.warn_at,
        tz=settings.limits.operator_tz,
    )


def limits_of(settings: LimitSettings) -> tuple[Limit, ...]:
    """The limits of the settings."""
    return tuple(
        Limit(scope=scope, window=window, amount=amount)
        for scope in SCOPES
        for window in WINDOWS
        if (amount := getattr(settings, f"{scope}_{window}")) is not None
    )
