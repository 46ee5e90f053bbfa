"""One way from a gateway's answer to credits, for the browser that comes back, the webhook and the reconciler.

The gateway is asked outside any transaction. What it says is judged and booked in one
transaction on the wallet: grants, order, attempt, quarantine and what is told stand
together or not at all. A grant is unique by its order, an order has one attempt that paid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ai_addons.billing.opening import answered, no_wallet
from ai_addons.billing.operations import note
from ai_addons.billing.order_rows import (
    attempt_values,
    quarantined_values,
    read_attempt,
    read_order,
    read_quarantined,
    save_order,
    the,
)
from ai_addons.billing.orders import Quarantined, after_payment_back, facts, gives, judge, worth
from ai_addons.billing.packs import in_micro_ghs
from ai_addons.billing.sql import purchases as sql
from ai_addons.billing.subscriptions import pay_in
from ai_addons.billing.wallet import NOTHING
from ai_addons.errors import NotFound, PaymentError
from ai_addons.events import OperatorAlert

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.gateways.base import Charge, SavedCard
    from ai_addons.billing.opening import Shop
    from ai_addons.billing.orders import Attempt, Misfit, Order, Resolution, Verdict
    from ai_addons.billing.sql import Row
    from ai_addons.billing.wallet import LockedWallet
    from ai_addons.money import Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a look at the gateway came to.

    Attributes:
        order: As it is now.
        attempt: As it is now.
        verdict: What the gateway's answer meant; ``grant`` only for the one look that granted.
        added: Credits that came into the wallet now. A month of an add-on that is paid early brings them later.
        balance: Credits available now.
    """

    order: Order
    attempt: Attempt
    verdict: Verdict
    added: Credits
    balance: Credits

    @property
    def success(self) -> bool:
        """Whether the order is paid."""
        return self.order.paid_at is not None

    @property
    def already_applied(self) -> bool:
        """Whether it was paid before this look."""
        return self.success and self.verdict != "grant"


