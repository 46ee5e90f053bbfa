"""A payment gateway in memory that says what a test tells it, and a till that sells by it.

Not `ai_addons.testing.FakeGateway`, which is Paystack and nothing but Paystack: it can do everything, and its desk says
only what that protocol can say. The rules behind the port must hold for every gateway. So these are one that can do the
least (`PageGateway`), amounts in another currency at a rate, references and answers that no desk would give, a network
that fails with any error before or after the gateway has heard, and somebody else who acts just then (``meanwhile``).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.gateways.base import (
    Charge,
    Checkout,
    Dispute,
    GatewayEvent,
    Outcome,
    PaymentRequest,
    Refund,
    RefundOutcome,
    SavedCard,
)
from ai_addons.billing.opening import Shop
from ai_addons.billing.payments import Payments
from ai_addons.errors import BadSignature, ConfigError
from ai_addons.settings import ReceiptSettings
from tests.books import Books

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ai_addons.billing.applying import Applied
    from ai_addons.billing.clawback import ShortfallPolicy
    from ai_addons.billing.gateways.base import Gateway
    from ai_addons.billing.opening import Payment
    from ai_addons.billing.orders import Order
    from ai_addons.billing.prices import PackVersion
    from ai_addons.money import Money

KEY: Final = b"sk_test_scripted"
EMAIL: Final = "ama@shop.example"
CARD: Final = SavedCard(code="AUTH_secret", email=EMAIL, brand="visa", last4="4081", expires="12/2030")


class PageGateway:
    """The least that a gateway is: a page, an answer, signed webhooks, a refund."""

    live = False

    def __init__(self, name: str = "scripted") -> None:
        self.name = name
        self.charged: dict[str, Charge] = {}
        self.asked: list[str] = []
        self.requests: list[PaymentRequest] = []
        self.fails: Exception | None = None
        self.fails_after: Exception | None = None
        self.fetch_fails: Exception | None = None
        self.lock = threading.Lock()
        self.converts: Checkout | None = None
        self.sent_back: dict[str, list[Refund]] = {}
        self.contested: dict[str, list[Dispute]] = {}
        self.notes: list[str] = []
        self.meanwhile: Callable[[], object] | None = None

    def checkout(self, request: PaymentRequest) -> Checkout:
        self.take(request)
        page = self.checkout_page(request.reference)
        return page if self.converts is None else replace(self.converts, reference=page.reference, url=page.url)

    def checkout_page(self, reference: str) -> Checkout:
        """The page of an attempt."""
        return Checkout(reference=reference, url=f"https://pay.example/{reference}")

    def take(self, request: PaymentRequest, **changes: Any) -> Charge:
        """Note what is to be collected, unless the network fails before; or after."""
        if self.fails is not None:
            raise self.fails
        if self.meanwhile is not None:
            self.meanwhile()
        with self.lock:
            self.requests.append(request)
            self.charged[request.reference] = Charge(
                reference=request.reference,
                outcome=Outcome.PENDING,
                raw_status="abandoned",
                amount_minor=request.amount.minor,
                currency=request.amount.currency,
                live=self.live,
            )
            self.change(request.reference, **changes)
        if self.fails_after is not None:
            raise self.fails_after
        return self.charged[request.reference]

    def change(self, reference: str, /, **changes: Any) -> None:
        """Script what is said of an attempt."""
        self.charged[reference] = replace(self.charged[reference], **changes)

    def pay(self, reference: str, /, **changes: Any) -> None:
        """The payer pays."""
        self.change(reference, outcome=Outcome.PAID, raw_status="success", fees_minor=58, **changes)

    def decline(self, reference: str) -> None:
        """The payer's network says no."""
        self.change(reference, outcome=Outcome.FAILED, raw_status="failed", reason="Insufficient funds")

    def fetch(self, reference: str) -> Charge | None:
        self.asked.append(reference)
        if self.fetch_fails is not None:
            raise self.fetch_fails
        return self.charged.get(reference)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        if not hmac.compare_digest(headers.get("x-signature", ""), sign(body)):
            raise BadSignature
        told = json.loads(body)
        key = f"{told['event']}:{told.get('reference')}"
        return GatewayEvent(
            key=key, name=told["event"], topic=told.get("topic"), reference=told.get("reference"), body=body
        )

    def refund(self, reference: str, amount: Money, *, note: str = "") -> Refund:
        """Send money back, unless the network fails before; or after."""
        if self.fails is not None:
            raise self.fails
        self.notes.append(note)
        told = self.tell_refund(reference, amount.minor, currency=amount.currency)
        if self.fails_after is not None:
            raise self.fails_after
        return told

    def tell_refund(
        self, reference: str, minor: int, outcome: RefundOutcome = RefundOutcome.PENDING, *, currency: str = "GHS"
    ) -> Refund:
        """Script one more refund of a payment, as from the gateway's own page."""
        known = self.sent_back.setdefault(reference, [])
        id_ = f"RF-{reference}-{len(known)}"
        told = Refund(id=id_, reference=reference, amount_minor=minor, currency=currency, outcome=outcome)
        known.append(told)
        return told

    def end_refund(self, reference: str, outcome: RefundOutcome = RefundOutcome.DONE) -> None:
        """Script how the last refund ended."""
        self.sent_back[reference][-1] = replace(self.sent_back[reference][-1], outcome=outcome)


