"""Makes the calls of a batch: looks ahead, holds the sum, makes them a few at a time, gives back what is left.

Sync and async hosts share it. A sync batch runs on an event loop in a thread of
its own, so that Ctrl-C can reach the calls in flight.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from concurrent.futures import Future, wait
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from ai_addons._call import Do, Plan, billed_call, plan_call
from ai_addons._drive import arun, run
from ai_addons._fold import FoldingAsker, FoldMember, units
from ai_addons.batch import BatchInterrupted, BatchItem, BatchProgress, BatchResult
from ai_addons.billing.records import CallRecord, Finished, Hold, Tokens
from ai_addons.errors import AddOnsError, NotFinished, StoreUnavailable
from ai_addons.events import CallRefused, emit
from ai_addons.money import PicoUsd
from ai_addons.receipt import hand_over
from ai_addons.settings import HOLD_MARGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Sequence

    from ai_addons._call import Call, Step
    from ai_addons._invocation import CallOptions, Invocation
    from ai_addons.batch import BoundCall
    from ai_addons.billing.store import Store
    from ai_addons.billing.together import HoldRequest
    from ai_addons.llm.base import Asker
    from ai_addons.receipt import Billed
    from ai_addons.scope import Payer
    from ai_addons.wiring import Wiring

R = TypeVar("R")

logger: Final = logging.getLogger("ai_addons")

_LEAST_SECONDS: Final = 1.0
"""With less time than this left no call is begun."""
_OFFLINE: Final = "offline/"
_MICROSECONDS: Final = 1_000_000
_NOT_MADE: Final = CallRecord(
    outcome="failed",
    source="ai",
    error_code=NotFinished().code,
    tokens=Tokens(input=0, cached=0, cache_write=0, output=0, reasoning=0),
    cost=PicoUsd(0),
)
"""How a call is booked that was held and never begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[R]):
    """A batch as it was asked for.

    Attributes:
        calls: The calls, each with who pays.
        concurrency: How many are made at a time.
        seconds: Time for all of them.
        on_progress: Told whenever one ends.
    """

    calls: tuple[tuple[BoundCall[R], Payer], ...]
    concurrency: int
    seconds: float
    on_progress: Callable[[BatchProgress], object] | None


def groups(plans: Sequence[Plan | None]) -> list[list[int]]:
    """Which calls are made one after the other: the same under one key, and those that repeat another one free.

    Args:
        plans: Of each call; None for one that stands alone.
    """
    found, known = list[list[int]](), dict[tuple[str, str], list[int]]()
    for place, plan in enumerate(plans):
        names = [] if plan is None else [("key", plan.key), ("same", plan.same)]
        named = [(sort, name) for sort, name in names if name is not None]
        group = next((known[name] for name in named if name in known), None)
        if group is None:
            found.append(group := [])
        group.append(place)
        known |= {name: known.get(name, group) for name in named}
    return found


