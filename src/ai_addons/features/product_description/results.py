"""The results that can come of a product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.features._facts import by_key, words
from ai_addons.features._result import Fact, FeatureResult, Notice
from ai_addons.features.product_description.claims import size_text
from ai_addons.features.product_description.models import ProductCopy

if TYPE_CHECKING:
    from ai_addons.features.product_description.claims import Allowed
    from ai_addons.features.product_description.models import CopyDraft, Product
    from ai_addons.features.product_description.words import Pieces
    from ai_addons.prompt import Source

_CONCERN: Final = {
    "left_out": "Some of the product's own text was not used: it holds contact details or claims no copy should make.",
    "needs_proof": "The product's own text makes a claim that may need proof. Check it before you publish.",
    "category_blocked": "No copy is written for products of this category.",
}


def written(
    draft: CopyDraft, product: Product, may: Allowed, parts: Pieces, source: Source
) -> FeatureResult[ProductCopy]:
    """A result with a copy; without attributes there was little to go on."""
    concerns = [code for code, applies in (("left_out", parts.left_out), ("needs_proof", bool(may.proof))) if applies]
    used = tuple(key for key in product.attributes if key in draft.claims_used)
    return FeatureResult[ProductCopy](
        data=ProductCopy(
            title=draft.title,
            description=draft.description,
            bullets=draft.bullets,
            keywords=draft.keywords,
            claims_used=used,
            needs_review=bool(concerns),
        ),
        source=source,
        as_of=product.as_of,
        data_quality="ok" if product.attributes else "thin",
        warnings=tuple(_notice(code) for code in concerns),
        facts=tuple(_product_facts(product).values()),
        evidence={"copy": tuple(f"attribute.{key}" for key in used)},
    )


def blocked(product: Product) -> FeatureResult[ProductCopy]:
    """A result without a copy."""
    return FeatureResult[ProductCopy](
        data=ProductCopy(
            title=product.name, description="", bullets=(), keywords=(), claims_used=(), needs_review=True
        ),
        source="rules",
        degraded_reason="blocked",
        as_of=product.as_of,
        warnings=(_notice("category_blocked"),),
    )


def _notice(code: str) -> Notice:
    return Notice(code=code, text=_CONCERN[code])


def _product_facts(product: Product) -> dict[str, Fact]:
    size = size_text(product)
    return by_key(
        words("product.name", "name", product.name),
        words("product.brand", "brand", product.brand) if product.brand else None,
        words("product.unit_size", "unit size", size) if size else None,
        *(
            words(f"attribute.{key}", key.replace("_", " "), ", ".join(product.values(key)))
            for key in product.attributes
        ),
    )
