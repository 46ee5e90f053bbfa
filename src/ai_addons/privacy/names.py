"""Names of people: how ``Ama Serwaa Mensah`` is found as ``MENSAH, Ama``, ``A. S. Mensah`` or ``@amamensah``.

An index of name parts makes the cost follow the text, not the number of people
known: only people whose last name stands in a text are looked at, and only around
the places where it stands. Words are joined and looked up among the forms of those
people; what stands between words does not matter, within bounds.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

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
        self.titles: list[str]
        self.parts: list[str]
        self.titles, self.parts = name_parts(text)
        self.key: str = " ".join(self.parts) or text

    @property
    def several(self) -> bool:
        """Whether it has forms beside its parts."""
        return len(self.parts) > 1 and sum(map(len, self.parts)) >= SHORTEST

    def whole(self) -> Iterator[tuple[str, bool]]:
        """Its letters in forms that are in order, each with whether an initial comes first."""
        for parts in self._names():
            yield from _in_order(*parts)

    def turned(self) -> Iterator[tuple[str, bool]]:
        """Its letters in forms with the last name first, each with whether initials follow it."""
        for parts in self._names():
            yield from _turned(*parts)
            if len(parts) > 2:  # noqa: PLR2004  # the last two may be one double-barrelled name
                yield from _turned(*parts[:-2], parts[-2] + parts[-1])

    def _names(self) -> Iterator[list[str]]:
        """The name, and the name without an honorific if what is left is a whole name."""
        yield self.parts
        if self.parts[0] in HONORIFICS and len(self.parts) > 2:  # noqa: PLR2004  # two make a whole name
            yield self.parts[1:]


def _in_order(first: str, *others: str) -> Iterator[tuple[str, bool]]:
    *middle, last = others
    for chosen in _choices(middle, initials=True):
        if len(first) > 1:
            yield first + chosen + last, False
        if len(last) >= SHORTEST:
            yield first[0] + chosen + last, True


def _turned(first: str, *others: str) -> Iterator[tuple[str, bool]]:
    *middle, last = others
    for chosen in _choices(middle, initials=False):
        yield last + first + chosen, False
    if len(last) >= SHORTEST:
        yield last + first[0], True
        yield last + first[0] + "".join(part[0] for part in middle), True


def _choices(middle: Sequence[str], *, initials: bool) -> Iterator[str]:
    """Middle names written out, as initials, or left out."""
    if len(middle) > _MOST_MIDDLES:
        yield from ("".join(middle), "".join(part[0] for part in middle), "")
        return
    for chosen in product(*((part, part[0], "") if initials else (part, "") for part in middle)):
        yield "".join(chosen)


class _Form(NamedTuple):
    """A form of somebody's name: whether it has an initial where one could be a word, and the last name first."""

    person: Person
    initial: bool
    turned: bool


class _Words(Sealed):
    """The words of a text, folded and in lower case, and how they were typed."""

    __slots__ = ("_ends", "_folded", "_starts", "_typed", "text", "words")

    def __init__(self, folded: Folded, typed: str) -> None:
        self.text: str = folded.text
        self.words: list[str] = []
        self._folded = folded
        self._typed = typed
        self._starts: list[int] = []
        self._ends: list[int] = []
        for match in WORD.finditer(folded.text):
            self.words.append(match[0])
            self._starts.append(match.start())
            self._ends.append(match.end())

    def place(self, first: int, last: int) -> tuple[int, int]:
        """Where some words stand in the text as it was typed."""
        return self._folded.back(self._starts[first], self._ends[last])

    def typed(self, first: int, last: int) -> str:
        """Some words as they were typed."""
        return self._typed[slice(*self.place(first, last))]

    def joined(self, first: int, last: int) -> str:
        """The letters and digits of some words."""
        return "".join(self.words[first : last + 1])

    def together(self, first: int, last: int) -> bool:
        """Whether little enough stands between some neighbours."""
        return all(_GAP.match(self.text, self._ends[at], self._starts[at + 1]) for at in range(first, last))

    def crowded(self, first: int, last: int) -> bool:
        """Whether a capitalised word touches some words: in "Kofi Mensah, Ama Addo" nobody is "Mensah, Ama"."""
        beside = [(first - 1, first, first - 1), (last, last + 1, last + 1)]
        return any(
            self._typed[self.place(left, left)[1] : self.place(right, right)[0]].isspace()
            and self.typed(word, word)[0].isupper()
            for left, right, word in beside
            if 0 <= word < len(self.words)
        )

    def titled(self, at: int, titles: Sequence[str]) -> int:
        """The first word of the titles before a word, or the word itself if they do not stand there."""
        first = at - len(titles)
        return first if titles and first >= 0 and self.words[first:at] == titles and self.together(first, at) else at


