"""Shops of a town that buy credits and add-ons for weeks, and what they paid by their own account."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

from ai_addons import Prompt, bill_to, billed_feature
from ai_addons.addons import AddOns, install
from ai_addons.errors import InsufficientCreditsError
from ai_addons.money import Money
from ai_addons.testing.fakes import ManualClock
from ai_addons.testing.gateway import FakeGateway
from ai_addons.testing.kit import kit_settings
from ai_addons.testing.model import FakeLlm

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.opening import Payment

EMAIL: Final = "owner@shop.example"
PHONE: Final[dict[str, Any]] = {"phone": "0244000000", "network": "mtn"}
MONTH: Final = 30
"""Days from 21 September to 21 October."""

HABITS: Final = ("early", "on the day", "in grace", "after grace", "never", "cancels")
"""How the owners of add-ons pay for the second month, in turn."""

WAYS: Final = ("told", "told twice", "untold", "after all", "declined first", "twice", "page", "nobody")
"""How packs are paid, by chance."""

_OPEN_SECONDS: Final = 20 * 3_600
_DAY_SECONDS: Final = 86_400
_PRICE: Final = "9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A shop's owner: what they buy, and how they pay.

    Attributes:
        business: Id of the shop.
        policy: ``prepaid`` or ``hybrid``.
        habit: One of `HABITS`; None without an add-on.
        begins: On which day they take the add-on.
    """

    business: str
    policy: str
    habit: str | None
    begins: int


class Town:
    """Everything on one clock: shops, the SDK, a gateway, its payers.

    Args:
        url: Where the books are kept.
        shops: How many shops there are, every second one on the hybrid policy.
        seed: Draws what happens.

    Attributes:
        paid: Pesewas that payers handed over and did not get back, by reference of the attempt.
        happened: How often each thing happened.
    """

    def __init__(self, url: str, shops: int, *, seed: int) -> None:
        self.clock = ManualClock()
        self.gateway = FakeGateway(self.clock)
        self.addons = AddOns(
            kit_settings(store={"url": url}),
            clock=self.clock,
            llm=FakeLlm(self.clock),
            environ={},
            gateways=(self.gateway,),
        )
        self.owners = [_owner(number) for number in range(shops)]
        self.paid: dict[str, int] = {}
        self.happened = Counter[str]()
        self._chance = Random(seed)  # noqa: S311  # no secret
        self._later: defaultdict[int, list[Callable[[], None]]] = defaultdict(list)
        self._ask = _feature()
        self._before = install(self.addons)
        for owner in self.owners:
            self.addons.set_policy(owner.business, owner.policy, actor="kofi")

    def close(self) -> None:
        """Let go of everything."""
        install(self._before)
        self.addons.close()
        self.gateway.close()

    def day(self, number: int) -> None:
        """One day: what was late comes, then each shop works; at the end the jobs run, the reconciler left out."""
        self._send_back()
        for late in self._later.pop(number, []):
            late()
        for owner in self.owners:
            self.clock.advance(_OPEN_SECONDS / len(self.owners))
            self._month(owner, number)
            self._trade(owner, number)
        self.clock.advance(_DAY_SECONDS - _OPEN_SECONDS)
        self.addons.sweep()

    def _send_back(self) -> None:
        """The operator sends back what was paid twice."""
        for aside in self.addons.orders.quarantined():
            sent = self.gateway.refund(aside.reference, Money.from_minor(self.paid.pop(aside.reference), "GHS"))
            self.gateway.move_refund(sent.id, "processed")
            self.addons.orders.mark_refunded(aside.business, aside.id, actor="kofi", reason="paid twice")
            self.happened["sent back"] += 1

    # Packs.

    def _trade(self, owner: Owner, number: int) -> None:
        """Use credits; when they run out, mostly buy more."""
        with bill_to(owner.business):
            try:
                self._ask(self._chance.randrange(10**9))
            except InsufficientCreditsError as refused:
                self.happened["refused"] += 1
                choice = self._chance.randrange(10)
                if choice < 6:  # six in ten take what is offered
                    self._buy(owner, number, pack=self._chance.choice(refused.offers).type)
                elif choice < 8:  # two choose the size themselves
                    self._buy(owner, number, pack="CUSTOM", amount=self._chance.choice(["10", "33.33", "95"]))

    def _buy(self, owner: Owner, number: int, **what: Any) -> None:
        way = self._chance.choice(WAYS)
        self.happened[way] += 1
        prompt: dict[str, Any] = {} if way == "page" else PHONE
        payment = self.addons.orders.start(owner.business, email=EMAIL, **what, **prompt)
        reference = payment.attempt.reference
        if way == "after all":
            # The order has been given up by then.
            self._later[number + 2].append(lambda: self._pay(reference, copies=1))
        elif way == "declined first":
            self.gateway.decline(reference)
            self.addons.orders.verify(owner.business, reference)
            self._pay(self._again(payment), copies=1)
        elif way != "nobody":
            paid = (reference, self._again(payment)) if way == "twice" else (reference,)
            for one in paid:
                self._pay(one, copies={"untold": 0, "told twice": 2}.get(way, 1))

    def _again(self, payment: Payment) -> str:
        """Another attempt; its reference."""
        made = self.addons.orders.attempt(payment.order.business, payment.order.id, **PHONE)
        return made.attempt.reference

    def _pay(self, reference: str, *, copies: int) -> None:
        """The payer's money is gone, and webhooks tell of it."""
        self.gateway.pay(reference)
        self.paid[reference] = self.gateway.desk.payment(reference).amount
        for _ in range(copies):
            self.addons.orders.receive("fake", *self.gateway.webhook(reference))
            self.addons.orders.work_inbox()

    # The add-on.

    def _month(self, owner: Owner, number: int) -> None:
        """Take the add-on on its day; when its month ends, do as is one's habit."""
        day = number - owner.begins - MONTH
        if owner.habit is None:
            return
        if number == owner.begins or day == {"early": -2, "on the day": 0, "in grace": 4}.get(owner.habit):
            self._pay(self._start_month(owner), copies=1)
        elif day == -1 and owner.habit in {"after grace", "never"}:
            reference = self._start_month(owner)
            if owner.habit == "after grace":
                self._later[number + 9].append(lambda: self._pay(reference, copies=1))
        elif day == -5 and owner.habit == "cancels":  # five days before
            self.addons.subscriptions.cancel(owner.business)

    def _start_month(self, owner: Owner) -> str:
        payment = self.addons.orders.start(owner.business, addon=True, email=EMAIL, **PHONE)
        return payment.attempt.reference


def _owner(number: int) -> Owner:
    turn = number // 2
    return Owner(
        business=f"biz_{number}",
        policy="hybrid" if number % 2 else "prepaid",
        habit=(None, *HABITS)[turn % 7] if number % 2 else None,
        begins=turn % 2,
    )


def _feature() -> Callable[[int], str]:
    """A feature of the shops' own."""

    @billed_feature("town_tip", credits=_PRICE, cache=None)
    def town_tip(number: int) -> Prompt[str]:
        """One idea."""
        return Prompt[str](user=f"Idea {number}, please.")

    return town_tip
