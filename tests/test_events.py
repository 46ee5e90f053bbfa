"""What the hooks are told of calls and of the books: every course of a call, once, without content."""

from __future__ import annotations

import dataclasses
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, get_args

import anyio
import pytest

from ai_addons import (
    AddOns,
    BillingError,
    ConfigError,
    Credits,
    InsufficientCreditsError,
    NotEnabled,
    ProviderTimeout,
    ProviderUnavailable,
    UnknownPlugin,
    bill_to,
    plugins,
)
from ai_addons.billing.store import Store
from ai_addons.events import (
    AttemptMade,
    CacheAsked,
    CallCharged,
    CallFailed,
    CallRefused,
    CallStarted,
    CapturedLate,
    Event,
    HoldTimedOut,
    WalletEvent,
    emit,
)
from ai_addons.llm.base import Usage, Verdict
from ai_addons.testing import kit_settings
from tests.books import OK, SECOND, TTL, Books
from tests.features import AMA, OPINION, composed, gift, opinion, opinion_async, settled, slogan
from tests.hearing import BUSINESS, FALLBACK, USER, Heard, hearing

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = "openai/gpt-6-luna"


@pytest.fixture
def heard() -> Iterator[Heard]:
    """A shop with one fallback model."""
    with hearing(models={"small": [SMALL, FALLBACK]}) as shop:
        yield shop


def test_a_charged_call_is_told_from_beginning_to_end(heard: Heard) -> None:
    """Each event names the call and the feature; the last says what it cost, and when what happened."""
    heard.llm.reply(opinion, OPINION, usage=Usage(input=200, cached=800, cache_write=5, output=500, reasoning=40))
    heard.llm.before_answer(lambda: heard.clock.advance(1.5))
    began = heard.clock.now()
    _, receipt = opinion.billed(AMA)

    assert [type(event) for event in heard.events] == [CallStarted, CacheAsked, AttemptMade, CallCharged]
    charged, attempt = heard.one(CallCharged), heard.one(AttemptMade)
    pseudonym = charged.business
    assert heard.events[:2] == [
        CallStarted(call_id=receipt.id, business=pseudonym, feature="opinion", started_at=began),
        CacheAsked(call_id=receipt.id, feature="opinion", result="miss"),
    ]
    assert attempt == AttemptMade(
        call_id=receipt.id,
        feature="opinion",
        model=SMALL,
        reason="first",
        code=None,
        answered_by="gpt-6-luna",
        started_at=began,
        latency_ms=1_500,
        input_tokens=1_005,
        cached_tokens=800,
        cache_write_tokens=5,
        output_tokens=540,
        reasoning_tokens=40,
        cost=receipt.cost,
    )
    assert (charged.charged, charged.cached, charged.replayed) == (Credits(3), False, False)
    assert (charged.model, charged.cost, charged.latency_ms) == (SMALL, receipt.cost, 1_500)
    assert charged.times.started_at == began
    assert charged.times.ended_at == began + 1_500_000
    assert charged.times.attempts == (attempt,)
    hold, capture = charged.times.steps
    assert (hold.name, hold.started_at, hold.duration_us) == ("hold", began, 0)
    assert (capture.name, capture.started_at, capture.duration_us) == ("capture", began + 1_500_000, 0)


def test_a_repeat_a_replay_and_a_settled_result_are_told_as_free(heard: Heard) -> None:
    """Nothing is charged, and the event says why."""
    opinion.options(idempotency_key="sale-81")(AMA)
    opinion(AMA)
    opinion.options(idempotency_key="sale-81")(AMA)
    settled(3)
    gift()

    assert [(e.charged, e.cached, e.replayed) for e in heard.all(CallCharged)] == [
        (Credits(3), False, False),
        (Credits(0), True, False),
        (Credits(0), False, True),
        (Credits(0), False, False),
        (Credits(0), False, False),
    ]
    assert [asked.result for asked in heard.all(CacheAsked)] == ["miss", "hit"]
    assert [step.name for step in heard.all(CallCharged)[2].times.steps] == ["find"]
    assert [step.name for step in heard.all(CallCharged)[3].times.steps] == ["record"]


def test_retries_the_fallback_model_and_the_repair_are_told_apart(heard: Heard) -> None:
    """Each request says why it was made, and what became of it."""
    for _ in range(3):
        heard.llm.fail(opinion, retry=True)
    heard.llm.reply_text(opinion, "no JSON")
    heard.llm.reply(opinion, OPINION)
    opinion(AMA)

    assert [(made.model, made.reason, made.code) for made in heard.all(AttemptMade)] == [
        (SMALL, "first", "provider_unavailable"),
        (SMALL, "retry", "provider_unavailable"),
        (SMALL, "retry", "provider_unavailable"),
        (FALLBACK, "fallback", None),
        (FALLBACK, "repair", None),
    ]
    assert heard.one(CallCharged).times.attempts == tuple(heard.all(AttemptMade))


