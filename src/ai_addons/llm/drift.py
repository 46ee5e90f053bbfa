"""Where the price table and another list of prices disagree."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.llm.prices import ModelPrice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Pool: TypeAlias = Literal["input", "cached", "cache_write", "output"]

_POOLS: Final[tuple[Pool, ...]] = ("input", "cached", "cache_write", "output")
_PICO: Final = 10**12
_NAMES: Final[Mapping[Pool, str]] = {
    "input": "input_cost_per_token",
    "cached": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "output": "output_cost_per_token",
}
"""What LiteLLM's price map calls the pools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One price on which two lists disagree.

    Attributes:
        model: Route.
        pool: Which tokens.
        ours: Pico-USD per token (micro-USD per million tokens) that calls are booked with; None if we have no price.
        listed: The same of the other list.
    """

    model: str
    pool: Pool
    ours: int | None
    listed: int | None


def listed_price(entry: Mapping[str, object]) -> ModelPrice:
    """A price as LiteLLM's map states it, in USD a token."""
    prices = {pool: _pico(entry.get(name)) for pool, name in _NAMES.items()}
    return ModelPrice(
        input=prices["input"] or 0,
        output=prices["output"] or 0,
        cached=prices["cached"],
        cache_write=prices["cache_write"],
    )


def _pico(usd: object) -> int | None:
    # The map holds floats; their shortest text is what was typed.
    return int(Decimal(str(usd)) * _PICO) if isinstance(usd, (int, float)) else None


def drifts(
    models: Iterable[str], ours: Mapping[str, ModelPrice | None], listed: Mapping[str, ModelPrice]
) -> Iterator[Drift]:
    """The prices that differ, model by model; a model that one list lacks differs in what it costs at all.

    Args:
        models: Routes to compare.
        ours: Prices that calls are booked with.
        listed: The other list.
    """
    for model in models:
        own, other = ours.get(model), listed.get(model)
        for pool in _POOLS:
            mine: int | None = None if own is None else getattr(own, pool)
            theirs: int | None = None if other is None else getattr(other, pool)
            # A pool that the other list says nothing of is no contradiction; of a whole model it is.
            if mine != theirs and (theirs is not None or (other is None and pool == "input")):
                yield Drift(model=model, pool=pool, ours=mine, listed=theirs)
