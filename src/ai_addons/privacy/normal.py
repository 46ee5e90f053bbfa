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

WORD: Final = re.compile(r"[^\W_]+")
"""A run of letters and digits."""

_TITLES: Final = frozenset(
    {
        "alhaja", "alhaji", "apostle", "auntie", "aunty", "bro", "brother", "daavi", "doctor", "dr", "efo", "hajia",
        "hon", "ing", "madam", "mallam", "miss", "mme", "mr", "mrs", "ms", "opanin", "opanyin", "osofo", "pastor",
        "prof", "professor", "rev", "reverend", "sir", "sister", "togbe", "togbui", "uncle",
    }
)  # fmt: skip

HONORIFICS: Final = frozenset({"maame", "mama", "naa", "nana", "nii", "okyeame", "papa"})
"""What comes before a name as a title or is a name itself: part of it, but often left out."""


def words(text: str) -> list[str]:
    """The runs of letters and digits."""
    return WORD.findall(text)


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