@pytest.mark.parametrize("fell_back", [False, True])
def test_a_failed_call_is_told_once_with_what_it_cost_us(heard: Heard, fell_back: bool) -> None:
    """An unknown cost stays unknown; the event says whether the caller got the fallback."""
    feature: Any = composed if fell_back else opinion
    heard.llm.fail(feature, ProviderTimeout(), verdict=Verdict.MAYBE_BILLED, next_model=False)
    if fell_back:
        assert composed(AMA) == "Ama Serwaa: ask the owner"
    else:
        with pytest.raises(ProviderTimeout):
            opinion(AMA)

    failed = heard.one(CallFailed)
    assert (failed.code, failed.fell_back, failed.cost) == ("provider_timeout", fell_back, None)
    assert [step.name for step in failed.times.steps] == ["hold", "void"]
    assert heard.one(AttemptMade).input_tokens is None
    assert heard.all(CallCharged) == []


def test_too_few_credits_are_told_as_a_refusal() -> None:
    """No model was asked; the refusal belongs to a call that began."""
    with hearing(credit=2) as heard, pytest.raises(InsufficientCreditsError):
        opinion(AMA)

    started, refused = heard.one(CallStarted), heard.one(CallRefused)
    assert (refused.code, refused.feature) == ("insufficient_credits", "opinion")
    assert (refused.call_id, refused.business) == (started.call_id, started.business)
    assert heard.names == ["CacheAsked", "CallRefused"]


@pytest.mark.parametrize("aio", [False, True])
def test_a_feature_that_is_off_is_told_though_no_call_began(aio: bool) -> None:
    """What is refused before it begins has no id, and reaches the hooks all the same."""
    feature: Any = opinion_async if aio else opinion
    with hearing(features={"opinion": {"enabled": False}, "opinion_async": {"enabled": False}}) as heard:
        with pytest.raises(NotEnabled):
            anyio.run(feature, AMA) if aio else feature(AMA)

        assert heard.events == [CallRefused(feature=feature.spec.key, code="not_enabled")]


def test_a_cancelled_call_is_told_with_its_lost_attempt(heard: Heard) -> None:
    """The request may be on the provider's bill, so it is told too, at an unknown cost."""
    heard.llm.hang(opinion_async)

    async def main() -> None:
        with anyio.CancelScope() as scope:
            heard.llm.before_answer(scope.cancel)
            await opinion_async(AMA)

    anyio.run(main)
    lost = heard.one(AttemptMade)
    assert (lost.code, lost.cost, lost.reason) == ("cancelled", None, "first")
    assert heard.one(CallFailed).code == "cancelled"


def test_an_exception_of_the_host_is_told_without_its_text(heard: Heard) -> None:
    """Its words may hold anything."""
    heard.llm.before_answer(lambda: (_ for _ in ()).throw(ValueError("Ama Serwaa owes 300")))
    with pytest.raises(ValueError, match="Ama"):
        opinion(AMA)

    assert heard.one(CallFailed).code == "host_error"
    assert "Ama" not in repr(heard.events)


def test_no_event_of_a_call_holds_content_a_name_or_a_business(heard: Heard) -> None:
    """Whatever happens, the events say neither who asked nor what was said; the pseudonym is stable."""
    heard.llm.reply(opinion, {"reasons": ["owes for cement"], "verdict": "careful"})
    opinion(AMA)
    opinion(AMA)
    heard.llm.fail(slogan)
    with pytest.raises(ProviderUnavailable):
        slogan(1)

    told = repr(heard.events)
    for secret in (BUSINESS, "Kwabena", USER, "Ama", "Serwaa", "cement", "careful", "credit?", "test-key", "Slogan"):
        assert secret not in told
    assert len({event.business for event in heard.all(CallStarted)}) == 1


def test_a_hook_that_fails_breaks_no_call_and_no_other_hook(caplog: pytest.LogCaptureFixture) -> None:
    """The call is charged as always, the next hook hears all of it, and the log names the event."""

    def broken(_event: Event) -> None:
        raise RuntimeError

    later: list[Event] = []
    with hearing(broken, later.append) as heard:
        opinion(AMA)
        anyio.run(opinion_async, AMA)

        assert heard.addons.wallet(BUSINESS).available == Credits(994)
        assert later == heard.events
    assert len(caplog.records) == len(later)
    assert caplog.records[0].getMessage() == "an event hook failed on CallStarted"


