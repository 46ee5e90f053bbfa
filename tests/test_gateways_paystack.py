"""What goes to Paystack, byte for byte, and what is made of its answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ai_addons.billing.gateways.base import Checkout, Dispute, Outcome, RefundOutcome, SavedCard
from ai_addons.billing.gateways.paystack import local_phone
from ai_addons.errors import ConfigError, GatewayError, PaymentError
from ai_addons.money import Money
from tests.gateways import NOW, REFERENCE, ok, paystack, refused, request, transaction

OPENED = {"authorization_url": "https://checkout.paystack.com/0peioxfhpn", "access_code": "0peioxfhpn"}
CARD = SavedCard(code="AUTH_72btv547", email="owner@example.com", brand="visa", last4="4081", expires="12/2030")
BASE = f'"email":"shop@example.com","amount":3000,"currency":"GHS","reference":"{REFERENCE}"'
LIST_QUERY = {"perPage": ["100"], "transaction": ["4099260516"], "from": ["2026-09-29T11:59:00.000000Z"]}


def _query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def test_a_page_is_opened_with_the_amount_in_pesewas() -> None:
    """GHS 30 is the JSON integer 3000; the browser comes back to the address given."""
    gateway, wire = paystack(ok({**OPENED, "reference": REFERENCE}))
    opened = gateway.checkout(request(metadata={"order": "7"}, methods=("mobile_money",)))
    assert opened == Checkout(reference=REFERENCE, url=OPENED["authorization_url"], gateway_id="0peioxfhpn")
    assert wire.sent == [("POST", "/transaction/initialize")]
    assert wire.requests[0].headers["content-type"] == "application/json"
    assert wire.requests[0].content.decode() == (
        "{" + BASE + ',"label":"QUICK","channels":["mobile_money"],"callback_url":"https://pos.example/back",'
        '"metadata":{"order":"7"}}'
    )


def test_what_was_not_given_is_not_sent() -> None:
    """No metadata and no address to come back to; both channels of Ghana unless fewer are wanted."""
    gateway, wire = paystack(ok({**OPENED, "reference": REFERENCE}))
    gateway.checkout(request(return_url=None))
    sent = "{" + BASE + ',"label":"QUICK","channels":["mobile_money","card"]}'
    assert wire.requests[0].content.decode() == sent


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": "aia-other"},
        {"reference": None},
        {"authorization_url": None},
        {"authorization_url": "javascript:alert(1)"},
        {"authorization_url": "https://x.example/\nLocation: y"},
    ],
    ids=str,
)
def test_a_page_that_cannot_be_shown_is_an_error(changes: dict[str, object]) -> None:
    """The attempt may exist all the same."""
    gateway, _ = paystack(ok({**OPENED, "reference": REFERENCE, **changes}))
    with pytest.raises(GatewayError, match="an answer that cannot be used") as caught:
        gateway.checkout(request())
    assert caught.value.may_exist


@pytest.mark.parametrize(
    "answer",
    [
        refused(400, "duplicate_reference", "Duplicate Transaction Reference"),
        refused(400, "", "Duplicate Transaction Reference"),
        (400, {"status": False, "type": "duplicate_reference"}),
    ],
    ids=["code", "message", "type"],
)
def test_a_reference_used_twice_means_that_the_first_call_arrived(answer: Any) -> None:
    """It is to be fetched; its page is lost."""
    gateway, _ = paystack(answer)
    with pytest.raises(GatewayError) as caught:
        gateway.checkout(request())
    assert (caught.value.reason, caught.value.may_exist, caught.value.status) == ("duplicate_reference", True, 400)


@pytest.mark.parametrize(
    ("answer", "reason", "may_exist"),
    [
        (refused(401, "invalid_Key"), "invalid_Key", False),
        (refused(400, "invalid_email_address"), "invalid_email_address", False),
        ((400, {"status": False, "type": "validation_error"}), "validation_error", False),
        ((400, {"status": False, "message": "Currency not supported"}), "Currency not supported", False),
        ((400, {"status": False, "message": "shop@example.com is wrong"}), "", False),
        ((400, {"status": False, "message": "Call 0551234987"}), "", False),
        ((400, {"status": False, "code": "processor_error"}), "processor_error", True),
        ((400, b"Bad request"), "", False),
    ],
    ids=str,
)
def test_a_refusal_gives_paystack_s_own_code(answer: Any, reason: str, may_exist: bool) -> None:
    """Nothing personal is taken from its words; where the processor failed, a transaction may stand."""
    gateway, _ = paystack(answer)
    with pytest.raises(GatewayError) as caught:
        gateway.checkout(request())
    assert (caught.value.reason, caught.value.may_exist) == (reason, may_exist)


def test_a_price_in_another_currency_is_not_sent() -> None:
    """The settings say what is charged in: GHS unless they name another."""
    gateway, wire = paystack()
    with pytest.raises(ConfigError, match="set to charge in GHS, and the price is in NGN"):
        gateway.checkout(request(amount=Money("30", "NGN")))
    assert wire.requests == []
    gateway, wire = paystack(ok({**OPENED, "reference": REFERENCE}), currency="NGN")
    gateway.checkout(request(amount=Money("30.50", "NGN")))
    assert (wire.body()["amount"], wire.body()["currency"]) == (3050, "NGN")


def test_an_attempt_is_fetched_by_its_reference() -> None:
    """Verify is the only basis for credits."""
    gateway, wire = paystack(ok(transaction()))
    charge = gateway.fetch(REFERENCE)
    assert wire.sent == [("GET", f"/transaction/verify/{REFERENCE}")]
    assert charge is not None
    assert (charge.outcome, charge.amount_minor, charge.currency) == (Outcome.PAID, 3000, "GHS")
    assert json.loads(charge.raw)["data"] == transaction()


@pytest.mark.parametrize(
    "answer",
    [
        refused(404, "transaction_not_found"),
        refused(400, "transaction_not_found"),
        (404, {"status": False, "type": "transaction_not_found"}),
        (400, {"status": False, "message": "Transaction reference not found."}),
    ],
)
def test_an_attempt_that_never_was_is_none(answer: Any) -> None:
    """The same reference may then be sent again."""
    gateway, _ = paystack(answer, answer, answer, answer)
    assert gateway.fetch(REFERENCE) is gateway.check(REFERENCE) is None
    assert gateway.refunds(REFERENCE) == ()
    assert gateway.disputes(REFERENCE) == ()


@pytest.mark.parametrize(
    "answer",
    [(404, b"<html>no page</html>"), (404, {}), (404, {"code": "not_found"}), (200, {"code": "transaction_not_found"})],
)
def test_a_404_of_something_between_is_no_proof(answer: Any) -> None:
    """Whoever took it for "never heard of it" would charge twice."""
    gateway, _ = paystack(answer)
    with pytest.raises(GatewayError):
        gateway.fetch(REFERENCE)


@pytest.mark.parametrize("told", ["aia-other", None, "", 7, REFERENCE.upper()])
def test_an_answer_about_another_attempt_is_not_taken(told: object) -> None:
    """What is said of one order must not pay for another."""
    gateway, _ = paystack(ok(transaction(reference=told)))
    with pytest.raises(GatewayError, match="cannot be used"):
        gateway.fetch(REFERENCE)


@pytest.mark.parametrize(("network", "provider"), [("mtn", "mtn"), ("telecel", "vod"), ("at", "atl")])
def test_a_telephone_is_prompted_on_its_network(network: str, provider: str) -> None:
    """The payer says which network; Paystack has old names for two of them."""
    step = {"reference": REFERENCE, "status": "pay_offline", "display_text": "Please complete authorisation"}
    gateway, wire = paystack(ok(step))
    charge = gateway.charge_phone(request(metadata={"order": "7"}), phone="+233 55 123-4987", network=network)
    assert wire.sent == [("POST", "/charge")]
    wallet = '"mobile_money":{"phone":"0551234987","provider":"' + provider + '"}'
    assert wire.requests[0].content.decode() == "{" + BASE + f',{wallet},"metadata":{{"order":"7"}}' + "}"
    assert (charge.outcome, charge.next_step, charge.reason) == (
        Outcome.PENDING,
        "approve_on_phone",
        "Please complete authorisation",
    )
    assert (charge.amount_minor, charge.currency, charge.live) == (None, None, None)


@pytest.mark.parametrize(
    ("status", "outcome", "step"),
    [
        ("send_otp", Outcome.PENDING, "enter_otp"),
        ("pending", Outcome.PENDING, None),
        ("send_pin", Outcome.PENDING, None),
        ("open_url", Outcome.PENDING, None),
        ("success", Outcome.PAID, None),
        ("failed", Outcome.FAILED, None),
        ("timeout", Outcome.UNKNOWN, None),
    ],
)
def test_a_step_of_a_prompt_says_what_comes_next(status: str, outcome: Outcome, step: str | None) -> None:
    """A prompt that failed comes with HTTP 200 and status true, and says why."""
    gateway, _ = paystack(ok({"reference": REFERENCE, "status": status, "message": "Too short"}))
    charge = gateway.charge_phone(request(), phone="0551234987", network="mtn")
    assert (charge.outcome, charge.next_step, charge.raw_status) == (outcome, step, status)
    assert charge.reason == "Too short"


def test_a_code_is_handed_on_and_a_prompt_looked_at() -> None:
    """The voucher of Telecel; the poll, which is not what credits are granted by."""
    pending = {"reference": REFERENCE, "status": "pending"}
    gateway, wire = paystack(ok(pending), ok(pending))
    gateway.submit_otp(REFERENCE, "123456")
    found = gateway.check(REFERENCE)
    assert wire.sent == [("POST", "/charge/submit_otp"), ("GET", f"/charge/{REFERENCE}")]
    assert wire.requests[0].content.decode() == f'{{"otp":"123456","reference":"{REFERENCE}"}}'
    assert found is not None
    assert found.outcome is Outcome.PENDING


@pytest.mark.parametrize(
    "written",
    [
        "0551234987",
        "+233551234987",
        "233551234987",
        "00233551234987",
        "+233 (0)55 123 4987",
        "055-123-4987",
        " 0551234987 ",
    ],
)
def test_a_number_is_brought_into_local_form(written: str) -> None:
    """Ten digits, beginning with a nought, as Paystack documents."""
    assert local_phone(written) == "0551234987"


@pytest.mark.parametrize(
    "written", ["", "055123498", "05512349870", "551234987", "+44 7700 900123", "\uff10551234987", "055123498x"]
)
def test_a_number_that_is_none_is_refused_and_not_repeated(written: str) -> None:
    """Nothing is sent, and no number stands in a message."""
    gateway, wire = paystack()
    with pytest.raises(PaymentError) as caught:
        gateway.charge_phone(request(), phone=written, network="mtn")
    assert str(caught.value) == ("This is no Ghanaian telephone number. Nothing was sent. Write it like 0551234987.")
    assert wire.requests == []


@pytest.mark.parametrize("network", ["vod", "MTN", "", "glo"])
def test_a_network_that_is_none_is_refused(network: str) -> None:
    """Only the three names of the port."""
    gateway, wire = paystack()
    with pytest.raises(PaymentError, match="Choose mtn, telecel, at"):
        gateway.charge_phone(request(), phone="0551234987", network=network)
    assert wire.requests == []


def test_a_saved_card_is_charged_with_the_address_it_was_saved_with() -> None:
    """Metadata is JSON text here."""
    gateway, wire = paystack(ok(transaction(channel="card")), ok(transaction()))
    charge = gateway.charge_card(request(metadata={"order": "7"}), CARD)
    assert (charge.outcome, charge.method) == (Outcome.PAID, "card")
    assert wire.sent == [("POST", "/transaction/charge_authorization")]
    assert wire.body() == {
        "email": "owner@example.com",
        "amount": 3000,
        "currency": "GHS",
        "reference": REFERENCE,
        "authorization_code": "AUTH_72btv547",
        "metadata": '{"order": "7"}',
    }
    gateway.charge_card(request(), CARD, queued=True)
    assert wire.body()["queue"] is True
    assert "metadata" not in wire.body()


def test_a_write_about_another_attempt_may_have_been_carried_out() -> None:
    """The answer of a charge names the attempt, or cannot be used."""
    gateway, _ = paystack(ok(transaction(reference="aia-other")))
    with pytest.raises(GatewayError) as caught:
        gateway.charge_card(request(), CARD)
    assert caught.value.may_exist


CREATED = {
    "transaction": {"id": 4_099_260_516, "reference": REFERENCE, "amount": 3000},
    "id": 3_018_284,
    "status": "pending",
    "amount": 1000,
    "currency": "GHS",
    "deducted_amount": 0,
    "fully_deducted": False,
}


def test_money_is_sent_back_in_pesewas() -> None:
    """The note is the merchant's own."""
    gateway, wire = paystack(ok(CREATED), ok(CREATED))
    refund = gateway.refund(REFERENCE, Money("10"), note="twice")
    assert wire.sent == [("POST", "/refund")]
    assert wire.body() == {"transaction": REFERENCE, "amount": 1000, "currency": "GHS", "merchant_note": "twice"}
    assert (refund.id, refund.reference, refund.amount_minor, refund.currency, refund.outcome) == (
        "3018284",
        REFERENCE,
        1000,
        "GHS",
        RefundOutcome.PENDING,
    )
    gateway.refund(REFERENCE, Money("10"))
    assert "merchant_note" not in wire.body()


