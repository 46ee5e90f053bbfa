"""How a text is written down beside the time until which it holds; the same in every store."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from ai_addons.cache.base import MAX_BYTES, CacheFault

_MICROSECONDS: Final = 1_000_000
_ROW: Final = re.compile(r"(\d{1,20}) (.*)", re.ASCII | re.DOTALL)


class RefusedRow(Exception):
    """The store holds something that this package never wrote."""


def keepable(text: object) -> str:
    """A text that every store can keep.

    Raises:
        CacheFault: For anything but text, for text that is too long, or that is no valid Unicode.
    """
    if isinstance(text, str):
        with suppress(UnicodeEncodeError):
            if len(text.encode()) <= MAX_BYTES:
                return text
    msg = f"only text of up to {MAX_BYTES} bytes is kept"
    raise CacheFault(msg)


def until(now: int, ttl: float) -> int:
    """When a lifetime of ``ttl`` seconds ends, UTC microseconds."""
    return now + round(ttl * _MICROSECONDS)


def row(end: int, text: str) -> str:
    """A text with its end."""
    return f"{end} {text}"


def unexpired(stored: object, now: int) -> str | None:
    """The text of a row whose time is not over.

    Raises:
        RefusedRow: If it was not written by `row`.
    """
    if stored is None:
        return None
    found = _ROW.fullmatch(str(stored))
    if found is None:
        msg = "a row without its time"
        raise RefusedRow(msg)
    return found[2] if int(found[1]) > now else None
