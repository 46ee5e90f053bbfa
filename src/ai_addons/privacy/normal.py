"""What different spellings of one value have in common."""

from __future__ import annotations

import re
from typing import Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.fold import plain

NATIONAL_DIGITS: Final = 9
"""Digits of a Ghanaian phone number after its prefix."""

GHANA_TRUNKS: Final = frozenset({"", "0", "233", "00233", "2330", "002330"})
"""What may stand before them; anything else makes it another number."""

_WORD: Final = re.compile(r"[^\W_]+")
_TITLES: Final = frozenset(
    {"mr", "mrs", "ms", "miss", "dr", "prof", "rev", "hon", "madam", "mme", "alhaji", "hajia", "pastor", "sir"}
)


def words(text: str) -> list[str]:
    """The runs of letters and digits."""
    return _WORD.findall(text)


def digits_of(text: str) -> str:
    """The digits alone."""
    return re.sub(r"\D", "", text)


def name_parts(text: str) -> tuple[list[str], list[str]]:
    """The titles before a folded name and the parts of the name itself; one word alone is a name."""
    parts = words(text)
    titles = 0
    while titles < len(parts) - 1 and parts[titles] in _TITLES:
        titles += 1
    return parts[:titles], parts[titles:]


def normalised(kind: Kind, value: str) -> str:
    """What two spellings of the same value have in common.

    >>> normalised(Kind.PHONE, "+233 24 123 4567") == normalised(Kind.PHONE, "0241234567")
    True
    """
    text = plain(value)
    if kind is Kind.PHONE and (digits := digits_of(text)):
        trunk, national = digits[:-NATIONAL_DIGITS], digits[-NATIONAL_DIGITS:]
        return national if trunk in GHANA_TRUNKS else digits
    if kind is Kind.PERSON:
        return " ".join(name_parts(text)[1]) or text
    if kind is Kind.EMAIL:
        return re.sub(r"\s", "", text)
    if kind in {Kind.ID, Kind.ACCOUNT, Kind.PHONE}:
        return "".join(words(text)) or text
    if kind is Kind.AMOUNT:
        figure = text.replace(",", "").strip()
        return figure.rstrip("0").rstrip(".") if "." in figure else figure
    return " ".join(text.split())
