"""Tables of the books as CSV, JSON lines or Parquet, written while they are read: memory never holds all of it."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, TextIO, TypeAlias, cast, get_args

from ai_addons.billing.exported import COLUMNS, TableName
from ai_addons.billing.months import day_of
from ai_addons.billing.parquet import needs_library, write_parquet
from ai_addons.billing.progress import Stage
from ai_addons.billing.sql import exports as sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_addons.billing.exported import Cell, Column
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.sql import Database, Row
    from ai_addons.billing.sql.exports import Paged

TextFormat: TypeAlias = Literal["csv", "jsonl"]
FileFormat: TypeAlias = Literal["csv", "jsonl", "parquet"]

TABLES: Final[tuple[TableName, ...]] = get_args(TableName)
FORMATS: Final[tuple[FileFormat, ...]] = get_args(FileFormat)

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


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


def check_export(table: str, form: str) -> None:
    """Refuse what cannot be written, before a file is begun.

    Raises:
        ValueError: For another table or format.
        ConfigError: For Parquet, if PyArrow is not installed.
    """
    if table not in COLUMNS or form not in FORMATS:
        msg = f"an export is one of {', '.join(TABLES)}, as {' or '.join(FORMATS)}; nothing was written"
        raise ValueError(msg)
    if form == "parquet":
        needs_library()


def write_table(
    database: Database,
    table: TableName,
    file: TextIO | BinaryIO,
    form: FileFormat,
    window: Window,
    on_progress: OnProgress | None = None,
) -> int:
    """Write the rows of a table.

    Args:
        database: Where they are.
        table: Which table.
        file: Where to: opened for bytes for Parquet, else for text; CSV wants it opened with ``newline=""``.
        form: ``csv``, ``jsonl`` or ``parquet``.
        window: Which rows. ``usage`` is cut by whole days.
        on_progress: Is told of the rows, a page at a time.

    Returns:
        How many.

    Raises:
        ValueError: For another table or format.
        ConfigError: For Parquet, if PyArrow is not installed.
        StoreUnavailable: If the database cannot be read; what was written by then stays.
    """
    check_export(table, form)
    bounds = _bounds(table, window)
    asked = {"business": window.business, "since": bounds[0], "until": bounds[1]}
    stage = Stage(on_progress, "rows written", lambda: sql.count(database, _PAGED[table], asked))
    columns, rows = COLUMNS[table], stage.over(_rows(database, table, window), every=sql.PAGE)
    if form == "parquet":
        return write_parquet(columns, rows, cast("BinaryIO", file))
    text = cast("TextIO", file)
    return _write_csv(columns, rows, text) if form == "csv" else _write_lines(columns, rows, text)


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
