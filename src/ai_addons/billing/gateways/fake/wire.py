"""What the fake gateway's calls have in common: envelopes, lists in pages, what a request asks for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons.billing.gateways.fake.refusals import Refusal, Refused
from ai_addons.billing.periods import to_micros

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ai_addons.billing.gateways.fake.desk import Desk
    from ai_addons.billing.gateways.fake.records import Payment

_REFERENCE: Final = re.compile(r"[A-Za-z0-9.=-]+")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_CURRENCIES: Final = ("GHS", "KES", "NGN", "USD", "ZAR")
_PAGE: Final = 50
_MILLISECOND: Final = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


def envelope(
    http: int, message: str, data: object = None, *, status: bool = True, meta: object = None, **more: object
) -> Answer:
    """What every answer is wrapped in."""
    if status:
        body = {"status": True, "message": message, "data": data} | ({"meta": meta} if meta is not None else {})
    else:
        hint = {"nextStep": "Look at the request and try again"}
        body = {"status": False, "message": message, "meta": hint, "type": "validation_error", **more}
    return Answer(http, json.dumps(body).encode())


def json_object(body: bytes) -> dict[str, Any]:
    """The body of a request."""
    try:
        return object_in(json.loads(body))
    except (ValueError, RecursionError):
        raise Refused(Refusal.INVALID_BODY) from None


def object_in(read: object) -> dict[str, Any]:
    """A JSON object, and nothing else."""
    if not isinstance(read, dict):
        raise Refused(Refusal.INVALID_BODY)
    return cast("dict[str, Any]", read)


def wanted(asked: dict[str, Any]) -> dict[str, Any]:
    """What a payment is of; amounts are whole numbers of minor units and nothing else."""
    email, amount, currency = asked.get("email"), asked.get("amount"), asked.get("currency", "GHS")
    if not isinstance(email, str) or _EMAIL.fullmatch(email) is None:
        raise Refused(Refusal.INVALID_EMAIL)
    if not is_amount(amount):
        raise Refused(Refusal.INVALID_AMOUNT)
    if currency not in _CURRENCIES:
        raise Refused(Refusal.INVALID_CURRENCY)
    metadata = asked.get("metadata")
    return {
        "email": email,
        "amount": amount,
        "currency": currency,
        "metadata": "" if metadata is None else metadata,
        "label": str(asked.get("label") or ""),
    }


def is_amount(amount: object) -> bool:
    """Whether it is a whole number above zero; booleans are none."""
    return isinstance(amount, int) and not isinstance(amount, bool) and amount > 0


def number(text: str) -> int:
    """The number of a dispute."""
    if not text.isascii() or not text.isdigit():
        raise Refused(Refusal.UNKNOWN_DISPUTE)
    return int(text)


def between(at: int, asked: Mapping[str, Any]) -> bool:
    """Whether an instant lies in ``from`` to ``to``, both included; to the millisecond, as what is asked for."""
    since, until = (_micros(asked.get(name)) for name in ("from", "to"))
    begun = at - at % _MILLISECOND
    return (since is None or begun >= since) and (until is None or begun <= until)


def _micros(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        # A date is its beginning, and a time without a zone is in UTC.
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return to_micros(moment) // _MILLISECOND * _MILLISECOND
    except (ValueError, OverflowError):
        raise Refused(Refusal.INVALID_BODY) from None


def listed(message: str, rows: Sequence[dict[str, Any]], asked: Mapping[str, Any]) -> Answer:
    """One page: by number, or by cursor where ``use_cursor`` says so."""
    try:
        size = int(asked.get("perPage") or asked.get("per_page") or _PAGE)
        cursor = asked.get("next") or asked.get("previous")
        by_cursor = asked.get("use_cursor") == "true" or cursor is not None
        start = int(cursor or 0) if by_cursor else (int(asked.get("page") or 1) - 1) * size
    except ValueError:
        raise Refused(Refusal.INVALID_BODY) from None
    if size <= 0 or start < 0:
        raise Refused(Refusal.INVALID_BODY)
    meta: dict[str, object] = {"total": len(rows), "skipped": start, "perPage": size}
    if by_cursor:
        after, before = start + size, max(0, start - size)
        meta |= {"next": str(after) if after < len(rows) else None, "previous": str(before) if start else None}
    else:
        meta |= {"page": start // size + 1, "pageCount": -(-len(rows) // size)}
    return envelope(200, message, rows[start : start + size], meta=meta)


def reference_in(desk: Desk, asked: dict[str, Any]) -> str:
    """The reference that was given, or one of ours."""
    given = asked.get("reference")
    if given is None:
        return f"fake-{desk.payments.next_id()}"
    if not isinstance(given, str) or _REFERENCE.fullmatch(given) is None:
        raise Refused(Refusal.INVALID_REFERENCE)
    return given


def payment_of(desk: Desk, transaction: object) -> Payment:
    """A payment by its reference or its number."""
    for row in desk.payments.all():
        if str(transaction) == str(row.id):
            return desk.payment(row.reference)
    return desk.payment(str(transaction))
