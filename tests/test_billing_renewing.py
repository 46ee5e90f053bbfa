"""Renewals of add-ons: opened once, charged by a saved card or left to the owner with a page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ai_addons.billing.gateways.base import Outcome
from ai_addons.billing.ordering import Ordering
from ai_addons.billing.profile import BusinessProfile
from ai_addons.billing.renewing import PAYMENT_WANTED, Renewed
from ai_addons.errors import GatewayError, StoreUnavailable
from tests.scripted_gateway import CARD, EMAIL, PageGateway, ScriptedGateway, Till

pytestmark = pytest.mark.usefixtures("each_database")

DAY = 86_400


class Declining(ScriptedGateway):
    """Its bank declines every card."""

    def charge_card(self, request: Any, card: Any) -> Any:
        assert card == CARD
        return self.take(request, outcome=Outcome.FAILED, raw_status="failed", reason="Insufficient funds")


class Refusing(ScriptedGateway):
    """It refuses to charge cards, or nobody knows whether it did."""

    lost = False

    def charge_card(self, request: Any, card: Any) -> Any:
        assert (card, request.email) == (CARD, CARD.email)
        if self.meanwhile is not None:
            self.meanwhile()
        raise GatewayError(status=400, reason="bad_authorization", may_exist=self.lost)


def taken(gateway: PageGateway | None = None, *, card: bool = False, **options: Any) -> Till:
    """A business whose first month of the add-on is paid; 30 days are left."""
    till = Till(gateway, policy="hybrid", **options)
    payment = till.start(None, addon=True, key="first")
    till.gateway.pay(payment.attempt.reference, **({"card": CARD} if card else {}))
    till.orders.verify(till.business, payment.attempt.reference)
    return till


def renew(till: Till) -> Renewed:
    """One run of the job."""
    till.books.store.sweep()
    return till.orders.renew()


def until(till: Till, days: int) -> None:
    """Days until the second month begins, which is a month after the first did."""
    ends = till.books.sql("SELECT MIN(expires_at) FROM ai_credit_grants WHERE source = 'addon'")[0][0]
    till.clock.advance((ends - till.clock.now()) // 1_000_000 - days * DAY)


def wanted(till: Till) -> list[dict[str, str]]:
    """The pages that the owner was told of."""
    rows = till.books.sql("SELECT topic, facts FROM ai_outbox ORDER BY id")
    return [json.loads(facts) for topic, facts in rows if topic == PAYMENT_WANTED]


def test_without_a_card_the_order_waits_for_its_owner_with_a_page() -> None:
    """From three days before, once however often it runs; paid early, the month's credits come when it begins."""
    till = taken()
    until(till, 4)
    assert renew(till) == Renewed()
    until(till, 3)
    for _ in range(3):
        assert renew(till) == Renewed(waiting=1)
    (told,) = wanted(till)
    order = till.orders.history(till.business)[0]
    assert (told["order"], order.kind, order.period, order.state) == (order.id, "addon_renewal", 1, "pending")
    assert told["url"] == f"https://pay.example/{told['reference']}"
    till.gateway.pay(told["reference"])
    till.orders.verify(till.business, told["reference"])
    assert renew(till) == Renewed()
    until(till, 0)
    renew(till)
    assert till.books.sql("SELECT COUNT(*) FROM ai_credit_grants WHERE source = 'addon'") == [(2,)]
    till.agrees()


def test_a_renewal_can_be_paid_until_its_grace_is_over() -> None:
    """Its order is not given up after a day like others, but once nobody can pay it any more."""
    till = taken()
    until(till, 3)
    renew(till)
    order = till.orders.history(till.business)[0]
    till.clock.advance(9 * DAY)
    assert till.orders.expire() == 0
    assert renew(till) == Renewed(waiting=1)
    till.clock.advance(7 * DAY)
    assert (renew(till), till.orders.expire()) == (Renewed(), 1)
    assert till.orders.find(till.business, order.id)[0].state == "abandoned"
    till.agrees()


def test_a_saved_card_is_charged_on_the_day_and_once() -> None:
    """Not before, and not again."""
    till = taken(card=True)
    until(till, 3)
    assert renew(till) == Renewed()
    until(till, 0)
    assert renew(till) == Renewed(paid=1)
    assert renew(till) == Renewed()
    assert len(till.gateway.requests) == 2
    assert till.orders.history(till.business)[0].state == "successful"
    assert wanted(till) == []
    till.agrees()


