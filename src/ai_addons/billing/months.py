"""Days and months in a business's own time zone, as UTC microseconds. Pure.

A month is always counted from its anchor, never from the month before: 31 January
is followed by 28 February and then by 31 March, not by 28 March.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ai_addons.errors import ConfigError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_YEAR: Final = 12


def starts(anchor_at: int, tz: str, n: int) -> int:
    """Start of month ``n``: the anchor's day and wall time, ``n`` months later.

    The day is clamped to the month's last. A wall time that a clock change skips
    moves forward; one that comes twice is taken the first time.

    Args:
        anchor_at: Start of month 0, UTC microseconds.
        tz: IANA name of the zone whose calendar counts, e.g. ``Africa/Accra``.
        n: Months from the anchor; negative for months before it.

    Returns:
        UTC microseconds. Month ``n`` ends where month ``n + 1`` starts.

    Raises:
        ConfigError: If there is no such zone.
    """
    if n == 0:
        # As it is: an anchor in the second of two equal hours would come out an hour early.
        return anchor_at
    anchor = _local(anchor_at, tz)
    years, month = divmod(anchor.month - 1 + n, _YEAR)
    year, month = anchor.year + years, month + 1
    day = min(anchor.day, monthrange(year, month)[1])
    return _utc(anchor.replace(year=year, month=month, day=day, fold=0))


def index(anchor_at: int, tz: str, at: int) -> int:
    """Which month an instant lies in: ``starts(n) <= at < starts(n + 1)``.

    Args:
        anchor_at: Start of month 0, UTC microseconds.
        tz: IANA name of the zone whose calendar counts.
        at: The instant, UTC microseconds.

    Returns:
        Its number; negative before the anchor.

    Raises:
        ConfigError: If there is no such zone.
    """
    anchor, local = _local(anchor_at, tz), _local(at, tz)
    # One more than the calendar says, then down: a clock set back over midnight repeats a month's last hour.
    n = (local.year - anchor.year) * _YEAR + local.month - anchor.month + 1
    while at < starts(anchor_at, tz, n):
        n -= 1
    return n


def day_of(at: int, tz: str) -> date:
    """The calendar day of an instant in a zone.

    Args:
        at: The instant, UTC microseconds.
        tz: IANA name of the zone.

    Raises:
        ConfigError: If there is no such zone.
    """
    return _local(at, tz).date()


def day_start(at: int, tz: str) -> int:
    """When the calendar day of an instant began in a zone, UTC microseconds.

    Args:
        at: The instant, UTC microseconds.
        tz: IANA name of the zone.

    Raises:
        ConfigError: If there is no such zone.
    """
    return _midnight(day_of(at, tz), tz)


def month_start(at: int, tz: str) -> int:
    """When the calendar month of an instant began in a zone, UTC microseconds.

    Args:
        at: The instant, UTC microseconds.
        tz: IANA name of the zone.

    Raises:
        ConfigError: If there is no such zone.
    """
    return _midnight(day_of(at, tz).replace(day=1), tz)


def _midnight(day: date, tz: str) -> int:
    return _utc(datetime.combine(day, time.min, _zone(tz)))


def _local(at: int, tz: str) -> datetime:
    return (_EPOCH + at * _MICROSECOND).astimezone(_zone(tz))


def _utc(local: datetime) -> int:
    return (local - _EPOCH) // _MICROSECOND


def _zone(tz: str) -> ZoneInfo:
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"No time zone is called {tz!r}. Nothing was booked. Give an IANA name, such as Africa/Accra."
        raise ConfigError(msg) from None
