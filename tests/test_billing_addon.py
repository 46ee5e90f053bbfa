"""The monthly add-on: periods, rollover, grace and reminders, on books of a few lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ai_addons.billing import addon
from ai_addons.billing.packs import ADDON
from ai_addons.billing.policy import AddonPlan, Carry, Due, Forfeit, Give, Release, Subscription, Tell
from ai_addons.errors import AddonConflict, ConfigError
from ai_addons.money import Credits, Money
from tests.addon_books import ACCRA, APR, CEDI, DAY, FEB, MAR, NEW, START, Books, grant, kinds, us


@pytest.fixture
def books() -> Books:
    """An add-on paid on 31 January, 10:00 in Accra."""
    books = Books()
    books.pay()
    return books


# Beginning


def test_an_add_on_that_nobody_paid_gives_nothing() -> None:
    """Taking it is free of charge and of credits: no work is ever due before the first payment."""
    taken = addon.begin(ADDON, id="s", business="biz", tz=ACCRA, now=START - 5 * DAY)
    assert taken == Subscription(
        id="s",
        business="biz",
        plan=ADDON,
        state="incomplete",
        tz=ACCRA,
        anchor_at=START - 5 * DAY,
        first=0,
        period=0,
        paid_through=-1,
        carried=Credits(0),
        waiting=Credits(0),
        waiting_paid=0,
        reminded=0,
        created_at=START - 5 * DAY,
        ended_at=None,
    )
    books = Books(taken, now=START - 5 * DAY)
    books.wait(APR)
    assert (books.log, books.available) == ([], "0")


def test_an_account_without_an_add_on_has_no_work() -> None:
    """Most wallets never took one."""
    assert addon.due(replace(Books().account, subscription=None)) is None


def test_a_zone_that_is_none_is_refused_when_it_is_taken() -> None:
    """A wrong zone is found at once, not at the first renewal."""
    with pytest.raises(ConfigError, match=r"^No time zone is called 'Africa/Acra'"):
        addon.begin(ADDON, id="s", business="biz", tz="Africa/Acra", now=START)


def test_the_first_payment_starts_the_first_period() -> None:
    """The period begins when the money came, not when the add-on was asked for."""
    work = addon.pay(NEW, now=START)
    assert work.at == START
    assert work.period is None
    assert work.tasks == (Give(source="addon", ref="s:0", amount=Credits(100), expires_at=FEB, paid=50 * CEDI),)
    assert work.subscription == replace(NEW, state="active", anchor_at=START, paid_through=0)


@pytest.mark.parametrize("period", [0, -1])
def test_a_payment_that_comes_twice_gives_nothing_twice(books: Books, period: int) -> None:
    """A webhook that is delivered again changes nothing."""
    before = books.subscription
    again = addon.pay(before, period=period, now=START + 1)
    assert again == Due(at=START + 1, subscription=before)


def test_no_period_is_left_out(books: Books) -> None:
    """A payment for a period after the next unpaid one is refused in words, and nothing is given for it."""
    with pytest.raises(AddonConflict) as refused:
        addon.pay(books.subscription, period=2, now=START)
    assert str(refused.value) == (
        "Period 1 of this add-on is not paid yet. Nothing was given for period 2. Pay period 1 first."
    )


# Renewal and rollover


def test_paid_early_a_renewal_is_given_when_its_period_starts(books: Books) -> None:
    """Paying in advance does not put credits into the wallet before their time, and several months may be paid."""
    before = books.subscription
    work = addon.pay(before, period=1, now=START + 1)
    assert work == Due(at=START + 1, subscription=replace(before, paid_through=1))
    books.act(work)
    books.pay()
    assert (books.available, books.subscription.paid_through, books.subscription.period) == ("100", 2, 0)
    books.wait(FEB - 1)
    assert books.available == "100"
    books.wait(FEB)
    assert (books.available, books.subscription.period) == ("150", 1)
    books.wait(MAR)
    assert books.available == "150"
    renewed = [(at, kind) for at in (FEB, MAR) for kind in ("Carry", "Release", "Give")]
    assert kinds(books) == [(START, "Give"), *renewed]


@pytest.mark.parametrize(
    ("used", "carried"),
    [("0", "50"), ("49.999999", "50"), ("50", "50"), ("50.000001", "49.999999"), ("100", "0")],
)
def test_what_is_left_of_the_add_on_rolls_over_up_to_fifty(books: Books, used: str, carried: str) -> None:
    """After the first period: 100 given, at most 50 live on, the rest expires."""
    books.pay()
    books.spend(used)
    books.wait(FEB)
    assert books.available == (Credits(100) + Credits(carried)).short
    assert books.subscription.carried == Credits(carried)


@pytest.mark.parametrize(
    ("used", "carried", "after"),
    [("0", "50", "150"), ("120", "30", "130"), ("150", "0", "100"), ("20", "50", "150")],
)
def test_the_rollover_counts_towards_the_next_one_and_burns_first(
    books: Books, used: str, carried: str, after: str
) -> None:
    """After a period of 150 (add-on and rollover): the reference's table."""
    books.pay()
    books.pay()
    books.wait(FEB)
    books.spend(used)
    books.wait(MAR)
    assert (books.subscription.carried, books.available) == (Credits(carried), after)


