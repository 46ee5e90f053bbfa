"""Declared values in other spellings: the share that does not leave, beside two plain ways of replacing."""

from __future__ import annotations

import re
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel

from ai_addons.privacy.fields import Pii
from ai_addons.privacy.mask import BuiltinMasker
from benchmarks import _privacy_ghana as ghana
from benchmarks._privacy_accuracy import SEED
from benchmarks._privacy_numbers import digits, grouped, seeded
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from random import Random

NAMES_GOAL: Final = 0.94
PHONES_GOAL: Final = 0.90

_FIRST: Final = (
    "Ama",
    "Kofi",
    "Abena",
    "Kwame",
    "Akɔsua",
    "Yaw",
    "Efua",
    "Kojo",
    "Adwoa",
    "Esi",
    "Rahina",
    "Jo",
    "Kwabena",
)
_MIDDLE: Final = ("", "", "Serwaa", "Osei", "Yaa", "Nana")
_LAST: Final = (
    "Mensah",
    "Owusu",
    "Boateng",
    "Asante",
    "Agyeman-Badu",
    "Addo-Yobo",
    "Ofɔri",
    "Quaye",
    "Tetteh",
    "Issah",
)
_EXCHANGED: Final = str.maketrans({"o": "ɔ", "e": "ɛ", "ɔ": "o", "ɛ": "e", "a": "á"})
_PLACEHOLDER: Final = re.compile(r"\[[A-Z]+_[0-9]+\]")
_DECORATION: Final = re.compile(r"\b(?:Mr|s|ending)\b")


class _Declared(BaseModel):
    names: list[Annotated[str, Pii.NAME]] = []
    phones: list[Annotated[str, Pii.PHONE]] = []


def _name(rng: Random) -> str:
    return " ".join(filter(None, (rng.choice(_FIRST), rng.choice(_MIDDLE), rng.choice(_LAST))))


def _first(name: str) -> str:
    return name.split(maxsplit=1)[0]


def _last(name: str) -> str:
    return name.rsplit(maxsplit=1)[-1]


def _inside(name: str, sign: str) -> str:
    middle = len(name) // 2
    return name[:middle] + sign + name[middle:]


NAME_FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "as declared": lambda name: name,
    "possessive": lambda name: f"{name}'s",
    "in brackets": lambda name: f"({name})",
    "upper case": str.upper,
    "lower case": str.lower,
    "double blank": lambda name: name.replace(" ", "  "),
    "no-break blank": lambda name: name.replace(" ", "\u00a0"),
    "line break": lambda name: name.replace(" ", "\n", 1),
    "invisible character": lambda name: _inside(name, "\u200b"),
    "hyphen as blank": lambda name: name.replace("-", " "),
    "middle name dropped": lambda name: f"{_first(name)} {_last(name)}",
    "letters exchanged": lambda name: name.translate(_EXCHANGED),
    "last, first": lambda name: f"{_last(name)}, {_first(name)}",
    "Mr. last": lambda name: f"Mr. {_last(name)}",
    "last alone": _last,
    "e-mail, local part": lambda name: f"{_first(name)}.{_last(name)}".lower(),
    "handle": lambda name: f"@{_first(name)}{_last(name)}".lower(),
    "initial and last": lambda name: f"{name[0]}. {_last(name)}",
    "first alone": _first,
    "a letter missing": lambda name: name[:-2] + name[-1],
}
"""What people make of a name; the last form is not promised."""


def mobile(rng: Random) -> str:
    """A Ghanaian mobile number, plain."""
    return rng.choice(ghana.MOBILE_PREFIXES) + digits(rng, 7)


PHONE_FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "as declared": lambda phone: phone,
    "+233": lambda phone: f"+233{phone[1:]}",
    "233": lambda phone: f"233{phone[1:]}",
    "blanks": lambda phone: grouped(phone, 3, 3, 4, by=" "),
    "dashes": lambda phone: grouped(phone, 3, 3, 4, by="-"),
    "dots": lambda phone: grouped(phone, 3, 3, 4, by="."),
    "+233 and blanks": lambda phone: "+233 " + grouped(phone[1:], 2, 3, 4, by=" "),
    "+233(0)": lambda phone: f"+233(0){phone[1:]}",
    "no leading zero": lambda phone: phone[1:],
    "ending 1234": lambda phone: f"ending {phone[-4:]}",
}
"""What people make of a phone number; the last form is not promised."""


def _left(masked: str) -> bool:
    """Whether a letter or digit of the value is left."""
    return any(map(str.isalnum, _DECORATION.sub("", _PLACEHOLDER.sub("", masked))))


def _ours(form: str, declared: _Declared) -> str:
    """Masked by what is declared alone, no recognizer helping."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    return session.mask([form], declared)[0][0]


def variants(_folder: Path, *, full: bool) -> list[Result]:
    """The share of each form that is covered, names and phones."""
    draws = 400 if full else 100
    names = measured("name", NAME_FORMS, _name, draws)
    phones = measured("phone", PHONE_FORMS, mobile, draws)
    return [*_results("name", names, NAMES_GOAL, draws), *_results("phone", phones, PHONES_GOAL, draws)]


def measured(
    kind: str, forms: Mapping[str, Callable[[str], str]], make: Callable[[Random], str], draws: int
) -> dict[str, tuple[float, float, float]]:
    """For each form the share covered by us, by plain replacing, and by replacing in any case."""
    rng = seeded(SEED)
    found: dict[str, tuple[float, float, float]] = {}
    for what, form in forms.items():
        covered = [_covered(kind, value, form(value)) for value in (make(rng) for _ in range(draws))]
        ours, plain, folded = (fmean(side) for side in zip(*covered, strict=True))
        found[what] = ours, plain, folded
    return found


def _covered(kind: str, value: str, form: str) -> tuple[bool, bool, bool]:
    declared = _Declared(names=[value]) if kind == "name" else _Declared(phones=[value])
    anyhow = re.sub(re.escape(value), "[X_1]", form, flags=re.IGNORECASE)
    return not _left(_ours(form, declared)), not _left(form.replace(value, "[X_1]")), not _left(anyhow)


def _results(kind: str, found: Mapping[str, tuple[float, float, float]], goal: float, draws: int) -> list[Result]:
    ours, plain, folded = (fmean(side) for side in zip(*found.values(), strict=True))
    total = Result(
        what=f"declared {kind}, mean of {len(found)} forms, {draws} draws each",
        ours=f"{ours:.1%} covered",
        yardstick=f"plain replace {plain:.1%}, in any case {folded:.1%}",
        figure=ours,
        goal=f">= {goal:.0%}",
        met=ours >= goal,
    )
    return [total, *(_form(kind, what, shares) for what, shares in found.items())]


def _form(kind: str, what: str, shares: tuple[float, float, float]) -> Result:
    ours, plain, folded = shares
    return Result(
        what=f"declared {kind}, {what}",
        ours=f"{ours:.0%}",
        yardstick=f"plain replace {plain:.0%}, in any case {folded:.0%}",
    )
