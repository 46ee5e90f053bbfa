"""Refunded months of the add-on: their credits come back, also what was carried of them, and the add-on ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ai_addons.billing.gateways.base import Dispute, Outcome, RefundOutcome
from ai_addons.billing.renewing import Renewed
from ai_addons.errors import InsufficientCreditsError, WalletSuspended
from ai_addons.money import Credits
from tests.books import OK
from tests.money_back import figures
from tests.scripted_gateway import ScriptedGateway, Till, webhook
from tests.sizes import FULL

if TYPE_CHECKING:
    from ai_addons.billing.opening import Payment
    from ai_addons.billing.policy import Subscription
    from ai_addons.billing.refunds import MoneyBack

pytestmark = pytest.mark.usefixtures("each_database")

DAY = 86_400
FREE = 5
"""Credits that the policy gives each month."""


def taken(**options: Any) -> tuple[Till, Payment]:
    """A business with a paid month of the add-on: 100 credits, and five free ones which are spent first."""
    till = Till(ScriptedGateway(), policy="hybrid", **options)
    payment = month(till)
    spend(till, FREE)
    return till, payment


def month(till: Till) -> Payment:
    """The next month is ordered and paid."""
    payment, applied = till.paid(None, addon=True)
    assert applied.verdict == "grant"
    return payment


def spend(till: Till, credits_: int) -> None:
    """One call."""
    till.books.store.capture(till.books.hold(str(credits_)), OK)


def goes_back(
    till: Till, payment: Payment, minor: int = 5_000, outcome: RefundOutcome = RefundOutcome.DONE
) -> MoneyBack:
    """The gateway sends money back, on its own page, and says so."""
    till.gateway.tell_refund(payment.attempt.reference, minor, outcome)
    return heard(till, payment)


def heard(till: Till, payment: Payment) -> MoneyBack:
    """The webhook comes."""
    reference = payment.attempt.reference
    till.orders.receive("scripted", *webhook(reference, name="refund.processed", topic="refund"))
    till.orders.work_inbox()
    return till.orders.money_back(till.business, payment.order.id)


def subscription(till: Till) -> Subscription:
    """The add-on as it is now."""
    found = till.books.store.wallet(till.business).subscription
    assert found is not None
    return found


def next_month(till: Till, days: int = 0) -> None:
    """Until the month is over, or some days before or after."""
    ends = till.books.sql("SELECT MAX(expires_at) FROM ai_credit_grants WHERE source = 'addon'")[0][0]
    till.clock.advance((ends - till.clock.now()) // 1_000_000 + days * DAY)
    till.books.store.sweep()


def bought(till: Till) -> str:
    """Credits available, the free ones of the policy left out."""
    wallet = till.books.store.wallet(till.business)
    return sum((one.free for one in wallet.grants if one.source != "free_monthly"), start=Credits(0)).short


@pytest.mark.parametrize(
    ("policy", "short"), [("clamp", {"written_off": "40"}), ("debt", {"owed": "40"}), ("suspend", {"owed": "40"})]
)
def test_a_refunded_month_takes_what_is_unused_and_ends(policy: Any, short: dict[str, str]) -> None:
    """What was spent is for the policy; there is no renewal; the order says what became of it."""
    till, payment = taken(shortfall=policy)
    spend(till, 40)
    back = till.orders.refund(till.business, payment.order.id, key="r-1", actor="kofi", reason="unhappy")
    assert (figures(back), subscription(till).state) == ({"frozen": "60"}, "active")
    till.gateway.end_refund(payment.attempt.reference)
    assert figures(heard(till, payment)) == {"taken": "60"} | short
    assert (till.order(payment).state, subscription(till).state, bought(till)) == ("refunded", "ended", "0")
    with pytest.raises(WalletSuspended if policy == "suspend" else InsufficientCreditsError):
        till.books.hold("1")
    told = [topic for (topic,) in till.books.sql("SELECT topic FROM ai_outbox")]
    assert told.count("addon.refunded") == 1
    next_month(till)
    assert till.orders.renew() == Renewed()
    till.agrees()


def test_a_part_takes_its_share_and_the_month_goes_on() -> None:
    """Half of the money is half of the credits; the rest is carried as ever."""
    till, payment = taken()
    assert figures(goes_back(till, payment, 2_500)) == {"taken": "50"}
    assert (till.order(payment).state, subscription(till).state, bought(till)) == ("partially_refunded", "active", "50")
    month(till)
    next_month(till)
    assert bought(till) == "150"
    till.agrees()


@pytest.mark.parametrize(
    ("spent", "left", "done"),
    [
        (0, "100", {"taken": "50", "lapsed": "50"}),
        (30, "100", {"taken": "20", "lapsed": "50", "written_off": "30"}),
        (60, "90", {"lapsed": "50", "written_off": "50"}),
    ],
)
def test_what_was_carried_into_the_next_month_is_taken_there(spent: int, left: str, done: dict[str, str]) -> None:
    """Of the month's hundred fifty expired and fifty were carried; the next month is paid for and goes on."""
    till, payment = taken()
    month(till)
    next_month(till)
    assert bought(till) == "150"
    spend(till, FREE)
    if spent:
        spend(till, spent)
    assert figures(goes_back(till, payment)) == done
    assert (bought(till), subscription(till).state, till.order(payment).state) == (left, "active", "refunded")
    till.agrees()


