"""The arithmetic of a report: where a change comes from, which days are odd."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_addons.features.report_summary.bridge import (
    Line,
    MarginBridge,
    SalesBridge,
    margin_bridge,
    sales_bridge,
    whole_pesewas,
)
from ai_addons.features.report_summary.odd_days import modified_z, odd_days, scored_days
from benchmarks._features_report import measure
from benchmarks._features_slice import slice_folder
from tests.sizes import tries


def line(category: str, *figures: str) -> Line:
    """A product from units, sales, cost now, then the same before."""
    units, sales, cost, prior_units, prior_sales, prior_cost = map(Decimal, figures)
    return Line(
        category=category,
        units=units,
        sales=sales,
        cost=cost,
        prior_units=prior_units,
        prior_sales=prior_sales,
        prior_cost=prior_cost,
    )


SHOP = [
    line("Tins", "12", "132", "84", "10", "100", "60"),
    line("Tins", "10", "50", "30", "20", "100", "60"),
    line("Grains", "5", "45", "40", "5", "50", "40"),
    line("Grains", "3", "30", "20", "0", "0", "0"),
    line("Grains", "0", "0", "0", "4", "40", "25"),
]
"""Dearer, halved, cheaper, new, lost; all sums in the tests are worked out by hand."""


def test_a_change_is_split_into_five_parts() -> None:
    """Price 12 x 1 - 5 x 1; volume (22 - 30) x 200 / 30; mix 20 - 50 less that; new 30; lost 40."""
    bridge = sales_bridge(SHOP)
    assert bridge == SalesBridge(
        price=Decimal(7),
        volume=Decimal("-53.33"),
        mix=Decimal("23.33"),
        new=Decimal(30),
        lost=Decimal(-40),
    )
    assert bridge.change == Decimal(-33)


def test_volume_and_mix_are_of_one_category_each() -> None:
    """In one category there is a mix between tins and grains; kept apart there is none."""
    two = [line("Tins", "20", "200", "0", "10", "100", "0"), line("Grains", "5", "5", "0", "10", "10", "0")]
    apart, together = sales_bridge(two), sales_bridge([line("All", *_figures(one)) for one in two])
    assert (apart.volume, apart.mix) == (Decimal(95), Decimal(0))
    assert (together.volume, together.mix) == (Decimal("27.5"), Decimal("67.5"))


def _figures(one: Line) -> tuple[str, ...]:
    return (str(one.units), str(one.sales), "0", str(one.prior_units), str(one.prior_sales), "0")


def test_a_change_in_gross_profit_is_split_too() -> None:
    """Price 7; cost -12 x 1; quantities 4 x 2 - 2 x 10; new 30 - 20; lost 25 - 40."""
    bridge = margin_bridge(SHOP)
    assert bridge == MarginBridge(
        price=Decimal(7),
        cost=Decimal(-12),
        volume_and_mix=Decimal(-12),
        new=Decimal(10),
        lost=Decimal(-15),
    )
    assert bridge.change == Decimal(-22)


@pytest.mark.parametrize(
    ("units", "sales", "cost", "known"),
    [("3", "30", None, False), ("0", "0", None, True), ("0", "5", None, False), ("3", "30", Decimal(20), True)],
)
def test_a_gross_profit_is_not_split_with_a_cost_unknown(
    units: str, sales: str, cost: Decimal | None, *, known: bool
) -> None:
    """A cost may be missing only where nothing was sold."""
    one = Line(
        category="Tins",
        units=Decimal(units),
        sales=Decimal(sales),
        cost=cost,
        prior_units=Decimal(1),
        prior_sales=Decimal(9),
        prior_cost=Decimal(5),
    )
    assert (margin_bridge([one]) is not None) is known


def test_more_returned_than_sold_counts_as_lost() -> None:
    """A product with units below zero is not compared; its sales stay in the sum."""
    bridge = sales_bridge([line("Tins", "-2", "-20", "0", "5", "50", "0")])
    assert (bridge.new, bridge.lost, bridge.change) == (Decimal(-20), Decimal(-50), Decimal(-70))


def test_nothing_gives_nothing() -> None:
    """An empty report has parts of 0."""
    assert sales_bridge([]).change == Decimal(0)


amounts = st.decimals(-99_999, 9_999_999_999, places=2)
units = st.decimals(-99, 999_999, places=3)
lines = st.builds(
    Line,
    category=st.sampled_from(["Tins", "Grains", "Oils"]),
    units=units,
    sales=amounts,
    cost=amounts,
    prior_units=units,
    prior_sales=amounts,
    prior_cost=amounts,
)


@settings(max_examples=tries(200))
@given(st.lists(lines, max_size=12))
def test_the_parts_add_up_to_the_pesewa(rows: list[Line]) -> None:
    """The identities hold exactly, whatever the figures, and every part is whole pesewas."""
    bridge, profit = sales_bridge(rows), margin_bridge(rows)
    assert bridge.change == sum((row.sales - row.prior_sales for row in rows), Decimal())
    assert profit is not None
    assert profit.change == sum((row.profit - row.prior_profit for row in rows), Decimal())
    assert abs(profit.price - bridge.price) <= Decimal("0.01")
    parts = (bridge.price, bridge.volume, bridge.mix, bridge.new, bridge.lost)
    assert all(part == part.quantize(Decimal("0.01")) for part in parts)


@settings(max_examples=tries(100))
@given(st.lists(lines, max_size=8), st.randoms())
def test_the_order_of_products_does_not_matter(rows: list[Line], rng: object) -> None:
    """The same products in another order have the same parts."""
    assert sales_bridge(rows[::-1]) == sales_bridge(rows)


@given(st.lists(st.fractions(-1_000, 1_000), max_size=6))
def test_rounding_moves_no_part_by_a_whole_pesewa(parts: list[Fraction]) -> None:
    """The method of largest remainders keeps each part within a pesewa and the sum exact."""
    rounded = whole_pesewas(parts)
    assert all(abs(Fraction(one) - part) < Fraction(1, 100) for one, part in zip(rounded, parts, strict=True))
    assert abs(Fraction(sum(rounded, Decimal())) - sum(parts, Fraction())) <= Fraction(1, 200)


def test_equal_remainders_go_to_the_first() -> None:
    """Three thirds of a cedi: the pesewa that is left goes to the first."""
    assert whole_pesewas([Fraction(1, 3)] * 3) == (Decimal("0.34"), Decimal("0.33"), Decimal("0.33"))


MONDAY = date(2026, 1, 5)


def weekly(*sales: str) -> dict[date, Decimal]:
    """Sales of one weekday, week by week."""
    return {MONDAY + timedelta(weeks=week): Decimal(value) for week, value in enumerate(sales)}


def test_a_day_is_scored_against_the_same_weekdays_before_it() -> None:
    """Median 10, MAD 1: 30 scores 0.6745 x 20."""
    (day,) = scored_days(weekly("9", "11", "9", "11", "9", "11", "30"))
    assert (day.usual, day.sales, day.gap, day.score) == (Decimal(10), Decimal(30), Decimal(20), Decimal("13.4900"))


def test_fewer_than_six_same_weekdays_say_nothing() -> None:
    """Other weekdays do not count."""
    tuesdays = {day + timedelta(days=1): value for day, value in weekly(*["5"] * 9).items()}
    assert scored_days(weekly("9", "11", "9", "11", "9", "30") | tuesdays) == ()


def test_only_the_last_thirteen_weekdays_count() -> None:
    """The first of fourteen is forgotten."""
    past = ["1000", *["9", "11"] * 6, "10"]
    (day,) = [one for one in scored_days(weekly(*past, "12")) if one.sales == 12]
    assert day.usual == Decimal(10)


@pytest.mark.parametrize(
    ("value", "history", "score"),
    [
        ("20", ["10"] * 5 + ["16"], Decimal(10) / Decimal("1.2533")),
        ("20", ["10"] * 6, None),
        ("10", ["10"] * 5 + ["16"], Decimal(0)),
    ],
)
def test_where_most_days_are_alike_the_mean_deviation_stands_in(
    value: str, history: list[str], score: Decimal | None
) -> None:
    """MAD 0, mean absolute deviation 6 / 6; where nothing ever varied there is no score."""
    assert modified_z(Decimal(value), [Decimal(one) for one in history]) == score


def test_a_small_gap_is_not_odd_however_steady_the_shop() -> None:
    """Far off in scores, but 4 of a mean of 1,000 is nobody's concern."""
    assert odd_days(weekly("1000", "1001", "999", "1000", "1001", "999", "1004", "1000")) == ()
    assert odd_days({}) == ()


def test_an_odd_day_is_found() -> None:
    """Score and gap are both over their limits; the day after is compared with it among the others."""
    (day,) = odd_days(weekly("9", "11", "9", "11", "9", "11", "30", "10"))
    assert day.day == MONDAY + timedelta(weeks=6)


@settings(max_examples=tries(60))
@given(st.lists(st.decimals(0, 99_999, places=2), min_size=7, max_size=40), st.decimals(2, 50, places=0))
def test_odd_days_do_not_depend_on_the_currency(sales: list[Decimal], factor: Decimal) -> None:
    """The same shop in another unit of money has the same odd days; a higher limit finds no more."""
    one = odd_days(weekly(*map(str, sales)))
    many = odd_days(weekly(*(str(value * factor) for value in sales)))
    assert [day.day for day in one] == [day.day for day in many]
    assert {day.day for day in odd_days(weekly(*map(str, sales)), limit=Decimal(5))} <= {day.day for day in one}


def test_the_development_slice_gives_the_recorded_figures() -> None:
    """June against May 2011 and the odd days, as the reference has them."""
    try:
        folder = slice_folder()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    assert [row.what for row in measure(folder) if not row.agrees()] == []
