"""The plan for a whole shop: each item's outlook, its order, its flag, and what the budget pays for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.errors import ConfigError
from ai_addons.features.inventory_forecast import backtest, reorder
from ai_addons.features.inventory_forecast.demand import (
    WEEK,
    DemandClass,
    History,
    classify,
    daily_history,
    weekly_history,
)
from ai_addons.features.inventory_forecast.methods import BUILT_IN, BuiltIn
from ai_addons.features.inventory_forecast.quantiles import demand_quantile
from ai_addons.plugins import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ai_addons.features.inventory_forecast.methods import Forecaster, Method
    from ai_addons.features.inventory_forecast.models import Flag, ForecastPolicy, StockItem, StockRequest

SLOW: Final[frozenset[Flag]] = frozenset({"dead_stock", "expiry", "overstock"})
"""Flags of stock that ties up money."""

MOST_WEEKLY: Final = 2.5e7
"""Units per week; no forecast says more, so that no sum over weeks leaves the range of the quantiles."""

MOST_COVER: Final = Decimal(9_999)
"""Days; longer cover is told as this."""

_LOW, _HIGH = 0.1, 0.9
_THIN_SPREAD: Final = 2
_GRAM: Final = Decimal("0.001")
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known of one item before any budget.

    Attributes:
        item: As given.
        kind: Class of its demand.
        method: Name of the method that forecasts it.
        weeks: Protection period.
        thin: Whether its history is too short for a forecast and an order.
        expected: Units expected in the protection period.
        lo: 10 % quantile of demand in it.
        hi: 90 % quantile.
        point: Reorder point.
        cover: Days that the stock lasts; None without demand or where thin.
        wanted: Units to order.
        too_old: Whether an order is needed and its shelf life forbids it.
        flag: What it needs.
        tests: Tests of the forecast.
        covered: Tests of the reorder point that it passed.
        periods: Tests of the reorder point.
    """

    item: StockItem
    kind: DemandClass
    method: str
    weeks: int
    thin: bool
    expected: Decimal
    lo: int
    hi: int
    point: int
    cover: Decimal | None
    wanted: int
    too_old: bool
    flag: Flag
    tests: tuple[backtest.Window, ...]
    covered: int
    periods: int

    @property
    def position(self) -> Decimal:
        """Units in stock and on order."""
        return self.item.stock + self.item.on_order

    @property
    def tied(self) -> Decimal:
        """What the stock cost, in GHS."""
        return self.item.stock * self.item.unit_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The plan for all items.

    Attributes:
        outlooks: Orders first by what a cedi spent saves, then slow stock by what it ties up, then the rest.
        quantities: Units to order now, by reference.
        scores: Of all forecasts.
        covered: Protection periods that the reorder points would have covered.
        periods: Protection periods tested.
    """

    outlooks: tuple[Outlook, ...]
    quantities: Mapping[str, int]
    scores: backtest.Scores
    covered: int
    periods: int

    @property
    def order_value(self) -> Decimal:
        """Cost of the orders in GHS."""
        return _total(one.item.unit_cost * self.quantities[one.item.ref] for one in self.outlooks)

    @property
    def over_budget(self) -> Decimal:
        """Cost in GHS of what the budget does not pay for."""
        return _total(one.item.unit_cost * one.wanted for one in self.outlooks) - self.order_value


def _total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, _ZERO)


def plan(request: StockRequest, policy: ForecastPolicy) -> Planned:
    """Forecast, order and test every item.

    Raises:
        UnknownPlugin: If no forecaster of the policy's name is installed.
        ConfigError: If a forecaster gives no number.
    """
    forecaster = _forecaster(policy)
    level = float(request.service_level)
    outlooks = [outlook(item, forecaster, policy, level=level) for item in request.items]
    orders = [_order(one) for one in outlooks if one.wanted]
    bought = reorder.within(request.budget, orders)
    return Planned(
        outlooks=_in_order(outlooks, orders),
        quantities={one.item.ref: bought.get(one.item.ref, 0) for one in outlooks},
        scores=backtest.scores(test for one in outlooks for test in one.tests),
        covered=sum(one.covered for one in outlooks),
        periods=sum(one.periods for one in outlooks),
    )


def _forecaster(policy: ForecastPolicy) -> Forecaster:
    """The one that the policy names; our own without the search through all that is installed, which takes longer."""
    if policy.forecaster == BUILT_IN:
        return BuiltIn(policy)
    made: Forecaster = load("forecasters", policy.forecaster)(policy)
    return made


def _order(one: Outlook) -> reorder.Order:
    item = one.item
    worth = item.unit_cost if item.unit_price is None else max(item.unit_price - item.unit_cost, _ZERO)
    return reorder.Order(
        ref=item.ref,
        quantity=one.wanted,
        pack=item.pack_size,
        least=item.moq,
        unit_cost=item.unit_cost,
        short=max(one.expected - one.position, _ZERO),
        worth=worth,
    )


def _in_order(outlooks: Iterable[Outlook], orders: Iterable[reorder.Order]) -> tuple[Outlook, ...]:
    place = {order.ref: number for number, order in enumerate(reorder.by_gain(orders))}
    last = len(place)

    def key(one: Outlook) -> tuple[int, int, Decimal, str]:
        slow = one.flag in SLOW
        return place.get(one.item.ref, last), 0 if slow else 1, -one.tied if slow else _ZERO, one.item.ref

    return tuple(sorted(outlooks, key=key))


def outlook(item: StockItem, forecaster: Forecaster, policy: ForecastPolicy, *, level: float) -> Outlook:
    """All about one item but the budget.

    Args:
        item: The item.
        forecaster: Offers the methods.
        policy: The shop's own settings.
        level: Service level, 0 to 1.

    Raises:
        ConfigError: If the forecaster gives no number.
    """
    history = history_of(item)
    kind, thin = classify(history.observed), len(history.observed) < policy.thin_weeks
    offered = {name: _bounded(name, method) for name, method in forecaster.methods(history, kind).items()}
    name, tests = backtest.best(history, offered, _test_plan(policy), better_by=float(policy.better_by))
    weeks = reorder.protection_weeks(item.lead_days, item.review_days)
    weekly = offered[name](history)
    demand = reorder.demand_of(history, weekly, weeks, spread=_THIN_SPREAD if thin else 1)
    point = reorder.reorder_point(demand, level)
    wanted, too_old = (0, False) if thin else _wanted(item, point, weekly)
    covered, periods = backtest.service(history, offered[name], _service_plan(policy, weeks), level=level)
    flag, cover = _flag(item, policy, weekly, wanted=wanted, too_old=too_old, thin=thin), _cover(item, weekly)
    return Outlook(
        item=item,
        kind=kind,
        method=name,
        weeks=weeks,
        thin=thin,
        expected=exact(demand.mean),
        lo=demand_quantile(_LOW, demand.mean, demand.variance),
        hi=demand_quantile(_HIGH, demand.mean, demand.variance),
        point=point,
        cover=None if thin else cover,
        wanted=0 if flag == "dead_stock" else wanted,
        too_old=too_old,
        flag=flag,
        tests=tests,
        covered=covered,
        periods=periods,
    )


def history_of(item: StockItem) -> History:
    """An item's demand by weeks, and by days where these are known."""
    units = [float(sold) for sold in item.sales]
    out = item.oos_days or (0,) * len(units)
    return daily_history(units, out) if item.period == "day" else weekly_history(units, out)


