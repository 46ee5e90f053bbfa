"""A scorecard fitted to a shop's own outcomes, and its part in the score."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_addons.features.credit_assessment import CreditPolicy, FittedScorecard, credit_assessment, fit_scorecard
from ai_addons.features.credit_assessment.example import example
from ai_addons.features.credit_assessment.fitted import (
    ScoredOutcome,
    _logistic,
    _solve,
    _weights,
    blend,
    fit,
    fitted_lost,
)
from ai_addons.features.credit_assessment.models import LinkPoint, WoeBin, WoeCharacteristic
from ai_addons.features.credit_assessment.scorecard import VERSION, Component, assess, scored_components, version_of
from benchmarks._features_credit import applicants
from tests.sizes import tries

if TYPE_CHECKING:
    from ai_addons.features.credit_assessment.models import ReasonCode

MOST: dict[ReasonCode, int] = {
    "LATE_SHARE": 35,
    "LAST_LATE": 20,
    "WORST_LATE": 15,
    "SHORT_HISTORY": 15,
    "REQUEST_SIZE": 15,
}


def parts(late: Fraction | float = 0, others: Fraction | float = 0) -> tuple[Component, ...]:
    """Components of which shares are lost."""
    return tuple(
        Component(code=code, most=most, lost=most * Fraction(late if code == "LATE_SHARE" else others))
        for code, most in MOST.items()
    )


def outcomes(*counts: tuple[float, int, int]) -> list[ScoredOutcome]:
    """So many good and bad customers with a share of the late points lost."""
    return [
        ScoredOutcome(components=parts(late), bad=bad)
        for late, good, n_bad in counts
        for bad in (*[False] * good, *[True] * n_bad)
    ]


def card(n: int = 400, bad: int = 80) -> FittedScorecard:
    """A card made by hand: only the late share tells, in two bins; a risk of 0 to 2 takes off 10 to 90 points."""
    return FittedScorecard(
        version="shop-1",
        outcomes=n,
        bad=bad,
        characteristics=tuple(
            WoeCharacteristic(
                code=code,
                weight=Decimal(1) if code == "LATE_SHARE" else Decimal(0),
                bins=(WoeBin(up_to=Decimal("0.5"), woe=Decimal(0)), WoeBin(up_to=Decimal("0.9"), woe=Decimal(1))),
            )
            for code in MOST
        ),
        link=(LinkPoint(risk=Decimal(0), lost=Decimal(10)), LinkPoint(risk=Decimal(2), lost=Decimal(90))),
    )


@pytest.mark.parametrize(
    ("n", "bad", "share"),
    [(199, 60, "0"), (200, 49, "0"), (200, 50, "0.3333333333333333333333333333"), (400, 80, "0.5"), (1600, 400, "0.8")],
)
def test_a_card_takes_part_from_two_hundred_outcomes_with_fifty_bad(n: int, bad: int, share: str) -> None:
    """Below either number it has no part; then n / (n + 400)."""
    assert card(n, bad).share == Decimal(share)


@pytest.mark.parametrize(
    ("late", "lost", "score"),
    [
        # Safest bin: 10 points, shared like the hand points' most; half of them count.
        (0, 10, 95),
        (0.5, 10, Fraction(345, 4)),
        # Risk 1 lies in the middle: 50 points, all for lateness. Half of 35 x 0.6 and half of 50.
        (0.6, 50, Fraction(129, 2)),
        (1, 50, Fraction(115, 2)),
    ],
)
def test_half_the_score_comes_from_a_card_of_four_hundred(late: float, lost: int, score: Fraction) -> None:
    """(1 - s) x hand + s x fitted, worked by hand; a value beyond the last bin counts as in it."""
    given_late = Fraction(str(late))
    assert fitted_lost(parts(given_late), card()) == lost
    assert 100 - sum(part.lost for part in blend(parts(given_late), card())) == score


def test_a_risk_beyond_the_link_stays_at_its_ends() -> None:
    """No customer is safer than the safest or riskier than the riskiest that was fitted on."""
    high = card().model_copy(
        update={
            "link": (LinkPoint(risk=Decimal("0.1"), lost=Decimal(5)), LinkPoint(risk=Decimal("0.5"), lost=Decimal(7)))
        }
    )
    assert fitted_lost(parts(0), high) == 5
    assert fitted_lost(parts(1), high) == 7


def test_the_evidence_of_a_bin_is_the_log_of_its_odds() -> None:
    """40 of 100 bad above, 10 of 100 below, each with half a customer of smoothing: by hand."""
    found = fit(outcomes((0, 90, 10), (0.8, 60, 40)), version="v").characteristics[0]
    base = 50 / 150
    assert [one.up_to for one in found.bins][-1] == 1
    assert float(found.bins[0].woe) == pytest.approx(math.log(10.5 / 90.5 / base), abs=1e-6)
    assert float(found.bins[-1].woe) == pytest.approx(math.log(40.5 / 60.5 / base), abs=1e-6)
    assert found.weight > 0


def test_a_characteristic_that_points_the_wrong_way_is_pooled_into_one_bin() -> None:
    """If late payers turned out better by chance, lateness is not rewarded: one bin, evidence the same for all."""
    found = fit(outcomes((0, 60, 40), (0.4, 80, 20), (0.8, 90, 10)), version="v")
    assert len(found.characteristics[0].bins) == 1
    assert len({lost for late in (0, 0.4, 0.8) for lost in [fitted_lost(parts(late), found)]}) == 1


def test_a_negative_weight_is_dropped_and_the_rest_fitted_again() -> None:
    """The second column speaks against the outcome; alone nothing is left of it."""
    bad = [True] * 20 + [False] * 20
    good_column = [1.0] * 15 + [0.0] * 20 + [1.0] * 5
    wrong_column = [0.0] * 18 + [1.0] * 20 + [0.0] * 2
    both = _weights([good_column, wrong_column], bad)
    assert both == [pytest.approx(_logistic([good_column], bad)[0]), 0.0]
    assert both[0] > 0
    assert _weights([wrong_column], bad) == [0.0]


def test_the_regression_finds_what_can_be_found_by_hand() -> None:
    """One two-valued column: with a negligible penalty the coefficient is the log odds ratio, ln 9 here."""
    many = 1_000
    column = [1.0] * (4 * many) + [0.0] * (4 * many)
    bad = [True] * (3 * many) + [False] * many + [True] * many + [False] * (3 * many)
    assert _logistic([column], bad) == [pytest.approx(math.log(9), abs=1e-2)]
    assert _solve([[2.0, 1.0], [1.0, 3.0]], [5.0, 10.0]) == [pytest.approx(1.0), pytest.approx(3.0)]


def test_the_regression_ends_though_it_has_not_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one step, by hand: of [[2, 1], [1, 1 + 1]] x = [0, 1] the second part."""
    monkeypatch.setattr("ai_addons.features.credit_assessment.fitted._STEPS", 1)
    bad = [True] * 3 + [False] + [True] + [False] * 3
    assert _logistic([[1.0] * 4 + [0.0] * 4], bad) == [pytest.approx(2 / 3)]


