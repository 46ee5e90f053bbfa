"""The facts of an inventory forecast, the rows that are sent, and sentences made of them without a model."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from ai_addons.features import _facts
from ai_addons.features._facts import by_key, letters, references
from ai_addons.features._names import named
from ai_addons.features._result import Notice
from ai_addons.features.inventory_forecast.models import (
    ForecastAnswer,
    Headline,
    ItemNoteAnswer,
    Remark,
)
from ai_addons.features.inventory_forecast.planning import SLOW, exact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ai_addons.features._result import DataQuality, Fact
    from ai_addons.features.inventory_forecast.models import ForecastPolicy, StockRequest
    from ai_addons.features.inventory_forecast.planning import Outlook, Planned

COLUMNS: Final = "row|flag|pattern|stock|cover|order|cost|demand|tied"
_SLOW_ROWS: Final = 5
_TOLD_URGENT: Final = 6
_TOLD_SLOW: Final = 3
_MOST_REMARKS: Final = 3
_SHOWN: Final = 40
_WHOLE: Final = Decimal(1)
_NONE: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An item under the letters that stand for it in a prompt.

    Attributes:
        code: ``PA``, ``PB`` …
        one: The item's outlook.
        quantity: Units to order now.
    """

    code: str
    one: Outlook
    quantity: int

    @property
    def cost(self) -> Decimal:
        """Cost of the order, in GHS."""
        return self.one.item.unit_cost * self.quantity

    @property
    def is_urgent(self) -> bool:
        """Whether there is something to order."""
        return self.one.wanted > 0

    @property
    def is_slow(self) -> bool:
        """Whether money is tied up in it, and nothing to order."""
        return self.one.flag in SLOW and not self.is_urgent


def rows(planned: Planned, most: int) -> tuple[Row, ...]:
    """The items that the model sees: orders first, a few places kept for slow stock, then the rest."""
    urgent = [one for one in planned.outlooks if one.wanted > 0]
    slow = [one for one in planned.outlooks if one.wanted == 0 and one.flag in SLOW]
    rest = [one for one in planned.outlooks if one.wanted == 0 and one.flag not in SLOW]
    kept = urgent[: max(most - min(len(slow), _SLOW_ROWS), 1)]
    chosen = [*kept, *slow, *rest][:most]
    return tuple(
        Row(code=f"P{letters(number)}", one=one, quantity=planned.quantities[one.item.ref])
        for number, one in enumerate(chosen)
    )


def _units(key: str, label: str, value: Decimal | int) -> Fact:
    number = _round(Decimal(value))
    return _facts.count(key, label, number).model_copy(
        update={"value": Decimal(value), "text": f"{number:,} {'unit' if number == 1 else 'units'}"}
    )


def _round(value: Decimal) -> int:
    return int(value.quantize(_WHOLE, ROUND_HALF_UP))


def _things(key: str, label: str, value: int, thing: str) -> Fact:
    text = f"{value:,} {thing if value == 1 else f'{thing}s'}"
    return _facts.count(key, label, value).model_copy(update={"text": text})


def forecast_facts(
    request: StockRequest, policy: ForecastPolicy, planned: Planned, shown: Sequence[Row]
) -> dict[str, Fact]:
    """All that the text may cite; what cannot be computed is left out."""
    return by_key(
        *_totals(request, policy, planned),
        *_trust(request, planned),
        *(fact for row in shown for fact in _row_facts(row)),
        *_event_facts(request),
    )


def _totals(request: StockRequest, policy: ForecastPolicy, planned: Planned) -> tuple[Fact | None, ...]:
    every = planned.outlooks
    slow = [one for one in every if one.flag in SLOW]
    thin = sum(one.thin for one in every)
    orders = sum(quantity > 0 for quantity in planned.quantities.values())
    budget = request.budget
    return (
        _things("items", "items looked at", len(every), "item"),
        _things("order_items", "items to order now", orders, "item"),
        _facts.money("order_value", "cost of all orders", planned.order_value),
        None if budget is None else _facts.money("budget", "budget for orders", budget),
        _facts.money("over_budget", "orders the budget does not pay for", planned.over_budget)
        if planned.over_budget
        else None,
        _facts.money("stock_value", "cost of all stock", sum((one.tied for one in every), Decimal(0))),
        _facts.money("slow_value", "cost of stock that stands", sum((one.tied for one in slow), Decimal(0))),
        _things("slow_items", "items that stand", len(slow), "item"),
        _things("thin_items", "items with too little history", thin, "item") if thin else None,
        _facts.days("dead_days", "days without a sale that make stock dead", Decimal(policy.dead_days)),
    )


