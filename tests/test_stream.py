"""Answers read while they are written: what is shown, what it costs, how it ends."""

import asyncio
import gc
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ai_addons import (
    AddOns,
    AddOnsError,
    AsyncTextStream,
    BadOutput,
    ConfigError,
    ContentBlocked,
    NoPayer,
    Prompt,
    ProviderTimeout,
    ProviderUnavailable,
    Receipt,
    StoreUnavailable,
    bill_to,
    billed_feature,
    receipts,
)
from ai_addons.billing.store import Store
from ai_addons.errors import HoldExpired
from ai_addons.llm.base import ModelReply, ModelRequest, Verdict
from ai_addons.money import Credits
from ai_addons.scope import Payer
from ai_addons.testing import FakeLlm, ManualClock
from ai_addons.testing.kit import kit_settings
from tests.features import AMA, Customer, composed, opinion, opinion_async, routed, settled, slogan
from tests.test_call_interrupted import Blocker, interrupting

START = Credits(1_000)
PRICE = Credits(5)
NOTHING = Credits(0)

BOTH = pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])


@billed_feature("blurb", credits=5)
def blurb(customer: Customer, topic: str = "rice") -> Prompt:
    """Write a few words to a customer."""
    return Prompt(user=f"Write about {topic}.", data=customer)


@billed_feature("note", credits=5)
async def note(topic: str) -> Prompt:
    """The same, from an async builder."""
    return Prompt(user=f"Write about {topic}.")


