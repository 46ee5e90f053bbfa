"""The provider budget: what all models together may cost in a day and a month, counted with hold and capture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.billing.budget import Budget
from ai_addons.billing.charging import charge
from ai_addons.billing.records import CallRecord, Hold
from ai_addons.billing.spending import Purse, WindowSpending, spending_at
from ai_addons.clock import SystemClock
from ai_addons.errors import BudgetSpent, InsufficientCreditsError
from ai_addons.events import BudgetStopped, BudgetWarned, WalletEvent
from ai_addons.money import Credits, PicoUsd
from ai_addons.testing.fakes import ManualClock
from tests.addon_books import us
from tests.books import FAILED, OK, TTL, Books
from tests.hands import at_once, examined

if TYPE_CHECKING:
    from pathlib import Path


each_database = pytest.mark.usefixtures("each_database")

NOON: Final = us("2027-01-31 12:00")
DOLLAR: Final = 10**12
BOUND: Final = PicoUsd(DOLLAR)
"""What a call of these tests may cost at most; `OK` did cost 0.000075."""

COST: Final = 75_000_000
UNKNOWN: Final = replace(OK, cost=None, tokens=None)


def purse(month: int | None = None, day: int | None = None, **changes: Any) -> Purse:
    """A budget in whole dollars."""
    sums = (("day", day), ("month", month))
    budgets = tuple(Budget(window=window, amount=PicoUsd(n * DOLLAR)) for window, n in sums if n is not None)  # type: ignore[arg-type]  # the two windows
    return Purse(budgets=budgets, **changes)


def shop(month: int | None = None, day: int | None = None, now: int = NOON, **changes: Any) -> Books:
    """Books with a budget in whole dollars, and much to spend."""
    return Books("1000", clock=ManualClock(now), purse=purse(month, day), **changes)


def taken(books: Books, bound: PicoUsd = BOUND, **call: Any) -> Hold:
    """A hold of a call that may cost so much."""
    held = books.store.hold(books.call(**call), Credits(1), bound=bound)
    assert isinstance(held, Hold)
    return held


def spent(books: Books, at: int | None = None) -> tuple[tuple[int, int], tuple[int, int]]:
    """Pico-USD used and held, of the day and of the month."""
    known = books.opened.terms.purse
    when = books.clock.now() if at is None else at
    day, month = books.database.read(lambda tx: spending_at(tx, known, when))
    return (day.used, day.held), (month.used, month.held)


# What is counted.


@each_database
def test_a_call_counts_with_its_bound_and_then_with_its_cost() -> None:
    """While it runs it may cost all of it; afterwards it is known what it did."""
    books = shop(month=50, day=10)
    held = taken(books)
    assert spent(books) == ((0, DOLLAR), (0, DOLLAR))
    books.store.capture(held, OK)
    assert spent(books) == ((COST, 0), (COST, 0))
    books.store.capture(held, OK)
    assert spent(books) == ((COST, 0), (COST, 0))
    assert books.report().ok


@each_database
def test_what_failed_or_came_free_counts_too() -> None:
    """The business pays nothing for it; the provider may have."""
    books = shop(month=50)
    books.store.void(taken(books), FAILED)
    assert spent(books)[1] == (30_000_000, 0)
    books.store.record(books.call(), OK)
    assert spent(books)[1] == (30_000_000 + COST, 0)
    charge(books.opened, books.call(), Credits(1), OK)
    assert spent(books)[1] == (30_000_000 + 2 * COST, 0)
    assert books.report().ok


@each_database
@pytest.mark.parametrize(("at_most", "counted"), [(None, DOLLAR), (PicoUsd(7), 7)])
def test_an_unknown_cost_counts_with_the_most_it_can_be(at_most: PicoUsd | None, counted: int) -> None:
    """Nobody knows what the provider will bill for a call that was cut off."""
    books = shop(month=50)
    books.store.capture(taken(books), replace(UNKNOWN, at_most=at_most))
    assert spent(books)[1] == (counted, 0)


@each_database
@pytest.mark.parametrize(
    ("late", "counted"), [(OK, COST), (UNKNOWN, DOLLAR), (replace(UNKNOWN, at_most=PicoUsd(7)), 7)]
)
@pytest.mark.parametrize("end", ["capture", "void"])
def test_a_hold_that_expired_counts_with_its_bound_until_its_cost_is_known(
    late: CallRecord, counted: int, end: str
) -> None:
    """A crashed worker leaves the bound behind; an answer that comes late puts its cost in the place."""
    books = shop(month=50)
    held = taken(books)
    books.clock.advance(TTL / 1_000_000 + 1)
    books.store.sweep()
    assert spent(books)[1] == (DOLLAR, 0)
    getattr(books.store, end)(held, late)
    assert spent(books)[1] == (counted, 0)
    assert books.report().ok


@each_database
def test_a_call_counts_in_the_day_it_began() -> None:
    """One that runs over midnight does not open the next day with a debt, and the day before is closed with it."""
    books = shop(month=50, now=us("2027-01-31 23:59"))
    began = books.clock.now()
    held = taken(books)
    books.clock.advance(61)
    books.store.capture(held, OK)
    assert spent(books) == ((0, 0), (0, 0))
    assert spent(books, began) == ((COST, 0), (COST, 0))


@each_database
def test_without_a_budget_nothing_is_counted() -> None:
    """And what was held before it was taken away is released all the same."""
    books = shop(month=50)
    held = taken(books)
    books.opened.terms = replace(books.opened.terms, purse=Purse())
    books.store.capture(held, OK)
    taken(books)
    assert spent(books)[1] == (COST, 0)
    assert books.report().ok


@each_database
def test_the_doctor_sees_a_bound_that_nobody_holds() -> None:
    """What the budget keeps back must belong to calls in progress."""
    books = shop(month=50)
    taken(books)
    books.sql("UPDATE ai_provider_spend SET held = held + 1 WHERE per = 'month' AND held > 0")
    (finding,) = books.report().findings
    assert finding.rule == "the provider budget holds what open holds may cost"
    assert finding.detail == f"open holds {DOLLAR}, days {DOLLAR}, months {DOLLAR + 1} pico-USD"


# What is refused.


@each_database
@pytest.mark.parametrize("sums", [{"month": 2}, {"day": 2}, {"day": 2, "month": 50}, {"day": 50, "month": 2}])
def test_a_call_that_might_go_over_a_budget_is_not_made(sums: dict[str, int]) -> None:
    """It says so, holds nothing and charges nothing; what calls in progress give back can be spent again."""
    books = shop(**sums)
    first, _ = taken(books), taken(books, business="biz_7", user="esi")
    with pytest.raises(BudgetSpent, match="what the models may cost is spent") as refused:
        taken(books)
    assert (refused.value.code, refused.value.http_status, refused.value.charged) == ("budget_spent", 503, Credits(0))
    assert books.balance() == ("1000", "2")
    books.store.void(first, replace(FAILED, cost=PicoUsd(0)))
    taken(books)
    assert books.report().ok


@each_database
def test_a_new_day_or_month_starts_afresh() -> None:
    """At midnight of the operator's zone there is a new budget."""
    books = shop(day=1, now=us("2027-01-30 23:59"))
    books.store.capture(taken(books), UNKNOWN)
    with pytest.raises(BudgetSpent):
        taken(books)
    books.clock.advance(61)
    books.store.capture(taken(books), OK)


