"""What goes to Stripe, field for field, what is made of its answers, and in which currency it charges."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.gateways.base import Charge, Checkout, Dispute, Outcome, RefundOutcome
from ai_addons.billing.gateways.conversion import in_dollars, share
from ai_addons.billing.gateways.stripe_answers import begun_at
from ai_addons.clock import uuid7
from ai_addons.errors import BadSignature, ConfigError, GatewayError, PaymentError, StaleRate
from ai_addons.money import Money
from ai_addons.testing import ManualClock
from tests.gateways import (
    NOW,
    OLD_SIGNING,
    RATE,
    REFERENCE,
    SIGNING,
    STRIPE_KEY,
    listed,
    request,
    session,
    stripe,
    stripe_hook,
)

EXPAND = ["payment_intent.latest_charge.balance_transaction"]
BEGUN = 1_758_959_801
SPAN = {"created[gte]": [str(BEGUN - 3600)], "created[lte]": [str(BEGUN + 90_000)], "limit": ["100"]}


def _query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def _paid(**changes: object) -> dict[str, object]:
    """A session whose payment differs in something."""
    plain: Any = session()
    intent = plain["payment_intent"]
    return session(payment_intent=intent | {"latest_charge": intent["latest_charge"] | changes})


def _fetch(thing: dict[str, object]) -> Charge:
    charge = stripe((200, thing))[0].fetch(REFERENCE, gateway_id="cs_test_1")
    assert charge is not None
    return charge


def test_a_price_in_cedis_is_charged_in_dollars_by_a_fresh_rate() -> None:
    """GHS 30 at 11.646 is USD 2.58; what is charged and the rate come back for the books and stay at Stripe too."""
    gateway, wire = stripe((200, session(status="open", payment_status="unpaid")))
    opened = gateway.checkout(request(metadata={"order": "7", "reference": "x"}))
    assert opened == Checkout(
        reference=REFERENCE,
        url="https://checkout.stripe.com/c/pay/cs_test_1#fid",
        gateway_id="cs_test_1",
        charged=Money("2.58", "USD"),
        rate=RATE,
    )
    assert wire.sent == [("POST", "/v1/checkout/sessions")]
    sent = wire.requests[0]
    names = ("authorization", "content-type", "idempotency-key", "stripe-version")
    assert {name: sent.headers[name] for name in names} == {
        "authorization": f"Bearer {STRIPE_KEY}",
        "content-type": "application/x-www-form-urlencoded",
        "idempotency-key": REFERENCE,
        "stripe-version": "2024-06-20",
    }  # fmt: skip
    assert parse_qsl(sent.content.decode()) == [
        ("mode", "payment"),
        ("success_url", f"https://pos.example/back?reference={REFERENCE}&session_id={{CHECKOUT_SESSION_ID}}"),
        ("cancel_url", f"https://pos.example/back?reference={REFERENCE}"),
        ("client_reference_id", REFERENCE),
        ("customer_email", "shop@example.com"),
        ("payment_method_types[0]", "card"),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "258"),
        ("line_items[0][price_data][product_data][name]", "QUICK"),
        ("metadata[order]", "7"),
        ("metadata[reference]", REFERENCE),
        ("payment_intent_data[metadata][reference]", REFERENCE),
        ("metadata[price_minor]", "3000"),
        ("metadata[price_currency]", "GHS"),
        ("metadata[rate_scaled]", "1164600000"),
        ("metadata[rate_day]", "2026-09-29"),
        ("metadata[rate_source]", "bog"),
    ]


def test_an_address_with_a_query_and_a_fragment_keeps_both() -> None:
    """Our reference goes where the browser's own parameters are."""
    gateway, wire = stripe((200, session()))
    gateway.checkout(request(return_url="https://pos.example/back?lang=en#top"))
    form = dict(parse_qsl(wire.requests[0].content.decode()))
    assert form["cancel_url"] == f"https://pos.example/back?lang=en&reference={REFERENCE}#top"


@pytest.mark.parametrize(("settings", "price"), [({}, Money("5", "USD")), ({"currency": "GHS"}, Money("30"))])
def test_a_price_in_the_currency_of_the_settings_is_charged_as_it_is(settings: dict[str, Any], price: Money) -> None:
    """No rate is asked for, and none is kept."""
    gateway, wire = stripe((200, session()), rate=None, **settings)
    opened = gateway.checkout(request(amount=price))
    assert (opened.charged, opened.rate) == (price, None)
    form = dict(parse_qsl(wire.requests[0].content.decode()))
    assert form["line_items[0][price_data][unit_amount]"] == str(price.minor)
    assert form["line_items[0][price_data][currency]"] == price.currency.lower()
    assert "metadata[rate_scaled]" not in form


