"""The calls that collect money: hosted checkout, phone prompts, saved cards, and what became of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.gateways.fake import shapes
from ai_addons.billing.gateways.fake.refusals import Refusal, Refused
from ai_addons.billing.gateways.fake.wire import Answer, between, envelope, listed, object_in, reference_in, wanted

if TYPE_CHECKING:
    from ai_addons.billing.gateways.fake.desk import Desk
    from ai_addons.billing.gateways.fake.records import Payment

CHANNELS: Final = ("card", "mobile_money")
"""What a payment may be made with in Ghana."""
PAYS_AT_ONCE: Final = "0551234987"
"""Paystack's test number, which pays without a prompt."""
HANGS_UNTOLD: Final = "0550000001"
"""Here: the answer is `pending`, and says nothing more."""
FAILS_AT_ONCE: Final = "0550000002"
"""Here: the answer is HTTP 200 and `failed`."""

_PHONE: Final = re.compile(r"(?:\+?233|0)(\d{9})")


def initialize(desk: Desk, asked: dict[str, Any]) -> Answer:
    """``POST /transaction/initialize``: a page to pay on."""
    known = wanted(asked)
    channels = asked.get("channels") or list(CHANNELS)
    opened = desk.open(reference_in(desk, asked), callback_url=asked.get("callback_url"), channels=channels, **known)
    data = {
        "authorization_url": f"{desk.site}/checkout/{opened.access_code}",
        "access_code": opened.access_code,
        "reference": opened.reference,
    }
    return envelope(200, "Authorization URL created", data)


def verify(desk: Desk, reference: str, _: dict[str, Any]) -> Answer:
    """``GET /transaction/verify/{reference}``: what became of it."""
    return envelope(200, "Verification successful", desk.transaction(desk.payment(reference)))


def transactions(desk: Desk, asked: dict[str, Any]) -> Answer:
    """``GET /transaction``: all of them, the newest first."""
    rows = [desk.payment(row.reference) for row in desk.payments.all()]
    shown = [desk.transaction(row) for row in reversed(rows) if between(row.created_at, asked)]
    status = asked.get("status")
    return listed("Transactions retrieved", [row for row in shown if status in {None, row["status"]}], asked)


def charge_authorization(desk: Desk, asked: dict[str, Any]) -> Answer:
    """``POST /transaction/charge_authorization``: a saved card, with the address that it was saved with."""
    known = wanted(asked)
    card = desk.cards.get(str(asked.get("authorization_code")))
    if card is None or card.email != known["email"]:
        raise Refused(Refusal.UNKNOWN_CARD)
    opened = desk.open(reference_in(desk, asked), channel="card", card=card.code, **known)
    if card.works:
        desk.settle(opened)
    else:
        desk.decline(opened.reference, "Insufficient Funds")
    return _charged(desk, opened.reference)


def charge(desk: Desk, asked: dict[str, Any]) -> Answer:
    """``POST /charge``: Mobile Money, by a prompt on the phone."""
    known, wallet = wanted(asked), object_in(asked.get("mobile_money"))
    phone, network = str(wallet.get("phone", "")), str(wallet.get("provider", ""))
    if network not in shapes.NETWORKS:
        raise Refused(Refusal.INVALID_BODY)
    opened = desk.open(reference_in(desk, asked), channel="mobile_money", **known)
    _ring(desk, replace(opened, phone=phone, network=network))
    return _charged(desk, opened.reference)


def _ring(desk: Desk, payment: Payment) -> None:
    """Do what this number does."""
    found = _PHONE.fullmatch(payment.phone)
    phone = f"0{found[1]}" if found is not None else ""
    if phone == PAYS_AT_ONCE:
        desk.settle(payment)
    elif phone in {"", FAILS_AT_ONCE}:
        reason = "Insufficient Funds" if phone else "Invalid mobile money phone number"
        desk.decline(payment.reference, reason)
    else:
        status = "send_otp" if payment.network == "vod" else "pay_offline"
        said = "pending" if phone == HANGS_UNTOLD else status
        desk.prompt(payment.reference, said, phone=phone, network=payment.network)


def submit_otp(desk: Desk, asked: dict[str, Any]) -> Answer:
    """``POST /charge/submit_otp``: the code that the payer was sent."""
    reference = str(asked.get("reference"))
    if asked.get("otp") == desk.otp(reference):
        desk.approve(reference)
    else:
        # One wrong code ends the charge, as on the test API.
        desk.decline(reference, "Invalid OTP")
    return _charged(desk, reference)


def check(desk: Desk, reference: str, _: dict[str, Any]) -> Answer:
    """``GET /charge/{reference}``: how far a prompt is."""
    return _charged(desk, reference)


def _charged(desk: Desk, reference: str) -> Answer:
    """The answer to a charge: a whole transaction once it is over, else no more than a step."""
    payment = desk.payment(reference)
    over = payment.paid_at is not None or payment.status in {"failed", "abandoned"}
    return envelope(200, "Charge attempted", desk.transaction(payment) if over else shapes.step(payment))
