"""A shop owner buys credits through real HTTP: the SDK, the gateway, its pages, and the host that webhooks call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from ai_addons import Prompt, bill_to, billed_feature
from ai_addons.addons import install
from ai_addons.billing.gateways.fake.hooks import signature
from ai_addons.billing.gateways.fake.payments import OTP
from ai_addons.billing.gateways.fake.server import KEY
from ai_addons.errors import GatewayError, InsufficientCreditsError, NotFound, PaymentError
from ai_addons.money import Credits
from tests.books import run_sql
from tests.payment_street import BUSINESS, EMAIL, PHONE, Street

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ai_addons.billing.opening import Payment
    from ai_addons.testing import ManualClock
    from ai_addons.testing.model import FakeLlm

MTN: Final = {"phone": PHONE, "network": "mtn"}
DAY_SECONDS: Final = 86_400


@pytest.fixture
def street(tmp_path: Path, ai_clock: ManualClock, ai_llm: FakeLlm) -> Iterator[Street]:
    """A shop, a gateway and a browser; the shop's features are billed to it."""
    with Street(tmp_path, ai_clock, ai_llm) as made:
        before = install(made.addons)
        with bill_to(BUSINESS, user="u_1"):
            yield made
        install(before)


@pytest.fixture
def tip() -> Callable[[int], str]:
    """A feature of the shop's own at three credits."""

    @billed_feature("sales_tip", credits="3", cache=None)
    def sales_tip(number: int) -> Prompt[str]:
        """One idea of what to sell."""
        return Prompt[str](user=f"What could sell well on day {number}?")

    return sales_tip


def order(street: Street, pack: str = "VALUE", **way: Any) -> Payment:
    """An order of the shop's."""
    return street.addons.orders.start(BUSINESS, pack, email=EMAIL, **way)


def learn(street: Street, how: str, payment: Payment) -> None:
    """The shop gets to know that it paid."""
    if how == "webhook":
        assert street.webhook() == 200
    elif how == "verify":
        assert street.addons.orders.verify(BUSINESS, payment.attempt.reference).verdict == "grant"
    else:
        assert street.addons.orders.reconcile().granted == 1


def kept(street: Street) -> list[tuple[str, str | None]]:
    """The webhooks that the shop kept: their names and what they are about."""
    return run_sql(street.addons._wiring.database, "SELECT name, topic FROM ai_gateway_events ORDER BY seen")


@pytest.mark.parametrize("how", ["webhook", "verify", "reconcile"])
def test_a_shop_owner_runs_out_buys_by_phone_and_goes_on(street: Street, tip: Callable[[int], str], how: str) -> None:
    """Trial, use, a refusal with offers, a prompt, the approval on the phone, credits, the action again."""
    if how != "webhook":
        street.lose_webhooks()
    street.addons.claim_trial(BUSINESS, phone=PHONE)
    assert tip(1)
    with pytest.raises(InsufficientCreditsError) as refused:
        tip(2)
    assert (refused.value.http_status, refused.value.shortfall) == (402, Credits(1))
    offers = [(offer.type, str(offer.price), offer.recommended) for offer in refused.value.offers]
    assert offers == [("STARTER", "GHS 30.00", False), ("VALUE", "GHS 80.00", True), ("PRO", "GHS 180.00", False)]

    payment = order(street, key="tap", **MTN)
    assert (payment.attempt.state, payment.attempt.next_step) == ("open", "approve_on_phone")
    assert order(street, key="tap", **MTN).attempt == payment.attempt
    assert (len(street.gateway.desk.prompts()), street.available()) == (1, "2")
    assert "GHS 80.00 for ama@shop.example, on 0244000000 (MTN)" in street.browser.see("/phone").text
    street.browser.press("Approve")
    learn(street, how, payment)

    assert street.available() == "102"
    assert tip(2)
    assert street.available() == "99"
    bought = street.addons.orders.find(BUSINESS, payment.order.id)[0]
    assert (bought.state, bought.paid_reference) == ("successful", payment.attempt.reference)
    booked = [(entry.kind, entry.amount.short) for entry in street.addons.ledger(BUSINESS)]
    assert booked == [("grant", "5"), ("usage", "3"), ("grant", "80"), ("grant", "20"), ("usage", "3")]
    street.agrees()


