"""What a refund or a dispute fits to, and what it makes of its order. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from ai_addons.billing.clawback import DisputeRecord, RefundRecord
from ai_addons.errors import PaymentMismatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.billing.clawback import Claim, PaidOrder
    from ai_addons.billing.gateways.base import Refund
    from ai_addons.billing.orders import OrderState
    from ai_addons.money import Money

T = TypeVar("T", RefundRecord, DisputeRecord)

ASKED: Final = "asked:"
"""What the id of a refund begins with that was asked for here; its key follows."""


def state_of(claim: Claim, disputes: Sequence[DisputeRecord]) -> OrderState:
    """Where a paid order stands, by the money that went back of it."""
    if any(dispute.state == "open" for dispute in disputes):
        return "disputed"
    if not claim.standing.reversed_minor:
        return "successful"
    return "refunded" if claim.standing.reversed_minor == claim.paid_minor else "partially_refunded"


def find(records: tuple[T, ...], name: str) -> T | None:
    """The record of this id, if it is there."""
    return next((record for record in records if record.id == name), None)


def put(records: tuple[T, ...], record: T) -> tuple[T, ...]:
    """The records with this one in place of what it replaces."""
    kept = list[T]()
    kept += [one for one in records if one.id != record.id]
    kept.append(record)
    return tuple(kept)


def match(refunds: tuple[RefundRecord, ...], refund: Refund, key: str | None) -> RefundRecord | None:
    """The refund that the gateway tells of: known by its id, or asked for and not named yet."""
    for known in refunds:
        if known.gateway_id == refund.id:
            return known
    open_ones = [one for one in refunds if one.gateway_id is None and one.state != "failed"]
    if key is not None:
        return next((one for one in open_ones if one.id == f"{ASKED}{key}"), None)
    return next((one for one in open_ones if one.amount_minor == refund.amount_minor), None)


def check_fits(order: PaidOrder, reference: str, currency: str, minor: int) -> None:
    """Refuse what is not about the payment of an order.

    Raises:
        PaymentMismatch: If so.
    """
    if (reference, currency) != (order.reference, order.currency) or not 0 < minor <= order.paid_minor:
        msg = (
            "The refund or dispute does not fit the payment of this order: another payment, another currency, or "
            "more than was paid. Nothing was booked. Look at it at the gateway."
        )
        raise PaymentMismatch(msg)


def room_for(order: PaidOrder, claim: Claim, amount: Money | None, *, slack: int = 0) -> int:
    """What is to be sent back, in minor units.

    Args:
        order: The order.
        claim: What went back of it.
        amount: What is asked for; None for all that is left.
        slack: How much too high rounding can have made it; then it is what is left.

    Raises:
        PaymentMismatch: If it is not there.
    """
    left = claim.paid_minor - claim.standing.at_risk_minor
    wanted = left if amount is None else amount.minor
    if left > 0 and left < wanted <= left + slack:
        wanted = left
    if amount is not None and amount.currency != order.currency:
        msg = f"The order was paid in {order.currency}, not {amount.currency}. Nothing was booked."
        raise PaymentMismatch(msg)
    if not 0 < wanted <= left:
        msg = (
            f"Of the order's money {left} minor units can be sent back, not {wanted}; the rest went back before, is "
            f"on its way, or is contested. Nothing was booked."
        )
        raise PaymentMismatch(msg)
    return wanted
