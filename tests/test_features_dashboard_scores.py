"""The arithmetic of the dashboard: figures, scores, statuses, alerts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ai_addons.features.portfolio_dashboard import DashboardPolicy, PortfolioFigures
from ai_addons.features.portfolio_dashboard.facts import index
from ai_addons.features.portfolio_dashboard.kpis import Measure, change, measures, ratio, sign
from ai_addons.features.portfolio_dashboard.models import AREAS
from ai_addons.features.portfolio_dashboard.policy import Band, Scale, Thresholds, Weights
from ai_addons.features.portfolio_dashboard.scores import (
    SCORED,
    board,
    health_score,
    range_of,
    rounded,
    rounded_down,
    score,
    status,
    sub_scores,
)
from tests.portfolio import CUSTOMERS, MARGIN, RECEIVABLES, SALES, STOCK, ageing, figures
from tests.sizes import tries

POLICY = DashboardPolicy()


def values(given_figures: PortfolioFigures) -> dict[str, Fraction | None]:
    """Each figure by its key."""
    return {measure.key: measure.value for measure in measures(given_figures)}


def trends(given_figures: PortfolioFigures) -> dict[str, int | None]:
    """Each figure's trend by its key."""
    return {measure.key: measure.trend for measure in measures(given_figures)}


def test_every_figure_of_a_business_worked_out_by_hand() -> None:
    """Thirty-three figures, exact."""
    assert values(figures()) == {
        "sales": 900,
        "sales_change": Fraction(-1, 10),
        "sales_change_year": Fraction(-1, 10),
        "orders": 45,
        "basket": 20,
        "active_customers": 95,
        "active_change": Fraction(-5, 100),
        "credit_sales_share": Fraction(1, 3),
        "gross_profit": 180,
        "gross_margin": Fraction(20, 100),
        "margin_change": Fraction(-2, 100),
        "discount_share": Fraction(6, 100),
        "return_share": Fraction(3, 100),
        "receivables": 1000,
        "overdue": 500,
        "overdue_share": Fraction(1, 2),
        "par30": Fraction(30, 100),
        "par60": Fraction(15, 100),
        "dso": 100,
        "dso_change": 20,
        "top10_share": Fraction(60, 100),
        "utilisation": Fraction(80, 100),
        "expected_unpaid": 260,
        "stockout_share": Fraction(9, 100),
        "dead_stock_share": Fraction(15, 100),
        "stock_cover": Fraction(250, 3),
        "stock_value": 2000,
        "order_value": 150,
        "customers": 200,
        "new_customers": 12,
        "repeat_rate": Fraction(30, 100),
        "lost_share": Fraction(10, 100),
        "at_risk_share": Fraction(30, 100),
    }


def test_trends_of_that_business() -> None:
    """Up, down, flat below 1 % or half a point, and none without an earlier figure."""
    found = trends(figures())
    assert {key for key, trend in found.items() if trend == 1} == {
        "credit_sales_share",
        "discount_share",
        "receivables",
        "overdue",
        "overdue_share",
        "par30",
        "par60",
        "dso",
        "dso_change",
    }
    down = {"sales", "sales_change", "sales_change_year", "orders", "active_customers", "active_change"}
    assert {key for key, trend in found.items() if trend == -1} == down | {
        "gross_profit",
        "gross_margin",
        "margin_change",
    }
    assert {key for key, trend in found.items() if trend == 0} == {"basket", "return_share"}


def test_scores_statuses_and_health_worked_out_by_hand() -> None:
    """Each area is the mean of its scored figures, health their weighted mean: 46.3 of 100."""
    found = board(figures(), POLICY)
    scores = {kpi.measure.key: kpi.score for kpi in found.kpis if kpi.score is not None}
    assert scores == {
        "sales_change": 40,
        "sales_change_year": Fraction(100, 3),
        "active_change": 50,
        "gross_margin": Fraction(200, 3),
        "margin_change": 60,
        "discount_share": 50,
        "return_share": 50,
        "par30": Fraction(100, 3),
        "dso_change": 0,
        "top10_share": 50,
        "utilisation": Fraction(300, 7),
        "stockout_share": 50,
        "dead_stock_share": 50,
        "stock_cover": Fraction(550, 9),
        "repeat_rate": 50,
        "lost_share": Fraction(200, 3),
    }
    assert [(part.area, part.score, part.status) for part in found.areas] == [
        ("credit", Fraction(2650, 84), "bad"),
        ("sales", Fraction(370, 9), "watch"),
        ("stock", Fraction(1450, 27), "watch"),
        ("margin", Fraction(170, 3), "watch"),
        ("retention", Fraction(350, 6), "watch"),
    ]
    assert found.health is not None
    assert rounded(found.health) == Decimal("46.303571")
    assert (found.status, found.missing) == ("watch", ())


