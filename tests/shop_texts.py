"""Invented shop texts with the personal data in them marked, the same for the same seed.

The values are made from the published formats and the sentences are this project's
own, so that recognizers are not tuned to one collection of examples. Nobody is meant
by any of it; a number may exist by chance.
"""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    Make = Callable[[Random], str]


@dataclass(frozen=True, slots=True)
class Marked:
    """A text and where personal data stands in it, as (start, end, kind, sort)."""

    text: str
    spans: tuple[tuple[int, int, Kind, str], ...] = ()


def digits(rng: Random, count: int) -> str:
    """So many digits."""
    return "".join(rng.choices(string.digits, k=count))


def grouped(number: str, sizes: Sequence[int], gap: str) -> str:
    """A number in groups of these sizes."""
    parts: list[str] = []
    for size in sizes:
        parts.append(number[:size])
        number = number[size:]
    return gap.join(parts)


def phone(rng: Random) -> str:
    """A Ghanaian number in one of the usual spellings."""
    area = rng.choice(["24", "25", "53", "54", "55", "59", "20", "50", "26", "27", "56", "57", "28", "29", "30", "32"])
    national = area + digits(rng, 7)
    gap = rng.choice([" ", "-", ".", ""])
    head = rng.choice(["0", "233", "+233 ", "+233", "00233", "+233(0)", "(+233) "])
    sizes = rng.choice([(9,), (2, 3, 4), (2, 7), (2, 3, 2, 2)])
    if head == "0":
        return grouped("0" + national, rng.choice([(10,), (3, 3, 4), (3, 7), (4, 2, 2, 2)]), gap)
    return head + grouped(national, sizes, gap)


def foreign(rng: Random) -> str:
    """A number of another country."""
    return rng.choice(
        [
            f"+44 7{digits(rng, 3)} {digits(rng, 6)}",
            f"+1 ({rng.randrange(201, 990)}) {rng.randrange(200, 999)}-{digits(rng, 4)}",
            f"{rng.randrange(201, 990)}-{rng.randrange(200, 999)}-{digits(rng, 4)}",
            f"+234 80{digits(rng, 1)} {digits(rng, 3)} {digits(rng, 4)}",
            f"00228 9{digits(rng, 1)} {digits(rng, 2)} {digits(rng, 2)} {digits(rng, 2)}",
        ]
    )


def ghana_card(rng: Random) -> str:
    """A personal number with its separators or without."""
    gap = rng.choice(["-", "-", "-", " ", " - ", ""])
    number = gap.join([rng.choice(["GHA", "GHA", "gha", "FGN"]), digits(rng, rng.choice([8, 9])), digits(rng, 1)])
    return number if gap or len(number) == 13 else ghana_card(rng)


def gps(rng: Random) -> str:
    """A digital address."""
    area = rng.choice("ABCEGNUVWX") + rng.choice(string.ascii_uppercase)
    return rng.choice(["-", "-", " "]).join([area, digits(rng, rng.choice([3, 3, 4, 5])), digits(rng, 4)])


def tin(rng: Random) -> str:
    """A tax number with its check character."""
    number = "00" + digits(rng, 7)
    check = sum(place * int(digit) for place, digit in enumerate(number, 1)) % 11
    return rng.choice("PCGQV") + number + ("X" if check == 10 else str(check))


def plate(rng: Random) -> str:
    """A number plate: with its year, or with the letter of before 2009."""
    gap = rng.choice([" ", "-"])
    end = rng.choice([f"{rng.randrange(9, 27):02d}", rng.choice("PQRSTUXYZ")])
    code = rng.choice(["GR", "GT", "AS", "WR", "ER", "BA", "CR", "VR", "NR", "UE", "GE"])
    return gap.join([code, str(rng.randrange(100, 9999)), end])


def card(rng: Random) -> str:
    """A card number that passes its check, plain or grouped."""
    start, length = rng.choice(
        [
            ("4", 16),
            ("51", 16),
            ("55", 16),
            ("2221", 16),
            ("2720", 16),
            ("34", 15),
            ("37", 15),
            ("5061", 16),
            ("6011", 16),
        ]
    )
    body = start + digits(rng, length - len(start) - 1)
    total = sum((int(d) * 2 - 9 * (int(d) > 4)) if place % 2 == 0 else int(d) for place, d in enumerate(reversed(body)))
    number = body + str(-total % 10)
    return number if length == 15 else grouped(number, rng.choice([(16,), (4, 4, 4, 4)]), rng.choice([" ", "-"]))


def iban(rng: Random) -> str:
    """An IBAN with its check digits, joined or in fours."""
    country, length = rng.choice([("GB", 22), ("DE", 22), ("FR", 27), ("NL", 18), ("CI", 28), ("MU", 30)])
    letters = "".join(rng.choices(string.ascii_uppercase, k=4)) if country in {"GB", "NL", "MU"} else ""
    body = letters + digits(rng, length - 4 - len(letters))
    check = 98 - int("".join(str(int(char, 36)) for char in f"{body}{country}00")) % 97
    number = f"{country}{check:02d}{body}"
    return rng.choice([number, " ".join(number[at : at + 4] for at in range(0, length, 4)), number.lower()])


