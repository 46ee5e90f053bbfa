"""`AsyncAddOns`: the operations of `AddOns` for async hosts."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from ai_addons.addons import AddOns
    from ai_addons.billing.doctor import Report
    from ai_addons.billing.grants import GrantSource
    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.billing.records import GrantBooking, Transaction, Wallet
    from ai_addons.money import Credits

T = TypeVar("T")


class AsyncAddOns:
    """The operations of `AddOns` for async hosts; each runs in a worker thread."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def wallet(self, business: str) -> Wallet:
        """See `AddOns.wallet`."""
        return await _threaded(partial(self._addons.wallet, business))

    async def grant(
        self, business: str, amount: str | int | Decimal | Credits, *, source: GrantSource, ref: str
    ) -> GrantBooking:
        """See `AddOns.grant`."""
        return await _threaded(partial(self._addons.grant, business, amount, source=source, ref=ref))

    async def claim_trial(
        self, business: str, *, phone: str | None = None, tax_id: str | None = None, payment: str | None = None
    ) -> GrantBooking:
        """See `AddOns.claim_trial`."""
        claim = partial(self._addons.claim_trial, business, phone=phone, tax_id=tax_id, payment=payment)
        return await _threaded(claim)

    async def ledger(self, business: str) -> list[LedgerEntry]:
        """See `AddOns.ledger`."""
        return await _threaded(partial(self._addons.ledger, business))

    async def transactions(self, business: str) -> list[Transaction]:
        """See `AddOns.transactions`."""
        return await _threaded(partial(self._addons.transactions, business))

    async def sweep(self) -> int:
        """See `AddOns.sweep`."""
        return await _threaded(self._addons.sweep)

    async def doctor(self) -> Report:
        """See `AddOns.doctor`."""
        return await _threaded(self._addons.doctor)

    async def warm_up(self) -> None:
        """See `AddOns.warm_up`."""
        await _threaded(self._addons.warm_up)

    async def close(self) -> None:
        """See `AddOns.close`."""
        await _threaded(self._addons.close)


async def _threaded(work: Callable[[], T]) -> T:
    """Run blocking work beside the event loop, in the caller's context."""
    return await asyncio.get_running_loop().run_in_executor(None, partial(copy_context().run, work))
