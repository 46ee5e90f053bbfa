"""What different spellings of one value have in common."""

from __future__ import annotations

import re
from typing import Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.dates import written
from ai_addons.privacy.fold import plain

NATIONAL_DIGITS: Final = 9
"""Digits of a Ghanaian phone number after its prefix."""

GHANA_TRUNKS: Final = frozenset({"", "0", "233", "00233", "2330", "002330"})
"""What may stand before them; anything else makes it another number."""

WORD: Final = re.compile(r"[^\W_]+")
"""A run of letters and digits."""

_NOT_A_DIGIT: Final = re.compile(r"\D")
_TITLES: Final = frozenset(
    {
        "alhaja", "alhaji", "apostle", "auntie", "aunty", "bro", "brother", "daavi", "doctor", "dr", "efo", "hajia",
        "hon", "ing", "madam", "mallam", "miss", "mme", "mr", "mrs", "ms", "opanin", "opanyin", "osofo", "pastor",
        "prof", "professor", "rev", "reverend", "sir", "sister", "togbe", "togbui", "uncle",
    }
)  # fmt: skip

HONORIFICS: Final = frozenset({"maame", "mama", "naa", "nana", "nii", "okyeame", "papa"})
"""What comes before a name as a title or is a name itself: part of it, but often left out."""


SHORT_WORDS: Final = {
    "avenue": "ave", "block": "blk", "close": "cl", "crescent": "cres", "drive": "dr", "estate": "est",
    "house": "hse", "junction": "jn", "lane": "ln", "number": "no", "road": "rd", "street": "st",
}  # fmt: skip
"""How words of an address are shortened."""

LONG_WORDS: Final = {short: word for word, short in SHORT_WORDS.items()}
"""The same the other way round."""


def words(text: str) -> list[str]:
    """The runs of letters and digits."""
    return WORD.findall(text)


def digits_of(text: str) -> str:
    """The digits alone."""
    return _NOT_A_DIGIT.sub("", text)


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
    return _RULES.get(kind, _squeezed)(text) or text


def _name(text: str) -> str:
    return " ".join(name_parts(text)[1])


def _mailbox(text: str) -> str:
    return "".join(text.split())


def _phone(text: str) -> str:
    digits = digits_of(text)
    if not digits:
        return _code(text)
    trunk, national = digits[:-NATIONAL_DIGITS], digits[-NATIONAL_DIGITS:]
    return national if trunk in GHANA_TRUNKS else digits


def _code(text: str) -> str:
    return "".join(words(text))


def _figure(text: str) -> str:
    figure = text.replace(",", "").strip()
    return figure.rstrip("0").rstrip(".") if "." in figure else figure


def _address(text: str) -> str:
    return " ".join(SHORT_WORDS.get(word, word) for word in words(text))


def _date(text: str) -> str:
    days = written(text)
    return "-".join(map(str, days[0])) if days else _squeezed(text)


def _squeezed(text: str) -> str:
    return " ".join(text.split())


_RULES: Final = {
    Kind.PERSON: _name,
    Kind.PHONE: _phone,
    Kind.EMAIL: _mailbox,
    Kind.ID: _code,
    Kind.ACCOUNT: _code,
    Kind.ADDRESS: _address,
    Kind.DATE: _date,
    Kind.AMOUNT: _figure,
}
