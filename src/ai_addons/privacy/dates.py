"""Dates of birth in other spellings: ``1983-12-05``, ``5 December 1983``, ``5th Dec '83``, ``05/12/83``.

A date of figures alone is read as in Ghana, the day first; where it could also be
read with the month first, that reading is hidden too, but comes back as typed.
"""

from __future__ import annotations

import calendar
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from ai_addons.privacy.fold import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_addons.privacy.base import Declared

_MONTHS: Final = {name.lower(): at for at, name in enumerate(calendar.month_abbr) if name}
_MONTH: Final = (
    r"(?P<{}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_CENTURY: Final = 100
_JOINT: Final = r"[\s\-/.,_]{1,3}"
_LOOSE: Final = r"[\s\-/.,'_]{0,3}"
_ORDINAL: Final = r"(?:st|nd|rd|th)?"
_DATE: Final = re.compile(
    r"(?<![^\W_])(?<![0-9][.\-/])(?:"
    rf"(?P<y1>[0-9]{{4}}){_JOINT}(?P<m1>[0-9]{{1,2}}){_JOINT}(?P<d1>[0-9]{{1,2}})"
    rf"|(?P<d2>[0-9]{{1,2}}){_JOINT}(?P<m2>[0-9]{{1,2}}){_JOINT}(?P<y2>[0-9]{{4}}|[0-9]{{2}})"
    rf"|(?P<d3>[0-9]{{1,2}})\s?{_ORDINAL}{_LOOSE}(?:(?:of|day of)\s)?{_MONTH.format('n3')}"
    rf"{_LOOSE}(?P<y3>[0-9]{{4}}|[0-9]{{2}})"
    rf"|{_MONTH.format('n4')}{_LOOSE}(?P<d4>[0-9]{{1,2}})\s?{_ORDINAL}{_JOINT}'?(?P<y4>[0-9]{{4}}|[0-9]{{2}})"
    rf"|(?P<y5>[0-9]{{4}}){_JOINT}{_MONTH.format('n5')}{_JOINT}(?P<d5>[0-9]{{1,2}})"
    r"|(?P<y6>[0-9]{4})(?P<m6>[0-9]{2})(?P<d6>[0-9]{2})"
    r")(?:(?=t[0-9]{2}:)|(?![^\W_]))"
)
_DAY_FIRST: Final = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{4})\Z")


class Day(NamedTuple):
    """A date as it is written; a year below 100 may be of any century."""

    year: int
    month: int
    day: int

    def may_be(self, other: Day) -> bool:
        """Whether both could be one date."""
        short = min(self.year, other.year) < _CENTURY
        years = (self.year % _CENTURY, other.year % _CENTURY) if short else (self.year, other.year)
        return years[0] == years[1] and self[1:] == other[1:]


def readings(match: re.Match[str]) -> tuple[Day, ...]:
    """How a written date can be read, the likelier way first; nothing if it is no date."""
    groups = match.groupdict()
    way = next(way for way in "123456" if groups[f"d{way}"] is not None)
    name = groups.get(f"n{way}")
    month = int(groups[f"m{way}"]) if name is None else _MONTHS[name[:3]]
    ways = [Day(int(groups[f"y{way}"]), month, int(groups[f"d{way}"]))]
    if way == "2":
        ways.append(Day(ways[0].year, ways[0].day, ways[0].month))
    if way == "6" and (turned := _DAY_FIRST.match(match[0])):
        ways.append(Day(int(turned[3]), int(turned[2]), int(turned[1])))
    return tuple(dict.fromkeys(one for one in ways if _is_date(one)))


def _is_date(one: Day) -> bool:
    return 1 <= one.month <= len(_MONTHS) and 1 <= one.day <= calendar.monthrange(2000, one.month)[1]


def written(value: str) -> tuple[Day, ...]:
    """How a value that is a date, with or without a time behind it, can be read.

    >>> written("5th December 1983")
    (Day(year=1983, month=12, day=5),)
    """
    text = plain(value).strip()
    match = _DATE.match(text)
    rest = "" if match is None else text[match.end() :]
    return readings(match) if match is not None and not re.sub(r"[t\s0-9:.+\-z]", "", rest) else ()


class DateIndex:
    """Finds known dates.

    Args:
        known: The dates; values that are none are left to others.
    """

    __slots__ = ("_known",)

    def __init__(self, known: Iterable[Declared]) -> None:
        self._known: dict[tuple[int, int], list[tuple[Day, Declared, bool]]] = {}
        for declared in known:
            for place, day in enumerate(written(declared.value)):
                self._known.setdefault((day.month, day.day), []).append((day, declared, place == 0))

    def find(self, text: str) -> Iterator[tuple[int, int, Declared | None]]:
        """Where they stand in a folded text, and which one it is; None where it might be another date."""
        for match in _DATE.finditer(text) if self._known else ():
            for place, day in enumerate(readings(match)):
                meant = [one for one in self._known.get(day[1:], ()) if day.may_be(one[0])]
                if meant:
                    sure = place == 0 and len({one[1].value for one in meant}) == 1 and meant[0][2]
                    yield *match.span(), (meant[0][1] if sure else None)
                    break
