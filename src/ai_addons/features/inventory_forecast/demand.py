"""From sales to demand: weeks, days out of stock, the first sale, one-offs, and the class of an item.

A day without stock says nothing about demand, so it is missing, never zero. Numbers
are floats here: they are statistics, not money.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.features.inventory_forecast.quantiles import linear_quantile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

DemandClass: TypeAlias = Literal["smooth", "erratic", "intermittent", "lumpy", "too_short"]
"""How regular demand is; `classify` has the rule."""

WEEK: Final = 7
ONE_OFF_LEVEL: Final = 0.999
_MOST_MISSING: Final = 4
_ADI_CUT: Final = 1.32
_CV2_CUT: Final = 0.49
_FEWEST_PERIODS: Final = 12
_FEWEST_SALES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Demand of one item since its first sale, oldest first.

    Attributes:
        weeks: Units of each week; None for a week that was mostly out of stock.
        days: Units of each day of these weeks; None out of stock; empty where only weeks are known.
        observed: The weeks that say something.
    """

    weeks: tuple[float | None, ...]
    days: tuple[float | None, ...] = ()
    observed: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Pick the known weeks once: every method and test asks for them."""
        object.__setattr__(self, "observed", tuple([units for units in self.weeks if units is not None]))

    def without_last(self, weeks: int) -> History:
        """The same history as it was known so many weeks ago."""
        end = max(len(self.weeks) - weeks, 0)
        return History(weeks=self.weeks[:end], days=self.days[: end * WEEK])


def weekly_history(units: Sequence[float], days_out: Sequence[int]) -> History:
    """A history from weekly sales.

    A week with 1 to 4 days out of stock is scaled by 7 / (7 - days); with more it is
    missing. Weeks before the first sale are dropped.

    Args:
        units: Sold in each week, oldest first.
        days_out: Days without stock in each week, as many.
    """
    weeks = tuple(_scaled(sold, out) for sold, out in zip(units, days_out, strict=True))
    return History(weeks=weeks[_first_sale(units) :])


def daily_history(units: Sequence[float], days_out: Sequence[int]) -> History:
    """A history from daily sales; weeks end on the last day, and days before the first whole week are dropped.

    Args:
        units: Sold on each day, oldest first.
        days_out: 1 for a day without stock, else 0; as many.
    """
    odd = len(units) % WEEK
    days = tuple(None if out else sold for sold, out in zip(units[odd:], days_out[odd:], strict=True))
    weeks = tuple(_week(days[at : at + WEEK]) for at in range(0, len(days), WEEK))
    first = _first_sale([sum(units[at : at + WEEK]) for at in range(odd, len(units), WEEK)])
    return History(weeks=weeks[first:], days=days[first * WEEK :])


def _week(days: Sequence[float | None]) -> float | None:
    known = [units for units in days if units is not None]
    return _scaled(sum(known), WEEK - len(known))


def _scaled(units: float, days_out: int) -> float | None:
    return None if days_out > _MOST_MISSING else units * WEEK / (WEEK - days_out)


def _first_sale(units: Sequence[float]) -> int:
    """Its place; 0 where nothing was sold: then all of it is a history of no sale."""
    return next((place for place, sold in enumerate(units) if sold > 0), 0)


def classify(observed: Sequence[float]) -> DemandClass:
    """The class of a demand by its gaps and its sizes.

    ADI is periods over periods with a sale, CV2 the squared coefficient of variation of
    the sizes sold (with the variance of a whole population). Syntetos, Boylan and
    Croston, "On the categorization of demand patterns" (2005), with their cuts 1.32 and
    0.49. Fewer than 12 periods or 3 sales are too short to tell.
    """
    sizes = [units for units in observed if units > 0]
    if len(observed) < _FEWEST_PERIODS or len(sizes) < _FEWEST_SALES:
        return "too_short"
    mean = sum(sizes) / len(sizes)
    steady = sum((units - mean) ** 2 for units in sizes) / len(sizes) / mean**2 < _CV2_CUT
    if len(observed) / len(sizes) < _ADI_CUT:
        return "smooth" if steady else "erratic"
    return "intermittent" if steady else "lumpy"


def squared_step(weeks: Sequence[float | None]) -> float | None:
    """The mean squared change from one week to the next, where both are known; None without any change."""
    steps = [(after - before) ** 2 for before, after in pairwise(weeks) if before is not None and after is not None]
    mean = sum(steps) / len(steps) if steps else 0.0
    return mean or None


def sample_variance(values: Sequence[float]) -> float | None:
    """The variance over n - 1; None for fewer than two values."""
    if len(values) <= 1:
        return None
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def one_off_limit(quantities: Iterable[float]) -> float:
    """The 99.9th percentile of a shop's single sale lines; a larger line is a one-off order.

    Args:
        quantities: Units of every sale line of the shop, returns left out.

    Returns:
        Units; infinity for a shop without a sale.
    """
    sold = [units for units in quantities if units > 0]
    return linear_quantile(sold, ONE_OFF_LEVEL) if sold else math.inf


def units_per_period(
    lines: Iterable[tuple[date, float]], *, as_of: date, periods: int, days: int = WEEK, limit: float = math.inf
) -> tuple[float, ...]:
    """Count an item's sale lines into periods, as the input of a forecast wants them.

    Returns (negative lines) are not netted: they say nothing about demand. Lines above
    the limit are set aside.

    Args:
        lines: Day and units of each sale line of one item, in any order.
        as_of: Last day that counts.
        periods: How many periods.
        days: Days of a period: 7 or 1.
        limit: Units of the largest line that is no one-off; see `one_off_limit`.

    Returns:
        Units of each period, oldest first.
    """
    found = [0.0] * periods
    for day, units in lines:
        ago = (as_of - day).days // days
        if 0 <= ago < periods and 0 < units <= limit:
            found[periods - 1 - ago] += units
    return tuple(found)
