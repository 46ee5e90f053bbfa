"""Any order of payments, calls, refunds and disputes, with crashes between any two statements, against a model.

A run is small and always the same; the full size, or ``AI_ADDONS_TEST_EXAMPLES``, asks
for many fresh ones, which are made as small as possible where they fail.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from ai_addons.billing.gateways.base import RefundOutcome
from ai_addons.billing.refunds import Refunds
from ai_addons.errors import InsufficientCreditsError, WalletSuspended
from ai_addons.money import Credits, Money
from tests.books import DAY, FAILED, OK, SECOND, TTL, Books, kept_in
from tests.hands import Stopped, stops_at
from tests.money_back import VALUE, dispute, refund
from tests.refund_model import CREDIT, GIFT, LATER, OWN, Model
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.clawback import PaidOrder
    from ai_addons.billing.records import Hold

MONTH: Final = replace(VALUE, credits=Credits(100), bonus=Credits(0), month="sub-1:0")
"""A month of an add-on for the same money and as many credits."""

EXAMPLES: Final = int(os.environ.get("AI_ADDONS_TEST_EXAMPLES", "2000" if FULL else "0"))
AMOUNTS: Final = {"A": 3000, "B": 8000, "C": 1, "D": 2667, "E": 1000}
"""What each refund is of, in pesewas."""

STATES: Final = {
    "pending": RefundOutcome.PENDING,
    "needs_attention": RefundOutcome.NEEDS_ATTENTION,
    "done": RefundOutcome.DONE,
    "failed": RefundOutcome.FAILED,
}
CRASH: Final = st.one_of(st.none(), st.none(), st.integers(0, 22))
PRICES: Final = st.sampled_from([1, 333_333, 5 * CREDIT, 20 * CREDIT, 60 * CREDIT])


class MoneyBackMachine(RuleBasedStateMachine):
    """One wallet, one order, a clock that only the machine moves."""

    @initialize(
        policy=st.sampled_from(["clamp", "debt", "suspend"]),
        ends=st.sampled_from([None, None, 20 * DAY]),
        gift=st.booleans(),
        early=st.booleans(),
        order=st.sampled_from([VALUE, VALUE, MONTH]),
    )
    def open(self, policy: Any, ends: int | None, gift: bool, early: bool, order: PaidOrder) -> None:
        """Start with nothing, or with a gift that ends after ten days, or with the order: a pack, or a month."""
        self.order = order
        self.books = Books("0")
        self.service = Refunds(self.books.opened, policy=policy)
        now = self.books.clock.now()
        self.ends = None if ends is None else now + ends
        self.model = Model(policy, now, {GIFT: now + 10 * DAY, OWN: self.ends, LATER: None})
        self.holds: dict[str, Hold] = {}
        self.numbers = 0
        if gift:
            self.books.funding.grant("biz_7", Credits(7), source="promo", ref="gift", expires_at=now + 10 * DAY)
            self.model.free[GIFT] = 7 * CREDIT
        if early:
            self.pay(None)

    def tick(self, time: int = 1) -> None:
        """Nothing happens at the same instant as something else."""
        self.books.clock.set(self.books.clock.now() + time)
        self.model.wait(time)
        for name in self.holds.keys() - self.model.holds.keys():
            del self.holds[name]

    def number(self) -> int:
        """A fresh one."""
        self.numbers += 1
        return self.numbers

    @staticmethod
    def twice(crash: int | None, work: Callable[[], object]) -> None:
        """Do it; if it died on the way, do it again."""
        try:
            with stops_at(crash):
                work()
        except Stopped:
            work()

    # Credits.

    @precondition(lambda self: not self.model.granted and (self.ends is None or self.model.now + 1 < self.ends))
    @rule(crash=CRASH)
    def pay(self, crash: int | None) -> None:
        """The order's credits come, maybe after its money went back."""
        self.tick()

        def work() -> None:
            parts = [("purchase", VALUE.id, VALUE.credits, 80_000_000), ("bonus", VALUE.id, VALUE.bonus, 0)]
            if self.order is MONTH:
                parts = [("addon", str(MONTH.month), MONTH.credits, 80_000_000)]
            for source, ref, amount, paid in parts:
                given: Any = {"source": source, "ref": ref, "paid": paid, "expires_at": self.ends}
                self.books.funding.grant("biz_7", amount, **given)

        self.twice(crash, work)
        self.model.pay()

    @precondition(lambda self: self.model.granted)
    @rule(amount=PRICES, crash=CRASH)
    def top_up(self, amount: int, crash: int | None) -> None:
        """More credits are bought."""
        self.tick()
        ref = f"later-{self.number()}"
        self.twice(crash, lambda: self.books.buy(Credits.from_micro(amount), ref))
        paid = amount * 800_000 // CREDIT
        # What cost nothing is a gift, and gifts pay no debts.
        if paid:
            self.model.top_up(amount)
        else:
            self.model.free[LATER] += amount

    @rule(price=PRICES)
    def hold(self, price: int) -> None:
        """A call begins."""
        self.tick()
        name = f"call-{self.number()}"
        if self.model.hold(name, price, self.model.now + TTL):
            self.holds[name] = self.books.hold(Credits.from_micro(price).short, name)
            return
        with pytest.raises(WalletSuspended if self.model.suspended else InsufficientCreditsError):
            self.books.hold(Credits.from_micro(price).short, name)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), how=st.sampled_from(["capture", "void", "part"]), crash=CRASH)
    def end(self, data: Any, how: str, crash: int | None) -> None:
        """A call ends: with an answer, without one, or for less than it held."""
        self.tick()
        if not self.holds:
            return
        name = data.draw(st.sampled_from(sorted(self.holds)))
        hold = self.holds.pop(name)
        used = {"capture": hold.amount.micro, "void": 0, "part": hold.amount.micro // 3}[how]
        if how == "void":
            self.twice(crash, lambda: self.books.store.void(hold, FAILED))
        else:
            self.twice(crash, lambda: self.books.store.capture(hold, OK, used=Credits.from_micro(used)))
        self.model.end(name, used)

    @rule(time=st.sampled_from([SECOND, TTL - 2, TTL, 9 * DAY]))
    def wait(self, time: int) -> None:
        """Time passes: calls and grants expire."""
        self.tick(time)

    # Money.

    @rule(key=st.sampled_from(["one", "two"]), minor=st.sampled_from([1500, 2500]), crash=CRASH)
    def ask(self, key: str, minor: int, crash: int | None) -> None:
        """A refund is asked for, once per key."""
        self.tick()
        if f"asked:{key}" in self.model.refunds or minor > 8000 - self.model.at_risk:
            return
        options: Any = {"key": key, "actor": "ama", "reason": "unhappy"}
        self.twice(crash, lambda: self.service.ask(self.order, Money.from_minor(minor), **options))
        self.model.refund(f"asked:{key}", minor, "asked")

    @precondition(lambda self: any(state == "asked" for _, state in self.model.refunds.values()))
    @rule(crash=CRASH)
    def withdraw(self, crash: int | None) -> None:
        """The gateway refused what was asked for."""
        self.tick()
        name = min(name for name, (_, state) in self.model.refunds.items() if state == "asked")
        self.twice(crash, lambda: self.service.withdraw(self.order, key=name.removeprefix("asked:")))
        self.model.refund(name, self.model.refunds[name][0], "failed")

    @rule(name=st.sampled_from(sorted(AMOUNTS)), state=st.sampled_from(sorted(STATES)), crash=CRASH)
    def refund(self, name: str, state: str, crash: int | None) -> None:
        """The gateway tells how a refund stands, in any order."""
        self.tick()
        told = refund(name, AMOUNTS[name], STATES[state])
        self.twice(crash, lambda: self.service.apply_refund(self.order, told))
        self.model.refund(f"gateway:{name}", AMOUNTS[name], state)

    @rule(
        name=st.sampled_from(["X", "Y"]),
        minor=st.sampled_from([8000, 2001]),
        state=st.sampled_from(["open", "open", "won", "lost"]),
        crash=CRASH,
    )
    def dispute(self, name: str, minor: int, state: str, crash: int | None) -> None:
        """The gateway tells how a dispute stands, in any order."""
        self.tick()
        told = dispute(name, minor, lost=None if state == "open" else state == "lost")
        self.twice(crash, lambda: self.service.apply_dispute(self.order, told))
        self.model.dispute(name, minor, state)

    # What must hold.

    @invariant()
    def money_and_credits_agree(self) -> None:
        """The books say what the model says, to the last micro-credit, and the doctor finds nothing."""
        if not hasattr(self, "books"):
            return
        model, told = self.model, self.service.look(self.order)
        wallet = self.books.store.wallet("biz_7")
        assert (wallet.available.micro, wallet.held.micro) == (model.available, model.held)
        assert (told.reversed_minor, told.at_risk_minor) == (model.gone, model.at_risk)
        assert (told.taken.micro, told.frozen.micro) == (model.taken, model.frozen)
        assert (told.lapsed.micro, told.repaid.micro) == (model.lapsed, model.repaid)
        assert (told.written_off.micro, told.owed.micro) == (model.written_off, model.owed)
        assert (wallet.status == "suspended") == model.suspended
        report = self.books.report()
        assert report.ok, report.findings

    def teardown(self) -> None:
        """Close the database."""
        if hasattr(self, "books"):
            self.books.close()


def _run(examples: int, steps: int) -> None:
    """Small and always the same, or as large as the knob says."""
    run(
        MoneyBackMachine,
        settings=settings(
            max_examples=EXAMPLES or examples,
            stateful_step_count=steps,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            # To make a failure small takes minutes; the knob has them.
            phases=tuple(Phase) if EXAMPLES else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(120 + 2 * EXAMPLES)
def test_b11_b12_money_and_credits_agree_whatever_happens_in_whatever_order() -> None:
    """Refunds, disputes, calls and crashes in any order take back what the money asks for, once."""
    _run(40, 40)


@pytest.mark.timeout(120 + 5 * EXAMPLES)
def test_b11_b12_money_and_credits_agree_on_a_server() -> None:
    """PostgreSQL keeps the same books."""
    with kept_in("postgresql"):
        _run(8, 30)