@pytest.mark.parametrize("changes", [{"id": None}, {"id": True}, {"amount": "ten"}, {"currency": None}], ids=str)
def test_a_refund_that_does_not_say_which_or_how_much_is_an_error(changes: dict[str, object]) -> None:
    """It is what the claw-back is booked by; one that was asked for may be on its way."""
    gateway, _ = paystack(ok(CREATED | changes))
    with pytest.raises(GatewayError) as caught:
        gateway.refund(REFERENCE, Money("10"))
    assert caught.value.may_exist

    gateway, _ = paystack(ok(transaction()), ok([CREATED | changes], meta={"pageCount": 1}))
    with pytest.raises(GatewayError):
        gateway.refunds(REFERENCE)


def _listed_refund(**changes: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "id": 1,
        "transaction": 4_099_260_516,
        "transaction_reference": REFERENCE,
        "amount": "1000",
        "currency": "GHS",
        "status": "processed",
        "fully_deducted": 1,
    }
    return plain | changes


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("pending", RefundOutcome.PENDING),
        ("processing", RefundOutcome.PENDING),
        ("processed", RefundOutcome.DONE),
        ("failed", RefundOutcome.FAILED),
        ("needs-attention", RefundOutcome.NEEDS_ATTENTION),
        ("needs_attention", RefundOutcome.NEEDS_ATTENTION),
        ("reversed", RefundOutcome.UNKNOWN),
        (None, RefundOutcome.UNKNOWN),
    ],
)
def test_a_refund_has_one_of_five_outcomes(status: object, outcome: RefundOutcome) -> None:
    """What is not known is UNKNOWN, never done."""
    gateway, _ = paystack(ok(transaction()), ok([_listed_refund(status=status)], meta={"pageCount": 1}))
    assert [one.outcome for one in gateway.refunds(REFERENCE)] == [outcome]


