"""Which rates to believe, and for how long. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from ai_addons.billing.fx.base import day_at
from ai_addons.billing.records import Rate
from ai_addons.money import scaled_rate

if TYPE_CHECKING:
    from datetime import date

    from ai_addons.billing.fx.base import FxRate
    from ai_addons.settings import FxSettings

# A source east of us is a day ahead.
_AHEAD: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRules:
    """What makes a rate believable and fresh.

    Attributes:
        low: A rate below it is refused.
        high: A rate above it is refused.
        most_move: Share of the last good rate by which a new one may differ.
        warn_days: A rate older than this is worth a warning; central banks publish on weekdays only.
        stale_days: A rate older than this is stale.
    """

    low: Decimal = Decimal(5)
    high: Decimal = Decimal(50)
    most_move: Decimal = Decimal("0.15")
    warn_days: int = 4
    stale_days: int = 7

    def fault(self, rate: FxRate, last: FxRate | None, today: date) -> str | None:
        """Why a rate is not taken without an operator's word; None if nothing speaks against it.

        Args:
            rate: What a source says.
            last: The last good rate, None if there never was one.
            today: The day, UTC.
        """
        if rate.as_of > today + _AHEAD:
            return f"its day {rate.as_of} is yet to come"
        if not self.low <= rate.rate <= self.high:
            return f"{rate.rate:f} is not within {self.low:f} and {self.high:f}"
        if last is not None and _move(rate.rate, last.rate) > Fraction(self.most_move):
            moved = round(100 * _move(rate.rate, last.rate))
            return f"{rate.rate:f} is {moved} % away from {last.rate:f}, the last good one"
        return None

    def is_stale(self, rate: FxRate, today: date) -> bool:
        """Whether a rate is too old to go by; one from the settings always is."""
        return rate.kind == "static" or age(rate, today) > self.stale_days

    def is_old(self, rate: FxRate, today: date) -> bool:
        """Whether a rate is old enough for a warning; one that is stale is old too."""
        return self.is_stale(rate, today) or age(rate, today) > self.warn_days

    def booked(self, rate: FxRate, now: int) -> Rate:
        """A rate as it is written beside a cost at a time (UTC microseconds)."""
        stale = self.is_stale(rate, day_at(now))
        return Rate(scaled=scaled_rate(rate.rate), day=rate.as_of, source=rate.source, stale=stale)


def rules_of(fx: FxSettings) -> RateRules:
    """The rules of the settings."""
    return RateRules(
        low=fx.low,
        high=fx.high,
        most_move=fx.most_move,
        warn_days=fx.warn_after.days,
        stale_days=fx.stale_after.days,
    )


def age(rate: FxRate, today: date) -> int:
    """Days since a rate's own day; never less than zero."""
    return max((today - rate.as_of).days, 0)


def _move(rate: Decimal, last: Decimal) -> Fraction:
    """By what share of the last rate a new one differs."""
    return abs(Fraction(rate) - Fraction(last)) / Fraction(last)