class ScriptedGateway(PageGateway):
    """One that can do everything."""

    def charge_phone(self, request: PaymentRequest, *, phone: str, network: str) -> Charge:
        assert phone
        step = "enter_otp" if network == "telecel" else "approve_on_phone"
        return self.take(request, next_step=step, method="mobile_money", raw_status="pay_offline")

    def submit_otp(self, reference: str, otp: str) -> Charge:
        if otp == "1234":
            self.pay(reference)
        else:
            self.decline(reference)
        return self.charged[reference]

    def charge_card(self, request: PaymentRequest, card: SavedCard) -> Charge:
        assert card == CARD
        return self.take(request, outcome=Outcome.PAID, raw_status="success", method="card")

    def charges(self, since: int, until: int) -> Iterator[Charge]:
        assert since < until
        if self.fetch_fails is not None:
            raise self.fetch_fails
        yield from list(self.charged.values())

    def refunds(self, reference: str) -> tuple[Refund, ...]:
        if self.fetch_fails is not None:
            raise self.fetch_fails
        return tuple(self.sent_back.get(reference, ()))

    def disputes(self, reference: str) -> tuple[Dispute, ...]:
        return tuple(self.contested.get(reference, ()))


def sign(body: bytes) -> str:
    """The signature of a webhook."""
    return hmac.new(KEY, body, hashlib.sha512).hexdigest()


def webhook(reference: str | None, name: str = "charge.success", topic: str | None = "payment") -> tuple[Any, bytes]:
    """Headers and body of a webhook."""
    body = json.dumps({"event": name, "reference": reference, "topic": topic}).encode()
    return {"x-signature": sign(body)}, body


class Till:
    """Books with a gateway, where orders are made and paid."""

    def __init__(
        self,
        gateway: PageGateway | None = None,
        *,
        books: Books | None = None,
        versions: Sequence[PackVersion] = (),
        shortfall: ShortfallPolicy = "clamp",
        receipts: ReceiptSettings | None = None,
        **options: Any,
    ) -> None:
        self.gateway = gateway or ScriptedGateway()
        self.books = books or Books("0", **options)
        self.clock = self.books.clock
        self.business = self.books.business
        self.versions = list(versions)
        shop = Shop(
            gateway=self.find,
            packs=lambda: self.versions,
            return_url="https://shop.example/back",
            receipts=receipts or ReceiptSettings(),
        )
        self.orders = Payments(self.books.opened, shop, names=lambda: (self.gateway.name,), shortfall=shortfall)

    def find(self, name: str | None) -> Gateway:
        """The one gateway."""
        if name not in {None, self.gateway.name}:
            raise ConfigError
        return self.gateway

    def start(self, pack: str | None = "VALUE", **options: Any) -> Payment:
        """An order of the business."""
        return self.orders.start(self.business, pack, **{"email": EMAIL} | options)

    def paid(self, pack: str | None = "VALUE", **options: Any) -> tuple[Payment, Applied]:
        """An order that was paid on the gateway's page."""
        payment = self.start(pack, **options)
        self.gateway.pay(payment.attempt.reference)
        return payment, self.orders.verify(self.business, payment.attempt.reference)

    def order(self, payment: Payment) -> Order:
        """The order as it is now."""
        return self.orders.find(self.business, payment.order.id)[0]

    def balance(self) -> str:
        """Credits available."""
        return self.books.store.wallet(self.business).available.short

    def agrees(self) -> None:
        """The books agree with themselves."""
        assert self.books.report().findings == ()

    def topics(self) -> list[str]:
        """What was told of orders and payments, by name."""
        told = [topic for (topic,) in self.books.sql("SELECT topic FROM ai_outbox ORDER BY topic")]
        return [topic for topic in told if topic.startswith(("order.", "payment."))]
