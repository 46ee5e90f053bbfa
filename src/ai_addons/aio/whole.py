"""`AsyncAddOns`: the operations of `AddOns` for async hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ai_addons.aio.answers import AsyncAnswers
from ai_addons.aio.billing import AsyncBilling
from ai_addons.aio.figures import AsyncFigures
from ai_addons.aio.limits import AsyncLimits
from ai_addons.aio.operating import AsyncOperating
from ai_addons.aio.orders import AsyncOrders
from ai_addons.aio.prices import AsyncPrices
from ai_addons.aio.subscriptions import AsyncSubscriptions
from ai_addons.aio.threads import threaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta
    from decimal import Decimal

    from ai_addons.addons import AddOns, PriceList
    from ai_addons.batch import BatchProgress, BatchResult, BoundCall
    from ai_addons.billing.doctor import Report
    from ai_addons.billing.grants import GrantSource
    from ai_addons.billing.heads import Head
    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.billing.outbox import Delivered
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.records import (
        AuditEntry,
        Correction,
        GrantBooking,
        Transaction,
        Wallet,
        WalletStatus,
    )
    from ai_addons.money import Credits, Money
    from ai_addons.privacy.markers import Pii
    from ai_addons.privacy.masked import Masked

R = TypeVar("R")


class AsyncAddOns(AsyncFigures):
    """The operations of `AddOns` for async hosts; each runs in a worker thread."""

    def __init__(self, addons: AddOns) -> None:
        super().__init__(addons)
        self._addons = addons
        self.subscriptions: AsyncSubscriptions = AsyncSubscriptions(addons)
        self.orders: AsyncOrders = AsyncOrders(addons)
        self.limits: AsyncLimits = AsyncLimits(addons)
        self.operating: AsyncOperating = AsyncOperating(addons)
        self.prices: AsyncPrices = AsyncPrices(addons)
        self.answers: AsyncAnswers = AsyncAnswers(addons)
        # Each use asks anew, as the sync ones do.
        self.billing: AsyncBilling = AsyncBilling(lambda: addons.billing)
        self.operator_billing: AsyncBilling = AsyncBilling(lambda: addons.operator_billing)

    async def batch(
        self,
        calls: Iterable[BoundCall[R]],
        *,
        concurrency: int | None = None,
        deadline: timedelta | None = None,
        on_progress: Callable[[BatchProgress], object] | None = None,
        progress: bool = False,
    ) -> BatchResult[R]:
        """See `AddOns.batch`; ``on_progress`` is told on the event loop, which learns of every call that had ended.

        A cancellation ends the calls in flight as it ends single ones, and gives back what was held for the others.
        """
        make = self._addons._abatch  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # its async half
        return await make(calls, concurrency, deadline, on_progress, progress=progress)

    async def wallet(self, business: str) -> Wallet:
        """See `AddOns.wallet`."""
        return await threaded(self._addons.wallet, business)

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
        actor: str | None = None,
    ) -> GrantBooking:
        """See `AddOns.grant`."""
        return await threaded(
            self._addons.grant,
            business,
            amount,
            source=source,
            ref=ref,
            paid=paid,
            priority=priority,
            effective_at=effective_at,
            expires_at=expires_at,
            features=features,
            actor=actor,
        )

    async def claim_trial(
        self, business: str, *, phone: str | None = None, tax_id: str | None = None, payment: str | None = None
    ) -> GrantBooking:
        """See `AddOns.claim_trial`."""
        return await threaded(self._addons.claim_trial, business, phone=phone, tax_id=tax_id, payment=payment)

    async def trial_left(self, business: str) -> Credits:
        """See `AddOns.trial_left`."""
        return await threaded(self._addons.trial_left, business)

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
        return await threaded(
            self._addons.adjust, business, amount, ref=ref, actor=actor, reason=reason, effective_at=effective_at
        )

    async def reverse(self, business: str, seq: int, *, actor: str, reason: str) -> Correction:
        """See `AddOns.reverse`."""
        return await threaded(self._addons.reverse, business, seq, actor=actor, reason=reason)

    async def set_policy(self, business: str, policy: str | None, *, actor: str) -> Wallet:
        """See `AddOns.set_policy`."""
        return await threaded(self._addons.set_policy, business, policy, actor=actor)

    async def set_status(self, business: str, status: WalletStatus, *, actor: str, reason: str) -> Wallet:
        """See `AddOns.set_status`."""
        return await threaded(self._addons.set_status, business, status, actor=actor, reason=reason)

    async def pause(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> None:
        """See `AddOns.pause`."""
        await threaded(self._addons.pause, business=business, feature=feature, actor=actor, reason=reason)

    async def resume(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> bool:
        """See `AddOns.resume`."""
        return await threaded(self._addons.resume, business=business, feature=feature, actor=actor, reason=reason)

    async def erase(
        self, business: str, *, user: str | None = None, actor: str, on_progress: OnProgress | None = None
    ) -> None:
        """See `AddOns.erase`."""
        await threaded(self._addons.erase, business, user=user, actor=actor, on_progress=on_progress)

    async def pseudonym(self, business: str, kind: Pii, value: str) -> str:
        """See `AddOns.pseudonym`."""
        return await threaded(self._addons.pseudonym, business, kind, value)

    async def pseudonyms(self, business: str, kind: Pii, value: str) -> tuple[str, ...]:
        """See `AddOns.pseudonyms`."""
        return await threaded(self._addons.pseudonyms, business, kind, value)

    async def deliver(self, most: int = 100) -> Delivered:
        """See `AddOns.deliver`."""
        return await threaded(self._addons.deliver, most)

    async def ledger(self, business: str, *, before: int | None = None, most: int | None = None) -> list[LedgerEntry]:
        """See `AddOns.ledger`."""
        return await threaded(self._addons.ledger, business, before=before, most=most)

    async def transactions(self, business: str) -> list[Transaction]:
        """See `AddOns.transactions`."""
        return await threaded(self._addons.transactions, business)

    async def audit(self, business: str = "") -> list[AuditEntry]:
        """See `AddOns.audit`."""
        return await threaded(self._addons.audit, business)

    async def sweep(self, *, on_progress: OnProgress | None = None) -> int:
        """See `AddOns.sweep`."""
        return await threaded(self._addons.sweep, on_progress=on_progress)

    async def doctor(self, business: str | None = None, *, on_progress: OnProgress | None = None) -> Report:
        """See `AddOns.doctor`."""
        return await threaded(self._addons.doctor, business, on_progress=on_progress)

    async def heads(self) -> list[Head]:
        """See `AddOns.heads`; all of them at once."""
        return await threaded(lambda: list(self._addons.heads()))

    async def compare_heads(self, kept: Iterable[Head]) -> Report:
        """See `AddOns.compare_heads`."""
        return await threaded(self._addons.compare_heads, kept)

    async def rebuild_usage(self, business: str) -> None:
        """See `AddOns.rebuild_usage`."""
        await threaded(self._addons.rebuild_usage, business)

    async def price_list(self, business: str | None = None) -> PriceList:
        """See `AddOns.price_list`."""
        return await threaded(self._addons.price_list, business)

    async def mask(self, text: str = "", *, data: object = None, known: object = None) -> Masked:
        """See `AddOns.mask`."""
        return await threaded(self._addons.mask, text, data=data, known=known)

    async def warm_up(self) -> None:
        """See `AddOns.warm_up`."""
        await threaded(self._addons.warm_up)

    async def close(self) -> None:
        """See `AddOns.close`."""
        await threaded(self._addons.close)
