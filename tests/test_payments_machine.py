"""Payments, money that goes back and processes that die, in any order: gateway and credits agree in the end.

The gateway is the fake one, through its own adapter: what it holds is the truth, and what
the books hold is compared with it once everything was asked about.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from ai_addons.billing.clawback import share
from ai_addons.billing.opening import Shop
from ai_addons.billing.payments import Payments
from ai_addons.errors import InsufficientCreditsError, PaymentError
from ai_addons.money import Credits, Money
from ai_addons.testing.gateway import FakeGateway
from tests.books import OK, Books, kept_in
from tests.hands import Stopped, stops_at
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.gateways.fake.records import DisputeRow, Payment, RefundRow
    from ai_addons.billing.orders import Order

EMAIL: Final = "ama@shop.example"
HOUR: Final = 3_600
CRASH: Final = st.one_of(st.none(), st.none(), st.integers(0, 30))
PICK: Final = st.integers(0, 7)
FATES: Final = st.sampled_from(["at once", "at once", "twice", "late", "lost"])
"""What becomes of a webhook."""


class PaymentsMachine(RuleBasedStateMachine):
    """One business, its orders, the gateway's desk; a clock that only the machine moves."""

    @initialize(policy=st.sampled_from(["clamp", "debt"]))
    def open(self, policy: Any) -> None:
        """Empty books, an empty desk."""
        self.books = Books("0")
        self.gateway = FakeGateway(self.books.clock)
        self.desk = self.gateway.desk
        shop = Shop(gateway=lambda _: self.gateway, packs=tuple)
        self.orders = Payments(self.books.opened, shop, names=lambda: ("fake",), shortfall=policy)
        self.late: list[tuple[dict[str, str], bytes]] = []
        self.spent = Credits(0)
        self.numbers = 0

    # Helpers.

    def number(self) -> int:
        """A fresh one; time goes by with each."""
        self.numbers += 1
        self.books.clock.advance(1)
        return self.numbers

    def payments(self, *states: str) -> list[Payment]:
        """What the gateway has, the oldest first; a prompt that was not answered in time has failed."""
        found = [self.desk.payment(one.reference) for one in self.desk.payments.all()]
        return [one for one in found if not states or one.status in states]

    @staticmethod
    def dies(crash: int | None, work: Callable[[], object]) -> bool:
        """Do it, unless the process dies at a step; whether it did."""
        try:
            with stops_at(crash):
                work()
        except Stopped:
            return True
        return False

    def tell(self, reference: str, fate: str, crash: int | None) -> None:
        """The gateway sends its latest webhook about a payment."""
        hook = self.gateway.webhook(reference)
        if fate == "late":
            self.late.append(hook)
        for _ in range({"at once": 1, "twice": 2}.get(fate, 0)):
            self.hear(hook, crash)

    def hear(self, hook: tuple[dict[str, str], bytes], crash: int | None) -> None:
        """A webhook arrives; whoever works on it may die, and nobody does it again for now."""
        self.dies(crash, lambda: (self.orders.receive("fake", *hook), self.orders.work_inbox()))

    # The owner and the payer.

    @rule(pack=st.sampled_from(["STARTER", "VALUE"]), prompt=st.booleans(), crash=CRASH)
    def start(self, pack: str, prompt: bool, crash: int | None) -> None:
        """A pack is ordered; whose tap got no answer taps again a minute later."""
        way: Any = {"phone": "0244000000", "network": "mtn"} if prompt else {}
        key = f"tap-{self.number()}"

        def tap() -> str:
            return self.orders.start("biz_7", pack, key=key, email=EMAIL, **way).order.id

        if self.dies(crash, tap):
            self.books.clock.advance(61)
        assert tap() == tap()

    @precondition(lambda self: self.payments())
    @rule(pick=PICK, crash=CRASH)
    def again(self, pick: int, crash: int | None) -> None:
        """Another attempt at an order."""
        order = self.pick(self.orders.history("biz_7"), pick)
        if order.state == "pending":
            self.number()
            self.dies(crash, lambda: self.orders.attempt("biz_7", order.id))

    @precondition(lambda self: self.payments("abandoned", "pay_offline", "failed"))
    @rule(pick=PICK, fate=FATES, crash=CRASH)
    def pay(self, pick: int, fate: str, crash: int | None) -> None:
        """A payer pays, however late, and whatever was paid before."""
        self.number()
        reference = self.pick(self.payments("abandoned", "pay_offline", "failed"), pick).reference
        self.gateway.pay(reference)
        self.tell(reference, fate, crash)

    @precondition(lambda self: self.payments())
    @rule(pick=PICK, crash=CRASH)
    def come_back(self, pick: int, crash: int | None) -> None:
        """A payer's browser comes back to the shop."""
        self.number()
        reference = self.pick(self.payments(), pick).reference
        self.dies(crash, lambda: self.orders.verify("biz_7", reference))

    @precondition(lambda self: self.payments())
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        """The owner gives an order up, if that can be done."""
        self.number()
        with suppress(PaymentError):
            self.orders.cancel("biz_7", self.pick(self.orders.history("biz_7"), pick).id)

    @rule(amount=st.sampled_from(["5", "29", "64"]))
    def spend(self, amount: str) -> None:
        """Credits are used, if there are enough."""
        key = f"call-{self.number()}"
        with suppress(InsufficientCreditsError):
            self.books.store.capture(self.books.hold(amount, key), OK)
            self.spent += Credits(amount)

    # The gateway.

    @precondition(lambda self: self.late)
    @rule(pick=PICK, crash=CRASH)
    def arrive(self, pick: int, crash: int | None) -> None:
        """A late webhook arrives, in any order."""
        self.number()
        self.hear(self.late.pop(pick % len(self.late)), crash)

    @precondition(lambda self: self.payments("success"))
    @rule(pick=PICK, part=st.booleans(), fate=FATES, crash=CRASH)
    def refund_there(self, pick: int, part: bool, fate: str, crash: int | None) -> None:
        """On the gateway's own page a third of a payment is sent back, or all that is left."""
        self.number()
        payment = self.pick(self.payments("success"), pick)
        left = payment.amount - self.desk.returned(payment.reference)
        # A dispute that is lost may take what a refund sends too: then nothing is left, or less.
        if (minor := min(left, payment.amount // 3) if part else left) > 0:
            self.gateway.refund(payment.reference, Money.from_minor(minor, "GHS"))
            self.tell(payment.reference, fate, crash)

    @precondition(lambda self: self.moving())
    @rule(pick=PICK, state=st.sampled_from(["processing", "processed", "processed", "failed"]), fate=FATES, crash=CRASH)
    def move(self, pick: int, state: str, fate: str, crash: int | None) -> None:
        """A refund goes on."""
        self.number()
        row = self.pick(self.moving(), pick)
        self.gateway.move_refund(str(row.id), state)
        self.tell(row.reference, fate, crash)

    @precondition(lambda self: self.payments("success"))
    @rule(pick=PICK, part=st.booleans(), fate=FATES, crash=CRASH)
    def dispute(self, pick: int, part: bool, fate: str, crash: int | None) -> None:
        """A payer's bank contests a payment or a third of it."""
        self.number()
        payment = self.pick(self.payments("success"), pick)
        if any(row.reference == payment.reference for row in self.contested()):
            return
        self.gateway.open_dispute(payment.reference, Money.from_minor(payment.amount // 3, "GHS") if part else None)
        self.tell(payment.reference, fate, crash)

    @precondition(lambda self: self.contested())
    @rule(pick=PICK, won=st.booleans(), fate=FATES, crash=CRASH)
    def decide(self, pick: int, won: bool, fate: str, crash: int | None) -> None:
        """The bank decides."""
        self.number()
        row = self.pick(self.contested(), pick)
        (self.gateway.win_dispute if won else self.gateway.lose_dispute)(str(row.id))
        self.tell(row.reference, fate, crash)

    # The operator.

    @precondition(lambda self: self.bought())
    @rule(pick=PICK, part=st.booleans(), fate=FATES, crash=CRASH)
    def refund(self, pick: int, part: bool, fate: str, crash: int | None) -> None:
        """A third of a pack is sent back, or all that is left; whose process died repeats it a minute later."""
        order = self.pick(self.bought(), pick)
        amount = Money.from_minor(order.price.minor // 3, "GHS") if part else None
        known: Any = {"key": f"refund-{self.number()}", "actor": "kofi", "reason": "unhappy"}

        def send() -> None:
            # More than is left, or the gateway refuses: nothing goes back then.
            with suppress(PaymentError):
                self.orders.refund("biz_7", order.id, amount, **known)

        if self.dies(crash, send):
            self.books.clock.advance(61)
            send()
        if self.desk.returned(order.paid_reference):
            self.tell(order.paid_reference, fate, crash)

    @rule(hours=st.sampled_from([0, 0, 1, 25]), crash=CRASH)
    def reconcile(self, hours: int, crash: int | None) -> None:
        """The job runs, maybe some time later; it may die anywhere."""
        self.books.clock.advance(hours * HOUR)
        self.number()
        self.dies(crash, self.orders.reconcile)

    @rule(pick=PICK, crash=CRASH)
    def send_back(self, pick: int, crash: int | None) -> None:
        """A payment that came twice is sent back, and that is noted."""
        self.number()
        aside = self.orders.quarantined()
        if not aside:
            return
        one = self.pick(aside, pick)
        left = self.desk.payment(one.reference).amount - self.desk.returned(one.reference)
        if left > 0 and self.desk.payment(one.reference).status == "success":
            self.gateway.move_refund(self.gateway.refund(one.reference, Money.from_minor(left, "GHS")).id, "processed")
        note: Any = {"actor": "kofi", "reason": "paid twice"}
        if self.dies(crash, lambda: self.orders.mark_refunded("biz_7", one.id, **note)):
            self.orders.mark_refunded("biz_7", one.id, **note)

    # What is there.

    @staticmethod
    def pick(things: Any, number: int) -> Any:
        """One of some."""
        return things[number % len(things)]

    def moving(self) -> list[RefundRow]:
        """Refunds that have no end yet."""
        return [row for row in self.desk.refunds.all() if row.status not in {"processed", "failed"}]

    def contested(self) -> list[DisputeRow]:
        """Disputes that are open."""
        return [row for row in self.desk.disputes.all() if row.status != "resolved"]

    def bought(self) -> list[Any]:
        """Orders that were paid, as far as the books know."""
        return [one for one in self.orders.history("biz_7") if one.paid_reference is not None]

    def order_of(self, reference: str) -> Order | None:
        """The order that a payment paid, as far as the books know."""
        return next((one for one in self.bought() if one.paid_reference == reference), None)

    def gone(self, payment: Payment) -> int:
        """Money of a payment that is back with its payer; a lost part of one is among the refunds."""
        refunds = [row for row in self.desk.refunds.all() if row.reference == payment.reference]
        lost = [
            row
            for row in self.desk.disputes.all()
            if row.reference == payment.reference and row.resolution == "merchant-accepted"
        ]
        back = sum(row.amount for row in refunds if row.status == "processed")
        return min(payment.amount, back + sum(row.amount for row in lost if row.amount == payment.amount))

    def at_risk(self, payment: Payment) -> int:
        """The same with what is on its way back; all of it while a dispute is open."""
        if any(row.reference == payment.reference for row in self.contested()):
            return payment.amount
        going = sum(row.amount for row in self.moving() if row.reference == payment.reference)
        return min(payment.amount, self.gone(payment) + going)

    def state_of(self, payment: Payment) -> str:
        """Where the order that a payment paid stands."""
        if any(row.reference == payment.reference for row in self.contested()):
            return "disputed"
        gone = self.gone(payment)
        return "refunded" if gone == payment.amount else "partially_refunded" if gone else "successful"

    # What must hold.

    @invariant()
    def sound(self) -> None:
        """At any time the books agree with themselves, and an order has no more than one grant."""
        if hasattr(self, "books"):
            report = self.books.report()
            assert report.ok, report.findings

    def agree(self) -> None:
        """Once the gateway was asked about everything, money and credits are those of the plain model."""
        self.books.clock.advance(61)
        self.orders.reconcile()
        # A webhook that was lost comes again: Paystack tries for three days.
        back = [row.reference for row in self.desk.refunds.all()] + [row.reference for row in self.desk.disputes.all()]
        for reference in dict.fromkeys(back):
            self.hear(self.gateway.webhook(reference), None)
        granted = taken = Credits(0)
        net = 0
        for order in self.orders.history("biz_7"):
            attempts = {one.reference: one for one in self.orders.find("biz_7", order.id)[1]}
            at_gateway = [one for one in self.payments() if one.reference in attempts]
            for payment in at_gateway:
                if payment.status == "success" and payment.reference != order.paid_reference:
                    assert attempts[payment.reference].state == "quarantined"
            if order.paid_reference is None:
                assert not [one for one in at_gateway if one.status == "success"]
                continue
            (payer,) = (one for one in at_gateway if one.reference == order.paid_reference)
            assert payer.paid_at is not None
            told = self.orders.money_back("biz_7", order.id)
            assert (told.reversed_minor, told.at_risk_minor) == (self.gone(payer), self.at_risk(payer))
            target = sum(
                (share(part, self.gone(payer), payer.amount) for part in (order.credits - order.bonus, order.bonus)),
                start=Credits(0),
            )
            assert told.taken + told.repaid + told.written_off + told.owed == target
            assert order.state == self.state_of(payer)
            granted += order.credits
            taken += told.taken + told.repaid
            net += payer.amount - told.reversed_minor
        aside = sum(
            one.amount - self.gone(one) for one in self.payments("success") if self.order_of(one.reference) is None
        )
        assert sum(one.amount - self.gone(one) for one in self.payments() if one.paid_at is not None) == net + aside
        assert self.books.store.wallet("biz_7").posted == granted - taken - self.spent
        self.sound()

    def teardown(self) -> None:
        """The last night; then let go."""
        if hasattr(self, "books"):
            try:
                self.agree()
            finally:
                self.gateway.close()
                self.books.close()


def _run(examples: int, steps: int) -> None:
    """Small and always the same, or fresh ones that are made small where they fail."""
    run(
        PaymentsMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=not FULL,
            database=None,
            deadline=None,
            phases=tuple(Phase) if FULL else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(1_800 if FULL else 120)
def test_money_at_the_gateway_and_credits_agree_whatever_happens_in_whatever_order() -> None:
    """Payments, second ones, refunds, disputes, lost and late webhooks, jobs, and deaths between any two statements."""
    _run(1_000 if FULL else 40, 40)


@pytest.mark.timeout(600 if FULL else 120)
def test_money_at_the_gateway_and_credits_agree_on_a_server() -> None:
    """PostgreSQL keeps the same books."""
    with kept_in("postgresql"):
        _run(100 if FULL else 5, 25)
