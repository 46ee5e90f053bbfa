"""Texts with personal data whose places are known, and clean ones: sentences of our own, filled at random by a seed.

The development data knows 25 sentences; whoever is tuned to them learns nothing about the next shop. The same seed
always gives the same texts.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind
from benchmarks import _privacy_values as values
from benchmarks._privacy_business import BLANKS, BUSINESS, PROSE
from benchmarks._privacy_numbers import seeded
from benchmarks._privacy_sentences import GENERAL, GHANA, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

PERSON: Final = "PERSON"
"""Label of names: they are declared, not recognised, so they are in the texts and in no score."""

KINDS: Final[Mapping[str, Kind]] = {
    "PERSON": Kind.PERSON,
    "PHONE": Kind.PHONE,
    "DATE": Kind.DATE,
    "EMAIL": Kind.EMAIL,
    "BANK_ACCT": Kind.ACCOUNT,
    "IBAN": Kind.ACCOUNT,
    "CREDIT_CARD": Kind.ACCOUNT,
    "GH_GPS": Kind.ADDRESS,
    **dict.fromkeys(
        ["GH_PASSPORT", "GH_CARD", "GH_DL", "GH_TIN", "GH_NHIS", "GH_SSNIT", "GH_PLATE", "GH_VOTER", "US_SSN"], Kind.ID
    ),
    **dict.fromkeys(["API_KEY", "IP", "URL"], Kind.ID),
}
"""The placeholder type of each label."""

_DEVELOPMENT_DATA: Final = Path("shared") / "data" / "pii_dev" / "gh_notes.jsonl"
"""Where the development data lies, beside the project or one folder higher; it is no part of it."""

_SLOT: Final = re.compile(r"\{(\w+)\}")
_SEPARATORS: Final = (". ", "; ", ", ", " - ", "\n", ". ")


@dataclass(frozen=True, slots=True)
class Truth:
    """A piece of personal data in a text; ``end`` is exclusive."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A text and all personal data in it."""

    text: str
    truths: tuple[Truth, ...]


Piece = tuple[str, str | None]
"""Part of a text: what it says, and its label if it is personal data."""

Pieces = list[Piece]


def joined(pieces: Sequence[Piece]) -> Sample:
    """The text of some pieces and where the labelled ones stand in it."""
    truths: list[Truth] = []
    at = 0
    for text, label in pieces:
        if label is not None:
            truths.append(Truth(at, at + len(text), label))
        at += len(text)
    return Sample("".join(text for text, _ in pieces), tuple(truths))


def filled(sentence: str, makers: Mapping[str, Callable[[Random], Piece]], rng: Random) -> Pieces:
    """A sentence with its slots filled."""
    parts = _SLOT.split(sentence)
    return [makers[part](rng) if place % 2 else (part, None) for place, part in enumerate(parts)]


def _about(source: Source, rng: Random) -> Pieces:
    """A sentence with one piece of personal data, and perhaps a name."""
    return filled(
        rng.choice(source.sentences),
        {"x": lambda of: (source.value(of), source.label), "n": lambda of: (values.name(of), PERSON)},
        rng,
    )


def _business(rng: Random) -> Pieces:
    """A sentence with nothing personal in it."""
    return filled(rng.choice(BUSINESS), {name: _plainly(make) for name, make in BLANKS.items()}, rng)


def _plainly(make: Callable[[Random], str]) -> Callable[[Random], Piece]:
    return lambda rng: (make(rng), None)


def _then(first: Pieces, second: Pieces, rng: Random) -> Pieces:
    return [*first, (rng.choice(_SEPARATORS), None), *second]


def personal(sources: Sequence[Source], count: int, seed: int) -> list[Pieces]:
    """Texts with personal data, every label as often as any other.

    Of ten texts five are one sentence, three have business talk before or after it, two a second sentence of the sort.

    Args:
        sources: What is in them.
        count: How many; a multiple of the number of labels gives each the same share.
        seed: The same one gives the same texts.
    """
    rng = seeded(seed)
    labels = sorted({source.label for source in sources})
    return [_personal(sources, labels[number % len(labels)], rng) for number in range(count)]


def _personal(sources: Sequence[Source], label: str, rng: Random) -> Pieces:
    first = _about(rng.choice([source for source in sources if source.label == label]), rng)
    shape = rng.randrange(10)
    if shape < 5:  # noqa: PLR2004  # five of ten
        return first
    if shape < 8:  # noqa: PLR2004  # three of ten
        return _then(*rng.choice([(first, _business(rng)), (_business(rng), first)]), rng)
    return _then(first, _about(rng.choice(sources), rng), rng)


def clean(count: int, seed: int) -> list[Pieces]:
    """Texts with nothing personal in them, of one or two sentences."""
    rng = seeded(seed)
    return [_business(rng) if rng.randrange(3) else _then(_business(rng), _business(rng), rng) for _ in range(count)]


