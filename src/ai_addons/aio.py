"""`AsyncAddOns`: the operations of `AddOns` for async hosts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ai_addons.aio_figures import AsyncFigures, AsyncOperating, threaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date, datetime, timedelta
    from decimal import Decimal

    from ai_addons.addons import AddOns, PriceList
    from ai_addons.answers import CacheStats
    from ai_addons.batch import BatchProgress, BatchResult, BoundCall
    from ai_addons.billing.applying import Applied
    from ai_addons.billing.doctor import Report
    from ai_addons.billing.gateways.base import GatewayEvent
    from ai_addons.billing.grants import GrantSource
    from ai_addons.billing.heads import Head
    from ai_addons.billing.inbox import Worked
    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.billing.limiting import Switch
    from ai_addons.billing.limits import Limit, Scope, Window
    from ai_addons.billing.margin import MarginTable
    from ai_addons.billing.opening import Payment
    from ai_addons.billing.orders import Attempt, Card, Order, Quarantined
    from ai_addons.billing.outbox import Delivered
    from ai_addons.billing.prices import PriceVersion
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.published import Published, PublishedPack
    from ai_addons.billing.receipts import CreditNote, PaymentReceipt
    from ai_addons.billing.reconciling import Reconciliation
    from ai_addons.billing.records import (
        AuditEntry,
        Correction,
        GrantBooking,
        SubscriptionBooking,
        Transaction,
        Wallet,
        WalletStatus,
    )
    from ai_addons.billing.refunds import MoneyBack
    from ai_addons.billing.renewing import Renewed
    from ai_addons.billing.service import BillingService, CreditCharge, CreditCheck, UsageStats
    from ai_addons.billing.spending import WindowSpending
    from ai_addons.billing.statements import Statement
    from ai_addons.billing.topping_up import StandingTopUp
    from ai_addons.billing.usage import DayUsage, Usage
    from ai_addons.billing.watching import Watched
    from ai_addons.catalog import FeatureSpec, Listing, Pack
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
        return await threaded(partial(self._addons.wallet, business))

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
        give = partial(self._addons.grant, business, amount, source=source, ref=ref, paid=paid, priority=priority)
        dated = partial(give, effective_at=effective_at, expires_at=expires_at)
        return await threaded(partial(dated, features=features, actor=actor))

    async def claim_trial(
        self, business: str, *, phone: str | None = None, tax_id: str | None = None, payment: str | None = None
    ) -> GrantBooking:
        """See `AddOns.claim_trial`."""
        claim = partial(self._addons.claim_trial, business, phone=phone, tax_id=tax_id, payment=payment)
        return await threaded(claim)

    async def trial_left(self, business: str) -> Credits:
        """See `AddOns.trial_left`."""
        return await threaded(partial(self._addons.trial_left, business))

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
        return await threaded(partial(adjust, effective_at=effective_at))

    async def reverse(self, business: str, seq: int, *, actor: str, reason: str) -> Correction:
        """See `AddOns.reverse`."""
        return await threaded(partial(self._addons.reverse, business, seq, actor=actor, reason=reason))

    async def set_policy(self, business: str, policy: str | None, *, actor: str) -> Wallet:
        """See `AddOns.set_policy`."""
        return await threaded(partial(self._addons.set_policy, business, policy, actor=actor))

    async def set_status(self, business: str, status: WalletStatus, *, actor: str, reason: str) -> Wallet:
        """See `AddOns.set_status`."""
        return await threaded(partial(self._addons.set_status, business, status, actor=actor, reason=reason))

    async def pause(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> None:
        """See `AddOns.pause`."""
        pause = partial(self._addons.pause, business=business, feature=feature, actor=actor, reason=reason)
        await threaded(pause)

    async def resume(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> bool:
        """See `AddOns.resume`."""
        resume = partial(self._addons.resume, business=business, feature=feature, actor=actor, reason=reason)
        return await threaded(resume)

    async def erase(
        self, business: str, *, user: str | None = None, actor: str, on_progress: OnProgress | None = None
    ) -> None:
        """See `AddOns.erase`."""
        await threaded(partial(self._addons.erase, business, user=user, actor=actor, on_progress=on_progress))

    async def pseudonym(self, business: str, kind: Pii, value: str) -> str:
        """See `AddOns.pseudonym`."""
        return await threaded(partial(self._addons.pseudonym, business, kind, value))

    async def pseudonyms(self, business: str, kind: Pii, value: str) -> tuple[str, ...]:
        """See `AddOns.pseudonyms`."""
        return await threaded(partial(self._addons.pseudonyms, business, kind, value))

    async def usage(self, business: str, days: int = 30) -> Usage:
        """See `AddOns.usage`."""
        return await threaded(partial(self._addons.usage, business, days))

    async def usage_by_day(self, business: str, first: date, last: date) -> tuple[DayUsage, ...]:
        """See `AddOns.usage_by_day`."""
        return await threaded(partial(self._addons.usage_by_day, business, first, last))

    async def margins(self, business: str | None = None, days: int = 30) -> MarginTable:
        """See `AddOns.margins`."""
        return await threaded(partial(self._addons.margins, business, days))

    async def spending(self) -> tuple[WindowSpending, ...]:
        """See `AddOns.spending`."""
        return await threaded(self._addons.spending)

    async def statement(self, business: str, first: date, last: date) -> Statement:
        """See `AddOns.statement`."""
        return await threaded(partial(self._addons.statement, business, first, last))

    async def deliver(self, most: int = 100) -> Delivered:
        """See `AddOns.deliver`."""
        return await threaded(partial(self._addons.deliver, most))

    async def ledger(self, business: str, *, before: int | None = None, most: int | None = None) -> list[LedgerEntry]:
        """See `AddOns.ledger`."""
        return await threaded(partial(self._addons.ledger, business, before=before, most=most))

    async def transactions(self, business: str) -> list[Transaction]:
        """See `AddOns.transactions`."""
        return await threaded(partial(self._addons.transactions, business))

    async def audit(self, business: str = "") -> list[AuditEntry]:
        """See `AddOns.audit`."""
        return await threaded(partial(self._addons.audit, business))

    async def sweep(self, *, on_progress: OnProgress | None = None) -> int:
        """See `AddOns.sweep`."""
        return await threaded(partial(self._addons.sweep, on_progress=on_progress))

    async def doctor(self, business: str | None = None, *, on_progress: OnProgress | None = None) -> Report:
        """See `AddOns.doctor`."""
        return await threaded(partial(self._addons.doctor, business, on_progress=on_progress))

    async def heads(self) -> list[Head]:
        """See `AddOns.heads`; all of them at once."""
        return await threaded(lambda: list(self._addons.heads()))

    async def compare_heads(self, kept: Iterable[Head]) -> Report:
        """See `AddOns.compare_heads`."""
        return await threaded(partial(self._addons.compare_heads, kept))

    async def rebuild_usage(self, business: str) -> None:
        """See `AddOns.rebuild_usage`."""
        await threaded(partial(self._addons.rebuild_usage, business))

    async def price_list(self, business: str | None = None) -> PriceList:
        """See `AddOns.price_list`."""
        return await threaded(partial(self._addons.price_list, business))

    async def mask(self, text: str = "", *, data: object = None, known: object = None) -> Masked:
        """See `AddOns.mask`."""
        return await threaded(partial(self._addons.mask, text, data=data, known=known))

    async def warm_up(self) -> None:
        """See `AddOns.warm_up`."""
        await threaded(self._addons.warm_up)

    async def close(self) -> None:
        """See `AddOns.close`."""
        await threaded(self._addons.close)


class AsyncSubscriptions:
    """Monthly add-ons for async hosts."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def subscribe(self, business: str, *, paid: bool = False) -> SubscriptionBooking:
        """See `Subscriptions.subscribe`."""
        return await threaded(partial(self._addons.subscriptions.subscribe, business, paid=paid))

    async def pay(self, business: str, *, period: int | None = None) -> SubscriptionBooking:
        """See `Subscriptions.pay`."""
        return await threaded(partial(self._addons.subscriptions.pay, business, period=period))

    async def cancel(self, business: str, *, immediate: bool = False) -> SubscriptionBooking:
        """See `Subscriptions.cancel`."""
        return await threaded(partial(self._addons.subscriptions.cancel, business, immediate=immediate))

    async def resume(self, business: str) -> SubscriptionBooking:
        """See `Subscriptions.resume`."""
        return await threaded(partial(self._addons.subscriptions.resume, business))


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
        order = partial(self._addons.orders.start, business, pack, amount=amount, addon=addon, key=key, user=user)
        way = partial(order, email=email, gateway=gateway, phone=phone, network=network, card=card)
        return await threaded(partial(way, return_url=return_url))

    async def attempt(
        self,
        business: str,
        order: str,
        *,
        gateway: str | None = None,
        phone: str | None = None,
        network: str | None = None,
        card: str | None = None,
        return_url: str | None = None,
    ) -> Payment:
        """See `Payments.attempt`."""
        way = partial(self._addons.orders.attempt, business, order, gateway=gateway, phone=phone, network=network)
        return await threaded(partial(way, card=card, return_url=return_url))

    async def submit_otp(self, business: str, reference: str, otp: str) -> Payment:
        """See `Payments.submit_otp`."""
        return await threaded(partial(self._addons.orders.submit_otp, business, reference, otp))

    async def verify(self, business: str, reference: str) -> Applied:
        """See `Payments.verify`."""
        return await threaded(partial(self._addons.orders.verify, business, reference))

    async def cancel(self, business: str, order: str) -> Order:
        """See `Payments.cancel`."""
        return await threaded(partial(self._addons.orders.cancel, business, order))

    async def find(self, business: str, order: str) -> tuple[Order, tuple[Attempt, ...]]:
        """See `Payments.find`."""
        return await threaded(partial(self._addons.orders.find, business, order))

    async def history(self, business: str, most: int = 100, *, before: str | None = None) -> list[Order]:
        """See `Payments.history`."""
        return await threaded(partial(self._addons.orders.history, business, most, before=before))

    async def listed(
        self, business: str, most: int = 100, *, before: str | None = None
    ) -> list[tuple[Order, tuple[Attempt, ...]]]:
        """See `Payments.listed`."""
        return await threaded(partial(self._addons.orders.listed, business, most, before=before))

    async def bought(self, business: str) -> Credits:
        """See `Payments.bought`."""
        return await threaded(partial(self._addons.orders.bought, business))

    async def watch(self, business: str, order: str, *, every: timedelta) -> Watched:
        """See `Payments.watch`."""
        return await threaded(partial(self._addons.orders.watch, business, order, every=every))

    async def receipt(self, business: str, order: str) -> PaymentReceipt:
        """See `Payments.receipt`."""
        return await threaded(partial(self._addons.orders.receipt, business, order))

    async def credit_notes(self, business: str, order: str) -> tuple[CreditNote, ...]:
        """See `Payments.credit_notes`."""
        return await threaded(partial(self._addons.orders.credit_notes, business, order))

    async def cards(self, business: str) -> list[Card]:
        """See `Payments.cards`."""
        return await threaded(partial(self._addons.orders.cards, business))

    async def forget_card(self, business: str, card: str) -> bool:
        """See `Payments.forget_card`."""
        return await threaded(partial(self._addons.orders.forget_card, business, card))

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
        agree = partial(self._addons.orders.set_top_up, business, pack, below=below, actor=actor, card=card)
        most = {"most_per_day": most_per_day, "most_per_month": most_per_month, "most_failures": most_failures}
        return await threaded(partial(agree, most_price=most_price, cool_down=cool_down, enabled=enabled, **most))

    async def top_up_of(self, business: str) -> StandingTopUp | None:
        """See `Payments.top_up_of`."""
        return await threaded(partial(self._addons.orders.top_up_of, business))

    async def remove_top_up(self, business: str, *, actor: str) -> bool:
        """See `Payments.remove_top_up`."""
        return await threaded(partial(self._addons.orders.remove_top_up, business, actor=actor))

    async def top_up(self, business: str) -> Payment | None:
        """See `Payments.top_up`."""
        return await threaded(partial(self._addons.orders.top_up, business))

    async def apply(self, reference: str) -> Applied:
        """See `Payments.apply`."""
        return await threaded(partial(self._addons.orders.apply, reference))

    async def receive(self, gateway: str, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """See `Payments.receive`."""
        return await threaded(partial(self._addons.orders.receive, gateway, headers, body))

    async def work_inbox(self, most: int = 100) -> Worked:
        """See `Payments.work_inbox`."""
        return await threaded(partial(self._addons.orders.work_inbox, most))

    async def renew(self, *, on_progress: OnProgress | None = None) -> Renewed:
        """See `Payments.renew`."""
        return await threaded(partial(self._addons.orders.renew, on_progress=on_progress))

    async def expire(self) -> int:
        """See `Payments.expire`."""
        return await threaded(self._addons.orders.expire)

    async def reconcile(self, *, days: int = 7, on_progress: OnProgress | None = None) -> Reconciliation:
        """See `Payments.reconcile`."""
        return await threaded(partial(self._addons.orders.reconcile, days=days, on_progress=on_progress))

    async def quarantined(self, most: int = 100) -> list[Quarantined]:
        """See `Payments.quarantined`."""
        return await threaded(partial(self._addons.orders.quarantined, most))

    async def release(self, business: str, quarantine: str, *, actor: str, reason: str) -> Quarantined:
        """See `Payments.release`."""
        release = self._addons.orders.release
        return await threaded(partial(release, business, quarantine, actor=actor, reason=reason))

    async def mark_refunded(self, business: str, quarantine: str, *, actor: str, reason: str) -> Quarantined:
        """See `Payments.mark_refunded`."""
        mark = self._addons.orders.mark_refunded
        return await threaded(partial(mark, business, quarantine, actor=actor, reason=reason))

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
        send = partial(self._addons.orders.refund, business, order, amount, key=key)
        return await threaded(partial(send, actor=actor, reason=reason))

    async def money_back(self, business: str, order: str) -> MoneyBack:
        """See `Payments.money_back`."""
        return await threaded(partial(self._addons.orders.money_back, business, order))

    async def forgive(self, business: str, order: str, *, actor: str, reason: str) -> MoneyBack:
        """See `Payments.forgive`."""
        return await threaded(partial(self._addons.orders.forgive, business, order, actor=actor, reason=reason))


class AsyncLimits:
    """Spending limits and the kill switch for async hosts."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def set(
        self,
        scope: Scope,
        window: Window,
        amount: str | int | Decimal | Credits,
        *,
        business: str | None = None,
        key: str | None = None,
        actor: str,
    ) -> None:
        """See `Limits.set`."""
        limits = self._addons.limits
        await threaded(partial(limits.set, scope, window, amount, business=business, key=key, actor=actor))

    async def remove(
        self, scope: Scope, window: Window, *, business: str | None = None, key: str | None = None, actor: str
    ) -> bool:
        """See `Limits.remove`."""
        remove = partial(self._addons.limits.remove, scope, window, business=business, key=key, actor=actor)
        return await threaded(remove)

    async def of(self, business: str) -> list[Limit]:
        """See `Limits.of`."""
        return await threaded(partial(self._addons.limits.of, business))

    async def paused(self, business: str | None = None) -> list[Switch]:
        """See `Limits.paused`."""
        return await threaded(partial(self._addons.limits.paused, business))

    async def pause(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> None:
        """See `Limits.pause`."""
        pause = partial(self._addons.limits.pause, business=business, feature=feature, actor=actor, reason=reason)
        await threaded(pause)

    async def resume(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> bool:
        """See `Limits.resume`."""
        resume = partial(self._addons.limits.resume, business=business, feature=feature, actor=actor, reason=reason)
        return await threaded(resume)


class AsyncPrices:
    """Prices and packs with a date from which they hold, for async hosts."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def listing(self, spec: FeatureSpec) -> Listing:
        """See `Prices.listing`."""
        return await threaded(partial(self._addons.prices.listing, spec))

    async def publish(
        self,
        feature: str,
        credits: str | int | Decimal | Credits,  # noqa: A002  # the word of the price list
        *,
        effective_from: datetime | None = None,
        loss_leader: bool = False,
        actor: str,
    ) -> Published:
        """See `Prices.publish`."""
        publish = partial(self._addons.prices.publish, feature, credits, loss_leader=loss_leader, actor=actor)
        return await threaded(partial(publish, effective_from=effective_from))

    async def history(self, feature: str) -> list[PriceVersion]:
        """See `Prices.history`."""
        return await threaded(partial(self._addons.prices.history, feature))

    async def publish_pack(self, pack: Pack, *, effective_from: datetime | None = None, actor: str) -> PublishedPack:
        """See `Prices.publish_pack`."""
        publish = partial(self._addons.prices.publish_pack, pack, effective_from=effective_from, actor=actor)
        return await threaded(publish)

    async def withdraw_pack(self, pack: str, *, effective_from: datetime | None = None, actor: str) -> PublishedPack:
        """See `Prices.withdraw_pack`."""
        withdraw = partial(self._addons.prices.withdraw_pack, pack, effective_from=effective_from, actor=actor)
        return await threaded(withdraw)


class AsyncAnswers:
    """The answer cache for async hosts."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def stats(self, business: str | None = None, days: int = 30) -> CacheStats:
        """See `Answers.stats`."""
        return await threaded(partial(self._addons.answers.stats, business, days))

    async def clear(self, *, feature: str | None = None, business: str | None = None) -> int:
        """See `Answers.clear`."""
        return await threaded(partial(self._addons.answers.clear, feature=feature, business=business))


class AsyncBilling:
    """The first plan's four methods for async hosts."""

    def __init__(self, service: Callable[[], BillingService]) -> None:
        self._service = service

    async def check_credits(self, business_id: str, feature: str) -> CreditCheck:
        """See `BillingService.check_credits`."""
        return await threaded(partial(self._service().check_credits, business_id, feature))

    async def charge_credits(  # noqa: PLR0913, PLR0917  # the first plan's arguments
        self,
        business_id: str,
        user_id: str | None,
        feature: str,
        actual_openai_cost_usd: Decimal | str | float | None,
        input_tokens: int = 0,
        output_tokens: int = 0,
        response_time_ms: int = 0,
        request_data: Mapping[str, object] | None = None,
        response_summary: str | None = None,
        idempotency_key: str | None = None,
    ) -> CreditCharge:
        """See `BillingService.charge_credits`."""
        charge = partial(self._service().charge_credits, business_id, user_id, feature, actual_openai_cost_usd)
        sized = partial(charge, input_tokens, output_tokens, response_time_ms)
        return await threaded(partial(sized, request_data, response_summary, idempotency_key))

    async def log_failed_transaction(
        self,
        business_id: str,
        user_id: str | None,
        feature: str,
        error_message: str,
        request_data: Mapping[str, object] | None = None,
    ) -> None:
        """See `BillingService.log_failed_transaction`."""
        log = partial(self._service().log_failed_transaction, business_id, user_id, feature, error_message)
        await threaded(partial(log, request_data))

    async def get_usage_stats(self, business_id: str, days: int = 30) -> UsageStats:
        """See `BillingService.get_usage_stats`."""
        return await threaded(partial(self._service().get_usage_stats, business_id, days))
