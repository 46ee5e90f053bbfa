"""How amounts, times and names are written on pages. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from ai_addons.billing.periods import from_micros
from ai_addons.billing.profile import ACCRA
from ai_addons.web.words import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from ai_addons.money import Credits
    from ai_addons.web.words import Words


_SOURCES: Final[Mapping[str, str]] = {
    "purchase": "Paid",
    "bonus": "Bonus",
    "trial": "Trial",
    "free_monthly": "Free this month",
    "addon": "Monthly add-on",
    "rollover": "Carried over",
    "promo": "Promotion",
    "adjustment": "Correction",
    "clawback_reversal": "Given back",
}

_STATES: Final[Mapping[str, str]] = {
    "pending": "Waiting for payment",
    "failed": "Cancelled",
    "abandoned": "Not paid in time",
    "quarantined": "Being checked",
    "successful": "Paid",
    "partially_refunded": "Refunded in part",
    "refunded": "Refunded",
    "disputed": "Disputed",
}


def credits_text(amount: Credits) -> str:
    """Credits for people, with thousands apart and no needless zeros: ``1,234.5``."""
    return _apart(amount.short)


def booked_text(amount: Credits) -> str:
    """Credits as books have them, with two decimals or more, and thousands apart: ``1,234.50``."""
    return _apart(str(amount))


def percent(share: Decimal) -> str:
    """A share of one in hundredths, to a tenth: ``98.5 %``."""
    return f"{share.scaleb(2).quantize(Decimal('0.1')):f}".removesuffix(".0") + " %"


def uses_left(spendable: Credits, price: Credits) -> int | None:
    """How many calls credits pay for; None for a free feature."""
    return spendable.micro // price.micro if price else None


def moment(micros: int, tz: str, words: Words = ENGLISH) -> str:
    """A time for people in a zone, to the minute: ``26 Nov 2026, 14:05``; with the name of another zone than Ghana's.

    Args:
        micros: UTC microseconds.
        tz: IANA name of the zone.
        words: Say the month.
    """
    local = _local(micros, tz)
    return words("{day}, {time}", day=day_text(local.date(), words), time=f"{local:%H:%M}") + (
        "" if tz == ACCRA else f" ({tz})"
    )


def day_in(micros: int, tz: str, words: Words = ENGLISH) -> str:
    """The day of a time in a zone: ``26 Nov 2026``."""
    return day_text(_local(micros, tz).date(), words)


def day_text(day: date, words: Words = ENGLISH) -> str:
    """A day for people: ``26 Nov 2026``."""
    return words("{day} {month} {year}", day=day.day, month=words(_MONTHS[day.month - 1]), year=day.year)


def month_text(day: date, words: Words = ENGLISH) -> str:
    """The month of a day: ``Nov 2026``."""
    return words("{month} {year}", month=words(_MONTHS[day.month - 1]), year=day.year)


def short_day_text(day: date, words: Words = ENGLISH) -> str:
    """A day of this year: ``26 Nov``."""
    return words("{day} {month}", day=day.day, month=words(_MONTHS[day.month - 1]))


def source_text(source: str) -> str:
    """Where credits come from."""
    return _SOURCES.get(source, source)


def state_text(state: str) -> str:
    """Where an order stands."""
    return _STATES.get(state, state)


# English in any locale of the machine, which `strftime` would follow.
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _apart(number: str) -> str:
    """A decimal number in text with its thousands apart."""
    whole, point, part = number.partition(".")
    return f"{int(whole):,}{point}{part}" if whole != "-0" else number


def _local(micros: int, tz: str) -> datetime:
    return from_micros(micros).astimezone(ZoneInfo(tz))


ALL: Final[dict[str, Callable[..., object]]] = {
    "credits": credits_text,
    "booked": booked_text,
    "percent": percent,
    "moment": moment,
    "day_in": day_in,
    "day": day_text,
    "month": month_text,
    "source": source_text,
    "state": state_text,
}
"""What templates may write after a bar."""
