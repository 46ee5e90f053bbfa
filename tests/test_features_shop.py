"""What features take of a shop's rows, and what an owner reads of results, case by case."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons import Credits, Money
from ai_addons.catalog import Pack
from ai_addons.cli.tour import worth
from ai_addons.features.charts import ForecastChart
from ai_addons.features.collection_analysis import Capacity, collection_analysis
from ai_addons.features.collection_analysis.ageing import bucket_of
from ai_addons.features.collection_message import CollectionPolicy, english
from ai_addons.features.collection_message.example import example as bill_of
from ai_addons.features.collection_message.results import blocked, by_rules, case_of
from ai_addons.features.credit_assessment import credit_assessment
from ai_addons.features.credit_assessment.example import example as application
from ai_addons.features.inventory_forecast import StockItem, StockRequest, inventory_forecast
from ai_addons.features.portfolio_dashboard import portfolio_dashboard
from ai_addons.features.product_description import Product, product_description
from ai_addons.features.report_summary import report_summary
from ai_addons.features.shop import (
    BadTrade,
    ContactLine,
    InvoiceLine,
    SaleLine,
    Shop,
    StockLine,
    Trade,
    inputs,
    pages,
    portfolio,
)

if TYPE_CHECKING:
    from ai_addons.features.inventory_forecast import InventoryForecast

TODAY = date(2026, 11, 20)
SHOP = Shop(name="Adom Store", business_id="b", phone="", as_of=TODAY)


def by_code(feature: Any, taken: object) -> Any:
    """A feature's result without a model: its figures, and words by rules."""
    prompt = feature.__wrapped__(taken)
    return (prompt.result[0] if prompt.result is not None else prompt.fallback()).data


def sale(day: date, amount: str, *, units: int = 1, customer: str | None = None, number: str = "1") -> SaleLine:
    """One line of rice, sold for cash."""
    return SaleLine(
        day=day,
        sale=number,
        customer=customer,
        item="Rice",
        units=Decimal(units),
        amount=Decimal(amount),
        discount=Decimal(1) if units > 0 else Decimal(0),
        paid_by="cash" if customer is None else "credit",
    )


RICE = StockLine(
    item="Rice", category="groceries", stock=Decimal(3), lead_days=3, unit_cost=Decimal(80), unit_price=Decimal(100)
)


AMA = ContactLine(customer="Ama", current_limit=Decimal(500), tenure_months=9, consent=True)


def trade(*sales: SaleLine, bills: tuple[InvoiceLine, ...] = (), contacts: tuple[ContactLine, ...] = ()) -> Trade:
    """A shop that sells rice."""
    return Trade(as_of=TODAY, sales=sales, stock=(RICE,), invoices=bills, contacts=contacts)


def bill(ref: str, due: date, *, paid: date | None = None, part: int = 0) -> InvoiceLine:
    """A bill of GHS 200 to Ama, due after thirty days."""
    return InvoiceLine(
        ref=ref,
        customer_ref="Ama",
        issued=date.fromordinal(due.toordinal() - 30),
        due=due,
        amount=Decimal(200),
        paid=paid,
        paid_so_far=Decimal(part),
    )


@pytest.mark.parametrize(
    ("rows", "table", "what"),
    [
        ({"stock": (RICE, RICE)}, "stock", "has the same item twice"),
        ({"stock": ()}, "sales", "sells 'Rice', which stock does not have"),
        ({"sales": (sale(date(2026, 11, 21), "100"),)}, "sales", "has a day after as_of, 2026-11-20"),
        ({"invoices": (bill("B-1", TODAY), bill("B-1", TODAY))}, "invoices", "has the same ref twice"),
        ({"invoices": (bill("B-1", TODAY, paid=date(2026, 11, 21)),)}, "invoices", "has a day after as_of, 2026-11-20"),
        ({"contacts": (AMA, AMA)}, "contacts", "has the same customer twice"),
    ],
)
def test_rows_that_do_not_fit_together_are_refused(rows: dict[str, Any], table: str, what: str) -> None:
    """Whoever made them, and before anything is made of them."""
    given: dict[str, Any] = {"as_of": TODAY, "sales": (sale(TODAY, "100"),), "stock": (RICE,)}
    with pytest.raises(BadTrade) as refused:
        Trade(**given | rows)
    assert (str(refused.value), refused.value.table, refused.value.what) == (f"{table}: {what}", table, what)


