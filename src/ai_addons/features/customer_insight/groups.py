"""Customers and segments in one form, whether worked out of purchases or given ready."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, get_args

from ai_addons.features.customer_insight.models import Segment
from ai_addons.features.customer_insight.segments import customers, scored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from ai_addons.features.customer_insight.models import CustomerQuestion, InsightPolicy, Purchase
    from ai_addons.features.customer_insight.segments import Customer, Scored

_MONTHS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A customer as a row: who, spend in GHS, days on which they bought, days since the last of them."""

    ref: str
    spend: Decimal
    purchases: int
    days_since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A segment: how many customers, their spend, and that of the last twelve months, in GHS."""

    segment: Segment
    customers: int
    spend: Decimal
    spend_12m: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What is known of a shop's customers.

    Attributes:
        as_of: The day of the figures.
        purchases: All purchases of the last 24 months; none where ready sums were given.
        ignored: Purchases older than that.
        people: Customers with net spend above zero; none where ready sums were given.
        unranked: Customers whose net spend is zero or less.
        scored: The same with scores; none where there are too few.
        groups: Segments in their fixed order; none where there are too few customers.
        ready: The customers given ready, with their segments.
    """

    as_of: date
    purchases: tuple[Purchase, ...] = ()
    ignored: int = 0
    people: tuple[Customer, ...] = ()
    unranked: int = 0
    scored: tuple[Scored, ...] = ()
    groups: tuple[Group, ...] = ()
    ready: tuple[tuple[Segment, Person], ...] = ()

    @property
    def customers(self) -> int:
        """How many customers there are to speak of."""
        return len(self.people) or sum(group.customers for group in self.groups)

    @property
    def spend(self) -> Decimal:
        """Their net spend, GHS."""
        if self.people:
            return sum((one.spend for one in self.people), Decimal())
        return sum((group.spend for group in self.groups), Decimal())

    @property
    def age(self) -> int | None:
        """Days since anybody bought; None without purchases."""
        if self.people:
            return min(one.recency for one in self.people)
        return min((one.days_since for _, one in self.ready), default=None)

    def group(self, segment: Segment) -> Group | None:
        """One segment; None where there are none."""
        return next((group for group in self.groups if group.segment == segment), None)

    def members(self, segment: Segment) -> list[Customer]:
        """The customers of a segment, by reference."""
        return [row.customer for row in self.scored if row.segment == segment]


def shop(asked: CustomerQuestion, policy: InsightPolicy) -> Shop:
    """Bring the input into one form."""
    if asked.segments is not None and asked.customers_top is not None:
        return _ready(asked)
    since = _months_before(asked.as_of)
    rows = tuple(row for row in asked.purchases or () if row.day >= since)
    people, unranked = customers(rows, asked.as_of)
    ranked = scored(people) if len(people) >= policy.min_ranked else ()
    return Shop(
        as_of=asked.as_of,
        purchases=rows,
        ignored=len(asked.purchases or ()) - len(rows),
        people=people,
        unranked=unranked,
        scored=ranked,
        groups=tuple(_group(name, ranked) for name in get_args(Segment)) if ranked else (),
    )


def _ready(asked: CustomerQuestion) -> Shop:
    rows = {row.segment: row for row in asked.segments or ()}
    return Shop(
        as_of=asked.as_of,
        groups=tuple(
            Group(segment=name, customers=row.customers, spend=row.spend, spend_12m=row.spend_12m)
            for name in get_args(Segment)
            if (row := rows.get(name)) is not None
        ),
        ready=tuple(
            (
                row.segment,
                Person(ref=row.customer_ref, spend=row.spend, purchases=row.purchases, days_since=row.days_since),
            )
            for row in asked.customers_top or ()
        ),
    )


def _group(name: Segment, ranked: Sequence[Scored]) -> Group:
    own = [row.customer for row in ranked if row.segment == name]
    return Group(
        segment=name,
        customers=len(own),
        spend=sum((one.spend for one in own), Decimal()),
        spend_12m=sum((one.spend_12m for one in own), Decimal()),
    )


def person(one: Customer, *, spend: Decimal | None = None) -> Person:
    """A customer as a row, with another sum where one is given."""
    return Person(
        ref=one.ref,
        spend=one.spend if spend is None else spend,
        purchases=one.purchases,
        days_since=one.recency,
    )


def _months_before(day: date) -> date:
    """The same day 24 months ago; 28 February for a 29th."""
    year = day.year - _MONTHS // 12
    return day.replace(year=year, day=28 if (day.month, day.day) == (2, 29) else day.day)
