"""Where a change in sales or gross profit comes from: prices, quantities, the mix, new and lost products.

The classic price-volume-mix analysis of management accounting. With q units,
p = sales / q, c = cost / q, 0 for the earlier period and 1 for the later one,
over products sold in both, *per category* (pieces and kilos do not add):

====== ====================================================================
price  sum of q1 (p1 - p0)
volume (Q1 - Q0) P0, with Q = sum of q and P0 = earlier sales / Q0
mix    sum of p0 (q1 - q0), less volume
new    current sales of products that were not sold before
lost   minus the earlier sales of products that are not sold any more
====== ====================================================================

A product with no units, or fewer than none, in one of the periods is new or lost.
All is computed in exact fractions. The parts are then brought to whole pesewas by
the method of largest remainders (Hamilton), so that they add up to the change.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PESEWAS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A product in both periods.

    Attributes:
        category: Products of one category are counted in one unit.
        units: Sold in the later period.
        sales: In the later period, GHS.
        cost: Of the goods sold in it, GHS; None if unknown.
        prior_units: As `units`, in the earlier period.
        prior_sales: As `sales`, in the earlier period.
        prior_cost: As `cost`, in the earlier period.
    """

    category: str
    units: Decimal
    sales: Decimal
    prior_units: Decimal
    prior_sales: Decimal
    cost: Decimal | None = None
    prior_cost: Decimal | None = None

    @property
    def in_both(self) -> bool:
        """Whether it was sold in both periods."""
        return self.units > 0 and self.prior_units > 0

    @property
    def has_cost(self) -> bool:
        """Whether its costs are known wherever there was something to cost."""
        return (self.cost is not None or not (self.units or self.sales)) and (
            self.prior_cost is not None or not (self.prior_units or self.prior_sales)
        )

    @property
    def profit(self) -> Decimal:
        """Gross profit of the later period, GHS."""
        return self.sales - (self.cost or 0)

    @property
    def prior_profit(self) -> Decimal:
        """Gross profit of the earlier period, GHS."""
        return self.prior_sales - (self.prior_cost or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesBridge:
    """The parts of a change in sales, in GHS; they add up to it to the pesewa."""

    price: Decimal
    volume: Decimal
    mix: Decimal
    new: Decimal
    lost: Decimal

    @property
    def change(self) -> Decimal:
        """What the parts add up to."""
        return self.price + self.volume + self.mix + self.new + self.lost


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginBridge:
    """The parts of a change in gross profit, in GHS; they add up to it to the pesewa."""

    price: Decimal
    cost: Decimal
    volume_and_mix: Decimal
    new: Decimal
    lost: Decimal

    @property
    def change(self) -> Decimal:
        """What the parts add up to."""
        return self.price + self.cost + self.volume_and_mix + self.new + self.lost


def sales_bridge(lines: Sequence[Line]) -> SalesBridge:
    """Split the change in the sales of all lines into price, volume, mix, new and lost."""
    both = [line for line in lines if line.in_both]
    other = [line for line in lines if not line.in_both]
    by_quantity = sum(map(_volume, _by_category(both)), Fraction())
    price, volume, mix, new, lost = whole_pesewas(
        (
            _price(both),
            by_quantity,
            sum((_at_old_price(line) for line in both), Fraction()) - by_quantity,
            _exact_sum(line.sales for line in other),
            -_exact_sum(line.prior_sales for line in other),
        )
    )
    return SalesBridge(price=price, volume=volume, mix=mix, new=new, lost=lost)


def margin_bridge(lines: Sequence[Line]) -> MarginBridge | None:
    """Split the change in the gross profit of all lines; None unless all their costs are known."""
    if not all(line.has_cost for line in lines):
        return None
    both = [line for line in lines if line.in_both]
    other = [line for line in lines if not line.in_both]
    price, cost, volume_and_mix, new, lost = whole_pesewas(
        (
            _price(both),
            -sum((_dearer(line) for line in both), Fraction()),
            sum((_more_profit(line) for line in both), Fraction()),
            _exact_sum(line.profit for line in other),
            -_exact_sum(line.prior_profit for line in other),
        )
    )
    return MarginBridge(price=price, cost=cost, volume_and_mix=volume_and_mix, new=new, lost=lost)


def whole_pesewas(parts: Sequence[Fraction]) -> tuple[Decimal, ...]:
    """Round parts to whole pesewas so that they add up to their (rounded) sum: largest remainders, ties by place."""
    exact = [part * _PESEWAS for part in parts]
    whole = [floor(part) for part in exact]
    missing = floor(sum(exact, Fraction()) + Fraction(1, 2)) - sum(whole)
    by_remainder = sorted(range(len(exact)), key=lambda at: (whole[at] - exact[at], at))
    for at in by_remainder[:missing]:
        whole[at] += 1
    return tuple(Decimal(part).scaleb(-2) for part in whole)


def _by_category(lines: Iterable[Line]) -> Iterable[list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        found[line.category].append(line)
    return found.values()


def _price(lines: Iterable[Line]) -> Fraction:
    """The sum of q1 (p1 - p0)."""
    return sum((Fraction(line.sales) - _of_now(line.prior_sales, line) for line in lines), Fraction())


def _volume(lines: Sequence[Line]) -> Fraction:
    """(Q1 - Q0) P0 of one category."""
    before = _exact_sum(line.prior_units for line in lines)
    more = _exact_sum(line.units for line in lines) - before
    return more * _exact_sum(line.prior_sales for line in lines) / before


def _at_old_price(line: Line) -> Fraction:
    """p0 (q1 - q0)."""
    return _of_now(line.prior_sales, line) - Fraction(line.prior_sales)


def _dearer(line: Line) -> Fraction:
    """q1 (c1 - c0)."""
    return Fraction(line.cost or 0) - _of_now(line.prior_cost or Decimal(0), line)


def _more_profit(line: Line) -> Fraction:
    """(p0 - c0) (q1 - q0)."""
    return _of_now(line.prior_profit, line) - Fraction(line.prior_profit)


def _of_now(prior: Decimal, line: Line) -> Fraction:
    """What an amount of the earlier period would be at the units of the later one."""
    return Fraction(prior) * Fraction(line.units) / Fraction(line.prior_units)


def _exact_sum(values: Iterable[Decimal]) -> Fraction:
    return sum(map(Fraction, values), Fraction())