def test_alerts_of_that_business_worst_first() -> None:
    """Past the bad end, then bad, then not bad yet but getting worse; ties by weight and order."""
    assert [(alarm.scored.measure.key, alarm.severity) for alarm in board(figures(), POLICY).alarms] == [
        ("dso_change", "act"),
        ("sales_change_year", "warn"),
        ("par30", "warn"),
        ("sales_change", "watch"),
        ("active_change", "watch"),
        ("discount_share", "watch"),
        ("margin_change", "watch"),
        ("gross_margin", "watch"),
    ]


@pytest.mark.parametrize(
    ("key", "bad", "middle", "good"),
    [
        ("sales_change", "-0.20", "-0.075", "0.05"),
        ("sales_change_year", "-0.20", "-0.05", "0.10"),
        ("active_change", "-0.15", "-0.05", "0.05"),
        ("gross_margin", "0.10", "0.175", "0.25"),
        ("margin_change", "-0.05", "-0.025", "0"),
        ("discount_share", "0.10", "0.06", "0.02"),
        ("return_share", "0.05", "0.03", "0.01"),
        ("par30", "0.40", "0.25", "0.10"),
        ("dso_change", "15", "7.5", "0"),
        ("top10_share", "0.80", "0.60", "0.40"),
        ("utilisation", "0.95", "0.775", "0.60"),
        ("stockout_share", "0.15", "0.09", "0.03"),
        ("dead_stock_share", "0.25", "0.15", "0.05"),
        ("repeat_rate", "0.15", "0.30", "0.45"),
        ("lost_share", "0.20", "0.125", "0.05"),
    ],
)
def test_the_default_ranges(key: str, bad: str, middle: str, good: str) -> None:
    """Each range gives 0 at its bad end, 50 in the middle and 100 at its good end."""
    within: Scale = getattr(POLICY.thresholds, key)
    assert [score(Fraction(value), within) for value in (bad, middle, good)] == [0, 50, 100]


@pytest.mark.parametrize(
    ("days", "points"),
    [("0", 0), ("7", 0), ("13.5", 50), ("20", 100), ("40", 100), ("60", 100), ("90", 50), ("120", 0), ("500", 0)],
)
def test_the_default_band_of_the_stock_cover(days: str, points: int) -> None:
    """Too little and too much are both bad."""
    assert score(Fraction(days), POLICY.thresholds.stock_cover) == points


@pytest.mark.parametrize(
    ("points", "said"), [("70", "good"), ("69.999999", "watch"), ("40", "watch"), ("39.999999", "bad"), ("0", "bad")]
)
def test_statuses_turn_exactly_at_their_limits(points: str, said: str) -> None:
    """A score just below a limit is below it."""
    assert status(Fraction(points), POLICY) == said


@given(st.fractions(-10, 10), st.fractions(-10, 10), st.decimals(-5, 5, places=3), st.decimals(-5, 5, places=3))
def test_a_score_lies_between_0_and_100_and_only_improves_towards_the_good_end(
    low: Fraction, high: Fraction, bad: Decimal, good: Decimal
) -> None:
    """Range and monotony of the scale, whichever end is the larger."""
    if bad == good:
        with pytest.raises(ValidationError):
            Scale(bad=bad, good=good)
        return
    within = Scale(bad=bad, good=good)
    first, second = (score(value, within) for value in sorted((low, high)))
    assert 0 <= min(first, second) <= max(first, second) <= 100
    assert (first <= second) if good > bad else (first >= second)


