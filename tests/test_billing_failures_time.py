"""Failures others had, about time: month ends, boundaries, late messages, credits that expire."""

from __future__ import annotations

import random
from calendar import monthrange
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.billing.limits import Limit
from ai_addons.billing.profile import BusinessProfile
from ai_addons.errors import BillingError, InsufficientCreditsError, LimitReached
from ai_addons.money import Credits
from ai_addons.testing.fakes import ManualClock
from tests.addon_books import us
from tests.books import DAY, OK, Books
from tests.hands import at_once, everything, examined
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.billing.policy import Subscription

pytestmark = pytest.mark.usefixtures("each_database")

START: Final = us("2027-01-31 10:00")
FEB: Final = us("2027-02-28 10:00")
MAR: Final = us("2027-03-31 10:00")
APR: Final = us("2027-04-30 10:00")


def _options(at: int = START, *, policy: str = "hybrid", tz: str = "Africa/Accra") -> dict[str, Any]:
    """Books of a business whose months are counted from now."""
    profile = BusinessProfile(tz=tz, subscribed_since=at)
    return {"policy": policy, "clock": ManualClock(at), "profile": lambda _: profile}


def _given(books: Books, source: str) -> list[tuple[int, int]]:
    """From when until when each grant of a source may pay."""
    statement = "SELECT effective_at, expires_at FROM ai_credit_grants WHERE source = ? ORDER BY effective_at, id"
    return [tuple(row) for row in books.sql(statement, (source,))]


def _addon(books: Books) -> Subscription:
    subscription = books.store.wallet("biz_7").subscription
    assert subscription is not None
    return subscription


