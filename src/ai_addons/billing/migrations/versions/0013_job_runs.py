"""When each job was last done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, PrimaryKeyConstraint, Text
from sqlalchemy.dialects import postgresql, sqlite

from ai_addons.billing.migrations import refuse_downgrade

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

revision: Final = "0013"
down_revision: Final = "0012"

_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Empty at first: a job counts as never done until it ends once more."""
    op.create_table(
        "ai_job_runs",
        Column("job", _TEXT, nullable=False),
        Column("ended_at", _EXACT, nullable=False),
        Column("took_us", _EXACT, nullable=False),
        PrimaryKeyConstraint("job"),
        CheckConstraint("took_us >= 0", name="ck_job_run_took"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()
