"""The eight buttons: a shop's rows go in, a paid answer comes out, ready to be shown."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ai_addons import ConfigError
from ai_addons.features.charts import as_svg
from ai_addons.features.collection_analysis import collection_analysis
from ai_addons.features.collection_message import collection_message
from ai_addons.features.credit_assessment import credit_assessment
from ai_addons.features.customer_insight import customer_insight
from ai_addons.features.inventory_forecast import inventory_forecast
from ai_addons.features.portfolio_dashboard import portfolio_dashboard
from ai_addons.features.product_description import product_description
from ai_addons.features.report_summary import report_summary
from ai_addons.features.shop import inputs, pages, portfolio

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons import Billed, Prompt
    from ai_addons.features import FeatureResult
    from ai_addons.features.charts import Chart
    from ai_addons.features.portfolio_dashboard import PortfolioFigures
    from pos.records import Records

R = TypeVar("R")
D = TypeVar("D")


def press(feature: str, records: Records, subject: str = "") -> dict[str, Any]:
    """Do what a button says; whoever `bill_to` names pays.

    Args:
        feature: Its key.
        records: The shop's rows.
        subject: Name of a product or customer, or a question.

    Returns:
        What the page shows.

    Raises:
        LookupError: If there is no such button, product, customer or open bill.
        ValidationError: If the question cannot be asked.
        AddOnsError: If the call fails; too few credits among it.
    """
    return BUTTONS[feature](records, subject)


def _describe(records: Records, name: str) -> dict[str, Any]:
    product = {one.name: one for one in records.products}[name]
    return _shown(product_description.billed(product), pages.description)


def _assess(records: Records, name: str) -> dict[str, Any]:
    customer = {one.name: one for one in records.customers}[name]
    return _shown(credit_assessment.billed(customer.assessment_input), pages.assessment)


def _remind(records: Records, name: str) -> dict[str, Any]:
    request = inputs.reminders(records.trade, records.shop)[name]
    return _shown(collection_message.billed(request), pages.message)


def _ask(records: Records, question: str) -> dict[str, Any]:
    return _shown(customer_insight.billed(inputs.question(records.trade, question)), pages.insight)


def _collect(records: Records, _: str) -> dict[str, Any]:
    return _shown(collection_analysis.billed(inputs.receivables(records.trade)), pages.collection)


def _reorder(records: Records, _: str) -> dict[str, Any]:
    request = inputs.stock(records.trade)
    return _shown(inventory_forecast.billed(request), lambda found: pages.forecast(found, request))


def _sum_up(records: Records, _: str) -> dict[str, Any]:
    return _shown(report_summary.billed(inputs.report(records.trade)), pages.report)


def _oversee(records: Records, _: str) -> dict[str, Any]:
    return _shown(portfolio_dashboard.billed(_figures(records)), pages.dashboard)


BUTTONS: Final[dict[str, Callable[[Records, str], dict[str, Any]]]] = {
    "product_description": _describe,
    "report_summary": _sum_up,
    "customer_insight": _ask,
    "collection_message": _remind,
    "credit_assessment": _assess,
    "inventory_forecast": _reorder,
    "collection_analysis": _collect,
    "portfolio_dashboard": _oversee,
}


def _figures(records: Records) -> PortfolioFigures:
    """Ready figures; the worklist and the forecast behind them come from code alone, without words and uncharged."""
    trade, question, stock = records.trade, inputs.question(records.trade), inputs.stock(records.trade)
    worklist = _counted(collection_analysis.__wrapped__(inputs.receivables(trade))).data
    forecast = _counted(inventory_forecast.__wrapped__(stock)).data
    last_year = inputs.report(trade).last_year
    return portfolio(trade, question, worklist, stock, forecast, last_year=last_year)


def _counted(prompt: Prompt[R]) -> R:
    if prompt.result is not None:
        return prompt.result[0]
    if prompt.fallback is None:
        raise LookupError
    return prompt.fallback()


def _shown(billed: Billed[FeatureResult[D]], read: Callable[[D], pages.Page]) -> dict[str, Any]:
    page, grid = read(billed.value.data), None
    if page.grid is not None:
        grid = {"title": page.grid.title, "columns": page.grid.columns, "rows": page.grid.rows}
    return {
        "headline": page.headline,
        "text": page.text,
        "notes": [warning.text for warning in billed.value.warnings],
        "table": grid,
        "picture": None if page.chart is None else _picture(page.chart),
        "charged": billed.receipt.charged.short,
    }


def _picture(chart: Chart) -> dict[str, str] | None:
    """An SVG inside an address; None without the extra ``charts``."""
    try:
        svg = as_svg(chart)
    except ConfigError:
        return None
    return {"title": chart.title, "src": f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"}
