"""What models cost in each day and month, for the provider budget.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects import postgresql, sqlite

from ai_addons.billing.migrations import refuse_downgrade

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

revision: Final = "0004"
down_revision: Final = "0003"

_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_COUNTED: Final = {"held": "0", "used": "0", "warned": "-1", "stopped": "-1"}
_TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Count from now on; what was spent before stands in the call log."""
    op.add_column("ai_credit_holds", Column("cost_bound", _EXACT, nullable=True))
    op.create_table(
        "ai_provider_spend",
        Column("per", _TEXT, nullable=False),
        Column("starts_at", _EXACT, nullable=False),
        Column("stripe", _EXACT, nullable=False),
        *(Column(name, _EXACT, nullable=False, server_default=text(first)) for name, first in _COUNTED.items()),
        PrimaryKeyConstraint("per", "starts_at", "stripe"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()
