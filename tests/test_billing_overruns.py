"""Calls that cost less or more than was held, and calls that take longer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from ai_addons.billing.limits import Limit
from ai_addons.errors import BillingError, HoldExpired, InsufficientCreditsError
from ai_addons.money import Credits
from tests.books import OK, TTL, Books
from tests.hands import examined

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")

Mode = Literal["reject", "cap", "overflow"]
DAILY = (Limit(scope="business", window="day", amount=Credits(100)),)


def _entries(books: Books) -> list[tuple[str, str]]:
    """The ledger after what was bought."""
    return [(entry.kind, entry.amount.short) for entry in books.store.ledger("biz_7") if entry.kind != "grant"]


# Less than was held.


@pytest.mark.parametrize("mode", ["reject", "cap", "overflow"])
@pytest.mark.parametrize(
    ("used", "entries"),
    [("0", []), ("0.000001", [("usage", "0.000001")]), ("3", [("usage", "3")]), ("5", [("usage", "5")])],
)
def test_what_a_call_did_not_use_comes_back(
    tmp_path: Path, mode: Mode, used: str, entries: list[tuple[str, str]]
) -> None:
    """The measured part is charged, whatever is to happen above the hold; nothing used is no row in the ledger."""
    with examined(tmp_path, limits=DAILY) as books:
        hold = books.hold("5")
        booked = books.store.capture(hold, OK, used=Credits(used), overrun=mode)
        assert (booked.charged, booked.balance) == (Credits(used), Credits(12) - Credits(used))
        assert _entries(books) == entries
        (row,) = books.store.transactions("biz_7")
        assert (row.outcome, row.charged, row.revenue) == ("ok", Credits(used), Credits(used).micro * 8 // 10)
        assert books.sql("SELECT state, captured FROM ai_credit_holds") == [("captured", Credits(used).micro)]
        assert books.sql("SELECT used, held FROM ai_limit_counters") == [(Credits(used).micro, 0)]


def test_a_call_cannot_use_less_than_nothing(tmp_path: Path) -> None:
    """It would give credits away; the hold stays as it is."""
    with examined(tmp_path) as books:
        hold = books.hold("5")
        with pytest.raises(ValueError, match="nothing was booked"):
            books.store.capture(hold, OK, used=Credits("-0.000001"))
        assert books.balance() == ("12", "5")


# More than was held.


@pytest.mark.parametrize(
    ("mode", "bought", "used", "paid", "entries"),
    [
        ("cap", "12", "5.000001", "5", [("usage", "5"), ("bad_debt", "0.000001")]),
        ("cap", "12", "8", "5", [("usage", "5"), ("bad_debt", "3")]),
        ("overflow", "12", "8", "8", [("usage", "8")]),
        ("overflow", "8", "8", "8", [("usage", "8")]),
        ("overflow", "7.999999", "8", "5", [("usage", "5"), ("bad_debt", "3")]),
        ("reject", "12", "8", "0", []),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_what_a_call_used_beyond_its_hold(
    tmp_path: Path, mode: Mode, bought: str, used: str, paid: str, entries: list[tuple[str, str]], late: bool
) -> None:
    """Capped at the hold, paid in full if the wallet can, or given back: the same when the answer comes late."""
    with examined(tmp_path, bought, limits=DAILY) as books:
        hold = books.hold("5")
        if late:
            books.clock.set(hold.expires_at)
            books.store.sweep()
        for _ in range(2):
            booked = books.store.capture(hold, OK, used=Credits(used), overrun=mode)
            assert (booked.charged, booked.balance) == (Credits(paid), Credits(bought) - Credits(paid))
        assert _entries(books) == entries
        assert books.sql("SELECT used, held FROM ai_limit_counters") == [(Credits(paid).micro, 0)]
        assert books.store.wallet("biz_7").lifetime_used == Credits(paid)
        (row,) = books.store.transactions("biz_7")
        told = ("failed", "overrun") if mode == "reject" else ("ok", None)
        assert (row.outcome, row.error_code, row.charged, row.cost) == (*told, Credits(paid), OK.cost)


def test_what_is_above_the_hold_may_come_from_another_grant(tmp_path: Path) -> None:
    """The credits held first, then what else there is, in burn order; each grant earned what it paid."""
    with examined(tmp_path, "12") as books:
        books.funding.grant("biz_7", Credits(6), source="trial", ref="trial")
        hold = books.hold("5", "sale-81")
        assert books.store.capture(hold, OK, used=Credits(8), overrun="overflow").charged == Credits(8)
        shares = books.sql(
            "SELECT g.source, a.amount, a.used FROM ai_hold_allocations a JOIN ai_credit_grants g "
            "ON g.id = a.grant_id ORDER BY g.source"
        )
        assert [tuple(share) for share in shares] == [
            ("purchase", 2_000_000, 2_000_000),
            ("trial", 6_000_000, 6_000_000),
        ]
        assert books.sql("SELECT captured FROM ai_credit_holds") == [(5_000_000,)]
        assert [row.revenue for row in books.store.transactions("biz_7")] == [1_600_000]


@pytest.mark.parametrize(("spare", "paid"), [("3", "8"), ("2.999999", "5")])
def test_credits_for_other_features_do_not_pay_for_an_overrun(tmp_path: Path, spare: str, paid: str) -> None:
    """The balance is there, but what may pay for this feature does not cover it: then none of it is taken."""
    with examined(tmp_path, "5") as books:
        books.funding.grant("biz_7", Credits(9), source="promo", ref="p", features=["menu_idea"])
        hold = books.hold("5")
        books.buy(spare, "order-2")
        assert books.store.capture(hold, OK, used=Credits(8), overrun="overflow").charged == Credits(paid)
        assert _entries(books) == ([("usage", "8")] if paid == "8" else [("usage", "5"), ("bad_debt", "3")])


def test_what_other_calls_hold_pays_for_no_overrun(tmp_path: Path) -> None:
    """Another call's credits stay its own."""
    with examined(tmp_path, "12") as books:
        first, second = books.hold("5"), books.hold("5")
        assert books.store.capture(first, OK, used=Credits(8), overrun="overflow").charged == Credits(5)
        assert books.store.capture(second, OK).charged == Credits(5)
        assert books.balance() == ("2", "0")


