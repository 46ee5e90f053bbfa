"""The monthly add-on: how it ends, and what holds in any life of one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing import addon
from ai_addons.billing.policy import Due, Forfeit, Give, Release, Tell
from ai_addons.errors import AddonConflict
from ai_addons.money import Credits
from tests.addon_books import APR, CEDI, DAY, FEB, MAR, NEW, START, Books, kinds


@pytest.fixture
def books() -> Books:
    """An add-on paid on 31 January, 10:00 in Accra."""
    books = Books()
    books.pay()
    return books


# Cancelling


def test_cancelled_at_the_end_it_lives_its_period_and_the_rollover_one_more(books: Books) -> None:
    """150, 100 used: the 50 left live one period longer, then all is gone, and nobody is reminded."""
    books.pay()
    books.wait(FEB)
    books.cancel()
    books.spend("100")
    books.wait(MAR - 1)
    assert (books.subscription.state, books.available) == ("cancel_at_end", "50")
    books.wait(MAR)
    assert books.available == "50"
    after = books.subscription
    assert (after.state, after.ended_at, after.period, after.paid_through) == ("ended", MAR, 2, 1)
    assert books.log[-1] == (MAR, Release(ref="s:2", amount=Credits(50), paid=25 * CEDI, expires_at=APR))
    books.wait(APR - 1)
    assert books.available == "50"
    books.wait(APR)
    assert books.available == "0"
    assert not [task for _, task in books.log if isinstance(task, Tell)]


def test_the_last_rollover_takes_in_a_share_that_comes_back(books: Books) -> None:
    """The cap's room is there for a cancelled add-on as well."""
    books.cancel()
    books.spend("70")
    books.hold("10", FEB + 1)
    books.wait(FEB + 1)
    assert (books.available, books.subscription.state) == ("30", "ended")
    assert books.log[-1] == (
        FEB,
        Release(ref="s:1:20000000", amount=Credits(10), paid=5 * CEDI, expires_at=MAR),
    )


def test_cancelled_at_once_the_credits_stay_until_the_periods_end(books: Books) -> None:
    """No further renewal, no rollover; what was paid for is not taken away."""
    books.wait(FEB - 4 * DAY)
    books.cancel(immediate=True)
    assert (books.subscription.state, books.subscription.ended_at) == ("ended", FEB - 4 * DAY)
    books.wait(FEB - 1)
    assert books.available == "100"
    books.wait(FEB)
    assert (books.available, kinds(books)) == ("0", [(START, "Give")])


def test_an_add_on_that_ended_at_once_takes_nothing_back_in(books: Books) -> None:
    """A share of the period before that returns after an immediate end expires."""
    books.pay()
    books.spend("90")
    books.hold("10", FEB + DAY)
    books.wait(FEB)
    books.cancel(immediate=True)
    books.wait(FEB + DAY)
    assert (books.available, kinds(books)) == ("100", [(START, "Give"), (FEB, "Give")])


def test_a_share_that_comes_back_after_an_unpaid_end_expires(books: Books) -> None:
    """Nobody paid to keep it."""
    books.spend("90")
    books.hold("10", FEB + 8 * DAY)
    books.wait(FEB + 8 * DAY)
    assert (books.subscription.state, books.available, books.kept) == ("ended", "0", Credits(0))
    assert kinds(books) == [(START, "Give")]


@pytest.mark.parametrize("immediate", [False, True])
def test_a_later_period_that_is_paid_already_is_still_given(books: Books, immediate: bool) -> None:
    """Nobody loses a month that was paid: the add-on ends when the last paid period does."""
    books.pay()
    books.cancel(immediate=immediate)
    assert books.subscription.state == "cancel_at_end"
    books.wait(FEB)
    assert (books.available, books.subscription.state) == ("150", "cancel_at_end")
    books.wait(MAR)
    assert (books.available, books.subscription.state) == ("50", "ended")


def test_a_payment_after_cancelling_is_honoured_for_its_period(books: Books) -> None:
    """Money that was on its way is not lost; the cancellation stands."""
    books.cancel()
    books.pay()
    assert (books.subscription.state, books.subscription.paid_through) == ("cancel_at_end", 1)


def test_once_its_last_paid_period_runs_it_may_end_at_once(books: Books) -> None:
    """Cancelled at the end first, at once later."""
    books.cancel()
    books.wait(START + DAY)
    books.cancel(immediate=True)
    assert (books.subscription.state, books.subscription.ended_at) == ("ended", START + DAY)


def test_cancelling_and_resuming_change_the_state_alone(books: Books) -> None:
    """No credits move, and the work belongs to the moment it was asked for."""
    before = books.subscription
    cancelled = replace(before, state="cancel_at_end")
    assert addon.cancel(before, immediate=False, now=START + 9) == Due(at=START + 9, subscription=cancelled)
    assert addon.resume(cancelled, now=START + 10) == Due(at=START + 10, subscription=before)


def test_cancelling_twice_is_cancelling_once(books: Books) -> None:
    """A double tap is no error, also on one that has ended."""
    books.cancel()
    once = books.subscription
    assert addon.cancel(once, immediate=False, now=START + 9) == Due(at=START + 9, subscription=once)
    books.cancel(immediate=True)
    ended = books.subscription
    for immediate in (False, True):
        assert addon.cancel(ended, immediate=immediate, now=START + 9) == Due(at=START + 9, subscription=ended)


@pytest.mark.parametrize("immediate", [False, True])
def test_an_add_on_that_was_never_paid_is_cancelled_at_once(immediate: bool) -> None:
    """There is no period to wait for."""
    work = addon.cancel(NEW, immediate=immediate, now=START)
    assert work == Due(at=START, subscription=replace(NEW, state="ended", ended_at=START))


