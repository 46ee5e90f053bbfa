"""Automatic top-ups: agreed to, bought once by a saved card, and stopped by their guards."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.gateways.base import Outcome
from ai_addons.billing.ordering import Ordering
from ai_addons.billing.packs import PREPAID_PACKS
from ai_addons.billing.renewing import Renewed
from ai_addons.billing.topups import TopUpRule
from ai_addons.errors import GatewayError, IdempotencyConflict, NotFound, PaymentError, PaymentPending, StoreUnavailable
from ai_addons.money import Credits, Money
from tests.scripted_gateway import CARD, PageGateway, ScriptedGateway, Till

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("each_database")

HOUR = 3_600
DAY = 24 * HOUR


class Steered(ScriptedGateway):
    """Its bank takes the card, declines it, is unreachable, or thinks about it."""

    bank: Any = "takes"

    def charge_card(self, request: Any, card: Any) -> Any:
        if isinstance(self.bank, BaseException):
            if getattr(self.bank, "may_exist", False):
                self.take(request, outcome=Outcome.PAID, raw_status="success", method="card")
            raise self.bank
        if self.bank == "takes":
            return super().charge_card(request, card)
        if self.bank == "declines":
            return self.take(request, outcome=Outcome.FAILED, raw_status="failed", reason="Insufficient funds")
        return self.take(request, outcome=Outcome.PENDING, raw_status="queued", method="card")


def saved(gateway: PageGateway | None = None, **options: Any) -> Till:
    """A business with 100 credits, whose card may be charged again."""
    till = Till(gateway or Steered(), **options)
    payment = till.start("VALUE", key="first")
    till.gateway.pay(payment.attempt.reference, card=CARD)
    till.orders.verify(till.business, payment.attempt.reference)
    return till


def agreed(gateway: PageGateway | None = None, *, below: str = "150", pack: str = "PRO", **rule: Any) -> Till:
    """The same, which agreed to buy."""
    till = saved(gateway)
    till.orders.set_top_up(till.business, pack, below=below, actor="ama", **rule)
    return till


def automatic(till: Till) -> list[tuple[str | None, str]]:
    """Key and state of its automatic orders, the oldest first."""
    rows = till.books.sql("SELECT key, state FROM ai_credit_purchases WHERE key LIKE 'auto-%' ORDER BY created_at")
    return [(row[0], row[1]) for row in rows]


def told(till: Till, topic: str) -> list[dict[str, str]]:
    """What was told under a topic."""
    rows = till.books.sql("SELECT topic, facts FROM ai_outbox ORDER BY id")
    return [json.loads(facts) for name, facts in rows if name == topic]


def test_credits_that_run_low_are_bought_once() -> None:
    """By the card on file, at the list price; the order tells that nobody pressed a button."""
    till = agreed()
    assert till.orders.renew() == Renewed(topped_up=1)
    assert till.balance() == "350"
    assert till.orders.renew() == Renewed()
    ((key, state),) = automatic(till)
    assert (str(key)[:12], str(key)[-2:], state) == ("auto-top-up:", ":1", "successful")
    assert {one["pack"]: one.get("automatic") for one in told(till, "order.paid")} == {"VALUE": None, "PRO": "yes"}
    standing = till.orders.top_up_of(till.business)
    assert standing is not None
    assert (standing.stopped, standing.actor, standing.card) == ("enough", "ama", None)
    till.agrees()


def test_what_was_agreed_is_kept_with_who_agreed() -> None:
    """The rule as it was given, with the price of now as the most; a new one takes its place, and it can be removed."""
    till = agreed(most_per_day=2, most_per_month=5, cool_down=timedelta(minutes=30), most_failures=2)
    standing = till.orders.top_up_of(till.business)
    assert standing is not None
    assert standing.rule == TopUpRule(
        pack="PRO",
        threshold=Credits(150),
        most_price=Money(180),
        most_per_day=2,
        most_per_month=5,
        cool_down=1_800_000_000,
        most_failures=2,
    )
    card = till.orders.cards(till.business)[0].id
    till.clock.advance(1)
    changed = till.orders.set_top_up(
        till.business, "VALUE", below="7.5", most_price=90, card=card, actor="kofi", enabled=False
    )
    assert (changed.rule.most_price, changed.rule.threshold, changed.card) == (Money(90), Credits("7.5"), card)
    assert changed.stopped == "off"
    till.clock.advance(1)
    assert till.orders.remove_top_up(till.business, actor="ama")
    assert not till.orders.remove_top_up(till.business, actor="ama")
    assert till.orders.top_up_of(till.business) is None
    assert till.orders.top_up(till.business) is None
    audit = till.books.operations.audit(till.business)
    assert [(one.actor, one.action, one.detail["pack"]) for one in audit] == [
        ("ama", "set_top_up", "PRO"),
        ("kofi", "set_top_up", "VALUE"),
        ("ama", "remove_top_up", "VALUE"),
    ]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"below": "0"}, "threshold above zero"),
        ({"most_per_day": 0}, "at least one purchase"),
        ({"most_per_month": 0}, "at least one purchase"),
        ({"most_failures": 0}, "at least one purchase"),
        ({"most_per_month": 1_001, "most_failures": 1}, "no guard"),
        ({"cool_down": timedelta(seconds=-1)}, "no time"),
        ({"most_price": 179}, "costs GHS 180.00"),
        ({"most_price": Money("180", "USD")}, "costs GHS 180.00"),
        ({"actor": ""}, "the actor"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(rule: dict[str, Any], says: str) -> None:
    """Nothing is agreed."""
    till = saved()
    with pytest.raises(ValueError, match=says):
        till.orders.set_top_up(till.business, "PRO", **{"below": "150", "actor": "ama"} | rule)
    assert till.orders.top_up_of(till.business) is None


@pytest.mark.parametrize("pack", ["CUSTOM", "HUGE"])
def test_a_pack_that_is_not_on_sale_is_refused(pack: str) -> None:
    """One of any size has no price to agree to."""
    till = saved()
    with pytest.raises(PaymentError, match="not on sale"):
        till.orders.set_top_up(till.business, pack, below=150, actor="ama")


@pytest.mark.parametrize(("make", "card"), [(Till, None), (saved, "other"), (lambda: saved(PageGateway()), None)])
def test_without_a_card_nothing_can_be_agreed(make: Callable[[], Till], card: str | None) -> None:
    """None saved, another one named, or a gateway that only has pages."""
    till = make()
    with pytest.raises(PaymentError, match="no saved card"):
        till.orders.set_top_up(till.business, "PRO", below=150, card=card, actor="ama")


@pytest.mark.parametrize("key", ["auto-top-up:2026-01-01:1", "renewal:sub_1:2"])
def test_a_hosts_own_key_is_never_an_automatic_one(key: str) -> None:
    """So that the guard counts what was bought by itself, and nothing else; and no month is kept from being renewed."""
    till = saved()
    with pytest.raises(ValueError, match="automatic order"):
        till.start("VALUE", key=key)


def test_two_machines_buy_once() -> None:
    """Whoever comes while the bank thinks finds the order; whoever comes after it finds enough."""
    till = agreed()
    found: list[Renewed] = []
    till.gateway.meanwhile = lambda: found.append(till.orders.renew())
    assert till.orders.renew() == Renewed(topped_up=1)
    assert found == [Renewed(waiting=1)]
    assert len(automatic(till)) == 1
    assert till.balance() == "350"
    till.agrees()


def test_many_machines_at_once_buy_once() -> None:
    """Eight threads that start together: one order, one charge, one grant."""
    till = agreed()
    ready, ends = threading.Barrier(8), list[Renewed]()

    def machine() -> None:
        ready.wait()
        ends.append(till.orders.renew())

    threads = [threading.Thread(target=machine) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ends) == 8
    assert all(end.failed == () for end in ends)
    assert (len(automatic(till)), len(till.gateway.requests), till.balance()) == (1, 2, "350")
    till.agrees()


def test_a_declined_card_ends_its_order_and_is_tried_again_later() -> None:
    """The owner is told each time; after three in a row it stops, until the owner agrees anew."""
    till = agreed(Steered(), most_failures=2)
    gateway: Any = till.gateway
    gateway.bank = "declines"
    assert till.orders.renew() == Renewed(declined=1)
    assert till.orders.renew() == Renewed()
    till.clock.advance(HOUR)
    assert till.orders.renew() == Renewed(declined=1)
    till.clock.advance(2 * DAY)
    for _ in range(2):
        assert till.orders.renew() == Renewed()
    assert [state for _, state in automatic(till)] == ["failed", "failed"]
    assert [one["reason"] for one in told(till, "top_up.declined")] == ["Insufficient funds"] * 2
    assert told(till, "top_up.stopped") == [{"reason": "failures", "pack": "PRO", "threshold": "150.00"}]
    gateway.bank = "takes"
    till.orders.set_top_up(till.business, "PRO", below=150, actor="ama")
    assert till.orders.renew() == Renewed(topped_up=1)
    till.agrees()


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_card_that_the_gateway_refuses_is_declined(status: int) -> None:
    """It says so by an error instead of an answer."""
    till = agreed()
    till.gateway.bank = GatewayError(status=status, reason="bad_authorization")  # type: ignore[attr-defined]
    assert till.orders.renew() == Renewed(declined=1)
    assert [state for _, state in automatic(till)] == ["failed"]


@pytest.mark.parametrize("status", [None, 401, 429, 503])
def test_a_gateway_out_of_reach_is_no_decline(status: int | None) -> None:
    """The same order goes on next time, whatever the cool-down."""
    till = agreed()
    gateway: Any = till.gateway
    gateway.bank = GatewayError(status=status, reason="down")
    for _ in range(2):
        assert till.orders.renew() == Renewed(failed=((till.business, "gateway"),))
    gateway.bank = "takes"
    assert till.orders.renew() == Renewed(topped_up=1)
    assert [state for _, state in automatic(till)] == ["successful"]
    assert told(till, "top_up.declined") == []


def test_a_machine_that_dies_between_charge_and_grant_costs_nobody_anything() -> None:
    """The next run asks the gateway, grants what was paid, and charges nothing more."""
    till = agreed()
    gateway: Any = till.gateway
    gateway.bank = GatewayError(reason="lost", may_exist=True)
    assert till.orders.renew() == Renewed(failed=((till.business, "gateway"),))
    assert till.balance() == "100"
    gateway.bank = AssertionError("charged twice")
    assert till.orders.renew() == Renewed(topped_up=1)
    assert till.balance() == "350"
    assert len(gateway.requests) == 2
    till.agrees()


def test_a_machine_that_dies_before_the_charge_leaves_it_to_the_next() -> None:
    """For a minute the order is its own; then another machine charges under the same reference."""
    till = agreed()
    gateway: Any = till.gateway
    gateway.bank = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        till.orders.renew()
    gateway.bank = "takes"
    assert till.orders.renew() == Renewed(waiting=1)
    with pytest.raises(PaymentPending):
        till.orders.top_up(till.business)
    till.clock.advance(60)
    assert till.orders.renew() == Renewed(topped_up=1)
    assert len(automatic(till)) == 1
    till.agrees()


@pytest.mark.parametrize(("ends", "found"), [("pay", Renewed(topped_up=1)), ("decline", Renewed(declined=1))])
def test_a_charge_that_takes_its_time_blocks_every_other(ends: str, found: Renewed) -> None:
    """It is asked about at each run, and nothing else is bought meanwhile."""
    till = agreed()
    gateway: Any = till.gateway
    gateway.bank = "thinks"
    for _ in range(2):
        assert till.orders.renew() == Renewed(waiting=1)
        till.clock.advance(HOUR)
    standing = till.orders.top_up_of(till.business)
    assert standing is not None
    assert standing.stopped == "pending"
    getattr(gateway, ends)(gateway.requests[-1].reference)
    assert till.orders.renew() == found
    assert len(automatic(till)) == 1
    till.agrees()


def test_a_card_forgotten_meanwhile_is_not_charged() -> None:
    """What was begun is asked about; what the bank had declined is ended; then the owner is told what is missing."""
    till = agreed()
    gateway: Any = till.gateway
    gateway.bank = GatewayError(status=503)
    till.orders.renew()
    till.orders.forget_card(till.business, till.orders.cards(till.business)[0].id)
    assert till.orders.renew() == Renewed(declined=1)
    for _ in range(2):
        assert till.orders.renew() == Renewed()
    assert [one["reason"] for one in told(till, "top_up.stopped")] == ["no_card"]


@pytest.mark.parametrize("bank", ["takes", "loses"])
def test_a_question_that_the_gateway_refuses_declines_no_card(bank: str) -> None:
    """The card was charged, and only then nobody could be asked: no other charge is made until somebody is."""
    till = agreed()
    gateway: Any = till.gateway
    gateway.bank = GatewayError(reason="lost", may_exist=True) if bank == "loses" else "takes"
    gateway.fetch_fails = GatewayError(status=422, reason="bad_request")
    for _ in range(3):
        assert till.orders.renew().failed == ((till.business, "gateway"),)
        till.clock.advance(2 * HOUR)
    assert (len(gateway.requests), told(till, "top_up.declined"), automatic(till)[0][1]) == (2, [], "pending")
    gateway.fetch_fails = None
    assert till.orders.renew() == Renewed(topped_up=1)
    assert (len(gateway.requests), till.balance()) == (2, "350")
    till.agrees()


def test_a_charge_begun_with_a_card_forgotten_since_is_asked_about() -> None:
    """Its answer was lost: what was paid is granted."""
    till = agreed()
    gateway: Any = till.gateway
    gateway.bank = GatewayError(reason="lost", may_exist=True)
    till.orders.renew()
    till.orders.forget_card(till.business, till.orders.cards(till.business)[0].id)
    assert till.orders.renew() == Renewed(topped_up=1)
    till.agrees()


def test_a_payment_that_does_not_fit_stops_all_until_an_operator_has_decided() -> None:
    """Nobody charges a card again whose last charge is in doubt."""
    till = agreed()
    gateway: Any = till.gateway
    gateway.bank = "thinks"
    till.orders.renew()
    gateway.pay(gateway.requests[-1].reference, amount_minor=1)
    assert till.orders.renew() == Renewed(waiting=1)
    till.clock.advance(2 * DAY)
    assert till.orders.renew() == Renewed()
    standing = till.orders.top_up_of(till.business)
    assert standing is not None
    assert standing.stopped == "pending"


def test_a_runaway_buys_no_more_than_was_agreed() -> None:
    """A threshold that no pack reaches: one a day, two a month, and the owner is told why once each."""
    till = agreed(below="100000", pack="STARTER", most_per_month=2)
    start = till.clock.now()
    for _ in range(4):
        for _ in range(3):
            till.orders.renew()
            till.clock.advance(HOUR)
        till.clock.advance(DAY - 3 * HOUR)
    assert len(automatic(till)) == 2
    reasons = [one["reason"] for one in told(till, "top_up.stopped")]
    assert reasons.count("daily") == 2
    assert reasons.count("monthly") == 1
    assert till.clock.now() - start == 4 * DAY * 1_000_000
    till.agrees()


def test_a_price_that_rose_is_not_paid_by_itself() -> None:
    """The owner agreed to what it cost then; the pack that goes off sale is not replaced by another."""
    sold = list(PREPAID_PACKS)
    till = saved(packs=lambda *_: tuple(sold))
    till.orders.set_top_up(till.business, "PRO", below=150, actor="ama")
    sold[-1] = sold[-1].__class__(type="PRO", price=Money(181), credits=Credits(250), bonus=Credits(70))
    assert till.orders.renew() == Renewed()
    sold.pop()
    assert till.orders.renew() == Renewed()
    assert sorted(one["reason"] for one in told(till, "top_up.stopped")) == ["not_on_sale", "price"]


def test_a_suspended_wallet_buys_nothing() -> None:
    """Neither by the job nor when it is asked for alone."""
    till = agreed()
    till.books.operations.set_status(till.business, "suspended", actor="ama", reason="fraud")
    assert till.orders.renew() == Renewed()
    assert till.orders.top_up(till.business) is None


def test_a_business_is_topped_up_when_its_host_hears_that_it_is_low() -> None:
    """The same purchase as the job's, for one business."""
    till = agreed()
    payment = till.orders.top_up(till.business)
    assert payment is not None
    assert payment.order.state == "successful"
    assert till.orders.renew() == Renewed()


