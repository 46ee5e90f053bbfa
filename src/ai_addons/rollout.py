"""Whether a feature is on for a business: one rule for calls, quotes, price lists and buttons. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal
from typing import Final, TypeAlias

Enabled: TypeAlias = bool | tuple[str, ...] | Decimal
"""On for all or for nobody, for the businesses named, or for so many per cent of them."""

_BYTES: Final = 8
_PLACES: Final = 256**_BYTES
# Text with the sign, and numbers without it; 1 and 0 are True and False.
_MEANT: Final = re.compile(r".*%|(?![01]$)[-+0-9.]+", re.DOTALL)
_WRITTEN: Final = re.compile(r"(100(?:\.0{1,6})?|[0-9]{1,2}(?:\.[0-9]{1,6})?)\s*%")


def read_percentage(value: object) -> object:
    """Read ``"10%"`` or ``"2.5 %"`` as a `Decimal`, in per cent; leave what is no number to pydantic.

    Raises:
        ValueError: For a number without its sign, one that is not from 0 to 100, or one of more than six decimals.

    >>> read_percentage("2.5%")
    Decimal('2.5')
    """
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    if not _MEANT.fullmatch(text):
        return value
    match = _WRITTEN.fullmatch(text)
    if match is None:
        msg = f"{value!r} is no percentage from 0 to 100; write e.g. '10%' or '2.5%'"
        raise ValueError(msg)
    return Decimal(match[1])


def is_on(enabled: Enabled, feature: str, business: str | None = None) -> bool:
    """Whether a feature is on for a business.

    A percentage takes the businesses whose place is below it. The place is fixed by both names, so a business that
    is in stays in when the percentage grows, and another feature begins with other businesses.

    Args:
        enabled: The setting ``features.NAME.enabled``; a `Decimal` is per cent, 0 to 100.
        feature: Feature key.
        business: Business id; None asks whether it is on for anybody.
    """
    if isinstance(enabled, bool):
        return enabled
    if isinstance(enabled, tuple):
        return bool(enabled) if business is None else business in enabled
    if business is None:
        return enabled > 0
    # Whole numbers, because a product of decimals is rounded as the host's decimal context says.
    percent, parts = enabled.as_integer_ratio()
    return place(feature, business) * 100 * parts < percent * _PLACES


def place(feature: str, business: str) -> int:
    """Where a business stands among all that may get a feature, 0 to 2**64 - 1: the same on every host, for ever.

    The first eight bytes of a SHA-256, so places are spread evenly. No secret goes in: a new one would put other
    businesses in. JSON keeps the two names apart and takes every text.
    """
    names = json.dumps(["rollout", feature, business]).encode()
    return int.from_bytes(hashlib.sha256(names).digest()[:_BYTES], "big")
