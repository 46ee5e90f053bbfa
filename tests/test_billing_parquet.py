"""Exports as Parquet: by the real library where it is installed, and by a pretended one everywhere."""

from __future__ import annotations

import csv
import io
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.billing import parquet
from ai_addons.billing.exported import COLUMNS
from ai_addons.billing.exporting import TABLES, Window, write_table
from ai_addons.errors import ConfigError
from ai_addons.money import Credits
from tests.books import FAILED, OK
from tests.scripted_gateway import Till

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.books import Books

needs_library: Final = pytest.mark.skipif(
    find_spec("pyarrow") is None,
    reason="pyarrow is not installed; it is the extra `parquet`, too heavy for every test run",
)


@pytest.fixture
def books() -> Iterator[Books]:
    """An order, a grant with its bonus, a call that was charged and one that failed."""
    till = Till()
    with closing(till.books) as opened:
        till.paid("VALUE")
        opened.store.capture(opened.hold("1"), OK)
        opened.clock.advance(0.001)
        opened.store.void(opened.hold("1"), FAILED)
        yield opened


def as_csv(books: Books, table: Any) -> list[dict[str, str]]:
    """The rows of an export as CSV."""
    file = io.StringIO(newline="")
    write_table(books.database, table, file, "csv", Window())
    return list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))


def written(value: object) -> str:
    """A value as CSV has it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def read(file: io.BytesIO) -> Any:
    """A Parquet file, read by the library that is not ours to type."""
    return import_module("pyarrow.parquet").ParquetFile(io.BytesIO(file.getvalue()))


# By the real library.


@needs_library
@pytest.mark.parametrize("table", TABLES)
def test_a_reader_of_parquet_finds_what_a_csv_has(books: Books, table: Any) -> None:
    """Every column of every row, to the last digit."""
    file = io.BytesIO()
    count = write_table(books.database, table, file, "parquet", Window())
    rows = read(file).read().to_pylist()
    assert [list(row) for row in rows] == [[column.name for column in COLUMNS[table]]] * count
    # Places that the unit has and the text leaves out are zeros.
    found = [{name: _short(written(value)) for name, value in row.items()} for row in rows]
    assert found == [{name: _short(value) for name, value in row.items()} for row in as_csv(books, table)]


def _short(text: str) -> str:
    """A number without zeros at its end, anything else as it is."""
    whole, point, rest = text.partition(".")
    return f"{whole}.{rest}".rstrip("0").rstrip(".") if point and whole.lstrip("-").isdigit() else text


@needs_library
def test_amounts_are_exact_and_times_are_of_utc(books: Books) -> None:
    """Decimals with the places of their unit, never floats; timestamps, dates and whole numbers are such."""
    file = io.BytesIO()
    write_table(books.database, "transactions", file, "parquet", Window())
    schema = read(file).schema_arrow
    assert {name: str(schema.field(name).type) for name in ("at", "day", "attempt", "feature")} == {
        "at": "timestamp[us, tz=UTC]",
        "day": "date32[day]",
        "attempt": "int64",
        "feature": "string",
    }
    assert {name: str(schema.field(name).type) for name in ("charged_credits", "cost_usd", "cost_ghs", "fx_rate")} == {
        "charged_credits": "decimal128(19, 6)",
        "cost_usd": "decimal128(19, 12)",
        "cost_ghs": "decimal128(19, 6)",
        "fx_rate": "decimal128(19, 8)",
    }
    row = read(file).read().to_pylist()[0]
    assert row["cost_usd"] == Decimal("0.000075000000")
    assert row["at"] == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    assert row["day"] == date(2026, 9, 21)


@needs_library
def test_rows_stand_in_groups_of_bounded_size(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a group is in memory, however many rows there are; a table without rows is a file as well."""
    monkeypatch.setattr(parquet, "ROW_GROUP", 2)
    for number in range(3):
        books.store.capture(books.hold("1", f"k-{number}"), OK)
    file = io.BytesIO()
    assert write_table(books.database, "transactions", file, "parquet", Window()) == 5
    found = read(file).metadata
    assert [found.row_group(at).num_rows for at in range(found.num_row_groups)] == [2, 2, 1]
    empty = io.BytesIO()
    assert write_table(books.database, "ledger", empty, "parquet", Window(business="nobody")) == 0
    assert read(empty).read().num_rows == 0


