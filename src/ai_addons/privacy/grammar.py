"""What a placeholder looks like: the exact form, and everything that could be taken for one.

========================== ====================================================
``[PERSON_1]``             the exact form, the only one ever sent
``[person-1]`` ``<PHONE 2>`` a form that a model or a typist may make of it
``[Your Name]`` ``<PHONE>``  no placeholder, but it would look like one to a reader
========================== ====================================================

The same patterns serve both ways: what a tenant types in any of these forms is
escaped before sending, so that what comes back in one of them is ours or wrong.
All repeats are bounded, so a hostile text costs time in proportion to its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST_NUMBER: Final = 999
"""The highest number a placeholder may have; more values than that in one call are refused."""

_TYPE: Final = "|".join(kind.value for kind in Kind)
_OPEN: Final = r"(?:\\?[\[{<«⟦【［‹]|&lt;|\\u003c)"  # noqa: RUF001  # full-width brackets are meant
_CLOSE: Final = r"(?:\\?[\]}>»⟧】］›]|&gt;|\\u003e)"  # noqa: RUF001  # full-width brackets are meant
_BLANKS: Final = r"[ \t\u00a0]{0,2}"
_JOINT: Final = r"(?:\\?[_\s\-:#\u200b-\u200d\u2060\ufeff\u2011])"

EXACT: Final = re.compile(rf"\[({_TYPE})_([1-9][0-9]{{0,2}})\]")
"""The exact form, e.g. ``[PERSON_1]``."""

LOOKALIKE: Final = re.compile(
    # A type word and a number in brackets, however written.
    rf"(?P<form>{_OPEN}{{1,3}}{_BLANKS}(?i:{_TYPE}){_JOINT}{{0,3}}[0-9]{{1,5}}(?:['’]s|es|s)?{_BLANKS}{_CLOSE}{{1,3}})"  # noqa: RUF001  # typographic apostrophe is meant
    # Any short bracketed text: `[Your Name]`, `[Figure_1]`.
    r"|(?P<words>[\[［【⟦][^\[\]［］【】⟦⟧]{1,40}[\]］】⟧])"  # noqa: RUF001  # full-width brackets are meant
    # A type word whose number got lost. Lower case is markup (`<text>`) and braces are a feature's own references.
    rf"|(?P<nameless>(?:[<«‹]|&lt;){_BLANKS}(?:{_TYPE}){_BLANKS}(?:[>»›]|&gt;))"  # noqa: RUF001  # typographic quotes are meant
    # No brackets: joined by an underscore, or in capitals and not the start of a longer number, date or time.
    rf"|(?P<joined>(?<!\w)(?i:{_TYPE})\\?_[0-9]{{1,5}}(?![0-9]))"
    rf"|(?P<bare>(?<!\w)(?:{_TYPE}){_JOINT}{{0,3}}[0-9]{{1,5}}(?!\w|[ \-/.,:]{{1,2}}[0-9]))"
)
"""Everything that could be taken for a placeholder."""

_PARTS: Final = re.compile(
    rf"(?i:(?P<word>{_TYPE}))(?P<joint>{_JOINT}{{0,3}})0{{0,2}}(?P<number>[1-9][0-9]{{0,2}})(?![0-9])(?P<tail>['’]s|es|s)?"  # noqa: RUF001  # typographic apostrophe is meant
)
_OPENERS: Final = re.compile(_OPEN)
_CLOSERS: Final = re.compile(_CLOSE)
_PREFIXED_URL: Final = re.compile(
    r"(?:(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.\-]{0,19}://|(?<!\w)www\.)[^\s<>\"]+", re.IGNORECASE
)
_BARE_URL: Final = re.compile(
    r"(?<![\w.\-@/])(?:[A-Za-z0-9][A-Za-z0-9\-]{0,62}\.){1,8}[A-Za-z]{2,24}(?::[0-9]{1,5})?/[^\s<>\"]+"
)


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
    return Token(Kind(parts["word"].upper()), int(parts["number"]), before, possessive + after)


def _certain(word: str, joint: str) -> bool:
    """`[Phone 2]` is prose; `[Phone_2]`, `[phone-2]` and `PHONE 2` are not."""
    return word.isupper() or any(char in joint for char in "_-\u2011")


def between(text: str) -> Iterator[str]:
    """What stands around the placeholders of a masked text."""
    at = 0
    for match in EXACT.finditer(text):
        yield text[at : match.start()]
        at = match.end()
    yield text[at:]


def urls(text: str) -> Iterator[tuple[int, int]]:
    """Where links stand, as (start, end), with the punctuation that follows them."""
    if "/" in text or "www." in text.lower():
        for pattern in (_PREFIXED_URL, _BARE_URL):
            yield from (match.span() for match in pattern.finditer(text))
