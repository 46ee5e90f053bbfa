"""One cell of a table, as the value it stands for.

Spreadsheets write the same amount and the same day in many ways. Only what can
mean one thing is read; everything else is an error that says what is allowed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DateOrder: TypeAlias = Literal["day_first", "month_first"]
"""What ``03/04/2026`` means."""

Decimals: TypeAlias = Literal[".", ","]
"""What stands before the pesewas; the other one of the two may divide thousands."""

Kind: TypeAlias = Literal["amount", "whole", "day", "moment", "truth", "choice", "text", "other"]
"""What a cell of a column is read as."""

_ORDERS: Final[tuple[str, ...]] = get_args(DateOrder)
# As tills and spreadsheets in Ghana write the currency: GHS 5, GH₵5, GHC 5, ₵5, and the cent sign in its place.
_CURRENCY: Final = r"(?:GHS|GH[₵¢C]|[₵¢])"
_SIGN: Final = r"[-+\u2212]"


def _number(decimal: str, thousands: str) -> re.Pattern[str]:
    """Digits between signs and currency; thousands are divided every three digits, all by the same sign."""
    whole = rf"[0-9]{{1,3}}(?:(?P<mark>[{thousands}'\u2019\s])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*)|[0-9]+"
    return re.compile(
        rf"(?P<open>\()?\s*(?P<sign>{_SIGN})?\s*(?:{_CURRENCY}\s*(?P<inner>{_SIGN})?)?\s*"
        rf"(?P<whole>{whole})(?:\{decimal}(?P<part>[0-9]+))?\s*{_CURRENCY}?\s*(?P<close>\))?",
        re.IGNORECASE,
    )


_NUMBERS: Final = {".": _number(".", ","), ",": _number(",", ".")}
_DIGITAL: Final = re.compile(r"(?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4})", re.ASCII)
_NAMED: Final = re.compile(r"(?P<day>\d{1,2})[ -](?P<month>[a-z]{3,9})\.?[ ,-]+(?P<year>\d{4})", re.ASCII)
_MIDNIGHT: Final = re.compile(r"[ T]00:00(?::00(?:\.0+)?)?$")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),  # not the locale's
    *("july", "august", "september", "october", "november", "december"),
)
_YES: Final = frozenset({"1", "on", "t", "true", "y", "yes"})
_NO: Final = frozenset({"0", "f", "false", "n", "no", "off"})
_MONTHS_A_YEAR: Final = 12


class BadCell(ValueError):
    """A cell cannot be read; the message says what is allowed and does not quote the cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the cells of a table are written.

    Attributes:
        dates: What ``03/04/2026`` means, or a format of `datetime.strptime`; None where it must be clear.
        decimal: What stands before the pesewas.
    """

    dates: str | None = None
    decimal: Decimals = "."

    def __post_init__(self) -> None:
        """Refuse what would only fail at the first row."""
        if self.dates is not None and self.dates not in _ORDERS and "%" not in self.dates:
            msg = f"dates is one of {', '.join(_ORDERS)} or a format such as '%d/%m/%Y', not {self.dates!r}"
            raise ValueError(msg)
        if self.decimal not in get_args(Decimals):
            msg = f"decimal is '.' or ',', not {self.decimal!r}"
            raise ValueError(msg)


def read_cell(cell: object, kind: Kind, choices: tuple[str, ...], reading: Reading) -> object:
    """The value of a cell that is not empty.

    Args:
        cell: A text, or a value of a row that is no file's.
        kind: What it is read as.
        choices: What a choice allows.
        reading: How the table is written.

    Raises:
        BadCell: If it is no such value, or could mean two.
    """
    if isinstance(cell, float) and kind in {"amount", "whole"}:
        # Its shortest decimal form: what a person would read of it. The model still refuses a third of a pesewa.
        cell = repr(cell)
    if isinstance(cell, int) and not isinstance(cell, bool) and kind == "text":
        # A DataFrame knows a reference of digits as a number.
        return str(cell)
    if not isinstance(cell, str):
        return cell
    read = _READERS.get(kind)
    text = cell.strip()
    return text if read is None else read(text, choices, reading)


def read_amount(text: str, decimal: Decimals = ".") -> Decimal:
    """An amount or another number, exact: ``1,234.50``, ``GHS 5``, ``(20.00)`` for minus twenty.

    Args:
        text: As it is written.
        decimal: What stands before the pesewas.

    Raises:
        BadCell: If it is no number, or its separators stand where they do not divide thousands.

    >>> read_amount("GH₵1,234.50"), read_amount("1.234,50", ",")
    (Decimal('1234.50'), Decimal('1234.50'))
    """
    found = _NUMBERS[decimal].fullmatch(text.strip())
    if not found or bool(found["open"]) != bool(found["close"]) or (found["sign"] and found["inner"]):
        other = "," if decimal == "." else "."
        msg = f"is no number; write 1{other}234{decimal}50 or 1234{decimal}50, with GHS before it or without"
        raise BadCell(msg)
    whole = re.sub("[^0-9]", "", found["whole"])
    number = Decimal(f"{whole}.{found['part']}" if found["part"] else whole)
    return -number if found["open"] or (found["sign"] or found["inner"] or "+") != "+" else number


def _whole(text: str, decimal: Decimals) -> int:
    number = read_amount(text, decimal)
    if number != number.to_integral_value():
        msg = "is no whole number"
        raise BadCell(msg)
    return int(number)


def read_day(text: str, dates: str | None = None) -> date:
    """A day: ``2026-05-31``, ``31/05/2026``, ``31 May 2026``, or what a format says.

    Args:
        text: As it is written; a time of midnight after it is left out.
        dates: ``day_first`` or ``month_first`` where days and months cannot be told apart, or a format.

    Raises:
        BadCell: If it is no day of the calendar, or could be two.

    >>> read_day("31.05.2026").isoformat(), read_day("05/31/2026", "month_first").isoformat()
    ('2026-05-31', '2026-05-31')
    """
    if dates is not None and "%" in dates:
        return _by_format(text, dates).date()
    plain = _MIDNIGHT.sub("", text.lower() if "T" not in text else text)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", plain):
        return _day(int(plain[:4]), int(plain[5:7]), int(plain[8:]))
    if named := _NAMED.fullmatch(plain.lower()):
        return _day(int(named["year"]), _month(named["month"]), int(named["day"]))
    if digital := _DIGITAL.fullmatch(plain):
        first, second = int(digital["first"]), int(digital["second"])
        day, month = (second, first) if dates == "month_first" else (first, second)
        if dates is None and first != second and max(first, second) <= _MONTHS_A_YEAR:
            msg = 'may be two days; give dates="day_first" or dates="month_first"'
            raise BadCell(msg)
        return _day(int(digital["year"]), month, day)
    msg = "is no day; write 2026-05-31 or 31/05/2026"
    raise BadCell(msg)


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        msg = "is no day of the calendar; write the year first, or the day first"
        raise BadCell(msg) from None


def _month(name: str) -> int:
    """The number of an English month, whole or by its first three letters; 0 for another word."""
    return next((at for at, month in enumerate(_MONTHS, 1) if name in (month, month[:3])), 0)


def _by_format(text: str, form: str) -> datetime:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007  # a day of the shop's own calendar has no zone
    except ValueError:
        msg = f"is no date of the form {form}"
        raise BadCell(msg) from None


def _moment(text: str, dates: str | None) -> object:
    """A date and time; ISO is pydantic's to read, a day alone begins at midnight."""
    if dates is not None and "%" in dates:
        return _by_format(text, dates)
    if re.match(r"[0-9]{4}-", text):
        return text
    day, _, time = text.partition(" ")
    return f"{read_day(day, dates).isoformat()}T{time.strip() or '00:00'}"