class Batch(Generic[R]):
    """One batch in progress.

    Args:
        job: What is asked for.
        wiring: The parts.
        prepare: Settles a call before it begins.
    """

    def __init__(
        self, job: Job[R], wiring: Wiring, prepare: Callable[[Invocation[R], Payer, CallOptions], Call[R]]
    ) -> None:
        self._job = job
        self._wiring = wiring
        self._prepare = prepare
        self._desk = wiring.desk()
        self._calls: list[Call[R] | None] = [None] * len(job.calls)
        self._items: list[BatchItem[R] | None] = [None] * len(job.calls)
        self._holds: dict[int, Hold] = {}
        self._ends = wiring.clock.monotonic() + job.seconds

    def result(self) -> BatchResult[R]:
        """What has come of it so far."""
        return BatchResult(
            tuple(
                BatchItem(feature=bound.feature, error=NotFinished()) if item is None else item
                for (bound, _), item in zip(self._job.calls, self._items, strict=True)
            )
        )

    async def run(self) -> None:
        """Make all calls; whatever ends it, no hold of it is left open.

        Raises:
            BillingError: If the sum cannot be held; nothing was sent then.
        """
        try:
            plans = await self._look_ahead()
            order = groups(plans)
            await self._hold({group[0]: plan.wanted for group in order if (plan := plans[group[0]])})
            await self._make(deque(units(order, self._fold)))
        except GeneratorExit:
            # A closed coroutine may not wait any more.
            run(self._giving_back(), self._desk.caller)
            raise
        except BaseException:
            await self._drive(self._giving_back())
            raise
        await self._drive(self._giving_back())

    async def _drive(self, steps: Generator[Step, Any, Any]) -> Any:  # noqa: ANN401  # whatever the steps give
        return await arun(steps, self._desk.caller, self._desk.threads)

    # What is to be done.

    async def _look_ahead(self) -> list[Plan | None]:
        """Settle every call, and see what it would have to hold."""
        pricing = self._wiring.pricing
        if not pricing.is_fresh:
            await asyncio.get_running_loop().run_in_executor(self._desk.threads, pricing.refresh)
        return [await self._plan(place) for place in range(len(self._job.calls))]

    async def _plan(self, place: int) -> Plan | None:
        """What a call would have to hold; None for one that cannot be made, or will say itself why."""
        bound, payer = self._job.calls[place]
        try:
            invocation = bound.invocation if bound.ready is None else await bound.ready()
            self._calls[place] = call = self._prepare(invocation, payer, bound.options)
        except Exception as error:  # noqa: BLE001  # a call that cannot be made must not end the others
            if isinstance(error, AddOnsError):
                self._refused(bound.feature, error)
            self._ended(place, BatchItem(feature=bound.feature, error=error))
            return None
        try:
            return cast("Plan", await self._drive(plan_call(call, self._desk.kit)))
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001  # the call itself will raise it again, and tell the hooks of it
            return Plan(wanted=None, key=call.key, same=None)

    async def _hold(self, wanted: dict[int, HoldRequest | None]) -> None:
        """Hold the sum, before anything is sent."""
        asked = {place: one for place, one in wanted.items() if one is not None}
        if not asked:
            return
        try:
            await self._drive(self._holding(self._desk.kit.store, asked))
        except AddOnsError as error:
            for one in asked.values():
                self._refused(one.call.feature, error)
            raise

    def _holding(self, store: Store, asked: dict[int, HoldRequest]) -> Generator[Step, Any, None]:
        # Longer than the batch, like a single call's: an answer must not come after its hold.
        ttl = round((self._job.seconds + HOLD_MARGIN.total_seconds()) * _MICROSECONDS)
        held: list[Hold | Finished | AddOnsError] = yield Do(partial(store.hold_many, list(asked.values()), ttl=ttl))
        # Noted here: an interruption takes the place of what this returns. What has no hold looks for itself again.
        self._holds = {place: one for place, one in zip(asked, held, strict=True) if isinstance(one, Hold)}

    # Doing it.

    def _fold(self, place: int) -> tuple[str, int] | None:
        """What a call has in common with those that one request may carry; None if it is asked alone, or not at all."""
        call = self._calls[place]
        if call is None or call.fold == 1 or place not in self._holds or call.route[0].startswith(_OFFLINE):
            return None
        return f"{call.spec.key} {call.route}", call.fold

    async def _make(self, order: deque[list[list[int]]]) -> None:
        """Make the calls, so many at a time, in their order."""
        await _together([self._work(order) for _ in range(min(self._job.concurrency, len(order)))])

    async def _work(self, order: deque[list[list[int]]]) -> None:
        while order:
            unit = order.popleft()
            if len(unit) > 1:
                asker = FoldingAsker(self._desk.caller, len(unit))
                await _together([self._member(group.pop(0), asker.member()) for group in unit])
            for group in unit:
                for place in group:
                    await self._one(place, self._desk.caller)

    async def _member(self, place: int, asker: FoldMember) -> None:
        try:
            await self._one(place, asker)
        finally:
            asker.leave()

    async def _one(self, place: int, asker: Asker) -> None:
        call, left = self._calls[place], self._ends - self._wiring.clock.monotonic()
        if call is None:
            return
        if left < _LEAST_SECONDS:
            self._ended(place, BatchItem(feature=call.spec.key, error=NotFinished()))
            return
        reserved = self._holds.pop(place, None)
        call = replace(call, reserved=reserved, seconds=min(call.seconds, left))
        answer = list["Billed[R]"]()
        try:
            await arun(_noting(billed_call(call, self._desk.kit), answer), asker, self._desk.threads)
        except Exception as error:  # noqa: BLE001  # it is that call's own end
            self._ended(place, BatchItem(feature=call.spec.key, error=error))
        finally:
            if answer:
                value, receipt = answer[0]
                self._ended(place, BatchItem(feature=call.spec.key, value=value, receipt=receipt))

    def _giving_back(self) -> Generator[Step, Any, None]:
        """Void what was held for calls that were never begun."""
        left, self._holds = list(self._holds.values()), {}
        if left:
            try:
                yield Do(partial(self._desk.kit.store.void_many, left, _NOT_MADE))
            except StoreUnavailable:
                self._desk.kit.leftovers.add([hold.call.id for hold in left], left)

    # Telling.

    def _ended(self, place: int, item: BatchItem[R]) -> None:
        self._items[place] = item
        if self._job.on_progress is None:
            return
        ended = [one for one in self._items if one is not None]
        charged = BatchResult(tuple(ended)).charged
        progress = BatchProgress(place=place, item=item, done=len(ended), total=len(self._items), charged=charged)
        try:
            self._job.on_progress(progress)
        except Exception:
            # As with hooks: whoever is told must not decide about credits.
            logger.exception("on_progress failed; the batch goes on")

    def _refused(self, feature: str, error: AddOnsError) -> None:
        emit(self._wiring.hooks, CallRefused(feature=feature, code=error.code))


