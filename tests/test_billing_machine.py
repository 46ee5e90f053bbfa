"""Any sequence of operations against a small model of what the books should say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from ai_addons.billing.doctor import examine
from ai_addons.billing.records import Finished, Hold
from ai_addons.errors import IdempotencyConflict, InsufficientCreditsError, LedgerConflict
from ai_addons.money import Credits
from tests.books import FAILED, OK, TTL, Books

if TYPE_CHECKING:
    from hypothesis.stateful import MultipleResults

KEYS = st.sampled_from([None, "sale-1", "sale-2"])
AMOUNTS = st.integers(1, 9)
STEPS = st.sampled_from([1, 60, 119, 120, 121])


@dataclass
class Attempt:
    """What the model knows of one hold."""

    hold: Hold
    amount: int
    state: str = "open"
    outcome: str = "unknown"
    charged: int = 0


class BooksMachine(RuleBasedStateMachine):
    """One business, two keys, a clock that only the machine moves."""

    holds: Bundle[Attempt] = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.books = Books("0")
        self.attempts: list[Attempt] = []
        self.granted: dict[str, int] = {}
        self.paid: dict[str, int] = {}
        self.bad_debt = 0

    @property
    def posted(self) -> int:
        """Credits given minus credits charged."""
        return sum(self.granted.values()) - sum(attempt.charged for attempt in self.attempts)

    @property
    def held(self) -> int:
        """Credits of open holds."""
        return sum(attempt.amount for attempt in self.attempts if attempt.state == "open")

    def touch(self) -> None:
        """Expire what is due, as any touch of the wallet must."""
        for attempt in self.attempts:
            if attempt.state == "open" and attempt.hold.expires_at <= self.books.clock.now():
                attempt.state = "expired"

    @rule(ref=st.sampled_from(["a", "b", "c", "d"]), amount=AMOUNTS)
    def grant(self, ref: str, amount: int) -> None:
        """Give credits, perhaps again, perhaps wrongly again."""
        give = self.books.store.grant
        if self.granted.get(ref, amount) != amount:
            with pytest.raises(IdempotencyConflict):
                give("biz_7", Credits(amount), source="purchase", ref=ref)
            return
        booking = give("biz_7", Credits(amount), source="purchase", ref=ref)
        self.touch()
        assert booking.replayed == (ref in self.granted)
        self.granted[ref] = amount
        assert booking.balance == Credits(self.posted - self.held)

    @rule(target=holds, key=KEYS, amount=AMOUNTS)
    def hold(self, key: str | None, amount: int) -> Attempt | MultipleResults[Attempt]:
        """Ask for credits, under a key or not."""
        call = self.books.call(key)
        self.touch()
        if any(a.state == "open" and a.hold.call.id == key for a in self.attempts) and key not in self.paid:
            with pytest.raises(LedgerConflict):
                self.books.store.hold(call, Credits(amount))
            return multiple()
        if key in self.paid:
            finished = self.books.store.hold(call, Credits(amount))
            assert isinstance(finished, Finished)
            assert finished.charged == Credits(self.paid[key])
            return multiple()
        if self.posted - self.held < amount:
            with pytest.raises(InsufficientCreditsError) as refused:
                self.books.store.hold(call, Credits(amount))
            assert refused.value.available == Credits(self.posted - self.held)
            return multiple()
        hold = self.books.store.hold(call, Credits(amount))
        assert isinstance(hold, Hold)
        self.attempts.append(Attempt(hold, amount))
        return self.attempts[-1]

    @rule(attempt=holds)
    def capture(self, attempt: Attempt) -> None:
        """Charge a call: in time, late, or again."""
        if attempt.outcome == "failed":
            with pytest.raises(LedgerConflict):
                self.books.store.capture(attempt.hold, OK)
            return
        booked = self.books.store.capture(attempt.hold, OK)
        if attempt.outcome == "unknown":
            self._charge(attempt)
        assert booked.charged == Credits(attempt.charged)
        assert booked.balance == Credits(self.posted - self.held)

    def _charge(self, attempt: Attempt) -> None:
        late, key = attempt.state == "expired", attempt.hold.call
        attempt.state, attempt.outcome = ("expired" if late else "captured"), "ok"
        newer = any(a.hold.call.id == key.id and a.hold.attempt > attempt.hold.attempt for a in self.attempts)
        if late and not newer:
            self.touch()
        if not late or (not newer and self.posted - self.held >= attempt.amount):
            attempt.charged = attempt.amount
        elif not newer:
            self.bad_debt += attempt.amount
        if key.keyed:
            self.paid[key.id] = max(attempt.charged, self.paid.get(key.id, 0))

    @rule(attempt=holds)
    def void(self, attempt: Attempt) -> None:
        """Give credits back: in time, late, or in vain."""
        booked = self.books.store.void(attempt.hold, FAILED)
        assert booked.charged == Credits(attempt.charged)
        if attempt.outcome == "unknown":
            attempt.state = "void" if attempt.state == "open" else attempt.state
            attempt.outcome = "failed"

    @rule(key=KEYS)
    def record(self, key: str | None) -> None:
        """Book a free failure; it never changes what may come."""
        self.books.store.record(self.books.call(key), FAILED)

    @rule(seconds=STEPS)
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.books.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        """Release all orphans."""
        self.books.store.sweep()
        self.touch()

    @rule()
    def look(self) -> None:
        """Read the wallet."""
        wallet = self.books.store.wallet("biz_7")
        self.touch()
        assert (wallet.posted, wallet.held) == (Credits(self.posted), Credits(self.held))

    @invariant()
    def the_books_agree(self) -> None:
        """Every invariant holds after every step, and bad debt is what the model says."""
        report = examine(self.books.database)
        assert report.ok, report.findings
        booked = self.books.sql("SELECT coalesce(sum(amount), 0) FROM ai_ledger WHERE kind = 'bad_debt'")
        assert booked == [(self.bad_debt * 1_000_000,)]

    def teardown(self) -> None:
        """Close the database."""
        self.books.database.close()


assert TTL == 120 * 1_000_000, "the steps of time stand around the time to live"

TestBooks = BooksMachine.TestCase
TestBooks.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
