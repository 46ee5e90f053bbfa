"""Reading text as a person would: typography is levelled, and every match leads back to the original.

A phone number typed with a typographic dash, a name with an invisible character
inside or in full-width letters is still that number and that name. Matching
therefore happens on a folded copy that remembers where each character came from.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# Letters that Unicode does not decompose but people exchange, and quotes that stand for an apostrophe.
_EXCHANGED: Final = {
    "ɔ": "o",
    "Ɔ": "O",
    "ɛ": "e",
    "Ɛ": "E",
    "ß": "ss",
    "ẞ": "SS",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "\u2018": "'",
    "\u2019": "'",
    "\u02bc": "'",
    "\u00b4": "'",
    "\u2212": "-",
}
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")
# Marks on a letter and characters without width; they count as part of what stands before them or not at all.
_MARKS: Final = frozenset({"Mn", "Me"})
_INVISIBLE: Final = "Cf"
_LEVELLED: Final = {"Pd": "-", "Zs": " ", "Zl": "\n", "Zp": "\n"}


# Not frozen: each text of a call is folded several times, and a frozen one takes three times as long to make.
@dataclass(slots=True, repr=False)
class Folded:
    """A folded text and the way back to the original.

    Attributes:
        text: What to match on.
        starts: For each folded character, where its original begins; None when nothing moved.
        ends: For each folded character, where its original ends, its accents included.
    """

    text: str
    starts: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The original offsets of a folded stretch; ``end`` is exclusive and above ``start``."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def fold(text: str, *, lower: bool = False) -> Folded:
    r"""Level typography: dashes, blanks, digits of other scripts, accents, invisible characters.

    Args:
        text: Any text.
        lower: Also fold upper and lower case.

    >>> fold("Kɔfí\u00a0024\u2011123").text
    'Kofi 024-123'
    """
    if text.isascii():
        return Folded(text.lower() if lower else text)
    found = set(_NOT_ASCII.findall(text))
    pieces = {char: _fold_char(char) for char in found}
    if lower:
        pieces = {char: piece.casefold() for char, piece in pieces.items()}
    if all(len(piece) == 1 for piece in pieces.values()):
        for char, piece in pieces.items():
            text = text.replace(char, piece)
        return Folded(text.lower() if lower else text)
    return _fold_moving(text, pieces, lower=lower)


def _fold_moving(text: str, pieces: dict[str, str], *, lower: bool) -> Folded:
    """Fold a text in which characters appear or vanish: stretches of ASCII at once, the rest one by one."""
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for match in _NOT_ASCII.finditer(text):
        index, piece = match.start(), pieces[match[0]]
        folded += [text[at:index], piece]
        starts += [*range(at, index), *([index] * len(piece))]
        ends += [*range(at + 1, index + 1), *([index + 1] * len(piece))]
        if not piece and ends and unicodedata.category(match[0]) in _MARKS:
            ends[-1] = index + 1
        at = index + 1
    folded.append(text[at:])
    starts += range(at, len(text))
    ends += range(at + 1, len(text) + 1)
    whole = "".join(folded)
    # ASCII letters alone are left in upper case, and keep their length.
    return Folded(whole.lower() if lower else whole, tuple(starts), tuple(ends))


def plain(text: str) -> str:
    """The folded text in lower case, for comparing values."""
    return text.lower() if text.isascii() else fold(text, lower=True).text


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    """What one character counts as; nothing for marks and invisible characters."""
    if char < "\x80":
        return char
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(char)
    if category in _MARKS or category == _INVISIBLE:
        return ""
    if level := _EXCHANGED.get(char) or _LEVELLED.get(category):
        return level
    return "".join(part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part) not in _MARKS)
