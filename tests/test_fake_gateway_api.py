"""The fake gateway speaks Paystack's protocol, odd places included."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.gateways.fake.api import PaystackApi
from ai_addons.billing.gateways.fake.desk import Desk
from ai_addons.billing.gateways.fake.hooks import signature
from ai_addons.billing.gateways.fake.payments import OTP
from ai_addons.billing.gateways.fake.refusals import Refusal, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ai_addons.testing.fakes import ManualClock

KEY = "sk_test_1"
PAY = {"email": "shop@example.com", "amount": 3000, "currency": "GHS", "reference": "aia-1"}
LATER: dict[str, Any] = {"from": "2027-01-01"}
PHONE = PAY | {"mobile_money": {"phone": "0244000000", "provider": "mtn"}}


class Wire:
    """One caller of the API."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.api = PaystackApi(desk, key=KEY)

    def call(self, method: str, path: str, body: Any = None, *, http: int = 200, key: str = KEY, **query: Any) -> Any:
        """Send a request, hold the answer to its status, and read it."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {key}"}
        answer = self.api.answer(method, path, query=query, headers=headers, body=content)
        assert answer is not None
        assert answer.status == http, answer.body
        return json.loads(answer.body)

    def refused(self, method: str, path: str, body: Any, *, http: int, **query: Any) -> str:
        """The code of a refusal, whose envelope is right."""
        answer = self.call(method, path, body, http=http, **query)
        assert answer["status"] is False
        assert sorted(answer) == ["code", "message", "meta", "status", "type"]
        return str(answer["code"])

    def verify(self, reference: str = "aia-1") -> dict[str, Any]:
        """What became of a payment."""
        answer = self.call("GET", f"/transaction/verify/{reference}")
        assert (answer["status"], answer["message"]) == (True, "Verification successful")
        data: dict[str, Any] = answer["data"]
        return data

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Every webhook so far, by name and data."""
        read = [json.loads(event.body) for event in self.desk.events.all()]
        return [(event["event"], event["data"]) for event in read]


@pytest.fixture
def wire(ai_clock: ManualClock) -> Iterator[Wire]:
    """A gateway that was just opened."""
    desk = Desk(clock=ai_clock, site="http://127.0.0.1:1", token=lambda size: "ab" * size)
    yield Wire(desk)
    desk.close()


def test_initialize_answers_with_a_page(wire: Wire) -> None:
    """Address, access code and reference, and nothing else."""
    answer = wire.call("POST", "/transaction/initialize", PAY)
    assert answer == {
        "status": True,
        "message": "Authorization URL created",
        "data": {
            "authorization_url": f"http://127.0.0.1:1/checkout/{'ab' * 8}",
            "access_code": "ab" * 8,
            "reference": "aia-1",
        },
    }


def test_a_reference_is_made_where_none_is_given(wire: Wire) -> None:
    """As Paystack does."""
    body = {"email": "shop@example.com", "amount": 1}
    assert wire.call("POST", "/transaction/initialize", body)["data"]["reference"] == "fake-1001"


def test_a_fresh_payment_is_abandoned(wire: Wire) -> None:
    """The trap of the real API: what nobody has paid yet verifies as `abandoned`, with odd empty places."""
    wire.call("POST", "/transaction/initialize", PAY | {"metadata": {"order": "7"}})
    found = wire.verify()
    assert (found["status"], found["amount"], found["requested_amount"]) == ("abandoned", 3000, 3000)
    assert (found["domain"], found["currency"], found["metadata"]) == ("test", "GHS", {"order": "7"})
    assert (found["fees"], found["paid_at"], found["authorization"]) == (None, None, {})


