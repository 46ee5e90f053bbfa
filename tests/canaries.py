"""Invented people and the ways shops write their data: what the leak fuzz plants.

Nothing here knows the product. Every spelling is one that masking promises to find;
misspellings, two-letter names and "ending 1234" are not among them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

FIRST: Final = (
    "Ama",
    "Akosua",
    "Abena",
    "Adwoa",
    "Afia",
    "Esi",
    "Efua",
    "Kofi",
    "Kojo",
    "Kwame",
    "Kwabena",
    "Kweku",
    "Yaa",
    "Yaw",
    "Ekow",
    "Fiifi",
    "Mawuli",
    "Sena",
    "Edem",
    "Selorm",
    "Dzifa",
    "Naa",
    "Nii",
    "Lariba",
    "Fuseini",
    "Azara",
    "Blessing",
    "Mercy",
)
LAST: Final = (
    "Mensah",
    "Boateng",
    "Owusu",
    "Asante",
    "Agyeman",
    "Ampofo",
    "Nyarko",
    "Quartey",
    "Tetteh",
    "Lamptey",
    "Darko",
    "Sarpong",
    "Amoako",
    "Ofori",
    "Adjei",
    "Appiah",
    "Gyasi",
    "Dzokoto",
    "Agbeko",
    "Yakubu",
    "Alhassan",
    "Mahama",
    "Serwaa",
    "Frimpong",
)
SYLLABLES: Final = (
    "kwa",
    "dzi",
    "gbe",
    "nyɔ",
    "fɔ",
    "sɛ",
    "tɛm",
    "bua",
    "mpɔ",
    "wié",
    "kré",
    "zu",
    "ŋko",
    "yir",
    "ato",
    "dwo",
    "hyɛ",
)
STREETS: Final = (
    "Nkrumah",
    "Liberation",
    "Oxford",
    "Kwamina",
    "Ablade",
    "Cantonments",
    "Ringway",
    "Dzorwulu",
)
AREAS: Final = (
    "Osu",
    "Tesano",
    "Adenta",
    "Kaneshie",
    "Madina",
    "Asokwa",
    "Bantama",
    "Sakumono",
)
TRADES: Final = (
    "Enterprise",
    "Ventures",
    "Stores",
    "Provisions",
    "Coldstore",
)
PREFIXES: Final = ("020", "024", "026", "027", "050", "053", "054", "055", "057", "059")
BLANKS: Final = (" ", "  ", "\u00a0", "\n", "\u2009", " \u200b")


@dataclass(frozen=True, slots=True)
class Value:
    """One declared value, and how it is written elsewhere."""

    kind: str
    text: str
    spell: Callable[[random.Random], str] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Canary:
    """Somebody who must not be seen."""

    name: Value
    phone: Value
    email: Value
    address: Value
    card: Value
    tin: Value
    account: Value
    born: Value
    firm: Value

    @property
    def values(self) -> tuple[Value, ...]:
        """All of them."""
        return tuple(getattr(self, name) for name in self.__slots__)


def canary(dice: random.Random) -> Canary:
    """Somebody new."""
    name = _name(dice)
    digits = "".join(dice.choices("0123456789", k=7))
    phone = dice.choice(PREFIXES) + digits
    local = _ascii(name).lower().replace(" ", dice.choice([".", "_", ""])).replace("-", "")
    email = f"{local}{dice.randrange(10, 9999)}@{dice.choice(['gmail.com', 'yahoo.co.uk', 'shop.com.gh'])}"
    card = f"GHA-{dice.randrange(10**8, 10**9)}-{dice.randrange(10)}"
    tin = f"P00{dice.randrange(10**7, 10**8)}"
    account = str(dice.randrange(10**12, 10**13))
    # Before 1970: the first day of Unix time stands in many a log.
    born = (date(1950, 1, 1) + timedelta(days=dice.randrange(7_000))).isoformat()
    address = (
        f"{dice.randrange(1, 400)} {dice.choice(STREETS)} {dice.choice(['Street', 'Close'])}, {dice.choice(AREAS)}"
    )
    firm = f"{_made_up(dice)} {dice.choice(TRADES)}"
    return Canary(
        name=Value("NAME", name, lambda dice: spell_name(name, dice)),
        phone=Value("PHONE", phone, lambda dice: spell_phone(phone, dice)),
        email=Value("EMAIL", email, lambda dice: spell_email(email, dice)),
        address=Value("ADDRESS", address, lambda dice: spell_words(address, dice)),
        card=Value("ID", card, lambda dice: spell_code(card, dice)),
        tin=Value("ID", tin, lambda dice: dice.choice([tin, tin.lower()])),
        account=Value("ACCOUNT", account, lambda dice: spell_account(account, dice)),
        born=Value("DOB", born, lambda dice: born.replace("-", dice.choice("-/. "))),
        firm=Value("BUSINESS", firm, lambda dice: spell_words(firm, dice)),
    )


def _name(dice: random.Random) -> str:
    first = dice.choice(FIRST) if dice.random() < 0.6 else _made_up(dice)
    last = dice.choice(LAST) if dice.random() < 0.6 else _made_up(dice)
    middle = dice.choice([*FIRST, _made_up(dice)])
    if dice.random() < 0.25 and middle not in (first, last):
        return f"{first} {middle} {last}"
    if dice.random() < 0.15:
        return f"{first} {last}-{_made_up(dice)}"
    return f"{first} {last}"


def _made_up(dice: random.Random) -> str:
    return "".join(dice.choices(SYLLABLES, k=3)).capitalize()


def _ascii(text: str) -> str:
    plain = text.translate(str.maketrans("ɔɛŋƆƐŊ", "oenOEN"))
    return "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))


def spell_name(name: str, dice: random.Random) -> str:
    """A name as people write it: in full, turned round, by a part, as a handle."""
    parts = name.split()
    first, last = parts[0], parts[-1]
    ways: list[Callable[[], str]] = [
        lambda: name,
        name.upper,
        name.lower,
        name.swapcase,
        lambda: dice.choice(BLANKS).join(parts),
        lambda: name.replace("-", " "),
        lambda: _exchanged(name),
        lambda: unicodedata.normalize("NFD", name),
        lambda: f"{last}, {' '.join(parts[:-1])}",
        lambda: f"{last} {' '.join(parts[:-1])}",
        lambda: f"{first} {last}",
        lambda: f"{dice.choice(['Mr.', 'Madam', 'Dr', 'Auntie'])} {last}",
        lambda: f"{first[0]}. {last}",
        lambda: f"{first[0].lower()} {last.lower()}",
        lambda: first,
        lambda: last,
        last.upper,
        lambda: f"@{'.'.join(parts).lower()}",
        lambda: f"@{'_'.join(parts).lower()}",
        lambda: f"@{''.join(parts).lower()}" if len("".join(parts)) >= 8 else name,
        lambda: "\u200b".join(name),
        lambda: f"{name}'s",
        lambda: f"{name}\u2019s",
    ]
    return dice.choice(ways)()


def _exchanged(name: str) -> str:
    """ɔ and ɛ as they are typed without a Ghanaian keyboard."""
    return name.translate(str.maketrans("ɔɛ", "oe"))


def spell_phone(phone: str, dice: random.Random) -> str:
    """A phone number as people write it."""
    tail = phone[1:]
    prefix = dice.choice(["0", "+233", "+233 ", "233", "00233", "00233 ", "+233(0)", "0", "0", ""])
    gap = dice.choice(["", " ", "-", ".", "\u00a0", "\u2011", "\u200b", ") "])
    cuts = dice.choice([(2, 5), (2, 4, 6), (3, 6), (2, 5)])
    if gap == ") ":
        return f"(0{tail[:2]}) {tail[2:5]}-{tail[5:]}"
    pieces = [tail[start:end] for start, end in zip((0, *cuts), (*cuts, 9), strict=True)]
    written = prefix + gap.join(pieces)
    if dice.random() < 0.05:
        return "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in written)
    return written


def spell_email(email: str, dice: random.Random) -> str:
    """An address as people write it."""
    return dice.choice([email, email.upper(), email.title(), f"<{email}>", f"mailto:{email}", f"{email}."])


def spell_code(code: str, dice: random.Random) -> str:
    """The number of a document as people write it."""
    plain = code.replace("-", dice.choice(["-", " ", "", "\u2011", "\u2013", "\u200b"]))
    return dice.choice([plain, plain.lower()])


def spell_account(account: str, dice: random.Random) -> str:
    """An account number, in groups or not."""
    gap = dice.choice(["", " ", "-", "\u00a0"])
    return gap.join(account[start : start + 4] for start in range(0, len(account), 4))


def spell_words(text: str, dice: random.Random) -> str:
    """An address or a firm as people write it."""
    ways = [
        text,
        text.upper(),
        text.lower(),
        _exchanged(text),
        text.replace(" ", dice.choice(BLANKS)),
        text.replace(", ", dice.choice([" ", ",", "\n", " - "])),
    ]
    return dice.choice(ways)


# What may stand directly around a value.
AROUND: Final = (
    "{}", "{}", "{}", "({})", '"{}"', "{},", "{}.", "{}!", "for {};", "\n{}\n", "[{}]",
    "*{}*", "{}/", "to:{}", "\u201c{}\u201d",
    '{{"k": "{}"}}', "<{}>", "| {} |", "\t{}",
    "- {}", "#{}", "{}?", "'{}'", "{{{}}}", "&nbsp;{}",
)  # fmt: skip
FILLER: Final = (
    "paid half of it", "owes GHS 1,250.50", "wants rice again", "asked on 2026-10-04", "order 20 bags", "not reachable",
    "invoice INV-2025-12345", "qty 12 x 4.50", "please be polite", "since the last delivery", "[PERSON_7] is typed",
    "txn 12345678901", "price up 12.5 %", "[Your Name]", "see {total}", "next Friday", "and also",
    "line\nbreak", "\u20b550",
)  # fmt: skip


def scattered(values: list[Value], dice: random.Random, *, most: int = 5) -> str:
    """A text with some of these values in it, each in a spelling of its own."""
    words = dice.sample(FILLER, k=dice.randrange(1, 5))
    for value in dice.sample(values, k=min(len(values), dice.randrange(1, most + 1))):
        words.insert(dice.randrange(len(words) + 1), dice.choice(AROUND).format(value.spell(dice)))
    return dice.choice([" ", " ", "  ", ", ", "; "]).join(words)
