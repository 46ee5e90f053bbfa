"""`AsyncOrders`: credits bought, for async hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.aio.threads import threaded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from decimal import Decimal

    from ai_addons.addons import AddOns
    from ai_addons.billing.applying import Applied
    from ai_addons.billing.gateways.base import GatewayEvent
    from ai_addons.billing.inbox import Worked
    from ai_addons.billing.opening import Payment
    from ai_addons.billing.orders import Attempt, Card, Order, Quarantined
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.receipts import CreditNote, PaymentReceipt
    from ai_addons.billing.reconciling import Reconciliation
    from ai_addons.billing.refunds import MoneyBack
    from ai_addons.billing.renewing import Renewed
    from ai_addons.billing.top_up_rules import StandingTopUp
    from ai_addons.billing.watching import Watched
    from ai_addons.money import Credits, Money


class AsyncOrders:
    """Credits bought, for async hosts."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def start(  # noqa: PLR0913  # as of the sync twin
        self,
        business: str,
        pack: str | None = None,
        *,
        amount: Money | str | int | Decimal | None = None,
        addon: bool = False,
        key: str | None = None,
        user: str | None = None,
        email: str | None = None,
        gateway: str | None = None,
        phone: str | None = None,
        network: str | None = None,
        card: str | None = None,
        return_url: str | None = None,
    ) -> Payment:
        """See `Payments.start`."""
        return await threaded(
            self._addons.orders.start,
            business,
            pack,
            amount=amount,
            addon=addon,
            key=key,
            user=user,
            email=email,
            gateway=gateway,
            phone=phone,
            network=network,
            card=card,
            return_url=return_url,
        )

    async def attempt(
        self,
        business: str,
        order: str,
        *,
        key: str | None = None,
        gateway: str | None = None,
        phone: str | None = None,
        network: str | None = None,
        card: str | None = None,
        return_url: str | None = None,
    ) -> Payment:
        """See `Payments.attempt`."""
        return await threaded(
            self._addons.orders.attempt,
            business,
            order,
            key=key,
            gateway=gateway,
            phone=phone,
            network=network,
            card=card,
            return_url=return_url,
        )

    async def submit_otp(self, business: str, reference: str, otp: str) -> Payment:
        """See `Payments.submit_otp`."""
        return await threaded(self._addons.orders.submit_otp, business, reference, otp)

    async def verify(self, business: str, reference: str) -> Applied:
        """See `Payments.verify`."""
        return await threaded(self._addons.orders.verify, business, reference)

    async def cancel(self, business: str, order: str) -> Order:
        """See `Payments.cancel`."""
        return await threaded(self._addons.orders.cancel, business, order)

    async def find(self, business: str, order: str) -> tuple[Order, tuple[Attempt, ...]]:
        """See `Payments.find`."""
        return await threaded(self._addons.orders.find, business, order)

    async def history(self, business: str, most: int = 100, *, before: str | None = None) -> list[Order]:
        """See `Payments.history`."""
        return await threaded(self._addons.orders.history, business, most, before=before)

    async def listed(
        self, business: str, most: int = 100, *, before: str | None = None
    ) -> list[tuple[Order, tuple[Attempt, ...]]]:
        """See `Payments.listed`."""
        return await threaded(self._addons.orders.listed, business, most, before=before)

    async def bought(self, business: str) -> Credits:
        """See `Payments.bought`."""
        return await threaded(self._addons.orders.bought, business)

    async def watch(self, business: str, order: str, *, every: timedelta) -> Watched:
        """See `Payments.watch`."""
        return await threaded(self._addons.orders.watch, business, order, every=every)

    async def receipt(self, business: str, order: str) -> PaymentReceipt:
        """See `Payments.receipt`."""
        return await threaded(self._addons.orders.receipt, business, order)

    async def credit_notes(self, business: str, order: str) -> tuple[CreditNote, ...]:
        """See `Payments.credit_notes`."""
        return await threaded(self._addons.orders.credit_notes, business, order)

    async def cards(self, business: str) -> list[Card]:
        """See `Payments.cards`."""
        return await threaded(self._addons.orders.cards, business)

    async def forget_card(self, business: str, card: str) -> bool:
        """See `Payments.forget_card`."""
        return await threaded(self._addons.orders.forget_card, business, card)

    async def set_top_up(  # noqa: PLR0913  # as its twin
        self,
        business: str,
        pack: str,
        *,
        below: str | int | Decimal | Credits,
        actor: str,
        card: str | None = None,
        most_price: Money | str | int | Decimal | None = None,
        most_per_day: int = 1,
        most_per_month: int = 4,
        cool_down: timedelta | None = None,
        most_failures: int = 3,
        enabled: bool = True,
    ) -> StandingTopUp:
        """See `Payments.set_top_up`."""
        return await threaded(
            self._addons.orders.set_top_up,
            business,
            pack,
            below=below,
            actor=actor,
            card=card,
            most_price=most_price,
            cool_down=cool_down,
            enabled=enabled,
            most_per_day=most_per_day,
            most_per_month=most_per_month,
            most_failures=most_failures,
        )

    async def top_up_of(self, business: str) -> StandingTopUp | None:
        """See `Payments.top_up_of`."""
        return await threaded(self._addons.orders.top_up_of, business)

    async def remove_top_up(self, business: str, *, actor: str) -> bool:
        """See `Payments.remove_top_up`."""
        return await threaded(self._addons.orders.remove_top_up, business, actor=actor)

    async def top_up(self, business: str) -> Payment | None:
        """See `Payments.top_up`."""
        return await threaded(self._addons.orders.top_up, business)

    async def apply(self, reference: str) -> Applied:
        """See `Payments.apply`."""
        return await threaded(self._addons.orders.apply, reference)

    async def receive(self, gateway: str, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """See `Payments.receive`."""
        return await threaded(self._addons.orders.receive, gateway, headers, body)

    async def work_inbox(self, most: int = 100) -> Worked:
        """See `Payments.work_inbox`."""
        return await threaded(self._addons.orders.work_inbox, most)

    async def renew(self, *, on_progress: OnProgress | None = None) -> Renewed:
        """See `Payments.renew`."""
        return await threaded(self._addons.orders.renew, on_progress=on_progress)

    async def expire(self) -> int:
        """See `Payments.expire`."""
        return await threaded(self._addons.orders.expire)

    async def reconcile(self, *, days: int = 7, on_progress: OnProgress | None = None) -> Reconciliation:
        """See `Payments.reconcile`."""
        return await threaded(self._addons.orders.reconcile, days=days, on_progress=on_progress)

    async def quarantined(self, most: int = 100) -> list[Quarantined]:
        """See `Payments.quarantined`."""
        return await threaded(self._addons.orders.quarantined, most)

    async def release(self, business: str, quarantine: str, *, actor: str, reason: str) -> Quarantined:
        """See `Payments.release`."""
        return await threaded(self._addons.orders.release, business, quarantine, actor=actor, reason=reason)

    async def mark_refunded(self, business: str, quarantine: str, *, actor: str, reason: str) -> Quarantined:
        """See `Payments.mark_refunded`."""
        return await threaded(self._addons.orders.mark_refunded, business, quarantine, actor=actor, reason=reason)

    async def refund(
        self,
        business: str,
        order: str,
        amount: Money | str | int | Decimal | None = None,
        *,
        key: str,
        actor: str,
        reason: str,
    ) -> MoneyBack:
        """See `Payments.refund`."""
        return await threaded(self._addons.orders.refund, business, order, amount, key=key, actor=actor, reason=reason)

    async def money_back(self, business: str, order: str) -> MoneyBack:
        """See `Payments.money_back`."""
        return await threaded(self._addons.orders.money_back, business, order)

    async def forgive(self, business: str, order: str, *, actor: str, reason: str) -> MoneyBack:
        """See `Payments.forgive`."""
        return await threaded(self._addons.orders.forgive, business, order, actor=actor, reason=reason)
