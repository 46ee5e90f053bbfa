"""Whatever comes over a gateway's wire: only the errors of the port, nothing paid that is not, no secret told."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ai_addons.billing.gateways import _lenient as lenient
from ai_addons.billing.gateways.base import Charge, Outcome
from ai_addons.errors import BadSignature, GatewayError
from ai_addons.money import Money
from tests.gateways import KEY, REFERENCE, SIGNING, hook, paystack, request, session, stripe, stripe_hook, transaction

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
TRANSACTIONS = st.dictionaries(st.sampled_from(sorted(transaction())), VALUES, max_size=6).map(
    lambda odd: transaction(**odd)
)
SESSIONS = st.dictionaries(st.sampled_from(sorted(session())), VALUES, max_size=6).map(lambda odd: session(**odd))
ENVELOPES = st.fixed_dictionaries({"status": st.just(value=True) | VALUES, "data": TRANSACTIONS | VALUES})
BODIES = st.binary(max_size=60) | (ENVELOPES | SESSIONS | VALUES).map(lambda value: json.dumps(value).encode())
DEEP = b'{"status":true,"data":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
LONG = b'{"status":true,"data":{"amount":' + b"9" * 9_000 + b"}}"


def _tried(call: Callable[[], T]) -> tuple[T | None, GatewayError | None]:
    """What a call gave, or the one error that it may raise."""
    try:
        return call(), None
    except GatewayError as error:
        return None, error


def _sound(charge: Charge | None) -> None:
    """Plain values of the right kind, and no key in them."""
    if charge is not None:
        amounts = (charge.amount_minor, charge.requested_minor, charge.fees_minor)
        assert all(one is None or (type(one) is int and 0 <= one < 10**15) for one in amounts)
        assert charge.live in (None, True, False)
        assert charge.paid_at is None or abs(charge.paid_at) < 2**63
        assert charge.reference == REFERENCE
        assert KEY not in repr(charge)
        repr(charge).encode()


@given(status=st.sampled_from([200, 201, 301, 400, 404, 422, 500]), body=BODIES)
@example(status=200, body=DEEP)
@example(status=200, body=LONG)
@example(status=200, body=b'{"status":true,"data":{"reference":"\\ud800","status":"success"}}')
def test_any_answer_of_paystack_is_a_charge_none_or_a_gateway_error(status: int, body: bytes) -> None:
    """A page of a proxy, an answer of next year, garbage."""
    gateway, _ = paystack(httpx.Response(status, content=body))
    charge, error = _tried(lambda: gateway.fetch(REFERENCE))
    _sound(charge)
    assert error is None or not error.may_exist
    assert KEY not in f"{error} {error and error.reason}"


@given(data=TRANSACTIONS)
def test_only_the_one_word_pays(data: dict[str, Any]) -> None:
    """Whatever else is in a transaction, PAID needs the status that means it."""
    gateway, _ = paystack((200, {"status": True, "data": data}))
    charge, error = _tried(lambda: gateway.fetch(REFERENCE))
    assert (error is None) == (data["reference"] == REFERENCE)
    assert charge is None or (charge.outcome is Outcome.PAID) == (data["status"] == "success")


@given(status=st.sampled_from([200, 400, 404, 500]), body=BODIES)
@example(status=200, body=DEEP)
def test_any_answer_of_stripe_is_a_charge_or_a_gateway_error(status: int, body: bytes) -> None:
    """As above, for a session that is asked for by its name."""
    gateway, _ = stripe(httpx.Response(status, content=body))
    charge, error = _tried(lambda: gateway.fetch(REFERENCE, gateway_id="cs_1"))
    _sound(charge)
    assert error is None or not error.may_exist


@given(body=BODIES, planned=st.lists(BODIES, min_size=2, max_size=2))
def test_any_list_is_read_or_a_gateway_error(body: bytes, planned: list[bytes]) -> None:
    """Lists of transactions, refunds and disputes may be garbage too."""
    first: Any = (200, {"status": True, "data": transaction()})
    for call in ("refunds", "disputes"):
        last: Any = (200, {"status": True, "data": []})
        gateway, _ = paystack(first, *((200, one) for one in (body, *planned)), last)
        asked: Callable[[str], object] = getattr(gateway, call)
        found, error = _tried(partial(asked, REFERENCE))
        assert isinstance(found, tuple) if error is None else not error.may_exist


@given(body=BODIES, write=st.sampled_from(["checkout", "refund"]))
def test_a_write_with_an_answer_that_cannot_be_used_may_have_arrived(body: bytes, write: str) -> None:
    """Status 200 and nothing readable: somebody has to ask."""
    gateway, _ = paystack((200, body))
    calls: dict[str, Callable[[], object]] = {
        "checkout": lambda: gateway.checkout(request()),
        "refund": lambda: gateway.refund(REFERENCE, Money("1")),
    }
    made, error = _tried(calls[write])
    assert made is not None if error is None else error.may_exist


@given(body=BODIES, headers=st.dictionaries(st.text(max_size=24), st.text(max_size=200), max_size=3))
@example(body=DEEP, headers={"x-paystack-signature": "0"})
def test_no_webhook_raises_anything_but_bad_signature(body: bytes, headers: dict[str, str]) -> None:
    """Signed by nobody it is refused; signed it is read, whatever is in it."""
    for gateway, name, sign in (
        (paystack()[0], "x-paystack-signature", hook),
        (stripe()[0], "stripe-signature", stripe_hook),
    ):
        for given_headers in (headers, {name: next(iter(headers.values()), "")}):
            with pytest.raises(BadSignature) as caught:
                gateway.read_webhook(given_headers, body)
            assert KEY not in str(caught.value)
            assert SIGNING not in str(caught.value)
        event = gateway.read_webhook(sign(body), body)
        assert 0 < len(event.key) <= 255
        assert event.key.isprintable()
        assert event.reference is None or lenient.named(event.reference)


@given(header=st.text(max_size=300))
def test_no_signature_header_of_stripe_raises_anything_else(header: str) -> None:
    """Also one that is nearly in its form."""
    with pytest.raises(BadSignature):
        stripe()[0].read_webhook({"Stripe-Signature": f"t=1790683200,v1={header}"}, b"{}")


@given(value=VALUES)
def test_values_are_read_or_none(value: object) -> None:
    """Each of the readers takes anything."""
    assert lenient.whole(value) is None or type(lenient.whole(value)) is int
    assert lenient.instant(value) is None or type(lenient.instant(value)) is int
    assert lenient.seconds(value) is None or type(lenient.seconds(value)) is int
    assert lenient.said(value).isprintable()
    assert lenient.code(value).isprintable()
    assert (lenient.word(value) or "").isprintable()
    assert lenient.currency(value) is None or len(lenient.currency(value) or "") == 3
    assert isinstance(dict(lenient.table(value)), dict)
