"""The figures of the dashboard, computed exactly from ready totals.

A figure that cannot be computed is None: nothing to divide by, no figure given, or
a group of fewer than five customers. It is never 0 and never infinite.

Sources: gross margin, basket, days sales outstanding (receivables / credit sales x
days) and days of stock cover are the usual accounting ratios; PAR30 and PAR60 are the
portfolio at risk of microfinance reporting (owed past due by more than 30 or 60 days,
of all that is owed); the share lost is the churn rate (customers lost of those there at
the start). Where a change counts as none is set by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from ai_addons.features.portfolio_dashboard.models import (
        Ageing,
        Area,
        BucketName,
        CustomerFigures,
        CustomerPoint,
        MarginFigures,
        MarginPeriod,
        PortfolioFigures,
        ReceivablesFigures,
        SalesFigures,
        StockFigures,
        StockPoint,
    )

Unit: TypeAlias = Literal["money", "share", "change", "points", "days", "day_change", "count"]
"""What a figure is measured in; the changes carry their own direction."""

SMALLEST_GROUP: Final = 5
"""A figure over fewer customers could speak of one of them."""
TOP: Final = 10
FLAT_CHANGE: Final = Fraction(1, 100)
FLAT_POINTS: Final = Fraction(5, 1_000)
FLAT_DAYS: Final = Fraction(1, 2)
_QUARTER: Final = 90
_MONTH: Final = 30
_FLAT: Final = {"change": FLAT_CHANGE, "points": FLAT_POINTS, "day_change": FLAT_DAYS}


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of an area.

    Attributes:
        area: Where it belongs.
        key: What prose cites.
        unit: What it is measured in.
        label: What it is, for people.
        value: GHS, a share, points as a share, days or a count; None if it cannot be computed.
        prior: The same a period earlier; None if not known, or if the value is itself a change.
        n: Customers or things behind it.
    """

    area: Area
    key: str
    unit: Unit
    label: str
    value: Fraction | None
    prior: Fraction | None = None
    n: int | None = None

    @property
    def known(self) -> Fraction:
        """The value of a figure that could be computed.

        Raises:
            ValueError: If it could not.
        """
        if self.value is None:
            msg = f"{self.key} could not be computed"
            raise ValueError(msg)
        return self.value

    @property
    def trend(self) -> int | None:
        """-1 falling, 0 flat, 1 rising; None where there is nothing to compare with."""
        if self.value is None:
            return None
        flat = _FLAT.get(self.unit)
        if flat is not None:
            return sign(self.value, flat)
        if self.prior is None:
            return None
        if self.unit == "share":
            return sign(self.value - self.prior, FLAT_POINTS)
        grown = change(self.value, self.prior)
        return None if grown is None else sign(grown, FLAT_CHANGE)


def sign(value: Fraction, flat: Fraction) -> int:
    """-1, 0 or 1; 0 below ``flat``."""
    return 0 if abs(value) < flat else (value > 0) - (value < 0)


def ratio(part: Decimal | int | None, whole: Decimal | int | None) -> Fraction | None:
    """A part of a whole; None without either, or where the whole is not above 0."""
    return None if part is None or whole is None or whole <= 0 else Fraction(part) / Fraction(whole)


def change(now: Decimal | Fraction | int, before: Decimal | Fraction | int) -> Fraction | None:
    """Relative change; None where there was nothing before."""
    return Fraction(now) / Fraction(before) - 1 if before > 0 else None


def measures(figures: PortfolioFigures) -> tuple[Measure, ...]:
    """All figures of the areas that were given, in fixed order."""
    return (
        *(_sales(figures.sales) if figures.sales else ()),
        *(_margin(figures.margin) if figures.margin else ()),
        *(_credit(figures.receivables) if figures.receivables else ()),
        *(_stock(figures.stock) if figures.stock else ()),
        *(_retention(figures.customers) if figures.customers else ()),
    )