def test_a_card_is_used_on_the_gateways_page_and_charged_again_later(street: Street) -> None:
    """The page, the way back to the shop, which verifies; the saved card then pays with nobody there."""
    street.lose_webhooks()
    payment = order(street)
    assert payment.attempt.url is not None
    assert "VALUE: 100 AI credits" in street.browser.see(payment.attempt.url).text
    page = street.browser.press("Pay by card", save="yes")
    back = httpx.get(page.links["Back to the shop"], trust_env=False)
    assert (back.status_code, back.text) == (200, "successful: 100 credits")
    assert httpx.get(page.links["Back to the shop"], trust_env=False).text == "successful: 100 credits"
    (card,) = street.addons.orders.cards(BUSINESS)

    again = order(street, "STARTER", card=card.id)
    assert (again.order.state, again.attempt.method, street.available()) == ("successful", "card", "130")
    street.browser.see("/operator")
    street.browser.press("Let its card decline from now on")
    refused = order(street, "STARTER", card=card.id)
    assert (refused.order.state, refused.attempt.state, street.available()) == ("pending", "failed", "130")
    street.agrees()


def test_a_code_is_read_on_the_phone_and_typed_in_at_the_shop(street: Street) -> None:
    """The network that needs one: a wrong code ends the attempt, another attempt takes the right one."""
    payment = order(street, phone="0204000000", network="telecel")
    assert payment.attempt.next_step == "enter_otp"
    wrong = street.addons.orders.submit_otp(BUSINESS, payment.attempt.reference, "000000")
    assert (wrong.attempt.state, wrong.order.state) == ("failed", "pending")
    again = street.addons.orders.attempt(BUSINESS, payment.order.id, phone="0204000000", network="telecel")
    assert OTP in street.browser.see("/phone").text
    right = street.addons.orders.submit_otp(BUSINESS, again.attempt.reference, OTP)
    assert (right.attempt.state, right.order.state) == ("paid", "successful")
    assert (street.webhook(), street.available()) == (200, "100")
    street.agrees()


def test_a_declined_prompt_is_tried_again(street: Street) -> None:
    """No webhook tells of a decline; the order stays open, and a second attempt pays it."""
    first = order(street, **MTN)
    street.browser.see("/phone")
    street.browser.press("Decline")
    looked = street.addons.orders.verify(BUSINESS, first.attempt.reference)
    assert (looked.verdict, looked.order.state, looked.attempt.reason) == (
        "failed",
        "pending",
        "Declined by the payer",
    )
    street.addons.orders.attempt(BUSINESS, first.order.id, **MTN)
    street.browser.see("/phone")
    street.browser.press("Approve")
    assert (street.webhook(), street.available()) == (200, "100")
    with pytest.raises(PaymentError, match="is successful"):
        street.addons.orders.attempt(BUSINESS, first.order.id, **MTN)
    street.agrees()


def test_a_prompt_that_nobody_answers_ends_after_three_minutes(street: Street) -> None:
    """It hangs until then, and the order stays open for another attempt."""
    payment = order(street, **MTN)
    street.clock.advance(179)
    assert street.addons.orders.verify(BUSINESS, payment.attempt.reference).verdict == "pending"
    street.clock.advance(1)
    looked = street.addons.orders.verify(BUSINESS, payment.attempt.reference)
    assert (looked.verdict, looked.attempt.state, looked.order.state) == ("failed", "failed", "pending")
    assert "No prompt waits." in street.browser.see("/phone").text
    assert street.available() == "0"
    street.agrees()


