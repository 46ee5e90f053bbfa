"""Money of paid orders sent back, and money that the gateway says went back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.gateways.base import Dispute, Outcome, RefundOutcome
from ai_addons.billing.opening import LEASE
from ai_addons.billing.sending_back import decided
from ai_addons.errors import (
    GatewayError,
    IdempotencyConflict,
    NotFound,
    PaymentError,
    PaymentMismatch,
    PaymentPending,
    WalletSuspended,
)
from ai_addons.events import OperatorAlert
from ai_addons.money import Credits, Money
from tests.money_back import spend
from tests.scripted_gateway import PageGateway, Till, webhook

if TYPE_CHECKING:
    from ai_addons.billing.refunds import MoneyBack

pytestmark = pytest.mark.usefixtures("each_database")

WHO = {"actor": "kofi", "reason": "wrong pack"}
NO = GatewayError(status=400, reason="refused")
LOST = GatewayError(status=None, may_exist=True)


def bought(till: Till) -> tuple[str, str]:
    """A VALUE pack that was paid: its order and its attempt."""
    payment, _ = till.paid()
    return payment.order.id, payment.attempt.reference


def refund(till: Till, order: str, amount: Any = None, key: str = "r1") -> MoneyBack:
    """Money sent back by an operator."""
    return till.orders.refund(till.business, order, amount, key=key, **WHO)


def state(till: Till, order: str) -> str:
    """Where an order stands."""
    return till.orders.find(till.business, order)[0].state


def contest(till: Till, reference: str, **changes: Any) -> None:
    """The payer's bank contests a payment, or decides."""
    plain: dict[str, Any] = {"open": True, "lost": None, "amount_minor": 8_000, "currency": "GHS"}
    till.gateway.contested[reference] = [Dispute(id="DP1", reference=reference, **(plain | changes))]
    till.orders.receive("scripted", *webhook(reference, name="charge.dispute", topic="dispute"))
    till.orders.work_inbox()


@pytest.mark.parametrize(
    ("amount", "after", "minor", "left"), [(None, "refunded", 8_000, "0"), ("20", "partially_refunded", 2_000, "75")]
)
def test_a_refund_freezes_first_and_takes_once_the_money_is_gone(
    amount: str | None, after: str, minor: int, left: str
) -> None:
    """The gateway is asked once, and its word ends it; the same key again sends nothing."""
    till = Till()
    order, reference = bought(till)
    back = refund(till, order, amount)
    assert (back.at_risk_minor, back.reversed_minor, till.balance()) == (minor, 0, left)
    assert state(till, order) == "successful"
    till.gateway.end_refund(reference)
    again = refund(till, order, amount)
    assert (again.reversed_minor, again.frozen, till.balance()) == (minor, Credits(0), left)
    assert (state(till, order), till.gateway.notes) == (after, [f"order {order}, r1"])
    (noted,) = [one for one in till.books.operations.audit(till.business) if one.action == "refund"]
    assert noted.actor == "kofi"
    till.agrees()


def test_two_refunds_in_part_make_a_whole_and_there_is_no_third() -> None:
    """Each key sends its own; more than is left is refused before the gateway hears of it."""
    till = Till()
    order, reference = bought(till)
    refund(till, order, 30)
    till.gateway.end_refund(reference)
    refund(till, order, key="r2")
    till.gateway.end_refund(reference)
    assert till.orders.reconcile().ok
    assert (state(till, order), till.balance()) == ("refunded", "0")
    with pytest.raises(PaymentMismatch):
        refund(till, order, 1, key="r3")
    with pytest.raises(IdempotencyConflict):
        refund(till, order, 31)
    assert [one.amount_minor for one in till.gateway.sent_back[reference]] == [3_000, 5_000]
    till.agrees()


def test_a_refund_that_the_gateway_refused_frees_the_credits() -> None:
    """Nothing went back; the same key does not try again, a fresh one does."""
    till = Till()
    order, _ = bought(till)
    till.gateway.fails = NO
    with pytest.raises(GatewayError):
        refund(till, order)
    assert (till.balance(), state(till, order)) == ("100", "successful")
    till.gateway.fails = None
    assert refund(till, order).at_risk_minor == 0
    assert refund(till, order, key="r2").at_risk_minor == 8_000
    till.agrees()


def test_a_refund_whose_answer_was_lost_is_found_and_not_sent_twice() -> None:
    """Its credits stay frozen meanwhile; repeated, the gateway's list names it."""
    till = Till()
    order, reference = bought(till)
    till.gateway.fails_after = LOST
    with pytest.raises(GatewayError):
        refund(till, order)
    assert till.balance() == "0"
    till.gateway.fails_after = None
    assert refund(till, order).at_risk_minor == 8_000
    assert len(till.gateway.sent_back[reference]) == 1