def test_one_business_in_trouble_keeps_no_other_waiting() -> None:
    """Two hundred others on further pages are topped up all the same."""
    till = agreed()
    other = "biz_9"
    payment = till.orders.start(other, "VALUE", email="kofi@shop.example")
    till.gateway.pay(payment.attempt.reference, card=CARD)
    till.orders.verify(other, payment.attempt.reference)
    till.orders.set_top_up(other, "PRO", below=150, actor="kofi")
    gateway: Any = till.gateway
    charge = gateway.charge_card

    def once(request: Any, card: Any) -> Any:
        gateway.charge_card = charge
        raise GatewayError(status=503)

    gateway.charge_card = once
    done = till.orders.renew()
    assert (done.topped_up, len(done.failed)) == (1, 1)


def test_erasing_a_business_forgets_what_it_agreed_to() -> None:
    """With its cards; one user's erasure leaves both, and forgets who agreed."""
    till = agreed()
    for user, actor in (("esi", "ama"), ("ama", "erased")):
        till.books.operations.erase(till.business, user=user, actor="kofi")
        standing = till.orders.top_up_of(till.business)
        assert standing is not None
        assert standing.actor == actor
    till.books.operations.erase(till.business, actor="kofi")
    assert till.orders.top_up_of(till.business) is None


