"""One call in the books: its hold, its line in the call log, its kept answers, and what its key gave before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ai_addons.billing import quota, spending
from ai_addons.billing.months import day_of
from ai_addons.billing.records import CallIdentity, CallRecord, Finished, Hold
from ai_addons.billing.sql import statements as sql
from ai_addons.errors import BillingError, IdempotencyConflict
from ai_addons.events import HoldTimedOut
from ai_addons.money import Credits, MicroGhs, PicoUsd, to_micro_ghs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.records import Rate
    from ai_addons.billing.spending import Pinned, Purse
    from ai_addons.billing.sql import Row, Tx
    from ai_addons.billing.sql.tx import Query
    from ai_addons.billing.wallet import LockedWallet

Ending: TypeAlias = Literal["captured", "void", "expired"]

ORPHAN: Final = CallRecord(outcome="unknown", source="ai", error_code="hold_expired")
"""How a call is booked whose hold nobody resolved: it may have cost us something, it cost the business nothing."""

_NOTHING: Final = Credits(0)
_sorted: Final = json.JSONEncoder(sort_keys=True).encode


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
class Logged:
    """What a line of the call log is about: which call, in which zone, at what price, within which budget."""

    call: CallIdentity
    attempt: int
    tz: str
    pinned: Pinned | None
    price_version: str | None = None


def past_queries(call: CallIdentity) -> tuple[Query, ...]:
    """What to ask to know what happened under a call's key; nothing for an id nobody chose."""
    if not call.keyed:
        return ()
    key = {"business": call.business, "key": call.id}
    return ((sql.HOLDS_UNDER_KEY, key), (sql.ROWS_UNDER_KEY, key))


def read_past(tx: Tx, call: CallIdentity, found: Sequence[list[Row]], now: int) -> Past:
    """What the books know under a call's key.

    Args:
        tx: The transaction.
        call: The call.
        found: What `past_queries` found.
        now: UTC microseconds.

    Raises:
        IdempotencyConflict: If the key was used for another request.
    """
    if not call.keyed:
        return Past()
    attempts, rows = found[:2]
    if {row.request_hash for row in (*attempts, *rows)} - {call.request_hash}:
        raise IdempotencyConflict
    return Past(
        finished=_finished(tx, call, [row for row in rows if row.outcome == "ok"], now),
        in_progress=any(row.state == "open" for row in attempts),
        attempts=max((row.attempt for row in (*attempts, *rows)), default=None),
    )


def _finished(tx: Tx, call: CallIdentity, done: list[Row], now: int) -> Finished | None:
    if not done:
        return None
    # After a late answer there may be two; the one that was paid for is the one to tell of.
    paid = max(done, key=lambda row: int(row.charged))
    kept = tx.one(sql.ANSWERS, {"business": call.business, "key": call.id, "now": now})
    answers = None if kept is None else kept.answers
    return Finished(charged=Credits.from_micro(paid.charged), answers=answers, model=paid.model)


def open_hold(
    wallet: LockedWallet, hold: Hold, *, price_version: str | None, counters: str | None, pinned: Pinned | None
) -> None:
    """Write an open hold, and count what its call may cost."""
    spending.pin(wallet.tx, hold.call.business, pinned)
    wallet.tx.write(
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
            "created_at": wallet.now,
            "expires_at": hold.expires_at,
            "price_version": price_version,
            "counters": counters,
            "cost_bound": None if pinned is None else pinned.bound,
        },
    )


def hold_query(hold: Hold) -> Query:
    """What to ask to resolve a hold: its row with its line in the log, once for each grant that it took from."""
    return (sql.HOLD, {"business": hold.call.business, "key": hold.call.id, "number": hold.attempt})


def the_hold(hold: Hold, found: Sequence[list[Row]]) -> tuple[Row, list[Row]]:
    """A hold's row, and what it took from which grant.

    Raises:
        BillingError: If this store never gave out such a hold.
    """
    rows = found[0]
    if rows and rows[0].amount == hold.amount.micro:
        return rows[0], rows
    msg = "This store knows no such hold. Nothing was charged. Was the call made on another store?"
    raise BillingError(msg)


def close_hold(wallet: LockedWallet, row: Row, ending: Ending, used: Credits) -> None:
    """Move an open hold to its end; the wallet's lock makes sure that this happens once."""
    key = {"business": wallet.business, "key": row.id, "number": row.attempt}
    captured = min(used.micro, row.amount)
    wallet.tx.write(sql.CLOSE_HOLD, key | {"state": ending, "captured": captured, "closed_at": wallet.now})
    if row.counters is not None:
        quota.resolve(wallet.tx, row.counters, Credits.from_micro(row.amount), used)


def expire_hold(books: Books, wallet: LockedWallet, row: Row) -> None:
    """Give back what a hold pins whose time is over, as of that time."""
    (shares,) = wallet.tx.gather(
        (sql.SHARES, {"business": wallet.business, "key": row.id, "number": row.attempt}),
    )
    close_hold(wallet, row, "expired", _NOTHING)
    wallet.unpin(row.id, row.attempt, shares, _NOTHING)
    line = logged(row, wallet.tz, books.terms.purse)
    write_row(wallet.tx, line, ORPHAN, ORPHAN.latency_ms, _NOTHING, 0, books.terms.rate(wallet.now), row.expires_at)
    wallet.note(HoldTimedOut(call_id=row.id, feature=row.feature, amount=Credits.from_micro(row.amount)))


