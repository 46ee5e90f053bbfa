"""Grants that begin later, end, or pay for some features only; and which of them paid for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_addons.billing.grants import Grant
from ai_addons.errors import IdempotencyConflict, InsufficientCreditsError, TrialClaimed
from ai_addons.money import Credits
from tests.books import DAY, OK, Books
from tests.hands import examined

if TYPE_CHECKING:
    from pathlib import Path

    from ai_addons.billing.grants import GrantSource
    from ai_addons.billing.records import GrantBooking

pytestmark = pytest.mark.usefixtures("each_database")

HINT: Final = "menu_idea"


def _promo(books: Books, amount: str, ref: str = "promo-1", **options: Any) -> GrantBooking:
    return books.funding.grant("biz_7", Credits(amount), source="promo", ref=ref, **options)


def _left(books: Books) -> list[tuple[str, str]]:
    """What is left of each grant, in the order in which they pay."""
    return [(grant.ref, grant.remaining.short) for grant in books.store.wallet("biz_7").grants]


def _rows(books: Books, kind: str) -> list[tuple[str, str, str, int]]:
    return [
        (entry.debit, entry.credit, entry.amount.short, entry.effective_at)
        for entry in books.store.ledger("biz_7")
        if entry.kind == kind
    ]


# Grants that begin later.


@pytest.mark.parametrize(("off", "posted"), [(-1, "0"), (0, "8"), (1, "8")])
def test_a_planned_grant_enters_the_wallet_at_its_moment(tmp_path: Path, off: int, posted: str) -> None:
    """Until then it is neither in the balance nor in the ledger; from that microsecond on it is, and can pay."""
    with examined(tmp_path, "0") as books:
        begins = books.clock.now() + DAY
        told = _promo(books, "8", effective_at=begins)
        assert (told.grant.id, told.grant.effective_at, told.balance) == ("", begins, Credits(0))
        books.clock.set(begins + off)
        wallet = books.store.wallet("biz_7")
        assert (wallet.posted.short, wallet.lifetime_in.short) == (posted, posted)
        assert _rows(books, "grant") == ([] if off < 0 else [("issuance:promo", "wallet", "8", begins)])
        if off < 0:
            with pytest.raises(InsufficientCreditsError):
                books.hold("0.000001")
        else:
            assert books.store.capture(books.hold("8"), OK).charged == Credits(8)


def test_a_plan_is_kept_whole(tmp_path: Path) -> None:
    """Price, expiry, features and priority of a planned grant are those it was planned with."""
    with examined(tmp_path, "0") as books:
        begins = books.clock.now() + DAY
        planned = _promo(
            books, "8", effective_at=begins, expires_at=begins + DAY, paid=4, features=("b", "a"), priority=7
        )
        books.clock.set(begins + 5)
        (grant,) = books.store.wallet("biz_7").grants
        for seen in (planned.grant, grant):
            assert (seen.effective_at, seen.expires_at, seen.paid, seen.features, seen.priority) == (
                begins,
                begins + DAY,
                4,
                ("a", "b"),
                7,
            )


def test_a_plan_asked_for_again_is_one_plan(tmp_path: Path) -> None:
    """Repeated before it begins or after, it says so and gives nothing more."""
    with examined(tmp_path, "0") as books:
        begins = books.clock.now() + DAY
        first = _promo(books, "8", effective_at=begins)
        waiting = _promo(books, "8", effective_at=begins)
        assert (first.replayed, waiting.replayed, waiting.grant) == (False, True, first.grant)
        books.clock.set(begins)
        entered = _promo(books, "8", effective_at=begins)
        assert (entered.replayed, entered.balance, entered.grant.id != "") == (True, Credits(8), True)
        assert len(_rows(books, "grant")) == 1


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amount": "9"}, "gave 8 credits before, not 9"),
        ({"paid": 1}, "credits of another price"),
        ({"expires_at": 10**18}, "credits of another price"),
        ({"features": ["x"]}, "credits of another price"),
        ({"priority": 9}, "credits of another price"),
    ],
)
def test_a_reference_gives_one_thing(tmp_path: Path, begun: bool, change: dict[str, Any], message: str) -> None:
    """Another amount, price, expiry or use under the same reference is refused, planned or given."""
    with examined(tmp_path, "0") as books:
        options: dict[str, Any] = {} if begun else {"effective_at": books.clock.now() + DAY}
        _promo(books, "8", **options)
        with pytest.raises(IdempotencyConflict, match=message) as refused:
            _promo(books, **{"amount": "8", **options, **change})
        assert "Nothing was booked" in str(refused.value)
        assert books.balance() == ("8" if begun else "0", "0")


@pytest.mark.parametrize("off", [None, DAY - 1, DAY + 1])
def test_a_plan_is_not_moved_by_asking_again(tmp_path: Path, off: int | None) -> None:
    """Another beginning, or at once, is another grant and needs a reference of its own."""
    with examined(tmp_path, "0") as books:
        now = books.clock.now()
        _promo(books, "8", effective_at=now + DAY)
        with pytest.raises(IdempotencyConflict, match=r"begins at another time\. Nothing was booked"):
            _promo(books, "8", effective_at=None if off is None else now + off)
        assert _promo(books, "8", effective_at=now + DAY, priority=10).replayed
        books.clock.set(now + DAY)
        assert books.balance() == ("8", "0")


@pytest.mark.parametrize(
    ("begins", "ends", "fine"),
    [(0, 0, False), (0, 1, True), (5, 5, False), (5, 6, True), (-9, 0, False), (-9, 1, True)],
)
def test_a_grant_must_begin_before_it_ends(tmp_path: Path, begins: int, ends: int, fine: bool) -> None:
    """One that could never pay is refused; a microsecond is enough, and one dated back must still be alive."""
    with examined(tmp_path, "0") as books:
        now = books.clock.now()
        if fine:
            assert not _promo(books, "8", effective_at=now + begins, expires_at=now + ends).replayed
        else:
            with pytest.raises(ValueError, match="must begin before it expires; nothing was booked"):
                _promo(books, "8", effective_at=now + begins, expires_at=now + ends)
            assert books.sql("SELECT count(*) FROM ai_planned_grants") == [(0,)]
        assert books.balance() == ("8" if fine and begins <= 0 else "0", "0")


def test_a_trial_is_known_under_a_secret_used_before(tmp_path: Path) -> None:
    """A rotated secret gives its owner other hashes: the old ones are asked for too, the new ones not used up."""
    with examined(tmp_path, "0") as books:
        books.funding.claim_trial("biz_7", Credits(5), {"old-hmac": "phone"})
        with pytest.raises(TrialClaimed):
            books.funding.claim_trial("biz_8", Credits(5), {"new-hmac": "phone"}, former=["other", "old-hmac"])
        assert not books.funding.claim_trial("biz_9", Credits(5), {"new-hmac": "phone"}, former=["other"]).replayed


def test_a_source_that_is_none_is_refused(tmp_path: Path) -> None:
    """The message lists those there are."""
    with examined(tmp_path, "0") as books:
        with pytest.raises(ValueError, match=r"one of trial, free_monthly, .*; nothing was booked"):
            books.funding.grant("biz_7", Credits(5), source="gift", ref="g")  # type: ignore[arg-type]  # no such source
        assert books.report().wallets == 0


def test_what_nobody_saw_come_or_go_is_booked_at_its_time(tmp_path: Path) -> None:
    """A wallet untouched for months finds each grant entered and expired at its own moment, in that order."""
    with examined(tmp_path, "0") as books:
        now = books.clock.now()
        _promo(books, "8", "late", effective_at=now + 9 * DAY, expires_at=now + 20 * DAY)
        _promo(books, "5", "early", effective_at=now + 3 * DAY, expires_at=now + 10 * DAY)
        books.clock.set(now + 90 * DAY)
        assert books.balance() == ("0", "0")
        told = [(entry.kind, entry.amount.short, entry.effective_at - now) for entry in books.store.ledger("biz_7")]
        assert told == [
            ("grant", "5", 3 * DAY),
            ("grant", "8", 9 * DAY),
            ("expire", "5", 10 * DAY),
            ("expire", "8", 20 * DAY),
        ]


def test_at_one_moment_the_old_go_before_the_new_come(tmp_path: Path) -> None:
    """Credits that begin when others end do not meet them; several begin by their references."""
    with examined(tmp_path, "0") as books:
        turn = books.clock.now() + DAY
        _promo(books, "5", "old", expires_at=turn)
        for ref in ("new-b", "new-a"):
            _promo(books, "3", ref, effective_at=turn, expires_at=turn + DAY)
        books.clock.set(turn)
        assert books.store.sweep() == 1
        assert [(entry.kind, entry.balance_after.short) for entry in books.store.ledger("biz_7")] == [
            ("grant", "5"),
            ("expire", "0"),
            ("grant", "3"),
            ("grant", "6"),
        ]
        assert [entry.ref for entry in books.store.ledger("biz_7")[2:]] == ["promo:new-a", "promo:new-b"]


# Grants that end.


def test_credits_that_nobody_used_become_breakage(tmp_path: Path) -> None:
    """What expires leaves the wallet by a row of its own, dated to its expiry; it still counts as once received."""
    with examined(tmp_path, "12") as books:
        ends = books.clock.now() + DAY
        promo = _promo(books, "8", expires_at=ends).grant
        books.store.capture(books.hold("3"), OK)
        books.clock.set(ends + 7)
        wallet = books.store.wallet("biz_7")
        assert (wallet.posted, wallet.lifetime_in, wallet.lifetime_used) == (Credits(12), Credits(20), Credits(3))
        assert _rows(books, "expire") == [("wallet", "breakage", "5", ends)]
        assert books.store.ledger("biz_7")[-1].ref.startswith(f"{promo.id}:")


def test_a_pinned_share_expires_when_it_comes_back(tmp_path: Path) -> None:
    """A call in progress keeps its credits past their expiry, uses what it needs, and the rest is gone at once."""
    with examined(tmp_path, "0") as books:
        ends = books.clock.now() + 60_000_000
        promo = _promo(books, "8", expires_at=ends).grant
        hold = books.hold("5")
        books.clock.set(ends)
        assert books.balance() == ("5", "5")
        booked = books.store.capture(hold, OK, used=Credits(2))
        assert (booked.charged, booked.balance) == (Credits(2), Credits(0))
        assert _rows(books, "expire") == [("wallet", "breakage", "3", ends)] * 2
        refs = [entry.ref for entry in books.store.ledger("biz_7") if entry.kind == "expire"]
        assert [ref.partition(":")[0] for ref in refs] == [promo.id] * 2


# Grants for some features.


def test_credits_for_a_feature_pay_for_that_feature_alone(tmp_path: Path) -> None:
    """Another feature passes them by, and its refusal names what it could have spent, not the whole balance."""
    with examined(tmp_path, "2") as books:
        _promo(books, "8", features=[HINT])
        with pytest.raises(InsufficientCreditsError) as refused:
            books.hold("2.000001")
        assert (refused.value.available, refused.value.shortfall) == (Credits(2), Credits("0.000001"))
        assert books.store.wallet("biz_7").available == Credits(10)
        books.store.capture(books.hold("9", feature=HINT), OK)
        assert _left(books) == [("order-1", "1")]
        books.store.capture(books.hold("1"), OK)
        assert books.balance() == ("0", "0")


def test_credits_for_no_feature_at_all_are_refused(tmp_path: Path) -> None:
    """They would stand in the balance and never pay."""
    with examined(tmp_path, "0") as books:
        with pytest.raises(ValueError, match="nothing was booked"):
            _promo(books, "8", features=[])
        assert books.report().wallets == 0


def test_what_a_feature_can_spend_leaves_out_what_is_for_others(tmp_path: Path) -> None:
    """And what calls hold; a hold takes exactly that much and no more."""
    with examined(tmp_path, "2") as books:
        _promo(books, "8", features=[HINT, "other"])
        books.hold("1")
        wallet = books.store.wallet("biz_7")
        spendable = {name: wallet.spendable(name) for name in (HINT, "other", "third")}
        assert spendable == {HINT: Credits(9), "other": Credits(9), "third": Credits(1)}
        for feature, amount in (("third", "1"), ("other", "8")):
            with pytest.raises(InsufficientCreditsError):
                books.hold(f"{amount}.000001", feature=feature)
            books.hold(amount, feature=feature)


def test_the_order_in_which_features_are_named_does_not_matter(tmp_path: Path) -> None:
    """The same set of features again is the same grant."""
    with examined(tmp_path, "0") as books:
        _promo(books, "8", features=["b", "a"])
        assert _promo(books, "8", features=("a", "b")).replayed


# Which grant pays.

SOURCES: Final[list[tuple[str, GrantSource, int | None, int | None]]] = [
    ("bought first", "purchase", None, None),
    ("bought last", "purchase", None, None),
    ("free", "trial", None, None),
    ("soon", "purchase", 2, None),
    ("later, free", "promo", 3, None),
    ("later, first of all", "purchase", 3, 1),
    ("never, and last", "promo", None, 60),
]


@pytest.mark.parametrize("backwards", [False, True])
def test_what_ends_soonest_pays_first_then_by_priority_then_the_oldest(tmp_path: Path, backwards: bool) -> None:
    """A priority of its own beats the source's; an earlier end beats any priority."""
    with examined(tmp_path, "0") as books:
        now = books.clock.now()
        for ref, source, days, priority in reversed(SOURCES) if backwards else SOURCES:
            ends = None if days is None else now + days * DAY
            books.clock.advance(1)
            books.funding.grant("biz_7", Credits(1), source=source, ref=ref, expires_at=ends, priority=priority)
        bought = ["bought last", "bought first"] if backwards else ["bought first", "bought last"]
        order = ["soon", "later, first of all", "later, free", "free", *bought, "never, and last"]
        assert [ref for ref, _ in _left(books)] == order
        for spent in range(1, len(order) + 1):
            books.store.capture(books.hold("1"), OK)
            assert [ref for ref, _ in _left(books)] == order[spent:]


