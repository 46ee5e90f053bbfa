"""Wallets: credits, what they are held for, and the ledger."""

from __future__ import annotations

from typing import Final

from sqlalchemy import DDL, CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, event

from ai_addons.billing.schema.columns import exact, string, table, where

wallets: Final = table(
    "business_ai_credits",
    string("business_id"),
    exact("posted", default=0),
    exact("held", default=0),
    exact("lifetime_in", default=0),
    exact("lifetime_used", default=0),
    exact("next_due_at", null=True),
    exact("seq", default=0),
    string("chain_head"),
    exact("booked_at", default=0),
    string("status"),
    string("policy", null=True),
    string("tz", default="Africa/Accra"),
    exact("anchor_at", default=0),
    exact("period", default=-1),
    exact("alert_armed", default=0),
    exact("alert_fired_at", null=True),
    exact("claims", default=0),
    PrimaryKeyConstraint("business_id"),
    CheckConstraint("0 <= held AND held <= posted", name="ck_wallet_never_overdrawn"),
    CheckConstraint("status IN ('active', 'suspended', 'closed')", name="ck_wallet_status"),
    Index("ix_wallet_due", "next_due_at", **where("next_due_at IS NOT NULL")),
)

grants: Final = table(
    "ai_credit_grants",
    string("business_id"),
    string("id"),
    string("source"),
    string("source_ref"),
    exact("amount"),
    exact("remaining"),
    exact("held", default=0),
    exact("priority"),
    exact("effective_at"),
    exact("expires_at", null=True),
    exact("paid", default=0),
    string("features", null=True),
    exact("voided_at", null=True),
    PrimaryKeyConstraint("business_id", "id"),
    UniqueConstraint("business_id", "source", "source_ref", name="uq_grant_once"),
    CheckConstraint("amount > 0 AND paid >= 0", name="ck_grant_amount"),
    CheckConstraint("0 <= held AND held <= remaining AND remaining <= amount", name="ck_grant_never_overdrawn"),
    Index("ix_grant_burn", "business_id", "expires_at", "priority", "id", **where("remaining > 0")),
)

holds: Final = table(
    "ai_credit_holds",
    string("business_id"),
    string("id"),
    exact("attempt"),
    exact("amount"),
    exact("captured", default=0),
    string("feature"),
    string("user_id", null=True),
    string("state"),
    string("request_hash"),
    exact("created_at"),
    exact("expires_at"),
    exact("closed_at", null=True),
    string("price_version", null=True),
    string("counters", null=True),
    exact("cost_bound", null=True),
    PrimaryKeyConstraint("business_id", "id", "attempt"),
    CheckConstraint("amount > 0 AND attempt > 0", name="ck_hold_amount"),
    CheckConstraint("0 <= captured AND captured <= amount", name="ck_hold_captured"),
    CheckConstraint("state IN ('open', 'captured', 'void', 'expired')", name="ck_hold_state"),
    Index("ix_hold_open", "business_id", "expires_at", **where("state = 'open'")),
)

allocations: Final = table(
    "ai_hold_allocations",
    string("business_id"),
    string("hold_id"),
    exact("attempt"),
    string("grant_id"),
    exact("amount"),
    exact("used", default=0),
    PrimaryKeyConstraint("business_id", "hold_id", "attempt", "grant_id"),
    CheckConstraint("0 <= used AND used <= amount", name="ck_allocation_used"),
)

ledger: Final = table(
    "ai_ledger",
    string("business_id"),
    exact("seq"),
    string("kind"),
    string("debit"),
    string("credit"),
    exact("amount"),
    string("ref"),
    exact("balance_after"),
    exact("effective_at"),
    exact("booked_at"),
    string("hash"),
    PrimaryKeyConstraint("business_id", "seq"),
    UniqueConstraint("business_id", "kind", "ref", name="uq_ledger_once"),
    CheckConstraint("amount > 0", name="ck_ledger_amount"),
    CheckConstraint("debit <> credit", name="ck_ledger_two_accounts"),
    CheckConstraint("balance_after >= 0", name="ck_ledger_balance"),
)

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
