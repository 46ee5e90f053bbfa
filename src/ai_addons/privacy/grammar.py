r"""What a placeholder looks like: the exact form, and everything that could be taken for one.

=========================== ===================================================
``[PERSON_1]``              the exact form, the only one ever sent
``[person-1]`` ``<PHONE 2>`` ``PERSONNE_1``
                            a form that a model or a typist may make of it
``[Your Name]`` ``<PHONE>`` ``[PERSO`` at the very end
                            no placeholder, but it would look like one to a reader
=========================== ===================================================

The same patterns serve both ways: what a tenant types in any of these forms is
escaped before sending, so that what comes back in one of them is ours or wrong.

The whole of the tolerant form, part by part:

========== ====================================================================
opening    1 to 3 brackets of any kind, each also after a backslash; ``&lt;`` and its like;
           ``\u003c`` and its like; then up to two blanks
type word  a `Kind` or a listed translation of it (`type_words`), in any case
joint      up to 3 of ``_ - : #``, any blank, a line break, a character without width,
           each also after a backslash
number     up to two leading zeros and 1 to 3 digits
tail       ``'s`` or ``s`` or ``es``, then up to two blanks
closing    as the opening
========== ====================================================================

Without brackets the type word must be in capitals or be joined by ``_``. All repeats are
bounded: no form is longer than about 75 characters, and a hostile text costs time in
proportion to its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.type_words import BEGINNING, ENDINGS, WORD, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST_NUMBER: Final = 999
"""The highest number a placeholder may have; more values than that in one call are refused."""

LONGEST: Final = 80
"""No form has more characters than this; measured by the tests."""

_KINDS: Final = "|".join(kind.value for kind in Kind)
_OPEN: Final = (
    r"(?:\\?[\[{<«⟦【［‹]|&(?:lt|lbrack|lsqb|lbrace|#60|#91|#123|#x3[cC]|#x5[bB]|#x7[bB]);|\\u00(?:3[cC]|5[bB]|7[bB]))"  # noqa: RUF001  # full-width brackets are meant
)
_CLOSE: Final = (
    r"(?:\\?[\]}>»⟧】］›]|&(?:gt|rbrack|rsqb|rbrace|#62|#93|#125|#x3[eE]|#x5[dD]|#x7[dD]);|\\u00(?:3[eE]|5[dD]|7[dD]))"  # noqa: RUF001  # full-width brackets are meant
)
_SQUARE: Final = r"[\[［【⟦]"  # noqa: RUF001  # full-width brackets are meant
_UNSQUARE: Final = r"[^\[\]［］【】⟦⟧]"  # noqa: RUF001  # full-width brackets are meant
_ANGLE: Final = r"(?:[<«‹]|&lt;|\\u003[cC])"  # noqa: RUF001  # typographic quotes are meant
_UNANGLE: Final = r"(?:[>»›]|&gt;|\\u003[eE])"  # noqa: RUF001  # typographic quotes are meant
_BLANKS: Final = r"\s{0,2}"
_JOINT: Final = r"(?:\\?[_\s\-:#\u200b-\u200d\u2060\ufeff\u2011])"
_TAIL: Final = r"(?:['’]s|es|s)"  # noqa: RUF001  # typographic apostrophe is meant
# A word begins: no letter before it, nor a letter and an underscore as in `customer_id_1`.
_STARTS: Final = r"(?<![^\W\d_])(?<![^\W\d_]_)"

EXACT: Final = re.compile(rf"\[({_KINDS})_([1-9][0-9]{{0,2}})\]")
"""The exact form, e.g. ``[PERSON_1]``."""

_LOOKALIKE: Final = (
    # A type word and a number in brackets, however written.
    rf"(?P<form>{_OPEN}{{1,3}}{_BLANKS}(?i:{WORD}){_JOINT}{{0,3}}[0-9]{{1,5}}{_TAIL}?{_BLANKS}{_CLOSE}{{1,3}})"
    # Any short bracketed text: `[Your Name]`, `[Figure_1]`.
    rf"|(?P<words>{_SQUARE}{_UNSQUARE}{{1,40}}[\]］】⟧])"  # noqa: RUF001  # full-width brackets are meant
    # A type word whose number got lost. Lower case is markup (`<text>`) and braces are a feature's own references.
    rf"|(?P<nameless>{_ANGLE}{_BLANKS}(?:{WORD}){_JOINT}{{0,3}}{_UNANGLE})"
    # The text ends in the middle of one.
    rf"|(?P<cut>{_SQUARE}{_BLANKS}(?=\w{{3}}|(?i:ID))(?i:{BEGINNING}){_JOINT}{{0,3}}\Z)"
    # No brackets: joined by an underscore, or in capitals and not the start of a longer number, date or time, nor
    # of a longer word; but each of several in a row is one, so that hiding the last brings out no other.
    rf"|(?P<joined>{_STARTS}(?i:{WORD})\\?_[0-9]{{1,5}})"
    rf"|(?P<bare>{_STARTS}(?:{WORD}){_JOINT}{{0,3}}[0-9]{{1,5}}(?:(?={WORD})|(?!\w|[ \-/.,:]{{1,2}}[0-9])))"
)


@cache
def lookalike() -> re.Pattern[str]:
    """Everything that could be taken for a placeholder; made when first wanted, for that takes 15 milliseconds."""
    return re.compile(_LOOKALIKE)


# Every form above begins with such a bracket, maybe written as an escape, or has a number behind `_` or a type word.
_BRACKET: Final = re.compile(r"[\[［【⟦<«‹&\\]")  # noqa: RUF001  # full-width brackets are meant
_NUMBER: Final = re.compile(r"[0-9]+")
# Whatever `_JOINT` takes, as many as there are; a test holds the two together.
JOINTS: Final = (
    "_-:#\u200b\u200c\u200d\u2060\ufeff\u2011\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
)
_REACH: Final = 5
# In a longer text the whole pattern is quicker than a look at each of its numbers.
_SHORT: Final = 256


def may_hold_lookalike(text: str) -> bool:
    """Whether `lookalike` is worth trying: most texts lack its signs, and looking for those is far quicker."""
    if _BRACKET.search(text):
        return True
    if len(text) > _SHORT:
        return _NUMBER.search(text) is not None
    for match in _NUMBER.finditer(text):
        before = text[max(0, match.start() - _REACH) : match.start()]
        if before.endswith("_") or before.rstrip(JOINTS)[-2:].upper() in ENDINGS:
            return True
    return False


REFERENCE: Final = r"\{{1,4}\s{0,4}(?P<key>[A-Za-z][A-Za-z0-9_]{0,63}(?:\.[A-Za-z0-9_]{1,63})?)\s{0,4}\}{1,4}"
"""A feature's reference to one of its facts, ``{overdue_total}``; models double the braces and pad them."""