def test_refunds_of_an_attempt_are_asked_for_by_its_number_and_looked_through() -> None:
    """A filter that is not honoured must not bring in the refunds of others."""
    others = [
        _listed_refund(id=2, transaction=5, transaction_reference="aia-other"),
        _listed_refund(id=3, transaction=True, transaction_reference=None),
    ]
    inner = _listed_refund(id=4, transaction={"id": 9, "reference": REFERENCE}, transaction_reference=None)
    by_number = _listed_refund(id=5, transaction={"id": 4_099_260_516}, transaction_reference=None)
    first = ok([_listed_refund(), *others], meta={"pageCount": 2})
    gateway, wire = paystack(ok(transaction()), first, ok([inner, by_number], meta={"pageCount": 2}))
    assert [(one.id, one.amount_minor) for one in gateway.refunds(REFERENCE)] == [("1", 1000), ("4", 1000), ("5", 1000)]
    assert [urlsplit(path).path for _, path in wire.sent] == [f"/transaction/verify/{REFERENCE}", "/refund", "/refund"]
    assert [_query(path) for _, path in wire.sent[1:]] == [LIST_QUERY | {"page": ["1"]}, LIST_QUERY | {"page": ["2"]}]


def test_a_transaction_without_number_and_day_is_looked_for_by_its_reference() -> None:
    """Then the list is not narrowed, and only what names the reference counts."""
    gateway, wire = paystack(ok(transaction(id=None, created_at=None)), ok([_listed_refund()]), ok([]))
    assert [one.id for one in gateway.refunds(REFERENCE)] == ["1"]
    assert _query(wire.sent[1][1]) == {"perPage": ["100"], "page": ["1"]}


