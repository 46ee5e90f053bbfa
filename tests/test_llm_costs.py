from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.errors import ConfigError, UnpricedModel
from ai_addons.llm.base import Message, ModelReply, Usage
from ai_addons.llm.costs import PriceBook, belongs, prompt_bytes
from ai_addons.llm.prices import PRICES, ModelPrice
from ai_addons.money import PicoUsd
from ai_addons.settings import ModelPriceSettings

LUNA = "openai/gpt-6-luna"
VECTOR = Usage(input=200, cached=800, output=500)


def reply(
    model: str,
    usage: Usage | None = VECTOR,
    *,
    text: str | None = "answer",
    tier: str | None = None,
) -> ModelReply:
    """An answer of a model."""
    return ModelReply(text=text, finish="stop", model=model, usage=usage, tier=tier)


@pytest.mark.parametrize(
    ("route", "micro_usd"),
    [
        ("openai/gpt-4o-mini", 390),
        ("anthropic/claude-haiku-4-5", 2_780),
        ("gemini/gemini-2.5-flash", 1_334),
        ("openai/gpt-6-luna", 278),
        ("openai/gpt-6-sol", 5_560),
        ("gemini/gemini-2.5-flash-lite", 228),
    ],
)
def test_200_new_800_cached_and_500_output_tokens_cost_exactly(route: str, micro_usd: int) -> None:
    """Known vectors, exact to the pico-dollar: no float has been near them."""
    assert PriceBook().cost(route, reply(route.split("/")[1])) == micro_usd * 1_000_000


def test_thinking_costs_as_much_as_output() -> None:
    """Reasoning tokens are billed as output and must not get lost between the pools."""
    thought = Usage(input=200, cached=800, output=100, reasoning=400)

    assert PriceBook().cost(LUNA, reply("gpt-6-luna", thought)) == PriceBook().cost(LUNA, reply("gpt-6-luna"))


def test_cache_writes_have_their_own_price() -> None:
    """Writing to the provider's cache is dearer than plain input."""
    usage = Usage(input=10, cache_write=1_000, output=1)

    assert PriceBook().cost(LUNA, reply("gpt-6-luna", usage)) == 10 * 100_000 + 1_000 * 125_000 + 500_000


@pytest.mark.parametrize(
    ("route", "given_reply", "why"),
    [
        ("openai/gpt-9", reply("gpt-9"), "model_without_price"),
        (LUNA, reply("gpt-6-luna", None), "usage_missing"),
        (LUNA, reply("gpt-6-luna", Usage()), "usage_missing"),
        (LUNA, reply("gpt-6-luna", Usage(input=10)), "usage_missing"),
        (LUNA, reply("gpt-6-luna", Usage(output=10)), "usage_missing"),
        (LUNA, reply("gpt-6-luna", Usage(input=-1, cached=5, output=5)), "usage_missing"),
        (LUNA, reply("gpt-6-sol"), "other_model_answered"),
        (LUNA, reply(""), "other_model_answered"),
        (LUNA, reply("gpt-6-luna", tier="flex"), "other_tier"),
        (LUNA, reply("gpt-6-luna", Usage(input=200_000, cached=73_000, output=5)), "prompt_beyond_price"),
        ("openai/gpt-5.4-nano", reply("gpt-5.4-nano", Usage(input=5, cache_write=5, output=5)), "pool_without_price"),
    ],
)
def test_a_doubtful_cost_is_unknown_and_never_zero(route: str, given_reply: ModelReply, why: str) -> None:
    """Every doubt ends as a visible "unpriced" with its reason."""
    book = PriceBook(allow_unpriced=True)

    assert book.cost(route, given_reply) is None
    assert book.unpriced(route, given_reply) == why


@pytest.mark.parametrize("tier", [None, "default", "standard"])
def test_the_usual_tiers_are_priced(tier: str | None) -> None:
    """Providers name their normal tier differently."""
    answered = reply("gpt-6-luna", tier=tier)

    assert PriceBook().cost(LUNA, answered) == 278_000_000
    assert PriceBook().unpriced(LUNA, answered) is None


@pytest.mark.parametrize(
    ("usage", "why"),
    [
        (Usage(input=200_000, cached=72_000, output=5), None),
        (Usage(input=200_000, cached=71_999, cache_write=1, output=5), None),
        (Usage(input=200_000, cached=71_999, cache_write=2, output=5), "prompt_beyond_price"),
        (Usage(input=200_000, cache_write=73_000, output=5), "prompt_beyond_price"),
    ],
)
def test_a_price_holds_up_to_and_including_its_longest_prompt(usage: Usage, why: str | None) -> None:
    """All pools of the prompt count towards the length at which another price begins."""
    assert PriceBook().unpriced(LUNA, reply("gpt-6-luna", usage)) == why


def test_a_reply_without_a_token_count_has_no_cost() -> None:
    """What was not counted is unknown, also for a model that is free."""
    assert PriceBook().cost("offline/sample", reply("offline/sample", usage=None)) is None


