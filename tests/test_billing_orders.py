"""Orders of credits: made, paid, paid wrongly, paid twice, cancelled, given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.gateways.base import Checkout, Outcome
from ai_addons.billing.opening import LEASE, Way
from ai_addons.billing.prices import PackVersion
from ai_addons.billing.profile import BusinessProfile
from ai_addons.billing.records import Rate
from ai_addons.billing.selling import Wanted
from ai_addons.catalog import Pack
from ai_addons.errors import (
    AddonConflict,
    AddonNotOffered,
    GatewayError,
    IdempotencyConflict,
    NotFound,
    PaymentError,
    PaymentPending,
)
from ai_addons.events import OperatorAlert
from ai_addons.money import Credits, Money
from tests.books import DAY, Books
from tests.scripted_gateway import CARD, EMAIL, PageGateway, ScriptedGateway, Till

if TYPE_CHECKING:
    from ai_addons.billing.applying import Applied

pytestmark = pytest.mark.usefixtures("each_database")

MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"amount_minor": 7_999}, "amount"),
    ({"amount_minor": None}, "amount"),
    ({"currency": "NGN"}, "currency"),
    ({"currency": None}, "currency"),
    ({"live": True}, "mode"),
    ({"live": None}, "mode"),
    ({"reference": "aia-another"}, "reference"),
]


def grants(till: Till) -> dict[tuple[str, str], tuple[str, int]]:
    """What a wallet was given: credits and micro-GHS paid, by source and reference."""
    rows = till.books.sql("SELECT source, source_ref, amount, paid FROM ai_credit_grants")
    return {(source, ref): (Credits.from_micro(amount).short, paid) for source, ref, amount, paid in rows}


def look(till: Till, reference: str) -> Applied:
    """What the business is told of an attempt."""
    return till.orders.verify(till.business, reference)


# Buying.


def test_a_pack_is_granted_once_it_is_paid() -> None:
    """Before the gateway says so there is nothing; then purchase and bonus, each with its share of the price."""
    till = Till()
    payment = till.start(key="tap-1", user="u_1")
    attempt, order = payment.attempt, payment.order
    assert (order.state, order.pack, order.price, order.credits, order.bonus) == (
        "pending",
        "VALUE",
        Money(80),
        Credits(100),
        Credits(20),
    )
    assert (attempt.state, attempt.url) == ("open", f"https://pay.example/{attempt.reference}")
    assert look(till, attempt.reference).verdict == "pending"
    assert till.balance() == "0"

    till.gateway.pay(attempt.reference, amount_minor=8_156)
    applied = look(till, attempt.reference)

    assert (applied.verdict, applied.success, applied.already_applied) == ("grant", True, False)
    assert (applied.added, applied.balance) == (Credits(100), Credits(100))
    assert (applied.order.state, applied.order.paid_reference) == ("successful", attempt.reference)
    assert (applied.attempt.state, applied.attempt.surplus_minor, applied.attempt.fees_minor) == ("paid", 156, 58)
    assert grants(till) == {("purchase", order.id): ("80", 64_000_000), ("bonus", order.id): ("20", 16_000_000)}
    again = look(till, attempt.reference)
    assert (again.verdict, again.already_applied, again.added) == ("again", True, Credits(0))
    assert till.topics() == ["order.paid"]
    till.agrees()


def test_the_gateway_is_told_what_it_needs_and_nothing_of_the_business() -> None:
    """The request names our reference, the price, the address, and our order."""
    till = Till()
    order = till.start().order
    (request,) = till.gateway.requests
    assert (request.amount, request.email, request.description) == (Money(80), EMAIL, "VALUE: 100 AI credits")
    assert (request.return_url, dict(request.metadata)) == ("https://shop.example/back", {"order": order.id})
    assert request.reference.startswith("aia-")
    assert till.business not in repr(request)
    assert EMAIL not in repr(till.start())


@pytest.mark.parametrize(("amount", "credits_"), [("10", "10"), ("100", "125"), ("180", "250"), ("33.33", "33.33")])
def test_a_custom_amount_buys_by_its_tier_without_a_bonus(amount: str, credits_: str) -> None:
    """All of its credits are bought ones."""
    till = Till()
    payment, applied = till.paid("CUSTOM", amount=amount)
    assert applied.added == Credits(credits_)
    micro = Money(amount).minor * 10_000
    assert grants(till) == {("purchase", payment.order.id): (Credits(credits_).short, micro)}
    till.agrees()


def test_a_published_pack_is_sold_in_the_version_of_now() -> None:
    """The order keeps which one; what was ordered before keeps its price."""
    till = Till()
    before = till.start("STARTER")
    pack = Pack(type="STARTER", price=Money(35), credits=Credits(40), bonus=Credits(5))
    till.versions.append(
        PackVersion(
            pack=pack, effective_from=till.clock.now(), withdrawn=False, published_at=till.clock.now(), actor="kofi"
        )
    )
    after = till.start("STARTER").order
    assert (before.order.price, before.order.pack_version) == (Money(30), None)
    assert (after.price, after.bonus, after.pack_version) == (Money(35), Credits(5), str(till.clock.now()))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"pack": "GOLD"}, PaymentError, "'GOLD' is not on sale"),
        ({"pack": "CUSTOM", "amount": "9"}, ValueError, "costs GHS 10.00 to"),
        ({"pack": "CUSTOM"}, ValueError, "an order is for a pack"),
        ({"pack": "VALUE", "amount": "80"}, ValueError, "an order is for a pack"),
        ({"pack": None}, ValueError, "an order is for a pack"),
        ({"pack": "VALUE", "addon": True}, ValueError, "an order is for a pack"),
        ({"pack": None, "addon": True}, AddonNotOffered, "A monthly add-on is not"),
        ({"email": None}, PaymentError, "needs an e-mail address"),
        ({"phone": "0551234987"}, ValueError, "a phone with its network"),
        ({"phone": "0551234987", "network": "mtn", "card": "c"}, ValueError, "a phone with its network"),
        ({"key": ""}, ValueError, "key of an order"),
    ],
)
def test_what_cannot_be_ordered_says_why_and_orders_nothing(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """No order, no attempt, and the gateway is not asked."""
    till = Till()
    with pytest.raises(error, match=message):
        till.start(**options)
    assert till.orders.history(till.business) == []
    assert till.gateway.requests == []


def test_a_policy_without_a_pack_of_any_size_sells_none() -> None:
    """Whatever the amount."""

    class Plain(type(Till().books.opened.terms.policy(None))):  # type: ignore[misc]  # the policy of the tests
        custom = None
        name = "plain"

    till = Till(policy=Plain())
    with pytest.raises(PaymentError, match="'CUSTOM' is not on sale"):
        till.start("CUSTOM", amount="50")


def test_the_address_of_the_profile_is_used_where_none_is_given() -> None:
    """The host has said it already."""
    till = Till(profile=lambda _: BusinessProfile(email="owner@shop.example"))
    assert till.start(email=None).order.email == "owner@shop.example"


def test_a_gateway_that_cannot_prompt_is_not_asked_to() -> None:
    """The order is not even made."""
    till = Till(PageGateway())
    for way in ({"phone": "0551234987", "network": "mtn"}, {"card": "any"}):
        with pytest.raises(PaymentError, match="cannot charge that way"):
            till.start(**way)
    assert till.orders.history(till.business) == []


# The same order again.


def test_the_same_key_is_one_order_and_one_prompt() -> None:
    """A double tap gives what the first one gave."""
    till = Till()
    first = till.start(key="tap")
    second = till.start(key="tap")
    assert (second.replayed, second.order, second.attempt) == (True, first.order, first.attempt)
    assert len(till.gateway.requests) == 1
    with pytest.raises(IdempotencyConflict, match="ordered something else"):
        till.start("STARTER", key="tap")


def test_an_order_that_the_gateway_refused_goes_on_under_its_key() -> None:
    """The refusal ends the attempt, not the order."""
    till = Till()
    till.gateway.fails = GatewayError(status=503, reason="busy")
    with pytest.raises(GatewayError):
        till.start(key="tap")
    (order,) = till.orders.history(till.business)
    (attempt,) = till.orders.find(till.business, order.id)[1]
    assert (order.state, attempt.state, attempt.reason) == ("pending", "failed", "gateway: busy")

    till.gateway.fails = None
    payment = till.start(key="tap")
    assert (payment.replayed, payment.order.id, payment.attempt.state) == (True, order.id, "open")
    assert payment.attempt.reference != attempt.reference


def test_a_lost_answer_that_was_never_a_request_is_sent_again() -> None:
    """The gateway never heard of the reference, so it may be used."""
    till = Till()
    till.gateway.fails = GatewayError(may_exist=True)
    with pytest.raises(GatewayError):
        till.start(key="tap")
    till.gateway.fails = None
    payment = till.start(key="tap")
    (attempt,) = till.orders.find(till.business, payment.order.id)[1]
    assert (payment.attempt, attempt.state) == (attempt, "open")


def test_a_lost_page_is_replaced_by_another_attempt() -> None:
    """The gateway has the first one, but nobody knows its address; paid all the same, it is honoured."""
    till = Till()
    till.gateway.fails_after = GatewayError(may_exist=True)
    with pytest.raises(GatewayError):
        till.start(key="tap")
    till.gateway.fails_after = None
    till.clock.advance(1)
    payment = till.start(key="tap")
    first, second = till.orders.find(till.business, payment.order.id)[1]
    assert (first.state, first.url, second.state) == ("open", None, "open")
    assert (payment.replayed, payment.attempt) == (True, second)
    till.gateway.pay(first.reference)
    assert look(till, first.reference).verdict == "grant"


def test_a_lost_answer_to_a_prompt_is_asked_for_and_never_prompts_twice() -> None:
    """The payer may be looking at the first prompt."""
    till = Till()
    till.gateway.fails_after = GatewayError(may_exist=True)
    prompt = {"phone": "0551234987", "network": "mtn", "key": "tap"}
    with pytest.raises(GatewayError):
        till.start(**prompt)
    till.gateway.fails_after = None
    payment = till.start(**prompt)
    assert (payment.attempt.state, payment.attempt.next_step) == ("open", "approve_on_phone")
    assert len(till.gateway.requests) == 1


def test_an_attempt_that_is_being_opened_is_left_to_its_opener() -> None:
    """Until it must have died: then the next caller goes on."""
    till = Till()
    payment = till.start(key="tap")
    till.books.sql("UPDATE ai_payment_attempts SET state = 'started', url = NULL, checked_at = NULL")
    till.gateway.charged.clear()
    with pytest.raises(PaymentPending):
        till.start(key="tap")
    till.clock.advance(LEASE // 1_000_000 + 1)
    assert till.start(key="tap").attempt.reference == payment.attempt.reference


def test_what_somebody_learnt_meanwhile_is_not_written_over() -> None:
    """A payment that is applied while the answer to its checkout is on its way stays applied."""

    class Quick(ScriptedGateway):
        def checkout(self, request: Any) -> Checkout:
            page = super().checkout(request)
            self.pay(request.reference)
            till.orders.apply(request.reference)
            return page

    till = Till(Quick())
    payment = till.start()
    assert (payment.attempt.state, payment.order.state, till.balance()) == ("paid", "successful", "100")


# Ways to pay.


def test_a_prompt_is_approved_on_the_phone() -> None:
    """It is asked about later; nothing is granted before."""
    till = Till()
    payment = till.start(phone="0551234987", network="mtn")
    assert (payment.attempt.next_step, payment.attempt.method) == ("approve_on_phone", "mobile_money")
    assert "0551234987" not in repr(Way(phone="0551234987", network="mtn"))
    till.gateway.pay(payment.attempt.reference)
    assert look(till, payment.attempt.reference).added == Credits(100)


@pytest.mark.parametrize(("otp", "state", "balance"), [("1234", "paid", "100"), ("9", "failed", "0")])
def test_a_code_ends_the_attempt_either_way(otp: str, state: str, balance: str) -> None:
    """A right one pays at once; a wrong one ends the attempt and not the order."""
    till = Till()
    payment = till.start(phone="0201234987", network="telecel")
    done = till.orders.submit_otp(till.business, payment.attempt.reference, otp)
    assert (done.attempt.state, till.balance()) == (state, balance)
    with pytest.raises(PaymentError, match="takes no code"):
        till.orders.submit_otp(till.business, payment.attempt.reference, otp)
    with pytest.raises(NotFound):
        till.orders.submit_otp("biz_8", payment.attempt.reference, otp)


def test_a_card_that_paid_is_kept_and_charged_again() -> None:
    """The code that charges it is shown nowhere; a forgotten card is gone."""
    till = Till()
    payment = till.start()
    till.gateway.pay(payment.attempt.reference, card=CARD)
    look(till, payment.attempt.reference)
    (card,) = till.orders.cards(till.business)
    assert (card.brand, card.last4, card.gateway) == ("visa", "4081", "scripted")
    assert "AUTH_secret" not in repr(card)
    again = till.start(card=card.id)
    assert (again.order.state, again.attempt.state, again.attempt.method) == ("successful", "paid", "card")
    assert till.balance() == "200"
    assert till.orders.forget_card(till.business, card.id)
    assert not till.orders.forget_card(till.business, card.id)
    with pytest.raises(NotFound):
        till.start(card=card.id)
    till.agrees()


def test_a_converted_price_is_compared_in_the_currency_that_was_asked() -> None:
    """The order stays in cedis, the grant is worth its price, and the rate is kept."""
    till = Till()
    rate = Rate(scaled=1_164_600_000, day=date(2026, 9, 29), source="bog")
    till.gateway.converts = Checkout(reference="", url="", charged=Money("6.87", "USD"), rate=rate)
    payment = till.start()
    assert (payment.attempt.asked, payment.attempt.rate) == (Money("6.87", "USD"), rate)
    till.gateway.pay(payment.attempt.reference, amount_minor=687, currency="USD")
    assert look(till, payment.attempt.reference).verdict == "grant"
    assert grants(till)["purchase", payment.order.id] == ("80", 64_000_000)


# Several attempts.


def test_a_failed_attempt_leaves_the_order_to_the_next_one() -> None:
    """Declined once, paid the second time."""
    till = Till()
    first = till.start()
    till.gateway.decline(first.attempt.reference)
    declined = look(till, first.attempt.reference)
    assert (declined.verdict, declined.order.state, declined.attempt.state) == ("failed", "pending", "failed")
    assert declined.attempt.reason == "Insufficient funds"
    second = till.orders.attempt(till.business, first.order.id)
    till.gateway.pay(second.attempt.reference)
    assert look(till, second.attempt.reference).verdict == "grant"
    with pytest.raises(PaymentError, match="order is successful"):
        till.orders.attempt(till.business, first.order.id)


def test_a_second_success_is_one_payment_too_many() -> None:
    """It is put aside for an operator to send back; the credits came once."""
    told: list[Any] = []
    till = Till(hooks=[told.append])
    first = till.start()
    second = till.orders.attempt(till.business, first.order.id)
    for payment in (first, second):
        till.gateway.pay(payment.attempt.reference)
    assert look(till, second.attempt.reference).verdict == "grant"
    extra = look(till, first.attempt.reference)
    assert (extra.verdict, extra.attempt.state, extra.order.state) == ("quarantine", "quarantined", "successful")
    (put_aside,) = till.orders.quarantined()
    assert (put_aside.reason, put_aside.paid_minor, put_aside.reference) == (
        "second_payment",
        8_000,
        first.attempt.reference,
    )
    alerts = [event for event in told if isinstance(event, OperatorAlert)]
    assert alerts == [OperatorAlert(code="payment_quarantined", detail=f"{put_aside.id}: second_payment")]
    with pytest.raises(PaymentError, match="paid already"):
        till.orders.release(till.business, put_aside.id, actor="kofi", reason="mistake")
    till.orders.mark_refunded(till.business, put_aside.id, actor="kofi", reason="sent back")
    assert (till.order(first).state, till.balance()) == ("successful", "100")
    till.agrees()


# What does not fit.


@pytest.mark.parametrize(("changes", "reason"), MISFITS)
def test_a_payment_that_does_not_fit_grants_nothing(changes: dict[str, Any], reason: str) -> None:
    """Too little, other money, the wrong mode, an answer about something else: an operator decides."""
    till = Till()
    payment = till.start()
    till.gateway.pay(payment.attempt.reference, **changes)
    applied = look(till, payment.attempt.reference)
    assert (applied.verdict, applied.success, applied.order.state) == ("quarantine", False, "quarantined")
    assert (till.balance(), till.topics()) == ("0", ["payment.quarantined"])
    (put_aside,) = till.orders.quarantined()
    assert (put_aside.reason, put_aside.expected) == (reason, Money(80))
    # Asked again, even with the right answer, it stays where it is.
    right = {"amount_minor": 8_000, "currency": "GHS", "live": False, "reference": payment.attempt.reference}
    till.gateway.change(payment.attempt.reference, **right)
    assert look(till, payment.attempt.reference).verdict == "again"
    assert len(till.orders.quarantined()) == 1
    till.agrees()


def test_a_key_that_changed_its_mode_grants_nothing() -> None:
    """Test money of yesterday's key buys nothing under today's."""
    till = Till()
    payment = till.start()
    till.gateway.pay(payment.attempt.reference)
    till.gateway.live = True
    assert look(till, payment.attempt.reference).verdict == "quarantine"


@pytest.mark.parametrize(
    ("changes", "paid"),
    [({"amount_minor": 6_000}, (48_000_000, 12_000_000)), ({"currency": "NGN"}, (0, 0)), ({"live": True}, (0, 0))],
)
def test_an_operator_may_release_a_payment(changes: dict[str, Any], paid: tuple[int, int]) -> None:
    """All of the credits come, worth what really came; who and why is kept; once."""
    till = Till()
    payment = till.start()
    till.gateway.pay(payment.attempt.reference, **changes)
    look(till, payment.attempt.reference)
    (put_aside,) = till.orders.quarantined()
    done = till.orders.release(till.business, put_aside.id, actor="kofi", reason="goodwill")
    assert (done.resolution, done.actor, done.note) == ("released", "kofi", "goodwill")
    assert till.orders.release(till.business, put_aside.id, actor="ama", reason="again") == done
    with pytest.raises(PaymentError, match="was released before"):
        till.orders.mark_refunded(till.business, put_aside.id, actor="ama", reason="no")
    assert grants(till) == {
        ("purchase", payment.order.id): ("80", paid[0]),
        ("bonus", payment.order.id): ("20", paid[1]),
    }
    (entry,) = till.books.operations.audit(till.business)
    assert (entry.actor, entry.action, entry.detail["reason"]) == ("kofi", "payment_released", "goodwill")
    assert till.orders.quarantined() == []
    till.agrees()


def test_a_payment_that_was_sent_back_ends_its_order_unless_another_waits() -> None:
    """The last one that is sent back leaves the order failed, which a new attempt's success still pays."""
    till = Till()
    first = till.start()
    second = till.orders.attempt(till.business, first.order.id)
    third = till.orders.attempt(till.business, first.order.id)
    for payment in (first, second):
        till.gateway.pay(payment.attempt.reference, amount_minor=1)
        look(till, payment.attempt.reference)
    one, two = till.orders.quarantined()
    till.orders.mark_refunded(till.business, one.id, actor="kofi", reason="sent back")
    assert till.order(first).state == "quarantined"
    till.orders.mark_refunded(till.business, two.id, actor="kofi", reason="sent back")
    assert till.order(first).state == "failed"
    till.gateway.pay(third.attempt.reference)
    assert look(till, third.attempt.reference).verdict == "grant"
    till.agrees()


