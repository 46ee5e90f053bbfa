"""Exact amounts: credits, money and provider cost, all kept as integers.

============== ============================== =======================
quantity        kept as                        type
============== ============================== =======================
credits         micro-credits (10^-6)          `Credits`
money           minor units and a currency     `Money`
provider cost   pico-USD (10^-12)              `PicoUsd`
cost in cedis   micro-GHS (10^-6)              `MicroGhs`
============== ============================== =======================

No float enters here: a price of USD p per million tokens is exactly p x 10^6
pico-USD a token, so ``price x tokens`` needs no rounding. The one rounding
place is `to_micro_ghs`.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final, NewType, Self

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

PicoUsd = NewType("PicoUsd", int)
"""Provider cost in 10^-12 US dollars."""

MicroGhs = NewType("MicroGhs", int)
"""Cost or revenue in 10^-6 Ghana cedis."""

MICRO: Final = 1_000_000
_MICRO_PLACES: Final = 6
_RATE_SCALE: Final = 10**8
_PICO_PLACES: Final = 12
# The database holds 64 bits; more digits than these only cost time.
_MOST_DIGITS: Final = 30
# No number of that many decimals is given as text in good faith; its digits are shorter.
_ENOUGH: Final = 10_000

# ISO 4217 exponents of the currencies a gateway in reach of a Ghanaian shop settles in.
_EXPONENTS: Final = {
    "EUR": 2,
    "GBP": 2,
    "GHS": 2,
    "KES": 2,
    "NGN": 2,
    "RWF": 0,
    "UGX": 0,
    "USD": 2,
    "XAF": 0,
    "XOF": 0,
    "ZAR": 2,
}


def _exact(value: object, what: str) -> Decimal:
    """Read an amount given as text, whole number or Decimal; refuse everything inexact."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        msg = f"{what} must be given as str, int or Decimal, not {type(value).__name__}: floats are not exact"
        raise TypeError(msg)
    try:
        number = Decimal(value)
    except InvalidOperation:
        msg = f"{value!r} is not a number of {what}"
        raise ValueError(msg) from None
    if not number.is_finite():
        msg = f"{what} must be finite, not {value!r}"
        raise ValueError(msg)
    return number


def _scaled(value: object, places: int, what: str) -> int:
    """Turn an amount into whole units of 10^-places, refusing digits that would be lost."""
    number = _exact(value, what)
    if number and number.adjusted() > _MOST_DIGITS:
        msg = f"{what} must have at most {_MOST_DIGITS} digits before the point"
        raise ValueError(msg)
    # By hand, because Decimal's own arithmetic rounds to the precision of whatever context the host has set.
    sign, digits, exponent = number.as_tuple()
    whole, rest = _shift(int("".join(map(str, digits))), int(exponent) + places)
    if rest:
        msg = f"{value!r} has more than {places} decimals; {what} are exact to 10^-{places}"
        raise ValueError(msg)
    return -whole if sign else whole


def _shift(digits: int, places: int) -> tuple[int, int]:
    """Move the point of a number to the right; what falls behind it stands apart."""
    if not digits:
        return 0, 0
    return (digits * 10**places, 0) if places >= 0 else divmod(digits, 10 ** min(-places, _ENOUGH))


def _unscaled(units: int, places: int) -> Decimal:
    """Whole units of 10^-places as a Decimal, exact whatever the decimal context."""
    return Decimal(f"{units}e-{places}")


class Credits:
    """An exact amount of credits, in steps of one micro-credit (10^-6).

    Args:
        value: Credits as text, whole number, `Decimal` or `Credits`.

    Raises:
        TypeError: For a float or a bool, which are not exact amounts.
        ValueError: For text that is no number, or more than six decimals.

    >>> Credits("0.1") + Credits(3)
    Credits('3.1')
    """

    __slots__ = ("_micro",)

    def __init__(self, value: str | int | Decimal | Credits = 0) -> None:
        self._micro = value.micro if isinstance(value, Credits) else _scaled(value, _MICRO_PLACES, "credits")

    @classmethod
    def from_micro(cls, micro: int) -> Self:
        """Build from whole micro-credits, the form the database holds."""
        new = cls.__new__(cls)
        new._micro = micro  # noqa: SLF001  # a constructor fills its own slot
        return new

    @property
    def micro(self) -> int:
        """The amount in micro-credits."""
        return self._micro

    @property
    def decimal(self) -> Decimal:
        """The amount as an exact `Decimal` of credits."""
        return _unscaled(self._micro, _MICRO_PLACES)

    def __add__(self, other: Credits) -> Credits:
        """Add two amounts."""
        return Credits.from_micro(self._micro + other._micro) if _is_credits(other) else NotImplemented

    def __sub__(self, other: Credits) -> Credits:
        """Take an amount away; the result may be negative."""
        return Credits.from_micro(self._micro - other._micro) if _is_credits(other) else NotImplemented

    def __mul__(self, times: int) -> Credits:
        """Multiply by a whole number."""
        return Credits.from_micro(self._micro * times) if type(times) is int else NotImplemented

    def __neg__(self) -> Credits:
        """The amount with its sign changed."""
        return Credits.from_micro(-self._micro)

    def __bool__(self) -> bool:
        """False only for exactly zero credits."""
        return self._micro != 0

    def __eq__(self, other: object) -> bool:
        """Equal amounts are equal; a bare number is never equal to credits."""
        return self._micro == other._micro if isinstance(other, Credits) else NotImplemented

    def __hash__(self) -> int:
        """Equal amounts hash alike."""
        return hash((Credits, self._micro))

    def __lt__(self, other: Credits) -> bool:
        """Order by amount."""
        return self._micro < other._micro if _is_credits(other) else NotImplemented

    def __le__(self, other: Credits) -> bool:
        """Order by amount."""
        return self._micro <= other._micro if _is_credits(other) else NotImplemented

    def __gt__(self, other: Credits) -> bool:
        """Order by amount."""
        return self._micro > other._micro if _is_credits(other) else NotImplemented

    def __ge__(self, other: Credits) -> bool:
        """Order by amount."""
        return self._micro >= other._micro if _is_credits(other) else NotImplemented

    def __str__(self) -> str:
        """The wire form: 2 to 6 decimals, never an exponent."""
        sign, digits = ("-", -self._micro) if self._micro < 0 else ("", self._micro)
        whole, part = divmod(digits, MICRO)
        return f"{sign}{whole}.{f'{part:06d}'.rstrip('0').ljust(2, '0')}"

    @property
    def short(self) -> str:
        """The form for people: no needless zeros (``0.1``, ``5``)."""
        return str(self).rstrip("0").rstrip(".")

    def __repr__(self) -> str:
        """A literal that builds the same amount."""
        return f"Credits({self.short!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic read ``str | int | Decimal`` strictly and write the wire form."""
        from pydantic_core import core_schema  # noqa: PLC0415  # money must not cost the importer pydantic

        def read(value: object) -> Credits:
            if isinstance(value, Credits):
                return value
            try:
                return Credits(_exact(value, "credits"))
            except TypeError as error:
                raise ValueError(str(error)) from None

        return core_schema.no_info_plain_validator_function(
            read,
            json_schema_input_schema=core_schema.str_schema(),
            serialization=core_schema.to_string_ser_schema(),
        )


