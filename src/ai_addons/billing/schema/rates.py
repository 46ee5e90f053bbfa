"""Rates of exchange."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, PrimaryKeyConstraint

from ai_addons.billing.schema.columns import exact, string, table

fx_rates: Final = table(
    "ai_fx_rates",
    string("base"),
    string("quote"),
    string("source"),
    string("as_of"),
    exact("rate"),
    string("kind"),
    exact("fetched_at"),
    exact("good_at", null=True),
    string("fault", null=True),
    string("actor", null=True),
    PrimaryKeyConstraint("base", "quote", "source", "as_of", "rate"),
    CheckConstraint("rate > 0", name="ck_fx_rate"),
)
"""What sources of exchange rates said; without ``good_at`` it is refused until an operator confirms it."""

fx_refreshes: Final = table(
    "ai_fx_refreshes",
    string("base"),
    string("quote"),
    exact("next_at"),
    PrimaryKeyConstraint("base", "quote"),
)
"""When the sources are asked next; whoever moves it ahead asks, for all hosts."""
