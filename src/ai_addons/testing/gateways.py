"""The contract of a payment gateway; `ai_addons.testing.contracts` offers it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from ai_addons.billing.gateways.base import Outcome, PaymentRequest, RefundOutcome
from ai_addons.errors import BadSignature, GatewayError
from ai_addons.money import Money
from ai_addons.testing._gateway_ports import GatewayPorts
from ai_addons.testing.require import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ai_addons.billing.gateways.base import Charge, Gateway

_AMOUNTS: Final = ("0.01", "0.29", "30", "1234.57", "5000")
_UNKNOWN_STATUS: Final = "quarrelling"


class GatewayDriver(Protocol):
    """What happens at the gateway's side; `GatewaySide` is the fake's."""

    def pay(self, reference: str) -> None:
        """The payer pays."""
        ...

    def decline(self, reference: str) -> None:
        """The payer declines."""
        ...

    def status(self, reference: str, raw: str) -> None:
        """The gateway says this from now on."""
        ...

    def amount(self, reference: str, amount: Money) -> None:
        """Another amount was collected."""
        ...

    def webhook(self, reference: str) -> tuple[Mapping[str, str], bytes]:
        """Headers and body of the latest webhook about it."""
        ...

    def move_refund(self, refund_id: str, state: str) -> None:
        """A refund moves on, to ``processed`` or ``failed``."""
        ...


class GatewayContract(GatewayPorts):
    """What every payment gateway must keep; an `AssertionError` says in words what yours did wrong.

    Subclass it in a test module, make yours, and say how its other side is driven::

        class TestMyGateway(GatewayContract):
            secrets = ("sk_test_1",)

            def make(self):
                return MyGateway(…)

            def side(self):
                return MySandbox(…)

    Phone prompts, saved cards and lists are asked for where a gateway offers them;
    its driver then needs what `GatewaySide` has for them.

    Attributes:
        secrets: What must never be shown: its keys.
        currency: What it collects.
    """

    secrets: tuple[str, ...] = ()
    currency: str = "GHS"

    def make(self) -> Gateway:
        """Your gateway; the same other side each time within a test."""
        raise NotImplementedError

    def side(self) -> GatewayDriver:
        """What drives the other side of the gateway that `make` gave."""
        raise NotImplementedError

    def request(self, reference: str, amount: str = "30") -> PaymentRequest:
        """What the contract asks to collect; override it if yours needs more."""
        return PaymentRequest(
            reference=reference,
            amount=Money(amount, self.currency),
            email="shop@example.com",
            description="100 AI credits",
            return_url="https://shop.example.com/back",
        )

    def test_it_has_a_name_and_a_mode(self) -> None:
        """Its name is what settings and books call it, and it knows whether real money moves."""
        gateway = self.make()
        require(bool(gateway.name) and gateway.name == gateway.name.lower(), "The name must be in lower case.")
        require(type(gateway.live) is bool, "`live` must be True or False.")

    def test_it_hides_its_keys(self) -> None:
        """Neither it nor an error of it shows a key."""
        gateway = self.make()
        shown = [
            repr(gateway),
            str(gateway),
            repr(_error(partial(gateway.refund, "aia-none", Money("1", self.currency)))),
        ]
        for secret in self.secrets:
            require(not any(secret in text for text in shown), "`repr` or an error shows a key.")

    def test_an_unknown_reference_is_none(self) -> None:
        """What the gateway never heard of is None, and no error."""
        require(self.make().fetch("aia-never-sent") is None, "`fetch` must give None for an unknown reference.")

    def test_a_fresh_checkout_is_pending(self) -> None:
        """There is a page to pay on, and until somebody does the attempt is pending, never failed."""
        gateway = self.make()
        page = gateway.checkout(self.request("aia-1"))
        require(page.reference == "aia-1", f"`checkout` gave the reference {page.reference!r}, not ours.")
        require(page.url.startswith(("https://", "http://127.0.0.1")), f"{page.url!r} is no address of a page.")
        outcome = self._charge(gateway, "aia-1").outcome
        require(outcome is Outcome.PENDING, f"A fresh checkout is {outcome}: it can still be paid.")

    def test_a_reference_stands_for_one_attempt(self) -> None:
        """Sent again, it is refused or gives the first page: never a second attempt."""
        gateway = self.make()
        first = gateway.checkout(self.request("aia-1"))
        try:
            second = gateway.checkout(self.request("aia-1"))
        except GatewayError:
            return
        require(second == first, "One reference gave two pages to pay on.")

    def test_a_payment_is_told_exactly(self) -> None:
        """Amount in minor units, currency, mode and time come back as they were."""
        gateway, side = self.make(), self.side()
        for number, amount in enumerate(_AMOUNTS):
            reference, wanted = f"aia-{number}", Money(amount, self.currency)
            gateway.checkout(self.request(reference, amount))
            side.pay(reference)
            found = self._charge(gateway, reference)
            require(found.outcome is Outcome.PAID, f"A paid attempt is {found.outcome}.")
            require(type(found.amount_minor) is int, f"The amount {found.amount_minor!r} must be an int.")
            require(found.amount_minor == wanted.minor, f"{wanted} came back as {found.amount_minor} minor units.")
            require(found.currency == wanted.currency, f"{wanted} came back in {found.currency}.")
            require(found.live is gateway.live, f"The mode of a payment is {found.live}, not {gateway.live}.")
            require(found.paid_at is not None, "A paid attempt must say when.")

    def test_a_declined_payment_says_why(self) -> None:
        """It has failed, with a reason for the payer."""
        found = self._driven("aia-1", self.side().decline)
        require(found.outcome is Outcome.FAILED, f"A declined attempt is {found.outcome}.")
        require(bool(found.reason), "A declined attempt must say why.")

    def test_a_late_payment_counts(self) -> None:
        """Declined first and paid afterwards, it is paid."""
        side = self.side()
        self._driven("aia-1", side.decline)
        side.pay("aia-1")
        outcome = self._charge(self.make(), "aia-1").outcome
        require(outcome is Outcome.PAID, f"A late payment is {outcome}.")

    def test_an_unknown_status_is_unknown(self) -> None:
        """What the gateway says in a word that nobody knows is neither paid nor failed."""
        side = self.side()
        found = self._driven("aia-1", lambda reference: side.status(reference, _UNKNOWN_STATUS))
        require(found.outcome is Outcome.UNKNOWN, f"The status {_UNKNOWN_STATUS!r} was read as {found.outcome}.")
        require(found.raw_status == _UNKNOWN_STATUS, f"`raw_status` is {found.raw_status!r}, not the gateway's word.")

    def test_another_amount_is_told_as_it_is(self) -> None:
        """Whether it pays for the order is for others to say; the gateway tells what was collected."""
        side, other = self.side(), Money("29.99", self.currency)
        self._driven("aia-1", side.pay)
        side.amount("aia-1", other)
        found = self._charge(self.make(), "aia-1")
        require(found.amount_minor == other.minor, f"{other} was collected and {found.amount_minor} told.")

    def test_a_webhook_is_a_hint_about_a_payment(self) -> None:
        """It names the reference, keeps its body, and is found by header names in any case."""
        gateway, headers, body = self._webhook()
        for named in (headers, {name.upper(): value for name, value in headers.items()}):
            event = gateway.read_webhook(named, body)
            require((event.topic, event.reference) == ("payment", "aia-1"), f"The webhook was read as {event}.")
            require(event.body == body, "The body of a webhook must be kept as it came.")

    def test_a_webhook_that_comes_twice_has_one_key(self) -> None:
        """What drops repeats is the same for the same bytes."""
        gateway, headers, body = self._webhook()
        keys = {gateway.read_webhook(headers, body).key for _ in range(2)}
        require(len(keys) == 1, f"One webhook has two keys: {keys}.")

    def test_a_forged_webhook_is_refused(self) -> None:
        """Another body; no signature, half of one, or one of other signs: `BadSignature` and nothing else."""
        gateway, headers, body = self._webhook()
        forged: list[tuple[Mapping[str, str], bytes]] = [
            (headers, body + b" "),
            (headers, body[:-1]),
            (headers, b""),
            ({}, body),
            *(
                ({name: change(value) for name, value in headers.items()}, body)
                for change in (_half, _none, _cedis, _backwards)
            ),
        ]
        for changed, content in forged:
            error = _error(partial(gateway.read_webhook, changed, content))
            require(isinstance(error, BadSignature), f"A forged webhook gave {error!r}, not BadSignature.")

    def test_a_refund_in_part_leaves_the_payment_paid(self) -> None:
        """It has a number of its own, the exact amount, and the rest can go back later."""
        gateway, side, part = self.make(), self.side(), Money("10.01", self.currency)
        self._driven("aia-1", side.pay)
        refund = gateway.refund("aia-1", part, note="wrong pack")
        told = (bool(refund.id), refund.reference, refund.amount_minor, refund.currency)
        require(told == (True, "aia-1", part.minor, part.currency), f"A refund of {part} was told as {refund}.")
        require(refund.outcome in {RefundOutcome.PENDING, RefundOutcome.DONE}, f"A fresh refund is {refund.outcome}.")
        self._finish(refund.id, refund.outcome)
        outcome = self._charge(gateway, "aia-1").outcome
        require(outcome is Outcome.PAID, f"A payment of which a part went back is {outcome}.")
        rest = gateway.refund("aia-1", Money("19.99", self.currency))
        require(rest.id != refund.id, "Two refunds have one number.")

    def test_a_refund_of_all_reverses_the_payment(self) -> None:
        """When all of it is back, the payment is reversed."""
        gateway, side = self.make(), self.side()
        self._driven("aia-1", side.pay)
        refund = gateway.refund("aia-1", Money("30", self.currency))
        self._finish(refund.id, refund.outcome)
        outcome = self._charge(gateway, "aia-1").outcome
        require(outcome is Outcome.REVERSED, f"A payment that went back is {outcome}.")

    def test_no_more_goes_back_than_came(self) -> None:
        """A refund of more than was paid, of what was not paid, or of the unknown is an error."""
        gateway, side = self.make(), self.side()
        gateway.checkout(self.request("aia-2"))
        self._driven("aia-1", side.pay)
        for reference, amount in (("aia-1", "30.01"), ("aia-2", "1"), ("aia-none", "1")):
            money = Money(amount, self.currency)
            error = _error(partial(gateway.refund, reference, money))
            require(isinstance(error, GatewayError), f"A refund of {money} for {reference} gave {error!r}.")

    def _driven(self, reference: str, drive: Callable[[str], object]) -> Charge:
        """An attempt after something happened to it."""
        gateway = self.make()
        gateway.checkout(self.request(reference))
        drive(reference)
        return self._charge(gateway, reference)

    def _webhook(self) -> tuple[Gateway, Mapping[str, str], bytes]:
        side = self.side()
        self._driven("aia-1", side.pay)
        headers, body = side.webhook("aia-1")
        return self.make(), headers, body

    def _finish(self, refund_id: str, outcome: RefundOutcome) -> None:
        if outcome is RefundOutcome.PENDING:
            self.side().move_refund(refund_id, "processed")


def _half(text: str) -> str:
    return text[: len(text) // 2]


def _none(_: str) -> str:
    return ""


def _cedis(text: str) -> str:
    return "\u20b5" * len(text)


def _backwards(text: str) -> str:
    return text[::-1]


def _error(call: Callable[[], object]) -> Exception | None:
    """What a call raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001  # which one is what the contract asks
        return error
    return None
