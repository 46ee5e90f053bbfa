"""The arithmetic of a credit decision, exact and without any model.

The weights are set by hand. They rank risk about as well as past lateness can
(which is far from perfectly) and are not a probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from ai_addons.features.credit_assessment.fitted import ScoredOutcome, blend, fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from ai_addons.features.credit_assessment.models import (
        BindingRule,
        CreditApplication,
        CreditInvoice,
        CreditPolicy,
        Decision,
        FittedScorecard,
        GradeRule,
        ReasonCode,
    )

VERSION: Final = "hand-1"
LIMIT_STEP: Final = 50
HISTORY_YEARS: Final = 2
LONG_OVERDUE_DAYS: Final = 60
FULL_HISTORY: Final = 8
MOST_REASONS: Final = 4
FEWEST_REASONS: Final = 2
_HALF_YEAR: Final = 6
_LAST_CLIP: Final = 30
_WORST_CLIP: Final = 60
_UNKNOWN_LATE_SHARE: Final = Fraction(1, 2)
_UNKNOWN_DAYS: Final = 5
_UNKNOWN_RATIO: Final = Fraction(2)
_SCALE: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How bills were paid.

    Attributes:
        n: Bills that can be judged: paid, or past due.
        late: Those paid after the due date or still unpaid past it.
        mean: Mean days late, bills on time counting 0; None without a bill.
        last: Days late of the most recently due bill, the worst if several.
        worst: Most days late.
        overdue_now: Days past due of the oldest open bill; 0 if none.
        ignored: Settled bills too old to count.
    """

    n: int
    late: int
    mean: Fraction | None
    last: int | None
    worst: int | None
    overdue_now: int
    ignored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of the score.

    Attributes:
        code: Its reason code.
        most: Points it can cost.
        lost: Points it costs.
    """

    code: ReasonCode
    most: int
    lost: Fraction

    @property
    def saved(self) -> Fraction:
        """Points not lost; a fitted card may take more than the component's own."""
        return max(Fraction(0), self.most - self.lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenReason:
    """A reason code the explanation must cover; ``points`` is negative where points were lost."""

    code: ReasonCode
    sign: int
    points: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All that code has decided about an application."""

    history: History
    median_purchases: Fraction
    ratio: Fraction | None
    trend: Fraction | None
    components: tuple[Component, ...]
    score: Fraction
    grade: GradeRule
    limit: Decimal
    binding_rule: BindingRule
    available_now: Decimal
    decision: Decision
    reasons: tuple[GivenReason, ...]


def decimal(value: Fraction) -> Decimal:
    """A fraction as a Decimal, rounded down at the sixth place."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(_SCALE, ROUND_FLOOR)


def assess(application: CreditApplication, policy: CreditPolicy) -> Verdict:
    """Score an application, set a limit and suggest a decision."""
    past = history(application.credit_invoices, application.as_of)
    median = _median(application.monthly_purchases)
    ratio = request_ratio(application, median)
    parts = components(past, ratio)
    if policy.scorecard is not None:
        parts = blend(parts, policy.scorecard)
    score = 100 - sum((part.lost for part in parts), Fraction(0))
    grade = next(rule for rule in policy.grades if score >= Fraction(rule.from_score))
    limit, binding = recommended_limit(application, policy, median, grade)
    decision = decide(application, policy, past, grade, limit)
    hard = hard_rules(application, policy, past, limit, decision)
    return Verdict(
        history=past,
        median_purchases=median,
        ratio=ratio,
        trend=_trend(application.monthly_purchases),
        components=parts,
        score=score,
        grade=grade,
        limit=limit,
        binding_rule=binding,
        available_now=max(Decimal(0), limit - application.exposure),
        decision=decision,
        reasons=reasons(parts, hard, decision),
    )


def fit_scorecard(outcomes: Iterable[tuple[CreditApplication, bool]], *, version: str) -> FittedScorecard:
    """Fit a scorecard to a shop's own outcomes, for ``CreditPolicy(scorecard=…)``.

    It takes part in the score from 200 outcomes, 50 of them bad, with n / (n + 400) (set by hand).

    Args:
        outcomes: Each application as it was when credit was given, and whether the customer then turned bad (for
            example, paid a bill more than 90 days late).
        version: Kept with every result.

    Raises:
        ValueError: Without a bad or without a good customer.
    """
    scored = [ScoredOutcome(components=scored_components(asked), bad=bad) for asked, bad in outcomes]
    return fit(scored, version=version)


def scored_components(application: CreditApplication) -> tuple[Component, ...]:
    """The five parts of the hand points for an application."""
    past = history(application.credit_invoices, application.as_of)
    return components(past, request_ratio(application, _median(application.monthly_purchases)))


def version_of(policy: CreditPolicy) -> str:
    """Which scorecard applies: the hand points, and a fitted card where it takes part."""
    card = policy.scorecard
    return VERSION if card is None or not card.share else f"{VERSION}+{card.version}"


def history(invoices: Iterable[CreditInvoice], as_of: date) -> History:
    """Judge the bills of the last 24 months, and any older one that is still unpaid.

    A bill unpaid past its due date counts as late with the days so far: left out,
    the worst payers would be invisible. A bill not yet due says nothing.
    """
    start = _two_years_before(as_of)
    everything = list(invoices)
    recent = [bill for bill in everything if bill.paid is None or bill.issued >= start]
    judged = [(bill.due, _days_late(bill, as_of)) for bill in recent if bill.paid is not None or bill.due < as_of]
    late = [days for _, days in judged]
    open_days = [_days_late(bill, as_of) for bill in recent if bill.paid is None]
    return History(
        n=len(judged),
        late=sum(days > 0 for days in late),
        mean=Fraction(sum(late), len(late)) if late else None,
        last=max(judged)[1] if judged else None,
        worst=max(late, default=None),
        overdue_now=max(open_days, default=0),
        ignored=len(everything) - len(recent),
    )


def _days_late(bill: CreditInvoice, as_of: date) -> int:
    return max(0, ((bill.paid or as_of) - bill.due).days)


def _two_years_before(day: date) -> date:
    """The same day two years earlier; 1 March where that year has no 29 February."""
    try:
        return day.replace(year=day.year - HISTORY_YEARS)
    except ValueError:
        return day.replace(year=day.year - HISTORY_YEARS, month=3, day=1)


def _median(values: Sequence[Decimal]) -> Fraction:
    ordered = sorted(Fraction(value) for value in values)
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[~middle]) / 2


