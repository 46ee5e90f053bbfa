"""A scorecard fitted to a shop's own outcomes, in plain Python, and its blend into the hand points.

Each component's lost share is cut into bins by quantiles; adjacent bins are pooled until risk never falls with
the value (pool adjacent violators, Ayer and others 1955); a bin's value is its weight of evidence (Siddiqi,
Credit Risk Scorecards, 2006), and a logistic regression with a ridge penalty (le Cessie and van Houwelingen,
1992) weighs them. A component with a negative weight is left out. The risk is brought to the scale of the hand
points by equal ranks among the customers fitted on. Nothing here says how likely a default is: the reference's
fitted card over-predicted on one data set, so check its calibration before showing any probability.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeAlias

from ai_addons.features.credit_assessment.models import (
    FittedScorecard,
    LinkPoint,
    WoeBin,
    WoeCharacteristic,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.features.credit_assessment.scorecard import Component

    # What is known of so many customers, with a one for the intercept, and whether they turned bad.
    _Row: TypeAlias = tuple[tuple[float, ...], bool, int]

_BINS: Final = 5
_KNOTS: Final = 20
_RIDGE: Final = 1.0
_STEPS: Final = 25
# A step of Newton's method after which nothing changes that would be seen: the next is of its square.
_SETTLED: Final = 1e-9
_SMOOTHING: Final = 0.5
_PLACES: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredOutcome:
    """A customer as scored when credit was given, and how it turned out.

    Attributes:
        components: The five parts of the hand points.
        bad: Whether the customer turned bad.
    """

    components: tuple[Component, ...]
    bad: bool


def fit(outcomes: Sequence[ScoredOutcome], *, version: str) -> FittedScorecard:
    """Fit a scorecard.

    Args:
        outcomes: Customers with their outcome.
        version: Kept with every result.

    Raises:
        ValueError: Without a bad or without a good customer.
    """
    bad = [outcome.bad for outcome in outcomes]
    if len(set(bad)) != 2:  # noqa: PLR2004  # some bad, some good
        msg = "a scorecard needs customers who turned bad and customers who did not"
        raise ValueError(msg)
    columns = [
        [float(_value(part)) for part in parts] for parts in zip(*(one.components for one in outcomes), strict=True)
    ]
    bins = [_bins(column, bad) for column in columns]
    evidence = [[float(_woe(own, value)) for value in column] for own, column in zip(bins, columns, strict=True)]
    weights = _weights(evidence, bad)
    characteristics = tuple(
        WoeCharacteristic(code=part.code, weight=_decimal(weight), bins=own)
        for part, weight, own in zip(outcomes[0].components, weights, bins, strict=True)
    )
    return FittedScorecard(
        version=version,
        outcomes=len(outcomes),
        bad=sum(bad),
        characteristics=characteristics,
        link=_link(characteristics, outcomes),
    )


def blend(parts: tuple[Component, ...], card: FittedScorecard) -> tuple[Component, ...]:
    """The components with the fitted card's part in them: (1 - s) x hand + s x fitted, s = n / (n + 400).

    The fitted loss is shared out by each component's distance from its safest bin, as reasons for a refusal
    usually are; so the score still is 100 less what the components lose.
    """
    part = Fraction(card.share)
    if part == 0:
        return parts
    distances = [
        Fraction(own.weight) * (Fraction(_woe(own.bins, _value(one))) - Fraction(own.bins[0].woe))
        for own, one in zip(card.characteristics, parts, strict=True)
    ]
    lost, everything = fitted_lost(parts, card), sum(distances, Fraction(0))
    shares = [
        far / everything if everything else Fraction(one.most, 100) for far, one in zip(distances, parts, strict=True)
    ]
    return tuple(
        replace(one, lost=(1 - part) * one.lost + part * lost * share) for one, share in zip(parts, shares, strict=True)
    )


def fitted_lost(parts: Sequence[Component], card: FittedScorecard) -> Fraction:
    """Points, 0 to 100, that the fitted card alone takes off."""
    risk = _risk(parts, card.characteristics)
    place = bisect_left(card.link, risk, key=lambda point: point.risk)
    if place == 0:
        return Fraction(card.link[0].lost)
    if place == len(card.link):
        return Fraction(card.link[-1].lost)
    below, above = card.link[place - 1], card.link[place]
    step = Fraction(risk - below.risk) / Fraction(above.risk - below.risk)
    return Fraction(below.lost) + step * Fraction(above.lost - below.lost)


def _value(part: Component) -> Fraction:
    return part.lost / part.most


def _decimal(value: float) -> Decimal:
    return Decimal(value).quantize(_PLACES)


def _risk(parts: Sequence[Component], card: Sequence[WoeCharacteristic]) -> Decimal:
    return sum((own.weight * _woe(own.bins, _value(one)) for own, one in zip(card, parts, strict=True)), Decimal(0))


def _woe(bins: Sequence[WoeBin], value: float | Fraction) -> Decimal:
    """The evidence of a value."""
    return bins[min(bisect_left(bins, value, key=lambda one: one.up_to), len(bins) - 1)].woe


def _bins(column: Sequence[float], bad: Sequence[bool]) -> tuple[WoeBin, ...]:
    """Quantile bins, pooled until their evidence never falls."""
    ordered = sorted(column)
    quantiles = {ordered[len(ordered) * number // _BINS] for number in range(1, _BINS)}
    # A quantile that is the highest value would leave a bin above it with nobody in it.
    cuts = sorted({value for value in quantiles if value < ordered[-1]} | {1.0})
    pooled: list[tuple[float, int, int]] = []
    for low, high in zip([-1.0, *cuts], cuts, strict=False):
        inside = [is_bad for value, is_bad in zip(column, bad, strict=True) if low < value <= high]
        pooled.append((high, sum(inside), len(inside) - sum(inside)))
        while len(pooled) > 1 and _odds(pooled[-2]) >= _odds(pooled[-1]):
            (_, *first), (edge, *second) = pooled[-2:]
            pooled[-2:] = [(edge, first[0] + second[0], first[1] + second[1])]
    base = sum(bad) / (len(bad) - sum(bad))
    return tuple(WoeBin(up_to=_edge(one[0]), woe=_decimal(math.log(_odds(one) / base))) for one in pooled)


def _edge(value: float) -> Decimal:
    """An edge rounded up, so that the value it was taken from stays inside."""
    return Decimal(value).quantize(_PLACES, ROUND_CEILING)


def _odds(found: tuple[float, int, int]) -> float:
    return (found[1] + _SMOOTHING) / (found[2] + _SMOOTHING)


def _weights(evidence: Sequence[Sequence[float]], bad: Sequence[bool]) -> list[float]:
    """Coefficients that are never negative: the lowest negative one is dropped, and the rest fitted again."""
    used = list(range(len(evidence)))
    while used:
        found = _logistic([evidence[column] for column in used], bad)
        lowest = min(range(len(used)), key=found.__getitem__)
        if found[lowest] >= 0:
            weights = dict(zip(used, found, strict=True))
            return [weights.get(column, 0.0) for column in range(len(evidence))]
        del used[lowest]
    return [0.0] * len(evidence)


def _logistic(columns: Sequence[Sequence[float]], bad: Sequence[bool]) -> list[float]:
    """Ridge logistic regression by Newton's method; the intercept is fitted, not penalised, and left out."""
    # Evidence has few values, so that many customers share a row; each row is reckoned once, by its number.
    rows = [((1.0, *row), is_bad, many) for (*row, is_bad), many in Counter(zip(*columns, bad, strict=True)).items()]
    beta = [0.0] * (len(columns) + 1)
    for _ in range(_STEPS):
        step = _newton(beta, rows)
        beta = [old + change for old, change in zip(beta, step, strict=True)]
        if max(map(abs, step)) < _SETTLED:
            break
    return beta[1:]


