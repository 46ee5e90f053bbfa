"""Instants: those of a host's own datetimes, and the last days of an operator. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ai_addons.billing.months import day_of, day_start

DAY_US: Final = 86_400_000_000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The last days, today included, in the operator's zone.

    Attributes:
        days: How many.
        since: When the first one began, UTC microseconds.
        until: Just after now.
        first: The first day, ISO.
        last: A day that no business is past yet, ISO.
        first_before: First of as many days before, ISO.
        last_before: Last of those, ISO.
    """

    days: int
    since: int
    until: int
    first: str
    last: str
    first_before: str
    last_before: str


def period_of(now: int, days: int, tz: str) -> Period:
    """The last days at a moment.

    Args:
        now: UTC microseconds.
        days: How many, today included.
        tz: IANA name of the operator's zone.
    """
    today = day_of(now, tz)
    first = today - timedelta(days=days - 1)
    # From the middle of a day: no clock change reaches that far.
    midday = day_start(now, tz) + DAY_US // 2
    return Period(
        days=days,
        since=day_start(midday - (days - 1) * DAY_US, tz),
        until=now + 1,
        first=first.isoformat(),
        # Where it is tomorrow already, today's calls count there.
        last=(today + timedelta(days=1)).isoformat(),
        first_before=(first - timedelta(days=days)).isoformat(),
        last_before=(first - timedelta(days=1)).isoformat(),
    )


def in_micros(at: datetime | None) -> int | None:
    """A time with its zone as UTC microseconds.

    Raises:
        ValueError: For a time without a zone, which might mean any of many moments.
    """
    if at is None:
        return None
    if at.tzinfo is None:
        msg = "a time needs its zone, e.g. datetime(2027, 1, 31, tzinfo=UTC); nothing was booked"
        raise ValueError(msg)
    return to_micros(at)


def to_micros(at: datetime) -> int:
    """A time with its zone as UTC microseconds; what `from_micros` turns round."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(at: int) -> datetime:
    """UTC microseconds as a time."""
    return _EPOCH + at * _MICROSECOND


def midnight(day: date, tz: str) -> int:
    """When a day begins in a zone, UTC microseconds.

    Args:
        day: The day there.
        tz: IANA name of the zone.
    """
    return to_micros(datetime.combine(day, time.min, ZoneInfo(tz)))
