"""The last days of an operator, as days and as instants. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ai_addons.billing.months import day_of, day_start

DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The last days, today included, in the operator's zone.

    Attributes:
        days: How many.
        since: When the first one began, UTC microseconds.
        until: Now.
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
        until=now,
        first=first.isoformat(),
        # Where it is tomorrow already, today's calls count there.
        last=(today + timedelta(days=1)).isoformat(),
        first_before=(first - timedelta(days=days)).isoformat(),
        last_before=(first - timedelta(days=1)).isoformat(),
    )
