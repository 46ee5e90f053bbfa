"""An invented product, for demos, docs and tables."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final

from ai_addons.features.product_description.models import Product

if TYPE_CHECKING:
    from collections.abc import Mapping

TODAY: Final = date(2026, 11, 20)
_SEED: Final = 1957
_BRANDS: Final = ("Adinkra Prints", "Nsoroma", "Volta Star", "Sankofa", "Akwaaba")
_CLOTH: Final[Mapping[str, tuple[str, ...]]] = {
    "colour": ("blue and gold", "red", "green and black", "orange", "white"),
    "material": ("100% cotton", "cotton", "linen"),
    "pattern": ("fans", "feathers", "waves", "small squares"),
    "care": ("cold hand wash", "machine wash, cold"),
}


def example(customers: int = 500) -> Product:
    """A cloth of six yards.

    Args:
        customers: How many customers the shop has; a product does not depend on them.
    """
    return examples(max(customers, 1))[0]


def examples(products: int = 10) -> list[Product]:
    """So many cloths, the same every time."""
    draw = Random(_SEED)  # noqa: S311  # invented data, no secret
    return [_cloth(draw, number) for number in range(1, products + 1)]


def _cloth(draw: Random, number: int) -> Product:
    return Product(
        as_of=TODAY,
        name=f"Wax Print No. {number}",
        category="textiles",
        brand=draw.choice(_BRANDS),
        attributes={key: draw.choice(values) for key, values in _CLOTH.items()},
        unit_size=Decimal(draw.choice((2, 6, 12))),
        unit="yd",
    )