def test_a_call_over_several_grants_uses_them_in_their_order(tmp_path: Path) -> None:
    """Of a hold that took from three, what is used leaves the first ones; the others get their share back."""
    with examined(tmp_path, "4") as books:
        _promo(books, "3", "p", expires_at=books.clock.now() + DAY)
        books.funding.grant("biz_7", Credits(2), source="trial", ref="trial")
        hold = books.hold("9", "sale-81")
        books.store.capture(hold, OK, used=Credits("3.5"))
        assert _left(books) == [("trial", "1.5"), ("order-1", "4")]
        shares = books.sql(
            "SELECT g.source_ref, a.amount, a.used FROM ai_hold_allocations a JOIN ai_credit_grants g "
            "ON g.id = a.grant_id AND g.business_id = a.business_id WHERE a.hold_id = ? ORDER BY 1",
            ("sale-81",),
        )
        assert [tuple(share) for share in shares] == [
            ("order-1", 4_000_000, 0),
            ("p", 3_000_000, 3_000_000),
            ("trial", 2_000_000, 500_000),
        ]


def test_a_grant_that_is_used_up_has_earned_what_was_paid(tmp_path: Path) -> None:
    """Seven cedis for three credits: two calls earn 2.333333, the last one the pesewas that are left."""
    with examined(tmp_path, "0") as books:
        books.funding.grant("biz_7", Credits(3), source="purchase", ref="order-9", paid=7_000_000)
        for number in range(3):
            books.store.capture(books.hold("1", f"call-{number}"), OK)
        earned = {row.id: row.revenue for row in books.store.transactions("biz_7")}
        assert earned == {"call-0": 2_333_333, "call-1": 2_333_333, "call-2": 2_333_334}