def test_a_rule_removed_in_the_same_moment_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever set it is told; a run that saw it a moment ago buys nothing."""
    till = saved()
    look = type(till.orders._topping_up).look
    monkeypatch.setattr(type(till.orders._topping_up), "look", lambda *_: None)
    with pytest.raises(NotFound):
        till.orders.set_top_up(till.business, "PRO", below=150, actor="ama")
    assert till.orders.top_up(till.business) is None
    monkeypatch.setattr(type(till.orders._topping_up), "look", look)
    card = till.orders._topping_up._payers.card

    def removing(business: str, named: str | None = None) -> Any:
        till.orders.remove_top_up(business, actor="ama")
        return card(business, named)

    monkeypatch.setattr(till.orders._topping_up._payers, "card", removing)
    assert till.orders.top_up_of(till.business) is None


class Ending(Steered):
    """Its payer ends the order while the bank thinks."""

    def charge_card(self, request: Any, card: Any) -> Any:
        if self.meanwhile is not None:
            self.meanwhile()
        return super().charge_card(request, card)


@pytest.mark.parametrize("bank", ["declines", GatewayError(status=400)])
def test_an_order_that_its_owner_ends_meanwhile_is_left_alone(bank: Any) -> None:
    """The owner gave it up while the bank declined it: nothing is told twice."""
    till = agreed(Ending())
    gateway: Any = till.gateway
    gateway.bank = bank
    gateway.meanwhile = lambda: till.orders.cancel(till.business, till.orders.history(till.business)[0].id)
    till.clock.advance(1)
    assert till.orders.renew() == Renewed(declined=1)
    assert (len(told(till, "order.failed")), told(till, "top_up.declined")) == (1, [])


def test_books_that_cannot_be_used_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are nobody's trouble but everybody's; any other error is one business's."""
    till = agreed()

    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Ordering, "start", broken)
    error: Exception = StoreUnavailable()
    with pytest.raises(StoreUnavailable):
        till.orders.renew()
    error = IdempotencyConflict()
    assert till.orders.renew() == Renewed(failed=((till.business, "idempotency_conflict"),))