def test_a_refund_that_never_arrived_is_sent_again_by_one_at_a_time() -> None:
    """Whoever asked last has a minute; then the next may."""
    till = Till()
    order, reference = bought(till)
    till.gateway.fails = LOST
    with pytest.raises(GatewayError):
        refund(till, order)
    till.gateway.fails = None
    with pytest.raises(PaymentPending):
        refund(till, order)
    till.clock.advance(LEASE // 1_000_000)
    assert refund(till, order).at_risk_minor == 8_000
    assert len(till.gateway.sent_back[reference]) == 1
    till.agrees()


def test_a_refund_waits_for_an_earlier_one_of_the_same_amount_that_has_no_name() -> None:
    """Else the gateway's name of one might be taken for the other's."""
    till = Till()
    order, reference = bought(till)
    till.gateway.fails = LOST
    with pytest.raises(GatewayError):
        refund(till, order, 10)
    till.gateway.fails = None
    with pytest.raises(PaymentPending):
        refund(till, order, 10, key="r2")
    refund(till, order, 11, key="r3")
    assert [one.amount_minor for one in till.gateway.sent_back[reference]] == [1_100]


def test_a_gateway_that_lists_no_refunds_is_never_sent_one_twice() -> None:
    """Nobody can say whether it arrived: an operator looks at the gateway's page."""
    till = Till(PageGateway())
    order, _ = bought(till)
    till.gateway.fails = LOST
    with pytest.raises(GatewayError):
        refund(till, order)
    till.gateway.fails = None
    till.clock.advance(LEASE // 1_000_000)
    with pytest.raises(PaymentError, match="Nobody can say"):
        refund(till, order)
    assert till.gateway.sent_back == {}


def test_only_a_paid_pack_of_the_business_can_be_refunded() -> None:
    """Another's order is not there; an unpaid one has nothing to send, and a month of the add-on is for an operator."""
    till = Till(policy="hybrid")
    order = till.start().order.id
    with pytest.raises(PaymentError, match="pending"):
        refund(till, order)
    with pytest.raises(NotFound):
        till.orders.refund("biz_8", order, key="r1", **WHO)


def test_spent_credits_are_for_the_policy_of_the_settings() -> None:
    """Suspended until the debt is forgiven."""
    till = Till(shortfall="suspend")
    order, reference = bought(till)
    spend(till.books, "40")
    refund(till, order)
    till.gateway.end_refund(reference)
    till.orders.reconcile()
    assert till.orders.money_back(till.business, order).owed == Credits(40)
    with pytest.raises(WalletSuspended):
        spend(till.books, "1", key="after")
    assert till.orders.forgive(till.business, order, **WHO).owed == Credits(0)
    assert till.books.store.wallet(till.business).status == "active"
    till.agrees()


@pytest.mark.parametrize(
    ("change", "after", "left"),
    [
        ({"lost": True}, "refunded", "0"),
        ({"lost": False}, "successful", "100"),
        ({"lost": None}, "successful", "100"),
        ({"lost": True, "amount_minor": 4_000}, "partially_refunded", "50"),
    ],
)
def test_a_dispute_freezes_all_until_it_is_decided(change: dict[str, Any], after: str, left: str) -> None:
    """One that is over without saying for whom is decided by the payment, which is still paid here."""
    till = Till()
    order, reference = bought(till)
    contest(till, reference)
    assert (state(till, order), till.balance()) == ("disputed", "0")
    contest(till, reference, open=False, **change)
    assert (state(till, order), till.balance()) == (after, left)
    till.agrees()


@pytest.mark.parametrize(
    ("outcome", "lost"), [(Outcome.REVERSED, True), (Outcome.PAID, False), (Outcome.UNKNOWN, None)]
)
def test_the_payment_tells_who_won_a_dispute_that_does_not(outcome: Outcome, lost: bool | None) -> None:
    """Anything but paid or reversed leaves it undecided, and so does a payment that is not there."""
    till = Till()
    _, reference = bought(till)
    over = Dispute(id="DP1", reference=reference, open=False, lost=None, amount_minor=1, currency="GHS")
    charge = replace(till.gateway.charged[reference], outcome=outcome)
    assert decided(over, charge) == replace(over, lost=lost)
    assert decided(over, None) == over


def test_a_refund_from_the_gateways_own_page_that_does_not_fit_is_for_the_operator() -> None:
    """It keeps nobody from looking at the order."""
    told: list[Any] = []
    till = Till(hooks=[told.append])
    order, reference = bought(till)
    till.gateway.tell_refund(reference, 9_000, RefundOutcome.DONE)
    till.gateway.change(reference, outcome=Outcome.REVERSED)
    assert till.orders.verify(till.business, reference).order.state == "successful"
    codes = [event.code for event in told if isinstance(event, OperatorAlert)]
    assert codes == ["refund_mismatch", "payment_reversed"]
    assert state(till, order) == "successful"


def test_a_payment_too_many_that_was_sent_back_takes_nothing() -> None:
    """Its credits were never given."""
    till = Till()
    order, _ = bought(till)
    payment = till.start(key="two")
    second = till.orders.attempt(till.business, payment.order.id).attempt.reference
    for reference in (payment.attempt.reference, second):
        till.gateway.pay(reference)
        till.orders.verify(till.business, reference)
    till.gateway.tell_refund(second, 8_000, RefundOutcome.DONE)
    till.gateway.change(second, outcome=Outcome.REVERSED)
    till.orders.verify(till.business, second)
    assert (till.balance(), state(till, order), till.order(payment).state) == ("200", "successful", "successful")


def test_a_refund_of_what_nobody_paid_is_ignored() -> None:
    """A webhook may name any attempt."""
    till = Till()
    payment = till.start()
    till.orders.receive("scripted", *webhook(payment.attempt.reference, name="refund.processed", topic="refund"))
    assert till.orders.work_inbox().done == 1
    assert till.order(payment).state == "pending"


def test_a_gateway_that_is_down_leaves_refunds_for_the_next_reconciliation() -> None:
    """The report says so."""
    till = Till()
    order, reference = bought(till)
    refund(till, order)
    till.gateway.end_refund(reference)
    till.gateway.fetch_fails = GatewayError(status=503)
    assert ("cannot_ask", f"refunds and disputes of order {order}: gateway") in {
        (one.what, one.detail) for one in till.orders.reconcile().discrepancies
    }
    till.gateway.fetch_fails = None
    till.orders.reconcile()
    assert state(till, order) == "refunded"


def test_an_amount_in_cedis_sends_the_same_share_of_what_was_charged() -> None:
    """A quarter of GHS 80 is a quarter of USD 6.87, to the cent; cents are taken as they are."""
    till = Till()
    till.gateway.converts = replace(till.gateway.checkout_page("x"), charged=Money("6.87", "USD"))
    payment = till.start()
    reference = payment.attempt.reference
    till.gateway.pay(reference, amount_minor=687, currency="USD")
    till.orders.verify(till.business, reference)
    refund(till, payment.order.id, 20)
    refund(till, payment.order.id, Money("1", "USD"), key="r2")
    sent = [(one.amount_minor, one.currency) for one in till.gateway.sent_back[reference]]
    assert sent == [(172, "USD"), (100, "USD")]


def test_halves_in_cedis_send_back_the_whole_and_no_cent_more() -> None:
    """Each half of USD 6.87 is rounded up to 3.44: the second one is what is left, also when it is asked for again."""
    till = Till()
    till.gateway.converts = replace(till.gateway.checkout_page("x"), charged=Money("6.87", "USD"))
    payment = till.start()
    reference = payment.attempt.reference
    till.gateway.pay(reference, amount_minor=687, currency="USD")
    till.orders.verify(till.business, reference)
    for key in ("r1", "r2", "r2"):
        refund(till, payment.order.id, "40", key=key)
        till.gateway.end_refund(reference)
    assert [one.amount_minor for one in till.gateway.sent_back[reference]] == [344, 343]
    refund(till, payment.order.id, "40", key="r2")
    assert state(till, payment.order.id) == "refunded"
    for amount in ("39.80", "40.20", Money("3.44", "USD")):
        with pytest.raises(IdempotencyConflict):
            refund(till, payment.order.id, amount, key="r2")
    with pytest.raises(PaymentMismatch, match="0 minor units can be sent back, not 1"):
        refund(till, payment.order.id, "0.10", key="r3")


def test_what_nobody_said_was_paid_cannot_be_sent_back() -> None:
    """An operator accepted a payment whose amount the gateway left out."""
    till = Till()
    payment = till.start()
    till.gateway.pay(payment.attempt.reference, amount_minor=None)
    till.orders.verify(till.business, payment.attempt.reference)
    (put_aside,) = till.orders.quarantined()
    till.orders.release(till.business, put_aside.id, **WHO)
    with pytest.raises(PaymentError, match="never said"):
        refund(till, payment.order.id)
    # What the gateway tells of it later is the operator's too, and keeps nobody from looking.
    till.gateway.change(payment.attempt.reference, outcome=Outcome.REVERSED)
    assert till.orders.verify(till.business, payment.attempt.reference).success