@cache
def lookalike_or_reference() -> re.Pattern[str]:
    """Both kinds of things to fill in, so that one pass can fill them and neither is searched for the other."""
    return re.compile(rf"{_LOOKALIKE}|(?P<reference>{REFERENCE})")


AFTER: Final = 3
"""How many characters after a form decide whether it is one."""

# The beginning of any form, or a whole one that more text could change; tried where a form may begin.
_HALF_OPEN: Final = r"(?:\\(?:u[0-9a-fA-F]{0,4})?|&[a-z0-9#]{0,6})"
# It may hold more than that: what is held too long is only shown a little later.
_HALF: Final = (
    rf"{_SQUARE}{_UNSQUARE}{{0,40}}\Z"
    rf"|{_OPEN}{{0,3}}{_BLANKS}(?:{_HALF_OPEN})?\Z"
    rf"|(?:{_OPEN}{{1,3}}{_BLANKS}|{_STARTS})(?i:{BEGINNING}\Z"
    rf"|{WORD}{_JOINT}{{0,3}}(?:[0-9]{{1,5}}(?:{BEGINNING}|(?:{_TAIL}|e|['’])?[\s\-/.,:]{{0,2}}{_CLOSE}{{0,2}}))?(?:{_HALF_OPEN})?\Z)"  # noqa: RUF001  # typographic apostrophe is meant
)
_MAY_BEGIN: Final = re.compile(r"[\[{<«⟦【［‹\\&]|(?<![^\W\d_])[^\W\d_]")  # noqa: RUF001  # full-width brackets are meant

