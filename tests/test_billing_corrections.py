"""What operators put right: adjustments and reversals, each a row of its own, once, with who and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.limits import Limit
from ai_addons.billing.records import Finished
from ai_addons.errors import BillingError, IdempotencyConflict, InsufficientCreditsError, LimitReached
from ai_addons.money import Credits
from tests.books import DAY, FAILED, OK, Books
from tests.hands import at_once, examined

if TYPE_CHECKING:
    from pathlib import Path

    from ai_addons.billing.records import Correction

pytestmark = pytest.mark.usefixtures("each_database")


def _adjust(books: Books, amount: str, ref: str = "case-1", **options: Any) -> Correction:
    told = {"actor": "ama", "reason": "a mistake"} | options
    return books.funding.adjust("biz_7", Credits(amount), ref=ref, **told)


def _reverse(books: Books, seq: int, **options: Any) -> Correction:
    return books.funding.reverse("biz_7", seq, **({"actor": "ama", "reason": "a mistake"} | options))


def _last(books: Books) -> tuple[str, str, str, str, str]:
    """The last row of the ledger."""
    entry = books.store.ledger("biz_7")[-1]
    return entry.kind, entry.debit, entry.credit, entry.amount.short, entry.ref


def _left(books: Books) -> list[tuple[str, str]]:
    """What is left of each grant, in the order in which they pay."""
    return [(grant.ref, grant.remaining.short) for grant in books.store.wallet("biz_7").grants]


def _audit(books: Books) -> list[tuple[str, str, dict[str, object]]]:
    return [(entry.actor, entry.action, dict(entry.detail)) for entry in books.operations.audit("biz_7")]


# Adjustments.


def test_an_adjustment_gives_credits_that_never_expire(tmp_path: Path) -> None:
    """A grant of its own, free of charge, counted as received, and kept with who and why."""
    with examined(tmp_path) as books:
        told = _adjust(books, "25")
        assert (told.amount, told.balance, told.replayed) == (Credits(25), Credits(37), False)
        assert _last(books) == ("grant", "issuance:adjustment", "wallet", "25", "adjustment:case-1")
        assert books.store.wallet("biz_7").lifetime_in == Credits(37)
        assert _audit(books) == [("ama", "adjust", {"amount": "25.00", "ref": "case-1", "reason": "a mistake"})]


def test_an_adjustment_takes_what_is_free_in_burn_order(tmp_path: Path) -> None:
    """One row, whatever grants it came from; what calls hold stays with them."""
    with examined(tmp_path) as books:
        books.funding.grant("biz_7", Credits(4), source="promo", ref="p", expires_at=books.clock.now() + DAY)
        hold = books.hold("1")
        told = _adjust(books, "-5")
        assert (told.amount, told.balance) == (Credits(-5), Credits(10))
        assert _last(books) == ("adjust", "wallet", "operator", "5", "case-1")
        assert _left(books) == [("p", "1"), ("order-1", "10")]
        assert books.store.capture(hold, OK).charged == Credits(1)
        wallet = books.store.wallet("biz_7")
        assert (wallet.lifetime_in, wallet.lifetime_used) == (Credits(16), Credits(1))


def test_all_that_is_free_can_be_taken_and_no_more(tmp_path: Path) -> None:
    """Held credits are nobody's to take: the refusal says how many are free, and nothing is booked."""
    with examined(tmp_path) as books:
        books.hold("5")
        with pytest.raises(InsufficientCreditsError, match=r"Only 7 credits are free to be taken, not 7\.000001") as no:
            _adjust(books, "-7.000001")
        assert (no.value.required, no.value.available) == (Credits("7.000001"), Credits(7))
        assert (_audit(books), books.balance()) == ([], ("12", "5"))
        _adjust(books, "-7")
        assert books.balance() == ("5", "5")


