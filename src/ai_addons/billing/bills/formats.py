"""How providers write their exports: which column or field means what. Data, and what is not verified is marked.

Verified against the providers' public API documentation are the JSON shapes of OpenAI's
usage and costs API and of Anthropic's usage and cost report. The column names of the CSV
files that their web pages hand out, and those of Google's, are not documented anywhere
that could be checked: each is looked for under several names, upper and lower case,
spaces and underscores alike. A file that has none of them is refused with the names it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UTC: Final = "UTC"
GOOGLE: Final = "America/Los_Angeles"
"""Google's billing day ends at midnight Pacific time; UTC for files that give an offset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What an export of one provider looks like.

    Attributes:
        provider: Name of the provider, as in our model routes; Google's models are called by ``gemini`` and
            ``vertex_ai``.
        prefixes: Prefixes of our routes whose calls are on this bill.
        tz: Zone of the provider's day.
        day: Names of the field with the day or the instant.
        model: Names of the field with the model; a line without one is a cost of the day.
        inputs: Groups of names that add up to the input tokens; of each group the first that is there counts.
        outputs: The same of output tokens.
        cost: Names of the field with the cost in US dollars.
        cents: Names of fields with the cost in cents.
        currency: Names of the field with the currency of the cost.
        verified: Where this was checked.
    """

    provider: str
    prefixes: tuple[str, ...]
    tz: str
    day: tuple[str, ...]
    model: tuple[str, ...]
    inputs: tuple[tuple[str, ...], ...]
    outputs: tuple[tuple[str, ...], ...]
    cost: tuple[str, ...]
    cents: tuple[str, ...] = ()
    currency: tuple[str, ...] = ("currency",)
    verified: str


FORMATS: Final = (
    Format(
        provider="openai",
        prefixes=("openai",),
        tz=UTC,
        day=("start_time", "start_time_iso", "date", "day", "timestamp", "usage_date"),
        model=("model", "snapshot_id", "line_item", "name"),
        # Cached tokens are a part of OpenAI's input tokens, reasoning ones a part of its output tokens.
        inputs=(("input_tokens", "n_context_tokens_total", "prompt_tokens"),),
        outputs=(("output_tokens", "n_generated_tokens_total", "completion_tokens"),),
        cost=("amount_value", "cost_in_major", "cost_usd", "cost", "amount"),
        currency=("amount_currency", "currency"),
        verified="JSON of the usage and costs API; CSV of the web page not verified",
    ),
    Format(
        provider="anthropic",
        prefixes=("anthropic",),
        tz=UTC,
        day=("starting_at", "usage_date_utc", "date_utc", "date", "day"),
        model=("model", "model_version", "model_name"),
        # Exclusive pools, as in our log.
        inputs=(
            ("uncached_input_tokens", "usage_input_tokens_no_cache", "input_tokens"),
            ("cache_read_input_tokens", "usage_input_tokens_cache_read"),
            ("cache_creation_ephemeral_5m_input_tokens", "usage_input_tokens_cache_write_5m"),
            ("cache_creation_ephemeral_1h_input_tokens", "usage_input_tokens_cache_write_1h"),
            ("cache_creation_input_tokens",),
        ),
        outputs=(("output_tokens", "usage_output_tokens"),),
        cost=("cost_usd", "cost"),
        # The cost report gives cents as a decimal string.
        cents=("amount",),
        verified="JSON of the usage and cost report; CSV of the console not verified",
    ),
    Format(
        provider="google",
        prefixes=("gemini", "vertex_ai"),
        tz=GOOGLE,
        day=("usage_start_time", "usage_start_date", "usage_start", "date", "day"),
        model=("sku_description", "sku", "model"),
        inputs=(("input_tokens",),),
        outputs=(("output_tokens",),),
        cost=("cost", "cost_usd", "unrounded_cost"),
        verified="fields of the BigQuery export; CSV of the console not verified. Its lines name SKUs, not models",
    ),
)


def format_of(provider: str) -> Format:
    """The format of a provider.

    Raises:
        ValueError: If none is known.
    """
    for known in FORMATS:
        if known.provider == provider:
            return known
    msg = f"no export of {provider!r} is known; known are {', '.join(one.provider for one in FORMATS)}"
    raise ValueError(msg)
