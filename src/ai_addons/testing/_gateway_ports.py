"""The part of a gateway's contract about what only some offer: phone prompts, saved cards, lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.gateways.base import (
    AuditableGateway,
    CardGateway,
    Outcome,
    PhoneGateway,
    RefundOutcome,
    ReturnsGateway,
)
from ai_addons.money import Money
from ai_addons.testing.require import require

if TYPE_CHECKING:
    from ai_addons.billing.gateways.base import Charge, Gateway, PaymentRequest

_MANY: Final = 55
"""More than one page of a list."""


class GatewayPorts:
    """What `GatewayContract` asks of gateways that offer it; a gateway that does not passes.

    Attributes:
        phone: A number whose payer is prompted, and pays only when driven to.
    """

    phone: str = "024 400 0000"
    currency: str = "GHS"

    def make(self) -> Gateway:
        """As in `GatewayContract`."""
        raise NotImplementedError

    def side(self) -> Any:  # noqa: ANN401  # its driver has more methods, the more its gateway offers
        """As in `GatewayContract`."""
        raise NotImplementedError

    def request(self, reference: str, amount: str = "30") -> PaymentRequest:
        """As in `GatewayContract`."""
        raise NotImplementedError

    def test_a_prompt_is_answered_on_the_phone(self) -> None:
        """It is pending with what to do, then paid or failed by what the payer does."""
        gateway = self.make()
        if not isinstance(gateway, PhoneGateway):
            return
        drives = (
            (self.side().pay, Outcome.PAID),
            (self.side().decline, Outcome.FAILED),
            (self.side().expire, Outcome.FAILED),
        )
        for number, (drive, wanted) in enumerate(drives):
            reference = f"aia-{number}"
            asked = gateway.charge_phone(self.request(reference), phone=self.phone, network="mtn")
            told = (asked.reference, asked.outcome, asked.next_step)
            require(told == (reference, Outcome.PENDING, "approve_on_phone"), f"A prompt was told as {asked}.")
            waiting = self._charge(gateway, reference).outcome
            require(waiting is Outcome.PENDING, f"A prompt that nobody answered yet is {waiting}.")
            drive(reference)
            found = self._charge(gateway, reference).outcome
            require(found is wanted, f"A prompt is {found}, not {wanted}.")

    def test_a_code_is_asked_for_and_taken(self) -> None:
        """A network that sends a code: the right one pays, a wrong one ends the attempt."""
        gateway = self.make()
        if not isinstance(gateway, PhoneGateway):
            return
        for reference, wrong, wanted in (("aia-1", False, Outcome.PAID), ("aia-2", True, Outcome.FAILED)):
            asked = gateway.charge_phone(self.request(reference), phone=self.phone, network="telecel")
            require(asked.next_step == "enter_otp", f"A prompt with a code was told as {asked}.")
            code = self.side().otp(reference)
            gateway.submit_otp(reference, code[::-1] if wrong else code)
            found = self._charge(gateway, reference).outcome
            require(found is wanted, f"A {'wrong' if wrong else 'right'} code left the attempt {found}.")

    def test_a_saved_card_is_charged_again(self) -> None:
        """A card that may be used again is told, hidden, and charged; one that does not work fails."""
        gateway, side = self.make(), self.side()
        if not isinstance(gateway, CardGateway):
            return
        gateway.checkout(self.request("aia-1"))
        side.pay("aia-1", method="card", save_card=True)
        card = self._charge(gateway, "aia-1").card
        if card is None:
            msg = "A card that was saved is not told."
            raise AssertionError(msg)
        require(card.code not in repr(card), "`repr` shows the code of a saved card.")
        gateway.charge_card(self.request("aia-2", "12.34"), card)
        again = self._charge(gateway, "aia-2")
        told = (again.outcome, again.amount_minor, again.method)
        require(told == (Outcome.PAID, 1234, "card"), f"A saved card, charged, was told as {again}.")
        side.break_card(card.code)
        broken = gateway.charge_card(self.request("aia-3"), card).outcome
        require(broken is Outcome.FAILED, f"A card that its bank declines is {broken}.")

    def test_a_card_that_was_not_saved_is_not_told(self) -> None:
        """Neither a card used once nor Mobile Money can be charged again."""
        gateway, side = self.make(), self.side()
        if not isinstance(gateway, CardGateway):
            return
        for reference, method in (("aia-1", "card"), ("aia-2", "mobile_money")):
            gateway.checkout(self.request(reference))
            side.pay(reference, method=method)
            require(self._charge(gateway, reference).card is None, f"A payment by {method} told a saved card.")

    def test_it_lists_every_attempt_once(self) -> None:
        """However many there are; and none of another time."""
        gateway = self.make()
        if not isinstance(gateway, AuditableGateway):
            return
        wanted = {f"aia-{number}" for number in range(_MANY)}
        for reference in sorted(wanted):
            gateway.checkout(self.request(reference))
        self.side().pay("aia-7")
        found = [charge.reference for charge in gateway.charges(0, 4_000_000_000_000_000)]
        require(sorted(found) == sorted(wanted), f"{_MANY} attempts were listed as {len(found)}.")
        require(not list(gateway.charges(0, 1_000_000)), "An attempt was listed for a time before it.")

    def test_it_lists_refunds_that_others_began(self) -> None:
        """Each with its number and how it ended; none of another attempt."""
        gateway, side = self.make(), self.side()
        if not isinstance(gateway, AuditableGateway):
            return
        for reference in ("aia-1", "aia-2"):
            gateway.checkout(self.request(reference))
            side.pay(reference)
        made = [gateway.refund("aia-1", Money(amount, self.currency)) for amount in ("1", "1", "2")]
        for refund, state in zip(made, ("processed", "failed", "needs-attention"), strict=True):
            side.move_refund(refund.id, state)
        listed = {refund.id: (refund.amount_minor, refund.outcome) for refund in gateway.refunds("aia-1")}
        ends = (RefundOutcome.DONE, RefundOutcome.FAILED, RefundOutcome.NEEDS_ATTENTION)
        wanted = {refund.id: (refund.amount_minor, end) for refund, end in zip(made, ends, strict=True)}
        require(listed == wanted, f"Refunds were listed as {listed}, not {wanted}.")
        require(gateway.refunds("aia-2") == (), "A refund was listed for another attempt.")

    def test_it_lists_what_goes_back_by_the_time_it_began(self) -> None:
        """Refunds and disputes of every attempt, each under our reference; none of another time."""
        gateway, side = self.make(), self.side()
        if not isinstance(gateway, ReturnsGateway):
            return
        for reference in ("aia-1", "aia-2"):
            gateway.checkout(self.request(reference))
            side.pay(reference)
        refund = gateway.refund("aia-1", Money("1", self.currency))
        dispute = side.open_dispute("aia-2")
        always = (0, 4_000_000_000_000_000)
        listed = [(one.reference, one.id) for one in gateway.refunds_between(*always)]
        require(listed == [("aia-1", refund.id)], f"Refunds were listed as {listed}.")
        contested = [(one.reference, one.id) for one in gateway.disputes_between(*always)]
        require(contested == [("aia-2", dispute)], f"Disputes were listed as {contested}.")
        early = [*gateway.refunds_between(0, 1_000_000), *gateway.disputes_between(0, 1_000_000)]
        require(not early, f"{early} were listed for a time before them.")

    def test_a_dispute_is_open_then_won_or_lost(self) -> None:
        """It says how much is contested and by when evidence is wanted; a lost one takes the money back."""
        gateway, side = self.make(), self.side()
        if not isinstance(gateway, AuditableGateway):
            return
        ends = (side.win_dispute, False, Outcome.PAID), (side.lose_dispute, True, Outcome.REVERSED)
        for number, (end, lost, wanted) in enumerate(ends):
            reference = f"aia-{number}"
            gateway.checkout(self.request(reference))
            side.pay(reference)
            dispute_id = side.open_dispute(reference)
            (found,) = gateway.disputes(reference)
            told = (found.id, found.open, found.lost, found.amount_minor, found.due_at is None)
            require(told == (dispute_id, True, None, 3000, False), f"An open dispute was told as {found}.")
            end(dispute_id)
            (found,) = gateway.disputes(reference)
            require((found.open, found.lost) == (False, lost), f"A dispute that ended was told as {found}.")
            outcome = self._charge(gateway, reference).outcome
            require(outcome is wanted, f"After the dispute the payment is {outcome}.")

    def test_an_event_of_each_kind_names_its_payment(self) -> None:
        """Refunds and disputes have the reference in places of their own."""
        gateway, side = self.make(), self.side()
        if not isinstance(gateway, AuditableGateway):
            return
        gateway.checkout(self.request("aia-1"))
        side.pay("aia-1")
        gateway.refund("aia-1", Money("1", self.currency))
        refund = gateway.read_webhook(*side.webhook("aia-1"))
        side.open_dispute("aia-1")
        dispute = gateway.read_webhook(*side.webhook("aia-1"))
        told = [(event.topic, event.reference) for event in (refund, dispute)]
        require(told == [("refund", "aia-1"), ("dispute", "aia-1")], f"The webhooks were read as {told}.")

    def _charge(self, gateway: Gateway, reference: str) -> Charge:
        found = gateway.fetch(reference)
        if found is None:
            msg = f"`fetch` gave None for {reference}, which was sent."
            raise AssertionError(msg)
        require(found.reference == reference, f"`fetch` of {reference} told of {found.reference}.")
        return found