def test_the_carry_is_taken_from_the_add_on_first_and_keeps_what_was_paid(books: Books) -> None:
    """A rollover credit is worth what its grant cost: 0.50 cedis here; the older rollover is left to expire."""
    books.pay()
    books.pay()
    books.wait(FEB)
    books.spend("80")
    books.wait(MAR)
    carry, release, give = [task for at, task in books.log if at == MAR]
    assert carry == Carry(grants=("addon/s:1",), amount=Credits(50))
    assert release == Release(ref="s:2", amount=Credits(50), paid=25 * CEDI, expires_at=APR)
    assert give == Give(source="addon", ref="s:2", amount=Credits(100), expires_at=APR, paid=50 * CEDI)


def test_what_the_add_on_cannot_fill_comes_from_the_rollover_before_it() -> None:
    """30 of an add-on at 0.50 and 20 of a rollover at 0.40: 50 credits that cost 23 cedis."""
    first = addon.pay(NEW, now=START).subscription
    assert first is not None
    main = replace(grant("addon", "s:0", "100", paid=50 * CEDI, expires_at=FEB), remaining=Credits(30))
    before = grant("rollover", "s:0", "40", paid=16 * CEDI, expires_at=FEB)
    books = Books(replace(first, paid_through=1), before, main)
    books.wait(FEB)
    assert books.log[:2] == [
        (FEB, Carry(grants=("addon/s:0", "rollover/s:0"), amount=Credits(50))),
        (FEB, Release(ref="s:1", amount=Credits(50), paid=23 * CEDI, expires_at=MAR)),
    ]


def test_only_the_add_ons_own_credits_roll_over(books: Books) -> None:
    """Packs stay as they are; free credits, another add-on's and what was taken back never count towards the cap."""
    strangers = [
        grant("purchase", "order-1", "100"),
        grant("purchase", "s:0", "3", expires_at=FEB),
        grant("free_monthly", "free:1", "5", expires_at=FEB),
        grant("addon", "s2:0", "100", expires_at=FEB),
        grant("rollover", "other:0", "50", expires_at=FEB),
        grant("rollover", "s:x", "50", expires_at=FEB + 1),
        replace(grant("rollover", "s:y", "50", expires_at=FEB), voided_at=START),
    ]
    books.grants += strangers
    books.pay()
    books.spend("0")
    books.grants = [replace(g, remaining=Credits(7)) if g.id == "addon/s:0" else g for g in books.grants]
    work = addon.due(books.account)
    assert work is not None
    assert work.tasks[0] == Carry(grants=("addon/s:0",), amount=Credits(7))
    books.wait(FEB)
    assert books.find("purchase/order-1") == strangers[0]


def test_a_plan_without_rollover_carries_nothing() -> None:
    """With a cap of zero all unused credits expire."""
    plan = AddonPlan(price=Money(50), credits=Credits(100), rollover_cap=Credits(0), grace_us=0)
    books = Books(addon.begin(plan, id="s", business="biz", tz=ACCRA, now=START))
    books.pay()
    books.pay()
    books.wait(FEB)
    assert (books.available, kinds(books)) == ("100", [(START, "Give"), (FEB, "Give")])


def test_periods_are_counted_in_the_business_own_zone() -> None:
    """In London a period keeps its wall time over the change to summer time."""
    start = us("2027-03-15 09:00")
    books = Books(addon.begin(ADDON, id="s", business="biz", tz="Europe/London", now=start), now=start)
    books.pay()
    assert addon.period_start(books.subscription, 1) == us("2027-04-15 08:00")


# Shares that holds pinned over the boundary