@needs_library
def test_the_largest_number_of_the_books_fits(books: Books) -> None:
    """64 bits of micro-credits, and of pico-dollars."""
    most = 2**63 - 1
    columns = {column.name: column for column in COLUMNS["transactions"]}
    row: Any = SimpleNamespace(charged=most, cost_pico_usd=-most, fx_rate=most)
    file = io.BytesIO()
    parquet.write_parquet([columns[name] for name in ("charged_credits", "cost_usd", "fx_rate")], [row], file)
    assert read(file).read().to_pylist() == [
        {
            "charged_credits": Decimal("9223372036854.775807"),
            "cost_usd": Decimal("-9223372.036854775807"),
            "fx_rate": Decimal("92233720368.54775807"),
        }
    ]
    money: Any = SimpleNamespace(price_minor=most, currency="XOF")
    (price,) = (column for column in COLUMNS["orders"] if column.name == "price")
    parquet.write_parquet([price], [money], whole := io.BytesIO())
    assert read(whole).read().to_pylist() == [{"price": Decimal("9223372036854775807.00")}]
    assert books.report().ok


@needs_library
def test_what_is_broken_off_is_no_parquet_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part never passes for the whole: it lacks the end by which a reader knows the file."""
    monkeypatch.setattr(parquet, "ROW_GROUP", 1)
    column = COLUMNS["usage"][0]

    def rows() -> Iterator[Any]:
        yield from [SimpleNamespace(business_id="b")] * 3
        raise InterruptedError

    file = io.BytesIO()
    with pytest.raises(InterruptedError):
        parquet.write_parquet([column], rows(), file)
    assert file.getvalue().startswith(b"PAR1")
    assert not file.getvalue().endswith(b"PAR1")


# By a pretended one.


class _Writer:
    """Keeps what it is given; writes a byte for each group, and an end."""

    def __init__(self, sink: Any, schema: Any, *, compression: str) -> None:
        self.sink, self.schema = sink, schema
        assert compression == "zstd"
        assert sink.writable()

    def write_batch(self, batch: Any) -> None:
        self.sink.write(repr(batch).encode())

    def close(self) -> None:
        self.sink.write(b"END")


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that writes what it is given as text."""
    arrow, writing = ModuleType("pyarrow"), ModuleType("pyarrow.parquet")
    types = {
        "schema": list,
        "decimal128": lambda digits, places: f"decimal({digits}, {places})",
        "int64": lambda: "int",
        "timestamp": lambda unit, tz: f"time({unit}, {tz})",
        "date32": lambda: "day",
        "string": lambda: "text",
        "array": lambda values, kind: (kind, values),
        "RecordBatch": SimpleNamespace(from_arrays=lambda arrays, schema: [*zip(schema, arrays, strict=True)]),
    }
    for name, value in types.items():
        setattr(arrow, name, value)
    writing.ParquetWriter = _Writer  # type: ignore[attr-defined]  # a module takes any name
    monkeypatch.setitem(sys.modules, "pyarrow", arrow)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", writing)


@pytest.mark.usefixtures("pretended")
def test_the_library_is_given_exact_values_of_their_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Group by group; what is not known stays so."""
    monkeypatch.setattr(parquet, "ROW_GROUP", 1)
    columns = [column for column in COLUMNS["transactions"] if column.name in {"at", "charged_credits", "model"}]
    rows: list[Any] = [SimpleNamespace(at=0, charged=Credits("0.1").micro, model=None)] * 2
    file = io.BytesIO()
    assert parquet.write_parquet(columns, rows, file) == 2
    group = [
        (("at", "time(us, UTC)"), ("time(us, UTC)", [datetime(1970, 1, 1, tzinfo=UTC)])),
        (("charged_credits", "decimal(19, 6)"), ("decimal(19, 6)", [Decimal("0.10")])),
        (("model", "text"), ("text", [None])),
    ]
    assert file.getvalue().decode() == repr(group) * 2 + "END"


@pytest.mark.usefixtures("pretended")
def test_the_end_is_kept_from_a_file_that_is_broken_off() -> None:
    """The library may write it all the same; it goes nowhere."""
    column = COLUMNS["usage"][0]
    file = io.BytesIO()

    def rows() -> Iterator[Any]:
        yield SimpleNamespace(business_id="b")
        raise InterruptedError

    with pytest.raises(InterruptedError):
        parquet.write_parquet([column], rows(), file)
    assert file.getvalue() == b""


@pytest.mark.usefixtures("pretended")
def test_an_export_is_given_to_the_library_row_by_row(books: Books) -> None:
    """As many rows as the same export has as CSV."""
    file = io.BytesIO()
    rows = as_csv(books, "transactions")
    assert write_table(books.database, "transactions", file, "parquet", Window()) == len(rows) == 2
    assert all(row["feature"] in file.getvalue().decode() for row in rows)


def test_without_the_library_the_error_names_the_extra(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    file = io.BytesIO()
    with pytest.raises(ConfigError, match=r"Nothing was written. Run: pip install 'ai-addons\[parquet\]'"):
        write_table(books.database, "usage", file, "parquet", Window())
    assert file.getvalue() == b""
