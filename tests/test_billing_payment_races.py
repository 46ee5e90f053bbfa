"""One order is one grant: many who bring it at once, processes that die at any step, processes that are killed."""

from __future__ import annotations

import random
import sys
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.billing.doctor import examine
from ai_addons.billing.sql import Database
from ai_addons.errors import GatewayError
from ai_addons.money import Credits
from tests import payments_child
from tests.books import Books, new_database, new_url, open_books, run_sql
from tests.hands import at_once, dies_at, examined, fatal, steps_of
from tests.payments_child import FolderGateway, sell
from tests.processes import Child
from tests.scripted_gateway import ScriptedGateway, Till, webhook
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.billing.opening import Payment
    from ai_addons.billing.orders import Order

pytestmark = pytest.mark.usefixtures("each_database")

MANY: Final = 50
KILLS: Final = 60 if FULL else 6
FORKS: Final = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")


def test_b7_b8_b9_webhook_browser_and_reconciler_at_once_are_one_grant(tmp_path: Path) -> None:
    """Fifty hands bring the same success by three ways; one of them grants."""
    with examined(tmp_path, "0") as books:
        till = Till(books=books)
        payment = till.start()
        reference = payment.attempt.reference
        till.gateway.pay(reference)
        granted: list[str] = []

        def bring(number: int) -> None:
            if number % 3 == 0:
                till.orders.receive("scripted", *webhook(reference))
                till.orders.work_inbox()
            elif number % 3 == 1:
                granted.append(till.orders.verify(till.business, reference).verdict)
            else:
                till.orders.reconcile()

        at_once(MANY, bring)
        assert granted.count("grant") <= 1
        assert set(granted) <= {"grant", "again"}
        assert (till.balance(), till.topics()) == ("100", ["order.paid"])
        assert till.order(payment).state == "successful"
        assert books.sql("SELECT seen FROM ai_gateway_events") == [(17,)]
        assert till.orders.quarantined() == []


def test_b9_two_messages_under_one_key_are_two_grants_for_two_orders(tmp_path: Path) -> None:
    """What is done once is the grant of an order, never the message: a second purchase is not skipped."""

    class OneKey(ScriptedGateway):
        def read_webhook(self, headers: Any, body: bytes) -> Any:
            event = super().read_webhook(headers, body)
            return type(event)(key="same", name=event.name, topic=event.topic, reference=event.reference, body=body)

    with examined(tmp_path, "0") as books:
        till = Till(OneKey(), books=books)
        for _ in range(2):
            payment = till.start()
            till.gateway.pay(payment.attempt.reference)
            till.orders.receive("scripted", *webhook(payment.attempt.reference))
            till.orders.work_inbox()
        assert till.balance() == "200"


def test_two_successes_at_once_are_one_grant_and_one_payment_put_aside(tmp_path: Path) -> None:
    """Whichever comes first pays the order."""
    with examined(tmp_path, "0") as books:
        till = Till(books=books)
        first = till.start()
        references = [first.attempt.reference] + [
            till.orders.attempt(till.business, first.order.id).attempt.reference for _ in range(3)
        ]
        for reference in references:
            till.gateway.pay(reference)
        verdicts = at_once(12, lambda number: till.orders.verify(till.business, references[number % 4]).verdict)
        assert sorted(set(verdicts)) in (["again", "grant", "quarantine"], ["grant", "quarantine"])
        assert (verdicts.count("grant"), till.balance(), len(till.orders.quarantined())) == (1, "100", 3)


def test_d23_a_double_tap_is_one_order_and_one_prompt(tmp_path: Path) -> None:
    """Of many taps under one key one asks the gateway; the others get the same order or are told to wait."""
    with examined(tmp_path, "0") as books:
        till = Till(books=books)

        def tap(_: int) -> str:
            try:
                return till.start(key="tap", phone="0551234987", network="mtn").attempt.reference
            except Exception as error:  # noqa: BLE001  # its name is the answer
                return type(error).__name__

        answers = set(at_once(16, tap))
        assert len(till.orders.history(till.business)) == 1
        assert len(till.gateway.requests) == 1
        assert answers <= {till.gateway.requests[0].reference, "PaymentPending"}


@FORKS
def test_b6_b10_d3_a_process_that_is_gone_at_any_step_of_a_payment_grants_once(tmp_path: Path) -> None:
    """Gone before any statement, before the commit or after it: whoever asks next finds all of it or nothing."""
    left = set[str]()
    with examined(tmp_path, "0") as books:

        def paid(business: str) -> tuple[Till, Payment, Callable[[], object]]:
            till = Till(books=books)
            till.business = business
            payment = till.start(key="tap")
            till.gateway.pay(payment.attempt.reference)
            return till, payment, partial(till.orders.verify, business, payment.attempt.reference)

        steps = steps_of(paid("calm")[2])
        for step in (*fatal(steps), steps):
            till, payment, work = paid(f"biz_{step}")
            assert dies_at(step, work) is (step < steps)
            left.add(till.order(payment).state)
            assert till.balance() == ("100" if till.order(payment).state == "successful" else "0")
            till.orders.reconcile()
            assert (till.balance(), till.order(payment).state) == ("100", "successful")
    assert (left, steps > 10) == ({"pending", "successful"}, True)


