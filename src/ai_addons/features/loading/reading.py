"""A table, row by row, as validated models."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from ai_addons.features.loading.cells import BadCell, Reading, read_cell
from ai_addons.features.loading.columns import fields_of, planned
from ai_addons.features.loading.errors import RowError, bad_rows
from ai_addons.features.loading.sources import opened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ai_addons.features.loading.cells import DateOrder, Decimals
    from ai_addons.features.loading.columns import Field, Plan
    from ai_addons.features.loading.sources import Grid, Table

M = TypeVar("M", bound=BaseModel)

_MOST_ERRORS: Final = 20
_QUOTED: Final = 24
# More digits than an amount or a date has may be a telephone number in the wrong column.
_DIGITS: Final = 9
# In a column of numbers, dates or choices these words say that there is none.
_NOTHING: Final = frozenset({"-", "n/a", "na", "nil", "none", "null"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Generic[M]):
    """One row that was read: a model, or what is wrong with it.

    Attributes:
        row: Where it begins.
        value: The model; None for a bad row.
        errors: What is wrong; empty for a good one.
    """

    row: int
    value: M | None
    errors: tuple[RowError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[M]):
    """A table that was read.

    Attributes:
        rows: The good rows, in order.
        errors: The first errors, in order; always empty unless bad rows were skipped.
        total_errors: How many there were, also beyond those kept.
        skipped: How many rows were left out.
        unused: Headings of the columns that no field took.
    """

    rows: tuple[M, ...]
    errors: tuple[RowError, ...] = ()
    total_errors: int = 0
    skipped: int = 0
    unused: tuple[str, ...] = ()


def rows(  # noqa: PLR0913  # one option for each way in which tables differ
    model: type[M],
    source: Table,
    *,
    columns: Mapping[str, str] | None = None,
    ignore: Collection[str] = (),
    dates: DateOrder | str | None = None,
    decimal: Decimals = ".",
    delimiter: str | None = None,
    encoding: str | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    most_errors: int = _MOST_ERRORS,
) -> Loaded[M]:
    """Read a table into validated rows; all its errors are found at once.

    Args:
        model: The row model of a feature, such as a bill: fields of plain values.
        source: A path (also as ``str``), the bytes of a CSV file, an open file, rows of
            dicts, or a DataFrame (extra ``dataframe``).
        columns: Headings by field, where case, spaces and underscores are not the only
            difference: ``{"due": "Pay by"}``.
        ignore: Headings to leave out although they look like a field.
        dates: What ``03/04/2026`` means: ``day_first``, ``month_first``, or a format of
            `datetime.strptime` for the whole table. Without it such a date is an error.
        decimal: What stands before the pesewas; the other one of ``.,`` may divide thousands.
        delimiter: What divides the columns of a CSV; by default what its heading shows.
        encoding: How a CSV is encoded; by default UTF-8, else Windows-1252.
        on_error: ``raise`` refuses a table with a bad row, ``skip`` leaves bad rows out.
        most_errors: How many errors are kept and shown.

    Raises:
        BadTable: If the columns do not fit, it cannot be decoded, or a row is bad.
        ConfigError: If a DataFrame is given and narwhals is not installed.
        TypeError: If a field of the model cannot come from one cell, or the source is no table.
        OSError: If the file cannot be opened.
    """
    good: list[M] = []
    kept: list[RowError] = []
    total = bad = read = 0
    reading = Reading(dates=dates, decimal=decimal)
    fields = fields_of(model)
    with opened(source, delimiter=delimiter, encoding=encoding) as grid:
        plan = planned(fields, grid.headings, columns or {}, ignore) if grid.headings else None
        for one in _read(model, grid, plan, reading):
            read += 1
            bad += bool(one.errors)
            total += len(one.errors)
            kept += islice(one.errors, max(0, most_errors - len(kept)))
            # A table that will be refused need not be kept.
            if one.value is not None and (on_error == "skip" or not bad):
                good.append(one.value)
    if bad and on_error == "raise":
        raise bad_rows(kept, total, bad=bad, read=read)
    unused = plan.unused if plan is not None else ()
    return Loaded(rows=tuple(good), errors=tuple(kept), total_errors=total, skipped=bad, unused=unused)


def stream(
    model: type[M],
    source: Table,
    *,
    columns: Mapping[str, str] | None = None,
    ignore: Collection[str] = (),
    dates: DateOrder | str | None = None,
    decimal: Decimals = ".",
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Iterator[Read[M]]:
    """Read a table one row after the other, for files larger than memory.

    Args:
        model: As for `rows`, like all that follows.
        source: Likewise; an open binary file is read whole.
        columns: Likewise.
        ignore: Likewise.
        dates: Likewise.
        decimal: Likewise.
        delimiter: Likewise.
        encoding: Likewise.

    Yields:
        Each row, good or bad.

    Raises:
        BadTable: If the columns do not fit, or it cannot be decoded.
    """
    reading = Reading(dates=dates, decimal=decimal)
    fields = fields_of(model)
    with opened(source, delimiter=delimiter, encoding=encoding) as grid:
        plan = planned(fields, grid.headings, columns or {}, ignore) if grid.headings else None
        yield from _read(model, grid, plan, reading)


def _read(model: type[M], grid: Grid, plan: Plan | None, reading: Reading) -> Iterator[Read[M]]:
    if plan is not None:
        for row, cells in grid.rows:
            yield _row(model, row, cells, plan, reading)


def _row(model: type[M], row: int, cells: Sequence[object], plan: Plan, reading: Reading) -> Read[M]:
    if len(cells) != plan.width:
        wrong = f"has {len(cells)} cells, the heading {plan.width}"
        return Read(row=row, value=None, errors=(RowError(row=row, column="", wrong=wrong),))
    values: dict[str, object] = {}
    errors: list[RowError] = []
    for at, heading, field in plan.taken:
        try:
            _put(values, field, cells[at], reading)
        except BadCell as bad:
            errors.append(RowError(row=row, column=heading, wrong=f"{_quoted(cells[at], field)}{bad}"))
    if errors:
        return Read(row=row, value=None, errors=tuple(errors))
    try:
        return Read(row=row, value=model.model_validate(values))
    except ValidationError as error:
        return Read(row=row, value=None, errors=tuple(_explained(error, row, cells, plan)))


def _put(values: dict[str, object], field: Field, cell: object, reading: Reading) -> None:
    """Read a cell into the values of a row; an empty one leaves the model's default."""
    if not _empty(cell, field):
        values[field.key] = read_cell(cell, field.kind, field.choices, reading)
    elif field.required and field.nullable:
        values[field.key] = None
    elif field.required:
        msg = "is empty, and a value is needed"
        raise BadCell(msg)


