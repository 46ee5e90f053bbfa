"""Money that goes back: refunds, disputes, and the credits taken back for them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint

from ai_addons.billing.schema.columns import exact, string, table, where

refunds: Final = table(
    "ai_refunds",
    string("business_id"),
    string("order_id"),
    string("id"),
    string("gateway_id", null=True),
    exact("amount_minor"),
    string("currency"),
    string("state"),
    string("dispute_id", null=True),
    exact("created_at"),
    exact("changed_at"),
    PrimaryKeyConstraint("business_id", "order_id", "id"),
    CheckConstraint("amount_minor > 0", name="ck_refund_amount"),
    CheckConstraint("state IN ('asked', 'pending', 'needs_attention', 'done', 'failed')", name="ck_refund_state"),
    Index("uq_refund_once", "business_id", "order_id", "gateway_id", unique=True, **where("gateway_id IS NOT NULL")),
)
"""Money on its way back to the payer, as the gateway told it last."""

disputes: Final = table(
    "ai_disputes",
    string("business_id"),
    string("order_id"),
    string("id"),
    exact("amount_minor"),
    string("currency"),
    string("state"),
    exact("due_at", null=True),
    exact("created_at"),
    exact("changed_at"),
    PrimaryKeyConstraint("business_id", "order_id", "id"),
    CheckConstraint("amount_minor >= 0", name="ck_dispute_amount"),
    CheckConstraint("state IN ('open', 'won', 'lost')", name="ck_dispute_state"),
)
"""Payments that the payer's bank contests, as the gateway told it last."""

clawbacks: Final = table(
    "ai_clawbacks",
    string("business_id"),
    string("order_id"),
    string("policy"),
    exact("paid_minor"),
    string("currency"),
    exact("reversed_minor"),
    exact("at_risk_minor"),
    exact("credits"),
    exact("bonus"),
    exact("taken"),
    exact("bonus_taken"),
    exact("frozen"),
    exact("bonus_frozen"),
    exact("lapsed"),
    exact("repaid"),
    exact("written_off"),
    exact("owed"),
    exact("forgiven"),
    exact("owed_at"),
    exact("suspended"),
    exact("wanting"),
    string("month", null=True),
    PrimaryKeyConstraint("business_id", "order_id"),
    CheckConstraint("0 <= reversed_minor AND reversed_minor <= at_risk_minor", name="ck_clawback_reversed"),
    CheckConstraint("at_risk_minor <= paid_minor", name="ck_clawback_at_risk"),
    CheckConstraint("0 <= taken AND 0 <= frozen AND taken + frozen <= credits", name="ck_clawback_credits"),
    CheckConstraint("0 <= bonus_taken AND 0 <= bonus_frozen", name="ck_clawback_bonus_amount"),
    CheckConstraint("bonus_taken + bonus_frozen <= bonus", name="ck_clawback_bonus"),
    CheckConstraint("lapsed >= 0 AND repaid >= 0", name="ck_clawback_otherwise"),
    CheckConstraint("written_off >= 0 AND owed >= 0 AND forgiven >= 0", name="ck_clawback_shortfall"),
    CheckConstraint("policy IN ('clamp', 'debt', 'suspend')", name="ck_clawback_policy"),
    Index("ix_clawback_wanting", "business_id", **where("wanting = 1")),
)
"""What an order's refunds and disputes took back so far, froze, and could not take; one row per such order."""