@given(st.lists(st.decimals(-5, 5, places=2), min_size=4, max_size=4, unique=True), st.fractions(-6, 6))
def test_a_band_is_full_inside_and_empty_outside(ends: list[Decimal], value: Fraction) -> None:
    """100 between low and high, 0 beyond empty and full, between them in between."""
    empty, low, high, full = sorted(ends)
    points = score(value, Band(empty=empty, low=low, high=high, full=full))
    assert 0 <= points <= 100
    assert (points == 100) == (low <= value <= high)
    assert (points == 0) == (value <= empty or value >= full)


shares = st.fractions(0, 1)
amounts = st.one_of(st.just(0), st.integers(0, 10**9))


@st.composite
def businesses(draw: st.DrawFn) -> PortfolioFigures:
    """Any business, with areas left out at random and absurd figures among them."""

    def maybe(value: Any) -> Any:
        return draw(st.one_of(st.just(value), st.none()))

    def part(whole: int) -> int:
        return draw(st.integers(0, whole))

    def sales() -> dict[str, Any]:
        total = draw(amounts)
        return {
            "sales": total,
            "orders": draw(amounts) % 10**8,
            "active_customers": maybe(draw(st.integers(0, 99))),
            "credit_sales": maybe(part(total)),
        }

    def margin() -> dict[str, Any]:
        profit = draw(st.integers(-(10**9), 10**9))
        more = {"gross_profit": maybe(profit), "discounts": maybe(draw(amounts)), "returns": maybe(draw(amounts))}
        return {"sales": draw(amounts), **more}

    def owed() -> dict[str, Any]:
        who = draw(st.lists(st.integers(0, 20), min_size=5, max_size=5))
        return ageing(*draw(st.lists(amounts, min_size=5, max_size=5)), customers=who)

    def stock() -> dict[str, Any]:
        items, value = draw(st.integers(0, 1000)), draw(amounts)
        return {
            "active_items": items,
            "stockout_items": part(items),
            "stock_value": value,
            "dead_stock_value": part(value),
            "cost_of_sales_30d": maybe(draw(amounts)),
        }

    def customers() -> dict[str, Any]:
        everybody, base = draw(st.integers(0, 50)), draw(st.integers(0, 50))
        return {
            "customers": everybody,
            "repeat_customers": part(everybody),
            "base_customers": base,
            "lost_customers": part(base),
            "new_customers": maybe(draw(st.integers(0, 9))),
        }

    receivables = {
        "ageing": owed(),
        "ageing_prior": maybe(owed()),
        "debtors": draw(st.integers(0, 30)),
        "credit_sales_90d": draw(amounts),
        "credit_sales_90d_prior": maybe(draw(amounts)),
        "top10_owed": 0,
        "limits_total": maybe(draw(amounts)),
    }
    return figures(
        sales=maybe({"current": sales(), "prior": sales(), "last_year": maybe(draw(amounts))}),
        margin=maybe({"current": margin(), "prior": maybe(margin())}),
        receivables=maybe(receivables),
        stock=maybe({"current": stock(), "prior": maybe(stock()), "order_value": maybe(draw(amounts))}),
        customers=maybe({"current": customers(), "prior": maybe(customers())}),
        months=draw(st.sampled_from([[], [{"sales": 0, "receivables": 5}] * 12])),
    )


@settings(max_examples=tries(150), deadline=None)
@given(businesses())
def test_a_board_is_consistent_for_any_business(business: PortfolioFigures) -> None:
    """Means lie between their parts, order is worst first, and nothing is scored that was not computed."""
    found = board(business, POLICY)
    known = [kpi for kpi in found.kpis if kpi.measure.value is not None]
    assert all((kpi.score is not None) == (kpi.measure.key in SCORED) for kpi in known)
    assert [part.score for part in found.areas] == sorted(part.score for part in found.areas)
    for part in found.areas:
        points = [kpi.score for kpi in known if kpi.measure.area == part.area and kpi.score is not None]
        assert min(points) <= part.score <= max(points)
        assert part.status == status(part.score, POLICY)
    assert set(found.missing) == set(AREAS) - {part.area for part in found.areas}
    assert (found.health is None) == (len(found.areas) < 3) == (found.status is None)
    if found.health is not None:
        assert found.areas[0].score <= found.health <= found.areas[-1].score
    ranks = [alarm.scored.score for alarm in found.alarms]
    assert ranks == sorted(ranks, key=lambda points: points or 0)
    assert {alarm.severity for alarm in found.alarms if alarm.scored.status == "watch"} <= {"watch"}
    assert all((alarm.severity == "act") == (alarm.scored.score == 0) for alarm in found.alarms)