class NameIndex(Sealed):
    """Finds the names of people.

    Args:
        known: Their names.
    """

    __slots__ = ("_by_last", "_by_part", "_distinctive", "_forms", "_lengths", "_longest", "_met")

    def __init__(self, known: Iterable[Declared]) -> None:
        self._by_last: dict[str, list[Person]] = {}
        self._by_part: dict[str, list[Person]] = {}
        self._forms: dict[str, list[_Form]] = {}
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
        self._distinctive = sorted({len(part) for part in self._by_part if len(part) >= DISTINCTIVE})

    def find(self, projection: Projection, folded: Folded, typed: str, *, public: bool) -> Iterator[Hit]:
        """Where names stand in a text.

        Args:
            projection: The folded text in lower case.
            folded: The same with the way back.
            typed: The text as it was typed.
            public: Whether a first name that is an everyday word counts as that word.
        """
        if len(self._by_part) <= _FEW and not any(part in projection.text for part in self._by_part):
            return
        words = _Words(folded, typed)
        lasts = self._lasts(words)
        met = self._meet(words, lasts)
        yield from self._people(words, lasts)
        for person in met:
            for start, end in _inside(person, projection):
                yield unsure(*folded.back(start, end))
        yield from self._parts(words, public=public)
        for start, end in self._glued(projection.text):
            yield unsure(*folded.back(start, end))

    def _glued(self, text: str) -> Iterator[tuple[int, int]]:
        """Where a distinctive part stands inside a longer word."""
        few = len(self._by_part) <= _FEW
        lengths = sorted({len(part) for part in self._by_part if part in text} if few else self._distinctive)
        lengths = [length for length in lengths if length >= DISTINCTIVE]
        for match in WORD.finditer(text) if lengths else ():
            for length in lengths:
                for start in range(match.start(), match.end() - length + 1) if length < len(match[0]) else ():
                    if text[start : start + length] in self._by_part:
                        yield start, start + length

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

    def _meet(self, words: _Words, lasts: Mapping[int, Sequence[str]]) -> list[Person]:
        """The people who may be named in full; their forms are made when they are first met."""
        letters: dict[str, set[str]] = {}
        for at, found in lasts.items():
            near = {word[0] for word in words.words[max(0, at - self._longest) : at + _NEAR]}
            for last in found:
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
                for turned, forms in ((False, person.whole()), (True, person.turned())):
                    for form, initial in dict(forms).items():
                        self._forms.setdefault(form, []).append(_Form(person, initial, turned))
        return there

    def _people(self, words: _Words, lasts: Mapping[int, Sequence[str]]) -> Iterator[Hit]:
        """Forms that name somebody in full; last name first only where nobody stands in order."""
        runs = [(run, form) for run in self._runs(words, lasts) for form in self._named_by(words, run, lasts)]
        taken = bytearray(len(words.words))
        for (first, last), form in runs:
            if not form.turned:
                taken[first : last + 1] = b"\1" * (last + 1 - first)
                yield self._person(form, words, first, last)
        for (first, last), form in runs:
            if form.turned and not any(taken[first : last + 1]) and _capital(form, words, first, last):
                yield self._person(form, words, first, last)

    def _runs(self, words: _Words, lasts: Iterable[int]) -> Iterator[tuple[int, int]]:
        """The first and last word of each run near a last name that reads like a known form."""
        for first in sorted({first for at in lasts for first in range(max(0, at - self._longest + 1), at + 1)}):
            form = ""
            for last, word in enumerate(words.words[first : first + self._longest], first):
                form += word
                if form in self._forms and words.together(first, last):
                    yield first, last

    def _named_by(self, words: _Words, run: tuple[int, int], lasts: Mapping[int, Sequence[str]]) -> Iterator[_Form]:
        """Whose form a run of words is; their last name must not be spread over several of them."""
        there = {last for at in range(run[0], run[1] + 1) for last in lasts.get(at, ())}
        return (form for form in self._forms[words.joined(*run)] if form.person.parts[-1] in there)

    def _person(self, form: _Form, words: _Words, first: int, last: int) -> Hit:
        """What a run of words means: this person, or perhaps somebody else."""
        person, start, end = form.person, *words.place(words.titled(first, form.person.titles), last)
        # "a Mensah" is any Mensah, "A. Mensah" is one.
        alone = form.initial and not form.turned and len(words.words[first]) == 1
        article = alone and not words.typed(first, first).isupper()
        misread = article or (form.turned and words.crowded(first, last))
        sure = not misread and self._only(person, words.joined(first, last))
        return _named(person, start, end) if sure else unsure(start, end)

    def _only(self, person: Person, form: str) -> bool:
        """Whether a form could mean nobody else."""
        meant = {one.person.key for one in self._forms.get(form, ())}
        return meant | {one.key for one in self._by_part.get(form, ())} == {person.key}

    def _parts(self, words: _Words, *, public: bool) -> Iterator[Hit]:
        """Parts of names alone."""
        for at, word in enumerate(words.words):
            people = self._by_part.get(word, ())
            if len(word) < SHORTEST or not people or (public and word in _EVERYDAY):
                continue
            yield unsure(*words.place(at, at))
            keys = {person.key for person in people}
            for person in people:
                first = words.titled(at, person.titles) if len(person.parts) == 1 else at
                # A name of one word, typed exactly so or with its title: either reading comes back the same.
                if first < at or (words.typed(at, at) == person.declared.value and keys == {person.key}):
                    yield _named(person, *words.place(first, at))


def _capital(form: _Form, words: _Words, first: int, last: int) -> bool:
    """Whether initials behind a last name are capitals: "Mensah, a customer" is no "Mensah, A."."""
    behind = max(at for at in range(first, last + 1) if at == first or form.person.parts[-1] in words.words[at])
    return not form.initial or (behind < last and words.typed(behind + 1, last).isupper())


def _inside(person: Person, projection: Projection) -> Iterator[tuple[int, int]]:
    """Where a name in full stands inside longer words."""
    code = "".join(person.parts)
    letters, at = projection.letters(), projection.letters_at()
    found = letters.find(code) if len(code) >= DISTINCTIVE else -1
    while found >= 0:
        start, end = at[found], at[found + len(code) - 1] + 1
        if not _LONG_GAP.search(projection.text, start, end):
            yield start, end
        found = letters.find(code, found + 1)


def _named(person: Person, start: int, end: int) -> Hit:
    return Hit(start, end, Kind.PERSON, _NAME_PRIORITY, person.declared.value)


def unsure(start: int, end: int) -> Hit:
    """A stretch that is hidden as it was typed, for it might mean something else."""
    return Hit(start, end, Kind.TEXT, _UNSURE_PRIORITY)
