"""Refunds against calls at the same moment, and refunds that die on the way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.billing.doctor import examine
from ai_addons.billing.refunds import Refunds
from ai_addons.money import Credits
from tests.books import FAILED, OK
from tests.hands import at_once, dies_at, everything, examined, fatal, steps_of
from tests.money_back import VALUE, dispute, figures, ghs, give, paid, refund, spend

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.billing.clawback import PaidOrder
    from tests.books import Books

pytestmark = pytest.mark.usefixtures("each_database")


def test_b11_a_refund_told_many_times_at_once_takes_once(tmp_path: Path) -> None:
    """Webhook and reconciler bring one refund and one lost dispute of the same money, thirty times at once."""
    with paid(tmp_path) as (books, service):
        told: list[Callable[[], Any]] = [
            lambda: service.apply_refund(VALUE, refund(minor=8000, dispute="DP1")),
            lambda: service.apply_dispute(VALUE, dispute(lost=True)),
            lambda: service.apply_dispute(VALUE, dispute()),
        ]
        at_once(30, lambda number: told[number % 3]())
        assert figures(service.look(VALUE)) == {"taken": "100"}
        taken = [row.amount for row in books.store.ledger("biz_7") if row.kind == "clawback"]
        assert taken == [Credits(100)]


def test_b12_calls_and_a_refund_at_once_share_the_credits_out(tmp_path: Path) -> None:
    """Ten calls end while the money goes back: each credit is used by a call or taken, none twice, none left."""
    with paid(tmp_path) as (books, service):
        holds = [books.hold("6") for _ in range(10)]

        def one(number: int) -> Any:
            if number == 10:
                return service.apply_refund(VALUE, refund(minor=8000))
            if number % 2:
                return books.store.void(holds[number], FAILED)
            return books.store.capture(holds[number], OK)

        at_once(11, one)
        assert figures(service.look(VALUE)) == {"taken": "70", "written_off": "30"}
        assert (books.balance(), books.store.wallet("biz_7").lifetime_used) == (("0", "0"), Credits(30))


def _order(business: str) -> PaidOrder:
    return type(VALUE)(**{name: getattr(VALUE, name) for name in VALUE.__slots__} | {"business": business})


def _nothing(books: Books, business: str) -> None:
    del books, business


def _spent(books: Books, business: str) -> None:
    hold = books.hold("60", "sale-1", business=business)
    books.store.capture(hold, OK)


def _refunded(books: Books, business: str) -> Any:
    hold = books.hold("60", "sale-1", business=business)
    Refunds(books.opened).apply_refund(_order(business), refund(minor=8000))
    return hold


def _lost(books: Books, business: str) -> None:
    _spent(books, business)
    Refunds(books.opened).apply_dispute(_order(business), dispute(lost=True))


def _ask(books: Books, business: str, _: Any) -> None:
    Refunds(books.opened).ask(_order(business), ghs("30"), key="case-1", actor="ama", reason="unhappy")


def _tell(books: Books, business: str, _: Any) -> None:
    Refunds(books.opened, policy="suspend").apply_refund(_order(business), refund(minor=8000))


def _win(books: Books, business: str, _: Any) -> None:
    Refunds(books.opened).apply_dispute(_order(business), dispute(lost=False))


def _void(books: Books, business: str, hold: Any) -> None:
    del business
    books.store.void(hold, FAILED)


DEADLY: Final[dict[str, tuple[Callable[[Books, str], Any], Callable[[Books, str, Any], None]]]] = {
    "a refund asked for": (_nothing, _ask),
    "a refund of spent credits": (_spent, _tell),
    "a call that ends after its refund": (_refunded, _void),
    "a lost dispute won after all": (_lost, _win),
}


@pytest.mark.parametrize("kind", DEADLY)
def test_b11_a_refund_that_dies_at_any_step_is_done_once_when_it_is_repeated(tmp_path: Path, kind: str) -> None:
    """Killed between every pair of statements: the books show all of it or nothing, and the repeat makes it once."""
    prepare, work = DEADLY[kind]
    with examined(tmp_path, "0") as books:

        def state(business: str) -> Any:
            told = Refunds(books.opened).look(_order(business))
            return everything(books, business), figures(told), books.store.wallet(business).status

        def made(business: str) -> Any:
            give(books, _order(business))
            return prepare(books, business)

        given = made("calm")
        before = state("calm")
        steps = steps_of(partial(work, books, "calm", given))
        after = state("calm")
        assert before != after
        died_after_commit = False
        for step in (*fatal(steps), steps):
            business = f"biz_{step}"
            given = made(business)
            died = dies_at(step, partial(work, books, business, given))
            assert died is (step < steps)
            assert examine(books.database, business).findings == ()
            found = state(business)
            assert found in (before, after)
            died_after_commit |= died and found == after
            work(books, business, given)
            assert state(business) == after
        assert (steps > 4, died_after_commit) == (True, True)


def test_b12_spending_goes_on_with_what_is_left(tmp_path: Path) -> None:
    """After a part went back the rest of the order pays as before."""
    with paid(tmp_path) as (books, service):
        service.apply_refund(VALUE, refund())
        spend(books, "62.5")
        assert figures(service.apply_refund(VALUE, refund("RF2", 5000))) == {"taken": "37.5", "written_off": "62.5"}
