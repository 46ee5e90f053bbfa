"""Refunds, disputes, and what they take back.

Revision ID: 0007
Revises: 0005
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects import postgresql, sqlite

from ai_addons.billing.migrations import refuse_downgrade

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

revision: Final = "0007"
down_revision: Final = "0006"

_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def _exact(*names: str, null: bool = False) -> list[Column[Any]]:
    return [Column(name, _EXACT, nullable=null) for name in names]


def _text(*names: str, null: bool = False) -> list[Column[Any]]:
    return [Column(name, _TEXT, nullable=null) for name in names]


def upgrade() -> None:
    """Add the tables; no money went back before, as far as these books know."""
    op.add_column("business_ai_credits", Column("claims", _EXACT, nullable=False, server_default=text("0")))
    _refunds()
    _disputes()
    _clawbacks()


def _refunds() -> None:
    op.create_table(
        "ai_refunds",
        *_text("business_id", "order_id", "id"),
        *_text("gateway_id", null=True),
        *_exact("amount_minor"),
        *_text("currency", "state"),
        *_text("dispute_id", null=True),
        *_exact("created_at", "changed_at"),
        PrimaryKeyConstraint("business_id", "order_id", "id"),
        CheckConstraint("amount_minor > 0", name="ck_refund_amount"),
        CheckConstraint("state IN ('asked', 'pending', 'needs_attention', 'done', 'failed')", name="ck_refund_state"),
        sqlite_strict=True,
    )
    known = text("gateway_id IS NOT NULL")
    op.create_index(
        "uq_refund_once",
        "ai_refunds",
        ["business_id", "order_id", "gateway_id"],
        unique=True,
        sqlite_where=known,
        postgresql_where=known,
    )


def _disputes() -> None:
    op.create_table(
        "ai_disputes",
        *_text("business_id", "order_id", "id"),
        *_exact("amount_minor"),
        *_text("currency", "state"),
        *_exact("due_at", null=True),
        *_exact("created_at", "changed_at"),
        PrimaryKeyConstraint("business_id", "order_id", "id"),
        CheckConstraint("amount_minor >= 0", name="ck_dispute_amount"),
        CheckConstraint("state IN ('open', 'won', 'lost')", name="ck_dispute_state"),
        sqlite_strict=True,
    )


def _clawbacks() -> None:
    op.create_table(
        "ai_clawbacks",
        *_text("business_id", "order_id", "policy"),
        *_exact("paid_minor"),
        *_text("currency"),
        *_exact("reversed_minor", "at_risk_minor", "credits", "bonus"),
        *_exact("taken", "bonus_taken", "frozen", "bonus_frozen"),
        *_exact("lapsed", "repaid", "written_off", "owed", "forgiven", "owed_at", "suspended", "wanting"),
        PrimaryKeyConstraint("business_id", "order_id"),
        CheckConstraint("0 <= reversed_minor AND reversed_minor <= at_risk_minor", name="ck_clawback_reversed"),
        CheckConstraint("at_risk_minor <= paid_minor", name="ck_clawback_at_risk"),
        CheckConstraint("0 <= taken AND 0 <= frozen AND taken + frozen <= credits", name="ck_clawback_credits"),
        CheckConstraint("0 <= bonus_taken AND 0 <= bonus_frozen", name="ck_clawback_bonus_amount"),
        CheckConstraint("bonus_taken + bonus_frozen <= bonus", name="ck_clawback_bonus"),
        CheckConstraint("lapsed >= 0 AND repaid >= 0", name="ck_clawback_otherwise"),
        CheckConstraint("written_off >= 0 AND owed >= 0 AND forgiven >= 0", name="ck_clawback_shortfall"),
        CheckConstraint("policy IN ('clamp', 'debt', 'suspend')", name="ck_clawback_policy"),
        sqlite_strict=True,
    )
    wanting = text("wanting = 1")
    op.create_index(
        "ix_clawback_wanting", "ai_clawbacks", ["business_id"], sqlite_where=wanting, postgresql_where=wanting
    )


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()