def test_a_refusal_without_output_costs_its_prompt() -> None:
    """No text and no output tokens is a complete count."""
    assert PriceBook().cost(LUNA, reply("gpt-6-luna", Usage(input=10), text=None)) == 1_000_000


def test_the_offline_model_costs_nothing() -> None:
    """Trying the product out is free, exactly."""
    assert PriceBook().cost("offline/sample", reply("offline/sample", Usage())) == 0
    assert PriceBook().unpriced("offline/sample", reply("offline/sample", Usage())) is None
    assert PriceBook().bound("offline/sample", 5_000, 300) == 0


@given(st.sampled_from(sorted(PRICES)), st.lists(st.integers(1, 20_000), min_size=3, max_size=3))
def test_an_answered_call_of_a_known_model_costs_more_than_nothing_and_within_its_bound(
    route: str, tokens: list[int]
) -> None:
    """What is held before the call covers what it turns out to cost."""
    new, cached, output = tokens
    usage = Usage(input=new, cached=cached, output=output)

    cost = PriceBook().cost(route, reply(route.split("/")[1], usage))
    bound = PriceBook().bound(route, new + cached, output)

    assert cost is not None
    assert bound is not None
    assert 0 < cost <= bound


def test_the_usage_of_attempts_adds_up_pool_by_pool() -> None:
    """A repaired call is billed for both of its answers."""
    one, two = Usage(input=1, cached=2, cache_write=3, output=4, reasoning=5), Usage(input=10, output=20)

    assert one + two == Usage(input=11, cached=2, cache_write=3, output=24, reasoning=5)


def test_an_unknown_model_is_refused_with_what_to_write() -> None:
    """The developer learns which setting gives the model a price."""
    with pytest.raises(UnpricedModel, match=r'nothing was charged.*\[prices\.models\."openai/gpt-9"\]') as refused:
        PriceBook().row("openai/gpt-9")
    assert str(refused.value).endswith(
        "with `input` and `output` in USD per million tokens, or set `prices.allow_unpriced`."
    )
    with pytest.raises(UnpricedModel):
        PriceBook().bound("openai/gpt-9", 10, 10)


def test_unknown_models_can_be_allowed() -> None:
    """Who accepts unknown costs gets them as unknown."""
    book = PriceBook(allow_unpriced=True)

    assert book.row("openai/gpt-9") is None
    assert book.bound("openai/gpt-9", 10, 10) is None


def test_a_prompt_beyond_the_price_is_refused_before_the_call() -> None:
    """claude-haiku-5-5 is five times dearer above 100,000 tokens."""
    route = "anthropic/claude-haiku-5-5"

    with pytest.raises(UnpricedModel) as refused:
        PriceBook().bound(route, 100_001, 300)
    assert str(refused.value) == (
        "This request may be 100,001 tokens long, and the price of 'anthropic/claude-haiku-5-5' is known up to 100,000 "
        "only. The model was not asked and nothing was charged. Send less data, or choose another model."
    )
    assert PriceBook(allow_unpriced=True).bound(route, 100_001, 300) is None
    assert PriceBook().bound(route, 100_000, 300) == 100_000 * 125_000 + 300 * 500_000


@pytest.mark.parametrize(
    ("cached", "cache_write", "dearest"),
    [(None, None, 2), ("1", "1", 2), ("3", "1", 3), ("1", "4", 4)],
)
def test_the_bound_takes_the_dearest_kind_of_input(cached: str | None, cache_write: str | None, dearest: int) -> None:
    """Nobody knows before the call what the provider will find in its cache, so the bound assumes the worst."""
    price = ModelPriceSettings(
        input=Decimal(2),
        output=Decimal(0),
        cached=None if cached is None else Decimal(cached),
        cache_write=None if cache_write is None else Decimal(cache_write),
    )

    assert PriceBook({LUNA: price}).bound(LUNA, 10, 300) == 10 * dearest * 1_000_000


@pytest.mark.parametrize("name", ["openai/gpt-9", "gpt-9"])
def test_an_own_price_makes_a_model_known(name: str) -> None:
    """USD per million tokens in the settings are pico-dollars a token, by route or by bare name."""
    price = ModelPriceSettings(
        input=Decimal("0.123456"), output=Decimal(2), cached=Decimal("0.01"), cache_write=Decimal(1), max_input=9_000
    )
    row = PriceBook({name: price}).row("openai/gpt-9")

    assert row is not None
    assert (row.input, row.cached, row.cache_write, row.output, row.max_input) == (
        123_456,
        10_000,
        1_000_000,
        2_000_000,
        9_000,
    )


def test_an_own_price_wins_and_says_nothing_about_pools_it_leaves_out() -> None:
    """A corrected price does not inherit the old price of cached tokens."""
    book = PriceBook({LUNA: ModelPriceSettings(input=Decimal(1), output=Decimal(1))})

    assert book.cost(LUNA, reply("gpt-6-luna", Usage(input=1, output=1))) == 2_000_000
    assert book.cost(LUNA, reply("gpt-6-luna")) is None


