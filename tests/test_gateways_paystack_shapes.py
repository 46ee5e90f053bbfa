"""Paystack's odd shapes and its webhooks: read leniently, decided strictly."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from ai_addons.billing.gateways.base import Charge, Outcome, SavedCard
from ai_addons.errors import BadSignature
from tests.gateways import KEY, OLD_KEY, REFERENCE, hook, ok, paystack, transaction

CARD = {
    "authorization_code": "AUTH_72btv547",
    "last4": "4081",
    "exp_month": "12",
    "exp_year": "2030",
    "channel": "card",
    "card_type": "visa ",
    "brand": "visa",
    "reusable": True,
}
UNKNOWN: list[object] = ["Success", "SUCCESS", "success ", "paid", "", None, True, 1, [], {}]
METADATA: list[object] = ["", 0, None, {"order": "7"}, '{"order":"7"}', [], "{"]
PLANS: list[object] = [{}, None, "", "PLN_x"]
NO_AMOUNTS: list[object] = [
    *(True, False, None, "", "3000.0", 3000.0, 30.5, "30.5", -3000, "-3000", " 3000", "3,000", "\uff13000", "0x10"),
    *("1e3", [3000], {"a": 1}, 10**15, "9" * 5000),
]


def _fetch(**changes: object) -> Charge:
    gateway, _ = paystack(ok(transaction(**changes)))
    charge = gateway.fetch(REFERENCE)
    assert charge is not None
    return charge


def test_a_paid_prompt_is_read_whole() -> None:
    """Every part of it, with the time to the millisecond."""
    charge = _fetch()
    assert charge == Charge(
        reference=REFERENCE,
        outcome=Outcome.PAID,
        raw_status="success",
        amount_minor=3000,
        requested_minor=3000,
        currency="GHS",
        live=False,
        method="mobile_money",
        fees_minor=59,
        reason="Approved",
        paid_at=1_790_683_201_250_000,
        raw=charge.raw,
    )


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("success", Outcome.PAID),
        ("failed", Outcome.FAILED),
        ("reversed", Outcome.REVERSED),
        *(
            (status, Outcome.PENDING)
            for status in (
                *("abandoned", "ongoing", "pending", "processing", "queued", "pay_offline", "send_otp", "send_pin"),
                *("send_phone", "send_birthday", "send_address", "open_url"),
            )
        ),
        *((status, Outcome.UNKNOWN) for status in UNKNOWN),
    ],
    ids=repr,
)
def test_each_status_has_its_outcome(status: object, outcome: Outcome) -> None:
    """An unpaid page is `abandoned` and still pending; what is not known never pays."""
    assert _fetch(status=status).outcome is outcome


@pytest.mark.parametrize(
    "changes",
    [
        *({"metadata": value} for value in METADATA),
        *({"plan": value} for value in PLANS),
        {"ip_address": "154.160.1.1, 172.70.1.1"},
        {"ip_address": None},
        {"authorization": {}},
        {"authorization": None},
        {"customer": None, "split": {}, "fees_split": None},
        {"something": {"new": [1, 2.5, None]}},
    ],
    ids=str,
)
def test_what_is_not_needed_may_have_any_shape(changes: dict[str, object]) -> None:
    """The payment is read as ever."""
    charge = _fetch(**changes)
    assert (charge.outcome, charge.amount_minor, charge.currency, charge.card) == (Outcome.PAID, 3000, "GHS", None)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (3000, 3000),
        ("3000", 3000),
        (0, 0),
        (10**15 - 1, 10**15 - 1),
        *((value, None) for value in NO_AMOUNTS),
    ],
    ids=lambda value: repr(value)[:20],
)
@pytest.mark.parametrize(
    ("name", "field"), [("amount", "amount_minor"), ("requested_amount", "requested_minor"), ("fees", "fees_minor")]
)
def test_an_amount_is_a_whole_number_or_none(name: str, field: str, given: object, read: int | None) -> None:
    """A bool is no number, nothing is rounded, and nothing goes through a float."""
    assert getattr(_fetch(**{name: given}), field) == read


@pytest.mark.parametrize(
    ("field", "given", "read"),
    [
        ("currency", "ghs", "GHS"),
        ("currency", "cedis", None),
        ("currency", 7, None),
        ("domain", "live", True),
        ("domain", "test", False),
        ("domain", "Live", None),
        ("domain", True, None),
        ("channel", "card", "card"),
        ("channel", "bank", None),
        ("channel", ["card"], None),
    ],
)
def test_what_the_decision_rests_on_is_read_or_none(field: str, given: object, read: object) -> None:
    """Whoever decides finds None and does not pay for it."""
    charge = _fetch(**{field: given})
    assert {"currency": charge.currency, "domain": charge.live, "channel": charge.method}[field] == read


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        ({"paid_at": None}, 1_790_683_201_250_000),
        ({"paid_at": "2026-09-29T14:00:00+02:00"}, 1_790_683_200_000_000),
        ({"paid_at": "2026-09-29T12:00:00"}, 1_790_683_200_000_000),
        *(({"paid_at": one, "paidAt": one}, None) for one in (None, "", "yesterday", 7, "0001-01-01T00:00:00+23:59x")),
    ],
    ids=str,
)
def test_a_time_is_read_in_utc(changes: dict[str, object], read: int | None) -> None:
    """Under either name; with any zone, or none."""
    assert _fetch(**changes).paid_at == read


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"message": "Low balance", "gateway_response": "Declined"}, "Low balance"),
        ({"message": " ", "gateway_response": "Declined"}, "Declined"),
        ({"message": None, "gateway_response": None}, ""),
        ({"message": "two\nlines\x00"}, "two lines "),
        ({"message": "x" * 400}, "x" * 300),
        ({"message": {"a": 1}, "gateway_response": 7}, ""),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_reason_is_one_line_for_people(changes: dict[str, object], reason: str) -> None:
    """The first that says anything."""
    assert _fetch(**changes).reason == reason


@pytest.mark.parametrize(
    ("changes", "expires"),
    [
        ({}, "12/2030"),
        ({"exp_month": 1, "exp_year": 2031}, "01/2031"),
        ({"exp_month": 12, "exp_year": 9999}, "12/9999"),
        ({"exp_month": "13"}, ""),
        ({"exp_month": 0}, ""),
        ({"exp_year": None}, ""),
        ({"exp_month": True}, ""),
    ],
    ids=str,
)
def test_a_card_that_may_be_charged_again_is_kept(changes: dict[str, object], expires: str) -> None:
    """With the address it was made with; its expiry comes as text or as numbers."""
    assert _fetch(channel="card", authorization=CARD | changes).card == SavedCard(
        code="AUTH_72btv547", email="shop@example.com", brand="visa", last4="4081", expires=expires
    )


@pytest.mark.parametrize(
    ("changes", "customer"),
    [
        ({"reusable": False}, {"email": "shop@example.com"}),
        ({"reusable": "true"}, {"email": "shop@example.com"}),
        ({"reusable": 1}, {"email": "shop@example.com"}),
        ({"channel": "mobile_money"}, {"email": "shop@example.com"}),
        ({"authorization_code": None}, {"email": "shop@example.com"}),
        ({"authorization_code": ""}, {"email": "shop@example.com"}),
        ({}, {}),
        ({}, None),
    ],
    ids=str,
)
def test_any_other_authorisation_is_not_kept(changes: dict[str, object], customer: object) -> None:
    """Mobile Money cannot be pulled, and a card that does not say so cannot be charged again."""
    assert _fetch(authorization=CARD | changes, customer=customer).card is None


def _body(event: object, data: object) -> bytes:
    return json.dumps({"event": event, "data": data}).encode()


def _refund_event(**changes: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "status": "pending",
        "transaction_reference": REFERENCE,
        "refund_reference": None,
        "amount": "10000",
        "currency": "GHS",
        "processor": "mobile_money",
        "customer": {"first_name": "A", "last_name": None, "email": "a@example.com"},
        "integration": 1,
        "domain": "test",
    }
    return plain | changes


DISPUTE = {
    "id": 2867,
    "status": "awaiting-merchant-feedback",
    "transaction": {"id": 1, "reference": REFERENCE},
    "transaction_reference": None,
}
OTHERS = [
    *("paymentrequest.success", "paymentrequest.pending", "invoice.create", "invoice.update", "invoice.payment_failed"),
    *("subscription.create", "subscription.disable", "subscription.not_renew", "transfer.success", "transfer.failed"),
    *("customeridentification.success", "dedicatedaccount.assign.success", "charge.failed", "charge", "", "refund"),
]


@pytest.mark.parametrize(
    ("event", "data", "topic", "key"),
    [
        ("charge.success", transaction(), "payment", "charge.success:4099260516:success"),
        (
            "charge.success",
            transaction(metadata=0, fees=None, id=None),
            "payment",
            f"charge.success:{REFERENCE}:success",
        ),
        ("refund.pending", _refund_event(), "refund", f"refund.pending:{REFERENCE}:pending"),
        (
            "refund.processing",
            _refund_event(status="processing"),
            "refund",
            f"refund.processing:{REFERENCE}:processing",
        ),
        (
            "refund.processed",
            _refund_event(status="processed", refund_reference="TRF_x1"),
            "refund",
            "refund.processed:TRF_x1:processed",
        ),
        (
            "refund.failed",
            _refund_event(status="failed", amount=10_000, refund_reference="1234"),
            "refund",
            "refund.failed:1234:failed",
        ),
        (
            "refund.needs-attention",
            _refund_event(status="needs-attention", id="507", amount=10_000),
            "refund",
            "refund.needs-attention:507:needs-attention",
        ),
        *(
            (name, DISPUTE, "dispute", f"{name}:2867:awaiting-merchant-feedback")
            for name in ("charge.dispute.create", "charge.dispute.remind", "charge.dispute.resolve")
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_event_says_what_to_ask_about(event: str, data: object, topic: str, key: str) -> None:
    """Each kind has our reference in another place; none has an id of its own."""
    body = _body(event, data)
    read = paystack()[0].read_webhook(hook(body), body)
    assert (read.name, read.topic, read.reference, read.key, read.body) == (event, topic, REFERENCE, key, body)


@pytest.mark.parametrize("name", OTHERS)
def test_any_other_event_is_none_of_ours(name: str) -> None:
    """It is kept and answered, and nothing is asked."""
    body = _body(name, {"id": 1, "reference": REFERENCE, "transaction_reference": REFERENCE, "status": "x"})
    read = paystack()[0].read_webhook(hook(body), body)
    assert (read.name, read.topic, read.reference, read.key) == (name, None, None, f"{name}:1:x")


@pytest.mark.parametrize(
    "body",
    [
        _body("subscription.expiring_cards", [{"expiry_date": "12/2026", "brand": "visa"}]),
        _body("charge.success", None),
        _body("charge.success", "x"),
        _body("charge.success", {"reference": "not_ours"}),
        _body("charge.success", {"reference": ["x"]}),
        _body("charge.dispute.create", {"transaction": None, "transaction_reference": REFERENCE}),
        _body(7, {"reference": REFERENCE}),
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"{" * 100_000,
        b'{"event": "charge.success", "data": {"reference": "\\u0000"}}',
        b'{"a":' + b"9" * 10_000 + b"}",
    ],
    ids=lambda body: body[:40],
)
def test_a_signed_body_is_never_an_error(body: bytes) -> None:
    """Whatever Paystack sends next year is stored and answered; it names nothing to ask about."""
    read = paystack()[0].read_webhook(hook(body), body)
    assert read.reference is None
    assert read.body == body


def test_what_has_no_name_is_known_by_its_body() -> None:
    """The key is then a hash; a key that is too long for its column too."""
    body = _body("transfer.success", {})
    digest = hashlib.sha256(body).hexdigest()
    assert paystack()[0].read_webhook(hook(body), body).key == f"transfer.success:{digest}:"
    body = _body("x" * 150, {"id": "y" * 150})
    long = f"{'x' * 150}:{'y' * 150}:"
    assert paystack()[0].read_webhook(hook(body), body).key == hashlib.sha256(long.encode()).hexdigest()


BODY = _body("charge.success", transaction(amount=100_000))


@pytest.mark.parametrize("key", [KEY, OLD_KEY])
@pytest.mark.parametrize("name", ["x-paystack-signature", "X-Paystack-Signature", "X-PAYSTACK-SIGNATURE"])
def test_any_key_of_the_settings_may_have_signed(key: str, name: str) -> None:
    """A key can be changed without a gap; header names have no case."""
    signature = hmac.digest(key.encode(), BODY, "sha512").hex()
    assert paystack()[0].read_webhook({name: signature}, BODY).reference == REFERENCE


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, BODY),
        ({"x-paystack-signature": ""}, BODY),
        ({"x-paystack-signature": "é"}, BODY),
        (hook(BODY, "sk_test_of_another"), BODY),
        ({"x-paystack-signature": hook(BODY)["X-Paystack-Signature"][:-1]}, BODY),
        ({"x-paystack-signature": hook(BODY)["X-Paystack-Signature"].upper()}, BODY),
        ({"x-paystack-signature": hmac.digest(KEY.encode(), BODY, "sha256").hex()}, BODY),
        (hook(BODY), BODY[:-1]),
        (hook(BODY), BODY + b"\n"),
        (hook(BODY), BODY.replace(b"100000", b"900000")),
        (hook(BODY), json.dumps(json.loads(BODY), separators=(",", ":")).encode()),
        (hook(BODY), b""),
    ],
    ids=["none", "empty", "unicode", "other", "cut", "capitals", "sha256", "cut body", "more", "forged", "again", "no"],
)  # fmt: skip
def test_anything_else_is_not_trusted(headers: dict[str, str], body: bytes) -> None:
    """Forged, cut or written anew by something between; the error tells nothing of the right signature."""
    with pytest.raises(BadSignature) as caught:
        paystack()[0].read_webhook(headers, body)
    assert str(caught.value) == (
        "This webhook is not signed with Paystack's secret key, so it is not trusted. "
        "Nothing was booked. Compare the key with the dashboard's."
    )


def test_answers_are_kept_as_they_came() -> None:
    """Also those that are no UTF-8, for whoever has to look at them later."""
    answer: Any = (200, b'{"status":true,"data":{"reference":"' + REFERENCE.encode() + b'","x":"\xc3\xa9"}}')
    gateway, _ = paystack(answer)
    charge = gateway.fetch(REFERENCE)
    assert charge is not None
    assert charge.raw == answer[1].decode()
