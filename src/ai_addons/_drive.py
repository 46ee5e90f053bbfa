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

from ai_addons._call import Do, HangUp, Hear, OpenAnswer, Show, Wait
from ai_addons.errors import AddOnsError, bare
from ai_addons.privacy.base import Sealed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from concurrent.futures import Executor
    from types import FrameType

    from ai_addons._call import AskModel, Step
    from ai_addons.llm.base import Asker
    from ai_addons.llm.listening import AsyncListener, StreamAsker

# What `signal` is written around: its own functions first take every handler for a member of an enum, and five
# errors raised and caught for that were 3 % of a cached call.
handlers: Any
try:
    import _signal as handlers  # type: ignore[import-not-found, no-redef, unused-ignore]  # reason: it has no stubs
except ImportError:  # pragma: no cover  # a Python without it
    handlers = signal

T = TypeVar("T")


def run(steps: Generator[Step, Any, T], asker: Asker) -> T:
    """Drive a call in the calling thread."""
    course = _Course(steps, asker)
    with _KeptInterrupts() as interrupts:
        result = course.forward(interrupts)
    return cast("T", cast("_Result", result).take())


def stream(steps: Generator[Step, Any, None], asker: StreamAsker) -> Generator[str, None, None]:
    """Drive a call in the calling thread, and give the pieces that it shows.

    Closing it tells the call that the reader stopped. Between two pieces, when the
    reader's own code runs, Ctrl-C is not kept; each piece may be read in another thread.
    """
    course = _Course(steps, asker)
    while True:
        try:
            with _KeptInterrupts() as interrupts:
                step = course.forward(interrupts)
            if isinstance(step, _Result):
                return
            step.handed = True
            yield step.piece
        except BaseException as error:
            if course.over:
                raise
            course.interrupt(error)
        else:
            course.go_on()


async def arun(steps: Generator[Step, Any, T], asker: Asker, threads: Executor) -> T:
    """Drive a call on the event loop; blocking steps run in a worker thread."""
    result = await _AsyncCourse(steps, asker, threads).forward()
    return cast("T", cast("_Result", result).take())


async def astream(
    steps: Generator[Step, Any, None], asker: StreamAsker, threads: Executor
) -> AsyncGenerator[str, None]:
    """Drive a call on the event loop, and give the pieces that it shows; `aclose` tells it that the reader stopped."""
    course = _AsyncCourse(steps, asker, threads)
    while True:
        try:
            step = await course.forward()
            if isinstance(step, _Result):
                return
            step.handed = True
            yield step.piece
        except BaseException as error:
            if course.over:
                raise
            course.interrupt(error)
        else:
            course.go_on()


class _Steps:
    """The description of a call, taken from step to step.

    Attributes:
        over: Whether it has ended, with a result or an error.
    """

    def __init__(self, steps: Generator[Step, Any, Any]) -> None:
        self._steps = steps
        self._interruption = _Interruption()
        self._resume: Callable[[Any], Step] = steps.send
        self._value: Any = None
        self.over: bool = False

    def go_on(self, value: object = None) -> None:
        """Give the last step's value."""
        self._resume, self._value = self._steps.send, value

    def interrupt(self, error: BaseException) -> None:
        """Tell the description what happened instead."""
        self._resume, self._value = self._steps.throw, self._interruption.disguised(error)

    def next(self) -> Step | _Result:
        """Its next step, or what it came to.

        Raises:
            BaseException: Whatever ended it.
        """
        # Until a step has come, whatever happens is the end.
        self.over = True
        try:
            step = _next(self._resume, self._value)
        except asyncio.CancelledError as error:
            self._interruption.restore(error)
            raise
        self.over = isinstance(step, _Result)
        return step


class _Course(_Steps):
    """Carries out the steps of a call in the calling thread."""

    def __init__(self, steps: Generator[Step, Any, Any], asker: Asker) -> None:
        super().__init__(steps)
        self._asker = asker

    def forward(self, interrupts: _KeptInterrupts) -> Show | _Result:
        """Carry on until there is something to show, or the call is over."""
        while True:
            step = self.next()
            if isinstance(step, (Show, _Result)):
                return step
            try:
                if isinstance(step, Do):
                    value = step.run()
                elif isinstance(step, HangUp):
                    value = step.listener.close()
                else:
                    with interrupts.let_through():
                        value = _wait(step, self._asker)
            except BaseException as error:  # noqa: BLE001  # whatever happens is the call's to see: it voids its hold
                self.interrupt(error)
            else:
                self.go_on(value)