def _trust(request: StockRequest, planned: Planned) -> tuple[Fact | None, ...]:
    """The backtest; figures without a test are left out."""
    scores, periods = planned.scores, planned.periods
    achieved = Decimal(planned.covered) / periods if periods else None
    error = None if scores.rmsse is None else exact(scores.rmsse)
    bias = None if scores.bias is None else exact(scores.bias)
    return (
        _facts.percent("target_service", "service level aimed at", request.service_level),
        None
        if achieved is None
        else _facts.percent("achieved_service", "service level reached in tests", achieved, n=periods),
        _things("service_tests", "tests of the reorder points", periods, "test") if periods else None,
        None
        if error is None
        else _facts.ratio("forecast_error", "error of the forecast", error, "that of repeating last week"),
        None
        if bias is None
        else _facts.percent("forecast_bias", "forecast above or below sales", bias, signed=True, n=scores.windows),
        _things("forecast_tests", "tests of the forecasts", scores.windows, "test") if scores.windows else None,
    )


def _row_facts(row: Row) -> tuple[Fact | None, ...]:
    one, code = row.one, row.code
    range_ = f"{one.lo:,} to {one.hi:,} units"
    return (
        named(code, "item", one.item.ref, most=_SHOWN),
        _units(f"{code}.stock", "in stock", one.item.stock),
        None if one.cover is None else _facts.days(f"{code}.cover", "stock lasts", one.cover.quantize(_WHOLE)),
        _units(f"{code}.order", "to order now", row.quantity),
        _facts.money(f"{code}.cost", "cost of that order", row.cost),
        _facts.words(f"{code}.demand", "may be asked for before the next delivery", range_),
        _facts.money(f"{code}.tied", "cost of its stock", one.tied),
    )


def _event_facts(request: StockRequest) -> Iterable[Fact]:
    for number, event in enumerate(sorted(_ahead(request), key=lambda event: (event.date, event.name))):
        code = f"E{letters(number)}"
        yield named(code, "event", event.name, most=_SHOWN)
        yield _facts.days(f"{code}.days", "days until then", Decimal((event.date - request.as_of).days))


def _ahead(request: StockRequest) -> list[Any]:
    return [event for event in request.events if event.date >= request.as_of]


def sent_facts(facts: Mapping[str, Fact]) -> tuple[str, ...]:
    """Totals and events as ``key=value`` lines; no name of the tenant's."""
    return tuple(
        f"{key}={fact.text}"
        for key, fact in facts.items()
        if not key.startswith("P") and not (key.startswith("E") and "." not in key)
    )


def sent_row(row: Row) -> str:
    """One item as a pipe row of whole numbers, in the order of `COLUMNS`."""
    one = row.one
    fields = (
        row.code,
        one.flag,
        "thin" if one.thin else one.kind,
        _round(one.item.stock),
        _NONE if one.cover is None else _round(one.cover),
        row.quantity,
        _round(row.cost),
        f"{one.lo}-{one.hi}",
        _round(one.tied),
    )
    return "|".join(map(str, fields))


def data_quality(planned: Planned) -> DataQuality:
    """Poor where nothing was sold, thin where more than half of the items have too little history."""
    every = planned.outlooks
    if not any(any(one.item.sales) for one in every):
        return "poor"
    return "thin" if 2 * sum(one.thin for one in every) > len(every) else "ok"


