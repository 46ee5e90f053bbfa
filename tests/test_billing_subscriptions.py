"""The monthly add-on in a wallet: what it gives, carries over, waits for and loses, to the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.hybrid import HybridAddonPolicy
from ai_addons.billing.profile import BusinessProfile
from ai_addons.errors import AddonConflict, AddonNotOffered, InsufficientCreditsError
from ai_addons.money import Credits
from ai_addons.testing.fakes import ManualClock
from tests.addon_books import APR, DAY, FEB, MAR, START, us
from tests.books import FAILED, OK, Books
from tests.hands import examined, names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.billing.policy import Account, Due, Subscription
    from ai_addons.billing.records import Hold

pytestmark = pytest.mark.usefixtures("each_database")


class AddonAlone(HybridAddonPolicy):
    """The add-on without the free credits beside it, so that the numbers are its own."""

    name = "addon_alone"

    def due(self, account: Account) -> Due | None:
        """Nothing is free."""
        del account
        return None


def _at(now: int = START, *, tz: str = "Africa/Accra", **options: Any) -> dict[str, Any]:
    profile = BusinessProfile(tz=tz, subscribed_since=now)
    return {
        "policy": AddonAlone(),
        "clock": ManualClock(now),
        "profile": lambda _: profile,
        "hold_ttl": 4 * DAY,
    } | options


def _started(books: Books, *, paid: int = 2) -> None:
    """An add-on of which the first months are paid."""
    books.subscriptions.subscribe("biz_7", paid=True)
    for period in range(1, paid):
        books.subscriptions.pay("biz_7", period=period)


def _wait(books: Books, until: int) -> str:
    """What can be spent at a time."""
    books.clock.set(until)
    return books.store.wallet("biz_7").available.short


def _spend(books: Books, amount: str) -> None:
    if Credits(amount):
        books.store.capture(books.hold(amount), OK)


def _addon(books: Books) -> Subscription:
    subscription = books.store.wallet("biz_7").subscription
    assert subscription is not None
    return subscription


def _rows(books: Books, since: int) -> list[tuple[str, str, str, str]]:
    """Kind, accounts and amount of what was booked for times from one on."""
    return [
        (entry.kind, entry.debit, entry.credit, entry.amount.short)
        for entry in books.store.ledger("biz_7")
        if entry.effective_at >= since
    ]


def _given(books: Books, source: str) -> list[tuple[str, str, int | None, int]]:
    """Reference, amount, end and price of each grant of a source."""
    named = names(books)
    rows = books.sql(
        "SELECT source_ref, amount, expires_at, paid FROM ai_credit_grants WHERE source = ? "
        "ORDER BY effective_at, source_ref",
        (source,),
    )
    return [(named(ref), Credits.from_micro(amount).short, ends, paid) for ref, amount, ends, paid in rows]


# Taking and paying it.


def test_taken_and_paid_it_gives_its_month(tmp_path: Path) -> None:
    """Before the payment nothing; with it 100 credits at half a cedi, from that moment for a month."""
    with examined(tmp_path, "0", **_at()) as books:
        taken = books.subscriptions.subscribe("biz_7")
        assert (taken.subscription.state, taken.balance, taken.replayed) == ("incomplete", Credits(0), False)
        assert books.subscriptions.subscribe("biz_7").replayed
        books.clock.set(START + 5 * DAY)
        paid = books.subscriptions.pay("biz_7", period=0)
        assert (paid.subscription.state, paid.balance, paid.replayed) == ("active", Credits(100), False)
        assert _given(books, "addon") == [("addon:0", "100", us("2027-03-05 10:00"), 50_000_000)]
        again = books.subscriptions.pay("biz_7", period=0)
        assert (again.replayed, again.balance, again.subscription) == (True, Credits(100), paid.subscription)


@pytest.mark.parametrize("taken", [False, True])
def test_paid_when_taken_it_gives_at_once(tmp_path: Path, taken: bool) -> None:
    """A host that collects the money itself needs one step, also for one taken before, and may repeat it."""
    with examined(tmp_path, "0", **_at()) as books:
        if taken:
            books.subscriptions.subscribe("biz_7")
        first = books.subscriptions.subscribe("biz_7", paid=True)
        again = books.subscriptions.subscribe("biz_7", paid=True)
        assert (first.balance, first.replayed) == (Credits(100), False)
        assert (again.balance, again.replayed, again.subscription) == (Credits(100), True, first.subscription)
        assert books.sql("SELECT state, paid_through FROM ai_monthly_addons") == [("active", 0)]


def test_a_policy_without_an_add_on_sells_none(tmp_path: Path) -> None:
    """And a business without one can neither pay, cancel nor resume it; no subscription is made."""
    with examined(tmp_path) as books:
        steps: list[Callable[[], object]] = [
            lambda: books.subscriptions.pay("biz_7"),
            lambda: books.subscriptions.cancel("biz_7"),
            lambda: books.subscriptions.resume("biz_7"),
        ]
        with pytest.raises(AddonNotOffered, match="Nothing was booked"):
            books.subscriptions.subscribe("biz_7")
        for step in steps:
            with pytest.raises(AddonNotOffered, match=r"This business has no monthly add-on\. Nothing was booked"):
                step()
        assert books.sql("SELECT count(*) FROM ai_monthly_addons") == [(0,)]
        assert books.balance() == ("12", "0")


def test_an_add_on_needs_a_business(tmp_path: Path) -> None:
    """An empty name is a mistake of the host."""
    with examined(tmp_path) as books, pytest.raises(ValueError, match="a business id must be"):
        books.subscriptions.subscribe("")


def test_one_that_ended_is_taken_anew(tmp_path: Path) -> None:
    """A subscription of its own; the old one's last credits stay to their end."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books, paid=1)
        old = books.subscriptions.cancel("biz_7", immediate=True).subscription
        books.clock.set(START + DAY)
        new = books.subscriptions.subscribe("biz_7", paid=True)
        assert (new.subscription.id != old.id, new.replayed, new.balance) == (True, False, Credits(200))
        assert _addon(books) == new.subscription
        assert _wait(books, FEB) == "100"


