"""What payers do: they approve, decline, or let it hang."""

from __future__ import annotations

import json
import secrets
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.gateways.fake import shapes
from ai_addons.billing.gateways.fake.records import Card, DisputeRow, Event, Payment, RefundRow, Shelf, connect
from ai_addons.billing.gateways.fake.refusals import Refusal, Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ai_addons.clock import Clock

OTP: Final = "123456"
"""The voucher code that every payer is sent."""

PROMPT_SECONDS: Final = 180
"""How long a prompt on the phone is valid; the networks' limit."""

_OPEN_PROMPTS: Final = frozenset({"pay_offline", "send_otp", "pending"})
# 1.95 % in Ghana, for cards and Mobile Money (Paystack support, "Transactions pricing").
_FEE_BASIS_POINTS: Final = 195
_BASIS: Final = 10_000


class Payments:
    """All payments of one fake gateway, and what payers can do about them.

    Args:
        clock: Where the time comes from.
        site: Where its pages are, e.g. ``http://127.0.0.1:8765``.
        domain: ``test`` or ``live``.
        path: An SQLite file to keep everything in; None keeps it in memory.
        token: Random text of so many bytes, for codes.
        tell: Called with each webhook, after what it tells of is kept.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        site: str = "http://127.0.0.1",
        domain: str = "test",
        path: Path | None = None,
        token: Callable[[int], str] = secrets.token_hex,
        tell: Callable[[Event], object] | None = None,
    ) -> None:
        self.clock = clock
        self.site = site
        self._domain = domain
        self._token = token
        self._tell = tell
        self._connection = connect(path)
        self.lock: AbstractContextManager[bool] = threading.RLock()
        self.payments: Shelf[Payment] = Shelf(self._connection, "payment", Payment)
        self.cards: Shelf[Card] = Shelf(self._connection, "card", Card)
        self.refunds: Shelf[RefundRow] = Shelf(self._connection, "refund", RefundRow)
        self.disputes: Shelf[DisputeRow] = Shelf(self._connection, "dispute", DisputeRow)
        self.events: Shelf[Event] = Shelf(self._connection, "event", Event)

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def open(self, reference: str, *, status: str = "abandoned", **known: Any) -> Payment:  # noqa: ANN401  # fields of Payment
        """Begin a payment; one that nobody has paid yet is `abandoned`.

        Raises:
            Refused: If the reference was used before.
        """
        with self.lock:
            if self.payments.get(reference) is not None:
                raise Refused(Refusal.DUPLICATE)
            made = Payment(
                id=self.payments.next_id(),
                reference=reference,
                access_code=self._token(8),
                status=status,
                requested=known["amount"],
                domain=self._domain,
                created_at=self.clock.now(),
                **known,
            )
            return self.payments.put(made)

    def payment(self, reference: str) -> Payment:
        """A payment as it is now: a prompt that nobody answered in time has failed.

        Raises:
            Refused: If it is not known.
        """
        with self.lock:
            found = self.payments.get(reference)
            if found is None:
                raise Refused(Refusal.UNKNOWN_PAYMENT)
            late = found.prompt_until is not None and self.clock.now() >= found.prompt_until
            if late and found.status in _OPEN_PROMPTS:
                return self.decline(reference, "The payer did not approve in time")
            return found

    def at(self, access_code: str) -> Payment:
        """The payment of a checkout page.

        Raises:
            Refused: If there is none.
        """
        with self.lock:
            for found in self.payments.all():
                if secrets.compare_digest(found.access_code, access_code):
                    return self.payment(found.reference)
        raise Refused(Refusal.UNKNOWN_CHECKOUT)

    def prompts(self) -> list[Payment]:
        """What waits on payers' phones."""
        with self.lock:
            now = [self.payment(found.reference) for found in self.payments.all() if found.status in _OPEN_PROMPTS]
            return [found for found in now if found.status in _OPEN_PROMPTS]

    def prompt(self, reference: str, status: str, *, phone: str, network: str) -> Payment:
        """Send a prompt to the payer's phone."""
        until = self.clock.now() + PROMPT_SECONDS * 1_000_000
        changed = {"phone": phone, "network": network, "channel": "mobile_money"}
        return self.change(reference, status=status, prompt_until=until, **changed)

    def otp(self, reference: str) -> str:
        """The code that the payer of a charge was sent.

        Raises:
            Refused: If it waits for none.
        """
        if self.payment(reference).status != "send_otp":
            raise Refused(Refusal.NO_CODE_WANTED)
        return OTP

    def approve(self, reference: str, *, channel: str = "mobile_money", save_card: bool = False) -> Payment:
        """The payer pays, however late; `charge.success` tells of it.

        Raises:
            Refused: If it is unknown, or was paid before.
        """
        with self.lock:
            found = self.payment(reference)
            if found.paid_at is not None:
                raise Refused(Refusal.ALREADY_PAID)
            code = self._new_card(found.email) if channel == "card" and save_card else found.card
            return self.settle(replace(found, channel=channel, card=code))

    def settle(self, payment: Payment) -> Payment:
        """Book a payment as paid, and tell of it."""
        with self.lock:
            fees = (payment.amount * _FEE_BASIS_POINTS + _BASIS // 2) // _BASIS
            now = self.clock.now()
            paid = replace(payment, status="success", reason="", paid_at=now, fees=fees, prompt_until=None)
            self.payments.put(paid)
            self.say("charge.success", paid.reference, self.transaction(paid))
            return paid

    def decline(self, reference: str, reason: str = "Declined by the payer") -> Payment:
        """The payer declines; no webhook tells of a failure.

        Raises:
            Refused: If it is unknown, or was paid before.
        """
        with self.lock:
            found = self.payments.get(reference)
            if found is not None and found.paid_at is not None:
                raise Refused(Refusal.ALREADY_PAID)
            return self.change(reference, status="failed", reason=reason, prompt_until=None)

    def change(self, reference: str, **fields: Any) -> Payment:  # noqa: ANN401  # fields of Payment
        """Say anything of a payment, also what no gateway should: another amount, currency, mode or status.

        Raises:
            Refused: If it is unknown.
        """
        with self.lock:
            found = self.payments.get(reference)
            if found is None:
                raise Refused(Refusal.UNKNOWN_PAYMENT)
            return self.payments.put(replace(found, **fields))

    def transaction(self, payment: Payment) -> dict[str, Any]:
        """A payment on the wire."""
        return shapes.transaction(payment, self.card_of(payment))

    def card_of(self, payment: Payment) -> Card | None:
        """The saved card that paid."""
        return None if payment.card is None else self.cards.get(payment.card)

    def break_card(self, code: str) -> None:
        """From now on its bank declines this card."""
        with self.lock:
            card = self.cards.get(code)
            if card is not None:
                self.cards.put(replace(card, works=False))

    def _new_card(self, email: str) -> str:
        return self.cards.put(Card(code=f"AUTH_{self._token(5)}", email=email, last4="4081")).code

    def events_of(self, reference: str) -> list[Event]:
        """The webhooks about a payment, the oldest first."""
        with self.lock:
            return [event for event in self.events.all() if event.reference == reference]

    def say(self, name: str, reference: str, data: dict[str, Any]) -> None:
        """Keep a webhook, and hand it on."""
        body = json.dumps({"event": name, "data": data})
        event = self.events.put(Event(id=self.events.next_id(), name=name, reference=reference, body=body))
        if self._tell is not None:
            self._tell(event)