def test_a_first_payment_that_arrives_after_all_is_given(books: Books) -> None:
    """Approved on the phone after cancelling in the shop: who paid, gets."""
    ended = addon.cancel(NEW, immediate=True, now=START).subscription
    assert ended is not None
    work = addon.pay(ended, now=START + DAY)
    assert work.subscription == replace(NEW, state="active", anchor_at=START + DAY, paid_through=0)


@pytest.mark.parametrize("immediate", [False, True])
def test_cancelled_while_unpaid_it_ends_now_and_what_waited_is_lost(books: Books, immediate: bool) -> None:
    """The last rollover is for those who paid up to their end."""
    books.wait(FEB + DAY)
    books.cancel(immediate=immediate)
    assert books.log[-1] == (FEB + DAY, Forfeit(ref="s:1", amount=Credits(50)))
    assert (books.subscription.state, books.subscription.ended_at, books.kept) == ("ended", FEB + DAY, Credits(0))
    books.wait(APR)
    assert books.available == "0"


def test_a_cancellation_can_be_taken_back_while_it_runs(books: Books) -> None:
    """Resumed, it renews as if nothing had been; a reminder that was due comes now."""
    books.cancel()
    books.wait(FEB - DAY)
    books.act(addon.resume(books.subscription, now=books.now))
    assert books.subscription.state == "active"
    assert [task.key for _, task in books.log if isinstance(task, Tell)] == ["s:1:0"]
    books.pay()
    books.wait(FEB)
    assert books.available == "150"


@pytest.mark.parametrize("state", ["incomplete", "active", "past_due", "ended"])
def test_only_a_cancelled_add_on_that_still_runs_can_be_resumed(state: str) -> None:
    """The error says so, and what to do."""
    with pytest.raises(AddonConflict) as refused:
        addon.resume(replace(NEW, state=state), now=START)  # type: ignore[arg-type]
    assert str(refused.value) == (
        f"Only an add-on that is cancelled at its period's end can be resumed; this one is {state}. "
        "Nothing was changed or charged. Take the add-on anew if it has ended."
    )


# Any life


STEP = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, DAY // 24, DAY, 3 * DAY, 7 * DAY, 31 * DAY, 100 * DAY])),
    st.tuples(st.sampled_from(["spend", "hold"]), st.integers(1, 100)),
    st.tuples(st.sampled_from(["pay", "cancel", "end", "resume"]), st.just(0)),
)


def live(steps: list[tuple[str, int]], *, visits: int) -> Books:
    """One life; before each wait ends the wallet is visited so many times on the way."""
    books = Books()
    for what, size in steps:
        if what == "wait":
            start = books.now
            for n in range(1, visits + 1):
                books.wait(start + size * n // visits)
        elif what in ("spend", "hold"):
            amount = min(Credits(size), Credits(books.available))
            books.spend(amount) if what == "spend" else books.hold(amount, books.now + size * DAY)
        elif what == "pay":
            books.pay()
        elif what == "resume":
            if books.subscription.state == "cancel_at_end":
                books.act(addon.resume(books.subscription, now=books.now))
        else:
            books.cancel(immediate=what == "end")
        check(books)
    return books


def check(books: Books) -> None:
    """What holds at any moment of any life."""
    subscription = books.subscription
    assert Credits(0) <= subscription.carried <= Credits(50)
    assert books.kept == subscription.waiting
    assert (subscription.state == "past_due") or not subscription.waiting
    assert (subscription.state == "ended") == (subscription.ended_at is not None)
    assert all(Credits(0) <= g.held <= g.remaining <= g.amount for g in books.grants)
    per_period: dict[str, int] = {}
    for g in books.grants:
        if g.source == "rollover":
            key = ":".join(g.ref.split(":")[:2])
            per_period[key] = per_period.get(key, 0) + g.amount.micro
    assert all(carried <= Credits(50).micro for carried in per_period.values())
    assert Credits(books.available) <= Credits(250)


@given(steps=st.lists(STEP, max_size=25))
def test_any_life_of_an_add_on_keeps_the_rules(steps: list[tuple[str, int]]) -> None:
    """Whatever is spent, held, paid, cancelled, resumed: the cap holds, nothing hangs, and no paid month is lost."""
    books = live(steps, visits=1)
    given_ = [task for _, task in books.log if isinstance(task, Give)]
    payments = sum(what == "pay" for what, _ in steps)
    assert [task.ref for task in given_] == [f"s:{n}" for n in range(len(given_))]
    assert len(given_) == payments - max(0, books.subscription.paid_through - books.subscription.period)


@given(steps=st.lists(STEP, max_size=12))
def test_a_wallet_left_alone_for_months_ends_where_a_daily_job_ends(steps: list[tuple[str, int]]) -> None:
    """No cron is needed: the next touch does the same work in the same order."""
    lazy, cron = live(steps, visits=1), live(steps, visits=40)
    assert (cron.log, cron.subscription, cron.grants) == (lazy.log, lazy.subscription, lazy.grants)


def test_an_hourly_job_changes_nothing(books: Books) -> None:
    """Four months of hourly visits do what one visit at the end does."""
    other = Books()
    other.pay()
    for each in (books, other):
        each.pay()
        each.hold("20", FEB + DAY)
    for hour in range(4 * 30 * 24):
        books.wait(START + hour * DAY // 24)
    other.wait(books.now)
    assert books.log == other.log
    assert books.subscription == other.subscription