@pytest.mark.parametrize(
    ("anchor", "tz", "turns"),
    [
        ("2027-01-31 10:00", "Africa/Accra", ["2027-02-28 10:00", "2027-03-31 10:00", "2027-04-30 10:00"]),
        ("2027-01-29 10:00", "Africa/Accra", ["2027-02-28 10:00", "2027-03-29 10:00", "2027-04-29 10:00"]),
        ("2028-01-31 10:00", "Africa/Accra", ["2028-02-29 10:00", "2028-03-31 10:00", "2028-04-30 10:00"]),
        ("2027-08-31 10:00", "Africa/Accra", ["2027-09-30 10:00", "2027-10-31 10:00", "2027-11-30 10:00"]),
        ("2027-01-28 01:30", "Europe/London", ["2027-02-28 01:30", "2027-03-28 01:30", "2027-04-28 00:30"]),
    ],
)
def test_its_months_are_counted_from_the_first_day_where_the_shop_is(
    tmp_path: Path, anchor: str, tz: str, turns: list[str]
) -> None:
    """Not from the month before: the 31st comes back after February; and by the shop's own clock."""
    with examined(tmp_path, "0", **_at(us(anchor), tz=tz)) as books:
        _started(books, paid=3)
        _wait(books, us(turns[1]))
        assert [ends for _, _, ends, _ in _given(books, "addon")] == [us(turn) for turn in turns]


# Rollover.


