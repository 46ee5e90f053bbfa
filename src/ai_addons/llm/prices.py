"""What providers charge per token: data, dated, one row per model.

Source: the price map bundled with LiteLLM 1.105.3
(``model_prices_and_context_window_backup.json``). Check a provider's own page
before changing a row, and change `AS_OF` with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

AS_OF: Final = date(2026, 11, 1)
"""The day these prices were looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """Price of one model in pico-USD per token, which is micro-USD per million tokens.

    Attributes:
        input: Uncached input.
        output: Output, thinking included.
        cached: Input read from the provider's cache; None: no such price is known.
        cache_write: Input written to that cache for five minutes; None likewise.
        max_input: Prompt tokens above which another price holds.
        retires: The day the provider switches the model off.
    """

    input: int
    output: int
    cached: int | None = None
    cache_write: int | None = None
    max_input: int | None = None
    retires: date | None = None


_GPT_6_BOUND: Final = 272_000

PRICES: Final[Mapping[str, ModelPrice]] = {
    "openai/gpt-6-luna": ModelPrice(
        input=100_000, cached=10_000, cache_write=125_000, output=500_000, max_input=_GPT_6_BOUND
    ),
    "openai/gpt-6-sol": ModelPrice(
        input=2_000_000, cached=200_000, cache_write=2_500_000, output=10_000_000, max_input=_GPT_6_BOUND
    ),
    "openai/gpt-5.6-luna": ModelPrice(
        input=200_000, cached=20_000, cache_write=250_000, output=1_200_000, max_input=_GPT_6_BOUND
    ),
    "openai/gpt-5.4-nano": ModelPrice(input=200_000, cached=20_000, output=1_250_000, retires=date(2027, 4, 1)),
    "openai/gpt-5.4-mini": ModelPrice(input=750_000, cached=75_000, output=4_500_000),
    "openai/gpt-5-nano": ModelPrice(input=50_000, cached=5_000, output=400_000, retires=date(2026, 12, 11)),
    "openai/gpt-5-mini": ModelPrice(input=250_000, cached=25_000, output=2_000_000, retires=date(2026, 12, 11)),
    "openai/gpt-4o-mini": ModelPrice(input=150_000, cached=75_000, output=600_000, retires=date(2027, 1, 14)),
    "openai/gpt-4.1-mini": ModelPrice(input=400_000, cached=100_000, output=1_600_000, retires=date(2027, 1, 14)),
    "openai/gpt-4.1-nano": ModelPrice(input=100_000, cached=25_000, output=400_000, retires=date(2026, 10, 23)),
    # Five times dearer above its bound.
    "anthropic/claude-haiku-5-5": ModelPrice(
        input=100_000, cached=10_000, cache_write=125_000, output=500_000, max_input=100_000
    ),
    "anthropic/claude-haiku-4-5": ModelPrice(input=1_000_000, cached=100_000, cache_write=1_250_000, output=5_000_000),
    "gemini/gemini-2.5-flash-lite": ModelPrice(input=100_000, cached=10_000, output=400_000),
    "gemini/gemini-2.5-flash": ModelPrice(input=300_000, cached=30_000, output=2_500_000, retires=date(2026, 12, 1)),
    "gemini/gemini-3-flash-preview": ModelPrice(input=500_000, cached=50_000, output=3_000_000),
    "gemini/gemini-3.1-flash-lite": ModelPrice(
        input=250_000, cached=25_000, output=1_500_000, retires=date(2027, 5, 7)
    ),
    "gemini/gemini-3.5-flash-lite": ModelPrice(input=300_000, cached=30_000, output=2_500_000),
    "gemini/gemini-3.6-flash": ModelPrice(input=750_000, cached=75_000, output=3_750_000),
    "gemini/gemini-3.7-flash": ModelPrice(input=750_000, cached=75_000, output=3_750_000),
    "gemini/gemini-3.8-flash": ModelPrice(input=750_000, cached=75_000, output=3_750_000),
}
