"""What calls earn: the margin of a price against its expected cost, and of revenue against what was spent. Pure.

Revenue is what was paid for the credits that a call used, by the grants that
paid for it: free credits bring none, unspent credits are not revenue yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Final

from ai_addons.billing.packs import ADDON, share, unit_price
from ai_addons.money import MICRO, Credits, MicroGhs, PicoUsd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXTRA_ATTEMPTS: Final = Decimal("1.25")
"""Retries and repairs cost a quarter on top of a call, as a rule of thumb."""

PAYMENT_FEE: Final = Decimal("0.0195")
"""Share of every payment that the gateway keeps."""

NO_TAX: Final = Decimal(0)

CHEAPEST_CREDIT: Final = MicroGhs(unit_price(ADDON))
"""GHS 0.50: what a credit of the monthly add-on brings, the least any credit is sold for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureUsage:
    """Calls of one feature, summed over some time.

    Attributes:
        feature: Key of the feature.
        calls: How many.
        credits: Credits charged.
        revenue: Micro-GHS that was paid for these credits.
        cost: Provider cost in micro-GHS, of the calls whose cost is known.
        unpriced: Calls whose cost is unknown.
    """

    feature: str
    calls: int
    credits: Credits
    revenue: MicroGhs
    cost: MicroGhs
    unpriced: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginLine:
    """A line of the margin table. For operators only.

    Attributes:
        feature: Key of the feature; empty for the total.
        calls: How many.
        credits: Credits charged.
        revenue: Micro-GHS that was paid for these credits, tax included.
        tax: Micro-GHS of it that are tax.
        fee: Micro-GHS of it that the gateway kept.
        cost: Provider cost in micro-GHS; too low if any call is unpriced.
        unpriced: Calls whose cost is unknown.
        margin: Share of the revenue without tax that is left after fee and cost, None where
            there is no revenue or some cost is unknown.
    """

    feature: str
    calls: int
    credits: Credits
    revenue: MicroGhs
    tax: MicroGhs
    fee: MicroGhs
    cost: MicroGhs
    unpriced: int
    margin: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTable:
    """Margin by feature. Its lines add up to its total.

    Attributes:
        lines: One per feature, by key.
        total: All of them.
    """

    lines: tuple[MarginLine, ...]
    total: MarginLine


def expected_cost(tokens: tuple[int, int], input_price: int, output_price: int) -> PicoUsd:
    """Provider cost of a typical call.

    Args:
        tokens: Expected input and output tokens.
        input_price: Pico-USD per input token.
        output_price: Pico-USD per output token.
    """
    return PicoUsd(tokens[0] * input_price + tokens[1] * output_price)


def loaded_margin(price: Credits, cost: MicroGhs, per_credit: MicroGhs = CHEAPEST_CREDIT) -> Decimal | None:
    """Share of the revenue that is left after extra attempts and the payment fee.

    Args:
        price: Credits per call.
        cost: Expected provider cost in micro-GHS.
        per_credit: What a credit brought, in micro-GHS.

    Returns:
        E.g. 0.939 for 93.9 %; None for a feature that is given away.
    """
    revenue = Decimal(price.micro) * per_credit / MICRO
    if not revenue:
        return None
    return (1 - PAYMENT_FEE - EXTRA_ATTEMPTS * cost / revenue).quantize(Decimal("0.001"))


def call_margin(
    revenue: MicroGhs, cost: MicroGhs | None, *, fee: Decimal = PAYMENT_FEE, tax: Decimal = NO_TAX
) -> Decimal | None:
    """Share of the revenue without tax that is left after the payment fee and the provider cost.

    Args:
        revenue: Micro-GHS paid for the credits used, tax included.
        cost: What the provider cost, None if unknown.
        fee: Share of every payment that the gateway keeps.
        tax: Rate of the tax that prices include: at 0.20 a sixth of the revenue is tax.

    Returns:
        E.g. 0.897 for 89.7 %; None where there is no revenue or the cost is unknown.
    """
    if cost is None:
        return None
    return left_of(revenue - _tax(revenue, tax), payment_fee(revenue, fee) + cost)


def margins(rows: Iterable[FeatureUsage], *, fee: Decimal = PAYMENT_FEE, tax: Decimal = NO_TAX) -> MarginTable:
    """The margin table by feature.

    Fee and tax are taken on a feature's whole revenue and rounded up to a micro-cedi.

    Args:
        rows: Sums by feature and, say, day, in any order.
        fee: Share of every payment that the gateway keeps.
        tax: Rate of the tax that prices include.
    """
    by_feature = dict[str, list[FeatureUsage]]()
    for row in rows:
        by_feature.setdefault(row.feature, []).append(row)
    lines = tuple(_feature_line(key, by_feature[key], fee, tax) for key in sorted(by_feature))
    return MarginTable(lines=lines, total=_total(lines))


def _feature_line(feature: str, rows: Sequence[FeatureUsage], fee: Decimal, tax: Decimal) -> MarginLine:
    revenue = sum(row.revenue for row in rows)
    return _line(
        feature=feature,
        calls=sum(row.calls for row in rows),
        micro=sum(row.credits.micro for row in rows),
        revenue=revenue,
        tax=_tax(revenue, tax),
        fee=payment_fee(revenue, fee),
        cost=sum(row.cost for row in rows),
        unpriced=sum(row.unpriced for row in rows),
    )


def _total(lines: Sequence[MarginLine]) -> MarginLine:
    return _line(
        feature="",
        calls=sum(line.calls for line in lines),
        micro=sum(line.credits.micro for line in lines),
        revenue=sum(line.revenue for line in lines),
        tax=sum(line.tax for line in lines),
        fee=sum(line.fee for line in lines),
        cost=sum(line.cost for line in lines),
        unpriced=sum(line.unpriced for line in lines),
    )


def _line(
    *, feature: str, calls: int, micro: int, revenue: int, tax: int, fee: int, cost: int, unpriced: int
) -> MarginLine:
    return MarginLine(
        feature=feature,
        calls=calls,
        credits=Credits.from_micro(micro),
        revenue=MicroGhs(revenue),
        tax=MicroGhs(tax),
        fee=MicroGhs(fee),
        cost=MicroGhs(cost),
        unpriced=unpriced,
        margin=None if unpriced else left_of(revenue - tax, fee + cost),
    )


def payment_fee(revenue: int, fee: Decimal) -> int:
    """What the gateway keeps of some revenue, micro-GHS, rounded up."""
    # Fractions, because Decimal's own arithmetic rounds to the precision of whatever context the host has set.
    return ceil(revenue * Fraction(fee))


def _tax(revenue: int, rate: Decimal) -> int:
    return ceil(revenue * Fraction(rate) / (1 + Fraction(rate)))


def left_of(revenue: int, spent: int) -> Decimal | None:
    """Share of some revenue that is left, in thousandths; None where there is none."""
    return share(revenue - spent, revenue) if revenue > 0 else None
