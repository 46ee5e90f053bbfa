"""The gateway's list beside the books, both ways round."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.gateways.base import Charge, Dispute, Outcome, Refund, RefundOutcome
from ai_addons.billing.reconciling import FAILURES
from ai_addons.errors import ConfigError, GatewayError, StoreUnavailable
from tests.books import DAY
from tests.scripted_gateway import PageGateway, ScriptedGateway, Till, webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("each_database")


def differences(till: Till, **options: Any) -> list[tuple[str, str]]:
    """What is left to an operator."""
    found = till.orders.reconcile(**options)
    assert found.ok == (not found.discrepancies)
    return [(one.what, one.reference) for one in found.discrepancies]


def test_what_nobody_told_us_of_is_granted() -> None:
    """No browser came back and no webhook: the open attempts are asked about."""
    till = Till(PageGateway())
    paid = [till.start(key=str(number)) for number in range(3)]
    for payment in paid[:2]:
        till.gateway.pay(payment.attempt.reference)
    found = till.orders.reconcile()
    assert (found.asked, found.granted, found.abandoned, found.ok) == (3, 2, 0, True)
    assert till.balance() == "200"
    again = till.orders.reconcile()
    assert (again.asked, again.granted) == (1, 0)
    till.agrees()


def test_more_attempts_than_a_page_are_each_asked_about_once() -> None:
    """Also those of one instant."""
    till = Till(PageGateway())
    references = [till.start("STARTER").attempt.reference for _ in range(103)]
    assert till.orders.reconcile().asked == 103
    assert sorted(till.gateway.asked) == sorted(references)


def test_the_list_shows_a_late_success_of_an_attempt_that_had_failed() -> None:
    """A failure is not asked about again, but the list has it."""
    till = Till()
    payment = till.start()
    till.gateway.decline(payment.attempt.reference)
    till.orders.apply(payment.attempt.reference)
    till.gateway.pay(payment.attempt.reference)
    found = till.orders.reconcile()
    assert (found.granted, found.ok, till.balance()) == (1, True, "100")


def test_the_inbox_is_worked_on_and_orders_are_given_up() -> None:
    """One command does all there is to do; asked before it is given up."""
    till = Till()
    first, second = till.start(), till.start()
    till.gateway.pay(first.attempt.reference)
    till.orders.receive("scripted", *webhook(first.attempt.reference))
    till.clock.advance(DAY // 1_000_000)
    found = till.orders.reconcile()
    assert (found.abandoned, till.order(first).state, till.order(second).state) == (1, "successful", "abandoned")


def test_a_payment_that_the_books_do_not_know_is_shown() -> None:
    """One of ours by its reference; what the account collects for others is not our business."""
    till = Till()
    stranger = Charge(reference="aia-x", outcome=Outcome.PAID, raw_status="success", amount_minor=1, currency="GHS")
    till.gateway.charged = {
        "aia-x": stranger,
        "till-9": replace(stranger, reference="till-9"),
        "aia-y": replace(stranger, reference="aia-y", outcome=Outcome.FAILED),
    }
    assert differences(till) == [("unknown_reference", "aia-x")]


def test_a_payment_that_the_gateway_does_not_list_is_shown() -> None:
    """At the edge of the days nobody can say, so it is left out there."""
    till = Till()
    payment, _ = till.paid()
    till.gateway.charged.clear()
    till.clock.advance(DAY // 1_000_000 - 3_601)
    assert differences(till, days=1) == [("not_listed", payment.attempt.reference)]
    till.clock.advance(1_000)
    assert differences(till, days=1) == []


@pytest.mark.parametrize("changes", [{"amount_minor": 8_100}, {"currency": "NGN"}])
def test_a_payment_of_another_amount_is_shown(changes: dict[str, Any]) -> None:
    """What was paid on top is part of what was collected."""
    till = Till()
    payment = till.start()
    till.gateway.pay(payment.attempt.reference, amount_minor=8_156)
    till.orders.apply(payment.attempt.reference)
    assert differences(till) == []
    till.gateway.change(payment.attempt.reference, **changes)
    assert differences(till) == [("amount", payment.attempt.reference)]


def test_a_payment_in_quarantine_is_shown_until_it_is_decided() -> None:
    """Every time."""
    till = Till()
    payment = till.start()
    till.gateway.pay(payment.attempt.reference, amount_minor=1)
    assert differences(till) == [("quarantined", payment.attempt.reference)]
    (put_aside,) = till.orders.quarantined()
    till.orders.mark_refunded(till.business, put_aside.id, actor="kofi", reason="sent back")
    assert differences(till) == []


def test_money_that_went_back_takes_the_credits_back() -> None:
    """The list says reversed, and so does the gateway when it is asked."""
    till = Till()
    payment, _ = till.paid()
    till.gateway.tell_refund(payment.attempt.reference, 8_000, RefundOutcome.DONE)
    till.gateway.change(payment.attempt.reference, outcome=Outcome.REVERSED)
    assert differences(till) == []
    assert (till.order(payment).state, till.balance()) == ("refunded", "0")
    till.agrees()


def test_a_gateway_that_is_down_is_not_asked_for_ever() -> None:
    """After five failures in a row the rest waits for the next run; its list too."""
    till = Till()
    for _ in range(FAILURES + 2):
        till.start("STARTER")
    till.gateway.fetch_fails = GatewayError(status=503)
    found = till.orders.reconcile()
    assert (found.asked, len(found.discrepancies)) == (FAILURES, FAILURES + 1)
    assert {one.what for one in found.discrepancies} == {"cannot_ask"}
    till.gateway.fetch_fails = None
    assert differences(till) == []


def test_only_the_days_asked_for_are_looked_at() -> None:
    """A week, unless told otherwise; a day at least."""
    till = Till(PageGateway())
    till.start()
    till.clock.advance(8 * DAY // 1_000_000)
    assert till.orders.reconcile().asked == 0
    assert till.orders.reconcile(days=9).asked == 1
    with pytest.raises(ValueError, match="a day or more"):
        till.orders.reconcile(days=0)


def test_a_store_that_is_away_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no discrepancy."""
    till = Till(ScriptedGateway())
    till.start()

    def away(_: str) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(till.orders._applying, "apply", away)
    with pytest.raises(StoreUnavailable):
        till.orders.reconcile()


