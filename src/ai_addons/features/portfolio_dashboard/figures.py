"""From rows to the dashboard's figures: what the other features take and return, counted up.

Each function reads plain attributes, so the models of the other features, rows of an
ORM or a `types.SimpleNamespace` will all do. Nothing here knows another feature.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features.portfolio_dashboard.kpis import TOP
from ai_addons.features.portfolio_dashboard.models import (
    BUCKETS,
    Ageing,
    Bucket,
    CustomerFigures,
    CustomerPoint,
    MarginFigures,
    MarginPeriod,
    ReceivablesFigures,
    RiskRow,
    RollRates,
    SalesFigures,
    SalesPeriod,
    SalesRow,
    Segment,
    StockFigures,
    StockPoint,
)
from ai_addons.features.portfolio_dashboard.rows import (
    CategoryTotals,
    ForecastItem,
    OpenInvoice,
    Purchase,
    RankedCustomer,
    RolledBucket,
    SegmentTotals,
    StockItem,
    Totals,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

__all__ = [
    "CategoryTotals",
    "ForecastItem",
    "OpenInvoice",
    "Purchase",
    "RankedCustomer",
    "RolledBucket",
    "SegmentTotals",
    "StockItem",
    "Totals",
    "active_customers",
    "customer_figures",
    "margin_figures",
    "receivables_figures",
    "risk_rows",
    "sales_figures",
    "sales_rows",
    "stock_figures",
]

MONTH: Final = timedelta(days=30)
QUARTER: Final = timedelta(days=90)
YEAR: Final = timedelta(days=365)
DEAD: Final = "dead_stock"
_EDGES: Final = (0, 30, 60, 90)
# The buckets of a collection analysis from which money can move to a worse one, in the order of ours.
_ROLLING: Final = ("current", "days_1_30", "days_31_60", "days_61_90")
_REPEAT: Final = 2


def sales_figures(
    current: Totals, prior: Totals, *, last_year: Totals | None = None, active: tuple[int, int] | None = None
) -> SalesFigures:
    """Sales from the totals of a report of thirty days.

    Args:
        current: The thirty days that end today.
        prior: The thirty before.
        last_year: The same days a year earlier.
        active: Customers who bought in either period, see `active_customers`.
    """
    now, before = active or (None, None)
    return SalesFigures(
        current=_sales_period(current, now),
        prior=_sales_period(prior, before),
        last_year=None if last_year is None else last_year.sales,
    )


def _sales_period(totals: Totals, active: int | None) -> SalesPeriod:
    return SalesPeriod(
        sales=totals.sales, orders=totals.orders, active_customers=active, credit_sales=totals.credit_sales
    )


def margin_figures(current: Totals, prior: Totals | None = None) -> MarginFigures:
    """Margins from the totals of a report of thirty days."""
    return MarginFigures(current=_margin_period(current), prior=None if prior is None else _margin_period(prior))


def _margin_period(totals: Totals) -> MarginPeriod:
    return MarginPeriod(
        sales=totals.sales, gross_profit=totals.gross_profit, discounts=totals.discounts, returns=totals.returns
    )


def sales_rows(rows: Iterable[CategoryTotals], profits: Mapping[str, Decimal] | None = None) -> tuple[SalesRow, ...]:
    """Categories or storefronts from the rows of a report.

    Args:
        rows: Sales of two periods.
        profits: Gross profit of the current one by reference, in GHS, where it is known.
    """
    profit = profits or {}
    return tuple(
        SalesRow(name=row.ref, sales=row.sales, sales_prior=row.prior_sales, gross_profit=profit.get(row.ref))
        for row in rows
    )


def receivables_figures(
    invoices: Iterable[OpenInvoice],
    as_of: date,
    *,
    credit_sales_90d: Decimal,
    before: ReceivablesFigures | None = None,
    limits_total: Decimal | None = None,
    expected_unpaid: Decimal | None = None,
    roll_rates: Iterable[RolledBucket] = (),
) -> ReceivablesFigures:
    """Receivables from all open bills.

    Args:
        invoices: Bills that are not settled; what is overpaid counts as settled.
        as_of: Today.
        credit_sales_90d: Sold on credit in the last ninety days, in GHS.
        before: These figures a month earlier, to compare with.
        limits_total: All credit limits together, in GHS.
        expected_unpaid: From the collection analysis, in GHS.
        roll_rates: From the collection analysis.

    Raises:
        ValueError: If a rate is of a bucket that does not exist.
    """
    owed = [(bill, bill.amount - bill.paid_so_far) for bill in invoices if bill.amount > bill.paid_so_far]
    customers: dict[str, Decimal] = defaultdict(Decimal)
    for bill, amount in owed:
        customers[bill.customer_ref] += amount
    return ReceivablesFigures(
        ageing=_ageing(owed, as_of),
        debtors=len(customers),
        credit_sales_90d=credit_sales_90d,
        top10_owed=sum(sorted(customers.values(), reverse=True)[:TOP], Decimal(0)),
        ageing_prior=None if before is None else before.ageing,
        credit_sales_90d_prior=None if before is None else before.credit_sales_90d,
        limits_total=limits_total,
        expected_unpaid=expected_unpaid,
        roll_rates=_roll_rates(roll_rates),
    )


def _roll_rates(rows: Iterable[RolledBucket]) -> RollRates:
    rates = {row.bucket: row.rate for row in rows}
    if unknown := sorted(rates.keys() - set(_ROLLING)):
        msg = f"There is no bucket {unknown[0]!r} to roll from; buckets are {', '.join(_ROLLING)}."
        raise ValueError(msg)
    return RollRates(**{name: rates.get(bucket) for bucket, name in zip(_ROLLING, BUCKETS, strict=False)})


def _ageing(owed: Iterable[tuple[OpenInvoice, Decimal]], as_of: date) -> Ageing:
    amounts = [Decimal(0)] * len(BUCKETS)
    customers: list[set[str]] = [set() for _ in BUCKETS]
    for bill, amount in owed:
        at = sum((as_of - bill.due).days > edge for edge in _EDGES)
        amounts[at] += amount
        customers[at].add(bill.customer_ref)
    buckets = (Bucket(amount=amount, customers=len(who)) for amount, who in zip(amounts, customers, strict=True))
    return Ageing(**dict(zip(BUCKETS, buckets, strict=True)))


def risk_rows(ranked: Iterable[RankedCustomer], names: Mapping[str, str]) -> tuple[RiskRow, ...]:
    """Customers at risk from a collection worklist.

    Args:
        ranked: Its rows.
        names: What the shop calls each reference; the reference itself where it is missing.
    """
    return tuple(
        RiskRow(
            name=names.get(row.ref, row.ref),
            overdue=row.overdue,
            days_overdue=row.days_overdue,
            expected_unpaid=row.expected_unpaid,
            action=row.action,
        )
        for row in ranked
    )


def stock_figures(
    items: Iterable[StockItem],
    forecast: Collection[ForecastItem],
    *,
    cost_of_sales_30d: Decimal | None = None,
    before: StockFigures | None = None,
) -> StockFigures:
    """The stock from an inventory forecast.

    Args:
        items: What was forecast: stock and cost of each item.
        forecast: What came back. An item sells if its forecast is above 0, or unknown and the item is not dead.
        cost_of_sales_30d: Cost of what was sold in thirty days, in GHS.
        before: These figures a month earlier, to compare with.

    Raises:
        ValueError: If an item that was forecast is not among the items.
    """
    by_ref = {item.ref: item for item in items}
    if unknown := [row.ref for row in forecast if row.ref not in by_ref]:
        msg = f"{len(unknown)} items of the forecast are not among the items."
        raise ValueError(msg)
    selling = [row for row in forecast if _sells(row)]
    point = StockPoint(
        active_items=len(selling),
        stockout_items=sum(by_ref[row.ref].stock <= 0 for row in selling),
        stock_value=_value(by_ref.values()),
        dead_stock_value=_value(by_ref[row.ref] for row in forecast if row.flag == DEAD),
        cost_of_sales_30d=cost_of_sales_30d,
    )
    order_value = sum((row.order_cost for row in forecast), Decimal(0))
    return StockFigures(current=point, prior=None if before is None else before.current, order_value=order_value)


def _sells(row: ForecastItem) -> bool:
    return row.flag != DEAD if row.fc_units is None else row.fc_units > 0


def _value(items: Iterable[StockItem]) -> Decimal:
    """Stock at cost, to the pesewa."""
    value = sum((Decimal(max(item.stock, 0)) * item.unit_cost for item in items), Decimal(0))
    return value.quantize(Decimal("0.01"))


def active_customers(purchases: Iterable[Purchase], as_of: date) -> tuple[int, int]:
    """Customers who bought in the last thirty days, and in the thirty before."""
    return _active(_purchase_days(purchases), as_of)


def _active(days: Mapping[str, Sequence[date]], as_of: date) -> tuple[int, int]:
    now = sum(_bought(own, as_of - MONTH, as_of) > 0 for own in days.values())
    before = sum(_bought(own, as_of - 2 * MONTH, as_of - MONTH) > 0 for own in days.values())
    return now, before


def customer_figures(
    purchases: Iterable[Purchase], as_of: date, *, segments: Iterable[SegmentTotals] = ()
) -> CustomerFigures:
    """How customers come back, from the purchases of fourteen months or more.

    The repeat purchase rate and the churn rate of a quarter are the usual ones: who bought
    on two days or more, of all who bought in a year; who did not come back in a quarter,
    of all who bought in the one before.

    Args:
        purchases: In any order; those of one day are one, and what came back is set off.
        as_of: Today.
        segments: From a customer analysis; what came back counts as nothing spent.
    """
    days = _purchase_days(purchases)
    kinds = (
        Segment(name=row.segment, customers=row.customers, spend=max(row.spend_12m, Decimal(0))) for row in segments
    )
    return CustomerFigures(
        current=_customer_point(days, as_of), prior=_customer_point(days, as_of - MONTH), segments=tuple(kinds)
    )


def _purchase_days(purchases: Iterable[Purchase]) -> dict[str, list[date]]:
    """The days on which each customer bought, oldest first."""
    spent: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for row in purchases:
        spent[row.customer_ref, row.day] += row.amount
    days: dict[str, list[date]] = defaultdict(list)
    for customer, day in sorted(key for key, amount in spent.items() if amount > 0):
        days[customer].append(day)
    return days


def _customer_point(days: Mapping[str, Sequence[date]], as_of: date) -> CustomerPoint:
    year = [count for own in days.values() if (count := _bought(own, as_of - YEAR, as_of))]
    base = [own for own in days.values() if _bought(own, as_of - 2 * QUARTER, as_of - QUARTER)]
    return CustomerPoint(
        customers=len(year),
        repeat_customers=sum(count >= _REPEAT for count in year),
        base_customers=len(base),
        lost_customers=sum(not _bought(own, as_of - QUARTER, as_of) for own in base),
        new_customers=sum(as_of - MONTH < own[0] <= as_of for own in days.values()),
    )


def _bought(days: Sequence[date], after: date, until: date) -> int:
    """On how many days after one day, up to another."""
    return bisect_right(days, until) - bisect_right(days, after)
