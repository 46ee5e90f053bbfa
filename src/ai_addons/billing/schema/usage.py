"""Calls: the log, its sums, and answers kept for a replay."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint

from ai_addons.billing.schema.columns import exact, string, table

transactions: Final = table(
    "ai_transactions",
    string("business_id"),
    string("id"),
    exact("attempt"),
    exact("at"),
    string("feature"),
    string("user_id", null=True),
    string("request_hash"),
    string("outcome"),
    string("error_code", null=True),
    exact("charged"),
    string("source"),
    string("model", null=True),
    string("prompt_version", null=True),
    exact("input_tokens", null=True),
    exact("cached_tokens", null=True),
    exact("cache_write_tokens", null=True),
    exact("output_tokens", null=True),
    exact("reasoning_tokens", null=True),
    exact("cost_pico_usd", null=True),
    exact("cost_micro_ghs", null=True),
    exact("fx_rate"),
    string("fx_date"),
    string("fx_source"),
    exact("latency_ms", null=True),
    string("request_meta"),
    string("response_meta"),
    string("day", default="1970-01-01"),
    exact("revenue_micro_ghs", default=0),
    string("price_version", null=True),
    exact("cacheable", default=0),
    exact("saved_pico_usd", default=0),
    exact("fx_stale", default=1),
    PrimaryKeyConstraint("business_id", "id", "attempt"),
    CheckConstraint("outcome IN ('ok', 'failed', 'unknown')", name="ck_transaction_outcome"),
    CheckConstraint("charged >= 0", name="ck_transaction_charged"),
    CheckConstraint("cost_pico_usd IS NULL OR cost_pico_usd >= 0", name="ck_transaction_cost"),
    CheckConstraint("(cost_pico_usd IS NULL) = (cost_micro_ghs IS NULL)", name="ck_transaction_cost_pair"),
    Index("ix_transaction_time", "business_id", "at", "id"),
    # A log in the order of time: block ranges find a day of all businesses at next to no cost.
    Index("ix_transaction_at", "at", postgresql_using="brin").ddl_if(dialect="postgresql"),
)

usage_daily: Final = table(
    "ai_usage_daily",
    string("business_id"),
    string("day"),
    string("feature"),
    *(
        exact(name, default=0)
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

call_days: Final = table(
    "ai_call_days",
    string("day"),
    string("feature"),
    string("error"),
    exact("cached"),
    exact("under_ms"),
    exact("calls"),
    PrimaryKeyConstraint("day", "feature", "error", "cached", "under_ms"),
    CheckConstraint("calls >= 0", name="ck_call_days_calls"),
)
"""Past days of the operator's zone, counted by time and error over all businesses; an empty feature says it is done."""

results: Final = table(
    "ai_call_results",
    string("business_id"),
    string("id"),
    string("answers"),
    exact("expires_at"),
    PrimaryKeyConstraint("business_id", "id"),
    Index("ix_result_expiry", "expires_at"),
)
"""Masked answers of calls made under a caller's own key, kept for a replay."""
