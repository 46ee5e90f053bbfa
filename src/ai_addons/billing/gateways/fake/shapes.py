"""The JSON of Paystack, odd places included (docs of its API; observations on its test API)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ai_addons.billing.gateways.fake.records import Card, DisputeRow, Payment, RefundRow

# A prompt that is still out is `ongoing` to whoever verifies it.
_VERIFIED_AS: Final = {"pay_offline": "ongoing", "send_otp": "ongoing"}
_TEXTS: Final = {
    "pay_offline": "Please complete the authorisation on your mobile phone. It is valid for 180 seconds.",
    "send_otp": "Please dial *110# to generate a voucher code. Then input the voucher",
}
NETWORKS: Final = {"mtn": "MTN", "vod": "Telecel", "atl": "AT"}
"""The names of the networks in requests, and for people."""


def instant(micros: int | None) -> str | None:
    """A time as Paystack writes it: UTC with milliseconds and ``Z``."""
    if micros is None:
        return None
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{micros // 1_000 % 1_000:03d}Z"


def transaction(payment: Payment, card: Card | None) -> dict[str, Any]:
    """A whole transaction, as verify, the list and ``charge.success`` have it."""
    paid, created = instant(payment.paid_at), instant(payment.created_at)
    return {
        "id": payment.id,
        "domain": payment.domain,
        "status": _VERIFIED_AS.get(payment.status, payment.status),
        "reference": payment.reference,
        "receipt_number": None,
        "amount": payment.amount,
        "requested_amount": payment.requested,
        "message": payment.reason or None,
        "gateway_response": _response(payment),
        "paid_at": paid,
        "paidAt": paid,
        "created_at": created,
        "createdAt": created,
        "transaction_date": created,
        "channel": payment.channel or "card",
        "currency": payment.currency,
        "ip_address": "127.0.0.1",
        "metadata": payment.metadata,
        "fees": payment.fees,
        "fees_split": None,
        "log": None,
        "authorization": _authorization(payment, card),
        "customer": _customer(payment),
        "plan": None,
        "split": {},
        "order_id": None,
    }


def step(payment: Payment) -> dict[str, Any]:
    """The answer to a charge that is not over: not a transaction, and with no amount in it."""
    text = _TEXTS.get(payment.status)
    known = {"reference": payment.reference, "status": payment.status}
    return known if text is None else {**known, "display_text": text}


def refund_made(refund: RefundRow, payment: Payment, card: Card | None) -> dict[str, Any]:
    """The answer to a request for a refund: the transaction stands in it."""
    return {
        **_refund(refund),
        "transaction": transaction(payment, card),
        "fully_deducted": False,
        "refunded_by": payment.email,
    }


def refund_listed(refund: RefundRow, payment: Payment) -> dict[str, Any]:
    """A refund of a list: the transaction is a number, and booleans are too."""
    return {
        **_refund(refund),
        "transaction": payment.id,
        "transaction_reference": payment.reference,
        "transaction_amount": payment.amount,
        "fully_deducted": 0,
        "refund_type": "full" if refund.amount == payment.amount else "partial",
        "dispute": refund.dispute,
        "refunded_at": instant(refund.created_at) if refund.status == "processed" else None,
        "bank_reference": None,
    }


def refund_event(refund: RefundRow, payment: Payment) -> dict[str, Any]:
    """The data of a refund's webhook: amounts are text in some of them, and most have no id."""
    as_text = refund.status in {"pending", "processing", "processed"}
    early = refund.status in {"pending", "processing"}
    data: dict[str, Any] = {
        "status": refund.status,
        "transaction_reference": payment.reference,
        "refund_reference": None if early else f"TRF_{refund.id}",
        "amount": str(refund.amount) if as_text else refund.amount,
        "currency": refund.currency,
        "processor": "mpgs_zen" if payment.channel == "card" else "mobile_money",
        "customer": {"first_name": None, "last_name": None, "email": payment.email},
        "integration": 1,
        "domain": payment.domain,
    }
    if refund.status == "needs-attention":
        data |= {
            "id": str(refund.id),
            "customer_note": refund.customer_note,
            "merchant_note": refund.merchant_note,
        }
    return data


def dispute(row: DisputeRow, payment: Payment, card: Card | None) -> dict[str, Any]:
    """A dispute, of a list or a webhook: the reference stands inside the transaction only."""
    return {
        "id": row.id,
        "refund_amount": row.amount,
        "currency": row.currency,
        "status": row.status,
        "resolution": row.resolution,
        "domain": payment.domain,
        "transaction": transaction(payment, card),
        "transaction_reference": None,
        "category": "chargeback",
        "customer": _customer(payment),
        "bin": None,
        "last4": None if card is None else card.last4,
        "dueAt": instant(row.due_at),
        "resolvedAt": instant(row.resolved_at),
        "evidence": None,
        "note": None,
        "history": [{"status": row.status, "createdAt": instant(row.created_at)}],
        "messages": [],
        "created_at": instant(row.created_at),
    }


def _refund(refund: RefundRow) -> dict[str, Any]:
    return {
        "id": refund.id,
        "status": refund.status,
        "amount": refund.amount,
        "currency": refund.currency,
        "deducted_amount": 0,
        "expected_at": instant(refund.created_at),
        "customer_note": refund.customer_note,
        "merchant_note": refund.merchant_note,
        "created_at": instant(refund.created_at),
    }


def _response(payment: Payment) -> str:
    """What the bank or the network said."""
    said = {"success": "Approved", "abandoned": "The transaction was not completed", "reversed": "Reversed"}
    return payment.reason or said.get(payment.status, payment.status)


def _customer(payment: Payment) -> dict[str, Any]:
    named = dict.fromkeys(("first_name", "last_name", "phone", "metadata"))
    return {"id": 1, "email": payment.email, "customer_code": "CUS_fake", **named, "risk_action": "default"}


def _authorization(payment: Payment, card: Card | None) -> dict[str, Any]:
    """How it was paid; empty while it is not."""
    if payment.paid_at is None:
        return {}
    if payment.channel == "mobile_money":
        return _mobile_money(payment)
    known = {"channel": "card", "card_type": "visa", "brand": "visa", "bank": "TEST BANK", "country_code": "GH"}
    return {
        "authorization_code": None if card is None else card.code,
        "bin": "408408",
        "last4": "4081" if card is None else card.last4,
        "exp_month": "12",
        "exp_year": "2030",
        **known,
        "reusable": card is not None,
        "signature": None if card is None else f"SIG_{card.last4}",
        "account_name": None,
    }


def _mobile_money(payment: Payment) -> dict[str, Any]:
    network = NETWORKS.get(payment.network, "MTN")
    return {
        "authorization_code": f"AUTH_m{payment.id}",
        "bin": f"{payment.phone[:3] or '055'}XXX",
        "last4": f"X{payment.phone[-3:] or '149'}",
        "exp_month": "12",
        "exp_year": "9999",
        "channel": "mobile_money",
        "card_type": "",
        "bank": f"{network} Mobile Money",
        "country_code": "GH",
        "brand": f"{network} Mobile Money",
        "reusable": False,
        "signature": None,
        "account_name": None,
    }