@pytest.mark.parametrize(("settings", "price"), [({}, Money("30", "EUR")), ({"currency": "EUR"}, Money("30"))])
def test_no_other_pair_of_currencies_is_converted(settings: dict[str, Any], price: Money) -> None:
    """The rate is one of cedis to dollars."""
    gateway, wire = stripe(**settings)
    with pytest.raises(ConfigError, match=f"No price in {price.currency} can be charged in"):
        gateway.checkout(request(amount=price))
    assert wire.requests == []


def _no_rate() -> Any:
    raise StaleRate


@pytest.mark.parametrize(
    "rate",
    [
        None,
        _no_rate,
        lambda: replace(RATE, source="static"),
        lambda: replace(RATE, day=date(2026, 9, 21)),
        lambda: replace(RATE, day=date(2026, 10, 1)),
        lambda: replace(RATE, scaled=0),
    ],
    ids=["none", "stale", "static", "eight days", "future", "zero"],
)
def test_without_a_fresh_rate_nobody_is_charged(rate: Any) -> None:
    """It fails closed: the built-in rate and an old one are for reports."""
    gateway, wire = stripe(rate=rate)
    with pytest.raises(StaleRate):
        gateway.checkout(request())
    assert wire.requests == []


@pytest.mark.parametrize("day", [date(2026, 9, 22), date(2026, 9, 30)])
def test_a_rate_may_be_seven_days_old_or_of_a_day_that_has_begun_elsewhere(day: date) -> None:
    """The Bank of Ghana publishes on weekdays only."""
    assert in_dollars(Money("30"), replace(RATE, day=day), now=NOW) == Money("2.58", "USD")


def test_a_price_that_is_nothing_in_dollars_is_refused() -> None:
    """A pesewa is a tenth of a cent."""
    with pytest.raises(ValueError, match="less than half a cent"):
        in_dollars(Money("0.01"), RATE, now=NOW)


@given(minor=st.integers(10**4, 10**9), scaled=st.integers(5 * 10**8, 50 * 10**8))
def test_dollars_are_the_nearest_cents(minor: int, scaled: int) -> None:
    """Never further than half a cent from the exact amount, and never through a float."""
    cents = in_dollars(Money.from_minor(minor), replace(RATE, scaled=scaled), now=NOW).minor
    assert abs(cents * scaled - minor * 10**8) * 2 <= scaled
    assert cents == int((Decimal(minor) * 10**8 / scaled).quantize(Decimal(1), rounding="ROUND_HALF_UP"))


def test_what_stripe_cannot_do_is_not_sent() -> None:
    """Cards only, and a page needs an address to come back to."""
    gateway, wire = stripe()
    with pytest.raises(PaymentError, match="cards only"):
        gateway.checkout(request(methods=("mobile_money",)))
    with pytest.raises(ValueError, match="return_url"):
        gateway.checkout(request(return_url=None))
    assert wire.requests == []


@pytest.mark.parametrize(
    "changes", [{"url": None}, {"url": "javascript:x"}, {"id": None}, {"client_reference_id": "x"}, {"object": None}]
)
def test_a_page_that_cannot_be_shown_is_an_error(changes: dict[str, object]) -> None:
    """The attempt may exist all the same."""
    gateway, _ = stripe((200, session(**changes)))
    with pytest.raises(GatewayError) as caught:
        gateway.checkout(request())
    assert caught.value.may_exist


@pytest.mark.parametrize(
    ("status", "error", "reason", "may_exist"),
    [
        (400, {"code": "parameter_invalid_empty", "type": "invalid_request_error"}, "parameter_invalid_empty", False),
        (401, {"type": "odd_error", "message": f"Invalid API Key: {STRIPE_KEY}"}, "odd_error", False),
        (400, {"type": "idempotency_error"}, "idempotency_error", True),
        (409, {"code": "idempotency_key_in_use", "type": "invalid_request_error"}, "idempotency_key_in_use", True),
        (402, {"code": "card_declined", "message": "Declined"}, "card_declined", False),
        (500, {"type": "api_error"}, "api_error", True),
        (400, "odd", "", False),
    ],
    ids=str,
)  # fmt: skip
def test_a_refusal_gives_stripe_s_own_code(status: int, error: object, reason: str, may_exist: bool) -> None:
    """A key of the first attempt that is seen again means that the first arrived."""
    gateway, wire = stripe((status, {"error": error}))
    with pytest.raises(GatewayError) as caught:
        gateway.checkout(request())
    assert (caught.value.status, caught.value.reason, caught.value.may_exist) == (status, reason, may_exist)
    assert STRIPE_KEY not in str(caught.value)
    assert len(wire.requests) == 1


