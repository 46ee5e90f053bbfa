"""Usage by feature and day, put into as few columns as a small screen shows. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from ai_addons.money import Credits
from ai_addons.web.pages.filters import month_text, short_day_text
from ai_addons.web.words import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ai_addons.billing.usage import DayUsage
    from ai_addons.web.words import Words

MOST_FEATURES: Final = 5
"""Features with a colour of their own; the others are one."""
OTHERS: Final = "Other features"

_MOST_DAYS: Final = 31
_MOST_WEEKS: Final = 92
_WEEK: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Credits of one feature, one value for each column.

    Attributes:
        name: What the feature is called.
        values: Credits.
    """

    name: str
    values: tuple[Credits, ...]

    @property
    def total(self) -> Credits:
        """All of them."""
        return Credits.from_micro(sum(value.micro for value in self.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Credits used over time.

    Attributes:
        unit: What a column is: ``day``, ``week`` or ``month``.
        columns: What each column is called, oldest first.
        series: One for each feature, the most used first.
    """

    unit: str
    columns: tuple[str, ...]
    series: tuple[Series, ...]

    @property
    def totals(self) -> tuple[Credits, ...]:
        """Credits of each column."""
        return tuple(
            Credits.from_micro(sum(one.values[number].micro for one in self.series))
            for number in range(len(self.columns))
        )


def timeline(days: Iterable[DayUsage], first: date, last: date, words: Words = ENGLISH) -> Timeline:
    """Put usage into columns of a day, a week or a month.

    Args:
        days: By day and feature; days without calls may be missing.
        first: First day.
        last: Last day, included.
        words: Say what the columns are called.
    """
    length = (last - first).days + 1
    unit = "day" if length <= _MOST_DAYS else "week" if length <= _MOST_WEEKS else "month"
    starts = _starts(first, last, unit)
    sums: defaultdict[str, Counter[date]] = defaultdict(Counter)
    for one in days:
        sums[one.feature_display_name][_start(one.day, starts)] += one.credits.micro
    ranked = sorted(sums, key=lambda name: (-sums[name].total(), name))
    kept, rest = ranked[:MOST_FEATURES], ranked[MOST_FEATURES:]
    series = [_series(name, sums[name], starts) for name in kept]
    if rest:
        series.append(_series(OTHERS, sum((sums[name] for name in rest), Counter[date]()), starts))
    return Timeline(unit=unit, columns=tuple(_label(start, unit, words) for start in starts), series=tuple(series))


def _starts(first: date, last: date, unit: str) -> list[date]:
    """First day of each column; the first column may be shorter than the others."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if unit == "month":
        return [day for day in days if day == first or day.day == 1]
    step = _WEEK if unit == "week" else 1
    # Counted from the end, so that today closes the last week.
    return [day for day in days if day == first or (last - day).days % step == step - 1]


def _start(day: date, starts: Sequence[date]) -> date:
    return max(start for start in starts if start <= day)


def _series(name: str, sums: Counter[date], starts: Sequence[date]) -> Series:
    return Series(name=name, values=tuple(Credits.from_micro(sums[start]) for start in starts))


def _label(start: date, unit: str, words: Words) -> str:
    if unit == "month":
        return month_text(start, words)
    return short_day_text(start, words)
