"""`Till`: where the calls of one payer are rung up."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from ai_addons._call import billed_call, quote_call, streamed_call
from ai_addons._drive import arun, astream, run, stream
from ai_addons.errors import AddOnsError
from ai_addons.events import CallRefused, emit
from ai_addons.receipt import hand_over
from ai_addons.streams import AsyncTextStream, Slip, TextStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from concurrent.futures import Executor

    from ai_addons._call import Call
    from ai_addons._invocation import CallOptions, Invocation
    from ai_addons.addons import AddOns
    from ai_addons.receipt import Billed, Quote
    from ai_addons.scope import Payer
    from ai_addons.wiring import Wiring

R = TypeVar("R")
F = TypeVar("F", bound="Payable")


class Payable(Protocol):
    """A feature, sync or async: something that can be told who pays."""

    def options(self, *, business: str | None = None, user: str | None = None, addons: AddOns | None = None) -> Self:
        """This feature with a payer."""
        ...


class Till:
    """Rings up the calls of one payer; the explicit form of `bill_to`."""

    def __init__(self, addons: AddOns, wiring: Wiring, payer: Payer) -> None:
        self._addons = addons
        self._wiring = wiring
        self._payer = payer

    def bind(self, feature: F) -> F:
        """A feature that this till's business pays for, wherever it is called."""
        return feature.options(business=self._payer.business, user=self._payer.user, addons=self._addons)

    def run(self, invocation: Invocation[R], options: CallOptions) -> Billed[R]:
        """Make a call in this thread."""
        call, desk = self._prepare(invocation, options), self._wiring.desk()
        billed = run(billed_call(call, desk.kit), desk.caller)
        hand_over(billed.receipt)
        return billed

    async def arun(self, invocation: Invocation[R], options: CallOptions) -> Billed[R]:
        """Make a call on the event loop."""
        await self._refresh_prices()
        call, desk = self._prepare(invocation, options), self._wiring.desk()
        billed = await arun(billed_call(call, desk.kit), desk.caller, desk.threads)
        hand_over(billed.receipt)
        return billed

    def stream(self, invocation: Invocation[str], options: CallOptions) -> TextStream:
        """Make a call whose answer is read while it is written, in whatever thread reads it."""
        call, desk = self._prepare(invocation, options), self._wiring.desk()
        slip = Slip()
        pieces = stream(streamed_call(call, desk.kit, slip.deliver), desk.caller)
        return TextStream(pieces, slip, later=partial(_later, desk.threads))

    def astream(self, built: Callable[[], Awaitable[Invocation[str]]], options: CallOptions) -> AsyncTextStream:
        """The same on the event loop.

        Args:
            built: Gives the call, once its builder was waited for.
            options: Its options.
        """
        slip = Slip()

        async def begin() -> AsyncGenerator[str, None]:
            await self._refresh_prices()
            call, desk = self._prepare(await built(), options), self._wiring.desk()
            return astream(streamed_call(call, desk.kit, slip.deliver), desk.caller, desk.threads)

        return AsyncTextStream(begin, slip)

    def quote(self, invocation: Invocation[R], options: CallOptions) -> Quote:
        """Say what a call would cost; nothing is called or charged."""
        call, desk = self._addons.prepare(invocation, self._payer, options), self._wiring.desk()
        return run(quote_call(call, desk.kit), desk.caller)

    async def aquote(self, invocation: Invocation[R], options: CallOptions) -> Quote:
        """Say what a call would cost, on the event loop."""
        await self._refresh_prices()
        call, desk = self._addons.prepare(invocation, self._payer, options), self._wiring.desk()
        return await arun(quote_call(call, desk.kit), desk.caller, desk.threads)

    def _prepare(self, invocation: Invocation[R], options: CallOptions) -> Call[R]:
        """Settle a call; one that is refused before it begins is told to the hooks all the same."""
        try:
            return self._addons.prepare(invocation, self._payer, options)
        except AddOnsError as error:
            emit(self._wiring.hooks, CallRefused(feature=invocation.spec.key, code=error.code))
            raise

    async def _refresh_prices(self) -> None:
        """Read published prices beside the event loop once they are old, so that `prepare` waits for nobody."""
        pricing = self._wiring.pricing
        if not pricing.is_fresh:
            await asyncio.get_running_loop().run_in_executor(self._wiring.desk().threads, pricing.refresh)


def _later(threads: Executor, work: Callable[[], object]) -> None:
    """Do something beside whatever goes on here; here and now where the threads are gone."""
    try:
        threads.submit(work)
    except RuntimeError:
        work()