class Read:
    """What a reader got."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.receipt: Receipt | None = None
        self.error: AddOnsError | None = None

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces)


def read(feature: Any, *args: Any, aio: bool, most: int | None = None, **kwargs: Any) -> Read:
    """Read a stream, up to so many pieces, in either way."""
    return (
        asyncio.run(aread(feature, *args, most=most, **kwargs)) if aio else sread(feature, *args, most=most, **kwargs)
    )


def sread(feature: Any, *args: Any, most: int | None, **kwargs: Any) -> Read:
    """Read in this thread."""
    got = Read()
    with feature.stream(*args, **kwargs) as stream:
        try:
            for piece in stream:
                got.pieces.append(piece)
                if len(got.pieces) == most:
                    break
        except AddOnsError as error:
            got.error = error
    got.receipt = stream.receipt
    return got


async def aread(feature: Any, *args: Any, most: int | None, **kwargs: Any) -> Read:
    """Read on an event loop."""
    got = Read()
    async with feature.aio.stream(*args, **kwargs) as stream:
        try:
            async for piece in stream:
                got.pieces.append(piece)
                if len(got.pieces) == most:
                    break
        except AddOnsError as error:
            got.error = error
    got.receipt = stream.receipt
    return got


def check_books(addons: AddOns, payer: Payer, *, charged: Credits) -> None:
    """The books agree, nothing is held, and exactly this was charged."""
    wallet = addons.wallet(payer.business)
    assert (wallet.held, START - wallet.posted) == (NOTHING, charged)
    assert addons.doctor().ok


@BOTH
def test_a_whole_answer_is_read_in_pieces_and_charged_once(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool
) -> None:
    """The pieces make up the answer, names are put back, and the receipt knows usage and cost."""
    ai_llm.reply_pieces(blurb, ["\n Dear [PER", "SON_1], fresh rice is here today, ", "come and see it. \n"])
    with receipts() as log:
        got = read(blurb, AMA, aio=aio)
    assert got.text == "Dear Ama Serwaa, fresh rice is here today, come and see it."
    assert len(got.pieces) > 1
    assert got.receipt is not None
    assert (got.receipt.source, got.receipt.charged, got.receipt.model) == ("ai", PRICE, "openai/gpt-6-luna")
    assert got.receipt.usage is not None
    assert got.receipt.cost is not None
    assert log == [got.receipt]
    check_books(ai_addons, ai_payer, charged=PRICE)


@BOTH
def test_an_async_builder_streams_too(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool) -> None:
    """A feature with an ``async def`` builder has the same door; without `aio` where it is async by itself."""
    del aio
    ai_llm.reply(note, "a few good words for you")

    async def reading() -> list[str]:
        with bill_to(ai_payer.business):
            stream = note.stream("rice")
        return [piece async for piece in stream]

    assert "".join(asyncio.run(reading())) == "a few good words for you"
    check_books(ai_addons, ai_payer, charged=PRICE)


def test_who_pays_is_settled_when_the_stream_is_made(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """`bill_to` and `receipts` may be left before the first piece is read; until then nothing happened."""
    ai_addons.grant("biz", 1_000, source="adjustment", ref="start")
    with bill_to("biz"), receipts() as log:
        stream = blurb.stream(AMA)
    assert (ai_llm.calls, ai_addons.wallet("biz").held) == ([], NOTHING)
    text = "".join(stream)
    assert stream.receipt is not None
    assert (stream.receipt.business, log) == ("biz", [stream.receipt])
    assert text


def test_a_stream_without_a_payer_is_refused_at_once(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """Not only when it is read."""
    del ai_addons
    with pytest.raises(NoPayer):
        blurb.stream(AMA)
    with pytest.raises(NoPayer):
        blurb.aio.stream(AMA)
    assert ai_llm.calls == []


@pytest.mark.parametrize("feature", [opinion, opinion.aio, opinion_async])
def test_an_answer_that_is_no_text_is_refused_by_type(feature: Any, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """The error names the feature and what it answers; nothing was held."""
    del ai_payer
    with pytest.raises(ConfigError, match=r"'opinion\w*' answers Opinion, and only text .* Nothing was charged"):
        feature.stream(AMA)
    assert ai_llm.calls == []


@BOTH
def test_a_composed_prompt_is_refused_before_anything_is_held(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch, *, aio: bool
) -> None:
    """There is nothing to show before the whole answer is checked."""
    held: list[object] = []

    def hold(*args: object, **options: object) -> None:
        held.append((args, options))

    monkeypatch.setattr(Store, "hold", hold)
    got = read(composed, AMA, aio=aio)
    assert isinstance(got.error, ConfigError)
    assert str(got.error).startswith("'composed' composes its result")
    assert (held, ai_llm.calls) == ([], [])
    check_books(ai_addons, ai_payer, charged=NOTHING)


@BOTH
def test_a_provider_that_breaks_off_is_not_paid_for(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool
) -> None:
    """What was shown is no answer: void, cost unknown, nothing stored, and no other model is asked."""
    ai_llm.reply_pieces(blurb, ["Dear customer, ", "fresh rice ", "is here"]).break_after(2)
    ai_llm.reply(blurb, "whole")
    got = read(blurb, AMA, aio=aio)
    assert got.text == "Dear customer, fresh "
    assert isinstance(got.error, ProviderUnavailable)
    assert got.receipt is None
    check_books(ai_addons, ai_payer, charged=NOTHING)
    (row,) = ai_addons.transactions(ai_payer.business)
    assert (row.outcome, row.error_code, row.charged, row.cost) == ("failed", "provider_unavailable", NOTHING, None)
    assert len(ai_llm.calls) == 1
    (day, _) = ai_addons.spending()
    assert day.used > 0
    again = read(blurb, AMA, aio=aio)
    assert again.receipt is not None
    assert (again.text, again.receipt.charged, again.receipt.cached) == ("whole", PRICE, False)


@BOTH
def test_a_provider_that_falls_silent_times_out(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool
) -> None:
    """Silence in mid-stream ends at the deadline, as a timeout, uncharged."""
    ai_llm.reply_pieces(blurb, ["Dear customer, ", "fresh rice"]).hang_after(1)
    ai_llm.release()
    got = read(blurb.options(deadline=timedelta(seconds=0.2)), AMA, aio=aio)
    assert got.text == "Dear "
    assert isinstance(got.error, ProviderTimeout)
    check_books(ai_addons, ai_payer, charged=NOTHING)


@BOTH
def test_a_reader_who_stops_pays_in_full(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool) -> None:
    """The price is fixed; what the model cost is not known, and what it said is not stored."""
    ai_llm.reply_pieces(blurb, ["Dear customer, ", "fresh rice ", "is here"])
    with receipts() as log:
        got = read(blurb, AMA, aio=aio, most=1)
    assert got.receipt is not None
    assert (got.receipt.charged, got.receipt.cost, got.receipt.usage) == (PRICE, None, None)
    assert got.receipt.source == "ai"
    assert [attempt.error for attempt in got.receipt.attempts] == ["cancelled"]
    assert log == [got.receipt]
    check_books(ai_addons, ai_payer, charged=PRICE)
    assert len(ai_llm.calls) == 1
    (day, _) = ai_addons.spending()
    assert day.used > 0
    second = read(blurb, AMA, aio=aio)
    assert second.receipt is not None
    assert (second.receipt.cached, second.receipt.charged) == (False, PRICE)


@BOTH
def test_the_same_key_of_a_stopped_stream_is_made_again_free(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool
) -> None:
    """It was paid for; its whole answer was never known, so it is asked for once more."""
    ai_llm.reply_pieces(blurb, ["Dear customer, ", "fresh rice ", "is here"])
    keyed = blurb.options(idempotency_key="sale-1")
    read(keyed, AMA, aio=aio, most=1)
    again = read(keyed, AMA, aio=aio)
    assert again.receipt is not None
    assert (again.text, again.receipt.charged) == ("Dear customer, fresh rice is here", NOTHING)
    check_books(ai_addons, ai_payer, charged=PRICE)


@BOTH
def test_a_reader_who_never_begins_pays_nothing(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool
) -> None:
    """A stream that is made and closed has asked nobody."""

    async def unread() -> AsyncTextStream:
        async with blurb.aio.stream(AMA) as stream:
            return stream

    if aio:
        assert asyncio.run(unread()).receipt is None
    else:
        stream = blurb.stream(AMA)
        stream.close()
        assert (stream.receipt, list(stream)) == (None, [])
    assert ai_llm.calls == []
    check_books(ai_addons, ai_payer, charged=NOTHING)


@pytest.mark.anyio
@pytest.mark.parametrize(("said", "charged"), [("[PERS", NOTHING), ("Dear customer, [PERS", PRICE)])
async def test_a_cancelled_task_pays_for_what_it_was_shown(
    said: str, charged: Credits, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """While the next piece is waited for: nothing shown, nothing charged."""
    ai_llm.reply_pieces(blurb, [said]).hang_after(1)
    got: list[str] = []

    async def reading() -> None:
        async with blurb.aio.stream(AMA) as stream:
            async for piece in stream:
                got.append(piece)  # noqa: PERF401  # what came before the cancel must stay

    task = asyncio.ensure_future(reading())
    while not ai_llm.calls:  # noqa: ASYNC110  # the fake model has no event to wait for
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bool(got) == (charged == PRICE)
    check_books(ai_addons, ai_payer, charged=charged)


@BOTH
@pytest.mark.parametrize("bad", ["[PERSON_7]", "call 024 412 3456"])
def test_what_must_not_be_shown_ends_the_stream_uncharged(
    bad: str, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool
) -> None:
    """An invented placeholder, or a telephone number of the model's own: nothing of it is shown."""
    ai_llm.reply_pieces(blurb, ["Dear customer, fresh rice is here, ", bad[:5], bad[5:], " today, come and see it"])
    got = read(blurb, AMA, aio=aio)
    assert isinstance(got.error, BadOutput)
    assert got.text == "Dear customer, fresh rice is here, " + ("call " if bad.startswith("call") else "")
    assert not set("[]0246") & set(got.text)
    check_books(ai_addons, ai_payer, charged=NOTHING)
    assert ai_addons.transactions(ai_payer.business)[-1].error_code == "bad_output"