def prose(size: int, seed: int) -> str:
    """A clean text of so many characters in whole sentences, but for the last."""
    rng = seeded(seed)
    return " ".join(rng.choices(PROSE, k=size // min(map(len, PROSE)) + 1))[:size]


def dense(size: int, seed: int) -> str:
    """So many characters of notes, one a line, a piece of personal data or two in each."""
    notes = ghanaian(size // 20, seed)
    return "\n".join(note.text for note in notes)[:size]


def numbers(size: int, seed: int) -> str:
    """So many characters of numbers: phones, cards, accounts, barcodes, amounts, dates, one after the other."""
    rng = seeded(seed)
    number = ("PHONE", "CREDIT_CARD", "BANK_ACCT", "GH_NHIS", "GH_TIN", "IP")
    makers = [
        *(one.value for one in GHANA if one.label in number),
        *(BLANKS[name] for name in ("ean", "n11", "amount", "date")),
    ]
    return " ".join(rng.choice(makers)(rng) for _ in range(size // 6))[:size]


# Noisy typography.

_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
_BLANKS: Final = "\u00a0\u2007\u2009\u202f"
_ZERO_WIDTH: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_TAGS: Final = (("<b>", "</b>"), ("<td>", "</td>"), ('<span class="v2">', "</span>"), ('<input value="', '">'))
# Word processors leave addresses, links and keys as they were typed.
_VERBATIM: Final = frozenset({"EMAIL", "URL", "API_KEY"})


def dashes(pieces: Pieces, rng: Random) -> Pieces:
    """Typographic dashes for hyphens."""
    return [
        piece if piece[1] in _VERBATIM else (re.sub("-", lambda _: rng.choice(_DASHES), piece[0]), piece[1])
        for piece in pieces
    ]


def blanks(pieces: Pieces, rng: Random) -> Pieces:
    """Blanks that do not break for plain ones."""
    return [(re.sub(" ", lambda _: rng.choice(_BLANKS), text), label) for text, label in pieces]


def zero_width(pieces: Pieces, rng: Random) -> Pieces:
    """An invisible character somewhere inside each piece of personal data."""
    return [(text, label) if label is None else (_split(text, rng), label) for text, label in pieces]


def _split(text: str, rng: Random) -> str:
    at = rng.randrange(1, len(text))
    return text[:at] + rng.choice(_ZERO_WIDTH) + text[at:]


def wide(pieces: Pieces, _rng: Random) -> Pieces:
    """Full-width digits, as some keyboards type them."""
    wider = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
    return [piece if piece[1] in _VERBATIM else (piece[0].translate(wider), piece[1]) for piece in pieces]


def in_json(pieces: Pieces, rng: Random) -> Pieces:
    """The text as a value of a JSON object, its line ends and quotes escaped."""
    escaped = [(json.dumps(text, ensure_ascii=False)[1:-1], label) for text, label in pieces]
    key = rng.choice(["note", "msg", "memo"])
    return [(f'{{"{key}":"', None), *escaped, ('","paid":true}', None)]


def in_html(pieces: Pieces, rng: Random) -> Pieces:
    """The text as a paragraph, what is personal in a tag of its own."""
    made: Pieces = [("<p>", None)]
    for text, label in pieces:
        escaped = html.escape(text, quote=False) if label != "URL" else text
        opening, closing = rng.choice(_TAGS) if label else ("", "")
        made += [(opening, None), (escaped, label), (closing, None)]
    return [*made, ("</p>", None)]


NOISES: Final[Mapping[str, Callable[[Pieces, Random], Pieces]]] = {
    "dashes": dashes,
    "blanks": blanks,
    "zero-width": zero_width,
    "full-width": wide,
    "JSON": in_json,
    "HTML": in_html,
}
"""What happens to a text on its way, by name."""


def noisy(texts: Sequence[Pieces], seed: int) -> list[Pieces]:
    """The same texts in noisy typography, each with one sort of noise in turn."""
    rng = seeded(seed)
    noises = list(NOISES.values())
    return [noises[number % len(noises)](pieces, rng) for number, pieces in enumerate(texts)]


# What scores are taken on.

Maker = Callable[[int, int], "list[Sample]"]
"""Makes so many texts from a seed."""


def ghanaian(count: int, seed: int) -> list[Sample]:
    """Texts with every kind of data a Ghanaian shop meets."""
    return [joined(pieces) for pieces in personal(GHANA, count, seed)]


def ghanaian_noisy(count: int, seed: int) -> list[Sample]:
    """The same texts in noisy typography."""
    return [joined(pieces) for pieces in noisy(personal(GHANA, count, seed), seed)]


def general(count: int, seed: int) -> list[Sample]:
    """Texts with kinds of data that are the same everywhere."""
    return [joined(pieces) for pieces in personal(GENERAL, count, seed)]


def business(count: int, seed: int) -> list[Sample]:
    """Texts with nothing personal in them."""
    return [joined(pieces) for pieces in clean(count, seed)]


def pieces_of(sample: Sample) -> Pieces:
    """A text in pieces, so that noise can be added."""
    pieces: Pieces = []
    at = 0
    for truth in sample.truths:
        pieces += [(sample.text[at : truth.start], None), (sample.text[truth.start : truth.end], truth.label)]
        at = truth.end
    return [*pieces, (sample.text[at:], None)]


def development() -> list[Sample]:
    """The development data; nothing where it is absent."""
    beside = [folder / _DEVELOPMENT_DATA for folder in Path(__file__).parents[2:4]]
    found = next((path for path in beside if path.exists()), None)
    rows = map(json.loads, found.read_text(encoding="utf-8").splitlines() if found else ())
    return [Sample(row["text"], tuple(Truth(*span) for span in row["spans"])) for row in rows]
