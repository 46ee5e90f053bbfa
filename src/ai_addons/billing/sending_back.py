"""Money sent back, and money that a gateway says went back: gateway, order and claw-back together.

A refund is in the books before the gateway hears of it. What the gateway says of
refunds and disputes is asked for outside any transaction and booked by `Refunds`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.billing.applying import tell_reversed
from ai_addons.billing.clawback import PaidOrder, dispute_state, refund_state
from ai_addons.billing.gateways.base import AuditableGateway, Dispute, Outcome
from ai_addons.billing.gateways.conversion import share
from ai_addons.billing.opening import LEASE
from ai_addons.billing.order_rows import collected, read_attempt
from ai_addons.billing.sql import purchases as sql
from ai_addons.billing.sql import reversals
from ai_addons.errors import AddOnsError, GatewayError, PaymentError, PaymentMismatch, StoreUnavailable
from ai_addons.events import OperatorAlert, emit
from ai_addons.money import Money

if TYPE_CHECKING:
    from ai_addons.billing.books import Books
    from ai_addons.billing.clawback import RefundRecord
    from ai_addons.billing.gateways.base import Charge, Refund
    from ai_addons.billing.opening import Shop
    from ai_addons.billing.ordering import Ordering
    from ai_addons.billing.orders import Attempt, Order
    from ai_addons.billing.refunds import MoneyBack, Refunds

# Of an amount that is given in another currency than was charged: shares are rounded half up.
_ROUNDED: Final = 1

Fate: TypeAlias = Literal["booked", "known", "unknown"]
"""What came of what a gateway's list tells."""


