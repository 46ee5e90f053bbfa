"""What operators are shown of all businesses together.

None of it reads the call log of more than two days: older days are counted once
and kept. Orders and attempts are read by an index on their time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select, text

from ai_addons.billing.latency import BEYOND, EDGES, UNTIMED
from ai_addons.billing.schema import EXACT, TEXT, limits

if TYPE_CHECKING:
    from sqlalchemy import TextClause

__all__ = [
    "BY_BUSINESS",
    "BY_DAY",
    "CALLS_BETWEEN",
    "CALLS_KEPT",
    "FIRST_CALL",
    "INBOX",
    "KEEP_CALLS",
    "LAST_KEPT",
    "MARK_KEPT",
    "MONEY_BACK",
    "ORDERS_BY_STATE",
    "ORPHANS",
    "OUTBOX",
    "QUARANTINE",
    "SWITCHES",
    "TRIES",
    "UNANSWERED",
]


def _with(statement: str, *numbers: str, texts: tuple[str, ...] = ()) -> TextClause:
    kinds: dict[str, Any] = dict.fromkeys(numbers, EXACT) | dict.fromkeys(texts, TEXT)
    return text(statement).bindparams(*(bindparam(name, type_=kind) for name, kind in kinds.items()))


# As `reports.ALL_USAGE`: by way of the wallets, so that each business is one range of a key on SQLite too.
_DAYS: Final = (
    "FROM business_ai_credits CROSS JOIN ai_usage_daily "
    "WHERE ai_usage_daily.business_id = business_ai_credits.business_id AND day >= :first"
)


def _sums(*names: str) -> str:
    # PostgreSQL adds whole numbers up to a decimal.
    return ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in names)


_EARNED: Final = _sums("calls", "ok", "charged", "revenue_micro_ghs", "cost_micro_ghs", "cost_pico_usd", "unpriced")
BY_DAY: Final = _with(f"SELECT day, {_EARNED} {_DAYS} GROUP BY day ORDER BY day", texts=("first",))  # our own names
"""What all businesses used from a day on, by day; each day is that of the business's own zone."""

BY_BUSINESS: Final = _with(
    f"WITH used AS (SELECT ai_usage_daily.business_id, {_EARNED} {_DAYS} GROUP BY ai_usage_daily.business_id), "  # noqa: S608  # our own names
    "users AS (SELECT CAST(SUM(CASE WHEN ok > 0 THEN 1 ELSE 0 END) AS BIGINT) AS users FROM used) "
    "SELECT used.*, users.users FROM used CROSS JOIN users "
    "ORDER BY revenue_micro_ghs - cost_micro_ghs, used.business_id LIMIT :most",
    "most",
    texts=("first",),
)
"""The businesses that brought the least, and how many in all got an answer."""

_UNDER: Final = (
    f"CASE WHEN latency_ms IS NULL THEN {UNTIMED} "
    + " ".join(f"WHEN latency_ms <= {edge} THEN {edge}" for edge in EDGES)
    + f" ELSE {BEYOND} END"
)
_COUNTED: Final = (
    # An answer that rules gave in the place of a failed model keeps the code of what failed.
    "COALESCE(error_code, CASE WHEN outcome = 'ok' THEN '' ELSE outcome END) AS error, "
    "CASE WHEN source = 'cache' THEN 1 ELSE 0 END AS cached, "
    f"{_UNDER} AS under_ms, COUNT(*) AS calls "
    "FROM business_ai_credits CROSS JOIN ai_transactions "
    "WHERE ai_transactions.business_id = business_ai_credits.business_id AND at >= :since AND at < :until "
)
CALLS_BETWEEN: Final = _with(f"SELECT feature, {_COUNTED} GROUP BY 1, 2, 3, 4", "since", "until")  # our own names
"""The calls of all businesses between two moments, counted by feature, error and time."""
KEEP_CALLS: Final = _with(
    "INSERT INTO ai_call_days (day, feature, error, cached, under_ms, calls) "
    f"SELECT :day, feature, {_COUNTED} GROUP BY 2, 3, 4, 5",  # our own names
    "since",
    "until",
    texts=("day",),
)
MARK_KEPT: Final = _with(
    "INSERT INTO ai_call_days (day, feature, error, cached, under_ms, calls) "
    # -1 is UNTIMED.
    "VALUES (:day, '', '', 0, -1, 0) ON CONFLICT (day, feature, error, cached, under_ms) DO NOTHING",
    texts=("day",),
)
"""Says that a day is counted; whoever writes it counts."""
LAST_KEPT: Final = text("SELECT MAX(day) AS day FROM ai_call_days")
CALLS_KEPT: Final = _with(
    "SELECT feature, error, cached, under_ms, CAST(SUM(calls) AS BIGINT) AS calls FROM ai_call_days "
    "WHERE day >= :first AND feature <> '' GROUP BY feature, error, cached, under_ms",
    texts=("first",),
)
FIRST_CALL: Final = text(
    "SELECT MIN((SELECT MIN(at) FROM ai_transactions "
    "WHERE ai_transactions.business_id = business_ai_credits.business_id)) AS at FROM business_ai_credits"
)