def _is_credits(value: object) -> bool:
    """Whether arithmetic may go on; host code is not always type-checked."""
    return isinstance(value, Credits)


class Money:
    """An exact amount of money in the minor unit of its currency.

    Args:
        amount: Major units (cedis, dollars) as text, whole number or `Decimal`.
        currency: ISO 4217 code.

    Raises:
        TypeError: For a float or a bool.
        ValueError: For more decimals than the currency has, or an unknown currency.

    >>> Money("80", "GHS").minor
    8000
    """

    __slots__ = ("_currency", "_minor")

    def __init__(self, amount: str | int | Decimal, currency: str = "GHS") -> None:
        self._currency = _known(currency)
        self._minor = _scaled(amount, _EXPONENTS[currency], f"{currency} amounts")

    @classmethod
    def from_minor(cls, minor: int, currency: str = "GHS") -> Self:
        """Build from minor units (pesewas, cents)."""
        new = cls.__new__(cls)
        new._minor, new._currency = minor, _known(currency)  # noqa: SLF001  # a constructor fills its own slots
        return new

    @property
    def minor(self) -> int:
        """The amount in minor units (pesewas for GHS)."""
        return self._minor

    @property
    def currency(self) -> str:
        """ISO 4217 code."""
        return self._currency

    @property
    def decimal(self) -> Decimal:
        """The amount in major units."""
        return _unscaled(self._minor, _EXPONENTS[self._currency])

    def __eq__(self, other: object) -> bool:
        """Equal when amount and currency are."""
        return (
            (self._minor, self._currency) == (other._minor, other._currency)
            if isinstance(other, Money)
            else NotImplemented
        )

    def __hash__(self) -> int:
        """Equal amounts hash alike."""
        return hash((self._minor, self._currency))

    def __str__(self) -> str:
        """Currency and amount, as a price tag shows it: ``GHS 80.00``."""
        return f"{self._currency} {self.decimal:,}"

    def __repr__(self) -> str:
        """A literal that builds the same amount."""
        return f"Money({str(self.decimal)!r}, {self._currency!r})"


def _known(currency: str) -> str:
    if currency not in _EXPONENTS:
        msg = f"unknown currency {currency!r}; known are {', '.join(_EXPONENTS)}"
        raise ValueError(msg)
    return currency


def scaled_rate(rate: str | int | Decimal) -> int:
    """Turn an exchange rate into the integer that is stored with each cost (scale 10^-8).

    Raises:
        ValueError: If the rate is not positive or has more than eight decimals.
    """
    scaled = _scaled(rate, 8, "exchange rates")
    if scaled <= 0:
        msg = f"an exchange rate must be positive, not {rate!r}"
        raise ValueError(msg)
    return scaled


def to_micro_ghs(cost: PicoUsd, rate: int) -> MicroGhs:
    """Convert a provider cost at booking; the only place where a cost is rounded.

    Args:
        cost: Provider cost in pico-USD.
        rate: GHS per USD as `scaled_rate` gives it (11.646 is 1,164,600,000).

    Returns:
        ``cost x rate / 10^6`` in micro-GHS, rounded half to even.
    """
    whole, rest = divmod(cost * rate, _RATE_SCALE * MICRO)
    doubled = 2 * rest
    half = _RATE_SCALE * MICRO
    return MicroGhs(whole + (doubled > half or (doubled == half and whole % 2 == 1)))


def usd(cost: PicoUsd) -> Decimal:
    """A provider cost in US dollars, exact."""
    return _unscaled(cost, _PICO_PLACES)


def ghs(cost: MicroGhs) -> Decimal:
    """A cost or revenue in cedis, exact to a micro-cedi."""
    return _unscaled(cost, _MICRO_PLACES)
