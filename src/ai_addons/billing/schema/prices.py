"""Prices and packs that were published."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, PrimaryKeyConstraint

from ai_addons.billing.schema.columns import exact, string, table

price_versions: Final = table(
    "ai_price_versions",
    string("feature"),
    exact("effective_from"),
    exact("credits"),
    exact("quantum"),
    exact("expected_cost", null=True),
    exact("loss_leader", default=0),
    exact("published_at"),
    string("actor"),
    PrimaryKeyConstraint("feature", "effective_from"),
    CheckConstraint("credits >= 0 AND quantum > 0", name="ck_price_amount"),
)

pack_versions: Final = table(
    "ai_pack_versions",
    string("type"),
    exact("effective_from"),
    exact("price_minor"),
    string("currency"),
    exact("credits"),
    exact("bonus", default=0),
    exact("recommended", default=0),
    exact("withdrawn", default=0),
    exact("published_at"),
    string("actor"),
    PrimaryKeyConstraint("type", "effective_from"),
    CheckConstraint("price_minor > 0 AND 0 <= bonus AND bonus < credits", name="ck_pack_amount"),
)
