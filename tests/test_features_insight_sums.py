"""The arithmetic on customers: scores, segments, who is overdue, who may return."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_addons.features.customer_insight.models import Purchase, Segment
from ai_addons.features.customer_insight.segments import (
    Customer,
    customers,
    overdue,
    quantiles,
    scored,
    segment,
)
from benchmarks._features_insight import auc, measure, top_fifth
from benchmarks._features_slice import slice_folder
from tests.sizes import tries

TODAY = date(2026, 6, 30)


def bought(ref: str, ago: int, amount: str) -> Purchase:
    """A purchase so many days ago."""
    return Purchase(customer_ref=ref, day=TODAY - timedelta(days=ago), amount=Decimal(amount))


def customer(purchases: int, first_ago: int, last_ago: int, ref: str = "Ama") -> Customer:
    """A customer with a first and a last purchase."""
    return Customer(
        ref=ref,
        purchases=purchases,
        first=TODAY - timedelta(days=first_ago),
        last=TODAY - timedelta(days=last_ago),
        spend=Decimal(100),
        spend_12m=Decimal(100),
        as_of=TODAY,
    )


def test_purchases_of_a_day_are_one_and_refunds_net_off() -> None:
    """Two purchases and a refund on a day, one a year and a half ago: two days, 65 in all, 15 of them lately."""
    rows = [
        bought("Ama", 10, "20"),
        bought("Ama", 10, "5"),
        bought("Ama", 10, "-10"),
        bought("Ama", 500, "50"),
        bought("Kofi", 5, "30"),
        bought("Kofi", 4, "-30"),
        bought("Esi", 3, "-1"),
    ]
    found, unranked = customers(rows, TODAY)
    assert [(one.ref, one.purchases, one.recency, one.spend, one.spend_12m) for one in found] == [
        ("Ama", 2, 10, Decimal(65), Decimal(15))
    ]
    assert unranked == 2
    assert found[0].gap == Decimal(490)


def test_a_day_with_a_purchase_counts_though_more_was_refunded_on_it() -> None:
    """The visit took place; only the sum is netted."""
    found, _ = customers([bought("Ama", 20, "100"), bought("Ama", 10, "5"), bought("Ama", 10, "-8")], TODAY)
    assert (found[0].purchases, found[0].recency, found[0].spend) == (2, 10, Decimal(97))


def test_nobody_gives_nobody() -> None:
    """An empty shop has no customer and no score."""
    assert customers([], TODAY) == ((), 0)
    assert scored(()) == ()
    assert quantiles([], 5) == []


@pytest.mark.parametrize(
    ("values", "parts", "expected"),
    [
        ([1, 2, 3, 4, 5], 5, [1, 2, 3, 4, 5]),
        ([7, 7, 7, 7, 7], 5, [3, 3, 3, 3, 3]),
        ([1, 1, 1, 1, 9], 5, [3, 3, 3, 3, 5]),
        ([5, 1], 5, [4, 2]),
        ([4], 5, [3]),
        ([1, 2, 3], 3, [1, 2, 3]),
        ([1, 1, 2, 2, 2, 2], 3, [1, 1, 3, 3, 3, 3]),
    ],
)
def test_equal_values_have_equal_scores(values: list[int], parts: int, expected: list[int]) -> None:
    """``1 + floor(parts (midrank - 0.5) / N)``: of four 1s in five the mid-rank is 2.5, so 1 + floor(2) = 3."""
    assert quantiles(values, parts) == expected


@settings(max_examples=tries(100))
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=80), st.sampled_from([3, 5]))
def test_scores_keep_the_order_and_stay_in_range(values: list[int], parts: int) -> None:
    """Larger is never scored lower, equal is equal, and every score is from 1 to parts."""
    found = quantiles(values, parts)
    assert all(1 <= score <= parts for score in found)
    pairs = sorted(zip(values, found, strict=True))
    assert [score for _, score in pairs] == sorted(score for _, score in pairs)
    assert len({score for value, score in pairs if value == values[0]}) == 1


@pytest.mark.parametrize(
    ("purchases", "recency", "third", "expected"),
    [
        (1, 5, 0, "new"),
        (1, 4, 0, "new"),
        (1, 3, 0, "one_off"),
        (2, 4, 3, "champions"),
        (9, 3, 3, "loyal"),
        (9, 4, 2, "loyal"),
        (9, 3, 2, "loyal"),
        (2, 5, 1, "promising"),
        (2, 3, 1, "promising"),
        (9, 2, 3, "at_risk"),
        (9, 1, 2, "at_risk"),
        (2, 2, 1, "hibernating"),
    ],
)
def test_the_first_rule_that_fits_names_the_segment(
    purchases: int, recency: int, third: int, expected: Segment
) -> None:
    """Each rule of the table at its edge."""
    assert segment(purchases, recency, third) == expected


def test_five_customers_are_scored() -> None:
    """Worked out by hand: recency by last day, frequency and money by rank, thirds among the four who came again."""
    rows = [
        *(bought("A", ago, "10") for ago in (1, 8, 15, 22, 29)),
        *(bought("B", ago, "30") for ago in (2, 40, 80)),
        *(bought("C", ago, "5") for ago in (60, 90)),
        *(bought("D", ago, "50") for ago in (100, 150, 200, 250)),
        bought("E", 200, "7"),
    ]
    found = scored(customers(rows, TODAY)[0])
    assert [(one.recency, one.frequency, one.money, one.segment) for one in found] == [
        (5, 5, 3, "champions"),
        (4, 3, 4, "loyal"),
        (3, 2, 2, "promising"),
        (2, 4, 5, "at_risk"),
        (1, 1, 1, "one_off"),
    ]
    assert [one.rfm for one in found] == [13, 11, 7, 11, 3]


def test_the_return_score_is_rate_times_alive() -> None:
    """Four purchases in ten weeks, the last two weeks ago: rate 3.7 / 25, alive 1 / (1 + exp(1.2 (2 rate - 2)))."""
    rate = 3.7 / 25
    expected = rate / (1 + exp(1.2 * (2 * rate - 2)))
    assert customer(4, 70, 14).return_score == pytest.approx(expected)


def test_a_return_score_is_never_infinite() -> None:
    """Two years of silence after daily purchases: small, not an overflow."""
    assert 0 <= customer(1_000, 1_000, 1_000).return_score < 1e-6
    assert customer(100_000, 0, 0).return_score > 0


@settings(max_examples=tries(100))
@given(st.integers(2, 200), st.integers(1, 700), st.data())
def test_a_later_purchase_never_lowers_the_return_score(purchases: int, first: int, data: st.DataObject) -> None:
    """With the same rate, who was here more lately is ranked at least as high."""
    sooner = data.draw(st.integers(0, first))
    later = data.draw(st.integers(0, sooner))
    assert customer(purchases, first, later).return_score >= customer(purchases, first, sooner).return_score


@pytest.mark.parametrize(
    ("purchases", "first", "last", "late"),
    [(3, 60, 30, True), (3, 40, 20, True), (3, 40, 19, False), (2, 60, 59, False), (1, 9, 9, False)],
)
def test_overdue_is_twice_the_usual_gap(purchases: int, first: int, last: int, *, late: bool) -> None:
    """Three purchase days from 40 to 20 days ago are 10 days apart: overdue after 20 days, not after 19 of 21."""
    assert overdue(customer(purchases, first, last), gaps=Decimal(2), purchases=3) is late


def test_yardsticks_on_paper() -> None:
    """Of two who came and two who did not, three and a half of four pairs are in order; the best fifth held 8 of 10."""
    assert auc([3, 2, 2, 1], [True, True, False, False]) == Decimal("0.875")
    assert top_fifth([1, 5, 2, 3, 4], [Decimal(1), Decimal(8), Decimal(0), Decimal(1), Decimal(0)]) == Decimal("0.8")


rows_strategy = st.lists(
    st.builds(
        bought,
        st.sampled_from([f"C{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]),
        st.integers(0, 700),
        st.decimals(-50, 500, places=2).map(str),
    ),
    max_size=120,
)


@settings(max_examples=tries(60), deadline=None)
@given(rows_strategy)
def test_sums_hold_and_order_does_not_matter(rows: list[Purchase]) -> None:
    """Spend adds up over those above zero, and the same rows in another order give the same customers."""
    found, unranked = customers(rows, TODAY)
    assert len(found) + unranked == len({row.customer_ref for row in rows})
    kept = {one.ref for one in found}
    assert sum((one.spend for one in found), Decimal()) == sum(
        (row.amount for row in rows if row.customer_ref in kept), Decimal()
    )
    assert customers(rows[::-1], TODAY) == (found, unranked)
    assert all(one.first <= one.last <= TODAY and one.purchases >= 1 for one in found)
    assert len(scored(found)) == len(found)


def test_the_development_slice_gives_the_recorded_figures() -> None:
    """Segments of 388 customers, and how well the three rules order who buys again."""
    try:
        folder = slice_folder()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    assert [(row.what, row.method) for row in measure(folder) if not row.agrees()] == []
