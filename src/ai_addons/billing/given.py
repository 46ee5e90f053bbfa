"""What a host gives with a charge: numbers read exactly, and of the rest only what says nothing about people. Pure."""

from __future__ import annotations

import re
from collections.abc import Sized
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.records import Tokens
from ai_addons.money import PicoUsd

if TYPE_CHECKING:
    from collections.abc import Mapping

_PICO: Final = 10**12
# The database holds 64 bits of pico-dollars.
_MOST_DOLLARS: Final = Decimal(9_000_000)
_SMALLEST: Final = -13
# Nine digits are a phone number without its zero.
_LONG_NUMBER: Final = 10**8
_LONGEST_TEXT: Final = 20
_MOST_FIELDS: Final = 50
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")


def pico_usd(cost: object) -> PicoUsd | None:
    """Read a provider cost; the one place where a float may come in, by way of its text.

    Args:
        cost: US dollars as `Decimal`, text, whole number or float; None if unknown.

    Returns:
        Pico-dollars, rounded half to even.

    Raises:
        TypeError: If it is none of these.
        ValueError: If it is no number, below zero or above nine million.
    """
    if cost is None:
        return None
    if isinstance(cost, bool) or not isinstance(cost, (Decimal, str, int, float)):
        msg = f"a cost is a Decimal, str, int or float, not {type(cost).__name__}; nothing was charged"
        raise TypeError(msg)
    exact = _dollars(str(cost))
    if exact is None:
        msg = f"a cost is a number of US dollars from 0 to {_MOST_DOLLARS:,}; nothing was charged"
        raise ValueError(msg)
    if exact.adjusted() < _SMALLEST:
        # Nothing, at this scale; as a fraction it might have millions of digits.
        return PicoUsd(0)
    # A fraction, because Decimal's own arithmetic rounds to the precision of whatever context the host has set.
    return PicoUsd(round(Fraction(exact) * _PICO))


def _dollars(text: str) -> Decimal | None:
    try:
        exact = Decimal(text)
    except ArithmeticError:
        return None
    return exact if exact.is_finite() and 0 <= exact <= _MOST_DOLLARS else None


def whole(value: object, what: str) -> int:
    """Read a count.

    Args:
        value: What the host gave.
        what: Its name, for the message.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it is below zero.
    """
    if type(value) is not int:
        msg = f"{what} is a whole number, not {type(value).__name__}; nothing was charged"
        raise TypeError(msg)
    if value < 0:
        msg = f"{what} cannot be below zero; nothing was charged"
        raise ValueError(msg)
    return value


def tokens(sent: object, received: object) -> Tokens | None:
    """Read the tokens of a call; none at all means that nobody counted them.

    Args:
        sent: Tokens of the prompt.
        received: Tokens of the answer.

    Raises:
        TypeError: If one is no whole number.
        ValueError: If one is below zero.
    """
    prompt, answer = whole(sent, "input_tokens"), whole(received, "output_tokens")
    if not prompt and not answer:
        return None
    return Tokens(input=prompt, cached=0, cache_write=0, output=answer, reasoning=0)


def sizes(data: Mapping[Any, object] | None) -> dict[str, object]:
    """What may be kept of a request: its numbers, its flags, and how long its texts and lists are.

    Left out is what is named by no plain field name, and a number as long as a phone number.

    Args:
        data: What was asked; may hold personal data.

    Returns:
        At most 50 fields, as JSON.
    """
    kept = dict[str, object]()
    for name, value in (data or {}).items():
        size = _size(value) if isinstance(name, str) and _FIELD.fullmatch(name) else None
        if size is not None and len(kept) < _MOST_FIELDS:
            kept[name] = size
    return kept


def _size(value: object) -> object:
    """A number as it is, anything with a length as that, None for the rest."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        # Not true either for what is infinite or not a number.
        return value if abs(value) < _LONG_NUMBER else None
    if isinstance(value, Decimal):
        return _decimal(value)
    return {"size": len(value)} if isinstance(value, Sized) else None


def _decimal(value: Decimal) -> str | None:
    """As text, for a number of JSON loses digits."""
    short = value.is_finite() and value.copy_abs() < _LONG_NUMBER and len(str(value)) <= _LONGEST_TEXT
    return str(value) if short else None
