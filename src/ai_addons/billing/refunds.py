"""Money that goes back: refunds asked for and told of, disputes, and what they do to an order's credits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ai_addons.billing import clawback, reclaim, refund_rows
from ai_addons.billing.clawback import Claim, DisputeRecord, RefundRecord
from ai_addons.billing.due import catch_up
from ai_addons.billing.operations import note
from ai_addons.billing.records import check_id
from ai_addons.billing.refund_rules import ASKED, check_fits, find, match, put, room_for, state_of
from ai_addons.billing.sql import purchases
from ai_addons.billing.sql import reversals as sql
from ai_addons.billing.subscriptions import end_in
from ai_addons.errors import BillingError, IdempotencyConflict, PaymentMismatch, PaymentPending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.clawback import PaidOrder, ShortfallPolicy
    from ai_addons.billing.gateways.base import Dispute, Refund
    from ai_addons.billing.sql import Row
    from ai_addons.billing.sql.tx import Query
    from ai_addons.billing.wallet import LockedWallet
    from ai_addons.money import Credits, Money

_TOLD: Final = "gateway:"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyBack:
    """How much of an order's money went back, and what that did to its credits.

    Attributes:
        order: Id of the order.
        paid_minor: Money paid for it, in minor units.
        reversed_minor: What of it is refunded or lost in a dispute.
        at_risk_minor: The same with what is on its way back or contested.
        frozen: Credits set apart meanwhile.
        taken: Credits clawed back from the order's own grants.
        lapsed: Credits that were to be taken but had expired.
        waiting: Credits to be taken when the calls that hold them end.
        repaid: Credits paid by what was bought later.
        written_off: Credits that were spent, borne by the operator.
        owed: Credits that were spent, to be paid by what is bought later.
        disputed: Whether a dispute is open.
        replayed: Whether this was known before.
    """

    order: str
    paid_minor: int
    reversed_minor: int
    at_risk_minor: int
    frozen: Credits
    taken: Credits
    lapsed: Credits
    waiting: Credits
    repaid: Credits
    written_off: Credits
    owed: Credits
    disputed: bool
    replayed: bool

    @property
    def fully_reversed(self) -> bool:
        """Whether all of the money is gone."""
        return self.reversed_minor == self.paid_minor


@dataclass(frozen=True, slots=True)
class _File:
    """What the books know of one order's money on its way back."""

    claim: Claim
    refunds: tuple[RefundRecord, ...]
    disputes: tuple[DisputeRecord, ...]


