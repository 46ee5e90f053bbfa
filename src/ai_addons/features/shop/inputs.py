"""From a shop's tables to what each feature takes. Thirty days are reported beside the thirty before."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features.collection_analysis import Capacity, MonthEndAmount, OpenInvoice, Receivables, SettledInvoice
from ai_addons.features.collection_analysis.ageing import bucket_of
from ai_addons.features.collection_message import CollectionRequest
from ai_addons.features.customer_insight import CustomerQuestion, Purchase
from ai_addons.features.inventory_forecast import Event, StockItem, StockRequest
from ai_addons.features.report_summary import (
    CategorySales,
    DaySales,
    Period,
    ProductSales,
    SalesReport,
    Sold,
    Totals,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ai_addons.features.collection_analysis import CollectionAnalysis
    from ai_addons.features.shop.records import Shop
    from ai_addons.features.shop.tables import ContactLine, InvoiceLine, PaidBy, SaleLine, StockLine, Trade

__all__ = [
    "CAPACITY",
    "MONTH",
    "QUARTER",
    "QUESTION",
    "YEAR",
    "categories",
    "first_day",
    "first_to_remind",
    "open_bills",
    "open_on",
    "question",
    "receivables",
    "reminders",
    "report",
    "stock",
    "totals",
    "within",
]

QUESTION: Final = "Which good customers are at risk of leaving?"
"""Asked where nothing else is."""
CAPACITY: Final = Capacity(calls_per_day=1, days=3)
"""Of an owner who also serves at the counter."""
MONTH: Final = timedelta(days=30)
QUARTER: Final = timedelta(days=90)
YEAR: Final = timedelta(days=365)
_WEEK: Final = 7
_WEEKS: Final = 30
_DAYS: Final = 150  # enough of the same weekdays before a day to say whether it stands out
_KEPT: Final = timedelta(days=700)  # of settled bills: within the 24 months that the analysis looks back
_SOON: Final = timedelta(days=60)
_COUNTER: Final = "the counter"
_NONE: Final = Decimal(0)
_PESEWA: Final = Decimal("0.01")


def within(lines: Iterable[SaleLine], end: date, span: timedelta = MONTH) -> list[SaleLine]:
    """The lines of a span of days that ends on a day, that day included."""
    return [line for line in lines if end - span < line.day <= end]


def totals(lines: Sequence[SaleLine], stock: Iterable[StockLine]) -> Totals:
    """Sums of a period. Costs are today's; a period in which more came back than was sold counts as no sales."""
    costs = {line.item: line.unit_cost for line in stock}
    sales = sum((line.amount for line in lines), _NONE)
    cost = sum((line.units * costs[line.item] for line in lines), _NONE).quantize(_PESEWA)
    return Totals(
        sales=max(sales, _NONE),
        gross_profit=sales - cost,
        discounts=sum((line.discount for line in lines), _NONE),
        returns=-sum((line.amount for line in lines if line.amount < 0), _NONE),
        credit_sales=min(_paid(lines, "credit"), max(sales, _NONE)),
        cash=_paid(lines, "cash"),
        momo=_paid(lines, "momo"),
        orders=len({line.sale for line in lines}),
    )


def _paid(lines: Iterable[SaleLine], by: PaidBy) -> Decimal:
    return max(sum((line.amount for line in lines if line.paid_by == by), _NONE), _NONE)


def first_day(trade: Trade) -> date:
    """Day of the first sale; the day that the records describe where nothing was sold yet."""
    return min((line.day for line in trade.sales), default=trade.as_of)


