"""Numbers written as words, and the units they stand before."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TO_NINETEEN: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
ONES: Final[Mapping[str, int]] = {word: value for value, word in enumerate(_TO_NINETEEN.split())} | {
    word: value * 10 for value, word in enumerate(_TENS.split(), 2)
}
TIMES: Final[Mapping[str, int]] = {"hundred": 100, "dozen": 12, "thousand": 1_000, "million": 1_000_000}

UNITS: Final[Mapping[str, str]] = {
    alias: unit
    for unit, aliases in {
        "%": "% percent",
        "g": "g gm gram grams gramme grammes",
        "kg": "kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes",
        "ml": "ml mls millilitre millilitres milliliter milliliters",
        "l": "l ltr ltrs litre litres liter liters",
        "cm": "cm cms centimetre centimetres centimeter centimeters",
        "mm": "mm millimetre millimetres millimeter millimeters",
        "m": "m metre metres meter meters",
        "yd": "yd yds yard yards",
        "ft": "ft foot feet",
        "inch": "inch inches",
        "w": "w watt watts",
        "v": "v volt volts",
        "gb": "gb gigabyte gigabytes",
        "kw": "kw kilowatt kilowatts",
        "mb": "mb megabyte megabytes",
        "tb": "tb terabyte terabytes",
        "mah": "mah",
        "oz": "oz ounce ounces",
        "lb": "lb lbs pound pounds",
        "gal": "gal gallon gallons",
        "minute": "minute minutes min mins",
        "hour": "hour hours hr hrs",
        "day": "day days",
        "week": "week weeks wk wks",
        "month": "month months",
        "year": "year years yr yrs",
        "pcs": "pcs pc piece pieces",
        "pack": "pack packs packet packets",
    }.items()
    for alias in aliases.split()
}
COUNTING_UNITS: Final = frozenset({"pcs", "pack"})
"""Units that say no more than the number alone: 12, 12 pieces and a 12-pack."""

_WORD_NUMBERS: Final = "|".join(sorted((*ONES, *TIMES), key=len, reverse=True))
_DIGITS: Final = re.compile(r"([0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)(?:[ -]?(%|[A-Za-z]+))?")
_RUN: Final = re.compile(rf"\b({_WORD_NUMBERS})((?:[ -](?:{_WORD_NUMBERS})\b)*)\b(?:[ -]?(%|[a-z]+))?")
_HALF: Final = re.compile(r"\bhalf[ -](?:of )?(?:an? )?([a-z]+)")
_BEFORE_MEASURE: Final = re.compile(
    rf"\b(?:{_WORD_NUMBERS})(?:[ -]+(?:and[ -]+)?(?:{_WORD_NUMBERS}))*[ -]+(?:(?:ghana|and a half)[ -]+)?"
    r"(?:cedis?|ghs|pesewas?|per ?cent|thousands?|millions?|billions?|times)\b"
    rf"|\b(?:{_WORD_NUMBERS})fold\b|\bhalf of\b|\b(?:doubled|tripled|trebled|halved|quadrupled)\b"
)
_ANY_WORD: Final = re.compile(rf"\b(?:{_WORD_NUMBERS})\b")


def amounts(text: str) -> Iterator[tuple[Decimal, str | None]]:
    """Every number of a text with its unit, whether in digits or in words.

    Six yards, 6 yd and 6yd are the same. A bare "one" is grammar, not a number.
    """
    for match in _DIGITS.finditer(text):
        yield Decimal(match[1].replace(",", "")), UNITS.get((match[2] or "").lower())
    folded = text.lower()
    for match in _RUN.finditer(folded):
        unit = UNITS.get(match[3] or "")
        if unit is not None or match[2] or match[1] != "one":
            yield _value(match[1] + match[2]), unit
    for match in _HALF.finditer(folded):
        if match[1] in UNITS:
            yield Decimal("0.5"), UNITS[match[1]]


def _value(run: str) -> Decimal:
    """The value of number words in a row: "two dozen" is 24."""
    total = 0
    for word in re.split("[ -]", run):
        total = max(total, 1) * TIMES[word] if word in TIMES else total + ONES[word]
    return Decimal(total)


def number_before_measure(text: str) -> bool:
    """Whether number words state a sum, a share or a multiple ("five thousand", "half of", "doubled")."""
    return _BEFORE_MEASURE.search(text.lower()) is not None


def number_word(text: str) -> bool:
    """Whether any number word occurs at all."""
    return _ANY_WORD.search(text.lower()) is not None
