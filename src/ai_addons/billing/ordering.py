"""Orders made, paid by one attempt or several, cancelled and given up.

An order and its attempt are in the books before a gateway hears of them.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from ai_addons.billing.gateways.base import CardGateway, ClosingGateway, PhoneGateway
from ai_addons.billing.opening import Opening, Payment, answered, no_wallet
from ai_addons.billing.order_rows import new_attempt_values, order_values, read_attempt, read_order, save_order, the
from ai_addons.billing.orders import REFERENCE, Attempt, Order, facts
from ai_addons.billing.records import check_id
from ai_addons.billing.retrying import refuse_in_doubt
from ai_addons.billing.selling import sold_month, sold_pack
from ai_addons.billing.sql import purchases as sql
from ai_addons.billing.subscriptions import subscribe_in
from ai_addons.errors import (
    AddOnsError,
    GatewayError,
    IdempotencyConflict,
    NotFound,
    PaymentError,
    PaymentPending,
    StoreUnavailable,
)
from ai_addons.money import MICRO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.gateways.base import Gateway
    from ai_addons.billing.opening import Shop, Way
    from ai_addons.billing.selling import Sold, Wanted
    from ai_addons.billing.sql import Row, Tx
    from ai_addons.billing.wallet import LockedWallet

T = TypeVar("T")

logger: Final = logging.getLogger("ai_addons")

# Of a SHA-256 in hex; 96 bits tell the keys of one order apart, and a reference stays within its 100 characters.
_NAME: Final = 24

RENEWALS_KEPT: Final = 14 * 86_400 * MICRO
"""Microseconds for which the order of a renewal waits longer than others: it is opened three days before the month
begins, and the month may be paid within its grace of a week by default."""


class Ordering:
    """Makes orders and attempts.

    Args:
        books: The open books.
        shop: What to make them with.
    """

    def __init__(self, books: Books, shop: Shop) -> None:
        self._books = books
        self._shop = shop
        self._opening = Opening(books, shop)

    def start(
        self,
        business: str,
        wanted: Wanted,
        way: Way,
        *,
        key: str | None = None,
        user: str | None = None,
        email: str | None = None,
        check: Callable[[LockedWallet, Order], None] | None = None,
    ) -> Payment:
        """Make an order and its first attempt; under a key that was used for it, give what is there.

        A new order is not made if ``check`` raises, which sees it with its wallet locked.
        """
        for value, what in ((business, "a business id"), (key, "the key of an order"), (user, "a user id")):
            if value is not None:
                check_id(value, what)
        gateway = self._able(way)
        address = self._email(business, email)
        versions = self._shop.packs()

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Payment:
            if found[0]:
                return self._replay(wallet.tx, read_order(found[0][0]), wanted)
            if wanted.addon:
                booking = subscribe_in(self._books, wallet)
                sold = sold_month(booking.subscription)
                month = {"business": business, "subscription": sold.subscription, "period": sold.period}
                known = wallet.tx.one(sql.ORDER_OF_PERIOD, month)
                if known is not None:
                    return self._replay(wallet.tx, read_order(known), wanted)
            else:
                sold = sold_pack(wallet.policy, versions, wanted, wallet.now)
            order = self._order(wallet, sold, wanted, key=key, user=user, email=address)
            if check is not None:
                check(wallet, order)
            wallet.tx.write(sql.ADD_ORDER, order_values(order))
            return Payment(order=order, attempt=self._add_attempt(wallet.tx, wallet.now, order, gateway, way))

        payment = self._books.on(business, work, (sql.ORDER_UNDER_KEY, {"business": business, "key": key}))
        return self._begun(payment, way)

    def attempt(self, business: str, order: str, way: Way, *, key: str | None = None) -> Payment:
        """Try once more to pay an order that nobody paid yet, unless a saved card is being charged for it.

        Under a key that was used for this order before, give the attempt that is there.
        """
        if key is not None:
            check_id(key, "the key of an attempt")
        gateway, name = self._able(way), "" if key is None else attempt_name(order, key)

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Payment:
            known = the(found[0], read_order)
            made = _attempts_of(wallet.tx, known)
            before = _under(name, made) if name else []
            if not before:
                _check_pending(known)
            if not before or before[-1].state == "started":
                refuse_in_doubt([attempt for attempt in made if attempt not in before], wallet.now)
            if before:
                return Payment(order=known, attempt=before[-1], replayed=True)
            return Payment(order=known, attempt=self._add_attempt(wallet.tx, wallet.now, known, gateway, way, name))

        return self._begun(self._on(business, work, {"business": business, "order": order}), way, name)

    def _begun(self, payment: Payment, way: Way, name: str = "") -> Payment:
        """Carry a new attempt to its gateway, or go on with one that was there."""
        if not payment.replayed:
            return self._opening.open(payment, way)
        return self._opening.resume(payment, way, lambda: self._in_place_of(payment, way, name))

    def _in_place_of(self, payment: Payment, way: Way, name: str) -> Payment:
        """Another attempt where the last one came to nothing; of all who repeat the same request, one makes it.

        Raises:
            PaymentPending: If somebody else made it meanwhile.
        """
        gateway, order = self._able(way), payment.order

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Payment:
            known = the(found[0], read_order)
            _check_pending(known)
            made = _attempts_of(wallet.tx, known)
            refuse_in_doubt(made, wallet.now)
            if _under(name, made)[-1].reference != payment.attempt.reference:
                raise PaymentPending
            return Payment(order=known, attempt=self._add_attempt(wallet.tx, wallet.now, known, gateway, way, name))

        key = {"business": order.business, "order": order.id}
        return self._opening.open(self._on(order.business, work, key), way)

    def submit_otp(self, business: str, reference: str, otp: str) -> Payment:
        """Give the gateway the code that the payer was sent."""
        payment = self.find_attempt(business, reference)
        gateway = self._shop.gateway(payment.attempt.gateway)
        if payment.attempt.state != "open" or not isinstance(gateway, PhoneGateway):
            msg = f"This attempt is {payment.attempt.state} and takes no code. Nothing was charged. Make a new attempt."
            raise PaymentError(msg)
        return self._opening.keep(payment, answered(payment.attempt, gateway.submit_otp(reference, otp)))

    def cancel(self, business: str, order: str) -> Order:
        """Give up an order that is not paid, and close its pages where the gateway can.

        Should a payment come all the same, it is honoured: so nothing is lost if a page cannot be closed.
        """

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Order:
            known = the(found[0], read_order)
            if known.state == "failed":
                return known
            if known.state not in {"pending", "abandoned"}:
                msg = f"This order is {known.state} and cannot be cancelled. Nothing was changed."
                raise PaymentError(msg)
            return end(wallet, known, "failed")

        ended = self._on(business, work, {"business": business, "order": order})
        for attempt in self.find(business, order)[1]:
            self._close_page(attempt)
        return ended

    def _close_page(self, attempt: Attempt) -> None:
        gateway = self._shop.gateway(attempt.gateway)
        if attempt.state == "open" and attempt.url is not None and isinstance(gateway, ClosingGateway):
            with suppress(GatewayError):
                gateway.close_checkout(attempt.reference)

    def expire(self) -> int:
        """Give up orders that nobody paid in time, which is not final; how many there were."""
        done = 0
        before = self._books.about_now() - self._shop.abandon_after
        overdue = {"before": before, "renewals_before": before - RENEWALS_KEPT}
        after = {"after_at": 0, "after": ""}
        while rows := self._books.database.read(partial(_overdue, overdue | after)):
            done += sum(self._abandoned(row.business_id, row.id) for row in rows)
            after = {"after_at": rows[-1].created_at, "after": rows[-1].id}
        return done

    def _abandoned(self, business: str, order: str) -> bool:
        try:
            return self._abandon(business, order)
        except StoreUnavailable:
            raise
        except AddOnsError:
            # One wallet whose books or policy are broken must not keep the others from their due.
            logger.exception("an unpaid order could not be given up; `ai-addons doctor` tells more")
            return False

    def _abandon(self, business: str, order: str) -> bool:
        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> bool:
            known = the(found[0], read_order)
            # Paid or cancelled a moment ago.
            return known.state == "pending" and bool(end(wallet, known, "abandoned"))

        return self._on(business, work, {"business": business, "order": order})

    # Reading.

    def find(self, business: str, order: str) -> tuple[Order, tuple[Attempt, ...]]:
        """An order of a business with its attempts, oldest first."""
        key = {"business": business, "order": order}
        orders, attempts = self._books.database.read(lambda tx: tx.gather((sql.ORDER, key), (sql.ATTEMPTS, key)))
        return the(orders, read_order), tuple(map(read_attempt, attempts))

    def find_attempt(self, business: str, reference: str) -> Payment:
        """An attempt of a business with its order; another business's is not there."""
        payment = self.payment(reference)
        if payment.order.business != business:
            raise NotFound
        return payment

    def payment(self, reference: str) -> Payment:
        """An attempt with its order, whosever it is."""

        def look(tx: Tx) -> Payment:
            attempt = the(tx.rows(sql.ATTEMPT, {"reference": reference}), read_attempt)
            key = {"business": attempt.business, "order": attempt.order}
            return Payment(order=the(tx.rows(sql.ORDER, key), read_order), attempt=attempt, replayed=True)

        return self._books.database.read(look)

    # What a start is made of.

    def _able(self, way: Way) -> Gateway:
        gateway = self._shop.gateway(way.gateway)
        able = (
            (way.phone is None or isinstance(gateway, PhoneGateway))
            and (way.card is None or isinstance(gateway, CardGateway))
        )  # fmt: skip
        if not able:
            msg = (
                f"The gateway {gateway.name!r} cannot charge that way. Nothing was ordered. Let the payer use its page."
            )
            raise PaymentError(msg)
        return gateway

    def _email(self, business: str, email: str | None) -> str:
        found = email or self._books.terms.profile(business).email
        if not found:
            msg = (
                "An order needs an e-mail address for the payer's receipt. Nothing was ordered. "
                "Give one, or let the host's profile name it."
            )
            raise PaymentError(msg)
        return found

    def _replay(self, tx: Tx, order: Order, wanted: Wanted) -> Payment:
        if order.request_hash != wanted.hash:
            msg = "This key ordered something else before. Nothing was ordered. Use a fresh key."
            raise IdempotencyConflict(msg)
        return Payment(order=order, attempt=_attempts_of(tx, order)[-1], replayed=True)

    def _order(
        self, wallet: LockedWallet, sold: Sold, wanted: Wanted, *, key: str | None, user: str | None, email: str
    ) -> Order:
        return Order(
            id=self._books.new_id(wallet.now),
            business=wallet.business,
            user=user,
            kind=sold.kind,
            pack=sold.pack,
            pack_version=sold.version,
            price=sold.price,
            credits=sold.credits,
            bonus=sold.bonus,
            state="pending",
            email=email,
            subscription=sold.subscription,
            period=sold.period,
            created_at=wallet.now,
            key=key,
            request_hash=wanted.hash,
        )

    def _add_attempt(self, tx: Tx, now: int, order: Order, gateway: Gateway, way: Way, name: str = "") -> Attempt:
        attempt = Attempt(
            reference=REFERENCE + name + self._books.new_id(now),
            business=order.business,
            order=order.id,
            gateway=gateway.name,
            method="mobile_money" if way.phone is not None else "card" if way.card is not None else None,
            state="started",
            asked=order.price,
            live=gateway.live,
            created_at=now,
        )
        tx.write(sql.ADD_ATTEMPT, new_attempt_values(attempt))
        return attempt

    def _on(
        self, business: str, work: Callable[[LockedWallet, Sequence[list[Row]]], T], key: Mapping[str, object]
    ) -> T:
        check_id(business, "a business id")
        return self._books.on(business, work, (sql.ORDER, key), without=no_wallet)


