"""Refunds and disputes as the database keeps them, and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing.clawback import DisputeRecord, RefundRecord
from ai_addons.events import DisputeOpened, OperatorAlert

if TYPE_CHECKING:
    from ai_addons.billing.clawback import PaidOrder
    from ai_addons.billing.sql import Row
    from ai_addons.billing.wallet import LockedWallet


def read_refund(row: Row) -> RefundRecord:
    """A refund from its row."""
    return RefundRecord(
        id=row.id,
        gateway_id=row.gateway_id,
        amount_minor=row.amount_minor,
        state=row.state,
        dispute=row.dispute_id,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def read_dispute(row: Row) -> DisputeRecord:
    """A dispute from its row."""
    return DisputeRecord(
        id=row.id,
        amount_minor=row.amount_minor,
        state=row.state,
        due_at=row.due_at,
        created_at=row.created_at,
    )


def tell_refund(wallet: LockedWallet, order: PaidOrder, before: RefundRecord | None, after: RefundRecord) -> None:
    """Tell that a refund has come further, and the operator's hooks if it is stuck."""
    if before is not None and before.state == after.state:
        return
    facts = {"order": order.id, "refund": after.id, "amount_minor": str(after.amount_minor)}
    # With its time: a refund may need attention twice.
    key = f"refund:{order.id}:{after.id}:{after.state}:{wallet.now}"
    wallet.tell(f"refund.{after.state}", key, facts | {"currency": order.currency})
    if after.state == "needs_attention":
        wallet.note(OperatorAlert(code="refund_needs_attention", detail=f"order {order.id}, refund {after.id}"))


def tell_dispute(wallet: LockedWallet, order: PaidOrder, before: DisputeRecord | None, after: DisputeRecord) -> None:
    """Tell that a dispute was opened or decided, or is due at another time."""
    if before is not None and (before.state, before.due_at) == (after.state, after.due_at):
        return
    facts = {"order": order.id, "dispute": after.id, "amount_minor": str(after.amount_minor)}
    facts |= {"currency": order.currency, "due_at": "" if after.due_at is None else str(after.due_at)}
    topic = {"open": "dispute.opened", "won": "dispute.won", "lost": "dispute.lost"}[after.state]
    wallet.tell(topic, f"dispute:{order.id}:{after.id}:{after.state}:{wallet.now}", facts)
    if after.state == "open":
        wallet.note(
            DisputeOpened(
                order_id=order.id,
                dispute_id=after.id,
                amount_minor=after.amount_minor,
                currency=order.currency,
                due_at=after.due_at,
            )
        )


def refund_values(order: PaidOrder, refund: RefundRecord, now: int) -> dict[str, object]:
    """A refund's row."""
    return {
        "business_id": order.business,
        "order_id": order.id,
        "id": refund.id,
        "gateway_id": refund.gateway_id,
        "amount_minor": refund.amount_minor,
        "currency": order.currency,
        "state": refund.state,
        "dispute_id": refund.dispute,
        "created_at": refund.created_at,
        "changed_at": now,
    }


def dispute_values(order: PaidOrder, dispute: DisputeRecord, now: int) -> dict[str, object]:
    """A dispute's row."""
    return {
        "business_id": order.business,
        "order_id": order.id,
        "id": dispute.id,
        "amount_minor": dispute.amount_minor,
        "currency": order.currency,
        "state": dispute.state,
        "due_at": dispute.due_at,
        "created_at": dispute.created_at,
        "changed_at": now,
    }
