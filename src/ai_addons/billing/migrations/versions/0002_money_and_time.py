"""What was paid for each grant, sums per day, months, prices, limits, the outbox and the audit log.

Revision ID: 0002
Revises: 0001
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
    inspect,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from ai_addons.billing.migrations import refuse_downgrade

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.schema import SchemaItem
    from sqlalchemy.types import TypeEngine

revision: Final = "0002"
down_revision: Final = "0001"

_metadata: Final = MetaData()
_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

# Of the first release.
_TABLES: Final = (
    "business_ai_credits",
    "ai_credit_grants",
    "ai_credit_holds",
    "ai_hold_allocations",
    "ai_ledger",
    "ai_transactions",
    "ai_call_results",
    "ai_trial_claims",
)

# Ghana keeps UTC all the year.
_DAY: Final = {
    "sqlite": "date(at / 1000000, 'unixepoch')",
    "postgresql": "to_char(to_timestamp(at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}

_REFUSE: Final = (
    "CREATE OR REPLACE FUNCTION ai_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the ledger is never changed; book a reversal' USING ERRCODE = 'restrict_violation'; "
    "END $$"
)
_GUARD: Final = (
    "CREATE TRIGGER ai_ledger_no_change BEFORE UPDATE OR DELETE ON ai_ledger "
    "FOR EACH ROW EXECUTE FUNCTION ai_ledger_refuse()"
)


def upgrade() -> None:
    """Change the tables and fill in what follows from what they hold; the ledger's rows are not touched."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        _sort_as_bytes(connection)
        _guard_ledger()
        _index_time()
    _add_columns()
    _fill(connection.dialect.name)
    _forget_unit_price(connection)
    for table in _metadata.sorted_tables:
        if table is not _grants:
            table.create(connection, checkfirst=False)
    _sum_days()
    # The first release looks here, and refuses what is newer than itself.
    op.execute("UPDATE ai_schema SET version = 2")


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()