@pytest.mark.parametrize("gave_up", ["abandoned", "failed"])
def test_a_page_that_hung_is_paid_after_the_order_was_given_up(street: Street, gave_up: str) -> None:
    """After a day, or after the owner's cancel: the late success is honoured, once."""
    payment = order(street)
    assert payment.attempt.url is not None
    street.browser.see(payment.attempt.url)
    assert "The payment is open." in street.browser.press("Let it hang").text
    if gave_up == "failed":
        street.addons.orders.cancel(BUSINESS, payment.order.id)
    else:
        street.clock.advance(DAY_SECONDS)
        assert street.addons.orders.reconcile().abandoned == 1
    assert street.addons.orders.find(BUSINESS, payment.order.id)[0].state == gave_up
    assert street.available() == "0"
    street.browser.see("/operator")
    street.browser.press("Pay it after all")
    assert (street.webhook(), street.available()) == (200, "100")
    assert street.addons.orders.find(BUSINESS, payment.order.id)[0].state == "successful"
    street.agrees()


def test_two_attempts_that_are_both_paid_grant_once(street: Street) -> None:
    """The second payment is put aside for an operator, and the reconciler says so until it is decided."""
    first = order(street, **MTN)
    second = street.addons.orders.attempt(BUSINESS, first.order.id, **MTN)
    street.browser.see("/phone")
    for _ in range(2):
        street.browser.press("Approve")
        assert street.webhook() == 200
    assert street.available() == "100"
    (aside,) = street.addons.orders.quarantined()
    assert (aside.reference, aside.reason) == (second.attempt.reference, "second_payment")
    assert [one.what for one in street.addons.orders.reconcile().discrepancies] == ["quarantined"]
    street.addons.orders.mark_refunded(BUSINESS, aside.id, actor="kofi", reason="sent back at the gateway")
    street.agrees()


def test_a_webhook_that_comes_again_and_again_grants_once(street: Street) -> None:
    """The same message three times more: each is answered with 200, and it is kept once."""
    payment = order(street, **MTN)
    street.browser.see("/phone")
    street.browser.press("Approve")
    assert street.webhook() == 200
    for _ in range(3):
        street.browser.see("/operator")
        street.browser.press("Send its webhooks again")
        assert street.webhook() == 200
    assert (street.available(), kept(street)) == ("100", [("charge.success", "payment")])
    assert payment.attempt.reference not in street.browser.see("/phone").text
    street.agrees()


def forged(headers: dict[str, str], body: bytes, damage: str) -> tuple[dict[str, str], bytes]:
    """A genuine webhook, damaged."""
    if damage == "no signature":
        return {}, body
    if damage == "another key":
        return {"x-paystack-signature": signature("sk_test_thief", body)}, body
    return headers, body.replace(b"charge.success", b"charge.dispute.create")


@pytest.mark.parametrize("damage", ["no signature", "another key", "changed body"])
def test_a_forged_webhook_is_refused_and_not_kept(street: Street, damage: str) -> None:
    """401, nothing in the inbox, nothing granted; the payment is found all the same."""
    street.lose_webhooks()
    payment = order(street, **MTN)
    street.browser.see("/phone")
    street.browser.press("Approve")
    (event,) = street.gateway.desk.events_of(payment.attempt.reference)
    genuine = {"x-paystack-signature": signature(KEY, event.body.encode())}
    headers, body = forged(genuine, event.body.encode(), damage)
    answer = httpx.post(f"{street.host.url}/webhooks/fake", headers=headers, content=body, trust_env=False)
    assert (answer.status_code, kept(street), street.available()) == (401, [], "0")
    assert street.addons.orders.reconcile().granted == 1
    street.agrees()


def test_a_signed_lie_grants_nothing(street: Street) -> None:
    """Whoever has the key still cannot say that something was paid: the gateway is asked."""
    payment = order(street, **MTN)
    told = {"event": "charge.success", "data": {"reference": payment.attempt.reference, "status": "success"}}
    body = json.dumps(told).encode()
    headers = {"x-paystack-signature": signature(KEY, body)}
    to_us = httpx.post(f"{street.host.url}/webhooks/fake", headers=headers, content=body, trust_env=False)
    to_nobody = httpx.post(f"{street.host.url}/webhooks/stripe", headers=headers, content=body, trust_env=False)
    assert (to_us.status_code, to_nobody.status_code, street.available()) == (200, 404, "0")
    assert street.addons.orders.find(BUSINESS, payment.order.id)[0].state == "pending"


