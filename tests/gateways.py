"""The other side of a payment gateway's wire: planned answers, requests that were seen, webhooks that are signed."""

from __future__ import annotations

import hmac
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import httpx

from ai_addons.billing.gateways.base import PaymentRequest
from ai_addons.billing.gateways.paystack import Paystack
from ai_addons.billing.gateways.stripe import Stripe
from ai_addons.billing.records import Rate
from ai_addons.money import Money
from ai_addons.settings import GatewaySettings
from ai_addons.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "sk_test_4f1e9d0c7b2a"
OLD_KEY = "sk_test_old0a1b2c3d4"
STRIPE_KEY = "sk_test_51Hq8sSecret"
SIGNING = "whsec_0a9b8c7d6e5f"
OLD_SIGNING = "whsec_old1f2e3d4c5b"
REFERENCE = "aia-01998a2c-9400-7000-8000-000000000000"
# Noon UTC on 29 September 2026.
NOW = 1_790_683_200_000_000
RATE = Rate(scaled=1_164_600_000, day=date(2026, 9, 29), source="bog")
PLANNED = tuple[int, Any] | Exception | httpx.Response


class Wire(httpx.BaseTransport):
    """Gives planned answers in order, and keeps every request."""

    def __init__(self, *planned: PLANNED) -> None:
        self.planned = list(planned)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        plan = self.planned.pop(0)
        if isinstance(plan, Exception):
            raise plan
        if isinstance(plan, httpx.Response):
            return plan
        status, body = plan
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(status, content=content)

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Method and address of each request, without the host."""
        return [(one.method, one.url.raw_path.decode()) for one in self.requests]

    def body(self, number: int = -1) -> Any:
        """The JSON of a request."""
        return json.loads(self.requests[number].content)


def paystack(*planned: PLANNED, clock: ManualClock | None = None, **settings: Any) -> tuple[Paystack, Wire]:
    """Paystack's client, and the wire it is on."""
    wire = Wire(*planned)
    chosen = GatewaySettings(**({"keys": (KEY, OLD_KEY)} | settings))
    return Paystack(chosen, environ={}, transport=wire, clock=clock or ManualClock(NOW)), wire


def stripe(
    *planned: PLANNED, clock: ManualClock | None = None, rate: Callable[[], Rate] | None = lambda: RATE, **settings: Any
) -> tuple[Stripe, Wire]:
    """Stripe's client, and the wire it is on."""
    wire = Wire(*planned)
    chosen = GatewaySettings(**({"keys": (STRIPE_KEY,), "webhook_secrets": (SIGNING, OLD_SIGNING)} | settings))
    return Stripe(chosen, environ={}, transport=wire, clock=clock or ManualClock(NOW), rate=rate), wire


def ok(data: object, **more: object) -> tuple[int, dict[str, object]]:
    """Paystack's envelope around an answer."""
    return 200, {"status": True, "message": "OK", "data": data, **more}


def refused(status: int, code: str, message: str = "No") -> tuple[int, dict[str, object]]:
    """Paystack's envelope around an error."""
    return status, {"status": False, "message": message, "meta": {"nextStep": "…"}, "type": "x", "code": code}


def request(**changes: Any) -> PaymentRequest:
    """An attempt at GHS 30."""
    given: dict[str, Any] = {
        "reference": REFERENCE,
        "amount": Money("30"),
        "email": "shop@example.com",
        "description": "QUICK",
    }
    return PaymentRequest(**(given | {"return_url": "https://pos.example/back"} | changes))


def transaction(**changes: object) -> dict[str, object]:
    """A paid Mobile Money transaction, as verify tells it."""
    made = {
        "authorization_code": "AUTH_8dfhjjdt",
        "bin": "055XXX",
        "last4": "X149",
        "exp_month": 12,
        "exp_year": 9999,
        "channel": "mobile_money",
        "bank": "MTN Mobile Money",
        "brand": "Mtn",
        "reusable": False,
        "signature": None,
    }
    plain: dict[str, object] = {
        "id": 4_099_260_516,
        "domain": "test",
        "status": "success",
        "reference": REFERENCE,
        "receipt_number": None,
        "amount": 3000,
        "requested_amount": 3000,
        "message": None,
        "gateway_response": "Approved",
        "paid_at": "2026-09-29T12:00:01.250Z",
        "paidAt": "2026-09-29T12:00:01.250Z",
        "created_at": "2026-09-29T11:59:00.000Z",
        "channel": "mobile_money",
        "currency": "GHS",
        "ip_address": "154.160.1.1, 172.70.1.1",
        "metadata": "",
        "fees": 59,
        "authorization": made,
        "customer": {"id": 1, "email": "shop@example.com", "customer_code": "CUS_x", "phone": None},
        "plan": None,
    }
    return plain | changes


def session(**changes: object) -> dict[str, object]:
    """A paid Checkout session, as Stripe tells it with its payment."""
    paid = {
        "id": "ch_1",
        "created": 1_790_683_201,
        "paid": True,
        "refunded": False,
        "amount_refunded": 0,
        "failure_message": None,
        "payment_method_details": {"type": "card"},
        "balance_transaction": {"fee": 38, "currency": "usd"},
    }
    intent = {"id": "pi_1", "status": "succeeded", "last_payment_error": None, "latest_charge": paid}
    kept = {"reference": REFERENCE, "price_minor": "3000", "price_currency": "GHS", "rate_scaled": "1164600000"}
    plain: dict[str, object] = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "amount_total": 258,
        "currency": "usd",
        "client_reference_id": REFERENCE,
        "livemode": False,
        "status": "complete",
        "payment_status": "paid",
        "metadata": kept,
        "payment_intent": intent,
        "url": "https://checkout.stripe.com/c/pay/cs_test_1#fid",
    }
    return plain | changes


def listed(*items: object, more: bool = False) -> tuple[int, dict[str, object]]:
    """A page of one of Stripe's lists."""
    return 200, {"object": "list", "data": list(items), "has_more": more}


def hook(body: bytes, key: str = KEY) -> dict[str, str]:
    """The headers of a webhook from Paystack."""
    return {"X-Paystack-Signature": hmac.digest(key.encode(), body, "sha512").hex()}


def stripe_hook(body: bytes, secret: str = SIGNING, at: int = NOW // 1_000_000) -> dict[str, str]:
    """The headers of a webhook from Stripe."""
    signature = hmac.digest(secret.encode(), f"{at}.".encode() + body, "sha256").hex()
    return {"Stripe-Signature": f"t={at},v1={signature},v0=none"}
