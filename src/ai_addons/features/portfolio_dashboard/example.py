"""An invented shop in Kumasi, of any size, whose figures come from rows as a real one's do."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features.portfolio_dashboard.figures import (
    active_customers,
    customer_figures,
    margin_figures,
    receivables_figures,
    risk_rows,
    sales_figures,
    sales_rows,
    stock_figures,
)
from ai_addons.features.portfolio_dashboard.models import MONTHS, MonthPoint, PortfolioFigures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.features.portfolio_dashboard.models import ReceivablesFigures, RiskAction, SegmentName

AS_OF: Final = date(2026, 11, 20)
_SEED: Final = 2_026_1120
_DAYS: Final = 400
_MONTH: Final = 30
_ITEMS: Final = 420
_CENT: Final = Decimal("0.01")
_FROM_START, _ONCE, _STOPS, _ON_CREDIT, _DEAD, _OUT = 0.75, 0.3, 0.2, 0.33, 0.12, 0.09
_FIRST: Final = ("Ama", "Kofi", "Akosua", "Kwame", "Abena", "Yaw", "Efua", "Kojo", "Adwoa", "Kwabena", "Esi", "Fiifi")
_LAST: Final = (
    "Mensah",
    "Owusu",
    "Boateng",
    "Asante",
    "Osei",
    "Appiah",
    "Agyeman",
    "Ofori",
    "Darko",
    "Addo",
    "Sarpong",
)
_STOREFRONTS: Final = ("Kejetia", "Adum", "Tafo", "Ejisu")
_STAPLES: Final = ("Rice and grains", "Cooking oil", "Tinned fish", "Drinks", "Milk and cocoa", "Spices", "Bread")
_CATEGORIES: Final = (*_STAPLES, "Soap", "Baby care", "Toiletries", "Candles", "Phone credit")
# Sales of each thirty days beside the first, the last thirteen; the newest last.
_SEASON: Final = (0.80, 0.95, 0.96, 0.94, 0.98, 1.00, 1.04, 1.02, 1.05, 1.08, 1.10, 1.12, 1.04, 0.96)
_ROLLED: Final = (("current", "0.22"), ("days_1_30", "0.41"), ("days_31_60", "0.58"), ("days_61_90", "0.74"))
_SEGMENTS: Final[tuple[tuple[SegmentName, int, int], ...]] = (
    ("champions", 14, 38),
    ("loyal", 19, 27),
    ("promising", 17, 12),
    ("at_risk", 13, 13),
    ("hibernating", 18, 5),
    ("new", 9, 3),
    ("one_off", 10, 2),
)
"""Share of the customers and of the spend, in percent."""


@dataclass(frozen=True, slots=True)
class PeriodTotals:
    """Totals of thirty days, in GHS."""

    sales: Decimal
    gross_profit: Decimal
    discounts: Decimal
    returns: Decimal
    credit_sales: Decimal
    orders: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a customer bought, in GHS."""

    customer_ref: str
    day: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Kind:
    """A segment of the customers, spend in GHS."""

    segment: SegmentName
    customers: int
    spend_12m: Decimal


@dataclass(frozen=True, slots=True)
class Rolled:
    """A roll rate."""

    bucket: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """An open bill."""

    customer_ref: str
    due: date
    amount: Decimal
    paid_so_far: Decimal


@dataclass(frozen=True, slots=True)
class Row:
    """A category or storefront in two periods, in GHS."""

    ref: str
    sales: Decimal
    prior_sales: Decimal


@dataclass(frozen=True, slots=True)
class Debtor:
    """A row of a collection worklist."""

    ref: str
    overdue: Decimal
    days_overdue: int
    expected_unpaid: Decimal
    action: RiskAction


@dataclass(frozen=True, slots=True)
class Item:
    """An item with its forecast."""

    ref: str
    stock: int
    unit_cost: Decimal
    fc_units: int
    order_cost: Decimal
    flag: str


