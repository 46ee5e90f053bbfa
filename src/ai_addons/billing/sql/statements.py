"""Every statement of the books, built once; SQLAlchemy compiles each at its first use and keeps it.

``business`` names the wallet in all of them. In an UPDATE the other parameters
that are columns are what is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, delete, exists, func, insert, literal_column, select, union, update
from sqlalchemy.dialects import sqlite

from ai_addons.billing.schema import (
    allocations,
    grants,
    holds,
    ledger,
    results,
    schema_version,
    transactions,
    trial_claims,
    wallets,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select, Table


def _own(table: Table) -> ColumnElement[bool]:
    return table.c.business_id == bindparam("business")


def _this(table: Table) -> ColumnElement[bool]:
    """A hold or its line in the call log, named by key and attempt."""
    return and_(_own(table), table.c.id == bindparam("key"), table.c.attempt == bindparam("number"))


def _under_key(table: Table) -> ColumnElement[bool]:
    return and_(_own(table), table.c.id == bindparam("key"))


# Written out rather than bound: a partial index is only used for the very condition it was made with.
_OPEN: Final = holds.c.state == literal_column("'open'")
_LEFT: Final = grants.c.remaining > literal_column("0")

_LOGGED: Final = and_(
    transactions.c.business_id == holds.c.business_id,
    transactions.c.id == holds.c.id,
    transactions.c.attempt == holds.c.attempt,
)

VERSION: Final = select(schema_version.c.version)
SET_VERSION: Final = insert(schema_version)

# Wallets.
WALLET: Final = select(wallets).where(_own(wallets))
ADD_WALLET: Final = insert(wallets)
SAVE_WALLET: Final = update(wallets).where(_own(wallets))
WALLETS: Final = select(wallets).order_by(wallets.c.business_id)
WALLETS_DUE: Final = select(wallets.c.business_id).where(wallets.c.next_due_at <= bindparam("now"))

# Grants and what holds take from them.
GRANT: Final = select(grants).where(
    _own(grants), grants.c.source == bindparam("source"), grants.c.source_ref == bindparam("ref")
)
GRANTS_LEFT: Final = select(grants).where(_own(grants), _LEFT)
ADD_GRANT: Final = insert(grants)
MOVE_GRANT: Final = (
    update(grants)
    .where(_own(grants), grants.c.id == bindparam("grant"))
    .values(held=grants.c.held + bindparam("pinned"), remaining=grants.c.remaining + bindparam("kept"))
)
ADD_SHARE: Final = insert(allocations)
SHARES: Final = (
    select(allocations.c.grant_id, allocations.c.amount)
    .join(grants, and_(grants.c.business_id == allocations.c.business_id, grants.c.id == allocations.c.grant_id))
    .where(_own(allocations), allocations.c.hold_id == bindparam("key"), allocations.c.attempt == bindparam("number"))
    .order_by(grants.c.expires_at.is_(None), grants.c.expires_at, grants.c.priority, grants.c.id)
)
USE_SHARE: Final = (
    update(allocations)
    .where(
        _own(allocations),
        allocations.c.hold_id == bindparam("key"),
        allocations.c.attempt == bindparam("number"),
        allocations.c.grant_id == bindparam("grant"),
    )
    .values(used=bindparam("burnt"))
)
_late: Final = sqlite.insert(allocations)
BURN_LATE: Final = _late.on_conflict_do_update(
    index_elements=["business_id", "hold_id", "attempt", "grant_id"],
    set_={"used": _late.excluded.used, "amount": func.max(allocations.c.amount, _late.excluded.used)},
)

# Ledger.
ADD_ENTRY: Final = insert(ledger)
LEDGER: Final = select(ledger).where(_own(ledger)).order_by(ledger.c.seq)

# Holds.
ADD_HOLD: Final = insert(holds)
CLOSE_HOLD: Final = update(holds).where(_this(holds), holds.c.amount == bindparam("agreed"), _OPEN)
HOLD: Final = (
    select(holds.c.state, holds.c.amount, transactions.c.outcome, transactions.c.charged)
    .outerjoin(transactions, _LOGGED)
    .where(_this(holds), holds.c.amount == bindparam("agreed"))
)
HOLDS_UNDER_KEY: Final = (
    select(holds.c.attempt, holds.c.state, holds.c.request_hash).where(_under_key(holds)).order_by(holds.c.attempt)
)
HOLDS_DUE: Final = (
    select(holds)
    .where(_own(holds), _OPEN, holds.c.expires_at <= bindparam("now"))
    .order_by(holds.c.expires_at, holds.c.id, holds.c.attempt)
)
FIRST_EXPIRY: Final = select(func.min(holds.c.expires_at)).where(_own(holds), _OPEN)

# The call log and the answers kept for a replay.
ADD_ROW: Final = insert(transactions)
SETTLE_ROW: Final = update(transactions).where(_this(transactions), transactions.c.outcome == "unknown")
ROWS_UNDER_KEY: Final = (
    select(
        transactions.c.attempt,
        transactions.c.request_hash,
        transactions.c.outcome,
        transactions.c.charged,
        transactions.c.model,
    )
    .where(_under_key(transactions))
    .order_by(transactions.c.attempt)
)
TRANSACTIONS: Final = (
    select(transactions)
    .where(_own(transactions))
    .order_by(transactions.c.at, transactions.c.id, transactions.c.attempt)
)
_kept: Final = sqlite.insert(results)
KEEP_ANSWERS: Final = _kept.on_conflict_do_update(
    index_elements=["business_id", "id"],
    set_={"answers": _kept.excluded.answers, "expires_at": _kept.excluded.expires_at},
)
ANSWERS: Final = select(results.c.answers).where(_under_key(results), results.c.expires_at > bindparam("now"))
DROP_ANSWERS: Final = delete(results).where(results.c.expires_at <= bindparam("now"))

# Trials.
CLAIMED: Final = select(exists().where(trial_claims.c.key_hmac.in_(bindparam("keys", expanding=True))))
ADD_CLAIM: Final = insert(trial_claims)


def _total(column: ColumnElement[int], *where: ColumnElement[bool]) -> Select[int]:
    return select(func.coalesce(func.sum(column), 0)).where(*where)


# What the doctor adds up.
CREDITED: Final = _total(ledger.c.amount, _own(ledger), ledger.c.credit == "wallet")
DEBITED: Final = _total(ledger.c.amount, _own(ledger), ledger.c.debit == "wallet")
USAGE: Final = _total(ledger.c.amount, _own(ledger), ledger.c.kind == "usage")
HELD_OPEN: Final = _total(holds.c.amount, _own(holds), _OPEN)
GRANTED: Final = _total(grants.c.amount, _own(grants))
PINNED: Final = _total(grants.c.held, _own(grants))
REMAINING: Final = _total(grants.c.remaining, _own(grants))
CHARGED: Final = _total(transactions.c.charged, _own(transactions))
GRANT_USE: Final = (
    select(
        grants.c.id,
        (grants.c.amount - grants.c.remaining).label("gone"),
        func.coalesce(func.sum(allocations.c.used), 0).label("used"),
    )
    .outerjoin(
        allocations, and_(allocations.c.business_id == grants.c.business_id, allocations.c.grant_id == grants.c.id)
    )
    .where(_own(grants))
    .group_by(grants.c.id, grants.c.amount, grants.c.remaining)
)
GRANTS_UNBOOKED: Final = (
    select(grants.c.id)
    .outerjoin(
        ledger,
        and_(
            ledger.c.business_id == grants.c.business_id,
            ledger.c.kind == "grant",
            ledger.c.ref == grants.c.source + ":" + grants.c.source_ref,
            ledger.c.amount == grants.c.amount,
        ),
    )
    .where(_own(grants), ledger.c.seq.is_(None))
)
USAGE_UNLOGGED: Final = (
    select(ledger.c.seq)
    .outerjoin(
        transactions,
        and_(
            transactions.c.business_id == ledger.c.business_id,
            transactions.c.id == ledger.c.ref,
            transactions.c.charged == ledger.c.amount,
        ),
    )
    .where(_own(ledger), ledger.c.kind == "usage", transactions.c.id.is_(None))
)
HOLD_SPREAD: Final = (
    select(
        holds.c.id,
        holds.c.attempt,
        holds.c.state,
        holds.c.amount,
        holds.c.captured,
        func.coalesce(func.sum(allocations.c.amount), 0).label("spread"),
        func.coalesce(func.sum(allocations.c.used), 0).label("used"),
        transactions.c.charged,
    )
    .outerjoin(
        allocations,
        and_(
            allocations.c.business_id == holds.c.business_id,
            allocations.c.hold_id == holds.c.id,
            allocations.c.attempt == holds.c.attempt,
        ),
    )
    .outerjoin(transactions, _LOGGED)
    .where(_own(holds))
    .group_by(holds.c.id, holds.c.attempt, holds.c.state, holds.c.amount, holds.c.captured, transactions.c.charged)
    .order_by(holds.c.id, holds.c.attempt)
)
STRAYS: Final = union(
    *(
        select(table.c.business_id).where(table.c.business_id.not_in(select(wallets.c.business_id)))
        for table in (ledger, grants, holds, allocations)
    )
)
"""Businesses with books but no wallet."""