def test_a_hook_cannot_swallow_an_interruption() -> None:
    """Only exceptions are stopped; Ctrl-C is the host's."""

    def interrupted(_event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        emit([interrupted], CallRefused(feature="opinion", code="paused"))


@pytest.mark.parametrize("aio", [False, True])
def test_hooks_run_where_the_call_runs(aio: bool) -> None:
    """In the caller's thread, or on its event loop: a hook finds the context of the host."""
    threads: set[int] = set()
    with hearing(lambda _: threads.add(threading.get_ident())):
        anyio.run(opinion_async, AMA) if aio else opinion(AMA)

    assert threads == {threading.get_ident()}


def test_events_are_frozen_facts() -> None:
    """No hook can change what the next one hears."""
    for kind in get_args(Event):
        assert vars(kind)["__dataclass_params__"].frozen
        assert "__slots__" in vars(kind)
        assert all(field.kw_only for field in dataclasses.fields(kind))


# The books.


def test_a_hold_that_times_out_and_its_late_answer_are_told_once_they_are_durable() -> None:
    """The hold's credits are free; the answer that comes late is paid, or noted as unpaid."""
    told: list[Event] = []
    with closing(Books("10", hooks=(told.append,))) as books:
        first, second = books.hold("4", "one"), books.hold("6", "two")
        books.clock.advance(TTL / SECOND + 1)
        books.store.sweep()
        assert told == [
            HoldTimedOut(call_id="one", feature=first.call.feature, amount=Credits(4)),
            HoldTimedOut(call_id="two", feature=first.call.feature, amount=Credits(6)),
        ]
        told.clear()
        assert books.store.capture(second, OK).charged == Credits(6)
        books.store.capture(books.hold("4", "three"), OK)
        assert books.store.capture(first, OK).charged == Credits(0)
        books.store.capture(first, OK)
    assert [event for event in told if not isinstance(event, WalletEvent)] == [
        CapturedLate(call_id="two", feature=first.call.feature, charged=Credits(6), unpaid=Credits(0)),
        CapturedLate(call_id="one", feature=first.call.feature, charged=Credits(0), unpaid=Credits(4)),
    ]


# Hooks by name.


class Remembering:
    """A hook of a host."""

    made: list[Remembering]

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = 0
        type(self).made.append(self)

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def made() -> list[Remembering]:
    """The hooks that settings make in a test."""
    Remembering.made = []
    return Remembering.made


def test_a_host_names_its_hook_in_the_settings(made: list[Remembering]) -> None:
    """It is made once, hears everything, and is closed with the rest."""
    with hearing(events={"hooks": [f"{__name__}:Remembering"]}) as heard:
        opinion(AMA)
    (hook,) = made

    assert hook.events == heard.events
    assert hook.closed == 1


def test_hooks_given_by_hand_are_the_hosts_to_close(made: list[Remembering]) -> None:
    """They may serve another object too; one without ``close`` is left alone."""
    own = Remembering()
    with hearing(own, events={"hooks": ["logging"]}):
        opinion(AMA)

    assert own.closed == 0
    assert own.events


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("loging", UnknownPlugin, "Did you mean 'logging'"),
        ("tests.hearing:Nothing", UnknownPlugin, "ai_addons.hooks"),
    ],
)
def test_a_hook_that_is_not_there_is_a_mistake_in_the_settings(name: str, error: type[Exception], says: str) -> None:
    """It shows at the start, not at the first call."""
    with pytest.raises(error, match=says):
        AddOns(kit_settings(events={"hooks": [name]}))


def test_a_hook_whose_package_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra that was not installed is named."""

    def load(_group: str, _name: str) -> None:
        raise ModuleNotFoundError(name="opentelemetry")

    monkeypatch.setattr(plugins, "load", load)
    with pytest.raises(ConfigError, match=r"'otel' needs opentelemetry.*ai-addons\[otel"):
        # The policy is a plug-in too, but hooks come first.
        AddOns(kit_settings(events={"hooks": ["otel"]}))


async def _async_hook(_event: Event) -> None:
    """Nobody would await it."""


class _AsyncHook:
    async def __call__(self, _event: Event) -> None:
        """Nor this one."""


@pytest.mark.parametrize("hook", [_async_hook, _AsyncHook()])
def test_an_async_hook_is_refused_at_the_start(hook: Any) -> None:
    """It would hear nothing, without a word."""
    with pytest.raises(ConfigError, match=r"[aA]sync.?[hH]ook' is async.*queue"):
        AddOns(kit_settings(), hooks=[hook])


def test_a_call_whose_hold_cannot_be_voided_is_told_all_the_same(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a call is never missing, whatever its books say."""

    def refuse(*_: object) -> None:
        raise BillingError

    heard.llm.fail(slogan)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "void", refuse)
        with pytest.raises(BillingError):
            slogan(1)
    heard.clock.advance(TTL / SECOND + 1)
    heard.addons.sweep()

    assert heard.names == ["AttemptMade", "AttemptMade", "CallFailed", "HoldTimedOut"]
    assert heard.one(CallFailed).code == "provider_unavailable"


def test_the_test_kit_leaves_a_hosts_own_hooks_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of a host send nothing to its dashboards."""
    monkeypatch.setenv("AI_ADDONS_EVENTS__HOOKS", "prometheus")

    assert kit_settings().events.hooks == ()


def test_a_payer_of_another_business_gets_another_pseudonym(heard: Heard) -> None:
    """Lines of one business can be joined, and told from those of another."""
    heard.addons.grant("biz_8", 10, source="adjustment", ref="test funds")
    opinion(AMA)
    with bill_to("biz_8"):
        opinion(AMA)

    first, second = heard.all(CallCharged)
    assert first.business != second.business
