"""The tables of the first release.

Revision ID: 0001
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import sqlite

from ai_addons.billing.migrations import refuse_downgrade

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem
    from sqlalchemy.types import TypeEngine

revision: Final = "0001"
down_revision: Final = None

_metadata: Final = MetaData()
_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")


def upgrade() -> None:
    """Make the tables in an empty database, as the first release did."""
    connection = op.get_bind()
    _metadata.create_all(connection, checkfirst=False)
    op.execute("INSERT INTO ai_schema (version) VALUES (1)")
    if connection.dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ai_ledger_no_{verb.lower()} BEFORE {verb} ON ai_ledger "
                f"BEGIN SELECT RAISE(ABORT, 'the ledger is never changed; book a reversal'); END"
            )


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()


def _exact(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    server = None if default is None else text(str(default))
    return Column(name, _EXACT, nullable=null, server_default=server)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _table(name: str, *items: SchemaItem) -> None:
    Table(name, _metadata, *items, sqlite_strict=True)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


_table("ai_schema", _exact("version"), PrimaryKeyConstraint("version"))

_table(
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
        **_where("next_due_at IS NOT NULL"),
    ),
)

_table(
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
        **_where("remaining > 0"),
    ),
)

_table(
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
        **_where("state = 'open'"),
    ),
)

_table(
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

_table(
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

_table(
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

_table(
    "ai_call_results",
    _text("business_id"),
    _text("id"),
    _text("answers"),
    _exact("expires_at"),
    PrimaryKeyConstraint("business_id", "id"),
    Index("ix_result_expiry", "expires_at"),
)

_table(
    "ai_trial_claims",
    _text("key_hmac"),
    _text("kind"),
    _exact("claimed_at"),
    PrimaryKeyConstraint("key_hmac"),
)
