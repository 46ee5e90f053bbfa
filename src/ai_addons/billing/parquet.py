"""Exports as Parquet, written by PyArrow (extra ``parquet``), which is loaded when a file is written.

Chosen over fastparquet, which writes decimals as floats. Its wheel has 55 MB, unpacked 165 MB.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from io import RawIOBase
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import ModuleType

    from ai_addons.billing.exported import Column, Kind
    from ai_addons.billing.sql import Row

ROW_GROUP: Final = 10_000
"""Rows that are in memory at a time and stand together in the file."""

# The books hold whole numbers of 64 bits, 19 digits; a unit is that many places of it.
_DIGITS: Final = 19
_PLACES: Final[Mapping[Kind, int]] = {"credits": 6, "ghs": 6, "usd": 12, "rate": 8}
# Minor units of a currency without any are whole: two places more.
_MONEY: Final = (_DIGITS + 2, 2)
_READ: Final[Mapping[Kind, Callable[[Any], object]]] = {
    **dict.fromkeys(("credits", "ghs", "usd", "rate", "money"), Decimal),
    "time": datetime.fromisoformat,
    "day": date.fromisoformat,
}


def needs_library() -> None:
    """Load PyArrow, so that it is missing before anything was written.

    Raises:
        ConfigError: If it is not installed.
    """
    _library()


def write_parquet(columns: Sequence[Column], rows: Iterable[Row], file: BinaryIO) -> int:
    """Write rows as one Parquet file, a row group at a time.

    The values are those of a CSV: decimals as exact decimals with the places of their unit, times as
    timestamps in microseconds of UTC, days as dates, numbers as 64 bits, the rest as text.

    Args:
        columns: What of them.
        rows: The rows.
        file: Where to, opened for bytes. It is not closed.

    Returns:
        How many.

    Raises:
        ConfigError: If PyArrow is not installed.
        StoreUnavailable: If the rows cannot be read; what was written by then is no Parquet file.
    """
    (arrow, parquet), sink = _library(), _Sink(file)
    schema = arrow.schema([(column.name, _type(arrow, column.kind)) for column in columns])
    writer = parquet.ParquetWriter(sink, schema, compression="zstd")
    try:
        count, left = 0, iter(rows)
        while group := list(islice(left, ROW_GROUP)):
            values = [arrow.array(_values(one, group), _type(arrow, one.kind)) for one in columns]
            writer.write_batch(arrow.RecordBatch.from_arrays(values, schema=schema))
            count += len(group)
    except BaseException:
        # The writer ends the file whatever happens; without its end no reader takes a part for the whole.
        sink.file = None
        raise
    finally:
        writer.close()
    return count


class _Sink(RawIOBase):
    """Passes bytes on, as long as there is a file."""

    def __init__(self, file: BinaryIO) -> None:
        self.file: BinaryIO | None = file

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # or any other buffer
        return memoryview(data).nbytes if self.file is None else self.file.write(data)


def _type(arrow: ModuleType, kind: Kind) -> Any:  # noqa: ANN401  # PyArrow has no types
    if kind in _PLACES:
        return arrow.decimal128(_DIGITS, _PLACES[kind])
    return {
        "money": arrow.decimal128(*_MONEY),
        "whole": arrow.int64(),
        "time": arrow.timestamp("us", tz="UTC"),
        "day": arrow.date32(),
        "text": arrow.string(),
    }[kind]


def _values(column: Column, rows: Iterable[Row]) -> list[object]:
    make = _READ.get(column.kind)
    cells: Iterable[Any] = map(column.read, rows)
    return list(cells) if make is None else [None if cell is None else make(cell) for cell in cells]


def _library() -> tuple[ModuleType, ModuleType]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        msg = "Parquet is written by PyArrow. Nothing was written. Run: pip install 'ai-addons[parquet]'"
        raise ConfigError(msg) from None
