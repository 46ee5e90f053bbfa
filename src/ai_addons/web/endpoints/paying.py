"""How an order is to be paid, as a client says it, and what it is told of a payment."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias, TypedDict

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ai_addons.money import Credits
from ai_addons.web.base import Answer, Body, Context
from ai_addons.web.endpoints._shared import maybe_when, when
from ai_addons.web.returning import return_url

if TYPE_CHECKING:
    from ai_addons.billing.orders import Attempt, Order
    from ai_addons.billing.watching import Watched

NAME: Final = r"^[A-Za-z0-9._=-]+$"
"""What names of ours and references are made of."""
PROMPT_SECONDS: Final = 180
"""How long a payer has to answer a prompt on the phone (Paystack's documentation of Mobile Money)."""

Step: TypeAlias = Literal["approve_on_phone", "enter_otp", "redirect", "retry"]
"""What the payer has to do next."""

_METHODS: Final = {"mobile_money": "MOMO", "card": "CARD"}
_TEXTS: Final[dict[Step | None, str]] = {
    "approve_on_phone": "Approve the payment on your phone: enter your Mobile Money PIN when it asks.",
    "enter_otp": "Enter the code that was sent to your phone.",
    "redirect": "Go on to the payment page.",
    "retry": "The payment did not go through. Try again, or pay in another way.",
    None: "The payment is being looked at. This page shows when it is done.",
}
_ENDS: Final = {
    "successful": "The payment is done and the credits are yours.",
    "failed": "This order was cancelled. Nothing more is to be paid.",
    "abandoned": "Nobody paid this order in time. Make a new one.",
    "quarantined": "A payment came that does not fit this order. The operator has been told and will look at it.",
    "partially_refunded": "A part of this payment was sent back.",
    "refunded": "This payment was sent back.",
    "disputed": "The bank contests this payment.",
}


class WayBody(Body):
    """How it is to be paid: on the gateway's page, by a prompt on a phone, or by a saved card."""

    payment_method: Literal["MOMO", "CARD"] = "MOMO"
    phone: str | None = Field(
        default=None,
        min_length=9,
        max_length=20,
        pattern=r"^\+?[0-9 ()-]+$",
        description="Prompt this telephone.",
        repr=False,
    )
    network: Literal["mtn", "telecel", "at"] | None = Field(default=None, description="Its network.")
    card: str | None = Field(
        default=None, min_length=1, max_length=64, pattern=NAME, description="Id of a saved card to charge."
    )
    email: str | None = Field(
        default=None,
        max_length=254,
        pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+$",
        description="The payer's billing address; without it the one that the host knows.",
        repr=False,
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        """Refuse half a telephone, and what does not go with the method."""
        if (self.phone is None) != (self.network is None):
            kind, msg = "phone_and_network", "A phone goes with its network."
            raise PydanticCustomError(kind, msg)
        if (self.phone is not None and self.payment_method != "MOMO") or (
            self.card is not None and self.payment_method != "CARD"
        ):
            kind, msg = "payment_method", "A phone goes with MOMO, a saved card with CARD."
            raise PydanticCustomError(kind, msg)
        return self


class OrderAnswer(Answer):
    """An order in a list."""

    id: str
    status: str
    pack_type: str | None
    price: Decimal
    currency: str
    credits: Credits
    bonus: Credits
    method: str | None
    gateway: str | None
    created_at: datetime
    paid_at: datetime | None
    receipt_url: str | None


class PaymentAnswer(OrderAnswer):
    """An order and where its payment stands."""

    payment_reference: str | None
    payment_url: str | None
    next_step: Step | None
    display_text: str
    seconds_left: int | None


class Way(TypedDict):
    """What `Payments.start` and `Payments.attempt` take of a way to pay."""

    phone: str | None
    network: str | None
    card: str | None
    return_url: str | None


def way_of(body: WayBody, context: Context) -> Way:
    """How it is to be paid, as the books take it."""
    return Way(phone=body.phone, network=body.network, card=body.card, return_url=return_url(context))


def order_values(order: Order, attempts: tuple[Attempt, ...], context: Context) -> dict[str, object]:
    """The fields of an `OrderAnswer`."""
    paid = next((one for one in attempts if one.reference == order.paid_reference), None)
    told = paid or (attempts[-1] if attempts else None)
    return {
        "id": order.id,
        "status": order.state.upper(),
        "pack_type": order.pack,
        "price": order.price.decimal,
        "currency": order.price.currency,
        "credits": order.credits,
        "bonus": order.bonus,
        "method": None if told is None else _METHODS.get(told.method or ""),
        "gateway": None if told is None else told.gateway.upper(),
        "created_at": when(order.created_at),
        "paid_at": maybe_when(order.paid_at),
        "receipt_url": _receipt_url(order, context),
    }


def payment_answer(watched: Watched, context: Context) -> PaymentAnswer:
    """An order and where its payment stands."""
    order = watched.order
    last = watched.attempts[-1] if watched.attempts else None
    step = next_step(order, last)
    return PaymentAnswer.model_validate(
        {
            **order_values(order, watched.attempts, context),
            "payment_reference": None if last is None else last.reference,
            "payment_url": last.url if last is not None and step == "redirect" else None,
            "next_step": step,
            "display_text": _TEXTS[step] if order.state == "pending" else _ENDS[order.state],
            "seconds_left": _seconds_left(last, step, watched.at),
        }
    )


def next_step(order: Order, attempt: Attempt | None) -> Step | None:
    """What the payer has to do; None for nothing, or nothing yet."""
    if order.state != "pending" or attempt is None:
        return None
    if attempt.state == "failed":
        return "retry"
    if attempt.state != "open":
        return None
    return attempt.next_step or ("redirect" if attempt.url else None)


def _seconds_left(attempt: Attempt | None, step: Step | None, now: int) -> int | None:
    """How long a prompt can still be answered."""
    if attempt is None or step not in {"approve_on_phone", "enter_otp"}:
        return None
    return max(0, PROMPT_SECONDS - (now - attempt.created_at) // 1_000_000)


def _receipt_url(order: Order, context: Context) -> str | None:
    if order.paid_at is None or context.addons.settings.receipts.seller is None:
        return None
    return f"{context.request.root}ai/purchases/{order.id}/receipt/"
