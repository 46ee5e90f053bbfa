"""What a product text may say: nothing that its owner did not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.features._facts import is_number
from ai_addons.features._numerals import COUNTING_UNITS, amounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from ai_addons.features.product_description.models import Product

_KINDS: Final[Mapping[str, str]] = {
    "colour": (
        "black white red blue green yellow orange purple violet pink brown grey=gray gold=golden silver=silvery beige"
        " cream navy maroon burgundy turquoise teal khaki indigo magenta lilac lavender peach coral ivory olive mustard"
        " multicoloured=multicolour=multicolored=multicolor=multi-coloured=multi-colour crimson scarlet bronze"
    ),
    "size": (
        "small=size-s medium=size-m large=size-l xs=extra-small xl=extra-large xxl=2xl xxxl=3xl jumbo mini"
        " king-size=king-sized queen-size=queen-sized family-size=family-sized oversized full-size=full-sized giant"
    ),
    "material": (
        "cotton polyester silk wool=woollen=woolen linen leather denim nylon rayon viscose spandex plastic wood=wooden"
        " bamboo steel stainless aluminium=aluminum iron copper brass glass ceramic clay rubber silicone paper velvet"
        " lace satin chiffon suede canvas rattan raffia jute acrylic enamel marble porcelain melamine metal=metallic"
    ),
}
_CANONICAL: Final[Mapping[str, tuple[str, str]]] = {
    alias.replace("-", " "): (kind, group.split("=")[0])
    for kind, groups in _KINDS.items()
    for group in groups.split()
    for alias in group.split("=")
}
_NAMED: Final = re.compile(rf"\b(?:{'|'.join(sorted(_CANONICAL, key=len, reverse=True))})s?\b")

# Never in a copy, unless the product or its brand is called so.
_NEVER: Final = re.compile(
    r"\b(?:health\w*|cur(?:e|es|ed|ing)|heal(?:s|ed|ing)?|medic\w+|remed(?:y|ies)|immun\w+|detox\w*|slimming"
    r"|weight loss|blood pressure|diabet\w*|malaria|cancer|infection\w*|side effects?|anti ?bacterial|kills? germs"
    r"|safe|safer|safest|safely|safety|harmless|non toxic|nontoxic|hypoallergenic|risk free"
    r"|best|finest|unbeatable|number one|world class|guarant\w+|discount\w*|on sale|special offer|limited offer"
    r"|promo\w*|bargain\w*|cheap\w*|afford\w*|pric(?:e|es|ed|ing)|costs?|free (?:delivery|gift|shipping)|money back"
    r"|save money|ghs|cedis?|pesewas?|dollars?)\b"
    r"|[\u20b5$\u20ac\u00a3]"
)
# Only where the owner said so, and then for review.
_PROOF: Final = re.compile(
    r"\b(?:organic\w*|original|genuine|authentic|certifi\w+|approved|fda|gsa|epa|iso|halal|kosher|patent\w*|clinically|tested"
    r"|registered|registration|eco friendly|biodegradable|hand ?made|imported|award\w*|natural|pure"
    r"|cur(?:e|es|ed|ing)|guarant\w+)\b"
)
_WORD: Final = re.compile(r"[^\W_]+")
_SHORTEST_MENTION: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What the owner's own text holds.

    Attributes:
        amounts: Numbers with their units.
        named: Colours, sizes and materials.
        proof: Words that need proof.
        called: Words no copy may use but this product or brand is called by.
        words: All words, lower case.
    """

    amounts: frozenset[tuple[Decimal, str | None]]
    named: frozenset[tuple[str, str]]
    proof: frozenset[str]
    called: frozenset[str]
    words: frozenset[str]


def _fold(text: str) -> str:
    return " ".join(text.lower().replace("-", " ").split())


def named(text: str) -> frozenset[tuple[str, str]]:
    """Colours, sizes and materials of a text, whatever their spelling."""
    found: list[str] = _NAMED.findall(_fold(text))
    return frozenset(_CANONICAL.get(word) or _CANONICAL[word.removesuffix("s")] for word in found)


def proof_words(text: str) -> frozenset[str]:
    """Words that somebody may have to prove."""
    return frozenset(_PROOF.findall(_fold(text)))


def size_text(product: Product) -> str | None:
    """The unit size as a text writes it: ``6 yards``, ``500 g``."""
    if product.unit_size is None or product.unit is None:
        return None
    number = f"{product.unit_size.normalize():f}"
    if product.unit == "pack":
        return f"pack of {number}"
    name = {"yd": "yard" if number == "1" else "yards", "pcs": "piece" if number == "1" else "pieces"}
    return f"{number} {name.get(product.unit, product.unit)}"


def allowed(product: Product) -> Allowed:
    """All that a copy of this product may say."""
    called = " . ".join((product.name, product.brand or ""))
    described = [value for key in product.attributes for value in _spoken(product, key)]
    everything = " . ".join((called, *described, size_text(product) or "", product.existing_description or ""))
    return Allowed(
        amounts=frozenset(amounts(everything)),
        named=named(everything),
        proof=proof_words(everything),
        called=frozenset(_NEVER.findall(_fold(called))),
        words=frozenset(_WORD.findall(everything.lower())),
    )


def _spoken(product: Product, key: str) -> tuple[str, ...]:
    """An attribute's values as a text may say them: a size L also as "size L"."""
    values = product.values(key)
    return (*values, *(f"size {value}" for value in values)) if key == "size" else values


def claim_faults(where: str, text: str, may: Allowed) -> list[str]:
    """What a text says beyond the owner's own words; messages quote nothing of it."""
    faults: list[str] = []
    if any(is_number(char) and not char.isascii() for char in text):
        faults.append(f"{where}: write numbers in plain digits")
    if any(not _known(value, unit, may) for value, unit in amounts(text)):
        faults.append(f"{where}: holds a number or measure that is not in the data")
    kinds = sorted({kind for kind, _ in named(text) - may.named})
    faults += [f"{where}: holds a {kind} that is not in the data" for kind in kinds]
    if set(_NEVER.findall(_fold(text))) - may.called:
        faults.append(f"{where}: no claim about health, safety or being best, no guarantee, price or discount")
    if proof_words(text) - may.proof - may.called:
        faults.append(f"{where}: makes a claim that needs proof and is not in the data")
    return faults


def _known(value: Decimal, unit: str | None, may: Allowed) -> bool:
    if unit is None or unit in COUNTING_UNITS:
        return any(value == number for number, _ in may.amounts)
    return (value, unit) in may.amounts


def mentioned(product: Product, texts: Iterable[str]) -> tuple[str, ...]:
    """Keys of the attributes that a text speaks of, in input order.

    An attribute counts as mentioned if one of its values stands in the text, or
    one of its colours, sizes, materials or measures, unless the name has it too.
    """
    text = " . ".join(texts)
    folded = f" {' '.join(_WORD.findall(text.lower()))} "
    name = " . ".join((product.name, product.brand or "", size_text(product) or ""))
    marks = _marks(text) - _marks(name)
    return tuple(
        key for key in product.attributes if any(_stands(value, folded, marks) for value in _spoken(product, key))
    )


def _marks(text: str) -> frozenset[object]:
    measures = {(value, unit) for value, unit in amounts(text) if unit is not None}
    return frozenset((*named(text), *measures))


def _stands(value: str, folded: str, marks: frozenset[object]) -> bool:
    said = " ".join(_WORD.findall(value.lower()))
    return (len(said) >= _SHORTEST_MENTION and f" {said} " in folded) or bool(_marks(value) & marks)
