"""How figures are written for people. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

NOTHING: Final = "\N{EN DASH}"
"""Stands for what is not known."""

_CENTS: Final = Decimal("0.01")
_SMALL: Final = Decimal("0.0001")
# Whatever decimal context the host has set.
_EXACT: Final = Context(prec=40, rounding=ROUND_HALF_UP)
_SECOND: Final = 1_000


def money(amount: Decimal | None) -> str:
    """An amount with thousands apart: two places, four below one, where costs of calls lie."""
    if amount is None:
        return NOTHING
    small = amount and abs(amount) < 1
    return f"{amount.quantize(_SMALL if small else _CENTS, context=_EXACT):,f}"


def percent(part: Decimal | None, places: int = 1) -> str:
    """A share in per cent, to a tenth or to so many places."""
    if part is None:
        return NOTHING
    whole = _EXACT.multiply(part, Decimal(100))
    return f"{whole.quantize(Decimal(f'1e-{places}'), context=_EXACT):,f} %"


def figure(value: Decimal | None, unit: str) -> str:
    """A KPI in its unit."""
    return percent(value) if unit == "share" else f"{money(value)}{'' if value is None else f' {unit}'}"


def number(value: Decimal | int | None) -> str:
    """A number with thousands apart, without zeros at its end."""
    if value is None:
        return NOTHING
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def took(milliseconds: int | None) -> str:
    """A time that something took."""
    if milliseconds is None:
        return NOTHING
    if milliseconds < _SECOND:
        return f"{milliseconds} ms"
    return f"{number(Decimal(f'{milliseconds}e-3'))} s"


def when(at: datetime | None) -> str:
    """A time, UTC."""
    return NOTHING if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def words(code: str) -> str:
    """A code as words."""
    return code.replace("_", " ")


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "money": money,
    "share": percent,
    "number": number,
    "took": took,
    "when": when,
    "words": words,
    "figure": figure,
}
"""By the name under which templates know them."""