def test_a_session_is_fetched_by_its_name_with_its_payment() -> None:
    """One request; fee, time and card are those of the payment."""
    gateway, wire = stripe((200, session()))
    charge = gateway.fetch(REFERENCE, gateway_id="cs_test_1")
    assert charge is not None
    assert charge == Charge(
        reference=REFERENCE,
        outcome=Outcome.PAID,
        raw_status="complete/paid",
        amount_minor=258,
        currency="USD",
        live=False,
        method="card",
        fees_minor=38,
        paid_at=1_790_683_201_000_000,
        raw=charge.raw,
    )
    assert json.loads(charge.raw) == session()
    assert urlsplit(wire.sent[0][1]).path == "/v1/checkout/sessions/cs_test_1"
    assert _query(wire.sent[0][1]) == {"expand[]": EXPAND}


def test_a_session_is_found_by_the_reference_alone() -> None:
    """Those of the day after it was made are looked through, page by page, then the one is read with its payment."""
    other = session(id="cs_other", client_reference_id="aia-other")
    gateway, wire = stripe(listed(other, more=True), listed(session()), (200, session()))
    charge = gateway.fetch(REFERENCE)
    assert charge is not None
    assert charge.outcome is Outcome.PAID
    assert _query(wire.sent[0][1]) == SPAN
    assert _query(wire.sent[1][1]) == SPAN | {"starting_after": ["cs_other"]}
    assert [urlsplit(path).path for _, path in wire.sent[1:]] == [
        "/v1/checkout/sessions",
        "/v1/checkout/sessions/cs_test_1",
    ]


def test_an_attempt_that_never_was_is_none() -> None:
    """Also for a reference without a time in it, for which all sessions are looked through."""
    gateway, wire = stripe(listed(session(client_reference_id=None)), listed())
    assert gateway.fetch(REFERENCE) is None
    assert gateway.fetch("aia-1") is None
    assert _query(wire.sent[1][1]) == {"limit": ["100"]}


@pytest.mark.parametrize("reference", ["aia-1", "", "aia-01998a2c-9400-4000-8000-000000000000", "x" * 36])
def test_only_a_uuid_of_version_7_tells_when_a_reference_was_made(reference: str) -> None:
    """Any other says nothing."""
    assert begun_at(reference) is None
    assert begun_at(f"aia-{uuid7(NOW + 999_999, 5)}") == NOW // 1_000_000


@pytest.mark.parametrize("name", ["../x", "", "cs test", "é"])
def test_a_name_that_is_none_is_not_put_into_an_address(name: str) -> None:
    """It would ask something else."""
    gateway, wire = stripe()
    with pytest.raises(ValueError, match="no name of a Checkout session"):
        gateway.fetch(REFERENCE, gateway_id=name)
    assert wire.requests == []


def test_a_session_of_another_attempt_is_not_taken() -> None:
    """A browser may hand over the name of a session that somebody else paid."""
    gateway, _ = stripe((200, session(client_reference_id="aia-other")))
    with pytest.raises(GatewayError) as caught:
        gateway.fetch(REFERENCE, gateway_id="cs_test_1")
    assert caught.value.reason == "another_reference"


def test_a_list_that_does_not_move_on_is_an_error() -> None:
    """Taking it for none would let the payer be charged again."""
    other = session(id="cs_other", client_reference_id="aia-other")
    gateway, _ = stripe(listed(other, more=True), listed(other, more=True))
    with pytest.raises(GatewayError) as caught:
        gateway.fetch(REFERENCE)
    assert caught.value.reason == "pages_without_end"


@pytest.mark.parametrize("page", [{"object": "list"}, {"object": "list", "data": [], "has_more": True}, {"data": []}])
def test_a_list_that_cannot_be_read_is_an_error(page: dict[str, object]) -> None:
    """As above."""
    gateway, _ = stripe((200, page))
    with pytest.raises(GatewayError, match="cannot be used"):
        gateway.fetch(REFERENCE)


