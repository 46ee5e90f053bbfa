"""What the models will have cost by the end of the month. Pure.

The method is simple on purpose: what is booked so far, plus the mean of the last 28
whole days for every day that is left, today included. The interval draws the days that
are left out of those 28 again and again, so it knows how days differ, but nothing of
growth, week-ends or holidays.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ai_addons.money import MicroGhs, PicoUsd, ghs, usd

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from random import Random

LOOK_BACK: Final = 28
"""Whole days that the rest of the month is reckoned from."""

LEAST_DAYS: Final = 7
"""Fewer days than this with a call give no interval."""

METHOD: Final = (
    "Booked so far, plus the mean of the last 28 whole days (or of those since the first call) for each day that is "
    "left, today included; 95 % of 2,000 months drawn from those days lie in the interval. Growth and week-ends are "
    "not in it."
)

_DRAWN: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCost:
    """What one day cost.

    Attributes:
        cost: Pico-USD.
        cost_ghs: Micro-GHS, at the booked rates.
        unpriced: Calls whose cost is unknown.
    """

    cost: PicoUsd
    cost_ghs: MicroGhs
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendForecast:
    """What the models will cost this month. For operators only.

    Attributes:
        month: The month, ISO, e.g. ``2026-11``.
        days_left: Days that are forecast, today included.
        spent: Booked so far, pico-USD.
        spent_ghs: The same in micro-GHS, at the booked rates.
        expected: At the end of the month, pico-USD.
        interval: Between these two with 95 %, by the method; None with too few days to tell.
        unpriced: Calls of this month whose cost is unknown: all of it is too low then.
        from_days: Of how many days it is reckoned.
        method: How.
    """

    month: str
    days_left: int
    spent: PicoUsd
    spent_ghs: MicroGhs
    expected: PicoUsd
    interval: tuple[PicoUsd, PicoUsd] | None
    unpriced: int
    from_days: int
    method: str = METHOD

    def for_operator(self) -> dict[str, Any]:
        """All of it as plain data for JSON; amounts are decimal strings."""
        return {
            "month": self.month,
            "days_left": self.days_left,
            "spent_usd": f"{usd(self.spent):f}",
            "spent_ghs": str(ghs(self.spent_ghs)),
            "expected_usd": f"{usd(self.expected):f}",
            "interval_usd": None if self.interval is None else [f"{usd(bound):f}" for bound in self.interval],
            "unpriced": self.unpriced,
            "from_days": self.from_days,
            "method": self.method,
        }


def forecast_spend(by_day: Mapping[date, DayCost], today: date, rng: Random) -> SpendForecast:
    """What this month will have cost.

    Args:
        by_day: What days cost; days without a call may be missing.
        today: In the operator's zone; not over yet, so it is forecast too.
        rng: Draws the months; the same seed gives the same interval.
    """
    month = [cost for day, cost in by_day.items() if (day.year, day.month) == (today.year, today.month)]
    whole = sum(cost.cost for day, cost in by_day.items() if today.replace(day=1) <= day < today)
    spent = sum(cost.cost for cost in month)
    past = _past(by_day, today)
    left = monthrange(today.year, today.month)[1] - today.day + 1
    expected = max(spent, whole + left * sum(past) // len(past)) if past else spent
    return SpendForecast(
        month=f"{today:%Y-%m}",
        days_left=left,
        spent=PicoUsd(spent),
        spent_ghs=MicroGhs(sum(cost.cost_ghs for cost in month)),
        expected=PicoUsd(expected),
        interval=_interval(past, left, whole, spent, rng) if len(past) >= LEAST_DAYS else None,
        unpriced=sum(cost.unpriced for cost in month),
        from_days=len(past),
    )


def _past(by_day: Mapping[date, DayCost], today: date) -> list[int]:
    """What the last whole days cost, from the first call on: a shop that began last week had no quiet month before."""
    first = min((day for day in by_day if day < today), default=today)
    many = min(LOOK_BACK, (today - first).days)
    costs = {today.toordinal() - day.toordinal(): cost.cost for day, cost in by_day.items()}
    return [costs.get(age, 0) for age in range(1, many + 1)]


def _interval(past: list[int], left: int, whole: int, spent: int, rng: Random) -> tuple[PicoUsd, PicoUsd]:
    drawn = sorted(whole + sum(rng.choices(past, k=left)) for _ in range(_DRAWN))
    low, high = drawn[_DRAWN * 25 // 1_000], drawn[-1 - _DRAWN * 25 // 1_000]
    # What is spent cannot be unspent.
    return PicoUsd(max(low, spent)), PicoUsd(max(high, spent))