class Applying:
    """Applies payments, and what operators decide about those that do not fit.

    Args:
        books: The open books.
        shop: What orders are made with.
        look_back: Looks into the refunds and disputes of a paid order, outside any transaction.
        number: Gives an order that is granted its receipt's number; asked last, for it locks.
    """

    def __init__(
        self,
        books: Books,
        shop: Shop,
        look_back: Callable[[Order, Attempt], None],
        number: Callable[[LockedWallet, Order], Order],
    ) -> None:
        self._books = books
        self._shop = shop
        self._look_back = look_back
        self._number = number

    def apply(self, reference: str, *, business: str | None = None) -> Applied:
        """Ask the gateway about an attempt, and book what its answer means; as often as one likes.

        Args:
            reference: Our name of the attempt.
            business: Whose it must be; None for anybody's.

        Raises:
            NotFound: If there is no such attempt, or it is another business's.
            GatewayError: If the gateway cannot be asked.
        """
        rows = self._books.database.read(lambda tx: tx.rows(sql.ATTEMPT, {"reference": reference}))
        attempt = the(rows, read_attempt)
        if business not in {None, attempt.business}:
            raise NotFound
        gateway = self._shop.gateway(attempt.gateway)
        charge = gateway.fetch(reference)

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Applied:
            order, now = the(found[0], read_order), the(found[1], read_attempt)
            return self._book(wallet, order, now, charge, live=gateway.live)

        key = {"business": attempt.business, "order": attempt.order}
        applied = self._books.on(
            attempt.business, work, (sql.ORDER, key), (sql.ATTEMPT, {"reference": reference}), without=no_wallet
        )
        if applied.verdict != "reversed" or not applied.success:
            return applied
        self._look_back(applied.order, applied.attempt)

        def again(wallet: LockedWallet, found: Sequence[list[Row]]) -> Applied:
            return replace(applied, order=the(found[0], read_order), balance=wallet.available)

        return self._books.on(attempt.business, again, (sql.ORDER, key), without=no_wallet)

    def _book(
        self, wallet: LockedWallet, order: Order, attempt: Attempt, charge: Charge | None, *, live: bool
    ) -> Applied:
        before = wallet.posted
        if charge is None:
            # It was never created there; whoever started it may still be at it.
            return _applied(wallet, order, attempt, "pending", NOTHING)
        judged = judge(order, attempt, charge, live=live)
        verdict, misfit = judged.verdict, judged.misfit
        if verdict == "grant":
            # The money is what was asked for, so the order has brought its price.
            granted = self._grant(wallet, order, attempt, in_micro_ghs(order.price))
            if granted is None:
                verdict, misfit = "quarantine", "addon"
            else:
                order = granted
                self._save_card(wallet, attempt, charge.card)
        if misfit is not None:
            order = self._quarantine(wallet, order, attempt, charge, misfit)
        attempt = self._save_attempt(wallet, attempt, charge, verdict)
        if verdict == "grant":
            order = self._number(wallet, order)
        return _applied(wallet, order, attempt, verdict, wallet.posted - before)

    def _grant(self, wallet: LockedWallet, order: Order, attempt: Attempt, paid: int) -> Order | None:
        """Give what was ordered; None if the month of an add-on cannot be given any more."""
        if order.subscription is None or order.period is None:
            for given in gives(order, paid):
                wallet.receive(given, new_id=self._books.new_id(wallet.now))
        elif not pay_in(self._books, wallet, order.subscription, order.period):
            return None
        done = replace(order, state="successful", paid_at=wallet.now, paid_reference=attempt.reference, ended_at=None)
        save_order(wallet, done)
        wallet.tell("order.paid", f"order.paid:{order.id}", facts(order) | {"reference": attempt.reference})
        return done

    def _quarantine(
        self, wallet: LockedWallet, order: Order, attempt: Attempt, charge: Charge, misfit: Misfit
    ) -> Order:
        kept = Quarantined(
            id=self._books.new_id(wallet.now),
            business=order.business,
            order=order.id,
            reference=attempt.reference,
            reason=misfit,
            expected=attempt.asked,
            paid_minor=charge.amount_minor,
            paid_currency=charge.currency,
            live=charge.live,
            opened_at=wallet.now,
        )
        wallet.tx.write(sql.ADD_QUARANTINE, quarantined_values(kept))
        about = {"quarantine": kept.id, "reference": attempt.reference, "reason": misfit}
        wallet.tell("payment.quarantined", f"payment.quarantined:{attempt.reference}", facts(order) | about)
        wallet.note(OperatorAlert(code="payment_quarantined", detail=f"{kept.id}: {misfit}"))
        if not order.unpaid:
            return order
        moved = replace(order, state="quarantined")
        save_order(wallet, moved)
        return moved

    @staticmethod
    def _save_attempt(wallet: LockedWallet, attempt: Attempt, charge: Charge, verdict: Verdict) -> Attempt:
        told = replace(answered(attempt, charge), checked_at=wallet.now, state=attempt.state)
        if verdict == "grant":
            surplus = max(0, (charge.amount_minor or 0) - attempt.asked.minor)
            told = replace(told, state="paid", surplus_minor=surplus, next_step=None)
        elif verdict == "quarantine":
            told = replace(told, state="quarantined", next_step=None)
        elif attempt.state not in {"paid", "quarantined"}:
            told = replace(told, state="failed" if verdict in {"failed", "reversed"} else "open")
            if told.state == "open" and told.next_step is None:
                # A look says that it is not over, and rarely what is to be done: that stays as it was.
                told = replace(told, next_step=attempt.next_step)
        if charge.fees_minor is not None:
            told = replace(told, fees_minor=charge.fees_minor)
        if verdict == "unknown" and attempt.raw_status != told.raw_status:
            detail = f"{attempt.reference}: the gateway says {told.raw_status!r}"
            wallet.note(OperatorAlert(code="payment_unknown", detail=detail))
        wallet.tx.write(sql.SAVE_ATTEMPT, {"of_reference": told.reference, **attempt_values(told)})
        return told

    def _save_card(self, wallet: LockedWallet, attempt: Attempt, card: SavedCard | None) -> None:
        if card is None:
            return
        wallet.tx.write(
            sql.ADD_CARD,
            {
                "business_id": wallet.business,
                "id": self._books.new_id(wallet.now),
                "gateway": attempt.gateway,
                "code": card.code,
                "email": card.email,
                "brand": card.brand,
                "last4": card.last4,
                "expires": card.expires,
                "saved_at": wallet.now,
            },
        )

    # What operators decide.

    def quarantined(self, most: int = 100) -> list[Quarantined]:
        """Payments in quarantine that nobody has decided about, the oldest first."""
        rows = self._books.database.read(lambda tx: tx.rows(sql.OPEN_QUARANTINE, {"most": most}))
        return [read_quarantined(row) for row in rows]

    def release(self, business: str, quarantine: str, *, actor: str, reason: str) -> Quarantined:
        """Take a payment for good that does not fit, and give what was ordered."""

        def give(wallet: LockedWallet, order: Order, attempt: Attempt, one: Quarantined) -> None:
            paid = worth(order, minor=one.paid_minor, currency=one.paid_currency, live=one.live is attempt.live)
            granted = self._grant(wallet, order, attempt, paid) if order.unpaid else None
            if granted is None:
                msg = "This order is paid already, or its month is. Nothing was granted. Send the payment back."
                raise PaymentError(msg)
            taken = replace(attempt, state="paid", checked_at=wallet.now)
            wallet.tx.write(sql.SAVE_ATTEMPT, {"of_reference": taken.reference, **attempt_values(taken)})
            if paid:
                self._number(wallet, granted)

        return self._resolve(business, quarantine, "released", give, actor=actor, reason=reason)

    def mark_refunded(self, business: str, quarantine: str, *, actor: str, reason: str) -> Quarantined:
        """Note that a payment which does not fit was sent back; sending it is done at the gateway."""

        def give_up(wallet: LockedWallet, order: Order, attempt: Attempt, one: Quarantined) -> None:
            del attempt
            rows = wallet.tx.rows(sql.QUARANTINED_OF, {"business": business, "order": order.id})
            others = [row for row in rows if row.resolved_at is None and row.id != one.id]
            state = after_payment_back(order, others_open=bool(others))
            if state != order.state:
                save_order(wallet, replace(order, state=state, ended_at=wallet.now))

        return self._resolve(business, quarantine, "refunded", give_up, actor=actor, reason=reason)

    def _resolve(
        self,
        business: str,
        quarantine: str,
        resolution: Resolution,
        carry_out: Callable[[LockedWallet, Order, Attempt, Quarantined], None],
        *,
        actor: str,
        reason: str,
    ) -> Quarantined:
        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Quarantined:
            one = the(found[0], read_quarantined)
            if one.resolution is not None:
                return _decided(one, resolution)
            order = the(wallet.tx.rows(sql.ORDER, {"business": business, "order": one.order}), read_order)
            attempt = the(wallet.tx.rows(sql.ATTEMPT, {"reference": one.reference}), read_attempt)
            carry_out(wallet, order, attempt, one)
            done = replace(one, resolution=resolution, actor=actor, note=reason, resolved_at=wallet.now)
            values = {"resolution": resolution, "actor": actor, "note": reason, "resolved_at": wallet.now}
            wallet.tx.write(sql.RESOLVE, {"business": business, "of_id": one.id, **values})
            detail = {"quarantine": one.id, "order": one.order, "reference": one.reference, "reason": reason}
            note(self._books, wallet.tx, wallet.now, actor, f"payment_{resolution}", business, detail)
            return done

        return self._books.on(
            business, work, (sql.QUARANTINED, {"business": business, "id": quarantine}), without=no_wallet
        )


def _decided(one: Quarantined, resolution: Resolution) -> Quarantined:
    if one.resolution != resolution:
        msg = f"This payment was {one.resolution} before. Nothing was changed."
        raise PaymentError(msg)
    return one


def _applied(wallet: LockedWallet, order: Order, attempt: Attempt, verdict: Verdict, added: Credits) -> Applied:
    return Applied(order=order, attempt=attempt, verdict=verdict, added=added, balance=wallet.available)


def tell_reversed(wallet: LockedWallet, order: Order, attempt: Attempt) -> None:
    """Tell that money went back, where nothing here can book it; the operator each time."""
    key = f"payment.reversed:{attempt.reference}"
    wallet.tell("payment.reversed", key, facts(order) | {"reference": attempt.reference})
    wallet.note(OperatorAlert(code="payment_reversed", detail=f"{attempt.reference}: order {order.id}"))
