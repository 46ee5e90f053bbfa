"""Automatic top-ups: the job that buys with a saved card what its owner agreed to.

`top_up_rules` keeps what was agreed, and says what is to be bought. An order's key is
its day and number, so however many machines decide at once, one order is made and its
card is charged once. It decides once more while the order is made, with the wallet
locked: since the first look the owner may have changed the rule, the price may have
risen, or another machine may have bought on another day. A charge that was declined ends its order; one whose outcome
nobody knows blocks every other, and is asked about first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.opening import Payment, Way
from ai_addons.billing.order_rows import read_order, the
from ai_addons.billing.ordering import end
from ai_addons.billing.orders import facts
from ai_addons.billing.progress import Stage
from ai_addons.billing.selling import Wanted
from ai_addons.billing.sql import purchases, topups
from ai_addons.billing.top_up_rules import KEYS, TopUpRules, automatic, outcome_of
from ai_addons.errors import AddOnsError, GatewayError, PaymentPending, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ai_addons.billing.applying import Applied
    from ai_addons.billing.books import Books
    from ai_addons.billing.ordering import Ordering
    from ai_addons.billing.orders import Attempt, Card, Order
    from ai_addons.billing.payers import Payers
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.sql import Row
    from ai_addons.billing.wallet import LockedWallet

DECLINED: Final = "top_up.declined"
"""Topic of an automatic purchase whose card was declined."""

# What the gateway itself has, not the card: a wrong key, no answer in time, too many requests.
_NOT_THE_CARD: Final = frozenset({401, 403, 408, 429})
_SERVERS: Final = 500
_LONGEST_REASON: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ToppedUp:
    """What a round over the top-ups did; `Renewed` tells what each is.

    Attributes:
        bought: Packs that a card paid for now.
        waiting: Charges that have no end yet.
        declined: Cards that were declined now.
        failed: Business and code of the error.
    """

    bought: int = 0
    waiting: int = 0
    declined: int = 0
    failed: tuple[tuple[str, str], ...] = ()


class _Overtaken(Exception):
    """What was decided does not hold any more, and nothing is to be bought."""


class ToppingUp(TopUpRules):
    """Buys by the owners' rules.

    Args:
        books: The open books.
        ordering: Makes orders.
        payers: Finds saved cards.
        settled: Asks what became of a charge that may be paid at once.
        apply: Asks what became of an attempt.
    """

    def __init__(
        self,
        books: Books,
        ordering: Ordering,
        payers: Payers,
        settled: Callable[[Payment], Payment],
        apply: Callable[[str], Applied],
    ) -> None:
        super().__init__(books, payers)
        self._ordering = ordering
        self._settled = settled
        self._apply = apply

    # The job.

    def run(self, on_progress: OnProgress | None = None) -> ToppedUp:
        """Buy for every business whose rule says so now; safe from many machines.

        Args:
            on_progress: Is told of every business; nobody knows how many there will be.

        Raises:
            StoreUnavailable: If the database cannot be used; run it again.
        """
        ends = {"bought": 0, "waiting": 0, "declined": 0}
        failed = list[tuple[str, str]]()
        for business in Stage(on_progress, "automatic top-ups looked at").over(self._due()):
            try:
                payment = self.one(business)
            except StoreUnavailable:
                raise
            except PaymentPending:
                # Another machine is at it.
                ends["waiting"] += 1
            except AddOnsError as error:
                # One business's trouble keeps no other waiting.
                failed.append((business, error.code))
            else:
                if payment is not None:
                    ends[_end_of(payment)] += 1
        return ToppedUp(**ends, failed=tuple(failed))

    def _due(self) -> Iterator[str]:
        after = ""
        while rows := self._page(after):
            yield from (row.business_id for row in rows)
            after = rows[-1].business_id

    def _page(self, after: str) -> list[Row]:
        return self._books.database.read(lambda tx: tx.rows(topups.TOP_UPS_DUE, {"after": after, **KEYS}))

    def one(self, business: str) -> Payment | None:
        """Buy for one business if its rule says so now, or go on with what was begun; None if nothing is to be done.

        Raises:
            PaymentPending: If another machine is at it.
            GatewayError: If the gateway cannot be used, or nobody can say; the next run goes on.
        """
        look = self.look(business)
        if look is None:
            return None
        card = self._payers.card(business, look.standing.card)
        if look.pending is not None:
            return self._go_on(look.pending, card)
        if look.buy is None or card is None:
            return None
        try:
            return self._charge(business, look.buy.pack, look.buy.key, card)
        except _Overtaken:
            return None

    def _check(self, wallet: LockedWallet, order: Order) -> None:
        """Decide once more, now that nobody else can change anything; the card is charged outside and was found.

        Raises:
            _Overtaken: Unless it comes to the same order.
        """
        rules = wallet.tx.rows(topups.TOP_UP, {"business": wallet.business})
        orders = wallet.tx.rows(topups.AUTOMATIC, automatic(wallet.business))
        look = self.read(wallet, rules, orders, has_card=True)
        wanted = None if look is None else look.buy
        if wanted is None or (wanted.pack, wanted.price, wanted.key) != (order.pack, order.price, order.key):
            raise _Overtaken

    def _go_on(self, order: Order, card: Card | None) -> Payment:
        """An order that a machine left behind: it died, or the gateway had no answer yet."""
        last = self._ordering.find(order.business, order.id)[1][-1]
        if last.state == "failed" and (last.outcome is not None or card is None):
            return self._declined(order.business, order.id, last)
        if last.state == "open" or card is None:
            applied = self._apply(last.reference)
            return self._ended(Payment(order=applied.order, attempt=applied.attempt))
        return self._charge(order.business, str(order.pack), str(order.key), card)

    def _charge(self, business: str, pack: str, key: str, card: Card) -> Payment:
        way = Way(gateway=card.gateway, card=card.id)
        try:
            started = self._ordering.start(
                business,
                Wanted(pack=pack),
                way,
                key=key,
                email=self._payers.email(business),
                check=self._check,
            )
            payment = self._settled(started)
        except GatewayError as error:
            if not _said_no(error):
                raise
            named = {"business": business, "key": key}
            order = the(self._books.database.read(lambda tx: tx.rows(purchases.ORDER_UNDER_KEY, named)), read_order)
            last = self._ordering.find(business, order.id)[1][-1]
            if last.state != "failed":
                # Not the charge was refused, but the question what became of it: the card may have paid.
                raise
            return self._declined(business, order.id, last)
        return self._ended(payment)

    def _ended(self, payment: Payment) -> Payment:
        if payment.order.state == "pending" and payment.attempt.state == "failed":
            return self._declined(payment.order.business, payment.order.id, payment.attempt)
        return payment

    def _declined(self, business: str, order: str, attempt: Attempt) -> Payment:
        """End an order whose card was declined, and tell its owner; should it be paid all the same, it is honoured."""

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Payment:
            known = the(found[0], read_order)
            if known.state == "pending":
                known = end(wallet, known, "failed")
                about = {"reference": attempt.reference, "reason": (attempt.reason or "")[:_LONGEST_REASON]}
                wallet.tell(DECLINED, f"{DECLINED}:{order}", facts(known) | about)
            return Payment(order=known, attempt=attempt)

        return self._books.on(business, work, (purchases.ORDER, {"business": business, "order": order}))


def _end_of(payment: Payment) -> str:
    return {"paid": "bought", "pending": "waiting", "failed": "declined"}[outcome_of(payment.order)]


def _said_no(error: GatewayError) -> bool:
    """Whether a gateway refused to charge the card, and was not merely out of reach."""
    status = error.status
    return not error.may_exist and status is not None and status < _SERVERS and status not in _NOT_THE_CARD