def birth_date(rng: Random) -> str:
    """A date somebody may be born on."""
    day, month, year = rng.randrange(1, 29), rng.randrange(1, 13), rng.randrange(1940, 2009)
    name = ["January", "Feb", "March", "Apr", "May", "June", "July", "Aug.", "September", "Oct", "November", "Dec"][
        month - 1
    ]
    return rng.choice(
        [
            f"{day:02d}/{month:02d}/{year}",
            f"{day}-{month}-{year}",
            f"{year}-{month:02d}-{day:02d}",
            f"{day}/{month}/{year % 100:02d}",
            f"{day} {name} {year}",
            f"{day}th {name}, {year}",
            f"{name} {day}, {year}",
        ]
    )


def api_key(rng: Random) -> str:
    """A key as a provider prints it."""
    letters = string.ascii_letters + string.digits
    head, count = rng.choice(
        [("sk-proj-", 40), ("sk-ant-api03-", 60), ("sk_live_", 32), ("pk_test_", 32), ("ghp_", 36)]
    )
    return head + "".join(rng.choices(letters, k=count))


def ip(rng: Random) -> str:
    """An address of version 4 or 6."""
    four = ".".join(str(rng.randrange(1, 255)) for _ in range(4))
    six = "2001:db8:" + ":".join(f"{rng.randrange(1, 65_535):x}" for _ in range(6))
    return rng.choice([four, four, six, "2001:db8::" + digits(rng, 3)])


def email(rng: Random) -> str:
    """An address."""
    host = rng.choice(["gmail.com", "yahoo.co.uk", "abc.com.gh"])
    return f"{rng.choice(['ama.k', 'kofi_9', 'shop+gh', 'O.Mensah'])}@{host}"


def url(rng: Random) -> str:
    """A link to somebody's page."""
    return rng.choice(
        ["https://facebook.com/ama", "http://x.example/?c=", "www.kofi-shop.com/p", "wa.me/233"]
    ) + digits(rng, 9)


_PLACES: Final[Mapping[str, tuple[Kind, Make, tuple[str, ...]]]] = {
    "phone": (
        Kind.PHONE,
        phone,
        ("Rider waits, {} answers until six", "{}", "Kwesi;{};paid", "Two people share {} now", "<p>{}</p> ok"),
    ),
    "foreign": (Kind.PHONE, foreign, ("Our man abroad has {} now", "Write to {} first", "Supplier: {}")),
    "bare": (Kind.PHONE, lambda r: "24" + digits(r, 7), ("Whatsapp {} please", "reach him on {}", "his momo: {}")),
    "card": (Kind.ID, ghana_card, ("{} was shown at the till", "His papers: {}", "Ghana Card: {}, seen")),
    "gps": (Kind.ADDRESS, gps, ("Bring it to {} by noon", "Drop at {}.", "Digital address {}")),
    "tin": (Kind.ID, tin, ("Withholding for {} done", "TIN {}", "The wholesaler ({}) wants a receipt")),
    "ssnit": (
        Kind.ID,
        lambda r: r.choice("ABCDEFGH") + digits(r, 12),
        ("Tier two of {} is due", "SSNIT no {}", "{} left the firm"),
    ),
    "nhis": (Kind.ID, lambda r: r.choice("13456789") + digits(r, 7), ("NHIS {}", "nhia membership no. {} lapsed")),
    "voter": (Kind.ID, lambda r: r.choice("13456789") + digits(r, 9), ("Voter's ID: {}", "electoral number {} seen")),
    "passport": (Kind.ID, lambda r: r.choice("GHD") + digits(r, 7), ("{} expires soon", "Travels on passport {}")),
    "licence": (
        Kind.ID,
        lambda r: f"{''.join(r.choices(string.ascii_uppercase, k=3))}-{digits(r, 8)}-{digits(r, 5)}",
        ("Rider holds {}", "licence no. {}"),
    ),
    "plate": (Kind.ID, plate, ("Seen leaving in {} at dawn", "{} brought the tins", "Parked: {}")),
    "account": (
        Kind.ACCOUNT,
        lambda r: r.choice("123456789") + digits(r, 12),
        ("Send it to account {}", "GCB {} is hers", "a/c no: {}", "acct {}"),
    ),
    "payment": (Kind.ACCOUNT, card, ("Settled with {} today", "visa {}", "The number {} was declined")),
    "iban": (Kind.ACCOUNT, iban, ("Transfer to {} please", "{}", "IBAN: {}")),
    "ssn": (
        Kind.ID,
        lambda r: f"{r.randrange(100, 665)}-{r.randrange(10, 99)}-{r.randrange(1000, 9999)}",
        ("His American number is {}", "SSN {}"),
    ),
    "key": (Kind.ID, api_key, ("Till keeps {} in a note", "token={}")),
    "ip": (Kind.ID, ip, ("Somebody at {} tried to sign in", "from {}")),
    "email": (Kind.EMAIL, email, ("Receipt goes to {}", "<{}> asked", "{}, again")),
    "url": (Kind.ID, url, ("Her page is {}", "See {}, then call back")),
    "birth": (Kind.DATE, birth_date, ("DOB {}", "She was born on {}", "date of birth: {}", "his birthday is {}")),
}
GHANAIAN: Final = tuple(name for name in _PLACES if name not in {"iban", "ssn", "foreign"})
"""What a Ghanaian shop meets."""
GENERAL: Final = ("foreign", "payment", "iban", "ssn", "key", "ip", "email", "url")
"""What any shop meets."""