def test_a_shop_that_has_sold_nothing_yet_has_thin_data_and_no_error() -> None:
    """Every feature takes its rows; what they are too few for is said in the result."""
    empty = trade()
    report, owed = inputs.report(empty), inputs.receivables(empty)
    assert report.totals.sales == 0
    assert report.same_period_last_year is None
    assert [(day.day, day.open) for day in report.days] == [(TODAY, False)]
    assert pages.report(by_code(report_summary, report)).text[-1] == (
        "- There are too few trading days to say what changed."
    )
    worklist = by_code(collection_analysis, owed)
    assert pages.collection(worklist).headline == "No customer owes anything."
    request = inputs.stock(empty)
    assert request.items[0].sales == (Decimal(0),)
    forecast = by_code(inventory_forecast, request)
    figures = portfolio(empty, inputs.question(empty), worklist, request, forecast)
    assert figures.months == ()
    assert pages.dashboard(by_code(portfolio_dashboard, figures)).chart is not None


def test_a_shop_asks_and_calls_as_it_can() -> None:
    """Its own question, and how many customers it can contact; without either the usual ones."""
    shop = trade(sale(TODAY, "100", customer="Ama"))
    assert (inputs.question(shop).question, inputs.question(shop, "Who buys rice?").question) == (
        inputs.QUESTION,
        "Who buys rice?",
    )
    able = Capacity(calls_per_day=5, days=2)
    assert (inputs.receivables(shop).capacity, inputs.receivables(shop, capacity=able).capacity) == (
        inputs.CAPACITY,
        able,
    )


def test_totals_net_returns_and_split_payments() -> None:
    """Returns are taken off sales and counted; cost is today's; lines of one number are one sale."""
    lines = [
        sale(TODAY, "199", units=2),
        sale(TODAY, "100", customer="Ama", number="2"),
        sale(TODAY, "-100", units=-1, number="3"),
    ]
    made = inputs.totals(lines, [RICE])
    assert made.model_dump() == {
        "sales": Decimal(199),
        "gross_profit": Decimal("39.00"),
        "discounts": Decimal(2),
        "returns": Decimal(100),
        "credit_sales": Decimal(100),
        "cash": Decimal(99),
        "momo": Decimal(0),
        "orders": 3,
    }


def test_a_period_of_returns_counts_as_no_sales() -> None:
    """More came back than was sold: no part of it is larger than the whole."""
    made = inputs.totals([sale(TODAY, "-300", units=-3), sale(TODAY, "100", customer="Ama")], [RICE])
    assert {made.sales, made.credit_sales, made.cash} == {Decimal(0)}
    assert made.gross_profit == Decimal("-40.00")


def test_thirty_days_end_today() -> None:
    """The thirtieth day back is in the period, the one before it in the prior one; no year without records."""
    made = inputs.report(trade(sale(date(2026, 10, 22), "100"), sale(date(2026, 10, 21), "150")))
    assert (made.period.start, made.prior_period.end) == (date(2026, 10, 22), date(2026, 10, 21))
    assert (made.totals.sales, made.prior_totals.sales, made.last_year) == (Decimal(100), Decimal(150), None)
    assert (made.days[0].day, made.days[0].open, made.days[2].open) == (date(2026, 10, 21), True, False)
    assert (made.categories[0].sales, made.categories[0].prior_sales) == (Decimal(100), Decimal(150))


def test_weeks_of_sales_end_today_and_keep_what_came_back() -> None:
    """Two weeks of records give two values, oldest first; returns are not taken off."""
    made = inputs.stock(
        trade(sale(date(2026, 11, 13), "400", units=4), sale(TODAY, "100"), sale(TODAY, "-100", units=-1))
    )
    assert made.items[0].sales == (Decimal(4), Decimal(1))
    assert (made.items[0].ref, made.items[0].stock, made.items[0].review_days) == ("Rice", Decimal(3), 7)
    assert [event.name for event in made.events] == ["Christmas"]


def test_christmas_is_named_when_it_is_near() -> None:
    """Within sixty days before it, and not afterwards."""
    spring = Trade(
        as_of=date(2026, 3, 1), sales=(sale(date(2026, 3, 1), "1"),), stock=(RICE,), invoices=(), contacts=()
    )
    assert inputs.stock(spring).events == ()


def test_bills_are_open_or_settled_and_seen_from_the_last_month_end() -> None:
    """A part payment is taken off today; what was open in October is told in full."""
    bills = (
        bill("B-1", date(2026, 10, 20), part=50),
        bill("B-2", date(2026, 10, 10), paid=date(2026, 11, 5)),
        bill("B-3", date(2026, 12, 1)),
        bill("B-4", date(2024, 10, 1), paid=date(2024, 10, 1)),
        bill("B-5", date(2026, 9, 30), part=200),
    )
    made = inputs.receivables(trade(sale(TODAY, "100", customer="Ama"), bills=bills))
    assert [(one.ref, one.outstanding) for one in made.open_invoices] == [("B-1", Decimal(150)), ("B-3", Decimal(200))]
    assert [one.paid for one in made.settled_invoices] == [date(2026, 11, 5)]
    assert [(one.ref, one.bucket, one.amount) for one in made.month_end_buckets] == [
        ("B-1", bucket_of(11), Decimal(200)),
        ("B-2", bucket_of(21), Decimal(200)),
        ("B-5", bucket_of(31), Decimal(200)),
    ]
    assert made.credit_sales_90d == 100