def test_customers_who_cannot_be_told_apart_lose_the_same() -> None:
    """Every record alike: the fitted card says nothing and moves nobody apart."""
    found = fit(outcomes((0.2, 150, 60)), version="v")
    assert fitted_lost(parts(0.2), found) == fitted_lost(parts(1), found) == 7


@pytest.mark.parametrize("counts", [(0, 10, 0), (0, 0, 10)])
def test_a_card_needs_good_and_bad_customers(counts: tuple[float, int, int]) -> None:
    """From one kind alone nothing can be learnt."""
    with pytest.raises(ValueError, match="turned bad and customers who did not"):
        fit(outcomes(counts), version="v")


@settings(max_examples=tries(25), deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=8),
    st.integers(0, 10),
    st.integers(0, 10),
)
def test_a_worse_record_never_loses_fewer_points(counts: list[tuple[int, int, int]], late: int, more: int) -> None:
    """Whatever the outcomes were, the blended score falls with lateness and stays within 0 and 100."""
    data = outcomes((0, 170, 1), (1, 1, 60), *((late / 10, good, bad) for late, good, bad in counts))
    found = fit(data, version="v")
    assert all(one.weight >= 0 for one in found.characteristics)
    assert all(one.bins == tuple(sorted(one.bins, key=lambda two: two.woe)) for one in found.characteristics)
    before, after = (
        sum((part.lost for part in blend(parts(share, share), found)), Fraction(0))
        for share in (Fraction(late, 10), Fraction(min(10, late + more), 10))
    )
    assert 0 <= before <= after <= 100


def test_a_whole_assessment_with_a_fitted_card() -> None:
    """Fitted on a shop's outcomes, kept as JSON, named in the result, and the score still is 100 less what is lost."""
    known = [(one.application, one.bad) for one in applicants(1, 500)]
    fitted = fit_scorecard(known, version="shop-2026")
    assert (fitted.outcomes, fitted.bad) == (500, sum(bad for _, bad in known))
    assert fitted == fit_scorecard(known, version="shop-2026")
    policy = CreditPolicy.model_validate_json(CreditPolicy(scorecard=fitted).model_dump_json())
    verdict = assess(example(), policy)
    assert verdict.score == 100 - sum(part.lost for part in verdict.components)
    assert verdict.score != assess(example(), CreditPolicy()).score
    assert all(part.saved >= 0 for part in verdict.components)
    prompt = credit_assessment.__wrapped__(example(), policy=policy)
    assert prompt.fallback is not None
    assert prompt.sample is not None
    assert prompt.check is not None
    result = prompt.fallback()
    assert result.data.scorecard_version == version_of(policy) == "hand-1+shop-2026"
    assert "fitted_part" in [notice.code for notice in result.warnings]
    assert prompt.check(prompt.sample()) == []


def test_a_card_of_too_few_outcomes_changes_nothing_and_says_so() -> None:
    """The hand points stay until there is enough to learn from."""
    policy = CreditPolicy(scorecard=card(199, 60))
    assert assess(example(), policy).components == scored_components(example())
    assert version_of(policy) == VERSION
    prompt = credit_assessment.__wrapped__(example(), policy=policy)
    assert prompt.fallback is not None
    assert "fitted_unused" in [notice.code for notice in prompt.fallback().warnings]