@given(st.fractions(-1000, 1000))
@example(Fraction(5249126363050382892250826687957572, 2687552697881796040832423264920473))
def test_a_shown_score_never_contradicts_its_status(points: Fraction) -> None:
    """Rounded down, a score stays below every limit that it is below."""
    assert rounded_down(points) <= points
    assert abs(rounded(points) - rounded_down(points)) <= Decimal("0.000001")


def test_a_better_figure_never_lowers_the_health_score() -> None:
    """Monotony through all three levels."""
    worse, better = (
        board(figures(receivables=RECEIVABLES | {"limits_total": limits}), POLICY).health for limits in (1100, 1200)
    )
    assert worse is not None
    assert better is not None
    assert worse < better


@pytest.mark.parametrize(
    ("left_out", "health"),
    [
        (("stock",), "44.997666"),
        (("stock", "customers"), "42.140023"),
        (("stock", "customers", "margin"), None),
    ],
)
def test_weights_of_missing_areas_go_to_the_others(left_out: tuple[str, ...], health: str | None) -> None:
    """The weighted mean is taken over the areas at hand; none with fewer than three."""
    found = board(figures(**dict.fromkeys(left_out)), POLICY)
    assert (None if found.health is None else f"{rounded(found.health)}") == health


def test_equal_areas_are_ranked_by_weight_then_in_fixed_order() -> None:
    """Ties are stable."""
    full = DashboardPolicy.model_validate(
        {"weights": {"sales": "0.1", "margin": "0.3", "credit": "0.2", "stock": "0.2", "retention": "0.2"}}
    )
    business = figures(
        sales={"current": {"sales": 50, "orders": 1}, "prior": {"sales": 100, "orders": 1}},
        margin={"current": {"sales": 100, "gross_profit": 5}},
        receivables=None,
        stock={"current": {"active_items": 10, "stockout_items": 5, "stock_value": 0, "dead_stock_value": 0}},
        customers={"current": {"customers": 10, "repeat_customers": 0, "base_customers": 0, "lost_customers": 0}},
    )
    found = board(business, full)
    assert [part.area for part in found.areas] == ["margin", "stock", "retention", "sales"]
    assert {part.score for part in found.areas} == {Fraction(0)}
    assert health_score(found.areas, full) == 0
    assert sub_scores((), full) == ()


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        (
            {"sales": SALES | {"prior": {"sales": 0, "orders": 0}, "last_year": 0}},
            {"sales_change", "sales_change_year", "active_change"},
        ),
        ({"sales": SALES | {"last_year": None}}, {"sales_change_year"}),
        (
            {"sales": SALES | {"current": SALES["current"] | {"active_customers": 4}}},
            {"active_customers", "active_change"},
        ),
        (
            {"sales": SALES | {"current": {"sales": 0, "orders": 0}}},
            {"basket", "credit_sales_share", "active_customers", "active_change"},
        ),
        ({"margin": MARGIN | {"prior": None}}, {"margin_change"}),
        (
            {"margin": {"current": {"sales": 0, "gross_profit": 0, "discounts": 0, "returns": 0}}},
            {"gross_margin", "margin_change", "discount_share", "return_share"},
        ),
        ({"receivables": RECEIVABLES | {"limits_total": 0}}, {"utilisation"}),
        ({"receivables": RECEIVABLES | {"ageing_prior": None}}, {"dso_change"}),
        ({"receivables": RECEIVABLES | {"credit_sales_90d": 0}}, {"dso", "dso_change"}),
        ({"receivables": RECEIVABLES | {"debtors": 10}}, {"top10_share"}),
        (
            {"receivables": RECEIVABLES | {"debtors": 4}},
            {
                "receivables",
                "overdue",
                "overdue_share",
                "par30",
                "par60",
                "dso",
                "dso_change",
                "top10_share",
                "utilisation",
                "expected_unpaid",
            },
        ),
        (
            {
                "stock": {
                    "current": STOCK["current"] | {"active_items": 0, "stockout_items": 0, "cost_of_sales_30d": None}
                }
            },
            {"stockout_share", "stock_cover", "order_value"},
        ),
        (
            {
                "customers": {
                    "current": {"customers": 4, "repeat_customers": 1, "base_customers": 4, "lost_customers": 1}
                }
            },
            {"customers", "repeat_rate", "lost_share", "new_customers", "at_risk_share"},
        ),
        ({"customers": CUSTOMERS | {"segments": [{"name": "at_risk", "customers": 4, "spend": 9}]}}, {"at_risk_share"}),
    ],
)
def test_what_cannot_be_computed_is_left_out(changes: dict[str, object], missing: set[str]) -> None:
    """Nothing to divide by, nothing given, or fewer than five customers: never 0 and never infinity."""
    assert {key for key, value in values(figures(**changes)).items() if value is None} == missing