# Payments.
ORDERS_BY_STATE: Final = _with(
    "SELECT state, currency, COUNT(*) AS orders, CAST(SUM(price_minor) AS BIGINT) AS minor, "
    "COUNT(DISTINCT business_id) AS businesses "
    "FROM ai_credit_purchases WHERE created_at >= :since GROUP BY state, currency ORDER BY state, currency",
    "since",
)
TRIES: Final = _with(
    "SELECT gateway, COALESCE(method, '') AS method, state, COALESCE(outcome, '') AS outcome, COUNT(*) AS tries "
    "FROM ai_payment_attempts WHERE created_at >= :since GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
    "since",
)
# Of orders that are not given up yet: those after a day are, and come no more. An order is no younger than its tries:
# saying so makes one index of waiting orders the best, that by their time. Which was taken hung on how they were made.
UNANSWERED: Final = _with(
    "SELECT COUNT(*) AS several, MIN(ai_payment_attempts.created_at) AS oldest "
    "FROM ai_credit_purchases CROSS JOIN ai_payment_attempts WHERE ai_credit_purchases.state = 'pending' "
    "AND ai_credit_purchases.created_at < :before "
    "AND ai_payment_attempts.business_id = ai_credit_purchases.business_id "
    "AND ai_payment_attempts.order_id = ai_credit_purchases.id "
    "AND ai_payment_attempts.state IN ('started', 'open') AND ai_payment_attempts.created_at < :before",
    "before",
)
# What a refund or dispute is part of is rare beside orders: these two tables are read whole.
MONEY_BACK: Final = text(
    "SELECT 'refund' AS what, state, currency, COUNT(*) AS several, CAST(SUM(amount_minor) AS BIGINT) AS minor "
    "FROM ai_refunds GROUP BY state, currency UNION ALL "
    "SELECT 'dispute', state, currency, COUNT(*), CAST(SUM(amount_minor) AS BIGINT) "
    "FROM ai_disputes GROUP BY state, currency ORDER BY 1, 2, 3"
)

# What waits.
INBOX: Final = text(
    "SELECT COUNT(*) AS several, MIN(received_at) AS oldest FROM ai_gateway_events WHERE next_at IS NOT NULL"
)
OUTBOX: Final = text("SELECT COUNT(*) AS several, MIN(at) AS oldest FROM ai_outbox WHERE sent_at IS NULL")
QUARANTINE: Final = text(
    "SELECT COUNT(*) AS several, MIN(opened_at) AS oldest FROM ai_payment_quarantine WHERE resolved_at IS NULL"
)
ORPHANS: Final = _with(
    "SELECT COUNT(*) AS several, MIN(expires_at) AS oldest FROM business_ai_credits CROSS JOIN ai_credit_holds "
    "WHERE ai_credit_holds.business_id = business_ai_credits.business_id AND state = 'open' AND expires_at <= :now",
    "now",
)

# The kill switches of everybody; the table holds what operators set by hand.
SWITCHES: Final = (
    select(limits).where(limits.c.per == bindparam("paused", type_=TEXT)).order_by(limits.c.business_id, limits.c.key)
)