@BOTH
def test_a_value_that_was_expected_and_did_not_come_is_not_paid_for(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool
) -> None:
    """It is known only at the end; then the usage is known too."""

    @billed_feature("greeting", credits=5)
    def greeting(customer: Customer) -> Prompt:
        """Greet a customer by name."""
        return Prompt(user="Greet them.", data=customer, expects=["PERSON"])

    ai_llm.reply(greeting, "Dear customer, fresh rice is here")
    got = read(greeting, AMA, aio=aio)
    assert isinstance(got.error, BadOutput)
    check_books(ai_addons, ai_payer, charged=NOTHING)
    assert ai_addons.transactions(ai_payer.business)[-1].cost is not None


@BOTH
def test_an_empty_answer_is_asked_for_once_more(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool
) -> None:
    """Blanks are no answer either; as in a call, there is one repair."""
    ai_llm.reply_pieces(blurb, [" ", "\n"])
    ai_llm.reply_pieces(blurb, ["", "Fresh rice"])
    got = read(blurb, AMA, aio=aio)
    assert got.receipt is not None
    assert (got.text, len(got.receipt.attempts)) == ("Fresh rice", 2)
    check_books(ai_addons, ai_payer, charged=PRICE)


@BOTH
@pytest.mark.parametrize(
    ("pieces", "finish", "error"),
    [
        ([], "stop", BadOutput),
        ([], "length", BadOutput),
        ([], "blocked", ContentBlocked),
        (["Dear customer, ", "fresh"], "length", BadOutput),
        (["Dear customer, ", "fresh"], "blocked", ContentBlocked),
    ],
)
def test_an_answer_that_is_not_whole_is_not_paid_for(
    pieces: list[str],
    finish: Any,
    error: type[AddOnsError],
    ai_addons: AddOns,
    ai_payer: Payer,
    ai_llm: FakeLlm,
    *,
    aio: bool,
) -> None:
    """Empty, cut off at the output cap or refused, before or after a part was shown: uncharged, its cost booked."""
    ai_llm.reply_pieces(blurb, pieces, finish=finish)
    got = read(blurb, AMA, aio=aio)
    assert type(got.error) is error
    assert got.text == ("Dear customer, " if pieces else "")
    check_books(ai_addons, ai_payer, charged=NOTHING)
    assert ai_addons.transactions(ai_payer.business)[-1].cost is not None