@pytest.mark.parametrize(
    ("unit", "value", "prior", "trend"),
    [
        ("money", "101", "100", 1),
        ("money", "100.99", "100", 0),
        ("money", "99", "100", -1),
        ("money", "5", "0", None),
        ("money", "5", "-3", None),
        ("share", "0.305", "0.300", 1),
        ("share", "0.3049", "0.300", 0),
        ("share", "0.295", "0.300", -1),
        ("share", "0.2", None, None),
        ("change", "0.0099", None, 0),
        ("change", "-0.01", None, -1),
        ("points", "0.0049", None, 0),
        ("points", "0.005", None, 1),
        ("day_change", "-0.5", None, -1),
        ("day_change", "0.49", None, 0),
        ("days", None, "3", None),
    ],
)
def test_where_a_change_begins(unit: Any, value: str | None, prior: str | None, trend: int | None) -> None:
    """Flat below 1 %, half a point or half a day."""
    made = Measure(
        "sales", "x", unit, "X", None if value is None else Fraction(value), None if prior is None else Fraction(prior)
    )
    assert made.trend == trend


def test_a_figure_that_was_not_computed_has_no_value_to_show() -> None:
    """A slip of ours is an error and not a 0."""
    with pytest.raises(ValueError, match="dso could not be computed"):
        Measure("credit", "dso", "days", "DSO", None).known  # noqa: B018  # the error is the point


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_ratio_times_its_whole_is_its_part(part: int, whole: int) -> None:
    """An identity, except where there is nothing to divide by."""
    found, grown = ratio(part, whole), change(part, whole)
    assert (found is None) == (grown is None) == (whole == 0)
    assert found is None or found * whole == part
    assert grown is None or sign(grown, Fraction(0)) == (part > whole) - (part < whole)


def test_an_index_starts_at_100() -> None:
    """Rounded half up; nothing of a series that starts at nothing."""
    assert index([Decimal(200), Decimal(100), Decimal(205), Decimal(199)]) == (100, 50, 103, 100)
    assert index([Decimal(0), Decimal(5)]) == index([]) == ()


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: Band(empty=Decimal(5), low=Decimal(5), high=Decimal(6), full=Decimal(7)), "empty < low"),
        (lambda: Weights(sales=Decimal("0.5")), "add up to 1"),
        (lambda: Weights(sales=Decimal(0), margin=Decimal("0.45")), "above 0"),
        (lambda: DashboardPolicy(good_from=30), "watch_from"),
        (lambda: Thresholds(par30=Scale(bad=Decimal(1), good=Decimal(1))), "differ"),
        (lambda: Thresholds.model_validate({"par30": {"bad": 0.4, "good": "0.1"}}), "floats are not exact"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(build: Any, complaint: str) -> None:
    """Ends, weights and limits are checked when the policy is made."""
    with pytest.raises(ValidationError, match=complaint):
        build()


def test_a_shop_may_set_its_own_thresholds() -> None:
    """A pharmacy's margin of 20 % can be bad where a grocer's is fair."""
    policy = DashboardPolicy(thresholds=Thresholds(gross_margin=Scale(bad=Decimal("0.20"), good=Decimal("0.35"))))
    margin = next(kpi for kpi in board(figures(), policy).kpis if kpi.measure.key == "gross_margin")
    assert (margin.score, margin.status) == (Fraction(0), "bad")
    assert range_of(margin.measure, policy) == policy.thresholds.gross_margin