@pytest.mark.parametrize("amount", ["3", "-3"])
def test_an_adjustment_is_booked_once_per_reference(tmp_path: Path, amount: str) -> None:
    """The same again says so; another amount under its reference, or the other direction, is a conflict."""
    with examined(tmp_path) as books:
        first, again = _adjust(books, amount), _adjust(books, amount, actor="kofi")
        assert (first.replayed, again.replayed, again.balance) == (False, True, first.balance)
        assert again.amount == Credits(amount)
        for other in (f"{amount}.1", str(-int(amount))):
            with pytest.raises(IdempotencyConflict, match=f"adjusted by {amount} credits before, not {other}"):
                _adjust(books, other)
        assert [actor for actor, *_ in _audit(books)] == ["ama"]


def test_an_adjustment_at_once_by_many_is_one(tmp_path: Path) -> None:
    """A button that is hammered takes once."""
    with examined(tmp_path) as books:
        told = at_once(8, lambda _: _adjust(books, "-3"))
        assert sum(not one.replayed for one in told) == 1
        assert books.balance() == ("9", "0")


def test_an_adjustment_may_count_from_an_earlier_day(tmp_path: Path) -> None:
    """The row bears the day it is meant for and the moment it was written; the credits move at once."""
    with examined(tmp_path) as books:
        then, now = books.clock.now(), books.clock.now() + 3 * DAY
        books.clock.set(now)
        _adjust(books, "3", "up", effective_at=then)
        _adjust(books, "-5", "down", effective_at=then + 1)
        dates = [(entry.effective_at, entry.booked_at) for entry in books.store.ledger("biz_7")]
        assert dates == [(then, then), (then, now), (then + 1, now)]
        assert books.store.capture(books.hold("10"), OK).balance == Credits(0)


@pytest.mark.parametrize("amount", ["3", "-3"])
def test_an_adjustment_cannot_count_from_a_day_to_come(tmp_path: Path, amount: str) -> None:
    """It would stand in the balance before it may pay."""
    with examined(tmp_path) as books:
        with pytest.raises(ValueError, match="nothing was booked"):
            _adjust(books, amount, effective_at=books.clock.now() + 1)
        assert books.balance() == ("12", "0")
        _adjust(books, amount, effective_at=books.clock.now())


@pytest.mark.parametrize("change", [{"amount": "0"}, {"ref": ""}, {"actor": ""}, {"actor": "x" * 256}])
def test_an_adjustment_needs_an_amount_a_reference_and_somebody(tmp_path: Path, change: dict[str, Any]) -> None:
    """Without one of them nothing is booked, whatever was done before it was noticed."""
    with examined(tmp_path) as books:
        with pytest.raises(ValueError, match=r"[Nn]othing was (booked|charged)"):
            _adjust(books, **({"amount": "3"} | change))
        assert (books.balance(), _audit(books)) == (("12", "0"), [])


# Charges undone.


def test_a_reversed_charge_gives_back_what_was_paid_to_who_paid(tmp_path: Path) -> None:
    """Each grant has its credits again, also one that was used up; log, sums and counters show no charge."""
    daily = (Limit(scope="business", window="day", amount=Credits(5)),)
    with examined(tmp_path, limits=daily) as books:
        books.funding.grant("biz_7", Credits(2), source="trial", ref="trial")
        books.store.capture(books.hold("5", "sale-81"), OK)
        with pytest.raises(LimitReached):
            books.hold("1")
        told = _reverse(books, 3)
        assert (told.amount, told.balance, told.replayed) == (Credits(5), Credits(14), False)
        assert _last(books) == ("reverse", "revenue:collection_analysis", "wallet", "5", "3")
        assert _left(books) == [("trial", "2"), ("order-1", "12")]
        (row,) = books.store.transactions("biz_7")
        assert (row.outcome, row.charged, row.revenue, row.cost) == ("ok", Credits(0), 0, OK.cost)
        assert books.store.wallet("biz_7").lifetime_used == Credits(0)
        assert books.sql("SELECT calls, charged, revenue_micro_ghs FROM ai_usage_daily") == [(1, 0, 0)]
        assert books.sql("SELECT used, held FROM ai_limit_counters") == [(0, 0)]
        assert books.hold("5").amount == Credits(5)
        detail = {"seq": 3, "kind": "usage", "amount": "5.00", "reason": "a mistake"}
        assert _audit(books) == [("ama", "reverse", detail)]


