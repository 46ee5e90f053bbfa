"""The tables, with the rules the database itself keeps.

Amounts are whole micro-credits, micro-GHS or pico-USD; times are UTC
microseconds; ids are time-ordered UUIDs or the caller's own keys. On SQLite
every table is STRICT, because an ordinary column there turns a decimal into an
8-byte float without a word.
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
    TypeDecorator,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.schema import SchemaItem
    from sqlalchemy.types import TypeEngine

SCHEMA_VERSION: Final = 1
_LIMIT: Final = 2**63

metadata: Final = MetaData()


class Exact(TypeDecorator[int]):
    """A whole number of 64 bits; anything else is refused before it reaches the driver.

    A STRICT column still takes ``1.0`` and ``'5'``, so the check stands here.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
    cache_ok: bool | None = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        """Let whole numbers pass.

        Raises:
            TypeError: For a float, a bool, text or a Decimal.
            OverflowError: For a number beyond 64 bits.
        """
        del dialect
        if value is None:
            return None
        if type(value) is not int:
            msg = f"amounts and times are stored as whole numbers, not {type(value).__name__}"
            raise TypeError(msg)
        if not -_LIMIT <= value < _LIMIT:
            msg = "this number is beyond what the store can hold (64 bits); nothing was booked"
            raise OverflowError(msg)
        return value


def _exact(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    server = None if default is None else text(str(default))
    return Column(name, Exact, nullable=null, server_default=server)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _table(name: str, *items: SchemaItem) -> Table:
    return Table(name, metadata, *items, sqlite_strict=True)


schema_version: Final = _table("ai_schema", _exact("version"), PrimaryKeyConstraint("version"))
"""One row: the version these tables were made by."""

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
    PrimaryKeyConstraint("business_id"),
    CheckConstraint("0 <= held AND held <= posted", name="ck_wallet_never_overdrawn"),
    CheckConstraint("status IN ('active', 'suspended', 'closed')", name="ck_wallet_status"),
    Index(
        "ix_wallet_due",
        "next_due_at",
        sqlite_where=text("next_due_at IS NOT NULL"),
        postgresql_where=text("next_due_at IS NOT NULL"),
    ),
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
    _exact("unit_price", default=0),
    _exact("effective_at"),
    _exact("expires_at", null=True),
    PrimaryKeyConstraint("business_id", "id"),
    UniqueConstraint("business_id", "source", "source_ref", name="uq_grant_once"),
    CheckConstraint("amount > 0", name="ck_grant_amount"),
    CheckConstraint("0 <= held AND held <= remaining AND remaining <= amount", name="ck_grant_never_overdrawn"),
    Index(
        "ix_grant_burn",
        "business_id",
        "expires_at",
        "priority",
        "id",
        sqlite_where=text("remaining > 0"),
        postgresql_where=text("remaining > 0"),
    ),
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
    PrimaryKeyConstraint("business_id", "id", "attempt"),
    CheckConstraint("amount > 0 AND attempt > 0", name="ck_hold_amount"),
    CheckConstraint("0 <= captured AND captured <= amount", name="ck_hold_captured"),
    CheckConstraint("state IN ('open', 'captured', 'void', 'expired')", name="ck_hold_state"),
    Index(
        "ix_hold_open",
        "business_id",
        "expires_at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
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
    PrimaryKeyConstraint("business_id", "id", "attempt"),
    CheckConstraint("outcome IN ('ok', 'failed', 'unknown')", name="ck_transaction_outcome"),
    CheckConstraint("charged >= 0", name="ck_transaction_charged"),
    CheckConstraint("cost_pico_usd IS NULL OR cost_pico_usd >= 0", name="ck_transaction_cost"),
    CheckConstraint("(cost_pico_usd IS NULL) = (cost_micro_ghs IS NULL)", name="ck_transaction_cost_pair"),
    Index("ix_transaction_time", "business_id", "at", "id"),
)

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
    PrimaryKeyConstraint("key_hmac"),
)
"""Who had a trial, as keyed hashes only; no reference to the business, so it outlives it."""

for _verb in ("UPDATE", "DELETE"):
    event.listen(
        ledger,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy leaves this constructor unannotated
            f"CREATE TRIGGER ai_ledger_no_{_verb.lower()} BEFORE {_verb} ON ai_ledger "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is never changed; book a reversal'); END"
        ).execute_if(dialect="sqlite"),
    )
