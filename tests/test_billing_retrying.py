"""An order that is tried again: a saved card is not charged twice while nobody knows what became of the first time."""

from __future__ import annotations

from typing import Any

import pytest

from ai_addons.billing.gateways.base import Outcome
from ai_addons.errors import GatewayError, NotFound, PaymentError, PaymentPending
from tests.scripted_gateway import CARD, ScriptedGateway, Till

pytestmark = pytest.mark.usefixtures("each_database")

MTN = {"phone": "0244000000", "network": "mtn"}


class Doubtful(ScriptedGateway):
    """What its bank makes of a saved card is scripted."""

    bank: str = "takes"

    def charge_card(self, request: Any, card: Any) -> Any:
        if self.bank == "dies":
            raise KeyboardInterrupt
        if self.bank == "never heard":
            raise GatewayError(reason="no_answer", may_exist=True)
        made = self.take(request, outcome=Outcome.PENDING, raw_status="queued", method="card")
        if self.bank == "answer lost":
            self.pay(request.reference)
            raise GatewayError(reason="no_answer", may_exist=True)
        return made if self.bank == "thinks" else super().charge_card(request, card)


def ordered(bank: str) -> tuple[Till, str, str]:
    """A shop whose saved card was declined for an order, and charged again by a bank; the order and the card."""
    till = Till(Doubtful())
    first = till.start("VALUE", key="first")
    till.gateway.pay(first.attempt.reference, card=CARD)
    till.orders.verify(till.business, first.attempt.reference)
    order, card = till.start("VALUE").order.id, till.orders.cards(till.business)[0].id
    gateway: Any = till.gateway
    gateway.bank = bank
    return till, order, card


def charges(till: Till) -> int:
    """How often a saved card was charged, as far as the gateway knows."""
    return sum(charge.method == "card" for charge in till.gateway.charged.values())


@pytest.mark.parametrize("again", ["card", "page", "phone"])
def test_a_card_that_was_charged_without_an_answer_is_not_charged_again(again: str) -> None:
    """The second try finds that the first was paid: its credits are granted, and nothing more is asked for."""
    till, order, card = ordered("answer lost")
    with pytest.raises(GatewayError):
        till.orders.attempt(till.business, order, card=card)
    way: dict[str, Any] = {"card": {"card": card}, "page": {}, "phone": MTN}[again]
    with pytest.raises(PaymentError, match="successful"):
        till.orders.attempt(till.business, order, **way)
    assert (charges(till), till.balance(), len(till.gateway.requests)) == (1, "200", 3)
    assert till.orders.quarantined() == []
    till.agrees()


@pytest.mark.parametrize("way", [{"card": True}, {}, MTN])
def test_while_a_bank_thinks_nothing_else_is_tried(way: dict[str, Any]) -> None:
    """It may still take the money; once it has declined, the card may be tried again."""
    till, order, card = ordered("thinks")
    chosen = {"card": card} if way.get("card") else way
    till.orders.attempt(till.business, order, card=card)
    with pytest.raises(PaymentPending):
        till.orders.attempt(till.business, order, **chosen)
    assert len(till.orders.find(till.business, order)[1]) == 2
    till.gateway.decline(till.gateway.requests[-1].reference)
    gateway: Any = till.gateway
    gateway.bank = "takes"
    till.orders.attempt(till.business, order, card=card)
    assert till.balance() == "200"
    till.agrees()


def test_a_charge_that_never_arrived_may_be_made_again() -> None:
    """The gateway does not know it, so it took nothing."""
    till, order, card = ordered("never heard")
    with pytest.raises(GatewayError):
        till.orders.attempt(till.business, order, card=card)
    gateway: Any = till.gateway
    gateway.bank = "takes"
    till.orders.attempt(till.business, order, card=card)
    assert (charges(till), till.balance()) == (1, "200")


def test_a_charge_whose_process_died_is_waited_for() -> None:
    """It may be at it yet; a minute later it is not."""
    till, order, card = ordered("dies")
    with pytest.raises(KeyboardInterrupt):
        till.orders.attempt(till.business, order, card=card)
    gateway: Any = till.gateway
    gateway.bank = "takes"
    with pytest.raises(PaymentPending):
        till.orders.attempt(till.business, order, card=card)
    till.clock.advance(60)
    till.orders.attempt(till.business, order, card=card)
    assert (charges(till), till.balance()) == (1, "200")


def test_a_card_is_not_charged_twice_by_two_machines() -> None:
    """Whoever comes while the first one charges is told to wait."""
    till, order, card = ordered("takes")
    found: list[type[BaseException]] = []

    def second() -> None:
        till.gateway.meanwhile = None
        try:
            till.orders.attempt(till.business, order, card=card)
        except PaymentError as error:
            found.append(type(error))

    till.gateway.meanwhile = second
    till.orders.attempt(till.business, order, card=card)
    assert found == [PaymentPending]
    assert (charges(till), till.balance()) == (1, "200")
    till.agrees()


def test_a_page_that_was_paid_is_found_before_a_card_is_charged() -> None:
    """Its payer came back before the gateway's message did."""
    till, order, card = ordered("takes")
    (attempt,) = till.orders.find(till.business, order)[1]
    till.gateway.pay(attempt.reference)
    with pytest.raises(PaymentError, match="successful"):
        till.orders.attempt(till.business, order, card=card)
    assert (charges(till), till.balance()) == (0, "200")


def test_an_order_of_nobody_is_not_there() -> None:
    """Whatever it is to be paid with."""
    till, _, card = ordered("takes")
    with pytest.raises(NotFound):
        till.orders.attempt(till.business, "missing", card=card)


