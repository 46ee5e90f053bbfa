"""What time does to the books: orphans, late answers, a clock that steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.records import Finished
from ai_addons.errors import InsufficientCreditsError, LedgerConflict
from ai_addons.money import Credits
from tests.books import FAILED, OK, Books

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("each_database")


def _refused_hold(books: Books) -> None:
    with pytest.raises(InsufficientCreditsError):
        books.store.hold(books.call(), Credits(100))


TOUCHES: dict[str, Callable[[Books], object]] = {
    "sweep": lambda books: books.store.sweep(),
    "wallet": lambda books: books.store.wallet("biz_7"),
    "grant": lambda books: books.funding.grant("biz_7", Credits(1), source="promo", ref="later"),
    "replayed grant": lambda books: books.buy("12", "order-1"),
    "hold": lambda books: books.hold("1"),
    "refused hold": _refused_hold,
}


@pytest.mark.parametrize("touch", TOUCHES)
@pytest.mark.parametrize(("late_by", "state"), [(-1, "open"), (0, "expired"), (1, "expired")])
def test_an_orphan_hold_ends_exactly_at_its_expiry(touch: str, late_by: int, state: str) -> None:
    """Whoever touches the wallet first gives an orphan's credits back, at its expiry and not before."""
    books = Books()
    hold = books.hold("5")
    books.clock.set(hold.expires_at + late_by)
    TOUCHES[touch](books)
    assert books.sql("SELECT state FROM ai_credit_holds WHERE id = ?", (hold.call.id,)) == [(state,)]
    assert books.report().ok


def test_an_orphan_is_logged_as_unknown_and_costs_nothing() -> None:
    """The shop pays nothing for a call that vanished; the log says that we do not know."""
    books = Books()
    books.hold("5")
    books.clock.advance(120)
    assert books.store.sweep() == 1
    (row,) = books.store.transactions("biz_7")
    assert (row.outcome, row.error_code, row.charged, row.cost, row.latency_ms) == (
        "unknown",
        "hold_expired",
        Credits(0),
        None,
        None,
    )
    assert books.balance() == ("12", "0")


def test_the_sweep_looks_only_at_wallets_that_are_due() -> None:
    """Sweeping twice, or early, finds nothing to do."""
    books = Books()
    assert books.store.sweep() == 0
    books.hold("1")
    books.clock.advance(60)
    books.hold("1")
    books.clock.advance(60)
    assert [books.store.sweep(), books.store.sweep()] == [1, 0]
    assert books.balance() == ("12", "1")
    books.clock.advance(60)
    assert books.store.sweep() == 1
    assert books.balance() == ("12", "0")


def test_a_wallet_whose_holds_were_all_resolved_is_looked_at_once_more() -> None:
    """The due time is a lower bound: looking in vain changes nothing but the due time."""
    books = Books()
    books.store.capture(books.hold("5"), OK)
    books.clock.advance(120)
    assert [books.store.sweep(), books.store.sweep()] == [1, 0]
    assert books.report().ok


def test_an_answer_that_comes_before_anyone_looked_is_charged_as_usual() -> None:
    """A hold past its time that nobody released yet still pays for its answer."""
    books = Books()
    hold = books.hold("5")
    books.clock.advance(500)
    assert books.store.capture(hold, OK).charged == Credits(5)
    assert books.balance() == ("7", "0")


def test_a_late_answer_is_charged_from_what_is_there() -> None:
    """Credits that were given back pay after all, once, and the log no longer says unknown."""
    books = Books()
    hold = books.hold("5", "sale-81")
    books.clock.advance(120)
    books.store.sweep()
    assert [books.store.capture(hold, OK).charged for _ in range(3)] == [Credits(5)] * 3
    (row,) = books.store.transactions("biz_7")
    assert (row.outcome, row.charged, row.cost) == ("ok", Credits(5), OK.cost)
    assert books.balance() == ("7", "0")
    assert books.store.find(books.call("sale-81")) == Finished(charged=Credits(5), answers='["masked"]', model=OK.model)
    assert books.report().ok