def logged(row: Row, tz: str, purse: Purse) -> Logged:
    """What the line of a hold's call is about, from the hold's row."""
    call = CallIdentity(
        business=row.business_id,
        user=row.user_id,
        id=row.id,
        feature=row.feature,
        request_hash=row.request_hash,
        keyed=False,
    )
    return Logged(call, row.attempt, tz, purse.pinned(row.cost_bound, row.created_at), row.price_version)


def cost_ghs(record: CallRecord, rate: Rate) -> MicroGhs | None:
    """The provider cost in cedis, None while it is unknown."""
    return None if record.cost is None else to_micro_ghs(record.cost, rate.scaled)


def write_row(  # what a line of the log says, each once
    tx: Tx,
    of: Logged,
    record: CallRecord,
    latency_ms: int | None,
    charged: Credits,
    revenue: int,
    rate: Rate,
    at: int,
) -> None:
    """Write a call's line in the log, add it to its day, and count what it cost."""
    spending.settle(tx, of.call.business, of.pinned, _counted(record))
    values = {
        "business_id": of.call.business,
        "id": of.call.id,
        "attempt": of.attempt,
        "feature": of.call.feature,
        "user_id": of.call.user,
        "request_hash": of.call.request_hash,
        "at": at,
        "day": day_of(at, of.tz).isoformat(),
        "price_version": of.price_version,
        **_outcome(record, latency_ms, charged, revenue, rate),
    }
    tx.write(sql.ADD_ROW, values)
    tx.write(sql.ADD_USAGE, _sum_key(values) | sums(values))


def uncharge_row(tx: Tx, row: Row) -> None:
    """Charge nothing any more for a line of the log, and take it out of its day."""
    changes = {"charged": 0, "revenue_micro_ghs": 0}
    tx.write(sql.UNCHARGE_ROW, {"business": row.business_id, "key": row.id, "number": row.attempt, **changes})
    _change_day(tx, row, changes)


def _change_day(tx: Tx, row: Row, changes: Mapping[str, object]) -> None:
    """Change a line's day by what changes in the line, which keeps its time."""
    before: dict[str, Any] = {name: getattr(row, name) for name in _SUMMED}
    after = {**before, **{name: value for name, value in changes.items() if name in before}}
    old, new = sums(before), sums(after)
    key = {"business_id": row.business_id, "day": row.day, "feature": row.feature}
    tx.write(sql.ADD_USAGE, key | {name: new[name] - old[name] for name in new})


def end_unknown(
    books: Books, wallet: LockedWallet, row: Row, record: CallRecord, charged: Credits, revenue: int
) -> None:
    """Replace the ``unknown`` line of an expired hold by what came of it after all."""
    terms, tx = books.terms, wallet.tx
    spending.correct(tx, row.business_id, terms.purse.pinned(row.cost_bound, row.created_at), _counted(record))
    (line,) = tx.rows(sql.ROW, {"business": row.business_id, "key": row.id, "number": row.attempt})
    changes = _outcome(record, books.latency_ms(record), charged, revenue, terms.rate(wallet.now))
    tx.write(sql.SAVE_ROW, {"business": row.business_id, "key": row.id, "number": row.attempt, **changes})
    _change_day(tx, line, changes)


def keep_answers(tx: Tx, call: CallIdentity, record: CallRecord, now: int) -> None:
    """Keep the masked answers of a call where a replay may come."""
    if call.keyed and record.answers is not None and record.keep_for > 0:
        kept = {"answers": record.answers, "expires_at": now + record.keep_for}
        tx.write(sql.KEEP_ANSWERS, {"business_id": call.business, "id": call.id} | kept)


_SUMMED: Final = (
    "outcome",
    "source",
    "charged",
    "revenue_micro_ghs",
    "cost_pico_usd",
    "cost_micro_ghs",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "latency_ms",
    "cacheable",
    "saved_pico_usd",
)


def _counted(record: CallRecord) -> PicoUsd | None:
    """What a call counts with in the provider budget; None where only its bound is known."""
    return record.at_most if record.cost is None else record.cost


def _sum_key(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("business_id", "day", "feature")}


def sums(values: Mapping[str, Any]) -> dict[str, int]:
    """What a line of the log adds to its day; the doctor's query adds up the same."""
    outcome = values["outcome"]
    return {
        "calls": 1,
        "ok": int(outcome == "ok"),
        "failed": int(outcome == "failed"),
        "unknown": int(outcome == "unknown"),
        # A stale answer that had to do is no hit.
        "cached": int(values["source"] == "cache" and outcome == "ok"),
        "charged": values["charged"],
        "revenue_micro_ghs": values["revenue_micro_ghs"],
        "cost_pico_usd": values["cost_pico_usd"] or 0,
        "cost_micro_ghs": values["cost_micro_ghs"] or 0,
        "unpriced": int(values["cost_pico_usd"] is None),
        "input_tokens": values["input_tokens"] or 0,
        "cached_tokens": values["cached_tokens"] or 0,
        "output_tokens": values["output_tokens"] or 0,
        "latency_ms": values["latency_ms"] or 0,
        "timed": int(values["latency_ms"] is not None),
        "cacheable": values["cacheable"],
        "saved_pico_usd": values["saved_pico_usd"],
    }


def _outcome(record: CallRecord, latency_ms: int | None, charged: Credits, revenue: int, rate: Rate) -> dict[str, Any]:
    tokens = record.tokens
    return {
        "outcome": record.outcome,
        "error_code": record.error_code,
        "charged": charged.micro,
        "revenue_micro_ghs": revenue,
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
        "fx_stale": int(rate.stale),
        "latency_ms": latency_ms,
        "cacheable": int(record.cacheable),
        "saved_pico_usd": record.saved,
        "request_meta": _sorted(dict(record.request_meta)),
        "response_meta": _sorted(dict(record.response_meta)),
    }