@pytest.mark.parametrize(
    ("months", "used", "carried", "expired", "available"),
    [
        (1, "0", "50", ["50"], "150"),
        (1, "49.999999", "50", ["0.000001"], "150"),
        (1, "50", "50", [], "150"),
        (1, "50.000001", "49.999999", [], "149.999999"),
        (1, "100", None, [], "100"),
        (2, "0", "50", ["50", "50"], "150"),
        (2, "20", "50", ["30", "50"], "150"),
        (2, "120", "30", [], "130"),
        (2, "150", None, [], "100"),
    ],
)
def test_what_is_left_rolls_over_up_to_fifty(
    tmp_path: Path, months: int, used: str, carried: str | None, expired: list[str], available: str
) -> None:
    """Out of 100, or of 150 with a rollover: carried, lost, and what the next month starts with."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books, paid=months + 1)
        turns = [START, FEB, MAR]
        _wait(books, turns[months - 1] + DAY)
        _spend(books, used)
        assert _wait(books, turns[months]) == available
        rows = _rows(books, turns[months])
        assert [row for row in rows if row[0] == "void"] == (
            [("void", "wallet", "rollover", carried)] if carried else []
        )
        assert sorted(row[3] for row in rows if row[0] == "expire") == expired
        given = [row for row in rows if row[0] == "grant"]
        assert given == [
            *([("grant", "rollover", "wallet", carried)] if carried else []),
            ("grant", "issuance:addon", "wallet", "100"),
        ]
        assert [grant.source for grant in books.store.wallet("biz_7").grants] == ["rollover", "addon"][not carried :]


def test_cancelled_its_last_rollover_lives_one_month_more(tmp_path: Path) -> None:
    """150, cancelled, 100 used: 50 for one more month, then nothing, and nobody is asked to pay."""
    told = list[Any]()
    with examined(tmp_path, "0", **_at(hooks=[told.append], low=Credits(0))) as books:
        _started(books)
        _wait(books, FEB + DAY)
        books.subscriptions.cancel("biz_7")
        _spend(books, "100")
        assert (_wait(books, MAR - 1), _wait(books, MAR), _addon(books).state) == ("50", "50", "ended")
        assert _given(books, "rollover")[-1] == ("addon:2", "50", APR, 25_000_000)
        assert (_wait(books, APR - 1), _wait(books, APR)) == ("50", "0")
        assert told == []


def test_carried_credits_are_worth_what_was_paid(tmp_path: Path) -> None:
    """They pay first, at half a cedi each, are not counted as received a second time, and bought packs stay."""
    with examined(tmp_path, "40", **_at()) as books:
        _started(books)
        _spend(books, "60")
        assert _wait(books, FEB + 1) == "180"
        hold = books.hold("41", "sale-81")
        books.store.capture(hold, OK)
        earned = {row.id: row.revenue for row in books.store.transactions("biz_7")}
        assert earned["sale-81"] == 20_500_000
        left = [(grant.source, grant.remaining.short) for grant in books.store.wallet("biz_7").grants]
        assert left == [("addon", "99"), ("purchase", "40")]
        assert books.store.wallet("biz_7").lifetime_in == Credits(240)


def test_free_credits_of_the_month_are_not_carried(tmp_path: Path) -> None:
    """Under the hybrid policy 105 become 150 + 5, whatever of the free five was left."""
    with examined(tmp_path, "0", **_at(policy="hybrid")) as books:
        _started(books)
        _spend(books, "2")
        assert _wait(books, FEB) == "155"
        assert sorted(row[3] for row in _rows(books, FEB) if row[0] == "expire") == ["3", "50"]


# What a call holds over the turn of the month.


def _unused(books: Books, hold: Hold) -> None:
    books.store.void(hold, FAILED)


def _half(books: Books, hold: Hold) -> None:
    books.store.capture(hold, OK, used=Credits(5))


def _orphaned(books: Books, hold: Hold) -> None:
    books.clock.set(hold.expires_at)
    books.store.sweep()


@pytest.mark.parametrize(
    ("spent", "end", "first", "second", "lost"),
    [
        ("90", _unused, None, "10", []),
        ("90", _half, None, "5", []),
        ("90", _orphaned, None, "10", []),
        ("45", _unused, "45", "5", ["5"]),
        ("40", _unused, "50", None, ["10"]),
        ("30", _half, "50", None, ["10", "5"]),
    ],
)
def test_a_pinned_share_that_comes_back_fills_the_room_that_is_left(
    tmp_path: Path,
    spent: str,
    end: Callable[[Books, Hold], None],
    first: str | None,
    second: str | None,
    lost: list[str],
) -> None:
    """Ten held over the turn: what returns is carried as far as fifty in all have room, the rest expires."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books)
        _spend(books, spent)
        books.clock.set(FEB - DAY)
        hold = books.hold("10")
        carried = Credits(first or "0")
        assert _wait(books, FEB + DAY) == (Credits(100) + carried).short
        end(books, hold)
        late = Credits(second or "0")
        assert books.store.wallet("biz_7").available == Credits(100) + carried + late
        amounts = [(ref, amount, ends) for ref, amount, ends, _ in _given(books, "rollover")]
        expected = [("addon:1", first, MAR)] if first else []
        expected += [(f"addon:1:{carried.micro}", second, MAR)] if second else []
        assert amounts == expected
        assert sorted(row[3] for row in _rows(books, FEB) if row[0] == "expire") == lost
        assert _addon(books).carried == carried + late


