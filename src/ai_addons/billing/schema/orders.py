"""Orders and how they are paid."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint

from ai_addons.billing.schema.columns import exact, string, table, where

purchases: Final = table(
    "ai_credit_purchases",
    string("business_id"),
    string("id"),
    string("user_id", null=True),
    string("kind"),
    string("pack", null=True),
    string("pack_version", null=True),
    exact("price_minor"),
    string("currency"),
    exact("credits"),
    exact("bonus", default=0),
    string("state"),
    string("key", null=True),
    string("request_hash"),
    string("gateway", null=True),
    string("method", null=True),
    string("email"),
    string("subscription_id", null=True),
    exact("period", null=True),
    exact("created_at"),
    exact("paid_at", null=True),
    string("paid_reference", null=True),
    exact("ended_at", null=True),
    string("receipt_number", null=True),
    PrimaryKeyConstraint("business_id", "id"),
    UniqueConstraint("business_id", "key", name="uq_purchase_once"),
    CheckConstraint("kind IN ('pack', 'custom', 'addon', 'addon_renewal')", name="ck_purchase_kind"),
    CheckConstraint("price_minor > 0 AND 0 <= bonus AND bonus < credits", name="ck_purchase_amount"),
    CheckConstraint(
        "state IN ('pending', 'failed', 'abandoned', 'quarantined', 'successful', 'partially_refunded', "
        "'refunded', 'disputed')",
        name="ck_purchase_state",
    ),
    CheckConstraint(
        "(paid_at IS NULL) = (state IN ('pending', 'failed', 'abandoned', 'quarantined')) "
        "AND (paid_at IS NULL) = (paid_reference IS NULL)",
        name="ck_purchase_paid",
    ),
    CheckConstraint(
        "(kind IN ('addon', 'addon_renewal')) = (subscription_id IS NOT NULL) "
        "AND (subscription_id IS NULL) = (period IS NULL)",
        name="ck_purchase_addon",
    ),
    Index("ix_purchase_pending", "created_at", "id", **where("state = 'pending'")),
    # What operators are shown of all businesses.
    Index("ix_purchase_created", "created_at"),
    # One month of an add-on is for sale once at a time.
    Index("uq_purchase_period", "business_id", "subscription_id", "period", unique=True, **where("state = 'pending'")),
)
"""Orders. Prices are minor units (pesewas); ``email`` is where the payer's receipts go, and empty once erased."""

payment_attempts: Final = table(
    "ai_payment_attempts",
    string("reference"),
    string("business_id"),
    string("order_id"),
    string("gateway"),
    string("method", null=True),
    string("state"),
    exact("amount_minor"),
    string("currency"),
    exact("live"),
    string("url", null=True),
    string("next_step", null=True),
    string("outcome", null=True),
    string("raw_status", null=True),
    string("reason", null=True),
    exact("fees_minor", null=True),
    exact("surplus_minor", default=0),
    exact("fx_rate", null=True),
    string("fx_date", null=True),
    string("fx_source", null=True),
    exact("created_at"),
    exact("checked_at", null=True),
    exact("asked_at", null=True),
    # A webhook names the reference alone, so it is the key.
    PrimaryKeyConstraint("reference"),
    CheckConstraint("state IN ('started', 'open', 'paid', 'failed', 'quarantined')", name="ck_attempt_state"),
    CheckConstraint("amount_minor > 0 AND surplus_minor >= 0", name="ck_attempt_amount"),
    Index("ix_attempt_order", "business_id", "order_id", "created_at"),
    Index("uq_attempt_paid", "business_id", "order_id", unique=True, **where("state = 'paid'")),
    Index("ix_attempt_created", "created_at"),
    Index("ix_attempt_unpaid", "created_at", "reference", **where("state IN ('started', 'open')")),
)
"""Attempts to pay an order, each under a reference that is a gateway's key too."""

gateway_events: Final = table(
    "ai_gateway_events",
    string("gateway"),
    string("key"),
    string("name"),
    string("topic", null=True),
    string("reference", null=True),
    string("body"),
    exact("received_at"),
    exact("seen", default=1),
    exact("tries", default=0),
    exact("next_at", null=True),
    exact("processed_at", null=True),
    string("error", null=True),
    PrimaryKeyConstraint("gateway", "key"),
    CheckConstraint("(next_at IS NULL) = (processed_at IS NOT NULL)", name="ck_gateway_event_due"),
    Index("ix_gateway_event_due", "next_at", "gateway", "key", **where("next_at IS NOT NULL")),
)
"""Webhooks whose signature held, as they came. The body may name the payer; it is dropped after a month."""

quarantine: Final = table(
    "ai_payment_quarantine",
    string("business_id"),
    string("id"),
    string("order_id"),
    string("reference"),
    string("reason"),
    exact("expected_minor"),
    string("expected_currency"),
    exact("paid_minor", null=True),
    string("paid_currency", null=True),
    exact("paid_live", null=True),
    exact("opened_at"),
    string("resolution", null=True),
    string("actor", null=True),
    string("note", null=True),
    exact("resolved_at", null=True),
    PrimaryKeyConstraint("business_id", "id"),
    UniqueConstraint("reference", name="uq_quarantine_once"),
    CheckConstraint("resolution IN ('released', 'refunded')", name="ck_quarantine_resolution"),
    CheckConstraint(
        "(resolution IS NULL) = (resolved_at IS NULL) AND (resolution IS NULL) = (actor IS NULL)",
        name="ck_quarantine_resolved",
    ),
    Index("ix_quarantine_open", "opened_at", "id", **where("resolved_at IS NULL")),
)
"""Payments that do not fit their order, until an operator has decided."""

saved_cards: Final = table(
    "ai_saved_cards",
    string("business_id"),
    string("id"),
    string("gateway"),
    string("code"),
    string("email"),
    string("brand"),
    string("last4"),
    string("expires"),
    exact("saved_at"),
    PrimaryKeyConstraint("business_id", "id"),
    UniqueConstraint("business_id", "gateway", "code", name="uq_card_once"),
)
"""Cards that may be charged again. ``code`` is the gateway's name of the authorisation and is kept as it came, not
encrypted: it is worth something only together with the gateway's secret key, which is never in this database."""

top_ups: Final = table(
    "ai_top_ups",
    string("business_id"),
    string("pack"),
    exact("threshold"),
    exact("most_price_minor"),
    string("currency"),
    exact("most_per_day"),
    exact("most_per_month"),
    exact("cool_down"),
    exact("most_failures"),
    exact("enabled"),
    string("card_id", null=True),
    string("actor"),
    exact("set_at"),
    PrimaryKeyConstraint("business_id"),
    CheckConstraint("threshold > 0 AND most_price_minor > 0", name="ck_top_up_amount"),
    CheckConstraint("most_per_day > 0 AND most_per_month > 0 AND most_failures > 0", name="ck_top_up_most"),
    CheckConstraint("cool_down >= 0 AND enabled IN (0, 1)", name="ck_top_up_rule"),
)
"""What owners agreed that a saved card buys by itself; its orders have keys that begin with ``auto-top-up:``."""