@pytest.mark.parametrize(
    ("status", "payment", "outcome"),
    [
        ("complete", "paid", Outcome.PAID),
        ("open", "unpaid", Outcome.PENDING),
        ("complete", "unpaid", Outcome.PENDING),
        ("expired", "unpaid", Outcome.FAILED),
        ("complete", "no_payment_required", Outcome.UNKNOWN),
        ("open", "paid", Outcome.UNKNOWN),
        ("expired", "paid", Outcome.UNKNOWN),
        ("Complete", "paid", Outcome.UNKNOWN),
        (None, "paid", Outcome.UNKNOWN),
        ("complete", True, Outcome.UNKNOWN),
    ],
)
def test_each_state_of_a_session_has_its_outcome(status: object, payment: object, outcome: Outcome) -> None:
    """Only a session that is complete and paid pays; what is not known never does."""
    assert _fetch(session(status=status, payment_status=payment)).outcome is outcome


@pytest.mark.parametrize(
    ("intent", "outcome", "raw"),
    [
        ("requires_payment_method", Outcome.FAILED, "complete/unpaid/requires_payment_method"),
        ("canceled", Outcome.FAILED, "complete/unpaid/canceled"),
        ("processing", Outcome.PENDING, "complete/unpaid"),
    ],
)
def test_a_bank_that_said_no_later_ends_the_attempt(intent: str, outcome: Outcome, raw: str) -> None:
    """The session stays complete and unpaid: its payment tells, and says why."""
    told = {"id": "pi_1", "status": intent, "last_payment_error": {"message": "Your bank said no."}}
    charge = _fetch(session(payment_status="unpaid", payment_intent=told))
    assert (charge.outcome, charge.raw_status, charge.reason) == (outcome, raw, "Your bank said no.")


def test_a_payment_that_went_back_whole_is_reversed() -> None:
    """In part it stays paid, and the refunds tell."""
    assert _fetch(_paid(refunded=True)).outcome is Outcome.REVERSED
    assert _fetch(_paid(amount_refunded=100)).outcome is Outcome.PAID


@pytest.mark.parametrize("intent", [None, "pi_1", {}, {"latest_charge": None}, {"latest_charge": "ch_1"}], ids=str)
def test_a_payment_that_is_not_told_leaves_its_parts_open(intent: object) -> None:
    """The session alone says that it is paid, and how much."""
    charge = _fetch(session(payment_intent=intent))
    assert (charge.outcome, charge.amount_minor) == (Outcome.PAID, 258)
    assert (charge.fees_minor, charge.paid_at, charge.method) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "fee", "method"),
    [
        ({"balance_transaction": {"fee": 38, "currency": "eur"}}, None, "card"),
        ({"balance_transaction": None}, None, "card"),
        ({"payment_method_details": {"type": "link"}}, 38, None),
    ],
    ids=str,
)
def test_a_fee_counts_in_the_currency_of_the_payment_only(
    changes: dict[str, object], fee: int | None, method: str | None
) -> None:
    """An account may settle in another one."""
    charge = _fetch(_paid(**changes))
    assert (charge.fees_minor, charge.method) == (fee, method)


@pytest.mark.parametrize("field", ["amount_total", "currency", "livemode"])
@pytest.mark.parametrize("value", [None, [], {}, "nonsense", -1])
def test_what_the_decision_rests_on_is_read_or_none(field: str, value: object) -> None:
    """Whoever decides finds None and does not pay for it."""
    charge = _fetch(session(**{field: value}))
    assert {"amount_total": charge.amount_minor, "currency": charge.currency, "livemode": charge.live}[field] is None


REFUND = {"object": "refund", "id": "re_1", "amount": 129, "currency": "usd", "status": "succeeded"}


