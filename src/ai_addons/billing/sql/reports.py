"""What reports ask of the books: sums by day, never the raw call log, and the ledger by pages."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select, text

from ai_addons.billing.schema import EXACT, TEXT, ledger
from ai_addons.billing.sql.statements import LOOK, ROWS_UNDER_KEY, USAGE

__all__ = ["ALL_USAGE", "LEDGER_PART", "LOOK", "POINT", "ROWS_UNDER_KEY", "USAGE"]


# By way of the wallets, so that each business is one range of the key and the days before cost nothing: SQLite
# keeps to the order of a CROSS JOIN. PostgreSQL adds whole numbers up to a decimal, hence the casts.
_TOTALS: Final = ", ".join(
    f"CAST(SUM({name}) AS BIGINT) AS {name}"
    for name in (
        "calls",
        "charged",
        "revenue_micro_ghs",
        "cost_micro_ghs",
        "unpriced",
        "cached",
        "cacheable",
        "saved_pico_usd",
    )
)
ALL_USAGE: Final = text(
    f"SELECT feature, {_TOTALS} FROM business_ai_credits CROSS JOIN ai_usage_daily "  # noqa: S608  # names of our own tables
    "WHERE ai_usage_daily.business_id = business_ai_credits.business_id AND day >= :first "
    "GROUP BY feature ORDER BY feature"
).bindparams(bindparam("first", type_=TEXT))
"""What all businesses used from a day on, by feature."""

_OWN: Final = ledger.c.business_id == bindparam("business", type_=TEXT)
POINT: Final = select(ledger.c.booked_at, ledger.c.balance_after).where(
    _OWN, ledger.c.seq == bindparam("seq", type_=EXACT)
)
LEDGER_PART: Final = (
    select(ledger)
    .where(_OWN, ledger.c.seq > bindparam("after", type_=EXACT), ledger.c.seq <= bindparam("last", type_=EXACT))
    .order_by(ledger.c.seq)
)
"""The ledger rows of a business after one position, up to another."""