class _AsyncCourse(_Steps):
    """Carries out the steps of a call on the event loop."""

    def __init__(self, steps: Generator[Step, Any, Any], asker: Asker, threads: Executor) -> None:
        super().__init__(steps)
        self._asker = asker
        self._worker = _Worker(threads)

    async def forward(self) -> Show | _Result:
        """Carry on until there is something to show, or the call is over."""
        worker = self._worker
        while True:
            try:
                step = self.next()
            except BaseException as error:
                # A cancellation that was kept is what the task's owner waits for.
                worker.strike(error)
                raise
            if isinstance(step, _Result):
                worker.strike()
                return step
            try:
                if isinstance(step, Do):
                    with worker.surviving_close():
                        await worker.carry_out(step)
                    value = worker.outcome()
                elif isinstance(step, HangUp):
                    with worker.surviving_close():
                        await worker.hang_up(step)
                    value = None
                else:
                    worker.strike()
                    if isinstance(step, Show):
                        return step
                    value = await _await(step, self._asker)
            except BaseException as error:  # noqa: BLE001  # whatever happens is the call's to see: it voids its hold
                worker.note(error)
                self.interrupt(error)
            else:
                self.go_on(value)


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


def _wait(step: AskModel | Hear | Wait, asker: Asker) -> Any:  # noqa: ANN401  # whatever the step gives
    """Carry out a step that waits, in the calling thread."""
    if isinstance(step, Wait):
        return step.flight.wait(step.seconds)
    if isinstance(step, Hear):
        return step.listener.hear()
    step.started = True
    if isinstance(step, OpenAnswer):
        # `stream` was given one that can.
        return cast("StreamAsker", asker).open(step.request, step.deadline)
    return asker.ask(step.request, step.deadline)


async def _await(step: AskModel | Hear | Wait, asker: Asker) -> Any:  # noqa: ANN401  # whatever the step gives
    """The same on the event loop: no thread is kept while it waits."""
    if isinstance(step, Wait):
        return await step.flight.async_wait(step.seconds)
    if isinstance(step, Hear):
        return await cast("AsyncListener", step.listener).hear()
    step.started = True
    if isinstance(step, OpenAnswer):
        return await cast("StreamAsker", asker).aopen(step.request, step.deadline)
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
        await self._until(waiting)
        # Mark it as read: `outcome` reads the thread's own future.
        waiting.exception()

    async def hang_up(self, step: HangUp) -> None:
        """End a stream; where nothing may be waited for, its event loop does it once nobody holds it."""
        if not self._closed:
            closing = asyncio.ensure_future(cast("AsyncListener", step.listener).close())
            await self._until(closing)
            closing.result()

    async def _until(self, waiting: asyncio.Future[Any]) -> None:
        """Wait until it is done, whatever is cancelled meanwhile."""
        while not waiting.done():
            try:
                await asyncio.wait((waiting,))
            except asyncio.CancelledError as error:
                self._kept = error

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

    def restore(self, error: asyncio.CancelledError) -> None:
        """Turn the disguise back where it leaves the description."""
        if error is self._disguise and self._closing is not None:
            raise self._closing from None


class _KeptInterrupts:
    """Keeps Ctrl-C away while credits are being moved, in the main thread; elsewhere it cannot strike."""

    def __init__(self) -> None:
        self._handler: Any = None
        self._pending: tuple[int, FrameType | None] | None = None
        self._through = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            handler = handlers.getsignal(signal.SIGINT)
            # SIG_IGN, SIG_DFL and handlers set in C are left alone.
            if callable(handler):
                self._handler = handler
                handlers.signal(signal.SIGINT, self._keep)
        return self

    def __exit__(self, *_: object) -> None:
        if self._handler is not None:
            handlers.signal(signal.SIGINT, self._handler)
            self._deliver()

    @contextmanager
    def let_through(self) -> Generator[None, None, None]:
        """Let an interrupt strike here, also one that came before."""
        if self._handler is None:
            yield
            return
        # By a flag: to set a handler costs more than all else here.
        self._through = True
        try:
            self._deliver()
            yield
        finally:
            self._through = False

    def _keep(self, number: int, frame: FrameType | None) -> None:
        if self._through:
            self._handler(number, frame)
        else:
            self._pending = (number, frame)

    def _deliver(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._handler(*pending)
