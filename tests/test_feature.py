"""What the decorator makes of a builder, and what is refused where it is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable  # noqa: TC003  # an annotation that is looked up at run time
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Literal, cast

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from ai_addons import (
    AddOns,
    ConfigError,
    Credits,
    FeatureExists,
    Prompt,
    Steps,
    TrialClaimed,
    UnpricedFeature,
    bill_to,
    billed_feature,
)
from ai_addons.addons import current, install
from ai_addons.catalog import BUILT_IN, Registry
from ai_addons.feature import AsyncFeature, Feature
from ai_addons.scope import Payer
from ai_addons.testing import FakeLlm, kit_settings
from tests.features import AMA, KOFI, OPINION, opinion, opinion_async

WHERE = "__main__.shop"


def test_a_feature_reads_like_the_function_it_wraps() -> None:
    """Name, docstring, signature and the pure builder are all there."""
    assert opinion.__name__ == "opinion"
    assert opinion.__doc__ == "Say whether a customer may have credit."
    assert list(inspect.signature(opinion).parameters) == ["customer", "asked"]
    assert isinstance(opinion.__wrapped__(AMA), Prompt)
    assert repr(opinion) == "<Feature opinion>"
    assert isinstance(opinion.aio, AsyncFeature)
    assert isinstance(opinion_async, AsyncFeature)


def test_keywords_become_the_specification() -> None:
    """Price, cache time, shelf and texts come from the decorator, the rest from the builder."""

    @billed_feature("tagline", credits="0.25", cache="15m", category="premium", popular=True, name="Taglines")
    def tagline() -> Prompt:
        """Write a tagline.

        With more to say about it here.
        """
        return Prompt(user="?")

    assert isinstance(tagline, Feature)
    spec = tagline.spec
    assert (spec.name, spec.description, spec.cache) == ("Taglines", "Write a tagline.", timedelta(minutes=15))
    listing = spec.listing({})
    assert (listing.credits, listing.category, listing.popular) == (Credits("0.25"), "premium", True)
    assert spec.listing({"tagline": Credits(9)}).credits == Credits(9)


def test_an_answer_type_may_be_a_local_class(ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """The type in the brackets is found although annotations are only text here."""

    class Word(BaseModel):
        """A word."""

        word: str

    @billed_feature("word", credits=1)
    def word() -> Prompt[Word]:
        """Give a word."""
        return Prompt(user="?")

    ai_llm.reply(word, {"word": "akwaaba"})
    assert word() == Word(word="akwaaba")


@billed_feature("later", credits=1, cache=None)
def later() -> Prompt[Later]:
    """Give a value of a class that is written below."""
    return Prompt(user="?")


class Later(BaseModel):
    """Written after the feature that answers it."""

    text: str


def test_an_answer_type_may_be_written_below_its_feature(ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """A name that is unknown at decoration is looked up at the first call."""
    ai_llm.reply(later, {"text": "now"})
    assert later().text == "now"


def test_an_answer_type_that_is_nowhere_is_told_at_the_call(ai_payer: Payer) -> None:
    """A misspelt type names the builder, and nothing is charged."""

    @billed_feature("lost", credits=1)
    def lost() -> Prompt[Nowhere]:  # type: ignore[name-defined]  # noqa: F821  # the mistake under test
        """Never get that far."""
        return Prompt(user="?")

    with pytest.raises(ConfigError, match=r"lost.*Nowhere.*Nothing was charged"):
        lost()


def untyped(builder: Callable[..., Any], **options: Any) -> Any:
    """Decorate what a type checker would refuse."""
    decorate: Any = billed_feature(**{"key": "wrong"} | options)
    return decorate(builder)


def test_a_builder_must_say_what_it_returns() -> None:
    """No annotation, or one that is no prompt, is refused where it is decorated."""

    def silent():  # type: ignore[no-untyped-def]  # noqa: ANN202  # the mistake under test
        return Prompt(user="?")

    def number() -> int:
        return 1

    for builder in (silent, number):
        with pytest.raises(ConfigError, match="must say what it returns"):
            untyped(builder, credits=1)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"credits": 0.1}, TypeError, "floats are not exact"),
        ({"credits": True}, TypeError, "not bool"),
        ({"credits": "much"}, ValueError, "not a number"),
        ({"credits": "0.0000001"}, ValueError, "more than 6 decimals"),
        ({"credits": 1, "cache": "a while"}, ConfigError, "write e.g. '30s'"),
        ({"credits": -1}, ConfigError, "zero or more"),
        ({"key": "Not A Key"}, ConfigError, "no feature key"),
    ],
)
def test_a_wrong_option_is_refused_at_decoration(options: Any, error: type[Exception], says: str) -> None:
    """A price that is not exact or a duration that is none never reaches a call."""

    def builder() -> Prompt:
        return Prompt(user="?")

    with pytest.raises(error, match=says):
        untyped(builder, **options)


def test_one_key_is_one_feature() -> None:
    """A second function under a key is an error; the same function again, after a reload, is not."""

    def first() -> Prompt:
        return Prompt(user="1")

    def second() -> Prompt:
        return Prompt(user="2")

    untyped(first, credits=1)
    untyped(first, credits=2)
    with pytest.raises(FeatureExists, match=r"first.*second"):
        untyped(second, credits=1)


def test_a_host_may_build_a_built_in_key(ai_addons: AddOns) -> None:
    """Its builder replaces ours; listed price and name stay."""

    @billed_feature("product_description")
    def own() -> Prompt:
        """Describe in the host's own way."""
        return Prompt(user="?")

    listed = {listing.key: listing for listing in ai_addons.price_list().features}
    assert listed["product_description"].name == "Product Description Generator"
    assert listed["product_description"].credits == Credits("0.1")
    assert own.spec in ai_addons.features()


