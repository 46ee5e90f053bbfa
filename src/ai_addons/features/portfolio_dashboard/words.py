"""Sentences of the dashboard made by code: what is shown when no model had a part in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ai_addons.features._facts import references
from ai_addons.features._result import Notice
from ai_addons.features.portfolio_dashboard.facts import indexed
from ai_addons.features.portfolio_dashboard.results import (
    ActionText,
    Caveat,
    ChangeText,
    DashboardText,
    Headline,
    RiskText,
    SectionText,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ai_addons.features._result import DataQuality
    from ai_addons.features.portfolio_dashboard.facts import Briefing
    from ai_addons.features.portfolio_dashboard.models import Area, PortfolioFigures
    from ai_addons.features.portfolio_dashboard.results import Owner, When
    from ai_addons.features.portfolio_dashboard.scores import Alarm, Board, Severity, SubScore

_TITLES: Final[Mapping[Area, str]] = {
    "sales": "Sales",
    "margin": "The margin",
    "credit": "Credit",
    "stock": "Stock",
    "retention": "Customer retention",
}
_SAYS: Final[Mapping[str, str]] = {
    "sales_change": "Change against the month before: {sales_change}.",
    "sales_change_year": "Change against last year: {sales_change_year}.",
    "active_change": "Change in customers who bought: {active_change}.",
    "gross_margin": "Gross margin: {gross_margin} of sales.",
    "margin_change": "Change of the margin: {margin_change}.",
    "discount_share": "Discounts: {discount_share} of sales.",
    "return_share": "Returns: {return_share} of sales.",
    "par30": "More than a month overdue: {par30} of all that is owed.",
    "dso_change": "Change in the time to collect: {dso_change}.",
    "top10_share": "Owed by the largest debtors: {top10_share} of the total.",
    "utilisation": "Credit limits in use: {utilisation}.",
    "stockout_share": "Out of stock: {stockout_share} of the items that sell.",
    "dead_stock_share": "Stock that does not sell: {dead_stock_share} of its value.",
    "stock_cover": "The stock lasts for {stock_cover}.",
    "repeat_rate": "Customers who came back: {repeat_rate}.",
    "lost_share": "Customers who stopped coming: {lost_share}.",
}
_RISKS: Final[Mapping[str, str]] = {
    "sales_change": "Sales are moving away from last month's level: {sales_change}.",
    "sales_change_year": "Sales are moving away from last year's level: {sales_change_year}.",
    "active_change": "Customers may be going elsewhere: the number who bought changed by {active_change}.",
    "gross_margin": "The gross margin of {gross_margin} leaves little to pay the running costs from.",
    "margin_change": "Prices may not keep up with costs: the margin moved by {margin_change}.",
    "discount_share": "Discounts take {discount_share} of sales.",
    "return_share": "Returns take {return_share} of sales.",
    "par30": "Of all that is owed, {par30} is more than a month overdue and may be hard to collect.",
    "dso_change": "The time that customers take to pay moved by {dso_change} in a month.",
    "top10_share": "Much depends on few debtors: the largest owe {top10_share} of the total.",
    "utilisation": "Little room is left on the credit limits: {utilisation} is in use.",
    "stockout_share": "Customers may not find what they want: {stockout_share} of the items are out of stock.",
    "dead_stock_share": "Money is tied up in stock that does not sell: {dead_stock_share} of its value.",
    "stock_cover": "The stock lasts for {stock_cover}, which is outside the usual range.",
    "repeat_rate": "Few customers come back: {repeat_rate}.",
    "lost_share": "Regular customers who stopped coming: {lost_share}.",
}
_STEPS: Final[Mapping[str, tuple[str, Owner]]] = {
    "sales_change": ("Look at which storefronts and categories moved the sales by {sales_change}.", "owner"),
    "sales_change_year": (
        "Compare opening days and range with last year; sales moved by {sales_change_year}.",
        "owner",
    ),
    "active_change": (
        "Ask regular customers what they miss; the number who bought moved by {active_change}.",
        "cashier",
    ),
    "gross_margin": ("Check prices and costs of the items that sell most; the margin is {gross_margin}.", "owner"),
    "margin_change": (
        "Compare the last supplier prices with the shelf prices; the margin moved by {margin_change}.",
        "owner",
    ),
    "discount_share": ("Agree on who may give discounts; they take {discount_share} of sales.", "store_manager"),
    "return_share": ("Write down why goods come back; returns take {return_share} of sales.", "cashier"),
    "par30": ("Call the customers on the risk list; {par30} of what is owed is long overdue.", "owner"),
    "dso_change": ("Hand out bills with a clear due date; the time to collect moved by {dso_change}.", "cashier"),
    "top10_share": ("Talk to the largest debtors, who owe {top10_share} of the total, about a plan.", "owner"),
    "utilisation": ("Look at the credit limits before adding to them; {utilisation} is in use.", "owner"),
    "stockout_share": ("Order the items that are out of stock: {stockout_share} of those that sell.", "store_manager"),
    "dead_stock_share": (
        "Plan a clearance for stock that does not sell: {dead_stock_share} of its value.",
        "store_manager",
    ),
    "stock_cover": ("Bring the stock into line with sales; it lasts for {stock_cover}.", "store_manager"),
    "repeat_rate": ("Thank customers who return and ask why others do not; {repeat_rate} came back.", "cashier"),
    "lost_share": ("Get in touch with regular customers who stopped coming: {lost_share}.", "store_manager"),
}
_ALWAYS: Final[tuple[tuple[str, Owner, When], ...]] = (
    ("Check that the figures behind this board are complete and up to date.", "owner", "this_week"),
    ("Compare this board with next month's.", "owner", "this_month"),
)
_BY: Final[Mapping[Severity, When]] = {"act": "today", "warn": "this_week", "watch": "this_month"}
_CHANGES: Final[Mapping[str, str]] = {
    "sales_change": "Sales against the month before: {sales_change}.",
    "active_change": "Customers who bought, against the month before: {active_change}.",
    "margin_change": "The gross margin moved by {margin_change}.",
    "dso_change": "The time to collect moved by {dso_change}.",
}
_SET_BY_HAND: Final = "The thresholds behind the scores are set by hand; they were not measured on this shop."
_LINES: Final = 4
_MOST_RISKS: Final = 3
_MOST_ACTIONS: Final = 5


def _parts(text: str) -> dict[str, Any]:
    return {"text": text, "fact_keys": tuple(references(text))}


def template(figures: PortfolioFigures, board: Board, brief: Briefing) -> DashboardText:
    """The dashboard in sentences of ours, worst first."""
    changes = " ".join(text for key, text in _CHANGES.items() if key in brief.facts)
    return DashboardText(
        headline=Headline(**_parts(_headline(board))),
        sections=tuple(_section(part, board) for part in board.areas),
        risks=tuple(RiskText(**_parts(text)) for text in _risks(board)),
        actions=_actions(board.alarms),
        what_changed=ChangeText(**_parts(changes or "There is no earlier period to compare with.")),
        caveats=tuple(Caveat(**_parts(text)) for text in _caveats(figures, board)),
    )


def _headline(board: Board) -> str:
    if not board.areas:
        return "There are too few figures for a report."
    worst = board.areas[0].area
    first = f"Look first at {_TITLES[worst].lower()}, at {{{worst}.score}}."
    if board.health is None:
        return f"There are too few areas for a health score. {first}"
    return f"The business scores {{health.score}} and is rated {{health.status}}. {first}"


def _section(part: SubScore, board: Board) -> SectionText:
    """The score of an area and its worst figures."""
    scored = sorted(
        (kpi for kpi in board.kpis if kpi.measure.area == part.area and kpi.score is not None),
        key=lambda kpi: kpi.score or 0,
    )
    lines = [_SAYS[kpi.measure.key] for kpi in scored[:_LINES]]
    opening = f"{_TITLES[part.area]}: {{{part.area}.score}}, rated {{{part.area}.status}}."
    return SectionText(**_parts(" ".join((opening, *lines))), area=part.area)


def _risks(board: Board) -> Sequence[str]:
    found = [_RISKS[alarm.scored.measure.key] for alarm in board.alarms[:_MOST_RISKS]]
    return found or ["No figure calls for action." if board.areas else "Risks cannot be seen without figures."]


def _actions(alarms: Iterable[Alarm]) -> tuple[ActionText, ...]:
    steps: list[tuple[str, Owner, When]] = []
    for alarm in alarms:
        text, owner = _STEPS[alarm.scored.measure.key]
        steps.append((text, owner, _BY[alarm.severity]))
    chosen = (*steps[: _MOST_ACTIONS - len(_ALWAYS)], *_ALWAYS)
    return tuple(ActionText(**_parts(text), owner=owner, when=when) for text, owner, when in chosen)


def _caveats(figures: PortfolioFigures, board: Board) -> Sequence[str]:
    missing = ", ".join(_TITLES[area].lower() for area in board.missing)
    return [
        *([f"Not scored for want of figures: {missing}."] if missing else []),
        *([] if figures.months else ["There is no course of the year to compare with."]),
        _SET_BY_HAND,
    ]


def data_quality(board: Board) -> DataQuality:
    """All five areas are enough, fewer are thin; with too few for a health score there is none to speak of."""
    return "poor" if board.health is None else "thin" if board.missing else "ok"


def notices(figures: PortfolioFigures, board: Board) -> tuple[Notice, ...]:
    """What could not be computed."""
    areas = [Notice(code=f"no_{area}", text=f"{_TITLES[area]} could not be scored.") for area in board.missing]
    left_out = [
        Notice(code=f"no_{kpi.measure.key}", text=f"{kpi.measure.label}: left out, for want of figures or customers.")
        for kpi in board.kpis
        if kpi.measure.value is None
    ]
    return (*areas, *left_out, *_month_notices(figures))


def _month_notices(figures: PortfolioFigures) -> tuple[Notice, ...]:
    if not figures.months:
        return (Notice(code="no_months", text="The monthly points were not given."),)
    there = {key for key, _, _ in indexed(figures)}
    return tuple(
        Notice(code=f"no_{key}", text="A monthly series starts at nothing, so it has no index.")
        for key in ("sales_index", "owed_index")
        if key not in there
    )