def test_a_part_is_charged_late_too(tmp_path: Path) -> None:
    """An answer that comes after its hold expired is charged what it used, not what was held."""
    with examined(tmp_path) as books:
        hold = books.hold("5")
        books.clock.set(hold.expires_at)
        assert books.store.sweep() == 1
        assert books.store.capture(hold, OK, used=Credits(2)).charged == Credits(2)
        assert _entries(books) == [("usage", "2")]


def test_a_late_answer_that_used_nothing_is_free(tmp_path: Path) -> None:
    """It is logged as answered, and moves nothing."""
    with examined(tmp_path) as books:
        hold = books.hold("5")
        books.clock.set(hold.expires_at)
        books.store.sweep()
        assert books.store.capture(hold, OK, used=Credits(0)).charged == Credits(0)
        assert (_entries(books), books.store.transactions("biz_7")[0].outcome) == ([], "ok")


# Longer than was thought.


def test_a_renewed_hold_lives_on(tmp_path: Path) -> None:
    """A stream that renews its hold in time keeps its credits for another time to live, and is charged as usual."""
    with examined(tmp_path) as books:
        hold = books.hold("5")
        for _ in range(3):
            books.clock.set(hold.expires_at - 1)
            renewed = books.store.renew(hold)
            assert renewed == replace(hold, expires_at=hold.expires_at - 1 + TTL)
            hold = renewed
        assert books.balance() == ("12", "5")
        books.clock.set(hold.expires_at - 1)
        assert books.store.sweep() == 1
        assert books.balance() == ("12", "5")
        books.clock.set(hold.expires_at)
        assert books.balance() == ("12", "0")


def test_a_renewal_never_shortens_a_hold(tmp_path: Path) -> None:
    """Also on a clock that was set back."""
    with examined(tmp_path) as books:
        hold = books.hold("5")
        assert books.store.renew(hold) == hold
        books.clock.advance(-60)
        assert books.store.renew(hold) == hold


@pytest.mark.parametrize("by", [0, 1])
def test_a_hold_past_its_time_cannot_be_renewed(tmp_path: Path, by: int) -> None:
    """From its expiry on its credits are free for others; the answer may still be charged from what is there."""
    with examined(tmp_path) as books:
        hold = books.hold("5")
        books.clock.set(hold.expires_at + by)
        with pytest.raises(HoldExpired, match="Nothing was charged"):
            books.store.renew(hold)
        assert books.balance() == ("12", "0")
        assert books.store.capture(hold, OK).charged == Credits(5)


@pytest.mark.parametrize("end", ["capture", "void"])
def test_a_hold_that_was_resolved_cannot_be_renewed(tmp_path: Path, end: str) -> None:
    """There is nothing left to keep alive."""
    with examined(tmp_path) as books:
        hold = books.hold("5")
        getattr(books.store, end)(hold, OK)
        with pytest.raises(HoldExpired):
            books.store.renew(hold)


def test_a_hold_of_another_store_is_not_renewed(tmp_path: Path) -> None:
    """What this store never gave out is an error of its own kind."""
    with examined(tmp_path) as books:
        hold = books.hold("5")
        with pytest.raises(BillingError, match="knows no such hold"):
            books.store.renew(replace(hold, attempt=2))
        with pytest.raises(BillingError, match="wallet of this hold is missing"):
            books.store.renew(replace(hold, call=replace(hold.call, business="biz_8")))
        assert books.report().wallets == 1


def test_a_renewal_keeps_the_credits_from_others(tmp_path: Path) -> None:
    """While it is renewed nobody else can spend them."""
    with examined(tmp_path, "5") as books:
        hold = books.hold("5")
        books.clock.set(hold.expires_at - 1)
        books.store.renew(hold)
        books.clock.advance(1)
        with pytest.raises(InsufficientCreditsError):
            books.hold("0.000001")
