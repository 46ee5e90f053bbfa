"""The kinds of values that settings have, and how people write them."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from ai_addons.money import Credits
from ai_addons.rollout import read_percentage

_DURATION: Final = re.compile(r"(\d+)\s*(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def read_duration(value: object) -> object:
    """Read ``"90s"``, ``"15m"``, ``"6h"`` or ``"7d"`` as a `timedelta`; leave what is no text to pydantic.

    Raises:
        ValueError: For any other text.

    >>> read_duration("6h")
    datetime.timedelta(seconds=21600)
    """
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        msg = f"{value!r} is no duration; write e.g. '30s', '15m', '6h' or '7d'"
        raise ValueError(msg)
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def _as_list(value: object) -> object:
    """A single name is a list of one."""
    return (value,) if isinstance(value, str) else value


def _with_provider(route: tuple[str, ...]) -> tuple[str, ...]:
    for model in route:
        if model.startswith(("[", "{")):
            msg = 'a list of models is not valid JSON; write e.g. ["openai/gpt-6-luna", "anthropic/claude-haiku"]'
            raise ValueError(msg)
        if "/" not in model.strip("/"):
            msg = f"{model!r} lacks its provider; write e.g. 'openai/{model}', 'anthropic/{model}' or 'gemini/{model}'"
            raise ValueError(msg)
    return route


def _not_below_zero(amount: Credits) -> Credits:
    if amount < Credits(0):
        msg = "credits in the settings are never below zero"
        raise ValueError(msg)
    return amount


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        msg = f"{name!r} is no time zone; write an IANA name, e.g. 'Africa/Accra'"
        raise ValueError(msg) from None
    return name


Amount = Annotated[Credits, AfterValidator(_not_below_zero)]
Usd = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=12)]
Secret = Annotated[SecretStr, Field(min_length=32)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Duration = Annotated[timedelta, BeforeValidator(read_duration)]
# Strict: numbers in files and variables are read as what people write, with the sign.
Percentage = Annotated[Decimal, Field(strict=True, ge=0, le=100, decimal_places=6)]
Rollout = Annotated[bool | tuple[str, ...] | Percentage, BeforeValidator(read_percentage)]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Route = Annotated[tuple[str, ...], BeforeValidator(_as_list), AfterValidator(_with_provider), Field(min_length=1)]
