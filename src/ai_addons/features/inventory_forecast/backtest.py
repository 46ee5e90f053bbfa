"""How far to trust a forecast: what it would have said before, against what came.

RMSSE is the root mean squared scaled error of Hyndman and Koehler (2006), as the M5
competition used it: below 1 the forecast beats "as much as last week".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from ai_addons.features.inventory_forecast.demand import squared_step
from ai_addons.features.inventory_forecast.reorder import demand_of, reorder_point, seen_point, seen_sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ai_addons.features.inventory_forecast.demand import History
    from ai_addons.features.inventory_forecast.methods import Method

    _Split: TypeAlias = tuple[History, tuple[float, ...], float | None]

_FEWEST_SALES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One test of a method.

    Attributes:
        forecast: Units it expected in the window.
        actual: Units that came.
        rmsse: Its scaled error; None where sales never changed before, so nothing scales it.
    """

    forecast: float
    actual: float
    rmsse: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Figures over many windows.

    Attributes:
        rmsse: Mean scaled error; None without a window.
        bias: Sum forecast over sum actual, less 1; None where nothing was sold.
        windows: How many.
    """

    rmsse: float | None
    bias: float | None
    windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a backtest is laid out.

    Attributes:
        weeks: Weeks of a window.
        windows: Most windows, the last weeks first, without overlap.
        training: Fewest known weeks before a window.
    """

    weeks: int
    windows: int
    training: int


def splits(history: History, plan: Plan) -> Iterator[tuple[History, tuple[float, ...]]]:
    """Each window's past and what came in it; windows with a missing week are left out."""
    for number in range(plan.windows):
        end = len(history.weeks) - number * plan.weeks
        past = history.without_last((number + 1) * plan.weeks)
        came = tuple(units for units in history.weeks[max(end - plan.weeks, 0) : end] if units is not None)
        if len(past.weeks) < plan.training:
            return
        known = past.observed
        if len(came) == plan.weeks and len(known) >= plan.training and _sales(known) >= _FEWEST_SALES:
            yield past, came


def _sales(weeks: Iterable[float]) -> int:
    return sum(units > 0 for units in weeks)


def windows(history: History, method: Method, plan: Plan) -> tuple[Window, ...]:
    """All tests of one method on one item."""
    return _windows(_scaled_splits(history, plan), method)


def _scaled_splits(history: History, plan: Plan) -> tuple[_Split, ...]:
    """Each window's past, what came in it, and what scales its error: the same for every method."""
    return tuple((past, came, squared_step(past.weeks)) for past, came in splits(history, plan))


def _windows(split: Iterable[_Split], method: Method) -> tuple[Window, ...]:
    return tuple(_window(came, scale, method(past)) for past, came, scale in split)


def _window(came: tuple[float, ...], scale: float | None, weekly: float) -> Window:
    error = sum((units - weekly) ** 2 for units in came) / len(came)
    return Window(
        forecast=weekly * len(came), actual=sum(came), rmsse=None if scale is None else math.sqrt(error / scale)
    )


def scores(tested: Iterable[Window]) -> Scores:
    """The figures of all windows together."""
    all_of_them = tuple(tested)
    errors = [one.rmsse for one in all_of_them if one.rmsse is not None]
    actual = math.fsum(one.actual for one in all_of_them)
    forecast = math.fsum(one.forecast for one in all_of_them)
    return Scores(
        rmsse=math.fsum(errors) / len(errors) if errors else None,
        bias=forecast / actual - 1 if actual else None,
        windows=len(all_of_them),
    )


def best(
    history: History, methods: Mapping[str, Method], plan: Plan, *, better_by: float
) -> tuple[str, tuple[Window, ...]]:
    """The first method, or the best other one if its error is clearly smaller.

    Args:
        history: One item's demand.
        methods: By name, the preferred one first.
        plan: Of the backtest.
        better_by: Share by which another one's mean error must be smaller.

    Returns:
        Its name and its tests.
    """
    split = _scaled_splits(history, plan)
    tested = {name: _windows(split, method) for name, method in methods.items()}
    errors = {name: error for name, found in tested.items() if (error := scores(found).rmsse) is not None}
    first = next(iter(methods))
    if first in errors:
        rival = min(errors, key=errors.__getitem__)
        first = rival if errors[rival] < (1 - better_by) * errors[first] else first
    return first, tested[first]


def service(history: History, method: Method, plan: Plan, *, level: float) -> tuple[int, int]:
    """How often the reorder point would have covered the demand of a protection period.

    Args:
        history: One item's demand.
        method: Forecasts its level.
        plan: Windows as long as the protection period.
        level: Service level aimed at.

    Returns:
        Windows covered, and windows in all.
    """
    covered = [_covers(past, sum(came), method, plan.weeks, level=level) for past, came in splits(history, plan)]
    return sum(covered), len(covered)


def _covers(past: History, asked: float, method: Method, weeks: int, *, level: float) -> bool:
    """Whether the reorder point was enough; what was seen before mostly says so, which spares a forecast."""
    if asked <= seen_point(seen_sums(past, weeks), level):
        return True
    return asked <= reorder_point(demand_of(past, method(past), weeks), level)
