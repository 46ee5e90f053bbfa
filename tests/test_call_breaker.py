"""A call and the circuit breaker: who is asked while a model is left alone, and what that costs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from ai_addons import AddOns, ProviderRejected, ProviderUnavailable, bill_to
from ai_addons.events import CallRefused, CircuitClosed, CircuitOpened, OperatorAlert
from ai_addons.llm.base import ModelFailure, Verdict
from ai_addons.money import Credits
from ai_addons.testing import FakeLlm, ManualClock, kit_settings
from tests.features import AMA, KOFI, OPINION, composed, opinion, slogan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_addons.events import Event

LUNA, HAIKU = "openai/gpt-6-luna", "anthropic/claude-haiku-5-5"
DOWN = ModelFailure(ProviderUnavailable(), Verdict.ANSWERED, retry=True)
BAD_KEY = ModelFailure(ProviderRejected(), Verdict.ANSWERED, alert="provider_key_rejected")


class Models(FakeLlm):
    """Models that are down, or refuse the key, until they are mended."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: dict[str, ModelFailure] = {}
        self.reply(opinion, OPINION)
        self.before_answer(self._break)

    def _break(self) -> None:
        model = self.calls[-1].model
        if model in self.broken:
            raise self.broken[model]

    @property
    def asked(self) -> list[str]:
        """Which models were asked."""
        return [call.model for call in self.calls]


class Shop:
    """A shop with two models, its clock, and what its hooks heard."""

    def __init__(self, **settings: Any) -> None:
        self.clock, self.llm, self.events = ManualClock(), Models(), list[Any]()
        changes = {"models": {"small": [LUNA, HAIKU]}, "cache": {"backend": "off"}} | settings
        self.addons = AddOns(kit_settings(**changes), llm=self.llm, clock=self.clock, hooks=[self.events.append])
        self.addons.grant("biz_7", 100, source="purchase", ref="order-1")

    def told(self, *kinds: type[Event]) -> list[Event]:
        """The events of these kinds."""
        return [event for event in self.events if isinstance(event, kinds)]


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop that is open."""
    made = Shop()
    with closing(made.addons), made.addons, bill_to("biz_7"):
        yield made


@pytest.fixture(params=["sync", "async"])
def ring(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Make a call the sync or the async way."""
    return lambda: opinion.billed(AMA) if request.param == "sync" else anyio.run(opinion.aio.billed, AMA)


def test_a_dead_model_is_skipped_until_it_answers_again(shop: Shop, ring: Callable[[], Any]) -> None:
    """After five failures calls go to the next model at once; after the pause one call finds it mended."""
    shop.llm.broken[LUNA] = DOWN
    for _ in range(3):
        assert ring().receipt.model == HAIKU
    assert shop.llm.asked == [*[LUNA] * 3, HAIKU, *[LUNA] * 2, HAIKU, HAIKU]

    shop.llm.broken.clear()
    shop.clock.advance(30)
    assert ring().receipt.model == LUNA
    told = shop.told(CircuitOpened, CircuitClosed)
    assert told == [CircuitOpened(model=LUNA, code="provider_unavailable", seconds=30), CircuitClosed(model=LUNA)]


def test_a_refused_key_is_tried_once_and_told_once(shop: Shop, ring: Callable[[], Any]) -> None:
    """Every other call goes straight to the next model, and the operator hears of it once a pause."""
    shop.llm.broken[LUNA] = BAD_KEY
    for _ in range(3):
        ring()
    assert shop.llm.asked == [LUNA, HAIKU, HAIKU, HAIKU]
    assert shop.told(OperatorAlert) == [OperatorAlert(code="provider_key_rejected", detail=LUNA)]


def test_with_every_model_left_alone_nothing_is_held_asked_or_booked(shop: Shop, ring: Callable[[], Any]) -> None:
    """The call is refused before the hold, and says when to come back."""
    shop.llm.broken |= {LUNA: BAD_KEY, HAIKU: BAD_KEY}
    with pytest.raises(ProviderRejected):
        ring()
    asked, rows, entries = len(shop.llm.calls), shop.addons.transactions("biz_7"), shop.addons.ledger("biz_7")
    shop.clock.advance(10)

    with pytest.raises(ProviderUnavailable, match=r"Nothing was charged. Try again in 20 s.") as refused:
        ring()

    assert refused.value.charged == Credits(0)
    assert len(shop.llm.calls) == asked
    assert shop.addons.transactions("biz_7") == rows
    assert shop.addons.ledger("biz_7") == entries
    assert shop.addons.wallet("biz_7").available == Credits(100)
    (told,) = shop.told(CallRefused)
    assert isinstance(told, CallRefused)
    assert told.code == "provider_unavailable"


def test_a_feature_that_can_do_without_a_model_does(shop: Shop) -> None:
    """Its own words are given at once and uncharged."""
    shop.llm.broken |= {LUNA: BAD_KEY, HAIKU: BAD_KEY}
    composed(AMA)
    asked = len(shop.llm.calls)

    _, receipt = composed.billed(KOFI)

    assert (receipt.source, receipt.degraded_reason, receipt.charged) == ("rules", "provider_down", Credits(0))
    assert (receipt.attempts, len(shop.llm.calls)) == ((), asked)


def test_a_free_repeat_needs_no_model() -> None:
    """What is stored is given while every model is left alone."""
    shop = Shop(cache={"backend": "memory"})
    with closing(shop.addons), shop.addons, bill_to("biz_7"):
        opinion(AMA)
        shop.llm.broken |= {LUNA: BAD_KEY, HAIKU: BAD_KEY}
        with pytest.raises(ProviderRejected):
            slogan(1)
        assert opinion.billed(AMA).receipt.cached


def test_the_breaker_can_be_set_and_switched_off() -> None:
    """With ``failures = 0`` every call asks every model."""
    shop = Shop(call={"breaker": {"failures": 0}})
    shop.llm.broken[LUNA] = BAD_KEY
    with closing(shop.addons), shop.addons, bill_to("biz_7"):
        opinion(AMA)
        opinion(KOFI)
    assert shop.llm.asked == [LUNA, HAIKU, LUNA, HAIKU]