class Refunds:
    """Books refunds and disputes of paid orders; each entry point is one transaction and may be repeated.

    What a gateway tells is taken as how things stand when it was asked: the same
    again, old news and any order of them end in the same books.

    Args:
        books: The open books.
        policy: What becomes of credits that were to be taken back but are spent. An order keeps the one of
            its first refund or dispute.
    """

    def __init__(self, books: Books, *, policy: ShortfallPolicy = "clamp") -> None:
        self._books = books
        self._policy: ShortfallPolicy = policy

    def ask(
        self, order: PaidOrder, amount: Money | None = None, *, key: str, actor: str, reason: str, slack: int = 0
    ) -> MoneyBack:
        """Freeze the credits of money that is about to be sent back; do this before the gateway is asked.

        Args:
            order: The order.
            amount: How much; None for all that is left.
            key: What makes the refund unique within its order; the same again changes nothing and says so.
            actor: Who decided.
            reason: Why.
            slack: Minor units by which rounding can have made the amount too high, where it was given in another
                currency; the last part is then what is left.

        Raises:
            PaymentMismatch: If that is more than is left of the order's money, in another currency, or
                there is nothing left; while a dispute is open all of it is contested.
            IdempotencyConflict: If this key asked for another amount.
            ValueError: Without a key or an actor.
        """
        check_id(key, "the key of a refund")

        def work(wallet: LockedWallet, file: _File) -> MoneyBack:
            known = find(file.refunds, f"{ASKED}{key}")
            if known is not None:
                return self._asked_again(file, known, order, amount, slack)
            asked = RefundRecord(
                id=f"{ASKED}{key}",
                gateway_id=None,
                amount_minor=room_for(order, file.claim, amount, slack=slack),
                state="asked",
                dispute=None,
                created_at=wallet.now,
            )
            detail = {"order": order.id, "key": key, "amount_minor": asked.amount_minor, "reason": reason}
            note(self._books, wallet.tx, wallet.now, actor, "refund", order.business, detail)
            return self._keep_refund(wallet, file, order, asked)

        return self._on(order, work)

    @staticmethod
    def _asked_again(file: _File, known: RefundRecord, order: PaidOrder, amount: Money | None, slack: int) -> MoneyBack:
        same = amount is None or (amount.currency == order.currency and 0 <= amount.minor - known.amount_minor <= slack)
        if not same:
            msg = "This key asked for a refund of another amount. Nothing was booked. Use a fresh key."
            raise IdempotencyConflict(msg)
        return _told(file, replayed=True)

    def take(self, order: PaidOrder, *, key: str, lease: int) -> tuple[RefundRecord, bool]:
        """Take it on oneself to ask the gateway for a refund: of all who try, one does at a time.

        Args:
            order: The order.
            key: The key it was asked for with.
            lease: Microseconds for which it belongs to whoever took it last.

        Returns:
            The refund, and whether the caller may ask: not if the gateway has named it or it was withdrawn.

        Raises:
            BillingError: If nobody asked for it.
            PaymentPending: If another is at it, or an earlier one of the same amount has no name yet, so that
                nobody could tell the two apart.
        """

        def inside(wallet: LockedWallet, found: Sequence[list[Row]]) -> tuple[RefundRecord, bool]:
            file = self._read(order, found)
            known = _asked_for(file, key)
            if known.gateway_id is not None or known.state == "failed":
                return known, False
            if wallet.now - known.changed_at < lease or any(_precedes(one, known) for one in file.refunds):
                raise PaymentPending
            wallet.tx.write(sql.PUT_REFUND, refund_rows.refund_values(order, known, wallet.now))
            return known, True

        return self._books.on(order.business, inside, *_queries(order))

    def withdraw(self, order: PaidOrder, *, key: str) -> MoneyBack:
        """Free the credits of a refund that the gateway refused, so that no money will go back for it.

        A refund that the gateway has named is for the gateway to end; nothing changes then.

        Raises:
            BillingError: If nobody asked for it.
        """

        def work(wallet: LockedWallet, file: _File) -> MoneyBack:
            known = _asked_for(file, key)
            if known.gateway_id is not None or known.state == "failed":
                return _told(file, replayed=True)
            return self._keep_refund(wallet, file, order, replace(known, state="failed"))

        return self._on(order, work)

    def apply_refund(self, order: PaidOrder, refund: Refund, *, key: str | None = None) -> MoneyBack:
        """Book how a refund stands, as the gateway tells it.

        Pending or in need of attention: its credits are frozen. Done: they are
        taken back, once for each of the gateway's refunds. Failed: they are free again.

        Args:
            order: The order.
            refund: What the gateway says.
            key: The key it was asked for with; None finds one asked for with the same amount, if any.

        Raises:
            PaymentMismatch: If it is not of this order's payment, or of more than was paid; nothing is booked.
        """
        check_id(refund.id, "the id of a refund")
        check_fits(order, refund.reference, refund.currency, refund.amount_minor)

        def work(wallet: LockedWallet, file: _File) -> MoneyBack:
            known = match(file.refunds, refund, key)
            if known is not None and known.amount_minor != refund.amount_minor:
                msg = "The gateway names another amount for this refund than before. Nothing was booked."
                raise PaymentMismatch(msg)
            after = RefundRecord(
                id=f"{_TOLD}{refund.id}" if known is None else known.id,
                gateway_id=refund.id,
                amount_minor=refund.amount_minor,
                state=clawback.refund_state(None if known is None else known.state, refund.outcome),
                dispute=refund.dispute or (None if known is None else known.dispute),
                created_at=wallet.now if known is None else known.created_at,
            )
            return _told(file, replayed=True) if after == known else self._keep_refund(wallet, file, order, after)

        return self._on(order, work)

    def apply_dispute(self, order: PaidOrder, dispute: Dispute) -> MoneyBack:
        """Book how a dispute stands, as the gateway tells it.

        Open: all that is left of the order's credits is frozen, and the operator
        told by when evidence is wanted. Won: they are free again. Lost: those of
        the contested money are taken back, once for the same money.

        Args:
            order: The order.
            dispute: What the gateway says; a reminder changes nothing.

        Raises:
            PaymentMismatch: If it is not about this order's payment; nothing is booked.
        """
        check_id(dispute.id, "the id of a dispute")
        # Some gateways say how much is contested only when it is over.
        check_fits(order, dispute.reference, dispute.currency, dispute.amount_minor or 1)

        def work(wallet: LockedWallet, file: _File) -> MoneyBack:
            known = find(file.disputes, dispute.id)
            state = clawback.dispute_state(None if known is None else known.state, dispute)
            after = DisputeRecord(
                id=dispute.id,
                amount_minor=dispute.amount_minor,
                state=state,
                due_at=dispute.due_at,
                created_at=wallet.now if known is None else known.created_at,
            )
            stale = known is not None and state != "open" and dispute.open
            if stale or after == known:
                return _told(file, replayed=True)
            return self._keep_dispute(wallet, file, order, after)

        return self._on(order, work)

    def forgive(self, order: PaidOrder, *, actor: str, reason: str) -> MoneyBack:
        """Write off what is owed for an order's spent credits; a wallet suspended for it goes on.

        Args:
            order: The order.
            actor: Who decided.
            reason: Why.
        """

        def work(wallet: LockedWallet, file: _File) -> MoneyBack:
            if not file.claim.owed:
                return _told(file, replayed=True)
            detail = {"order": order.id, "credits": str(file.claim.owed), "reason": reason}
            note(self._books, wallet.tx, wallet.now, actor, "forgive", order.business, detail)
            return self._settle(wallet, replace(file, claim=clawback.forgive(file.claim)))

        return self._on(order, work)

    def look(self, order: PaidOrder) -> MoneyBack:
        """How an order's money and credits stand; changes nothing but what is due."""
        return self._on(order, lambda _, file: _told(file, replayed=True))

    # Inside the transaction.

    def _on(self, order: PaidOrder, work: Callable[[LockedWallet, _File], MoneyBack]) -> MoneyBack:
        check_id(order.business, "a business id")
        check_id(order.id, "an order id")

        def inside(wallet: LockedWallet, found: Sequence[list[Row]]) -> MoneyBack:
            return work(wallet, self._read(order, found))

        return self._books.on(order.business, inside, *_queries(order))

    def _read(self, order: PaidOrder, found: Sequence[list[Row]]) -> _File:
        claims, refunds, disputes = found
        claim = reclaim.read_claim(claims[0]) if claims else clawback.opened(order, self._policy)
        return _File(
            claim,
            tuple(refund_rows.read_refund(row) for row in refunds),
            tuple(refund_rows.read_dispute(row) for row in disputes),
        )

    def _keep_refund(self, wallet: LockedWallet, file: _File, order: PaidOrder, refund: RefundRecord) -> MoneyBack:
        wallet.tx.write(sql.PUT_REFUND, refund_rows.refund_values(order, refund, wallet.now))
        refund_rows.tell_refund(wallet, order, find(file.refunds, refund.id), refund)
        return self._settle(wallet, replace(file, refunds=put(file.refunds, refund)))

    def _keep_dispute(self, wallet: LockedWallet, file: _File, order: PaidOrder, dispute: DisputeRecord) -> MoneyBack:
        wallet.tx.write(sql.PUT_DISPUTE, refund_rows.dispute_values(order, dispute, wallet.now))
        refund_rows.tell_dispute(wallet, order, find(file.disputes, dispute.id), dispute)
        return self._settle(wallet, replace(file, disputes=put(file.disputes, dispute)))

    def _settle(self, wallet: LockedWallet, file: _File) -> MoneyBack:
        stands = clawback.standing(file.claim.paid_minor, file.refunds, file.disputes)
        claim = reclaim.settle(self._books, wallet, replace(file.claim, standing=stands), wallet.now)
        if wallet.due:
            # Credits are free again in a grant that has expired: nobody is told of credits that cannot pay.
            catch_up(self._books, wallet)
        if claim.month is not None and claim.fully_reversed and not file.claim.fully_reversed:
            end_in(self._books, wallet, *clawback.month_of(claim))
        state = state_of(claim, file.disputes)
        key = {"business": wallet.business, "order": claim.order}
        wallet.tx.write(purchases.FOLLOW_MONEY, {**key, "state": state})
        return _told(replace(file, claim=claim), replayed=False)


