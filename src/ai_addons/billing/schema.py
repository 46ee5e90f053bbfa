"""The tables, with the rules the database itself keeps.

Amounts are whole micro-credits, micro-GHS or pico-USD; times are UTC
microseconds; ids are time-ordered UUIDs or the caller's own keys. On SQLite
every table is STRICT, because an ordinary column there turns a decimal into an
8-byte float without a word. ``business_id`` leads every key and no foreign key
leaves the schema, so the same tables can be distributed by business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem
    from sqlalchemy.types import TypeEngine

metadata: Final = MetaData()

HEAD: Final = "0013"
"""The version of these tables; `ai_addons.billing.migrations` leads here from every earlier one."""

VERSION_TABLE: Final = "ai_schema_version"

FOR_FIRST_RELEASE: Final = 2
"""What the first release finds for a version: more than the 1 it knows."""

# Ids are compared and sorted as bytes on both databases, whatever language the server speaks.
TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
"""A whole number of 64 bits. `ai_addons.billing.sql.tx` refuses anything else before it reaches the driver."""


def _exact(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    server = None if default is None else text(str(default))
    return Column(name, EXACT, nullable=null, server_default=server)


def _text(name: str, *, null: bool = False, default: str | None = None) -> Column[str]:
    server = None if default is None else text(f"'{default}'")
    return Column(name, TEXT, nullable=null, server_default=server)


def _table(name: str, *items: SchemaItem) -> Table:
    return Table(name, metadata, *items, sqlite_strict=True)


def _where(condition: str) -> dict[str, Any]:
    """A partial index, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


first_version: Final = _table("ai_schema", _exact("version"), PrimaryKeyConstraint("version"))
"""Where the first release looks for a version, so that it refuses tables newer than itself."""

wallets: Final = _table(
    "business_ai_credits",
    _text("business_id"),
    _exact("posted", default=0),
    _exact("held", default=0),
    _exact("lifetime_in", default=0),
    _exact("lifetime_used", default=0),
    _exact("next_due_at", null=True),
    _exact("seq", default=0),
    _text("chain_head"),
    _exact("booked_at", default=0),
    _text("status"),
    _text("policy", null=True),
    _text("tz", default="Africa/Accra"),
    _exact("anchor_at", default=0),
    _exact("period", default=-1),
    _exact("alert_armed", default=0),
    _exact("alert_fired_at", null=True),
    _exact("claims", default=0),
    PrimaryKeyConstraint("business_id"),
    CheckConstraint("0 <= held AND held <= posted", name="ck_wallet_never_overdrawn"),
    CheckConstraint("status IN ('active', 'suspended', 'closed')", name="ck_wallet_status"),
    Index("ix_wallet_due", "next_due_at", **_where("next_due_at IS NOT NULL")),
)

grants: Final = _table(
    "ai_credit_grants",
    _text("business_id"),
    _text("id"),
    _text("source"),
    _text("source_ref"),
    _exact("amount"),
    _exact("remaining"),
    _exact("held", default=0),
    _exact("priority"),
    _exact("effective_at"),
    _exact("expires_at", null=True),
    _exact("paid", default=0),
    _text("features", null=True),
    _exact("voided_at", null=True),
    PrimaryKeyConstraint("business_id", "id"),
    UniqueConstraint("business_id", "source", "source_ref", name="uq_grant_once"),
    CheckConstraint("amount > 0 AND paid >= 0", name="ck_grant_amount"),
    CheckConstraint("0 <= held AND held <= remaining AND remaining <= amount", name="ck_grant_never_overdrawn"),
    Index("ix_grant_burn", "business_id", "expires_at", "priority", "id", **_where("remaining > 0")),
)

