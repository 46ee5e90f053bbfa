"""Tables of a shop's own system, read into row models."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import TypeAliasType

from ai_addons import ConfigError, Pii
from ai_addons.features.loading import BadTable, RowError, Table, rows, stream
from ai_addons.features.loading import frames as frames_module
from ai_addons.features.loading.cells import BadCell, read_amount, read_day

if TYPE_CHECKING:
    from pathlib import Path

Ghs = TypeAliasType("Ghs", Annotated[Decimal, Field(ge=0, decimal_places=2)])


class Shelf(Enum):
    """An enumeration of words."""

    FRONT = "front"
    BACK = "back"


class Bill(BaseModel):
    """A row with one field of each kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ref: str
    due: date
    amount: Ghs
    paid: date | None = None
    units: int = 1
    dispute: bool = False
    channel: Literal["sms", "call_script"] = "sms"
    shelf: Shelf = Shelf.FRONT


HEAD = b"ref,due,amount\n"


def test_a_whole_row_is_read_from_a_spreadsheet_of_windows() -> None:
    """A semicolon file with a byte-order mark, headings in other words' clothes and every kind of cell."""
    table = "\ufeffRef;Due Date;AMOUNT;Paid;Units;dispute;channel;Shelf;Till\r\n"
    table += "B-1;31/05/2026;GH₵1,234.50;;2.0;Yes;Call script;BACK;3\r\n"

    loaded = rows(Bill, table.encode(), columns={"due": "due date"})

    assert loaded.rows == (
        Bill(
            ref="B-1",
            due=date(2026, 5, 31),
            amount=Decimal("1234.50"),
            units=2,
            dispute=True,
            channel="call_script",
            shelf=Shelf.BACK,
        ),
    )
    assert (loaded.unused, loaded.errors, loaded.skipped) == (("Till",), (), 0)


def _path(folder: Path) -> Table:
    path = folder / "bills.csv"
    path.write_bytes(HEAD + b"B-1,2026-05-31,5\n")
    return path