def test_a_paid_payment_has_fees_and_times(wire: Wire) -> None:
    """1.95 %, half up; times in UTC with milliseconds; an authorisation that cannot be charged again."""
    wire.call("POST", "/transaction/initialize", PAY | {"amount": 1000})
    wire.desk.approve("aia-1")
    found = wire.verify()
    assert (found["status"], found["fees"], found["channel"]) == ("success", 20, "mobile_money")
    assert found["paid_at"] == found["paidAt"] == "2026-09-21T14:13:20.000Z"
    assert found["authorization"]["reusable"] is False
    assert (found["authorization"]["bin"], found["authorization"]["last4"]) == ("055XXX", "X149")
    assert found["metadata"] == ""


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "nobody"}, "invalid_email_address"),
        ({"email": None}, "invalid_email_address"),
        ({"amount": "3000"}, "invalid_amount"),
        ({"amount": 30.5}, "invalid_amount"),
        ({"amount": True}, "invalid_amount"),
        ({"amount": 0}, "invalid_amount"),
        ({"currency": "EUR"}, "unsupported_currency"),
        ({"reference": "with_underscore"}, "invalid_reference"),
        ({"reference": ""}, "invalid_reference"),
        ({"reference": 7}, "invalid_reference"),
    ],
)
def test_what_cannot_be_is_refused(wire: Wire, change: dict[str, Any], code: str) -> None:
    """Amounts are whole numbers above zero; addresses, currencies and references have their form."""
    assert wire.refused("POST", "/transaction/initialize", PAY | change, http=400) == code


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(wire: Wire, body: bytes) -> None:
    """Whatever comes, the answer is an envelope."""
    assert wire.refused("POST", "/transaction/initialize", body, http=400) == "invalid_params"


def test_a_reference_is_used_once(wire: Wire) -> None:
    """By any call."""
    wire.call("POST", "/transaction/initialize", PAY)
    assert wire.refused("POST", "/transaction/initialize", PAY, http=400) == "duplicate_reference"
    assert wire.refused("POST", "/charge", PHONE, http=400) == "duplicate_reference"


def test_another_key_is_refused(wire: Wire) -> None:
    """Before anything is looked at."""
    answer = wire.call("GET", "/transaction/verify/aia-1", key="sk_test_2", http=401)
    assert (answer["code"], answer["message"]) == ("invalid_Key", "Invalid key")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/transaction/verify/aia-none", "transaction_not_found"),
        ("GET", "/charge/aia-none", "transaction_not_found"),
        ("POST", "/charge/submit_otp", "transaction_not_found"),
        ("GET", "/refund/7", "refund_not_found"),
        ("POST", "/refund/retry_with_customer_details/7", "refund_not_found"),
        ("GET", "/dispute/7", "dispute_not_found"),
        ("GET", "/dispute/x", "dispute_not_found"),
        ("GET", "/subscription", "not_found"),
        ("PUT", "/charge", "not_found"),
    ],
)
def test_what_is_not_there_is_404(wire: Wire, method: str, path: str, code: str) -> None:
    """Payments, refunds, disputes, calls."""
    assert wire.refused(method, path, {}, http=404) == code


@pytest.mark.parametrize(
    ("phone", "provider", "answer"),
    [
        ("0244000000", "mtn", "pay_offline"),
        ("+233244000000", "atl", "pay_offline"),
        ("0244000000", "vod", "send_otp"),
        ("0550000001", "mtn", "pending"),
    ],
)
def test_a_charge_answers_with_a_step(wire: Wire, phone: str, provider: str, answer: str) -> None:
    """No amount and no currency stand in it; verified, it is under way."""
    data = wire.call("POST", "/charge", PHONE | {"mobile_money": {"phone": phone, "provider": provider}})["data"]
    assert data["status"] == answer
    assert set(data) <= {"reference", "status", "display_text"}
    assert ("display_text" in data) is (answer != "pending")
    assert wire.verify()["status"] == ("pending" if answer == "pending" else "ongoing")
    assert wire.call("GET", "/charge/aia-1")["data"] == data


def test_the_test_number_pays_at_once(wire: Wire) -> None:
    """Paystack's own test number never shows a prompt."""
    data = wire.call("POST", "/charge", PHONE | {"mobile_money": {"phone": "0551234987", "provider": "vod"}})["data"]
    assert (data["status"], data["amount"]) == ("success", 3000)
    assert data["authorization"]["bank"] == "Telecel Mobile Money"
    assert data["authorization"]["last4"] == "X987"


@pytest.mark.parametrize(
    ("phone", "reason"),
    [("0550000002", "Insufficient Funds"), ("05512", "Invalid mobile money phone number")],
)
def test_a_charge_may_fail_with_200(wire: Wire, phone: str, reason: str) -> None:
    """The envelope says `true` and the payment `failed`."""
    answer = wire.call("POST", "/charge", PHONE | {"mobile_money": {"phone": phone, "provider": "mtn"}})
    assert answer["status"] is True
    assert (answer["data"]["status"], answer["data"]["message"]) == ("failed", reason)
    assert answer["data"]["gateway_response"] == reason