class Listing(ScriptedGateway):
    """It lists what goes back too."""

    def refunds_between(self, since: int, until: int) -> Iterator[Refund]:
        assert since < until
        if self.fetch_fails is not None:
            raise self.fetch_fails
        for refunds in self.sent_back.values():
            yield from refunds

    def disputes_between(self, since: int, until: int) -> Iterator[Dispute]:
        assert since < until
        for disputes in self.contested.values():
            yield from disputes


def contested(reference: str, *, lost: bool | None = None) -> Dispute:
    """A dispute about all of VALUE."""
    return Dispute(id="D1", reference=reference, open=lost is None, lost=lost, amount_minor=8_000, currency="GHS")


def test_a_refund_begun_at_the_gateway_is_booked_as_far_as_it_has_come() -> None:
    """Its webhooks were lost: its credits are frozen, then taken, then given back when the bank sends it back."""
    till = Till(Listing())
    payment, _ = till.paid()
    reference = payment.attempt.reference
    till.gateway.tell_refund(reference, 2_000)
    found = [till.orders.reconcile().returned]
    assert till.balance() == "75"
    for outcome in (RefundOutcome.DONE, RefundOutcome.FAILED):
        till.gateway.end_refund(reference, outcome)
        # One without an end is followed anyway, and so is no news by then.
        found.append(till.orders.reconcile().returned)
    assert (found, till.balance(), till.order(payment).state) == ([1, 0, 1], "100", "successful")
    assert till.orders.reconcile().returned == 0
    till.agrees()


