"""The operator's KPIs: what they count, how sure they are, and when a target is met."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal, localcontext
from random import Random
from typing import Any, Final

import pytest

from ai_addons.billing.fx_used import FxUsed
from ai_addons.billing.hits import CacheUse
from ai_addons.billing.kpis import Kpi, Kpis, make_kpis
from ai_addons.billing.kpis.facts import (
    Confirmed,
    Conversion,
    Endings,
    Facts,
    PaymentScore,
    Refusals,
    Responses,
    Served,
    score_payments,
)
from ai_addons.billing.kpis.shape import Percentiles, Verdict, judge
from ai_addons.billing.margin import FeatureUsage, margins
from ai_addons.money import Credits, MicroGhs, PicoUsd

MINUTE: Final = 60_000_000
NO_MARGIN: Final = margins([])
FACTS: Final = Facts(
    days=30,
    since=0,
    until=30 * 1_440 * MINUTE,
    scored_until=29 * 1_440 * MINUTE,
    responses=(),
    endings=Endings(),
    cache=(),
    margins=NO_MARGIN,
    users={},
    former_users=frozenset(),
    buyers=frozenset(),
)


def kpis(**facts: Any) -> Kpis:
    """KPIs of some facts; what is not told is nothing."""
    return make_kpis(replace(FACTS, **facts), Random(1))  # noqa: S311  # resamples, no secret


def took(ms: int | None, calls: int = 1, *, served: Served = "provider", given_up: bool = False) -> Responses:
    """Calls of one feature that took equally long."""
    return Responses(feature="f", served=served, latency_ms=ms, given_up=given_up, calls=calls)


def earned(revenue: int, cost: int, unpriced: int = 0) -> Any:
    """A margin table of one feature."""
    row = FeatureUsage(
        feature="f", calls=1, credits=Credits(1), revenue=MicroGhs(revenue), cost=MicroGhs(cost), unpriced=unpriced
    )
    return margins([row])


def counts(line: Kpi) -> tuple[object, object, Verdict]:
    """What a line counts and says."""
    return line.numerator, line.denominator, line.verdict


# Verdicts.


@pytest.mark.parametrize(
    ("interval", "target", "verdict"),
    [
        (("0.9912", "0.9945"), "0.99", "met"),
        (("0.9455", "0.9982"), "0.99", "not enough data"),
        (("0.90", "0.99"), "0.99", "not met"),
        (("0.99", "1"), "0.99", "not enough data"),
        (None, "0.99", "not enough data"),
        (("0.1", "0.2"), None, "no target"),
    ],
)
def test_a_target_is_met_only_when_the_bound_clears_it(
    interval: tuple[str, str] | None, target: str | None, verdict: Verdict
) -> None:
    """Above it with the whole interval, below it with the whole interval, or nobody knows."""
    bounds = None if interval is None else (Decimal(interval[0]), Decimal(interval[1]))
    assert judge(bounds, None if target is None else Decimal(target)) == verdict


def test_nothing_counted_meets_nothing() -> None:
    """Every line of an empty window says that it does not know."""
    lines = kpis().lines
    assert {line.verdict for line in lines} == {"not enough data", "denominator not supplied", "no target"}
    assert [line.key for line in lines] == [
        "response",
        "response",
        "credits_correct",
        "ai_success",
        "payments_granted",
        "cache_hits",
        "margin",
        "adoption",
        "purchase_rate",
        "revenue_per_user",
        "rating",
        "nps",
        "retention",
    ]
    assert all(line.value is None for line in lines)


def test_figures_do_not_depend_on_the_hosts_decimal_context() -> None:
    """A host that reckons with two digits gets the same report."""
    told = {"endings": Endings(ok=9_930, unknown=70), "ratings": {4: 20, 5: 40}, "margins": earned(2_400_000, 200_000)}
    exact = kpis(**told)
    with localcontext(prec=2):
        assert kpis(**told) == exact


# Response times.


def test_cached_and_provider_served_calls_stand_apart() -> None:
    """Fast repeats must not hide slow calls: 66 of 100 within three seconds stay 66, however many are cached."""
    slow = (took(1_000, 66), took(3_001, 34))
    found = kpis(responses=(*slow, took(5, 1_000, served="cache"), took(1, 9, served="rules")))
    assert counts(found.line("response", "provider")) == (66, 100, "not met")
    assert counts(found.line("response", "cache")) == (1_000, 1_000, "met")
    assert counts(found.line("response", "provider:f")) == (66, 100, "no target")
    assert found.line("response", "provider").percentiles == Percentiles(p50=1_000, p95=3_001, p99=3_001)
    assert [line.part for line in found.lines if line.key == "response"] == [
        "provider",
        "provider:f",
        "cache",
        "cache:f",
    ]


def test_three_seconds_are_within_three_seconds() -> None:
    """To the millisecond."""
    assert counts(kpis(responses=(took(3_000),)).line("response", "provider"))[:2] == (1, 1)


def test_a_call_that_was_given_up_is_slow() -> None:
    """However soon its time ran out, and although nobody timed it."""
    given_up = (took(900, 2, given_up=True), took(None, 3, given_up=True), took(100, 5))
    assert counts(kpis(responses=given_up).line("response", "provider"))[:2] == (5, 10)


def test_calls_nobody_timed_are_left_out_and_told() -> None:
    """A host that reports no time says nothing about speed."""
    line = kpis(responses=(took(100, 5), took(None, 7))).line("response", "provider")
    assert counts(line)[:2] == (5, 5)
    assert line.note.endswith("7 calls were not timed and are left out.")


# Credits and payments.


def test_a_failed_call_whose_credits_came_back_ends_correctly() -> None:
    """It is a failure of the model, in a line of its own."""
    found = kpis(endings=Endings(ok=9_000, failed=930, unknown=40, stuck=20, twice=0, unlogged=10))
    assert counts(found.line("credits_correct")) == (9_930, 10_000, "met")
    assert counts(found.line("ai_success")) == (9_000, 9_970, "no target")


@pytest.mark.parametrize(("ok", "verdict"), [(381, "met"), (380, "not enough data")])
def test_without_a_failure_381_calls_prove_99_percent(ok: int, verdict: Verdict) -> None:
    """One fewer does not."""
    assert kpis(endings=Endings(ok=ok)).line("credits_correct").verdict == verdict


def test_a_double_charge_is_no_correct_end() -> None:
    """Each charge beyond the first takes one away."""
    assert counts(kpis(endings=Endings(ok=10, twice=2)).line("credits_correct"))[:2] == (8, 10)
    assert Endings(ok=1, twice=3).correct == 0


@pytest.mark.parametrize(("paid", "verdict"), [(189, "met"), (188, "not enough data")])
def test_without_a_failure_189_payments_prove_98_percent(paid: int, verdict: Verdict) -> None:
    """By the gateways' lists, until a day ago."""
    line = kpis(payments=PaymentScore(confirmed=paid, in_time=paid, missing=0)).line("payments_granted")
    assert (line.verdict, line.until) == (verdict, FACTS.scored_until)


