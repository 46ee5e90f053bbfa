"""Scores, statuses and alerts of the dashboard, exact and without any model.

A figure scores 100 x clip((x - bad) / (good - bad), 0, 1), a min-max scale with ends
set by hand. An area's score is the mean of its figures', the health score the weighted
mean of the areas'. Nothing here is fitted or measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.features.portfolio_dashboard.kpis import measures
from ai_addons.features.portfolio_dashboard.models import AREAS
from ai_addons.features.portfolio_dashboard.policy import Band, DashboardPolicy, Scale, Thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.features.portfolio_dashboard.kpis import Measure
    from ai_addons.features.portfolio_dashboard.models import Area, PortfolioFigures

Status: TypeAlias = Literal["good", "watch", "bad"]
"""What a score says."""

Severity: TypeAlias = Literal["act", "warn", "watch"]
"""At or past the bad end; bad; not bad yet but getting worse."""

_MOST: Final = 100
_MILLION: Final = 1_000_000
_PLACES: Final = Decimal("0.000001")
SCORED: Final = tuple(Thresholds.model_fields)
"""The figures that count."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A figure with its score; both None where it does not count or cannot be computed."""

    measure: Measure
    score: Fraction | None
    status: Status | None


@dataclass(frozen=True, slots=True)
class SubScore:
    """The score of an area, in points of 100."""

    area: Area
    score: Fraction
    status: Status


@dataclass(frozen=True, slots=True)
class Alarm:
    """A figure that needs somebody, worst first."""

    scored: Scored
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All that code has decided about a business.

    Attributes:
        kpis: Every figure of the given areas, in fixed order.
        areas: Sub-scores of the areas that have one, worst first.
        health: The health score, None with too few areas.
        status: What it says.
        alarms: What needs somebody, worst first.
    """

    kpis: tuple[Scored, ...]
    areas: tuple[SubScore, ...]
    health: Fraction | None
    status: Status | None
    alarms: tuple[Alarm, ...]

    @property
    def missing(self) -> tuple[Area, ...]:
        """Areas without a score, in fixed order."""
        known = {part.area for part in self.areas}
        return tuple(area for area in AREAS if area not in known)


def rounded(value: Fraction) -> Decimal:
    """A figure with six decimal places, half up."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(_PLACES, ROUND_HALF_UP)


def rounded_down(value: Fraction) -> Decimal:
    """A score with six decimal places, down: what is shown never contradicts its status."""
    # In whole numbers: a division of decimals is itself rounded, and may round up to the limit of a status.
    return Decimal(value.numerator * _MILLION // value.denominator).scaleb(-6)


def board(figures: PortfolioFigures, policy: DashboardPolicy) -> Board:
    """Score a business."""
    kpis = tuple(_scored(measure, policy) for measure in measures(figures))
    areas = sub_scores(kpis, policy)
    health = health_score(areas, policy)
    return Board(
        kpis=kpis,
        areas=areas,
        health=health,
        status=None if health is None else status(health, policy),
        alarms=alarms(kpis, policy),
    )


def _scored(measure: Measure, policy: DashboardPolicy) -> Scored:
    if measure.value is None or measure.key not in SCORED:
        return Scored(measure, None, None)
    points = score(measure.value, range_of(measure, policy))
    return Scored(measure, points, status(points, policy))


def range_of(measure: Measure, policy: DashboardPolicy) -> Scale | Band:
    """Where a scored figure is good and where it is bad."""
    found: Scale | Band = getattr(policy.thresholds, measure.key)
    return found


def score(value: Fraction, within: Scale | Band) -> Fraction:
    """Points of 100."""
    if isinstance(within, Scale):
        return _MOST * _climb(value, within.bad, within.good)
    return _MOST * min(_climb(value, within.empty, within.low), _climb(value, within.full, within.high))


def _climb(value: Fraction, bad: Decimal, good: Decimal) -> Fraction:
    """How far a value has come from bad to good, between 0 and 1."""
    way = (value - Fraction(bad)) / (Fraction(good) - Fraction(bad))
    return min(max(way, Fraction(0)), Fraction(1))


def status(points: Fraction, policy: DashboardPolicy) -> Status:
    """What a score says by the policy's two limits."""
    return "good" if points >= policy.good_from else "watch" if points >= policy.watch_from else "bad"


def sub_scores(kpis: Sequence[Scored], policy: DashboardPolicy) -> tuple[SubScore, ...]:
    """The mean score of each area that has one; worst first, then the heavier, then in fixed order."""
    found: list[SubScore] = []
    for area in AREAS:
        points = [kpi.score for kpi in kpis if kpi.measure.area == area and kpi.score is not None]
        if points:
            mean = sum(points, Fraction(0)) / len(points)
            found.append(SubScore(area, mean, status(mean, policy)))
    return tuple(sorted(found, key=lambda part: (part.score, -weight(part.area, policy))))


def health_score(areas: Sequence[SubScore], policy: DashboardPolicy) -> Fraction | None:
    """The weighted mean of the areas at hand; None with fewer than the policy asks for."""
    if len(areas) < policy.min_areas:
        return None
    total = sum((weight(part.area, policy) for part in areas), Fraction(0))
    return sum((part.score * weight(part.area, policy) for part in areas), Fraction(0)) / total


def weight(area: Area, policy: DashboardPolicy) -> Fraction:
    """What an area counts for."""
    found: Decimal = getattr(policy.weights, area)
    return Fraction(found)


def alarms(kpis: Sequence[Scored], policy: DashboardPolicy) -> tuple[Alarm, ...]:
    """Figures that are bad, or in between and getting worse; lowest score first, then the heavier area."""
    found = [Alarm(kpi, severity) for kpi in kpis if (severity := _severity(kpi, policy)) is not None]
    return tuple(sorted(found, key=lambda one: (one.scored.score or 0, -weight(one.scored.measure.area, policy))))


def _severity(kpi: Scored, policy: DashboardPolicy) -> Severity | None:
    if kpi.score is None or kpi.status == "good":
        return None
    if kpi.status == "bad":
        return "warn" if kpi.score else "act"
    return "watch" if worsening(kpi, policy) else None


def worsening(kpi: Scored, policy: DashboardPolicy) -> bool:
    """Whether a scored figure moves towards its bad end; never so for a band, which has two."""
    within = range_of(kpi.measure, policy)
    if not isinstance(within, Scale):
        return False
    return kpi.measure.trend == (-1 if within.good > within.bad else 1)
