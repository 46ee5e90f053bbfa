"""A random salt per business, without which its pseudonyms cannot be made.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alembic import op
from sqlalchemy import BigInteger, Column, MetaData, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects import postgresql, sqlite

from ai_addons.billing.migrations import refuse_downgrade

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

revision: Final = "0003"
down_revision: Final = "0002"

_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

_salts: Final = Table(
    "ai_pseudonym_salts",
    MetaData(),
    Column("business_id", _TEXT, nullable=False),
    Column("salt", _TEXT, nullable=False),
    Column("made_at", _EXACT, nullable=False),
    PrimaryKeyConstraint("business_id"),
    sqlite_strict=True,
)


def upgrade() -> None:
    """Make the table; salts come with the first pseudonyms."""
    _salts.create(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()
