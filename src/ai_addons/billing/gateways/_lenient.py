"""What gateways answer, read leniently: a value that is not what it should be is None, never an error.

Amounts come as numbers or as text, metadata as ``""``, ``0``, null, an object or JSON text. Whoever decides finds
None where it wanted an amount, and does not pay for it.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from ai_addons.billing.periods import from_micros, to_micros

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeGuard

    Table: TypeAlias = Mapping[str, object]

_SECOND: Final = 1_000_000
# No payment has more digits, and the database holds 64 bits.
_WHOLE: Final = re.compile(r"[0-9]{1,15}")
_REFERENCE: Final = re.compile(r"[A-Za-z0-9.=-]{1,100}")
_LONGEST_SAID: Final = 300
_LONGEST_WORD: Final = 255
# Neither a number, an address nor a key fits in, so it can stand in a message.
_HARMLESS: Final = re.compile(r"[A-Za-z][A-Za-z ,.'()-]{0,119}")


def parse(raw: bytes | str) -> object:
    """JSON as Python values, numbers with a point as text; None for what is no JSON."""
    try:
        # No float: binary fractions are no money.
        return cast("object", json.loads(raw, parse_float=str))
    except (ValueError, RecursionError):
        return None


def is_table(value: object) -> TypeGuard[Table]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def table(value: object) -> Table:
    """An object; empty for anything else."""
    return value if is_table(value) else {}


def rows(value: object) -> Sequence[Table] | None:
    """The objects of a list, or the one object that stands where a list should; None for anything else."""
    if isinstance(value, list):
        return [one for one in cast("list[object]", value) if is_table(one)]
    return [value] if is_table(value) else None


def whole(value: object) -> int | None:
    """A whole number that is not negative, also as text; a bool is none."""
    if type(value) is int:
        value = str(value) if abs(value) < 10**15 else ""
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def word(value: object) -> str | None:
    """A name, code or state: text on one line, or a whole number as text."""
    if type(value) is int:
        return str(value) if whole(value) is not None else None
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_WORD and value.isprintable() else None


def address(value: object) -> str | None:
    """A web address."""
    return value if isinstance(value, str) and re.fullmatch(r"https?://[!-~]{1,2000}", value) else None


def named(value: object) -> str | None:
    """A reference of ours; None for what cannot be one."""
    return value if isinstance(value, str) and _REFERENCE.fullmatch(value) else None


def said(*values: object) -> str:
    """The first of some texts for people that says anything, on one line."""
    texts = (value.strip() for value in values if isinstance(value, str))
    first = next(filter(None, texts), "")
    return "".join(sign if sign.isprintable() else " " for sign in first[:_LONGEST_SAID])


def code(*values: object) -> str:
    """The first code, or message without anything personal or secret in it, for an error message."""
    words = (value for value in values if isinstance(value, str))
    return next((one for one in words if _HARMLESS.fullmatch(one.replace("_", "-"))), "")


def currency(value: object) -> str | None:
    """An ISO 4217 code in capitals."""
    return value.upper() if isinstance(value, str) and re.fullmatch("[A-Za-z]{3}", value) else None


def instant(value: object) -> int | None:
    """A time as ISO 8601 text, in UTC microseconds; UTC where it names no zone."""
    try:
        then = datetime.fromisoformat(value) if isinstance(value, str) else None
        if then is None:
            return None
        zoned = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
        return to_micros(zoned)
    except (ValueError, OverflowError):
        return None


def seconds(value: object) -> int | None:
    """A time in seconds since 1970, in UTC microseconds."""
    since = whole(value)
    return None if since is None or since > 10**11 else since * _SECOND


def iso(at: int) -> str:
    """UTC microseconds as gateways read a time."""
    return from_micros(at).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
