"""Forecasts and reorder points on the development data: ours beside the simple methods everybody knows.

The data is a slice of Chen, D. (2015), *Online Retail*,
UCI Machine Learning Repository, https://doi.org/10.24432/C5BW33, CC BY 4.0; its products sold weekly. A British gift
trade says nothing about Ghanaian buying: this checks arithmetic.

Windows are those of the data's own page. Forecast: the last 4 weeks and the 4 before, at least 20 training weeks, 5 of
them with sales. Reorder point: the last four windows of 2 weeks, at least 16 training weeks, 5 of the last 26 with
sales; the level is that of SES, as in the figures it is compared with.
"""

from __future__ import annotations

import csv
import math
from datetime import date
from importlib.util import find_spec
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING, Final, TypeAlias

from ai_addons.features.inventory_forecast.demand import (
    DemandClass,
    History,
    classify,
    sample_variance,
    squared_step,
    units_per_period,
    weekly_history,
)
from ai_addons.features.inventory_forecast.library import StatsForecaster
from ai_addons.features.inventory_forecast.methods import BuiltIn, ses, tsb
from ai_addons.features.inventory_forecast.models import ForecastPolicy
from ai_addons.features.inventory_forecast.quantiles import demand_quantile, linear_quantile
from ai_addons.features.inventory_forecast.reorder import VARIANCE_WEEKS, demand_of, reorder_point
from benchmarks._features_rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ai_addons.features.inventory_forecast.methods import Forecaster

    Weekly: TypeAlias = Callable[[Sequence[float]], float | Sequence[float]]

OURS: Final = "built in, by class"
RMSSE: Final = "RMSSE of the next 4 weeks"
SERVICE: Final = "2-week windows covered by the reorder point"
STOCK: Final = "stock over demand for it"
_AS_OF: Final = date(2011, 7, 3)
_WEEKS: Final = 30
_HORIZON: Final = 4
_PROTECTION: Final = 2
_TRAINING: Final = {_HORIZON: 20, _PROTECTION: 16}
_WINDOWS: Final = {_HORIZON: 2, _PROTECTION: 4}
_SALES: Final = 5
_LEVEL: Final = 0.95