@pytest.mark.parametrize(("lost", "left"), [(None, "0"), (True, "0"), (False, "100")])
def test_a_dispute_that_nobody_told_of_is_booked(lost: bool | None, left: str) -> None:
    """Open, lost or won; the second look finds nothing new."""
    till = Till(Listing())
    payment, _ = till.paid()
    till.gateway.contested[payment.attempt.reference] = [contested(payment.attempt.reference, lost=lost)]
    assert (till.orders.reconcile().returned, till.balance()) == (1, left)
    assert till.orders.reconcile().returned == 0
    till.agrees()


def test_what_goes_back_of_no_payment_of_ours_is_shown_or_passed_over() -> None:
    """Of an unknown reference like ours it is shown; of other software, of an unpaid order, it is not ours to book."""
    till = Till(Listing())
    payment = till.start()
    for reference in ("aia-x", "till-9", payment.attempt.reference):
        till.gateway.tell_refund(reference, 100)
    found = till.orders.reconcile()
    assert [(one.what, one.reference) for one in found.discrepancies] == [("unknown_reference", "aia-x")]
    assert found.returned == 0


def test_a_refund_that_does_not_fit_is_no_news() -> None:
    """Of more than was paid nothing can be booked; the operator is alerted at each look."""
    till = Till(Listing())
    payment, _ = till.paid()
    till.gateway.tell_refund(payment.attempt.reference, 8_001)
    assert (till.orders.reconcile().returned, till.balance()) == (0, "100")


def test_lists_that_cannot_be_had_are_a_difference() -> None:
    """The rest is done all the same."""
    till = Till(Listing())
    till.gateway.fetch_fails = GatewayError(status=503)
    assert [one.detail for one in till.orders.reconcile().discrepancies] == [
        "scripted: gateway",
        "scripted, refunds and disputes: gateway",
    ]


# What cannot be asked about keeps nobody waiting.


class Two(Till):
    """A shop that had another gateway before."""

    gone: bool = False

    def find(self, name: str | None) -> Any:
        """The old gateway, as long as it is in the settings, or the new one."""
        if name != "old":
            return super().find(name)
        if self.gone:
            raise ConfigError
        return self.old

    def __init__(self) -> None:
        self.old = ScriptedGateway("old")
        super().__init__()


def test_a_gateway_that_is_no_longer_in_the_settings_stops_no_reconciliation() -> None:
    """Its open payments and refunds are named to the operator, and all others are granted and given back."""
    till = Two()
    open_there = till.start(gateway="old").attempt.reference
    refunded = []
    for gateway, name in ((till.old, "old"), (till.gateway, "scripted")):
        till.clock.advance(1)
        paid = till.start(gateway=name)
        gateway.pay(paid.attempt.reference)
        till.orders.verify(till.business, paid.attempt.reference)
        till.orders.refund(till.business, paid.order.id, key="r1", actor="kofi", reason="wrong pack")
        gateway.end_refund(paid.attempt.reference)
        refunded.append(paid.order.id)
    waiting = till.start()
    till.gateway.pay(waiting.attempt.reference)
    till.gone = True
    found = till.orders.reconcile()
    told = [(one.what, one.reference, one.detail) for one in found.discrepancies]
    assert told == [
        ("cannot_ask", open_there, "config"),
        ("cannot_ask", "", f"refunds and disputes of order {refunded[0]}: config"),
    ]
    assert [till.orders.find(till.business, one)[0].state for one in refunded] == ["successful", "refunded"]
    assert (found.granted, till.balance()) == (1, "100")


