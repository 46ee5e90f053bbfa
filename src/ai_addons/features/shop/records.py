"""A shop's records from CSV files.

Reads what spreadsheets write: with or without a byte-order mark, commas,
semicolons or tabs, Windows line ends, blank lines, ``1,200.50``, and dates as
2026-11-20 or 20/11/2026. What cannot be read is an error that names file, line
and column; nothing is guessed and nothing is dropped.
"""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel, ValidationError

from ai_addons.errors import ConfigError
from ai_addons.features.credit_assessment import CreditApplication
from ai_addons.features.product_description import Product

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

M = TypeVar("M", bound=BaseModel)
V = TypeVar("V")

_DELIMITERS: Final = ",;\t"
_AMOUNT: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?")
_CURRENCY: Final = re.compile(r"^(?:ghs|gh\u20b5|\u20b5)\s*", re.IGNORECASE)
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_NOT_YET: Final = frozenset({"", "-", "open"})
_INVOICE_PARTS: Final = 4

PRODUCT_COLUMNS: Final = ("name", "category", "brand", "attributes", "unit_size", "unit")
PRODUCT_EXTRAS: Final = ("existing_description",)
CUSTOMER_COLUMNS: Final = (
    "customer",
    "phone",
    "requested_ghs",
    "current_limit",
    "exposure",
    "tenure_months",
    "orders_12m",
    "spend_12m",
    "disputes_open",
    "returned_payments_12m",
    "monthly_purchases",
    "credit_invoices",
)
CUSTOMER_EXTRAS: Final = ("email", "note", "consent", "opted_out")  # the last two are read with the trade


class BadRecord(ConfigError, ValueError):
    """A record could not be read. Nothing was charged. Correct the file and try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Whose records these are.

    Attributes:
        name: The shop's name.
        business_id: Whose credits pay.
        phone: The shop's own number.
        as_of: The day the records describe.
    """

    name: str
    business_id: str
    phone: str = field(repr=False)
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord:
    """A credit customer: who it is, kept apart from the figures that are assessed.

    Attributes:
        name: The customer's name; never part of an assessment.
        phone: Telephone number.
        assessment_input: The figures.
        email: E-mail address, if there is one.
        note: The owner's own note, if there is one.
    """

    name: str = field(repr=False)
    phone: str = field(repr=False)
    assessment_input: CreditApplication
    email: str | None = field(default=None, repr=False)
    note: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Row:
    file: str
    line: int
    cells: Mapping[str, str]

    def read(self, column: str, reader: Callable[[str], V]) -> V:
        """One cell through a reader, whose complaint gets the place in front."""
        try:
            return reader(self.cells[column])
        except ValueError as error:
            raise self.bad(column, str(error)) from None

    def text(self, column: str) -> str | None:
        """A cell's text; None for an empty cell or a missing column."""
        return self.cells.get(column) or None

    def bad(self, column: str | None, what: str) -> BadRecord:
        where = f"{self.file}, line {self.line}" + (f", column '{column}'" if column else "")
        return BadRecord(f"{where}: {what}. Nothing was charged. Correct the file and try again.")

    def model(self, kind: type[M], values: Mapping[str, object]) -> M:
        """Validate a row; the first complaint names its column."""
        try:
            return kind.model_validate(values)
        except ValidationError as error:
            issue = error.errors(include_input=False, include_url=False, include_context=False)[0]
            column = str(issue["loc"][0]) if issue["loc"] else None
            raise self.bad(column, issue["msg"].removeprefix("Value error, ")) from None


def read_shop(path: Path) -> Shop:
    """Read ``shop.toml``: name, business_id, phone, as_of.

    Raises:
        BadRecord: If it cannot be read, or a key is missing or of the wrong type.
    """
    try:
        values = tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise unreadable(path, f"is not valid TOML ({error})") from None
    wanted = {"name": str, "business_id": str, "phone": str, "as_of": date}
    wrong = [key for key, kind in wanted.items() if type(values.get(key)) is not kind]
    wrong += [key for key in values if key not in wanted]
    if wrong:
        raise unreadable(
            path, f"must hold the texts name, business_id, phone and the date as_of; see {', '.join(wrong)}"
        )
    return Shop(**values)


def read_products(path: Path, *, as_of: date) -> list[Product]:
    """Read products; columns: name, category, brand, attributes, unit_size, unit, existing_description (optional).

    ``attributes`` is ``colour=red | blue; material=cotton``.

    Args:
        path: The CSV file.
        as_of: The day the records describe.

    Raises:
        BadRecord: If a row cannot be read; names file, line and column.
    """
    return [_product(row, as_of) for row in _rows(path, PRODUCT_COLUMNS, PRODUCT_EXTRAS)]


def read_customers(path: Path, *, as_of: date) -> list[CustomerRecord]:
    """Read credit customers; columns are those of `CreditApplication` with customer, phone, email and note.

    ``monthly_purchases`` is twelve amounts joined by ``|``, oldest first;
    ``credit_invoices`` is ``issued:due:paid:amount`` joined by ``|``, ``paid`` empty while open.

    Args:
        path: The CSV file.
        as_of: The day the records describe.

    Raises:
        BadRecord: If a row cannot be read; names file, line and column.
    """
    return [_customer(row, as_of) for row in _rows(path, CUSTOMER_COLUMNS, CUSTOMER_EXTRAS)]


def _product(row: _Row, as_of: date) -> Product:
    values: dict[str, object] = {
        "as_of": as_of,
        "name": row.cells["name"],
        "category": row.cells["category"].lower(),
        "brand": row.text("brand"),
        "attributes": row.read("attributes", _attributes),
        "unit_size": row.read("unit_size", _amount) if row.text("unit_size") else None,
        "unit": (row.text("unit") or "").lower() or None,
        "existing_description": row.text("existing_description"),
    }
    return row.model(Product, values)


