"""An exchange rate with its provenance, and the port to whoever publishes rates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, Protocol, TypeAlias

from ai_addons.billing.periods import from_micros

Kind: TypeAlias = Literal["interbank", "market", "static"]
"""A central bank's middle rate, a blend of markets, or a number from the settings."""

BASE: Final = "USD"
QUOTE: Final = "GHS"

_PLACES: Final = 8
# The cedi before July 2007, of which 10,000 are one GHS. Some lists still carry it.
_OLD_CEDI: Final = "GHC"


class RateUnavailable(Exception):
    """A source gave no rate that can be used; the text says why, without addresses or keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FxRate:
    """What one unit of a currency is worth in another.

    Attributes:
        base: ISO code of the currency that is priced, ``USD``.
        quote: ISO code of the currency it is priced in, ``GHS``.
        rate: Units of ``quote`` for one of ``base``, at most eight decimals.
        as_of: Day it holds for, as its source says.
        fetched_at: When it was asked for, UTC microseconds.
        source: Name of the source.
        kind: What sort of rate it is.
    """

    base: str = BASE
    quote: str = QUOTE
    rate: Decimal
    as_of: date
    fetched_at: int
    source: str
    kind: Kind


class RateSource(Protocol):
    """Publishes GHS for one USD (`ai_addons.rates` entry points: made from `FxSettings`)."""

    def fetch(self, now: int) -> FxRate:
        """Ask for the newest rate; never waits longer than the settings allow.

        Args:
            now: UTC microseconds.

        Raises:
            RateUnavailable: If there is none, or its answer cannot be trusted.
        """
        ...


def day_at(now: int) -> date:
    """The day of a time in UTC, as sources count days.

    Args:
        now: UTC microseconds.
    """
    return from_micros(now).date()


def read_rate(value: object) -> Decimal:
    """A rate out of JSON that was read with `Decimal` for floats, rounded half to even to eight decimals.

    Raises:
        RateUnavailable: For anything but a positive number of sensible size; text is no number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        msg = "its rate is no number"
        raise RateUnavailable(msg)
    number = Decimal(value)
    if not number.is_finite() or number <= 0 or not -_PLACES < number.adjusted() < _PLACES:
        msg = "its rate is not a positive number of sensible size"
        raise RateUnavailable(msg)
    # By fractions, because Decimal's own arithmetic rounds to the precision of whatever context the host has set.
    return from_scaled(round(Fraction(number) * 10**_PLACES))


def from_scaled(scaled: int) -> Decimal:
    """A rate out of the whole number that the books keep (scale 10^-8), without needless zeros."""
    whole, part = divmod(scaled, 10**_PLACES)
    return Decimal(f"{whole}.{part:0{_PLACES}d}".rstrip("0").rstrip("."))


def read_day(value: object) -> date:
    """An ISO day out of JSON.

    Raises:
        RateUnavailable: For anything else.
    """
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        msg = "its date is no ISO day"
        raise RateUnavailable(msg) from None


def read_seconds(value: object) -> date:
    """The UTC day of a UNIX time out of JSON.

    Raises:
        RateUnavailable: For anything but whole seconds within the calendar.
    """
    if type(value) is int and value >= 0:
        try:
            return day_at(value * 1_000_000)
        except OverflowError:
            pass
    msg = "its time is no UNIX time"
    raise RateUnavailable(msg)


def require_code(value: object, wanted: str) -> None:
    """Make sure that an answer is about the currency that was asked for, to the letter.

    Raises:
        RateUnavailable: If it is not; the old cedi is named, because it is wrong by four digits.
    """
    if value == wanted:
        return
    if value == _OLD_CEDI:
        msg = f"it answered in {_OLD_CEDI}, the old cedi, of which 10,000 are one {QUOTE}"
        raise RateUnavailable(msg)
    msg = f"it did not answer for {wanted}"
    raise RateUnavailable(msg)
