"""What happens after a payment: money goes back, banks contest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.gateways.fake import shapes
from ai_addons.billing.gateways.fake.payments import Payments
from ai_addons.billing.gateways.fake.records import DisputeRow, RefundRow
from ai_addons.billing.gateways.fake.refusals import Refusal, Refused

if TYPE_CHECKING:
    from ai_addons.billing.gateways.fake.records import Payment

REFUND_STATES: Final = ("processing", "processed", "failed", "needs-attention")
"""Where a refund can go from `pending`."""

_DISPUTE_DAYS: Final = 7
_DAY_US: Final = 86_400_000_000


class Desk(Payments):
    """All payments of one fake gateway, and what can be done to them from its side; see `Payments`."""

    def begin_refund(self, payment: Payment, amount: int | None, **notes: str) -> RefundRow:
        """Take a request for a refund.

        Args:
            payment: What was paid.
            amount: How much, in minor units; None for all.
            **notes: ``customer_note`` and ``merchant_note``.

        Raises:
            Refused: If it was not paid, or less is left.
        """
        with self.lock:
            wanted = payment.amount if amount is None else amount
            if payment.status != "success":
                raise Refused(Refusal.NOT_REFUNDABLE)
            if not 0 < wanted <= payment.amount - self.returned(payment.reference):
                raise Refused(Refusal.TOO_MUCH)
            return self._put_refund(payment, wanted, "pending", **notes)

    def returned(self, reference: str) -> int:
        """What went back, or is about to, in minor units."""
        with self.lock:
            rows = [row for row in self.refunds.all() if row.reference == reference and row.status != "failed"]
            return sum(row.amount for row in rows)

    def move_refund(self, refund_id: int, status: str) -> RefundRow:
        """Move a refund on to one of `REFUND_STATES`; the last pesewa back reverses the payment.

        Raises:
            Refused: If there is no such refund or state, or it has ended.
        """
        with self.lock:
            found = self.refunds.get(str(refund_id))
            if found is None:
                raise Refused(Refusal.UNKNOWN_REFUND)
            if status not in REFUND_STATES or found.status in {"processed", "failed"}:
                raise Refused(Refusal.NO_SUCH_STEP)
            moved = self.refunds.put(replace(found, status=status))
            payment = self._reverse_if_all_is_back(moved.reference)
            self.say(f"refund.{status}", moved.reference, shapes.refund_event(moved, payment))
            return moved

    def _put_refund(self, payment: Payment, amount: int, status: str, **known: Any) -> RefundRow:  # noqa: ANN401  # fields of RefundRow
        row = RefundRow(
            id=self.refunds.next_id(),
            reference=payment.reference,
            amount=amount,
            currency=payment.currency,
            status=status,
            created_at=self.clock.now(),
            **known,
        )
        self.refunds.put(row)
        self.say(f"refund.{status}", row.reference, shapes.refund_event(row, payment))
        return row

    def _reverse_if_all_is_back(self, reference: str) -> Payment:
        payment = self.payment(reference)
        done = [row for row in self.refunds.all() if row.reference == reference and row.status == "processed"]
        back = sum(row.amount for row in done) >= payment.amount
        return self.change(reference, status="reversed") if back else payment

    def open_dispute(self, reference: str, amount: int | None = None) -> DisputeRow:
        """The payer's bank contests a payment, in whole or in part.

        Raises:
            Refused: If it was not paid, or for another amount than can be.
        """
        with self.lock:
            payment = self.payment(reference)
            contested = payment.amount if amount is None else amount
            if payment.status != "success" or not 0 < contested <= payment.amount:
                raise Refused(Refusal.NOT_CONTESTABLE)
            now = self.clock.now()
            row = DisputeRow(
                id=self.disputes.next_id(),
                reference=reference,
                amount=contested,
                currency=payment.currency,
                status="awaiting-merchant-feedback",
                created_at=now,
                due_at=now + _DISPUTE_DAYS * _DAY_US,
            )
            self.disputes.put(row)
            self._tell_dispute("create", row)
            return row

    def dispute(self, dispute_id: int) -> DisputeRow:
        """A dispute.

        Raises:
            Refused: If there is none.
        """
        with self.lock:
            found = self.disputes.get(str(dispute_id))
        if found is None:
            raise Refused(Refusal.UNKNOWN_DISPUTE)
        return found

    def remind(self, dispute_id: int) -> None:
        """Tell of an open dispute again."""
        self._tell_dispute("remind", self.dispute(dispute_id))

    def resolve(self, dispute_id: int, resolution: str) -> DisputeRow:
        """End a dispute.

        Lost in whole, the payment is `reversed`; lost in part, it stays and a refund that names the dispute is listed.

        Args:
            dispute_id: Which.
            resolution: ``declined`` (won), ``merchant-accepted`` or ``auto-accepted`` (lost).

        Raises:
            Refused: If there is none, or it is over.
        """
        with self.lock:
            found = self.dispute(dispute_id)
            if found.status == "resolved":
                raise Refused(Refusal.NO_SUCH_STEP)
            ended = replace(found, status="resolved", resolution=resolution, resolved_at=self.clock.now())
            self.disputes.put(ended)
            if resolution != "declined":
                self._take_back(ended)
            self._tell_dispute("resolve", ended)
            return ended

    def _take_back(self, row: DisputeRow) -> None:
        payment = self.payment(row.reference)
        if row.amount == payment.amount:
            self.change(row.reference, status="reversed")
        else:
            self._put_refund(payment, row.amount, "processed", dispute=row.id)
            self._reverse_if_all_is_back(row.reference)

    def _tell_dispute(self, what: str, row: DisputeRow) -> None:
        with self.lock:
            payment = self.payment(row.reference)
            data = shapes.dispute(row, payment, self.card_of(payment))
            self.say(f"charge.dispute.{what}", row.reference, data)