def report(trade: Trade) -> SalesReport:
    """The last thirty days beside the thirty before, and beside the same days last year if they were recorded."""
    now, before, past = (within(trade.sales, trade.as_of - back) for back in (0 * MONTH, MONTH, YEAR))
    first = first_day(trade)
    year = _period(trade.as_of - YEAR)
    recorded = first <= year.start
    return SalesReport(
        as_of=trade.as_of,
        period=_period(trade.as_of),
        prior_period=_period(trade.as_of - MONTH),
        same_period_last_year=year if recorded else None,
        totals=totals(now, trade.stock),
        prior_totals=totals(before, trade.stock),
        last_year=totals(past, trade.stock) if recorded else None,
        products=tuple(_product(line, now, before) for line in trade.stock),
        categories=categories(trade),
        days=tuple(_days(trade.sales, max(first, trade.as_of - timedelta(days=_DAYS)), trade.as_of)),
    )


def _period(end: date) -> Period:
    return Period(start=end - MONTH + timedelta(days=1), end=end)


def _product(line: StockLine, now: Iterable[SaleLine], before: Iterable[SaleLine]) -> ProductSales:
    current, prior = (_sold(line, [one for one in lines if one.item == line.item]) for lines in (now, before))
    return ProductSales(ref=line.item, category=line.category, current=current, prior=prior)


def _sold(line: StockLine, lines: Iterable[SaleLine]) -> Sold:
    units = sum((one.units for one in lines), _NONE)
    sales = sum((one.amount for one in lines), _NONE)
    return Sold(units=units, sales=sales, cost=(units * line.unit_cost).quantize(_PESEWA))


def categories(trade: Trade) -> tuple[CategorySales, ...]:
    """Each category in both periods."""
    where = {line.item: line.category for line in trade.stock}
    found: list[CategorySales] = []
    for name in dict.fromkeys(where.values()):
        own = [line for line in trade.sales if where[line.item] == name]
        now, before = within(own, trade.as_of), within(own, trade.as_of - MONTH)
        found.append(
            CategorySales(
                ref=name,
                sales=sum((line.amount for line in now), _NONE),
                orders=len({line.sale for line in now}),
                prior_sales=sum((line.amount for line in before), _NONE),
                prior_orders=len({line.sale for line in before}),
            )
        )
    return tuple(found)


def _days(lines: Iterable[SaleLine], first: date, last: date) -> Iterable[DaySales]:
    """Every day; one without any sale was closed."""
    sales: dict[date, Decimal] = defaultdict(Decimal)
    orders: dict[date, set[str]] = defaultdict(set)
    for line in lines:
        sales[line.day] += line.amount
        orders[line.day].add(line.sale)
    for back in range((last - first).days, -1, -1):
        day = last - timedelta(days=back)
        count = len(orders[day])
        yield DaySales(day=day, sales=sales[day], orders=count, open=count > 0)


def question(trade: Trade, asked: str = QUESTION) -> CustomerQuestion:
    """A question about the customers who are known, with all that they bought.

    Args:
        trade: The shop's records.
        asked: The question.
    """
    where = {line.item: line.category for line in trade.stock}
    bought = tuple(
        Purchase(
            customer_ref=line.customer,
            day=line.day,
            amount=line.amount,
            on_credit=line.paid_by == "credit",
            category=where[line.item],
        )
        for line in trade.sales
        if line.customer is not None
    )
    return CustomerQuestion(as_of=trade.as_of, question=asked, purchases=bought)


def receivables(trade: Trade, *, capacity: Capacity = CAPACITY) -> Receivables:
    """Open and settled bills, and what was open at the last month end.

    Args:
        trade: The shop's records.
        capacity: How many customers the shop can contact.
    """
    end = trade.as_of.replace(day=1) - timedelta(days=1)
    settled = (bill for bill in trade.invoices if bill.paid is not None and bill.issued > trade.as_of - _KEPT)
    return Receivables(
        as_of=trade.as_of,
        open_invoices=open_bills(trade),
        settled_invoices=tuple(
            SettledInvoice(customer_ref=bill.customer_ref, issued=bill.issued, due=bill.due, paid=bill.paid)
            for bill in settled
            if bill.paid is not None
        ),
        credit_sales_90d=_paid(within(trade.sales, trade.as_of, QUARTER), "credit"),
        month_end_buckets=tuple(
            MonthEndAmount(ref=bill.ref, bucket=bucket_of((end - bill.due).days), amount=bill.amount)
            for bill in open_on(trade, end)
        ),
        capacity=capacity,
    )