holds: Final = _table(
    "ai_credit_holds",
    _text("business_id"),
    _text("id"),
    _exact("attempt"),
    _exact("amount"),
    _exact("captured", default=0),
    _text("feature"),
    _text("user_id", null=True),
    _text("state"),
    _text("request_hash"),
    _exact("created_at"),
    _exact("expires_at"),
    _exact("closed_at", null=True),
    _text("price_version", null=True),
    _text("counters", null=True),
    _exact("cost_bound", null=True),
    PrimaryKeyConstraint("business_id", "id", "attempt"),
    CheckConstraint("amount > 0 AND attempt > 0", name="ck_hold_amount"),
    CheckConstraint("0 <= captured AND captured <= amount", name="ck_hold_captured"),
    CheckConstraint("state IN ('open', 'captured', 'void', 'expired')", name="ck_hold_state"),
    Index("ix_hold_open", "business_id", "expires_at", **_where("state = 'open'")),
)

allocations: Final = _table(
    "ai_hold_allocations",
    _text("business_id"),
    _text("hold_id"),
    _exact("attempt"),
    _text("grant_id"),
    _exact("amount"),
    _exact("used", default=0),
    PrimaryKeyConstraint("business_id", "hold_id", "attempt", "grant_id"),
    CheckConstraint("0 <= used AND used <= amount", name="ck_allocation_used"),
)

ledger: Final = _table(
    "ai_ledger",
    _text("business_id"),
    _exact("seq"),
    _text("kind"),
    _text("debit"),
    _text("credit"),
    _exact("amount"),
    _text("ref"),
    _exact("balance_after"),
    _exact("effective_at"),
    _exact("booked_at"),
    _text("hash"),
    PrimaryKeyConstraint("business_id", "seq"),
    UniqueConstraint("business_id", "kind", "ref", name="uq_ledger_once"),
    CheckConstraint("amount > 0", name="ck_ledger_amount"),
    CheckConstraint("debit <> credit", name="ck_ledger_two_accounts"),
    CheckConstraint("balance_after >= 0", name="ck_ledger_balance"),
)

transactions: Final = _table(
    "ai_transactions",
    _text("business_id"),
    _text("id"),
    _exact("attempt"),
    _exact("at"),
    _text("feature"),
    _text("user_id", null=True),
    _text("request_hash"),
    _text("outcome"),
    _text("error_code", null=True),
    _exact("charged"),
    _text("source"),
    _text("model", null=True),
    _text("prompt_version", null=True),
    _exact("input_tokens", null=True),
    _exact("cached_tokens", null=True),
    _exact("cache_write_tokens", null=True),
    _exact("output_tokens", null=True),
    _exact("reasoning_tokens", null=True),
    _exact("cost_pico_usd", null=True),
    _exact("cost_micro_ghs", null=True),
    _exact("fx_rate"),
    _text("fx_date"),
    _text("fx_source"),
    _exact("latency_ms", null=True),
    _text("request_meta"),
    _text("response_meta"),
    _text("day", default="1970-01-01"),
    _exact("revenue_micro_ghs", default=0),
    _text("price_version", null=True),
    _exact("cacheable", default=0),
    _exact("saved_pico_usd", default=0),
    _exact("fx_stale", default=1),
    PrimaryKeyConstraint("business_id", "id", "attempt"),
    CheckConstraint("outcome IN ('ok', 'failed', 'unknown')", name="ck_transaction_outcome"),
    CheckConstraint("charged >= 0", name="ck_transaction_charged"),
    CheckConstraint("cost_pico_usd IS NULL OR cost_pico_usd >= 0", name="ck_transaction_cost"),
    CheckConstraint("(cost_pico_usd IS NULL) = (cost_micro_ghs IS NULL)", name="ck_transaction_cost_pair"),
    Index("ix_transaction_time", "business_id", "at", "id"),
    # A log in the order of time: block ranges find a day of all businesses at next to no cost.
    Index("ix_transaction_at", "at", postgresql_using="brin").ddl_if(dialect="postgresql"),
)

usage_daily: Final = _table(
    "ai_usage_daily",
    _text("business_id"),
    _text("day"),
    _text("feature"),
    *(
        _exact(name, default=0)
        for name in (
            "calls",
            "ok",
            "failed",
            "unknown",
            "cached",
            "charged",
            "revenue_micro_ghs",
            "cost_pico_usd",
            "cost_micro_ghs",
            "unpriced",
            "input_tokens",
            "cached_tokens",
            "output_tokens",
            "latency_ms",
            "timed",
            "cacheable",
            "saved_pico_usd",
        )
    ),
    PrimaryKeyConstraint("business_id", "day", "feature"),
)
"""Sums and counts of the call log per day of the business's zone; every mean is a division at the edge."""