@BOTH
def test_until_the_first_word_a_model_is_asked_again(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool
) -> None:
    """A stream that breaks before it says anything is retried like a call; all attempts are on the receipt."""
    ai_llm.fail(blurb, retry=True, verdict=Verdict.ANSWERED)
    ai_llm.reply(blurb, "Fresh rice is here today")
    got = read(blurb, AMA, aio=aio)
    assert got.receipt is not None
    assert [attempt.error for attempt in got.receipt.attempts] == ["provider_unavailable", None]
    assert got.text == "Fresh rice is here today"
    stopped = read(blurb, AMA, "beans", aio=aio, most=1)
    assert stopped.receipt is not None
    check_books(ai_addons, ai_payer, charged=Credits(10))


@BOTH
def test_a_stopped_stream_knows_the_attempts_before(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool
) -> None:
    """The failed ones with what they cost, the last one with a cost that is not known."""
    ai_llm.fail(blurb, retry=True, verdict=Verdict.ANSWERED)
    ai_llm.reply(blurb, "Fresh rice is here today")
    got = read(blurb, AMA, aio=aio, most=1)
    assert got.receipt is not None
    assert [(attempt.error, attempt.cost) for attempt in got.receipt.attempts] == [
        ("provider_unavailable", 0),
        ("cancelled", None),
    ]
    check_books(ai_addons, ai_payer, charged=PRICE)


@BOTH
@pytest.mark.parametrize("expires", [False, True])
def test_a_slow_reader_keeps_the_hold(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, ai_clock: ManualClock, *, aio: bool, expires: bool
) -> None:
    """It is renewed with each piece; one that expired between two pieces is captured late; no deadline runs."""
    ai_llm.reply_pieces(blurb, [f"piece number {number}, " for number in range(12)])
    pause = 130 if expires else 50

    async def slowly() -> AsyncTextStream:
        stream = blurb.aio.stream(AMA)
        async for _ in stream:
            ai_clock.advance(pause)
            ai_addons.sweep()
        return stream

    if aio:
        receipt = asyncio.run(slowly()).receipt
    else:
        stream = blurb.stream(AMA)
        for _ in stream:
            ai_clock.advance(pause)
            ai_addons.sweep()
            assert ai_addons.wallet(ai_payer.business).held == (NOTHING if expires else PRICE)
        receipt = stream.receipt
    assert receipt is not None
    assert receipt.charged == PRICE
    check_books(ai_addons, ai_payer, charged=PRICE)