def test_machines_at_once_share_the_months_and_count_each_once() -> None:
    """While one has the first business's card charged, another passes by it and charges the second one's."""
    till = taken(card=True)
    payment = till.orders.start("biz_z", None, addon=True, email=EMAIL)
    till.gateway.pay(payment.attempt.reference, card=CARD)
    till.orders.verify("biz_z", payment.attempt.reference)
    until(till, 0)
    till.clock.advance(1)
    till.books.store.sweep()
    others: list[Renewed] = []

    def meanwhile() -> None:
        till.gateway.meanwhile = None
        others.append(till.orders.renew())

    till.gateway.meanwhile = meanwhile
    assert till.orders.renew() == Renewed(paid=1)
    assert others == [Renewed(paid=1, waiting=1)]
    assert len(till.gateway.requests) == 4
    till.agrees()


@pytest.mark.parametrize("gateway", [Declining, Refusing])
def test_a_card_that_cannot_be_charged_leaves_the_order_to_its_owner(gateway: type[ScriptedGateway]) -> None:
    """One try; then a page, of which the owner is told once."""
    till = taken(gateway(), card=True)
    until(till, 0)
    # Each request takes its time.
    till.gateway.meanwhile = lambda: till.clock.advance(1)
    for _ in range(2):
        assert renew(till) == Renewed(waiting=1)
    (told,) = wanted(till)
    attempts = till.orders.find(till.business, told["order"])[1]
    assert [(one.method, one.state) for one in attempts] == [("card", "failed"), (None, "open")]
    # The payer declines on the page too: there is a new one.
    till.gateway.decline(told["reference"])
    till.orders.verify(till.business, told["reference"])
    assert renew(till) == Renewed(waiting=1)
    assert len(wanted(till)) == 2


def test_a_charge_that_nobody_knows_about_is_asked_about_and_tried_again() -> None:
    """The gateway never heard of it, and now it takes the card."""
    till = taken(Refusing(), card=True)
    gateway: Any = till.gateway
    gateway.lost = True
    until(till, 0)
    assert renew(till) == Renewed(failed=((till.business, "gateway"),))
    assert wanted(till) == []
    gateway.charge_card = ScriptedGateway().charge_card.__func__.__get__(gateway)  # type: ignore[attr-defined]
    assert renew(till) == Renewed(paid=1)
    till.agrees()


def test_a_charge_that_cannot_be_asked_about_opens_no_page() -> None:
    """Its answer was lost and the card may have paid: an owner who paid on a page would pay twice."""
    gateway = Refusing()
    gateway.lost = True
    till = taken(gateway, card=True)
    until(till, 0)
    assert renew(till).failed == ((till.business, "gateway"),)
    gateway.fetch_fails = GatewayError(status=429, reason="slow_down")
    assert renew(till).failed == ((till.business, "gateway"),)
    (order, *_) = till.orders.history(till.business)
    assert ([one.state for one in till.orders.find(till.business, order.id)[1]], wanted(till)) == (["started"], [])


def test_another_machine_that_is_at_it_is_left_alone() -> None:
    """While one opens the page, the other finds the order and waits."""
    till = taken()
    until(till, 0)
    found: list[Renewed] = []
    till.gateway.meanwhile = lambda: found.append(till.orders.renew())
    assert renew(till) == Renewed(waiting=1)
    assert found == [Renewed(waiting=1)]
    assert len(till.orders.history(till.business)) == 2


def test_a_cancelled_addon_is_not_renewed() -> None:
    """Nothing is opened for it."""
    till = taken(card=True)
    till.books.subscriptions.cancel(till.business)
    until(till, 0)
    assert renew(till) == Renewed()
    assert len(till.orders.history(till.business)) == 1


def test_a_card_of_a_gateway_that_only_has_pages_is_not_charged() -> None:
    """The owner pays on the page."""
    till = taken(PageGateway(), card=True)
    until(till, 0)
    assert renew(till) == Renewed(waiting=1)
    assert len(wanted(till)) == 1


def test_an_order_that_is_ended_meanwhile_is_left_alone() -> None:
    """Its owner gave it up while the card was refused: no page is opened for it."""
    till = taken(Refusing(), card=True)
    until(till, 0)
    till.gateway.meanwhile = lambda: till.orders.cancel(till.business, till.orders.history(till.business)[0].id)
    till.clock.advance(1)
    assert renew(till) == Renewed()
    assert wanted(till) == []


def test_receipts_go_where_the_host_says() -> None:
    """Else where they went last."""
    for profile, email in ((BusinessProfile(email="new@shop.example"), "new@shop.example"), (BusinessProfile(), EMAIL)):
        till = taken(profile=lambda _, known=profile: known)
        until(till, 0)
        renew(till)
        assert till.orders.history(till.business)[0].email == email


def test_books_that_cannot_be_used_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are nobody's trouble but everybody's."""
    till = taken()
    until(till, 0)

    def broken(*_: object, **__: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(Ordering, "start", broken)
    with pytest.raises(StoreUnavailable):
        till.orders.renew()