@pytest.mark.parametrize("wallet", [None, "mtn", {"phone": "0244000000", "provider": "telecel"}, {}])
def test_a_charge_needs_a_network_of_ghana(wire: Wire, wallet: Any) -> None:
    """`mtn`, `vod` or `atl`; nothing is begun otherwise."""
    assert wire.refused("POST", "/charge", PHONE | {"mobile_money": wallet}, http=400) == "invalid_params"
    assert wire.refused("GET", "/transaction/verify/aia-1", {}, http=404) == "transaction_not_found"


def test_a_prompt_ends_after_180_seconds(wire: Wire, ai_clock: ManualClock) -> None:
    """To the second; a payment after it still counts."""
    wire.call("POST", "/charge", PHONE)
    ai_clock.advance(179.999999)
    assert wire.verify()["status"] == "ongoing"
    ai_clock.advance(0.000001)
    found = wire.verify()
    assert (found["status"], found["message"]) == ("failed", "The payer did not approve in time")
    wire.desk.approve("aia-1")
    assert wire.verify()["status"] == "success"


def test_the_code_pays(wire: Wire) -> None:
    """The right voucher code."""
    wire.call("POST", "/charge", PHONE | {"mobile_money": {"phone": "0244000000", "provider": "vod"}})
    data = wire.call("POST", "/charge/submit_otp", {"otp": OTP, "reference": "aia-1"})["data"]
    assert (data["status"], data["amount"]) == ("success", 3000)


def test_one_wrong_code_ends_the_charge(wire: Wire) -> None:
    """A second try is refused, even with the right one."""
    wire.call("POST", "/charge", PHONE | {"mobile_money": {"phone": "0244000000", "provider": "vod"}})
    data = wire.call("POST", "/charge/submit_otp", {"otp": "000000", "reference": "aia-1"})["data"]
    assert (data["status"], data["message"]) == ("failed", "Invalid OTP")
    code = wire.refused("POST", "/charge/submit_otp", {"otp": OTP, "reference": "aia-1"}, http=400)
    assert code == "no_otp_expected"


def test_a_saved_card_is_charged(wire: Wire) -> None:
    """With the address it was saved with; `metadata` comes back as it was sent."""
    wire.call("POST", "/transaction/initialize", PAY)
    wire.desk.approve("aia-1", channel="card", save_card=True)
    card = wire.verify()["authorization"]
    assert (card["reusable"], card["last4"], card["exp_year"]) == (True, "4081", "2030")
    again = PAY | {"reference": "aia-2", "authorization_code": card["authorization_code"], "metadata": '{"a": "b"}'}
    data = wire.call("POST", "/transaction/charge_authorization", again)["data"]
    assert (data["status"], data["channel"], data["metadata"]) == ("success", "card", '{"a": "b"}')
    wire.desk.break_card(card["authorization_code"])
    data = wire.call("POST", "/transaction/charge_authorization", again | {"reference": "aia-3"})["data"]
    assert (data["status"], data["message"]) == ("failed", "Insufficient Funds")


@pytest.mark.parametrize("change", [{"authorization_code": "AUTH_none"}, {"email": "other@example.com"}])
def test_a_card_belongs_to_its_address(wire: Wire, change: dict[str, str]) -> None:
    """Another address or another code opens nothing."""
    wire.call("POST", "/transaction/initialize", PAY)
    wire.desk.approve("aia-1", channel="card", save_card=True)
    code = wire.verify()["authorization"]["authorization_code"]
    asked = PAY | {"reference": "aia-2", "authorization_code": code} | change
    path = "/transaction/charge_authorization"
    assert wire.refused("POST", path, asked, http=400) == "invalid_authorization_code"


def test_a_card_used_once_cannot_be_charged_again(wire: Wire) -> None:
    """It has no authorisation to keep."""
    wire.call("POST", "/transaction/initialize", PAY)
    wire.desk.approve("aia-1", channel="card")
    card = wire.verify()["authorization"]
    assert (card["reusable"], card["authorization_code"], card["signature"]) == (False, None, None)
    wire.desk.break_card("AUTH_none")


def test_a_failure_is_told_by_no_webhook(wire: Wire) -> None:
    """There is no `charge.failed`."""
    wire.call("POST", "/transaction/initialize", PAY)
    wire.desk.decline("aia-1")
    assert wire.events() == []