_PARTS: Final = re.compile(
    rf"(?P<word>(?i:{WORD}))(?P<joint>{_JOINT}{{0,3}})0{{0,2}}(?P<number>[1-9][0-9]{{0,2}})(?![0-9])(?P<tail>{_TAIL})?"
)
_OPENERS: Final = re.compile(_OPEN)
_CLOSERS: Final = re.compile(_CLOSE)
_OPENED: Final = re.compile(rf"{_OPEN}{_BLANKS}\Z")
_OPENED_REACH: Final = 10


@dataclass(frozen=True, slots=True)
class Token:
    """A decorated placeholder taken apart.

    Attributes:
        kind: Its type word.
        number: Its number.
        before: What stands before it and is not decoration.
        after: What follows it and is not decoration, a possessive included.
    """

    kind: Kind
    number: int
    before: str = ""
    after: str = ""


def read_token(token: str) -> Token | None:
    """Take a lookalike apart; None if type and number cannot be told for certain.

    >>> read_token("<Person_01's>")
    Token(kind=<Kind.PERSON: 'PERSON'>, number=1, before='', after="'s")
    """
    parts = _PARTS.search(token)
    if parts is None or not _certain(parts["word"], parts["joint"]):
        return None
    opened = _OPENERS.findall(token[: parts.start()])
    closed = _CLOSERS.findall(token[parts.end() :])
    # Only pairs are decoration: in `{"to": [PERSON_1]}` the brace belongs to the text.
    pairs = min(len(opened), len(closed))
    before, after = "".join(opened[: len(opened) - pairs]), "".join(closed[pairs:])
    tail = parts["tail"] or ""
    possessive = tail if tail.endswith("s") and tail[:1] in {"'", "’"} else ""  # noqa: RUF001  # typographic apostrophe is meant
    return Token(kind_of(parts["word"]), int(parts["number"]), before, possessive + after)


def _certain(word: str, joint: str) -> bool:
    """`[Phone 2]` is prose; `[Phone_2]`, `[phone-2]` and `PHONE 2` are not."""
    return word.isupper() or any(char in joint for char in "_-\u2011")


def is_cut_off(match: re.Match[str]) -> bool:
    """Whether a match of `lookalike` is but a piece: no number, no closing bracket, or letters that follow directly."""
    if match.lastgroup == "form":
        return False
    if match.lastgroup not in {"joined", "bare"}:
        return True
    text, start, end = match.string, match.start(), match.end()
    after = text[end : end + 1]
    return (
        after.isalnum()
        or after == "_"
        or text[start - 1 : start].isalnum()
        or text[start - 1 : start] == "_"
        or _OPENED.search(text, max(0, start - _OPENED_REACH), start) is not None
    )


def first_unfinished(text: str, at: int) -> int:
    """Where the first form begins that more text could begin, end otherwise or undo.

    Args:
        text: What there is so far.
        at: Forms that begin before it are finished.

    Returns:
        A place in the text; its length if none is open.
    """
    for match in _MAY_BEGIN.finditer(text, max(at, len(text) - LONGEST - AFTER)):
        if _half().match(text, match.start()):
            return match.start()
    return len(text)


@cache
def _half() -> re.Pattern[str]:
    """Compiled when the first answer arrives in pieces."""
    return re.compile(_HALF)


def crossing(text: str, at: int, place: int) -> int:
    """The place, or the beginning of the form that it would cut in two."""
    for match in lookalike().finditer(text, at, min(len(text), place + LONGEST)):
        if match.start() >= place:
            break
        if match.end() > place:
            return match.start()
    return place


def between(text: str) -> Iterator[str]:
    """What stands around the placeholders of a masked text."""
    at = 0
    for match in EXACT.finditer(text):
        yield text[at : match.start()]
        at = match.end()
    yield text[at:]
