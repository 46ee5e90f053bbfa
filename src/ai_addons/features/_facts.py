"""Facts, and the references by which prose cites them.

The model writes ``{overdue_total}`` where a number belongs and code puts the
number there, so an answer cannot invent one.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal

from ai_addons.features._result import Fact
from ai_addons.privacy.grammar import REFERENCE, lookalike

if TYPE_CHECKING:
    from collections.abc import Mapping

# With the decoration that changes no identity: models and translators double braces and pad them.
_REFERENCE: Final = re.compile(REFERENCE)
# Control, format (bidi, zero-width, tags), private, surrogate and unassigned characters carry no words.
_INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
# Blank letters and joiners that Unicode files under letters and marks.
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
_HARMLESS: Final = str.maketrans({"{": "(", "}": ")", "<": "\u2039", ">": "\u203a"})
_WHOLE: Final = Decimal(1)
_TENTH: Final = Decimal("0.1")
_CENT: Final = Decimal("0.01")
_ALPHABET: Final = 26


def is_number(char: str) -> bool:
    """Whether Unicode files a character under numbers: digits of any script, fractions, superscripts, numerals."""
    return unicodedata.category(char).startswith("N")


def clean(text: str) -> str:
    """Bring text to its plain form: NFKC, nothing invisible, single spaces.

    Number characters other than plain digits are kept as they are, so that a guard
    still sees them: NFKC would turn a Roman numeral into harmless letters.
    """
    # Most cells of a table are plain already, but for their spaces; the long way gives the same for them.
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    visible = "".join(" " if char.isspace() else char for char in text if char.isspace() or not _invisible(char))
    parts = ("".join(group) if number else _normal("".join(group)) for number, group in groupby(visible, is_number))
    return " ".join("".join(parts).split())


def _normal(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text) if char not in _INVISIBLE)


def _invisible(char: str) -> bool:
    return char in _INVISIBLE or unicodedata.category(char) in _INVISIBLE_CATEGORIES


def escape(text: str) -> str:
    """Take from a tenant's text what could form a reference or close a delimiter."""
    return text.translate(_HARMLESS)


def plain_references(text: str) -> str:
    """Undecorate references: ``{{ key }}`` becomes ``{key}``; unknown or re-cased keys stay what they are."""
    return _REFERENCE.sub(r"{\1}", text)


def references(text: str) -> list[str]:
    """The keys a text cites, in order, each once."""
    return list(dict.fromkeys(_REFERENCE.findall(text)))


def without_references(text: str) -> str:
    """A text with a gap where it cites something."""
    return _REFERENCE.sub(" ", text)


def fill(text: str, facts: Mapping[str, Fact]) -> str:
    """Put the facts' texts in place of their references, in one pass.

    For texts made by code, and to see how long a masked one will be. An answer with
    personal data is filled while it is restored: `Prompt.composed` takes ``facts``.

    Raises:
        KeyError: If a reference names no fact; the guard has seen to it before.
    """
    return _REFERENCE.sub(lambda match: facts[match[1]].text, text)


def texts(facts: Mapping[str, Fact]) -> dict[str, str]:
    """What stands for each reference.

    Raises:
        ValueError: If a key has the form of a placeholder, as ``date_1`` has.
    """
    for key in facts:
        if lookalike().search(f"{{{key}}}"):
            msg = f"The fact key {key!r} could be taken for a placeholder; name it otherwise."
            raise ValueError(msg)
    return {key: fact.text for key, fact in facts.items()}


def by_key(*facts: Fact | None) -> dict[str, Fact]:
    """Index facts by key, without those that could not be computed."""
    return {fact.key: fact for fact in facts if fact is not None}


def money(key: str, label: str, value: Decimal) -> Fact:
    """An amount in GHS; written with pesewas only where there are some."""
    step = _WHOLE if value == value.to_integral_value() else _CENT
    text = f"GHS {value.quantize(step, ROUND_HALF_UP):,}"
    return Fact(key=key, label=label, kind="money", value=value, text=text)


def percent(key: str, label: str, share: Decimal, *, signed: bool = False, n: int | None = None) -> Fact:
    """A share, 0.25 for 25 %; signed if it is a change."""
    rounded = (share * 100).quantize(_WHOLE, ROUND_HALF_UP)
    # Decimal rounds -0.004 to a minus zero, which no reader wants to see.
    text = f"{rounded + 0:f}%"
    return Fact(
        key=key, label=label, kind="percent", value=share, text=text, sign=_sign(share) if signed else None, n=n
    )


def _sign(value: Decimal) -> Literal[-1, 0, 1]:
    return 0 if value == 0 else 1 if value > 0 else -1


def with_sign(fact: Fact, sign: Literal[-1, 0, 1]) -> Fact:
    """A fact that points down, nowhere or up."""
    return fact.model_copy(update={"sign": sign})


def compact(fact: Fact) -> str:
    """A fact as it is told to a model, in few tokens: whole cedis, whole percent, no unit; else its text."""
    value = fact.value
    if fact.kind == "money" and isinstance(value, Decimal):
        return f"{value.quantize(_WHOLE, ROUND_HALF_UP) + 0:f}"
    return fact.text.removesuffix("%") if fact.kind == "percent" else fact.text


def letters(place: int) -> str:
    """The name of a row by its place, without a digit: 0 is A, 25 is Z, 26 is AA."""
    left, last = divmod(place, _ALPHABET)
    return (letters(left - 1) if left else "") + chr(ord("A") + last)


def count(key: str, label: str, value: int) -> Fact:
    """A plain number of things."""
    return Fact(key=key, label=label, kind="count", value=Decimal(value), text=f"{value:,}")


def days(key: str, label: str, value: Decimal, *, n: int | None = None) -> Fact:
    """A number of days, to a tenth."""
    rounded = value.quantize(_TENTH, ROUND_HALF_UP)
    text = f"{rounded.quantize(_WHOLE) if rounded == rounded.to_integral_value() else rounded:,}"
    return Fact(key=key, label=label, kind="days", value=value, text=f"{text} {'day' if text == '1' else 'days'}", n=n)


def months(key: str, label: str, value: int) -> Fact:
    """A number of months."""
    text = f"{value:,} {'month' if value == 1 else 'months'}"
    return Fact(key=key, label=label, kind="count", value=Decimal(value), text=text)


def points(key: str, label: str, value: Decimal, most: int) -> Fact:
    """Points out of so many, rounded down, so that a shown score never contradicts its grade."""
    return Fact(
        key=key, label=label, kind="points", value=value, text=f"{value.quantize(_WHOLE, ROUND_FLOOR)} of {most}"
    )


def ratio(key: str, label: str, value: Decimal, base: str) -> Fact:
    """A multiple of something: ``1.8 times the present limit``."""
    return Fact(
        key=key, label=label, kind="ratio", value=value, text=f"{value.quantize(_TENTH, ROUND_HALF_UP):,} times {base}"
    )


def words(key: str, label: str, value: str, text: str | None = None) -> Fact:
    """A fact that is a word or a sentence of ours."""
    return Fact(key=key, label=label, kind="text", value=value, text=value if text is None else text)
