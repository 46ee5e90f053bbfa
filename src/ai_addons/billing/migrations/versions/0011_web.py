"""Requests counted and answers kept for the web, and when a gateway was asked about an attempt last.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, PrimaryKeyConstraint, Text
from sqlalchemy.dialects import postgresql, sqlite

from ai_addons.billing.migrations import refuse_downgrade

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

revision: Final = "0011"
down_revision: Final = "0010"

_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the tables and the column; nothing was counted or kept before."""
    op.add_column("ai_payment_attempts", Column("asked_at", _EXACT, nullable=True))
    op.create_table(
        "ai_web_rates",
        *(Column(name, _TEXT, nullable=False) for name in ("business_id", "user_id", "action")),
        *(Column(name, _EXACT, nullable=False) for name in ("starts_at", "used")),
        PrimaryKeyConstraint("business_id", "user_id", "action"),
        CheckConstraint("used >= 0", name="ck_web_rate_used"),
        sqlite_strict=True,
    )
    op.create_table(
        "ai_web_replies",
        *(Column(name, _TEXT, nullable=False) for name in ("business_id", "key", "request_hash")),
        *(Column(name, _EXACT, nullable=False) for name in ("begun_at", "expires_at")),
        Column("status", _EXACT, nullable=True),
        Column("body", _TEXT, nullable=True),
        PrimaryKeyConstraint("business_id", "key"),
        CheckConstraint("(status IS NULL) = (body IS NULL)", name="ck_web_reply_whole"),
        sqlite_strict=True,
    )
    op.create_index("ix_web_reply_expiry", "ai_web_replies", ["expires_at"])


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()