def _noting(steps: Generator[Step, Any, Billed[R]], answer: list[Billed[R]]) -> Generator[Step, Any, None]:
    """The same call, its result noted: an interruption that comes too late takes the result's place."""
    answer.append((yield from steps))


async def _together(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Do several things at a time, and wait for all of them, however often this is cancelled."""
    tasks = [asyncio.ensure_future(work) for work in works]
    kept: asyncio.CancelledError | None = None
    pending = set(tasks)
    try:
        while pending:
            try:
                _, pending = await asyncio.wait(pending)
            except asyncio.CancelledError as error:
                # Each call in flight gives up by itself; that must be waited for.
                kept = error
                _cancel(pending)
    except GeneratorExit:
        _cancel(pending)
        raise
    if kept is not None:
        raise kept
    for task in tasks:
        task.result()


def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


async def arun_batch(batch: Batch[R]) -> BatchResult[R]:
    """Run a batch on the event loop."""
    try:
        await batch.run()
    finally:
        _hand_over(batch)
    return batch.result()


def run_batch(batch: Batch[R]) -> BatchResult[R]:
    """Run a batch beside the calling thread, and wait for it.

    Raises:
        BatchInterrupted: At Ctrl-C, when the calls in flight have given up.
    """
    beside = _Beside(batch.run)
    cause = beside.wait()
    _hand_over(batch)
    if isinstance(cause, KeyboardInterrupt):
        raise BatchInterrupted(cast("BatchResult[object]", batch.result())) from None
    if cause is not None:
        raise cause
    return batch.result()


def _hand_over(batch: Batch[Any]) -> None:
    for receipt in batch.result().receipts:
        hand_over(receipt)


class _Beside:
    """Work on an event loop in a thread of its own; an interruption of who waits for it cancels it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._ended: Future[None] = Future()
        self._running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []
        self._stopping = threading.Event()
        # The caller's context: its builders may look into it.
        threading.Thread(target=copy_context().run, args=(self._run,), name="ai_addons_batch").start()

    def wait(self) -> BaseException | None:
        """Wait for the end, whatever interrupts.

        Returns:
            What interrupted, else what the work raised; None for nothing.
        """
        cause: BaseException | None = None
        while not self._ended.done():
            try:
                wait((self._ended,))
            except BaseException as error:  # noqa: BLE001  # given back once the work has ended
                cause = error
                self._stop()
        return cause or self._ended.exception()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001  # raised where the end is waited for
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _main(self) -> None:
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._running.append((asyncio.get_running_loop(), task))
        if self._stopping.is_set():
            task.cancel()
        await self._work()

    def _stop(self) -> None:
        self._stopping.set()
        for loop, task in self._running:
            # It may have ended just now.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)