call_days: Final = _table(
    "ai_call_days",
    _text("day"),
    _text("feature"),
    _text("error"),
    _exact("cached"),
    _exact("under_ms"),
    _exact("calls"),
    PrimaryKeyConstraint("day", "feature", "error", "cached", "under_ms"),
    CheckConstraint("calls >= 0", name="ck_call_days_calls"),
)
"""Past days of the operator's zone, counted by time and error over all businesses; an empty feature says it is done."""

results: Final = _table(
    "ai_call_results",
    _text("business_id"),
    _text("id"),
    _text("answers"),
    _exact("expires_at"),
    PrimaryKeyConstraint("business_id", "id"),
    Index("ix_result_expiry", "expires_at"),
)
"""Masked answers of calls made under a caller's own key, kept for a replay."""

trial_claims: Final = _table(
    "ai_trial_claims",
    _text("key_hmac"),
    _text("kind"),
    _exact("claimed_at"),
    _exact("key_version", default=1),
    PrimaryKeyConstraint("key_hmac"),
)
"""Who had a trial, as keyed hashes only; no reference to the business, so it outlives it."""

planned_grants: Final = _table(
    "ai_planned_grants",
    _text("business_id"),
    _text("source"),
    _text("source_ref"),
    _exact("amount"),
    _exact("priority"),
    _exact("paid", default=0),
    _exact("effective_at"),
    _exact("expires_at", null=True),
    _text("features", null=True),
    PrimaryKeyConstraint("business_id", "source", "source_ref"),
    CheckConstraint("amount > 0 AND paid >= 0", name="ck_planned_amount"),
)
"""Grants dated in the future: they enter the wallet when they may pay, or the gate would count what cannot pay."""

subscriptions: Final = _table(
    "ai_monthly_addons",
    _text("business_id"),
    _text("id"),
    _exact("price_minor"),
    _text("currency"),
    _exact("credits"),
    _exact("rollover_cap"),
    _exact("grace_us"),
    _text("state"),
    _text("tz"),
    _exact("anchor_at"),
    _exact("first"),
    _exact("period"),
    _exact("paid_through"),
    _exact("carried", default=0),
    _exact("waiting", default=0),
    _exact("waiting_paid", default=0),
    _exact("reminded", default=0),
    _exact("created_at"),
    _exact("ended_at", null=True),
    PrimaryKeyConstraint("business_id", "id"),
    CheckConstraint("0 <= waiting AND waiting <= carried AND carried <= rollover_cap", name="ck_addon_carry"),
    CheckConstraint("state IN ('incomplete', 'active', 'past_due', 'cancel_at_end', 'ended')", name="ck_addon_state"),
    Index("uq_addon_open", "business_id", unique=True, **_where("state <> 'ended'")),
)

price_versions: Final = _table(
    "ai_price_versions",
    _text("feature"),
    _exact("effective_from"),
    _exact("credits"),
    _exact("quantum"),
    _exact("expected_cost", null=True),
    _exact("loss_leader", default=0),
    _exact("published_at"),
    _text("actor"),
    PrimaryKeyConstraint("feature", "effective_from"),
    CheckConstraint("credits >= 0 AND quantum > 0", name="ck_price_amount"),
)

pack_versions: Final = _table(
    "ai_pack_versions",
    _text("type"),
    _exact("effective_from"),
    _exact("price_minor"),
    _text("currency"),
    _exact("credits"),
    _exact("bonus", default=0),
    _exact("recommended", default=0),
    _exact("withdrawn", default=0),
    _exact("published_at"),
    _text("actor"),
    PrimaryKeyConstraint("type", "effective_from"),
    CheckConstraint("price_minor > 0 AND 0 <= bonus AND bonus < credits", name="ck_pack_amount"),
)