def _queries(order: PaidOrder) -> tuple[Query, ...]:
    one = {"business": order.business, "order": order.id}
    return ((sql.CLAWBACK, one), (sql.REFUNDS, one), (sql.DISPUTES, one))


def _told(file: _File, *, replayed: bool) -> MoneyBack:
    claim = file.claim
    return MoneyBack(
        order=claim.order,
        paid_minor=claim.paid_minor,
        reversed_minor=claim.standing.reversed_minor,
        at_risk_minor=claim.standing.at_risk_minor,
        frozen=claim.frozen,
        taken=claim.taken,
        lapsed=claim.lapsed,
        waiting=claim.waiting,
        repaid=claim.repaid,
        written_off=claim.written_off,
        owed=claim.owed,
        disputed=any(dispute.state == "open" for dispute in file.disputes),
        replayed=replayed,
    )


def _asked_for(file: _File, key: str) -> RefundRecord:
    known = find(file.refunds, f"{ASKED}{key}")
    if known is None:
        msg = "Nobody asked for a refund under this key. Nothing was booked."
        raise BillingError(msg)
    return known


def _precedes(one: RefundRecord, known: RefundRecord) -> bool:
    """Whether the gateway might give this refund's name to another one that was asked for before it."""
    unnamed = one.gateway_id is None and one.state == "asked"
    earlier = (one.created_at, one.id) < (known.created_at, known.id)
    return unnamed and earlier and one.amount_minor == known.amount_minor
