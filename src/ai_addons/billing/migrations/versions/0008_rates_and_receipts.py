"""Exchange rates that sources gave, whether a booked one was stale, and numbers of receipts.

Revision ID: 0008
Revises: 0005
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, PrimaryKeyConstraint, Text, UniqueConstraint, text
from sqlalchemy.dialects import postgresql, sqlite

from ai_addons.billing.migrations import refuse_downgrade

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem
    from sqlalchemy.types import TypeEngine

revision: Final = "0008"
down_revision: Final = "0007"

_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Every rate booked so far came from the settings, and such a one is always stale; so say the old rows too."""
    op.add_column("ai_transactions", Column("fx_stale", _EXACT, nullable=False, server_default=text("1")))
    _table(
        "ai_fx_rates",
        *(Column(name, _TEXT, nullable=False) for name in ("base", "quote", "source", "as_of")),
        Column("rate", _EXACT, nullable=False),
        Column("kind", _TEXT, nullable=False),
        Column("fetched_at", _EXACT, nullable=False),
        Column("good_at", _EXACT, nullable=True),
        Column("fault", _TEXT, nullable=True),
        Column("actor", _TEXT, nullable=True),
        PrimaryKeyConstraint("base", "quote", "source", "as_of", "rate"),
        CheckConstraint("rate > 0", name="ck_fx_rate"),
    )
    _table(
        "ai_fx_refreshes",
        *(Column(name, _TEXT, nullable=False) for name in ("base", "quote")),
        Column("next_at", _EXACT, nullable=False),
        PrimaryKeyConstraint("base", "quote"),
    )
    _table(
        "ai_receipt_series",
        *(Column(name, _TEXT, nullable=False) for name in ("seller", "series")),
        Column("last", _EXACT, nullable=False),
        PrimaryKeyConstraint("seller", "series"),
    )
    _table(
        "ai_receipt_numbers",
        *(Column(name, _TEXT, nullable=False) for name in ("seller", "series")),
        Column("number", _EXACT, nullable=False),
        Column("ref", _TEXT, nullable=False),
        Column("given_at", _EXACT, nullable=False),
        PrimaryKeyConstraint("seller", "series", "number"),
        UniqueConstraint("seller", "series", "ref", name="uq_receipt_once"),
        CheckConstraint("number > 0", name="ck_receipt_number"),
    )


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()


def _table(name: str, *items: SchemaItem) -> None:
    op.create_table(name, *items, sqlite_strict=True)