limits: Final = _table(
    "ai_limits",
    _text("business_id"),
    _text("scope"),
    _text("key"),
    _text("per"),
    _exact("amount"),
    _text("actor"),
    _exact("set_at"),
    PrimaryKeyConstraint("business_id", "scope", "key", "per"),
    CheckConstraint("amount >= 0", name="ck_limit_amount"),
)
"""Limits set at run time, the kill switch (per ``paused``) among them; an empty business or key means each."""

limit_counters: Final = _table(
    "ai_limit_counters",
    _text("business_id"),
    _text("scope"),
    _text("key"),
    _text("per"),
    _exact("starts_at"),
    _exact("used", default=0),
    _exact("held", default=0),
    PrimaryKeyConstraint("business_id", "scope", "key", "per", "starts_at"),
    CheckConstraint("used >= 0 AND held >= 0", name="ck_counter_amount"),
)

provider_spend: Final = _table(
    "ai_provider_spend",
    _text("per"),
    _exact("starts_at"),
    _exact("stripe"),
    _exact("held", default=0),
    _exact("used", default=0),
    _exact("warned", default=-1),
    _exact("stopped", default=-1),
    PrimaryKeyConstraint("per", "starts_at", "stripe"),
)
"""What models cost in each day and month, pico-USD, shared out over several rows so that calls need not queue."""

outbox: Final = _table(
    "ai_outbox",
    _text("id"),
    _text("business_id"),
    _text("topic"),
    _text("dedupe_key"),
    _text("facts"),
    _exact("at"),
    _exact("attempts", default=0),
    _exact("next_at"),
    _exact("sent_at", null=True),
    _text("last_error", null=True),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("business_id", "dedupe_key", name="uq_outbox_once"),
    Index("ix_outbox_unsent", "next_at", "id", **_where("sent_at IS NULL")),
)

audit: Final = _table(
    "ai_audit",
    _text("id"),
    _exact("at"),
    _text("actor"),
    _text("action"),
    _text("business_id"),
    _text("detail"),
    PrimaryKeyConstraint("id"),
    Index("ix_audit_business", "business_id", "at"),
)
"""What operators did and why; an empty business for what concerns all."""

refunds: Final = _table(
    "ai_refunds",
    _text("business_id"),
    _text("order_id"),
    _text("id"),
    _text("gateway_id", null=True),
    _exact("amount_minor"),
    _text("currency"),
    _text("state"),
    _text("dispute_id", null=True),
    _exact("created_at"),
    _exact("changed_at"),
    PrimaryKeyConstraint("business_id", "order_id", "id"),
    CheckConstraint("amount_minor > 0", name="ck_refund_amount"),
    CheckConstraint("state IN ('asked', 'pending', 'needs_attention', 'done', 'failed')", name="ck_refund_state"),
    Index("uq_refund_once", "business_id", "order_id", "gateway_id", unique=True, **_where("gateway_id IS NOT NULL")),
)
"""Money on its way back to the payer, as the gateway told it last."""

disputes: Final = _table(
    "ai_disputes",
    _text("business_id"),
    _text("order_id"),
    _text("id"),
    _exact("amount_minor"),
    _text("currency"),
    _text("state"),
    _exact("due_at", null=True),
    _exact("created_at"),
    _exact("changed_at"),
    PrimaryKeyConstraint("business_id", "order_id", "id"),
    CheckConstraint("amount_minor >= 0", name="ck_dispute_amount"),
    CheckConstraint("state IN ('open', 'won', 'lost')", name="ck_dispute_state"),
)
"""Payments that the payer's bank contests, as the gateway told it last."""

