"""What an inventory forecast takes and returns.

Only figures are sent to a model. An item's reference and an event's name stay here
and are put into the finished text.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ai_addons.features._facts import clean
from ai_addons.features._guard import Answer, Cited, Prose
from ai_addons.features._inputs import Ghs, Share, Strict, exact
from ai_addons.features.inventory_forecast.demand import WEEK, DemandClass

Flag: TypeAlias = Literal["dead_stock", "expiry", "stockout_risk", "overstock", "ok"]
"""What an item needs; the first that fits, in this order."""

MOST_WEEKS: Final = 104
MOST_ITEMS: Final = 2_000
_EVENTS: Final = 10


def _said(value: str) -> str:
    if not clean(value):
        msg = "has no character that can be seen"
        raise ValueError(msg)
    return value


Units: TypeAlias = Annotated[Decimal, BeforeValidator(exact), Field(ge=0, le=1_000_000, decimal_places=3)]
"""Units of an item: pieces, or kilograms to the gram."""

Name: TypeAlias = Annotated[str, AfterValidator(_said), Field(min_length=1, max_length=80)]
"""A name of the tenant's; never sent."""


class StockItem(Strict):
    """One item: what it sold, what is there, how it is bought."""

    ref: Name
    """The shop's own name or code of it, different for each item; shown to the owner, never sent."""
    sales: Annotated[tuple[Units, ...], Field(min_length=1, max_length=MOST_WEEKS * WEEK)]
    """Units sold per period, oldest first, 1 to 104 weeks (26 are good). Returns are not taken off."""
    oos_days: tuple[Annotated[int, Field(ge=0, le=WEEK)], ...] = ()
    """Days without stock in each period (0 or 1 for days); empty if there were none."""
    period: Literal["day", "week"] = "week"
    """What one value of ``sales`` stands for; the last one ends on ``as_of``."""
    stock: Units
    """Units in the shop."""
    on_order: Units = Decimal(0)
    """Units ordered and not yet there."""
    pack_size: Annotated[int, Field(ge=1, le=100_000)] = 1
    """Units of a pack; only whole packs are ordered."""
    moq: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Fewest units that the supplier sells."""
    lead_days: Annotated[int, Field(ge=0, le=180)]
    """Days from an order to its arrival."""
    review_days: Annotated[int, Field(ge=1, le=60)]
    """Days between two looks at the stock."""
    shelf_life_days: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Days that fresh goods keep; None if they do not expire."""
    unit_cost: Ghs
    """Cost of a unit, in GHS."""
    unit_price: Ghs | None = None
    """Price of a unit, in GHS; None if not known."""

    @model_validator(mode="after")
    def _fits_its_period(self) -> Self:
        if self.period == "week" and len(self.sales) > MOST_WEEKS:
            msg = f"sales: at most {MOST_WEEKS} weeks"
            raise ValueError(msg)
        if self.oos_days and len(self.oos_days) != len(self.sales):
            msg = "oos_days: one value for each of sales, or none at all"
            raise ValueError(msg)
        if self.period == "day" and any(days > 1 for days in self.oos_days):
            msg = "oos_days: 0 or 1 for a day"
            raise ValueError(msg)
        return self


class Event(Strict):
    """A day that may change what sells: a festival, the first day of school."""

    date: date
    """Its day."""
    name: Name
    """What it is; shown to the owner, never sent."""


class StockRequest(Strict):
    """A shop's stock and sales, and what it aims at."""

    as_of: date
    """The day these figures describe; sales end on it."""
    items: Annotated[tuple[StockItem, ...], Field(min_length=1, max_length=MOST_ITEMS)]
    """Items, each with its own reference."""
    service_level: Annotated[
        Decimal, BeforeValidator(exact), Field(ge=Decimal("0.80"), le=Decimal("0.99"), decimal_places=4)
    ] = Decimal("0.95")
    """Share of protection periods without a stock-out to aim at."""
    budget: Ghs | None = None
    """Most to spend on orders now, in GHS; None for no limit."""
    events: Annotated[tuple[Event, ...], Field(max_length=_EVENTS)] = ()
    """Days that may change what sells; they change no number, the text mentions them."""

    @model_validator(mode="after")
    def _references_differ(self) -> Self:
        if len({item.ref for item in self.items}) < len(self.items):
            msg = "items: each needs a reference of its own"
            raise ValueError(msg)
        return self


