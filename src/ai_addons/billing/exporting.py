"""Tables of the books as CSV or JSON lines, written while they are read: memory holds a page, never a table.

Amounts are decimal text with their unit in the column's name, times are ISO 8601 in UTC.
Hashes of requests, idempotency keys of orders and addresses of payers are left out.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from ai_addons.billing.months import day_of
from ai_addons.billing.sql import exports as sql
from ai_addons.money import Credits, MicroGhs, Money, PicoUsd, ghs, usd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TextIO

    from ai_addons.billing.sql import Database, Row
    from ai_addons.billing.sql.exports import Paged

TableName: TypeAlias = Literal["transactions", "ledger", "orders", "usage"]
FileFormat: TypeAlias = Literal["csv", "jsonl"]
Cell: TypeAlias = "str | int | bool | None"

TABLES: Final[tuple[TableName, ...]] = get_args(TableName)
FORMATS: Final[tuple[FileFormat, ...]] = get_args(FileFormat)

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export.

    Attributes:
        name: What it is called, its unit last.
        read: Its value in a row.
        number: Whether its text is a number that we wrote, which no spreadsheet takes for a formula.
    """

    name: str
    read: Callable[[Row], Cell]
    number: bool = False


def _plain(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, _reader(name)) for name in names)


def _reader(name: str) -> Callable[[Row], Cell]:
    def read(row: Row) -> Cell:
        value: Cell = getattr(row, name)
        return value

    return read


def _made(name: str, source: str, make: Callable[[int], str]) -> Column:
    """A column whose whole number is written in people's units."""

    def read(row: Row) -> Cell:
        value: int | None = getattr(row, source)
        return None if value is None else make(value)

    return Column(name, read, number=True)


def _credits(micro: int) -> str:
    return str(Credits.from_micro(micro))


def _ghs(micro: int) -> str:
    return str(ghs(MicroGhs(micro)))


def _usd(pico: int) -> str:
    return f"{usd(PicoUsd(pico)):f}"


def _rate(scaled: int) -> str:
    return f"{scaled // 10**8}.{scaled % 10**8:08d}"


