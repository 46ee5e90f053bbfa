"""A shop to forecast, and how to look at what comes of it."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ai_addons.features._facts import references
from ai_addons.features._guard import filled
from ai_addons.features.inventory_forecast import (
    ForecastAnswer,
    InventoryForecast,
    ItemForecast,
    StockItem,
    StockRequest,
    inventory_forecast,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.features._result import FeatureResult
    from ai_addons.prompt import Prompt

forecast = inventory_forecast.__wrapped__
"""The pure builder."""

TODAY = date(2026, 11, 22)


def item(**changes: object) -> StockItem:
    """An item that sells ten a week without fail, with changes."""
    base: dict[str, object] = {
        "ref": "Milo 400 g",
        "sales": ["10"] * 26,
        "stock": "5",
        "lead_days": 7,
        "review_days": 7,
        "unit_cost": "38.00",
        "unit_price": "45.00",
    }
    return StockItem.model_validate(base | changes)


def request(*items: StockItem, **changes: object) -> StockRequest:
    """A shop with these items."""
    return StockRequest.model_validate({"as_of": TODAY, "items": items or (item(),)} | changes)


def sent(prompt: Prompt[Any]) -> dict[str, Any]:
    """The data of a prompt as it is rendered."""
    assert isinstance(prompt.data, BaseModel)
    return dict(prompt.data.model_dump(mode="json"))


def checked(prompt: Prompt[Any], answer: object) -> Sequence[str]:
    """What the prompt's own check says."""
    assert prompt.check is not None
    return prompt.check(answer)


def finished(
    prompt: Prompt[FeatureResult[InventoryForecast]], answer: ForecastAnswer
) -> FeatureResult[InventoryForecast]:
    """The result made of an answer once its facts are put in."""
    assert prompt.finish is not None
    assert prompt.facts is not None
    return prompt.finish(filled(answer, prompt.facts))


def result_of(prompt: Prompt[FeatureResult[InventoryForecast]]) -> FeatureResult[InventoryForecast]:
    """The result made without a model, settled or fallen back."""
    if prompt.result is not None:
        return prompt.result[0]
    assert prompt.fallback is not None
    return prompt.fallback()


def only(prompt: Prompt[FeatureResult[InventoryForecast]]) -> ItemForecast:
    """The one item of a result."""
    (found,) = result_of(prompt).data.items
    return found


def sample(prompt: Prompt[Any]) -> ForecastAnswer:
    """The code-made answer."""
    assert prompt.sample is not None
    answer = prompt.sample()
    assert isinstance(answer, ForecastAnswer)
    return answer


def rewritten(answer: ForecastAnswer, where: str, text: str, keys: tuple[str, ...] | None = None) -> ForecastAnswer:
    """An answer with another text in one place, as a model might send it."""
    value = answer.model_dump(mode="json")
    place: Any = value
    for step in where.split("."):
        place = place[int(step)] if step.isdigit() else place[step]
    place["text"] = text
    place["fact_keys"] = list(references(text) if keys is None else keys)
    return ForecastAnswer.model_validate_json(json.dumps(value))


def shown(data: InventoryForecast) -> list[str]:
    """Every text that the owner reads."""
    notes = [note.text for note in (*data.urgent, *data.slow_stock)]
    return [data.headline, *notes, data.budget_note, *data.uncertainty]