@FORKS
def test_a_process_that_is_gone_at_any_step_of_an_order_is_gone_on_with(tmp_path: Path) -> None:
    """Under its key the same order is opened after all, once."""
    with examined(tmp_path, "0") as books:

        def opening(business: str) -> Till:
            till = Till(books=books)
            till.business = business
            return till

        steps = steps_of(partial(opening("calm").start, key="tap"))
        for step in (*fatal(steps), steps):
            till = opening(f"biz_{step}")
            assert dies_at(step, partial(till.start, key="tap")) is (step < steps)
            books.clock.advance(61)
            payment = till.start(key="tap")
            assert (payment.attempt.state, len(till.orders.history(till.business))) == ("open", 1)
        assert steps > 10


@FORKS
def test_a_process_that_is_gone_at_any_step_of_putting_aside_does_it_once(tmp_path: Path) -> None:
    """Attempt, order, quarantine and what is told stand together; so does what an operator decides."""
    with examined(tmp_path, "0") as books:

        def underpaid(business: str) -> tuple[Till, Payment, Callable[[], object]]:
            till = Till(books=books)
            till.business = business
            payment = till.start()
            till.gateway.pay(payment.attempt.reference, amount_minor=1)
            return till, payment, partial(till.orders.verify, business, payment.attempt.reference)

        def decision(till: Till) -> Callable[[], object]:
            (one,) = (q for q in till.orders.quarantined(1_000) if q.business == till.business)
            return partial(till.orders.release, till.business, one.id, actor="kofi", reason="goodwill")

        calm, _, verify = underpaid("calm")
        asides, decisions = steps_of(verify), steps_of(decision(calm))
        for step in sorted({*fatal(asides), asides, *fatal(decisions), decisions}):
            till, payment, verify = underpaid(f"biz_{step}")
            assert dies_at(step, verify) is (step < asides)
            till.orders.apply(payment.attempt.reference)
            decide = decision(till)
            assert dies_at(step, decide) is (step < decisions)
            decide()
            assert (till.balance(), till.order(payment).state) == ("100", "successful")


def _states(database: Database) -> list[tuple[str, int]]:
    """How many orders are in each state."""
    rows = run_sql(database, "SELECT state, COUNT(*) FROM ai_credit_purchases GROUP BY state ORDER BY state")
    return [(state, int(number)) for state, number in rows]


def test_whoever_is_killed_between_the_payment_and_its_grant_grants_once(tmp_path: Path) -> None:
    """`kill -9` at any time; the reconciler then grants every order that was paid, and none twice."""
    url, folder, chance = new_url(tmp_path), tmp_path / "gateway", random.Random(6)  # noqa: S311  # no secret
    folder.mkdir()
    paid = list[str]()
    for _ in range(KILLS):
        with Child(payments_child.main, url, folder) as child:
            lines = [child.stdout.readline()]
            time.sleep(chance.uniform(0, 0.1))
            child.kill()
            lines += child.rest().splitlines(keepends=True)
        # The kill may have cut the last line short.
        paid += [line.strip() for line in lines if line.endswith("\n")]
    with closing(Database(url)) as database:
        gateway = FolderGateway(folder)
        opened = open_books(database)
        orders = sell(opened, gateway)
        orders.reconcile()
        states = dict(_states(database))
        history: list[Order] = orders.history("biz_7", 10_000)
        by_reference = {order.paid_reference: order for order in history}
        assert set(paid) <= set(by_reference)
        assert sum(states.values()) == len(history)
        worth = sum(order.credits.micro for order in history if order.state == "successful")
        assert opened.store.wallet("biz_7").available == Credits.from_micro(worth)
        again = orders.reconcile()
        assert (again.granted, again.ok) == (0, True)
        assert examine(database).findings == ()


def test_a_gateway_that_is_down_for_a_while_loses_nothing(tmp_path: Path) -> None:
    """The webhook waits in the inbox, the order stays open, and both are there when it is back."""
    books = Books("0", database=new_database(tmp_path))
    till = Till(books=books)
    payment = till.start()
    till.gateway.pay(payment.attempt.reference)
    till.gateway.fetch_fails = GatewayError(status=502)
    till.orders.receive("scripted", *webhook(payment.attempt.reference))
    till.orders.work_inbox()
    with pytest.raises(GatewayError):
        till.orders.verify(till.business, payment.attempt.reference)
    assert till.balance() == "0"
    till.gateway.fetch_fails = None
    till.clock.advance(60)
    till.orders.work_inbox()
    assert till.balance() == "100"
    books.close()
