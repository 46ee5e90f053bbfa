"""Statements about exchange rates, and about the numbers of receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, text

from ai_addons.billing.schema import EXACT, TEXT

if TYPE_CHECKING:
    from sqlalchemy import TextClause

_TEXTS: Final = frozenset(
    {"base", "quote", "source", "as_of", "kind", "fault", "actor", "seller", "series", "ref", "first_day"}
)


def _statement(sql: str, *names: str) -> TextClause:
    return text(sql).bindparams(*(bindparam(name, type_=TEXT if name in _TEXTS else EXACT) for name in names))


_PAIR: Final = "base = :base AND quote = :quote"

LAST_GOOD: Final = _statement(
    f"SELECT * FROM ai_fx_rates WHERE {_PAIR} AND good_at IS NOT NULL ORDER BY good_at DESC, source LIMIT 1",  # noqa: S608  # a condition of ours
    "base",
    "quote",
)
LATEST: Final = _statement(
    f"SELECT COALESCE(MAX(good_at), 0) AS latest FROM ai_fx_rates WHERE {_PAIR}",  # noqa: S608  # as above
    "base",
    "quote",
)
WAITING: Final = _statement(
    f"SELECT * FROM ai_fx_rates WHERE {_PAIR} AND good_at IS NULL AND fetched_at >= :since "  # noqa: S608  # as above
    "ORDER BY fetched_at DESC, source",
    "base",
    "quote",
    "since",
)
"""Rates that were refused since a time, and wait for an operator."""

KEEP_RATE: Final = _statement(
    "INSERT INTO ai_fx_rates (base, quote, source, as_of, rate, kind, fetched_at, good_at, fault, actor) "
    "VALUES (:base, :quote, :source, :as_of, :rate, :kind, :fetched_at, :good_at, :fault, NULL) "
    "ON CONFLICT (base, quote, source, as_of, rate) DO UPDATE SET fetched_at = excluded.fetched_at, "
    "good_at = COALESCE(excluded.good_at, ai_fx_rates.good_at), fault = excluded.fault",
    "base",
    "quote",
    "source",
    "as_of",
    "rate",
    "kind",
    "fetched_at",
    "good_at",
    "fault",
)
"""A rate seen again keeps its row; one that was good once stays good."""

CONFIRM_RATE: Final = _statement(
    f"UPDATE ai_fx_rates SET good_at = :good_at, actor = :actor WHERE {_PAIR} AND source = :source "  # noqa: S608  # as above
    "AND as_of = :as_of AND rate = :rate AND good_at IS NULL",
    "good_at",
    "actor",
    "base",
    "quote",
    "source",
    "as_of",
    "rate",
)

FIRST_REFRESH: Final = _statement(
    "INSERT INTO ai_fx_refreshes (base, quote, next_at) VALUES (:base, :quote, 0) ON CONFLICT (base, quote) DO NOTHING",
    "base",
    "quote",
)
CLAIM_REFRESH: Final = _statement(
    f"UPDATE ai_fx_refreshes SET next_at = :next_at WHERE {_PAIR} AND next_at <= :due",  # noqa: S608  # as above
    "next_at",
    "base",
    "quote",
    "due",
)
"""Moves the next refresh ahead; of several hosts one succeeds."""

END_REFRESH: Final = _statement(
    f"UPDATE ai_fx_refreshes SET next_at = :next_at WHERE {_PAIR}",  # noqa: S608  # as above
    "next_at",
    "base",
    "quote",
)

RECEIPT_OF: Final = _statement(
    "SELECT number FROM ai_receipt_numbers WHERE seller = :seller AND series = :series AND ref = :ref",
    "seller",
    "series",
    "ref",
)
FIRST_NUMBER: Final = _statement(
    "INSERT INTO ai_receipt_series (seller, series, last) VALUES (:seller, :series, 0) "
    "ON CONFLICT (seller, series) DO NOTHING",
    "seller",
    "series",
)
LOCK_SERIES: Final = _statement(
    "UPDATE ai_receipt_series SET last = last WHERE seller = :seller AND series = :series",
    "seller",
    "series",
)
"""Locks a series, so that what is read after it no other transaction changes."""

NEXT_NUMBER: Final = _statement(
    "UPDATE ai_receipt_series SET last = last + 1 WHERE seller = :seller AND series = :series RETURNING last",
    "seller",
    "series",
)
GIVE_NUMBER: Final = _statement(
    "INSERT INTO ai_receipt_numbers (seller, series, number, ref, given_at) "
    "VALUES (:seller, :series, :number, :ref, :given_at)",
    "seller",
    "series",
    "number",
    "ref",
    "given_at",
)
