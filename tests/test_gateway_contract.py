"""What every payment gateway does, shown on the fakes: in this process, and over real HTTP."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.gateways.base import (
    AuditableGateway,
    CardGateway,
    Checkout,
    Outcome,
    PhoneGateway,
    Refund,
    RefundOutcome,
)
from ai_addons.billing.gateways.fake.adapter import FakePaystack
from ai_addons.billing.gateways.fake.hooks import signature
from ai_addons.billing.gateways.fake.refusals import Refused
from ai_addons.billing.gateways.fake.server import KEY, FakeGatewayServer
from ai_addons.errors import BadSignature
from ai_addons.testing._gateway_ports import GatewayPorts
from ai_addons.testing.contracts import GatewayContract
from ai_addons.testing.gateway import FakeGateway, GatewaySide

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_addons.billing.gateways.base import Charge, Gateway, GatewayEvent, PaymentRequest
    from ai_addons.money import Money
    from ai_addons.testing.fakes import ManualClock
    from ai_addons.testing.gateways import GatewayDriver


class TestInProcess(GatewayContract):
    """The fixture `ai_gateway`."""

    secrets = (KEY,)

    @pytest.fixture(autouse=True)
    def _gateway(self, ai_gateway: FakeGateway) -> None:
        self.gateway = ai_gateway

    def make(self) -> Gateway:
        return self.gateway

    def side(self) -> GatewayDriver:
        return self.gateway


class TestOverHttp(GatewayContract):
    """The adapter `fake` and the server, as on a developer's machine."""

    secrets = (KEY,)

    @pytest.fixture(autouse=True)
    def _gateway(self) -> Iterator[None]:
        with FakeGatewayServer() as self.server:
            self.gateway = FakePaystack(self.server.url)
            yield

    def make(self) -> Gateway:
        return self.gateway

    def side(self) -> GatewayDriver:
        return GatewaySide(self.server.desk)


class Plain:
    """A gateway that offers no more than it must."""

    def __init__(self, inner: FakeGateway) -> None:
        self.name, self.live = inner.name, inner.live
        self.checkout, self.fetch, self.refund = inner.checkout, inner.fetch, inner.refund
        self.read_webhook = inner.read_webhook


class TestPlain(TestInProcess):
    """What it does not offer it is not asked for."""

    def make(self) -> Gateway:
        return Plain(self.gateway)


def test_the_fakes_offer_everything(ai_gateway: FakeGateway) -> None:
    """Else the contract would pass by asking nothing."""
    assert isinstance(ai_gateway, PhoneGateway)
    assert isinstance(ai_gateway, CardGateway)
    assert isinstance(ai_gateway, AuditableGateway)


def hasty(gateway: Faulty, reference: str) -> Charge | None:
    """A failure that is told of what can still be paid."""
    charge = FakeGateway.fetch(gateway, reference)
    return charge and replace(charge, outcome=Outcome.FAILED)


