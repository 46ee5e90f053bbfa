"""Demand, methods, reorder points, orders and backtests, with figures worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from math import inf, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_addons.features.inventory_forecast import backtest
from ai_addons.features.inventory_forecast.demand import (
    History,
    classify,
    daily_history,
    one_off_limit,
    sample_variance,
    squared_step,
    units_per_period,
    weekly_history,
)
from ai_addons.features.inventory_forecast.methods import (
    _ALPHAS,
    BuiltIn,
    _one_step_error,
    _smoothed,
    ses,
    tsb,
    weekday_factors,
    weekday_profile,
)
from ai_addons.features.inventory_forecast.models import ForecastPolicy
from ai_addons.features.inventory_forecast.reorder import (
    Demand,
    Order,
    by_gain,
    demand_of,
    fresh_quantity,
    order_quantity,
    protection_weeks,
    reorder_point,
    whole_packs,
    within,
)

units = st.integers(0, 500).map(float)


def weeks(*values: float | None) -> History:
    """A history of weeks."""
    return History(weeks=values)


# From sales to demand


def test_weeks_out_of_stock_are_scaled_or_missing() -> None:
    """Three days out of seven scale by 7/4; five days leave no week; what precedes the first sale is dropped."""
    history = weekly_history([0, 0, 5, 6, 9, 0], [0, 0, 0, 3, 5, 4])
    assert history.weeks == (5, 10.5, None, 0)
    assert history.observed == (5, 10.5, 0)
    assert history.days == ()


def test_a_first_sale_in_a_week_mostly_out_of_stock_still_counts_as_the_first() -> None:
    """The week says nothing about how much, but that it sold."""
    assert weekly_history([0, 2, 1], [0, 6, 0]).weeks == (None, 1)


def test_days_make_weeks_that_end_on_the_last_day() -> None:
    """Fifteen days are two weeks and a day too many; one day out of stock scales its week by 7/6."""
    sold = [9.0] + [0.0, 1, 1, 1, 1, 1, 1] + [2.0] * 7
    out = [0] + [1, 0, 0, 0, 0, 0, 0] + [0] * 7
    history = daily_history(sold, out)
    assert history.weeks == (7.0, 14.0)
    assert history.days == (None, 1, 1, 1, 1, 1, 1, *[2] * 7)


def test_daily_weeks_before_the_first_sale_are_dropped_with_their_days() -> None:
    """Days and weeks of a history stay beside each other."""
    history = daily_history([0.0] * 14 + [3.0] * 7, [0] * 21)
    assert history == History(weeks=(21,), days=(3,) * 7)


def test_an_item_never_sold_keeps_its_history_of_nothing() -> None:
    """Weeks on the shelf without a sale are what there is to know."""
    assert weekly_history([0, 0, 0], [0, 0, 0]).weeks == (0, 0, 0)


def test_a_history_can_be_seen_as_it_was() -> None:
    """Weeks and days are cut together."""
    history = daily_history([1.0] * 21, [0] * 21)
    assert history.without_last(1) == History(weeks=(7, 7), days=(1,) * 14)
    assert history.without_last(5) == History(weeks=(), days=())


def test_lines_become_periods_without_returns_and_one_offs() -> None:
    """Seven days back from the day of the figures; a return is not netted, a giant line is set aside."""
    today = date(2026, 11, 22)
    lines = [
        (today - timedelta(days=ago), sold)
        for ago, sold in ((0, 2), (6, 3), (7, 5), (8, -4), (9, 900), (21, 1), (-1, 8))
    ]
    assert units_per_period(lines, as_of=today, periods=3) == (0, 905, 5)
    assert units_per_period(lines, as_of=today, periods=3, limit=100) == (0, 5, 5)
    assert units_per_period(lines, as_of=today, periods=2, days=1) == (0, 2)


def test_the_limit_of_one_offs_is_a_percentile_of_all_sale_lines() -> None:
    """Of the lines 1 to 1001, the 99.9th percentile is 1000; returns play no part."""
    assert one_off_limit([*range(1, 1002), -5000]) == 1000
    assert one_off_limit([-3]) == inf


@pytest.mark.parametrize(
    ("observed", "kind"),
    [
        ([10] * 11, "too_short"),
        ([0] * 10 + [5, 5], "too_short"),
        ([10] * 12, "smooth"),
        ([1, 30] * 6, "erratic"),
        ([10, 0] * 6, "intermittent"),
        ([1, 0, 30, 0] * 3, "lumpy"),
        # 25 weeks with 19 sales: ADI 1.316, with 18: 1.389.
        ([4] * 19 + [0] * 6, "smooth"),
        ([4] * 18 + [0] * 7, "intermittent"),
        # Sizes 3 and 17: mean 10, variance 49 as a population, CV2 exactly 0.49 is no longer steady.
        ([3, 17] * 6, "erratic"),
        ([4, 16] * 6, "smooth"),
    ],
)
def test_classes_of_demand(observed: list[float], kind: str) -> None:
    """The cuts of Syntetos, Boylan and Croston: 1.32 and 0.49."""
    assert classify(observed) == kind


def test_changes_count_only_between_known_weeks() -> None:
    """(4 - 2)^2 and (9 - 6)^2; the gap is no change."""
    assert squared_step((2, 4, None, 6, 9)) == 6.5
    assert squared_step((3, 3, 3)) is None
    assert squared_step((3,)) is None


def test_a_sample_variance_needs_two_values() -> None:
    """1, 2, 6: mean 3, squares 4 + 1 + 9 over 2."""
    assert sample_variance([1, 2, 6]) == 7
    assert sample_variance([1]) is None


# Methods


def test_ses_by_hand() -> None:
    """Start at the mean 6; half of -2: 5; half of 3: 6.5."""
    assert ses([4, 8], weight=0.5) == 6.5
    assert ses([]) == 0


def test_ses_starts_at_the_mean_of_the_first_eight() -> None:
    """Eight weeks of 8 and one of 18: a tenth of the gap."""
    assert ses([8.0] * 8 + [18]) == 9


def test_tsb_by_hand() -> None:
    """Chance 0.5, 0.45, 0.505, 0.4545, 0.50905; size 4, then 4.8."""
    assert tsb([0, 4, 0, 8]) == pytest.approx(4.8 * 0.50905, rel=1e-12)
    assert tsb([0, 0]) == 0
    assert tsb([]) == 0


def test_tsb_forgets_what_no_longer_sells() -> None:
    """Each empty week takes a tenth of the chance."""
    sold = [5.0] * 10
    assert tsb(sold + [0.0] * 30) < 0.1 * tsb(sold)


@given(st.lists(units, min_size=1, max_size=120), st.floats(0, 1), st.floats(0, 1))
def test_forecasts_stay_within_what_was_sold(values: list[float], weight: float, other: float) -> None:
    """Neither method goes below 0 or above the largest week."""
    assert 0 <= ses(values, weight=weight) <= max(values) * (1 + 1e-9)
    assert 0 <= tsb(values, size_weight=weight, chance_weight=other) <= max(values) * (1 + 1e-9)


@given(units, st.integers(1, 100))
def test_a_steady_demand_is_forecast_as_it_is(value: float, length: int) -> None:
    """The same every week: the same next week, by every method."""
    assert ses([value] * length) == pytest.approx(value)
    assert tsb([value] * length) == pytest.approx(value)
    assert weekday_profile([value] * 7 * length) == pytest.approx(7 * value)


def test_weekday_factors_by_hand() -> None:
    """Seven on one day of the week, nothing on others: (56 + 2) / 10 and 2 / 10 of the mean 1."""
    assert weekday_factors([7.0, 0, 0, 0, 0, 0, 0] * 8) == pytest.approx((5.8, *[0.2] * 6))
    assert weekday_factors([0.0] * 56) == (0,) * 7


def test_weekday_factors_know_the_last_eight_weeks_only() -> None:
    """An older habit is forgotten; a day out of stock is no day without demand."""
    old, new = [7.0, 0, 0, 0, 0, 0, 0] * 4, [1.0] * 56
    assert weekday_factors(old + new) == pytest.approx((1,) * 7)
    assert weekday_factors([None, *new[1:]]) == pytest.approx((1,) * 7)


def test_a_weekday_profile_without_demand_or_days_is_nothing() -> None:
    """Zeros for zeros."""
    assert weekday_profile([0.0] * 70) == 0
    assert weekday_profile([]) == 0
    assert weekday_profile([None] * 56) == 0


def test_a_very_uneven_week_is_forecast_too_low() -> None:
    """Eighteen a week, twelve of them on one day: factors drawn to 1 cost about a fifth, as the docs say."""
    assert weekday_profile([12.0, 1, 1, 1, 1, 1, 1] * 10) == pytest.approx(0.81 * 18, rel=0.02)


def test_the_profile_follows_a_change_that_ses_is_slow_to_see() -> None:
    """Demand doubled five weeks ago: the smoothing weight adapts."""
    days = [2.0] * 70 + [4.0] * 35
    assert weekday_profile(days) == pytest.approx(28, rel=0.01)
    assert ses([sum(days[at : at + 7]) for at in range(0, 105, 7)]) < 23


@pytest.mark.parametrize(
    ("kind", "days", "names"),
    [
        ("smooth", 0, ["ses", "tsb"]),
        ("too_short", 0, ["ses", "tsb"]),
        ("lumpy", 0, ["tsb", "ses"]),
        ("intermittent", 70, ["tsb", "ses", "weekday_profile"]),
        ("erratic", 56, ["weekday_profile", "ses", "tsb"]),
        ("erratic", 55, ["ses", "tsb"]),
    ],
)
def test_the_method_of_each_class(kind: str, days: int, names: list[str]) -> None:
    """TSB for gaps, the profile for eight weeks of days, SES for the rest."""
    history = History(weeks=(1,) * 12, days=(1,) * days)
    assert list(BuiltIn(ForecastPolicy()).methods(history, kind)) == names  # type: ignore[arg-type]  # parametrized


def test_weights_come_from_the_policy() -> None:
    """A shop that changes them gets another level."""
    policy = ForecastPolicy(level_weight=Decimal("0.5"), size_weight=Decimal(1), chance_weight=Decimal(1))
    methods = BuiltIn(policy).methods(weeks(4, 8), "smooth")
    assert methods["ses"](weeks(4, None, 8)) == 6.5
    assert methods["tsb"](weeks(4, 8)) == 8


# Reorder points and orders


@pytest.mark.parametrize(("lead", "review", "expected"), [(0, 1, 1), (0, 7, 1), (1, 7, 2), (7, 7, 2), (180, 60, 35)])
def test_protection_weeks(lead: int, review: int, expected: int) -> None:
    """Lead and review time, up to whole weeks."""
    assert protection_weeks(lead, review) == expected


def test_demand_of_a_protection_period_by_hand() -> None:
    """Weeks 2, 4, 6, a gap, 8: mean given, variance 20 / 3, two whole runs of two weeks."""
    demand = demand_of(weeks(2, 4, 6, None, 8), 5.0, 2)
    assert (demand.mean, demand.sums) == (10, (6, 10))
    assert demand.variance == pytest.approx(40 / 3)
    assert demand_of(weeks(2, 4, 6, None, 8), 5.0, 2, spread=2).variance == pytest.approx(80 / 3)
    assert demand_of(weeks(3), 5.0, 2) == Demand(mean=10, variance=10, sums=())


def test_old_weeks_do_not_count_for_the_spread() -> None:
    """The variance is that of 26 weeks, the sums those of 39."""
    demand = demand_of(weeks(*[900.0] * 10, *[100.0] * 13, *[3.0] * 26), 3.0, 1)
    assert demand.variance == 0
    assert demand.sums == (*[100] * 13, *[3] * 26)


def test_a_reorder_point_is_the_larger_of_two_quantiles() -> None:
    """Poisson of mean 1 says 3; the past says ceil(9.05), or less than 3."""
    assert reorder_point(Demand(mean=1, variance=1, sums=()), 0.95) == 3
    assert reorder_point(Demand(mean=1, variance=1, sums=(0, 10)), 0.95) == 10
    assert reorder_point(Demand(mean=1, variance=1, sums=(0, 1)), 0.95) == 3
    assert reorder_point(Demand(mean=0, variance=0, sums=(0,)), 0.95) == 0
    assert reorder_point(Demand(mean=0, variance=0, sums=(0.1 + 0.2 + 3.7,)), 0.95) == 4


@settings(deadline=None)
@given(st.lists(units, min_size=3, max_size=60), st.integers(1, 8), st.floats(0.8, 0.98))
def test_more_safety_never_lowers_a_reorder_point(values: list[float], length: int, level: float) -> None:
    """Monotone in the service level, and never negative."""
    demand = demand_of(weeks(*values), ses(values), length)
    assert 0 <= reorder_point(demand, level) <= reorder_point(demand, level + 0.01)


@pytest.mark.parametrize(
    ("need", "pack", "least", "quantity"),
    [
        ("13", 6, 1, 18),
        ("12", 6, 1, 12),
        ("13", 6, 20, 24),
        ("0.2", 1, 1, 1),
        ("0", 6, 24, 0),
        ("-3", 6, 24, 0),
    ],
)
def test_orders_come_in_packs_of_at_least_the_minimum(need: str, pack: int, least: int, quantity: int) -> None:
    """The larger of need and minimum, up to whole packs; nothing without a need."""
    assert order_quantity(Decimal(need), pack, least) == quantity


@pytest.mark.parametrize(("sells", "kept"), [("18", 18), ("17.9", 12), ("40", 18), ("5.9", 0), ("-4", 0)])
def test_no_more_than_sells_before_it_expires(sells: str, kept: int) -> None:
    """Down to packs of 6; below the minimum of 6 nothing at all."""
    assert fresh_quantity(18, 6, 6, Decimal(sells)) == kept


@given(st.integers(-100, 100_000), st.integers(1, 500), st.integers(1, 5_000), st.integers(-10, 100_000))
def test_an_order_fits_every_rule(need: int, pack: int, least: int, sells: int) -> None:
    """Whole packs, at least need and minimum, less than a pack too many; fresh ones never more."""
    quantity = order_quantity(Decimal(need), pack, least)
    assert quantity % pack == 0
    assert quantity == 0 if need <= 0 else max(need, least) <= quantity < max(need, least) + pack
    fresh = fresh_quantity(quantity, pack, least, Decimal(sells))
    assert fresh == 0 or (fresh % pack == 0 and least <= fresh <= min(quantity, sells))


def order(ref: str, **changes: object) -> Order:
    """Ten units at GHS 2 that prevent five from being missed at GHS 1 of margin each."""
    base: dict[str, object] = {
        "ref": ref,
        "quantity": 10,
        "pack": 5,
        "least": 5,
        "unit_cost": Decimal(2),
        "short": Decimal(5),
        "worth": Decimal(1),
    }
    return Order(**(base | changes))  # type: ignore[arg-type]  # a table of changes has one type


def test_a_budget_goes_where_a_cedi_saves_most() -> None:
    """B saves 0.5 a cedi, A and C 0.25 each, D nothing: 20 for B, 20 for A, half of C, nothing for D."""
    orders = [order("D", short=Decimal(0)), order("C"), order("A"), order("B", worth=Decimal(2))]
    assert [one.ref for one in by_gain(orders)] == ["B", "A", "C", "D"]
    assert within(Decimal(50), orders) == {"B": 10, "A": 10, "C": 5, "D": 0}
    assert within(None, orders) == dict.fromkeys("ABCD", 10)
    assert within(Decimal(0), orders) == dict.fromkeys("ABCD", 0)


def test_a_part_below_the_minimum_is_not_ordered_and_leaves_room_for_the_next() -> None:
    """Of A a pack would fit, but the supplier sells two; B is small enough."""
    orders = [order("A", least=10, worth=Decimal(9)), order("B", quantity=5)]
    assert within(Decimal("10.99"), orders) == {"A": 0, "B": 5}


def test_what_costs_nothing_is_always_bought() -> None:
    """A supplier's gift comes first and takes no money."""
    assert within(Decimal(0), [order("A"), order("Z", unit_cost=Decimal(0))]) == {"Z": 10, "A": 0}


