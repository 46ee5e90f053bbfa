"""What a number of subscribers would bring: monthly and yearly revenue, cost and profit. Pure.

Every buyer buys one thing a month. Cost is a share of its price (one less the margin),
as the first plan reckons; what gateways keep is only in it if a fee is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from ai_addons.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

MONTHS: Final = 12

_THOUSAND: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One thing that buyers buy each month.

    Attributes:
        what: Its name, e.g. ``VALUE`` or ``ADDON``.
        price: What it costs.
        weight: How many buy it, in proportion to the others.
        margin: Share of the price that is left after the providers are paid: 0.70 for 70 %.
    """

    what: str
    price: Money
    weight: Decimal
    margin: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is supposed.

    Attributes:
        name: For people.
        subscribers: How many there are.
        adoption: Share of them that buys: 0.10 for 10 %.
        mix: What these buy.
        fee: Share of every payment that the gateway keeps.

    Raises:
        ValueError: If a number is out of bounds, or nothing is bought.
    """

    name: str
    subscribers: int
    adoption: Decimal
    mix: tuple[Share, ...]
    fee: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Refuse what no shop could be."""
        faults = (
            (self.subscribers < 0, "there cannot be fewer than no subscribers"),
            (not 0 <= self.adoption <= 1, "adoption is a share from 0 to 1"),
            (not 0 <= self.fee <= 1, "the fee is a share from 0 to 1"),
            (any(one.weight < 0 for one in self.mix), "nothing is bought less than never"),
            (not any(one.weight for one in self.mix), "the mix says nothing of what is bought"),
            (any(one.margin > 1 for one in self.mix), "a margin is a share of the price, 1 at most"),
            (any(one.price.currency != "GHS" for one in self.mix), "prices are in cedis"),
        )
        for applies, what in faults:
            if applies:
                msg = f"{what}; nothing was projected"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projected:
    """What one thing brings a month; amounts are exact to a pesewa, halves up.

    Attributes:
        what: Its name.
        buyers: How many buy it, on average: it need not be whole.
        revenue: What they pay.
        cost: What the providers cost, and the gateway's fee if one is reckoned with.
    """

    what: str
    buyers: Decimal
    revenue: Money
    cost: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """What a scenario brings.

    Attributes:
        scenario: What was supposed.
        lines: By what is bought.
        revenue: A month's.
        cost: A month's.
        profit: A month's; what is left.
        margin: Share of the revenue that is left, in thousandths; None without revenue.
        yearly_revenue: Twelve such months'.
        yearly_cost: Likewise.
        yearly_profit: Likewise.
    """

    scenario: Scenario
    lines: tuple[Projected, ...]
    revenue: Money
    cost: Money
    profit: Money
    margin: Decimal | None
    yearly_revenue: Money
    yearly_cost: Money
    yearly_profit: Money

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON; amounts are decimal strings, in cedis."""
        names = ("revenue", "cost", "profit", "yearly_revenue", "yearly_cost", "yearly_profit")
        return {
            "name": self.scenario.name,
            "subscribers": self.scenario.subscribers,
            "adoption": f"{self.scenario.adoption:f}",
            "fee": f"{self.scenario.fee:f}",
            "lines": [
                {
                    "what": line.what,
                    "buyers": f"{line.buyers:f}",
                    "revenue": str(line.revenue.decimal),
                    "cost": str(line.cost.decimal),
                }
                for line in self.lines
            ],
            **{name: str(getattr(self, name).decimal) for name in names},
            "margin": None if self.margin is None else f"{self.margin:f}",
        }


def project(scenario: Scenario) -> Projection:
    """What a scenario brings a month, and in a year of such months."""
    buyers = Fraction(scenario.subscribers) * Fraction(scenario.adoption)
    total = sum(Fraction(one.weight) for one in scenario.mix)
    lines = tuple(_line(one, buyers * Fraction(one.weight) / total, Fraction(scenario.fee)) for one in scenario.mix)
    revenue, cost = (sum(getattr(line, name).minor for line in lines) for name in ("revenue", "cost"))
    return Projection(
        scenario=scenario,
        lines=lines,
        revenue=Money.from_minor(revenue),
        cost=Money.from_minor(cost),
        profit=Money.from_minor(revenue - cost),
        margin=_thousandths(revenue - cost, revenue) if revenue else None,
        yearly_revenue=Money.from_minor(revenue * MONTHS),
        yearly_cost=Money.from_minor(cost * MONTHS),
        yearly_profit=Money.from_minor((revenue - cost) * MONTHS),
    )


def _line(one: Share, buyers: Fraction, fee: Fraction) -> Projected:
    revenue = _rounded(buyers * one.price.minor)
    cost = _rounded(buyers * one.price.minor * (1 - Fraction(one.margin) + fee))
    shown = Decimal(f"{_rounded(buyers * 100)}e-2")
    return Projected(what=one.what, buyers=shown, revenue=Money.from_minor(revenue), cost=Money.from_minor(cost))


def _rounded(value: Fraction) -> int:
    """To a whole number, halves up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _thousandths(part: int, whole: int) -> Decimal:
    return Decimal(f"{_rounded(Fraction(part * _THOUSAND, whole))}e-3")


def plan_scenarios(prices: Sequence[tuple[str, Money]]) -> tuple[Scenario, ...]:
    """The two scenarios of the first plan: 10 of 100 buy VALUE; 20 buy VALUE and 10 the add-on; 30 % cost.

    Args:
        prices: What VALUE and ADDON cost.
    """
    known, margin = dict(prices), Decimal("0.70")
    value = Share(what="VALUE", price=known["VALUE"], weight=Decimal(20), margin=margin)
    addon = Share(what="ADDON", price=known["ADDON"], weight=Decimal(10), margin=margin)
    return (
        Scenario(name="prepaid", subscribers=100, adoption=Decimal("0.10"), mix=(value,)),
        Scenario(name="packs and add-ons", subscribers=100, adoption=Decimal("0.30"), mix=(value, addon)),
    )