def test_a_feature_without_any_price_is_refused(ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Free (0) and unknown are different things."""

    @billed_feature("unpriced")
    def unpriced() -> Prompt:
        """Never get that far."""
        return Prompt(user="?")

    with pytest.raises(UnpricedFeature, match=r"prices\.features\.unpriced"):
        unpriced()
    assert ai_llm.calls == []


def test_the_price_list_holds_built_in_and_own_features_and_packs(ai_addons: AddOns) -> None:
    """Built-in order first, then the host's; packs with the recommended one marked."""
    keys = [listing.key for listing in ai_addons.price_list().features]
    assert keys[:8] == list(BUILT_IN)
    assert "opinion" in keys
    assert [pack.type for pack in ai_addons.price_list().packs if pack.recommended] == ["VALUE"]


def test_a_switched_off_feature_leaves_the_price_list() -> None:
    """`enabled = false` takes a feature off the shelf."""
    wired = AddOns(kit_settings(features={"opinion": {"enabled": False}}), environ={})
    assert "opinion" not in [listing.key for listing in wired.price_list().features]


def test_own_registries_stand_alone() -> None:
    """An object with a registry of its own sells what is in it."""
    registry = Registry()
    registry.add(opinion.spec, WHERE)
    wired = AddOns(kit_settings(), registry=registry, environ={})
    assert wired.features() == (opinion.spec,)


@pytest.mark.parametrize(
    ("model", "route"),
    [
        (None, ("openai/gpt-6-luna",)),
        ("large", ("openai/gpt-6-sol",)),
        ("gemini/gemini-2.5-flash-lite", ("gemini/gemini-2.5-flash-lite",)),
    ],
)
def test_a_call_may_choose_its_model(model: str | None, route: tuple[str, ...], ai_addons: AddOns) -> None:
    """A tier or a model with its provider; without either the feature's tier."""
    assert ai_addons.route(opinion.spec, model) == route


def test_settings_may_route_one_feature() -> None:
    """A feature's own models win over its tier, and a call's tier over both."""
    own = {"opinion": {"models": "anthropic/claude-haiku-5-5"}}
    wired = AddOns(kit_settings(features=own), environ={})
    assert wired.route(opinion.spec) == ("anthropic/claude-haiku-5-5",)
    assert wired.route(opinion.spec, "large") == ("openai/gpt-6-sol",)


def test_a_tier_without_model_names_the_feature() -> None:
    """A feature that asks for the large tier is told what to set."""
    wired = AddOns(kit_settings(models={"small": "openai/gpt-6-luna"}), environ={})
    for model, says in (("large", "openai/gpt-6-sol"), ("medium", "neither a tier")):
        with pytest.raises(ConfigError, match=says) as caught:
            wired.route(opinion.spec, model)
        assert "'opinion'" in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "model"),
    [
        ({}, "offline/sample"),
        ({"OPENAI_API_KEY": "k"}, "openai/gpt-6-luna"),
        ({"ANTHROPIC_API_KEY": "k"}, "anthropic/claude-haiku-5-5"),
        ({"GEMINI_API_KEY": "k", "OPENAI_API_KEY": " "}, "gemini/gemini-2.5-flash-lite"),
    ],
)
def test_the_first_provider_with_a_key_is_the_default(environ: dict[str, str], model: str) -> None:
    """With no key at all the offline model answers, so that the first run works."""
    wired = AddOns(kit_settings(models={}, providers={}), environ=environ)
    assert wired.tier("small") == (model,)