def _trend(monthly: Sequence[Decimal]) -> Fraction | None:
    """Last six months against the six before; None if those were empty."""
    before, after = (Fraction(sum(part, Decimal(0))) for part in (monthly[:_HALF_YEAR], monthly[_HALF_YEAR:]))
    return after / before - 1 if before else None


def request_ratio(application: CreditApplication, median: Fraction) -> Fraction | None:
    """What is asked for as a multiple of the present limit, else of a typical month; None without either."""
    base = Fraction(application.current_limit) or median
    return Fraction(application.requested_ghs) / base if base else None


def components(past: History, ratio: Fraction | None) -> tuple[Component, ...]:
    """The five parts of the score, 100 points in all."""
    late_share = Fraction(past.late, past.n) if past.n else _UNKNOWN_LATE_SHARE
    last = _UNKNOWN_DAYS if past.last is None else past.last
    worst = _UNKNOWN_DAYS if past.worst is None else past.worst
    beyond = (_UNKNOWN_RATIO if ratio is None else ratio) - 1
    return (
        Component(code="LATE_SHARE", most=35, lost=35 * late_share),
        Component(code="LAST_LATE", most=20, lost=20 * Fraction(min(last, _LAST_CLIP), _LAST_CLIP)),
        Component(code="WORST_LATE", most=15, lost=15 * Fraction(min(worst, _WORST_CLIP), _WORST_CLIP)),
        Component(code="SHORT_HISTORY", most=15, lost=15 * (1 - Fraction(min(past.n, FULL_HISTORY), FULL_HISTORY))),
        Component(code="REQUEST_SIZE", most=15, lost=15 * min(max(beyond, Fraction(0)), Fraction(1))),
    )


