"""What pseudonyms are made with."""

from __future__ import annotations

from typing import Final

from sqlalchemy import PrimaryKeyConstraint

from ai_addons.billing.schema.columns import exact, string, table

salts: Final = table(
    "ai_pseudonym_salts",
    string("business_id"),
    string("salt"),
    exact("made_at"),
    PrimaryKeyConstraint("business_id"),
)
"""Without its salt no pseudonym of a business can be made; erasing a business deletes it."""