def test_our_own_rows_are_no_denominator_of_payments() -> None:
    """A payment that never reached us is in none of them."""
    line = kpis(granted=12).line("payments_granted")
    assert counts(line) == (None, None, "denominator not supplied")
    assert "Our own rows have 12 granted ones." in line.note


def test_payments_are_scored_by_order() -> None:
    """Twice paid is one order; five minutes are in time; unknown orders and unknown times are not."""
    confirmed = [
        Confirmed(reference="a", order="1", confirmed_at=0, granted_at=5 * MINUTE),
        Confirmed(reference="b", order="1", confirmed_at=MINUTE, granted_at=5 * MINUTE),
        Confirmed(reference="c", order="2", confirmed_at=0, granted_at=5 * MINUTE + 1),
        Confirmed(reference="d", order="3", confirmed_at=0, granted_at=None),
        Confirmed(reference="e", order=None, confirmed_at=0, granted_at=None),
        Confirmed(reference="f", order=None, confirmed_at=0, granted_at=None),
        Confirmed(reference="g", order="4", confirmed_at=None, granted_at=5),
    ]
    assert score_payments(confirmed) == PaymentScore(confirmed=6, in_time=1, missing=3)


def test_conversion_tells_methods_and_reasons_apart() -> None:
    """A declined PIN is the payer's word, not ours; there is no target."""
    found = kpis(
        conversion=(Conversion(method="", initiated=2, paid=0), Conversion(method="MOMO", initiated=10, paid=7)),
        refusals=(
            Refusals(method="MOMO", reason="declined", attempts=3),
            Refusals(method="MOMO", reason="timeout", attempts=1),
            Refusals(method="", reason="open", attempts=2),
        ),
    )
    assert counts(found.line("payment_conversion", "MOMO")) == (7, 10, "no target")
    assert counts(found.line("payment_conversion", "not chosen")) == (0, 2, "no target")
    assert counts(found.line("payment_refusals", "MOMO: declined")) == (3, 4, "no target")
    assert counts(found.line("payment_refusals", "not chosen: open")) == (2, 2, "no target")


