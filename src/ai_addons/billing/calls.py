"""One call in the books: its hold, its line in the call log, its kept answers, and what its key gave before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.records import CallIdentity, CallRecord, Finished, Hold
from ai_addons.billing.sql import statements as sql
from ai_addons.errors import BillingError, IdempotencyConflict
from ai_addons.money import Credits, MicroGhs, to_micro_ghs

if TYPE_CHECKING:
    from typing import Literal

    from ai_addons.billing.records import Outcome, Rate
    from ai_addons.billing.sql import Connection, Row

ORPHAN: Final = CallRecord(outcome="unknown", source="ai", error_code="hold_expired")
"""How a call is booked whose hold nobody resolved: it may have cost us something, it cost the business nothing."""


@dataclass(frozen=True, slots=True)
class Past:
    """What happened under a key before.

    Attributes:
        finished: What the call gave, None if it never succeeded.
        in_progress: Whether an attempt is still open.
        attempts: Highest number an attempt had, None if there was none.
    """

    finished: Finished | None = None
    in_progress: bool = False
    attempts: int | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """How a hold ended: its state, and the outcome and price in the call log."""

    state: Literal["captured", "void", "expired"]
    outcome: Outcome
    charged: Credits


def look_up(tx: Connection, call: CallIdentity, now: int) -> Past:
    """What the books know under a call's key; nothing for an id nobody chose.

    Raises:
        IdempotencyConflict: If the key was used for another request.
    """
    if not call.keyed:
        return Past()
    key = {"business": call.business, "key": call.id}
    attempts = tx.execute(sql.HOLDS_UNDER_KEY, key).all()
    rows = tx.execute(sql.ROWS_UNDER_KEY, key).all()
    if {row.request_hash for row in (*attempts, *rows)} - {call.request_hash}:
        raise IdempotencyConflict
    return Past(
        finished=_finished(tx, key, [row for row in rows if row.outcome == "ok"], now),
        in_progress=any(row.state == "open" for row in attempts),
        attempts=max((row.attempt for row in (*attempts, *rows)), default=None),
    )


def _finished(tx: Connection, key: dict[str, str], done: list[Row], now: int) -> Finished | None:
    if not done:
        return None
    # After a late answer there may be two; the one that was paid for is the one to tell of.
    paid = max(done, key=lambda row: row.charged)
    answers = tx.execute(sql.ANSWERS, key | {"now": now}).scalar_one_or_none()
    return Finished(charged=Credits.from_micro(paid.charged), answers=answers, model=paid.model)


def newer_attempt(tx: Connection, hold: Hold) -> bool:
    """Whether the key of a hold was tried again after it."""
    rows = tx.execute(sql.HOLDS_UNDER_KEY, {"business": hold.call.business, "key": hold.call.id})
    return any(row.attempt > hold.attempt for row in rows)


def open_hold(tx: Connection, hold: Hold, now: int) -> None:
    """Write an open hold."""
    tx.execute(
        sql.ADD_HOLD,
        {
            "business_id": hold.call.business,
            "id": hold.call.id,
            "attempt": hold.attempt,
            "amount": hold.amount.micro,
            "feature": hold.call.feature,
            "user_id": hold.call.user,
            "state": "open",
            "request_hash": hold.call.request_hash,
            "created_at": now,
            "expires_at": hold.expires_at,
        },
    )


def close_hold(
    tx: Connection, hold: Hold, state: Literal["captured", "void", "expired"], captured: Credits, now: int
) -> bool:
    """Move a hold out of ``open``, once; False if somebody did before."""
    values = {"state": state, "captured": captured.micro, "closed_at": now}
    return tx.execute(sql.CLOSE_HOLD, _named(hold) | values).rowcount == 1


def closed(tx: Connection, hold: Hold) -> Closed:
    """How a hold that is no longer open ended.

    Raises:
        BillingError: If this store never gave out such a hold.
    """
    row = tx.execute(sql.HOLD, _named(hold)).one_or_none()
    if row is None:
        msg = "This store knows no such hold. Nothing was charged. Was the call made on another store?"
        raise BillingError(msg)
    return Closed(row.state, row.outcome, Credits.from_micro(row.charged))


def _named(hold: Hold) -> dict[str, Any]:
    return {
        "business": hold.call.business,
        "key": hold.call.id,
        "number": hold.attempt,
        "agreed": hold.amount.micro,
    }


def cost_ghs(record: CallRecord, rate: Rate) -> MicroGhs | None:
    """The provider cost in cedis, None while it is unknown."""
    return None if record.cost is None else to_micro_ghs(record.cost, rate.scaled)


def write_row(
    tx: Connection, call: CallIdentity, attempt: int, record: CallRecord, charged: Credits, rate: Rate, now: int
) -> None:
    """Write the call's line in the log and keep its answers where a replay may come."""
    named = {
        "business_id": call.business,
        "id": call.id,
        "attempt": attempt,
        "feature": call.feature,
        "user_id": call.user,
        "request_hash": call.request_hash,
    }
    tx.execute(sql.ADD_ROW, named | _outcome(record, charged, rate, now))
    _keep_answers(tx, call, record, now)


def settle_unknown(tx: Connection, hold: Hold, record: CallRecord, charged: Credits, rate: Rate, now: int) -> None:
    """Replace the ``unknown`` line of an expired hold by what came of it after all."""
    named = {"business": hold.call.business, "key": hold.call.id, "number": hold.attempt}
    tx.execute(sql.SETTLE_ROW, named | _outcome(record, charged, rate, now))
    _keep_answers(tx, hold.call, record, now)


def _keep_answers(tx: Connection, call: CallIdentity, record: CallRecord, now: int) -> None:
    if call.keyed and record.answers is not None and record.keep_for > 0:
        kept = {"answers": record.answers, "expires_at": now + record.keep_for}
        tx.execute(sql.KEEP_ANSWERS, {"business_id": call.business, "id": call.id} | kept)


def _outcome(record: CallRecord, charged: Credits, rate: Rate, now: int) -> dict[str, Any]:
    tokens = record.tokens
    return {
        "at": now,
        "outcome": record.outcome,
        "error_code": record.error_code,
        "charged": charged.micro,
        "source": record.source,
        "model": record.model,
        "prompt_version": record.prompt_version,
        "input_tokens": tokens and tokens.input,
        "cached_tokens": tokens and tokens.cached,
        "cache_write_tokens": tokens and tokens.cache_write,
        "output_tokens": tokens and tokens.output,
        "reasoning_tokens": tokens and tokens.reasoning,
        "cost_pico_usd": record.cost,
        "cost_micro_ghs": cost_ghs(record, rate),
        "fx_rate": rate.scaled,
        "fx_date": rate.day.isoformat(),
        "fx_source": rate.source,
        "latency_ms": record.latency_ms,
        "request_meta": json.dumps(dict(record.request_meta), sort_keys=True),
        "response_meta": json.dumps(dict(record.response_meta), sort_keys=True),
    }