def test_a_charge_is_reversed_once(tmp_path: Path) -> None:
    """Asked for again, by many at once too, it says so; and the row that undid it cannot be undone."""
    with examined(tmp_path) as books:
        books.store.capture(books.hold("5"), OK)
        told = at_once(8, lambda _: _reverse(books, 2))
        assert [one.balance for one in told] == [Credits(12)] * 8
        assert sum(not one.replayed for one in told) == 1
        with pytest.raises(BillingError, match="Row 3 is of kind reverse; only charges and grants"):
            _reverse(books, 3)
        assert len(_audit(books)) == 1


def test_a_reversed_call_stays_answered(tmp_path: Path) -> None:
    """Its key replays the answer as free, and a capture that is repeated does not charge it again."""
    with examined(tmp_path) as books:
        hold = books.hold("5", "sale-81")
        books.store.capture(hold, OK)
        _reverse(books, 2)
        free = Finished(charged=Credits(0), answers=OK.answers, model=OK.model)
        assert books.store.hold(books.call("sale-81"), Credits(5)) == free
        assert books.store.capture(hold, OK).charged == Credits(0)
        assert books.balance() == ("12", "0")


def test_a_charge_of_the_second_try_is_reversed(tmp_path: Path) -> None:
    """Attempts that failed before it under the key are left as they are."""
    with examined(tmp_path, limits=(Limit(scope="user", window="day", amount=Credits(9)),)) as books:
        books.store.void(books.hold("4", "sale-81"), FAILED)
        books.store.capture(books.hold("4", "sale-81"), OK, used=Credits(3))
        assert _reverse(books, 2).balance == Credits(12)
        assert [(row.outcome, row.charged) for row in books.store.transactions("biz_7")] == [
            ("failed", Credits(0)),
            ("ok", Credits(0)),
        ]
        assert books.sql("SELECT used, held FROM ai_limit_counters") == [(0, 0)]


@pytest.mark.parametrize("way", ["late", "overrun"])
def test_a_charge_beside_its_hold_is_reversed_whole(tmp_path: Path, way: str) -> None:
    """Whether it came after its hold expired or was larger than it, all that was paid comes back."""
    with examined(tmp_path, limits=(Limit(scope="feature", window="month", amount=Credits(9)),)) as books:
        hold = books.hold("5")
        if way == "late":
            books.clock.set(hold.expires_at)
            books.store.sweep()
        used = Credits(5) if way == "late" else Credits(8)
        assert books.store.capture(hold, OK, used=used, overrun="overflow").charged == used
        assert (_reverse(books, 2).amount, _left(books)) == (used, [("order-1", "12")])
        assert books.sql("SELECT used, held FROM ai_limit_counters") == [(0, 0)]
        assert books.sql("SELECT captured FROM ai_credit_holds") == [(0,)]


def test_an_erased_call_can_be_reversed(tmp_path: Path) -> None:
    """Nobody knows any more who made it or where it was counted; what it paid is known."""
    with examined(tmp_path, limits=(Limit(scope="business", window="day", amount=Credits(9)),)) as books:
        books.store.capture(books.hold("5"), OK)
        books.operations.erase("biz_7", actor="ama")
        assert _reverse(books, 2).balance == Credits(12)
        assert books.sql("SELECT used, held FROM ai_limit_counters") == [(5_000_000, 0)]


