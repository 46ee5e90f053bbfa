"""What operators look at: past days counted by time and error, orders and attempts by time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, PrimaryKeyConstraint, Text
from sqlalchemy.dialects import postgresql, sqlite

from ai_addons.billing.migrations import refuse_downgrade

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

revision: Final = "0012"
down_revision: Final = "0011"

_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Past days are counted by the next sweeps, some at a time."""
    op.create_table(
        "ai_call_days",
        *(Column(name, _TEXT, nullable=False) for name in ("day", "feature", "error")),
        *(Column(name, _EXACT, nullable=False) for name in ("cached", "under_ms", "calls")),
        PrimaryKeyConstraint("day", "feature", "error", "cached", "under_ms"),
        CheckConstraint("calls >= 0", name="ck_call_days_calls"),
        sqlite_strict=True,
    )
    op.create_index("ix_purchase_created", "ai_credit_purchases", ["created_at"])
    op.create_index("ix_attempt_created", "ai_payment_attempts", ["created_at"])


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()
