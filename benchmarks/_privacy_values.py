"""Made-up personal data of the formats that are the same everywhere, from seeded randomness.

ISO 13616 for IBANs, ISO/IEC 7812 for cards, ITU-T E.164 for phones, the Social Security Administration's rules
and the prefixes that providers document for keys. No value is taken from anywhere; one may exist by chance, so
never call, message or charge one.
"""

from __future__ import annotations

import base64
import string
from typing import TYPE_CHECKING, Final

from benchmarks._privacy_ghana import MOBILE_PREFIXES
from benchmarks._privacy_numbers import digits, grouped, luhn, signs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

_FIRST: Final = [
    "Ama",
    "Kofi",
    "Abena",
    "Kwame",
    "Akosua",
    "Yaw",
    "Efua",
    "Kojo",
    "Adwoa",
    "Kwabena",
    "Esi",
    "Fiifi",
    "Dzifa",
    "Selorm",
    "Naa",
    "Nii",
    "Fuseini",
    "Rahina",
    "Grace",
    "Joseph",
]
_LAST: Final = [
    "Mensah",
    "Owusu",
    "Boateng",
    "Asante",
    "Agyeman",
    "Addo",
    "Ofori",
    "Quaye",
    "Lamptey",
    "Tetteh",
    "Agbeko",
    "Dogbe",
    "Abubakar",
    "Issah",
    "Bekoe",
    "Darko",
    "Nyarko",
    "Antwi",
]


def name(rng: Random) -> str:
    """A person's name."""
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    return rng.choice(
        [f"{first} {last}", f"{first} {rng.choice(_FIRST)} {last}", f"{first[0]}. {last}", f"{last.upper()}, {first}"]
    )


def email(rng: Random) -> str:
    """An e-mail address."""
    first, last = rng.choice(_FIRST).lower(), rng.choice(_LAST).lower()
    local = rng.choice(
        [f"{first}.{last}", f"{first}{rng.randint(1, 99)}", f"{first[0]}_{last}", f"{last}+shop", f"{first}-{last}"]
    )
    host = rng.choice(
        [
            "gmail.com",
            "yahoo.com",
            "outlook.com",
            "hotmail.co.uk",
            f"{last}ventures.com.gh",
            f"mail.{last}.org",
            f"{last}.africa",
        ]
    )
    address = f"{local}@{host}"
    return rng.choice([address, address, address, address.upper(), address.title()])


def url(rng: Random) -> str:
    """A link to a person's page."""
    handle = f"{rng.choice(_FIRST).lower()}.{rng.choice(_LAST).lower()}{rng.randint(1, 99)}"
    return rng.choice(
        [
            f"https://facebook.com/{handle}",
            f"https://www.instagram.com/{handle}/",
            f"http://{handle}.example.com/orders?id={rng.randint(100, 9999)}&ref=a",
            f"www.{handle}.com.gh/shop",
            f"https://wa.me/233{rng.choice(MOBILE_PREFIXES)[1:]}{digits(rng, 7)}",
            f"https://t.me/{handle.replace('.', '_')}",
        ]
    )


def ipv4(rng: Random) -> str:
    """An IPv4 address."""
    return ".".join(str(rng.randint(1, 255)) for _ in range(4))


def ip(rng: Random) -> str:
    """An IPv4 or IPv6 address."""
    words = [f"{rng.randint(1, 65535):x}" for _ in range(6)]
    return rng.choice(
        [
            ipv4(rng),
            ipv4(rng),
            ":".join(["2001", "db8", *words]),
            f"2001:db8::{words[0]}",
            f"fe80::{':'.join(words[:4])}",
            "8.8.8.8",
        ]
    )


_IBANS: Final[Mapping[str, Callable[[Random], str]]] = {
    "DE": lambda rng: digits(rng, 18),
    "GB": lambda rng: signs(rng, 4, string.ascii_uppercase) + digits(rng, 14),
    "NL": lambda rng: signs(rng, 4, string.ascii_uppercase) + digits(rng, 10),
    "FR": lambda rng: digits(rng, 23),
    "NO": lambda rng: digits(rng, 11),
    "CI": lambda rng: signs(rng, 2, string.ascii_uppercase) + digits(rng, 22),
}


