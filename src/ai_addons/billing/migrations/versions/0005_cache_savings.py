"""Which calls the answer cache could have answered, and what it saved.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alembic import op
from sqlalchemy import BigInteger, Column, text
from sqlalchemy.dialects import sqlite

from ai_addons.billing.migrations import refuse_downgrade

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

revision: Final = "0005"
down_revision: Final = "0004"

_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")


def upgrade() -> None:
    """Add the columns; the ledger is not touched.

    Older books do not say which features had a cache. All calls with an answer
    count as if theirs had one, so a rate of hits is rather too low than too high;
    what was saved is not known and stays zero.
    """
    for table in ("ai_transactions", "ai_usage_daily"):
        for name in ("cacheable", "saved_pico_usd"):
            op.add_column(table, Column(name, _EXACT, nullable=False, server_default=text("0")))
    op.execute("UPDATE ai_transactions SET cacheable = 1 WHERE outcome = 'ok' AND source IN ('ai', 'cache')")
    op.execute(
        """UPDATE ai_usage_daily SET cacheable = (
            SELECT COUNT(*) FROM ai_transactions AS line
            WHERE line.business_id = ai_usage_daily.business_id AND line.day = ai_usage_daily.day
            AND line.feature = ai_usage_daily.feature AND line.cacheable = 1
        )"""
    )


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()
