"""Birth dates. Every other date is the shop's own and passes."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind, Span
from ai_addons.privacy.recognizers._context import NEAR
from ai_addons.privacy.recognizers._edges import ends_clear, starts_clear

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PRIORITY: Final = 35
_WORDS: Final = ("dob", "d.o.b", "d. o. b", "born", "birth")
_WORD_END: Final = r"(?:[ _]?(?:date|day|dt))?(?![a-z])"
_MONTHS: Final[str] = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTH: Final = (
    r"(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATE: Final = (
    r"(?P<y>[0-9]{4})(?P<a>[ .\-/])(?P<m>[0-9]{1,2})(?P=a)(?P<d>[0-9]{1,2})"
    r"|(?P<d2>[0-9]{1,2})(?P<b>\s?[.\-/]\s?|\s)(?P<m2>[0-9]{1,2})(?P=b)(?P<y2>[0-9]{4}|[0-9]{2})"
    rf"|(?P<d3>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:\s?(?:of\s)?|[ .\-/]){_MONTH.format('m3')}[ ,.\-/]{{0,2}}"
    r"(?P<y3>[0-9]{4}|'?[0-9]{2})"
    rf"|{_MONTH.format('m4')}[ .\-/]?(?P<d4>[0-9]{{1,2}})(?:st|nd|rd|th)?[ ,.\-/]{{1,2}}(?P<y4>[0-9]{{4}})"
)
# The year, month and day of each form, by the last of its parts.
_PARTS: Final[Mapping[str | None, tuple[str, str, str]]] = {
    "d": ("y", "m", "d"),
    "y2": ("y2", "m2", "d2"),
    "y3": ("y3", "m3", "d3"),
    "y4": ("y4", "m4", "d4"),
}
_LONGEST: Final = 24
_SHORT_YEAR: Final = 2


class BirthDateRecognizer:
    """Finds dates that stand within 30 characters after a word such as "born"."""

    __slots__ = ("_date", "_word_end")

    def __init__(self) -> None:
        self._word_end = re.compile(_WORD_END)
        self._date = re.compile(_DATE)

    def find(self, text: str) -> Iterator[Span]:
        """Real calendar dates only, day or month first."""
        # In lower case, which patterns read twice as fast as either.
        small = text.lower()
        for word in _WORDS:
            at = small.find(word)
            while at >= 0:
                match = self._word_end.match(small, at + len(word))
                if match and _begins_word(text, at):
                    yield from self._after(text, small, match.end())
                at = small.find(word, at + 1)

    def _after(self, text: str, small: str, at: int) -> Iterator[Span]:
        limit = at + NEAR
        for match in self._date.finditer(small, at, limit + _LONGEST):
            if match.start() > limit:
                return
            if starts_clear(text, match.start()) and ends_clear(text, match.end()) and _is_real(match):
                yield Span(match.start(), match.end(), Kind.DATE, _PRIORITY)
                return


def _begins_word(text: str, at: int) -> bool:
    """Whether a word begins here, as the second part of ``dateOfBirth`` does too."""
    before = text[at - 1 : at]
    return starts_clear(text, at) or before == "_" or before.isdigit() or (before.islower() and text[at].isupper())


def _is_real(match: re.Match[str]) -> bool:
    year, month, day = match.group(*_PARTS[match.lastgroup])
    year = year.lstrip("'")
    number = int(year) + (2000 if len(year) == _SHORT_YEAR else 0)
    if not month.isdigit():
        return _exists(number, (_MONTHS.index(month[:3]) // 4) + 1, int(day))
    return _exists(number, int(month), int(day)) or _exists(number, int(day), int(month))


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