def test_a_reminder_is_of_the_oldest_bill_of_a_customer_who_is_known() -> None:
    """The counter stands for a number that is missing; customers who are not in customers.csv get none."""
    bills = (bill("B-1", date(2026, 11, 18)), bill("B-2", date(2026, 10, 20), part=50))
    ama = ContactLine(customer="Ama", current_limit=Decimal(500), tenure_months=9, consent=True)
    made = inputs.reminders(trade(bills=bills, contacts=(ama,)), SHOP)
    ask = made["Ama"]
    assert (ask.due_date, ask.outstanding, ask.partial_paid) == (date(2026, 10, 20), Decimal(150), True)
    assert (ask.contact, ask.consent, ask.last_contact_days) == ("the counter", True, None)
    assert inputs.reminders(trade(bills=bills), SHOP) == {}


def fallback_forecast(request: StockRequest) -> InventoryForecast:
    """The forecast with words made by code."""
    prompt = inventory_forecast.__wrapped__(request)
    assert prompt.fallback is not None
    return prompt.fallback().data


def item(ref: str, *sales: int, stock: int = 0) -> StockItem:
    """An item ordered in a week."""
    return StockItem(
        ref=ref,
        sales=tuple(map(Decimal, sales)),
        stock=Decimal(stock),
        lead_days=7,
        review_days=7,
        unit_cost=Decimal(5),
    )


def test_a_picture_counts_in_spans_that_compare_with_the_forecast() -> None:
    """Two weeks at a time for a protection period of two weeks; labels are their last days."""
    request = StockRequest(as_of=TODAY, items=(item("Soap", *[10] * 26),))
    chart = pages.forecast(fallback_forecast(request), request).chart
    assert isinstance(chart, ForecastChart)
    assert chart.title == "Soap, 2 weeks at a time"
    assert [(point.label, point.value) for point in chart.history][-2:] == [
        ("to 06 Nov", Decimal(20)),
        ("to 20 Nov", Decimal(20)),
    ]


def test_goods_that_seldom_sell_have_no_picture() -> None:
    """Where the mean lies outside the range that most weeks keep, or there is nothing to order."""
    request = StockRequest(as_of=TODAY, items=(item("Soap", *[10] * 26),))
    found = fallback_forecast(request)
    row = found.items[0]
    skewed = found.model_copy(update={"items": (row.model_copy(update={"fc_units": Decimal(row.hi + 1)}),)})
    page = pages.forecast(skewed, request)
    assert page.grid is not None
    assert page.chart is None
    enough = StockRequest(as_of=TODAY, items=(item("Soap", *[10] * 26, stock=1_000),))
    page = pages.forecast(fallback_forecast(enough), enough)
    assert (page.grid, page.chart) == (None, None)


def test_a_claim_that_needs_proof_is_said() -> None:
    """The owner checks such copy before use."""
    balm = Product(as_of=TODAY, name="Organic Balm", category="beauty", attributes={"form": "balm"})
    prompt = product_description.__wrapped__(balm)
    assert prompt.fallback is not None
    assert pages.description(prompt.fallback().data).text[-1].startswith("Please check it before use")


def test_a_reminder_says_why_there_is_none_or_when_to_send_it() -> None:
    """The reason in words; else the message with its hours, or without where there are none."""
    known = case_of(bill_of(20), CollectionPolicy(), english(), "Africa/Accra")
    assert pages.message(blocked(known, "dispute_open").data).text == ("The reason: the bill is in dispute.",)
    written = by_rules(known).data
    assert pages.message(written).text[-1] == (
        "Send it on Friday 20 November, 08:00 to 19:00. Nothing is sent by itself: a person reads, approves and "
        "sends it."
    )
    open_end = written.model_copy(update={"send_not_after": None})
    assert pages.message(open_end).text[-1].startswith("Nothing is sent by itself")


def test_an_assessment_opens_with_the_decision() -> None:
    """The decision is the headline, the owner's note the last line."""
    prompt = credit_assessment.__wrapped__(application())
    assert prompt.fallback is not None
    found = prompt.fallback().data
    page = pages.assessment(found)
    assert f"score {int(found.credit_score)} of 100" in page.headline
    assert page.text[-1] == found.owner_note


def test_credits_are_worth_what_the_pack_costs() -> None:
    """18.3 of 100 credits for GHS 80; nothing where the pack is not sold."""
    value = Pack(type="VALUE", price=Money("80"), credits=Credits("100"))
    assert worth([value], Credits("18.3")) == Money("14.64")
    assert worth([], Credits("18.3")) is None
