"""Contacts of the model's own in an answer: telephone and card numbers, e-mail addresses, links.

A number or a link that the model made up sends a customer to a stranger. Whatever could be
one is looked at in a window of fixed size around it, so what is found depends on
that window alone: an answer that arrives in pieces is judged exactly like a whole one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.recognizers import EmailRecognizer, PaymentCardRecognizer, PhoneRecognizer, UrlRecognizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_addons.privacy.base import Kind, Recognizer

BEFORE: Final = 96
"""Characters before a number that say what it is (`call`, `order`, a currency)."""

AFTER: Final = 8
"""Characters after it that do."""

_ENOUGH_DIGITS: Final = 7
_MOST_DIGITS: Final = 24
# Brackets of a placeholder end a number.
_GAP: Final = r"[^0-9A-Za-z\n\[\]{}<>]{0,3}"
# ITU-T E.164 allows 15 digits; up to three characters stand between two of them. A longer run is read in stretches.
_DIGITS: Final = re.compile(rf"(?:[+(] ?){{0,3}}[0-9](?:{_GAP}[0-9]){{0,{_MOST_DIGITS - 1}}}")
_OPENING: Final = re.compile(r"(?:[+(] ?){1,3}\Z")
_OPEN_GAP: Final = re.compile(rf"{_GAP}\Z")
# RFC 5321, 4.5.3.1: 64 characters before the @ and 255 after it.
_MOST_LOCAL: Final = 64
_MAILBOX: Final = rf"\S{{1,{_MOST_LOCAL}}}@[\w.\-@]{{0,255}}"
# Of a link as much as of an address: that is enough to know that there is one.
_ADDRESS: Final = re.compile(rf"{_MAILBOX}|(?:https?://|www\.)\S{{0,255}}", re.IGNORECASE)

LONGEST: Final = _MOST_LOCAL + 1 + 255 + AFTER
"""No more characters than this are looked at together; an e-mail address is the longest."""


@cache
def _in_numbers() -> tuple[Recognizer, ...]:
    """What is looked for in runs of digits, whatever a call's own recognizers are."""
    return (PhoneRecognizer(), PaymentCardRecognizer())


@cache
def _in_addresses() -> tuple[Recognizer, ...]:
    """What is looked for around an @ and where a link begins, likewise."""
    return (EmailRecognizer(), UrlRecognizer())


@dataclass(frozen=True, slots=True, repr=False)
class Contact:
    """A telephone or card number, an e-mail address or a link in a folded text.

    Attributes:
        kind: Which of them: ``PHONE``, ``ACCOUNT``, ``EMAIL`` or ``ID``.
        written: All of it.
        start: Where it begins, or the stretch in which it was found; longer runs of
            digits than any number has are read in stretches.
        end: Where it ends.
    """

    kind: Kind
    written: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Looked:
    """How far a text was looked at: what begins before these places was judged.

    Attributes:
        numbers: For telephone and card numbers.
        addresses: For e-mail addresses and links.
    """

    numbers: int
    addresses: int

    def moved(self, by: int) -> Looked:
        """The same places in a text of which so many characters were cut off, or put, in front."""
        return Looked(self.numbers + by, self.addresses + by)


NOT_LOOKED: Final = Looked(0, 0)
"""Nothing was looked at yet."""


def contacts(text: str, looked: Looked, end: int) -> Iterator[Contact]:
    """Every contact that was not looked at yet.

    Args:
        text: Folded text.
        looked: How far it was looked at.
        end: What begins at it or later is left for another time.
    """
    for start, stop in _numbers(text, looked):
        if start < end and _digits_in(text, start, stop) >= _ENOUGH_DIGITS:
            yield from _found(_in_numbers(), text, start, stop, before=BEFORE)
    for start, stop in _addresses(text, looked):
        if start < end:
            yield from _found(_in_addresses(), text, start, stop, before=0)


def looked_to(text: str, looked: Looked, end: int) -> Looked:
    """How far a text was looked at once `contacts` went to ``end``."""
    return Looked(
        max([end, *(stop for start, stop in _numbers(text, looked) if start < end)]),
        max([end, *(stop for start, stop in _addresses(text, looked) if start < end)]),
    )


def first_unfinished(text: str, looked: Looked, at: int) -> int:
    """Where the first stretch begins that more text could make a contact, or another one.

    Args:
        text: Folded text, as far as there is any.
        looked: How far it was looked at.
        at: What stands before it was given out.

    Returns:
        A place in the text; its length if nothing is open.
    """
    opening = _OPENING.search(text, max(at, len(text) - 6))
    open_ones = [_word_begins(text, at), opening.start() if opening else len(text)]
    for start, stop in _numbers(text, looked):
        digits = _digits_in(text, start, stop)
        grows = digits < _MOST_DIGITS and _OPEN_GAP.match(text, stop)
        if grows or (digits >= _ENOUGH_DIGITS and len(text) - stop <= AFTER):
            open_ones.append(start)
    open_ones += [start for start, stop in _addresses(text, looked) if len(text) - stop <= AFTER]
    return min(open_ones)


def _numbers(text: str, looked: Looked) -> Iterator[tuple[int, int]]:
    for match in _DIGITS.finditer(text, looked.numbers):
        yield match.span()


def _addresses(text: str, looked: Looked) -> Iterator[tuple[int, int]]:
    if "@" in text or "://" in text or "www." in text.lower():
        for match in _ADDRESS.finditer(text, looked.addresses):
            yield match.span()


def _digits_in(text: str, start: int, stop: int) -> int:
    return sum(map(str.isdigit, text[start:stop]))


def _word_begins(text: str, at: int) -> int:
    """Where the last word begins, or what of it could still stand before an @."""
    start = len(text)
    while start > at and len(text) - start < _MOST_LOCAL and not text[start - 1].isspace():
        start -= 1
    return start


def _found(recognizers: Iterable[Recognizer], text: str, start: int, stop: int, *, before: int) -> Iterator[Contact]:
    """What recognizers make of one stretch, seen in its window; no word is cut by the window's edges."""
    left, right = max(0, start - before), min(len(text), stop + AFTER)
    while 0 < left < start and text[left].isalnum() and text[left - 1].isalnum():
        left += 1
    while stop < right < len(text) and text[right - 1].isalnum() and text[right].isalnum():
        right -= 1
    window = text[left:right]
    for span in chain.from_iterable(recognizer.find(window) for recognizer in recognizers):
        begin, end = span.start + left, span.end + left
        if begin < stop and end > start:
            yield Contact(span.kind, text[begin:end], max(begin, start), end)