def test_a_pinned_share_that_comes_back_fills_what_room_the_cap_still_has(books: Books) -> None:
    """90 used and 10 held over the boundary: they are carried when they come back, as a rollover of their own."""
    books.pay()
    books.spend("90")
    books.hold("4", FEB + 1)
    books.hold("6", FEB + 2 * DAY)
    books.wait(FEB)
    assert (books.available, books.subscription.carried) == ("100", Credits(0))
    books.wait(FEB + 2 * DAY)
    assert (books.available, books.subscription.carried) == ("110", Credits(10))
    assert [task for _, task in books.log[2:]] == [
        Carry(grants=("addon/s:0",), amount=Credits(4)),
        Release(ref="s:1:0", amount=Credits(4), paid=2 * CEDI, expires_at=MAR),
        Carry(grants=("addon/s:0",), amount=Credits(6)),
        Release(ref="s:1:4000000", amount=Credits(6), paid=3 * CEDI, expires_at=MAR),
    ]
    assert [at for at, _ in books.log[2:]] == [FEB] * 4


@pytest.mark.parametrize(("held", "carried"), [("49", "50"), ("51", "49"), ("60", "40")])
def test_a_late_share_never_lifts_the_carry_over_the_cap(books: Books, held: str, carried: str) -> None:
    """Held and free credits of the period before: 50 live on in all, whatever came back late."""
    books.pay()
    books.hold(held, FEB + 1)
    books.wait(FEB)
    assert books.subscription.carried == Credits(carried)
    books.wait(FEB + 1)
    assert (books.subscription.carried, books.available) == (Credits(50), "150")


def test_a_share_that_comes_back_a_period_too_late_expires(books: Books) -> None:
    """A rollover lives for one period: what belonged to the one before the last is gone."""
    books.pay()
    books.pay()
    books.spend("90")
    books.hold("10", MAR + 1)
    books.wait(MAR)
    books.wait(MAR + 1)
    assert books.available == "150"
    assert books.find("addon/s:0").remaining == Credits(0)
    assert books.subscription.carried == Credits(50)


def test_a_share_returned_while_the_renewal_is_unpaid_waits_with_the_rest(books: Books) -> None:
    """It is kept back too, and given once the renewal is paid."""
    books.spend("60")
    books.hold("10", FEB + DAY)
    books.wait(FEB)
    assert (books.subscription.waiting, books.subscription.waiting_paid) == (Credits(30), 15 * CEDI)
    books.wait(FEB + DAY)
    assert (books.subscription.waiting, books.subscription.waiting_paid) == (Credits(40), 20 * CEDI)
    assert (books.subscription.carried, books.available) == (Credits(40), "0")
    books.pay()
    assert books.available == "140"
    assert books.log[-2] == (FEB + DAY, Release(ref="s:1", amount=Credits(40), paid=20 * CEDI, expires_at=MAR))


# Unpaid


def test_an_unpaid_renewal_keeps_the_carry_back_until_it_is_paid(books: Books) -> None:
    """In the grace time nothing of the add-on can be spent; the payment gives carry and period at once."""
    books.wait(FEB - 1)
    assert books.subscription.state == "active"
    books.wait(FEB)
    assert (books.subscription.state, books.subscription.period, books.available) == ("past_due", 1, "0")
    books.wait(FEB + 7 * DAY - 1)
    books.pay(1)
    assert books.available == "150"
    assert [task for at, task in books.log if at == FEB + 7 * DAY - 1] == [
        Release(ref="s:1", amount=Credits(50), paid=25 * CEDI, expires_at=MAR),
        Give(source="addon", ref="s:1", amount=Credits(100), expires_at=MAR, paid=50 * CEDI),
    ]
    after = books.subscription
    assert (after.state, after.period, after.paid_through, after.anchor_at) == ("active", 1, 1, START)
    assert (after.waiting, after.waiting_paid, after.carried, after.reminded) == (Credits(0), 0, Credits(50), 0)


def test_with_nothing_left_the_late_payment_gives_the_period_alone(books: Books) -> None:
    """No empty rollover is booked."""
    books.spend("100")
    books.wait(FEB)
    books.pay()
    assert kinds(books) == [(START, "Give"), (FEB, "Give")]


def test_when_the_grace_is_over_what_waited_is_lost(books: Books) -> None:
    """Seven days after the period's end the add-on ends, to the microsecond."""
    books.wait(FEB + 7 * DAY)
    assert books.log[-1] == (FEB + 7 * DAY, Forfeit(ref="s:1", amount=Credits(50)))
    after = books.subscription
    assert (after.state, after.ended_at, after.waiting, after.waiting_paid) == ("ended", FEB + 7 * DAY, Credits(0), 0)
    # It never entered the period that nobody paid.
    assert (after.period, after.paid_through) == (0, 0)
    assert books.kept == Credits(0)
    assert addon.due(books.account) is None