def test_refunds_that_cannot_be_asked_about_keep_no_other_waiting() -> None:
    """The gateway refuses to tell of one; where it does not answer at all, it is left alone after some."""
    till = Till()
    orders = []
    for _ in range(FAILURES + 2):
        till.clock.advance(1)
        payment, _applied = till.paid()
        till.orders.refund(till.business, payment.order.id, key="r1", actor="kofi", reason="wrong pack")
        till.gateway.end_refund(payment.attempt.reference)
        orders.append(payment)
    gateway: Any = till.gateway
    asked, refunds = list[str](), gateway.refunds

    def tell(reference: str, *, bad: int) -> tuple[Refund, ...]:
        asked.append(reference)
        if reference in [one.attempt.reference for one in orders[:bad]]:
            raise GatewayError(status=500)
        told: tuple[Refund, ...] = refunds(reference)
        return told

    gateway.refunds_between = gateway.disputes_between = lambda *_: ()
    gateway.refunds = lambda reference: tell(reference, bad=FAILURES + 2)
    assert len(differences(till)) == len(asked) == FAILURES
    gateway.refunds = lambda reference: tell(reference, bad=1)
    assert [what for what, _ in differences(till)] == ["cannot_ask"]
    states = [till.orders.find(till.business, one.order.id)[0].state for one in orders]
    assert states == ["successful", *["refunded"] * (FAILURES + 1)]


def test_a_wallet_whose_policy_is_gone_keeps_no_order_of_others_waiting(caplog: pytest.LogCaptureFixture) -> None:
    """The plug-in that sold to it was taken out: it is logged, and the sweep and the reconciler go on to the next."""
    till = Till()
    broken, sound = till.start().order, till.orders.start("biz_8", "VALUE", email="kofi@shop.example").order
    till.books.sql("UPDATE business_ai_credits SET policy = 'gone', next_due_at = 0 WHERE business_id = 'biz_7'")
    till.books.sql("UPDATE business_ai_credits SET next_due_at = 0 WHERE business_id = 'biz_8'")
    till.clock.advance(DAY // 1_000_000)
    assert till.books.store.sweep() == 1
    assert till.orders.expire() == 1
    assert "an unpaid order could not be given up" in caplog.text
    till.books.sql("UPDATE business_ai_credits SET policy = NULL")
    assert till.orders.find("biz_7", broken.id)[0].state == "pending"
    assert till.orders.find("biz_8", sound.id)[0].state == "abandoned"
    assert till.orders.expire() == 1


@pytest.mark.parametrize("job", ["expire", "reconcile"])
def test_books_that_cannot_be_used_end_a_job(monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    """They are no trouble of one order, so they are not passed over."""
    till = Till()
    payment, _ = till.paid()
    till.orders.refund(till.business, payment.order.id, key="r1", actor="kofi", reason="wrong pack")
    till.clock.advance(1)
    till.start()
    till.clock.advance(DAY // 1_000_000)

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(till.orders._ordering, "_on", away)
    monkeypatch.setattr(till.orders._back, "_paid", away)
    with pytest.raises(StoreUnavailable):
        getattr(till.orders, job)()


def test_an_outage_ends_the_giving_up_of_orders_at_once_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no fault of one wallet: nothing is logged of it order by order, and nothing is lost."""
    till = Till()
    waiting = [till.start(), till.start(key="another")]
    till.clock.advance(DAY // 1_000_000)
    with monkeypatch.context() as broken:
        broken.setattr(till.orders._ordering, "_abandon", lambda *_: (_ for _ in ()).throw(StoreUnavailable()))
        with pytest.raises(StoreUnavailable):
            till.orders.expire()
    assert {till.order(one).state for one in waiting} == {"pending"}
    assert till.orders.expire() == len({one.order.id for one in waiting})


def test_an_outage_ends_the_asking_about_refunds_at_once_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """No order is named to the operator for it."""
    till = Till()
    payment, _applied = till.paid()
    till.orders.refund(till.business, payment.order.id, key="r1", actor="kofi", reason="wrong pack")
    till.gateway.end_refund(payment.attempt.reference)
    with monkeypatch.context() as broken:
        broken.setattr(till.orders._back, "look_back", lambda *_: (_ for _ in ()).throw(StoreUnavailable()))
        with pytest.raises(StoreUnavailable):
            till.orders.reconcile()
    assert till.order(payment).state == "successful"
    assert differences(till) == []
    assert till.order(payment).state == "refunded"