def test_success_is_told_in_full(wire: Wire) -> None:
    """The data of `charge.success` is what verify says; the signature is HMAC-SHA512 of the bytes."""
    wire.call("POST", "/transaction/initialize", PAY)
    wire.desk.approve("aia-1")
    assert wire.events() == [("charge.success", wire.verify())]
    body = wire.desk.events.all()[0].body.encode()
    assert signature(KEY, body) == hmac.new(KEY.encode(), body, hashlib.sha512).hexdigest()


def test_what_is_paid_stays_paid(wire: Wire) -> None:
    """It is neither paid again nor declined."""
    wire.call("POST", "/transaction/initialize", PAY)
    wire.desk.approve("aia-1")
    for again in (wire.desk.approve, wire.desk.decline):
        with pytest.raises(Refused, match="paid already"):
            again("aia-1")
    with pytest.raises(Refused, match="not found"):
        wire.desk.decline("aia-none")


def test_the_list_is_paged_and_filtered(wire: Wire, ai_clock: ManualClock) -> None:
    """By page, by cursor, by status and by time; the newest first."""
    for number in range(5):
        wire.call("POST", "/transaction/initialize", PAY | {"reference": f"aia-{number}"})
        ai_clock.advance(3600)
    wire.desk.approve("aia-3")

    def names(**query: Any) -> tuple[list[str], dict[str, Any]]:
        answer = wire.call("GET", "/transaction", **query)
        return [row["reference"][4:] for row in answer["data"]], answer["meta"]

    assert names() == (["4", "3", "2", "1", "0"], {"total": 5, "skipped": 0, "perPage": 50, "page": 1, "pageCount": 1})
    rows, meta = names(per_page="2", page="3")
    assert (rows, meta["pageCount"], meta["page"]) == (["0"], 3, 3)
    rows, meta = names(perPage="2", use_cursor="true")
    assert (rows, meta["next"], meta["previous"]) == (["4", "3"], "2", None)
    rows, meta = names(perPage="2", use_cursor="true", next="4")
    assert (rows, meta["next"], meta["previous"]) == (["0"], None, "2")
    assert names(perPage="2", previous="2")[0] == ["2", "1"]
    assert names(status="success")[0] == ["3"]
    # The clock began at 14:13:20.
    assert names(**{"from": "2026-09-21T15:13:20.000Z", "to": "2026-09-21T16:13:20.000Z"})[0] == ["2", "1"]
    assert names(**{"from": "2026-09-21T18:13:20"})[0] == ["4"]
    assert names(**{"from": "2026-09-22"})[0] == []


@pytest.mark.parametrize(
    "query", [{"perPage": "0"}, {"perPage": "many"}, {"page": "0"}, {"page": "x"}, {"from": "yesterday"}, {"next": "x"}]
)
def test_a_query_that_cannot_be_read_is_refused(wire: Wire, query: dict[str, Any]) -> None:
    """Never a page of something else."""
    wire.call("POST", "/transaction/initialize", PAY)
    assert wire.refused("GET", "/transaction", None, http=400, **query) == "invalid_params"


def paid(wire: Wire) -> int:
    """A payment of GHS 30 that was paid; its number."""
    wire.call("POST", "/transaction/initialize", PAY)
    return wire.desk.approve("aia-1").id


def test_a_refund_has_other_shapes_when_made_and_when_listed(wire: Wire) -> None:
    """Made: the transaction stands in it. Listed: a number, with the reference beside it, and 0 for false."""
    number = paid(wire)
    asked = {"transaction": "aia-1", "amount": 1000, "merchant_note": "wrong pack"}
    made = wire.call("POST", "/refund", asked)["data"]
    assert (made["status"], made["amount"], made["transaction"]["reference"]) == ("pending", 1000, "aia-1")
    assert (made["fully_deducted"], made["merchant_note"]) == (False, "wrong pack")
    (listed,) = wire.call("GET", "/refund", transaction=str(number))["data"]
    assert (listed["transaction"], listed["transaction_reference"]) == (number, "aia-1")
    assert (listed["fully_deducted"], listed["refund_type"], listed["refunded_at"]) == (0, "partial", None)
    assert wire.call("GET", f"/refund/{made['id']}")["data"] == listed
    assert wire.call("GET", "/refund")["data"] == [listed]
    assert wire.call("GET", "/refund", **LATER)["data"] == []