def test_credits_given_back_to_a_grant_that_ended_end_again(tmp_path: Path) -> None:
    """They expire with the reversal, by a row of their own, and the balance told is that of the wallet."""
    with examined(tmp_path) as books:
        ends = books.clock.now() + DAY
        books.funding.grant("biz_7", Credits(8), source="promo", ref="p", expires_at=ends)
        books.store.capture(books.hold("5", "a"), OK)
        books.store.capture(books.hold("5", "b"), OK)
        books.clock.set(ends + 5)
        assert _reverse(books, 3).balance == Credits(10)
        assert _reverse(books, 4).balance == Credits(12)
        told = [(entry.kind, entry.amount.short) for entry in books.store.ledger("biz_7")[4:]]
        assert told == [("reverse", "5"), ("expire", "5"), ("reverse", "5"), ("expire", "3")]
        assert _left(books) == [("order-1", "12")]


def test_a_charge_and_the_grant_that_ends_now_can_be_reversed_together(tmp_path: Path) -> None:
    """The first touch after an expiry books that first, then the reversal, on the grant as it is then."""
    with examined(tmp_path) as books:
        ends = books.clock.now() + DAY
        books.funding.grant("biz_7", Credits(8), source="promo", ref="p", expires_at=ends)
        books.store.capture(books.hold("5"), OK)
        books.clock.set(ends)
        assert _reverse(books, 3).balance == Credits(12)
        told = [(entry.kind, entry.amount.short) for entry in books.store.ledger("biz_7")[3:]]
        assert told == [("expire", "3"), ("reverse", "5"), ("expire", "5")]


def test_a_charge_of_last_month_that_is_reversed_rolls_over_as_far_as_there_is_room(tmp_path: Path) -> None:
    """The add-on's credits come back to the month that is over: fifty in all live on, the rest expires again."""
    with examined(tmp_path, "0", policy="hybrid") as books:
        books.subscriptions.subscribe("biz_7", paid=True)
        books.subscriptions.pay("biz_7", period=1)
        for amount in ("5", "30", "35"):
            books.store.capture(books.hold(amount, f"call-{amount}"), OK)
        books.clock.advance(31 * 86_400)
        assert books.balance() == ("140", "0")
        seqs = {entry.ref: entry.seq for entry in books.store.ledger("biz_7") if entry.kind == "usage"}
        assert _reverse(books, seqs["call-30"]).balance == Credits(155)
        assert _reverse(books, seqs["call-5"]).balance == Credits(155)
        assert _reverse(books, seqs["call-35"]).balance == Credits(155)
        lost = [entry.amount.short for entry in books.store.ledger("biz_7") if entry.kind == "expire"]
        assert lost == ["15", "5", "35"]


# Grants undone.


def test_a_reversed_grant_is_taken_back_whole(tmp_path: Path) -> None:
    """It no longer counts as received, its reference gives nothing more, and its purchase keeps its row."""
    with examined(tmp_path) as books:
        books.buy("30", "order-2")
        told = _reverse(books, 2)
        assert (told.amount, told.balance, told.replayed) == (Credits(30), Credits(12), False)
        assert _last(books) == ("reverse", "wallet", "issuance:purchase", "30", "2")
        assert books.store.wallet("biz_7").lifetime_in == Credits(12)
        again = books.funding.grant("biz_7", Credits(30), source="purchase", ref="order-2", paid=24_000_000)
        assert (again.replayed, again.balance, again.grant.remaining) == (True, Credits(12), Credits(0))
        assert again.grant.voided_at == books.clock.now()
        assert _reverse(books, 2).replayed


def test_credits_that_came_back_were_received_before(tmp_path: Path) -> None:
    """A clawback taken back counts as no new credits, and undone it takes none from those received."""
    with examined(tmp_path) as books:
        books.funding.grant("biz_7", Credits(3), source="clawback_reversal", ref="order-1")
        assert books.store.wallet("biz_7").lifetime_in == Credits(12)
        assert _reverse(books, 2).balance == Credits(12)
        assert books.store.wallet("biz_7").lifetime_in == Credits(12)


