"""Runs of digits, found once and read by every recognizer of numbers.

A run is digits with at most three blanks, dots, dashes or brackets between: a phone
number, a card in groups of four, or several numbers side by side. Letters right
before it (``GHA-``, ``P``) may belong to it. One pass over the text finds the runs;
each is then shown only to the recognizers that could take it: those for its count
of digits, for its count of letters, or for what the words before it say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from ai_addons.privacy.base import Span
from ai_addons.privacy.recognizers._context import Topic, topic_before
from ai_addons.privacy.recognizers._edges import counts_something, is_code, stands_alone, starts_clear

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from ai_addons.privacy.base import Kind

# A full stop and a blank end a sentence, and a number with it.
_RUN: Final = re.compile(r"[0-9]++(?:(?!\. )[ .\-()]{1,3}[0-9]++)*+")
_GROUP: Final = re.compile(r"[0-9]+")
_SECOND_GROUP: Final = re.compile(r"[^0-9][0-9]")
_BREAK: Final = re.compile(r"[^0-9\-]")
_LETTERS: Final = re.compile(r"(?:(?<![\w\\])|(?<=\\[nrt]))(?<![A-Z0-9]-)([A-Za-z]{1,3})[ \-]{0,3}\Z")
_DATE: Final = re.compile(
    r"(?<![0-9])(?:[0-9]{4}[ .\-][0-9]{1,2}[ .\-][0-9]{1,2}|[0-9]{1,2}[ .\-][0-9]{1,2}[ .\-][0-9]{4})(?![0-9])"
)
_DECIMAL: Final = re.compile(r"[0-9]+\.[0-9]{1,2}\Z")
_PAIR: Final = 2
_DATE_DIGITS: Final = 8
_SHORT: Final = 4
# How long a run is at least after so many letters.
_LEAST_AFTER: Final = (0, 5, 1, 6)
_LEAST_TOPICAL: Final = 6
_MOST: Final = 27
_LEFT: Final = 9


class Run:
    """A run of digits in a text.

    Attributes:
        text: The whole text.
        start: Where its first digit stands.
        end: Where it ends, exclusive.
        raw: As it is written.
        digits: Its digits alone.
        letters: Where the letters begin that may belong to it; -1 when it is read without any.
    """

    __slots__ = ("_topic", "_topic_known", "digits", "end", "letters", "raw", "start", "text")

    def __init__(self, text: str, start: int, end: int, letters: int = -1) -> None:
        raw = text[start:end]
        self.text: str = text
        self.start: int = start
        self.end: int = end
        self.raw: str = raw
        self.digits: str = raw if raw.isdigit() else digits_of(raw)
        self.letters: int = letters
        self._topic: Topic | None = None
        self._topic_known = False

    @property
    def topic(self) -> Topic | None:
        """What the words before it say."""
        if not self._topic_known:
            self._topic = topic_before(self.text, self.start if self.letters < 0 else self.letters)
            self._topic_known = True
        return self._topic

    def numbers(self, lengths: Collection[int]) -> list[tuple[int, int]]:
        """The stretches that are one number of such a length: all of it, or else single groups."""
        if self.text[self.start - 1 : self.start] == "+":
            return []
        odd = self.raw is not self.digits and (_DATE.search(self.raw) or _DECIMAL.fullmatch(self.raw))
        if len(self.digits) in lengths and not odd and self.is_number(self.start, self.end):
            return [(self.start, self.end)]
        groups = (group.span() for group in _GROUP.finditer(self.text, self.start, self.end))
        return [(start, end) for start, end in groups if end - start in lengths and self.is_number(start, end)]

    def is_number(self, start: int, end: int) -> bool:
        """Whether a stretch is a number by itself, and no quantity."""
        return stands_alone(self.text, start, end) and not counts_something(self.text, end)


def digits_of(raw: str) -> str:
    """The digits of a run."""
    # Several times as fast as a pattern or a translation.
    return raw.replace(" ", "").replace("-", "").replace(".", "").replace("(", "").replace(")", "")


class RunRecognizer:
    """Base of the recognizers of numbers: each reads runs that one pass has found for all.

    Attributes:
        kind: The type word of what it finds.
        priority: Its priority among overlapping finds.
        digits: Counts of digits for which `bare` is asked.
        sign: What must stand between the digits, or right after them, for `bare` to be asked.
        letters: Counts of letters before the digits (1 to 3) for which `lettered` is asked.
        small: Letters that belong to the digits also in lower case and before a blank.
        topics: What words before it must say for `topical` to be asked.
        lengths: Counts of digits that `topical` takes for a number of its sort.
    """

    __slots__ = ()

    kind: ClassVar[Kind]
    priority: ClassVar[int]
    digits: ClassVar[range] = range(0)
    sign: ClassVar[str] = ""
    letters: ClassVar[frozenset[int]] = frozenset()
    small: ClassVar[frozenset[str]] = frozenset()
    topics: ClassVar[frozenset[Topic]] = frozenset()
    lengths: ClassVar[frozenset[int]] = frozenset()

    def find(self, text: str) -> Iterator[Span]:
        """All stretches of its sort in a folded text."""
        yield from RunReader((self,)).find(text)

    def bare(self, run: Run) -> Sequence[Span]:  # noqa: ARG002  # the answer of those who read none
        """Read a run by its digits alone."""
        return ()

    def lettered(self, run: Run) -> Sequence[Span]:  # noqa: ARG002  # as above
        """Read a run with the letters before it."""
        return ()

    def topical(self, run: Run) -> Sequence[Span]:
        """Read a run that the words before it say something about."""
        return [self.span(start, end) for start, end in run.numbers(self.lengths)]

    def span(self, start: int, end: int, *, doubt: int = 0) -> Span:
        """A find; doubt lowers its priority."""
        return Span(start, end, self.kind, self.priority - doubt)


class RunReader:
    """Several recognizers of numbers in one pass.

    Args:
        readers: Those recognizers.
    """

    __slots__ = ("_bare", "_lettered", "_small", "_topical")

    def __init__(self, readers: Iterable[RunRecognizer]) -> None:
        chosen = sorted(readers, key=lambda reader: -reader.priority)
        self._bare = tuple(
            tuple((reader.sign, reader.bare) for reader in chosen if count in reader.digits)
            for count in range(_MOST + 1)
        )
        self._lettered = tuple(
            tuple(reader.lettered for reader in chosen if count in reader.letters) for count in range(4)
        )
        self._small = frozenset(letters for reader in chosen for letters in reader.small)
        topics = {topic for reader in chosen for topic in reader.topics}
        self._topical = {
            topic: tuple(reader.topical for reader in chosen if topic in reader.topics) for topic in topics
        }

    def find(self, text: str) -> list[Span]:
        """What they find in a folded text."""
        found: list[Span] = []
        for match in _RUN.finditer(text):
            start, end = match.span()
            before = text[start - 1] if start else "\n"
            glued = before.isalpha()
            if end - start < _SHORT and _is_nothing(text, start, end, glued=glued):
                continue
            if glued or before == "-" or (before == " " and self._has_letters(text, start)):
                spans = self._with_letters(text, start, end)
                found += spans
                if spans and (start := _after(text, spans[-1].end, end)) == end:
                    continue
            if (glued or before == "_") and not starts_clear(text, start):
                start = _after_group(text, start, end)
            elif before == "-" and is_code(text, start):
                start = _after_code(text, start, end)
            if end - start > _PAIR:
                found += self._alone(text, start, end)
        return found

    def _with_letters(self, text: str, start: int, end: int) -> Sequence[Span]:
        match = _LETTERS.search(text, max(0, start - _LEFT), start)
        if match is None:
            return ()
        letters = match[1]
        if end - start < _LEAST_AFTER[len(letters)] or not (readers := self._lettered[len(letters)]):
            return ()
        run = Run(text, start, end, match.start(1))
        for read in readers:
            if found := read(run):
                return found
        return ()

    def _has_letters(self, text: str, start: int) -> bool:
        """Whether letters before a blank may belong to a number: small ones are prose, unless somebody knows them."""
        last = text[start - 2 : start - 1]
        if not last.islower():
            return last.isupper() or last in {" ", "-"}
        return text[start - 3 : start - 1].lower() in self._small or text[start - 4 : start - 1].lower() in self._small

    def _alone(self, text: str, start: int, end: int) -> Iterable[Span]:
        if text[end : end + 1].isalpha():
            end = _before_last_group(text, start, end)
        if end - start <= _PAIR:
            return ()
        run = Run(text, start, end)
        count = len(run.digits)
        found: list[Span] = []
        signs = text[start : end + 1]
        for sign, read in self._bare[min(count, _MOST)]:
            if sign in signs:
                found += read(run)
        if count < _LEAST_TOPICAL or (count == _LEAST_TOPICAL and " " in run.raw) or _settled(run, found):
            return found
        if (topic := run.topic) is not None:
            for read in self._topical.get(topic, ()):
                found += read(run)
        return found


def _settled(run: Run, found: Iterable[Span]) -> bool:
    """Whether a run needs no context: it is taken as a whole, or a date."""
    if len(run.digits) == _DATE_DIGITS and len(run.raw) == _DATE_DIGITS + 2 and _DATE.fullmatch(run.raw):
        return True
    return any(span.start <= run.start and run.end <= span.end for span in found)


def _is_nothing(text: str, start: int, end: int, *, glued: bool) -> bool:
    """Whether nobody can take so short a run: it is part of no plate, or stands deep in a word such as a key."""
    if glued:
        # More letters and digits than may belong to it, which are most runs of a key.
        return start >= _SHORT and text[start - _SHORT : start].isalnum()
    return text[end : end + 1] != "-" and not text[start - 2 : start - 1].isupper()


def _after(text: str, start: int, end: int) -> int:
    """Where the next group of digits begins, from a place on; the end if there is none."""
    match = _GROUP.search(text, start, end) if start < end else None
    return match.start() if match else end


def _after_group(text: str, start: int, end: int) -> int:
    """Where the second group of a run begins; its end if there is none."""
    match = _SECOND_GROUP.search(text, start, end)
    return match.end() - 1 if match else end


def _after_code(text: str, start: int, end: int) -> int:
    """Where a run goes on after its first part joined by hyphens; its end if it does not."""
    stop = _BREAK.search(text, start, end)
    return _after(text, stop.start(), end) if stop else end


def _before_last_group(text: str, start: int, end: int) -> int:
    """Where the last group but one of a run ends; its start if there is none."""
    while end > start and text[end - 1].isdigit():
        end -= 1
    while end > start and not text[end - 1].isdigit():
        end -= 1
    return end