def test_a_share_that_comes_back_while_the_renewal_is_unpaid_waits_with_the_rest(tmp_path: Path) -> None:
    """It cannot be spent, and is given with the payment."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books, paid=1)
        _spend(books, "70")
        books.clock.set(FEB - DAY)
        hold = books.hold("10")
        assert _wait(books, FEB + DAY) == "0"
        books.store.void(hold, FAILED)
        assert (books.balance(), _addon(books).waiting) == (("0", "0"), Credits(30))
        assert books.subscriptions.pay("biz_7", period=1).balance == Credits(130)
        assert _given(books, "rollover") == [("addon:1", "30", MAR, 15_000_000)]


def test_a_share_that_comes_back_two_months_late_is_lost(tmp_path: Path) -> None:
    """A rollover lives for one month; what belonged to the month before that is over."""
    with examined(tmp_path, "0", **_at(hold_ttl=60 * DAY)) as books:
        _started(books, paid=3)
        _spend(books, "90")
        hold = books.hold("10")
        assert _wait(books, MAR + DAY) == "150"
        assert books.store.void(hold, FAILED).balance == Credits(150)
        assert _rows(books, START)[-1][:3] == ("expire", "wallet", "breakage")


# Renewals that are paid late, or never.


@pytest.mark.parametrize("days", [0, 3, 7])
def test_paid_in_the_grace_time_the_month_and_what_waited_are_given(tmp_path: Path, days: int) -> None:
    """Until then nothing of the add-on can be spent; the month still ends when it would have ended."""
    with examined(tmp_path, "3", **_at()) as books:
        _started(books, paid=1)
        _spend(books, "60")
        paid_at = FEB + days * DAY - (days == 7)
        assert (_wait(books, paid_at), _addon(books).state, _addon(books).waiting) == ("3", "past_due", Credits(40))
        with pytest.raises(InsufficientCreditsError):
            books.hold("3.000001")
        paid = books.subscriptions.pay("biz_7", period=1)
        assert (paid.balance, paid.subscription.state, paid.subscription.waiting) == (
            Credits(143),
            "active",
            Credits(0),
        )
        assert _given(books, "addon")[-1] == ("addon:1", "100", MAR, 50_000_000)
        assert _given(books, "rollover") == [("addon:1", "40", MAR, 20_000_000)]
        assert ("grant", "rollover", "wallet", "40") in _rows(books, FEB)


@pytest.mark.parametrize(
    ("off", "ends"),
    [(0, us("2027-04-07 10:00")), (1, us("2027-04-07 10:00:00.000001")), (40 * DAY, us("2027-05-16 10:00"))],
)
def test_paid_after_the_grace_time_it_starts_a_new_month(tmp_path: Path, off: int, ends: int) -> None:
    """What waited is lost; the money buys a whole month from its arrival, and the next is counted from there."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books, paid=1)
        _spend(books, "60")
        late = FEB + 7 * DAY + off
        assert (_wait(books, late), _addon(books).state, _addon(books).ended_at) == ("0", "ended", FEB + 7 * DAY)
        assert ("expire", "rollover", "breakage", "40") in _rows(books, FEB)
        paid = books.subscriptions.pay("biz_7", period=1)
        assert (paid.balance, paid.subscription.state, paid.subscription.anchor_at) == (Credits(100), "active", late)
        assert _given(books, "addon")[1:] == [("addon:1", "100", ends, 50_000_000)]
        assert books.subscriptions.pay("biz_7", period=1).replayed
        assert _given(books, "rollover") == []


