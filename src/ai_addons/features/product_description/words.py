"""Product copy made of the owner's own words, without a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.features.product_description.claims import mentioned, size_text
from ai_addons.features.product_description.models import CopyDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ai_addons.features.product_description.models import Channel, Product, Tone

_MOST_TITLE: Final = 80
_MOST_DESCRIPTION: Final = 600
_MOST_BULLET: Final = 90
_MOST_KEYWORD: Final = 24
_BULLETS: Final = 4
_KEYWORDS: Final = 8
_NO_NAME: Final = "From our shop"
_NO_NAME_OPENER: Final = "You find this product in our shop."

_OPENERS: Final[Mapping[Tone, str]] = {
    "friendly": "Meet {name}.",
    "neutral": "{name}.",
    "premium": "{name}, chosen with care for our shelves.",
}
_CLOSERS: Final[Mapping[Channel, str]] = {
    "shop": "Ask us at the counter and we will gladly show it to you.",
    "whatsapp": "Send us a message and we will gladly tell you more.",
    "web": "Have a closer look, and put it in your basket if you like it.",
}
_SENTENCES: Final[Mapping[str, str]] = {
    "colour": "It comes in {value}.",
    "material": "It is made of {value}.",
    "flavour": "The flavour is {value}.",
    "scent": "The scent is {value}.",
    "pattern": "The pattern is {value}.",
    "style": "The style is {value}.",
    "use": "Good for {value}.",
    "made_in": "It is made in {value}.",
    "origin": "It comes from {value}.",
    "ingredients": "It is made with {value}.",
    "storage": "To store it: {value}.",
    "care": "To care for it: {value}.",
}
_LENGTHS: Final = frozenset({"cm", "m", "yd"})
_SEARCHED: Final = frozenset({"colour", "material", "flavour", "scent", "pattern", "style", "origin", "made_in"})
_BULLETS_BARE: Final = ("Ask for it in our shop", "We are glad to help you choose")
_KEYWORDS_BARE: Final = ("shop", "in our shop", "everyday goods")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """The parts of a product that may stand in a text as they are.

    Attributes:
        name: Its name, shortened to a title's length, else a neutral word.
        brand: Maker, if it may be shown.
        size: Unit size, unless it is a single piece.
        size_label: What that size is called.
        attributes: Key, label and joined values, in input order.
        shelf: The category's label, if it may be shown.
        left_out: Whether anything may not be shown.
    """

    name: str
    brand: str | None
    size: str | None
    size_label: str
    attributes: tuple[tuple[str, str, str], ...]
    shelf: str | None
    left_out: bool


def pieces(product: Product, label: str, shows: Callable[[str], bool]) -> Pieces:
    """Sort out what may be shown.

    Args:
        product: The input.
        label: Its category's label.
        shows: Whether the guard would let a text of the tenant's pass.
    """
    name = _shortened(product.name)
    attributes = tuple(
        (key, key.replace("_", " ").capitalize(), _joined(product.values(key))) for key in product.attributes
    )
    shown = tuple(part for part in attributes if shows(part[2]))
    brand = product.brand if product.brand and shows(product.brand) else None
    return Pieces(
        name=name if name and shows(name) else _NO_NAME,
        brand=brand,
        size=None if product.unit == "pcs" and product.unit_size == 1 else size_text(product),
        size_label="Length" if product.unit in _LENGTHS else "Pack size",
        attributes=shown,
        shelf=label if shows(label) else None,
        left_out=len(shown) < len(attributes) or brand != product.brand or not shows(product.name),
    )


def _shortened(name: str) -> str:
    """A name cut at a word's end; empty if there is no such place."""
    if len(name) <= _MOST_TITLE:
        return name
    return name[: _MOST_TITLE + 1].rpartition(" ")[0].rstrip(" ,;:-")


def _joined(values: tuple[str, ...]) -> str:
    *first, last = values
    return f"{', '.join(first)} and {last}" if first else last


