"""Credits that come without an order: trials, planned grants, monthly add-ons."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint

from ai_addons.billing.schema.columns import exact, string, table, where

trial_claims: Final = table(
    "ai_trial_claims",
    string("key_hmac"),
    string("kind"),
    exact("claimed_at"),
    exact("key_version", default=1),
    PrimaryKeyConstraint("key_hmac"),
)
"""Who had a trial, as keyed hashes only; no reference to the business, so it outlives it."""

planned_grants: Final = table(
    "ai_planned_grants",
    string("business_id"),
    string("source"),
    string("source_ref"),
    exact("amount"),
    exact("priority"),
    exact("paid", default=0),
    exact("effective_at"),
    exact("expires_at", null=True),
    string("features", null=True),
    PrimaryKeyConstraint("business_id", "source", "source_ref"),
    CheckConstraint("amount > 0 AND paid >= 0", name="ck_planned_amount"),
)
"""Grants dated in the future: they enter the wallet when they may pay, or the gate would count what cannot pay."""

subscriptions: Final = table(
    "ai_monthly_addons",
    string("business_id"),
    string("id"),
    exact("price_minor"),
    string("currency"),
    exact("credits"),
    exact("rollover_cap"),
    exact("grace_us"),
    string("state"),
    string("tz"),
    exact("anchor_at"),
    exact("first"),
    exact("period"),
    exact("paid_through"),
    exact("carried", default=0),
    exact("waiting", default=0),
    exact("waiting_paid", default=0),
    exact("reminded", default=0),
    exact("created_at"),
    exact("ended_at", null=True),
    PrimaryKeyConstraint("business_id", "id"),
    CheckConstraint("0 <= waiting AND waiting <= carried AND carried <= rollover_cap", name="ck_addon_carry"),
    CheckConstraint("state IN ('incomplete', 'active', 'past_due', 'cancel_at_end', 'ended')", name="ck_addon_state"),
    Index("uq_addon_open", "business_id", unique=True, **where("state <> 'ended'")),
)
