"""What rows of the database mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ai_addons.billing.grants import Grant
from ai_addons.billing.ledger import LedgerEntry
from ai_addons.billing.records import CallIdentity, Hold, Tokens, Transaction
from ai_addons.money import Credits, MicroGhs, PicoUsd

if TYPE_CHECKING:
    from ai_addons.billing.sql import Row


def read_grant(row: Row) -> Grant:
    """A grant from its row."""
    return Grant(
        id=row.id,
        source=row.source,
        ref=row.source_ref,
        amount=Credits.from_micro(row.amount),
        remaining=Credits.from_micro(row.remaining),
        held=Credits.from_micro(row.held),
        priority=row.priority,
        unit_price=row.unit_price,
        effective_at=row.effective_at,
        expires_at=row.expires_at,
    )


def read_hold(row: Row) -> Hold:
    """A hold from its row."""
    call = CallIdentity(
        business=row.business_id,
        user=row.user_id,
        id=row.id,
        feature=row.feature,
        request_hash=row.request_hash,
        keyed=False,
    )
    return Hold(call=call, attempt=row.attempt, amount=Credits.from_micro(row.amount), expires_at=row.expires_at)


def read_entry(row: Row) -> LedgerEntry:
    """A ledger entry from its row."""
    return LedgerEntry(
        business=row.business_id,
        seq=row.seq,
        kind=row.kind,
        debit=row.debit,
        credit=row.credit,
        amount=Credits.from_micro(row.amount),
        ref=row.ref,
        balance_after=Credits.from_micro(row.balance_after),
        effective_at=row.effective_at,
        booked_at=row.booked_at,
        hash=row.hash,
    )


def read_transaction(row: Row) -> Transaction:
    """A line of the call log from its row."""
    return Transaction(
        business=row.business_id,
        id=row.id,
        attempt=row.attempt,
        at=row.at,
        feature=row.feature,
        user=row.user_id,
        outcome=row.outcome,
        error_code=row.error_code,
        charged=Credits.from_micro(row.charged),
        source=row.source,
        model=row.model,
        tokens=_read_tokens(row),
        cost=None if row.cost_pico_usd is None else PicoUsd(row.cost_pico_usd),
        cost_ghs=None if row.cost_micro_ghs is None else MicroGhs(row.cost_micro_ghs),
        latency_ms=row.latency_ms,
        request_meta=json.loads(row.request_meta),
        response_meta=json.loads(row.response_meta),
    )


def _read_tokens(row: Row) -> Tokens | None:
    if row.input_tokens is None:
        return None
    return Tokens(
        input=row.input_tokens,
        cached=row.cached_tokens,
        cache_write=row.cache_write_tokens,
        output=row.output_tokens,
        reasoning=row.reasoning_tokens,
    )