def _bounded(name: str, method: Method) -> Method:
    """A method whose numbers can be worked with, asked once about each past of the one item that it is offered for."""
    # Every past of an item is a beginning of its history, so its length says which.
    known: dict[int, float] = {}

    def bounded(history: History) -> float:
        length = len(history.weeks)
        if length not in known:
            known[length] = _in_range(name, method(history))
        return known[length]

    return bounded


def _in_range(name: str, weekly: float) -> float:
    if math.isnan(weekly):
        msg = f"The forecast method {name!r} gave no number, so nothing was forecast and nothing was charged."
        raise ConfigError(msg)
    return min(max(weekly, 0.0), MOST_WEEKLY)


def _test_plan(policy: ForecastPolicy) -> backtest.Plan:
    return backtest.Plan(weeks=policy.test_weeks, windows=policy.test_windows, training=policy.training_weeks)


def _service_plan(policy: ForecastPolicy, weeks: int) -> backtest.Plan:
    return backtest.Plan(weeks=weeks, windows=policy.service_windows, training=policy.training_weeks)


def exact(value: float) -> Decimal:
    """A statistic as a Decimal, to three places."""
    return Decimal(value).quantize(_GRAM, ROUND_HALF_UP)


def _wanted(item: StockItem, point: int, weekly: float) -> tuple[int, bool]:
    """Units to order, and whether shelf life forbids an order that is needed.

    What is left when the order arrives sells before it, so only the rest of what sells
    within the shelf life is fresh enough to be bought.
    """
    position = item.stock + item.on_order
    quantity = reorder.order_quantity(point - position, item.pack_size, item.moq)
    if quantity == 0 or item.shelf_life_days is None:
        return quantity, False
    daily = exact(weekly / WEEK)
    left = max(position - daily * item.lead_days, _ZERO)
    fresh = reorder.fresh_quantity(quantity, item.pack_size, item.moq, daily * item.shelf_life_days - left)
    return fresh, fresh == 0


def _cover(item: StockItem, weekly: float) -> Decimal | None:
    """Days that the stock lasts, at most 9,999; None without demand."""
    if weekly == 0:
        return None
    return min(exact(min(float(item.stock) * WEEK / weekly, float(MOST_COVER))), MOST_COVER)


def _flag(item: StockItem, policy: ForecastPolicy, weekly: float, *, wanted: int, too_old: bool, thin: bool) -> Flag:
    """The first that fits."""
    cover = _cover(item, weekly)
    keeps = item.shelf_life_days
    rules: tuple[tuple[bool, Flag], ...] = (
        (item.stock > 0 and _unsold(item, policy.dead_days), "dead_stock"),
        (too_old or (not thin and keeps is not None and cover is not None and cover > keeps), "expiry"),
        (wanted > 0, "stockout_risk"),
        (not thin and cover is not None and cover > policy.overstock_days, "overstock"),
    )
    fitting: list[Flag] = [flag for fits, flag in rules if fits]
    return fitting[0] if fitting else "ok"


def _unsold(item: StockItem, days: int) -> bool:
    """Whether the input shows so many days and no sale in them."""
    periods = -(-days // (1 if item.period == "day" else WEEK))
    return len(item.sales) >= periods and not any(item.sales[-periods:])