def _exact(value: Decimal | int | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def _minus(now: Fraction | None, before: Fraction | None) -> Fraction | None:
    return None if now is None or before is None else now - before


def _group(count: int | None) -> int | None:
    """A number of customers that is large enough to speak of, or nobody at all."""
    return None if count is None or 0 < count < SMALLEST_GROUP else count


def _sales(figures: SalesFigures) -> tuple[Measure, ...]:
    now, was, year = figures.current, figures.prior, figures.last_year
    active, active_was = _group(now.active_customers), _group(was.active_customers)
    grown = None if active is None or active_was is None else change(active, active_was)
    on_year = None if year is None else change(now.sales, year)
    on_credit, on_credit_was = ratio(now.credit_sales, now.sales), ratio(was.credit_sales, was.sales)
    basket, basket_was = ratio(now.sales, now.orders), ratio(was.sales, was.orders)
    return (
        Measure("sales", "sales", "money", "Sales of 30 days", _exact(now.sales), _exact(was.sales)),
        Measure("sales", "sales_change", "change", "Sales against the 30 days before", change(now.sales, was.sales)),
        Measure("sales", "sales_change_year", "change", "Sales against the same days last year", on_year),
        Measure("sales", "orders", "count", "Sales rung up", _exact(now.orders), _exact(was.orders)),
        Measure("sales", "basket", "money", "Average sale", basket, basket_was),
        Measure("sales", "active_customers", "count", "Customers who bought", _exact(active), _exact(active_was)),
        Measure("sales", "active_change", "change", "Change of customers who bought", grown, n=active),
        Measure("sales", "credit_sales_share", "share", "Sold on credit, of sales", on_credit, on_credit_was),
    )


def _margin(figures: MarginFigures) -> tuple[Measure, ...]:
    now, was = figures.current, figures.prior
    margin, margin_was = _margin_share(now), _margin_share(was)
    profit, profit_was = _exact(now.gross_profit), None if was is None else _exact(was.gross_profit)
    given, given_was = ratio(now.discounts, now.sales), None if was is None else ratio(was.discounts, was.sales)
    back, back_was = ratio(now.returns, now.sales), None if was is None else ratio(was.returns, was.sales)
    return (
        Measure("margin", "gross_profit", "money", "Gross profit of 30 days", profit, profit_was),
        Measure("margin", "gross_margin", "share", "Gross margin", margin, margin_was),
        Measure("margin", "margin_change", "points", "Change of the gross margin", _minus(margin, margin_was)),
        Measure("margin", "discount_share", "share", "Discounts, of sales", given, given_was),
        Measure("margin", "return_share", "share", "Returns, of sales", back, back_was),
    )


def _margin_share(period: MarginPeriod | None) -> Fraction | None:
    return None if period is None else ratio(period.gross_profit, period.sales)


def _credit(figures: ReceivablesFigures) -> tuple[Measure, ...]:
    """Nothing is said of fewer than five debtors; a top ten of ten is no news."""
    known, many = figures.debtors >= SMALLEST_GROUP, figures.debtors > TOP
    now, was = figures.ageing, figures.ageing_prior
    owed, n = now.owed(), figures.debtors
    dso, dso_was = _dso(now, figures.credit_sales_90d), _dso(was, figures.credit_sales_90d_prior)
    rows: tuple[tuple[str, Unit, str, Fraction | None, Fraction | None], ...] = (
        ("receivables", "money", "Owed by customers", Fraction(owed), None if was is None else Fraction(was.owed())),
        ("overdue", "money", "Overdue", _owed(now, "month"), _owed(was, "month")),
        ("overdue_share", "share", "Overdue, of all owed", _at_risk(now, "month"), _at_risk(was, "month")),
        ("par30", "share", "PAR30 (over 30 days late)", _at_risk(now, "two_months"), _at_risk(was, "two_months")),
        ("par60", "share", "PAR60 (over 60 days late)", _at_risk(now, "three_months"), _at_risk(was, "three_months")),
        ("dso", "days", "Days sales outstanding", dso, dso_was),
        ("dso_change", "day_change", "Change of days sales outstanding", _minus(dso, dso_was), None),
        ("top10_share", "share", "Ten largest debtors", ratio(figures.top10_owed, owed) if many else None, None),
        ("utilisation", "share", "Credit limits in use", ratio(owed, figures.limits_total), None),
        ("expected_unpaid", "money", "Likely still unpaid in two weeks", _exact(figures.expected_unpaid), None),
    )
    return tuple(
        Measure("credit", key, unit, label, value if known else None, prior, n)
        for key, unit, label, value, prior in rows
    )


def _owed(ageing: Ageing | None, beyond: BucketName) -> Fraction | None:
    return None if ageing is None else Fraction(ageing.owed(beyond=beyond))


def _at_risk(ageing: Ageing | None, beyond: BucketName) -> Fraction | None:
    return None if ageing is None else ratio(ageing.owed(beyond=beyond), ageing.owed())


def _dso(ageing: Ageing | None, credit_sales: Decimal | None) -> Fraction | None:
    share = None if ageing is None else ratio(ageing.owed(), credit_sales)
    return None if share is None else share * _QUARTER


def _stock(figures: StockFigures) -> tuple[Measure, ...]:
    now, was = figures.current, figures.prior
    out, dead, cover, value = _stock_point(now)
    out_was, dead_was, cover_was, value_was = (None,) * 4 if was is None else _stock_point(was)
    n = now.active_items
    return (
        Measure("stock", "stockout_share", "share", "Items out of stock", out, out_was, n),
        Measure("stock", "dead_stock_share", "share", "Stock without a sale in 90 days", dead, dead_was),
        Measure("stock", "stock_cover", "days", "How long the stock lasts", cover, cover_was),
        Measure("stock", "stock_value", "money", "Stock at cost", value, value_was),
        Measure("stock", "order_value", "money", "To order now", _exact(figures.order_value)),
    )


def _stock_point(point: StockPoint) -> tuple[Fraction | None, Fraction | None, Fraction | None, Fraction]:
    months = ratio(point.stock_value, point.cost_of_sales_30d)
    return (
        ratio(point.stockout_items, point.active_items),
        ratio(point.dead_stock_value, point.stock_value),
        None if months is None else months * _MONTH,
        Fraction(point.stock_value),
    )


def _retention(figures: CustomerFigures) -> tuple[Measure, ...]:
    now, was, n = figures.current, figures.prior, _group(figures.current.customers)
    new, new_was = _group(now.new_customers), None if was is None else _group(was.new_customers)
    lost = _lost(now)
    spend = {segment.name: segment.spend for segment in figures.segments if _group(segment.customers) is not None}
    at_risk = ratio(spend.get("at_risk"), sum((segment.spend for segment in figures.segments), Decimal(0)))
    return (
        Measure("retention", "customers", "count", "Customers of twelve months", _exact(n), _customers(was)),
        Measure("retention", "new_customers", "count", "New customers", _exact(new), _exact(new_was)),
        Measure("retention", "repeat_rate", "share", "Customers who came back", _repeat(now), _repeat(was), n),
        Measure("retention", "lost_share", "share", "Customers lost", lost, _lost(was), now.base_customers),
        Measure("retention", "at_risk_share", "share", "Spend of customers at risk", at_risk),
    )


def _customers(point: CustomerPoint | None) -> Fraction | None:
    return None if point is None else _exact(_group(point.customers))


def _repeat(point: CustomerPoint | None) -> Fraction | None:
    return None if point is None else ratio(point.repeat_customers, _group(point.customers))


def _lost(point: CustomerPoint | None) -> Fraction | None:
    return None if point is None else ratio(point.lost_customers, _group(point.base_customers))
