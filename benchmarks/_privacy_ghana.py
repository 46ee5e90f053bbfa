"""Made-up Ghanaian personal data of every format the privacy layer promises to know, from seeded randomness.

The formats are public: the sheets of the Ghana Revenue Authority for tax numbers, the National Communications
Authority's numbering plan, GhanaPostGPS's addresses, DVLA's announcements on plates. No value is taken from anywhere;
one may exist by chance, so never call, message or charge one.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

from benchmarks._privacy_numbers import digits, grouped, signs

if TYPE_CHECKING:
    from random import Random


def ghana_card(rng: Random) -> str:
    """A Ghana Card number; its check character is unpublished, so it is any."""
    body, check = digits(rng, rng.choice([8, 9, 9])), rng.choice(string.digits + "0123456789ABCXYZ")
    country = rng.choice(["GHA", "GHA", "GHA", "FGN", "NGA"])
    if country == "NGA":
        return f"NGA-{body}-{check}"
    text = rng.choice(["-", "-", "-", " ", " - ", ""]).join([country, body, check])
    return rng.choice([text, text, text.lower(), text.title()])


def gps(rng: Random) -> str:
    """A GhanaPostGPS address."""
    district = rng.choice("ABCEGNUVWX") + rng.choice(string.ascii_uppercase + "23456789")
    return rng.choice(["-", "-", "-", "  "]).join([district, digits(rng, rng.choice([3, 3, 3, 4, 5])), digits(rng, 4)])


def gps_loose(rng: Random) -> str:
    """A GhanaPostGPS address as only a word beside it can tell: one blank, or nothing, between its parts."""
    district = rng.choice("ABCEGNUVWX") + rng.choice(string.ascii_uppercase)
    return rng.choice([" ", ""]).join([district, digits(rng, 3, "123456789"), digits(rng, 4)])


def tin(rng: Random) -> str:
    """A tax number of the Ghana Revenue Authority: the check is the sum of i times digit i, modulo 11."""
    body = "00" + digits(rng, 7)
    check = sum(place * int(digit) for place, digit in enumerate(body, 1)) % 11
    return rng.choice("PCGQV") + body + ("X" if check == 10 else str(check))  # noqa: PLR2004  # a digit has one place


def ssnit(rng: Random) -> str:
    """A social security number."""
    return rng.choice(string.ascii_uppercase) + digits(rng, 12)


def nhis(rng: Random) -> str:
    """A health insurance number; one that begins with 0 could be a phone."""
    return digits(rng, rng.choice([8, 10]), "123456789")


def voter(rng: Random) -> str:
    """A voter's number; one that begins with 0 could be a phone."""
    return digits(rng, 10, "123456789")


def passport(rng: Random) -> str:
    """A passport number."""
    return rng.choice("GGGGHD") + digits(rng, 7)


def licence(rng: Random) -> str:
    """A driver's licence number, in one of its two shapes."""
    letters = signs(rng, 3, string.ascii_uppercase)
    return f"{letters}-{digits(rng, 8)}-{digits(rng, 5)}" if rng.random() < 0.5 else f"{letters}-{digits(rng, 6)}"  # noqa: PLR2004  # one in two


PLATE_CODES: Final = [
    first + second
    for first, seconds in {
        "A": "CEKPSW",
        "B": "ARTW",
        "C": "DR",
        "D": "PV",
        "E": "NRS",
        "G": "BCELMNRSTWXY",
        "H": "R",
        "N": "ER",
        "O": "R",
        "S": "V",
        "U": "EW",
        "V": "DR",
        "W": "NPRT",
    }.items()
    for second in seconds
]
"""Regional codes of vehicle plates."""


def plate(rng: Random) -> str:
    """A vehicle's plate with its year, or with the letter of those before 2009."""
    number = str(rng.randint(1, 9999))
    code, suffix = (
        rng.choice(PLATE_CODES),
        rng.choice([f"{rng.randint(9, 26):02}", rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")]),
    )
    return rng.choice([f"{code} {number}-{suffix}", f"{code}-{number}-{suffix}", f"{code} {number} {suffix}"])


def plate_new(rng: Random) -> str:
    """A vehicle's plate in the form announced last, which only a word beside it can tell."""
    code = rng.choice(PLATE_CODES)
    two = signs(rng, 2, "ABCDEFGHJKLMNPRSTUVWXYZ")
    return rng.choice([f"{code} {rng.randint(100, 999)} {two}", f"{rng.randint(1000, 9999)}-{code}{two}"])


def account(rng: Random) -> str:
    """A bank account; one that begins with 0 could be a phone."""
    return digits(rng, rng.choice([10, 11, 13, 13, 13, 14, 16]), "1456789")


def birth_date(rng: Random) -> str:
    """A date on which somebody may have been born."""
    year, month, day = rng.randint(1945, 2008), rng.randint(1, 12), rng.randint(1, 28)
    month_name = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ][month - 1]
    ending = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
    return rng.choice(
        [
            f"{day:02}/{month:02}/{year}",
            f"{day:02}-{month:02}-{year}",
            f"{year}-{month:02}-{day:02}",
            f"{day} {month_name} {year}",
            f"{day}{ending} {month_name} {year}",
            f"{day} {month_name[:3]} {year}",
            f"{day:02}/{month:02}/{year % 100:02}",
        ]
    )


MOBILE_PREFIXES: Final = [
    "024",
    "025",
    "053",
    "054",
    "055",
    "059",
    "020",
    "050",
    "026",
    "027",
    "056",
    "057",
    "023",
    "028",
    "029",
]
"""Prefixes of Ghanaian mobile numbers, with the trunk zero."""
_FIXED_PREFIXES: Final = ["0302", "0303", "0312", "0322", "0332", "0342", "0352", "0362", "0372", "0382", "0392"]


def phone(rng: Random) -> str:
    """A Ghanaian number, mobile or fixed, as people write it."""
    if rng.random() < 0.04:  # noqa: PLR2004  # toll-free numbers are rare
        return f"0800{rng.choice(['', ' '])}{digits(rng, rng.choice([5, 6]))}"
    prefix = rng.choice([*MOBILE_PREFIXES, *MOBILE_PREFIXES, *_FIXED_PREFIXES])
    number = prefix[1:] + digits(rng, 10 - len(prefix))
    gap = rng.choice([" ", " ", "-", "."])
    sizes = rng.choice([(2, 3, 4), (2, 7), (3, 2, 2, 2)])
    national = grouped(number, *sizes, by=gap)
    return rng.choice(
        [
            f"0{number}",
            f"0{number}",
            f"0{national}",
            f"0{national}",
            f"({prefix[:3]}) {grouped(number[2:], 3, 4, by='-')}",
            f"+233{number}",
            f"233{number}",
            f"00233{number}",
            f"+233{gap}{national}",
            f"+233 {national}",
            f"(+233) {national}",
            f"+233(0){national}",
        ]
    )


def phone_bare(rng: Random) -> str:
    """A Ghanaian mobile number without its zero, which only a word beside it can tell."""
    return rng.choice(MOBILE_PREFIXES)[1:] + digits(rng, 7)
