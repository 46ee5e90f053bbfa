"""What users say of results.

Revision ID: 0010
Revises: 0008
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, PrimaryKeyConstraint, Text
from sqlalchemy.dialects import postgresql, sqlite

from ai_addons.billing.migrations import refuse_downgrade

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

revision: Final = "0010"
down_revision: Final = "0008"

_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """A table of its own: nothing that is booked changes."""
    op.create_table(
        "ai_feedback",
        *(Column(name, _TEXT, nullable=False) for name in ("business_id", "transaction_id", "user_id", "feature")),
        Column("rating", _EXACT, nullable=True),
        Column("recommend", _EXACT, nullable=True),
        Column("comment", _TEXT, nullable=True),
        Column("at", _EXACT, nullable=False),
        PrimaryKeyConstraint("business_id", "transaction_id", "user_id"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="ck_feedback_rating"),
        CheckConstraint("recommend BETWEEN 0 AND 10", name="ck_feedback_recommend"),
        CheckConstraint("rating IS NOT NULL OR recommend IS NOT NULL", name="ck_feedback_says_something"),
        sqlite_strict=True,
    )
    op.create_index("ix_feedback_at", "ai_feedback", ["at"])


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()