def test_with_nothing_waiting_nothing_is_forfeited(books: Books) -> None:
    """The end of an add-on that was used up is no booking."""
    books.spend("100")
    books.wait(FEB + 7 * DAY)
    assert (books.subscription.state, kinds(books)) == ("ended", [(START, "Give")])


@pytest.mark.parametrize(("days", "ends"), [(0, FEB), (7, FEB + 7 * DAY), (31, MAR), (90, MAR)])
def test_the_grace_never_outlives_the_period_it_waits_for(days: int, ends: int) -> None:
    """However long the grace, a renewal can be paid only while its period lasts."""
    plan = replace(ADDON, grace_us=days * DAY)
    books = Books(addon.begin(plan, id="s", business="biz", tz=ACCRA, now=START))
    books.pay()
    books.wait(ends - 1)
    assert books.subscription.state == ("active" if ends == FEB else "past_due")
    books.wait(ends)
    assert (books.subscription.state, books.subscription.ended_at) == ("ended", ends)


def test_paid_after_its_end_it_starts_a_new_period_at_the_payment(books: Books) -> None:
    """Money that comes too late buys a fresh month, never dead credits; the numbers go on."""
    paid = us("2027-03-15 12:00")
    books.wait(paid)
    books.pay(1)
    after = books.subscription
    assert (after.state, after.anchor_at, after.first, after.period, after.paid_through) == ("active", paid, 1, 1, 1)
    assert (after.ended_at, after.carried, after.reminded) == (None, Credits(0), 0)
    ends = us("2027-04-15 12:00")
    assert books.log[-1] == (
        paid,
        Give(source="addon", ref="s:1", amount=Credits(100), expires_at=ends, paid=50 * CEDI),
    )
    books.pay()
    books.wait(ends)
    assert (books.available, books.subscription.period) == ("150", 2)


def test_a_period_that_began_with_its_payment_takes_nothing_from_the_time_before(books: Books) -> None:
    """A share of the ended period that comes back just then expires as any other."""
    books.cancel()
    books.hold("10", MAR + 1)
    books.wait(MAR)
    # The last rollover expires in the microsecond of the new payment, with a share of it pinned.
    books.grants = [replace(g, expires_at=MAR) if g.held else g for g in books.grants]
    books.pay()
    books.wait(MAR + 1)
    assert (books.available, books.subscription.carried) == ("100", Credits(0))


# Reminders


def test_an_unpaid_renewal_is_called_to_mind_three_times(books: Books) -> None:
    """Three days before, on the day, three days after; with what the message to the owner needs."""
    books.wait(APR)
    told = [(at, task) for at, task in books.log if isinstance(task, Tell)]
    facts = (("subscription", "s"), ("period", "1"), ("due_at", str(FEB)), ("price", "GHS 50.00"))
    assert told == [
        (FEB - 3 * DAY, Tell(topic="addon.renewal_due", key="s:1:0", facts=facts)),
        (FEB, Tell(topic="addon.renewal_due", key="s:1:1", facts=facts)),
        (FEB + 3 * DAY, Tell(topic="addon.renewal_due", key="s:1:2", facts=facts)),
    ]


@pytest.mark.parametrize(("paid_at", "told"), [(-3 * DAY - 1, 0), (-3 * DAY, 1), (-1, 1), (0, 2), (3 * DAY, 3)])
def test_a_paid_renewal_is_not_called_to_mind(books: Books, paid_at: int, told: int) -> None:
    """The payment ends the reminders of its period; those of the next one start afresh."""
    books.wait(FEB + paid_at)
    books.pay()
    assert books.subscription.reminded == 0
    books.wait(MAR - 3 * DAY - 1)
    assert [task.key for _, task in books.log if isinstance(task, Tell)] == [f"s:1:{n}" for n in range(told)]
    books.wait(MAR - 3 * DAY)
    assert books.log[-1][1] == Tell(
        topic=addon.RENEWAL_DUE,
        key="s:2:0",
        facts=(("subscription", "s"), ("period", "2"), ("due_at", str(MAR)), ("price", "GHS 50.00")),
    )


def test_a_short_grace_has_fewer_reminders() -> None:
    """After the end nobody is reminded, not even in its very microsecond."""
    books = Books(addon.begin(replace(ADDON, grace_us=3 * DAY), id="s", business="biz", tz=ACCRA, now=START))
    books.pay()
    books.wait(MAR)
    assert [task.key for _, task in books.log if isinstance(task, Tell)] == ["s:1:0", "s:1:1"]