@pytest.mark.parametrize(("amount", "minor"), [(Money("1.29", "USD"), 129), (Money("15"), 129), (Money("30"), 258)])
def test_money_is_sent_back_in_what_was_charged(amount: Money, minor: int) -> None:
    """An amount in cedis is the same share of the dollars that were charged, whatever the rate is now."""
    gateway, wire = stripe(listed(session()), (200, session()), (200, REFUND), rate=None)
    refund = gateway.refund(REFERENCE, amount, note="twice")
    assert (refund.id, refund.amount_minor, refund.currency, refund.outcome) == ("re_1", 129, "USD", RefundOutcome.DONE)
    sent = wire.requests[-1]
    assert (sent.method, sent.url.path) == ("POST", "/v1/refunds")
    assert sent.headers["idempotency-key"] == f"{REFERENCE}-refund-0-{minor}"
    assert parse_qsl(sent.content.decode()) == [
        ("payment_intent", "pi_1"),
        ("amount", str(minor)),
        ("metadata[reference]", REFERENCE),
        ("metadata[note]", "twice"),
    ]


def test_a_second_refund_of_one_amount_is_another() -> None:
    """What went back already is in its key; shares that are rounded up end with what is left."""
    paid = _paid(amount_refunded=130)
    gateway, wire = stripe(listed(paid), (200, paid), (200, REFUND))
    gateway.refund(REFERENCE, Money("15"))
    sent = wire.requests[-1]
    assert sent.headers["idempotency-key"] == f"{REFERENCE}-refund-130-128"
    assert dict(parse_qsl(sent.content.decode())) == {
        "payment_intent": "pi_1",
        "amount": "128",
        "metadata[reference]": REFERENCE,
    }


@pytest.mark.parametrize("metadata", [None, {}, {"price_minor": "0", "price_currency": "GHS"}], ids=str)
def test_an_amount_in_a_currency_that_was_never_named_is_refused(metadata: object) -> None:
    """There is no rate for it."""
    paid = session(metadata=metadata)
    gateway, wire = stripe(listed(paid), (200, paid))
    with pytest.raises(PaymentError, match="not made in GHS"):
        gateway.refund(REFERENCE, Money("15"))
    assert {one.method for one in wire.requests} == {"GET"}


@pytest.mark.parametrize("planned", [[listed()], [listed(session()), (200, session(payment_intent=None))]])
def test_what_was_not_paid_is_not_sent_back(planned: list[Any]) -> None:
    """No session, or none with a payment."""
    with pytest.raises(PaymentError, match="no payment to refund"):
        stripe(*planned)[0].refund(REFERENCE, Money("15"))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("pending", RefundOutcome.PENDING),
        ("requires_action", RefundOutcome.NEEDS_ATTENTION),
        ("succeeded", RefundOutcome.DONE),
        ("failed", RefundOutcome.FAILED),
        ("canceled", RefundOutcome.FAILED),
        ("odd", RefundOutcome.UNKNOWN),
        (None, RefundOutcome.UNKNOWN),
    ],
)
def test_refunds_are_those_of_the_payment(status: object, outcome: RefundOutcome) -> None:
    """Also those from the dashboard."""
    plain: Any = session(payment_intent="pi_1")
    gateway, wire = stripe(listed(plain), (200, plain), listed(REFUND | {"status": status}))
    (refund,) = gateway.refunds(REFERENCE)
    assert (refund.id, refund.reference, refund.outcome) == ("re_1", REFERENCE, outcome)
    assert _query(wire.sent[2][1]) == {"payment_intent": ["pi_1"], "limit": ["100"]}
    assert json.loads(refund.raw)["id"] == "re_1"


@pytest.mark.parametrize(
    ("status", "is_open", "lost"),
    [
        ("needs_response", True, None),
        ("under_review", True, None),
        ("warning_needs_response", True, None),
        ("won", False, False),
        ("lost", False, True),
        ("warning_closed", False, False),
        ("odd", True, None),
        (None, True, None),
    ],
)
def test_a_dispute_is_open_won_or_lost(status: object, is_open: bool, lost: bool | None) -> None:
    """What is not known is not decided."""
    told = {
        "id": "dp_1",
        "amount": 258,
        "currency": "usd",
        "status": status,
        "evidence_details": {"due_by": 1_790_683_200},
    }
    gateway, wire = stripe(listed(session()), (200, session()), listed(told))
    assert gateway.disputes(REFERENCE) == (
        Dispute(
            id="dp_1", reference=REFERENCE, open=is_open, lost=lost, amount_minor=258, currency="USD", due_at=NOW
        ),
    )  # fmt: skip
    assert urlsplit(wire.sent[2][1]).path == "/v1/disputes"


