"""Days whose sales stand out against the same weekdays before them.

The modified z-score of Iglewicz and Hoaglin ("How to Detect and Handle Outliers",
1993), with their limit of 3.5: z = 0.6745 (x - median) / MAD. Where more than half of
the history is one value the MAD is 0; then z = (x - median) / (1.2533 x mean absolute
deviation), and where that is 0 too there is no score. How many weekdays to look back
(13) and the least gap that matters (5 % of mean daily sales) are set by hand.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

_NORMAL_MAD: Final = Decimal("0.6745")
_NORMAL_DEVIATION: Final = Decimal("1.2533")


@dataclass(frozen=True, slots=True, kw_only=True)
class OddDay:
    """A day with its sales and what was usual, in GHS, and how far off it is."""

    day: date
    sales: Decimal
    usual: Decimal
    score: Decimal

    @property
    def gap(self) -> Decimal:
        """Sales above the usual, below zero if under it."""
        return self.sales - self.usual


def scored_days(sales: Mapping[date, Decimal], *, history: int = 13, needed: int = 6) -> tuple[OddDay, ...]:
    """Score each day that has enough same weekdays before it, oldest first.

    Args:
        sales: By open day, GHS; a closed day is left out, not 0.
        history: How many same weekdays to look back at most.
        needed: How many there must be.
    """
    earlier: dict[int, list[Decimal]] = defaultdict(list)
    found: list[OddDay] = []
    for day in sorted(sales):
        past = earlier[day.weekday()]
        score = modified_z(sales[day], past[-history:]) if len(past) >= needed else None
        if score is not None:
            found.append(OddDay(day=day, sales=sales[day], usual=median(past[-history:]), score=score))
        past.append(sales[day])
    return tuple(found)


def odd_days(
    sales: Mapping[date, Decimal],
    *,
    history: int = 13,
    needed: int = 6,
    limit: Decimal = Decimal("3.5"),
    least_gap: Decimal = Decimal("0.05"),
) -> tuple[OddDay, ...]:
    """The days that stand out, oldest first.

    Args:
        sales: By open day, GHS.
        history: How many same weekdays to look back at most.
        needed: How many there must be.
        limit: The score from which a day is odd.
        least_gap: The gap that matters, as a share of mean daily sales.
    """
    if not sales:
        return ()
    least = least_gap * sum(sales.values(), Decimal()) / len(sales)
    tested = scored_days(sales, history=history, needed=needed)
    return tuple(day for day in tested if abs(day.score) >= limit and abs(day.gap) >= least)


def modified_z(value: Decimal, history: Sequence[Decimal]) -> Decimal | None:
    """How far a value is from the median of a history, in robust standard deviations; None if it never varied."""
    middle = median(history)
    gaps = [abs(past - middle) for past in history]
    spread = median(gaps)
    if spread:
        return _NORMAL_MAD * (value - middle) / spread
    mean = sum(gaps, Decimal()) / len(gaps)
    return (value - middle) / (_NORMAL_DEVIATION * mean) if mean else None