clawbacks: Final = _table(
    "ai_clawbacks",
    _text("business_id"),
    _text("order_id"),
    _text("policy"),
    _exact("paid_minor"),
    _text("currency"),
    _exact("reversed_minor"),
    _exact("at_risk_minor"),
    _exact("credits"),
    _exact("bonus"),
    _exact("taken"),
    _exact("bonus_taken"),
    _exact("frozen"),
    _exact("bonus_frozen"),
    _exact("lapsed"),
    _exact("repaid"),
    _exact("written_off"),
    _exact("owed"),
    _exact("forgiven"),
    _exact("owed_at"),
    _exact("suspended"),
    _exact("wanting"),
    _text("month", null=True),
    PrimaryKeyConstraint("business_id", "order_id"),
    CheckConstraint("0 <= reversed_minor AND reversed_minor <= at_risk_minor", name="ck_clawback_reversed"),
    CheckConstraint("at_risk_minor <= paid_minor", name="ck_clawback_at_risk"),
    CheckConstraint("0 <= taken AND 0 <= frozen AND taken + frozen <= credits", name="ck_clawback_credits"),
    CheckConstraint("0 <= bonus_taken AND 0 <= bonus_frozen", name="ck_clawback_bonus_amount"),
    CheckConstraint("bonus_taken + bonus_frozen <= bonus", name="ck_clawback_bonus"),
    CheckConstraint("lapsed >= 0 AND repaid >= 0", name="ck_clawback_otherwise"),
    CheckConstraint("written_off >= 0 AND owed >= 0 AND forgiven >= 0", name="ck_clawback_shortfall"),
    CheckConstraint("policy IN ('clamp', 'debt', 'suspend')", name="ck_clawback_policy"),
    Index("ix_clawback_wanting", "business_id", **_where("wanting = 1")),
)
"""What an order's refunds and disputes took back so far, froze, and could not take; one row per such order."""

salts: Final = _table(
    "ai_pseudonym_salts",
    _text("business_id"),
    _text("salt"),
    _exact("made_at"),
    PrimaryKeyConstraint("business_id"),
)
"""Without its salt no pseudonym of a business can be made; erasing a business deletes it."""

purchases: Final = _table(
    "ai_credit_purchases",
    _text("business_id"),
    _text("id"),
    _text("user_id", null=True),
    _text("kind"),
    _text("pack", null=True),
    _text("pack_version", null=True),
    _exact("price_minor"),
    _text("currency"),
    _exact("credits"),
    _exact("bonus", default=0),
    _text("state"),
    _text("key", null=True),
    _text("request_hash"),
    _text("gateway", null=True),
    _text("method", null=True),
    _text("email"),
    _text("subscription_id", null=True),
    _exact("period", null=True),
    _exact("created_at"),
    _exact("paid_at", null=True),
    _text("paid_reference", null=True),
    _exact("ended_at", null=True),
    _text("receipt_number", null=True),
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
    Index("ix_purchase_pending", "created_at", "id", **_where("state = 'pending'")),
    # What operators are shown of all businesses.
    Index("ix_purchase_created", "created_at"),
    # One month of an add-on is for sale once at a time.
    Index("uq_purchase_period", "business_id", "subscription_id", "period", unique=True, **_where("state = 'pending'")),
)
"""Orders. Prices are minor units (pesewas); ``email`` is where the payer's receipts go, and empty once erased."""

payment_attempts: Final = _table(
    "ai_payment_attempts",
    _text("reference"),
    _text("business_id"),
    _text("order_id"),
    _text("gateway"),
    _text("method", null=True),
    _text("state"),
    _exact("amount_minor"),
    _text("currency"),
    _exact("live"),
    _text("url", null=True),
    _text("next_step", null=True),
    _text("outcome", null=True),
    _text("raw_status", null=True),
    _text("reason", null=True),
    _exact("fees_minor", null=True),
    _exact("surplus_minor", default=0),
    _exact("fx_rate", null=True),
    _text("fx_date", null=True),
    _text("fx_source", null=True),
    _exact("created_at"),
    _exact("checked_at", null=True),
    _exact("asked_at", null=True),
    # A webhook names the reference alone, so it is the key.
    PrimaryKeyConstraint("reference"),
    CheckConstraint("state IN ('started', 'open', 'paid', 'failed', 'quarantined')", name="ck_attempt_state"),
    CheckConstraint("amount_minor > 0 AND surplus_minor >= 0", name="ck_attempt_amount"),
    Index("ix_attempt_order", "business_id", "order_id", "created_at"),
    Index("uq_attempt_paid", "business_id", "order_id", unique=True, **_where("state = 'paid'")),
    Index("ix_attempt_created", "created_at"),
    Index("ix_attempt_unpaid", "created_at", "reference", **_where("state IN ('started', 'open')")),
)
"""Attempts to pay an order, each under a reference that is a gateway's key too."""

