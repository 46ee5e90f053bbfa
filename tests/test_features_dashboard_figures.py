"""From rows of a shop to the figures of its dashboard."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_addons.features.portfolio_dashboard import (
    Ageing,
    CustomerPoint,
    MarginFigures,
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
from ai_addons.features.portfolio_dashboard.example import AS_OF, example, shop
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
from ai_addons.features.portfolio_dashboard.models import BUCKETS
from tests.portfolio import TODAY, ageing
from tests.sizes import tries


def totals(sales: int, orders: int = 10) -> Any:
    """Totals of a period as a report takes them, with more than the dashboard reads."""
    return SimpleNamespace(
        sales=Decimal(sales),
        gross_profit=Decimal(sales) / 5,
        discounts=Decimal(3),
        returns=Decimal(2),
        credit_sales=Decimal(sales) / 4,
        orders=orders,
        momo=Decimal(1),
    )


def bill(who: str, days_overdue: int, amount: str, paid: str = "0") -> Any:
    """An open bill."""
    due = TODAY - timedelta(days=days_overdue)
    return SimpleNamespace(customer_ref=who, due=due, amount=Decimal(amount), paid_so_far=Decimal(paid))


def purchase(who: str, ago: int, amount: int = 10) -> Any:
    """A purchase so many days ago."""
    return SimpleNamespace(customer_ref=who, day=TODAY - timedelta(days=ago), amount=Decimal(amount))


def bought(who: str, *days_ago: int) -> list[Any]:
    """Purchases of GHS 10."""
    return [purchase(who, ago) for ago in days_ago]


def test_sales_and_margin_come_from_the_totals_of_a_report() -> None:
    """Only what the dashboard shows is read."""
    now, before = totals(100), totals(200, 20)
    assert sales_figures(now, before, last_year=totals(400), active=(7, 9)) == SalesFigures(
        current=SalesPeriod(sales=Decimal(100), orders=10, active_customers=7, credit_sales=Decimal(25)),
        prior=SalesPeriod(sales=Decimal(200), orders=20, active_customers=9, credit_sales=Decimal(50)),
        last_year=Decimal(400),
    )
    assert sales_figures(now, before).current.active_customers is None
    assert margin_figures(now) == MarginFigures.model_validate(
        {"current": {"sales": 100, "gross_profit": 20, "discounts": 3, "returns": 2}}
    )
    prior = margin_figures(now, before).prior
    assert prior is not None
    assert prior.gross_profit == 40


def test_rows_of_a_report_become_storefronts_or_categories() -> None:
    """With the gross profit where the host knows it."""
    rows = [
        SimpleNamespace(ref="Soap", sales=Decimal(5), prior_sales=Decimal(-1)),
        SimpleNamespace(ref="Rice", sales=Decimal(6), prior_sales=Decimal(6)),
    ]
    assert sales_rows(rows, {"Rice": Decimal(2)}) == (
        SalesRow(name="Soap", sales=Decimal(5), sales_prior=Decimal(-1)),
        SalesRow(name="Rice", sales=Decimal(6), sales_prior=Decimal(6), gross_profit=Decimal(2)),
    )


def test_receivables_are_counted_from_open_bills() -> None:
    """Buckets turn at 0, 30, 60 and 90 days; part payments come off; settled bills do not count."""
    bills = [
        bill("a", -5, "10"),
        bill("a", 0, "10"),
        bill("a", 1, "10"),
        bill("b", 30, "20", "5"),
        bill("b", 31, "7"),
        bill("c", 60, "8"),
        bill("c", 61, "9"),
        bill("d", 90, "1"),
        bill("d", 91, "2.50"),
        bill("e", 10, "10", "10"),
        bill("f", 10, "10", "12"),
    ]
    before = ReceivablesFigures.model_validate(
        {"ageing": ageing(1, 0, 0, 0, 0), "debtors": 1, "credit_sales_90d": 77, "top10_owed": 1}
    )
    found = receivables_figures(bills, TODAY, credit_sales_90d=Decimal(90), before=before, expected_unpaid=Decimal(4))
    assert found.ageing == Ageing.model_validate(ageing(20, 25, 15, 10, 0, customers=(1, 2, 2, 2, 0))).model_copy(
        update={"older": found.ageing.older}
    )
    assert (found.ageing.older.amount, found.ageing.older.customers) == (Decimal("2.50"), 1)
    assert (found.debtors, found.top10_owed, found.expected_unpaid) == (4, Decimal("72.50"), Decimal(4))
    assert (found.ageing_prior, found.credit_sales_90d_prior) == (before.ageing, Decimal(77))
    assert found.roll_rates == RollRates()


def test_without_bills_nothing_is_owed() -> None:
    """Empty input gives zeros and not an error."""
    rolled = SimpleNamespace(bucket="days_1_30", rate=Decimal("0.5"))
    found = receivables_figures([], TODAY, credit_sales_90d=Decimal(0), roll_rates=[rolled])
    assert (found.ageing.owed(), found.top10_owed) == (Decimal(0), Decimal(0))
    assert (found.debtors, found.ageing_prior) == (0, None)
    assert found.roll_rates == RollRates(month=Decimal("0.5"))
    with pytest.raises(ValueError, match="no bucket 'over_90' to roll from"):
        receivables_figures(
            [], TODAY, credit_sales_90d=Decimal(0), roll_rates=[SimpleNamespace(bucket="over_90", rate=Decimal(1))]
        )


@settings(max_examples=tries(100), deadline=None)
@given(
    st.lists(
        st.builds(
            bill,
            st.sampled_from([f"c{number}" for number in range(30)]),
            st.integers(-400, 400),
            st.integers(0, 10**6).map(str),
            st.integers(0, 10**6).map(str),
        ),
        max_size=60,
    )
)
def test_buckets_add_up_to_what_is_owed(bills: list[Any]) -> None:
    """An identity over any bills, and the ten largest are no more than all."""
    found = receivables_figures(bills, TODAY, credit_sales_90d=Decimal(0))
    owed = sum((max(one.amount - one.paid_so_far, Decimal(0)) for one in bills), Decimal(0))
    assert sum(found.ageing.bucket(name).amount for name in BUCKETS) == found.ageing.owed() == owed
    assert [found.ageing.owed(beyond=name) for name in BUCKETS] == sorted(
        (found.ageing.owed(beyond=name) for name in BUCKETS), reverse=True
    )
    assert found.top10_owed <= owed
    assert found.debtors > 10 or found.top10_owed == owed


def test_a_worklist_becomes_rows_with_names() -> None:
    """The shop's name for each reference, else the reference."""
    ranked = [
        SimpleNamespace(ref=ref, overdue=Decimal(9), days_overdue=4, expected_unpaid=Decimal(3), action="call")
        for ref in ("k1", "k2")
    ]
    assert risk_rows(ranked, {"k1": "Esi Owusu"}) == tuple(
        RiskRow(name=name, overdue=Decimal(9), days_overdue=4, expected_unpaid=Decimal(3), action="call")
        for name in ("Esi Owusu", "k2")
    )