def test_a_late_answer_may_be_paid_by_another_grant() -> None:
    """If the grant that was held is spent meanwhile, newer credits pay."""
    books = Books("5")
    hold = books.hold("5")
    books.clock.advance(120)
    books.store.capture(books.hold("3"), OK)
    books.funding.grant("biz_7", Credits(10), source="purchase", ref="order-2")
    assert books.store.capture(hold, OK).charged == Credits(5)
    assert books.balance() == ("7", "0")
    assert books.report().ok


def test_a_late_answer_finds_credits_that_other_orphans_still_pin() -> None:
    """Other holds past their time are released before the wallet is called empty."""
    books = Books("10")
    late = books.hold("5")
    books.clock.advance(120)
    books.store.sweep()
    books.hold("8")
    books.clock.advance(120)
    assert books.store.capture(late, OK).charged == Credits(5)
    assert books.balance() == ("5", "0")
    assert books.report().ok


def test_a_late_answer_that_nobody_can_pay_is_bad_debt_and_never_negative() -> None:
    """With the credits gone the answer is free for the shop and a loss in our books, once."""
    books = Books("5")
    hold = books.hold("5")
    books.clock.advance(120)
    books.store.capture(books.hold("3"), OK)
    assert [books.store.capture(hold, OK).charged for _ in range(2)] == [Credits(0)] * 2
    assert [(entry.kind, entry.amount) for entry in books.store.ledger("biz_7")] == [
        ("grant", Credits(5)),
        ("usage", Credits(3)),
        ("bad_debt", Credits(5)),
    ]
    assert books.balance() == ("2", "0")
    assert books.report().ok


@pytest.mark.parametrize("order", ["late first", "newer first"])
def test_a_newer_attempt_pays_instead_of_a_late_one(order: str) -> None:
    """When the key was tried again, the old attempt's late answer is free: never charged twice."""
    books = Books()
    old = books.hold("5", "sale-81")
    books.clock.advance(120)
    new = books.hold("5", "sale-81")
    steps = [(old, Credits(0)), (new, Credits(5))]
    for hold, charged in steps if order == "late first" else reversed(steps):
        assert books.store.capture(hold, OK).charged == charged
    assert books.balance() == ("7", "0")
    found = books.store.find(books.call("sale-81"))
    assert found is not None
    assert found.charged == Credits(5)
    assert books.report().ok


def test_a_late_failure_says_what_it_cost_us() -> None:
    """A call that fails after its hold expired replaces the unknown row, and is not charged later."""
    books = Books()
    hold = books.hold("5")
    books.clock.advance(120)
    books.store.sweep()
    books.store.void(hold, FAILED)
    (row,) = books.store.transactions("biz_7")
    assert (row.outcome, row.cost, row.error_code) == ("failed", FAILED.cost, FAILED.error_code)
    with pytest.raises(LedgerConflict):
        books.store.capture(hold, OK)
    assert books.balance() == ("12", "0")


def test_a_clock_set_back_keeps_the_ledger_in_order() -> None:
    """Rows are never dated before the row they follow, and just-granted credits stay usable."""
    books = Books()
    books.clock.set(books.clock.now() - 3_600_000_000)
    books.store.capture(books.hold("5"), OK)
    granted, used = books.store.ledger("biz_7")
    assert used.booked_at == granted.booked_at
    assert used.effective_at < granted.effective_at
    assert books.balance() == ("7", "0")
    assert books.report().ok


def test_a_clock_that_steps_back_between_two_looks_is_survived() -> None:
    """A wallet seen as due and then no longer due is simply read."""
    books = Books()
    hold = books.hold("5")
    readings = iter([hold.expires_at, hold.expires_at - 1])
    books.clock.now = lambda: next(readings)  # type: ignore[method-assign]  # a clock stepped between two reads
    assert books.store.wallet("biz_7").held == Credits(5)