def test_a_rollover_gives_only_what_the_month_brought_into_it() -> None:
    """Twenty of the second month and thirty of the first: the second one's refund takes its twenty."""
    till, _ = taken()
    second = month(till)
    next_month(till)
    spend(till, FREE)
    # The rollover of fifty burns first: left are thirty of it... and then of the second month's hundred.
    spend(till, 20)
    hold = till.books.hold("30")
    spend(till, 80)
    till.books.store.void(hold, OK)
    third = month(till)
    next_month(till)
    assert bought(till) == "150"
    assert figures(goes_back(till, second)) == {"taken": "20", "written_off": "80"}
    assert bought(till) == "130"
    assert figures(goes_back(till, third)) == {"taken": "100"}
    assert (bought(till), subscription(till).state) == ("30", "ended")
    till.agrees()


@pytest.mark.parametrize(("paid", "state", "done"), [(True, "active", "taken"), (False, "ended", "lapsed")])
def test_what_waits_for_a_payment_is_waited_for(paid: bool, state: str, done: str) -> None:
    """The next month is unpaid: what it carries back is taken when it comes, or was lost."""
    till, payment = taken()
    next_month(till)
    assert subscription(till).state == "past_due"
    assert figures(goes_back(till, payment)) == {"waiting": "50", "lapsed": "50"}
    if paid:
        month(till)
        assert bought(till) == "100"
    else:
        till.clock.advance(8 * DAY)
        till.books.store.sweep()
        spend(till, 1)
    wanted = {"taken": "50", "lapsed": "50"} if done == "taken" else {"lapsed": "100"}
    assert figures(till.orders.money_back(till.business, payment.order.id)) == wanted
    assert subscription(till).state == state
    till.agrees()


def test_a_month_refunded_before_it_begins_gives_nothing() -> None:
    """Its credits come with the month and are taken at once; there is no further renewal."""
    till, _ = taken()
    second = month(till)
    assert figures(goes_back(till, second)) == {"waiting": "100"}
    assert (subscription(till).state, bought(till)) == ("cancel_at_end", "100")
    next_month(till)
    assert bought(till) == "50"
    assert figures(till.orders.money_back(till.business, second.order.id)) == {"taken": "100"}
    # What the first month had left lives on for a last one, as it does for everybody who cancels.
    next_month(till)
    assert (subscription(till).state, bought(till)) == ("ended", "50")
    till.agrees()


def test_money_that_a_bank_sends_back_gives_the_credits_back() -> None:
    """The refund had been done and failed after all; the add-on stays ended, and can be taken anew."""
    till, payment = taken()
    goes_back(till, payment)
    assert (bought(till), subscription(till).state) == ("0", "ended")
    till.gateway.end_refund(payment.attempt.reference, RefundOutcome.FAILED)
    assert figures(heard(till, payment)) == {}
    assert (bought(till), till.order(payment).state, subscription(till).state) == ("100", "successful", "ended")
    month(till)
    assert (bought(till), subscription(till).state) == ("200", "active")
    till.agrees()


