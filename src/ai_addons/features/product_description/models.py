"""What a product description takes and returns."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from ai_addons.features._guard import Answer, Prose
from ai_addons.features._inputs import Strict, exact, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_ATTRIBUTES: Final = 15

Tone: TypeAlias = Literal["friendly", "neutral", "premium"]
"""How the copy speaks."""

Channel: TypeAlias = Literal["shop", "whatsapp", "web"]
"""Where it is read."""

Unit: TypeAlias = Literal["g", "kg", "ml", "l", "pcs", "pack", "cm", "m", "yd"]
"""Units of a unit size."""


_Value: TypeAlias = Annotated[str, BeforeValidator(tidy), Field(min_length=1, max_length=80)]
_Key: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]


class Product(Strict):
    """A product as its owner typed it. No price, stock, cost or supplier: they go stale in a text."""

    as_of: date
    """The day this describes; not sent."""
    name: Annotated[str, BeforeValidator(tidy), Field(min_length=1, max_length=120)]
    """Name of the product."""
    category: Annotated[str, Field(min_length=1, max_length=40)]
    """Id of one of the policy's categories."""
    brand: Annotated[str, BeforeValidator(tidy), Field(min_length=1, max_length=60)] | None = None
    """Maker or label."""
    attributes: Annotated[
        dict[_Key, _Value | Annotated[tuple[_Value, ...], Field(min_length=1, max_length=8)]],
        Field(max_length=MOST_ATTRIBUTES),
    ] = Field(default_factory=dict)
    """By key of the category's allow-list, in the order in which they matter."""
    unit_size: Annotated[Decimal, BeforeValidator(exact), Field(gt=0, max_digits=9, decimal_places=3)] | None = None
    """How much one unit is; goes with ``unit``."""
    unit: Unit | None = None
    """Unit of ``unit_size``."""
    tone: Tone = "friendly"
    """How the copy speaks."""
    channel: Channel = "shop"
    """Where it is read."""
    language: Literal["en"] = "en"
    """English; other languages are not generated."""
    max_words: Annotated[int, Field(ge=20, le=150)] = 70
    """Longest description, in words."""
    existing_description: Annotated[str, BeforeValidator(tidy), Field(max_length=600)] | None = None
    """A text to work from; personal data in it is masked before anything is sent."""

    @model_validator(mode="after")
    def _size_has_its_unit(self) -> Self:
        if (self.unit_size is None) != (self.unit is None):
            msg = "unit_size and unit go together"
            raise ValueError(msg)
        return self

    def values(self, key: str) -> tuple[str, ...]:
        """The values of an attribute, one or several."""
        value = self.attributes[key]
        return (value,) if isinstance(value, str) else value


class Category(Strict):
    """A shelf of the shop."""

    label: Annotated[str, Field(min_length=1, max_length=40)]
    """Its name in a sentence, in lower case: ``cloth and textiles``."""
    attributes: frozenset[_Key]
    """Attribute keys a product of this category may have."""
    banned: bool = False
    """Whether no copy is written for it."""


_COMMON: Final = ("colour", "size", "material", "use", "care", "features", "made_in", "pack_of")
_FOOD: Final = ("flavour", "ingredients", "origin", "storage", "diet", "strength")
_CLOTH: Final = ("pattern", "fit", "style", "sleeve", "print", "width", "length")
_DEVICE: Final = ("model", "power", "capacity", "connectivity", "compatible_with", "warranty", "screen", "battery")
_BODY: Final = ("scent", "skin_type", "hair_type", "ingredients", "form")
_HOME: Final = ("capacity", "shape", "finish", "room", "length", "width", "height", "scent")

CATEGORIES: Final[Mapping[str, Category]] = MappingProxyType(
    {
        key: Category(label=label, attributes=frozenset((*_COMMON, *extra)))
        for key, label, extra in (
            ("groceries", "groceries", _FOOD),
            ("drinks", "drinks", _FOOD),
            ("textiles", "cloth and textiles", _CLOTH),
            ("clothing", "clothing", _CLOTH),
            ("footwear", "footwear", _CLOTH),
            ("beauty", "beauty and hair care", _BODY),
            ("household", "household goods", _HOME),
            ("kitchen", "kitchen goods", _HOME),
            ("electronics", "electronics", _DEVICE),
            ("phones", "phones and accessories", _DEVICE),
            ("stationery", "stationery and books", ("ruling", "pages", "binding")),
            ("hardware", "hardware and building goods", (*_HOME, "grade", "power")),
            ("farming", "farm goods", ("variety", "season", "form")),
            ("toys", "toys", ("age_group", "power")),
        )
    }
    | {
        key: Category(label=label, attributes=frozenset(_COMMON), banned=True)
        for key, label in (
            ("tobacco", "tobacco"),
            ("medicines", "medicines"),
            ("weapons", "weapons"),
            ("gambling", "gambling"),
            ("adult", "adult goods"),
        )
    }
)


class DescriptionPolicy(Strict):
    """The tenant's categories. The defaults are chosen by hand for a general shop."""

    version: str = "1"
    """Kept for review."""
    categories: dict[str, Category] = Field(default_factory=lambda: dict(CATEGORIES))
    """By id."""

    def category_of(self, product: Product) -> Category:
        """The product's category, once its attributes are known to be allowed there.

        Raises:
            ValueError: If the category is not one of the tenant's, or an attribute not one of the category's.
        """
        category = self.categories.get(product.category)
        if category is None:
            msg = f"Unknown product category; nothing was charged. Use one of: {', '.join(sorted(self.categories))}."
            raise ValueError(msg)
        if not product.attributes.keys() <= category.attributes:
            known = ", ".join(sorted(category.attributes))
            msg = f"An attribute does not belong to this category; nothing was charged. Use these only: {known}."
            raise ValueError(msg)
        return category


class CopyDraft(Answer):
    """What the model is asked for."""

    title: Annotated[Prose, Field(min_length=1, max_length=80)]
    description: Annotated[Prose, Field(min_length=1, max_length=600)]
    bullets: Annotated[
        tuple[Annotated[Prose, Field(min_length=1, max_length=90)], ...], Field(min_length=2, max_length=4)
    ]
    keywords: Annotated[
        tuple[Annotated[Prose, Field(min_length=1, max_length=24)], ...], Field(min_length=3, max_length=8)
    ]
    claims_used: Annotated[tuple[str, ...], Field(max_length=MOST_ATTRIBUTES)]


class ProductCopy(Strict):
    """Copy for a product page, label or message."""

    title: str
    """At most 80 characters."""
    description: str
    """At most 600 characters and the words asked for; empty where the category is banned."""
    bullets: tuple[str, ...]
    """Selling points taken from the attributes."""
    keywords: tuple[str, ...]
    """Search words."""
    claims_used: tuple[str, ...]
    """Attribute keys the text speaks of."""
    needs_review: bool
    """Whether the owner should check it first: the product's own text makes a claim that needs proof."""
