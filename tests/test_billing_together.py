"""The sum of several calls: held in one transaction, or not at all."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.budget import Budget
from ai_addons.billing.limits import Limit
from ai_addons.billing.records import Finished, Hold
from ai_addons.billing.spending import Purse
from ai_addons.billing.together import HoldRequest
from ai_addons.errors import (
    BillingError,
    BudgetSpent,
    IdempotencyConflict,
    InsufficientCreditsError,
    LedgerConflict,
    LimitReached,
    Paused,
    WalletSuspended,
)
from ai_addons.money import Credits, PicoUsd
from tests.books import FAILED, OK, SECOND, TTL, Books

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.errors import AddOnsError

pytestmark = pytest.mark.usefixtures("each_database")


@pytest.fixture
def books() -> Iterator[Books]:
    """The books of a business with 12 credits; they must agree afterwards."""
    with closing(Books()) as opened:
        yield opened
        assert opened.report().ok


def wants(books: Books, *keys: str | None, amount: str = "5", **changes: Any) -> list[HoldRequest]:
    """Requests for calls under these keys; None for a fresh id."""
    return [HoldRequest(call=books.call(key, **changes), amount=Credits(amount)) for key in keys]


def held(results: list[Hold | Finished | AddOnsError]) -> list[Hold]:
    """The results, all of which are holds."""
    holds = [one for one in results if isinstance(one, Hold)]
    assert len(holds) == len(results)
    return holds


def test_each_call_has_a_hold_of_its_own(books: Books) -> None:
    """One is captured, the other given back; only the first is charged."""
    first, second = held(books.store.hold_many(wants(books, "a", None), ttl=TTL))
    assert books.balance() == ("12", "10")
    books.store.capture(first, OK)
    books.store.void(second, FAILED)
    assert books.balance() == ("7", "0")


def test_the_sum_is_held_or_nothing(books: Books) -> None:
    """Three calls at 5 credits are refused as a whole, and the refusal names the sum."""
    with pytest.raises(InsufficientCreditsError) as refused:
        books.store.hold_many(wants(books, "a", "b", "c"), ttl=TTL)
    error = refused.value
    assert (error.required, error.available, error.shortfall) == (Credits(15), Credits(12), Credits(3))
    assert books.balance() == ("12", "0")
    assert books.store.transactions(books.business) == []


def test_a_business_never_seen_is_told_the_sum(books: Books) -> None:
    """Without a wallet nothing is available; the kill switch is named first."""
    stranger = wants(books, "a", "b", business="stranger")
    with pytest.raises(InsufficientCreditsError) as refused:
        books.store.hold_many(stranger, ttl=TTL)
    assert (refused.value.required, refused.value.available) == (Credits(10), Credits(0))
    books.sql(
        "INSERT INTO ai_limits (business_id, scope, key, per, amount, actor, set_at) VALUES "
        "('', 'operator', '', 'paused', 0, 'ops', 0)"
    )
    with pytest.raises(Paused):
        books.store.hold_many(stranger, ttl=TTL)


def test_credits_for_one_feature_pay_no_other(books: Books) -> None:
    """Grants that pay for some features only count for calls of these."""
    books.funding.grant(books.business, Credits(3), source="promo", ref="p", features=frozenset({"other"}))
    with pytest.raises(InsufficientCreditsError) as refused:
        books.store.hold_many([*wants(books, "a", "b"), *wants(books, "c", amount="4")], ttl=TTL)
    assert refused.value.available == Credits(12)
    other = wants(books, "c", amount="3", feature="other")
    held(books.store.hold_many([*wants(books, "a", "b"), *other], ttl=TTL))
    assert books.balance() == ("15", "13")


def test_a_key_that_cannot_be_used_fails_alone(books: Books) -> None:
    """Paid before, in progress, used for another request, given twice: the others are held."""
    books.store.capture(books.hold("1", "paid"), OK)
    books.hold("1", "open")
    asked = wants(books, "paid", "open", "fresh", "fresh", amount="2")
    other = replace(asked[0], call=replace(asked[0].call, request_hash="another"))
    paid, in_progress, fresh, twice, conflict = books.store.hold_many([*asked, other], ttl=TTL)
    assert isinstance(paid, Finished)
    assert isinstance(in_progress, LedgerConflict)
    assert isinstance(fresh, Hold)
    assert isinstance(twice, LedgerConflict)
    assert isinstance(conflict, LedgerConflict)
    assert books.balance() == ("11", "3")
    (used_otherwise,) = books.store.hold_many([other], ttl=TTL)
    assert isinstance(used_otherwise, IdempotencyConflict)


def test_a_second_attempt_has_the_next_number(books: Books) -> None:
    """After a failure the same key may be held again."""
    books.store.void(books.hold("1", "again"), FAILED)
    (hold,) = held(books.store.hold_many(wants(books, "again"), ttl=TTL))
    assert hold.attempt == 2
    books.store.capture(hold, OK)


def test_holds_that_nobody_resolves_expire_together(books: Books) -> None:
    """After a crash the sweep gives everything back, when the time given for them is over."""
    held(books.store.hold_many(wants(books, "a", "b"), ttl=10 * TTL))
    books.clock.advance(9 * TTL / SECOND)
    books.store.sweep()
    assert books.balance() == ("12", "10")
    books.clock.advance(TTL / SECOND)
    books.store.sweep()
    assert books.balance() == ("12", "0")
    assert [row.error_code for row in books.store.transactions(books.business)] == ["hold_expired"] * 2


def test_several_are_given_back_at_once(books: Books) -> None:
    """A call that is closed already stays as it is, one that expired is told its end."""
    first, second = held(books.store.hold_many(wants(books, "a", "b"), ttl=TTL))
    books.store.capture(first, OK)
    books.store.void_many([first, second], FAILED)
    assert books.balance() == ("7", "0")
    (late,) = held(books.store.hold_many(wants(books, "late"), ttl=TTL))
    books.clock.advance(2 * TTL / SECOND)
    books.store.void_many([late], FAILED)
    rows = {row.id: row.error_code for row in books.store.transactions(books.business)}
    assert rows == {"a": None, "b": "provider_timeout", "late": "provider_timeout"}


@pytest.mark.parametrize(
    ("amount", "business"), [("0", "biz_7"), ("-1", "biz_7"), ("1", "biz_8")], ids=["nothing", "less", "another's"]
)
def test_what_makes_no_sum_is_refused(books: Books, amount: str, business: str) -> None:
    """An amount of nothing, and a call of another business, are mistakes of the caller."""
    asked = [*wants(books, "a"), *wants(books, "b", amount=amount, business=business)]
    with pytest.raises(ValueError, match="nothing was booked"):
        books.store.hold_many(asked, ttl=TTL)
    assert books.balance() == ("12", "0")


def test_a_suspended_wallet_takes_none(books: Books) -> None:
    """As for a single call; a batch of calls that were paid for is told so all the same."""
    books.store.capture(books.hold("1", "paid"), OK)
    books.operations.set_status(books.business, "suspended", actor="ops", reason="test")
    with pytest.raises(WalletSuspended):
        books.store.hold_many(wants(books, "a"), ttl=TTL)
    (paid,) = books.store.hold_many(wants(books, "paid"), ttl=TTL)
    assert isinstance(paid, Finished)


def test_grants_that_do_not_cover_the_balance_are_a_fault(books: Books) -> None:
    """The gate never passes calls that no grant can pay: the doctor must look."""
    books.sql("UPDATE ai_credit_grants SET remaining = 1000000")
    with pytest.raises(BillingError, match="doctor"):
        books.store.hold_many(wants(books, "a", "b"), ttl=TTL)
    books.sql("UPDATE ai_credit_grants SET remaining = 12000000")


@pytest.mark.parametrize(("calls", "reached"), [(2, False), (3, True)])
def test_the_sum_counts_in_limits(calls: int, reached: bool) -> None:
    """Each call fits a limit of 10 a day; three together go over it, and nothing is counted then."""
    limits = (Limit(scope="business", window="day", amount=Credits(10)),)
    with closing(Books("50", limits=limits)) as books:
        asked = wants(books, *"abc"[:calls])
        if reached:
            with pytest.raises(LimitReached):
                books.store.hold_many(asked, ttl=TTL)
            asked = asked[:2]
        for hold in held(books.store.hold_many(asked, ttl=TTL)):
            books.store.capture(hold, OK)
        assert books.balance() == ("40", "0")
        with pytest.raises(LimitReached):
            books.store.hold_many(wants(books, "d", amount="0.1"), ttl=TTL)
        assert books.report().ok


@pytest.mark.parametrize(("bounds", "spent"), [((40, 60), False), ((40, 61), True), ((None, 100), False)])
def test_the_sum_counts_in_the_provider_budget(bounds: tuple[int | None, ...], spent: bool) -> None:
    """What the models might cost together must fit; a call without a bound asks no model of ours."""
    purse = Purse(budgets=(Budget(window="day", amount=PicoUsd(100)),), warn_at=Decimal(1))
    with closing(Books(purse=purse)) as books:
        asked = [
            replace(one, bound=None if bound is None else PicoUsd(bound))
            for one, bound in zip(wants(books, "a", "b"), bounds, strict=True)
        ]
        if spent:
            with pytest.raises(BudgetSpent):
                books.store.hold_many(asked, ttl=TTL)
            assert books.balance() == ("12", "0")
        else:
            held(books.store.hold_many(asked, ttl=TTL))
            with pytest.raises(BudgetSpent):
                books.store.hold_many([replace(wants(books, "c", amount="1")[0], bound=PicoUsd(1))], ttl=TTL)
        assert books.report().ok