SOURCES: dict[str, Any] = {
    "path": _path,
    "path as text": lambda folder: str(_path(folder)),
    "bytes": lambda _: HEAD + b"B-1,2026-05-31,5\n",
    "open text": lambda _: io.StringIO("ref,due,amount\nB-1,2026-05-31,5\n"),
    "open binary": lambda _: io.BytesIO(HEAD + b"B-1,2026-05-31,5\n"),
    "tabs": lambda _: b"ref\tdue\tamount\nB-1\t2026-05-31\t5\n",
    "bars and blank lines": lambda _: b"ref|due|amount\n\n||\nB-1|2026-05-31|5\n",
    "blank lines before the heading": lambda _: b"\xef\xbb\xbf\n\nref;due;amount\nB-1;2026-05-31;5\n",
    "quoted first heading after a byte-order mark": lambda _: b'\xef\xbb\xbf"ref",due,amount\nB-1,2026-05-31,5\n',
    "quoted comma in a heading": lambda _: b'ref;due;"amount"\nB-1;2026-05-31;5\n',
    "dicts": lambda _: [{"ref": "B-1", "due": "2026-05-31", "amount": 5}],
    "generator": lambda _: ({"ref": "B-1", "due": date(2026, 5, 31), "amount": Decimal(5)} for _ in range(1)),
    "pandas": lambda _: pd.DataFrame({"ref": ["B-1"], "due": [pd.Timestamp("2026-05-31")], "amount": [5.0]}),
    "polars": lambda _: pl.DataFrame({"ref": ["B-1"], "due": [date(2026, 5, 31)], "amount": [5]}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_the_same_row(source: str, tmp_path: Path) -> None:
    """Wherever a table is, its row is the same."""
    loaded = rows(Bill, SOURCES[source](tmp_path))

    assert loaded.rows == (Bill(ref="B-1", due=date(2026, 5, 31), amount=Decimal(5)),)


def test_missing_values_of_dataframes_are_empty_cells() -> None:
    """NaN, NaT and NA stand for nothing; a reference of digits is a text."""
    frame = pd.DataFrame(
        {
            "ref": [1001],
            "due": ["2026-05-31"],
            "amount": [0.1],
            "paid": [pd.NaT],
            "units": pd.array([None], dtype="Int64"),
            "dispute": [float("nan")],
        }
    )

    assert rows(Bill, frame).rows == (Bill(ref="1001", due=date(2026, 5, 31), amount=Decimal("0.1")),)


def test_a_frame_that_was_not_computed_is_refused() -> None:
    """A lazy frame has no rows yet."""
    with pytest.raises(TypeError):
        rows(Bill, pl.LazyFrame({"ref": ["B-1"], "due": ["2026-05-31"], "amount": ["5"]}).with_columns())


def test_without_narwhals_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""

    def absent(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(frames_module, "import_module", absent)
    with pytest.raises(ConfigError, match=r"ai-addons\[dataframe\]"):
        rows(Bill, pl.DataFrame({"ref": ["B-1"]}))


@pytest.mark.parametrize(
    ("encoded", "encoding", "name"),
    [
        ("Kofi\u2019s".encode("cp1252"), None, "Kofi\u2019s"),
        ("Kofi\u2019s".encode(), None, "Kofi\u2019s"),
        ("Kofi\u2019s ɛ".encode(), "utf-8", "Kofi\u2019s ɛ"),
        ("Kofié".encode("latin-1"), "latin-1", "Kofié"),
    ],
)
def test_encodings_are_found_or_given(encoded: bytes, encoding: str | None, name: str) -> None:
    """UTF-8 where all of it is, else Windows-1252, else what was said."""
    loaded = rows(Bill, HEAD + encoded + b",2026-05-31,5\n", encoding=encoding)

    assert loaded.rows[0].ref == name


@pytest.mark.parametrize(
    ("table", "encoding", "message"),
    [
        ("ref,due\n".encode("utf-16"), None, "UTF-16"),
        (HEAD + b"\x81\xff,2026-05-31,5\n", None, "neither UTF-8 nor Windows-1252"),
        (HEAD + b"Kofi\x92s,2026-05-31,5\n", "utf-8", "cannot be decoded"),
        (b"", None, "is empty"),
        (b" , \n", None, "is empty"),
        (HEAD + b'"B-1,2026-05-31,5\n', None, "no CSV: row 2"),
        (HEAD + b"B" * 200_000 + b",2026-05-31,5\n", None, "no CSV: row 2"),
    ],
)
def test_what_is_no_table_is_refused_in_words(table: bytes, encoding: str | None, message: str) -> None:
    """The message says what to do, and no bytes of the file are in the chain of the error."""
    with pytest.raises(BadTable, match=message) as refused:
        rows(Bill, table, encoding=encoding)

    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@pytest.mark.parametrize("source", [5, {"ref": "B-1"}, ["ref,due,amount"], [{"ref": 1, "due": 2, "amount": 3}, 5]])
def test_a_source_that_is_no_table_is_a_type_error(source: object) -> None:
    """Also lines of text where rows of dicts are meant."""
    with pytest.raises(TypeError, match=r"not (int|dict|str)"):
        rows(Bill, source)


def test_no_rows_are_no_error() -> None:
    """An empty list, and a table that has only its heading."""
    assert rows(Bill, []).rows == ()
    assert rows(Bill, HEAD).rows == ()
    assert list(stream(Bill, [])) == []


@pytest.mark.parametrize(
    ("heading", "columns", "message"),
    [
        ("ref,due", {}, "'amount' is missing; name its column with columns="),
        ("ref,due,Amount GHS", {}, r"'amount' is missing \(did you mean Amount GHS\?\)"),
        ("ref,due,amunt", {}, r"'amount' is missing \(did you mean amunt\?\)"),
        ("ref,due,amount,AMOUNT", {}, "both 'amount' and 'AMOUNT' would fill 'amount'"),
        ("ref,due,amount", {"amont": "x"}, r"there is no field 'amont' \(did you mean amount\?\)"),
        ("ref,due,amount", {"due": "deu"}, r"there is no column 'deu' \(did you mean due\?\)"),
        ("ref,due,amount,disputes", {}, r"'disputes' is unknown \(did you mean dispute\?\)"),
    ],
)
def test_columns_that_do_not_fit_are_named(heading: str, columns: dict[str, str], message: str) -> None:
    """Missing, unknown and misspelt columns, each with the name it may have meant."""
    with pytest.raises(BadTable, match=message):
        rows(Bill, f"{heading}\n".encode(), columns=columns)


def test_a_column_like_a_field_can_be_left_out() -> None:
    """Saying so is enough, whatever its case."""
    loaded = rows(Bill, b"ref,due,amount,Disputes\nB-1,2026-05-31,5,3\n", ignore=["disputes"])

    assert loaded.rows[0].dispute is False
    assert loaded.unused == ("Disputes",)


class Customer(BaseModel):
    """A row with private columns."""

    name: Annotated[str, Pii.NAME]
    phone: Annotated[str, Pii.PHONE, Field(max_length=12)]
    born: Annotated[date, Pii.DOB]
    owes: Decimal

    @field_validator("name")
    @classmethod
    def _no_title(cls, value: str) -> str:
        if value.startswith("Mr"):
            msg = f"{value} has a title"
            raise ValueError(msg)
        return value


def test_all_errors_are_told_at_once_and_nothing_private() -> None:
    """Row, column, what is wrong; a private value is never quoted, nor what may be one in the wrong column."""
    table = b"name,phone,born,owes\n"
    table += b"Mr Mensah,024 412 3456,03/04/1980,5\n"
    table += b"Mr Mensah,0244123456,1980-04-03,5\n"
    table += b"Ama,024412345678901,1980-04-03,5\n"
    table += b"Ama,0244123456,1980-04-03,Mensah\n"
    table += b"Ama,0244123456,1980-04-03,0244123456x\n"
    table += b"Ama,0244123456,1980-04-03,5x\n"
    table += b"Ama,0244123456\n"

    with pytest.raises(BadTable) as refused:
        rows(Customer, table)

    number = "is no number; write 1,234.50 or 1234.50, with GHS before it or without"
    assert [str(error) for error in refused.value.errors] == [
        'row 2, born: may be two days; give dates="day_first" or dates="month_first"',
        "row 3, name: is refused: is not allowed",
        "row 4, phone: is refused: string should have at most 12 characters",
        f"row 5, owes: {number}",
        f"row 6, owes: {number}",
        f"row 7, owes: '5x' {number}",
        "row 8: has 2 cells, the heading 4",
    ]
    assert str(refused.value).startswith("7 of 7 rows cannot be used:\nrow 2, born: may be")
    assert all(word not in str(refused.value) for word in ("Mensah", "Ama", "0244", "412", "1980"))


def test_errors_beyond_the_limit_are_counted() -> None:
    """The first are shown, the others are a number."""
    table = HEAD + b"B-1,never,5\n" * 30

    with pytest.raises(BadTable, match="30 of 30 rows cannot be used") as refused:
        rows(Bill, table, most_errors=2)

    assert (len(refused.value.errors), refused.value.total) == (2, 30)
    assert str(refused.value).endswith("\nand 28 more")


def test_bad_rows_can_be_skipped() -> None:
    """The good ones come back, with the list of the others; rows are numbered as in the file."""
    table = HEAD + b'"B\n1",2026-05-31,5\n\nB-2,2026-05-32,5\nB-3,2026-05-31,-1\nB-4,2026-06-30,7\n'

    loaded = rows(Bill, table, on_error="skip")

    assert [bill.ref for bill in loaded.rows] == ["B\n1", "B-4"]
    assert loaded.errors == (
        RowError(
            row=5, column="due", wrong="'2026-05-32' is no day of the calendar; write the year first, or the day first"
        ),
        RowError(row=6, column="amount", wrong="'-1' is refused: input should be greater than or equal to 0"),
    )
    assert (loaded.total_errors, loaded.skipped) == (2, 2)


def test_a_stream_gives_rows_while_the_file_is_read() -> None:
    """Nothing is read ahead of what is asked for, and a bad row is followed by the next."""
    asked: list[int] = []

    def bills() -> Any:
        for number in range(1_000_000):
            asked.append(number)
            yield {"ref": f"B-{number}", "due": "2026-05-31", "amount": "5" if number != 1 else "five"}

    found = stream(Bill, bills())
    first, second, third = next(found), next(found), next(found)

    assert (first.row, second.row, third.row) == (1, 2, 3)
    assert first.value == Bill(ref="B-0", due=date(2026, 5, 31), amount=Decimal(5))
    assert second.value is None
    assert len(second.errors) == 1
    assert third.value is not None
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ({"ref": "B-1", "due": None, "amount": 5}, "row 2, due: is empty, and a value is needed"),
        ({"ref": "B-1", "due": "2026-05-31"}, "row 2, amount: is empty, and a value is needed"),
        ({"ref": "B-1", "due": "2026-05-31", "amount": 5, "x": 1}, "row 2: has 4 cells, the heading 3"),
        ({"ref": "B-1", "due": "2026-05-31", "amount": "n/a"}, "row 2, amount: is empty, and a value is needed"),
        ({"ref": True, "due": "2026-05-31", "amount": 5}, "row 2, ref: is refused: input should be a valid string"),
    ],
)
def test_a_dict_unlike_the_first_is_a_bad_row(row: dict[str, object], wrong: str) -> None:
    """Empty cells, keys that are missing and keys that are new."""
    first = {"ref": "B-1", "due": "2026-05-31", "amount": 5}

    assert [str(error) for error in rows(Bill, [first, row], on_error="skip").errors] == [wrong]


class Step(Enum):
    """An enumeration of numbers."""

    FIRST = 1
    SECOND = 2


class Odd(BaseModel):
    """Kinds of field that are read with care."""

    day: date | None
    when: datetime = Field(default=datetime(2026, 1, 1))  # noqa: DTZ001  # a shop's own clock
    both: int | str = 0
    rate: float = 0.0
    step: Step = Step.FIRST
    code: Literal[1, 2] = 1
    nested: dict[str, int] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        ({"day": ""}, Odd(day=None)),
        ({"day": "2026-05-31 00:00:00"}, Odd(day=date(2026, 5, 31))),
        ({"day": "-", "when": "31/05/2026 14:30"}, Odd(day=None, when=datetime(2026, 5, 31, 14, 30))),  # noqa: DTZ001
        ({"day": "-", "when": "31/05/2026"}, Odd(day=None, when=datetime(2026, 5, 31))),  # noqa: DTZ001
        ({"day": "-", "when": "2026-05-31T14:30:00"}, Odd(day=None, when=datetime(2026, 5, 31, 14, 30))),  # noqa: DTZ001
        ({"day": "-", "step": 2}, Odd(day=None, step=Step.SECOND)),
        ({"day": "-", "both": "x1", "rate": "1,234.5"}, Odd(day=None, both="x1", rate=1234.5)),
    ],
)
def test_kinds_of_field_that_are_read_with_care(cells: dict[str, object], wanted: Odd) -> None:
    """An empty cell may be None, and a day may have a time."""
    assert rows(Odd, [cells]).rows == (wanted,)