def test_refund_events_are_as_odd_as_real_ones(wire: Wire) -> None:
    """Amounts as text in three of them, no id but in one, the reference in a place of its own."""
    paid(wire)
    made = wire.call("POST", "/refund", {"transaction": "aia-1", "amount": 1000})["data"]
    for state in ("processing", "needs-attention"):
        wire.desk.move_refund(made["id"], state)
    details = {"refund_account_details": {"currency": "GHS", "account_number": "1", "bank_id": "2"}}
    retried = wire.call("POST", f"/refund/retry_with_customer_details/{made['id']}", details)["data"]
    assert retried["status"] == "processing"
    wire.desk.move_refund(made["id"], "processed")
    told = [
        (name, data["amount"], data["refund_reference"], data.get("id"))
        for name, data in wire.events()
        if name.startswith("refund.")
    ]
    assert told == [
        ("refund.pending", "1000", None, None),
        ("refund.processing", "1000", None, None),
        ("refund.needs-attention", 1000, "TRF_1001", "1001"),
        ("refund.processing", "1000", None, None),
        ("refund.processed", "1000", "TRF_1001", None),
    ]
    assert wire.verify()["status"] == "success"
    assert wire.call("GET", "/refund/1001")["data"]["refunded_at"] == "2026-09-21T14:13:20.000Z"


def test_all_of_it_back_reverses_the_payment(wire: Wire) -> None:
    """In one refund or in several; a failed one does not count."""
    paid(wire)
    first = wire.call("POST", "/refund", {"transaction": "aia-1", "amount": 1000})["data"]["id"]
    wire.desk.move_refund(first, "failed")
    rest = [wire.call("POST", "/refund", {"transaction": "aia-1", "amount": part})["data"]["id"] for part in (1, 2999)]
    wire.desk.move_refund(rest[0], "processed")
    assert wire.verify()["status"] == "success"
    wire.desk.move_refund(rest[1], "processed")
    assert wire.verify()["status"] == "reversed"
    assert wire.refused("POST", "/refund", {"transaction": "aia-1"}, http=400) == "transaction_not_refundable"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"amount": 3001}, "invalid_refund_amount"),
        ({"amount": 0}, "invalid_amount"),
        ({"amount": "3000"}, "invalid_amount"),
    ],
)
def test_a_refund_has_bounds(wire: Wire, asked: dict[str, Any], code: str) -> None:
    """No more than was paid, and more than nothing."""
    paid(wire)
    assert wire.refused("POST", "/refund", {"transaction": "aia-1"} | asked, http=400) == code
    wire.call("POST", "/refund", {"transaction": "aia-1"})
    assert wire.refused("POST", "/refund", {"transaction": "aia-1"}, http=400) == "invalid_refund_amount"


def test_a_refund_moves_forward_only(wire: Wire) -> None:
    """What has ended has ended, no other state exists, and only what needs attention is retried."""
    paid(wire)
    made = wire.call("POST", "/refund", {"transaction": "aia-1"})["data"]["id"]
    path = f"/refund/retry_with_customer_details/{made}"
    assert wire.refused("POST", path, {}, http=400) == "invalid_state"
    wire.desk.move_refund(made, "needs-attention")
    assert wire.refused("POST", path, {}, http=400) == "invalid_params"
    with pytest.raises(Refused, match="cannot go there"):
        wire.desk.move_refund(made, "pending")
    wire.desk.move_refund(made, "failed")
    with pytest.raises(Refused, match="cannot go there"):
        wire.desk.move_refund(made, "processed")
    with pytest.raises(Refused, match="Refund not found"):
        wire.desk.move_refund(7, "processed")


def test_a_dispute_is_opened_told_and_lost(wire: Wire) -> None:
    """The reference stands inside the transaction only; lost in whole, the payment is reversed."""
    number = paid(wire)
    row = wire.desk.open_dispute("aia-1")
    (listed,) = wire.call("GET", "/dispute", transaction="aia-1")["data"]
    assert (listed["refund_amount"], listed["status"]) == (3000, "awaiting-merchant-feedback")
    assert (listed["transaction_reference"], listed["transaction"]["reference"]) == (None, "aia-1")
    assert listed["dueAt"] == "2026-09-28T14:13:20.000Z"
    assert wire.call("GET", f"/dispute/{row.id}")["data"] == listed
    assert wire.call("GET", f"/dispute/transaction/{number}")["data"] == listed
    assert wire.call("GET", "/dispute", status="resolved")["data"] == []
    wire.desk.remind(row.id)
    said = {"resolution": "merchant-accepted", "message": "m", "refund_amount": 3000, "uploaded_filename": "f"}
    path = f"/dispute/{row.id}/resolve"
    assert wire.refused("PUT", path, {"resolution": "declined"}, http=400) == "invalid_params"
    assert wire.refused("PUT", path, said | {"resolution": "lost"}, http=400) == "invalid_params"
    ended = wire.call("PUT", path, said)["data"]
    assert (ended["status"], ended["resolution"]) == ("resolved", "merchant-accepted")
    assert wire.refused("PUT", path, said, http=400) == "invalid_state"
    assert wire.verify()["status"] == "reversed"
    names = [name for name, _ in wire.events()]
    assert names[1:] == ["charge.dispute.create", "charge.dispute.remind", "charge.dispute.resolve"]


