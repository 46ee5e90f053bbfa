"""What subscribers would bring, and what a month will have cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.forecast import DayCost, SpendForecast, forecast_spend
from ai_addons.billing.margin_report import NO_PACK, PaidCall, Payer, add_calls, make_report, pack_of, split
from ai_addons.billing.projection import Scenario, Share, plan_scenarios, project
from ai_addons.money import MicroGhs, Money, PicoUsd

VALUE: Final = Share(what="VALUE", price=Money(80), weight=Decimal(1), margin=Decimal("0.70"))
TEN: Final = Scenario(name="ten", subscribers=100, adoption=Decimal("0.10"), mix=(VALUE,))
TODAY: Final = date(2026, 11, 26)


def amounts(scenario: Scenario) -> tuple[str, ...]:
    """A month's revenue, cost, profit and margin, and a year's profit."""
    made = project(scenario)
    return (
        *(str(money.decimal) for money in (made.revenue, made.cost, made.profit)),
        str(made.margin),
        str(made.yearly_profit.decimal),
    )


# Projection.


def test_both_scenarios_of_the_first_plan_come_out() -> None:
    """10 of 100 buy VALUE; 20 buy VALUE and 10 the add-on at 50, cost 24 and 15 each."""
    first, second = plan_scenarios([("VALUE", Money(80)), ("ADDON", Money(50))])
    assert amounts(first) == ("800.00", "240.00", "560.00", "0.700", "6720.00")
    assert amounts(second) == ("2100.00", "630.00", "1470.00", "0.700", "17640.00")
    assert [(line.what, line.buyers, line.cost) for line in project(second).lines] == [
        ("VALUE", Decimal("20.00"), Money(480)),
        ("ADDON", Decimal("10.00"), Money(150)),
    ]


def test_a_fee_is_cost() -> None:
    """1.95 % of 800 are 15.60."""
    assert amounts(replace(TEN, fee=Decimal("0.0195")))[1:3] == ("255.60", "544.40")


def test_nobody_brings_nothing() -> None:
    """And has no margin."""
    assert amounts(replace(TEN, subscribers=0)) == ("0.00", "0.00", "0.00", "None", "0.00")


def test_buyers_are_an_average() -> None:
    """A third of ten is no whole number; pesewas are rounded, halves up."""
    made = project(replace(TEN, mix=(VALUE, replace(VALUE, what="B", weight=Decimal(2)))))
    assert [(line.buyers, line.revenue) for line in made.lines] == [
        (Decimal("3.33"), Money("266.67")),
        (Decimal("6.67"), Money("533.33")),
    ]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"subscribers": -1}, "fewer than no subscribers"),
        ({"adoption": Decimal("1.1")}, "adoption is a share"),
        ({"fee": Decimal(-1)}, "the fee is a share"),
        ({"mix": ()}, "says nothing of what is bought"),
        ({"mix": (replace(VALUE, weight=Decimal(0)),)}, "says nothing of what is bought"),
        ({"mix": (replace(VALUE, weight=Decimal(-1)),)}, "less than never"),
        ({"mix": (replace(VALUE, margin=Decimal(2)),)}, "a margin is a share"),
        ({"mix": (replace(VALUE, price=Money(1, "USD")),)}, "prices are in cedis"),
    ],
)
def test_what_no_shop_could_be_is_refused(changes: dict[str, Any], refusal: str) -> None:
    """Each with what is wrong."""
    with pytest.raises(ValueError, match=refusal):
        replace(TEN, **changes)


# Forecast.


def spend(costs: dict[date, int], today: date = TODAY) -> SpendForecast:
    """A forecast from days' costs in pico-USD."""
    days = {day: DayCost(cost=PicoUsd(cost), cost_ghs=MicroGhs(cost), unpriced=1) for day, cost in costs.items()}
    return forecast_spend(days, today, Random(1))  # noqa: S311  # resamples, no secret


def before(days: int) -> date:
    """A day some days ago."""
    return TODAY - timedelta(days=days)


def test_a_month_goes_on_as_the_last_28_days_did() -> None:
    """25 whole days of November at 10 are booked, and five are left; what a day before that cost does not matter."""
    found = spend({before(age): 10 for age in range(1, 29)} | {before(29): 10**9})
    assert (found.month, found.days_left, found.spent, found.from_days) == ("2026-11", 5, 250, 28)
    assert (found.expected, found.interval, found.unpriced) == (300, (300, 300), 25)


def test_days_that_differ_make_the_interval_wide() -> None:
    """Every second day costs 20, the others nothing: between one and nine tenths of five such days."""
    found = spend({before(age): 20 * (age % 2) for age in range(1, 29)})
    assert found.expected == 260 + 50
    assert found.interval == (260, 360)


