"""What operators watch and set: limits, spending, messages, the audit."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint

from ai_addons.billing.schema.columns import exact, string, table, where

limits: Final = table(
    "ai_limits",
    string("business_id"),
    string("scope"),
    string("key"),
    string("per"),
    exact("amount"),
    string("actor"),
    exact("set_at"),
    PrimaryKeyConstraint("business_id", "scope", "key", "per"),
    CheckConstraint("amount >= 0", name="ck_limit_amount"),
)
"""Limits set at run time, the kill switch (per ``paused``) among them; an empty business or key means each."""

limit_counters: Final = table(
    "ai_limit_counters",
    string("business_id"),
    string("scope"),
    string("key"),
    string("per"),
    exact("starts_at"),
    exact("used", default=0),
    exact("held", default=0),
    PrimaryKeyConstraint("business_id", "scope", "key", "per", "starts_at"),
    CheckConstraint("used >= 0 AND held >= 0", name="ck_counter_amount"),
)

provider_spend: Final = table(
    "ai_provider_spend",
    string("per"),
    exact("starts_at"),
    exact("stripe"),
    exact("held", default=0),
    exact("used", default=0),
    exact("warned", default=-1),
    exact("stopped", default=-1),
    PrimaryKeyConstraint("per", "starts_at", "stripe"),
)
"""What models cost in each day and month, pico-USD, shared out over several rows so that calls need not queue."""

outbox: Final = table(
    "ai_outbox",
    string("id"),
    string("business_id"),
    string("topic"),
    string("dedupe_key"),
    string("facts"),
    exact("at"),
    exact("attempts", default=0),
    exact("next_at"),
    exact("sent_at", null=True),
    string("last_error", null=True),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("business_id", "dedupe_key", name="uq_outbox_once"),
    Index("ix_outbox_unsent", "next_at", "id", **where("sent_at IS NULL")),
)

audit: Final = table(
    "ai_audit",
    string("id"),
    exact("at"),
    string("actor"),
    string("action"),
    string("business_id"),
    string("detail"),
    PrimaryKeyConstraint("id"),
    Index("ix_audit_business", "business_id", "at"),
)
"""What operators did and why; an empty business for what concerns all."""