def test_an_answer_nobody_knows_is_shown_to_the_operator_once() -> None:
    """It is neither a success nor a failure."""
    told: list[Any] = []
    till = Till(hooks=[told.append])
    payment = till.start()
    till.gateway.change(payment.attempt.reference, outcome=Outcome.UNKNOWN, raw_status="blocked")
    for _ in range(2):
        assert look(till, payment.attempt.reference).verdict == "unknown"
    assert [event.code for event in told if isinstance(event, OperatorAlert)] == ["payment_unknown"]
    assert (till.order(payment).state, till.balance()) == ("pending", "0")


def test_an_attempt_that_the_gateway_never_heard_of_stays_as_it_is() -> None:
    """Its opener may still be at it; one that was paid is not undone by it."""
    till = Till()
    payment = till.start()
    paid, _ = till.paid()
    till.gateway.charged.clear()
    waiting = look(till, payment.attempt.reference)
    assert (waiting.verdict, waiting.attempt) == ("pending", payment.attempt)
    assert look(till, paid.attempt.reference).already_applied


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.PENDING, Outcome.UNKNOWN])
def test_a_later_answer_does_not_undo_a_grant(outcome: Outcome) -> None:
    """Taking back goes by refunds and disputes alone."""
    till = Till()
    payment, _ = till.paid()
    till.gateway.change(payment.attempt.reference, outcome=outcome)
    applied = look(till, payment.attempt.reference)
    assert (applied.verdict, applied.attempt.state, till.balance()) == ("again", "paid", "100")