@pytest.mark.parametrize(("lost", "left", "state"), [(False, "100", "active"), (True, "0", "ended")])
def test_a_disputed_month_is_frozen_until_the_bank_decides(lost: bool, left: str, state: str) -> None:
    """Lost, it is as if it were refunded."""
    till, payment = taken()
    told = {"id": "D1", "reference": payment.attempt.reference, "amount_minor": 5_000, "currency": "GHS"}
    till.gateway.contested[payment.attempt.reference] = [Dispute(**told, open=True, lost=None)]  # type: ignore[arg-type]  # read above
    assert figures(heard(till, payment)) == {"frozen": "100"}
    assert (bought(till), till.order(payment).state, subscription(till).state) == ("0", "disputed", "active")
    till.gateway.contested[payment.attempt.reference] = [Dispute(**told, open=False, lost=lost)]  # type: ignore[arg-type]  # read above
    heard(till, payment)
    assert (bought(till), subscription(till).state) == (left, state)
    till.agrees()


def test_a_frozen_share_is_not_carried_and_comes_back_as_a_late_one() -> None:
    """The refund fails after the month's end: what it had set apart fills what room the rollover has."""
    till, payment = taken()
    month(till)
    goes_back(till, payment, 4_000, RefundOutcome.PENDING)
    next_month(till)
    assert bought(till) == "120"
    till.gateway.end_refund(payment.attempt.reference, RefundOutcome.FAILED)
    assert figures(heard(till, payment)) == {}
    assert bought(till) == "150"
    assert figures(goes_back(till, payment))["taken"] == "20"
    till.agrees()


def test_a_payment_that_is_reversed_at_the_gateway_is_looked_into() -> None:
    """Whole and without a refund that could be booked, the operator is told, as for a pack."""
    till, payment = taken()
    till.gateway.change(payment.attempt.reference, outcome=Outcome.REVERSED)
    applied = till.orders.verify(till.business, payment.attempt.reference)
    assert (applied.verdict, bought(till)) == ("reversed", "100")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("spend"), st.sampled_from([1, 20, 60])),
        st.tuples(st.just("wait"), st.sampled_from([1, 12, 32])),
        st.tuples(st.just("pay"), st.just(0)),
        st.tuples(st.just("whole"), st.just(5_000)),
        st.tuples(st.just("refund"), st.sampled_from([1_000, 2_500, 5_000])),
        st.tuples(st.just("end"), st.sampled_from([0, 1])),
    ),
    max_size=12,
)


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
@pytest.mark.timeout(1_800 if FULL else 120)
@settings(
    max_examples=500 if FULL else 25, deadline=None, derandomize=not FULL, suppress_health_check=list(HealthCheck)
)
@given(steps=STEPS, policy=st.sampled_from(["clamp", "debt"]))
def test_whatever_happens_to_months_money_and_credits_agree(steps: list[tuple[str, int]], policy: Any) -> None:
    """Calls, months, refunds in any order: each order gets what its money asks for, and the doctor finds nothing."""
    till, payment = taken(shortfall=policy)
    months = [payment]
    for step, number in steps:
        till.clock.advance(1)
        _do(till, months, step, number)
        for one in months:
            back = till.orders.money_back(till.business, one.order.id)
            got = back.taken + back.lapsed + back.waiting + back.repaid + back.written_off + back.owed
            assert got == Credits.from_micro(100_000_000 * back.reversed_minor // 5_000)
        till.agrees()
    till.books.close()


def _do(till: Till, months: list[Payment], step: str, number: int) -> None:
    reference = months[-1].attempt.reference
    if step == "wait":
        till.clock.advance(number * DAY)
        till.books.store.sweep()
    elif step == "spend" and till.books.store.wallet(till.business).available >= Credits(number):
        spend(till, number)
    elif step == "pay" and subscription(till).state != "cancel_at_end":
        payment = till.start(None, addon=True)
        till.gateway.pay(payment.attempt.reference)
        till.orders.verify(till.business, payment.attempt.reference)
        months.append(payment)
    elif step == "refund":
        room = 5_000 - sum(one.amount_minor for one in till.gateway.sent_back.get(reference, []))
        if number <= room:
            goes_back(till, months[-1], number, RefundOutcome.PENDING)
    elif step == "whole" and not till.gateway.sent_back.get(reference):
        goes_back(till, months[-1], number)
    elif step == "end" and till.gateway.sent_back.get(reference):
        till.gateway.end_refund(reference, (RefundOutcome.DONE, RefundOutcome.FAILED)[number])
        heard(till, months[-1])
