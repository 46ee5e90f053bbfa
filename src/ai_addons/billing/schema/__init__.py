"""The tables, with the rules the database itself keeps.

Amounts are whole micro-credits, micro-GHS or pico-USD; times are UTC
microseconds; ids are time-ordered UUIDs or the caller's own keys. On SQLite
every table is STRICT, because an ordinary column there turns a decimal into an
8-byte float without a word. ``business_id`` leads every key and no foreign key
leaves the schema, so the same tables can be distributed by business.
"""

from __future__ import annotations

# ruff: noqa: I001  # tables are made in the order of these lines
from ai_addons.billing.schema.columns import EXACT, TEXT, metadata
from ai_addons.billing.schema.version import FOR_FIRST_RELEASE, HEAD, VERSION_TABLE, first_version
from ai_addons.billing.schema.wallets import LEDGER_GUARDS, allocations, grants, holds, ledger, wallets
from ai_addons.billing.schema.usage import call_days, results, transactions, usage_daily
from ai_addons.billing.schema.subscriptions import planned_grants, subscriptions, trial_claims
from ai_addons.billing.schema.prices import pack_versions, price_versions
from ai_addons.billing.schema.operations import audit, limit_counters, limits, outbox, provider_spend
from ai_addons.billing.schema.reversals import clawbacks, disputes, refunds
from ai_addons.billing.schema.privacy import salts
from ai_addons.billing.schema.orders import (
    gateway_events,
    payment_attempts,
    purchases,
    quarantine,
    saved_cards,
    top_ups,
)
from ai_addons.billing.schema.rates import fx_rates, fx_refreshes
from ai_addons.billing.schema.receipts import receipt_numbers, receipt_series
from ai_addons.billing.schema.web import feedback, web_rates, web_replies
from ai_addons.billing.schema.jobs import job_runs

__all__ = [
    "EXACT",
    "FOR_FIRST_RELEASE",
    "HEAD",
    "LEDGER_GUARDS",
    "TEXT",
    "VERSION_TABLE",
    "allocations",
    "audit",
    "call_days",
    "clawbacks",
    "disputes",
    "feedback",
    "first_version",
    "fx_rates",
    "fx_refreshes",
    "gateway_events",
    "grants",
    "holds",
    "job_runs",
    "ledger",
    "limit_counters",
    "limits",
    "metadata",
    "outbox",
    "pack_versions",
    "payment_attempts",
    "planned_grants",
    "price_versions",
    "provider_spend",
    "purchases",
    "quarantine",
    "receipt_numbers",
    "receipt_series",
    "refunds",
    "results",
    "salts",
    "saved_cards",
    "subscriptions",
    "top_ups",
    "transactions",
    "trial_claims",
    "usage_daily",
    "wallets",
    "web_rates",
    "web_replies",
]