_PLAIN: Final = (
    "{a} cartons of milk came at GHS {m}",
    "Order {n8} leaves on {d}",
    "barcode {ean} is missing on the shelf",
    "invoice INV-{y}-{n5} of {m} cedis is open",
    "Serial {n15} went back to the maker",
    "IMEI {n15}, black",
    "{a} x 400 g tins, {p}% off until {d}",
    "Shift from 08:{a2} to 17:{a2}, {a} sales",
    "txn {n11} failed twice",
    "v{a2}.{a2}.1.4 of the till is installed",
    "Delivered {a} bags on {d} at {t}",
    "Stock: {a}, {a} and {a}; reorder at {a}",
    "lot GA {a} cloth, {a} yards",
    "ISBN 978-0-{n3}-{n5}-7",
    "AC 220 V fridge, {a} kg",
    "SKU{n8} costs ₵{m}",
    "waybill {n10} has {a} boxes",
    "The total was {m} and the balance {m}",
    "Receipt RCP{n8}, till 2, {t}",
    "GT-{n3}-{n4}A and SM-A{n3}F/DS",
    "epoch {n10}",
    "sold on {d} and {d}",
)


def plain(rng: Random) -> str:
    """A sentence with nothing personal in it."""
    figures = {
        "a": str(rng.randrange(1, 5_000)),
        "a2": f"{rng.randrange(10, 60)}",
        "m": rng.choice([f"{rng.randrange(1, 99_999):,}.{digits(rng, 2)}", str(rng.randrange(1, 99_999))]),
        "d": rng.choice(
            [f"{rng.randrange(1, 29)}/{rng.randrange(1, 13)}/2026", f"2026-0{rng.randrange(1, 9)}-1{digits(rng, 1)}"]
        ),
        "t": f"{rng.randrange(10, 24)}:{rng.randrange(10, 60)}",
        "y": str(rng.randrange(2020, 2027)),
        "p": str(rng.randrange(5, 60)),
        "ean": "603" + digits(rng, 10),
        **{f"n{count}": digits(rng, count) for count in (3, 4, 5, 8, 10, 11, 15)},
    }
    return rng.choice(_PLAIN).format(**figures)


def personal(rng: Random, sort: str) -> Marked:
    """A sentence with one piece of personal data of that sort, sometimes beside a plain one."""
    kind, make, sentences = _PLACES[sort]
    value = make(rng)
    before, after = rng.choice(sentences).split("{}")
    if rng.random() < 0.3:
        before = f"{plain(rng)}. {before}"
    elif rng.random() < 0.3:
        after = f"{after}. {plain(rng)}"
    start = len(before)
    return Marked(f"{before}{value}{after}", ((start, start + len(value), kind, sort),))


def noisy(rng: Random, marked: Marked) -> Marked:
    """The same with the typography of word processors and web pages."""
    return rng.choice([_dashed, _blanked, _sown, _quoted])(rng, marked)


def _dashed(rng: Random, marked: Marked) -> Marked:
    if marked.spans[0][3] in {"key", "email", "url"}:
        return marked
    return Marked(marked.text.replace("-", rng.choice("\u2010\u2011\u2012\u2013\u2212")), marked.spans)


def _blanked(rng: Random, marked: Marked) -> Marked:
    return Marked(marked.text.replace(" ", rng.choice("\u00a0\u2007\u2009\u202f")), marked.spans)


def _sown(rng: Random, marked: Marked) -> Marked:
    """An invisible character somewhere in the value."""
    start, end, kind, sort = marked.spans[0]
    at = rng.randrange(start + 1, end)
    sown = marked.text[:at] + rng.choice("\u200b\u200d\u2060\ufeff\u00ad") + marked.text[at:]
    return Marked(sown, ((start, end + 1, kind, sort),))


def _quoted(_rng: Random, marked: Marked) -> Marked:
    """In JSON, after an escaped line end."""
    start, end, kind, sort = marked.spans[0]
    value = marked.text[start:end]
    text = json.dumps({"note": f"{marked.text[:start]}\n{value}{marked.text[end:]}"}, ensure_ascii=False)
    at = text.index(value)
    return Marked(text, ((at, at + len(value), kind, sort),))