def meanwhile(till: Till, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen once, after a machine has decided to buy and before it orders."""
    payers = till.orders._topping_up._payers
    email = payers.email

    def late(business: str) -> str | None:
        monkeypatch.setattr(payers, "email", email)
        happens()
        return email(business)

    monkeypatch.setattr(payers, "email", late)


def test_a_machine_that_slept_over_midnight_buys_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key is of the day before, so the order of another machine is not found under it; it looks again."""
    till = agreed()
    found: list[Renewed] = []

    def next_day() -> None:
        till.clock.advance(DAY)
        found.append(till.orders.renew())

    meanwhile(till, monkeypatch, next_day)
    assert till.orders.renew() == Renewed()
    assert found == [Renewed(topped_up=1)]
    assert (len(automatic(till)), till.balance()) == (1, "350")
    till.agrees()


@pytest.mark.parametrize(
    "happens",
    [
        lambda till: till.orders.remove_top_up(till.business, actor="ama"),
        lambda till: till.orders.set_top_up(till.business, "PRO", below=150, actor="ama", enabled=False),
        lambda till: till.orders.set_top_up(till.business, "VALUE", below=150, actor="ama"),
        lambda till: till.books.operations.set_status(till.business, "suspended", actor="op", reason="x"),
    ],
)
def test_what_the_owner_takes_back_before_the_order_is_not_bought(
    monkeypatch: pytest.MonkeyPatch, happens: Callable[[Till], object]
) -> None:
    """A rule that was removed, switched off or changed since a machine decided, or a wallet that was stopped."""
    till = agreed()
    meanwhile(till, monkeypatch, lambda: happens(till))
    assert till.orders.renew() == Renewed()
    assert (automatic(till), till.balance()) == ([], "100")


def test_a_price_that_rises_before_the_order_is_not_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order would be made at the price of then, which nobody agreed to."""
    sold = list(PREPAID_PACKS)
    till = saved(packs=lambda *_: tuple(sold))
    till.orders.set_top_up(till.business, "PRO", below=150, actor="ama")

    def rises() -> None:
        sold[-1] = sold[-1].__class__(type="PRO", price=Money(181), credits=Credits(250), bonus=Credits(70))

    meanwhile(till, monkeypatch, rises)
    assert till.orders.renew() == Renewed()
    assert (automatic(till), till.balance()) == ([], "100")


def test_a_business_never_seen_agreed_to_nothing() -> None:
    """There is nothing to remove, and no wallet is made for it."""
    till = agreed()
    assert till.orders.top_up_of("biz_never") is None
    assert till.orders.remove_top_up("biz_never", actor="ama") is False