def _dispute(**changes: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "id": 2867,
        "refund_amount": 1002,
        "currency": "GHS",
        "status": "awaiting-merchant-feedback",
        "resolution": None,
        "domain": "test",
        "transaction": {"id": 4_099_260_516, "reference": REFERENCE, "amount": 3000, "currency": "GHS"},
        "transaction_reference": None,
        "category": "chargeback",
        "dueAt": "2026-10-01T18:00:00.000Z",
    }
    return plain | changes


@pytest.mark.parametrize(
    ("changes", "is_open", "lost"),
    [
        ({}, True, None),
        ({"status": "awaiting-bank-feedback"}, True, None),
        ({"status": "pending"}, True, None),
        ({"status": "something-new"}, True, None),
        ({"status": "resolved", "resolution": "merchant-accepted"}, False, True),
        ({"status": "resolved", "resolution": "auto-accepted"}, False, True),
        ({"status": "resolved", "resolution": "declined"}, False, False),
        ({"status": "resolved", "resolution": None}, False, None),
    ],
    ids=str,
)
def test_a_dispute_is_open_won_or_lost(changes: dict[str, object], is_open: bool, lost: bool | None) -> None:
    """Where no known resolution stands, neither: the transaction tells."""
    gateway, wire = paystack(ok(transaction()), ok([_dispute(**changes)], meta={"pageCount": 1}))
    assert gateway.disputes(REFERENCE) == (
        Dispute(
            id="2867",
            reference=REFERENCE,
            open=is_open,
            lost=lost,
            amount_minor=1002,
            currency="GHS",
            due_at=1_790_877_600_000_000,
        ),
    )
    assert _query(wire.sent[1][1]) == LIST_QUERY | {"page": ["1"]}


