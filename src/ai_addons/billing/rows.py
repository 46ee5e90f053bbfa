"""What rows of the database mean."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

from ai_addons.billing.grants import Grant
from ai_addons.billing.ledger import LedgerEntry
from ai_addons.billing.policy import AddonPlan, Give, Subscription
from ai_addons.billing.records import Rate, Tokens, Transaction
from ai_addons.money import Credits, MicroGhs, Money, PicoUsd

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
        paid=row.paid,
        effective_at=row.effective_at,
        expires_at=row.expires_at,
        features=read_features(row.features),
        voided_at=row.voided_at,
    )


def read_planned(row: Row) -> Give:
    """A grant dated in the future, from its row."""
    return Give(
        source=row.source,
        ref=row.source_ref,
        amount=Credits.from_micro(row.amount),
        expires_at=row.expires_at,
        paid=row.paid,
        features=read_features(row.features),
        priority=row.priority,
    )


def read_features(text: str | None) -> tuple[str, ...] | None:
    """The features a grant pays for, None for all."""
    return None if text is None else tuple(json.loads(text))


def features_text(features: tuple[str, ...] | None) -> str | None:
    """A grant's features as the database keeps them."""
    return None if features is None else json.dumps(list(features))


def grant_values(grant: Grant) -> dict[str, object]:
    """A grant's columns, without its key."""
    return {
        "source": grant.source,
        "source_ref": grant.ref,
        "amount": grant.amount.micro,
        "remaining": grant.remaining.micro,
        "held": grant.held.micro,
        "priority": grant.priority,
        "paid": grant.paid,
        "effective_at": grant.effective_at,
        "expires_at": grant.expires_at,
        "features": features_text(grant.features),
        "voided_at": grant.voided_at,
    }


def read_subscription(row: Row) -> Subscription:
    """A monthly add-on from its row."""
    plan = AddonPlan(
        price=Money.from_minor(row.price_minor, row.currency),
        credits=Credits.from_micro(row.credits),
        rollover_cap=Credits.from_micro(row.rollover_cap),
        grace_us=row.grace_us,
    )
    return Subscription(
        id=row.id,
        business=row.business_id,
        plan=plan,
        state=row.state,
        tz=row.tz,
        anchor_at=row.anchor_at,
        first=row.first,
        period=row.period,
        paid_through=row.paid_through,
        carried=Credits.from_micro(row.carried),
        waiting=Credits.from_micro(row.waiting),
        waiting_paid=row.waiting_paid,
        reminded=row.reminded,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def subscription_values(subscription: Subscription) -> dict[str, object]:
    """A monthly add-on's row."""
    plan = subscription.plan
    return {
        "business_id": subscription.business,
        "id": subscription.id,
        "price_minor": plan.price.minor,
        "currency": plan.price.currency,
        "credits": plan.credits.micro,
        "rollover_cap": plan.rollover_cap.micro,
        "grace_us": plan.grace_us,
        "state": subscription.state,
        "tz": subscription.tz,
        "anchor_at": subscription.anchor_at,
        "first": subscription.first,
        "period": subscription.period,
        "paid_through": subscription.paid_through,
        "carried": subscription.carried.micro,
        "waiting": subscription.waiting.micro,
        "waiting_paid": subscription.waiting_paid,
        "reminded": subscription.reminded,
        "created_at": subscription.created_at,
        "ended_at": subscription.ended_at,
    }


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
        rate=Rate(
            scaled=row.fx_rate, day=date.fromisoformat(row.fx_date), source=row.fx_source, stale=bool(row.fx_stale)
        ),
        latency_ms=row.latency_ms,
        request_meta=json.loads(row.request_meta),
        response_meta=json.loads(row.response_meta),
        day=row.day,
        revenue=MicroGhs(row.revenue_micro_ghs),
        price_version=row.price_version,
        cacheable=bool(row.cacheable),
        saved=PicoUsd(row.saved_pico_usd),
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
