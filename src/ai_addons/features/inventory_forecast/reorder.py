"""When to order and how much: reorder points, packs, shelf life, and a budget that is too small.

Units here are whole or exact; money is Decimal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Final, cast

from ai_addons.features.inventory_forecast.demand import WEEK, sample_variance
from ai_addons.features.inventory_forecast.quantiles import demand_quantile, linear_quantile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ai_addons.features.inventory_forecast.demand import History

VARIANCE_WEEKS: Final = 26
EMPIRICAL_WEEKS: Final = 39
# A sum of floats may end a hair above the whole number it stands for; units have three decimals.
_HAIR: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What may be asked for in a protection period.

    Attributes:
        mean: Expected units, M.
        variance: Its variance in square units, V.
        sums: Units of every run of as many successive weeks, of the last 39.
    """

    mean: float
    variance: float
    sums: tuple[float, ...]


def protection_weeks(lead_days: int, review_days: int) -> int:
    """Weeks that one order must last: ceil((lead + review) / 7), L."""
    return -(-(lead_days + review_days) // WEEK)


def demand_of(history: History, weekly: float, weeks: int, *, spread: int = 1) -> Demand:
    """Demand over a protection period: M = m L and V = v L, weeks taken as independent.

    Args:
        history: One item's demand.
        weekly: Units forecast per week, m.
        weeks: Protection period, L.
        spread: By how much to raise the variance where there is little data.
    """
    # One week alone says nothing about spread: then demand is taken as Poisson.
    variance = sample_variance(history.observed[-VARIANCE_WEEKS:])
    return Demand(
        mean=weekly * weeks,
        variance=(weekly if variance is None else variance) * weeks * spread,
        sums=seen_sums(history, weeks),
    )


def seen_sums(history: History, weeks: int) -> tuple[float, ...]:
    """Units of every run of so many successive weeks, of the last 39; runs with a missing week are left out."""
    return tuple(_sums(history.weeks[-EMPIRICAL_WEEKS:], weeks))


def _sums(weeks: Sequence[float | None], length: int) -> Iterable[float]:
    for start in range(len(weeks) - length + 1):
        run = weeks[start : start + length]
        if None not in run:
            yield sum(cast("Sequence[float]", run))


def reorder_point(demand: Demand, level: float) -> int:
    """Units to have in stock and on order: the larger of two quantiles.

    One is the negative binomial's (`quantiles.demand_quantile`), the other the linear
    quantile of what was really asked for in as many successive weeks.

    Args:
        demand: Over the protection period.
        level: Service level, 0 to 1.
    """
    return max(demand_quantile(level, demand.mean, demand.variance), seen_point(demand.sums, level))


def seen_point(sums: Sequence[float], level: float) -> int:
    """The part of the reorder point that rests on what was seen alone, so no forecast can bring it below this.

    Args:
        sums: Units of runs of successive weeks; see `seen_sums`.
        level: Service level, 0 to 1.
    """
    return math.ceil(linear_quantile(sums, level) - _HAIR) if sums else 0


def whole_packs(units: Decimal, pack: int, *, up: bool = False) -> int:
    """Units in whole packs, down unless ``up``."""
    return int((units / pack).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)) * pack


def order_quantity(need: Decimal, pack: int, least: int) -> int:
    """Units to order: the need or the supplier's minimum, up to whole packs; 0 without a need."""
    return whole_packs(max(need, Decimal(least)), pack, up=True) if need > 0 else 0


def fresh_quantity(quantity: int, pack: int, least: int, sells: Decimal) -> int:
    """At most what sells before it expires, down to whole packs; 0 below the supplier's minimum."""
    most = whole_packs(max(sells, Decimal(0)), pack)
    kept = min(quantity, most)
    return kept if kept >= least else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order that a budget may have to cut.

    Attributes:
        ref: Whose it is.
        quantity: Units.
        pack: Units of a pack.
        least: Fewest units the supplier sells.
        unit_cost: GHS.
        short: Units expected to be missing within the protection period without it.
        worth: GHS of margin per unit, else its cost.
    """

    ref: str
    quantity: int
    pack: int
    least: int
    unit_cost: Decimal
    short: Decimal
    worth: Decimal

    @property
    def cost(self) -> Decimal:
        """GHS of the whole order."""
        return self.unit_cost * self.quantity

    @property
    def gain(self) -> Decimal:
        """GHS saved per GHS spent; infinite where the goods cost nothing."""
        return self.short * self.worth / self.cost if self.cost else Decimal("Infinity")


def by_gain(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Orders by what a cedi spent on them saves, then by what is saved at all, then by reference."""
    return tuple(sorted(orders, key=lambda order: (-order.gain, -order.short * order.worth, order.ref)))


def within(budget: Decimal | None, orders: Iterable[Order]) -> Mapping[str, int]:
    """Units of each order that the budget pays for, the most useful first.

    Where a whole order no longer fits, as many whole packs of it are taken as do, if
    that is at least the supplier's minimum; what is left goes to the next.

    Args:
        budget: GHS; None for no limit.
        orders: With different references.
    """
    found: dict[str, int] = {}
    left = budget
    for order in by_gain(orders):
        found[order.ref] = order.quantity if left is None else _affordable(order, left)
        left = None if left is None else left - found[order.ref] * order.unit_cost
    return found


def _affordable(order: Order, money: Decimal) -> int:
    if order.cost <= money:
        return order.quantity
    units = int(money // (order.unit_cost * order.pack)) * order.pack
    return units if units >= order.least else 0
