"""Taxes in a price: effective-dated tables as data, and lines that add up to the pesewa. Pure.

By default there are none: whether a seller must charge tax, and which, is for its accountant to say. The table
for Ghana below is an example with its sources; nothing here was checked by a tax adviser.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from ai_addons.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.settings import ReceiptSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRule:
    """One tax or levy.

    Attributes:
        code: Stable name, e.g. ``VAT``.
        name: What the receipt calls it.
        rate: Share of what it is charged on, e.g. 0.15.
        on: Codes of taxes before it that it is charged on too, beside the net price (tax on tax).
    """

    code: str
    name: str
    rate: Decimal
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxPeriod:
    """What is charged from a day on.

    Attributes:
        starts: The first day, in the seller's zone.
        rules: In the order of the receipt.
    """

    starts: date
    rules: tuple[TaxRule, ...]


TaxTable: TypeAlias = tuple[TaxPeriod, ...]
"""Periods, the earliest first; an empty one charges nothing."""

NO_TAX: Final[TaxTable] = ()

_LEVIES: Final = (
    TaxRule(code="NHIL", name="National Health Insurance Levy", rate=Decimal("0.025")),
    TaxRule(code="GETFUND", name="GETFund Levy", rate=Decimal("0.025")),
)

GHANA: Final[TaxTable] = (
    TaxPeriod(
        starts=date(2023, 1, 1),
        rules=(
            *_LEVIES,
            TaxRule(code="COVID", name="COVID-19 Health Recovery Levy", rate=Decimal("0.01")),
            TaxRule(code="VAT", name="Value Added Tax", rate=Decimal("0.15"), on=("NHIL", "GETFUND", "COVID")),
        ),
    ),
    TaxPeriod(
        starts=date(2026, 1, 1),
        rules=(*_LEVIES, TaxRule(code="VAT", name="Value Added Tax", rate=Decimal("0.15"))),
    ),
)
"""Ghana's standard rate for a registered seller. UNVERIFIED: have an accountant confirm it before you use it.

* From 1 January 2026 (Value Added Tax Act, 2025, Act 1151): VAT 15 %, NHIL 2.5 % and GETFund 2.5 %, each on the net
  price, 20 % together. The COVID-19 levy is abolished. Source: reports of the revenue authority's notice of
  December 2025; the Act itself was not read. One adviser still describes VAT as charged on top of the levies.
* From 1 January 2023 to then: the levies and 1 % COVID-19 levy on the net price, VAT 15 % on the price with the
  levies, 21.9 % together. Source as above; the first day of the 15 % rate is from memory.

Who must register, and whether a flat rate or an exemption holds, is not in it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxLine:
    """One tax on a receipt.

    Attributes:
        code: The rule's.
        name: The rule's.
        rate: The rule's.
        amount: What it comes to.
    """

    code: str
    name: str
    rate: Decimal
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxed:
    """A price divided into what is the seller's and what is tax; net and lines add up to gross.

    Attributes:
        net: Without tax.
        lines: Each tax.
        gross: With tax.
    """

    net: Money
    lines: tuple[TaxLine, ...]
    gross: Money


def check_table(table: TaxTable) -> TaxTable:
    """The table itself.

    Raises:
        ValueError: If its periods are not in order, or a rule has no name of its own, a rate outside 0 to 1, or a
            tax below it that does not stand before it.
    """
    if any(one.starts >= other.starts for one, other in pairwise(table)):
        msg = "the periods of a tax table stand in the order of their first days, each once"
        raise ValueError(msg)
    for period in table:
        seen = list[str]()
        for rule in period.rules:
            if rule.code in seen or not 0 <= rule.rate < 1 or not set(rule.on) <= set(seen):
                msg = (
                    f"tax {rule.code!r} from {period.starts}: it needs a code of its own, a rate from 0 to below 1, "
                    "and may only lie on taxes that stand before it"
                )
                raise ValueError(msg)
            seen.append(rule.code)
    return table


def rules_on(table: TaxTable, day: date) -> tuple[TaxRule, ...]:
    """What is charged on a day.

    Args:
        table: The periods.
        day: The day of the supply, in the seller's zone.

    Raises:
        ValueError: For a day before the table begins, of which it says nothing.
    """
    found = [period.rules for period in table if period.starts <= day]
    if table and not found:
        msg = f"the tax table begins on {table[0].starts} and says nothing of {day}"
        raise ValueError(msg)
    return found[-1] if found else ()


