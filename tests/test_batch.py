"""Several calls made together: each is charged or given back by itself, the sum is held at once."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any, Final, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from ai_addons import (
    AddOns,
    BatchInterrupted,
    BatchProgress,
    BatchResult,
    BoundCall,
    ConfigError,
    IdempotencyConflict,
    InsufficientCreditsError,
    LedgerConflict,
    NoPayer,
    NotEnabled,
    NotFinished,
    Prompt,
    ProviderUnavailable,
    Steps,
    StoreUnavailable,
    bill_to,
    billed_feature,
    receipts,
)
from ai_addons._bar import shown
from ai_addons._batch import groups
from ai_addons._call import Plan
from ai_addons.billing.records import CallRecord, Hold
from ai_addons.billing.store import Store
from ai_addons.events import CallRefused
from ai_addons.money import Credits, PicoUsd
from ai_addons.testing import FakeLlm, ManualClock, kit_settings
from tests.features import AMA, KOFI, OPINION, composed, opinion, opinion_async, routed, settled, slogan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.billing.together import HoldRequest
    from ai_addons.scope import Payer

pytestmark = pytest.mark.usefixtures("ai_payer")

START: Final = Credits(1_000)


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest, ai_addons: AddOns) -> Callable[..., BatchResult[Any]]:
    """Make a batch the sync or the async way; the books must not differ."""

    def make(calls: Sequence[BoundCall[Any]], **options: Any) -> BatchResult[Any]:
        if request.param == "sync":
            return ai_addons.batch(calls, **options)
        return asyncio.run(ai_addons.aio.batch(calls, **options))

    return make


def check_books(addons: AddOns, payer: Payer, charged: str) -> None:
    """Exactly this was charged, nothing is held, and the books agree."""
    wallet = addons.wallet(payer.business)
    assert (wallet.held, START - wallet.posted) == (Credits(0), Credits(charged))
    assert addons.doctor().ok


def outcomes(addons: AddOns, payer: Payer) -> list[tuple[str, str]]:
    """Feature and outcome of each line of the call log."""
    return sorted((row.feature, row.error_code or row.source) for row in addons.transactions(payer.business))


def test_results_come_in_the_order_of_the_calls(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Values, receipts and sums, of several features at once."""
    ai_llm.reply(opinion, OPINION)
    ai_llm.reply(slogan, "Buy more")
    with receipts() as log:
        result = make([slogan.bind(1), opinion.bind(AMA), settled.bind(3)], concurrency=2)
    assert [item.feature for item in result] == ["slogan", "opinion", "settled"]
    assert (result[0].result(), result[1].result().verdict, result[2].value) == (
        "Buy more",
        "careful",
        "too little data",
    )
    assert [receipt.charged.short for receipt in result.receipts] == ["5", "3", "0"]
    assert (len(result), result.failed, result.charged) == (3, 0, Credits(8))
    assert result.cost == PicoUsd(sum(receipt.cost or 0 for receipt in result.receipts))
    assert log == list(result.receipts)
    assert [item.feature for item in result[1:]] == ["opinion", "settled"]
    check_books(ai_addons, ai_payer, "8")