def open_bills(trade: Trade) -> tuple[OpenInvoice, ...]:
    """Bills that are not paid in full."""
    return tuple(
        OpenInvoice(**bill.model_dump(exclude={"paid"}))
        for bill in trade.invoices
        if bill.paid is None and bill.outstanding
    )


def open_on(trade: Trade, day: date) -> list[InvoiceLine]:
    """Bills that were open on an earlier day. Days of part payments are not known, so they count as still owed."""
    return [bill for bill in trade.invoices if bill.issued <= day and (bill.paid is None or bill.paid > day)]


def reminders(trade: Trade, shop: Shop) -> dict[str, CollectionRequest]:
    """A reminder of the oldest open bill of each credit customer, by customer.

    Args:
        trade: The shop's records.
        shop: Its name and number.
    """
    contacts = {line.customer: line for line in trade.contacts}
    oldest: dict[str, OpenInvoice] = {}
    for bill in sorted(open_bills(trade), key=lambda bill: bill.due):
        oldest.setdefault(bill.customer_ref, bill)
    return {
        name: _request(trade.as_of, shop, bill, contacts[name]) for name, bill in oldest.items() if name in contacts
    }


def first_to_remind(worklist: CollectionAnalysis, ready: Mapping[str, CollectionRequest]) -> CollectionRequest | None:
    """Who is overdue and first of the worklist to be written to, else to be called; None if there is nobody.

    Args:
        worklist: What the analysis made of the bills.
        ready: Reminders by customer.
    """
    late = [one for one in worklist.ranked if one.overdue and one.ref in ready]
    found = (ready[one.ref] for action in ("message", "call") for one in late if one.action == action)
    return next(found, None)


def _request(as_of: date, shop: Shop, bill: OpenInvoice, contact: ContactLine) -> CollectionRequest:
    ago = None if bill.last_contact is None else (as_of - bill.last_contact).days
    return CollectionRequest(
        as_of=as_of,
        channel="whatsapp",
        outstanding=bill.outstanding,
        due_date=bill.due,
        partial_paid=bill.paid_so_far > 0,
        dispute_open=bill.dispute,
        promise_date=bill.promise_date,
        relationship_months=contact.tenure_months,
        last_contact_days=ago,
        contacts_last_7d=int(ago is not None and ago <= _WEEK),
        consent=contact.consent,
        opted_out=contact.opted_out,
        customer_name=contact.customer,
        shop_name=shop.name,
        contact=shop.phone or _COUNTER,
    )


def stock(trade: Trade) -> StockRequest:
    """Thirty weeks of sales of each item, fewer where the records are younger."""
    christmas = date(trade.as_of.year, 12, 25)
    first = first_day(trade)
    weeks = min(_WEEKS, (trade.as_of - first).days // _WEEK + 1)
    return StockRequest(
        as_of=trade.as_of,
        items=tuple(_item(line, _weekly(trade, line.item, weeks)) for line in trade.stock),
        events=(Event(date=christmas, name="Christmas"),) if timedelta(0) <= christmas - trade.as_of <= _SOON else (),
    )


def _weekly(trade: Trade, item: str, weeks: int) -> tuple[Decimal, ...]:
    """Units sold a week, oldest first; what came back is not taken off."""
    units = [_NONE] * weeks
    for line in trade.sales:
        back = (trade.as_of - line.day).days // _WEEK
        if line.item == item and line.units > 0 and back < weeks:
            units[weeks - 1 - back] += line.units
    return tuple(units)


def _item(line: StockLine, sales: tuple[Decimal, ...]) -> StockItem:
    return StockItem(ref=line.item, sales=sales, **line.model_dump(exclude={"item", "category"}))