def _customer(row: _Row, as_of: date) -> CustomerRecord:
    amounts = ("requested_ghs", "current_limit", "exposure", "spend_12m")
    counts = ("tenure_months", "orders_12m", "disputes_open", "returned_payments_12m")
    values: dict[str, object] = {
        "as_of": as_of,
        **{column: row.read(column, _amount) for column in amounts},
        **{column: row.read(column, _count) for column in counts},
        "monthly_purchases": row.read("monthly_purchases", lambda cell: [_amount(part) for part in cell.split("|")]),
        "credit_invoices": row.read(
            "credit_invoices", lambda cell: [_invoice(part) for part in cell.split("|") if part.strip()]
        ),
    }
    for column in ("customer", "phone"):
        if not row.cells[column]:
            raise row.bad(column, "must not be empty")
    return CustomerRecord(
        name=row.cells["customer"],
        phone=row.cells["phone"],
        assessment_input=row.model(CreditApplication, values),
        email=row.text("email"),
        note=row.text("note"),
    )


def _rows(path: Path, columns: Sequence[str], extras: Sequence[str]) -> Iterator[_Row]:
    """The rows of a file as text by column, blank lines skipped."""
    text = _text(path)
    head = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(text.splitlines(keepends=True), delimiter=max(_DELIMITERS, key=head.count), strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            stripped = [cell.strip() for cell in cells]
            if not any(stripped):
                continue
            if header is None:
                header = _header(path, stripped, columns, extras)
                continue
            yield _row(path, start, header, stripped)
    except csv.Error as error:
        raise unreadable(path, f"line {reader.line_num}: is not CSV ({error})") from None
    if header is None:
        raise unreadable(path, f"is empty; its first line must name the columns {', '.join(columns)}")


def _row(path: Path, line: int, header: Sequence[str], cells: list[str]) -> _Row:
    """One row; spreadsheets may write empty cells too many or too few at its end."""
    while len(cells) > len(header) and not cells[-1]:
        cells.pop()
    if len(cells) != len(header):
        what = f"has {len(cells)} cells, the header {len(header)}; put quotes around text that holds the delimiter"
        raise _Row(path.name, line, {}).bad(None, what)
    return _Row(path.name, line, dict(zip(header, cells, strict=True)))


def _header(path: Path, cells: Sequence[str], columns: Sequence[str], extras: Sequence[str]) -> list[str]:
    """The columns of a file: all that are needed, none that nobody reads."""
    header = ["_".join(cell.lower().split()) for cell in cells]
    while header and not header[-1]:
        header.pop()
    known = (*columns, *extras)
    for name in header:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            raise unreadable(path, f"has a column '{name}' that is not known{hint}; columns are {', '.join(known)}")
    missing = [name for name in columns if name not in header]
    if missing:
        raise unreadable(path, f"lacks the column {', '.join(missing)}")
    if len(set(header)) < len(header):
        raise unreadable(path, "names a column twice")
    return header


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unreadable(path, "is not UTF-8 text; save it as 'CSV UTF-8'") from None
    except OSError as error:
        raise unreadable(path, f"cannot be opened ({error.strerror})") from None


def unreadable(path: Path, what: str) -> BadRecord:
    """A complaint about a file as a whole, with what to do."""
    return BadRecord(f"{path.name}: {what}. Nothing was charged. Correct the file and try again.")


def _amount(cell: str) -> Decimal:
    """An amount with or without thousands commas and currency."""
    number = _CURRENCY.sub("", cell.strip())
    if _AMOUNT.fullmatch(number) is None:
        msg = "must be an amount such as 1200.50 or 1,200.50"
        raise ValueError(msg)
    return Decimal(number.replace(",", ""))


def _count(cell: str) -> int:
    number = _amount(cell)
    if number != number.to_integral_value():
        msg = "must be a whole number"
        raise ValueError(msg)
    return int(number)


def _day(text: str) -> date:
    """A date, ISO or day first."""
    day_first = _DAY_FIRST.fullmatch(text)
    try:
        if day_first is not None:
            return date(int(day_first[3]), int(day_first[2]), int(day_first[1]))
        return date.fromisoformat(text)
    except ValueError:
        msg = "must hold dates such as 2026-11-20 or 20/11/2026"
        raise ValueError(msg) from None


def _invoice(text: str) -> dict[str, object]:
    parts = [part.strip() for part in text.split(":")]
    if len(parts) != _INVOICE_PARTS:
        msg = "each bill is issued:due:paid:amount, with paid left empty while it is open"
        raise ValueError(msg)
    issued, due, paid, amount = parts
    settled = None if paid.lower() in _NOT_YET else _day(paid)
    return {"issued": _day(issued), "due": _day(due), "paid": settled, "amount": _amount(amount)}


def _attributes(cell: str) -> dict[str, str | list[str]]:
    """``colour=red | blue; material=cotton`` by key; several values become a list."""
    found: dict[str, str | list[str]] = {}
    for part in filter(None, (piece.strip() for piece in cell.split(";"))):
        key, equals, value = (text.strip() for text in part.partition("="))
        if not (key and equals and value):
            msg = "attributes are key=value pairs with '; ' between them"
            raise ValueError(msg)
        if key in found:
            msg = "names an attribute twice; write several values as red | blue"
            raise ValueError(msg)
        values = [text.strip() for text in value.split("|")]
        found[key] = values if len(values) > 1 else value
    return found