def test_one_that_fails_is_given_back_and_the_others_stay(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Never all or nothing: a failed call costs nothing, the next ones are made."""
    ai_llm.reply(slogan, "Buy more")
    ai_llm.fail(slogan)
    ai_llm.reply(slogan, "Buy less")
    result = make([slogan.bind(number) for number in range(3)], concurrency=1)
    assert [item.value for item in result] == ["Buy more", None, "Buy less"]
    assert isinstance(result[1].error, ProviderUnavailable)
    with pytest.raises(ProviderUnavailable):
        result[1].result()
    assert (result.failed, result.charged) == (1, Credits(10))
    check_books(ai_addons, ai_payer, "10")


def test_too_few_credits_for_the_sum_stop_all(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_llm: FakeLlm
) -> None:
    """Nothing is sent and nothing is charged, though some of the calls could have been paid."""
    ai_addons.grant("small", 7, source="adjustment", ref="few")
    paid = slogan.options(business="small")
    with pytest.raises(InsufficientCreditsError) as refused:
        make([paid.bind(1), paid.bind(2)])
    error = refused.value
    assert (error.required, error.available, error.shortfall) == (Credits(10), Credits(7), Credits(3))
    assert ai_llm.calls == []
    assert ai_addons.wallet("small").available == Credits(7)
    assert ai_addons.transactions("small") == []


def test_the_sum_is_held_before_the_first_request(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """While the first model call runs, the credits of all paid calls are held, and of no free one."""
    held = list[str]()
    ai_llm.reply(slogan, "Buy more")
    ai_llm.before_answer(lambda: held.append(ai_addons.wallet(ai_payer.business).held.short))
    make([slogan.bind(1), settled.bind(3), slogan.bind(2), slogan.bind(3)], concurrency=1)
    assert held == ["15", "10", "5"]
    check_books(ai_addons, ai_payer, "15")


def test_the_same_call_twice_is_made_once(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Only one hold, one request and one charge; the others repeat it free."""
    held = list[str]()
    ai_llm.reply(opinion, OPINION)
    ai_llm.before_answer(lambda: held.append(ai_addons.wallet(ai_payer.business).held.short))
    result = make([opinion.bind(AMA)] * 3)
    assert [receipt.charged.short for receipt in result.receipts] == ["3", "0", "0"]
    assert [receipt.source for receipt in result.receipts] == ["ai", "cache", "cache"]
    assert (held, len(ai_llm.calls)) == (["3"], 1)
    check_books(ai_addons, ai_payer, "3")


def test_the_same_prompt_of_another_customer_is_paid_for(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Masked they are alike: one request for both, held and charged for both."""
    held = list[str]()
    ai_llm.reply(opinion, OPINION)
    ai_llm.before_answer(lambda: held.append(ai_addons.wallet(ai_payer.business).held.short))
    result = make([opinion.bind(AMA), opinion.bind(KOFI)])
    assert [receipt.charged.short for receipt in result.receipts] == ["3", "3"]
    assert (held, len(ai_llm.calls)) == (["6"], 1)
    check_books(ai_addons, ai_payer, "6")


def test_own_repeats_hold_nothing(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """What was paid for before is free, also for a wallet that could not pay it."""
    ai_llm.reply(opinion, OPINION)
    opinion(AMA)
    ai_addons.adjust(ai_payer.business, -996, ref="spent", actor="ops", reason="test")
    result = make([opinion.bind(AMA), opinion.bind(AMA)])
    assert [receipt.charged.short for receipt in result.receipts] == ["0", "0"]
    assert len(ai_llm.calls) == 1


def test_keyed_calls_are_replayed(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """A batch that is made again under its keys charges nothing more; a key used twice is charged once."""
    ai_llm.reply(slogan, "Buy more")
    calls = [slogan.options(idempotency_key=f"sale-{number}").bind(number) for number in (1, 2, 2)]
    first, second = make(calls), make(calls)
    assert [receipt.replayed for receipt in first.receipts] == [False, False, True]
    assert [receipt.replayed for receipt in second.receipts] == [True, True, True]
    assert [item.value for item in second] == ["Buy more"] * 3
    assert len(ai_llm.calls) == 2
    check_books(ai_addons, ai_payer, "10")


def test_a_key_of_another_request_fails_alone(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """The first of two different calls under one key is made."""
    ai_llm.reply(slogan, "Buy more")
    keyed = slogan.options(idempotency_key="sale-1")
    result = make([keyed.bind(1), keyed.bind(2), slogan.bind(3)])
    assert [type(item.error) for item in result] == [type(None), IdempotencyConflict, type(None)]
    check_books(ai_addons, ai_payer, "10")


def test_a_key_in_progress_elsewhere_fails_alone(
    make: Callable[..., BatchResult[Any]],
    ai_addons: AddOns,
    ai_payer: Payer,
    ai_llm: FakeLlm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another host began the same call a moment before: it is not made twice, and the others are made."""
    elsewhere = list[Hold]()
    hold_many = Store.hold_many

    def overtaken(store: Store, wanted: Sequence[HoldRequest], **options: Any) -> Any:
        elsewhere.append(cast("Hold", store.hold(wanted[0].call, Credits(5))))
        return hold_many(store, wanted, **options)

    ai_llm.reply(slogan, "Buy more")
    monkeypatch.setattr(Store, "hold_many", overtaken)
    result = make([slogan.options(idempotency_key="sale-1").bind(1), slogan.bind(2)])
    monkeypatch.undo()
    assert [type(item.error) for item in result] == [LedgerConflict, type(None)]
    ai_addons._wiring.store.void(elsewhere[0], CallRecord(outcome="failed", source="ai"))
    check_books(ai_addons, ai_payer, "5")


def test_a_call_that_cannot_be_made_fails_alone(ai_llm: FakeLlm, make: Callable[..., BatchResult[Any]]) -> None:
    """A feature that is off, and a builder that raises: each is its own item's error, told to the hooks."""

    @billed_feature("fussy", credits=1)
    def fussy(number: int) -> Prompt:
        """Refuse some numbers."""
        if number < 0:
            msg = "no number"
            raise ValueError(msg)
        return Prompt(user=str(number))

    told = list[CallRefused]()
    addons = AddOns(
        kit_settings(features={"slogan": {"enabled": False}}),
        llm=ai_llm,
        hooks=(lambda event: told.append(event) if isinstance(event, CallRefused) else None,),
        environ={},
    )
    addons.grant("biz", 10, source="adjustment", ref="start")
    with addons, bill_to("biz"):
        result = addons.batch([slogan.bind(1), fussy.bind(-1), fussy.bind(1)])
        assert [type(item.error) for item in result] == [NotEnabled, ValueError, type(None)]
        with pytest.raises(InsufficientCreditsError):
            addons.batch([opinion.bind(AMA), fussy.bind(5), composed.bind(KOFI), routed.bind("why?"), routed.bind("?")])
    assert [event.code for event in told][:2] == ["not_enabled", "host_error"]
    assert [event.feature for event in told][2:] == ["opinion", "fussy", "composed", "routed", "routed"]
    assert addons.wallet("biz").available == Credits(9)
    assert addons.doctor().ok
    addons.close()


def test_builders_that_ask_on_the_way_share_one_hold(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Held at its price; one that turns out to need nothing gives it back."""
    ai_llm.reply(routed, {"pack": "stock"})
    ai_llm.reply(routed, "Twelve")
    ai_llm.reply(routed, {"pack": "none"})
    result = make([routed.bind("how many?"), routed.bind("who are you?")], concurrency=1)
    assert [item.value for item in result] == ["Twelve", "not a question for a shop"]
    assert [receipt.charged.short for receipt in result.receipts] == ["4", "0"]
    check_books(ai_addons, ai_payer, "4")


def test_a_builder_that_settles_without_asking_holds_nothing(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Also one that might have asked on the way, and one that asks only at its end."""

    @billed_feature("late", credits=2, cache=None)
    def late(number: int) -> Steps[str]:
        """Ask at the end, if at all."""
        yield from ()
        return Prompt.settled("nothing to do") if number == 0 else Prompt(user=str(number))

    ai_llm.reply(late, "done")
    result = make([late.bind(0), late.bind(1)])
    assert [item.value for item in result] == ["nothing to do", "done"]
    check_books(ai_addons, ai_payer, "2")


def test_an_answer_that_came_meanwhile_gives_the_credits_back(
    make: Callable[..., BatchResult[Any]],
    ai_addons: AddOns,
    ai_payer: Payer,
    ai_llm: FakeLlm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Held for, then paid for by another call of the same business: free, kept for a replay, nothing left held."""
    ai_llm.reply(opinion, OPINION)
    hold_many = Store.hold_many

    def overtaken(store: Store, *args: Any, **options: Any) -> Any:
        held = hold_many(store, *args, **options)
        opinion(AMA)
        return held

    monkeypatch.setattr(Store, "hold_many", overtaken)
    keyed = opinion.options(idempotency_key="k", business=ai_payer.business, addons=ai_addons)
    first = make([keyed.bind(AMA)])
    monkeypatch.undo()
    again = make([keyed.bind(AMA)])
    assert [receipt.charged.short for receipt in (*first.receipts, *again.receipts)] == ["0", "0"]
    assert (first[0].result(), again.receipts[0].replayed) == (again[0].result(), True)
    assert len(ai_llm.calls) == 1
    check_books(ai_addons, ai_payer, "3")


def test_async_builders_need_a_loop(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """`addons.aio.batch` takes them, with plain ones among them; `addons.batch` says so."""
    ai_llm.reply("opinion_async", OPINION)
    ai_llm.reply(slogan, "Buy more")
    calls: list[BoundCall[Any]] = [opinion_async.bind(AMA), slogan.aio.bind(1)]
    with pytest.raises(ConfigError, match=r"aio\.batch"):
        ai_addons.batch(calls)
    result = asyncio.run(ai_addons.aio.batch(calls))
    assert (result[0].result().verdict, result[1].result()) == ("careful", "Buy more")
    check_books(ai_addons, ai_payer, "8")


def test_nothing_to_do_is_done(make: Callable[..., BatchResult[Any]]) -> None:
    """An empty batch holds nothing and asks nobody."""
    assert make([]) == BatchResult(())


@pytest.mark.parametrize(
    ("options", "changes", "what"),
    [
        ({"concurrency": 0}, {}, "concurrency"),
        ({"deadline": timedelta(0)}, {}, "deadline"),
        ({}, {"batch": {"most": 1}}, "2 calls"),
    ],
    ids=["no worker", "no time", "too many"],
)
def test_what_makes_no_batch_is_refused(
    options: dict[str, Any], changes: dict[str, Any], what: str, ai_llm: FakeLlm
) -> None:
    """The message says what is wrong and that nothing was charged."""
    addons = AddOns(kit_settings(**changes), llm=ai_llm, environ={})
    with pytest.raises(ConfigError, match=what):
        addons.batch([slogan.bind(1), slogan.bind(2)], **options)
    addons.close()


def test_who_pays_is_asked_when_the_batch_is_made(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """One business a batch; nobody to bill stops it, another AddOns too."""
    bound = slogan.bind(1)
    with pytest.raises(ConfigError, match="several businesses"):
        ai_addons.batch([bound, slogan.options(business="other").bind(2)])
    other = AddOns(kit_settings(), llm=ai_llm, environ={})
    with pytest.raises(ConfigError, match="another AddOns"):
        ai_addons.batch([other.till("test-business").bind(slogan).bind(1)])
    with bill_to(""), pytest.raises(NoPayer):
        ai_addons.batch([bound])
    ai_addons.grant("third", 5, source="adjustment", ref="start")
    ai_llm.reply(slogan, "Buy more")
    with bill_to("third", user="u_3"):
        (receipt,) = ai_addons.batch([bound]).receipts
    assert (receipt.business, receipt.user) == ("third", "u_3")
    assert "Buy" not in repr(BatchResult(ai_addons.batch([slogan.bind(9)]).items))
    other.close()


def test_no_more_than_so_many_at_a_time(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Never more requests in flight than `concurrency`."""
    at_once, most, lock = [0], [0], threading.Lock()

    def count() -> None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        with lock:
            at_once[0] -= 1

    ai_llm.reply(slogan, "Buy more")
    ai_llm.before_answer(count)
    result = make([slogan.bind(number) for number in range(9)], concurrency=3)
    assert result.failed == 0
    assert most[0] <= 3
    check_books(ai_addons, ai_payer, "45")


def test_what_the_deadline_leaves_out_is_given_back(
    make: Callable[..., BatchResult[Any]],
    ai_addons: AddOns,
    ai_payer: Payer,
    ai_llm: FakeLlm,
    ai_clock: ManualClock,
) -> None:
    """Two calls fit; the others are not begun, held no more, and stand in the call log at no cost."""
    ai_llm.reply(slogan, "Buy more")
    ai_llm.before_answer(lambda: ai_clock.advance(6))
    told = list[int]()
    result = make(
        [slogan.bind(number) for number in range(4)],
        concurrency=1,
        deadline=timedelta(seconds=10),
        on_progress=lambda progress: told.append(progress.done),
    )
    assert [type(item.error) for item in result] == [type(None), type(None), NotFinished, NotFinished]
    assert told == [1, 2, 3, 4]
    assert outcomes(ai_addons, ai_payer) == [("slogan", "ai")] * 2 + [("slogan", "not_finished")] * 2
    check_books(ai_addons, ai_payer, "10")


def test_a_store_that_is_gone_stops_the_batch(
    make: Callable[..., BatchResult[Any]], ai_addons: AddOns, ai_payer: Payer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is sent."""

    def gone(*_: object, **__: object) -> None:
        raise StoreUnavailable

    for operation in ("find", "hold_many"):
        monkeypatch.setattr(Store, operation, gone)
        with pytest.raises(StoreUnavailable):
            make([slogan.options(idempotency_key="k").bind(1)])
        monkeypatch.undo()
    check_books(ai_addons, ai_payer, "0")


def test_progress_is_told_and_may_fail(
    make: Callable[..., BatchResult[Any]],
    ai_addons: AddOns,
    ai_payer: Payer,
    ai_llm: FakeLlm,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A callback that raises is logged; the calls go on."""
    told = list[BatchProgress]()

    def tell(progress: BatchProgress) -> None:
        told.append(progress)
        raise RuntimeError

    ai_llm.reply(slogan, "Buy more")
    make([slogan.bind(1), slogan.bind(2)], concurrency=1, on_progress=tell)
    assert [(one.place, one.done, one.total, one.charged.short) for one in told] == [(0, 1, 2, "5"), (1, 2, 2, "10")]
    assert "on_progress failed" in caplog.text
    check_books(ai_addons, ai_payer, "10")


@pytest.mark.parametrize("also", [True, False])
def test_a_bar_is_shown_on_a_terminal(ai_addons: AddOns, ai_llm: FakeLlm, also: bool) -> None:
    """It shows how many calls ended and what they cost; who else wants to know is told too."""
    ai_llm.reply(slogan, "Buy more")
    told, screen = list[BatchProgress](), Console(file=StringIO(), force_terminal=True, width=80)
    with shown(told.append if also else None, wanted=True, console=screen) as tell:
        ai_addons.batch([slogan.bind(1), slogan.bind(2)], on_progress=tell)
    written = cast("StringIO", screen.file).getvalue()
    assert "2/2" in written
    assert "10 credits" in written
    assert len(told) == (2 if also else 0)


def test_no_bar_without_a_terminal(ai_addons: AddOns, ai_llm: FakeLlm, capfd: pytest.CaptureFixture[str]) -> None:
    """In a log file or a service nothing is written."""
    ai_llm.reply(slogan, "Buy more")
    ai_addons.batch([slogan.bind(1)], progress=True)
    assert capfd.readouterr() == ("", "")


# Interrupted.


@pytest.mark.anyio
async def test_a_cancelled_batch_holds_nothing(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """What had ended stays and was told, what was in flight is void, what was not begun is given back."""
    ai_llm.reply(slogan, "Buy more")
    ai_llm.hang(slogan)
    told, ended = list[BatchProgress](), asyncio.Event()

    def tell(progress: BatchProgress) -> None:
        told.append(progress)
        ended.set()

    calls = [slogan.bind(number) for number in range(5)]
    task = asyncio.ensure_future(ai_addons.aio.batch(calls, concurrency=1, on_progress=tell))
    await ended.wait()
    while len(ai_llm.calls) < 2:  # noqa: ASYNC110  # the fake tells nobody
        await asyncio.sleep(0)
    task.cancel()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(one.place, one.item.value) for one in told] == [(0, "Buy more")]
    expected = [("slogan", "ai"), ("slogan", "cancelled")] + [("slogan", "not_finished")] * 3
    assert outcomes(ai_addons, ai_payer) == expected
    check_books(ai_addons, ai_payer, "5")


class Blocker:
    """Stops a store operation in its thread until the test lets it go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()
        original = getattr(Store, operation)

        def blocked(store: Store, *args: Any, **options: Any) -> Any:
            self.reached.set()
            assert self.go_on.wait(10)
            return original(store, *args, **options)

        monkeypatch.setattr(Store, operation, blocked)


@pytest.mark.anyio
@pytest.mark.parametrize(("operation", "charged"), [("hold_many", "0"), ("capture", "5")])
async def test_a_cancel_while_credits_move_is_kept(
    operation: str,
    charged: str,
    ai_addons: AddOns,
    ai_payer: Payer,
    ai_llm: FakeLlm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It strikes once the books are right: a call that was charged is told, nothing stays held."""
    ai_llm.reply(slogan, "Buy more")
    told = list[BatchProgress]()
    blocker = Blocker(monkeypatch, operation)
    calls = [slogan.bind(1), slogan.bind(2)]
    task = asyncio.ensure_future(ai_addons.aio.batch(calls, concurrency=1, on_progress=told.append))
    await asyncio.to_thread(blocker.reached.wait, 10)
    task.cancel()
    await asyncio.sleep(0.01)
    blocker.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [one.item.value for one in told] == ["Buy more"] * (charged == "5")
    check_books(ai_addons, ai_payer, charged)


@pytest.mark.parametrize("operation", ["hold_many", "asking"])
def test_a_closed_batch_holds_nothing(
    operation: str, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A coroutine that is closed while its loop stands still gives everything back."""
    ai_llm.hang(slogan)
    batch = ai_addons.aio.batch([slogan.bind(1), slogan.bind(2)], concurrency=1)
    loop = asyncio.new_event_loop()
    blocker = Blocker(monkeypatch, "hold_many") if operation == "hold_many" else None
    task = loop.create_task(batch)
    while not (blocker.reached.is_set() if blocker else ai_llm.calls):
        loop.run_until_complete(asyncio.sleep(0.01))
    if blocker:
        blocker.go_on.set()
    batch.close()
    task.cancel()
    rest = asyncio.all_tasks(loop)
    loop.run_until_complete(asyncio.wait(rest, timeout=5)) if rest else None
    loop.close()
    check_books(ai_addons, ai_payer, "0")


def test_ctrl_c_gives_back_what_was_not_made(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """The calls in flight give up, and what had ended comes with the interruption."""
    ai_llm.reply(slogan, "Buy more")
    ai_llm.hang(slogan)
    asked = list[int]()

    def interrupt() -> None:
        asked.append(1)
        if len(asked) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    ai_llm.before_answer(interrupt)
    with pytest.raises(BatchInterrupted) as interrupted:
        ai_addons.batch([slogan.bind(number) for number in range(4)], concurrency=1)
    result = interrupted.value.result
    assert [item.value for item in result] == ["Buy more", None, None, None]
    assert [type(item.error) for item in result][1:] == [NotFinished] * 3
    check_books(ai_addons, ai_payer, "5")


def test_another_interruption_is_raised_as_it_is(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal handler that raises something else, before the loop has even begun, ends the batch likewise."""

    class Stopped(Exception):  # no error
        """What the host's handler raises."""

    def stop(*_: object) -> None:
        monkeypatch.undo()
        raise Stopped

    ai_llm.hang(slogan)
    monkeypatch.setattr("ai_addons._batch.wait", stop)
    with pytest.raises(Stopped):
        ai_addons.batch([slogan.bind(1)])
    check_books(ai_addons, ai_payer, "0")


def test_an_interruption_before_the_loop_runs_makes_no_call(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may be quicker than the thread: then the batch ends as it begins."""
    late = list[Callable[[], None]]()

    class Late:
        """A thread that begins when the test says so."""

        def __init__(self, *, target: Any, args: Any, name: str) -> None:
            assert name == "ai_addons_batch"
            late.append(lambda: target(*args))

        def start(self) -> None:
            """Not yet."""

    def strike(*_: object) -> None:
        if len(late) == 1:
            late.append(late[0])
            raise KeyboardInterrupt
        monkeypatch.undo()
        late[0]()

    monkeypatch.setattr("ai_addons._batch.threading.Thread", Late)
    monkeypatch.setattr("ai_addons._batch.wait", strike)
    with pytest.raises(BatchInterrupted):
        ai_addons.batch([slogan.bind(1)])
    assert ai_llm.calls == []
    check_books(ai_addons, ai_payer, "0")


def test_an_async_builder_that_raises_fails_alone(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Its error is its item's; the other call is made."""

    @billed_feature("failing", credits=1)
    async def failing() -> Prompt:
        """Never get there."""
        raise ZeroDivisionError

    ai_llm.reply(slogan, "Buy more")
    calls: list[BoundCall[Any]] = [failing.bind(), slogan.bind(1)]
    result = asyncio.run(ai_addons.aio.batch(calls))
    assert [type(item.error) for item in result] == [ZeroDivisionError, type(None)]
    check_books(ai_addons, ai_payer, "5")


def test_holds_that_cannot_be_given_back_expire(
    ai_addons: AddOns,
    ai_payer: Payer,
    ai_llm: FakeLlm,
    ai_clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """If the store is gone just then, the sweep does it later; what was paid for is kept."""

    def gone(*_: object) -> None:
        raise StoreUnavailable

    ai_llm.reply(slogan, "Buy more")
    ai_llm.before_answer(lambda: ai_clock.advance(10))
    monkeypatch.setattr(Store, "void_many", gone)
    result = ai_addons.batch([slogan.bind(1), slogan.bind(2)], concurrency=1, deadline=timedelta(seconds=10))
    assert "the database was away when 1 call ended. What is not in the call log is not charged" in caplog.text
    assert ai_addons.wallet(ai_payer.business).held == Credits(5)
    assert [item.ok for item in result] == [True, False]
    ai_clock.advance(70)
    ai_addons.sweep()
    check_books(ai_addons, ai_payer, "5")


# Properties.


@given(
    st.lists(
        st.tuples(st.none() | st.sampled_from("ab"), st.none() | st.sampled_from("xyz")).map(
            lambda names: Plan(wanted=None, key=names[0], same=names[1])
        )
        | st.none(),
        max_size=12,
    )
)
def test_groups_keep_every_call_once_and_in_order(plans: list[Plan | None]) -> None:
    """Each call is in one group, groups begin in order, and calls under one key are never apart."""
    found = groups(plans)
    assert sorted(place for group in found for place in group) == list(range(len(plans)))
    assert [group[0] for group in found] == sorted(group[0] for group in found)
    assert all(group == sorted(group) for group in found)
    homes = {place: index for index, group in enumerate(found) for place in group}
    by_key = {key: {homes[i] for i, plan in enumerate(plans) if plan and plan.key == key} for key in "ab"}
    assert all(len(places) <= 1 for places in by_key.values())


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(["ok", "fail", "blocked", "free", "raise"]), max_size=8), st.integers(1, 4))
def test_whatever_comes_of_the_calls_the_books_agree(ends: list[str], concurrency: int) -> None:
    """Each good answer is charged once, nothing else is, and nothing stays held."""

    def of(end: str) -> Any:
        @billed_feature(f"may_{end}", credits=2, cache=None)
        def may(number: int) -> Prompt:
            """End as told."""
            if end == "raise":
                raise ZeroDivisionError
            return Prompt.settled("free") if end == "free" else Prompt(user=str(number))

        return may

    llm = FakeLlm()
    llm.reply("may_ok", "fine")
    llm.fail("may_fail")
    llm.reply_text("may_blocked", "", finish="blocked")
    addons = AddOns(kit_settings(), llm=llm, environ={})
    addons.grant("biz", 100, source="adjustment", ref="start")
    features = {end: of(end).options(business="biz", addons=addons) for end in set(ends)}
    result = addons.batch([features[end].bind(place) for place, end in enumerate(ends)], concurrency=concurrency)
    assert [item.ok for item in result] == [end in ("ok", "free") for end in ends]
    wallet = addons.wallet("biz")
    assert (wallet.held, Credits(100) - wallet.posted) == (Credits(0), Credits(2 * ends.count("ok")))
    assert addons.doctor().ok
    addons.close()
