"""Orders of credits, attempts to pay them, what gateways say, and what does not fit.

Revision ID: 0006
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

revision: Final = "0006"
down_revision: Final = "0005"

_EXACT: Final[TypeEngine[Any]] = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_TEXT: Final[TypeEngine[str]] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def _exact(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    return Column(name, _EXACT, nullable=null, server_default=None if default is None else text(str(default)))


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, _TEXT, nullable=null)


def _make(name: str, *items: SchemaItem) -> None:
    op.create_table(name, *items, sqlite_strict=True)


def _index(name: str, table: str, *columns: str, where: str | None = None, unique: bool = False) -> None:
    condition = None if where is None else text(where)
    op.create_index(name, table, list(columns), unique=unique, sqlite_where=condition, postgresql_where=condition)


def upgrade() -> None:
    """Make the tables; orders that a host kept elsewhere stay there."""
    _make_orders()
    _make_messages()
    _make_indexes()


def _make_orders() -> None:
    _make(
        "ai_credit_purchases",
        _text("business_id"),
        _text("id"),
        _text("user_id", null=True),
        _text("kind"),
        _text("pack", null=True),
        _text("pack_version", null=True),
        _exact("price_minor"),
        _text("currency"),
        _exact("credits"),
        _exact("bonus", default=0),
        _text("state"),
        _text("key", null=True),
        _text("request_hash"),
        _text("gateway", null=True),
        _text("method", null=True),
        _text("email"),
        _text("subscription_id", null=True),
        _exact("period", null=True),
        _exact("created_at"),
        _exact("paid_at", null=True),
        _text("paid_reference", null=True),
        _exact("ended_at", null=True),
        _text("receipt_number", null=True),
        PrimaryKeyConstraint("business_id", "id"),
        UniqueConstraint("business_id", "key", name="uq_purchase_once"),
        CheckConstraint("kind IN ('pack', 'custom', 'addon', 'addon_renewal')", name="ck_purchase_kind"),
        CheckConstraint("price_minor > 0 AND 0 <= bonus AND bonus < credits", name="ck_purchase_amount"),
        CheckConstraint(
            "state IN ('pending', 'failed', 'abandoned', 'quarantined', 'successful', 'partially_refunded', "
            "'refunded', 'disputed')",
            name="ck_purchase_state",
        ),
        CheckConstraint(
            "(paid_at IS NULL) = (state IN ('pending', 'failed', 'abandoned', 'quarantined')) "
            "AND (paid_at IS NULL) = (paid_reference IS NULL)",
            name="ck_purchase_paid",
        ),
        CheckConstraint(
            "(kind IN ('addon', 'addon_renewal')) = (subscription_id IS NOT NULL) "
            "AND (subscription_id IS NULL) = (period IS NULL)",
            name="ck_purchase_addon",
        ),
    )
    _make(
        "ai_payment_attempts",
        _text("reference"),
        _text("business_id"),
        _text("order_id"),
        _text("gateway"),
        _text("method", null=True),
        _text("state"),
        _exact("amount_minor"),
        _text("currency"),
        _exact("live"),
        _text("url", null=True),
        _text("next_step", null=True),
        _text("outcome", null=True),
        _text("raw_status", null=True),
        _text("reason", null=True),
        _exact("fees_minor", null=True),
        _exact("surplus_minor", default=0),
        _exact("fx_rate", null=True),
        _text("fx_date", null=True),
        _text("fx_source", null=True),
        _exact("created_at"),
        _exact("checked_at", null=True),
        PrimaryKeyConstraint("reference"),
        CheckConstraint("state IN ('started', 'open', 'paid', 'failed', 'quarantined')", name="ck_attempt_state"),
        CheckConstraint("amount_minor > 0 AND surplus_minor >= 0", name="ck_attempt_amount"),
    )


def _make_messages() -> None:
    _make(
        "ai_gateway_events",
        _text("gateway"),
        _text("key"),
        _text("name"),
        _text("topic", null=True),
        _text("reference", null=True),
        _text("body"),
        _exact("received_at"),
        _exact("seen", default=1),
        _exact("tries", default=0),
        _exact("next_at", null=True),
        _exact("processed_at", null=True),
        _text("error", null=True),
        PrimaryKeyConstraint("gateway", "key"),
        CheckConstraint("(next_at IS NULL) = (processed_at IS NOT NULL)", name="ck_gateway_event_due"),
    )
    _make(
        "ai_payment_quarantine",
        _text("business_id"),
        _text("id"),
        _text("order_id"),
        _text("reference"),
        _text("reason"),
        _exact("expected_minor"),
        _text("expected_currency"),
        _exact("paid_minor", null=True),
        _text("paid_currency", null=True),
        _exact("paid_live", null=True),
        _exact("opened_at"),
        _text("resolution", null=True),
        _text("actor", null=True),
        _text("note", null=True),
        _exact("resolved_at", null=True),
        PrimaryKeyConstraint("business_id", "id"),
        UniqueConstraint("reference", name="uq_quarantine_once"),
        CheckConstraint("resolution IN ('released', 'refunded')", name="ck_quarantine_resolution"),
        CheckConstraint(
            "(resolution IS NULL) = (resolved_at IS NULL) AND (resolution IS NULL) = (actor IS NULL)",
            name="ck_quarantine_resolved",
        ),
    )
    _make(
        "ai_saved_cards",
        _text("business_id"),
        _text("id"),
        _text("gateway"),
        _text("code"),
        _text("email"),
        _text("brand"),
        _text("last4"),
        _text("expires"),
        _exact("saved_at"),
        PrimaryKeyConstraint("business_id", "id"),
        UniqueConstraint("business_id", "gateway", "code", name="uq_card_once"),
    )


def _make_indexes() -> None:
    _index("ix_purchase_pending", "ai_credit_purchases", "created_at", "id", where="state = 'pending'")
    _index(
        "uq_purchase_period",
        "ai_credit_purchases",
        "business_id",
        "subscription_id",
        "period",
        where="state = 'pending'",
        unique=True,
    )
    _index("ix_attempt_order", "ai_payment_attempts", "business_id", "order_id", "created_at")
    _index("uq_attempt_paid", "ai_payment_attempts", "business_id", "order_id", where="state = 'paid'", unique=True)
    _index(
        "ix_attempt_unpaid",
        "ai_payment_attempts",
        "created_at",
        "reference",
        where="state IN ('started', 'open')",
    )
    _index("ix_gateway_event_due", "ai_gateway_events", "next_at", "gateway", "key", where="next_at IS NOT NULL")
    _index("ix_quarantine_open", "ai_payment_quarantine", "opened_at", "id", where="resolved_at IS NULL")


def downgrade() -> None:
    """Refuse."""
    refuse_downgrade()
