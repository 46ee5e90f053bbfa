"""Cancel, Ctrl-C, a closed coroutine, a crash of any part: no hold is left behind and nothing is charged."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ai_addons import AddOns, BadOutput, InsufficientCreditsError, Prompt, StoreUnavailable, bill_to, billed_feature
from ai_addons._call import AskModel, Do, Step
from ai_addons._drive import arun, run
from ai_addons.billing.store import Store
from ai_addons.cache.base import CacheFault
from ai_addons.cache.memory import MemoryAnswers
from ai_addons.errors import ProviderUnavailable
from ai_addons.llm.base import Exchange, ModelRequest
from ai_addons.money import Credits
from ai_addons.scope import Payer
from ai_addons.testing import FakeLlm, ManualClock
from tests import together_child
from tests.features import AMA, OPINION, opinion, opinion_async, routed, slogan
from tests.processes import Child

START = Credits(1_000)
STEPS = ["find", "hold", "capture"]
"""The store operations of a call under a key, in order."""


def check_books(addons: AddOns, payer: Payer, *, charged: Credits) -> None:
    """The books agree, nothing is held, and exactly this was charged."""
    wallet = addons.wallet(payer.business)
    assert (wallet.held, START - wallet.posted) == (Credits(0), charged)
    assert addons.doctor().ok


class Blocker:
    """Stops one store operation in its thread until the test lets it go on."""

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
@pytest.mark.parametrize("operation", STEPS)
async def test_a_cancelled_task_leaves_no_hold(
    operation: str, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancel during any store step lets the step finish, then ends the call; only a finished capture charges."""
    ai_llm.reply(slogan, "text")
    blocker = Blocker(monkeypatch, operation)
    keyed = slogan.options(idempotency_key="k", business=ai_payer.business)
    task = asyncio.ensure_future(keyed.aio(1))
    await asyncio.to_thread(blocker.reached.wait, 10)
    task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    blocker.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    captured = operation == "capture"
    check_books(ai_addons, ai_payer, charged=Credits(5) if captured else Credits(0))
    assert len(ai_llm.calls) == (1 if captured else 0)
    if captured:
        assert (await keyed.aio.billed(1)).receipt.charged == Credits(0)


