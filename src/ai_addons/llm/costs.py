"""What a model call costs us, exactly, or visibly unknown.

A cost is ``sum(tokens x price)`` over exclusive token pools, in integers, from
our own dated price table. Where any part of that sum is in doubt (no row, no
usage, another model, another tier) the cost is None, "unpriced": a zero would
hide a loss.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ai_addons.errors import ConfigError, UnpricedModel
from ai_addons.llm.prices import PRICES, ModelPrice
from ai_addons.llm.providers import is_offline, split_route
from ai_addons.money import MICRO, PicoUsd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from decimal import Decimal

    from ai_addons.llm.base import Message, ModelReply, Usage
    from ai_addons.settings import ModelPriceSettings

Unpriced: TypeAlias = Literal[
    "model_without_price",
    "usage_missing",
    "other_model_answered",
    "other_tier",
    "prompt_beyond_price",
    "pool_without_price",
]
"""Why a cost is unknown."""

_FREE: Final = ModelPrice(input=0, cached=0, cache_write=0, output=0)
_USUAL_TIERS: Final = (None, "default", "standard")
# Snapshots as OpenAI, Anthropic and Gemini name them: -2024-07-18, -20251001, -001, -preview-09-2025.
_SNAPSHOT: Final = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|\d{3}|preview-\d{2}-\d{4})$")
_TOKENS_PER_MESSAGE: Final = 8
_WARN_BEFORE: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about a configured model that an operator should know.

    Attributes:
        code: ``model_without_price``, ``model_retired`` or ``model_retires_soon``.
        model: The route it is about.
        message: The same for a person.
    """

    code: str
    model: str
    message: str


class PriceBook:
    """The prices in force: the built-in table, with the operator's own on top.

    Args:
        overrides: Own or corrected prices, by route or by bare model name.
        allow_unpriced: Let models without a known price be called.

    Raises:
        ConfigError: If a price has more than six decimals, which pico-USD cannot hold.
    """

    def __init__(
        self, overrides: Mapping[str, ModelPriceSettings] | None = None, *, allow_unpriced: bool = False
    ) -> None:
        self._own = {name: _from_settings(name, price) for name, price in (overrides or {}).items()}
        self._allow_unpriced = allow_unpriced
        self._found: dict[str, ModelPrice] = {}

    def row(self, model: str) -> ModelPrice | None:
        """The price of a route; None only if unpriced models are allowed.

        Raises:
            UnpricedModel: If no price is known and `allow_unpriced` is off.
        """
        row = self._find(model)
        if row is None and not self._allow_unpriced:
            msg = (
                f"The price of the model {model!r} is not known, so its cost cannot be bounded. The model was not "
                f'asked and nothing was charged. Add it to the settings as `[prices.models."{model}"]` with '
                "`input` and `output` in USD per million tokens, or set `prices.allow_unpriced`."
            )
            raise UnpricedModel(msg)
        return row

    def cost(self, model: str, reply: ModelReply) -> PicoUsd | None:
        """What an answered call cost; None where that is not certain, never a guess.

        Args:
            model: The route that was asked.
            reply: What came back.
        """
        row = self._find(model)
        if row is None or reply.usage is None or self.unpriced(model, reply) is not None:
            return None
        return PicoUsd(sum(tokens * (price or 0) for tokens, price in _pools(row, reply.usage)))

    def unpriced(self, model: str, reply: ModelReply) -> Unpriced | None:
        """Why this reply has no cost, or None if it has one."""
        row = self._find(model)
        if row is None:
            return "model_without_price"
        return None if row is _FREE else _doubt(row, model, reply)

    def bound(self, model: str, prompt_bytes: int, max_tokens: int) -> PicoUsd | None:
        """The most one attempt can cost, known before it is made.

        Args:
            model: The route to be asked.
            prompt_bytes: Size of the prompt from `prompt_bytes`: a byte-level
                tokeniser never makes more tokens than there are UTF-8 bytes.
            max_tokens: Output cap that will be sent.

        Returns:
            Pico-USD, or None for an unpriced model that is allowed.

        Raises:
            UnpricedModel: If the model has no price, or the prompt may be longer
                than its price holds for.
        """
        row = self.row(model)
        if row is None:
            return None
        if row.max_input is not None and prompt_bytes > row.max_input:
            if self._allow_unpriced:
                return None
            raise UnpricedModel(_beyond(model, prompt_bytes, row.max_input))
        dearest = max(row.input, row.cached or 0, row.cache_write or 0)
        return PicoUsd(prompt_bytes * dearest + max_tokens * row.output)

    def findings(self, models: Iterable[str], on: date) -> tuple[Finding, ...]:
        """What an operator should know about these routes on a day; warnings only."""
        return tuple(finding for model in models if (finding := self._finding(model, on)) is not None)

    def _find(self, model: str) -> ModelPrice | None:
        """The price of a route; asked four times a call, so what was found is kept."""
        known = self._found.get(model)
        if known is None and (known := self._look_up(model)) is not None:
            self._found[model] = known
        return known

    def _look_up(self, model: str) -> ModelPrice | None:
        _, name = split_route(model)
        if is_offline(model):
            return _FREE
        undated = _SNAPSHOT.sub("", model)
        return self._own.get(model) or self._own.get(name) or PRICES.get(model) or PRICES.get(undated)

    def _finding(self, model: str, on: date) -> Finding | None:
        row = self._find(model)
        if row is None:
            return Finding(code="model_without_price", model=model, message=f"The price of {model} is not known.")
        if row.retires is None or on < row.retires - _WARN_BEFORE:
            return None
        if on < row.retires:
            text = f"{model} will be switched off by its provider on {row.retires}; choose another model before."
            return Finding(code="model_retires_soon", model=model, message=text)
        text = f"{model} was to be switched off by its provider on {row.retires}; choose another model."
        return Finding(code="model_retired", model=model, message=text)