gateway_events: Final = _table(
    "ai_gateway_events",
    _text("gateway"),
    _text("key"),
    _text("name"),
    _text("topic", null=True),
    _text("reference", null=True),
    _text("body"),
    _exact("received_at"),
    _exact("seen", default=1),
    _exact("tries", default=0),
    _exact("next_at", null=True),
    _exact("processed_at", null=True),
    _text("error", null=True),
    PrimaryKeyConstraint("gateway", "key"),
    CheckConstraint("(next_at IS NULL) = (processed_at IS NOT NULL)", name="ck_gateway_event_due"),
    Index("ix_gateway_event_due", "next_at", "gateway", "key", **_where("next_at IS NOT NULL")),
)
"""Webhooks whose signature held, as they came. The body may name the payer; it is dropped after a month."""

quarantine: Final = _table(
    "ai_payment_quarantine",
    _text("business_id"),
    _text("id"),
    _text("order_id"),
    _text("reference"),
    _text("reason"),
    _exact("expected_minor"),
    _text("expected_currency"),
    _exact("paid_minor", null=True),
    _text("paid_currency", null=True),
    _exact("paid_live", null=True),
    _exact("opened_at"),
    _text("resolution", null=True),
    _text("actor", null=True),
    _text("note", null=True),
    _exact("resolved_at", null=True),
    PrimaryKeyConstraint("business_id", "id"),
    UniqueConstraint("reference", name="uq_quarantine_once"),
    CheckConstraint("resolution IN ('released', 'refunded')", name="ck_quarantine_resolution"),
    CheckConstraint(
        "(resolution IS NULL) = (resolved_at IS NULL) AND (resolution IS NULL) = (actor IS NULL)",
        name="ck_quarantine_resolved",
    ),
    Index("ix_quarantine_open", "opened_at", "id", **_where("resolved_at IS NULL")),
)
"""Payments that do not fit their order, until an operator has decided."""

saved_cards: Final = _table(
    "ai_saved_cards",
    _text("business_id"),
    _text("id"),
    _text("gateway"),
    _text("code"),
    _text("email"),
    _text("brand"),
    _text("last4"),
    _text("expires"),
    _exact("saved_at"),
    PrimaryKeyConstraint("business_id", "id"),
    UniqueConstraint("business_id", "gateway", "code", name="uq_card_once"),
)
"""Cards that may be charged again. ``code`` is the gateway's name of the authorisation and is kept as it came, not
encrypted: it is worth something only together with the gateway's secret key, which is never in this database."""

top_ups: Final = _table(
    "ai_top_ups",
    _text("business_id"),
    _text("pack"),
    _exact("threshold"),
    _exact("most_price_minor"),
    _text("currency"),
    _exact("most_per_day"),
    _exact("most_per_month"),
    _exact("cool_down"),
    _exact("most_failures"),
    _exact("enabled"),
    _text("card_id", null=True),
    _text("actor"),
    _exact("set_at"),
    PrimaryKeyConstraint("business_id"),
    CheckConstraint("threshold > 0 AND most_price_minor > 0", name="ck_top_up_amount"),
    CheckConstraint("most_per_day > 0 AND most_per_month > 0 AND most_failures > 0", name="ck_top_up_most"),
    CheckConstraint("cool_down >= 0 AND enabled IN (0, 1)", name="ck_top_up_rule"),
)
"""What owners agreed that a saved card buys by itself; its orders have keys that begin with ``auto-top-up:``."""

fx_rates: Final = _table(
    "ai_fx_rates",
    _text("base"),
    _text("quote"),
    _text("source"),
    _text("as_of"),
    _exact("rate"),
    _text("kind"),
    _exact("fetched_at"),
    _exact("good_at", null=True),
    _text("fault", null=True),
    _text("actor", null=True),
    PrimaryKeyConstraint("base", "quote", "source", "as_of", "rate"),
    CheckConstraint("rate > 0", name="ck_fx_rate"),
)
"""What sources of exchange rates said; without ``good_at`` it is refused until an operator confirms it."""

