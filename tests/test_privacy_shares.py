"""How many of the promised spellings are hidden: 400 seeded draws for each form, by declared values alone."""

from __future__ import annotations

import random
import re
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import pytest
from pydantic import BaseModel

from ai_addons import Pii
from ai_addons.privacy.grammar import between
from ai_addons.privacy.mask import BuiltinMasker

if TYPE_CHECKING:
    from collections.abc import Callable

DRAWS: Final = 400
MASKER: Final = BuiltinMasker([], max_field_bytes=65_536)
FIRST: Final = [
    "Ama",
    "Kofi",
    "Kwame",
    "Akosua",
    "Yaw",
    "Adwoa",
    "Kwabena",
    "Abena",
    "Kojo",
    "Esi",
    "Efua",
    "Kwaku",
    "Afia",
    "Fatima",
    "Abdul",
    "Ibrahim",
    "Grace",
    "Mercy",
    "Emmanuel",
    "Edem",
    "Selɔrm",
    "Yaayaa",
    "Delali",
    "Nhyira",
    "Ɔsei",
    "Ɛfua",
    "José",
    "Zoë",
    "Bo",
    "Jo",
]
MIDDLE: Final = ["Serwaa", "Osei", "Adjei", "Kwarteng", "Ofɔri", "Asante", "Sarpong", "Naa", "Ɛkow"]
LAST: Final = [
    "Mensah",
    "Owusu",
    "Boateng",
    "Asante",
    "Addo",
    "Amoah",
    "Appiah",
    "Agyeman",
    "Opoku",
    "Darko",
    "Quaye",
    "Lamptey",
    "Tetteh",
    "Nartey",
    "Agbeko",
    "Dogbe",
    "Mahama",
    "Iddrisu",
    "Yakubu",
    "Issah",
    "Ankrah",
    "Ansah",
    "Aidoo",
    "Essien",
    "Ɔwusu",
    "Mɛnsah",
    "Bediako-Poku",
    "Mensah-Bonsu",
    "Fianu",
    "Kumi",
]


class Person(BaseModel):
    """Somebody, as declared."""

    name: Annotated[str, Pii.NAME]
    phone: Annotated[str, Pii.PHONE] = ""


def person(rng: random.Random) -> Person:
    """Somebody, with a middle name in two cases of five."""
    middle = [rng.choice(MIDDLE)] if rng.random() < 0.4 else []
    number = f"0{rng.choice(['24', '20', '54', '27', '50', '30'])}{rng.randrange(10**7):07d}"
    return Person(name=" ".join([rng.choice(FIRST), *middle, rng.choice(LAST)]), phone=number)


def parts(name: str) -> list[str]:
    """First, middle and last names."""
    return name.split()


def exchanged(name: str) -> str:
    """Twi letters typed as Latin ones, and Latin ones as Twi ones."""
    return name.translate(str.maketrans("ɔɛƆƐoeOEáéëa", "oeOEɔɛƆƐaeeá"))


def last_first(name: str) -> str:
    """As a list of names has it."""
    *others, last = parts(name)
    return f"{last}, {' '.join(others)}"


def initials(name: str) -> list[str]:
    """Of all names but the last."""
    return [part[0] for part in parts(name)[:-1]]


NAMES: Final[dict[str, tuple[Callable[[str], str], int]]] = {
    "as declared": (str, 100),
    "possessive": ("{}'s".format, 100),
    "in brackets": ("({})".format, 100),
    "upper case": (str.upper, 100),
    "lower case": (str.lower, 100),
    "two blanks": (lambda name: name.replace(" ", "  "), 100),
    "no-break space": (lambda name: name.replace(" ", "\u00a0"), 100),
    "line break": (lambda name: name.replace(" ", "\n"), 100),
    "zero-width inside": ("\u200b".join, 100),
    "hyphen as blank": (lambda name: name.replace("-", " "), 100),
    "middle name dropped": (lambda name: f"{parts(name)[0]} {parts(name)[-1]}", 100),
    "Twi letters and accents exchanged": (exchanged, 100),
    "last name first": (last_first, 100),
    "last name first, capitals": (lambda name: last_first(name).upper(), 100),
    "surname alone": (lambda name: parts(name)[-1], 100),
    "e-mail local part": (lambda name: ".".join(parts(name)).lower() + "@shop.test", 100),
    "handle": (lambda name: "@" + "".join(parts(name)).lower(), 100),
    "initial and surname": (lambda name: f"{name[0]}. {parts(name)[-1]}", 100),
    "initials and surname": (lambda name: f"{'. '.join(initials(name))}. {parts(name)[-1]}", 100),
    "joined initials and surname": (lambda name: f"{''.join(initials(name))} {parts(name)[-1]}", 100),
    "surname and initials": (lambda name: f"{parts(name)[-1]} {'. '.join(initials(name))}.", 100),
    # Two letters alone are too common to hide everywhere.
    "first name alone": (lambda name: parts(name)[0], 90),
}
BESIDES: Final = {"possessive": "s", "e-mail local part": "shop test"}
TITLES: Final = [
    "Mr",
    "Mr.",
    "Mrs.",
    "Ms",
    "Miss",
    "Madam",
    "Auntie",
    "Uncle",
    "Nana",
    "Maame",
    "Opanin",
    "Alhaji",
    "Hajia",
    "Dr.",
    "Prof.",
    "Rev.",
    "Pastor",
    "Hon.",
    "Togbe",
]