@pytest.mark.anyio
async def test_a_task_cancelled_at_the_model_gets_its_hold_back(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """While the model thinks, a cancel voids the hold at once and is logged as one."""
    ai_llm.hang(slogan)
    task = asyncio.ensure_future(slogan.options(business=ai_payer.business).aio(1))
    while not ai_llm.calls:  # noqa: ASYNC110  # the fake model has no event to wait for
        await asyncio.sleep(0.005)
    assert ai_addons.wallet(ai_payer.business).held == Credits(5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    check_books(ai_addons, ai_payer, charged=Credits(0))
    assert ai_addons.transactions(ai_payer.business)[-1].error_code == "cancelled"


@pytest.mark.anyio
async def test_a_timeout_of_the_host_is_a_cancel(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """`asyncio.timeout` around a call works as the host expects."""
    ai_llm.hang(slogan)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await slogan.options(business=ai_payer.business).aio(1)
    check_books(ai_addons, ai_payer, charged=Credits(0))


@pytest.mark.anyio
async def test_a_cancel_wins_over_a_refusal_that_came_meanwhile(
    ai_addons: AddOns, ai_payer: Payer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task's owner asked for a cancel and gets one, whatever the step came to."""
    blocker = Blocker(monkeypatch, "hold")
    task = asyncio.ensure_future(slogan.options(business="nobody").aio(1))
    await asyncio.to_thread(blocker.reached.wait, 10)
    task.cancel()
    await asyncio.sleep(0.01)
    blocker.go_on.set()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert isinstance(caught.value.__cause__, InsufficientCreditsError)


@pytest.fixture
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a thread does takes long enough to be waited for; newer Pythons don't wait for what is done by then."""
    submit = ThreadPoolExecutor.submit

    def late(self: ThreadPoolExecutor, work: Callable[..., Any], /, *args: Any) -> Future[Any]:
        def slow() -> Any:
            time.sleep(0.01)
            return work(*args)

        return submit(self, slow)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", late)


async def advance(call: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine to its next wait, and wait there in its place."""
    waiting = call.send(None)
    waiting._asyncio_future_blocking = False
    await asyncio.wait([waiting])


@pytest.mark.anyio
@pytest.mark.usefixtures("_unhurried")
@pytest.mark.parametrize("waits", [0, 1, 2])
async def test_a_closed_coroutine_leaves_no_hold(
    waits: int, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Closing the coroutine (GeneratorExit) as prices are read, during the hold or at the model leaves no hold."""
    ai_llm.hang(slogan)
    call = slogan.options(business=ai_payer.business).aio(1)
    for _ in range(waits):
        await advance(call)
    call.send(None)
    call.close()
    check_books(ai_addons, ai_payer, charged=Credits(0))
    assert len(ai_llm.calls) == (waits == 2)


@pytest.mark.anyio
@pytest.mark.usefixtures("_unhurried")
async def test_a_coroutine_closed_while_the_store_is_away_ends_quietly(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, ai_clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the void cannot be written either, closing still ends, and the orphan is released in time."""
    ai_llm.hang(slogan)

    def unavailable(*_: object) -> None:
        raise StoreUnavailable

    call = slogan.options(business=ai_payer.business).aio(1)
    await advance(call)  # published prices
    await advance(call)  # hold
    call.send(None)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "void", unavailable)
        call.close()
    ai_clock.advance(121)
    check_books(ai_addons, ai_payer, charged=Credits(0))


@pytest.mark.anyio
@pytest.mark.usefixtures("_unhurried")
async def test_a_coroutine_closed_after_capture_was_charged(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Once the answer is paid for it stays paid, and its repeat is free."""
    ai_llm.reply(opinion, OPINION)
    feature = opinion.options(business=ai_payer.business)
    call = feature.aio(AMA)
    await advance(call)  # published prices
    await advance(call)  # cache read
    await advance(call)  # and once more, as the one who asks for all
    await advance(call)  # hold
    call.send(None)  # capture is under way
    call.close()
    check_books(ai_addons, ai_payer, charged=Credits(3))
    assert feature.billed(AMA).receipt.charged == Credits(0)


def interrupting(method: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """The same method, with a Ctrl-C just before or just after its work."""

    def wrapped(*args: Any, **options: Any) -> Any:
        if not after:
            signal.raise_signal(signal.SIGINT)
        result = method(*args, **options)
        if after:
            signal.raise_signal(signal.SIGINT)
        return result

    return wrapped


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("operation", STEPS)
def test_ctrl_c_leaves_no_hold(
    operation: str, *, after: bool, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C around any store step is kept until the step is safe; only a finished capture charges."""
    ai_llm.reply(slogan, "text")
    monkeypatch.setattr(Store, operation, interrupting(getattr(Store, operation), after=after))
    with pytest.raises(KeyboardInterrupt):
        slogan.options(idempotency_key="k")(1)
    monkeypatch.undo()
    captured = operation == "capture"
    check_books(ai_addons, ai_payer, charged=Credits(5) if captured else Credits(0))
    assert len(ai_llm.calls) == (1 if captured else 0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_at_the_model_gets_the_hold_back(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """While the model thinks, Ctrl-C strikes at once and the hold is void."""
    ai_llm.before_answer(lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        slogan(1)
    check_books(ai_addons, ai_payer, charged=Credits(0))


def test_a_hosts_own_handler_is_called_in_its_turn(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """A host that handles Ctrl-C itself, without raising, gets its answer and its signal."""
    ai_llm.reply(slogan, "text")
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: seen.append(number))
    try:
        ai_llm.before_answer(lambda: signal.raise_signal(signal.SIGINT))
        assert slogan(1) == "text"
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIGINT]
    check_books(ai_addons, ai_payer, charged=Credits(5))


def test_an_ignored_ctrl_c_stays_ignored(ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Where the host ignores the signal the call does not touch it."""
    ai_llm.reply(slogan, "text")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert slogan(1) == "text"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("part", ["builder", "check", "finish", "fallback"])
def test_a_hosts_own_bug_charges_nothing(part: str, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """An exception in the host's part of a feature comes out as it is; the hold is void."""

    def broken(*_: object) -> Any:
        msg = "the host's own bug"
        raise ZeroDivisionError(msg)

    parts: dict[str, Any] = {"check": lambda _: [], "finish": str, part: broken}
    if part == "fallback":
        ai_llm.fail("buggy")

    @billed_feature("buggy", credits=2)
    def buggy() -> Prompt[str]:
        """Fail in one of its parts."""
        if part == "builder":
            broken()
        return Prompt.composed(
            answer=str, user="?", check=parts["check"], finish=parts["finish"], fallback=parts.get("fallback")
        )

    with pytest.raises(ZeroDivisionError):
        buggy()
    check_books(ai_addons, ai_payer, charged=Credits(0))
    rows = ai_addons.transactions(ai_payer.business)
    assert [row.error_code for row in rows] == ([] if part == "builder" else ["host_error"])


@pytest.mark.parametrize("error", [ProviderUnavailable(), BadOutput(), KeyboardInterrupt(), MemoryError()])
def test_any_error_at_any_model_step_voids_the_hold(
    error: BaseException, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Whatever the model step raises, first question or second, the credits come back."""
    for good_answers in (0, 1):
        ai_llm.reply(routed, {"pack": "top"})
        answers = iter(range(good_answers))

        def strike(left: Any = answers) -> None:
            if next(left, None) is None:
                raise error

        ai_llm.before_answer(strike)
        with pytest.raises(type(error)):
            routed(f"Who, {good_answers}?")
        check_books(ai_addons, ai_payer, charged=Credits(0))


def test_a_store_that_fails_at_capture_charges_nothing(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is told; the hold is void."""
    ai_llm.reply(slogan, "text")

    def unavailable(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(Store, "capture", unavailable)
    with pytest.raises(StoreUnavailable):
        slogan(1)
    check_books(ai_addons, ai_payer, charged=Credits(0))


@pytest.mark.parametrize("booked", [True, False])
def test_a_capture_whose_commit_is_in_doubt_is_asked_for_once_more(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch, booked: bool
) -> None:
    """Whether it was booked or not: the caller has the answer, and it is charged once."""
    ai_llm.reply(slogan, "text")
    capture, asked = Store.capture, list[bool]()

    def broken(self: Store, *given: Any) -> Any:
        asked.append(not asked)
        if not asked[-1]:
            return capture(self, *given)
        if booked:
            capture(self, *given)
        raise StoreUnavailable(in_doubt=True)

    monkeypatch.setattr(Store, "capture", broken)
    value, receipt = slogan.billed(1)
    assert (value, receipt.charged, len(ai_llm.calls), asked) == ("text", Credits(5), 1, [True, False])
    check_books(ai_addons, ai_payer, charged=Credits(5))


def test_a_store_that_stays_away_lets_the_hold_expire(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, ai_clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not even the void can be written, the first error is told and the orphan is released in time."""
    ai_llm.fail(slogan)

    def unavailable(*_: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(Store, "void", unavailable)
        with pytest.raises(ProviderUnavailable):
            slogan(1)
    assert ai_addons.wallet(ai_payer.business).held == Credits(5)
    ai_clock.advance(121)
    assert ai_addons.sweep() == 1
    check_books(ai_addons, ai_payer, charged=Credits(0))


class BrokenCache:
    """A cache that can do nothing."""

    def get(self, key: str) -> str | None:
        raise CacheFault(key)

    def put(self, key: str, value: str, *, ttl: float, tag: str) -> None:
        raise CacheFault(key, value, ttl, tag)

    def evict(self, tag: str) -> int:
        raise CacheFault(tag)

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.mark.parametrize("stored", [None, "no json", "[]", '{"v": 1}', '{"v": 99, "answer": "x"}', "odd answer"])
def test_a_cache_that_fails_or_lies_is_a_miss(
    stored: str | None, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault, a foreign row, an answer of an older schema: the call is made and charged as usual."""
    ai_llm.reply(opinion, OPINION)
    if stored is None:
        for name in ("get", "put"):
            monkeypatch.setattr(MemoryAnswers, name, getattr(BrokenCache, name))
    elif stored == "odd answer":
        opinion(AMA)
        original = MemoryAnswers.get

        def older(cache: MemoryAnswers, key: str) -> str | None:
            text = original(cache, key)
            return None if text is None else text.replace("verdict", "judgement")

        monkeypatch.setattr(MemoryAnswers, "get", older)
    else:
        monkeypatch.setattr(MemoryAnswers, "get", lambda *_: stored)
    assert opinion.billed(AMA).receipt.charged == Credits(3)
    assert ai_addons.doctor().ok


class Asks:
    """An asker whose answers the test gives."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer

    def ask(self, request: ModelRequest, deadline: float) -> Exchange:
        del request, deadline
        exchange: Exchange = self.answer()
        return exchange

    async def aask(self, request: ModelRequest, deadline: float) -> Exchange:
        return self.ask(request, deadline)


def steps(log: list[str]) -> Generator[Step, Any, str]:
    """A description with a step of each kind that cleans up like a call does."""
    request = ModelRequest(model="m", messages=(), max_tokens=1, schema=None, timeout=1)
    try:
        yield Do(lambda: log.append("held"))
        yield AskModel(request, 1.0)
    except BaseException:
        yield Do(lambda: log.append("void"))
        raise
    return "done"


def test_the_sync_driver_in_another_thread_leaves_signals_alone() -> None:
    """Ctrl-C belongs to the main thread; a worker thread's call runs without touching it."""
    log: list[str] = []
    results: list[str] = []
    thread = threading.Thread(target=lambda: results.append(run(steps(log), Asks(lambda: "reply"))))
    thread.start()
    thread.join()
    assert (results, log) == (["done"], ["held"])


@pytest.mark.anyio
async def test_an_error_of_a_step_goes_to_the_call(ai_addons: AddOns) -> None:
    """A step that raises in its thread raises in the description, which cleans up."""
    log: list[str] = []

    def down() -> None:
        raise ProviderUnavailable

    with ThreadPoolExecutor(1) as threads, pytest.raises(ProviderUnavailable):
        await arun(steps(log), Asks(down), threads)
    assert log == ["held", "void"]


@pytest.mark.anyio
async def test_an_async_builder_has_its_payer_from_its_own_task(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """Two tasks under two payers never pay for each other."""
    ai_llm.reply(opinion_async, OPINION)
    for business in ("a", "b"):
        ai_addons.grant(business, 100, source="adjustment", ref="funds")

    async def work(business: str) -> str:
        with bill_to(business):
            await asyncio.sleep(0)
            return (await opinion_async.billed(AMA)).receipt.business

    assert await asyncio.gather(*(work(business) for business in ("a", "b") * 5)) == ["a", "b"] * 5


@pytest.mark.anyio
async def test_a_cancelled_request_may_be_on_the_providers_bill(
    ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """A request that was under way is booked at an unknown cost; one that never began costs nothing."""
    ai_llm.hang(slogan)
    task = asyncio.ensure_future(slogan.options(business=ai_payer.business).aio(1))
    while not ai_llm.calls:  # noqa: ASYNC110  # the fake model has no event to wait for
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    row = ai_addons.transactions(ai_payer.business)[-1]
    assert (row.error_code, row.cost, row.tokens) == ("cancelled", None, None)
    attempts: Any = row.response_meta["attempts"]
    assert [attempt["error"] for attempt in attempts] == ["cancelled"]


@pytest.mark.anyio
async def test_a_shutdown_during_a_call_leaves_no_hold(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """`close` while the model thinks: the call still ends in the books, in the caller's own thread."""
    ai_llm.hang(slogan)
    task = asyncio.ensure_future(slogan.options(business=ai_payer.business).aio(1))
    while not ai_llm.calls:  # noqa: ASYNC110  # the fake model has no event to wait for
        await asyncio.sleep(0.005)
    # The books are kept in memory here, so only the threads may go.
    ai_addons._wiring.desk().threads.shutdown(wait=True)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    check_books(ai_addons, ai_payer, charged=Credits(0))


def test_an_async_call_works_after_a_fork(tmp_path: Path) -> None:
    """A worker forked from a process that has made calls makes its own, and ends."""
    with Child(together_child.fork, str(tmp_path)) as host:
        assert (host.rest(), host.returncode) == ("90\n", 0)