@dataclass(frozen=True, slots=True)
class Shop:
    """The rows of a shop, as its till keeps them.

    Attributes:
        names: What each customer is called, by reference.
        purchases: Of 400 days.
        bills: Open today.
        bills_before: Those that were open a month earlier, as they stood then.
        items: Stock and forecast.
    """

    names: dict[str, str]
    purchases: tuple[Purchase, ...]
    bills: tuple[Bill, ...]
    bills_before: tuple[Bill, ...]
    items: tuple[Item, ...]


def shop(customers: int = 500) -> Shop:
    """The rows of an invented shop; the same for the same number of customers."""
    rng = random.Random(_SEED)  # noqa: S311  # an example, not a secret
    refs = [f"c{number}" for number in range(customers)]
    purchases = tuple(purchase for ref in refs for purchase in _purchases(rng, ref))
    return Shop(
        names={ref: f"{rng.choice(_FIRST)} {rng.choice(_LAST)}" for ref in refs},
        purchases=purchases,
        bills=tuple(bill for ref in refs for bill in _bills(rng, ref, AS_OF)),
        bills_before=tuple(bill for ref in refs for bill in _bills(rng, ref, AS_OF - timedelta(days=_MONTH))),
        items=tuple(_item(rng, number, customers) for number in range(_ITEMS)),
    )