@pytest.mark.parametrize("day", [29, 30, 31])
def test_b13_d8_no_month_end_drifts_in_four_years(tmp_path: Path, day: int) -> None:
    """Anchored at the end of January, 48 months of free credits and of the add-on follow one another without a gap."""
    ends = [(2027 + n // 12, n % 12 + 1) for n in range(49)]
    starts = [us(f"{year}-{month:02}-{min(day, monthrange(year, month)[1])} 10:00") for year, month in ends]
    with examined(tmp_path, "0", **_options(starts[0])) as books:
        books.subscriptions.subscribe("biz_7", paid=True)
        for period in range(1, 48):
            books.subscriptions.pay("biz_7", period=period)
        books.clock.set(starts[48] - 1)
        books.store.sweep()
        assert _given(books, "free_monthly") == list(pairwise(starts))
        assert _given(books, "addon") == list(pairwise(starts))
        assert books.balance() == ("155", "0")


@pytest.mark.parametrize("runs", [0, 1, 2, 10])
@pytest.mark.parametrize(("off", "months"), [(-1, 1), (0, 2), (1, 2)])
def test_b14_a_grant_due_at_the_boundary_is_given_once(tmp_path: Path, runs: int, off: int, months: int) -> None:
    """However often and by how many the job is run about the boundary: one grant of each kind for each period."""
    with examined(tmp_path, "0", **_options()) as books:
        books.subscriptions.subscribe("biz_7", paid=True)
        books.subscriptions.pay("biz_7", period=1)
        books.funding.grant("biz_7", Credits(7), source="promo", ref="party", effective_at=FEB)
        books.clock.set(FEB + off)
        if runs:
            at_once(runs, lambda _: books.store.sweep())
        assert books.balance() == (("105", "0") if months == 1 else ("162", "0"))
        spans = [(START, FEB), (FEB, MAR)][:months]
        assert (_given(books, "free_monthly"), _given(books, "addon")) == (spans, spans)
        assert len(_given(books, "promo")) == months - 1


def _spend(books: Books, amount: str, key: str) -> str:
    try:
        return books.store.capture(books.hold(amount, key), OK).charged.short
    except InsufficientCreditsError as refused:
        return f"refused at {refused.available.short}"


def _pay_next(books: Books) -> str:
    return books.subscriptions.pay("biz_7").subscription.state


def _deeds(dice: random.Random) -> list[tuple[int, Callable[[Books], object]]]:
    """A hundred days of a shop: when it does what, at moments that no boundary shares."""
    at, deeds = START, list[tuple[int, Any]]()
    for number in range(40):
        at += dice.randint(1, 5 * DAY)
        amount = str(dice.randint(1, 60))
        deed = dice.choice(
            [
                lambda books, a=amount, n=number: _spend(books, a, f"call-{n}"),
                lambda books, a=amount, n=number: _spend(books, a, f"call-{n}"),
                lambda books, n=number: books.hold("0.5", f"orphan-{n}").amount,
                lambda books, a=amount, n=number: books.buy(a, f"top-up-{n}"),
                lambda books, a=amount, n=number, until=at + 9 * DAY: (
                    books.funding.grant("biz_7", Credits(a), source="promo", ref=f"p-{n}", expires_at=until).balance
                ),
                lambda books, a=amount, n=number, begins=at + 4 * DAY: (
                    books.funding.grant(
                        "biz_7",
                        Credits(a),
                        source="promo",
                        ref=f"p-{n}",
                        effective_at=begins,
                        expires_at=begins + 3 * DAY,
                    ).replayed
                ),
                _pay_next,
            ]
        )
        deeds.append((at, deed))
    return deeds


def _live(folder: Path, seed: int, *, every: int | None) -> dict[str, object]:
    """What a shop's books say after a hundred days, with a job that runs so often or with none."""
    options = _options() | {"hold_ttl": 3 * DAY}
    with examined(folder, "40", **options) as books:
        books.subscriptions.subscribe("biz_7", paid=True)
        told, last = list[object](), START
        for at, deed in _deeds(random.Random(seed)):  # noqa: S311  # dice, not secrets
            for tick in range(last + every, at, every) if every else ():
                books.clock.set(tick)
                books.store.sweep()
            last = at
            books.clock.set(at)
            told.append(deed(books))
        return {"told": told, **everything(books)}


@pytest.mark.parametrize("seed", range(20 if FULL else 3))
def test_b16_a_shop_that_no_job_visits_has_the_same_ledger(tmp_path: Path, seed: int) -> None:
    """Swept twice a day or never: every call gets the same answer, and every row of the ledger is the same."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    swept = _live(tmp_path / "a", seed, every=DAY // 2)
    assert _live(tmp_path / "b", seed, every=None) == swept
    ledger: Any = swept["ledger"]
    # Orphans aside, everything that time can do to a wallet happened.
    assert {kind for kind, *_ in ledger} >= {"grant", "usage", "expire", "void"}


@pytest.mark.parametrize("used", ["10", "4"])
def test_b16_a_call_over_the_turn_of_a_period_leaves_the_same_ledger(tmp_path: Path, used: str) -> None:
    """Held before the period's end, answered after it: the rows and the balance told do not depend on a job either."""
    ends = list[object]()
    for name in ("swept", "unseen"):
        (tmp_path / name).mkdir()
        with examined(tmp_path / name, "0", **_options() | {"hold_ttl": 3 * DAY}) as books:
            books.subscriptions.subscribe("biz_7", paid=True)
            books.subscriptions.pay("biz_7", period=1)
            books.clock.set(FEB - DAY)
            _spend(books, "70", "before")
            hold = books.hold("10", "sale-81")
            books.clock.set(FEB + DAY)
            if name == "swept":
                books.store.sweep()
            told = books.store.capture(hold, OK, used=Credits(used)).balance
            ends.append({"told": told, **everything(books)})
    assert ends[0] == ends[1]


def test_b17_a_renewal_and_a_purchase_at_the_turn_of_the_period_are_both_given(tmp_path: Path) -> None:
    """Payments, purchases, calls and the job all at once, at the very microsecond: nothing lost, nothing twice."""
    with examined(tmp_path, "0", **_options()) as books:
        books.subscriptions.subscribe("biz_7", paid=True)
        books.clock.set(FEB)
        deeds: list[Callable[[int], object]] = [
            lambda _: books.subscriptions.pay("biz_7", period=1),
            lambda number: books.buy("10", f"order-{number}"),
            lambda _: books.store.sweep(),
            lambda _: books.store.capture(books.hold("1"), OK),
        ]
        at_once(16, lambda number: deeds[number % 4](number))
        wallet = books.store.wallet("biz_7")
        # 50 carried, 100 renewed, 5 free and 40 bought; 4 spent.
        assert (wallet.posted, wallet.held) == (Credits(191), Credits(0))
        assert _given(books, "addon") == [(START, FEB), (FEB, MAR)]
        assert len(_given(books, "purchase")) == 4


def test_b17_a_late_message_pays_for_its_own_period(tmp_path: Path) -> None:
    """Paid for February, told in grace, told again in March: February is given until its own end, and March is not."""
    with examined(tmp_path, "0", **_options(policy="prepaid")) as books:
        books.operations.set_policy("biz_7", "hybrid", actor="a")
        books.subscriptions.subscribe("biz_7", paid=True)
        books.clock.set(FEB + 3 * DAY)
        assert not books.subscriptions.pay("biz_7", period=1).replayed
        assert _given(books, "addon") == [(START, FEB), (FEB + 3 * DAY, MAR)]
        books.clock.set(MAR + DAY)
        assert books.subscriptions.pay("biz_7", period=1).replayed
        assert (len(_given(books, "addon")), _addon(books).state) == (2, "past_due")


@pytest.mark.parametrize(("off", "refused_at"), [(-1, None), (0, "10"), (1, "10")])
def test_b18_expired_credits_cannot_pay_though_nobody_swept(tmp_path: Path, off: int, refused_at: str | None) -> None:
    """Up to its expiry a grant pays, from that very microsecond on it does not; bought credits are left alone."""
    with examined(tmp_path, "10") as books:
        ends = books.clock.now() + DAY
        books.funding.grant("biz_7", Credits(10), source="promo", ref="p", expires_at=ends)
        books.clock.set(ends + off)
        told = _spend(books, "10.000001", "sale-81")
        assert told == ("10.000001" if refused_at is None else f"refused at {refused_at}")
        expired = [entry.amount for entry in books.store.ledger("biz_7") if entry.kind == "expire"]
        assert expired == ([] if refused_at is None else [Credits(10)])


def test_b18_expiry_that_races_with_calls_takes_its_own_grant_alone(tmp_path: Path) -> None:
    """Jobs and calls at once, at the expiry: the free six expire once, the pinned four pay, ten bought ones pay ten."""
    with examined(tmp_path, "10") as books:
        ends = books.clock.now() + DAY
        books.funding.grant("biz_7", Credits(10), source="promo", ref="p", expires_at=ends)
        books.clock.set(ends - 1)
        pinned = books.hold("4", "in-time")
        books.clock.set(ends)
        deeds: list[Callable[[int], str]] = [
            lambda _: f"swept {books.store.sweep()}",
            lambda number: _spend(books, "1", f"call-{number}"),
        ]
        told = at_once(32, lambda number: deeds[number % 2](number))
        assert (told.count("1"), told.count("refused at 0")) == (10, 6)
        assert books.store.capture(pinned, OK, used=Credits(3)).charged == Credits(3)
        assert books.balance() == ("0", "0")
        expired = [entry.amount for entry in books.store.ledger("biz_7") if entry.kind == "expire"]
        assert expired == [Credits(6), Credits(1)]


@pytest.mark.parametrize(
    ("window", "last", "first"),
    [
        ("day", "2027-03-28 22:59:59.999999", "2027-03-28 23:00"),
        ("day", "2027-03-27 23:59:59.999999", "2027-03-28 00:00"),
        ("day", "2027-10-31 23:59:59.999999", "2027-11-01 00:00"),
        ("month", "2027-03-31 22:59:59.999999", "2027-03-31 23:00"),
        ("month", "2027-10-31 23:59:59.999999", "2027-11-01 00:00"),
    ],
)
def test_b20_a_limit_starts_afresh_at_midnight_in_the_shop(tmp_path: Path, window: Any, last: str, first: str) -> None:
    """In London, on the days when clocks change too: refused to the last microsecond, free from the first."""
    limit = Limit(scope="business", window=window, amount=Credits(5))
    options = _options(us(last) - 3_600_000_000, policy="prepaid", tz="Europe/London") | {"limits": (limit,)}
    with examined(tmp_path, "100", **options) as books:
        assert _spend(books, "5", "early") == "5"
        books.clock.set(us(last))
        with pytest.raises(LimitReached, match=datetime.fromisoformat(first).strftime("%Y-%m-%dT%H:%M:%SZ")):
            books.hold("0.000001")
        books.clock.set(us(first))
        assert _spend(books, "5", "late") == "5"


def test_d9_a_renewal_needs_its_payment_and_happens_by_itself(tmp_path: Path) -> None:
    """Unpaid it gives nothing, paid ten times it gives once, and the job alone turns the period."""
    with examined(tmp_path, "0", **_options()) as books:
        books.subscriptions.subscribe("biz_7", paid=True)
        paid = at_once(10, lambda _: books.subscriptions.pay("biz_7", period=1))
        assert sum(not booking.replayed for booking in paid) == 1
        books.clock.set(FEB)
        books.store.sweep()
        assert _given(books, "addon") == [(START, FEB), (FEB, MAR)]
        books.clock.set(MAR)
        books.store.sweep()
        assert (_addon(books).state, len(_given(books, "addon"))) == ("past_due", 2)
        with pytest.raises(BillingError, match="Period 2 of this add-on is not paid yet"):
            books.subscriptions.pay("biz_7", period=3)


@pytest.mark.parametrize("immediate", [False, True])
def test_d9_d11_a_cancelled_add_on_ends_by_itself(tmp_path: Path, immediate: bool) -> None:
    """At once: no more months, the credits stay to the month's end. At the end: what is left lives one month more."""
    with examined(tmp_path, "0", **_options()) as books:
        books.subscriptions.subscribe("biz_7", paid=True)
        booking = books.subscriptions.cancel("biz_7", immediate=immediate)
        assert booking.subscription.state == ("ended" if immediate else "cancel_at_end")
        balances = list[str]()
        for at in (FEB - 1, FEB, MAR, APR):
            books.clock.set(at)
            books.store.sweep()
            balances.append(books.balance()[0])
        assert balances == (["105", "5", "5", "5"] if immediate else ["105", "55", "5", "5"])
        assert (_addon(books).state, len(_given(books, "addon"))) == ("ended", 1)


def test_d37_a_renewal_that_nobody_approved_is_asked_for_and_then_ends(tmp_path: Path) -> None:
    """Mobile Money cannot be pulled: three reminders, seven days in which the carry waits, then it is over."""
    told = list[Any]()
    with examined(tmp_path, "0", **_options(), hooks=[told.append]) as books:
        books.subscriptions.subscribe("biz_7", paid=True)
        seen = list[tuple[str, str, int]]()
        for at in (FEB - 3 * DAY - 1, FEB - 3 * DAY, FEB, FEB + 3 * DAY, FEB + 7 * DAY - 1, FEB + 7 * DAY):
            books.clock.set(at)
            books.store.sweep()
            reminders = sum(event.topic == "addon.renewal_due" for event in told)
            seen.append((_addon(books).state, books.balance()[0], reminders))
        assert seen == [
            ("active", "105", 0),
            ("active", "105", 1),
            ("past_due", "5", 2),
            ("past_due", "5", 3),
            ("past_due", "5", 3),
            ("ended", "5", 3),
        ]
        assert _given(books, "rollover") == []