def notices(request: StockRequest, planned: Planned, shown: Sequence[Row]) -> tuple[Notice, ...]:
    """What was left out, or needs a second look."""
    every = planned.outlooks
    late = any(one.flag == "expiry" for one in every)
    found = (
        (any(one.thin for one in every), "thin_items", "Some items have too little history: a range, and no order."),
        (planned.periods == 0, "no_service_test", "There is too little history to test the reorder points on."),
        (planned.scores.rmsse is None, "no_forecast_test", "There is too little history to test the forecasts on."),
        (len(shown) < len(every), "rows_left_out", "The text speaks of the most important items only."),
        (planned.over_budget > 0, "over_budget", "The budget does not pay for all orders."),
        (late, "expiry", "Some stock, or the smallest order of it, would not sell before it expires."),
        (
            len(_ahead(request)) < len(request.events),
            "past_events",
            "Events before the day of the figures are left out.",
        ),
        (bool(_ahead(request)), "events", "Events change no figure: the forecast does not know them."),
    )
    return tuple(Notice(code=code, text=text) for applies, code, text in found if applies)


def template(shown: Sequence[Row], facts: Mapping[str, Fact]) -> ForecastAnswer:
    """The text in sentences of ours: what is shown when no model had a part in it."""
    urgent = [row for row in shown if row.is_urgent][:_TOLD_URGENT]
    slow = [row for row in shown if row.is_slow][:_TOLD_SLOW]
    return ForecastAnswer(
        headline=Headline(**_parts(_headline(facts))),
        urgent=tuple(ItemNoteAnswer(ref=row.code, **_parts(_urgent(row))) for row in urgent),
        slow_stock=tuple(ItemNoteAnswer(ref=row.code, **_parts(_slow(row))) for row in slow),
        budget_note=Remark(**_parts(_budget(facts))),
        uncertainty=tuple(Remark(**_parts(text)) for text in _doubts(facts)),
    )


def _parts(text: str) -> dict[str, Any]:
    return {"text": text, "fact_keys": tuple(references(text))}


def _headline(facts: Mapping[str, Fact]) -> str:
    if facts["order_items"].value:
        return "To order now: {order_items}, for {order_value}."
    return "Nothing to order now. Stock that stands: {slow_items}, {slow_value}."


def _urgent(row: Row) -> str:
    code = row.code
    lasts = f", enough for {{{code}.cover}}" if row.one.cover else ""
    done = f"Order {{{code}.order}} for {{{code}.cost}}." if row.quantity else "The budget has no room for an order."
    return f"{{{code}}}: {{{code}.stock}} left{lasts}. {done}"


def _slow(row: Row) -> str:
    code, one = row.code, row.one
    tied = f"Tied up: {{{code}.tied}}."
    if one.flag == "dead_stock":
        return f"{{{code}}}: no sale in {{dead_days}}. {tied}"
    if one.flag == "overstock":
        return f"{{{code}}}: stock for {{{code}.cover}}. {tied}"
    if one.too_old:
        return f"{{{code}}}: even the smallest order would not sell before it expires. {tied}"
    return f"{{{code}}}: more in stock than sells before it expires. {tied}"


def _budget(facts: Mapping[str, Fact]) -> str:
    if "budget" not in facts:
        return "The orders cost {order_value}. No budget was given."
    left = " Orders for {over_budget} do not fit in it." if "over_budget" in facts else ""
    return f"The orders cost {{order_value}}; the budget is {{budget}}.{left}"


def _doubts(facts: Mapping[str, Fact]) -> list[str]:
    """What to doubt, the weightiest first; always at least one sentence."""
    found = (
        (
            "achieved_service" in facts,
            "Tested on the past ({service_tests}), stock was enough in {achieved_service}; aimed at {target_service}.",
        ),
        (
            "achieved_service" not in facts,
            "There is too little history to test these figures on. Compare them with what you know.",
        ),
        ("thin_items" in facts, "Too little history for a forecast: {thin_items}."),
        ("EA" in facts, "Not in the figures: {EA} in {EA.days}."),
        (
            "forecast_bias" in facts,
            "In the tests the forecast was off by {forecast_bias} in all; its error is {forecast_error}."
            if "forecast_error" in facts
            else "In the tests the forecast was off by {forecast_bias} in all.",
        ),
    )
    return [text for applies, text in found if applies][:_MOST_REMARKS]
