"""Finding known values in the texts of a call, and deciding which of them a form means."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind, Sealed
from ai_addons.privacy.dates import DateIndex
from ai_addons.privacy.expand import CodeIndex, Projection, figure_pattern, spellings
from ai_addons.privacy.fold import fold
from ai_addons.privacy.names import DISTINCTIVE, NameIndex, unsure
from ai_addons.privacy.normal import digits_of, normalised
from ai_addons.privacy.spans import Hit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ai_addons.privacy.base import Declared
    from ai_addons.privacy.expand import Known
    from ai_addons.privacy.fold import Folded

_KNOWN_PRIORITY: Final = 90
# What stands before a phone number that is only the end of a longer one.
_LONGER_NUMBER: Final = re.compile(r"[0-9+][\s.\-()]{0,3}\Z")
_ESCAPED_BLANK: Final = re.compile(r"\\[nrt]|%(?:20|0a|0d|2c)")


class Matcher(Sealed):
    """Finds known values, in all promised spellings.

    Args:
        known: The values to look for.
    """

    __slots__ = ("_codes", "_dates", "_figures", "_names", "_shared")

    def __init__(self, known: Iterable[Declared]) -> None:
        kinds: dict[Kind, list[Declared]] = {}
        for declared in known:
            kinds.setdefault(declared.kind, []).append(declared)
        self._names = NameIndex(kinds.pop(Kind.PERSON, ()))
        self._figures: list[tuple[Declared, re.Pattern[str]]] = []
        for declared in kinds.pop(Kind.AMOUNT, ()):
            if (pattern := figure_pattern(declared.value)) is not None:
                self._figures.append((declared, pattern))
            elif not declared.value.strip().isdecimal():
                # Words in a field for a figure.
                kinds.setdefault(Kind.AMOUNT, []).append(declared)
        self._dates = DateIndex(kinds.get(Kind.DATE, ()))
        codes = [one for others in kinds.values() for declared in others for one in spellings(declared)]
        self._codes = CodeIndex(codes)
        endings = [one.code for one in codes if one.by_digits]
        self._shared = _repeated(endings)

    def find(self, text: str, *, public: bool = False, figures: bool = True) -> Iterator[Hit]:
        """Where known values stand in a text.

        Args:
            text: The text.
            public: Whether a first name that is an everyday word counts as that word.
            figures: Whether declared amounts are looked for too.
        """
        folded = _unescaped(fold(text, lower=True))
        projection = Projection(folded.text)
        yield from self._names.find(projection, folded, text, public=public)
        for known, start, end in self._codes.find(projection):
            yield from self._code_hits(known, projection, folded, (start, end), text)
        for start, end, date in self._dates.find(folded.text):
            place = folded.back(start, end)
            yield unsure(*place) if date is None else Hit(*place, Kind.DATE, _KNOWN_PRIORITY, date.value)
        for declared, pattern in self._figures if figures else ():
            for match in pattern.finditer(folded.text):
                yield Hit(*folded.back(*match.span()), Kind.AMOUNT, _KNOWN_PRIORITY, declared.value)

    def _code_hits(
        self, known: Known, projection: Projection, folded: Folded, place: tuple[int, int], text: str
    ) -> Iterator[Hit]:
        """A stretch that holds the characters of a value in their order."""
        start, end = folded.back(*place)
        if not projection.alone(*place):
            if known.size >= DISTINCTIVE and not known.partial:
                yield unsure(start, end)
        elif known.partial:
            yield unsure(start, end)
        elif self._is(known, projection, place) and (text[start:end] == known.declared.value or not known.one_word):
            yield Hit(start, end, known.declared.kind, _KNOWN_PRIORITY, known.declared.value)
        else:
            yield unsure(start, end)

    def _is(self, known: Known, projection: Projection, place: tuple[int, int]) -> bool:
        """Whether a stretch is that value and no other."""
        form = projection.text[slice(*place)]
        if known.by_digits and (
            _LONGER_NUMBER.search(projection.text, max(0, place[0] - 4), place[0])
            or (known.code in self._shared and digits_of(form) == known.code)
        ):
            return False
        kind, value = known.declared.kind, known.declared.value
        return normalised(kind, form) == normalised(kind, value)


def _repeated(codes: Sequence[str]) -> frozenset[str]:
    """Those that occur more than once."""
    if len(set(codes)) == len(codes):
        return frozenset()
    return frozenset(code for code, count in Counter(codes).items() if count > 1)


def _unescaped(folded: Folded) -> Folded:
    """With blanks for blanks and line ends that were written as escapes: they would look like parts of words."""
    if "\\" not in folded.text and "%" not in folded.text:
        return folded
    return replace(folded, text=_ESCAPED_BLANK.sub(lambda match: " " * len(match[0]), folded.text))
