"""What the doctor asks of the books, and how daily sums are made anew from the call log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, case, delete, func, insert, literal_column, or_, select, text, union

from ai_addons.billing.schema import (
    EXACT,
    TEXT,
    allocations,
    clawbacks,
    disputes,
    grants,
    holds,
    ledger,
    limit_counters,
    refunds,
    transactions,
    usage_daily,
    wallets,
)
from ai_addons.billing.sql.statements import ALL_PLANNED, ENTRY, LEDGER, LOOK, SUBSCRIPTIONS, TRANSACTIONS, WALLET

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table

__all__ = [
    "ALL_PLANNED",
    "CLAWBACKS",
    "COUNTED_HOLDS",
    "COUNTERS",
    "DISPUTES_OF",
    "DROP_USAGE",
    "ENTRY",
    "GRANTS",
    "HOLDS_OF",
    "LEDGER",
    "LOOK",
    "PINNED_COSTS",
    "REBUILD_USAGE",
    "REFUNDS_OF",
    "SHARES_OF",
    "STRAYS",
    "SUBSCRIPTIONS",
    "TRANSACTIONS",
    "USAGE_DIFFERENCE",
    "WALLET",
    "WALLETS",
]


def _own(table: Table) -> ColumnElement[bool]:
    return table.c.business_id == bindparam("business", type_=TEXT)


WALLETS: Final = (
    select(wallets)
    .where(wallets.c.business_id > bindparam("after", type_=TEXT))
    .order_by(wallets.c.business_id)
    .limit(bindparam("most", type_=EXACT))
)
GRANTS: Final = select(grants).where(_own(grants)).order_by(grants.c.id)
SHARES_OF: Final = select(allocations).where(_own(allocations))
CLAWBACKS: Final = select(clawbacks).where(_own(clawbacks)).order_by(clawbacks.c.order_id)
REFUNDS_OF: Final = select(refunds).where(_own(refunds))
DISPUTES_OF: Final = select(disputes).where(_own(disputes))
HOLDS_OF: Final = select(holds).where(_own(holds)).order_by(holds.c.id, holds.c.attempt)
STRAYS: Final = union(
    *(
        select(table.c.business_id).where(table.c.business_id.not_in(select(wallets.c.business_id)))
        for table in (ledger, grants, holds, allocations, transactions, clawbacks, refunds, disputes)
    )
)
"""Businesses with books but no wallet."""

COUNTERS: Final = select(limit_counters)
COUNTED_HOLDS: Final = (
    select(
        holds.c.counters,
        holds.c.state,
        holds.c.amount,
        func.coalesce(func.sum(allocations.c.used), 0).cast(EXACT).label("used"),
    )
    .outerjoin(
        allocations,
        and_(
            allocations.c.business_id == holds.c.business_id,
            allocations.c.hold_id == holds.c.id,
            allocations.c.attempt == holds.c.attempt,
        ),
    )
    .where(holds.c.counters.is_not(None))
    .group_by(holds.c.business_id, holds.c.id, holds.c.attempt, holds.c.counters, holds.c.state, holds.c.amount)
)


PINNED_COSTS: Final = text(
    "SELECT (SELECT CAST(COALESCE(SUM(cost_bound), 0) AS BIGINT) FROM ai_credit_holds WHERE state = 'open') AS bounds, "
    "(SELECT CAST(COALESCE(SUM(held), 0) AS BIGINT) FROM ai_provider_spend WHERE per = 'day') AS days, "
    "(SELECT CAST(COALESCE(SUM(held), 0) AS BIGINT) FROM ai_provider_spend WHERE per = 'month') AS months"
)
"""What calls in progress may cost, and what the windows of the provider budget hold for them."""

_ONE: Final = literal_column("1", EXACT)
_NONE: Final = literal_column("0", EXACT)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, _ONE), else_=_NONE)).cast(EXACT)


def _sum(name: str) -> ColumnElement[int]:
    return func.sum(func.coalesce(transactions.c[name], _NONE)).cast(EXACT)


_SUMS: Final[dict[str, ColumnElement[int]]] = {
    "calls": func.count().cast(EXACT),
    "ok": _count(transactions.c.outcome == literal_column("'ok'")),
    "failed": _count(transactions.c.outcome == literal_column("'failed'")),
    "unknown": _count(transactions.c.outcome == literal_column("'unknown'")),
    "cached": _count(
        and_(transactions.c.source == literal_column("'cache'"), transactions.c.outcome == literal_column("'ok'"))
    ),
    "charged": _sum("charged"),
    "revenue_micro_ghs": _sum("revenue_micro_ghs"),
    "cost_pico_usd": _sum("cost_pico_usd"),
    "cost_micro_ghs": _sum("cost_micro_ghs"),
    "unpriced": _count(transactions.c.cost_pico_usd.is_(None)),
    "input_tokens": _sum("input_tokens"),
    "cached_tokens": _sum("cached_tokens"),
    "output_tokens": _sum("output_tokens"),
    "latency_ms": _sum("latency_ms"),
    "timed": _count(transactions.c.latency_ms.is_not(None)),
    "cacheable": _sum("cacheable"),
    "saved_pico_usd": _sum("saved_pico_usd"),
}
_KEY: Final = (transactions.c.business_id, transactions.c.day, transactions.c.feature)
_FROM_LOG: Final = (
    select(*_KEY, *(column.label(name) for name, column in _SUMS.items())).where(_own(transactions)).group_by(*_KEY)
)
DROP_USAGE: Final = delete(usage_daily).where(_own(usage_daily))
REBUILD_USAGE: Final = insert(usage_daily).from_select(["business_id", "day", "feature", *_SUMS], _FROM_LOG)

_log: Final = _FROM_LOG.subquery("log")
_kept: Final = select(usage_daily).where(_own(usage_daily)).subquery("kept")
_SAME_DAY: Final = and_(_log.c.day == _kept.c.day, _log.c.feature == _kept.c.feature)
USAGE_DIFFERENCE: Final = union(
    # In the log, but not or otherwise in the sums …
    select(_log.c.day, _log.c.feature)
    .outerjoin(_kept, _SAME_DAY)
    .where(or_(_kept.c.day.is_(None), *(_log.c[name] != _kept.c[name] for name in _SUMS))),
    # … and in the sums, but not in the log.
    select(_kept.c.day, _kept.c.feature)
    .outerjoin(_log, _SAME_DAY)
    .where(_log.c.day.is_(None), _kept.c.calls != literal_column("0")),
)
