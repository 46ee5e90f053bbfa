"""Known values but names in other spellings: how ``0241234567`` is found as ``+233 (0)24 123-4567``.

What two spellings have in common is their letters and digits in order; whatever
stands between them does not matter, within bounds. Not promised: misspellings,
values of fewer than three letters or digits, "ending 1234".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind, Sealed
from ai_addons.privacy.fold import plain
from ai_addons.privacy.names import SHORTEST
from ai_addons.privacy.normal import GHANA_TRUNKS, NATIONAL_DIGITS, digits_of, normalised, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.privacy.base import Declared

# Shorter codes are found as they are only, not with blanks or dashes put between their characters.
_SPACED_FROM: Final = 6

# What may not stand between two characters of a value.
_PHONE_BREAK: Final = re.compile(r"[^0-9\s.\-()]|[^0-9]{3}")
_EMAIL_BREAK: Final = re.compile(r"[^\w\s.\-+@]|[\W_]{4}")
_CODE_BREAK: Final = re.compile(r"[^\w\s\-./]|[\W_]{3}")
_WORD_BREAK: Final = re.compile(r"[\W_]{5}")

_GHANA_PREFIX: Final = re.compile(
    r"(?:(?:\(?(?:(?:\+|00)[\s.\-()]{0,2})?233\)?|\(?0\)?)[\s.\-()]{0,2})?(?:\(0\)[\s.\-()]{0,2})?\Z"
)
_PREFIX_REACH: Final = 18
_PHONE_GAP: Final = re.compile(r"[\s.\-()]{0,2}\Z")
_INTERNATIONAL: Final = re.compile(r"\(?(?:\+|00)[\s.\-()]{0,2}\Z|\(\Z")


class Projection(Sealed):
    """A folded text in lower case, also as its letters and digits alone and as its digits alone.

    Args:
        text: The folded text.
    """

    __slots__ = ("_digits", "_letters", "text")

    def __init__(self, text: str) -> None:
        self.text: str = text
        self._letters: tuple[str, list[int]] | None = None
        self._digits: tuple[str, list[int]] | None = None

    def letters(self) -> tuple[str, list[int]]:
        """Letters and digits, and where each stands."""
        if self._letters is None:
            places = [index for index, char in enumerate(self.text) if char.isalnum()]
            self._letters = "".join([self.text[place] for place in places]), places
        return self._letters

    def digits(self) -> tuple[str, list[int]]:
        """Digits, and where each stands."""
        if self._digits is None:
            places = [match.start() for match in re.finditer("[0-9]", self.text)]
            self._digits = "".join([self.text[place] for place in places]), places
        return self._digits

    def alone(self, start: int, end: int) -> bool:
        """Whether neither a letter nor a digit touches a stretch."""
        return not (self.text[start - 1 : start].isalnum() or self.text[end : end + 1].isalnum())


class Known(Sealed):
    """A value that must not leave, and what its spellings have in common.

    Args:
        declared: The value.
    """

    __slots__ = ("_trunk", "breaks", "by_digits", "code", "declared", "key", "tokens")

    def __init__(self, declared: Declared) -> None:
        text = plain(declared.value)
        self.declared: Declared = declared
        self.key: str = normalised(declared.kind, declared.value)
        self.tokens: list[str] = words(text)
        self.code: str = "".join(self.tokens)
        self._trunk = ""
        self.by_digits: bool = False
        self.breaks: re.Pattern[str] = _WORD_BREAK
        if declared.kind is Kind.PHONE and len(digits_of(text)) >= NATIONAL_DIGITS:
            digits = digits_of(text)
            self._trunk, self.code = digits[:-NATIONAL_DIGITS], digits[-NATIONAL_DIGITS:]
            self.by_digits, self.breaks = True, _PHONE_BREAK
        elif declared.kind is Kind.EMAIL:
            self.breaks = _EMAIL_BREAK
        elif declared.kind in {Kind.ID, Kind.ACCOUNT, Kind.PHONE}:
            self.breaks = _CODE_BREAK

    @property
    def size(self) -> int:
        """How many letters and digits it has."""
        return len(self.code)

    @property
    def one_word(self) -> bool:
        """Whether it is but one word without a digit, which may be an ordinary word elsewhere."""
        return len(self.tokens) == 1 and self.code.isalpha()

    def places(self, projection: Projection) -> Iterator[tuple[int, int]]:
        """Where its characters stand in their order, as (start, end) in the folded text."""
        text, (letters, at) = projection.text, projection.digits() if self.by_digits else projection.letters()
        found = letters.find(self.code) if self.size >= SHORTEST else -1
        while found >= 0:
            start, end = at[found], at[found + self.size - 1] + 1
            if not self.breaks.search(text, start, end) and self._divided_alike(text, start, end):
                yield (_unbracketed(text, self._with_prefix(text, start), end) if self.by_digits else start), end
            found = letters.find(self.code, found + 1)

    def _divided_alike(self, text: str, start: int, end: int) -> bool:
        """Whether short values are divided into words as declared."""
        return self.size >= _SPACED_FROM or words(text[start:end]) == self.tokens

    def _with_prefix(self, text: str, start: int) -> int:
        """Where a phone number begins when its country code or trunk zero is counted in."""
        if self._trunk in GHANA_TRUNKS:
            match = _GHANA_PREFIX.search(text, max(0, start - _PREFIX_REACH), start)
            return match.start() if match else start
        for digit in reversed(self._trunk):
            gap = _PHONE_GAP.search(text, max(0, start - 2), start)
            before = gap.start() if gap else start
            if text[before - 1 : before] != digit:
                break
            start = before - 1
        sign = _INTERNATIONAL.search(text, max(0, start - 5), start)
        return sign.start() if sign else start


def _unbracketed(text: str, start: int, end: int) -> int:
    """Where a number begins, without a bracket that closes after it."""
    return start + (text[start] == "(" and text.count("(", start, end) > text.count(")", start, end))


def figure_pattern(value: str) -> re.Pattern[str] | None:
    """A figure with or without thousands separators and trailing zeros; None if it is none, or too short."""
    number = re.fullmatch(r"[+\-]?([0-9]+)(?:\.([0-9]+))?", plain(value).replace(",", "").strip())
    if number is None or len(number[1] + (number[2] or "")) < SHORTEST:
        return None
    head = len(number[1]) % 3
    grouped = ",?".join(filter(None, [number[1][:head], *re.findall("...", number[1][head:])]))
    cents = (number[2] or "").rstrip("0")
    fraction = rf"\.{cents}0{{0,4}}" if cents else r"(?:\.0{1,4})?"
    return re.compile(rf"(?<![0-9])(?<![0-9][.,\-/:]){grouped}{fraction}(?![0-9]|[.,\-/:][0-9]|\s?%)")