def test_a_format_holds_for_the_whole_table() -> None:
    """What a format says is read, and nothing else; of days and of moments."""
    loaded = rows(
        Odd,
        [{"day": "5/31/26", "when": "5/31/26"}, {"day": "2026-05-31", "when": "2026-05-31"}],
        dates="%m/%d/%y",
        on_error="skip",
    )

    assert loaded.rows == (Odd(day=date(2026, 5, 31), when=datetime(2026, 5, 31)),)  # noqa: DTZ001
    assert [error.wrong for error in loaded.errors] == ["'2026-05-31' is no date of the form %m/%d/%y"] * 2


class Nested(BaseModel):
    """No row: one of its fields is a list."""

    days: list[date]


def test_a_model_that_is_no_row_is_refused() -> None:
    """A list does not come from one cell."""
    with pytest.raises(TypeError, match=r"Nested\.days cannot come from one cell"):
        rows(Nested, HEAD)


@pytest.mark.parametrize("options", [{"dates": "us"}, {"decimal": "'"}])
def test_options_are_checked_before_the_first_row(options: dict[str, Any]) -> None:
    """A word nobody knows is an error even for an empty table."""
    with pytest.raises(ValueError, match=next(iter(options))):
        rows(Bill, [], **options)


AMOUNTS = {
    "5": "5",
    " 5.50 ": "5.50",
    "1,234,567.89": "1234567.89",
    "1 234 567.89": "1234567.89",
    "1\u202f234.5": "1234.5",
    "1'234.5": "1234.5",
    "GHS 1,234.50": "1234.50",
    "ghs5": "5",
    "GH₵5.00": "5.00",
    "₵ 5": "5",
    "GH¢5": "5",
    "5 GHS": "5",
    "-5": "-5",
    "+5": "5",
    "\u22125": "-5",
    "GHS -5": "-5",
    "-GHS 5": "-5",
    "(5.00)": "-5.00",
    "(GHS 1,000.00)": "-1000.00",
    "0000": "0",
}