def test_a_free_model_of_ones_own_costs_zero() -> None:
    """A zero that the operator wrote down is a price, not a doubt."""
    book = PriceBook({"ollama/llama3": ModelPriceSettings(input=Decimal(0), output=Decimal(0))})

    assert book.cost("ollama/llama3", reply("llama3", Usage(input=5, output=5))) == PicoUsd(0)


@pytest.mark.parametrize("field", ["input", "output", "cached", "cache_write"])
@pytest.mark.parametrize("price", ["0.1234567", "NaN"])
def test_a_price_that_is_not_exact_in_pico_dollars_is_refused(field: str, price: str) -> None:
    """Nothing is rounded behind the operator's back, and the message names the model to look for in the settings."""
    exact = ModelPriceSettings(input=Decimal(1), output=Decimal(1), cached=Decimal(1), cache_write=Decimal(1))
    settings = exact.model_copy(update={field: Decimal(price)})  # unlike reading, copying refuses nothing

    with pytest.raises(ConfigError, match=f"^The price {price} of 'openai/gpt-9' has more than six decimals"):
        PriceBook({"openai/gpt-9": settings})


@pytest.mark.parametrize(
    ("route", "answered", "same"),
    [
        ("openai/gpt-4o-mini", "gpt-4o-mini", True),
        ("openai/gpt-4o-mini", "gpt-4o-mini-2024-07-18", True),
        ("openai/gpt-4o-mini", "gpt-4o", False),
        ("openai/gpt-4o", "gpt-4o-mini", False),
        ("openai/gpt-4o-2024-08-06", "gpt-4o-2024-11-20", False),
        ("openai/gpt-4o-2024-08-06", "gpt-4o-2024-08-06", True),
        ("anthropic/claude-haiku-4-5", "claude-haiku-4-5-20251001", True),
        ("anthropic/claude-haiku-4-5", "claude-haiku-5-5", False),
        ("gemini/gemini-2.5-flash", "gemini-2.5-flash-lite", False),
        ("gemini/gemini-2.5-flash", "gemini-2.5-flash-preview-09-2025", True),
        ("gemini/gemini-2.5-flash", "models/gemini-2.5-flash-001", True),
        ("openrouter/anthropic/claude-x", "anthropic/claude-x", True),
        ("openai/gpt-6-luna", "", False),
    ],
)
def test_a_snapshot_belongs_to_its_model_and_nothing_else_does(route: str, answered: str, *, same: bool) -> None:
    """A model that silently answers for another has another price."""
    assert belongs(route, answered) is same


def test_a_dated_snapshot_has_the_price_of_its_model() -> None:
    """Pinning a snapshot does not lose the price."""
    assert PriceBook().row("openai/gpt-4o-mini-2024-07-18") == PRICES["openai/gpt-4o-mini"]


def test_a_snapshot_with_a_price_of_its_own_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first snapshots of a model can be dearer than the model is now."""
    dear = ModelPrice(input=5_000_000, output=15_000_000)
    monkeypatch.setattr("ai_addons.llm.costs.PRICES", {**PRICES, "openai/gpt-4o-mini-2024-05-13": dear})

    assert PriceBook().row("openai/gpt-4o-mini-2024-05-13") == dear


def test_retirements_are_findings_and_never_errors() -> None:
    """The calendar warns 60 days ahead and afterwards; it stops no call."""
    models = ("gemini/gemini-2.5-flash", "openai/gpt-5-nano", LUNA, "openai/gpt-9", "offline/sample")
    book = PriceBook()

    assert [f.code for f in book.findings(models, date(2026, 10, 1))] == ["model_without_price"]
    assert [(f.code, f.model) for f in book.findings(models, date(2026, 12, 1))] == [
        ("model_retired", "gemini/gemini-2.5-flash"),
        ("model_retires_soon", "openai/gpt-5-nano"),
        ("model_without_price", "openai/gpt-9"),
    ]
    assert [f.message for f in book.findings(models, date(2026, 12, 1))] == [
        "gemini/gemini-2.5-flash was to be switched off by its provider on 2026-12-01; choose another model.",
        "openai/gpt-5-nano will be switched off by its provider on 2026-12-11; choose another model before.",
        "The price of openai/gpt-9 is not known.",
    ]


@pytest.mark.parametrize(
    ("on", "codes"),
    [
        (date(2026, 10, 11), []),
        (date(2026, 10, 12), ["model_retires_soon"]),
        (date(2026, 12, 10), ["model_retires_soon"]),
        (date(2026, 12, 11), ["model_retired"]),
    ],
)
def test_a_retirement_is_announced_for_sixty_days(on: date, codes: list[str]) -> None:
    """The warning begins on the sixtieth day before, and on the day itself the model is gone."""
    assert [f.code for f in PriceBook().findings(["openai/gpt-5-nano"], on)] == codes


@given(st.text(max_size=200))
def test_the_size_of_a_prompt_counts_bytes_and_the_schema(text: str) -> None:
    """Bytes bound tokens from above in every script."""
    messages = (Message("user", text),)
    schema = {"type": "object"}

    assert prompt_bytes(messages, None) >= len(text.encode())
    assert prompt_bytes(messages, schema) == prompt_bytes(messages, None) + len('{"type": "object"}')