orders = st.lists(
    st.tuples(
        st.integers(1, 50),
        st.integers(1, 24),
        st.decimals(0, 500, places=2),
        st.decimals(0, 100, places=3),
        st.decimals(0, 100, places=2),
    ),
    max_size=12,
)


@given(orders, st.one_of(st.none(), st.decimals(0, 5_000, places=2)))
def test_a_budget_is_never_overspent(
    given_orders: list[tuple[int, int, Decimal, Decimal, Decimal]], budget: Decimal | None
) -> None:
    """Whatever is asked for: whole packs, no more than wanted, at least the minimum or nothing."""
    asked = [
        order(str(number), quantity=packs * pack, pack=pack, least=pack, unit_cost=cost, short=short, worth=worth)
        for number, (packs, pack, cost, short, worth) in enumerate(given_orders)
    ]
    bought = within(budget, asked)
    assert sum(bought[one.ref] * one.unit_cost for one in asked) <= (inf if budget is None else budget)
    for one in asked:
        assert bought[one.ref] in range(0, one.quantity + 1, one.pack)


def test_whole_packs_go_down_unless_told() -> None:
    """Seven of packs of 3."""
    assert (whole_packs(Decimal(7), 3), whole_packs(Decimal(7), 3, up=True)) == (6, 9)


