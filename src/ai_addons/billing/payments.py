"""Buying credits: orders, attempts to pay them, and what becomes of them.

Whatever says that something was paid, a browser that comes back, a webhook or the
reconciler, ends in `Payments.apply`: it asks the gateway, and grants exactly once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ai_addons.billing.applying import Applying
from ai_addons.billing.gateways.base import PhoneGateway
from ai_addons.billing.inbox import Inbox
from ai_addons.billing.opening import Payment, Way
from ai_addons.billing.order_rows import read_saved
from ai_addons.billing.ordering import Ordering
from ai_addons.billing.orders import OWN_KEYS
from ai_addons.billing.payers import Payers
from ai_addons.billing.payment_desk import PaymentDesk
from ai_addons.billing.payment_jobs import PaymentJobs
from ai_addons.billing.receipting import Receipting
from ai_addons.billing.records import check_id
from ai_addons.billing.refunds import Refunds
from ai_addons.billing.renewing import Renewing
from ai_addons.billing.retrying import ask_before
from ai_addons.billing.selling import Wanted
from ai_addons.billing.sending_back import SendingBack
from ai_addons.billing.sql import purchases as sql
from ai_addons.billing.standing import StandingOrders, in_cedis
from ai_addons.billing.topping_up import ToppingUp
from ai_addons.billing.watching import Watching
from ai_addons.money import MICRO, Money

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from decimal import Decimal

    from ai_addons.billing.applying import Applied
    from ai_addons.billing.books import Books
    from ai_addons.billing.clawback import ShortfallPolicy
    from ai_addons.billing.opening import Shop
    from ai_addons.billing.orders import Attempt, Card, Order
    from ai_addons.billing.receipts import CreditNote, PaymentReceipt
    from ai_addons.billing.watching import Watched
    from ai_addons.money import Credits


class Payments(StandingOrders, PaymentJobs, PaymentDesk):
    """Orders of a business, and the payments that come for them.

    Args:
        books: The open books.
        shop: What orders are made with.
        names: Names of the gateways of the settings.
        shortfall: What becomes of credits that a refund or dispute should take back but are spent.
    """

    def __init__(
        self, books: Books, shop: Shop, *, names: Callable[[], tuple[str, ...]], shortfall: ShortfallPolicy = "clamp"
    ) -> None:
        self._books = books
        self._shop = shop
        self._names = names
        self._ordering = Ordering(books, shop)
        self._back = SendingBack(books, shop, self._ordering, Refunds(books, policy=shortfall))
        self._receipts = Receipting(books, shop.receipts)
        self._applying = Applying(books, shop, self._back.look_back, self._receipts.number)
        payers = Payers(books, shop, names)
        self._renewing = Renewing(books, self._ordering, payers, self._settled)
        super().__init__(ToppingUp(books, self._ordering, payers, self._settled, self.apply))
        self._watching = Watching(books, self._ordering, self._applying)
        self._inbox = Inbox(books, shop, self._ordering, self._applying, self._back.look_back)

    @property
    def gateways(self) -> tuple[str, ...]:
        """Names of the gateways that are configured, the usual one first; empty if nobody can pay."""
        return self._names()

    @property
    def prompts_phones(self) -> bool:
        """Whether the usual gateway can ask for a payment on a telephone.

        Raises:
            ConfigError: If no gateway is configured.
        """
        return isinstance(self._shop.gateway(None), PhoneGateway)

    def start(  # noqa: PLR0913  # an order and the way to pay it have that many sides
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
        """Order a pack or the next month of the add-on, and open the first attempt to pay it.

        The payer uses the gateway's page (`Attempt.url`) unless a phone is to be prompted or a saved card charged.
        The price is that of the business's policy now. Nothing is granted before the gateway says it was paid.

        Args:
            business: Who buys.
            pack: Type of the pack; ``CUSTOM`` for one of any size.
            amount: What to pay for a ``CUSTOM`` pack, in cedis.
            addon: Buy the next unpaid month of the add-on, taken now if the business has none.
            key: What makes it one order. A repeat gives the same order and attempt, and never prompts twice; after a
                gateway that refused, or a process that died, it goes on.
            user: Who ordered.
            email: The payer's billing address; None to ask the host's profile.
            gateway: Name of the gateway; None for the first of ``payments.gateways``.
            phone: Prompt this telephone.
            network: Its network: ``mtn``, ``telecel`` or ``at``.
            card: Id of a saved card to charge.
            return_url: Where the payer's browser comes back to; None for ``payments.return_url``.

        Raises:
            ValueError: If it names nothing on sale or two things at once, the amount is out of bounds, or the key
                begins with ``auto-top-up:`` or ``renewal:``, as those of automatic orders do.
            PaymentError: If the pack is not on sale, there is no e-mail address, or the gateway cannot charge that way.
            PaymentPending: If the same order is being opened right now.
            IdempotencyConflict: If the key ordered something else.
            AddonNotOffered: If the policy sells no add-on.
            GatewayError: If the gateway refused, or nobody can say; the order stands, so repeat it with its key.
            ConfigError: If no gateway is configured.
        """
        if key is not None and key.startswith(OWN_KEYS):
            msg = f"a key that begins with {' or '.join(OWN_KEYS)} is an automatic order's; nothing was ordered"
            raise ValueError(msg)
        wanted = Wanted(pack=pack, amount=in_cedis(amount), addon=addon)
        way = Way(gateway=gateway, phone=phone, network=network, card=card, return_url=return_url)
        return self._settled(self._ordering.start(business, wanted, way, key=key, user=user, email=email))

    def attempt(  # as above
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
        """Try once more to pay an order: another page, another phone. Other arguments are those of `start`.

        A repeat under the same key gives the same attempt and never prompts twice, whatever became of the first
        caller: the gateway is asked about it first.

        Should two attempts be paid, the second goes into quarantine and is sent back by an operator. A saved card is
        charged without anybody's approval: so the gateway is asked about attempts without an end before one is, and
        nothing else is tried while one is.

        Raises:
            NotFound: If the business has no such order.
            PaymentError: If the order is no longer pending.
            PaymentPending: If a saved card is being charged for it, or the same attempt is being opened right now.
            GatewayError: If the gateway refused, or nobody can say.
        """
        ask_before(self._ordering.find(business, order)[1], self._applying.apply, by_card=card is not None)
        way = Way(gateway=gateway, phone=phone, network=network, card=card, return_url=return_url)
        return self._settled(self._ordering.attempt(business, order, way, key=key))

    def submit_otp(self, business: str, reference: str, otp: str) -> Payment:
        """Give the code that the payer was sent (Telecel); a wrong one ends the attempt.

        Raises:
            NotFound: If the business has no such attempt.
            PaymentError: If the attempt takes no code.
            GatewayError: If the gateway cannot be used.
        """
        return self._settled(self._ordering.submit_otp(business, reference, otp))

    def verify(self, business: str, reference: str) -> Applied:
        """Ask the gateway what became of an attempt, and grant what was paid; the page a payer returns to does this.

        Raises:
            NotFound: If the business has no such attempt. Another business's looks the same.
            GatewayError: If the gateway cannot be asked; look again later.
        """
        check_id(business, "a business id")
        return self._applying.apply(reference, business=business)

    def cancel(self, business: str, order: str) -> Order:
        """Give up an order that is not paid; a payment that is on its way is honoured all the same.

        Raises:
            NotFound: If the business has no such order.
            PaymentError: If it is paid, or its payment is in quarantine.
        """
        return self._ordering.cancel(business, order)

    def find(self, business: str, order: str) -> tuple[Order, tuple[Attempt, ...]]:
        """An order of a business with its attempts, oldest first.

        Raises:
            NotFound: If the business has no such order.
        """
        return self._ordering.find(business, order)

    def history(self, business: str, most: int = 100, *, before: str | None = None) -> list[Order]:
        """The orders of a business, the newest first.

        Args:
            business: Whose.
            most: How many at most.
            before: Only orders older than the one of this id; None for no bound.
        """
        return [order for order, _ in self.listed(business, most, before=before)]

    def listed(
        self, business: str, most: int = 100, *, before: str | None = None
    ) -> list[tuple[Order, tuple[Attempt, ...]]]:
        """The same, each with its attempts, oldest first."""
        return self._watching.listed(business, most, before=before)

    def bought(self, business: str) -> Credits:
        """All credits that a business ever paid for, the bonus of packs and months of the add-on among them."""
        return self._watching.bought(business)

    def watch(self, business: str, order: str, *, every: timedelta) -> Watched:
        """An order as it is now, for a page that waits for its payment.

        The gateway is asked about an attempt that is open, unless anybody, on any host, asked a moment ago; if it
        cannot be asked, the order is shown as it is known.

        Args:
            business: Whose.
            order: Its id.
            every: Least time between two questions.

        Raises:
            NotFound: If the business has no such order.
        """
        return self._watching.watch(business, order, every=round(every.total_seconds() * MICRO))

    def receipt(self, business: str, order: str) -> PaymentReceipt:
        """The receipt of a paid order, numbered without gaps; `PaymentReceipt.text` and ``.html`` show it.

        Raises:
            NotFound: If the business has no such order.
            PaymentError: If it is not paid, or with money whose worth in cedis is not known.
            ConfigError: If ``receipts.seller`` is not set, or ``receipts.prices_include_tax`` is false.
        """
        return self._receipts.receipt(business, order)

    def credit_notes(self, business: str, order: str) -> tuple[CreditNote, ...]:
        """A credit note for each refund of an order that is done; shown like a receipt. Errors are those of `receipt`.

        A refund that its bank sends back later loses its note, and the number stays used.
        """
        return self._receipts.notes(business, order)

    def cards(self, business: str) -> list[Card]:
        """Cards that may be charged again, the newest first; without the code that charges them."""
        check_id(business, "a business id")
        rows = self._books.database.read(lambda tx: tx.rows(sql.CARDS, {"business": business}))
        return [read_saved(row) for row in rows]

    def forget_card(self, business: str, card: str) -> bool:
        """Forget a card; whether there was one."""
        asked = {"business": business, "card": card}
        return self._books.database.write(lambda tx: tx.changed(sql.DROP_CARD, asked)) == 1

    def _settled(self, payment: Payment) -> Payment:
        """A prompt or a card may be paid at once: the gateway is asked, as always."""
        if payment.attempt.state != "open" or payment.attempt.outcome != "paid":
            return payment
        applied = self._applying.apply(payment.attempt.reference)
        return replace(payment, order=applied.order, attempt=applied.attempt)
