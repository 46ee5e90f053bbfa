"""Orders against a plain model: payers, webhooks, operators and clocks in any order."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from ai_addons.billing.gateways.base import Outcome
from ai_addons.errors import PaymentError
from tests.scripted_gateway import Till, webhook
from tests.sizes import FULL

ANSWERS = st.sampled_from(["pending", "failed", "unknown", "right", "right", "short", "naira", "live"])
PRICE = 3_000


class OrdersMachine(RuleBasedStateMachine):
    """The model: of each order its state, its attempts' states, and what the gateway says of them."""

    attempts: Bundle[str] = Bundle("attempts")

    @initialize()
    def open(self) -> None:
        """Empty books."""
        self.till = Till()
        self.orders: dict[str, str] = {}
        self.made: dict[str, int] = {}
        self.of: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.says: dict[str, str] = {}
        self.waiting: set[str] = set()

    def _note(self, payment: Any) -> str:
        reference: str = payment.attempt.reference
        self.of[reference] = payment.order.id
        self.states[reference], self.says[reference] = "open", "pending"
        return reference

    @rule(target=attempts)
    def order(self) -> str:
        """A new order with its first attempt."""
        payment = self.till.start("STARTER")
        self.orders[payment.order.id] = "pending"
        self.made[payment.order.id] = self.till.clock.now()
        return self._note(payment)

    @rule(target=attempts, before=attempts)
    def another(self, before: str) -> str:
        """Another attempt at an order, where it may have one."""
        order = self.of[before]
        try:
            payment = self.till.orders.attempt(self.till.business, order)
        except PaymentError:
            assert self.orders[order] != "pending"
            return before
        assert self.orders[order] == "pending"
        return self._note(payment)

    @rule(attempt=attempts, answer=ANSWERS)
    def gateway(self, attempt: str, answer: str) -> None:
        """The gateway changes its mind about an attempt."""
        right = {"outcome": Outcome.PAID, "amount_minor": PRICE, "currency": "GHS", "live": False}
        changes: dict[str, dict[str, Any]] = {
            "right": right,
            "short": right | {"amount_minor": PRICE - 1},
            "naira": right | {"currency": "NGN"},
            "live": right | {"live": True},
        }
        self.till.gateway.change(attempt, **(changes[answer] if answer in changes else {"outcome": Outcome(answer)}))
        self.says[attempt] = answer

    def _applied(self, attempt: str) -> None:
        """What a look at the gateway does to the model."""
        if self.states[attempt] in {"paid", "quarantined"}:
            return
        order, answer = self.of[attempt], self.says[attempt]
        if answer in {"pending", "unknown"}:
            self.states[attempt] = "open"
        elif answer == "failed":
            self.states[attempt] = "failed"
        elif answer == "right" and self.orders[order] != "successful":
            self.states[attempt], self.orders[order] = "paid", "successful"
        else:
            self.states[attempt] = "quarantined"
            self.waiting.add(attempt)
            if self.orders[order] != "successful":
                self.orders[order] = "quarantined"

    @rule(attempt=attempts)
    def browser(self, attempt: str) -> None:
        """The payer's browser comes back."""
        self.till.orders.verify(self.till.business, attempt)
        self._applied(attempt)

    @rule(attempt=attempts, times=st.integers(1, 2))
    def message(self, attempt: str, times: int) -> None:
        """A webhook, once or twice."""
        for _ in range(times):
            self.till.orders.receive("scripted", *webhook(attempt))
        self.till.orders.work_inbox()
        self._applied(attempt)

    @rule(attempt=attempts)
    def cancel(self, attempt: str) -> None:
        """The owner gives up."""
        order = self.of[attempt]
        try:
            self.till.orders.cancel(self.till.business, order)
        except PaymentError:
            assert self.orders[order] in {"successful", "quarantined"}
        else:
            assert self.orders[order] in {"pending", "abandoned", "failed"}
            self.orders[order] = "failed"

    @rule(hours=st.sampled_from([1, 12, 24]))
    def time(self, hours: int) -> None:
        """Time goes by, and orders are given up."""
        self.till.clock.advance(hours * 3_600)
        self.till.orders.expire()
        for order, state in self.orders.items():
            if state == "pending" and self.till.clock.now() - self.made[order] >= 86_400_000_000:
                self.orders[order] = "abandoned"

    @rule(attempt=attempts, release=st.booleans())
    def decide(self, attempt: str, release: bool) -> None:  # Hypothesis gives it by name
        """An operator decides about what was put aside."""
        found = {one.reference: one for one in self.till.orders.quarantined()}
        assert set(found) == self.waiting
        if attempt not in found:
            return
        order, who = self.of[attempt], {"actor": "kofi", "reason": "decided"}
        if not release:
            self.till.orders.mark_refunded(self.till.business, found[attempt].id, **who)
            self.waiting.discard(attempt)
            if self.orders[order] == "quarantined" and not any(self.of[one] == order for one in self.waiting):
                self.orders[order] = "failed"
            return
        try:
            self.till.orders.release(self.till.business, found[attempt].id, **who)
        except PaymentError:
            assert self.orders[order] == "successful"
        else:
            assert self.orders[order] != "successful"
            self.waiting.discard(attempt)
            self.states[attempt], self.orders[order] = "paid", "successful"

    @invariant()
    def agree(self) -> None:
        """Orders, attempts and credits are those of the model, and the doctor is content."""
        if not hasattr(self, "till"):
            return
        assert {one.id: one.state for one in self.till.orders.history(self.till.business)} == self.orders
        for order in self.orders:
            for attempt in self.till.orders.find(self.till.business, order)[1]:
                assert attempt.state == self.states[attempt.reference]
        paid = sum(state == "successful" for state in self.orders.values())
        assert self.till.balance() == str(30 * paid)
        self.till.agrees()

    def teardown(self) -> None:
        """Let go of the database."""
        if hasattr(self, "till"):
            self.till.books.close()


OrdersMachine.TestCase.settings = settings(
    max_examples=300 if FULL else 20, stateful_step_count=30 if FULL else 20, deadline=None
)
TestOrders = OrdersMachine.TestCase
