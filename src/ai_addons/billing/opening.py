"""What a gateway is asked for an attempt, outside any transaction, and what it says at once.

A process that dies meanwhile leaves an attempt that is `started`; whoever comes
next asks the gateway what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NoReturn

from ai_addons.billing.gateways.base import CardGateway, Charge, Outcome, PaymentRequest, PhoneGateway
from ai_addons.billing.order_rows import attempt_values, read_attempt, read_card, read_order, the
from ai_addons.billing.orders import Attempt, Order, described
from ai_addons.billing.sql import purchases as sql
from ai_addons.errors import GatewayError, NotFound, PaymentError, PaymentPending
from ai_addons.money import MICRO
from ai_addons.settings import ReceiptSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.gateways.base import Checkout, Gateway, SavedCard
    from ai_addons.billing.orders import AttemptState
    from ai_addons.billing.prices import PackVersion
    from ai_addons.billing.sql import Row
    from ai_addons.billing.wallet import LockedWallet

LEASE: Final = 60 * MICRO
"""Microseconds for which an attempt belongs to whoever asks the gateway for it; more than a gateway's timeout."""

_LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How an attempt is to be paid: on the gateway's page unless a phone or a card is named.

    Attributes:
        gateway: Name of the gateway; None for the first of the settings.
        phone: Prompt this telephone.
        network: Its network: ``mtn``, ``telecel`` or ``at``; the payer says which.
        card: Id of a saved card to charge, with nobody present.
        return_url: Where the payer's browser comes back to; None for that of the settings.
    """

    gateway: str | None = None
    phone: str | None = field(default=None, repr=False)
    network: str | None = None
    card: str | None = None
    return_url: str | None = None

    def __post_init__(self) -> None:
        """Refuse half a telephone, and two ways at once.

        Raises:
            ValueError: If so.
        """
        if (self.phone is None) != (self.network is None) or (self.phone is not None and self.card is not None):
            msg = "name a phone with its network, or a saved card, or neither; nothing was ordered"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """An order with the attempt at hand.

    Attributes:
        order: The order.
        attempt: The attempt that was made last.
        replayed: Whether it was there already.
    """

    order: Order
    attempt: Attempt
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What orders are made with.

    Attributes:
        gateway: Finds a gateway by name; None names the first one.
        packs: Every published version of a pack; asked outside any transaction.
        return_url: Where payers come back to.
        abandon_after: Microseconds after which an order that nobody paid is given up.
        receipts: Who sells, and which taxes are in the price.
    """

    gateway: Callable[[str | None], Gateway]
    packs: Callable[[], Sequence[PackVersion]]
    return_url: str | None = None
    abandon_after: int = 86_400 * MICRO
    receipts: ReceiptSettings = field(default_factory=ReceiptSettings)


class Opening:
    """Carries an attempt to its gateway.

    Args:
        books: The open books.
        shop: What orders are made with.
    """

    def __init__(self, books: Books, shop: Shop) -> None:
        self._books = books
        self._shop = shop

    def open(self, payment: Payment, way: Way) -> Payment:
        """Tell the gateway of an attempt, and keep what it says."""
        try:
            answer = self._ask(payment, way)
        except PaymentError as error:
            # Any other than the gateway's own was raised before it heard of the attempt.
            lost, reason = (error.may_exist, error.reason) if isinstance(error, GatewayError) else (False, str(error))
            state: AttemptState = "started" if lost else "failed"
            self.keep(
                payment, replace(payment.attempt, state=state, reason=f"{error.code}: {reason}"[:_LONGEST_REASON])
            )
            raise
        if isinstance(answer, Charge):
            return self.keep(payment, answered(payment.attempt, answer))
        asked = answer.charged or payment.attempt.asked
        told = replace(payment.attempt, state="open", url=answer.url, asked=asked, rate=answer.rate)
        return self.keep(payment, told)

    def _ask(self, payment: Payment, way: Way) -> Checkout | Charge:
        order, attempt = payment.order, payment.attempt
        gateway = self._shop.gateway(attempt.gateway)
        request = PaymentRequest(
            reference=attempt.reference,
            amount=attempt.asked,
            email=order.email,
            description=described(order),
            return_url=way.return_url or self._shop.return_url,
            metadata={"order": order.id},
        )
        if isinstance(gateway, PhoneGateway) and way.phone is not None and way.network is not None:
            return gateway.charge_phone(request, phone=way.phone, network=way.network)
        if isinstance(gateway, CardGateway) and way.card is not None:
            card = self._card(order.business, gateway.name, way.card)
            return gateway.charge_card(replace(request, email=card.email), card)
        return gateway.checkout(request)

    def _card(self, business: str, gateway: str, card: str) -> SavedCard:
        rows = self._books.database.read(lambda tx: tx.rows(sql.CARDS, {"business": business}))
        return the([row for row in rows if (row.id, row.gateway) == (card, gateway)], read_card)

    def resume(self, payment: Payment, way: Way, again: Callable[[], Payment]) -> Payment:
        """Go on where the first caller left off: its process may have died, or the gateway's answer was lost.

        Args:
            payment: The order with its last attempt.
            way: How it is to be paid.
            again: Makes another attempt.

        Raises:
            PaymentPending: If the first caller may still be at it.
            GatewayError: If the gateway cannot be used.
        """
        attempt = payment.attempt
        if payment.order.state != "pending":
            # It is paid, or was given up meanwhile: nobody is asked to pay any more. The reconciler asks about it.
            return payment
        if attempt.state == "failed" and attempt.outcome is None:
            # The gateway refused the request itself; nobody has been asked to pay.
            return replace(again(), replayed=True)
        if attempt.state != "started":
            return payment
        if attempt.reason is None and self._books.about_now() - attempt.created_at < LEASE:
            raise PaymentPending
        known = self._shop.gateway(attempt.gateway).fetch(attempt.reference)
        if known is None:
            # It was never created, and its reference is free to be sent again.
            return replace(self.open(payment, way), replayed=True)
        kept = self.keep(payment, answered(attempt, known))
        if known.outcome is not Outcome.PENDING or attempt.method is not None:
            return replace(kept, replayed=True)
        # It is there, but its page is lost: another attempt has one.
        return replace(again(), replayed=True)

    def keep(self, payment: Payment, told: Attempt) -> Payment:
        """Write down what the gateway said, unless somebody has learnt more of it meanwhile."""

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Payment:
            now = the(wallet.tx.rows(sql.ATTEMPT, {"reference": told.reference}), read_attempt)
            order = the(found[0], read_order)
            if now != payment.attempt:
                return replace(payment, order=order, attempt=now)
            kept = replace(told, checked_at=wallet.now)
            wallet.tx.write(sql.SAVE_ATTEMPT, {"of_reference": kept.reference, **attempt_values(kept)})
            return replace(payment, order=order, attempt=kept)

        key = {"business": told.business, "order": told.order}
        return self._books.on(told.business, work, (sql.ORDER, key), without=no_wallet)


def answered(attempt: Attempt, charge: Charge) -> Attempt:
    """An attempt after a gateway's first answer; whether it paid is not decided here."""
    return replace(
        attempt,
        method=charge.method or attempt.method,
        state="failed" if charge.outcome is Outcome.FAILED else "open",
        next_step=charge.next_step,
        outcome=charge.outcome.value,
        raw_status=charge.raw_status,
        reason=charge.reason[:_LONGEST_REASON] or None,
    )


def no_wallet(*_: object) -> NoReturn:
    """A business without a wallet has no orders.

    Raises:
        NotFound: Always.
    """
    raise NotFound
