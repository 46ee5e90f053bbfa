"""What Paystack says, in our words (docs "Verify payments", "Charge", "Refunds", "Disputes", "Webhooks").

A fresh transaction that nobody paid verifies as ``abandoned``: that is PENDING, because a late success is common.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ai_addons.billing.gateways import _lenient as lenient
from ai_addons.billing.gateways._http import body_hash
from ai_addons.billing.gateways.base import Charge, Dispute, GatewayEvent, Outcome, Refund, RefundOutcome, SavedCard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.billing.gateways._lenient import Table
    from ai_addons.billing.gateways.base import Method, NextStep, Topic

_STEPS: Final = ("pay_offline", "send_otp", "send_pin", "send_phone", "send_birthday", "send_address", "open_url")
_PENDING: Final = ("abandoned", "ongoing", "pending", "processing", "queued", *_STEPS)
_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "success": Outcome.PAID,
    "failed": Outcome.FAILED,
    "reversed": Outcome.REVERSED,
    **dict.fromkeys(_PENDING, Outcome.PENDING),
}
_NEXT: Final[Mapping[str, NextStep]] = {"pay_offline": "approve_on_phone", "send_otp": "enter_otp"}
_CHANNELS: Final[Mapping[str, Method]] = {"mobile_money": "mobile_money", "card": "card"}
_REFUNDS: Final[Mapping[str, RefundOutcome]] = {
    "pending": RefundOutcome.PENDING,
    "processing": RefundOutcome.PENDING,
    "processed": RefundOutcome.DONE,
    "failed": RefundOutcome.FAILED,
    "needs-attention": RefundOutcome.NEEDS_ATTENTION,
}
_LOST: Final[Mapping[str, bool]] = {"merchant-accepted": True, "auto-accepted": True, "declined": False}
_MONTHS: Final = 12


def read_charge(data: Table, reference: str, raw: str) -> Charge:
    """A transaction, or a step on the way to one, which tells far less.

    Args:
        data: ``data`` of the envelope.
        reference: Our name of the attempt.
        raw: The answer as it came.
    """
    status = lenient.word(data.get("status")) or ""
    return Charge(
        reference=reference,
        outcome=_OUTCOMES.get(status, Outcome.UNKNOWN),
        raw_status=status,
        amount_minor=lenient.whole(data.get("amount")),
        requested_minor=lenient.whole(data.get("requested_amount")),
        currency=lenient.currency(data.get("currency")),
        live=_live(data.get("domain")),
        method=_CHANNELS.get(lenient.word(data.get("channel")) or ""),
        fees_minor=lenient.whole(data.get("fees")),
        reason=lenient.said(data.get("display_text"), data.get("message"), data.get("gateway_response")),
        paid_at=_first_instant(data, "paid_at", "paidAt"),
        next_step=_NEXT.get(status),
        card=_card(data),
        raw=raw,
    )


def _live(domain: object) -> bool | None:
    return domain == "live" if domain in ("live", "test") else None


def _first_instant(data: Table, *names: str) -> int | None:
    return next((at for name in names if (at := lenient.instant(data.get(name))) is not None), None)


def _card(data: Table) -> SavedCard | None:
    """A card that says it may be charged again, with the address it must be charged with."""
    made = lenient.table(data.get("authorization"))
    code = lenient.word(made.get("authorization_code"))
    email = lenient.word(lenient.table(data.get("customer")).get("email"))
    if made.get("reusable") is not True or made.get("channel") != "card" or code is None or email is None:
        return None
    brand = lenient.said(made.get("brand"), made.get("card_type"))
    return SavedCard(code=code, email=email, brand=brand, last4=lenient.said(made.get("last4")), expires=_expires(made))


def _expires(made: Table) -> str:
    month, year = lenient.whole(made.get("exp_month")), lenient.whole(made.get("exp_year"))
    return f"{month:02d}/{year}" if month and year and month <= _MONTHS else ""


def read_refund(data: Table, reference: str, raw: str) -> Refund | None:
    """A refund; None if it lacks what a claw-back is booked by."""
    name, amount = lenient.word(data.get("id")), lenient.whole(data.get("amount"))
    currency = lenient.currency(data.get("currency"))
    if name is None or amount is None or currency is None:
        return None
    status = (lenient.word(data.get("status")) or "").replace("_", "-")
    # A list names the dispute that a refund answers, and has null for a refund of its own.
    about_dispute = data.get("dispute")
    return Refund(
        id=name,
        reference=reference,
        amount_minor=amount,
        currency=currency,
        outcome=_REFUNDS.get(status, RefundOutcome.UNKNOWN),
        dispute=lenient.word(about_dispute) or lenient.word(lenient.table(about_dispute).get("id")),
        raw=raw,
    )


def read_dispute(data: Table, reference: str) -> Dispute | None:
    """A dispute; None if it does not say which, about how much.

    One whose resolution is none that is known is neither won nor lost: the transaction then tells.
    """
    paid = lenient.table(data.get("transaction"))
    name, whole_amount = lenient.word(data.get("id")), lenient.whole(paid.get("amount"))
    contested = lenient.whole(data.get("refund_amount"))
    amount = whole_amount if contested is None else contested
    currency = lenient.currency(data.get("currency")) or lenient.currency(paid.get("currency"))
    if name is None or amount is None or currency is None:
        return None
    resolved = data.get("status") == "resolved"
    return Dispute(
        id=name,
        reference=reference,
        open=not resolved,
        lost=_LOST.get(lenient.word(data.get("resolution")) or "") if resolved else None,
        amount_minor=amount,
        currency=currency,
        due_at=_first_instant(data, "dueAt", "due_at"),
    )


def about(data: Table, reference: str, transaction: int | None) -> bool:
    """Whether a refund or a dispute is about an attempt; lists are asked for one, but may hold others.

    Args:
        data: It names the transaction by its reference, by its number, or by an object with both.
        reference: Our name of the attempt.
        transaction: Paystack's number of it.
    """
    inner = data.get("transaction")
    whose = lenient.table(inner)
    numbers = [lenient.whole(one) for one in (inner, whose.get("id"))]
    names = (data.get("transaction_reference"), whose.get("reference"))
    return reference in names or (transaction is not None and transaction in numbers)


def whose(data: Table) -> str | None:
    """Our name of the attempt that a refund or a dispute of a list is about; None if it names none."""
    return lenient.named(data.get("transaction_reference")) or lenient.named(
        lenient.table(data.get("transaction")).get("reference")
    )


def kept(data: Table) -> str:
    """One item of a list, as text to keep."""
    return json.dumps(data, separators=(",", ":"), default=str)


def read_event(body: bytes) -> GatewayEvent:
    """A webhook whose signature holds, whatever is in it.

    Its key is the event, what it is about and its state, because events have no id. Two partial refunds of one
    amount can have the same key.
    """
    message = lenient.table(lenient.parse(body))
    data = lenient.table(message.get("data"))
    name = lenient.word(message.get("event")) or ""
    topic = _topic(name)
    reference = _reference(data, topic)
    about_what = lenient.word(data.get("id")) or lenient.word(data.get("refund_reference"))
    parts = (name, about_what or reference or body_hash(body), lenient.word(data.get("status")) or "")
    return GatewayEvent(key=_short(":".join(parts)), name=name, topic=topic, reference=reference, body=body)


def _topic(name: str) -> Topic | None:
    if name.startswith("charge.dispute."):
        return "dispute"
    if name.startswith("refund."):
        return "refund"
    return "payment" if name == "charge.success" else None


def _reference(data: Table, topic: Topic | None) -> str | None:
    """Where each kind of event has it; a dispute's own ``transaction_reference`` is null."""
    if topic == "dispute":
        return lenient.named(lenient.table(data.get("transaction")).get("reference"))
    return lenient.named(data.get({"payment": "reference", "refund": "transaction_reference"}.get(topic or "", "")))


def _short(key: str) -> str:
    """A key that fits a column, whatever it was made of."""
    return key if len(key) <= 200 else body_hash(key.encode())  # noqa: PLR2004  # less than the usual 255