@pytest.mark.parametrize("changes", [{"id": None}, {"amount": True}, {"currency": ""}], ids=str)
def test_what_does_not_say_which_or_how_much_is_an_error(changes: dict[str, object]) -> None:
    """Nothing is passed over in silence."""
    for name in ("refunds", "disputes"):
        gateway, _ = stripe(listed(session()), (200, session()), listed(REFUND | changes))
        with pytest.raises(GatewayError, match="cannot be used"):
            getattr(gateway, name)(REFERENCE)


def test_what_was_never_paid_has_neither_refunds_nor_disputes() -> None:
    """There is nothing to ask for."""
    unpaid = session(payment_intent=None)
    gateway, _ = stripe(listed(unpaid), (200, unpaid), listed())
    assert gateway.refunds(REFERENCE) == ()
    assert gateway.disputes(REFERENCE) == ()


def test_every_session_of_a_day_is_listed() -> None:
    """Those of other software are left out."""
    first = listed(session(client_reference_id="aia-1"), session(client_reference_id=None, id="cs_2"), more=True)
    gateway, wire = stripe(
        first, listed(session(client_reference_id="aia-3", status="expired", payment_status="unpaid"))
    )
    found = list(gateway.charges(NOW - 86_400_000_000, NOW))
    assert [(one.reference, one.outcome) for one in found] == [("aia-1", Outcome.PAID), ("aia-3", Outcome.FAILED)]
    span = {"created[gte]": ["1790596800"], "created[lte]": ["1790683200"], "limit": ["100"]}
    span["expand[]"] = ["data.payment_intent.latest_charge.balance_transaction"]
    assert [_query(path) for _, path in wire.sent] == [span, span | {"starting_after": ["cs_2"]}]


def _event(name: object, thing: object) -> bytes:
    return json.dumps({"id": "evt_1", "object": "event", "type": name, "data": {"object": thing}}).encode()


@pytest.mark.parametrize(
    ("name", "thing", "topic", "reference"),
    [
        ("checkout.session.completed", session(), "payment", REFERENCE),
        ("checkout.session.async_payment_succeeded", session(), "payment", REFERENCE),
        ("checkout.session.async_payment_failed", session(), "payment", REFERENCE),
        ("checkout.session.expired", session(client_reference_id=None), "payment", REFERENCE),
        ("charge.refunded", {"id": "ch_1", "metadata": {"reference": REFERENCE}}, "refund", REFERENCE),
        ("charge.refund.updated", {"id": "re_1", "metadata": {"reference": REFERENCE}}, "refund", REFERENCE),
        ("refund.failed", {"id": "re_1", "metadata": {}}, "refund", None),
        ("charge.dispute.created", {"id": "dp_1", "metadata": {}}, "dispute", None),
        ("charge.succeeded", {"metadata": {"reference": REFERENCE}}, None, None),
        ("invoice.paid", session(), None, None),
        ("odd", None, None, None),
    ],
)
def test_an_event_says_what_to_ask_about(name: str, thing: object, topic: str | None, reference: str | None) -> None:
    """Stripe's own id is its key; disputes, and refunds from the dashboard, do not name our attempt."""
    body = _event(name, thing)
    read = stripe()[0].read_webhook(stripe_hook(body), body)
    assert (read.key, read.name, read.topic, read.reference, read.body) == ("evt_1", name, topic, reference, body)


BODY = _event("checkout.session.completed", session())
AT = NOW // 1_000_000
GOOD = stripe_hook(BODY)["Stripe-Signature"].split(",")[1]


@pytest.mark.parametrize("secret", [SIGNING, OLD_SIGNING])
@pytest.mark.parametrize("at", [AT - 300, AT, AT + 300])
def test_any_secret_may_have_signed_within_five_minutes(secret: str, at: int) -> None:
    """Also where an older or unknown signature stands before it."""
    signed = stripe_hook(BODY, secret, at)["Stripe-Signature"]
    both = signed.replace(",v1=", ",v1=00ff, v1=", 1)
    for given_header in (signed, both):
        assert stripe()[0].read_webhook({"STRIPE-SIGNATURE": given_header}, BODY).key == "evt_1"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", "no proper stripe-signature header"),
        (GOOD, "no proper"),
        (f"t=,{GOOD}", "no proper"),
        (f"t=now,{GOOD}", "no proper"),
        (f"t=-{AT},{GOOD}", "no proper"),
        (f"t={AT},t={AT},{GOOD}", "no proper"),
        (f"t={AT}", "no signature by a known secret"),
        (f"t={AT},v1=", "no signature"),
        (f"t={AT},{GOOD[:-1]}", "no signature"),
        (f"t={AT},{GOOD.replace('v1', 'v0')}", "no signature"),
        (f"t={AT + 1},{GOOD}", "no signature"),
        (stripe_hook(BODY, "whsec_of_another")["Stripe-Signature"], "no signature"),
        (stripe_hook(BODY + b" ")["Stripe-Signature"], "no signature"),
        (stripe_hook(BODY, at=AT - 301)["Stripe-Signature"], "too old or from the future"),
        (stripe_hook(BODY, at=AT + 301)["Stripe-Signature"], "too old or from the future"),
    ],
    ids=range(15),
)
def test_anything_else_is_not_trusted(header: str, told: str) -> None:
    """Forged, cut, replayed later; the error tells nothing of the right signature."""
    with pytest.raises(BadSignature, match=told) as caught:
        stripe()[0].read_webhook({"stripe-signature": header}, BODY)
    assert GOOD not in str(caught.value)


