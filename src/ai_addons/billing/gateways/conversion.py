"""A price in cedis, charged in another currency: by a fresh rate, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ai_addons.errors import StaleRate
from ai_addons.money import Money

if TYPE_CHECKING:
    from ai_addons.billing.records import Rate

OLDEST: Final = timedelta(days=7)
"""A rate is stale after this; the Bank of Ghana publishes on weekdays."""

_SCALE: Final = 10**8


def in_dollars(price: Money, rate: Rate, *, now: int) -> Money:
    """A price in cedis as US dollars, rounded half up to a cent.

    Both have two decimals, so ``cents = pesewas / (GHS per USD)``.

    Args:
        price: In GHS.
        rate: GHS per USD.
        now: UTC microseconds.

    Raises:
        StaleRate: For a rate that is older than seven days, from the future, not above zero, or from no source but
            the settings.
        ValueError: For a price that is less than half a cent.

    >>> from datetime import date
    >>> from ai_addons.billing.records import Rate
    >>> rate = Rate(scaled=1_164_600_000, day=date(2026, 9, 29), source="bog")
    >>> in_dollars(Money("30"), rate, now=1_790_700_000_000_000)
    Money('2.58', 'USD')
    """
    if not is_fresh(rate, now=now):
        raise StaleRate
    cents = (2 * price.minor * _SCALE + rate.scaled) // (2 * rate.scaled)
    if cents <= 0:
        msg = f"{price} is less than half a cent"
        raise ValueError(msg)
    return Money.from_minor(cents, "USD")


def is_fresh(rate: Rate, *, now: int) -> bool:
    """Whether anybody may be charged by a rate; never by the one that is written in the settings."""
    today = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now)).date()
    # A day ahead of UTC is a day that has begun somewhere.
    return rate.source != "static" and rate.scaled > 0 and -timedelta(days=1) <= today - rate.day <= OLDEST


def share(part: int, *, of: int, whole: int) -> int:
    """What part of one amount is in another, rounded half up: ``whole x part / of``.

    >>> share(1500, of=3000, whole=258)
    129
    """
    return (2 * whole * part + of) // (2 * of)