def attempt_name(order: str, key: str) -> str:
    """What the references of a key's attempts have after their beginning; the key cannot be read from it."""
    return hashlib.sha256(f"{order}:{key}".encode()).hexdigest()[:_NAME] + "-"


def _under(name: str, attempts: Sequence[Attempt]) -> list[Attempt]:
    """The attempts of a key, oldest first; all of them where the order itself has the key."""
    return [attempt for attempt in attempts if attempt.reference.startswith(REFERENCE + name)]


def _attempts_of(tx: Tx, order: Order) -> list[Attempt]:
    return list(map(read_attempt, tx.rows(sql.ATTEMPTS, {"business": order.business, "order": order.id})))


def _check_pending(order: Order) -> None:
    if order.state != "pending":
        msg = f"This order is {order.state}. Nothing was charged. Make a new order."
        raise PaymentError(msg)


def _overdue(asked: Mapping[str, object], tx: Tx) -> list[Row]:
    return tx.rows(sql.OVERDUE, asked)


def end(wallet: LockedWallet, order: Order, state: Literal["failed", "abandoned"]) -> Order:
    """Give an order up, and tell it; neither is final."""
    ended = replace(order, state=state, ended_at=wallet.now)
    save_order(wallet, ended)
    wallet.tell(f"order.{state}", f"order.{state}:{order.id}", facts(order))
    return ended