def drafts(product: Product, parts: Pieces, *, pleasant: bool) -> Iterator[CopyDraft]:
    """Copies to choose from, the fullest first; the last one holds nothing of the tenant's.

    Args:
        product: The input.
        parts: What of it may be shown.
        pleasant: Whether whole sentences are wanted rather than name, brand and attributes in a row.
    """
    yield _draft(product, parts, _story(product, parts) if pleasant else _row(product, parts))
    bare = Pieces(name=_NO_NAME, brand=None, size=None, size_label="", attributes=(), shelf=None, left_out=True)
    yield _draft(product, bare, _packed([_NO_NAME_OPENER], (), _CLOSERS[product.channel], product.max_words))


def _draft(product: Product, parts: Pieces, description: str) -> CopyDraft:
    title = f"{parts.name}, {parts.size}" if parts.size and parts.size not in parts.name else parts.name
    bullets, keywords = tuple(_bullets(parts)), tuple(_keywords(product, parts))
    text = (title if len(title) <= _MOST_TITLE else parts.name, description, *bullets, *keywords)
    return CopyDraft(
        title=text[0],
        description=description,
        bullets=bullets,
        keywords=keywords,
        claims_used=mentioned(product, text),
    )


def _story(product: Product, parts: Pieces) -> str:
    name = f"{parts.name} from {parts.brand}" if parts.brand and parts.brand not in parts.name else parts.name
    opener = _NO_NAME_OPENER if name.startswith(_NO_NAME) else _OPENERS[product.tone].format(name=name)
    details = [_sentence(*part) for part in parts.attributes]
    if parts.size:
        details.append(f"{parts.size_label}: {parts.size}.")
    return _packed([opener], details, _CLOSERS[product.channel], product.max_words)


def _sentence(key: str, label: str, value: str) -> str:
    return _SENTENCES[key].format(value=value) if key in _SENTENCES else f"{label}: {value}."


def _row(product: Product, parts: Pieces) -> str:
    """Name, brand and attributes in input order."""
    details = [f"Brand: {parts.brand}."] if parts.brand else []
    details += [f"{label}: {value}." for _, label, value in parts.attributes]
    opener = _NO_NAME_OPENER if parts.name == _NO_NAME else f"{parts.name}."
    return _packed([opener], details, "", product.max_words)


def _packed(opening: list[str], details: Iterable[str], closer: str, max_words: int) -> str:
    """As many sentences as fit, in order; never nothing at all."""
    kept = opening if _fits([*opening, closer], max_words) else []
    for sentence in details:
        if _fits([*kept, sentence, closer], max_words):
            kept = [*kept, sentence]
    return " ".join(part for part in (*kept, closer) if part) or _NO_NAME_OPENER


def _fits(sentences: list[str], max_words: int) -> bool:
    text = " ".join(sentences)
    return len(text) <= _MOST_DESCRIPTION and len(text.split()) <= max_words


def _bullets(parts: Pieces) -> Iterator[str]:
    found = [f"{label}: {value}" for _, label, value in parts.attributes]
    found += [f"{parts.size_label}: {parts.size}"] if parts.size else []
    found += [f"Brand: {parts.brand}"] if parts.brand else []
    found += [f"You find it under {parts.shelf}"] if parts.shelf else []
    short = [bullet for bullet in found if len(bullet) <= _MOST_BULLET][:_BULLETS]
    yield from short
    yield from _BULLETS_BARE[: max(0, len(_BULLETS_BARE) - len(short))]


def _keywords(product: Product, parts: Pieces) -> Iterator[str]:
    searched = [value for key, _, _ in parts.attributes if key in _SEARCHED for value in product.values(key)]
    found = (parts.name, parts.brand, parts.shelf, *searched)
    short = [word.lower() for word in found if word and len(word) <= _MOST_KEYWORD and word != _NO_NAME]
    yield from list(dict.fromkeys([*short[: _KEYWORDS - len(_KEYWORDS_BARE)], *_KEYWORDS_BARE]))


def chosen(options: Iterable[CopyDraft], sound: Callable[[CopyDraft], bool]) -> CopyDraft:
    """The first copy the guard would let pass; the last of all is."""
    options = list(options)
    return next((draft for draft in options if sound(draft)), options[-1])