@pytest.mark.parametrize("text", AMOUNTS)
def test_amounts_are_read_as_people_write_them(text: str) -> None:
    """Signs, currency and divided thousands."""
    assert read_amount(text) == Decimal(AMOUNTS[text])


@pytest.mark.parametrize(
    "text",
    [
        *("", "five", "1,5", "12,34", "1,2345", "1,234'567", "1.2.3", ".5", "5.", "--5", "-GHS -5", "(5", "5)", "1e5"),
        *("USD 5", "GHS", "\u0665", "½", "1234,567", "NaN", "Infinity", "5%", "5 5"),
    ],
)
def test_what_could_be_two_amounts_or_none_is_refused(text: str) -> None:
    """A comma where no thousands end may be a decimal comma; nothing is guessed."""
    with pytest.raises(BadCell, match="is no number"):
        read_amount(text)


def test_a_decimal_comma_is_read_where_it_is_said() -> None:
    """Then points divide thousands."""
    assert read_amount("1.234,50", ",") == Decimal("1234.50")
    with pytest.raises(BadCell, match=r"write 1\.234,50 or 1234,50"):
        read_amount("1.5", ",")


DAYS = {
    ("2026-05-31", None): date(2026, 5, 31),
    ("2026-05-31T00:00:00", None): date(2026, 5, 31),
    ("2026-05-31 00:00", None): date(2026, 5, 31),
    ("31/05/2026", None): date(2026, 5, 31),
    ("31-5-2026", None): date(2026, 5, 31),
    ("31.05.2026 00:00:00.000", None): date(2026, 5, 31),
    ("05/05/2026", None): date(2026, 5, 5),
    ("31 May 2026", None): date(2026, 5, 31),
    ("1-Sep-2026", None): date(2026, 9, 1),
    ("1 september, 2026", None): date(2026, 9, 1),
    ("03/04/2026", "day_first"): date(2026, 4, 3),
    ("03/04/2026", "month_first"): date(2026, 3, 4),
    ("03 04 26", "%d %m %y"): date(2026, 4, 3),
}