class _LateClock(ManualClock):
    """Shows one time before a transaction and another in it, as if the wallet had been waited for."""

    times: list[int]

    def now(self) -> int:
        """The next of the times, the last one for ever."""
        return self.times.pop(0) if len(self.times) > 1 else self.times[0]


@each_database
def test_midnight_may_come_while_a_call_waits_for_its_wallet() -> None:
    """What was looked up of yesterday does not decide about today."""
    clock = _LateClock(NOON)
    clock.times = [us("2027-01-31 00:01")]
    books = Books("1000", clock=clock, purse=purse(day=1))
    books.store.capture(taken(books), UNKNOWN)
    # One for the call's own id, one before the wallet is locked, one when it is.
    clock.times = [us("2027-01-30 23:59"), us("2027-01-30 23:59"), us("2027-01-31 00:01")]
    with pytest.raises(BudgetSpent):
        taken(books)


@each_database
def test_a_call_whose_price_is_nothing_is_stopped_too() -> None:
    """It holds no credits, and its model costs as much as any."""
    books = shop(month=1)
    books.store.check_budget("biz_7", BOUND)
    books.store.record(books.call(), UNKNOWN)
    books.store.record(books.call(), replace(OK, cost=PicoUsd(1)))
    with pytest.raises(BudgetSpent):
        books.store.check_budget("biz_new", BOUND)
    shop().store.check_budget("biz_7", BOUND)