def test_a_dispute_may_leave_things_to_its_transaction() -> None:
    """No amount and no currency of its own: the whole transaction; one object may stand where a list should."""
    gateway, _ = paystack(
        ok(transaction()), ok(_dispute(refund_amount=None, currency=None, dueAt=None), meta={"pageCount": 1})
    )
    (dispute,) = gateway.disputes(REFERENCE)
    assert (dispute.amount_minor, dispute.currency, dispute.due_at) == (3000, "GHS", None)


@pytest.mark.parametrize("changes", [{"id": None}, {"refund_amount": -1, "transaction": {"reference": REFERENCE}}])
def test_a_dispute_that_does_not_say_which_or_how_much_is_an_error(changes: dict[str, object]) -> None:
    """Nothing contested is passed over in silence."""
    gateway, _ = paystack(ok(transaction()), ok([_dispute(**changes)]))
    with pytest.raises(GatewayError, match="cannot be used"):
        gateway.disputes(REFERENCE)


def test_every_transaction_of_a_day_is_listed_page_by_page() -> None:
    """Those of other software, without a name that could be ours, are left out."""
    first = [
        transaction(reference="aia-1"),
        transaction(reference="T_other"),
        transaction(reference="aia-2", status="failed"),
    ]
    gateway, wire = paystack(
        ok(first, meta={"pageCount": 2}), ok([transaction(reference="aia-3")], meta={"pageCount": 2})
    )
    found = list(gateway.charges(NOW - 86_400_000_000, NOW))
    assert [(one.reference, one.outcome) for one in found] == [
        ("aia-1", Outcome.PAID),
        ("aia-2", Outcome.FAILED),
        ("aia-3", Outcome.PAID),
    ]
    assert json.loads(found[2].raw) == transaction(reference="aia-3")
    span = {"from": ["2026-09-28T12:00:00.000000Z"], "to": ["2026-09-29T12:00:00.000000Z"], "per_page": ["100"]}
    assert [_query(path) for _, path in wire.sent] == [span | {"page": ["1"]}, span | {"page": ["2"]}]
    assert {urlsplit(path).path for _, path in wire.sent} == {"/transaction"}