def test_an_answer_that_is_lost_on_the_way_prompts_nobody_twice(street: Street) -> None:
    """The charge was made, its answer never came; the same tap goes on with it."""
    street.gateway.api.fail_next("lost_answer")
    with pytest.raises(GatewayError):
        order(street, key="tap", **MTN)
    again = order(street, key="tap", **MTN)
    assert (again.replayed, len(street.gateway.desk.prompts())) == (True, 1)
    street.browser.see("/phone")
    street.browser.press("Approve")
    assert (street.webhook(), street.available()) == (200, "100")
    assert len(street.addons.orders.history(BUSINESS)) == 1
    street.agrees()


def test_another_business_learns_nothing_of_a_payment(street: Street) -> None:
    """Its reference and its order are not found, before the payment and after it."""
    payment = order(street, **MTN)
    for press in ("Approve", None):
        with pytest.raises(NotFound):
            street.addons.orders.verify("biz_8", payment.attempt.reference)
        with pytest.raises(NotFound):
            street.addons.orders.find("biz_8", payment.order.id)
        if press is not None:
            street.browser.see("/phone")
            street.browser.press(press)
            assert street.webhook() == 200
    assert (street.available(), street.addons.wallet("biz_8").available.short) == ("100", "0")


@pytest.mark.parametrize(("label", "left"), [("Shop wins", "62.5"), ("Shop loses", "0")])
def test_money_that_goes_back_takes_its_credits_along(street: Street, label: str, left: str) -> None:
    """30 of 80 cedis are sent back with their share of the credits; then the payer's bank contests the rest."""
    payment = order(street, **MTN)
    street.browser.see("/phone")
    street.browser.press("Approve")
    assert (street.webhook(), street.available()) == (200, "100")
    told = street.addons.orders.refund(BUSINESS, payment.order.id, "30", key="r-1", actor="kofi", reason="unhappy")
    assert (told.frozen, street.webhook(), street.available()) == (Credits("37.5"), 200, "62.5")
    street.browser.see("/operator")
    street.browser.press("processed")
    assert (street.webhook(), street.available()) == (200, "62.5")
    assert street.addons.orders.money_back(BUSINESS, payment.order.id).taken == Credits("37.5")
    assert street.addons.orders.find(BUSINESS, payment.order.id)[0].state == "partially_refunded"
    street.browser.see("/operator")
    street.browser.press("Open a dispute")
    assert (street.webhook(), street.available()) == (200, "0")
    street.browser.press(label)
    assert (street.webhook(), street.available()) == (200, left)
    street.agrees()


def test_money_sent_back_at_the_gateway_is_found_though_no_webhook_came(street: Street) -> None:
    """A part on the gateway's own page, then a dispute: the nightly job finds both in the gateway's lists, once."""
    payment = order(street, **MTN)
    street.browser.see("/phone")
    street.browser.press("Approve")
    assert (street.webhook(), street.available()) == (200, "100")
    street.lose_webhooks()
    reference = payment.attempt.reference
    desk = street.gateway.desk
    desk.move_refund(desk.begin_refund(desk.payment(reference), 3_000).id, "processed")
    found = street.addons.orders.reconcile()
    assert (found.returned, found.ok, street.available()) == (1, True, "62.5")
    assert street.addons.orders.find(BUSINESS, payment.order.id)[0].state == "partially_refunded"
    street.gateway.desk.open_dispute(reference)
    assert (street.addons.orders.reconcile().returned, street.available()) == (1, "0")
    again = street.addons.orders.reconcile()
    assert (again.returned, again.ok) == (0, True)
    street.agrees()