def test_the_stock_is_counted_from_a_forecast() -> None:
    """Only items that sell can be out of stock; dead stock is valued at cost; what to order is added up."""
    items = [
        SimpleNamespace(ref="a", stock=10, unit_cost=Decimal("1.50")),
        SimpleNamespace(ref="b", stock=0, unit_cost=Decimal(2)),
        SimpleNamespace(ref="c", stock=0, unit_cost=Decimal(9)),
        SimpleNamespace(ref="d", stock=4, unit_cost=Decimal("2.505")),
        SimpleNamespace(ref="e", stock=-3, unit_cost=Decimal(5)),
    ]
    rows = [
        ("a", 5, 0, "ok"),
        ("b", 3, 12, "stockout_risk"),
        ("c", 0, 0, "ok"),
        ("d", 0, 0, "dead_stock"),
        ("e", 1, 5, "stockout_risk"),
    ]
    forecast = [
        SimpleNamespace(ref=r, fc_units=units, order_cost=Decimal(cost), flag=flag) for r, units, cost, flag in rows
    ]
    before = StockFigures(
        current=StockPoint(active_items=1, stockout_items=0, stock_value=Decimal(1), dead_stock_value=Decimal(0))
    )
    found = stock_figures(items, forecast, cost_of_sales_30d=Decimal(30), before=before)
    assert found.current == StockPoint(
        active_items=3,
        stockout_items=2,
        stock_value=Decimal("25.02"),
        dead_stock_value=Decimal("10.02"),
        cost_of_sales_30d=Decimal(30),
    )
    assert (found.order_value, found.prior) == (Decimal(17), before.current)
    assert stock_figures([], []).current.stock_value == 0
    unknown = [
        SimpleNamespace(ref=ref, fc_units=None, order_cost=Decimal(0), flag=flag)
        for ref, flag in (("a", "ok"), ("d", "dead_stock"))
    ]
    assert stock_figures(items, unknown).current.active_items == 1
    with pytest.raises(ValueError, match="1 items of the forecast"):
        stock_figures(items[1:], forecast)


