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
from ai_addons.privacy.normal import (
    GHANA_TRUNKS,
    LONG_WORDS,
    NATIONAL_DIGITS,
    SHORT_WORDS,
    WORD,
    digits_of,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_addons.privacy.base import Declared

# Up to so many strings, looking for each is faster than looking up all pieces of a text.
_FEW: Final = 64
_BEGINNING: Final = 6

# What stands before the name of a street: "No.", "House number"; and the number.
_LABEL: Final = re.compile(r"\A\W*(?:(?:house|hse|plot|block|blk|flat)\W+)?(?:(?:no|number)\W+)?(?=[0-9])")
_HOUSE: Final = re.compile(r"\A\W*[0-9]+[a-z]?\W+")

# Shorter codes are found as they are only, not with blanks or dashes put between their characters.
_SPACED_FROM: Final = 6

# What may not stand between two characters of a value.
_PHONE_BREAK: Final = re.compile(r"[^0-9\s.\-()/_,]|[^0-9]{4}")
_EMAIL_BREAK: Final = re.compile(r"[^\w\s.\-+@]|[\W_]{4}")
_CODE_BREAK: Final = re.compile(r"[^\w\s\-./]|[\W_]{4}")
_WORD_BREAK: Final = re.compile(r"[\W_]{5}")

_DIGITS: Final = re.compile("[0-9]+")
_GHANA_PREFIX: Final = re.compile(
    r"(?:(?:\(?(?:(?:\+|00)[\s.\-()]{0,2})?233\)?|\(?0\)?)[\s.\-()/_,]{0,3})?(?:\(0\)[\s.\-()/_,]{0,3})?\Z"
)
_PREFIX_REACH: Final = 18
_PHONE_GAP: Final = re.compile(r"[\s.\-()]{0,2}\Z")
_INTERNATIONAL: Final = re.compile(r"\(?(?:\+|00)[\s.\-()]{0,2}\Z|\(\Z")


_FIGURE: Final = re.compile(
    r"(?P<before>[^\W\d_]{1,8}|[^\w\s.,+\-]{1,3})?\s?[+\-]?(?P<whole>[0-9][0-9,]*)(?:\.(?P<part>[0-9]+))?"
    r"\s?(?P<after>[^\W\d_]{1,8}|[^\w\s.,]{1,3})?"
)


class Projection(Sealed):
    """A folded text in lower case, also as its letters and digits alone and as its digits alone.

    Args:
        text: The folded text.
    """

    __slots__ = ("_digits_at", "_letters_at", "text")

    def __init__(self, text: str) -> None:
        self.text: str = text
        self._letters_at: list[int] | None = None
        self._digits_at: list[int] | None = None

    def letters(self) -> str:
        """Letters and digits."""
        return "".join(words(self.text))

    def digits(self) -> str:
        """Digits."""
        return "".join(_DIGITS.findall(self.text))

    # Most texts hold no known value: where each character stands is worked out for the others only.

    def letters_at(self) -> list[int]:
        """Where each of `letters` stands."""
        if self._letters_at is None:
            self._letters_at = _places(WORD, self.text)
        return self._letters_at

    def digits_at(self) -> list[int]:
        """Where each of `digits` stands."""
        if self._digits_at is None:
            self._digits_at = _places(_DIGITS, self.text)
        return self._digits_at

    def alone(self, start: int, end: int) -> bool:
        """Whether neither a letter nor a digit touches a stretch."""
        return not (self.text[start - 1 : start].isalnum() or self.text[end : end + 1].isalnum())


def _places(pattern: re.Pattern[str], text: str) -> list[int]:
    """Where each character of its matches stands."""
    return [place for match in pattern.finditer(text) for place in range(*match.span())]


class Known(Sealed):
    """A value that must not leave, and what its spellings have in common.

    Args:
        declared: The value.
        text: How it is spelled, or a part of it.
        partial: Whether that is but a part: it is hidden as it was typed.
        digits: Whether a phone number is found by its digits alone.
    """

    __slots__ = ("_core", "_trunk", "breaks", "by_digits", "code", "declared", "partial", "tokens")

    def __init__(self, declared: Declared, text: str, *, partial: bool = False, digits: bool = True) -> None:
        self.declared: Declared = declared
        self.partial: bool = partial
        self.tokens: list[str] = words(text)
        self.code: str = "".join(self.tokens)
        self._core = (
            text[text.find(self.tokens[0]) : text.rfind(self.tokens[-1]) + len(self.tokens[-1])] if self.tokens else ""
        )
        self._trunk = ""
        self.by_digits: bool = False
        self.breaks: re.Pattern[str] = _WORD_BREAK
        figures = digits_of(text) if digits and declared.kind is Kind.PHONE else ""
        if len(figures) >= NATIONAL_DIGITS:
            self._trunk, self.code = figures[:-NATIONAL_DIGITS], figures[-NATIONAL_DIGITS:]
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

    def place(self, projection: Projection, found: int) -> tuple[int, int] | None:
        """Where it stands in the folded text, if its characters do so from a letter or digit on."""
        text, at = projection.text, projection.digits_at() if self.by_digits else projection.letters_at()
        start, end = at[found], at[found + self.size - 1] + 1
        if text.startswith(self._core, start) and not self.by_digits:
            return start, end
        if self.breaks.search(text, start, end) or not self._divided_alike(text, start, end):
            return None
        return (_unbracketed(text, self._with_prefix(text, start), end) if self.by_digits else start), end

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


class CodeIndex(Sealed):
    """Finds the letters and digits of values in texts.

    Args:
        known: The values; shorter ones than `SHORTEST` are not looked for.
    """

    __slots__ = ("_digits", "_letters")

    def __init__(self, known: Iterable[Known]) -> None:
        self._digits = _Strings()
        self._letters = _Strings()
        for one in known:
            if one.size >= SHORTEST:
                (self._digits if one.by_digits else self._letters).add(one)

    def find(self, projection: Projection) -> Iterator[tuple[Known, int, int]]:
        """Where they stand, as (value, start, end) in the folded text."""
        for strings, haystack in ((self._digits, projection.digits), (self._letters, projection.letters)):
            for found, one in strings.within(haystack()) if strings.known else ():
                if (place := one.place(projection, found)) is not None:
                    yield one, *place


class _Strings(Sealed):
    """Many strings to look for at once.

    Few are looked for one by one. Many are found by how they begin and how long they
    are, so that the cost follows the text and not their number.
    """

    __slots__ = ("_begun", "known")

    def __init__(self) -> None:
        self.known: dict[str, list[Known]] = {}
        self._begun: dict[int, dict[str, set[int]]] = {}

    def add(self, one: Known) -> None:
        """One more."""
        self.known.setdefault(one.code, []).append(one)
        size = _BEGINNING if one.size >= _BEGINNING else SHORTEST
        self._begun.setdefault(size, {}).setdefault(one.code[:size], set()).add(one.size)

    def within(self, text: str) -> Iterator[tuple[int, Known]]:
        """Where each begins."""
        places = self._one_by_one(text) if len(self.known) <= _FEW else self._by_beginning(text)
        for at, code in places:
            for one in self.known[code]:
                yield at, one

    def _one_by_one(self, text: str) -> Iterator[tuple[int, str]]:
        for code in self.known:
            at = text.find(code)
            while at >= 0:
                yield at, code
                at = text.find(code, at + 1)

    def _by_beginning(self, text: str) -> Iterator[tuple[int, str]]:
        for size, begun in self._begun.items():
            for at in range(len(text) - size + 1):
                for length in begun.get(text[at : at + size], ()):
                    if text[at : at + length] in self.known:
                        yield at, text[at : at + length]


def spellings(declared: Declared) -> Iterator[Known]:
    """A value, and the other ways to write it that have other letters; an address also in parts."""
    text = plain(declared.value)
    yield Known(declared, text)
    if declared.kind is Kind.PHONE and any(map(str.isalpha, text)):
        # "Kofi's line 0241234567" in a field for a phone.
        yield Known(declared, text, digits=False)
    if declared.kind is Kind.ADDRESS:
        for other in _abbreviated(text):
            yield Known(declared, other)
        for part in _address_parts(text):
            for spelled in (part, *_abbreviated(part)):
                yield Known(declared, spelled, partial=True)


def _address_parts(text: str) -> Iterator[str]:
    """What stands between commas, with its house number and without; a single word is too common a name."""
    for part in re.split(r"[,;\n]", text):
        unlabelled = _LABEL.sub("", part)
        for piece in dict.fromkeys((part, unlabelled, _HOUSE.sub("", unlabelled))):
            found = words(piece)
            if len(found) > 1 and len("".join(found)) >= _SPACED_FROM and piece != text:
                yield piece


def _abbreviated(text: str) -> set[str]:
    """The same with "Street" for "St" and the other way round, where that is another text."""
    swapped = {
        WORD.sub(lambda match, table=table: table.get(match[0], match[0]), text)  # type: ignore[misc]  # reason: mypy cannot infer a lambda with a default
        for table in (SHORT_WORDS, LONG_WORDS)
    }
    return swapped - {text}


def figure_pattern(value: str) -> re.Pattern[str] | None:
    """A figure with or without thousands separators, trailing zeros and its currency; None if it is no figure."""
    number = _FIGURE.fullmatch(plain(value).strip())
    digits = number["whole"].replace(",", "") if number else ""
    if number is None or len(digits + (number["part"] or "")) < SHORTEST:
        return None
    head = len(digits) % 3
    grouped = ",?".join(filter(None, [digits[:head], *re.findall("...", digits[head:])]))
    cents = (number["part"] or "").rstrip("0")
    fraction = rf"\.{cents}0{{0,4}}" if cents else r"(?:\.0{1,4})?"
    before = rf"(?:{re.escape(number['before'])}\s?)?" if number["before"] else ""
    after = rf"(?:\s?{re.escape(number['after'])})?" if number["after"] else ""
    return re.compile(rf"{before}(?<![0-9])(?<![0-9][.,\-/:]){grouped}{fraction}(?![0-9]|[.,\-/:][0-9]|\s?%){after}")