def histories(data: Path) -> tuple[History, ...]:
    """Each product's units per week since its first sale, from positive lines."""
    lines: dict[str, list[tuple[date, float]]] = {}
    with (data / "sales.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            day = date.fromisoformat(line["invoiced_at"][:10])
            lines.setdefault(line["stock_code"], []).append((day, float(line["quantity"])))
    sold = (units_per_period(of_one, as_of=_AS_OF, periods=_WEEKS) for of_one in lines.values())
    return tuple(weekly_history(units, (0,) * _WEEKS) for units in sold)


def windows(series: Sequence[History], weeks: int) -> Iterator[tuple[History, tuple[float, ...]]]:
    """Past and outcome of every window of so many weeks."""
    recent = VARIANCE_WEEKS if weeks == _PROTECTION else _WEEKS
    for history in series:
        for number in range(_WINDOWS[weeks]):
            end = len(history.weeks) - number * weeks
            past = history.without_last((number + 1) * weeks)
            if end - weeks >= _TRAINING[weeks] and sum(units > 0 for units in past.observed[-recent:]) >= _SALES:
                yield past, history.observed[end - weeks : end]


def croston(values: Sequence[float], weight: float = 0.1) -> float:
    """Croston's method (1972): size over gap, both smoothed at each sale."""
    size = gap = 0.0
    since = 1
    for value in values:
        if value > 0:
            size, gap = (size + weight * (value - size), gap + weight * (since - gap)) if size else (value, since)
            since = 1
        else:
            since += 1
    return size / gap if gap else 0.0


def damped_holt(values: Sequence[float]) -> tuple[float, ...]:
    """Holt's trend, damped (Gardner and McKenzie 1985).

    The figure it is compared with names no weights; these come nearest to it on a small grid.
    """
    level_weight, trend_weight, damping = 0.2, 0.05, 0.95
    level, trend = fmean(values[:8]), 0.0
    for value in values:
        after = level_weight * value + (1 - level_weight) * (level + damping * trend)
        trend = trend_weight * (after - level) + (1 - trend_weight) * damping * trend
        level = after
    ahead = [sum(damping**step for step in range(1, number + 1)) for number in range(1, _HORIZON + 1)]
    return tuple(max(level + steps * trend, 0.0) for steps in ahead)


METHODS: Final[Mapping[str, tuple[Weekly, float | None]]] = {
    "naive": (lambda values: values[-1], 1.136),
    "mean": (fmean, 1.007),
    "moving average 8": (lambda values: fmean(values[-8:]), 0.985),
    "moving average 13": (lambda values: fmean(values[-13:]), 0.973),
    "SES 0.1": (ses, 0.986),
    "SES 0.2": (lambda values: ses(values, weight=0.2), 0.981),
    "Holt, damped": (damped_holt, 0.987),
    "Croston": (croston, 1.107),
    "SBA": (lambda values: 0.95 * croston(values), 1.093),
    "TSB": (tsb, 0.988),
}
"""Weekly forecast of each method, and the figure of the reference; only SES and TSB are in the package."""


def rmsse(past: History, came: Sequence[float], forecast: float | Sequence[float]) -> float | None:
    """Scaled error of one window; None where nothing scales it."""
    expected = [forecast] * len(came) if isinstance(forecast, (int, float)) else forecast
    scale = squared_step(past.weeks)
    error = fmean((units - said) ** 2 for units, said in zip(came, expected, strict=True))
    return None if scale is None else math.sqrt(error / scale)


def errors(series: Sequence[History]) -> Iterator[Row]:
    """The mean error of every method, and of the forecasters that choose one by class."""
    tested = list(windows(series, _HORIZON))
    yield Row(what="windows of 4 weeks", figure=len(tested), reference=315, digits=0)
    for name, (method, reference) in METHODS.items():
        scaled = [rmsse(past, came, method(past.observed)) for past, came in tested]
        figure = fmean(one for one in scaled if one is not None)
        yield Row(what=RMSSE, method=name, figure=figure, reference=reference)
    yield from rivals(tested)


def rivals(tested: Sequence[tuple[History, tuple[float, ...]]]) -> Iterator[Row]:
    """The package's rule, TSB or SES by class, and the same of a library where it is installed."""
    forecasters: dict[str, Forecaster] = {OURS: BuiltIn(ForecastPolicy())}
    if find_spec("statsforecast"):
        forecasters["statsforecast, by class"] = StatsForecaster(ForecastPolicy())
    for name, forecaster in forecasters.items():
        scaled = [rmsse(past, came, by_class(past, forecaster)) for past, came in tested]
        figure = fmean(one for one in scaled if one is not None)
        yield Row(what=RMSSE, method=name, figure=figure)


def by_class(past: History, forecaster: Forecaster) -> float:
    """What a forecaster says without any backtest."""
    return next(iter(forecaster.methods(past, classify(past.observed)).values()))(past)


_POINTS: Final[Mapping[str, tuple[float, float]]] = {
    "mean only": (65.0, 0.90),
    "twice the mean": (84.2, 1.79),
    "mean + z sd sqrt(L)": (90.9, 2.45),
    "negative binomial": (92.5, 2.70),
    "empirical": (91.8, 2.80),
    "larger of the two": (93.0, 2.98),
}


def points(past: History, weekly: float) -> dict[str, float]:
    """Reorder points by every rule."""
    demand = demand_of(past, weekly, _PROTECTION)
    variance = sample_variance(past.observed[-VARIANCE_WEEKS:]) or 0.0
    return {
        "mean only": demand.mean,
        "twice the mean": 2 * demand.mean,
        "mean + z sd sqrt(L)": demand.mean + NormalDist().inv_cdf(_LEVEL) * math.sqrt(variance * _PROTECTION),
        "negative binomial": demand_quantile(_LEVEL, demand.mean, demand.variance),
        "empirical": linear_quantile(demand.sums, _LEVEL),
        "larger of the two": reorder_point(demand, _LEVEL),
    }


def service(series: Sequence[History]) -> Iterator[Row]:
    """The share of windows that each rule covers, and the stock it takes."""
    tested = list(windows(series, _PROTECTION))
    yield Row(what="windows of 2 weeks", figure=len(tested), reference=657, digits=0)
    wanted = [sum(came) for _, came in tested]
    rules = [points(past, ses(past.observed)) for past, _ in tested]
    for name, (achieved, stock) in _POINTS.items():
        covered = fmean(units <= rule[name] for units, rule in zip(wanted, rules, strict=True))
        yield Row(what=SERVICE, method=name, figure=100 * covered, reference=achieved, unit="%", digits=1)
        held = sum(rule[name] for rule in rules) / sum(wanted)
        yield Row(what=STOCK, method=name, figure=held, reference=stock, digits=2)
    ours = BuiltIn(ForecastPolicy())
    built = [reorder_point(demand_of(past, by_class(past, ours), _PROTECTION), _LEVEL) for past, _ in tested]
    covered = fmean(units <= point for units, point in zip(wanted, built, strict=True))
    yield Row(what=SERVICE, method=OURS, figure=100 * covered, unit="%", digits=1)
    yield Row(what=STOCK, method=OURS, figure=sum(built) / sum(wanted), digits=2)


_CLASSES: Final[Mapping[DemandClass, int]] = {
    "lumpy": 80,
    "erratic": 72,
    "intermittent": 28,
    "smooth": 2,
    "too_short": 18,
}


def classes(series: Sequence[History]) -> Iterator[Row]:
    """How many products are of each class."""
    told = [classify(history.observed) for history in series]
    for kind, reference in _CLASSES.items():
        yield Row(what=f"products: {kind}", figure=told.count(kind), reference=reference, digits=0)


def measure(data: Path) -> list[Row]:
    """All figures on the development data.

    Args:
        data: The folder ``retail_dev``.
    """
    series = histories(data)
    return [*classes(series), *errors(series), *service(series)]
