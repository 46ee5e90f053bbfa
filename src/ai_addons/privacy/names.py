"""Names of people: how ``Ama Serwaa Mensah`` is found as ``MENSAH, Ama``, ``A. S. Mensah`` or ``@amamensah``.

An index of name parts makes the cost follow the text, not the number of people
known: only people whose last name stands in a text are looked at, and only around
the places where it stands. Words are joined and looked up among the forms of those
people; what stands between words does not matter, within bounds.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind, Sealed
from ai_addons.privacy.fold import plain
from ai_addons.privacy.normal import HONORIFICS, WORD, name_parts
from ai_addons.privacy.spans import Hit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ai_addons.privacy.base import Declared
    from ai_addons.privacy.expand import Projection
    from ai_addons.privacy.fold import Folded

SHORTEST: Final = 3
"""Values with fewer letters and digits are hidden in their own field only."""

DISTINCTIVE: Final = 8
"""From so many on, a value is found inside longer words too: a chance match is next to impossible."""

_NAME_PRIORITY: Final = 30
_UNSURE_PRIORITY: Final = 20
_GAP: Final = re.compile(r"[\s\-_.,'\"\\&/()]{0,4}\Z")
_LONG_GAP: Final = re.compile(r"[\W_]{5}")
# More middle names than this are all written out, all initials, or all left out.
_MOST_MIDDLES: Final = 4
# Up to so many names, looking for each in the text is faster than looking up all pieces of its words.
_FEW: Final = 48
_NEAR: Final = 4
# A name of more words than this is found by its parts.
_MOST_WORDS: Final = 12

# First names that are words of shop language; in a shop's public texts they are those words.
_EVERYDAY: Final = frozenset(
    {
        "beauty", "blessing", "charity", "comfort", "faith", "favour", "gift", "gold", "grace",
        "happy", "hope", "joy", "mercy", "nana", "patience", "peace", "pearl", "precious",
        "prince", "princess", "prosper", "queen", "rose", "victory",
    }
)  # fmt: skip


class Person(Sealed):
    """A person's name, taken apart.

    Args:
        declared: The name.
    """

    __slots__ = ("declared", "key", "parts", "titles")

    def __init__(self, declared: Declared) -> None:
        text = plain(declared.value)
        self.declared: Declared = declared
        self.titles, self.parts = name_parts(text)
        self.key: str = " ".join(self.parts) or text

    @property
    def several(self) -> bool:
        """Whether it has forms beside its parts."""
        return len(self.parts) > 1 and sum(map(len, self.parts)) >= SHORTEST

    def whole(self) -> Iterator[tuple[str, bool]]:
        """Its letters in forms that are in order, each with whether an initial comes first."""
        yield from _in_order(self.parts)
        if self.parts[0] in HONORIFICS and len(self.parts) > 2:  # noqa: PLR2004  # what is left is a whole name
            yield from _in_order(self.parts[1:])

    def turned(self) -> Iterator[tuple[str, bool]]:
        """Its letters in forms with the last name first, each with whether initials follow it."""
        first, *middle, last = self.parts
        for chosen in _choices(middle, initials=False):
            yield last + first + chosen, False
        if len(last) >= SHORTEST:
            yield last + first[0], True
            yield last + first[0] + "".join(part[0] for part in middle), True


def _in_order(parts: Sequence[str]) -> Iterator[tuple[str, bool]]:
    first, *middle, last = parts
    for chosen in _choices(middle, initials=True):
        if len(first) > 1:
            yield first + chosen + last, False
        if len(last) >= SHORTEST:
            yield first[0] + chosen + last, True


def _choices(middle: Sequence[str], *, initials: bool) -> Iterator[str]:
    """Middle names written out, as initials, or left out."""
    if len(middle) > _MOST_MIDDLES:
        yield from ("".join(middle), "".join(part[0] for part in middle), "")
        return
    for chosen in product(*((part, part[0], "") if initials else (part, "") for part in middle)):
        yield "".join(chosen)


class _Words:
    """The words of a folded text, and which of them may stand together in a name."""

    __slots__ = ("ends", "starts", "text", "words")

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        for match in WORD.finditer(text):
            self.words.append(match[0])
            self.starts.append(match.start())
            self.ends.append(match.end())

    def together(self, first: int, last: int) -> bool:
        """Whether little enough stands between some neighbours."""
        return all(_GAP.match(self.text, self.ends[at], self.starts[at + 1]) for at in range(first, last))

    def preceded(self, at: int, titles: Sequence[str]) -> int:
        """The first word of the titles before a word, or the word itself if they do not stand there."""
        first = at - len(titles)
        return first if titles and first >= 0 and self.words[first:at] == titles and self.together(first, at) else at


class NameIndex(Sealed):
    """Finds the names of people.

    Args:
        known: Their names.
    """

    __slots__ = ("_by_last", "_by_part", "_forms", "_lengths", "_longest", "_met")

    def __init__(self, known: Iterable[Declared]) -> None:
        self._by_last: dict[str, list[Person]] = {}
        self._by_part: dict[str, list[Person]] = {}
        self._forms: dict[str, list[tuple[Person, bool, bool]]] = {}
        self._met: set[Person] = set()
        self._longest = 1
        for declared in known:
            person = Person(declared)
            for part in person.parts:
                self._by_part.setdefault(part, []).append(person)
            if person.several:
                self._by_last.setdefault(person.parts[-1], []).append(person)
                self._longest = max(self._longest, min(len(person.parts), _MOST_WORDS))
        self._lengths = sorted({len(last) for last in self._by_last})

    def find(self, projection: Projection, folded: Folded, text: str, *, public: bool) -> Iterator[Hit]:
        """Where names stand in a text.

        Args:
            projection: The folded text in lower case.
            folded: The same with the way back.
            text: The text as it was typed.
            public: Whether a first name that is an everyday word counts as that word.
        """
        if len(self._by_part) <= _FEW and not any(part in projection.text for part in self._by_part):
            return
        words = _Words(projection.text)
        held = self._lasts(words)
        met = self._meet(words, held)
        yield from self._people(words, held, folded, text)
        for person in met:
            yield from self._inside(person, projection, folded)
        yield from self._parts(words, folded, text, public=public)

    def _lasts(self, words: _Words) -> dict[int, list[str]]:
        """The last names that stand in words or are part of longer ones, by the number of the word."""
        if len(self._by_last) <= _FEW:
            there = [last for last in self._by_last if last in words.text]
            found = {word: [last for last in there if last in word] for word in set(words.words)} if there else {}
        else:
            found = {word: [*self._pieces(word)] for word in set(words.words)}
        return {at: lasts for at, word in enumerate(words.words) if (lasts := found.get(word))}

    def _pieces(self, word: str) -> Iterator[str]:
        """The last names in a word."""
        for length in self._lengths:
            if length > len(word):
                return
            for start in range(len(word) - length + 1):
                if word[start : start + length] in self._by_last:
                    yield word[start : start + length]

    def _meet(self, words: _Words, held: Mapping[int, Sequence[str]]) -> list[Person]:
        """The people who may be named in full; their forms are made when they are first met."""
        letters: dict[str, set[str]] = {}
        for at, lasts in held.items():
            near = {word[0] for word in words.words[max(0, at - self._longest) : at + _NEAR]}
            for last in lasts:
                letters.setdefault(last, set()).update(near)
        there = [
            person
            for last, near in letters.items()
            for person in self._by_last[last]
            # A name joined to other letters begins anywhere in a word.
            if not near.isdisjoint(part[0] for part in person.parts[:2]) or person.parts[0] in words.text
        ]
        for person in there:
            if person not in self._met:
                self._met.add(person)
                for form, initial in dict(person.whole()).items():
                    self._forms.setdefault(form, []).append((person, initial, False))
                for form, initial in dict(person.turned()).items():
                    self._forms.setdefault(form, []).append((person, initial, True))
        return there

    def _people(self, words: _Words, held: Mapping[int, Sequence[str]], folded: Folded, text: str) -> Iterator[Hit]:
        """Forms that name somebody in full; last name first only where nobody stands in order."""
        taken = bytearray(len(words.words))
        windows = self._windows(words, held)
        for turned in (False, True):
            for first, last, people in windows:
                for person, initial in [(person, initial) for person, initial, way in people if way is turned]:
                    if turned and (
                        any(taken[first : last + 1]) or not self._capital(words, folded, text, (first, last), initial)
                    ):
                        continue
                    if not turned:
                        taken[first : last + 1] = b"\1" * (last + 1 - first)
                    yield self._person(person, words, (first, last), folded, text, initial=initial and not turned)

    def _windows(
        self, words: _Words, held: Mapping[int, Sequence[str]]
    ) -> list[tuple[int, int, list[tuple[Person, bool, bool]]]]:
        """The runs of words that are a form of somebody whose last name stands in them."""
        seen: set[tuple[int, int]] = set()
        found: list[tuple[int, int, list[tuple[Person, bool, bool]]]] = []
        for at, lasts in held.items():
            for first in range(max(0, at - self._longest + 1), at + 1):
                for last in range(at, min(len(words.words), first + self._longest)):
                    form = "".join(words.words[first : last + 1])
                    people = [one for one in self._forms.get(form, ()) if one[0].parts[-1] in lasts]
                    if people and (first, last) not in seen and words.together(first, last):
                        seen.add((first, last))
                        found.append((first, last, people))
        return sorted(found, key=lambda window: window[:2])

    @staticmethod
    def _capital(words: _Words, folded: Folded, text: str, run: tuple[int, int], initial: bool) -> bool:  # noqa: FBT001  # a property of the form
        """Whether initials behind a last name are capitals: "Mensah, a customer" is no "Mensah, A."."""
        if not initial:
            return True
        first, last = run
        return last > first and all(
            text[slice(*folded.back(words.starts[at], words.ends[at]))].isupper() for at in range(first + 1, last + 1)
        )

    def _person(  # what a form is, and where
        self, person: Person, words: _Words, run: tuple[int, int], folded: Folded, text: str, *, initial: bool
    ) -> Hit:
        first, last = run
        form = "".join(words.words[first : last + 1])
        start, end = folded.back(words.starts[words.preceded(first, person.titles)], words.ends[last])
        # "a Mensah" is any Mensah, "A. Mensah" is one.
        alone = initial and len(words.words[first]) == 1
        article = alone and not text[folded.back(words.starts[first], words.ends[first])[0]].isupper()
        return unsure(start, end) if article or not self._only(person, form) else _named(person, start, end)

    def _only(self, person: Person, form: str) -> bool:
        """Whether a form could mean nobody else."""
        meant = {one.key for one, _, _ in self._forms.get(form, ())}
        return meant | {one.key for one in self._by_part.get(form, ())} == {person.key}

    @staticmethod
    def _inside(person: Person, projection: Projection, folded: Folded) -> Iterator[Hit]:
        """The name in full, inside longer words."""
        code = "".join(person.parts)
        letters, at = projection.letters()
        found = letters.find(code) if len(code) >= DISTINCTIVE else -1
        while found >= 0:
            start, end = at[found], at[found + len(code) - 1] + 1
            if not _LONG_GAP.search(projection.text, start, end):
                yield unsure(*folded.back(start, end))
            found = letters.find(code, found + 1)

    def _parts(self, words: _Words, folded: Folded, text: str, *, public: bool) -> Iterator[Hit]:
        """Parts of names alone."""
        for at, word in enumerate(words.words):
            people = self._by_part.get(word, ())
            if len(word) < SHORTEST or not people or (public and word in _EVERYDAY):
                continue
            start, end = folded.back(words.starts[at], words.ends[at])
            yield unsure(start, end)
            keys = {person.key for person in people}
            for person in people:
                # A name of one word, typed exactly so: either reading comes back the same.
                if text[start:end] == person.declared.value and keys == {person.key}:
                    yield _named(person, start, end)
                elif len(person.parts) == 1 and (first := words.preceded(at, person.titles)) < at:
                    yield _named(person, folded.back(words.starts[first], words.ends[at])[0], end)


def _named(person: Person, start: int, end: int) -> Hit:
    return Hit(start, end, Kind.PERSON, _NAME_PRIORITY, person.declared.value)


def unsure(start: int, end: int) -> Hit:
    """A stretch that is hidden as it was typed, for it might mean something else."""
    return Hit(start, end, Kind.TEXT, _UNSURE_PRIORITY)