def _time(micros: int) -> str:
    at = datetime.fromtimestamp(micros // _MICRO, UTC).replace(microsecond=micros % _MICRO)
    return at.isoformat(timespec="microseconds")


def _price(row: Row) -> Cell:
    return str(Money.from_minor(row.price_minor, row.currency).decimal)


_COLUMNS: Final[dict[TableName, tuple[Column, ...]]] = {
    "transactions": (
        *_plain("business_id", "id", "attempt"),
        _made("at", "at", _time),
        *_plain("day", "feature", "user_id", "outcome", "error_code"),
        _made("charged_credits", "charged", _credits),
        *_plain("source", "model", "prompt_version", "input_tokens", "cached_tokens", "cache_write_tokens"),
        *_plain("output_tokens", "reasoning_tokens"),
        _made("cost_usd", "cost_pico_usd", _usd),
        _made("cost_ghs", "cost_micro_ghs", _ghs),
        _made("fx_rate", "fx_rate", _rate),
        *_plain("fx_date", "fx_source", "fx_stale", "latency_ms"),
        _made("revenue_ghs", "revenue_micro_ghs", _ghs),
        *_plain("price_version", "cacheable"),
        _made("saved_usd", "saved_pico_usd", _usd),
        *_plain("request_meta", "response_meta"),
    ),
    "ledger": (
        *_plain("business_id", "seq", "kind", "debit", "credit"),
        _made("amount_credits", "amount", _credits),
        *_plain("ref"),
        _made("balance_after_credits", "balance_after", _credits),
        _made("effective_at", "effective_at", _time),
        _made("booked_at", "booked_at", _time),
        *_plain("hash"),
    ),
    "orders": (
        *_plain("business_id", "id", "user_id", "kind", "pack", "pack_version"),
        Column("price", _price, number=True),
        *_plain("currency"),
        _made("credits", "credits", _credits),
        _made("bonus_credits", "bonus", _credits),
        *_plain("state", "subscription_id", "period"),
        _made("created_at", "created_at", _time),
        _made("paid_at", "paid_at", _time),
        *_plain("paid_reference"),
        _made("ended_at", "ended_at", _time),
        *_plain("receipt_number"),
    ),
    "usage": (
        *_plain("business_id", "day", "feature", "calls", "ok", "failed", "unknown", "cached"),
        _made("charged_credits", "charged", _credits),
        _made("revenue_ghs", "revenue_micro_ghs", _ghs),
        _made("cost_usd", "cost_pico_usd", _usd),
        _made("cost_ghs", "cost_micro_ghs", _ghs),
        *_plain("unpriced", "input_tokens", "cached_tokens", "output_tokens", "latency_ms", "timed", "cacheable"),
        _made("saved_usd", "saved_pico_usd", _usd),
    ),
}
_PAGED: Final[dict[TableName, Paged]] = {
    "transactions": sql.TRANSACTIONS,
    "ledger": sql.LEDGER,
    "orders": sql.ORDERS,
    "usage": sql.USAGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which rows are written.

    Attributes:
        business: Whose; None for all.
        since: The first instant, UTC microseconds; None for no bound.
        until: The first instant after; None for no bound.
    """

    business: str | None = None
    since: int | None = None
    until: int | None = None


def write_table(database: Database, table: TableName, file: TextIO, form: FileFormat, window: Window) -> int:
    """Write the rows of a table.

    Args:
        database: Where they are.
        table: Which table.
        file: Where to; CSV wants it opened with ``newline=""``.
        form: ``csv`` or ``jsonl``.
        window: Which rows. ``usage`` is cut by whole days.

    Returns:
        How many.

    Raises:
        ValueError: For another table or format.
        StoreUnavailable: If the database cannot be read; what was written by then stays.
    """
    if table not in _COLUMNS or form not in FORMATS:
        msg = f"an export is one of {', '.join(TABLES)}, as {' or '.join(FORMATS)}; nothing was written"
        raise ValueError(msg)
    columns, rows = _COLUMNS[table], _rows(database, table, window)
    return _write_csv(columns, rows, file) if form == "csv" else _write_lines(columns, rows, file)


def _rows(database: Database, table: TableName, window: Window) -> Iterator[Row]:
    paged, bounds = _PAGED[table], _bounds(table, window)
    for business in sql.businesses(database) if window.business is None else (window.business,):
        yield from sql.pages(database, paged, business, since=bounds[0], until=bounds[1])


def _bounds(table: TableName, window: Window) -> tuple[int | str, int | str]:
    if table == "usage":
        first = "" if window.since is None else day_of(window.since, "UTC").isoformat()
        return first, "9999" if window.until is None else day_of(window.until, "UTC").isoformat()
    return (-(2**62) if window.since is None else window.since, 2**62 if window.until is None else window.until)


def _write_csv(columns: tuple[Column, ...], rows: Iterable[Row], file: TextIO) -> int:
    writer, count = csv.writer(file), 0
    writer.writerow(column.name for column in columns)
    for count, row in enumerate(rows, 1):  # noqa: B007  # counted for whoever called
        writer.writerow([_cell(column, row) for column in columns])
    return count


def _cell(column: Column, row: Row) -> Cell:
    value = column.read(row)
    return value if column.number or not isinstance(value, str) else guarded(value)


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that looks like one gets an apostrophe before it.

    Some spreadsheets cut blanks off first, and some read full-width signs as signs. Source: OWASP, CSV injection.
    """
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _write_lines(columns: tuple[Column, ...], rows: Iterable[Row], file: TextIO) -> int:
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007  # counted for whoever called
        file.write(json.dumps({column.name: column.read(row) for column in columns}, ensure_ascii=False) + "\n")
    return count
