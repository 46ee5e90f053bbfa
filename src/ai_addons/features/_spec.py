"""How the features that the SDK ships are described to billing and routing."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ai_addons.catalog import BUILT_IN, FeatureSpec

_SIX_HOURS: Final = timedelta(hours=6)


def built_in(  # what a feature may say for itself, by name
    key: str,
    *,
    version: str,
    max_tokens: int,
    tokens: tuple[int, int],
    cache: timedelta = _SIX_HOURS,
    variants: int = 1,
    fold: int = 1,
) -> FeatureSpec:
    """What billing and routing need to know of a feature that the SDK ships; the catalogue names and prices it.

    Args:
        key: One of `BUILT_IN`.
        version: Prompt version.
        max_tokens: Output cap sent with every request.
        tokens: Expected input and output tokens of a call.
        cache: How long answers are kept.
        variants: How many different answers may be kept for one masked prompt.
        fold: How many calls of it one request may carry in a batch.
    """
    listing = BUILT_IN[key]
    return FeatureSpec(
        key=key,
        name=listing.name,
        description=listing.description,
        category=listing.category,
        credits=None,
        tier="small",
        cache=cache,
        version=version,
        max_tokens=max_tokens,
        tokens=tokens,
        variants=variants,
        popular=listing.popular,
        fold=fold,
        built_in=True,
    )
