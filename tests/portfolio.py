"""A business small enough to work out by hand, for the tests of its dashboard."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from ai_addons.features._facts import references
from ai_addons.features._guard import filled
from ai_addons.features.portfolio_dashboard import (
    DashboardText,
    PortfolioDashboard,
    PortfolioFigures,
    portfolio_dashboard,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.features._result import FeatureResult
    from ai_addons.prompt import Prompt

TODAY: Final = date(2026, 11, 20)
build = portfolio_dashboard.__wrapped__
"""The pure builder."""


def ageing(*amounts: int, customers: Sequence[int] = (20, 10, 6, 5, 5)) -> dict[str, object]:
    """Five buckets, the best one first."""
    names = ("current", "month", "two_months", "three_months", "older")
    buckets = ({"amount": amount, "customers": who} for amount, who in zip(amounts, customers, strict=True))
    return dict(zip(names, buckets, strict=True))


SALES: Final[dict[str, Any]] = {
    "current": {"sales": 900, "orders": 45, "active_customers": 95, "credit_sales": 300},
    "prior": {"sales": 1000, "orders": 50, "active_customers": 100, "credit_sales": 300},
    "last_year": 1000,
}
MARGIN: Final[dict[str, Any]] = {
    "current": {"sales": 900, "gross_profit": 180, "discounts": 54, "returns": 27},
    "prior": {"sales": 1000, "gross_profit": 220, "discounts": 50, "returns": 30},
}
RECEIVABLES: Final[dict[str, Any]] = {
    "ageing": ageing(500, 200, 150, 100, 50),
    "ageing_prior": ageing(500, 100, 100, 50, 50),
    "debtors": 40,
    "credit_sales_90d": 900,
    "credit_sales_90d_prior": 900,
    "top10_owed": 600,
    "limits_total": 1250,
    "expected_unpaid": 260,
    "roll_rates": {"current": "0.2", "month": "0.4"},
}
STOCK: Final[dict[str, Any]] = {
    "current": {
        "active_items": 100,
        "stockout_items": 9,
        "stock_value": 2000,
        "dead_stock_value": 300,
        "cost_of_sales_30d": 720,
    },
    "order_value": 150,
}
CUSTOMERS: Final[dict[str, Any]] = {
    "current": {
        "customers": 200,
        "repeat_customers": 60,
        "base_customers": 50,
        "lost_customers": 5,
        "new_customers": 12,
    },
    "segments": [
        {"name": "champions", "customers": 60, "spend": 600},
        {"name": "at_risk", "customers": 36, "spend": 300},
        {"name": "one_off", "customers": 4, "spend": 100},
    ],
}
MONTHS: Final[list[dict[str, object]]] = [{"sales": 1000 - 10 * at, "receivables": 800 + 20 * at} for at in range(12)]


def figures(**changes: object) -> PortfolioFigures:
    """That business, with changes; None leaves an area out."""
    base: dict[str, object] = {
        "as_of": TODAY,
        "sales": SALES,
        "margin": MARGIN,
        "receivables": RECEIVABLES,
        "stock": STOCK,
        "customers": CUSTOMERS,
        "months": MONTHS,
        "storefronts": [
            {"name": "Kejetia", "sales": 500, "sales_prior": 620, "gross_profit": 90},
            {"name": "Adum", "sales": 400, "sales_prior": 380, "gross_profit": 90},
        ],
        "categories": [
            {"name": "Rice", "sales": 300, "sales_prior": 300},
            {"name": "Soap", "sales": 600, "sales_prior": 700},
        ],
        "risks": [
            {"name": "Yaw Mensah", "overdue": 80, "days_overdue": 12, "expected_unpaid": 40, "action": "call"},
            {"name": "Esi Owusu", "overdue": 90, "days_overdue": 70, "expected_unpaid": 85, "action": "visit"},
        ],
    }
    return PortfolioFigures.model_validate(base | changes)


def sample(prompt: Prompt[Any]) -> DashboardText:
    """The words made by code, references not filled in."""
    assert prompt.sample is not None
    answer = prompt.sample()
    assert isinstance(answer, DashboardText)
    return answer


def checked(prompt: Prompt[Any], answer: object) -> Sequence[str]:
    """What the prompt's own check says."""
    assert prompt.check is not None
    return prompt.check(answer)


def finished(
    prompt: Prompt[FeatureResult[PortfolioDashboard]], answer: DashboardText
) -> FeatureResult[PortfolioDashboard]:
    """The result made of an answer once its facts are put in."""
    assert prompt.finish is not None
    assert prompt.facts is not None
    return prompt.finish(filled(answer, prompt.facts))


def fallen_back(prompt: Prompt[FeatureResult[PortfolioDashboard]]) -> FeatureResult[PortfolioDashboard]:
    """The result made without a model."""
    assert prompt.fallback is not None
    return prompt.fallback()


def rewritten(answer: DashboardText, where: str, text: str, keys: Sequence[str] | None = None) -> dict[str, Any]:
    """An answer with another text in one place, as a model might send it."""
    value: dict[str, Any] = answer.model_dump(mode="json")
    place: Any = value
    for step in where.split("."):
        place = place[int(step)] if step.isdigit() else place[step]
    place["text"] = text
    place["fact_keys"] = list(references(text) if keys is None else keys)
    return value