def test_quiet_days_count_and_days_before_the_first_call_do_not() -> None:
    """Ten days ago it began; the five days without a call are part of the mean."""
    found = spend({before(10): 10, before(1): 10})
    assert (found.from_days, found.expected) == (10, 20 + 5 * 20 // 10)


def test_what_is_spent_today_already_cannot_be_unspent() -> None:
    """A day ten times the usual one: neither figure is below what is booked."""
    found = spend({before(age): 10 for age in range(1, 11)} | {TODAY: 1_000})
    assert (found.spent, found.expected, found.interval) == (1_100, 1_100, (1_100, 1_100))


def test_few_days_give_no_interval() -> None:
    """Six are too few; one gives a mean, none gives nothing."""
    assert spend({before(6): 10}).interval is None
    assert spend({before(7): 10}).interval is not None
    assert (spend({TODAY: 10}).expected, spend({}).expected) == (10, 0)


def test_a_forecast_is_plain_data() -> None:
    """Amounts are decimal strings; what cannot be told is null."""
    plain = spend({before(1): 10**12}).for_operator()
    assert (plain["spent_usd"], plain["expected_usd"], plain["interval_usd"]) == (
        "1.000000000000",
        "6.000000000000",
        None,
    )
    assert plain["method"].startswith("Booked so far")
    assert (
        spend({before(age): 10**12 for age in range(1, 11)}).for_operator()["interval_usd"] == ["15.000000000000"] * 2
    )


# Margins by pack.


@pytest.mark.parametrize(
    ("source", "pack", "name"),
    [
        ("purchase", "VALUE", "VALUE"),
        ("bonus", "PRO", "PRO"),
        ("purchase", None, "purchase"),
        ("addon", None, "ADDON"),
        ("rollover", None, "ADDON"),
        ("trial", None, "trial"),
        ("adjustment", "VALUE", "adjustment"),
    ],
)
def test_a_grant_is_called_by_what_was_sold(source: str, pack: str | None, name: str) -> None:
    """The pack of its order, the add-on, else where it came from."""
    assert pack_of(source, pack) == name


@given(st.integers(0, 10**18), st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_nothing_is_lost_in_sharing_out(whole: int, weights: list[int]) -> None:
    """Parts add up, none is below zero, and each is within one of its exact share."""
    parts = split(whole, weights)
    assert sum(parts) == whole
    assert min(parts) >= 0
    if sum(weights):
        assert all(
            abs(part - Fraction(whole * weight, sum(weights))) < 1 for part, weight in zip(parts, weights, strict=True)
        )


def test_without_weights_the_last_gets_all() -> None:
    """Credits that were given away are worth nothing, and earn nothing."""
    assert split(7, [0, 0]) == [0, 7]


_PAYERS: Final = st.lists(
    st.builds(
        Payer,
        pack=st.sampled_from(["VALUE", "trial", "ADDON"]),
        used=st.integers(1, 10**8),
        worth=st.integers(0, 10**9),
        size=st.integers(1, 10**9),
    ),
    max_size=3,
).map(tuple)
_CALLS: Final = st.lists(
    st.builds(
        PaidCall,
        feature=st.sampled_from(["a", "b"]),
        charged=st.integers(0, 10**8),
        revenue=st.integers(0, 10**9),
        cost=st.none() | st.integers(0, 10**15),
        cost_ghs=st.integers(0, 10**9),
        payers=_PAYERS,
    ),
    max_size=6,
)


@given(_CALLS)
def test_the_rows_add_up_to_the_calls(calls: list[PaidCall]) -> None:
    """Revenue and cost to the last unit, however a call is shared out, and by whatever rows are added up."""
    sums: Any = {}
    add_calls(sums, "b1", calls)
    report = make_report(sums, days=30)
    assert report.total.revenue == sum(call.revenue for call in calls)
    assert report.total.cost_usd == sum(call.cost or 0 for call in calls)
    for names in (("feature",), ("pack",), ("business",), ("feature", "pack")):
        assert sum(row.cost for row in report.by(*names)) == report.total.cost


def test_a_report_tells_losers_and_other_rates() -> None:
    """VALUE earns, a failure only costs; a dollar's cost at 11.646 and at 16.00."""
    paid = Payer(pack="VALUE", used=10**6, worth=80_000_000, size=10**8)
    good = PaidCall(feature="f", charged=10**6, revenue=800_000, cost=10**10, cost_ghs=116_460, payers=(paid,))
    failed = replace(good, charged=0, revenue=0, payers=())
    unknown = replace(good, feature="g", cost=None, cost_ghs=None)
    sums: Any = {}
    add_calls(sums, "b1", [good, failed, unknown])
    report = make_report(sums, days=7)
    lost, value, other = report.rows
    assert (lost.pack, lost.profit, lost.margin) == (NO_PACK, -116_460, None)
    assert (value.fee, value.margin) == (15_600, Decimal("0.835"))
    assert [value.margin_at(Decimal(rate)) for rate in ("11.646", "16.00")] == [Decimal("0.835"), Decimal("0.781")]
    assert (other.unpriced, other.margin, other.margin_at(Decimal(16))) == (1, None, None)
    assert report.losers() == (lost,)
    plain = report.for_operator()
    assert plain["rows"][1] == {
        "feature": "f",
        "pack": "VALUE",
        "business": "b1",
        "calls": 1,
        "credits": "1.00",
        "revenue_ghs": "0.800000",
        "fee_ghs": "0.015600",
        "cost_ghs": "0.116460",
        "cost_usd": "0.010000000000",
        "profit_ghs": "0.667940",
        "unpriced": 0,
        "margin": "0.835",
        "margin_at": {"11.646": "0.835", "16.00": "0.781"},
    }
    assert [row["margin"] for row in plain["by_feature"]] == ["0.689", None]
    with pytest.raises(ValueError, match="added up by feature, pack, business, not by day"):
        report.by("day")


def test_an_empty_report_has_an_empty_total() -> None:
    """Zeros and no margin."""
    report = make_report({}, days=1)
    assert (report.rows, report.total.revenue, report.total.margin) == ((), 0, None)