def _exact(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    server = None if default is None else text(str(default))
    return Column(name, _EXACT, nullable=null, server_default=server)


def _text(name: str, *, null: bool = False, default: str | None = None) -> Column[str]:
    server = None if default is None else text(f"'{default}'")
    return Column(name, _TEXT, nullable=null, server_default=server)


def _table(name: str, *items: SchemaItem) -> Table:
    return Table(name, _metadata, *items, sqlite_strict=True)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _sort_as_bytes(connection: Connection) -> None:
    """Compare and sort all text as SQLite does, whatever language the server speaks."""
    found = inspect(connection)
    for table in _TABLES:
        names = [column["name"] for column in found.get_columns(table) if isinstance(column["type"], Text)]
        changes = ", ".join(f'ALTER COLUMN "{name}" TYPE TEXT COLLATE "C"' for name in names)
        op.execute(f"ALTER TABLE {table} {changes}")


def _guard_ledger() -> None:
    """Keep the ledger as SQLite's triggers do since the first release."""
    op.execute(_REFUSE)
    op.execute(_GUARD)


def _index_time() -> None:
    op.create_index("ix_transaction_at", "ai_transactions", ["at"], postgresql_using="brin")


def _add_columns() -> None:
    added: dict[str, tuple[Column[Any], ...]] = {
        "business_ai_credits": (
            _text("policy", null=True),
            _text("tz", default="Africa/Accra"),
            _exact("anchor_at", default=0),
            _exact("period", default=-1),
            _exact("alert_armed", default=0),
            _exact("alert_fired_at", null=True),
        ),
        "ai_credit_grants": (_exact("paid", default=0), _text("features", null=True), _exact("voided_at", null=True)),
        "ai_credit_holds": (_text("price_version", null=True), _text("counters", null=True)),
        "ai_transactions": (
            _text("day", default="1970-01-01"),
            _exact("revenue_micro_ghs", default=0),
            _text("price_version", null=True),
        ),
        "ai_trial_claims": (_exact("key_version", default=1),),
    }
    for table, columns in added.items():
        for column in columns:
            op.add_column(table, column)


def _worth(amount: str) -> str:
    """Micro-GHS paid for an amount, ``amount * unit_price / 10^6`` rounded down, in steps that fit 64 bits.

    SQLite turns a product beyond them into a float without a word.
    """
    return (
        f"{amount} / 1000000 * unit_price + {amount} % 1000000 * (unit_price / 1000000) "
        f"+ {amount} % 1000000 * (unit_price % 1000000) / 1000000"
    )


def _fill(dialect: str) -> None:
    """Fill the new columns from the old books, as well as those tell."""
    op.execute(f"UPDATE ai_credit_grants SET paid = {_worth('amount')}")  # noqa: S608  # a constant
    op.execute(
        f"""UPDATE ai_transactions SET day = {_DAY[dialect]}, revenue_micro_ghs = COALESCE((
            SELECT CAST(SUM({_worth("used")}) AS BIGINT)
            FROM ai_hold_allocations AS share
            JOIN ai_credit_grants AS payer ON payer.business_id = share.business_id AND payer.id = share.grant_id
            WHERE share.business_id = ai_transactions.business_id AND share.hold_id = ai_transactions.id
            AND share.attempt = ai_transactions.attempt
        ), 0)"""  # noqa: S608  # constants
    )
    op.execute(
        """UPDATE business_ai_credits SET anchor_at = COALESCE((
            SELECT first.booked_at FROM ai_ledger AS first
            WHERE first.business_id = business_ai_credits.business_id AND first.seq = 1
        ), 0)"""
    )


def _forget_unit_price(connection: Connection) -> None:
    op.drop_column("ai_credit_grants", "unit_price")
    if connection.dialect.name == "postgresql":
        op.drop_constraint("ck_grant_amount", "ai_credit_grants")
        op.create_check_constraint("ck_grant_amount", "ai_credit_grants", "amount > 0 AND paid >= 0")
        return
    # SQLite cannot change a constraint, so the rows move to a new table.
    op.rename_table("ai_credit_grants", "ai_credit_grants_0001")
    op.drop_index("ix_grant_burn")
    _grants.create(connection, checkfirst=False)
    names = ", ".join(column.name for column in _grants.c)
    op.execute(f"INSERT INTO ai_credit_grants ({names}) SELECT {names} FROM ai_credit_grants_0001")  # noqa: S608  # constants
    op.drop_table("ai_credit_grants_0001")


def _sum_days() -> None:
    """Add up the call log per day, as every later call adds to it."""
    op.execute(
        """INSERT INTO ai_usage_daily (
            business_id, day, feature, calls, ok, failed, unknown, cached, charged, revenue_micro_ghs,
            cost_pico_usd, cost_micro_ghs, unpriced, input_tokens, cached_tokens, output_tokens, latency_ms, timed
        )
        SELECT business_id, day, feature, COUNT(*),
            COUNT(CASE WHEN outcome = 'ok' THEN 1 END),
            COUNT(CASE WHEN outcome = 'failed' THEN 1 END),
            COUNT(CASE WHEN outcome = 'unknown' THEN 1 END),
            COUNT(CASE WHEN source = 'cache' THEN 1 END),
            SUM(charged), SUM(revenue_micro_ghs),
            COALESCE(SUM(cost_pico_usd), 0), COALESCE(SUM(cost_micro_ghs), 0), COUNT(*) - COUNT(cost_pico_usd),
            COALESCE(SUM(input_tokens), 0), COALESCE(SUM(cached_tokens), 0), COALESCE(SUM(output_tokens), 0),
            COALESCE(SUM(latency_ms), 0), COUNT(latency_ms)
        FROM ai_transactions GROUP BY business_id, day, feature"""
    )


_grants: Final = _table(
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

_table(
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
        )
    ),
    PrimaryKeyConstraint("business_id", "day", "feature"),
)

_table(
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

_table(
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

_table(
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

_table(
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

_table(
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

_table(
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

_table(
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

_table(
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