@each_database
def test_who_has_no_credits_is_told_that_first() -> None:
    """A shop can do something about its credits, and nothing about the budget."""
    books = shop(month=0)
    with pytest.raises(InsufficientCreditsError):
        taken(books, business="biz_poor")


@each_database
def test_many_at_once_never_go_over(tmp_path: Path) -> None:
    """Room for five calls lets five through, of whatever business, however many ask in the same moment."""
    with examined(tmp_path, "100", clock=ManualClock(NOON), purse=purse(month=5)) as books:
        for number in range(16):
            books.buy("10", "order-1", business=f"shop_{number}")

        def attempt(number: int) -> bool:
            try:
                taken(books, business=f"shop_{number % 16}")
            except BudgetSpent:
                return False
            return True

        assert sum(at_once(16, attempt)) == 5
        assert spent(books)[1] == (0, 5 * DOLLAR)


@each_database
def test_the_servers_own_clock_decides_as_well(tmp_path: Path) -> None:
    """With the machine's clock, which on PostgreSQL is the server's, a budget works the same."""
    with examined(tmp_path, "100", clock=SystemClock(), purse=purse(month=1)) as books:
        taken(books)
        with pytest.raises(BudgetSpent):
            taken(books)


# What is told.


class _Listener:
    """Keeps what the outbox is told; the operator's own events go to `seen`."""

    def __init__(self, told: list[Any]) -> None:
        self.told = told
        self.seen: list[Any] = []

    def __call__(self, event: object) -> None:
        """Keep an event."""
        (self.told if isinstance(event, WalletEvent) else self.seen).append(event)


@each_database
def test_a_warning_and_the_end_are_told_once_a_window() -> None:
    """At 80 %, and when the first call is refused; again for a raised budget and in a new month."""
    told: list[Any] = []
    listener = _Listener(told)
    books = shop(month=5, hooks=(listener,), now=us("2027-01-31 22:00"))
    for _ in range(3):
        taken(books)
    assert told == []
    for _ in range(2):
        taken(books)
    for _ in range(2):
        with pytest.raises(BudgetSpent):
            taken(books)
    assert [(one.topic, dict(one.facts)) for one in told] == [
        ("budget.warning", {"window": "month", "budget_usd": "5.000000000000", "warn_at": "0.8"}),
        ("budget.spent", {"window": "month", "budget_usd": "5.000000000000", "warn_at": "0.8"}),
    ]
    books.opened.terms = replace(books.opened.terms, purse=purse(month=6))
    taken(books)
    with pytest.raises(BudgetSpent):
        taken(books)
    assert listener.seen[0] == BudgetWarned(window="month", spent=PicoUsd(3 * DOLLAR), budget=PicoUsd(5 * DOLLAR))
    assert [one.topic for one in told[2:]] == ["budget.warning", "budget.spent"]
    books.clock.advance(7_201)
    for _ in range(5):
        taken(books)
    assert [one.topic for one in told[4:]] == ["budget.warning"]


@each_database
def test_a_refused_call_does_not_use_up_a_warning() -> None:
    """What is over one budget is no news about the other."""
    listener = _Listener([])
    books = shop(month=0, day=1, hooks=(listener,))
    with pytest.raises(BudgetSpent):
        taken(books)
    assert [one.topic for one in listener.told] == ["budget.spent"]
    assert listener.seen == [BudgetStopped(window="month", spent=PicoUsd(0), budget=PicoUsd(0))]


@each_database
def test_how_a_budget_stands_can_be_seen() -> None:
    """What is spent, what may be, and the bound, for the day and the month."""
    books = shop(month=50)
    taken(books)
    known = books.opened.terms.purse
    day, month = books.database.read(lambda tx: spending_at(tx, known, NOON))
    assert day == WindowSpending(
        window="day", starts_at=us("2027-01-31 00:00"), used=PicoUsd(0), held=BOUND, budget=None
    )
    assert month.budget == 50 * DOLLAR
