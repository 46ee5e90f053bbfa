"""Whole calls with the offline model: any feature works without a key, and nobody takes a sample for an answer."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from ai_addons import AddOns, Pii, Prompt, billed_feature
from ai_addons.errors import ProviderUnavailable
from ai_addons.features import FeatureResult
from ai_addons.features.product_description import Product, product_description
from ai_addons.llm.base import ModelFailure, ModelReply, Verdict
from ai_addons.llm.offline import OFFLINE_MODEL, OfflineLlm
from ai_addons.testing import ManualClock, kit_settings
from tests.features import AMA, composed, opinion, opinion_async, routed, slogan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.llm.base import ModelRequest
    from ai_addons.receipt import Billed

LUNA = "openai/gpt-6-luna"


class Debtor(BaseModel):
    """Somebody who owes."""

    name: Annotated[str, Pii.NAME]
    phone: Annotated[str, Pii.PHONE]
    email: Annotated[str, Pii.EMAIL]
    days: int


class Reminder(BaseModel):
    """What a host may ask for."""

    name: str
    phone: str
    email: str
    tone: Literal["friendly", "firm"]
    message: Annotated[str, Field(min_length=20, max_length=160)]
    steps: Annotated[list[Annotated[str, Field(max_length=60)]], Field(min_length=2, max_length=4)]
    chance: Annotated[float, Field(ge=0, le=1)]
    days: int


class Switched:
    """A real model that can be down, with the offline model behind it."""

    def __init__(self) -> None:
        self.down = True

    def complete(self, request: ModelRequest) -> ModelReply:
        if request.model == OFFLINE_MODEL:
            return OfflineLlm().complete(request)
        if self.down:
            raise ModelFailure(ProviderUnavailable(), Verdict.NEVER_SENT)
        return ModelReply(text="a real answer", finish="stop", model="gpt-6-luna", usage=None)

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        return self.complete(request)


@pytest.fixture
def offline() -> Iterator[AddOns]:
    """A shop without a key."""
    with closing(AddOns(kit_settings(models={"small": OFFLINE_MODEL}), clock=ManualClock(), environ={})) as addons:
        addons.grant("biz", 100, source="adjustment", ref="funds")
        yield addons
        assert addons.doctor().ok


def call(addons: AddOns, feature: Any, *args: object) -> Billed[Any]:
    """One call of the shop's."""
    billed: Billed[Any] = feature.options(addons=addons, business="biz").billed(*args)
    return billed


def test_any_feature_works_without_a_sample(offline: AddOns) -> None:
    """Names, numbers and addresses that were masked come back; every bound of the type is kept."""

    @billed_feature("offline_reminder", credits=1)
    def remind(debtor: Debtor) -> Prompt[Reminder]:
        """Remind somebody."""
        return Prompt(user="Write a reminder.", data=debtor)

    debtor = Debtor(name="Ama Serwaa", phone="024 412 3456", email="ama@shop.example", days=12)
    value, receipt = call(offline, remind, debtor)

    assert (value.name, value.phone, value.email, value.days) == ("Ama Serwaa", "024 412 3456", "ama@shop.example", 12)
    assert "Ama Serwaa" in value.message
    assert (receipt.source, receipt.model, receipt.cost) == ("offline", OFFLINE_MODEL, 0)


@pytest.mark.parametrize(("feature", "args"), [(slogan, (1,)), (opinion, (AMA,)), (composed, (AMA,))])
def test_every_kind_of_feature_works_and_says_what_answered(offline: AddOns, feature: Any, args: Any) -> None:
    """Text, a model, a composed result: each is named a sample of the offline model."""
    assert call(offline, feature, *args).receipt.source == "offline"


def test_a_feature_that_asks_twice_works(offline: AddOns) -> None:
    """A first, smaller question is answered from its schema too."""
    assert call(offline, routed, "how are sales?").receipt.source == "offline"


@pytest.mark.anyio
async def test_async_features_work(offline: AddOns) -> None:
    """The same on an event loop."""
    billed = await opinion_async.options(addons=offline, business="biz").billed(AMA)
    assert billed.receipt.source == "offline"


def test_a_built_in_result_says_so_itself(offline: AddOns) -> None:
    """A page that shows only the result can tell that no model wrote it."""
    milo = Product(name="Milo 400g", category="drinks", as_of=date(2026, 11, 1))
    result = call(offline, product_description, milo).value
    assert isinstance(result, FeatureResult)
    assert result.source == "offline"


def test_a_repeat_is_stored_under_the_offline_model(offline: AddOns) -> None:
    """A stored sample still names who wrote it."""
    call(offline, opinion, AMA)
    again = call(offline, opinion, AMA).receipt
    assert (again.source, again.model) == ("cache", OFFLINE_MODEL)


def test_samples_are_never_kept_for_a_real_models_answer() -> None:
    """A fallback to the offline model is not stored: once the provider is back, the real answer comes."""

    @billed_feature("kept", credits=1, cache="6h")
    def kept() -> Prompt:
        """Say something."""
        return Prompt(user="Say something.", sample=lambda: "a sample")

    llm = Switched()
    settings = kit_settings(models={"small": [LUNA, OFFLINE_MODEL]}, prices={"allow_unpriced": True})
    with closing(AddOns(settings, clock=ManualClock(), llm=llm, environ={})) as addons:
        addons.grant("biz", 100, source="adjustment", ref="funds")
        down = call(addons, kept)
        llm.down = False
        back, repeat = call(addons, kept), call(addons, kept)

    assert (down.value, down.receipt.source, down.receipt.model) == ("a sample", "offline", OFFLINE_MODEL)
    assert (back.value, back.receipt.source) == ("a real answer", "ai")
    assert (repeat.value, repeat.receipt.source) == ("a real answer", "cache")


def test_seed_and_latency_are_settings() -> None:
    """The offline model of a shop takes as long as its settings say."""
    clock = ManualClock()
    settings = kit_settings(models={"small": OFFLINE_MODEL}, offline={"seed": 7, "latency": "2s"})
    with closing(AddOns(settings, clock=clock, environ={})) as addons:
        addons.grant("biz", 100, source="adjustment", ref="funds")
        receipt = call(addons, slogan, 1).receipt

    assert (clock.slept, receipt.latency_ms) == ([2], 2000)
