"""Idempotency keys: what a repeated request finds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from ai_addons.billing.records import Finished, Hold
from ai_addons.errors import IdempotencyConflict, LedgerConflict
from ai_addons.money import Credits
from tests.books import DAY, FAILED, OK, TTL, Books

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.records import CallRecord

pytestmark = pytest.mark.usefixtures("each_database")

State = Literal["open", "captured", "forgotten", "void", "expired"]
KEY = "sale-81"


def _reach(books: Books, state: State) -> None:
    """Leave a call under the key in a state."""
    hold = books.hold("5", KEY)
    if state in ("captured", "forgotten"):
        books.store.capture(hold, OK)
    if state == "forgotten":
        books.clock.advance(7 * 86_400)
    if state == "void":
        books.store.void(hold, FAILED)
    if state == "expired":
        books.clock.advance(TTL / 1_000_000)


@pytest.mark.parametrize("state", ["open", "captured", "forgotten", "void", "expired"])
def test_a_key_used_for_another_request_is_a_conflict(state: State) -> None:
    """A key belongs to one request, whatever became of it."""
    books = Books()
    _reach(books, state)
    other = books.call(KEY, request_hash="another request")
    before = books.balance()
    steps: tuple[Callable[[], object], ...] = (
        lambda: books.store.hold(other, Credits(5)),
        lambda: books.store.find(other),
        lambda: books.store.record(other, OK),
    )
    for step in steps:
        with pytest.raises(IdempotencyConflict):
            step()
    assert books.balance() == before
    assert books.report().ok


def test_a_call_in_progress_is_not_started_twice() -> None:
    """The same call again while it runs is told to wait a moment."""
    books = Books()
    _reach(books, "open")
    with pytest.raises(LedgerConflict) as refused:
        books.store.hold(books.call(KEY), Credits(5))
    assert refused.value.retryable
    assert books.store.find(books.call(KEY)) is None
    assert books.balance() == ("12", "5")


def test_a_paid_call_is_answered_again_for_free() -> None:
    """A repeat finds the stored answer, what it cost, and who gave it; nothing more is charged."""
    books = Books()
    _reach(books, "captured")
    expected = Finished(charged=Credits(5), answers='["masked"]', model=OK.model)
    assert books.store.hold(books.call(KEY), Credits(5)) == expected
    assert books.store.find(books.call(KEY)) == expected
    assert books.balance() == ("7", "0")


def test_a_paid_call_whose_answer_is_gone_is_still_paid() -> None:
    """After the keeping time the call is made again uncharged: it is known as paid, and booked at no price."""
    books = Books()
    _reach(books, "forgotten")
    assert books.store.hold(books.call(KEY), Credits(5)) == Finished(charged=Credits(5), answers=None, model=OK.model)
    books.store.record(books.call(KEY), OK)
    found = books.store.find(books.call(KEY))
    assert found == Finished(charged=Credits(5), answers='["masked"]', model=OK.model)
    assert [(row.attempt, row.charged) for row in books.store.transactions("biz_7")] == [
        (1, Credits(5)),
        (2, Credits(0)),
    ]
    assert books.balance() == ("7", "0")


@pytest.mark.parametrize("state", ["void", "expired"])
def test_a_call_that_was_not_charged_can_be_tried_again(state: State) -> None:
    """After a failure a retry button works: the same key makes a new attempt and is charged once."""
    books = Books()
    _reach(books, state)
    again = books.hold("5", KEY)
    assert again.attempt == 2
    books.store.capture(again, OK)
    assert books.balance() == ("7", "0")
    assert books.report().ok


def test_a_key_is_one_business_s_own() -> None:
    """Two shops may use the same key."""
    books = Books()
    books.funding.grant("biz_8", Credits(5), source="purchase", ref="order-1")
    _reach(books, "captured")
    other = books.store.hold(books.call(KEY, business="biz_8", request_hash="another"), Credits(5))
    assert isinstance(other, Hold)


def test_free_calls_are_found_by_their_key() -> None:
    """A result that needed no hold is logged as attempt 0 and replayed by its key."""
    books = Books("0")
    booked = books.store.record(books.call(KEY), replace(OK, source="rules"))
    assert (booked.charged, booked.balance) == (Credits(0), Credits(0))
    assert books.store.find(books.call(KEY)) == Finished(charged=Credits(0), answers='["masked"]', model=OK.model)
    assert [row.attempt for row in books.store.transactions("biz_7")] == [0]


def test_free_and_held_attempts_under_one_key_never_collide() -> None:
    """Failed free attempts, failed holds and the paid one each keep their own row."""
    books = Books()
    books.store.record(books.call(KEY), FAILED)
    books.store.record(books.call(KEY), FAILED)
    first = books.hold("5", KEY)
    books.store.void(first, FAILED)
    books.store.record(books.call(KEY), FAILED)
    last = books.hold("5", KEY)
    books.store.record(books.call(KEY), FAILED)
    books.store.capture(last, OK)
    assert [row.attempt for row in books.store.transactions("biz_7")] == [0, 1, 2, 3, 4, 5]
    assert books.balance() == ("7", "0")
    assert books.report().ok


@pytest.mark.parametrize("record", [replace(OK, keep_for=0), replace(OK, answers=None)])
def test_nothing_is_kept_where_nothing_shall_be_kept(record: CallRecord) -> None:
    """With replay switched off no answer is stored, not even a masked one."""
    books = Books()
    books.store.capture(books.hold("5", KEY), record)
    assert books.sql("SELECT count(*) FROM ai_call_results") == [(0,)]


def test_answers_without_a_key_are_not_kept() -> None:
    """Nobody can ask again for a call that has no key, so its answer is not stored."""
    books = Books()
    books.store.capture(books.hold("5"), OK)
    assert books.sql("SELECT count(*) FROM ai_call_results") == [(0,)]


def test_the_sweep_drops_answers_kept_long_enough() -> None:
    """Masked answers leave the database when their time is over, not a moment earlier."""
    books = Books()
    _reach(books, "captured")
    books.clock.set(books.clock.now() + 7 * DAY - 1)
    books.store.sweep()
    assert books.sql("SELECT count(*) FROM ai_call_results") == [(1,)]
    books.clock.set(books.clock.now() + 1)
    books.store.sweep()
    assert books.sql("SELECT count(*) FROM ai_call_results") == [(0,)]
