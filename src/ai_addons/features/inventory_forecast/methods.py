"""Three ways to forecast, in plain Python, and the door by which another one comes in.

A forecast is flat: one number of units for each week to come.
"""

from __future__ import annotations

from itertools import cycle, pairwise
from math import hypot
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from ai_addons.features.inventory_forecast.demand import WEEK, DemandClass, History

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ai_addons.features.inventory_forecast.models import ForecastPolicy

Method: TypeAlias = "Callable[[History], float]"
"""Expected units per week after a history."""

BUILT_IN: Final = "builtin"
"""Our own forecaster, as a policy names it."""

PROFILE_DAYS: Final = 56
_START: Final = 8
_PRIOR: Final = 2
_LEAST_FACTOR: Final = 0.1
_ALPHAS: Final = tuple(step / 100 for step in range(5, 61, 5))


class Forecaster(Protocol):
    """Offers methods for an item; `ai_addons.forecasters` names those installed."""

    def methods(self, history: History, kind: DemandClass, /) -> Mapping[str, Method]:
        """The methods that suit a history, by name.

        The first is used; another one only where it is clearly better in the backtest.
        """
        ...


class BuiltIn:
    """TSB for demand with gaps, the weekday profile for eight weeks of days, SES for the rest.

    Args:
        policy: Has the smoothing weights.
    """

    def __init__(self, policy: ForecastPolicy) -> None:
        self._level = float(policy.level_weight)
        self._size, self._chance = float(policy.size_weight), float(policy.chance_weight)

    def methods(self, history: History, kind: DemandClass, /) -> Mapping[str, Method]:
        """All that the history is long enough for, the one for its class first."""
        found: dict[str, Method] = {"ses": self._ses, "tsb": self._tsb}
        if len(history.days) >= PROFILE_DAYS:
            found["weekday_profile"] = lambda past: weekday_profile(past.days)
        daily = "weekday_profile" in found
        first = "tsb" if kind in {"intermittent", "lumpy"} else "weekday_profile" if daily else "ses"
        return {first: found[first]} | found

    def _ses(self, history: History) -> float:
        return ses(history.observed, weight=self._level)

    def _tsb(self, history: History) -> float:
        return tsb(history.observed, size_weight=self._size, chance_weight=self._chance)


def ses(values: Sequence[float], *, weight: float = 0.1) -> float:
    """Simple exponential smoothing (Brown 1956), started at the mean of the first eight values; 0 without any."""
    if not values:
        return 0.0
    start = values[:_START]
    level = sum(start) / len(start)
    for value in values:
        level += weight * (value - level)
    return level


def tsb(values: Sequence[float], *, size_weight: float = 0.2, chance_weight: float = 0.1) -> float:
    """Teunter, Syntetos and Babai, "Intermittent demand: linking forecasting to inventory obsolescence" (2011).

    The chance of a sale starts at the share of periods with one, the size at the first
    one's. Unlike Croston's method it falls while nothing is sold.
    """
    sizes = [value for value in values if value > 0]
    if not sizes:
        return 0.0
    size, chance = sizes[0], len(sizes) / len(values)
    for value in values:
        if value > 0:
            size += size_weight * (value - size)
            chance += chance_weight * (1 - chance)
        else:
            chance -= chance_weight * chance
    return size * chance


def weekday_profile(days: Sequence[float | None]) -> float:
    """Classical decomposition by weekday, with exponential smoothing of what is left; units per week.

    A weekday's factor comes from the last 56 days and is drawn towards 1 by two days of
    average sales. The smoothing weight is the one of 0.05 to 0.60 with the smallest
    squared one-step error. Where weekdays differ very much (one sells twelve times the
    others) this drawing makes the forecast too low, by about a fifth; then the backtest
    usually prefers another method.
    """
    factors = weekday_factors(days)
    divisors = cycle([max(factor, _LEAST_FACTOR) for factor in factors])
    level = _smoothed([units / divisor for units, divisor in zip(days, divisors, strict=False) if units is not None])
    return level * sum(factors)


def weekday_factors(days: Sequence[float | None]) -> tuple[float, ...]:
    """The factor of each weekday, the first day's first; zeros without demand.

    (sum on that weekday + 2 x mean) / (count + 2) / mean over the last 56 days.
    """
    start = max(len(days) - PROFILE_DAYS, 0)
    known = [(place % WEEK, units) for place, units in enumerate(days) if units is not None and place >= start]
    total = sum(units for _, units in known)
    if total == 0:
        return (0.0,) * WEEK
    mean = total / len(known)
    sold = [[units for at, units in known if at == weekday] for weekday in range(WEEK)]
    return tuple((sum(units) + _PRIOR * mean) / (len(units) + _PRIOR) / mean for units in sold)


def _smoothed(values: Sequence[float]) -> float:
    """The level by the weight with the smallest one-step error; the smaller weight of two as good."""
    if not values:
        return 0.0
    start = values[:_START]
    first = values[0] - sum(start) / len(start)
    steps = [after - before for before, after in pairwise(values)]
    return ses(values, weight=min(_ALPHAS, key=lambda weight: _one_step_error(first, steps, kept=1 - weight)))


def _one_step_error(first: float, steps: Iterable[float], *, kept: float) -> float:
    """The root of the sum of squared one-step errors: each is a step of the values and what is kept of the last error.

    With a level l after each value v, the error v' - l' is v' - v + v - l - weight (v - l).
    """
    error = first
    return hypot(first, *[error := step + kept * error for step in steps])
