"""What Stripe says, in our words (docs "Checkout Sessions", "Fulfill orders", "Refunds", "Disputes", "Webhooks").

An attempt is a Checkout session with our reference as ``client_reference_id``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from uuid import UUID

from ai_addons.billing.gateways import _lenient as lenient
from ai_addons.billing.gateways._http import body_hash
from ai_addons.billing.gateways.base import Charge, Dispute, GatewayEvent, Outcome, Refund, RefundOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.billing.gateways._lenient import Table
    from ai_addons.billing.gateways.base import Topic

_SESSIONS: Final[Mapping[tuple[str, str], Outcome]] = {
    ("complete", "paid"): Outcome.PAID,
    ("open", "unpaid"): Outcome.PENDING,
    # Done on the page; the bank has yet to say.
    ("complete", "unpaid"): Outcome.PENDING,
    ("expired", "unpaid"): Outcome.FAILED,
}
_FAILED_INTENTS: Final = ("requires_payment_method", "canceled")
_REFUNDS: Final[Mapping[str, RefundOutcome]] = {
    "pending": RefundOutcome.PENDING,
    "requires_action": RefundOutcome.NEEDS_ATTENTION,
    "succeeded": RefundOutcome.DONE,
    "failed": RefundOutcome.FAILED,
    "canceled": RefundOutcome.FAILED,
}
_DECIDED: Final[Mapping[str, bool]] = {"won": False, "lost": True, "warning_closed": False}
_TOPICS: Final[tuple[tuple[str, Topic], ...]] = (
    ("checkout.session.", "payment"),
    ("charge.dispute.", "dispute"),
    ("charge.refund", "refund"),
    ("refund.", "refund"),
)
_UUID7: Final = 7


def read_session(session: Table, reference: str, raw: str) -> Charge:
    """A session, with its payment as far as the answer holds it.

    Args:
        session: The Checkout session.
        reference: Our name of the attempt.
        raw: The answer as it came.
    """
    outcome, status = _outcome(session)
    paid = latest_charge(session)
    currency = lenient.currency(session.get("currency"))
    live = session.get("livemode")
    return Charge(
        reference=reference,
        outcome=outcome,
        raw_status=status,
        amount_minor=lenient.whole(session.get("amount_total")),
        currency=currency,
        live=live if isinstance(live, bool) else None,
        method="card" if lenient.table(paid.get("payment_method_details")).get("type") == "card" else None,
        fees_minor=_fee(paid, currency),
        reason=lenient.said(_last_error(session), paid.get("failure_message")),
        paid_at=lenient.seconds(paid.get("created")) if paid.get("paid") is True else None,
        raw=raw,
    )


def latest_charge(session: Table) -> Table:
    """The payment of a session; empty while there is none, and where it was not asked for."""
    return lenient.table(lenient.table(session.get("payment_intent")).get("latest_charge"))


def intent_id(session: Table) -> str | None:
    """Stripe's name of the payment, whether the answer holds it whole or by its name."""
    intent = session.get("payment_intent")
    return lenient.word(lenient.table(intent).get("id")) or lenient.word(intent)


def _outcome(session: Table) -> tuple[Outcome, str]:
    status, payment = (lenient.word(session.get(name)) or "" for name in ("status", "payment_status"))
    raw = f"{status}/{payment}"
    outcome = _SESSIONS.get((status, payment), Outcome.UNKNOWN)
    if outcome is Outcome.PAID and latest_charge(session).get("refunded") is True:
        return Outcome.REVERSED, f"{raw}/refunded"
    intent = lenient.word(lenient.table(session.get("payment_intent")).get("status"))
    if status == "complete" and outcome is Outcome.PENDING and intent in _FAILED_INTENTS:
        return Outcome.FAILED, f"{raw}/{intent}"
    return outcome, raw


def _fee(paid: Table, currency: str | None) -> int | None:
    """What Stripe kept, where it settles in the currency of the payment."""
    booked = lenient.table(paid.get("balance_transaction"))
    same = currency is not None and lenient.currency(booked.get("currency")) == currency
    return lenient.whole(booked.get("fee")) if same else None


def _last_error(session: Table) -> object:
    return lenient.table(lenient.table(session.get("payment_intent")).get("last_payment_error")).get("message")


def read_refund(data: Table, reference: str, raw: str) -> Refund | None:
    """A refund; None if it lacks what a claw-back is booked by."""
    name, amount = lenient.word(data.get("id")), lenient.whole(data.get("amount"))
    currency = lenient.currency(data.get("currency"))
    if name is None or amount is None or currency is None:
        return None
    outcome = _REFUNDS.get(lenient.word(data.get("status")) or "", RefundOutcome.UNKNOWN)
    return Refund(id=name, reference=reference, amount_minor=amount, currency=currency, outcome=outcome, raw=raw)


def read_dispute(data: Table, reference: str) -> Dispute | None:
    """A dispute; None if it does not say which, about how much."""
    name, amount = lenient.word(data.get("id")), lenient.whole(data.get("amount"))
    currency, status = lenient.currency(data.get("currency")), lenient.word(data.get("status"))
    if name is None or amount is None or currency is None:
        return None
    return Dispute(
        id=name,
        reference=reference,
        open=status not in _DECIDED,
        lost=_DECIDED.get(status or ""),
        amount_minor=amount,
        currency=currency,
        due_at=lenient.seconds(lenient.table(data.get("evidence_details")).get("due_by")),
    )


def whose(data: Table) -> str | None:
    """Our name of the attempt that a refund or a dispute of a list is about; the payment stands in it."""
    places = (data, lenient.table(data.get("payment_intent")))
    names = (lenient.named(lenient.table(place.get("metadata")).get("reference")) for place in places)
    return next((name for name in names if name is not None), None)


def kept(data: Table) -> str:
    """One item of a list, as text to keep."""
    return json.dumps(data, separators=(",", ":"))


def read_event(body: bytes) -> GatewayEvent:
    """A webhook whose signature holds, whatever is in it; its key is Stripe's own id of it.

    Events about disputes, and about refunds that were begun in the dashboard, do not carry our reference.
    """
    message = lenient.table(lenient.parse(body))
    thing = lenient.table(lenient.table(message.get("data")).get("object"))
    name = lenient.word(message.get("type")) or ""
    topic = _topic(name)
    key = lenient.word(message.get("id")) or body_hash(body)
    return GatewayEvent(key=key, name=name, topic=topic, reference=_reference(thing) if topic else None, body=body)


def _topic(name: str) -> Topic | None:
    return next((topic for prefix, topic in _TOPICS if name.startswith(prefix)), None)


def _reference(thing: Table) -> str | None:
    """Of a session its own field; of what came from it the metadata that went with it."""
    own = lenient.named(thing.get("client_reference_id"))
    return own or lenient.named(lenient.table(thing.get("metadata")).get("reference"))


def begun_at(reference: str) -> int | None:
    """The second in which a reference that ends with a UUIDv7 was made; None for any other.

    >>> begun_at("aia-01998a2c-9400-7000-8000-000000000000")
    1758959801
    """
    try:
        made = UUID(reference[-36:])
    except ValueError:
        return None
    return (made.int >> 80) // 1_000 if made.version == _UUID7 else None