# Money that went back.


def test_a_reversed_payment_that_never_came_grants_nothing() -> None:
    """It ends the attempt."""
    till = Till()
    payment = till.start()
    till.gateway.change(payment.attempt.reference, outcome=Outcome.REVERSED, raw_status="reversed")
    applied = look(till, payment.attempt.reference)
    assert (applied.verdict, applied.attempt.state, applied.success) == ("reversed", "failed", False)


def test_money_that_went_back_without_a_refund_or_a_dispute_is_for_the_operator() -> None:
    """Neither a gateway that lists none nor one that cannot be asked for them says what to take back."""
    told: list[Any] = []
    for till in (Till(hooks=[told.append]), Till(PageGateway(), hooks=[told.append])):
        payment, _ = till.paid()
        till.gateway.change(payment.attempt.reference, outcome=Outcome.REVERSED, raw_status="reversed")
        for _ in range(2):
            applied = look(till, payment.attempt.reference)
            assert (applied.verdict, applied.attempt.state, applied.order.state) == ("reversed", "paid", "successful")
    assert [event.code for event in told if isinstance(event, OperatorAlert)] == ["payment_reversed"] * 4


# Cancelled and given up; neither is final.


def test_a_late_success_is_honoured_after_a_cancellation() -> None:
    """The owner gave up, and the payment came all the same."""
    till = Till()
    payment = till.start()
    assert till.orders.cancel(till.business, payment.order.id).state == "failed"
    assert till.orders.cancel(till.business, payment.order.id).state == "failed"
    with pytest.raises(PaymentError, match="order is failed"):
        till.orders.attempt(till.business, payment.order.id)
    till.gateway.pay(payment.attempt.reference)
    applied = look(till, payment.attempt.reference)
    assert (applied.verdict, applied.order.ended_at) == ("grant", None)
    with pytest.raises(PaymentError, match="cannot be cancelled"):
        till.orders.cancel(till.business, payment.order.id)
    assert till.topics() == ["order.failed", "order.paid"]
    till.agrees()