# Under a key.


@pytest.mark.parametrize("way", [{}, MTN])
def test_a_second_try_under_its_key_is_one_attempt(way: dict[str, Any]) -> None:
    """A repeat finds it, also once it is paid; another key is another attempt."""
    till = Till()
    order = till.start().order.id
    first = till.orders.attempt(till.business, order, key="again", **way)
    assert till.orders.attempt(till.business, order, key="again", **way).attempt == first.attempt
    other = till.orders.attempt(till.business, order, key="more", **way).attempt
    assert len({one.reference for one in (first.attempt, other)}) == len(till.gateway.requests) - 1 == 2
    till.gateway.pay(first.attempt.reference)
    till.orders.verify(till.business, first.attempt.reference)
    again = till.orders.attempt(till.business, order, key="again", **way)
    assert (again.replayed, again.order.state, again.attempt.state) == (True, "successful", "paid")
    with pytest.raises(PaymentError, match="order is successful"):
        till.orders.attempt(till.business, order, key="third", **way)


def test_a_prompt_whose_process_died_is_found_by_its_key() -> None:
    """The phone was prompted before it died: a minute later the gateway is asked first, and nobody is prompted."""
    till = Till()
    order = till.start().order.id
    till.gateway.fails_after = KeyboardInterrupt()  # type: ignore[assignment]  # a process that dies
    with pytest.raises(KeyboardInterrupt):
        till.orders.attempt(till.business, order, key="again", **MTN)
    till.gateway.fails_after = None
    with pytest.raises(PaymentPending):
        till.orders.attempt(till.business, order, key="again", **MTN)
    till.clock.advance(60)
    found = till.orders.attempt(till.business, order, key="again", **MTN)
    assert (found.replayed, found.attempt.state, len(till.gateway.requests)) == (True, "open", 2)
    till.gateway.pay(found.attempt.reference)
    assert till.orders.attempt(till.business, order, key="again", **MTN).attempt == found.attempt
    assert till.orders.verify(till.business, found.attempt.reference).verdict == "grant"
    till.agrees()


def test_a_prompt_that_was_never_sent_is_sent_under_its_own_name() -> None:
    """Nobody heard of it; while a saved card is charged instead, it waits."""
    till, order, card = ordered("thinks")
    till.gateway.fails = GatewayError(reason="no_answer", may_exist=True)
    till.clock.advance(1)
    with pytest.raises(GatewayError):
        till.orders.attempt(till.business, order, key="again", **MTN)
    till.gateway.fails = None
    till.clock.advance(1)
    till.orders.attempt(till.business, order, card=card)
    with pytest.raises(PaymentPending):
        till.orders.attempt(till.business, order, key="again", **MTN)
    till.gateway.decline(till.gateway.requests[-1].reference)
    sent = till.orders.attempt(till.business, order, key="again", **MTN)
    made = till.orders.find(till.business, order)[1]
    assert [one.state for one in made] == ["open", "open", "failed"]
    assert sent.attempt == made[1]


@pytest.mark.parametrize("key", [None, "again"])
def test_of_two_who_repeat_what_the_gateway_refused_one_tries_again(key: str | None) -> None:
    """The other is told to wait: one prompt."""
    till = Till()
    order = till.start(key="tap").order.id if key else None
    till.gateway.fails = GatewayError(status=429, reason="slow_down")

    def repeat() -> Any:
        if order is None:
            return till.start(key="tap", **MTN)
        return till.orders.attempt(till.business, order, key=key, **MTN)

    till.clock.advance(1)
    with pytest.raises(GatewayError):
        repeat()
    till.gateway.fails = None
    till.clock.advance(1)
    opening = till.orders._ordering._opening
    resume = opening.resume

    def meanwhile(payment: Any, way: Any, again: Any) -> Any:
        opening.resume = resume  # type: ignore[method-assign]  # nobody comes between the second one's steps
        repeat()
        return resume(payment, way, again)

    opening.resume = meanwhile  # type: ignore[method-assign]  # between a look and what it leads to
    with pytest.raises(PaymentPending):
        repeat()
    assert [one.next_step for one in till.gateway.charged.values()].count("approve_on_phone") == 1


def test_a_key_that_is_no_name_makes_no_attempt() -> None:
    """As everywhere in the books."""
    till = Till()
    order = till.start().order.id
    with pytest.raises(ValueError, match="the key of an attempt"):
        till.orders.attempt(till.business, order, key="")
    assert len(till.orders.find(till.business, order)[1]) == 1


@pytest.mark.parametrize("given_up", ["cancelled", "abandoned"])
def test_a_repeat_asks_nobody_to_pay_an_order_that_was_given_up(given_up: str) -> None:
    """Its process died before the saved card was charged, and its owner cancelled it, or nobody came for a day."""
    till, _, card = ordered("dies")
    with pytest.raises(KeyboardInterrupt):
        till.start("VALUE", key="tap", card=card)
    (order,) = [one for one in till.orders.history(till.business) if one.key == "tap"]
    till.clock.advance(86_400)
    if given_up == "cancelled":
        till.orders.cancel(till.business, order.id)
    else:
        assert till.orders.expire() == 2
    gateway: Any = till.gateway
    gateway.bank = "takes"
    repeated = till.start("VALUE", key="tap", card=card)
    assert (repeated.replayed, repeated.order.id, repeated.attempt.state) == (True, order.id, "started")
    assert (charges(till), till.balance()) == (0, "100")
