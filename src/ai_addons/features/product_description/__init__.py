"""`product_description`: shop copy from the attributes that the owner typed.

The one built-in feature whose prose may hold digits: every number, colour, size
and material in it must be among the owner's own. Copy that makes a claim which
the owner did not make is refused.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict

from ai_addons.feature import sold_as
from ai_addons.features._facts import escape
from ai_addons.features._result import FeatureResult  # noqa: TC001  # the decorator reads it from the annotation
from ai_addons.features._spec import built_in
from ai_addons.features.product_description.claims import allowed, size_text
from ai_addons.features.product_description.guard import faults, shows, sound
from ai_addons.features.product_description.instructions import PLACES, SYSTEM, USER
from ai_addons.features.product_description.models import Category, CopyDraft, DescriptionPolicy, Product, ProductCopy
from ai_addons.features.product_description.results import blocked, written
from ai_addons.features.product_description.words import chosen, drafts, pieces
from ai_addons.privacy.fields import FreeText
from ai_addons.prompt import Prompt

__all__ = ["SPEC", "Category", "CopyDraft", "DescriptionPolicy", "Product", "ProductCopy", "product_description"]

SPEC: Final = built_in(
    "product_description",
    cache=timedelta(days=7),
    version="1",
    max_tokens=350,
    tokens=(264, 135),
    fold=10,
)
"""What billing and routing need to know."""

DEFAULT_POLICY: Final = DescriptionPolicy()


class _CopyData(BaseModel):
    """What is sent: the owner's text, masked like any free text."""

    model_config = ConfigDict(frozen=True)

    product: dict[str, Annotated[str, FreeText]]
    attributes: dict[str, Annotated[str, FreeText]]


@sold_as(SPEC)
def product_description(
    product: Product, *, policy: DescriptionPolicy = DEFAULT_POLICY
) -> Prompt[FeatureResult[ProductCopy]]:
    """Generate compelling product descriptions.

    Args:
        product: What the owner typed.
        policy: The tenant's categories.

    Raises:
        ValueError: If the category or an attribute is not one of the policy's.
    """
    category = policy.category_of(product)
    if category.banned:
        return Prompt.settled(blocked(product))
    may = allowed(product)
    parts = pieces(product, category.label, lambda text: shows(text, may))

    def made_by_code(*, pleasant: bool) -> CopyDraft:
        return chosen(drafts(product, parts, pleasant=pleasant), lambda draft: sound(draft, product, may))

    return Prompt.composed(
        answer=CopyDraft,
        system=SYSTEM,
        user=USER.format(tone=product.tone, place=PLACES[product.channel], most=product.max_words),
        data=_sent(product, category),
        check=lambda draft: faults(draft, product, may),
        finish=lambda draft: written(draft, product, may, parts, "ai"),
        fallback=lambda: written(made_by_code(pleasant=False), product, may, parts, "rules"),
        sample=lambda: made_by_code(pleasant=True),
    )


def _sent(product: Product, category: Category) -> _CopyData:
    """The cleaned fields; no brace or angle bracket of the tenant's survives."""
    fields = {
        "name": product.name,
        "category": category.label,
        "brand": product.brand,
        "unit_size": size_text(product),
        "present_text": product.existing_description,
    }
    return _CopyData(
        product={key: escape(text) for key, text in fields.items() if text},
        attributes={key: escape(", ".join(product.values(key))) for key in product.attributes},
    )