def test_a_renewal_that_fails_is_tried_again(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, ai_clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is away for a moment ends no stream."""
    ai_llm.reply_pieces(blurb, [f"piece number {number}, " for number in range(6)])
    renew = Store.renew
    renewed: list[str] = []

    def flaky(store: Store, hold: Any) -> Any:
        renewed.append("tried")
        if len(renewed) == 1:
            raise StoreUnavailable
        return renew(store, hold)

    monkeypatch.setattr(Store, "renew", flaky)
    stream = blurb.stream(AMA)
    for _ in stream:
        ai_clock.advance(45 if not renewed else 3)
    assert len(renewed) == 2
    check_books(ai_addons, ai_payer, charged=PRICE)


def test_a_hold_that_expired_is_not_renewed_again(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, ai_clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its money is found at the late capture."""
    ai_llm.reply_pieces(blurb, [f"piece number {number}, " for number in range(6)])
    tried: list[int] = []

    def expired(*_: object) -> None:
        tried.append(1)
        raise HoldExpired

    monkeypatch.setattr(Store, "renew", expired)
    for _ in blurb.stream(AMA):
        ai_clock.advance(50)
    assert tried == [1]
    check_books(ai_addons, ai_payer, charged=PRICE)


@BOTH
def test_a_provider_that_drips_is_out_of_time(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, ai_clock: ManualClock, *, aio: bool
) -> None:
    """All waits for the provider together may take what the deadline allows."""
    ai_llm.reply_pieces(blurb, [f"piece number {number}, " for number in range(6)])
    ai_llm.before_piece(lambda: ai_clock.advance(12))
    got = read(blurb, AMA, aio=aio)
    assert isinstance(got.error, ProviderTimeout)
    assert got.pieces
    check_books(ai_addons, ai_payer, charged=NOTHING)


def test_a_dropped_stream_is_paid_for(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Broken off without a word: closed in a thread, charged once, its receipt collected."""
    ai_llm.reply(blurb, "Fresh rice is here today, come and see it")
    with receipts() as log:
        for _ in blurb.stream(AMA):
            break
    while ai_addons.wallet(ai_payer.business).held:
        time.sleep(0.01)
    assert [receipt.charged for receipt in log] == [PRICE]
    check_books(ai_addons, ai_payer, charged=PRICE)


def no_threads(*_: object) -> None:
    """What an executor says once it was shut down."""
    raise RuntimeError


def test_a_stream_that_outlives_its_wiring_is_closed_where_it_is_dropped(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The threads are gone: it is closed here and now."""
    ai_llm.reply(blurb, "Fresh rice is here today, come and see it")
    stream = blurb.stream(AMA)
    next(stream)
    monkeypatch.setattr(ThreadPoolExecutor, "submit", no_threads)
    del stream
    monkeypatch.undo()
    check_books(ai_addons, ai_payer, charged=PRICE)


def test_an_async_stream_that_is_dropped_is_closed_by_its_loop(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """At the latest when the loop ends: charged once."""
    ai_llm.reply(blurb, "Fresh rice is here today, come and see it")

    async def reading() -> None:
        async for _ in blurb.aio.stream(AMA):
            break

    with receipts() as log:
        asyncio.run(reading())
    assert [receipt.charged for receipt in log] == [PRICE]
    check_books(ai_addons, ai_payer, charged=PRICE)


@BOTH
def test_a_stored_answer_is_one_piece(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool) -> None:
    """The own repeat is free, another customer's is charged; both are the words that were streamed first."""
    ai_llm.reply(blurb, " Dear [PERSON_1], fresh rice is here today ")
    first = read(blurb, AMA, aio=aio)
    own = read(blurb, AMA, aio=aio)
    other = read(blurb, AMA.model_copy(update={"name": "Kofi Boateng"}), aio=aio)
    assert own.pieces == [first.text]
    assert other.pieces == ["Dear Kofi Boateng, fresh rice is here today"]
    assert own.receipt is not None
    assert other.receipt is not None
    assert (own.receipt.source, own.receipt.charged, own.receipt.cost) == ("cache", NOTHING, 0)
    assert (other.receipt.source, other.receipt.charged, other.receipt.cached) == ("cache", PRICE, True)
    assert (len(ai_llm.calls), blurb(AMA)) == (1, first.text)
    check_books(ai_addons, ai_payer, charged=Credits(10))


@BOTH
def test_a_key_gives_again_what_it_gave(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool) -> None:
    """A keyed stream is replayed in one piece, with the cache off too."""
    ai_llm.reply(slogan, "Fresh rice is here today")
    keyed = slogan.options(idempotency_key="k")
    first, again = read(keyed, 1, aio=aio), read(keyed, 1, aio=aio)
    assert again.pieces == [first.text]
    assert again.receipt is not None
    assert (again.receipt.replayed, again.receipt.charged) == (True, NOTHING)
    check_books(ai_addons, ai_payer, charged=PRICE)


@BOTH
def test_a_settled_result_is_one_piece(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool) -> None:
    """It comes from rules, and costs nothing."""
    got = read(settled, 3, aio=aio)
    assert got.receipt is not None
    assert (got.pieces, got.receipt.source, got.receipt.charged) == (["too little data"], "rules", NOTHING)
    assert ai_llm.calls == []
    check_books(ai_addons, ai_payer, charged=NOTHING)


@BOTH
def test_a_first_question_is_not_shown(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, *, aio: bool) -> None:
    """Of a builder that asks on the way only the last answer is read, under one hold."""
    ai_llm.reply(routed, {"pack": "top"})
    ai_llm.reply(routed, "The best customer is Ama")
    got = read(routed, "Who?", aio=aio)
    assert got.text == "The best customer is Ama"
    check_books(ai_addons, ai_payer, charged=Credits(4))


@pytest.mark.parametrize("begun", [False, True])
def test_a_stale_answer_stands_in_only_before_the_first_word(
    ai_llm: FakeLlm, ai_clock: ManualClock, *, begun: bool
) -> None:
    """Nothing is put behind an answer that the reader saw begin."""
    addons = AddOns(kit_settings(features={"blurb": {"stale_for": "24h"}}), clock=ai_clock, llm=ai_llm, environ={})
    addons.grant("shop", 1_000, source="adjustment", ref="start")
    feature = blurb.options(business="shop", addons=addons)
    ai_llm.reply(blurb, "Fresh rice is here today")
    if begun:
        ai_llm.reply_pieces(blurb, ["Other words, ", "more"]).break_after(1)
    else:
        ai_llm.fail(blurb)
    read(feature, AMA, aio=False)
    ai_clock.advance(7 * 3600)
    got = read(feature, AMA, aio=False)
    if begun:
        assert (got.text, type(got.error)) == ("Other ", ProviderUnavailable)
    else:
        assert got.receipt is not None
        assert (got.pieces, got.receipt.stale, got.receipt.charged) == (["Fresh rice is here today"], True, NOTHING)
    check_books(addons, Payer("shop"), charged=PRICE)
    addons.close()


@BOTH
def test_a_store_that_is_away_when_the_reader_stops_charges_nothing(
    ai_addons: AddOns,
    ai_payer: Payer,
    ai_llm: FakeLlm,
    ai_clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    *,
    aio: bool,
) -> None:
    """Closing stays quiet; the hold is released when it expires."""
    ai_llm.reply(blurb, "Fresh rice is here today")

    def unavailable(*_: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(Store, "capture", unavailable)
        got = read(blurb, AMA, aio=aio, most=1)
    assert got.receipt is None
    ai_clock.advance(121)
    assert ai_addons.sweep() == 1
    check_books(ai_addons, ai_payer, charged=NOTHING)


@pytest.fixture
def outliving() -> Iterator[list[object]]:
    """What goes after its event loop: until Python 3.12 one that was closed while it waited cannot be closed again.

    Nor can the stream within it, which nobody holds: only the garbage collector finds it, and must not do so too soon.
    """
    gc.disable()
    yield []
    gc.enable()


@pytest.mark.anyio
async def test_a_coroutine_closed_while_a_piece_is_awaited_pays_for_what_was_shown(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, outliving: list[object]
) -> None:
    """Nothing may be waited for then: it is captured at once, and its event loop ends the request."""
    ai_llm.reply_pieces(blurb, ["Dear customer, fresh "]).hang_after(1)
    stream = blurb.aio.stream(AMA)
    outliving.append(stream)
    assert await anext(stream) == "Dear customer, "
    following = stream.__anext__()
    following.send(None)
    following.close()
    assert stream.receipt is not None
    check_books(ai_addons, ai_payer, charged=PRICE)
    await asyncio.sleep(0)


@pytest.mark.anyio
@pytest.mark.parametrize("operation", ["find", "hold", "capture"])
async def test_a_cancel_at_any_store_step_leaves_no_hold(
    operation: str, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step is finished; only a capture that was under way charges, once."""
    ai_llm.reply(slogan, "Fresh rice is here today")
    blocker = Blocker(monkeypatch, operation)
    keyed = slogan.options(idempotency_key="k", business=ai_payer.business)
    task = asyncio.ensure_future(aread(keyed, 1, most=None))
    await asyncio.to_thread(blocker.reached.wait, 10)
    task.cancel()
    await asyncio.sleep(0.01)
    blocker.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    check_books(ai_addons, ai_payer, charged=PRICE if operation == "capture" else NOTHING)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("operation", ["find", "hold", "capture"])
def test_ctrl_c_at_any_store_step_leaves_no_hold(
    operation: str, *, after: bool, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept until the step is safe."""
    ai_llm.reply(slogan, "Fresh rice is here today")
    monkeypatch.setattr(Store, operation, interrupting(getattr(Store, operation), after=after))
    with pytest.raises(KeyboardInterrupt):
        "".join(slogan.options(idempotency_key="k").stream(1))
    monkeypatch.undo()
    check_books(ai_addons, ai_payer, charged=PRICE if operation == "capture" else NOTHING)


@pytest.mark.parametrize("piece", range(6))
def test_ctrl_c_at_any_piece_charges_what_was_shown(
    piece: int, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """While a piece is waited for: in full once there was output, else nothing."""
    ai_llm.reply_pieces(blurb, ["Fresh rice ", "is here ", "today, come ", "and see ", "it"])
    waits = iter(range(7))

    def strike() -> None:
        if next(waits) == piece:
            signal.raise_signal(signal.SIGINT)

    ai_llm.before_piece(strike)
    got: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        deque(map(got.append, blurb.stream(AMA)))
    assert bool(got) == (piece > 0)
    check_books(ai_addons, ai_payer, charged=PRICE if got else NOTHING)


def test_ctrl_c_in_the_readers_own_code_is_the_readers(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Between two pieces it strikes at once, and the block ends the stream."""
    ai_llm.reply(blurb, "Fresh rice is here today")
    stream = blurb.stream(AMA)

    def reading() -> None:
        with stream:
            next(stream)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        reading()
    assert stream.receipt is not None
    check_books(ai_addons, ai_payer, charged=PRICE)


def test_a_stream_may_be_read_in_other_threads(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """As web servers do it: each piece in whatever thread."""
    ai_llm.reply(blurb, "Fresh rice is here today")
    stream = blurb.stream(AMA)
    first = next(stream)
    with ThreadPoolExecutor(1) as other:
        rest = other.submit("".join, stream).result(10)
    assert first + rest == "Fresh rice is here today"
    check_books(ai_addons, ai_payer, charged=PRICE)


class Whole:
    """An adapter that cannot stream."""

    def __init__(self, inner: FakeLlm) -> None:
        self.inner = inner

    def complete(self, request: ModelRequest) -> ModelReply:
        return self.inner.complete(request)

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        return await self.inner.acomplete(request)


class Silent(Whole):
    """An adapter whose streams end without a word."""

    def stream(self, request: ModelRequest) -> Iterator[str | ModelReply]:
        del request
        yield from ()

    async def astream(self, request: ModelRequest) -> AsyncIterator[str | ModelReply]:
        for item in list(self.stream(request)):
            yield item


@BOTH
@pytest.mark.parametrize(("kind", "error"), [(Whole, type(None)), (Silent, ProviderUnavailable)])
def test_other_adapters_may_give_one_piece_but_must_give_a_reply(
    kind: type[Whole], error: type, ai_llm: FakeLlm, ai_clock: ManualClock, *, aio: bool
) -> None:
    """An adapter without `stream` still serves; one that never says how it ended does not."""
    ai_llm.reply(blurb, "Fresh rice is here today")
    addons = AddOns(kit_settings(), clock=ai_clock, llm=kind(ai_llm), environ={})
    addons.grant("shop", 1_000, source="adjustment", ref="start")
    got = read(blurb.options(business="shop", addons=addons), AMA, aio=aio)
    assert (type(got.error), got.text) == (error, "" if got.error else "Fresh rice is here today")
    check_books(addons, Payer("shop"), charged=NOTHING if got.error else PRICE)
    addons.close()


@BOTH
def test_the_offline_model_streams(*, aio: bool) -> None:
    """Word by word, for the first run."""
    addons = AddOns(kit_settings(models={"small": ["offline/sample"]}), environ={})
    addons.grant("shop", 1_000, source="adjustment", ref="start")
    got = read(blurb.options(business="shop", addons=addons), AMA, aio=aio)
    assert len(got.pieces) > 1
    assert got.text.startswith("Sample answer from the offline model")
    addons.close()


@BOTH
def test_a_call_that_begins_too_late_asks_nobody(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, ai_clock: ManualClock, *, aio: bool
) -> None:
    """The time ran out before the model's turn."""

    @billed_feature("late", credits=5)
    def late() -> Prompt:
        """Take too long to build."""
        ai_clock.advance(31)
        return Prompt(user="?")

    assert isinstance(read(late, aio=aio).error, ProviderTimeout)
    assert ai_llm.calls == []
    check_books(ai_addons, ai_payer, charged=NOTHING)


ENDS: dict[str, Callable[[FakeLlm], Any]] = {
    "The answer is whole": lambda llm: llm.reply(blurb, "Fresh rice is here"),
    "The reader stops after the first piece": lambda llm: llm.reply(blurb, "Fresh rice is here"),
    "The reader stops before the first piece": lambda llm: llm.reply(blurb, "Fresh rice is here"),
    "The provider breaks off": lambda llm: llm.reply_pieces(blurb, ["Fresh rice ", "is"]).break_after(1),
    "The provider falls silent until the deadline": lambda llm: llm.reply_pieces(blurb, ["Fresh "]).hang_after(1),
    "The answer is cut off at the output cap": lambda llm: llm.reply_pieces(blurb, ["Fresh "], finish="length"),
    "The model refuses, also in the middle": lambda llm: llm.reply_pieces(blurb, ["Fresh "], finish="blocked"),
    "An invented placeholder or contact comes": lambda llm: llm.reply_pieces(blurb, ["Fresh ", "[PERSON_9] "]),
    "The own answer is repeated from the cache": lambda llm: llm.reply(blurb, "Fresh rice is here"),
}


def documented() -> dict[str, list[str]]:
    """The rows of the page's table, by their first column."""
    page = Path(__file__).parent.parent / "docs" / "how-to" / "stream-an-answer.md"
    rows = [line.strip("| ").split(" | ") for line in page.read_text().splitlines() if line.startswith("| ")]
    return {first: rest for first, *rest in rows[1:]}


@pytest.mark.parametrize("how", ENDS)
def test_a_stream_ends_and_costs_as_the_page_says(
    how: str, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Each row of the table in the guide, carried out."""
    sees, costs = documented()[how]
    assert set(documented()) == set(ENDS)
    ENDS[how](ai_llm)
    ai_llm.release()
    if "cache" in how:
        read(blurb, AMA, aio=False)
    before = ai_addons.wallet(ai_payer.business).posted
    if "before" in how:
        blurb.stream(AMA).close()
        error = None
    else:
        error = read(blurb, AMA, aio=False, most=1 if "stops" in how else None).error
    assert sees == f"`{type(error).__name__}`" if error else not sees.startswith("`")
    assert before - ai_addons.wallet(ai_payer.business).posted == {"the price": PRICE, "nothing": NOTHING}[costs]
