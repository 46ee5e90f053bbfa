"""The calls about money that goes back: refunds and disputes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_addons.billing.gateways.fake import shapes
from ai_addons.billing.gateways.fake.refusals import Refusal, Refused
from ai_addons.billing.gateways.fake.wire import (
    Answer,
    between,
    envelope,
    is_amount,
    listed,
    number,
    object_in,
    payment_of,
)

if TYPE_CHECKING:
    from ai_addons.billing.gateways.fake.desk import Desk


def refund(desk: Desk, asked: dict[str, Any]) -> Answer:
    """``POST /refund``: send money back, all of it where no amount is given."""
    payment = payment_of(desk, asked.get("transaction"))
    amount = asked.get("amount")
    if amount is not None and not is_amount(amount):
        raise Refused(Refusal.INVALID_AMOUNT)
    notes = {name: str(asked[name]) for name in ("customer_note", "merchant_note") if asked.get(name)}
    row = desk.begin_refund(payment, amount, **notes)
    made = shapes.refund_made(row, payment, desk.card_of(payment))
    return envelope(200, "Refund has been queued for processing", made)


def refunds(desk: Desk, asked: dict[str, Any]) -> Answer:
    """``GET /refund``: all of them, the newest first."""
    only = payment_of(desk, asked["transaction"]).reference if "transaction" in asked else None
    rows = [row for row in reversed(desk.refunds.all()) if only in {None, row.reference}]
    shown = [shapes.refund_listed(row, desk.payment(row.reference)) for row in rows if between(row.created_at, asked)]
    return listed("Refunds retrieved", shown, asked)


def one_refund(desk: Desk, refund_id: str, _: dict[str, Any]) -> Answer:
    """``GET /refund/{id}``."""
    row = desk.refunds.get(refund_id)
    if row is None:
        raise Refused(Refusal.UNKNOWN_REFUND)
    return envelope(200, "Refund retrieved", shapes.refund_listed(row, desk.payment(row.reference)))


def retry_refund(desk: Desk, refund_id: str, asked: dict[str, Any]) -> Answer:
    """``POST /refund/retry_with_customer_details/{id}``: for one that needs attention only."""
    row = desk.refunds.get(refund_id)
    if row is None:
        raise Refused(Refusal.UNKNOWN_REFUND)
    if row.status != "needs-attention":
        raise Refused(Refusal.NO_SUCH_STEP)
    object_in(asked.get("refund_account_details"))
    desk.move_refund(row.id, "processing")
    return one_refund(desk, refund_id, asked)


def disputes(desk: Desk, asked: dict[str, Any]) -> Answer:
    """``GET /dispute``: all of them, the newest first."""
    only = payment_of(desk, asked["transaction"]).reference if "transaction" in asked else None
    rows = [row for row in reversed(desk.disputes.all()) if only in {None, row.reference}]
    status = asked.get("status")
    rows = [row for row in rows if status in {None, row.status} and between(row.created_at, asked)]
    return listed("Disputes retrieved", [_dispute_shape(desk, row.id) for row in rows], asked)


def one_dispute(desk: Desk, dispute_id: str, _: dict[str, Any]) -> Answer:
    """``GET /dispute/{id}``."""
    return envelope(200, "Dispute retrieved", _dispute_shape(desk, number(dispute_id)))


def dispute_of(desk: Desk, transaction: str, _: dict[str, Any]) -> Answer:
    """``GET /dispute/transaction/{id}``: the latest about a transaction."""
    reference = payment_of(desk, transaction).reference
    rows = [row for row in desk.disputes.all() if row.reference == reference]
    if not rows:
        raise Refused(Refusal.UNKNOWN_DISPUTE)
    return envelope(200, "Dispute retrieved successfully", _dispute_shape(desk, rows[-1].id))


def resolve(desk: Desk, dispute_id: str, asked: dict[str, Any]) -> Answer:
    """``PUT /dispute/{id}/resolve``: accept it, or decline and win."""
    wanted = ("resolution", "message", "refund_amount", "uploaded_filename")
    if asked.get("resolution") not in {"merchant-accepted", "declined"} or any(name not in asked for name in wanted):
        raise Refused(Refusal.INVALID_BODY)
    row = desk.resolve(number(dispute_id), asked["resolution"])
    return envelope(200, "Dispute successfully resolved", _dispute_shape(desk, row.id))


def _dispute_shape(desk: Desk, dispute_id: int) -> dict[str, Any]:
    row = desk.dispute(dispute_id)
    payment = desk.payment(row.reference)
    return shapes.dispute(row, payment, desk.card_of(payment))
