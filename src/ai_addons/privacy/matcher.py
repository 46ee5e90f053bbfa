"""Finding known values in the texts of a call, and deciding which of them a form means."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind, Sealed
from ai_addons.privacy.expand import DISTINCTIVE, Known, Name, Projection, figure_pattern
from ai_addons.privacy.fold import fold
from ai_addons.privacy.normal import digits_of, normalised
from ai_addons.privacy.spans import Hit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_addons.privacy.base import Declared
    from ai_addons.privacy.fold import Folded

_KNOWN_PRIORITY: Final = 90
_NAME_PRIORITY: Final = 30
_UNSURE_PRIORITY: Final = 20

# First names that are words of shop language; in a shop's public texts they are those words.
_EVERYDAY: Final = frozenset(
    {
        "beauty", "blessing", "charity", "comfort", "faith", "favour", "gift", "gold", "grace",
        "happy", "hope", "joy", "mercy", "nana", "patience", "peace", "pearl", "precious",
        "prince", "princess", "prosper", "queen", "rose", "victory",
    }
)  # fmt: skip
# What stands before a phone number that is only the end of a longer one.
_LONGER_NUMBER: Final = re.compile(r"[0-9+][\s.\-()]{0,3}\Z")


class Matcher(Sealed):
    """Finds known values, in all promised spellings.

    Args:
        known: The values to look for.
    """

    __slots__ = ("_figures", "_names", "_others", "_shared")

    def __init__(self, known: Iterable[Declared]) -> None:
        self._names: list[Name] = []
        self._others: list[Known] = []
        self._figures: list[tuple[Declared, re.Pattern[str]]] = []
        for declared in known:
            if declared.kind is Kind.PERSON:
                self._names.append(Name(declared))
            elif declared.kind is not Kind.AMOUNT:
                self._others.append(Known(declared))
            elif (pattern := figure_pattern(declared.value)) is not None:
                self._figures.append((declared, pattern))
        endings = Counter(known.code for known in self._others if known.by_digits)
        self._shared = frozenset(ending for ending, count in endings.items() if count > 1)

    def find(self, text: str, *, public: bool = False, figures: bool = True) -> Iterator[Hit]:
        """Where known values stand in a text.

        Args:
            text: The text.
            public: Whether a first name that is an everyday word counts as that word.
            figures: Whether declared amounts are looked for too.
        """
        folded = fold(text, lower=True)
        names = [name for name in self._names if name.occurs(folded.text)]
        yield from self._people(names, folded, text)
        for name in names:
            yield from self._pieces(name, folded, text, public=public)
        projection = Projection(folded.text)
        for known in self._others:
            for start, end in known.places(projection):
                yield from self._code_hits(known, projection, folded, (start, end), text)
        for declared, pattern in self._figures if figures else ():
            for match in pattern.finditer(folded.text):
                yield Hit(*folded.back(*match.span()), Kind.AMOUNT, _KNOWN_PRIORITY, declared.value)

    def _people(self, names: list[Name], folded: Folded, text: str) -> Iterator[Hit]:
        """Forms that name somebody in full; last name first only where nobody stands in order."""
        taken = bytearray(len(folded.text))
        for turned in (False, True):
            for name in names:
                pattern = name.patterns().turned if turned else name.patterns().whole
                for match in pattern.finditer(folded.text) if pattern else ():
                    if turned and any(taken[match.start() : match.end()]):
                        continue
                    if not turned:
                        taken[match.start() : match.end()] = b"\1" * len(match[0])
                    yield self._person(name, match, folded, text)

    def _person(self, name: Name, match: re.Match[str], folded: Folded, text: str) -> Hit:
        start, end = folded.back(*match.span())
        initial = match.start("initial") if "initial" in match.re.groupindex else -1
        # "a Mensah" is any Mensah, "A. Mensah" is one.
        article = initial >= 0 and not text[folded.back(initial, initial + 1)[0]].isupper()
        return _unsure(start, end) if article or not self._only(name, match[0]) else _named(name, start, end)

    def _pieces(self, name: Name, folded: Folded, text: str, *, public: bool) -> Iterator[Hit]:
        """The name inside longer words, and its parts alone."""
        inside, parts = name.patterns().inside, name.patterns().parts
        for match in inside.finditer(folded.text) if inside else ():
            yield _unsure(*folded.back(*match.span()))
        for match in parts.finditer(folded.text) if parts else ():
            if public and match[0] in _EVERYDAY:
                continue
            start, end = folded.back(*match.span())
            # A name of one word, typed exactly so: either reading comes back the same.
            sure = text[start:end] == name.declared.value and self._only(name, match[0])
            yield _named(name, start, end) if sure else _unsure(start, end)

    def _only(self, name: Name, form: str) -> bool:
        """Whether a form could mean nobody else."""
        return {other.key for other in self._names if other.occurs(form) and other.could_be(form)} == {name.key}

    def _code_hits(
        self, known: Known, projection: Projection, folded: Folded, place: tuple[int, int], text: str
    ) -> Iterator[Hit]:
        """A stretch that holds the characters of a value in their order."""
        start, end = folded.back(*place)
        if not projection.alone(*place):
            if known.size >= DISTINCTIVE:
                yield _unsure(start, end)
        elif self._is(known, projection, place) and (text[start:end] == known.declared.value or not known.one_word):
            yield Hit(start, end, known.declared.kind, _KNOWN_PRIORITY, known.declared.value)
        else:
            yield _unsure(start, end)

    def _is(self, known: Known, projection: Projection, place: tuple[int, int]) -> bool:
        """Whether a stretch is that value and no other."""
        form = projection.text[slice(*place)]
        if known.by_digits and (
            _LONGER_NUMBER.search(projection.text, max(0, place[0] - 4), place[0])
            or (known.code in self._shared and digits_of(form) == known.code)
        ):
            return False
        return normalised(known.declared.kind, form) == known.key


def _named(name: Name, start: int, end: int) -> Hit:
    return Hit(start, end, Kind.PERSON, _NAME_PRIORITY, name.declared.value)


def _unsure(start: int, end: int) -> Hit:
    return Hit(start, end, Kind.TEXT, _UNSURE_PRIORITY)
