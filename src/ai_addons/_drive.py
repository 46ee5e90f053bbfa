"""The two drivers of a call: they carry out its steps and keep interruptions away from its money.

A blocking step is always finished and its value delivered. An interruption
(Ctrl-C in a sync call, a cancellation or a closed coroutine in an async one)
is kept until the next step that waits, where the call can void its hold; after the
last step it is raised in place of the result.
"""

from __future__ import annotations

import asyncio
import contextvars
import signal
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from ai_addons._call import Do, Wait
from ai_addons.errors import AddOnsError, bare
from ai_addons.privacy.base import Sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Executor
    from types import FrameType

    from ai_addons._call import AskModel, Step
    from ai_addons.llm.base import Asker

T = TypeVar("T")


def run(steps: Generator[Step, Any, T], asker: Asker) -> T:
    """Drive a call in the calling thread."""
    with _KeptInterrupts() as interrupts:
        interruption = _Interruption()
        resume: Callable[[Any], Step] = steps.send
        value: Any = None
        while True:
            with interruption.restored():
                step = _next(resume, value)
            if isinstance(step, _Result):
                return cast("T", step.take())
            try:
                if isinstance(step, Do):
                    value = step.run()
                else:
                    with interrupts.let_through():
                        value = _wait(step, asker)
                resume = steps.send
            except BaseException as error:  # noqa: BLE001  # whatever happens is the call's to see: it voids its hold
                resume, value = steps.throw, interruption.disguised(error)


async def arun(steps: Generator[Step, Any, T], asker: Asker, threads: Executor) -> T:
    """Drive a call on the event loop; blocking steps run in a worker thread."""
    worker = _Worker(threads)
    interruption = _Interruption()
    resume: Callable[[Any], Step] = steps.send
    value: Any = None
    while True:
        with interruption.restored():
            try:
                step = _next(resume, value)
            except BaseException as error:
                # A cancellation that was kept is what the task's owner waits for.
                worker.strike(error)
                raise
        if isinstance(step, _Result):
            worker.strike()
            return cast("T", step.take())
        try:
            if isinstance(step, Do):
                with worker.surviving_close():
                    await worker.carry_out(step)
                value = worker.outcome()
            else:
                worker.strike()
                value = await _await(step, asker)
            resume = steps.send
        except BaseException as error:  # noqa: BLE001  # whatever happens is the call's to see: it voids its hold
            worker.note(error)
            resume, value = steps.throw, interruption.disguised(error)


class _Result(Sealed):
    """What a call came to. An interruption may still strike: then it stands in a frame, and must not print."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def take(self) -> Any:  # noqa: ANN401  # StopIteration does not know its type
        """The result."""
        return self._value


def _next(resume: Callable[[Any], Step], value: object) -> Step | _Result:
    """The next step of a call, or its result: taken out of the StopIteration, which would go on in some chain.

    Here an error leaves the call, for the caller or into the chain of an interruption: it goes alone.
    """
    try:
        return resume(value)
    except StopIteration as stop:
        return _Result(stop.value)
    except AddOnsError as error:
        raise bare(error) from None


def _wait(step: AskModel | Wait, asker: Asker) -> Any:  # noqa: ANN401  # whatever the step gives
    """Carry out a step that waits, in the calling thread."""
    if isinstance(step, Wait):
        return step.flight.wait(step.seconds)
    step.started = True
    return asker.ask(step.request, step.deadline)


async def _await(step: AskModel | Wait, asker: Asker) -> Any:  # noqa: ANN401  # whatever the step gives
    """The same on the event loop: no thread is kept while it waits."""
    if isinstance(step, Wait):
        return await step.flight.async_wait(step.seconds)
    step.started = True
    return await asker.aask(step.request, step.deadline)


class _Worker:
    """Carries out blocking steps beside the event loop, and keeps what tried to interrupt them."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._kept: BaseException | None = None
        self._closed = False
        self._future: Future[Any] = Future()

    def strike(self, cause: BaseException | None = None) -> None:
        """Raise the interruption that was kept, once."""
        if self._kept is not None:
            kept, self._kept = self._kept, None
            raise kept from cause

    def note(self, error: BaseException) -> None:
        """Remember that the coroutine was closed: it may not wait any more."""
        self._closed = self._closed or isinstance(error, GeneratorExit)

    @contextmanager
    def surviving_close(self) -> Generator[None, None, None]:
        """Keep a GeneratorExit too; it strikes when the step's value is delivered."""
        try:
            yield
        except GeneratorExit as error:
            self.note(error)
            self._kept = error

    async def carry_out(self, step: Do) -> None:
        """Start a step and wait until it is done, whatever is cancelled meanwhile."""
        try:
            future = None if self._closed else self._threads.submit(contextvars.copy_context().run, step.run)
        except RuntimeError:
            # The host is shutting down and the threads are gone; credits are still put right.
            future = None
        if future is None:
            self._future = Future()
            _fill(self._future, step)
            return
        self._future = future
        waiting = asyncio.wrap_future(self._future)
        while not waiting.done():
            try:
                await asyncio.wait((waiting,))
            except asyncio.CancelledError as error:
                self._kept = error
        # Mark it as read: `outcome` reads the thread's own future.
        waiting.exception()

    def outcome(self) -> Any:  # noqa: ANN401  # whatever the step gives
        """The value of the last step, or its error; a closed coroutine waits for it here."""
        return self._future.result()


def _fill(future: Future[Any], step: Do) -> None:
    """Run a step here and now."""
    try:
        future.set_result(step.run())
    except BaseException as error:  # noqa: BLE001  # it is raised where the outcome is read
        future.set_exception(error)


class _Interruption:
    """Carries a GeneratorExit through the description of a call.

    ``yield from`` answers a thrown GeneratorExit by closing the inner generator,
    which then may not yield the step that voids its hold. So it travels as a
    cancellation and comes out as itself.
    """

    def __init__(self) -> None:
        self._closing: GeneratorExit | None = None
        self._disguise: asyncio.CancelledError | None = None

    def disguised(self, error: BaseException) -> BaseException:
        """What to throw into the description for this error."""
        if not isinstance(error, GeneratorExit):
            return error
        self._closing, self._disguise = error, asyncio.CancelledError()
        return self._disguise

    @contextmanager
    def restored(self) -> Generator[None, None, None]:
        """Turn the disguise back where it leaves the description."""
        try:
            yield
        except asyncio.CancelledError as error:
            if error is self._disguise and self._closing is not None:
                raise self._closing from None
            raise


class _KeptInterrupts:
    """Keeps Ctrl-C away while credits are being moved, in the main thread; elsewhere it cannot strike."""

    def __init__(self) -> None:
        self._handler: Any = None
        self._pending: tuple[int, FrameType | None] | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            # SIG_IGN, SIG_DFL and handlers set in C are left alone.
            if callable(handler):
                self._handler = handler
                signal.signal(signal.SIGINT, self._keep)
        return self

    def __exit__(self, *_: object) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
            self._deliver()

    @contextmanager
    def let_through(self) -> Generator[None, None, None]:
        """Let an interrupt strike here, also one that came before."""
        if self._handler is None:
            yield
            return
        self._deliver()
        signal.signal(signal.SIGINT, self._handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, self._keep)

    def _keep(self, number: int, frame: FrameType | None) -> None:
        self._pending = (number, frame)

    def _deliver(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._handler(*pending)