# The backtest

PLAN = backtest.Plan(weeks=2, windows=2, training=4)


def test_windows_go_back_from_the_end_without_overlap() -> None:
    """Eight weeks: two windows of two, on six and on four weeks; a third would have no room."""
    history = weeks(1, 2, 3, 4, 5, 6, 7, 8)
    assert list(backtest.splits(history, PLAN)) == [
        (weeks(1, 2, 3, 4, 5, 6), (7, 8)),
        (weeks(1, 2, 3, 4), (5, 6)),
    ]
    assert list(backtest.splits(weeks(1, 2, 3, 4, 5), PLAN)) == []
    assert list(backtest.splits(weeks(), PLAN)) == []


def test_windows_with_missing_weeks_or_hardly_a_sale_do_not_count() -> None:
    """Neither the outcome nor enough of the past is known."""
    assert list(backtest.splits(weeks(1, 2, 3, 4, 5, 6, None, 8), PLAN)) == [(weeks(1, 2, 3, 4), (5, 6))]
    assert list(backtest.splits(weeks(0, 0, 0, 1, 2, 0, 7, 8), PLAN)) == []


def test_a_window_by_hand() -> None:
    """Training 1, 3, 1, 3: squared step 4. Forecast 2 against 5 and 2: mean squared error 4.5."""
    (window,) = backtest.windows(weeks(1, 3, 1, 3, 5, 2), lambda past: sum(past.observed) / 4, PLAN)
    assert (window.forecast, window.actual) == (4, 7)
    assert window.rmsse == pytest.approx(sqrt(4.5 / 4))