@pytest.mark.parametrize(("off", "available"), [(-1, "13"), (0, "7"), (1, "7")])
def test_the_balance_asked_for_quickly_is_the_same(tmp_path: Path, off: int, available: str) -> None:
    """Up to the moment when something is due it is one read; from then on what is due comes first."""
    with examined(tmp_path, "7") as books:
        ends = books.clock.now() + 60_000_000
        _promo(books, "9", expires_at=ends)
        books.hold("3")
        books.clock.set(ends + off)
        assert books.store.available("biz_7") == Credits(available)
        assert books.store.wallet("biz_7").available == Credits(available)
        assert books.store.available("biz_8") == Credits(0)


@settings(max_examples=25, deadline=None)  # a server takes its time
@given(
    plans=st.lists(st.tuples(st.integers(1, 10**7), st.integers(-2, 12), st.integers(1, 12)), min_size=1, max_size=5),
    looks=st.lists(st.integers(0, 25), max_size=4),
    at=st.integers(0, 25),
)
def test_at_any_time_the_balance_is_what_may_pay_then(
    plans: list[tuple[int, int, int]], looks: list[int], at: int
) -> None:
    """Whoever looked when, the balance is the sum of the grants whose time it is."""
    books = Books("0")
    now, alive = books.clock.now(), list[Grant]()
    for number, (micro, begins, life) in enumerate(plans):
        ends = now + max(begins, 0) + life
        made = _promo(books, str(Credits.from_micro(micro)), f"p-{number}", effective_at=now + begins, expires_at=ends)
        alive.append(made.grant)
    for moment in sorted(look for look in looks if look < at):
        books.clock.set(now + moment)
        books.store.sweep()
    books.clock.set(now + at)
    assert books.store.wallet("biz_7").posted == Credits.from_micro(
        sum(grant.amount.micro for grant in alive if grant.may_pay("any", now + at))
    )
    assert books.report().ok
    books.close()
