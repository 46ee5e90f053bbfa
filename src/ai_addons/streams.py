"""Answers that are read while they are written: what `Feature.stream` gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import coroutine
from typing import TYPE_CHECKING, Any, Self

from ai_addons.receipt import collectors

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

    from ai_addons.receipt import Receipt


class Slip:
    """Where a stream's receipt comes in: for the stream, and for the `receipts` around the caller.

    Attributes:
        receipt: The receipt; None until the stream ended, and where nothing was booked for it.
    """

    def __init__(self) -> None:
        # The stream may end elsewhere: in another thread, or in a task of the event loop.
        self._logs = collectors()
        self.receipt: Receipt | None = None

    def deliver(self, receipt: Receipt) -> None:
        """Take the receipt."""
        self.receipt = receipt
        for log in self._logs:
            log.append(receipt)


class TextStream(Iterator[str]):
    """The pieces of an answer, as a model writes them; also a context manager.

    Nothing is held or asked before the first piece is read. Leaving a ``with``
    block, or `close`, says that no more is read. A stream that is dropped
    unfinished is closed in a thread, shortly after.
    """

    def __init__(
        self, pieces: Generator[str, None, None], slip: Slip, *, later: Callable[[Callable[[], object]], object]
    ) -> None:
        self._pieces = pieces
        self._slip = slip
        self._later = later
        self._reading = False

    @property
    def receipt(self) -> Receipt | None:
        """What the call did and cost; None until it ended, and where it ended with an error."""
        return self._slip.receipt

    def __iter__(self) -> Self:
        """Read this stream."""
        return self

    def __next__(self) -> str:
        """The next piece.

        Raises:
            CallError: If there is no whole answer; nothing was charged, and what was read must not be used.
        """
        self._reading = False
        piece = next(self._pieces)
        self._reading = True
        return piece

    def close(self) -> None:
        """Read no more: what was read is paid for, an answer that was not begun is not."""
        self._reading = False
        self._pieces.close()

    def __enter__(self) -> Self:
        """Read it inside the block."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Read no more."""
        self.close()

    def __del__(self) -> None:
        """Close what nobody reads any more; elsewhere, for a collector may run amid any other work with the books."""
        if self._reading:
            self._later(self._pieces.close)


class AsyncTextStream(AsyncIterator[str]):
    """The pieces of an answer on an event loop; also an async context manager.

    As `TextStream`. Use ``async with`` or `contextlib.aclosing` where the loop may be
    left early: a stream that is dropped unfinished is closed by its event loop when
    that gets to it, and never if the loop has ended before (its credits are released
    uncharged then, when their hold expires).
    """

    def __init__(self, begin: Callable[[], Awaitable[AsyncGenerator[str, None]]], slip: Slip) -> None:
        self._begin = begin
        self._pieces: AsyncGenerator[str, None] | None = None
        self._slip = slip

    @property
    def receipt(self) -> Receipt | None:
        """What the call did and cost; None until it ended, and where it ended with an error."""
        return self._slip.receipt

    def __aiter__(self) -> Self:
        """Read this stream."""
        return self

    async def __anext__(self) -> str:
        """The next piece; raises like `TextStream`."""
        if self._pieces is None:
            self._pieces = await self._begin()
        return await _closable(self._pieces.__anext__())

    async def aclose(self) -> None:
        """Read no more; see `TextStream.close`."""
        if self._pieces is None:
            # Not even begun: there is nothing to read any more.
            self._pieces = _nothing()
        await self._pieces.aclose()

    async def __aenter__(self) -> Self:
        """Read it inside the block."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Read no more."""
        await self.aclose()


async def _nothing() -> AsyncGenerator[str, None]:
    """A stream that was closed before it began."""
    for piece in tuple[str, ...]():
        yield piece


@coroutine
def _closable(step: Any) -> Generator[Any, Any, str]:  # noqa: ANN401  # what an async generator's `__anext__` gives
    """Wait for a step of an async generator, so that closing the wait is told to the generator.

    Python itself marks the step as closed and tells the generator nothing: it could never end its call then
    (CPython, ``async_gen_asend_close``).
    """
    tell, what = step.send, None
    while True:
        try:
            waiting = tell(what)
        except StopIteration as stop:
            piece: str = stop.value
            return piece
        try:
            tell, what = step.send, (yield waiting)
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is the generator's to see
            tell, what = step.throw, error