def prompt_bytes(messages: Iterable[Message], schema: Mapping[str, Any] | None) -> int:
    """An upper bound of the prompt's tokens: its UTF-8 bytes and a few tokens a message."""
    text = sum(len(message.content.encode()) + _TOKENS_PER_MESSAGE for message in messages)
    return text + (len(json.dumps(schema).encode()) if schema is not None else 0)


def belongs(route: str, answered: str) -> bool:
    """Whether the model that answered is the one that was asked.

    A route without a snapshot date may be answered by any snapshot of it; a
    dated one only by itself. Anything else may have another price.

    >>> belongs("openai/gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    True
    >>> belongs("gemini/gemini-2.5-flash", "gemini-2.5-flash-lite")
    False
    """
    asked, said = (name.rsplit("/", 1)[-1].lower() for name in (route, answered))
    return asked in (said, _SNAPSHOT.sub("", said))


def _beyond(model: str, prompt: int, limit: int) -> str:
    return (
        f"This request may be {prompt:,} tokens long, and the price of {model!r} is known up to {limit:,} only. "
        "The model was not asked and nothing was charged. Send less data, or choose another model."
    )


def _pools(row: ModelPrice, usage: Usage) -> tuple[tuple[int, int | None], ...]:
    return (
        (usage.input, row.input),
        (usage.cached, row.cached),
        (usage.cache_write, row.cache_write),
        (usage.output + usage.reasoning, row.output),
    )


def _doubt(row: ModelPrice, model: str, reply: ModelReply) -> Unpriced | None:
    usage = reply.usage
    if usage is None or not _plausible(usage, reply):
        return "usage_missing"
    if not belongs(model, reply.model):
        return "other_model_answered"
    if reply.tier not in _USUAL_TIERS:
        return "other_tier"
    if row.max_input is not None and usage.input + usage.cached + usage.cache_write > row.max_input:
        return "prompt_beyond_price"
    missing = any(tokens and price is None for tokens, price in _pools(row, usage))
    return "pool_without_price" if missing else None


def _plausible(usage: Usage, reply: ModelReply) -> bool:
    """No negative pool, a prompt, and output where there is text."""
    pools = (usage.input, usage.cached, usage.cache_write, usage.output, usage.reasoning)
    prompt = usage.input + usage.cached + usage.cache_write
    return min(pools) >= 0 and prompt > 0 and (not reply.text or usage.output + usage.reasoning > 0)


def _from_settings(name: str, price: ModelPriceSettings) -> ModelPrice:
    return ModelPrice(
        input=_pico(name, price.input),
        output=_pico(name, price.output),
        cached=None if price.cached is None else _pico(name, price.cached),
        cache_write=None if price.cache_write is None else _pico(name, price.cache_write),
        max_input=price.max_input,
    )


def _pico(name: str, per_million: Decimal) -> int:
    """USD per million tokens as pico-USD per token."""
    scaled = per_million * MICRO
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        msg = f"The price {per_million} of {name!r} has more than six decimals. Nothing was charged. Round it up."
        raise ConfigError(msg)
    return int(scaled)