def hidden(text: str, who: Person, besides: str = "") -> bool:
    """Whether no letter or digit is left of a text, placeholders and some other words aside."""
    (masked,), _ = MASKER.session().mask([text], who)
    left = " ".join(between(masked))
    for word in besides.split():
        left = left.replace(word, "", 1)
    return not re.search(r"[^\W_]", left)


def share(spell: Callable[[Person], str], besides: str = "", draws: int = DRAWS) -> float:
    """In how many of the draws a form is hidden, in per cent."""
    rng = random.Random(20_260_929)  # noqa: S311  # draws that everybody can repeat
    people = [person(rng) for _ in range(draws)]
    return sum(hidden(f"- {spell(who)} .", who, besides) for who in people) * 100 / draws


NAME_SHARES: Final = [(form, spell, least) for form, (spell, least) in NAMES.items()]


@pytest.mark.parametrize(("form", "spell", "least"), NAME_SHARES, ids=[form for form, *_ in NAME_SHARES])
def test_a_form_of_a_name_is_hidden(form: str, spell: Callable[[str], str], least: int) -> None:
    """Every form that is promised is hidden in all draws, or in the share that the documentation states."""
    assert share(lambda who: spell(who.name), BESIDES.get(form, "")) >= least


@pytest.mark.parametrize("title", TITLES)
def test_a_name_behind_a_title_is_hidden(title: str) -> None:
    """The title is no part of the value and may stay; surname or whole name behind it does not."""
    assert share(lambda who: f"{title} {parts(who.name)[-1]}", title, 100) == 100
    assert share(lambda who: f"{title} {who.name}", title, 100) == 100


@pytest.mark.parametrize("title", TITLES)
def test_a_name_declared_with_its_title_is_hidden_without_it(title: str) -> None:
    """A customer file may hold "Auntie Ama Mensah", a note "Ama Mensah"."""
    who = Person(name=f"{title} Ama Serwaa Mensah")
    call = MASKER.session()
    texts = ["Ama Serwaa Mensah", "A. S. Mensah", "Mensah, Ama", f"{title} Ama Serwaa Mensah"]
    masked, _ = call.mask(texts, who)
    assert masked == ["[PERSON_1]"] * 4
    assert call.vault.restore("[PERSON_1]") == who.name


PHONES: Final[dict[str, Callable[[str], str]]] = {
    "as declared": str,
    "+233": lambda number: f"+233{number[1:]}",
    "233": lambda number: f"233{number[1:]}",
    "spaced": lambda number: f"{number[:3]} {number[3:6]} {number[6:]}",
    "dashed": lambda number: f"{number[:3]}-{number[3:6]}-{number[6:]}",
    "dotted": lambda number: f"{number[:3]}.{number[3:6]}.{number[6:]}",
    "+233 spaced": lambda number: f"+233 {number[1:3]} {number[3:6]} {number[6:]}",
    "+233(0)": lambda number: f"+233(0){number[1:]}",
    "without leading zero": lambda number: number[1:],
}


@pytest.mark.parametrize("form", PHONES)
def test_a_form_of_a_phone_number_is_hidden(form: str) -> None:
    """Any prefix and any single separators."""
    assert share(lambda who: PHONES[form](who.phone)) == 100


def test_what_is_not_promised_is_not_hidden() -> None:
    """A misspelt name and the last digits of a number are not found: the documentation says so."""
    assert share(lambda who: who.name[:2] + who.name[3:].replace(" ", "x")) < 10
    assert share(lambda who: f"ending {who.phone[-4:]}", "ending") == 0


def test_the_shares_over_all_forms() -> None:
    """Names at least 94 %, phones at least 90 %, what is not promised counted as missed."""
    names = [share(partial(spelled, spell), BESIDES.get(form, ""), 100) for form, spell, _ in NAME_SHARES]
    assert sum(names) / (len(names) + 1) >= 94
    phones = [share(partial(dialled, form), draws=100) for form in PHONES]
    assert sum(phones) / (len(phones) + 1) == 90


def spelled(spell: Callable[[str], str], who: Person) -> str:
    """Their name in a form."""
    return spell(who.name)


def dialled(form: str, who: Person) -> str:
    """Their number in a form."""
    return PHONES[form](who.phone)
