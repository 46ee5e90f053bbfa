"""The gateway that tests steer, and the small client under it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ai_addons.billing.gateways.base import Outcome, PaymentRequest
from ai_addons.billing.gateways.fake.adapter import FakePaystack, from_settings
from ai_addons.billing.gateways.fake.hooks import signature
from ai_addons.billing.gateways.fake.server import KEY
from ai_addons.errors import GatewayError
from ai_addons.money import Money
from ai_addons.plugins import load
from ai_addons.settings import GatewaySettings
from ai_addons.testing.gateway import FakeGateway

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.testing.fakes import ManualClock


def request(reference: str = "aia-1") -> PaymentRequest:
    """GHS 80 with something kept beside it."""
    return PaymentRequest(
        reference=reference,
        amount=Money("80"),
        email="shop@example.com",
        description="VALUE",
        metadata={"order": "7"},
    )


def fetched(gateway: FakeGateway, reference: str = "aia-1") -> Any:
    """What became of a payment that is known."""
    charge = gateway.fetch(reference)
    assert charge is not None
    return charge


def test_another_currency_and_mode_are_told(ai_gateway: FakeGateway) -> None:
    """What `payments` quarantines can be made."""
    ai_gateway.checkout(request())
    ai_gateway.pay("aia-1")
    assert (fetched(ai_gateway).currency, fetched(ai_gateway).live) == ("GHS", False)
    ai_gateway.currency("aia-1", "NGN")
    ai_gateway.mode("aia-1", "live")
    assert (fetched(ai_gateway).currency, fetched(ai_gateway).live) == ("NGN", True)


def test_a_live_key_is_live(ai_clock: ManualClock) -> None:
    """Gateway and payments agree."""
    gateway = FakeGateway(ai_clock, key="sk_live_1")
    gateway.checkout(request())
    assert (gateway.live, fetched(gateway).live) == (True, True)
    gateway.close()


def test_what_is_kept_beside_comes_back(ai_gateway: FakeGateway) -> None:
    """The raw answer holds it; `repr` does not show it."""
    ai_gateway.checkout(request())
    charge = fetched(ai_gateway)
    assert json.loads(charge.raw)["data"]["metadata"] == {"order": "7"}
    assert "order" not in repr(charge)


def test_a_prompt_ends_with_the_clock(ai_gateway: FakeGateway, ai_clock: ManualClock) -> None:
    """Three minutes of the test's own time."""
    asked = ai_gateway.charge_phone(request(), phone="+233 24 400-0000", network="at")
    assert (asked.raw_status, asked.amount_minor, asked.currency) == ("pay_offline", None, None)
    assert "180 seconds" in asked.reason
    ai_clock.advance(180)
    assert fetched(ai_gateway).outcome is Outcome.FAILED


def test_a_webhook_is_found_by_its_name(ai_gateway: FakeGateway) -> None:
    """The latest, or the latest of one kind; a declined payment has none."""
    ai_gateway.checkout(request())
    ai_gateway.decline("aia-1", "No money")
    assert fetched(ai_gateway).reason == "No money"
    with pytest.raises(LookupError, match="tells of aia-1: pay it first"):
        ai_gateway.webhook("aia-1")
    ai_gateway.pay("aia-1")
    ai_gateway.open_dispute("aia-1", Money("10"))
    assert json.loads(ai_gateway.webhook("aia-1").body)["event"] == "charge.dispute.create"
    assert json.loads(ai_gateway.webhook("aia-1", "charge.success").body)["event"] == "charge.success"
    assert [dispute.amount_minor for dispute in ai_gateway.disputes("aia-1")] == [1000]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"event": "x"}', b'{"event": "subscription.expiring_cards", "data": [{"id": 1}]}']
)
def test_a_signed_body_that_is_no_event_of_ours_is_none(ai_gateway: FakeGateway, body: bytes) -> None:
    """Stored by whoever gets it, and asked about by nobody."""
    event = ai_gateway.read_webhook({"X-Paystack-Signature": signature(KEY, body)}, body)
    assert (event.topic, event.reference, event.body) == (None, None, body)


@pytest.mark.parametrize(
    ("fault", "status", "may_exist"),
    [("lost_request", None, True), ("lost_answer", None, True), (502, 502, True), (429, 429, True)],
)
def test_a_write_that_went_wrong_may_exist(
    ai_gateway: FakeGateway, fault: Any, status: int | None, may_exist: bool
) -> None:
    """As long as the gateway does not say that it did nothing; the next request is well."""
    ai_gateway.fail_next(fault)
    with pytest.raises(GatewayError) as lost:
        ai_gateway.checkout(request())
    assert (lost.value.status, lost.value.may_exist) == (status, may_exist)
    assert KEY not in repr(lost.value)
    assert (ai_gateway.fetch("aia-1") is not None) is (fault == "lost_answer")


def test_reads_go_wrong_as_often_as_planned(ai_gateway: FakeGateway) -> None:
    """Three times, as often as a read is tried; nothing can have come of it."""
    ai_gateway.fail_next("lost_answer", 3)
    with pytest.raises(GatewayError) as lost:
        ai_gateway.fetch("aia-1")
    assert not lost.value.may_exist
    assert ai_gateway.fetch("aia-1") is None


@pytest.mark.parametrize("content", [b"<html>", b'{"status": false, "message": "m"}', b'{"status": "true"}'])
def test_an_answer_that_is_none_is_an_error(content: bytes) -> None:
    """HTTP 200 alone says nothing."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content))
    gateway = FakePaystack("https://gateway.invalid", transport=transport)
    with pytest.raises(GatewayError):
        gateway.fetch("aia-1")


@pytest.mark.parametrize(
    ("base_url", "asked"), [(None, "http://127.0.0.1:8765"), ("http://127.0.0.1:9", "http://127.0.0.1:9")]
)
def test_settings_say_where_it_listens(base_url: str | None, asked: str) -> None:
    """Else it is where the command puts it."""
    asked_at: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked_at.append(f"{request.url.scheme}://{request.url.netloc.decode()}")
        return httpx.Response(404, json={"status": False, "message": "m", "code": "transaction_not_found"})

    gateway = from_settings(GatewaySettings(base_url=base_url), environ={}, transport=httpx.MockTransport(answer))
    assert (gateway.name, gateway.live, gateway.fetch("aia-1")) == ("fake", False, None)
    assert asked_at == [asked]


def test_it_comes_in_by_the_door_of_all_gateways() -> None:
    """The entry point `fake` leads to it."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    made: Callable[..., object] = load("gateways", project["project"]["entry-points"]["ai_addons.gateways"]["fake"])
    assert made is from_settings