def test_a_grant_of_which_some_is_gone_or_held_is_not_taken_back(tmp_path: Path) -> None:
    """The message says what is left; with the charge reversed first, or the hold void, it goes through."""
    with examined(tmp_path) as books:
        hold = books.hold("0.000001")
        with pytest.raises(BillingError, match=r"Of this grant's 12 credits only 11\.999999 are left and free"):
            _reverse(books, 1)
        books.store.capture(hold, OK)
        with pytest.raises(BillingError, match=r"Nothing was booked\. Take those by an adjustment instead"):
            _reverse(books, 1)
        _reverse(books, 2)
        assert _reverse(books, 1).balance == Credits(0)
        assert len(_audit(books)) == 2


def test_a_grant_that_ended_cannot_be_taken_back(tmp_path: Path) -> None:
    """Also where the reversal is the first to look after its expiry: it is gone already, and goes once."""
    with examined(tmp_path) as books:
        books.funding.grant("biz_7", Credits(5), source="promo", ref="p", expires_at=books.clock.now() + DAY)
        books.clock.advance(86_400)
        with pytest.raises(BillingError, match="only 0 are left and free"):
            _reverse(books, 2)
        assert books.balance() == ("12", "0")


def test_adjusted_credits_can_be_reversed(tmp_path: Path) -> None:
    """An adjustment upwards is a grant like any other; one downwards is answered by another adjustment."""
    with examined(tmp_path) as books:
        _adjust(books, "3", "up")
        assert _reverse(books, 2).balance == Credits(12)
        _adjust(books, "-3", "down")
        with pytest.raises(BillingError, match=r"Row 4 is of kind adjust.*Book an adjustment instead"):
            _reverse(books, 4)


@pytest.mark.parametrize("seq", [0, 2, -1])
def test_a_row_that_is_not_there_cannot_be_reversed(tmp_path: Path, seq: int) -> None:
    """Nor is anybody noted for it."""
    with examined(tmp_path) as books:
        with pytest.raises(BillingError, match=f"no row {seq}. Nothing was booked"):
            _reverse(books, seq)
        assert _audit(books) == []


def test_a_reversal_needs_somebody(tmp_path: Path) -> None:
    """Without a name nothing is undone."""
    with examined(tmp_path) as books:
        books.store.capture(books.hold("5"), OK)
        with pytest.raises(ValueError, match="the actor must be"):
            _reverse(books, 2, actor="")
        assert books.balance() == ("7", "0")


def test_what_was_never_charged_or_only_carried_cannot_be_reversed(tmp_path: Path) -> None:
    """Expired credits, unpaid answers and rollovers have their own rules."""
    with examined(tmp_path, "5") as books:
        books.funding.grant("biz_7", Credits(1), source="promo", ref="p", expires_at=books.clock.now() + DAY)
        late = books.hold("6")
        books.clock.advance(86_400)
        books.store.sweep()
        books.store.capture(late, OK)
        kinds = {entry.kind: entry.seq for entry in books.store.ledger("biz_7")}
        for kind in ("expire", "bad_debt"):
            with pytest.raises(BillingError, match=f"Row {kinds[kind]} is of kind {kind}"):
                _reverse(books, kinds[kind])
        assert books.balance() == ("5", "0")


def test_a_rollover_cannot_be_reversed(tmp_path: Path) -> None:
    """Its credits were given once before; only what came from outside can be taken back."""
    with examined(tmp_path, "0", policy="hybrid") as books:
        books.subscriptions.subscribe("biz_7", paid=True)
        books.subscriptions.pay("biz_7", period=1)
        books.clock.advance(31 * 86_400)
        books.store.sweep()
        rollover = next(e.seq for e in books.store.ledger("biz_7") if e.debit == "rollover")
        with pytest.raises(BillingError, match="Nothing was booked"):
            _reverse(books, rollover)
        assert books.balance() == ("155", "0")