def _purchases(rng: random.Random, ref: str) -> list[Purchase]:
    """Days apart and amounts drawn once per customer; some buy once, some stop coming."""
    gap, size = rng.lognormvariate(3.0, 0.7), rng.lognormvariate(5.0, 0.6)
    end = rng.uniform(_DAYS * 0.4, _DAYS) if rng.random() < _STOPS else _DAYS
    at = rng.uniform(0, min(gap, _DAYS)) if rng.random() < _FROM_START else rng.uniform(0, _DAYS)
    if rng.random() < _ONCE:
        at, end = rng.uniform(0, _DAYS), 0
    found: list[Purchase] = []
    while at < end or not found:
        factor = _SEASON[int(at) // _MONTH]
        pesewas = int(100 * size * factor * rng.uniform(0.5, 1.5))
        found.append(Purchase(ref, AS_OF - timedelta(days=_DAYS - 1 - int(at)), Decimal(pesewas) * _CENT))
        at += max(1.0, rng.expovariate(1 / gap))
    return found


def _bills(rng: random.Random, ref: str, as_of: date) -> list[Bill]:
    """One in three buys on credit; how late is drawn once per customer."""
    if rng.random() > _ON_CREDIT:
        return []
    late, size = rng.gauss(0, 46), rng.lognormvariate(6.4, 0.6)
    found: list[Bill] = []
    for _ in range(rng.randint(1, 3)):
        amount = Decimal(int(100 * size * rng.uniform(0.6, 1.4))) * _CENT
        paid = (amount * Decimal(rng.choice(("0", "0", "0.5")))).quantize(_CENT)
        found.append(Bill(ref, as_of - timedelta(days=int(rng.gauss(late, 12))), amount, paid))
    return found


def _item(rng: random.Random, number: int, customers: int) -> Item:
    sells = rng.random() > _DEAD
    weekly = max(1, int(rng.lognormvariate(1.6, 0.8) * customers / 500)) if sells else 0
    stock = 0 if sells and rng.random() < _OUT else int(rng.lognormvariate(1.6, 0.6) * (weekly or customers / 50))
    cost = Decimal(int(100 * rng.lognormvariate(2.4, 0.7))) * _CENT
    short = max(0, 3 * weekly - stock)
    flag = "stockout_risk" if short else "ok" if sells else "dead_stock"
    return Item(f"i{number}", stock, cost, weekly, cost * short, flag)


def example(customers: int = 500) -> PortfolioFigures:
    """The figures of that shop.

    Args:
        customers: How many known customers it has; 50 at least, or some figures stay empty.
    """
    rows = shop(customers)
    months = [_sales(rows.purchases, back) for back in range(MONTHS + 1)]
    now, before, last_year = (_totals(rows.purchases, back, share) for back, share in ((0, 19), (1, 21), (12, 20)))
    storefronts, categories = (_split(names, now.sales, before.sales) for names in (_STOREFRONTS, _CATEGORIES))
    debtors = _worklist(rows.bills)
    owed = _receivables(rows, months)
    return PortfolioFigures(
        as_of=AS_OF,
        sales=sales_figures(now, before, last_year=last_year, active=active_customers(rows.purchases, AS_OF)),
        margin=margin_figures(now, before),
        receivables=owed,
        stock=stock_figures(rows.items, rows.items, cost_of_sales_30d=now.sales - now.gross_profit),
        customers=customer_figures(
            rows.purchases, AS_OF, segments=_segments(customers, sum(months[:MONTHS], Decimal(0)))
        ),
        months=tuple(MonthPoint(sales=sales, receivables=_part(sales, 46)) for sales in reversed(months[:MONTHS])),
        storefronts=sales_rows(storefronts, _profits(storefronts)),
        categories=sales_rows(categories, _profits(categories)),
        risks=risk_rows(debtors, rows.names),
    )


def _receivables(rows: Shop, months: Sequence[Decimal]) -> ReceivablesFigures:
    quarter, quarter_before = (sum(months[back : back + 3], Decimal(0)) for back in (0, 1))
    before = receivables_figures(
        rows.bills_before, AS_OF - timedelta(days=_MONTH), credit_sales_90d=_part(quarter_before, 34)
    )
    return receivables_figures(
        rows.bills,
        AS_OF,
        credit_sales_90d=_part(quarter, 33),
        before=before,
        limits_total=_part(before.ageing.owed(), 118),
        expected_unpaid=sum((debtor.expected_unpaid for debtor in _worklist(rows.bills)), Decimal(0)),
        roll_rates=[Rolled(bucket, Decimal(rate)) for bucket, rate in _ROLLED],
    )


def _part(amount: Decimal, percent: int) -> Decimal:
    return (amount * percent / 100).quantize(_CENT)


def _sales(purchases: Sequence[Purchase], back: int) -> Decimal:
    return sum(_within(purchases, back), Decimal(0))


def _within(purchases: Sequence[Purchase], back: int) -> list[Decimal]:
    """Amounts of thirty days, so many times thirty days ago."""
    until = AS_OF - timedelta(days=_MONTH * back)
    after = until - timedelta(days=_MONTH)
    return [row.amount for row in purchases if after < row.day <= until]


def _totals(purchases: Sequence[Purchase], back: int, margin: int) -> PeriodTotals:
    amounts = _within(purchases, back)
    sales = sum(amounts, Decimal(0))
    return PeriodTotals(sales, _part(sales, margin), _part(sales, 4), _part(sales, 2), _part(sales, 33), len(amounts))


def _split(names: Sequence[str], now: Decimal, before: Decimal) -> list[Row]:
    """Sales by name, the first the largest; every second one lost ground."""
    weights = [2 * len(names) - place for place in range(len(names))]
    total = sum(weights)
    return [
        Row(
            name,
            (now * weight / total * (94 + 12 * (at % 2)) / 100).quantize(_CENT),
            (before * weight / total).quantize(_CENT),
        )
        for at, (name, weight) in enumerate(zip(names, weights, strict=True))
    ]


def _profits(rows: Sequence[Row]) -> dict[str, Decimal]:
    return {row.ref: _part(row.sales, 14 + 3 * (at % 4)) for at, row in enumerate(rows)}


def _worklist(bills: Sequence[Bill]) -> list[Debtor]:
    """Debtors who are late, as a collection analysis would list them; chances set by hand."""
    late: dict[str, list[Bill]] = {}
    for bill in bills:
        if bill.due < AS_OF:
            late.setdefault(bill.customer_ref, []).append(bill)
    return [_debtor(ref, own) for ref, own in late.items()]


def _debtor(ref: str, bills: Sequence[Bill]) -> Debtor:
    overdue = sum((bill.amount - bill.paid_so_far for bill in bills), Decimal(0))
    days = max((AS_OF - bill.due).days for bill in bills)
    action: RiskAction = "visit" if days > _MONTH else "call" if days > _MONTH // 4 else "message"
    return Debtor(ref, overdue, days, _part(overdue, min(90, 20 + days)), action)


def _segments(customers: int, spend: Decimal) -> list[Kind]:
    return [Kind(name, customers * people // 100, _part(spend, money)) for name, people, money in _SEGMENTS]