# What it is worth.


def test_cache_hits_are_told_by_feature_and_with_what_they_saved() -> None:
    """An average hides the mix; features without cacheable calls have no line."""
    uses = tuple(
        CacheUse(feature=feature, cacheable=cacheable, hits=hits, saved=PicoUsd(hits * 10**9))
        for feature, cacheable, hits in (("a", 300, 200), ("b", 100, 0), ("c", 0, 0))
    )
    found = kpis(cache=uses)
    assert counts(found.line("cache_hits")) == (200, 400, "met")
    assert found.line("cache_hits").note.startswith("The models took USD 0.200000000000 ")
    assert counts(found.line("cache_hits", "a")) == (200, 300, "no target")
    assert counts(found.line("cache_hits", "b")) == (0, 100, "no target")
    with pytest.raises(KeyError, match="cache_hits"):
        found.line("cache_hits", "c")


@pytest.mark.parametrize(
    ("revenue", "cost", "unpriced", "profit", "value", "verdict"),
    [
        (2_400_000, 200_000, 0, "2.153200", "0.897167", "met"),
        (2_400_000, 1_000_000, 0, "1.353200", "0.563833", "not met"),
        (2_400_000, 200_000, 1, "2.153200", None, "not enough data"),
        (0, 200_000, 0, "-0.200000", None, "not enough data"),
    ],
)
def test_the_margin_is_a_ratio_of_sums(  # a row of the table
    revenue: int, cost: int, unpriced: int, profit: str, value: str | None, verdict: Verdict
) -> None:
    """It has no interval, and none is made up where some cost is unknown."""
    line = kpis(margins=earned(revenue, cost, unpriced)).line("margin")
    assert str(line.numerator) == profit
    assert (None if line.value is None else str(line.value), line.verdict, line.interval) == (value, verdict, None)


# Subscribers.


def test_adoption_counts_subscribers_only() -> None:
    """Who uses a feature without being one is not in it."""
    active = {f"b{number}" for number in range(200)}
    found = kpis(
        active=frozenset(active),
        users={"b1": 1, "b2": 1, "elsewhere": 1},
        buyers=frozenset([f"b{number}" for number in range(50)]),
    )
    assert counts(found.line("adoption")) == (2, 200, "not met")
    assert counts(found.line("purchase_rate")) == (50, 200, "met")


def test_without_the_hosts_subscribers_adoption_is_unknown() -> None:
    """What is known is told, and what is missing."""
    found = kpis(users={"a": 1}, buyers=frozenset("ab"))
    assert counts(found.line("adoption")) == (1, None, "denominator not supplied")
    assert counts(found.line("purchase_rate")) == (2, None, "denominator not supplied")


@pytest.mark.parametrize("days", [7, 27, 32])
def test_a_months_target_is_not_asked_of_another_window(days: int) -> None:
    """Seven days cannot sell what a month can."""
    found = kpis(days=days, active=frozenset("abc"), users=dict.fromkeys(map(str, range(40)), 99_000_000))
    for key in ("purchase_rate", "revenue_per_user"):
        assert found.line(key).verdict == "no target"
        assert found.line(key).note.endswith("The target is a month's, and this window is not one.")