def _empty(cell: object, field: Field) -> bool:
    if isinstance(cell, str):
        text = cell.strip().lower()
        return not text or (field.kind not in {"text", "other"} and text in _NOTHING and text not in field.choices)
    return cell is None or cell != cell  # noqa: PLR0124  # NaN


def _quoted(cell: object, field: Field) -> str:
    """A cell as an error names it: not of a private column, not one that looks like anything but a figure."""
    text = str(cell).strip()
    digits = sum(char.isdigit() for char in text)
    figure = field.kind in {"amount", "whole", "day", "moment"} and 0 < digits < _DIGITS and len(text) <= _QUOTED
    return f"{text!r} " if figure and not field.private else ""


def _explained(error: ValidationError, row: int, cells: Sequence[object], plan: Plan) -> Iterator[RowError]:
    """What pydantic says of a row, by the headings of the table."""
    by_key = {field.key: (at, heading, field) for at, heading, field in plan.taken}
    private = [str(cells[at]).strip() for at, _, field in plan.taken if field.private and cells[at] is not None]
    for issue in error.errors(include_input=False, include_url=False, include_context=False):
        key = str(issue["loc"][0]) if issue["loc"] else ""
        message = issue["msg"].removeprefix("Value error, ")
        # A validator of the host's own may quote what it was given.
        if any(value and value in message for value in private):
            message = "is not allowed"
        at, heading, field = by_key.get(key, (-1, key, None))
        refused = f"{_quoted(cells[at], field)}is refused: " if field is not None else ""
        yield RowError(row=row, column=heading, wrong=f"{refused}{message[:1].lower()}{message[1:]}")
