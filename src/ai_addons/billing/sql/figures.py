"""What operators' figures ask of the books: counts and sums over all businesses, and what users said.

Windows go by way of the wallets, so that each business is one range of its key: SQLite keeps to the
order of a CROSS JOIN. PostgreSQL adds whole numbers up to a decimal, hence the casts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, func, or_, select, text

from ai_addons.billing.schema import EXACT, TEXT, feedback
from ai_addons.billing.sql.purchases import ATTEMPT, ORDER
from ai_addons.billing.sql.reports import ALL_USAGE
from ai_addons.billing.sql.statements import put_row

if TYPE_CHECKING:
    from sqlalchemy import TextClause

__all__ = ["ALL_USAGE", "ATTEMPT", "ORDER"]

_TEXTS: Final = frozenset({"business", "key", "first", "last", "after"})


def _statement(sql: str, *names: str) -> TextClause:
    return text(sql).bindparams(*(bindparam(name, type_=TEXT if name in _TEXTS else EXACT) for name in names))


_LOGGED: Final = (
    "FROM business_ai_credits w CROSS JOIN ai_transactions t "
    "WHERE t.business_id = w.business_id AND t.at >= :since AND t.at < :until"
)
_WINDOW: Final = ("since", "until")

# Feedback.
FEATURE_OF: Final = _statement(
    "SELECT feature FROM ai_transactions WHERE business_id = :business AND id = :key ORDER BY attempt DESC LIMIT 1",
    "business",
    "key",
)
PUT_FEEDBACK: Final = put_row(feedback)
RATINGS: Final = _statement(
    "SELECT rating, recommend, CAST(COUNT(*) AS BIGINT) AS answers FROM ai_feedback "
    "WHERE at >= :since AND at < :until GROUP BY rating, recommend",
    *_WINDOW,
)

_SAID: Final = (
    feedback.c.at >= bindparam("since", type_=EXACT),
    *(
        or_(bindparam(name, type_=TEXT).is_(None), column == bindparam(name, type_=TEXT))
        for name, column in (("business", feedback.c.business_id), ("feature", feedback.c.feature))
    ),
)
STARS: Final = (
    select(feedback.c.feature, feedback.c.rating, func.count().label("answers"))
    .where(feedback.c.rating.is_not(None), *_SAID)
    .group_by(feedback.c.feature, feedback.c.rating)
)
COMMENTS: Final = (
    select(feedback)
    .where(feedback.c.comment.is_not(None), *_SAID)
    .order_by(feedback.c.at.desc(), feedback.c.business_id, feedback.c.transaction_id, feedback.c.user_id)
    .limit(bindparam("most", type_=EXACT))
)
"""The newest first."""

# Calls. A call whose code answered after a model was asked in vain was served by a provider as far as waiting goes.
_SERVED: Final = (
    "CASE WHEN t.source = 'cache' THEN 'cache' WHEN t.model LIKE 'offline/%' THEN 'offline' "
    "WHEN t.source = 'rules' AND t.response_meta NOT LIKE '%\"attempts\": [{%' THEN 'rules' ELSE 'provider' END"
)
_GIVEN_UP: Final = (
    "CASE WHEN t.outcome = 'unknown' OR t.error_code IN ('provider_timeout', 'timeout') THEN 1 ELSE 0 END"
)
RESPONSES: Final = _statement(
    f"SELECT t.feature AS feature, {_SERVED} AS served, {_GIVEN_UP} AS given_up, t.latency_ms AS latency_ms, "
    f"CAST(COUNT(*) AS BIGINT) AS calls {_LOGGED} GROUP BY 1, 2, 3, 4",
    *_WINDOW,
)
OUTCOMES: Final = _statement(
    f"SELECT t.outcome AS outcome, CAST(COUNT(*) AS BIGINT) AS calls {_LOGGED} GROUP BY t.outcome",
    *_WINDOW,
)
TWICE: Final = _statement(
    f"SELECT CAST(COALESCE(SUM(charges - 1), 0) AS BIGINT) AS twice FROM (SELECT COUNT(*) AS charges {_LOGGED} "  # noqa: S608
    "AND t.charged > 0 GROUP BY t.business_id, t.id HAVING COUNT(*) > 1) AS again",
    *_WINDOW,
)
_HELD: Final = (
    "FROM business_ai_credits w CROSS JOIN ai_credit_holds h "
    "WHERE h.business_id = w.business_id AND h.created_at >= :since AND h.created_at < :until"
)
STUCK: Final = _statement(
    f"SELECT CAST(COUNT(*) AS BIGINT) AS stuck {_HELD} AND h.state = 'open' AND h.expires_at < :now",
    *_WINDOW,
    "now",
)
UNLOGGED: Final = _statement(
    f"SELECT CAST(COUNT(*) AS BIGINT) AS unlogged {_HELD} AND h.state <> 'open' AND NOT EXISTS "  # noqa: S608
    "(SELECT 1 FROM ai_transactions t WHERE t.business_id = h.business_id AND t.id = h.id AND t.attempt = h.attempt)",
    *_WINDOW,
)
FX_USED: Final = _statement(
    "SELECT t.fx_source AS fx_source, t.fx_date AS fx_date, t.fx_rate AS fx_rate, t.fx_stale AS fx_stale, "
    "CAST(COUNT(*) AS BIGINT) AS calls, CAST(SUM(COALESCE(t.cost_pico_usd, 0)) AS BIGINT) AS cost, "
    f"CAST(SUM(COALESCE(t.cost_micro_ghs, 0)) AS BIGINT) AS cost_ghs {_LOGGED} "
    "AND (CAST(:business AS TEXT) = '' OR t.business_id = :business) "
    "GROUP BY t.fx_source, t.fx_date, t.fx_rate, t.fx_stale",
    *_WINDOW,
    "business",
)
"""Rates that costs were booked at, of one business; of all where its id is empty."""

# Businesses, from the sums per day.
_BY_DAY: Final = (
    "FROM business_ai_credits w CROSS JOIN ai_usage_daily u "
    "WHERE u.business_id = w.business_id AND u.day >= :first AND u.day <= :last"
)
USERS: Final = _statement(
    "SELECT u.business_id AS business_id, CAST(SUM(u.revenue_micro_ghs) AS BIGINT) AS revenue "
    f"{_BY_DAY} GROUP BY u.business_id HAVING SUM(u.charged) > 0",
    "first",
    "last",
)
CALLERS: Final = _statement(
    "SELECT w.business_id AS business_id FROM business_ai_credits w WHERE w.business_id > :after AND EXISTS "
    "(SELECT 1 FROM ai_usage_daily u WHERE u.business_id = w.business_id AND u.day >= :first) "
    "ORDER BY w.business_id LIMIT 500",
    "first",
    "after",
)
"""Businesses with calls, by pages."""

SPENT_BY_DAY: Final = _statement(
    "SELECT u.day AS day, CAST(SUM(u.cost_pico_usd) AS BIGINT) AS cost, "
    "CAST(SUM(u.cost_micro_ghs) AS BIGINT) AS "
    f"cost_ghs, CAST(SUM(u.unpriced) AS BIGINT) AS unpriced {_BY_DAY} GROUP BY u.day ORDER BY u.day",
    "first",
    "last",
)

# Margins by the grants that paid: each call once for each grant, once with none if no grant paid.
PAID_CALLS: Final = _statement(
    "SELECT t.id AS id, t.attempt AS attempt, t.feature AS feature, t.charged AS charged, "
    "t.revenue_micro_ghs AS revenue, t.cost_micro_ghs AS cost_ghs, t.cost_pico_usd AS cost, a.used AS used, "
    "g.source AS source, g.paid AS paid, g.amount AS amount, p.pack AS pack "
    "FROM ai_transactions t "
    "LEFT JOIN ai_hold_allocations a ON a.business_id = t.business_id AND a.hold_id = t.id AND a.attempt = t.attempt "
    "AND a.used > 0 "
    "LEFT JOIN ai_credit_grants g ON g.business_id = a.business_id AND g.id = a.grant_id "
    "LEFT JOIN ai_credit_purchases p ON p.business_id = g.business_id AND p.id = g.source_ref "
    "AND g.source IN ('purchase', 'bonus') "
    "WHERE t.business_id = :business AND t.at >= :since AND t.day >= :first "
    "ORDER BY t.at, t.id, t.attempt, a.grant_id",
    "business",
    "since",
    "first",
)

# Orders.
BUYERS: Final = _statement(
    "SELECT DISTINCT p.business_id AS business_id FROM business_ai_credits w CROSS JOIN ai_credit_purchases p "
    "WHERE p.business_id = w.business_id AND p.paid_at >= :since AND p.paid_at < :until",
    *_WINDOW,
)
GRANTED: Final = _statement(
    "SELECT CAST(COUNT(*) AS BIGINT) AS granted FROM ai_credit_purchases WHERE paid_at >= :since AND paid_at < :until",
    *_WINDOW,
)
CONVERSION: Final = _statement(
    "SELECT method, CAST(COUNT(*) AS BIGINT) AS initiated, CAST(SUM(paid) AS BIGINT) AS paid FROM ("
    "SELECT COALESCE((SELECT a.method FROM ai_payment_attempts a WHERE a.business_id = p.business_id "
    "AND a.order_id = p.id ORDER BY CASE WHEN a.state = 'paid' THEN 0 ELSE 1 END, a.created_at DESC, a.reference DESC "
    "LIMIT 1), '') AS method, CASE WHEN p.paid_at IS NULL THEN 0 ELSE 1 END AS paid "
    "FROM ai_credit_purchases p WHERE p.created_at >= :since AND p.created_at < :until) AS orders "
    "GROUP BY method ORDER BY method",
    *_WINDOW,
)
"""Orders by the method that paid, else by the one tried last."""

REFUSALS: Final = _statement(
    "SELECT COALESCE(method, '') AS method, COALESCE(outcome, state) AS outcome, "
    "COALESCE(raw_status, '') AS raw_status, COALESCE(reason, '') AS reason, "
    "CAST(COUNT(*) AS BIGINT) AS attempts FROM ai_payment_attempts "
    "WHERE created_at >= :since AND created_at < :until AND state <> 'paid' GROUP BY 1, 2, 3, 4 "
    "ORDER BY 1, 5 DESC, 2, 3, 4",
    *_WINDOW,
)

# Retention. Open holds keep their user until they end.
FORGET_CALLS: Final = _statement(
    "UPDATE ai_transactions SET user_id = NULL, request_hash = '', request_meta = '{}', response_meta = '{}' "
    "WHERE business_id = :business AND at < :before AND (user_id IS NOT NULL OR request_hash <> '' "
    "OR request_meta <> '{}' OR response_meta <> '{}')",
    "business",
    "before",
)
FORGET_HOLDS: Final = _statement(
    "UPDATE ai_credit_holds SET user_id = NULL, request_hash = '', counters = NULL "
    "WHERE business_id = :business AND closed_at < :before AND state <> 'open' "
    "AND (user_id IS NOT NULL OR request_hash <> '' OR counters IS NOT NULL)",
    "business",
    "before",
)
FORGOTTEN: Final = "forgotten:"
"""How the user begins whom a rating's stand-in stands for."""
# The user is part of the key: a stand-in keeps the words on one call apart. It is made of the time, at which all that
# share it are forgotten together, so that a later round cannot make the same one again.
FORGET_SPEAKERS: Final = _statement(
    "UPDATE ai_feedback SET comment = NULL, user_id = old.stand_in FROM ("  # noqa: S608  # our own word
    "SELECT transaction_id, user_id, CASE WHEN user_id = '' THEN '' ELSE "
    f"'{FORGOTTEN}' || CAST(at AS TEXT) || ':' || CAST(ROW_NUMBER() OVER "
    "(PARTITION BY transaction_id, at ORDER BY user_id) AS TEXT) END AS stand_in FROM ai_feedback "
    "WHERE business_id = :business AND at < :before AND (comment IS NOT NULL OR "
    f"(user_id <> '' AND substr(user_id, 1, {len(FORGOTTEN)}) <> '{FORGOTTEN}'))) AS old "
    "WHERE ai_feedback.business_id = :business AND ai_feedback.transaction_id = old.transaction_id "
    "AND ai_feedback.user_id = old.user_id",
    "business",
    "before",
)
# What a user spent in windows that are long over.
FORGET_COUNTERS: Final = _statement(
    "DELETE FROM ai_limit_counters WHERE business_id = :business AND scope = 'user' AND starts_at < :before "
    "AND held = 0",
    "business",
    "before",
)
FORGET_BUYERS: Final = _statement(
    "UPDATE ai_credit_purchases SET user_id = NULL WHERE business_id = :business AND created_at < :before "
    "AND state <> 'pending' AND user_id IS NOT NULL",
    "business",
    "before",
)

AUDIT_LOG: Final = _statement("SELECT * FROM ai_audit WHERE at >= :since ORDER BY at, id", "since")
"""What operators did about anybody since a time."""