def test_revenue_per_user_is_a_mean_with_a_bootstrap_interval() -> None:
    """Forty users at 70 and 80 cedis lie above 60; the same seed gives the same interval."""
    users = {str(number): 70_000_000 + 10_000_000 * (number % 2) for number in range(40)}
    line = kpis(users=users).line("revenue_per_user")
    assert (line.numerator, line.denominator, line.value, line.unit) == (Decimal(3_000), 40, Decimal(75), "GHS")
    assert line.interval == (Decimal("73.500000"), Decimal("76.500000"))
    assert line.verdict == "met"


def test_a_mean_of_few_values_meets_nothing() -> None:
    """Twenty-nine times five stars have no spread, and still say little."""
    assert kpis(ratings={5: 29}).line("rating").verdict == "not enough data"
    line = kpis(ratings={5: 30}).line("rating")
    assert (line.verdict, line.value, line.interval) == ("met", Decimal(5), (Decimal(5), Decimal(5)))


def test_the_net_promoter_score_is_promoters_less_detractors() -> None:
    """Nine and ten against zero to six; seven and eight only count in the whole."""
    line = kpis(recommends={10: 30, 9: 10, 8: 10, 6: 10}).line("nps")
    assert (line.numerator, line.denominator, line.value, line.unit) == (Decimal(3_000), 60, Decimal(50), "points")
    assert line.verdict == "not enough data"
    assert kpis(recommends={10: 1_000}).line("nps").verdict == "met"


def test_retention_compares_users_with_others_and_says_that_it_is_biased() -> None:
    """90 of 100 against 60 of 100 subscribers kept: half as many again, and no proof of an effect."""
    ai, others = [f"a{number}" for number in range(100)], [f"o{number}" for number in range(100)]
    kept = ai[:90] + others[:60]
    line = kpis(
        active=frozenset(kept), active_before=frozenset(ai + others), former_users=frozenset([*ai, "gone"])
    ).line("retention")
    assert (line.numerator, line.denominator, line.value) == (Decimal("0.900000"), Decimal("0.600000"), Decimal("0.5"))
    assert line.interval == (Decimal("0.261892"), Decimal("0.783036"))
    assert line.verdict == "met"
    assert "Selection-biased" in line.note


def test_retention_needs_both_ends() -> None:
    """Without the subscribers of then there is nothing to compare, and a group without anybody tells nothing."""
    assert kpis(active=frozenset("a")).line("retention").verdict == "denominator not supplied"
    assert kpis(active_before=frozenset("a")).line("retention").verdict == "denominator not supplied"
    line = kpis(active=frozenset("a"), active_before=frozenset("ab")).line("retention")
    assert (line.value, line.verdict) == (None, "not enough data")


# For machines.


def test_the_report_is_plain_data() -> None:
    """Decimals are strings, and everything goes through JSON."""
    rate = FxUsed(
        source="bog",
        day="2026-09-29",
        rate=Decimal("11.64600000"),
        stale=False,
        calls=2,
        cost=PicoUsd(10**10),
        cost_ghs=MicroGhs(116_460),
    )
    facts = replace(FACTS, responses=(took(100),), endings=Endings(ok=381))
    made = make_kpis(facts, Random(1), (rate,))  # noqa: S311  # resamples, no secret
    plain = json.loads(json.dumps(made.for_operator()))
    assert plain["days"] == 30
    assert plain["fx"] == [
        {
            "source": "bog",
            "day": "2026-09-29",
            "ghs_per_usd": "11.64600000",
            "stale": False,
            "calls": 2,
            "cost_usd": "0.010000000000",
            "cost_ghs": "0.116460",
        }
    ]
    by_key = {(line["key"], line["part"]): line for line in plain["lines"]}
    assert by_key["response", "provider"]["percentiles"] == {"p50": 100, "p95": 100, "p99": 100}
    correct = by_key["credits_correct", ""]
    assert (correct["interval"], correct["target"], correct["verdict"]) == (["0.990018", "1.000000"], "0.99", "met")