def test_blocks_decide_which_object_calls_use(ai_addons: AddOns) -> None:
    """The innermost `with addons:` wins, then the installed one, then one from the environment."""
    inner, outer = (AddOns(kit_settings(), environ={}) for _ in range(2))
    with outer:
        with inner:
            assert current() is inner
        assert current() is outer
    assert current() is ai_addons
    install(None)
    made = current()
    assert made is current()
    made.close()


def test_a_trial_is_claimed_once_per_owner(ai_addons: AddOns) -> None:
    """Five credits; again for the same business is a replay, the same phone elsewhere is refused."""
    booking = ai_addons.claim_trial("new", phone="024 412 3456")
    assert (booking.grant.amount, booking.replayed) == (Credits(5), False)
    assert ai_addons.claim_trial("new", phone="+233 24 412 3456").replayed
    with pytest.raises(TrialClaimed, match="Nothing was granted"):
        ai_addons.claim_trial("new again", phone="0244123456", tax_id="P0012345678")
    with pytest.raises(ConfigError, match="phone number"):
        ai_addons.claim_trial("unknown")


def test_a_policy_without_trial_says_so(ai_addons: AddOns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the policy gives nothing to new businesses, a claim is refused."""
    monkeypatch.setattr(ai_addons.policy, "trial", Credits(0), raising=False)
    with pytest.raises(ConfigError, match="no trial"):
        ai_addons.claim_trial("new", phone="0244123456")


@pytest.mark.anyio
async def test_every_operation_has_an_async_twin(ai_addons: AddOns) -> None:
    """The same credits, seen and moved from the event loop."""
    assert (await ai_addons.aio.grant("b", "7", source="adjustment", ref="r")).balance == Credits(7)
    assert (await ai_addons.aio.claim_trial("b", phone="0244123456")).balance == Credits(12)
    assert (await ai_addons.aio.wallet("b")).available == Credits(12)
    assert [entry.kind for entry in await ai_addons.aio.ledger("b")] == ["grant", "grant"]
    assert await ai_addons.aio.transactions("b") == []
    assert await ai_addons.aio.sweep() == 0
    assert (await ai_addons.aio.doctor()).ok
    await ai_addons.aio.warm_up()
    await ai_addons.aio.close()


def test_masking_is_there_on_its_own(ai_addons: AddOns) -> None:
    """A text as it would be sent, and the way back."""
    masked = ai_addons.mask("Call Ama on 024 412 3456")
    assert masked.text == "Call Ama on [PHONE_1]"
    assert masked.counts == {"PHONE": 1}
    assert masked.restore("[PHONE_1] was called") == "024 412 3456 was called"


def test_the_till_is_the_explicit_form(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """Without any block: this business, this user, this feature."""
    ai_addons.grant("b", 10, source="adjustment", ref="funds")
    ai_llm.reply(opinion, OPINION)
    bound = ai_addons.till("b", user="u").bind(opinion)
    receipt = bound.billed(AMA, asked=Decimal(5)).receipt
    assert (receipt.business, receipt.user, receipt.charged) == ("b", "u", Credits(3))
    assert bound.quote(KOFI).price == Credits(3)


@pytest.mark.anyio
async def test_the_till_binds_async_features_too(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """The same with await."""
    ai_addons.grant("b", 10, source="adjustment", ref="funds")
    ai_llm.reply(opinion_async, OPINION)
    assert (await ai_addons.till("b").bind(opinion_async)(AMA)).verdict == "careful"


def test_the_payer_of_a_block_ends_with_it(ai_addons: AddOns) -> None:
    """Blocks nest and restore what was before."""
    del ai_addons
    with bill_to("a", user="x") as outer:
        with bill_to("b") as inner:
            assert inner == Payer("b", None)
        assert outer == Payer("a", "x")


def test_invocations_carry_defaults_by_name(ai_addons: AddOns) -> None:
    """Equal calls have equal arguments, however they are written."""
    del ai_addons
    first = opinion._definition.invocation(AMA)
    second = opinion._definition.invocation(customer=AMA, asked=Decimal(100))
    assert first.arguments == second.arguments


def generator_builder() -> Steps[str]:
    """Never called; its annotation is what counts."""
    yield Prompt(user="?")
    return Prompt(user="?")


def test_steps_say_what_they_return() -> None:
    """A builder that asks on the way is decorated like any other."""
    made = untyped(generator_builder, credits=1)
    assert made._definition.answer is str


@dataclass
class Point:
    """A plain dataclass."""

    x: int


class Shape(TypedDict):
    """A typed dict."""

    sides: int


@pytest.mark.parametrize(
    ("type_", "answer", "value"),
    [
        (int, 7, 7),
        (bool, True, True),
        (Decimal, "7.25", Decimal("7.25")),
        (list[int], [1, 2], [1, 2]),
        (tuple[int, str], [1, "a"], (1, "a")),
        (Literal["yes", "no"], "yes", "yes"),
        (int | None, None, None),
        (date, "2026-11-24", date(2026, 11, 24)),
        (Point, {"x": 3}, Point(3)),
        (Shape, {"sides": 4}, {"sides": 4}),
        (list[Point] | Shape, [{"x": 1}], [Point(1)]),
        (Annotated[int, Field(ge=5)], 5, 5),
    ],
)
def test_any_type_pydantic_knows_may_be_the_answer(
    type_: Any, answer: Any, value: Any, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Scalars, lists, unions, dataclasses, typed dicts: asked for by schema, validated, returned as the type."""

    def builder() -> Any:
        return Prompt(user="?")

    builder.__annotations__["return"] = Prompt[type_]
    feature: Any = billed_feature("any_type", credits=1)(builder)
    ai_llm.reply(feature, answer)
    assert feature() == value
    assert ai_llm.calls[0].request.schema is not None


@pytest.mark.parametrize("given", ["hello", None])
def test_a_builder_that_returns_no_prompt_is_told(given: Any, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """A forgotten `return` names the feature and the cure; so does the end of a builder that asks on the way."""

    def plain() -> Prompt:
        return cast("Prompt", given)

    def asking() -> Steps[str]:
        yield Prompt(user="?")
        return cast("Prompt", given)

    for key, builder in (("plain_one", plain), ("asking_one", asking)):
        with pytest.raises(ConfigError, match=rf"{key}.*not a Prompt. Nothing was charged"):
            untyped(builder, key=key, credits=1)()


@pytest.mark.parametrize("given", ["hello", None])
def test_a_quote_tells_of_a_builder_that_returns_no_prompt(given: Any, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """As the call would, also where a builder could have asked on the way and did not."""

    def plain() -> Prompt:
        return cast("Prompt", given)

    def silent() -> Steps[str]:
        if given == "a question":
            yield Prompt(user="?")
        return cast("Prompt", given)

    for key, builder in (("plain_quoted", plain), ("silent_quoted", silent)):
        with pytest.raises(ConfigError, match=rf"{key}.*not a Prompt. Nothing was charged"):
            untyped(builder, key=key, credits=1).quote()


def test_a_longer_deadline_needs_a_longer_hold(ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """A call that could outlive its hold is refused before it starts."""
    with pytest.raises(ConfigError, match=r"call\.hold_ttl"):
        opinion.options(deadline=timedelta(minutes=3))(AMA)
    assert ai_llm.calls == []


def test_a_measured_size_is_part_of_the_specification() -> None:
    """Expected tokens let `ai-addons check` show what a host's own feature costs and earns."""

    def sized() -> Prompt:
        return Prompt(user="?")

    assert untyped(sized, credits=1, tokens=(480, 320)).spec.tokens == (480, 320)


def test_a_builders_parameters_may_have_any_name(ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Names that the SDK uses inside are free for the host; types for the type checker alone do no harm."""

    @billed_feature("any_name", credits=1, cache=None)
    def any_name(build: int, options: OnlyForCheckers) -> Prompt:  # type: ignore[name-defined]  # noqa: F821  # as under TYPE_CHECKING
        """Use awkward names."""
        return Prompt(user=f"{build} {options}")

    ai_llm.reply(any_name, "fine")
    assert any_name(build=1, options=3) == "fine"


def test_only_functions_are_builders() -> None:
    """A partial or another callable is refused with the reason."""
    with pytest.raises(ConfigError, match="written with def, not a partial"):
        untyped(partial(print, "x"), credits=1)