def test_without_a_secret_nothing_is_trusted() -> None:
    """Not even what is signed with an empty one."""
    for secret in ("", "whsec_0a9b8c7d6e5f"):
        with pytest.raises(BadSignature, match="known secret"):
            stripe(webhook_secrets=())[0].read_webhook(stripe_hook(BODY, secret), BODY)


@pytest.mark.parametrize("body", [b"", b"null", b"[1]", b"\xff", b'{"type": 7, "data": []}'])
def test_a_signed_body_is_never_an_error(body: bytes) -> None:
    """Whatever Stripe sends next year is stored and answered."""
    clock = ManualClock(NOW)
    read = stripe(clock=clock)[0].read_webhook(stripe_hook(body), body)
    assert (read.topic, read.reference, len(read.key)) == (None, None, 64)


def test_a_share_is_rounded_half_up() -> None:
    """The half goes to the payer."""
    assert [share(part, of=2, whole=3) for part in (0, 1, 2)] == [0, 2, 3]


@pytest.mark.parametrize("name", ["refunds", "disputes"])
def test_what_goes_back_is_listed_by_the_time_it_began(name: str) -> None:
    """Under the reference of its payment or its own; what names none is other software's."""
    paid = {"id": "pi_1", "metadata": {"reference": REFERENCE}}
    own = REFUND | {"id": "re_2", "payment_intent": "pi_2", "metadata": {"reference": "aia-2"}}
    others = [REFUND | {"payment_intent": {"id": "pi_3", "metadata": {}}}, REFUND | {"payment_intent": None}]
    gateway, wire = stripe(listed(REFUND | {"payment_intent": paid}, own, *others))
    found = list(getattr(gateway, f"{name}_between")(1_000_000, 2_500_000))
    assert [(one.reference, one.id, one.amount_minor) for one in found] == [
        (REFERENCE, "re_1", 129),
        ("aia-2", "re_2", 129),
    ]
    assert urlsplit(wire.sent[0][1]).path == f"/v1/{name}"
    span = {"created[gte]": ["1"], "created[lte]": ["2"], "expand[]": ["data.payment_intent"], "limit": ["100"]}
    assert _query(wire.sent[0][1]) == span


@pytest.mark.parametrize("name", ["refunds", "disputes"])
def test_one_of_ours_that_cannot_be_read_is_an_error(name: str) -> None:
    """Nothing is passed over in silence."""
    gateway, _ = stripe(listed(REFUND | {"amount": None, "metadata": {"reference": REFERENCE}}))
    with pytest.raises(GatewayError, match="cannot be used"):
        list(getattr(gateway, f"{name}_between")(0, 1))


def test_a_page_is_closed_by_its_reference() -> None:
    """Its session expires; one that never was needs no closing, one that is paid cannot be closed."""
    gateway, wire = stripe(listed(session()), (200, session(status="expired", payment_status="unpaid")))
    gateway.close_checkout(REFERENCE)
    assert wire.sent[1] == ("POST", "/v1/checkout/sessions/cs_test_1/expire")
    assert wire.requests[1].headers["idempotency-key"] == f"{REFERENCE}-expire"
    unknown, wire = stripe(listed())
    unknown.close_checkout(REFERENCE)
    assert len(wire.sent) == 1
    paid, _ = stripe(listed(session()), (400, {"error": {"type": "invalid_request_error"}}))
    with pytest.raises(GatewayError):
        paid.close_checkout(REFERENCE)