def test_scores_by_hand() -> None:
    """Errors 0.5 and 1.5: mean 1; forecast 12 against 10: a fifth too much."""
    found = backtest.scores(
        [
            backtest.Window(forecast=4, actual=5, rmsse=0.5),
            backtest.Window(forecast=8, actual=5, rmsse=1.5),
            backtest.Window(forecast=0, actual=0, rmsse=None),
        ]
    )
    assert (found.rmsse, found.windows) == (1, 3)
    assert found.bias == pytest.approx(0.2)
    assert backtest.scores([]) == backtest.Scores(rmsse=None, bias=None, windows=0)


@pytest.mark.parametrize(("rival", "name"), [(5.0, "ten"), (7.4, "ten"), (8.0, "rival")])
def test_another_method_must_be_clearly_better(rival: float, name: str) -> None:
    """What comes is 8; the usual method says 10. Better by less than a half is not enough here, better by all is."""
    history = weeks(1, 3, 1, 3, 1, 3, 8, 8)
    plan = backtest.Plan(weeks=2, windows=1, training=4)
    methods = {"ten": lambda _: 10.0, "rival": lambda _: rival}
    assert backtest.best(history, methods, plan, better_by=0.75)[0] == name


def test_without_a_test_the_usual_method_stays() -> None:
    """Nothing speaks for another one."""
    name, tests = backtest.best(weeks(1, 2), {"a": lambda _: 1.0, "b": lambda _: 2.0}, PLAN, better_by=0.05)
    assert (name, tests) == ("a", ())