class ForecastPolicy(Strict):
    """How demand is forecast. Defaults are set by hand unless a source is named."""

    version: str = "1"
    """Kept with every result."""
    forecaster: Annotated[str, Field(min_length=1, max_length=200)] = "builtin"
    """Who forecasts: ``builtin``, ``statsforecast`` (an extra), or ``package.module:Class`` of the host's own."""
    level_weight: Share = Decimal("0.1")
    """Weight of the newest week in SES; Croston's usual value."""
    size_weight: Share = Decimal("0.2")
    """Weight of the newest sale's size in TSB."""
    chance_weight: Share = Decimal("0.1")
    """Weight of the newest period in TSB's chance of a sale."""
    better_by: Share = Decimal("0.05")
    """By how much another method must be better in the backtest to replace the one of the class."""
    thin_weeks: Annotated[int, Field(ge=1, le=52)] = 8
    """With fewer weeks there is a range and neither a forecast nor an order."""
    test_weeks: Annotated[int, Field(ge=1, le=26)] = 4
    """Weeks of one test of a forecast."""
    test_windows: Annotated[int, Field(ge=1, le=8)] = 2
    """Most tests of a forecast, the last weeks first."""
    service_windows: Annotated[int, Field(ge=1, le=8)] = 4
    """Most tests of a reorder point, each as long as its protection period."""
    training_weeks: Annotated[int, Field(ge=8, le=52)] = 12
    """Fewest weeks before a test."""
    overstock_days: Annotated[int, Field(ge=1, le=1_000)] = 90
    """More days of cover than this are too many."""
    dead_days: Annotated[int, Field(ge=7, le=700)] = 90
    """Days without a sale after which stock is dead."""
    rows_sent: Annotated[int, Field(ge=1, le=25)] = 25
    """Most items that the model sees."""


class ItemNoteAnswer(Cited):
    """The model's line on one item."""

    ref: Annotated[Prose, Field(min_length=2, max_length=3)]
    text: Annotated[Prose, Field(min_length=1, max_length=160)]


class Headline(Cited):
    """One line above everything."""

    text: Annotated[Prose, Field(min_length=1, max_length=140)]


class Remark(Cited):
    """A sentence or two."""

    text: Annotated[Prose, Field(min_length=1, max_length=220)]


class ForecastAnswer(Answer):
    """What the model is asked for: words around orders that code has worked out."""

    headline: Headline
    urgent: Annotated[tuple[ItemNoteAnswer, ...], Field(max_length=8)]
    slow_stock: Annotated[tuple[ItemNoteAnswer, ...], Field(max_length=5)]
    budget_note: Remark
    uncertainty: Annotated[tuple[Remark, ...], Field(min_length=1, max_length=3)]


class ItemNote(Strict):
    """A line on one item."""

    ref: str
    """The item's reference."""
    text: str
    """What to know about it."""


class ItemForecast(Strict):
    """One item: what it may sell and what to order. Demand is that of the protection period."""

    ref: str
    """The item's reference."""
    demand_class: DemandClass
    """How regular its demand is."""
    method: str
    """The method that forecasts it."""
    weeks: int
    """The protection period in weeks: ceil((lead + review) / 7)."""
    thin: bool
    """Whether there is too little history for a forecast; then the variance is doubled for the range."""
    fc_units: Decimal | None
    """Units expected in the protection period; None where the history is thin."""
    lo: int
    """Units that demand exceeds nine times in ten."""
    hi: int
    """Units that demand exceeds once in ten times."""
    reorder_point: int | None
    """Units to have in stock and on order; None where the history is thin."""
    order_qty: int
    """Units to order now, in whole packs, within the budget."""
    wanted_qty: int
    """Units to order if there were no budget."""
    days_cover: Decimal | None
    """Days that the stock lasts; None without a forecast or without demand."""
    order_cost: Decimal
    """Cost of ``order_qty``, in GHS."""
    flag: Flag
    """What it needs."""


class Backtest(Strict):
    """What the forecasts and reorder points would have achieved in the last weeks, all items together."""

    rmsse: Decimal | None
    """Scaled error, lower is better, 1 is "as last week"; None without a test."""
    bias: Decimal | None
    """Forecast over sales, less 1: above 0 too much was expected."""
    windows: int
    """Tests of forecasts."""
    achieved_service_level: Decimal | None
    """Share of protection periods that the reorder point would have covered."""
    service_windows: int
    """Tests of reorder points."""


class InventoryForecast(Strict):
    """What to order now, and how far to trust it. A person places the orders."""

    items: tuple[ItemForecast, ...]
    """All items: orders first by what a cedi spent saves, then stock that stands, then the rest."""
    order_value: Decimal
    """Cost of all orders, in GHS."""
    over_budget: Decimal
    """Cost of what the budget does not pay for, in GHS; 0 if it pays for all."""
    service_level: Decimal
    """What was aimed at; `Backtest.achieved_service_level` is what came of it."""
    backtest: Backtest
    """How far to trust it."""
    forecaster: str
    """Who forecast."""
    policy_version: str
    """Which policy applied."""
    headline: str
    """One line above everything."""
    urgent: tuple[ItemNote, ...]
    """What to see to first."""
    slow_stock: tuple[ItemNote, ...]
    """Where money is tied up."""
    budget_note: str
    """What the orders cost."""
    uncertainty: tuple[str, ...]
    """What to doubt."""