@pytest.mark.parametrize(("text", "dates"), DAYS)
def test_days_are_read_as_people_write_them(text: str, dates: str | None) -> None:
    """The year first, the day first, or with the month's English name."""
    assert read_day(text, dates) == DAYS[text, dates]


@pytest.mark.parametrize(
    ("text", "dates", "message"),
    [
        ("03/04/2026", None, "may be two days"),
        ("04/31/2026", None, "no day of the calendar"),
        ("31/02/2026", None, "no day of the calendar"),
        ("2026-02-30", None, "no day of the calendar"),
        ("31/05/2026", "month_first", "no day of the calendar"),
        ("1 Foo 2026", None, "no day of the calendar"),
        ("31/05/26", None, "is no day; write"),
        ("31/05-2026", None, "is no day; write"),
        ("2026-05-31 14:30", None, "is no day; write"),
        ("45000", None, "is no day; write"),
        ("\u0663\u0661/05/2026", None, "is no day; write"),
        ("2026-05-31", "%d/%m/%Y", "is no date of the form %d/%m/%Y"),
    ],
)
def test_a_day_that_is_none_or_two_is_refused(text: str, dates: str | None, message: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(BadCell, match=message):
        read_day(text, dates)


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        ({"dispute": "maybe"}, "dispute: is neither yes nor no; write yes, no, true, false, 1 or 0"),
        ({"channel": "fax"}, "channel: is not allowed; use one of: sms, call_script"),
        ({"units": "1.5"}, "units: '1.5' is no whole number"),
        ({"units": float("inf")}, "units: is no number"),
    ],
)
def test_other_cells_say_what_is_allowed(cells: dict[str, object], wrong: str) -> None:
    """Yes and no, choices, whole numbers."""
    row = {"ref": "B-1", "due": "2026-05-31", "amount": "5", **cells}

    assert wrong in str(rows(Bill, [row], on_error="skip").errors[0])


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2), st.sampled_from([".", ","]))
def test_an_amount_is_read_back_exactly(amount: Decimal, decimal: Any) -> None:
    """Whatever separators it was written with."""
    text = f"{amount:,}"
    swapped = text if decimal == "." else text.translate(str.maketrans(".,", ",."))

    assert read_amount(f"GHS {swapped}", decimal) == amount


@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_day_is_read_back_in_every_order(day: date) -> None:
    """ISO, day first and month first."""
    assert read_day(day.isoformat()) == day
    assert read_day(f"{day:%d/%m/%Y}", "day_first") == day
    assert read_day(f"{day:%m/%d/%Y}", "month_first") == day


@given(st.text(max_size=40), st.sampled_from(["Ref", "Due", "Amount"]))
def test_no_text_breaks_the_reader(text: str, column: str) -> None:
    """Any cell is a row or an error, never another exception."""
    row = {"Ref": "B-1", "Due": "2026-05-31", "Amount": "5", column: text}

    loaded = rows(Bill, [row], on_error="skip")

    assert len(loaded.rows) + loaded.skipped == 1


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    """A file of anything is read or refused as a table."""
    try:
        loaded = rows(Bill, HEAD + noise, on_error="skip")
    except BadTable:
        return
    assert loaded.skipped <= noise.count(b"\n") + noise.count(b"\r") + 1


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(str.strip)))
def test_references_survive_the_way_through_a_file(refs: list[str]) -> None:
    """Quotes, delimiters and line ends within a cell come back; blanks around it do not."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["ref", "due", "amount"], *([ref, "2026-05-31", "5"] for ref in refs)])

    loaded = rows(Bill, out.getvalue().encode())

    assert [bill.ref for bill in loaded.rows] == [ref.strip() for ref in refs]