def rounded(gateway: Faulty, reference: str) -> Charge | None:
    """Whole cedis."""
    charge = FakeGateway.fetch(gateway, reference)
    return charge and replace(charge, amount_minor=(charge.amount_minor or 0) // 100 * 100)


def hopeful(gateway: Faulty, reference: str) -> Charge | None:
    """What it does not know it takes for paid."""
    charge = FakeGateway.fetch(gateway, reference)
    return charge and (replace(charge, outcome=Outcome.PAID) if charge.outcome is Outcome.UNKNOWN else charge)


def silent(gateway: Faulty, reference: str) -> Charge | None:
    """No reason is given."""
    charge = FakeGateway.fetch(gateway, reference)
    return charge and replace(charge, reason="")


def cardless(gateway: Faulty, reference: str) -> Charge | None:
    """A saved card is kept to itself."""
    charge = FakeGateway.fetch(gateway, reference)
    return charge and replace(charge, card=None)


def forgetful(gateway: Faulty, reference: str) -> None:
    """Nothing is ever found."""


def unlisted(gateway: Faulty, since: int, until: int) -> Iterator[Charge]:
    """Nothing is ever listed."""
    return iter(())


def trusting(gateway: Faulty, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
    """Signatures are not looked at."""
    return FakeGateway.read_webhook(gateway, {"x-paystack-signature": signature(KEY, body)}, body)


def particular(gateway: Faulty, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
    """Header names are looked up in one case only."""
    return FakeGateway.read_webhook(gateway, {name: headers.get(name, "") for name in ("x-paystack-signature",)}, body)


def generous(gateway: Faulty, reference: str, amount: Money, *, note: str = "") -> Refund:
    """It gives back what it never got."""
    return Refund(id="1", reference=reference, amount_minor=1, currency="GHS", outcome=RefundOutcome.DONE)


def at_once(gateway: Faulty, reference: str, amount: Money, *, note: str = "") -> Refund:
    """Nothing is pending."""
    made = FakeGateway.refund(gateway, reference, amount, note=note)
    gateway.move_refund(made.id, "processed")
    return replace(made, outcome=RefundOutcome.DONE)


def careless(gateway: Faulty) -> str:
    """It shows its key."""
    return f"Gateway({KEY})"


def elsewhere(gateway: Faulty, asked: PaymentRequest) -> Checkout:
    """It names the attempt itself."""
    return replace(FakeGateway.checkout(gateway, asked), reference="mine")


class Faulty(FakeGateway):
    """A gateway of which a part is exchanged."""


@pytest.mark.parametrize(
    ("part", "wrong", "test", "said"),
    [
        ("fetch", hasty, "test_a_fresh_checkout_is_pending", "it can still be paid"),
        ("fetch", rounded, "test_a_payment_is_told_exactly", r"GHS 0\.01 came back as 0 minor units"),
        ("fetch", rounded, "test_another_amount_is_told_as_it_is", "2900 told"),
        ("fetch", hopeful, "test_an_unknown_status_is_unknown", "was read as paid"),
        ("fetch", silent, "test_a_declined_payment_says_why", "must say why"),
        ("fetch", forgetful, "test_a_late_payment_counts", "gave None for aia-1, which was sent"),
        ("read_webhook", trusting, "test_a_forged_webhook_is_refused", "gave None, not BadSignature"),
        ("refund", generous, "test_no_more_goes_back_than_came", "gave None"),
        ("refund", generous, "test_a_refund_in_part_leaves_the_payment_paid", "was told as"),
        ("refund", generous, "test_it_lists_refunds_that_others_began", "Refund not found"),
        ("__repr__", careless, "test_it_hides_its_keys", "shows a key"),
        ("checkout", elsewhere, "test_a_fresh_checkout_is_pending", "gave the reference 'mine'"),
        ("name", "Fake", "test_it_has_a_name_and_a_mode", "in lower case"),
        ("fetch", rounded, "test_a_saved_card_is_charged_again", "was told as"),
        ("fetch", cardless, "test_a_saved_card_is_charged_again", "is not told"),
        ("charges", unlisted, "test_it_lists_every_attempt_once", "were listed as 0"),
    ],
)
def test_the_contract_names_what_a_gateway_gets_wrong(
    part: str, wrong: Any, test: str, said: str, ai_clock: ManualClock
) -> None:
    """A gateway that rounds, hopes, trusts or forgets is found out, in words."""
    gateway = type("Wrong", (Faulty,), {part: wrong})(ai_clock)
    contract = TestInProcess()
    contract.gateway = gateway
    with pytest.raises((AssertionError, Refused), match=said):
        getattr(contract, test)()
    gateway.close()


def test_the_contract_finds_header_names_of_one_case(ai_clock: ManualClock) -> None:
    """HTTP's names have no case, so a gateway that wants one loses webhooks."""
    gateway = type("Wrong", (Faulty,), {"read_webhook": particular})(ai_clock)
    contract = TestInProcess()
    contract.gateway = gateway
    with pytest.raises(BadSignature):
        contract.test_a_webhook_is_a_hint_about_a_payment()
    gateway.close()


def test_one_page_twice_is_no_second_attempt(ai_gateway: FakeGateway) -> None:
    """A gateway whose references are idempotency keys gives the first page again, and passes."""
    pages: dict[str, Checkout] = {}

    def once(asked: PaymentRequest) -> Checkout:
        if asked.reference not in pages:
            pages[asked.reference] = FakeGateway.checkout(ai_gateway, asked)
        return pages[asked.reference]

    contract = TestInProcess()
    contract.gateway = ai_gateway
    ai_gateway.checkout = once  # type: ignore[method-assign,assignment]  # the part that differs
    contract.test_a_reference_stands_for_one_attempt()
    numbers = count()
    ai_gateway.checkout = lambda asked: Checkout(reference=asked.reference, url=f"https://x/{next(numbers)}")  # type: ignore[method-assign,assignment]  # as above
    with pytest.raises(AssertionError, match="two pages"):
        contract.test_a_reference_stands_for_one_attempt()


def test_a_refund_may_be_done_at_once(ai_clock: ManualClock) -> None:
    """A gateway that gives money back while it is asked needs nobody to move it on, and passes."""
    gateway = type("AtOnce", (Faulty,), {"refund": at_once})(ai_clock)
    contract = TestInProcess()
    contract.gateway = gateway
    contract.test_a_refund_of_all_reverses_the_payment()
    gateway.close()


@pytest.mark.parametrize("contract", [GatewayContract(), GatewayPorts()])
def test_the_contract_asks_for_a_gateway(contract: Any) -> None:
    """A test class that forgets to say how its gateway is made or driven does not pass by accident."""
    for ask in (contract.make, contract.side):
        with pytest.raises(NotImplementedError):
            ask()
    if not isinstance(contract, GatewayContract):
        with pytest.raises(NotImplementedError):
            contract.request("aia-1")
