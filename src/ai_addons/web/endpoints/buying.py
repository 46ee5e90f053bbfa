"""Buying credits."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

from pydantic import Field

from ai_addons.errors import (
    AddonConflict,
    GatewayError,
    IdempotencyConflict,
    LedgerConflict,
    NotFound,
    PaymentError,
    PaymentPending,
    StaleRate,
)
from ai_addons.money import Credits, Money
from ai_addons.web.base import Answer, Body, Context, Endpoint
from ai_addons.web.endpoints.paying import NAME, WayBody, way_of
from ai_addons.web.errors import PackNotOnSale
from ai_addons.web.parsing import fault

if TYPE_CHECKING:
    from ai_addons.billing.applying import Applied
    from ai_addons.billing.opening import Payment

CUSTOM: Final = "CUSTOM"

OPENING: Final = (IdempotencyConflict, LedgerConflict, PaymentError, PaymentPending, GatewayError, StaleRate)
"""What may happen to whoever opens a payment."""


class PurchaseBody(WayBody):
    """A pack to buy, and how to pay it."""

    pack_type: str = Field(min_length=1, max_length=64, examples=["VALUE"])
    amount: Decimal | None = Field(
        default=None, gt=0, max_digits=12, decimal_places=2, description="What to pay for a CUSTOM pack, in cedis."
    )


class PackDetails(Answer):
    """What is bought."""

    type: str | None
    price: Decimal
    credits: Credits
    bonus: Credits
    total_credits: Credits


class PurchaseAnswer(Answer):
    """An order that is to be paid. Without a ``payment_url`` a phone is prompted, or a saved card charged."""

    purchase_id: str
    payment_reference: str
    payment_url: str | None
    pack_details: PackDetails


class VerifyBody(Body):
    """A payment to look at."""

    reference: str = Field(min_length=1, max_length=100, pattern=NAME)


class VerifyAnswer(Answer):
    """What became of a payment."""

    success: bool
    credits_added: Credits
    new_balance: Credits
    message: str
    already_applied: bool


def bought(payment: Payment) -> PurchaseAnswer:
    """An order and its attempt, as whoever ordered is told."""
    order = payment.order
    return PurchaseAnswer(
        purchase_id=order.id,
        payment_reference=payment.attempt.reference,
        payment_url=payment.attempt.url,
        pack_details=PackDetails(
            type=order.pack,
            price=order.price.decimal,
            credits=order.credits - order.bonus,
            bonus=order.bonus,
            total_credits=order.credits,
        ),
    )


def _purchase(context: Context) -> PurchaseAnswer:
    body = cast("PurchaseBody", context.body)
    amount = _checked_amount(body, context)
    payment = context.addons.orders.start(
        context.business,
        body.pack_type,
        amount=amount,
        key=context.key,
        user=context.user,
        email=body.email,
        **way_of(body, context),
    )
    return bought(payment)


def _checked_amount(body: PurchaseBody, context: Context) -> Money | None:
    """What to pay for a pack of any size.

    Raises:
        ValidationFailed: If an amount is there that should not be, or is not.
        PackNotOnSale: If the pack is not sold, or not for that amount.
    """
    if (body.pack_type == CUSTOM) != (body.amount is not None):
        wrong = fault("amount", ("body", "amount"), "An amount goes with the pack CUSTOM, and with no other.")
        raise wrong
    listed = context.addons.price_list(context.business)
    if body.amount is None:
        if body.pack_type not in {pack.type for pack in listed.packs}:
            msg = "This pack is not on sale."
            raise PackNotOnSale([{"type": "not_on_sale", "loc": ["body", "pack_type"], "msg": msg}])
        return None
    if listed.custom is None:
        msg = "There is no pack of any size."
        raise PackNotOnSale([{"type": "not_on_sale", "loc": ["body", "pack_type"], "msg": msg}])
    amount, least, most = Money(body.amount), listed.custom.least, listed.custom.most
    if not least.minor <= amount.minor <= most.minor:
        msg = f"The amount is from {least} to {most}."
        raise PackNotOnSale([{"type": "out_of_bounds", "loc": ["body", "amount"], "msg": msg}])
    return amount


def _verify(context: Context) -> VerifyAnswer:
    body = cast("VerifyBody", context.body)
    applied = context.addons.orders.verify(context.business, body.reference)
    return VerifyAnswer(
        success=applied.success,
        credits_added=applied.added,
        new_balance=applied.balance,
        message=_told(applied),
        already_applied=applied.already_applied,
    )


_UNPAID: Final = {
    "pending": "The payment is not finished yet.",
    "failed": "The payment did not go through. Try again, or pay in another way.",
    "quarantine": "A payment came that does not fit this order. The operator has been told and will look at it.",
    "again": "This payment is being looked at by the operator.",
    "reversed": "The payment was sent back.",
    "unknown": "The payment is not finished yet.",
}


def _told(applied: Applied) -> str:
    """What became of a payment, for people."""
    if applied.already_applied:
        return "This payment was booked before."
    if applied.success and not applied.added:
        return "The payment is done. Its credits come when their month begins."
    return f"{applied.added.short} credits were added." if applied.success else _UNPAID[applied.verdict]


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="POST",
        path="ai/purchase/",
        name="purchase",
        summary="Order a pack of credits and begin to pay it.",
        handle=_purchase,
        action="credits:purchase",
        body=PurchaseBody,
        answer=PurchaseAnswer,
        status=201,
        errors=(*OPENING, AddonConflict, PackNotOnSale),
        keyed=True,
        costly=True,
    ),
    Endpoint(
        method="POST",
        path="ai/verify-payment/",
        name="verify_payment",
        summary="Ask the gateway what became of a payment, and book it if it is paid.",
        handle=_verify,
        action="credits:purchase",
        body=VerifyBody,
        answer=VerifyAnswer,
        errors=(NotFound, GatewayError),
        costly=True,
    ),
)
