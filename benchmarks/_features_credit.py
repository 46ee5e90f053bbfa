"""Who will pay late: the hand points against one fact, on invented credit histories.

The figure is the AUC: the chance that of two customers, one of
whom turns bad, the score names the right one (Mann and Whitney, 1947; ties count half). The reference's figures
are of real small loans, ours of generated histories: only the order of the methods can be compared.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final

from ai_addons.features.credit_assessment.models import CreditApplication, CreditInvoice, CreditPolicy
from ai_addons.features.credit_assessment.scorecard import assess, fit_scorecard
from benchmarks._features_rows import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

AUC: Final = "AUC of turning bad (generated)"
POINTS: Final = "hand points"
CARD: Final = "card blended into the points, two-fold"
SEEDS: Final = tuple(range(5))
APPLICANTS: Final = 1_000
AS_OF: Final = date(2026, 11, 20)
BAD_DAYS: Final = 21
"""A customer turns bad who pays any of the next bills later than this."""
_NEXT_BILLS: Final = 4
_MISFORTUNE: Final = 0.08
"""Share of customers who turn bad for a reason that no record shows; without it the AUC would be 0.85 and more."""
_TERM: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """A customer who asks for credit, and how it turned out.

    Attributes:
        application: What the shop knows.
        bad: Whether one of the next bills is paid more than 21 days late, or a misfortune came.
    """

    application: CreditApplication
    bad: bool


def applicants(seed: int, count: int = APPLICANTS) -> list[Applicant]:
    """Customers whose lateness is drawn once, drifts a little, and grows with what they ask for.

    Args:
        seed: Which customers.
        count: How many.
    """
    draw = Random(seed)  # noqa: S311  # invented customers, not secrets
    return [_applicant(draw) for _ in range(count)]


def _applicant(draw: Random) -> Applicant:
    """One customer: 1 to 14 past bills, about a month apart, the newest first."""
    habit, spread, drift = draw.gauss(-3, 7), draw.uniform(3, 9), draw.gauss(0, 4)
    past = draw.randrange(1, 15)
    ratio = draw.choice((0.8, 1.0, 1.0, 1.2, 1.5, 2.0))
    # The drift has come about over the past bills; a larger debt is paid later; and luck changes.
    history = tuple(_bill(draw, number, habit + drift * (1 - number / past), spread) for number in range(past))
    coming = habit + drift + 8 * max(0, ratio - 1) + draw.gauss(0, 5)
    ahead = [draw.gauss(coming, spread) for _ in range(_NEXT_BILLS)]
    month = Decimal(round(draw.lognormvariate(6.5, 0.6)))
    return Applicant(
        application=CreditApplication(
            as_of=AS_OF,
            requested_ghs=(2 * month * Decimal(str(ratio))).quantize(Decimal("0.01")),
            current_limit=2 * month,
            exposure=Decimal(0),
            tenure_months=past + 6,
            orders_12m=past,
            spend_12m=12 * month,
            disputes_open=0,
            returned_payments_12m=0,
            monthly_purchases=(month,) * 12,
            credit_invoices=history,
        ),
        bad=max(ahead) > BAD_DAYS or draw.random() < _MISFORTUNE,
    )


def _bill(draw: Random, number: int, lateness: float, spread: float) -> CreditInvoice:
    due = AS_OF - timedelta(days=75 + 30 * number)
    late = min(max(round(draw.gauss(lateness, spread)), -29), 74)
    return CreditInvoice(
        issued=due - _TERM, due=due, paid=due + timedelta(days=late), amount=Decimal(draw.randrange(100, 900))
    )


def late_share(application: CreditApplication) -> float:
    """The one fact: how many of the bills were paid late."""
    found = [bill.paid is not None and bill.paid > bill.due for bill in application.credit_invoices]
    return sum(found) / len(found)


def auc(scores: Sequence[float], bad: Sequence[bool]) -> float:
    """Area under the ROC curve of a risk score, by ranks."""
    order = sorted(zip(scores, bad, strict=True))
    total, at = 0.0, 0
    while at < len(order):
        end = next((k for k in range(at, len(order)) if order[k][0] != order[at][0]), len(order))
        total += sum(is_bad for _, is_bad in order[at:end]) * (at + 1 + end) / 2
        at = end
    n_bad = sum(bad)
    return (total - n_bad * (n_bad + 1) / 2) / (n_bad * (len(order) - n_bad))


def measure(seeds: Sequence[int] = SEEDS, count: int = APPLICANTS) -> list[Row]:
    """AUC of one fact, of the hand points, and with a scorecard fitted on half of the customers.

    Args:
        seeds: Which invented customers; the figures are means over them.
        count: How many customers each.

    Returns:
        Figures; the reference's are of repeat small loans.
    """
    rounds = [applicants(seed, count) for seed in seeds]
    bad = [[one.bad for one in found] for found in rounds]
    fact = [[late_share(one.application) for one in found] for found in rounds]
    points = [risks(found, CreditPolicy()) for found in rounds]
    crossed = [_crossed(found) for found in rounds]
    return [
        Row(what="share of bad customers (generated)", figure=_mean([statistics.fmean(found) for found in bad])),
        Row(what=AUC, method="one fact (late share)", figure=_aucs(fact, bad), reference=0.656),
        Row(what=AUC, method=POINTS, figure=_aucs(points, bad), reference=0.667),
        Row(what=AUC, method=CARD, figure=_mean(crossed), reference=0.695),
    ]


def risks(found: Sequence[Applicant], policy: CreditPolicy) -> list[float]:
    """The points each customer loses."""
    return [100 - float(assess(one.application, policy).score) for one in found]


def _aucs(scores: Sequence[Sequence[float]], bad: Sequence[Sequence[bool]]) -> float:
    return _mean([auc(*pair) for pair in zip(scores, bad, strict=True)])


def _crossed(found: Sequence[Applicant]) -> float:
    """The mean AUC on each half of a card that was fitted on the other half."""
    half = len(found) // 2
    return _mean([_fitted_auc(found[:half], found[half:]), _fitted_auc(found[half:], found[:half])])


def _fitted_auc(train: Sequence[Applicant], test: Sequence[Applicant]) -> float:
    card = fit_scorecard([(one.application, one.bad) for one in train], version="bench")
    return auc(risks(test, CreditPolicy(scorecard=card)), [one.bad for one in test])


def _mean(figures: Sequence[float]) -> float:
    return statistics.fmean(figures)
