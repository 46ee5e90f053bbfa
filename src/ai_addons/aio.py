"""`AsyncAddOns`: the operations of `AddOns` for async hosts."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime
    from decimal import Decimal

    from ai_addons.addons import AddOns
    from ai_addons.billing.doctor import Report
    from ai_addons.billing.grants import GrantSource
    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.billing.margin import MarginTable
    from ai_addons.billing.outbox import Delivered
    from ai_addons.billing.records import (
        AuditEntry,
        Correction,
        GrantBooking,
        SubscriptionBooking,
        Transaction,
        Wallet,
        WalletStatus,
    )
    from ai_addons.billing.statements import Statement
    from ai_addons.billing.usage import DayUsage, Usage
    from ai_addons.money import Credits, Money

T = TypeVar("T")


class AsyncAddOns:
    """The operations of `AddOns` for async hosts; each runs in a worker thread."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons
        self.subscriptions: AsyncSubscriptions = AsyncSubscriptions(addons)

    async def wallet(self, business: str) -> Wallet:
        """See `AddOns.wallet`."""
        return await _threaded(partial(self._addons.wallet, business))

    async def grant(  # noqa: PLR0913  # as of the sync twin
        self,
        business: str,
        amount: str | int | Decimal | Credits,
        *,
        source: GrantSource,
        ref: str,
        paid: Money | None = None,
        effective_at: datetime | None = None,
        expires_at: datetime | None = None,
        features: Iterable[str] | None = None,
        priority: int | None = None,
    ) -> GrantBooking:
        """See `AddOns.grant`."""
        give = partial(self._addons.grant, business, amount, source=source, ref=ref, paid=paid, priority=priority)
        return await _threaded(partial(give, effective_at=effective_at, expires_at=expires_at, features=features))

    async def claim_trial(
        self, business: str, *, phone: str | None = None, tax_id: str | None = None, payment: str | None = None
    ) -> GrantBooking:
        """See `AddOns.claim_trial`."""
        claim = partial(self._addons.claim_trial, business, phone=phone, tax_id=tax_id, payment=payment)
        return await _threaded(claim)

    async def adjust(
        self,
        business: str,
        amount: str | int | Decimal | Credits,
        *,
        ref: str,
        actor: str,
        reason: str,
        effective_at: datetime | None = None,
    ) -> Correction:
        """See `AddOns.adjust`."""
        adjust = partial(self._addons.adjust, business, amount, ref=ref, actor=actor, reason=reason)
        return await _threaded(partial(adjust, effective_at=effective_at))

    async def reverse(self, business: str, seq: int, *, actor: str, reason: str) -> Correction:
        """See `AddOns.reverse`."""
        return await _threaded(partial(self._addons.reverse, business, seq, actor=actor, reason=reason))

    async def set_policy(self, business: str, policy: str | None, *, actor: str) -> Wallet:
        """See `AddOns.set_policy`."""
        return await _threaded(partial(self._addons.set_policy, business, policy, actor=actor))

    async def set_status(self, business: str, status: WalletStatus, *, actor: str, reason: str) -> Wallet:
        """See `AddOns.set_status`."""
        return await _threaded(partial(self._addons.set_status, business, status, actor=actor, reason=reason))

    async def pause(self, *, business: str | None = None, feature: str | None = None, actor: str) -> None:
        """See `AddOns.pause`."""
        await _threaded(partial(self._addons.pause, business=business, feature=feature, actor=actor))

    async def resume(self, *, business: str | None = None, feature: str | None = None, actor: str) -> bool:
        """See `AddOns.resume`."""
        return await _threaded(partial(self._addons.resume, business=business, feature=feature, actor=actor))

    async def erase(self, business: str, *, user: str | None = None, actor: str) -> None:
        """See `AddOns.erase`."""
        await _threaded(partial(self._addons.erase, business, user=user, actor=actor))

    async def usage(self, business: str, days: int = 30) -> Usage:
        """See `AddOns.usage`."""
        return await _threaded(partial(self._addons.usage, business, days))

    async def usage_by_day(self, business: str, first: date, last: date) -> tuple[DayUsage, ...]:
        """See `AddOns.usage_by_day`."""
        return await _threaded(partial(self._addons.usage_by_day, business, first, last))

    async def margins(self, business: str | None = None, days: int = 30) -> MarginTable:
        """See `AddOns.margins`."""
        return await _threaded(partial(self._addons.margins, business, days))

    async def statement(self, business: str, first: date, last: date) -> Statement:
        """See `AddOns.statement`."""
        return await _threaded(partial(self._addons.statement, business, first, last))

    async def deliver(self, most: int = 100) -> Delivered:
        """See `AddOns.deliver`."""
        return await _threaded(partial(self._addons.deliver, most))

    async def ledger(self, business: str) -> list[LedgerEntry]:
        """See `AddOns.ledger`."""
        return await _threaded(partial(self._addons.ledger, business))

    async def transactions(self, business: str) -> list[Transaction]:
        """See `AddOns.transactions`."""
        return await _threaded(partial(self._addons.transactions, business))

    async def audit(self, business: str = "") -> list[AuditEntry]:
        """See `AddOns.audit`."""
        return await _threaded(partial(self._addons.audit, business))

    async def sweep(self) -> int:
        """See `AddOns.sweep`."""
        return await _threaded(self._addons.sweep)

    async def doctor(self, business: str | None = None) -> Report:
        """See `AddOns.doctor`."""
        return await _threaded(partial(self._addons.doctor, business))

    async def rebuild_usage(self, business: str) -> None:
        """See `AddOns.rebuild_usage`."""
        await _threaded(partial(self._addons.rebuild_usage, business))

    async def warm_up(self) -> None:
        """See `AddOns.warm_up`."""
        await _threaded(self._addons.warm_up)

    async def close(self) -> None:
        """See `AddOns.close`."""
        await _threaded(self._addons.close)


class AsyncSubscriptions:
    """Monthly add-ons for async hosts."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def subscribe(self, business: str, *, paid: bool = False) -> SubscriptionBooking:
        """See `Subscriptions.subscribe`."""
        return await _threaded(partial(self._addons.subscriptions.subscribe, business, paid=paid))

    async def pay(self, business: str, *, period: int | None = None) -> SubscriptionBooking:
        """See `Subscriptions.pay`."""
        return await _threaded(partial(self._addons.subscriptions.pay, business, period=period))

    async def cancel(self, business: str, *, immediate: bool = False) -> SubscriptionBooking:
        """See `Subscriptions.cancel`."""
        return await _threaded(partial(self._addons.subscriptions.cancel, business, immediate=immediate))

    async def resume(self, business: str) -> SubscriptionBooking:
        """See `Subscriptions.resume`."""
        return await _threaded(partial(self._addons.subscriptions.resume, business))


async def _threaded(work: Callable[[], T]) -> T:
    """Run blocking work beside the event loop, in the caller's context."""
    return await asyncio.get_running_loop().run_in_executor(None, partial(copy_context().run, work))
