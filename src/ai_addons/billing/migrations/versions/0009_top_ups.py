"""What owners agreed that a saved card buys by itself, and claw-backs of months of an add-on.

Revision ID: 0009
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

revision: Final = "0009"
down_revision: Final = "0008"

_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Nobody has agreed to anything yet, and every claw-back so far is of a pack."""
    op.add_column("ai_clawbacks", Column("month", _TEXT, nullable=True))
    op.create_table(
        "ai_top_ups",
        Column("business_id", _TEXT, nullable=False),
        Column("pack", _TEXT, nullable=False),
        Column("threshold", _EXACT, nullable=False),
        Column("most_price_minor", _EXACT, nullable=False),
        Column("currency", _TEXT, nullable=False),
        *(Column(name, _EXACT, nullable=False) for name in ("most_per_day", "most_per_month", "cool_down")),
        *(Column(name, _EXACT, nullable=False) for name in ("most_failures", "enabled")),
        Column("card_id", _TEXT, nullable=True),
        Column("actor", _TEXT, nullable=False),
        Column("set_at", _EXACT, nullable=False),
        PrimaryKeyConstraint("business_id"),
        CheckConstraint("threshold > 0 AND most_price_minor > 0", name="ck_top_up_amount"),
        CheckConstraint("most_per_day > 0 AND most_per_month > 0 AND most_failures > 0", name="ck_top_up_most"),
        CheckConstraint("cool_down >= 0 AND enabled IN (0, 1)", name="ck_top_up_rule"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()