def test_no_month_is_left_out(tmp_path: Path) -> None:
    """A payment for the month after the next is refused, and gives nothing."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books, paid=1)
        with pytest.raises(AddonConflict, match=r"Period 1 of this add-on is not paid yet\. Nothing was given"):
            books.subscriptions.pay("biz_7", period=2)
        assert (_addon(books).paid_through, books.balance()) == (0, ("100", "0"))


def test_months_paid_early_come_in_their_turn(tmp_path: Path) -> None:
    """Without a number each payment is for the next month; none of it can be spent before."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books, paid=1)
        periods = [books.subscriptions.pay("biz_7").subscription.paid_through for _ in range(2)]
        assert (periods, books.balance()) == ([1, 2], ("100", "0"))
        assert [_wait(books, at) for at in (FEB - 1, FEB, MAR, APR)] == ["100", "150", "150", "0"]
        assert (_addon(books).state, _addon(books).waiting) == ("past_due", Credits(50))


# Cancelling it.


@pytest.mark.parametrize("immediate", [False, True])
def test_cancelled_while_unpaid_it_ends_and_what_waited_is_lost(tmp_path: Path, immediate: bool) -> None:
    """In the grace time there is no paid month to wait for."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books, paid=1)
        _wait(books, FEB + DAY)
        told = books.subscriptions.cancel("biz_7", immediate=immediate)
        assert (told.subscription.state, told.balance, told.replayed) == ("ended", Credits(0), False)
        assert _rows(books, FEB + DAY) == [("expire", "rollover", "breakage", "50")]
        assert books.subscriptions.cancel("biz_7", immediate=immediate).replayed


def test_a_cancellation_is_taken_back(tmp_path: Path) -> None:
    """Resumed before its month ends it renews as if nothing had been; afterwards it cannot be resumed."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books, paid=1)
        with pytest.raises(AddonConflict, match=r"this one is active\. Nothing was changed"):
            books.subscriptions.resume("biz_7")
        assert books.subscriptions.cancel("biz_7").subscription.state == "cancel_at_end"
        assert books.subscriptions.cancel("biz_7").replayed
        books.clock.set(FEB - 1)
        resumed = books.subscriptions.resume("biz_7")
        assert (resumed.subscription.state, resumed.balance) == ("active", Credits(100))
        books.subscriptions.pay("biz_7", period=1)
        assert _wait(books, FEB) == "150"
        books.subscriptions.cancel("biz_7")
        books.clock.set(MAR)
        with pytest.raises(AddonConflict, match="this one is ended"):
            books.subscriptions.resume("biz_7")
        assert books.store.wallet("biz_7").posted == Credits(50)


def test_cancelled_at_once_what_is_paid_is_kept(tmp_path: Path) -> None:
    """The credits stay to their month's end and are not carried; a later month that was paid is still given."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books, paid=2)
        told = books.subscriptions.cancel("biz_7", immediate=True)
        assert (told.subscription.state, told.balance) == ("cancel_at_end", Credits(100))
        assert _wait(books, FEB) == "150"
        assert books.subscriptions.cancel("biz_7", immediate=True).subscription.state == "ended"
        assert (_wait(books, MAR - 1), _wait(books, MAR)) == ("150", "0")


# Under another policy.


def test_what_was_sold_goes_on_under_another_policy(tmp_path: Path) -> None:
    """It renews, rolls over and can be paid and cancelled on its old terms; only a new one is not sold any more."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books, paid=1)
        before = _addon(books)
        assert books.operations.set_policy("biz_7", "prepaid", actor="ama").subscription == before
        books.subscriptions.pay("biz_7", period=1)
        assert _wait(books, FEB) == "150"
        assert books.subscriptions.subscribe("biz_7").replayed
        books.subscriptions.cancel("biz_7")
        assert (_wait(books, MAR), _wait(books, APR), _addon(books).state) == ("50", "0", "ended")
        with pytest.raises(AddonNotOffered):
            books.subscriptions.subscribe("biz_7")


def test_a_payment_for_one_that_ended_is_honoured_under_any_policy(tmp_path: Path) -> None:
    """Who paid for an add-on that was sold to them gets its month."""
    with examined(tmp_path, "0", **_at()) as books:
        _started(books, paid=1)
        books.operations.set_policy("biz_7", "prepaid", actor="ama")
        assert _wait(books, FEB + 9 * DAY) == "0"
        assert books.subscriptions.pay("biz_7").balance == Credits(100)