def test_the_service_level_achieved_by_hand() -> None:
    """A steady 2 a week is covered; a jump to 20 is not."""
    steady = [2.0] * 8
    assert backtest.service(weeks(*steady), lambda _: 2.0, PLAN, level=0.95) == (2, 2)
    assert backtest.service(weeks(*steady[:6], 20, 20), lambda _: 2.0, PLAN, level=0.95) == (1, 2)
    assert backtest.service(weeks(2, 2), lambda _: 2.0, PLAN, level=0.95) == (0, 0)


def test_what_was_seen_spares_a_forecast() -> None:
    """Where the empirical quantile covers a period already, no method is asked; where it does not, it is."""
    asked: list[int] = []

    def method(past: History) -> float:
        asked.append(len(past.weeks))
        return 50.0

    steady = [2.0] * 8
    assert backtest.service(weeks(*steady), method, PLAN, level=0.95) == (2, 2)
    assert asked == []
    assert backtest.service(weeks(*steady[:6], 20, 20), method, PLAN, level=0.95) == (2, 2)
    assert asked == [6]


@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 5.0, 40.0]), min_size=56, max_size=120),
    st.sampled_from([step / 100 for step in range(5, 61, 5)]),
)
def test_the_chosen_weight_is_the_best_by_its_errors_added_up(days: list[float], weight: float) -> None:
    """No other weight has a smaller sum of squared one-step errors than the level found, worked out step by step."""
    found = _smoothed(days)
    best = min(_ALPHAS, key=lambda one: _squared_errors(days, one))
    assert found == pytest.approx(ses(days, weight=best), abs=1e-9) or _squared_errors(days, best) == pytest.approx(
        min(_squared_errors(days, one) for one in _ALPHAS if ses(days, weight=one) == found), rel=1e-12
    )
    error = _one_step_error(days[0] - sum(days[:8]) / 8, [b - a for a, b in pairwise(days)], kept=1 - weight)
    assert error**2 == pytest.approx(_squared_errors(days, weight), abs=1e-9)


def _squared_errors(values: list[float], weight: float) -> float:
    """One-step errors from their definition: value less level, then the level follows."""
    level, total = sum(values[:8]) / 8, 0.0
    for value in values:
        total += (value - level) ** 2
        level += weight * (value - level)
    return total