def recommended_limit(
    application: CreditApplication, policy: CreditPolicy, median: Fraction, grade: GradeRule
) -> tuple[Decimal, BindingRule]:
    """The smallest of four limits, down to a step of GHS 50, and the rule that set it."""
    purchases = Fraction(policy.multiple_of_monthly_purchases) * median * Fraction(grade.factor)
    terms: list[tuple[Fraction, BindingRule]] = [
        (Fraction(application.requested_ghs), "requested"),
        (Fraction(policy.absolute_cap), "absolute_cap"),
        (purchases, "purchases_multiple"),
    ]
    if application.current_limit > 0:
        terms.append((Fraction(policy.growth_cap) * Fraction(application.current_limit), "growth_cap"))
    smallest, rule = min(terms, key=lambda term: term[0])
    return Decimal(smallest // LIMIT_STEP * LIMIT_STEP), rule


def decide(
    application: CreditApplication, policy: CreditPolicy, past: History, grade: GradeRule, limit: Decimal
) -> Decision:
    """The first rule that fits."""
    below_policy = (
        application.disputes_open > 0
        or application.tenure_months < policy.min_tenure_months
        or past.n < policy.min_credit_invoices
    )
    rules: tuple[tuple[bool, Decision], ...] = (
        (past.overdue_now > LONG_OVERDUE_DAYS, "decline"),
        (below_policy, "refer"),
        (grade.grade == "E", "decline"),
        (grade.grade == "D" or limit == 0, "refer"),
        (limit < application.requested_ghs, "approve_reduced"),
    )
    fitting: list[Decision] = [decision for fits, decision in rules if fits]
    return fitting[0] if fitting else "approve"


def hard_rules(
    application: CreditApplication, policy: CreditPolicy, past: History, limit: Decimal, decision: Decision
) -> tuple[ReasonCode, ...]:
    """Codes of all rules that stand against the request, whatever the score."""
    limited = decision == "approve_reduced" or (decision == "refer" and limit == 0)
    rules: tuple[tuple[bool, ReasonCode], ...] = (
        (past.overdue_now > LONG_OVERDUE_DAYS, "OVERDUE_NOW"),
        (application.disputes_open > 0, "OPEN_DISPUTE"),
        (application.tenure_months < policy.min_tenure_months, "SHORT_TENURE"),
        (past.n < policy.min_credit_invoices, "FEW_INVOICES"),
    )
    return tuple(code for hit, code in rules if hit) or (("LIMIT_RULE",) if limited else ())


def reasons(parts: Sequence[Component], hard: Sequence[ReasonCode], decision: Decision) -> tuple[GivenReason, ...]:
    """Two to four reasons: for a full approval what speaks for it, else hard rules and points lost."""
    strengths = _strengths(parts)
    if decision == "approve":
        return strengths[:MOST_REASONS]
    lost = sorted((part for part in parts if part.lost > 0), key=lambda part: -part.lost)
    against = (
        *(GivenReason(code=code, sign=-1) for code in hard),
        *(GivenReason(code=part.code, sign=-1, points=-part.lost) for part in lost),
    )[:MOST_REASONS]
    named = {reason.code for reason in against}
    missing = max(0, FEWEST_REASONS - len(against))
    return (*against, *[reason for reason in strengths if reason.code not in named][:missing])


def _strengths(parts: Sequence[Component]) -> tuple[GivenReason, ...]:
    """Components by points saved: the two best, and others that saved at least half of theirs."""
    ranked = sorted((part for part in parts if part.saved > 0), key=lambda part: -part.saved)
    worth = [part for rank, part in enumerate(ranked) if rank < FEWEST_REASONS or part.saved * 2 >= part.most]
    return tuple(GivenReason(code=part.code, sign=1, points=part.saved) for part in worth)