fx_refreshes: Final = _table(
    "ai_fx_refreshes",
    _text("base"),
    _text("quote"),
    _exact("next_at"),
    PrimaryKeyConstraint("base", "quote"),
)
"""When the sources are asked next; whoever moves it ahead asks, for all hosts."""

receipt_series: Final = _table(
    "ai_receipt_series",
    _text("seller"),
    _text("series"),
    _exact("last"),
    PrimaryKeyConstraint("seller", "series"),
)
"""The last number given in each series; its row is locked until the number is durable, so none is lost."""

receipt_numbers: Final = _table(
    "ai_receipt_numbers",
    _text("seller"),
    _text("series"),
    _exact("number"),
    _text("ref"),
    _exact("given_at"),
    PrimaryKeyConstraint("seller", "series", "number"),
    UniqueConstraint("seller", "series", "ref", name="uq_receipt_once"),
    CheckConstraint("number > 0", name="ck_receipt_number"),
)

feedback: Final = _table(
    "ai_feedback",
    _text("business_id"),
    _text("transaction_id"),
    _text("user_id"),
    _text("feature"),
    _exact("rating", null=True),
    _exact("recommend", null=True),
    _text("comment", null=True),
    _exact("at"),
    PrimaryKeyConstraint("business_id", "transaction_id", "user_id"),
    CheckConstraint("rating BETWEEN 1 AND 5", name="ck_feedback_rating"),
    CheckConstraint("recommend BETWEEN 0 AND 10", name="ck_feedback_recommend"),
    CheckConstraint("rating IS NOT NULL OR recommend IS NOT NULL", name="ck_feedback_says_something"),
    Index("ix_feedback_at", "at"),
)
"""What users say of results, the last word of each; comments are masked before they come here."""

web_rates: Final = _table(
    "ai_web_rates",
    _text("business_id"),
    _text("user_id"),
    _text("action"),
    _exact("starts_at"),
    _exact("used"),
    PrimaryKeyConstraint("business_id", "user_id", "action"),
    CheckConstraint("used >= 0", name="ck_web_rate_used"),
)
"""Requests to costly endpoints in the window of now, one row for each; an empty user for the whole business."""

web_replies: Final = _table(
    "ai_web_replies",
    _text("business_id"),
    _text("key"),
    _text("request_hash"),
    _exact("begun_at"),
    _exact("expires_at"),
    _exact("status", null=True),
    _text("body", null=True),
    PrimaryKeyConstraint("business_id", "key"),
    CheckConstraint("(status IS NULL) = (body IS NULL)", name="ck_web_reply_whole"),
    Index("ix_web_reply_expiry", "expires_at"),
)
"""Answers of web requests under a client's own key, kept for a repeat; without a status in progress, or failed."""

job_runs: Final = _table(
    "ai_job_runs",
    _text("job"),
    _exact("ended_at"),
    _exact("took_us"),
    PrimaryKeyConstraint("job"),
    CheckConstraint("took_us >= 0", name="ck_job_run_took"),
)
"""When each job last came to its end, on whichever host."""

_REFUSAL: Final = "the ledger is never changed; book a reversal"


def _after_create(statement: str, dialect: str) -> None:
    ddl = DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves this constructor unannotated
    event.listen(ledger, "after_create", ddl.execute_if(dialect=dialect))


LEDGER_GUARDS: Final[dict[str, tuple[str, ...]]] = {
    "sqlite": tuple(
        f"CREATE TRIGGER ai_ledger_no_{verb.lower()} BEFORE {verb} ON ai_ledger "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION ai_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$""",
        """CREATE TRIGGER ai_ledger_no_change BEFORE UPDATE OR DELETE ON ai_ledger
        FOR EACH ROW EXECUTE FUNCTION ai_ledger_refuse()""",
    ),
}
"""What makes the database itself refuse a change to a ledger row."""

for _dialect, _statements in LEDGER_GUARDS.items():
    for _statement in _statements:
        _after_create(_statement, _dialect)
