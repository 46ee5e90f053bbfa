"""Customers by how lately, how often and how much they bought.

Recency, frequency and monetary value in quintiles is the RFM method (Hughes, "Strategic
Database Marketing", 1994). Equal values get equal scores, by their mid-rank. The rules for
the segments and for being overdue are set by hand.

The return score orders customers by how likely they are to come back: a smoothed rate of
purchases a week, discounted by a logistic curve of the time since the last one, in units of
that rate. It follows the thought behind Pareto/NBD (Schmittlein, Morrison and Colombo, 1987:
a rate, times the chance of being still active); its constants are set by hand and fitted to
no shop. It is an order, never a forecast.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import exp
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from ai_addons.features.customer_insight.models import Segment

_YEAR: Final = timedelta(days=365)
_WEEK: Final = 7
_QUINTILES: Final = 5
_THIRDS: Final = 3
_RECENT: Final = 4
_FAIRLY_RECENT: Final = 3
_OFTEN: Final = 3
_FAIRLY_OFTEN: Final = 2
_STEEPEST: Final = 700.0


class Bought(Protocol):
    """A purchase or refund."""

    @property
    def customer_ref(self) -> str:
        """Who."""
        ...

    @property
    def day(self) -> date:
        """When."""
        ...

    @property
    def amount(self) -> Decimal:
        """In GHS; below zero for a refund."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer with net spend above zero.

    Attributes:
        ref: Who.
        purchases: Days on which they bought.
        first: The first of them.
        last: The last of them.
        spend: Net of refunds, GHS.
        spend_12m: The same, of the last twelve months.
        as_of: The day of the figures.
    """

    ref: str
    purchases: int
    first: date
    last: date
    spend: Decimal
    spend_12m: Decimal
    as_of: date

    @property
    def recency(self) -> int:
        """Days since the last purchase."""
        return (self.as_of - self.last).days

    @property
    def frequency(self) -> int:
        """Purchase days after the first."""
        return self.purchases - 1

    @property
    def gap(self) -> Decimal | None:
        """Usual days between purchases; None for a single purchase day."""
        return Decimal((self.last - self.first).days) / self.frequency if self.frequency else None

    @property
    def return_score(self) -> float:
        """For ranking only: likelier to come back is higher."""
        rate = (self.frequency + 0.7) / ((self.as_of - self.first).days / _WEEK + 15)
        slope = min(1.2 * (self.recency / _WEEK * rate - 2), _STEEPEST)
        return rate / (1 + exp(slope))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A customer with scores from 1 to 5; higher is later, more often, more."""

    customer: Customer
    recency: int
    frequency: int
    money: int
    segment: Segment

    @property
    def rfm(self) -> int:
        """The three scores together, 3 to 15."""
        return self.recency + self.frequency + self.money


def customers(purchases: Iterable[Bought], as_of: date) -> tuple[tuple[Customer, ...], int]:
    """Sum up purchases by customer, in the order of their references.

    A day with a purchase counts once, whatever was refunded; refunds net off the spend.
    Customers whose net spend is zero or less are counted, not ranked.

    Args:
        purchases: Purchases and refunds, in any order.
        as_of: The day of the figures.

    Returns:
        The customers with net spend above zero, and the number of the others.
    """
    rows: dict[str, list[Bought]] = defaultdict(list)
    for row in purchases:
        rows[row.customer_ref].append(row)
    found = tuple(one for ref in sorted(rows) if (one := _customer(ref, rows[ref], as_of)) is not None)
    return found, len(rows) - len(found)


def _customer(ref: str, rows: Sequence[Bought], as_of: date) -> Customer | None:
    days = {row.day for row in rows if row.amount > 0}
    spend = sum((row.amount for row in rows), Decimal())
    if spend <= 0:
        return None
    return Customer(
        ref=ref,
        purchases=len(days),
        first=min(days),
        last=max(days),
        spend=spend,
        spend_12m=sum((row.amount for row in rows if row.day > as_of - _YEAR), Decimal()),
        as_of=as_of,
    )


def scored(found: Sequence[Customer]) -> tuple[Scored, ...]:
    """Give each customer scores and a segment, in the same order."""
    recency = quantiles([-one.recency for one in found], _QUINTILES)
    frequency = quantiles([one.frequency for one in found], _QUINTILES)
    money = quantiles([one.spend for one in found], _QUINTILES)
    repeat = [one for one in found if one.frequency]
    thirds = dict(zip([one.ref for one in repeat], quantiles([one.frequency for one in repeat], _THIRDS), strict=True))
    return tuple(
        Scored(
            customer=one,
            recency=lately,
            frequency=often,
            money=much,
            segment=segment(one.purchases, lately, thirds.get(one.ref, 0)),
        )
        for one, lately, often, much in zip(found, recency, frequency, money, strict=True)
    )


def quantiles(values: Sequence[Decimal | int], parts: int) -> list[int]:
    """The part, 1 to ``parts``, in which each value lies: ``1 + floor(parts (midrank - 0.5) / N)``, at most parts.

    Equal values have the same mid-rank, so the same part.
    """
    ordered, total = sorted(values), len(values)
    # The mid-rank less a half, twice: below is how many are smaller, upto how many are not larger.
    doubled = (bisect_left(ordered, value) + bisect_right(ordered, value) for value in values)
    return [min(parts, 1 + parts * twice // (2 * total)) for twice in doubled]


def segment(purchases: int, recency: int, third: int) -> Segment:
    """The first rule that fits.

    Args:
        purchases: Days on which the customer bought.
        recency: Score from 1 to 5, 5 for the latest.
        third: Third of frequency among customers who came again, 3 for the most frequent.
    """
    if purchases == 1:
        return "new" if recency >= _RECENT else "one_off"
    if recency >= _RECENT and third == _OFTEN:
        return "champions"
    if recency >= _FAIRLY_RECENT:
        return "loyal" if third >= _FAIRLY_OFTEN else "promising"
    return "at_risk" if third >= _FAIRLY_OFTEN else "hibernating"


def overdue(one: Customer, *, gaps: Decimal, purchases: int) -> bool:
    """Whether a customer has stayed away for longer than usual.

    Args:
        one: The customer.
        gaps: After how many usual gaps.
        purchases: How many purchase days a usual gap needs.
    """
    return one.purchases >= purchases and one.gap is not None and one.recency >= gaps * one.gap
