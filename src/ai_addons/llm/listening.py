"""An answer as it arrives: its pieces, and how it ended.

Time counts only while the provider is waited for. How long a reader thinks
between two pieces is not the provider's fault.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from ai_addons.errors import ProviderUnavailable
from ai_addons.llm.base import Asker, Exchange, ModelFailure, ModelReply, StreamingLlm, Verdict
from ai_addons.llm.failures import timed_out

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from ai_addons.llm.attempts import Run
    from ai_addons.llm.base import Attempt, Llm, ModelRequest


class _Heard:
    """What is common to both kinds of listeners.

    Attributes:
        first: The first piece of text.
        earlier: The attempts that failed before this one.
    """

    def __init__(self, run: Run, seconds: float) -> None:
        self._run = run
        self._left = seconds
        self.first: str = ""
        self.earlier: tuple[Attempt, ...] = tuple(run.attempts)

    def _taken(self, item: str | ModelReply, began: float) -> str | Exchange:
        """A piece, or the end; more time than there was ends it too.

        Raises:
            ModelFailure: If it took too long.
        """
        self._left -= self._run.clock.monotonic() - began
        if isinstance(item, ModelReply):
            return self._run.exchange(reply=self._run.answered(item))
        if self._left <= 0:
            raise timed_out()
        return item

    def _lost(self, failure: ModelFailure) -> Exchange:
        """It broke off after it had begun: that is final."""
        self._run.failed(failure)
        final = ModelFailure(failure.error, failure.verdict, next_model=False, alert=failure.alert)
        return self._run.exchange(failure=final)


class Listener(_Heard):
    """Hears one answer, in the calling thread."""

    def __init__(self, run: Run, items: Generator[str | ModelReply, None, None], seconds: float) -> None:
        super().__init__(run, seconds)
        self._items = items

    @classmethod
    def begin(cls, run: Run, items: Generator[str | ModelReply, None, None], seconds: float) -> Listener | Exchange:
        """Wait for the first text.

        Raises:
            ModelFailure: If the answer breaks off before; it may be asked for again.
        """
        listener = cls(run, items, seconds)
        try:
            first = listener._next()
            while not first:
                first = listener._next()
        except ModelFailure as failure:
            items.close()
            run.failed(failure)
            raise
        except BaseException:
            items.close()
            run.interrupted()
            raise
        if isinstance(first, Exchange):
            items.close()
            return first
        listener.first = first
        return listener

    def hear(self) -> str | Exchange:
        """Wait for the next piece, or for how it ended."""
        try:
            return self._next()
        except ModelFailure as failure:
            return self._lost(failure)

    def close(self) -> None:
        """Hear no more, and let go of the connection."""
        self._run.interrupted()
        self._items.close()

    def _next(self) -> str | Exchange:
        began = self._run.clock.monotonic()
        try:
            item = next(self._items)
        except StopIteration:
            raise _broken_off() from None
        return self._taken(item, began)


class AsyncListener(_Heard):
    """The same on an event loop."""

    def __init__(self, run: Run, items: AsyncGenerator[str | ModelReply, None], seconds: float) -> None:
        super().__init__(run, seconds)
        self._items = items

    @classmethod
    async def begin(
        cls, run: Run, items: AsyncGenerator[str | ModelReply, None], seconds: float
    ) -> AsyncListener | Exchange:
        """Wait for the first text; see `Listener.begin`."""
        listener = cls(run, items, seconds)
        try:
            first = await listener._next()
            while not first:
                first = await listener._next()
        except ModelFailure as failure:
            await items.aclose()
            run.failed(failure)
            raise
        except BaseException:
            run.interrupted()
            raise
        if isinstance(first, Exchange):
            await items.aclose()
            return first
        listener.first = first
        return listener

    async def hear(self) -> str | Exchange:
        """Wait for the next piece, or for how it ended."""
        try:
            return await self._next()
        except ModelFailure as failure:
            return self._lost(failure)

    async def close(self) -> None:
        """Hear no more, and let go of the connection."""
        self._run.interrupted()
        await self._items.aclose()

    async def _next(self) -> str | Exchange:
        began = self._run.clock.monotonic()
        limit = asyncio.timeout(max(0.0, self._left))
        try:
            async with limit:
                item = await anext(self._items)
        except StopAsyncIteration:
            raise _broken_off() from None
        except TimeoutError:
            raise timed_out() from None
        return self._taken(item, began)


class StreamAsker(Asker, Protocol):
    """An `Asker` that can also be listened to; `retry.ModelCaller` is the one there is."""

    def open(self, request: ModelRequest, deadline: float) -> Listener | Exchange:
        """Ask until the first text has come, or it is clear that none comes."""
        ...

    async def aopen(self, request: ModelRequest, deadline: float) -> AsyncListener | Exchange:
        """The same without blocking the event loop."""
        ...


def pieces(llm: Llm, request: ModelRequest) -> Generator[str | ModelReply, None, None]:
    """An answer in pieces, in one piece from an adapter that cannot stream; its reply last."""
    if isinstance(llm, StreamingLlm):
        return llm.stream(request)
    return _one_piece(llm, request)


def apieces(llm: Llm, request: ModelRequest) -> AsyncGenerator[str | ModelReply, None]:
    """The same for async features."""
    if isinstance(llm, StreamingLlm):
        return llm.astream(request)
    return _one_async_piece(llm, request)


def told(reply: ModelReply) -> tuple[str | ModelReply, ...]:
    """A whole reply as the items of a stream."""
    return (reply,) if reply.text is None else (reply.text, reply)


def _one_piece(llm: Llm, request: ModelRequest) -> Generator[str | ModelReply, None, None]:
    yield from told(llm.complete(request))


async def _one_async_piece(llm: Llm, request: ModelRequest) -> AsyncGenerator[str | ModelReply, None]:
    for item in told(await llm.acomplete(request)):
        yield item


def _broken_off() -> ModelFailure:
    """The stream ended without saying how."""
    return ModelFailure(ProviderUnavailable(), Verdict.MAYBE_BILLED, retry=True)
