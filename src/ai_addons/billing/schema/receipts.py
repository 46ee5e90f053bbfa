"""The numbers of receipts."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, PrimaryKeyConstraint, UniqueConstraint

from ai_addons.billing.schema.columns import exact, string, table

receipt_series: Final = table(
    "ai_receipt_series",
    string("seller"),
    string("series"),
    exact("last"),
    PrimaryKeyConstraint("seller", "series"),
)
"""The last number given in each series; its row is locked until the number is durable, so none is lost."""

receipt_numbers: Final = table(
    "ai_receipt_numbers",
    string("seller"),
    string("series"),
    exact("number"),
    string("ref"),
    exact("given_at"),
    PrimaryKeyConstraint("seller", "series", "number"),
    UniqueConstraint("seller", "series", "ref", name="uq_receipt_once"),
    CheckConstraint("number > 0", name="ck_receipt_number"),
)