def with_check(country: str, account: str) -> str:
    number = "".join(str(int(sign, 36)) for sign in f"{account}{country}00")
    return f"{country}{98 - int(number) % 97:02}{account}"


def iban(rng: Random) -> str:
    """An IBAN with valid check digits, plain, in fours or in lower case."""
    country = rng.choice(list(_IBANS))
    number = with_check(country, _IBANS[country](rng))
    fours = grouped(number, *[4] * 8, by=" ")
    return rng.choice([number, fours, fours, number.lower()])


def _card_starts(rng: Random) -> tuple[str, int]:
    """First digits and length of a card of some issuer."""
    return rng.choice(
        [
            ("4", 16),
            ("4", 16),
            ("4", 19),
            (str(rng.randint(51, 55)), 16),
            (str(rng.randint(2221, 2720)), 16),
            (rng.choice(["34", "37"]), 15),
            (rng.choice(["5060", "5061", "5078", "5079", "6500"]), rng.choice([16, 18, 19])),
            (str(rng.randint(3528, 3589)), 16),
            (rng.choice(["300", "305", "36", "38", "39"]), 14),
            (rng.choice(["6011", "644", "649", "65"]), 16),
            ("62", rng.choice([16, 17, 18, 19])),
            (rng.choice(["50", "56", "57", "58", "67"]), 16),
        ]
    )


def card(rng: Random) -> str:
    """A payment card's number, Luhn-valid, of a real issuer's range; also in fours, Amex in 4-6-5."""
    start, length = _card_starts(rng)
    number = luhn(start + digits(rng, length - len(start) - 1))
    sizes = {15: (4, 6, 5), 14: (4, 6, 4)}.get(length, (4, 4, 4, 4, 4))
    return rng.choice([number, grouped(number, *sizes, by=" "), grouped(number, *sizes, by="-")])


def card_usual(rng: Random) -> str:
    """A Visa or Mastercard of 16 digits."""
    number = luhn(rng.choice(["4", "51", "53", "55", str(rng.randint(2221, 2720))]).ljust(4, "0") + digits(rng, 11))
    return rng.choice([number, grouped(number, 4, 4, 4, by=" "), grouped(number, 4, 4, 4, by="-")])


def ssn(rng: Random) -> str:
    """A United States social security number that may have been issued."""
    area = rng.choice([*range(1, 666), *range(667, 900)])
    return f"{area:03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"


def api_key(rng: Random) -> str:
    """A secret key of a known provider, or a signed token."""
    head, body = (base64.urlsafe_b64encode(rng.randbytes(size)).decode() for size in (18, 42))
    return rng.choice(
        [
            f"sk-proj-{signs(rng, 40)}",
            f"sk-ant-api03-{signs(rng, 40)}",
            f"sk-{signs(rng, 48)}",
            f"sk_live_{signs(rng, 24)}",
            f"pk_test_{signs(rng, 24)}",
            f"AKIA{signs(rng, 16, string.ascii_uppercase + string.digits)}",
            f"ghp_{signs(rng, 36)}",
            f"xoxb-{digits(rng, 12)}-{signs(rng, 24)}",
            f"AIza{signs(rng, 35)}",
            f"eyJ{head}.eyJ{body}.{signs(rng, 43)}",
        ]
    )


def foreign_phone(rng: Random) -> str:
    """A number abroad, with its country code or as Americans write theirs."""
    area, exchange, line = (digits(rng, size, "23456789") for size in (3, 3, 4))
    return rng.choice(
        [
            f"+1 {area} {exchange} {line}",
            f"+1-{area}-{exchange}-{line}",
            f"({area}) {exchange}-{line}",
            f"{area}-{exchange}-{line}",
            f"+44 20 {digits(rng, 4, '3478')} {digits(rng, 4)}",
            f"+447{digits(rng, 9)}",
            f"+234 80{digits(rng, 1)} {digits(rng, 3)} {digits(rng, 4)}",
            f"00228 9{digits(rng, 1)} {digits(rng, 2)} {digits(rng, 2)} {digits(rng, 2)}",
            f"+49 (0)30 {digits(rng, 8, '23456789')}",
            f"+86 138 {digits(rng, 4)} {digits(rng, 4)}",
        ]
    )