@pytest.mark.parametrize(
    ("part", "resolution", "status", "refunds"),
    [
        (1000, "auto-accepted", "success", [(1000, "processed")]),
        (1000, "declined", "success", []),
        (None, "declined", "success", []),
    ],
)
def test_a_dispute_about_a_part(
    wire: Wire, part: int | None, resolution: str, status: str, refunds: list[tuple[int, str]]
) -> None:
    """Lost, the part is a refund that names the dispute; won, nothing moves."""
    paid(wire)
    row = wire.desk.open_dispute("aia-1", part)
    wire.desk.resolve(row.id, resolution)
    assert wire.verify()["status"] == status
    listed = wire.call("GET", "/refund", transaction="aia-1")["data"]
    assert [(refund["amount"], refund["status"]) for refund in listed] == refunds
    assert [refund["dispute"] for refund in listed] == [row.id] * len(refunds)


def test_only_what_was_paid_is_contested(wire: Wire) -> None:
    """And no more of it; a payment nobody contests has no dispute."""
    paid(wire)
    for amount in (0, 3001):
        with pytest.raises(Refused, match="Only what was paid"):
            wire.desk.open_dispute("aia-1", amount)
    assert wire.refused("GET", "/dispute/transaction/aia-1", None, http=404) == "dispute_not_found"


@pytest.mark.parametrize(("fault", "made"), [("lost_request", False), ("lost_answer", True), (503, False)])
def test_a_request_goes_wrong_as_planned(wire: Wire, fault: Any, made: bool) -> None:
    """It never arrives, its answer never does, or it is answered with an error; the next one is well."""
    wire.api.fail_next(fault)
    headers = {"authorization": f"Bearer {KEY}"}
    body = json.dumps(PAY).encode()
    answer = wire.api.answer("POST", "/transaction/initialize", query={}, headers=headers, body=body)
    assert (None if answer is None else answer.status) == (503 if fault == 503 else None)
    assert (wire.desk.payments.get("aia-1") is not None) is made


def test_everything_is_there_again_from_the_file(tmp_path: Path, ai_clock: ManualClock) -> None:
    """Payments, cards, refunds, disputes and events; numbers go on."""
    path = tmp_path / "payments.db"
    first = Desk(clock=ai_clock, path=path)
    first.open("aia-1", amount=3000, currency="GHS", email="shop@example.com", metadata={"a": [1]})
    first.approve("aia-1", channel="card", save_card=True)
    first.begin_refund(first.payment("aia-1"), 1)
    first.open_dispute("aia-1")
    shelves = ("payments", "cards", "refunds", "disputes", "events")
    kept = [getattr(first, shelf).all() for shelf in shelves]
    first.close()
    again = Desk(clock=ai_clock, path=path)
    assert [getattr(again, shelf).all() for shelf in shelves] == kept
    assert [len(rows) for rows in kept] == [1, 1, 1, 1, 3]
    assert again.open("aia-2", amount=1, currency="GHS", email="shop@example.com").id == 1002
    again.close()


def test_records_hide_who_pays(wire: Wire) -> None:
    """What is printed by accident names no address, no telephone and no card."""
    wire.call("POST", "/charge", PHONE)
    payment = wire.desk.approve("aia-1", channel="card", save_card=True)
    card = wire.desk.card_of(payment)
    shown = repr([payment, card, wire.desk.events.all()])
    assert not [hidden for hidden in ("shop@example.com", "0244000000", "AUTH_") if hidden in shown]


def test_every_refusal_has_words(wire: Wire) -> None:
    """For a person, with a status that is an error's."""
    for why in Refusal:
        refused = Refused(why)
        assert str(refused) == refused.message
        assert 400 <= refused.status < 500
