"""Reads a provider's export, CSV or JSON, into lines by day and model. Pure; nothing in a file is trusted."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeAlias, cast
from zoneinfo import ZoneInfo

from ai_addons.money import PicoUsd

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ai_addons.billing.bills.formats import Format

Record: TypeAlias = "dict[str, object]"
"""A line of a file: its fields by their plain names."""

MOST_BYTES: Final = 50_000_000
"""A month of any shop's usage by day and model is far smaller."""

_PICO: Final = 10**12
_MOST_TOKENS: Final = 10**15
_MOST_USD: Final = 10**9
_CENTS: Final = 100
_MILLI_EPOCH: Final = 10**11
_YEARS: Final = range(2015, 2200)
_DATES: Final = ("%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%Y%m%d")


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """What a provider says of one model on one day; unknown is not zero.

    Attributes:
        day: In the provider's zone.
        model: As the provider calls it; empty where the line names none.
        input_tokens: All that went in, cached ones included.
        output_tokens: All that came out, reasoning ones included.
        cost: Pico-USD.
    """

    day: date
    model: str
    input_tokens: int | None
    output_tokens: int | None
    cost: PicoUsd | None


def parse_bill(content: bytes, form: Format) -> tuple[BillLine, ...]:
    """Read an export.

    Args:
        content: The file, CSV or JSON.
        form: What the provider's exports look like.

    Raises:
        ValueError: If it is too large, neither CSV nor JSON, or does not say what of which day; the message names
            the line and never repeats more than a field's name of it.
    """
    if len(content) > MOST_BYTES:
        msg = f"the file has more than {MOST_BYTES} bytes; export fewer days at a time"
        raise ValueError(msg)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        msg = "the file is not UTF-8 text; save it as CSV in UTF-8, or as JSON"
        raise ValueError(msg) from None
    records = list(_records(text))
    if not records:
        msg = "the file has no lines"
        raise ValueError(msg)
    _check_fields(records, form)
    return tuple(_line(number, record, form) for number, record in enumerate(records, 1) if _counts(record, form))


def _records(text: str) -> Iterator[Record]:
    if text.lstrip()[:1] in {"{", "["}:
        try:
            read: object = json.loads(text, parse_float=Decimal, parse_int=int)
        except (ValueError, RecursionError):
            msg = "the file begins like JSON and is none"
            raise ValueError(msg) from None
        yield from (_flat(item) for item in _results(read, {}))
        return
    try:
        for row in csv.DictReader(io.StringIO(text, newline=""), strict=True):
            named = {name: value for name, value in row.items() if isinstance(name, str) and value is not None}
            yield {plain_name(name): value for name, value in named.items()}
    except csv.Error as error:
        msg = f"the file is no CSV: {error}"
        raise ValueError(msg) from None


def _results(read: object, above: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """The innermost lines of pages and buckets, each with the times of its bucket."""
    if isinstance(read, list):
        for item in cast("list[object]", read):
            yield from _results(item, above)
        return
    if not isinstance(read, dict):
        return
    found = cast("dict[str, object]", read)
    inside = next((found[name] for name in ("data", "results") if isinstance(found.get(name), list)), None)
    own = {name: value for name, value in found.items() if not isinstance(value, list)}
    if inside is None:
        yield {**above, **own}
    else:
        yield from _results(inside, {**above, **own})


def _flat(item: Mapping[str, object], prefix: str = "") -> Record:
    """Nested fields as ``outer_inner``."""
    flat: Record = {}
    for name, value in item.items():
        key = plain_name(f"{prefix}_{name}" if prefix else name)
        if isinstance(value, dict):
            flat |= _flat(cast("dict[str, object]", value), key)
        elif not isinstance(value, list):
            flat[key] = value
    return flat


def plain_name(name: str) -> str:
    """A field's name in lower case, its words joined by underscores: ``Cost ($)`` is ``cost``."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _check_fields(records: Iterable[Record], form: Format) -> None:
    names = {name for record in records for name in record}
    amounts = {name for group in (*form.inputs, *form.outputs, form.cost, form.cents) for name in group}
    if names.isdisjoint(form.day) or names.isdisjoint(amounts):
        what = "a day" if names.isdisjoint(form.day) else "tokens or a cost"
        shown = ", ".join(sorted(names)[:30])
        msg = f"the file has no field of {form.provider}'s that says {what}; its fields are: {shown}"
        raise ValueError(msg)


def _counts(record: Record, form: Format) -> bool:
    """Whether a line says anything of any day: totals under a table do not."""
    return _first(record, form.day) not in {None, ""}


def _line(number: int, record: Record, form: Format) -> BillLine:
    try:
        model = _first(record, form.model)
        return BillLine(
            day=_checked(_day(_first(record, form.day), form.tz)),
            model="" if model is None else str(model).strip(),
            input_tokens=_tokens(record, form.inputs),
            output_tokens=_tokens(record, form.outputs),
            cost=_cost(record, form),
        )
    except (ValueError, OverflowError, OSError) as error:
        msg = f"line {number} of the file: {error}"
        raise ValueError(msg) from None


def _first(record: Record, names: Iterable[str]) -> object:
    for name in names:
        if record.get(name) not in {None, ""}:
            return record[name]
    return None


def _day(value: object, tz: str) -> date:
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    text = str(value).strip()
    if number is None and text.isdigit() and len(text) > len("20261126"):
        number = int(text)
    if number is not None:
        seconds = number // 1_000 if number > _MILLI_EPOCH else number
        return datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(tz)).date()
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  # a day, of no zone
        except ValueError:
            continue
    return _instant(text, tz)


def _checked(day: date) -> date:
    if day.year not in _YEARS:
        msg = "its day is in no year of any provider"
        raise ValueError(msg)
    return day


def _instant(text: str, tz: str) -> date:
    spelled = re.sub(r" UTC$", "+00:00", text)
    try:
        at = datetime.fromisoformat(spelled)
    except ValueError:
        msg = "its day is no date and no time"
        raise ValueError(msg) from None
    # A day's bucket begins at midnight of the zone it is written in, which is the provider's.
    midnight = at.time() == at.time().min
    return at.date() if at.tzinfo is None or midnight else at.astimezone(ZoneInfo(tz)).date()


def _tokens(record: Record, groups: Iterable[Iterable[str]]) -> int | None:
    parts = [_number(value) for group in groups if (value := _first(record, group)) is not None]
    if not parts:
        return None
    total = sum(parts)
    if total.denominator != 1 or not 0 <= total <= _MOST_TOKENS:
        msg = "its tokens are no whole number"
        raise ValueError(msg)
    return int(total)


def _cost(record: Record, form: Format) -> PicoUsd | None:
    currency = _first(record, form.currency)
    if currency is not None and str(currency).strip().upper() != "USD":
        msg = "its cost is not in US dollars"
        raise ValueError(msg)
    for names, parts in ((form.cost, 1), (form.cents, _CENTS)):
        value = _first(record, names)
        if value is not None:
            usd = _number(value) / parts
            if abs(usd) > _MOST_USD:
                msg = "its cost is beyond any bill"
                raise ValueError(msg)
            return PicoUsd(round(usd * _PICO))
    return None


def _number(value: object) -> Fraction:
    """An exact number, as people and machines write it: ``$1,234.50``, ``1e-05``."""
    text = re.sub(r"[$,\s]", "", str(value))
    number = Decimal(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text) else None
    if number is None:
        msg = "one of its numbers is none"
        raise ValueError(msg)
    return Fraction(number)
