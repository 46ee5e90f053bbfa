"""A payment gateway inside the process, that tests steer; the fixture ``ai_gateway``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import httpx

from ai_addons.billing.gateways.fake.adapter import FakePaystack
from ai_addons.billing.gateways.fake.api import PaystackApi
from ai_addons.billing.gateways.fake.desk import Desk
from ai_addons.billing.gateways.fake.hooks import signature
from ai_addons.billing.gateways.fake.server import KEY

if TYPE_CHECKING:
    from ai_addons.billing.gateways.base import Method
    from ai_addons.billing.gateways.fake.api import Fault
    from ai_addons.clock import Clock
    from ai_addons.money import Money

_BASE_URL: Final = "https://gateway.invalid"


class Webhook(NamedTuple):
    """A webhook as it arrives."""

    headers: dict[str, str]
    body: bytes


class GatewaySide:
    """What happens at the gateway's side of a payment, for tests.

    Args:
        desk: The side itself, also of a `FakeGatewayServer`.
        key: What webhooks are signed with.
    """

    def __init__(self, desk: Desk, *, key: str = KEY) -> None:
        self.desk: Desk = desk
        self._signs_with = key

    def pay(self, reference: str, *, method: Method = "mobile_money", save_card: bool = False) -> None:
        """The payer pays, also long after the attempt was given up."""
        self.desk.approve(reference, channel=method, save_card=save_card)

    def decline(self, reference: str, reason: str = "Declined by the payer") -> None:
        """The payer declines."""
        self.desk.decline(reference, reason)

    def expire(self, reference: str) -> None:
        """A prompt on the phone comes to its end, with nobody having answered it."""
        self.desk.change(reference, prompt_until=0)

    def otp(self, reference: str) -> str:
        """The code that the payer was sent."""
        return self.desk.otp(reference)

    def status(self, reference: str, raw: str) -> None:
        """The gateway says this of it from now on, known or not."""
        self.desk.change(reference, status=raw)

    def amount(self, reference: str, amount: Money) -> None:
        """Another amount was collected."""
        self.desk.change(reference, amount=amount.minor)

    def currency(self, reference: str, currency: str) -> None:
        """Another currency was collected."""
        self.desk.change(reference, currency=currency)

    def mode(self, reference: str, mode: Literal["test", "live"]) -> None:
        """It was made in this mode."""
        self.desk.change(reference, domain=mode)

    def webhook(self, reference: str, event: str | None = None) -> Webhook:
        """The latest webhook about a payment, signed; the same bytes each time.

        Args:
            reference: Of the attempt.
            event: Only of this name, e.g. ``charge.success``.

        Raises:
            LookupError: If nothing happened that a webhook tells of; no gateway tells of a decline.
        """
        found = [sent for sent in self.desk.events_of(reference) if event in {None, sent.name}]
        if not found:
            msg = f"no webhook {event or ''} tells of {reference}: pay it first"
            raise LookupError(msg)
        body = found[-1].body.encode()
        return Webhook({"x-paystack-signature": signature(self._signs_with, body)}, body)

    def move_refund(self, refund_id: str, state: str) -> None:
        """A refund moves on: ``processing``, ``processed``, ``failed`` or ``needs-attention``."""
        self.desk.move_refund(int(refund_id), state)

    def open_dispute(self, reference: str, amount: Money | None = None) -> str:
        """The payer's bank contests a payment, all of it if no amount is given; the number of the dispute."""
        return str(self.desk.open_dispute(reference, None if amount is None else amount.minor).id)

    def win_dispute(self, dispute_id: str) -> None:
        """The bank finds for the shop."""
        self.desk.resolve(int(dispute_id), "declined")

    def lose_dispute(self, dispute_id: str) -> None:
        """The bank finds for the payer, and the money goes back."""
        self.desk.resolve(int(dispute_id), "merchant-accepted")

    def break_card(self, code: str) -> None:
        """From now on the bank declines a saved card."""
        self.desk.break_card(code)


class FakeGateway(FakePaystack, GatewaySide):
    """A gateway without a network: what the adapter asks is answered in this process, in Paystack's own bytes.

    Args:
        clock: Where the time comes from; prompts end after 180 s of it.
        key: The secret key; one that begins with ``sk_live_`` makes it live.
    """

    def __init__(self, clock: Clock, *, key: str = KEY) -> None:
        domain = "live" if key.startswith("sk_live_") else "test"
        desk = Desk(clock=clock, site=_BASE_URL, domain=domain)
        self._wire = PaystackApi(desk, key=key)
        GatewaySide.__init__(self, desk, key=key)
        FakePaystack.__init__(self, _BASE_URL, key=key, transport=httpx.MockTransport(self._respond), clock=clock)

    def fail_next(self, fault: Fault, times: int = 1) -> None:
        """Let the next requests go wrong: ``lost_request``, ``lost_answer``, or an HTTP status."""
        self._wire.fail_next(fault, times)

    def close(self) -> None:
        """Forget everything."""
        self.desk.close()

    def _respond(self, request: httpx.Request) -> httpx.Response:
        answer = self._wire.answer(
            request.method,
            request.url.path,
            query=dict(request.url.params),
            headers=dict(request.headers),
            body=request.content,
        )
        if answer is None:
            msg = "Server disconnected without sending a response."
            raise httpx.RemoteProtocolError(msg, request=request)
        return httpx.Response(answer.status, content=answer.body, headers=dict(answer.headers))