@pytest.mark.parametrize("meta", [{}, {"pageCount": 0}, {"pageCount": None}, {"pageCount": "x"}], ids=str)
def test_a_list_that_does_not_count_its_pages_ends_with_an_empty_one(meta: dict[str, object]) -> None:
    """A short page proves nothing: the gateway may give fewer than were asked for."""
    gateway, wire = paystack(
        ok([transaction(reference="aia-1")], meta=meta), ok([transaction(reference="aia-2")]), ok([])
    )
    assert [one.reference for one in gateway.charges(0, NOW)] == ["aia-1", "aia-2"]
    assert len(wire.requests) == 3


def test_a_list_that_gives_the_same_page_for_ever_is_an_error() -> None:
    """Whoever reconciles must not wait for ever, nor believe that it saw everything."""
    gateway, _ = paystack(ok([transaction()]), ok([transaction()]))
    with pytest.raises(GatewayError) as caught:
        list(gateway.charges(0, NOW))
    assert caught.value.reason == "pages_without_end"


@pytest.mark.parametrize("data", [None, "", 0, True])
def test_a_list_that_is_none_is_an_error(data: object) -> None:
    """Nothing there and nothing readable are not the same."""
    gateway, _ = paystack(ok(data))
    with pytest.raises(GatewayError, match="cannot be used"):
        list(gateway.charges(0, NOW))


def test_what_goes_back_is_listed_by_the_time_it_began() -> None:
    """Refunds and disputes of all attempts, each where it has its reference; what names none is left out."""
    inner = _listed_refund(id=2, transaction={"id": 9, "reference": "aia-2"}, transaction_reference=None)
    nameless = _listed_refund(id=3, transaction_reference=None)
    gateway, wire = paystack(
        ok([_listed_refund(), inner, nameless], meta={"pageCount": 1}),
        ok([_dispute(), _dispute(id=3, transaction=None)], meta={"pageCount": 1}),
    )
    refunds = [(one.reference, one.id, one.outcome) for one in gateway.refunds_between(NOW, NOW + 1)]
    assert refunds == [(REFERENCE, "1", RefundOutcome.DONE), ("aia-2", "2", RefundOutcome.DONE)]
    assert [(one.reference, one.id) for one in gateway.disputes_between(NOW, NOW + 1)] == [(REFERENCE, "2867")]
    assert [urlsplit(address).path for _, address in wire.sent] == ["/refund", "/dispute"]
    for _, address in wire.sent:
        assert _query(address) == {
            "from": ["2026-09-29T12:00:00.000000Z"],
            "to": ["2026-09-29T12:00:00.000001Z"],
            "perPage": ["100"],
            "page": ["1"],
        }


def test_one_of_ours_that_cannot_be_read_is_an_error() -> None:
    """Nothing is passed over in silence."""
    gateway, _ = paystack(ok([_listed_refund(amount=None)]), ok([_dispute(id=None)]))
    for listing in (gateway.refunds_between, gateway.disputes_between):
        with pytest.raises(GatewayError, match="cannot be used"):
            list(listing(0, 1))