def test_customers_who_bought_in_two_months() -> None:
    """Today counts, the thirtieth day before does not."""
    purchases = [
        *bought("a", 0),
        *bought("b", 29),
        *bought("c", 30),
        *bought("d", 59),
        *bought("e", 60),
        *bought("f", -1),
    ]
    assert active_customers(purchases, TODAY) == (2, 2)


def test_repeat_and_lost_customers_worked_out_by_hand() -> None:
    """Repeat within a year, lost in a quarter, new within a month; refunds and same-day purchases are set off."""
    purchases = [
        *bought("comes back", 200, 100, 5),
        *bought("lost", 120, 110),
        *bought("same day", 10, 10),
        *bought("new", 3),
        *bought("long ago", 366),
        *bought("edge of the year", 364),
        *bought("future", -2),
        *bought("sent it all back", 20),
        purchase("sent it all back", 20, -10),
    ]
    kinds = [
        SimpleNamespace(segment=name, customers=9, spend_12m=Decimal(spend))
        for name, spend in (("new", 90), ("one_off", -4))
    ]
    found = customer_figures(purchases, TODAY, segments=kinds)
    assert found.current == CustomerPoint(
        customers=5, repeat_customers=2, base_customers=2, lost_customers=1, new_customers=2
    )
    assert found.prior == CustomerPoint(
        customers=4, repeat_customers=2, base_customers=2, lost_customers=0, new_customers=0
    )
    assert found.segments == (
        Segment(name="new", customers=9, spend=Decimal(90)),
        Segment(name="one_off", customers=9, spend=Decimal(0)),
    )


def test_no_purchases_make_no_customers() -> None:
    """Empty input gives zeros and not an error."""
    assert customer_figures([], TODAY).current == CustomerPoint(
        customers=0, repeat_customers=0, base_customers=0, lost_customers=0, new_customers=0
    )


@settings(max_examples=tries(100), deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(-5, 500), st.integers(-50, 50)), max_size=80))
def test_customer_counts_are_parts_of_each_other(rows: list[tuple[str, int, int]]) -> None:
    """Whatever was bought and sent back, a part never exceeds its whole, and order does not matter."""
    purchases = [purchase(who, ago, amount) for who, ago, amount in rows]
    found = customer_figures(purchases, TODAY)
    assert found == customer_figures(reversed(purchases), TODAY)
    assert found.current.repeat_customers <= found.current.customers <= 8
    assert found.current.lost_customers <= found.current.base_customers <= found.current.customers
    assert active_customers(purchases, TODAY)[0] <= found.current.customers


def test_the_example_is_the_same_every_time_and_grows_with_its_customers() -> None:
    """Seeded: demo, docs and cost tables show the same shop."""
    assert example(200) == example(200)
    assert example(200).as_of == AS_OF
    small, large = shop(100), shop(200)
    assert (len(small.names), len(large.names)) == (100, 200)
    assert len({row.customer_ref for row in small.purchases}) == 100
    found = example(60)
    assert None not in {found.sales, found.margin, found.receivables, found.stock, found.customers}
    assert len(found.months) == 12
