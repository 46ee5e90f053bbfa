"""Renewals of monthly add-ons: an order for each month that falls due, paid by a saved card or by its owner.

An order is opened once for each add-on and month, whoever runs this how often. A
card that may be charged again is charged on the day; it is tried once. Without
one, or when it is declined, the order waits for the owner with a page to pay on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.addon import REMINDERS, period_start
from ai_addons.billing.opening import Payment, Way
from ai_addons.billing.orders import RENEWAL, facts
from ai_addons.billing.progress import Stage
from ai_addons.billing.rows import read_subscription
from ai_addons.billing.selling import Wanted
from ai_addons.billing.sql import purchases as sql
from ai_addons.errors import AddOnsError, GatewayError, PaymentPending, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_addons.billing.books import Books
    from ai_addons.billing.ordering import Ordering
    from ai_addons.billing.orders import Attempt, Order
    from ai_addons.billing.payers import Payers
    from ai_addons.billing.policy import Subscription
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.sql import Row

PAYMENT_WANTED: Final = "addon.payment_wanted"
"""Topic of the page on which an owner pays for a renewal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """What a round over the add-ons and the automatic top-ups did.

    Attributes:
        paid: Months that a saved card paid for now.
        waiting: Months and top-ups whose order waits for its owner, or for a charge that is not finished.
        failed: Business and code of the error, for those that could not be asked; they are tried again next time.
        topped_up: Packs that a saved card bought now.
        declined: Top-ups whose card was declined now.
    """

    paid: int = 0
    waiting: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    topped_up: int = 0
    declined: int = 0


class Renewing:
    """Opens and collects renewals.

    Args:
        books: The open books.
        ordering: Makes orders.
        payers: Finds saved cards.
        settled: Asks what became of a charge that may be paid at once.
    """

    def __init__(
        self,
        books: Books,
        ordering: Ordering,
        payers: Payers,
        settled: Callable[[Payment], Payment],
    ) -> None:
        self._books = books
        self._ordering = ordering
        self._payers = payers
        self._settled = settled

    def run(self, on_progress: OnProgress | None = None) -> Renewed:
        """Work on every add-on whose next month may be paid for by now.

        Args:
            on_progress: Is told of every add-on.

        Raises:
            StoreUnavailable: If the database cannot be used; run it again.
        """
        paid = waiting = 0
        failed = list[tuple[str, str]]()
        stage = Stage(on_progress, "monthly add-ons looked at", self._several)
        for subscription in stage.over(self._subscriptions()):
            try:
                payment = self._one(subscription)
            except StoreUnavailable:
                raise
            except PaymentPending:
                # Another machine is at it.
                waiting += 1
            except AddOnsError as error:
                # One business's trouble keeps no other waiting.
                failed.append((subscription.business, error.code))
            else:
                done = payment is not None and payment.order.paid_at is not None
                paid, waiting = paid + done, waiting + (payment is not None and not done)
        return Renewed(paid=paid, waiting=waiting, failed=tuple(failed))

    def _subscriptions(self) -> Iterator[Subscription]:
        after = ""
        while rows := self._page(after):
            yield from map(read_subscription, rows)
            after = rows[-1].business_id

    def _several(self) -> int:
        (row,) = self._books.database.read(lambda tx: tx.rows(sql.SEVERAL_RENEWABLE, {}))
        return int(row.addons)

    def _page(self, after: str) -> list[Row]:
        return self._books.database.read(lambda tx: tx.rows(sql.RENEWABLE, {"after": after}))

    def _one(self, subscription: Subscription) -> Payment | None:
        period = subscription.paid_through + 1
        opens, now = period_start(subscription, period), self._books.about_now()
        if now < opens + REMINDERS[0]:
            return None
        card = self._payers.card(subscription.business)
        if card is not None and now < opens:
            return None
        way = Way() if card is None else Way(gateway=card.gateway, card=card.id)
        key = f"{RENEWAL}{subscription.id}:{period}"
        try:
            started = self._ordering.start(
                subscription.business, Wanted(addon=True), way, key=key, email=self._payers.email(subscription.business)
            )
            if started.order.paid_at is not None:
                # By another machine, since the add-ons were read.
                return None
            payment = self._settled(started)
        except GatewayError as error:
            if card is None or error.may_exist or not self._is_refused(subscription, period):
                raise
            # The card was refused as such: the owner pays on a page.
            return self._by_page(subscription, period)
        if payment.order.state == "pending" and (payment.attempt.url or payment.attempt.state == "failed"):
            return self._by_page(subscription, period)
        return payment

    def _is_refused(self, subscription: Subscription, period: int) -> bool:
        """Whether the charge itself was refused, or its order given up.

        The question what became of a charge may fail too, and then it may have paid.
        """
        found = self._order_of(subscription, period)
        return found is None or found[1][-1].state == "failed"

    def _order_of(self, subscription: Subscription, period: int) -> tuple[Order, tuple[Attempt, ...]] | None:
        month = {"business": subscription.business, "subscription": subscription.id, "period": period}
        row = self._books.database.read(lambda tx: tx.one(sql.ORDER_OF_PERIOD, month))
        return None if row is None else self._ordering.find(subscription.business, row.id)

    def _by_page(self, subscription: Subscription, period: int) -> Payment | None:
        """The order with a page on which its owner can pay, who is told of each page once; None if it was ended."""
        business, found = subscription.business, self._order_of(subscription, period)
        if found is None:
            return None
        order, attempts = found
        last = attempts[-1]
        payment = Payment(order=order, attempt=last)
        if not last.url or last.state != "open":
            payment = self._ordering.attempt(business, order.id, Way())
        reference = payment.attempt.reference
        told = facts(order) | {"url": payment.attempt.url or "", "reference": reference}
        self._books.on(business, lambda wallet, _: wallet.tell(PAYMENT_WANTED, f"{PAYMENT_WANTED}:{reference}", told))
        return payment