class SendingBack:
    """Sends money of paid orders back, and follows what gateways tell of it.

    Args:
        books: The open books.
        shop: Finds gateways.
        ordering: Finds orders.
        refunds: Books what went back.
    """

    def __init__(self, books: Books, shop: Shop, ordering: Ordering, refunds: Refunds) -> None:
        self._books = books
        self._shop = shop
        self._ordering = ordering
        self._refunds = refunds

    def refund(
        self, business: str, order: str, amount: Money | None, *, key: str, actor: str, reason: str
    ) -> MoneyBack:
        """Freeze the credits, send the money back, and book what the gateway says of it.

        Under a key that was used before nothing is sent twice: what became of it is asked, and only what never
        reached the gateway is sent again.

        Raises:
            NotFound: If the business has no such order.
            PaymentError: If it is not paid, or nobody can say whether it was sent.
            PaymentMismatch: If that is more than is left of its money.
            PaymentPending: If the same refund is being sent right now.
            IdempotencyConflict: If the key sent back another amount.
            GatewayError: If the gateway refused, and the credits are free again; or, with ``may_exist``, if nobody
                can say: they stay frozen, so repeat it with its key.
        """
        found, attempt = self._paid(business, order)
        paid = self._paid_order(found, attempt)
        wanted = None if amount is None else _as_charged(amount, found, paid)
        slack = 0 if wanted == amount else _ROUNDED
        back = self._refunds.ask(paid, wanted, key=key, actor=actor, reason=reason, slack=slack)
        if back.replayed:
            self._follow(paid, attempt)
        asked, ours = self._refunds.take(paid, key=key, lease=LEASE if back.replayed else 0)
        if not ours:
            return self._refunds.look(paid)
        if back.replayed and not isinstance(self._shop.gateway(attempt.gateway), AuditableGateway):
            msg = (
                "Nobody can say whether the gateway carried this refund out. Nothing was sent again and its credits "
                "stay frozen. Look at the gateway's own page."
            )
            raise PaymentError(msg)
        return self._send(paid, attempt, asked, key)

    def _send(self, paid: PaidOrder, attempt: Attempt, asked: RefundRecord, key: str) -> MoneyBack:
        gateway = self._shop.gateway(attempt.gateway)
        try:
            refund = gateway.refund(
                paid.reference, Money.from_minor(asked.amount_minor, paid.currency), note=f"order {paid.id}, {key}"
            )
        except PaymentError as error:
            if not (isinstance(error, GatewayError) and error.may_exist):
                self._refunds.withdraw(paid, key=key)
            raise
        return self._refunds.apply_refund(paid, refund, key=key)

    def look(self, business: str, order: str) -> MoneyBack:
        """How much of an order's money went back, and what that did to its credits, as the books know it."""
        return self._refunds.look(self._paid_order(*self._paid(business, order)))

    def forgive(self, business: str, order: str, *, actor: str, reason: str) -> MoneyBack:
        """Write off what is owed for an order's spent credits."""
        return self._refunds.forgive(self._paid_order(*self._paid(business, order)), actor=actor, reason=reason)

    # What gateways tell.

    def look_back(self, order: Order, attempt: Attempt) -> None:
        """Ask about the refunds and disputes of an attempt, and book them; as often as one likes.

        The operator is told of what cannot be booked: a gateway that cannot be asked for them, money that went back
        without either, and that of a payment which granted nothing.

        Raises:
            GatewayError: If the gateway cannot be asked just now.
        """
        known, _ = self._ordering.find(order.business, order.id)
        if known.paid_at is None:
            return
        gateway = self._shop.gateway(attempt.gateway)
        bookable = known.paid_reference == attempt.reference
        if not bookable or not isinstance(gateway, AuditableGateway):
            self._tell(known, attempt)
            return
        try:
            paid = self._paid_order(known, attempt)
        except PaymentError:
            # How much it was is not known.
            self._tell(known, attempt)
            return
        self._follow(paid, attempt)
        back = self._refunds.look(paid)
        if attempt.outcome == Outcome.REVERSED.value and not back.fully_reversed and not back.disputed:
            self._tell(known, attempt)

    def hear(self, told: Refund | Dispute) -> Fate:
        """Look into an order if what a gateway's list tells of it is news.

        Returns:
            ``unknown`` if there is no such attempt; ``known`` if the books have it so, or it paid for no order.

        Raises:
            GatewayError: If the gateway cannot be asked just now.
        """
        rows = self._books.database.read(lambda tx: tx.rows(sql.ATTEMPT, {"reference": told.reference}))
        if not rows:
            return "unknown"
        order, attempt = self._ordering.find(rows[0].business_id, rows[0].order_id)[0], read_attempt(rows[0])
        if order.paid_reference != attempt.reference or self._has(order, told):
            return "known"
        self.look_back(order, attempt)
        return "booked" if self._has(order, told) else "known"

    def _has(self, order: Order, told: Refund | Dispute) -> bool:
        """Whether the books have a refund or dispute as far as the gateway tells it."""
        key = {"business": order.business, "order": order.id}
        refunds, disputes = self._books.database.read(
            lambda tx: tx.gather((reversals.REFUNDS, key), (reversals.DISPUTES, key))
        )
        if isinstance(told, Dispute):
            return any(row.id == told.id and dispute_state(row.state, told) == row.state for row in disputes)
        return any(row.gateway_id == told.id and refund_state(row.state, told.outcome) == row.state for row in refunds)

    def _tell(self, order: Order, attempt: Attempt) -> None:
        self._books.on(order.business, lambda wallet, _: tell_reversed(wallet, order, attempt))

    def _follow(self, paid: PaidOrder, attempt: Attempt) -> None:
        gateway = self._shop.gateway(attempt.gateway)
        if not isinstance(gateway, AuditableGateway):
            return
        refunds, disputes = gateway.refunds(paid.reference), gateway.disputes(paid.reference)
        unclear = any(not one.open and one.lost is None for one in disputes)
        charge = gateway.fetch(paid.reference) if unclear else None
        try:
            for refund in refunds:
                self._refunds.apply_refund(paid, refund)
            for dispute in disputes:
                self._refunds.apply_dispute(paid, decided(dispute, charge))
        except PaymentMismatch as error:
            # The payer is not to blame, and the next look finds the same.
            alert = OperatorAlert(code="refund_mismatch", detail=f"{paid.reference}: order {paid.id}: {error}")
            emit(self._books.terms.hooks, alert)

    def work(self, most_failures: int) -> tuple[tuple[str, str], ...]:
        """Ask again about every order whose refund or dispute has no end yet.

        Args:
            most_failures: So many gateways that do not answer in a row leave the rest for the next time.

        Returns:
            Orders that could not be asked about, each with the code of the error; they keep no other waiting.

        Raises:
            StoreUnavailable: If the database cannot be used.
        """
        failed, in_a_row = list[tuple[str, str]](), 0
        for row in self._books.database.read(lambda tx: tx.rows(sql.GOING_BACK, {})):
            try:
                self.look_back(*self._paid(row.business_id, row.order_id))
            except StoreUnavailable:
                raise
            except AddOnsError as error:
                failed.append((row.order_id, error.code))
                # Each may cost a timeout; that a gateway is not in the settings any more costs nothing.
                in_a_row += isinstance(error, GatewayError)
            else:
                in_a_row = 0
            if in_a_row == most_failures:
                break
        return tuple(failed)

    # What an order was paid with.

    def _paid(self, business: str, order: str) -> tuple[Order, Attempt]:
        found, attempts = self._ordering.find(business, order)
        attempt = next((one for one in attempts if one.reference == found.paid_reference), None)
        if attempt is None:
            msg = f"This order is {found.state}. Nothing was paid for it, so nothing can go back."
            raise PaymentError(msg)
        return found, attempt

    def _paid_order(self, order: Order, attempt: Attempt) -> PaidOrder:
        named = {"reference": attempt.reference}
        minor, currency = collected(attempt, self._books.database.read(lambda tx: tx.rows(sql.RELEASED, named)))
        if not minor or currency is None:
            msg = "The gateway never said how much was paid. Nothing was sent back. Look at the gateway's own page."
            raise PaymentError(msg)
        return PaidOrder(
            business=order.business,
            id=order.id,
            reference=attempt.reference,
            paid_minor=minor,
            currency=currency,
            credits=order.credits - order.bonus,
            bonus=order.bonus,
            month=None if order.subscription is None else f"{order.subscription}:{order.period}",
        )


def decided(dispute: Dispute, charge: Charge | None) -> Dispute:
    """A dispute that is over, but does not say for whom: the payment tells (docs "Disputes").

    Args:
        dispute: As the gateway tells it.
        charge: The payment as it is now.
    """
    if dispute.open or dispute.lost is not None or charge is None:
        return dispute
    ends = {Outcome.REVERSED: True, Outcome.PAID: False}
    return replace(dispute, lost=ends.get(charge.outcome))


def _as_charged(amount: Money, order: Order, paid: PaidOrder) -> Money:
    """An amount in the currency that was charged; of the price the same share of what was charged."""
    if amount.currency == paid.currency or amount.currency != order.price.currency:
        return amount
    minor = share(amount.minor, of=order.price.minor, whole=paid.paid_minor)
    return Money.from_minor(minor, paid.currency)