def test_an_order_is_given_up_after_a_day_and_paid_late_all_the_same() -> None:
    """Not a second before."""
    till = Till()
    payment = till.start()
    till.clock.advance(86_399)
    assert till.orders.expire() == 0
    till.clock.advance(1)
    assert till.orders.expire() == 1
    assert till.orders.expire() == 0
    assert till.order(payment).state == "abandoned"
    till.gateway.pay(payment.attempt.reference)
    assert look(till, payment.attempt.reference).verdict == "grant"
    assert till.topics() == ["order.abandoned", "order.paid"]
    till.agrees()


def test_an_order_that_was_paid_a_moment_ago_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list was made before the payment came."""
    till = Till()
    payment = till.start()
    till.clock.advance(86_400)
    end = till.orders._ordering._abandon
    till.gateway.pay(payment.attempt.reference)

    def first_paid(business: str, order: str) -> bool:
        till.orders.apply(payment.attempt.reference)
        return end(business, order)

    monkeypatch.setattr(till.orders._ordering, "_abandon", first_paid)
    assert till.orders.expire() == 0
    assert till.order(payment).state == "successful"


# Whose.


def test_another_business_learns_nothing() -> None:
    """Not whether there is such an order or attempt, and the gateway is not asked."""
    till = Till()
    payment = till.start()
    till.gateway.pay(payment.attempt.reference)
    till.books.buy("1", "o", business="biz_8")
    for other in ("biz_8", "biz_9"):
        for asked in (
            lambda: till.orders.verify(other, payment.attempt.reference),  # noqa: B023  # asked at once
            lambda: till.orders.verify(other, "aia-none"),  # noqa: B023
            lambda: till.orders.find(other, payment.order.id),  # noqa: B023
            lambda: till.orders.cancel(other, payment.order.id),  # noqa: B023
            lambda: till.orders.attempt(other, payment.order.id),  # noqa: B023
            lambda: till.orders.release(other, "q", actor="a", reason="b"),  # noqa: B023
        ):
            with pytest.raises(NotFound) as told:
                asked()
            assert str(told.value) == str(NotFound())
        assert till.orders.history(other) == []
    assert till.gateway.asked == []
    assert till.balance() == "0"


def test_erasing_a_business_forgets_address_card_and_user_and_keeps_the_order() -> None:
    """What was bought is part of the books."""
    till = Till()
    payment = till.start(user="u_1")
    till.gateway.pay(payment.attempt.reference, card=CARD)
    look(till, payment.attempt.reference)
    till.books.operations.erase(till.business, user="u_2", actor="kofi")
    assert (till.order(payment).user, till.order(payment).email) == ("u_1", EMAIL)
    till.books.operations.erase(till.business, user="u_1", actor="kofi")
    assert (till.order(payment).user, till.order(payment).email) == (None, EMAIL)
    till.books.operations.erase(till.business, actor="kofi")
    assert (till.order(payment).email, till.orders.cards(till.business)) == ("", [])
    assert till.order(payment).state == "successful"
    till.agrees()


def test_erasing_a_business_forgets_what_gateways_said_in_their_words() -> None:
    """They may name a phone; that there was an answer, and which, is part of the books."""
    till = Till()
    till.gateway.fails = GatewayError(status=400, reason="0244123456 of Ama Mensah is barred")
    with pytest.raises(GatewayError):
        till.start(key="k")
    ((order, (before,)),) = till.orders.listed(till.business)
    assert before.reason == "gateway: 0244123456 of Ama Mensah is barred"
    till.books.operations.erase(till.business, user="u_1", actor="kofi")
    assert till.orders.find(till.business, order.id)[1] == (before,)
    till.books.operations.erase(till.business, actor="kofi")
    (after,) = till.orders.find(till.business, order.id)[1]
    assert after == replace(before, reason="")
    till.agrees()


# The add-on.


def test_the_add_on_gives_nothing_before_it_is_paid_for() -> None:
    """Its first month is an order; the same month is for sale once."""
    till = Till(policy="hybrid")
    before = till.balance()
    payment = till.start(None, addon=True)
    assert (payment.order.kind, payment.order.price, payment.order.period) == ("addon", Money(50), 0)
    assert till.gateway.requests[0].description == "AI add-on, a month of 100 credits"
    assert till.balance() == before
    again = till.start(None, addon=True, key="another tap")
    assert (again.replayed, again.order) == (True, payment.order)
    till.gateway.pay(payment.attempt.reference)
    assert look(till, payment.attempt.reference).added == Credits(100)
    subscription = till.books.store.wallet(till.business).subscription
    assert subscription is not None
    assert (subscription.state, subscription.paid_through) == ("active", 0)
    till.agrees()


def test_a_renewal_paid_early_gives_its_credits_when_its_month_begins() -> None:
    """The order is paid, and the wallet is served in time."""
    till = Till(policy="hybrid")
    till.paid(None, addon=True)
    payment, applied = till.paid(None, addon=True)
    assert (payment.order.kind, payment.order.period) == ("addon_renewal", 1)
    assert (applied.verdict, applied.added) == ("grant", Credits(0))
    till.agrees()
    till.clock.advance(31 * DAY // 1_000_000)
    rows = till.books.store.wallet(till.business).grants
    assert [grant.ref.rpartition(":")[2] for grant in rows if grant.source == "addon"] == ["1"]
    till.agrees()


def test_a_month_that_was_paid_otherwise_is_not_given_twice() -> None:
    """The host had collected it meanwhile: the payment is put aside and cannot be released."""
    till = Till(policy="hybrid")
    payment = till.start(None, addon=True)
    till.books.subscriptions.subscribe(till.business, paid=True)
    till.gateway.pay(payment.attempt.reference)
    assert look(till, payment.attempt.reference).verdict == "quarantine"
    (put_aside,) = till.orders.quarantined()
    assert put_aside.reason == "addon"
    with pytest.raises(PaymentError, match="or its month is"):
        till.orders.release(till.business, put_aside.id, actor="kofi", reason="why not")
    till.agrees()


def test_an_add_on_that_gave_way_to_another_is_not_paid_for() -> None:
    """The order was for the one that ended."""
    till = Till(policy="hybrid")
    payment = till.start(None, addon=True)
    till.books.subscriptions.cancel(till.business)
    till.books.subscriptions.subscribe(till.business)
    till.gateway.pay(payment.attempt.reference)
    assert look(till, payment.attempt.reference).verdict == "quarantine"
    till.agrees()


def test_a_cancelled_add_on_is_not_sold_until_it_is_resumed() -> None:
    """The owner has said that it ends."""
    till = Till(policy="hybrid")
    till.paid(None, addon=True)
    till.books.subscriptions.cancel(till.business)
    with pytest.raises(AddonConflict, match="Resume it first"):
        till.start(None, addon=True)


def test_a_whole_number_of_cedis_may_come_as_money() -> None:
    """`Money` says the same as text."""
    assert Till().start("CUSTOM", amount=Money(20)).order.price == Money(20)
    assert Wanted(pack="VALUE").hash != Wanted(pack="STARTER").hash


# The doctor.


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (
            "UPDATE ai_credit_grants SET source_ref = 'gone' WHERE source = 'bonus'",
            "a paid order gave exactly what was",
        ),
        ("UPDATE ai_payment_attempts SET state = 'open'", "a paid order has the one attempt that paid it"),
        (
            "UPDATE ai_credit_purchases SET state = 'pending', paid_at = NULL, paid_reference = NULL",
            "an order that is not paid gave nothing",
        ),
    ],
)
def test_the_doctor_knows_what_a_paid_order_gave(change: str, rule: str) -> None:
    """All of it, and none for an order that was not paid."""
    till = Till()
    till.paid()
    till.agrees()
    till.books.sql(change)
    assert any(finding.rule.startswith(rule) for finding in till.books.report().findings)


def test_the_doctor_knows_which_month_an_order_paid() -> None:
    """An add-on that says otherwise is found."""
    till = Till(policy="hybrid")
    payment, _ = till.paid(None, addon=True)
    till.books.sql("UPDATE ai_credit_purchases SET period = 3")
    (finding,) = till.books.report().findings
    assert finding.detail == f"order {payment.order.id}: month 3 of its add-on is not paid"


def test_books_without_orders_are_none_the_worse() -> None:
    """The doctor is content."""
    assert Books().report().findings == ()


class Closing(PageGateway):
    """Its pages can be closed; some cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: list[str] = []

    def close_checkout(self, reference: str) -> None:
        self.closed.append(reference)
        if self.fetch_fails is not None:
            raise self.fetch_fails


def test_a_cancelled_order_closes_its_pages() -> None:
    """Those that are open; should one not close, the order is cancelled all the same and its payment honoured."""
    till = Till(gateway := Closing())
    payment = till.start()
    till.gateway.decline(payment.attempt.reference)
    till.orders.verify(till.business, payment.attempt.reference)
    till.clock.advance(1)
    second = till.orders.attempt(till.business, payment.order.id)
    gateway.fetch_fails = GatewayError(status=400)
    assert till.orders.cancel(till.business, payment.order.id).state == "failed"
    assert gateway.closed == [second.attempt.reference]
    gateway.fetch_fails = None
    gateway.pay(second.attempt.reference)
    assert till.orders.verify(till.business, second.attempt.reference).verdict == "grant"
