"""What a call earns."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.margin import (
    CHEAPEST_CREDIT,
    FeatureUsage,
    MarginLine,
    call_margin,
    expected_cost,
    loaded_margin,
    margins,
)
from ai_addons.money import Credits, MicroGhs

ROW = FeatureUsage(
    feature="report_summary", calls=2, credits=Credits("0.4"), revenue=MicroGhs(320_000), cost=MicroGhs(16_000)
)
_AMOUNTS = st.integers(0, 10**12).map(MicroGhs)


def test_the_expected_cost_is_tokens_times_price() -> None:
    """Price per token times tokens, exact in pico-dollars."""
    assert expected_cost((1_000, 200), 75_000, 300_000) == 135_000_000


@pytest.mark.parametrize(
    ("price", "cost", "per_credit", "margin"),
    [
        ("1", 0, 500_000, "0.980"),
        ("1", 32_200, 500_000, "0.900"),
        ("5", 161_000, 500_000, "0.900"),
        ("0.1", 3_220, 500_000, "0.900"),
        ("1", 400_000, 500_000, "-0.020"),
        ("5", 200_000, 800_000, "0.918"),
    ],
)
def test_the_margin_counts_extra_attempts_and_the_payment_fee(
    price: str, cost: int, per_credit: int, margin: str
) -> None:
    """At GHS 0.50 a credit, 90 % is left if a credit's worth of calls costs GHS 0.0322, retries and fee counted."""
    assert loaded_margin(Credits(price), MicroGhs(cost), MicroGhs(per_credit)) == Decimal(margin)


def test_a_feature_that_is_given_away_has_no_margin() -> None:
    """Nothing divided by nothing is told as unknown, not as zero."""
    assert loaded_margin(Credits(0), MicroGhs(100)) is None


def test_the_cheapest_credit_is_the_one_of_the_add_on() -> None:
    """GHS 0.50, derived from the list prices and not typed beside them."""
    assert CHEAPEST_CREDIT == 500_000


@pytest.mark.parametrize(
    ("revenue", "cost", "margin"),
    [
        (2_400_000, 200_000, "0.897"),
        (2_400_000, 0, "0.981"),
        (2_400_000, 2_353_200, "0.000"),
        (2_400_000, 3_200_000, "-0.353"),
        (1, 0, "0.000"),
    ],
)
def test_a_call_earns_what_was_paid_for_its_credits(revenue: int, cost: int, margin: str) -> None:
    """5 credits of which 2 were free and 3 from VALUE brought GHS 2.40: fee 0.0468 and cost 0.20 leave 89.7 %."""
    with localcontext(prec=1):
        assert str(call_margin(MicroGhs(revenue), MicroGhs(cost))) == margin


@pytest.mark.parametrize(("revenue", "cost"), [(0, 200_000), (0, 0), (-1, 0), (2_400_000, None), (0, None)])
def test_no_margin_is_made_up(revenue: int, cost: int | None) -> None:
    """Free credits bring nothing to divide by, and an unknown cost is not zero."""
    assert call_margin(MicroGhs(revenue), None if cost is None else MicroGhs(cost)) is None


def test_fee_and_tax_are_the_hosts_to_say() -> None:
    """Tax is taken out of the revenue first; the gateway keeps its share of the whole payment."""
    revenue, cost = MicroGhs(2_400_000), MicroGhs(200_000)
    assert call_margin(revenue, cost, fee=Decimal(0)) == Decimal("0.917")
    assert call_margin(revenue, cost, tax=Decimal("0.20")) == Decimal("0.877")
    assert call_margin(revenue, cost, fee=Decimal("0.05"), tax=Decimal("0.20")) == Decimal("0.840")


def test_the_margin_table_has_a_line_per_feature_and_adds_up() -> None:
    """Days are summed by feature, lines stand by key, and fee and margin follow from the sums."""
    other = FeatureUsage(
        feature="credit_assessment", calls=1, credits=Credits(3), revenue=MicroGhs(2_400_001), cost=MicroGhs(200_000)
    )
    table = margins([ROW, other, replace(ROW, calls=3, credits=Credits("0.6"), revenue=MicroGhs(1), cost=MicroGhs(7))])
    assert table.lines == (
        MarginLine(
            feature="credit_assessment",
            calls=1,
            credits=Credits(3),
            revenue=MicroGhs(2_400_001),
            tax=MicroGhs(0),
            fee=MicroGhs(46_801),
            cost=MicroGhs(200_000),
            unpriced=0,
            margin=Decimal("0.897"),
        ),
        MarginLine(
            feature="report_summary",
            calls=5,
            credits=Credits(1),
            revenue=MicroGhs(320_001),
            tax=MicroGhs(0),
            fee=MicroGhs(6_241),
            cost=MicroGhs(16_007),
            unpriced=0,
            margin=Decimal("0.930"),
        ),
    )
    assert table.total == MarginLine(
        feature="",
        calls=6,
        credits=Credits(4),
        revenue=MicroGhs(2_720_002),
        tax=MicroGhs(0),
        fee=MicroGhs(53_042),
        cost=MicroGhs(216_007),
        unpriced=0,
        margin=Decimal("0.901"),
    )


def test_one_unpriced_call_leaves_the_margin_open() -> None:
    """What is known of the cost is still shown, with how many calls are missing from it."""
    priced = replace(ROW, feature="credit_assessment")
    table = margins([replace(ROW, unpriced=1), replace(ROW, unpriced=2), priced])
    assert [(line.feature, line.unpriced, line.cost, line.margin) for line in (*table.lines, table.total)] == [
        ("credit_assessment", 0, 16_000, Decimal("0.931")),
        ("report_summary", 3, 32_000, None),
        ("", 3, 48_000, None),
    ]


def test_the_table_takes_fee_and_tax_from_the_host() -> None:
    """At 20 % included, a sixth of the revenue is tax; it is not earned, in no line and not in the total."""
    line = margins([ROW], fee=Decimal("0.05"), tax=Decimal("0.20")).lines[0]
    assert (line.tax, line.fee, line.margin) == (53_334, 16_000, Decimal("0.880"))
    both = margins([ROW, replace(ROW, feature="own")], fee=Decimal("0.05"), tax=Decimal("0.20")).total
    assert (both.tax, both.fee, both.margin) == (106_668, 32_000, Decimal("0.880"))


def test_an_empty_table_is_a_total_of_nothing() -> None:
    """Before the first call there are no lines, and no margin is claimed."""
    table = margins([])
    assert table.lines == ()
    assert (table.total.calls, table.total.credits, table.total.revenue, table.total.margin) == (0, Credits(0), 0, None)


@given(
    st.lists(
        st.builds(
            FeatureUsage,
            feature=st.sampled_from("abc"),
            calls=st.integers(0, 9),
            credits=st.integers(0, 10**9).map(Credits.from_micro),
            revenue=_AMOUNTS,
            cost=_AMOUNTS,
            unpriced=st.integers(0, 1),
        )
    )
)
def test_nothing_is_lost_between_rows_lines_and_total(rows: list[FeatureUsage]) -> None:
    """Exact sums: the total is the rows' and the lines', to the micro-cedi."""
    table = margins(rows)
    assert table.total.revenue == sum(row.revenue for row in rows) == sum(line.revenue for line in table.lines)
    assert table.total.cost == sum(row.cost for row in rows) == sum(line.cost for line in table.lines)
    assert table.total.credits.micro == sum(row.credits.micro for row in rows)
    assert table.total.fee == sum(line.fee for line in table.lines)
    assert [line.feature for line in table.lines] == sorted({row.feature for row in rows})