def inclusive(gross: Money, rules: Sequence[TaxRule]) -> Taxed:
    """Divide a price that includes its taxes.

    Args:
        gross: What the buyer pays.
        rules: What is charged.
    """
    shares = _shares(rules)
    return _divided(gross, rules, (Fraction(1), *shares))


def exclusive(net: Money, rules: Sequence[TaxRule]) -> Taxed:
    """Add taxes to a price.

    Args:
        net: The price without them.
        rules: What is charged; their sum is rounded half up to the minor unit.
    """
    shares = _shares(rules)
    total = _half_up(net.minor * sum(shares, Fraction(0)))
    taxes = apportion(total, shares)
    return Taxed(net=net, lines=_lines(rules, taxes, net.currency), gross=_money(net.minor + total, net))


def part_of(left: Taxed, amount: Money) -> Taxed:
    """Divide a refund as the price was divided, out of what is left of each line.

    No line is ever refunded beyond itself, and the refund that completes the others takes exactly what is left.

    Args:
        left: What was paid, less what was refunded (`less`).
        amount: What is refunded now.

    Raises:
        ValueError: If that is in another currency, not above zero, or more than is left.
    """
    if amount.currency != left.gross.currency or not 0 < amount.minor <= left.gross.minor:
        msg = f"{amount} cannot be refunded of {left.gross}"
        raise ValueError(msg)
    weights = [Fraction(left.net.minor), *(Fraction(line.amount.minor) for line in left.lines)]
    net, *taxes = apportion(amount.minor, weights)
    return Taxed(net=_money(net, amount), lines=_lines(left.lines, taxes, amount.currency), gross=amount)


def less(whole: Taxed, part: Taxed) -> Taxed:
    """What is left of a divided price after a part of it was refunded."""
    lines = tuple(
        TaxLine(code=a.code, name=a.name, rate=a.rate, amount=_money(a.amount.minor - b.amount.minor, a.amount))
        for a, b in zip(whole.lines, part.lines, strict=True)
    )
    return Taxed(
        net=_money(whole.net.minor - part.net.minor, whole.net),
        lines=lines,
        gross=_money(whole.gross.minor - part.gross.minor, whole.gross),
    )


def apportion(total: int, weights: Sequence[Fraction]) -> tuple[int, ...]:
    """Divide a whole number by weights so that the parts add up to it (largest remainders; ties by place).

    Args:
        total: Not below zero.
        weights: Not below zero; all zero only for a total of zero.
    """
    whole = sum(weights, Fraction(0))
    if not whole:
        return (0,) * len(weights)
    exact = [total * weight / whole for weight in weights]
    parts = [share.numerator // share.denominator for share in exact]
    order = sorted(range(len(exact)), key=lambda at: (parts[at] - exact[at], at))
    for at in order[: total - sum(parts)]:
        parts[at] += 1
    return tuple(parts)


def table_of(settings: ReceiptSettings) -> TaxTable:
    """The tax table of the settings.

    Raises:
        ValueError: As `check_table`.
    """
    if settings.tax != "own":
        return GHANA if settings.tax == "ghana" else NO_TAX
    return check_table(
        tuple(
            TaxPeriod(
                starts=period.starts,
                rules=tuple(TaxRule(code=r.code, name=r.name, rate=r.rate, on=r.on) for r in period.rules),
            )
            for period in settings.taxes
        )
    )


def _shares(rules: Sequence[TaxRule]) -> list[Fraction]:
    """What each tax comes to for a net price of one."""
    shares: dict[str, Fraction] = {}
    for rule in rules:
        shares[rule.code] = Fraction(rule.rate) * (1 + sum((shares[code] for code in rule.on), Fraction(0)))
    return list(shares.values())


def _divided(gross: Money, rules: Sequence[TaxRule], weights: Sequence[Fraction]) -> Taxed:
    net, *taxes = apportion(gross.minor, weights)
    return Taxed(net=_money(net, gross), lines=_lines(rules, taxes, gross.currency), gross=gross)


def _lines(rules: Sequence[TaxRule | TaxLine], taxes: Sequence[int], currency: str) -> tuple[TaxLine, ...]:
    return tuple(
        TaxLine(code=rule.code, name=rule.name, rate=rule.rate, amount=Money.from_minor(tax, currency))
        for rule, tax in zip(rules, taxes, strict=True)
    )


def _money(minor: int, like: Money) -> Money:
    return Money.from_minor(minor, like.currency)


def _half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