def _truth(text: str) -> bool:
    word = text.lower()
    if word not in _YES | _NO:
        msg = "is neither yes nor no; write yes, no, true, false, 1 or 0"
        raise BadCell(msg)
    return word in _YES


def _choice(text: str, choices: tuple[str, ...]) -> str:
    """The allowed word that a cell means, whatever its case and spaces."""
    word = plain_name(text)
    for choice in choices:
        if plain_name(choice) == word:
            return choice
    msg = f"is not allowed; use one of: {', '.join(choices)}"
    raise BadCell(msg)


def plain_name(text: str) -> str:
    """A heading or a word without case, spaces, underscores and other marks.

    >>> plain_name("Due date (GHS)") == plain_name("due_date ghs")
    True
    """
    return "".join(char for char in text.casefold() if char.isalnum())


_READERS: Final[Mapping[Kind, Callable[[str, tuple[str, ...], Reading], object]]] = {
    "amount": lambda text, _, reading: read_amount(text, reading.decimal),
    "whole": lambda text, _, reading: _whole(text, reading.decimal),
    "day": lambda text, _, reading: read_day(text, reading.dates),
    "moment": lambda text, _, reading: _moment(text, reading.dates),
    "truth": lambda text, _, __: _truth(text),
    "choice": lambda text, choices, _: _choice(text, choices),
}