def _newton(beta: Sequence[float], rows: Sequence[_Row]) -> list[float]:
    """The next step of Newton's method."""
    size = len(beta)
    gradient = [-_RIDGE * value if at else 0.0 for at, value in enumerate(beta)]
    hessian = [[_RIDGE if at == other and at else 0.0 for other in range(size)] for at in range(size)]
    for row, is_bad, many in rows:
        p = 1 / (1 + math.exp(-_dot(beta, row)))
        missed, spread = many * (is_bad - p), many * p * (1 - p)
        for at, value in enumerate(row):
            gradient[at] += missed * value
            hessian[at] = [old + spread * value * other for old, other in zip(hessian[at], row, strict=True)]
    return _solve(hessian, gradient)


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """Solve a small positive definite system by Gaussian elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for at in range(size):
        for below in range(at + 1, size):
            factor = rows[below][at] / rows[at][at]
            rows[below] = [a - factor * b for a, b in zip(rows[below], rows[at], strict=True)]
    found = [0.0] * size
    for at in reversed(range(size)):
        found[at] = (rows[at][size] - _dot(rows[at][at + 1 : size], found[at + 1 :])) / rows[at][at]
    return found


def _link(card: Sequence[WoeCharacteristic], outcomes: Sequence[ScoredOutcome]) -> tuple[LinkPoint, ...]:
    """Equal ranks: the k-th lowest fitted risk takes off what the k-th lowest hand loss does."""
    risks = sorted(_risk(one.components, card) for one in outcomes)
    losses = sorted(sum((part.lost for part in one.components), Fraction(0)) for one in outcomes)
    last = len(outcomes) - 1
    points: dict[Decimal, Decimal] = {}
    for knot in range(_KNOTS + 1):
        rank = last * knot // _KNOTS
        points[risks[rank]] = _decimal(float(losses[rank]))
    if len(points) == 1:
        # Nothing tells the customers apart.
        (lost,) = points.values()
        points[risks[0] + 1] = lost
    return tuple(LinkPoint(risk=risk, lost=lost) for risk, lost in points.items())
