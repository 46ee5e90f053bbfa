"""What billing and routing know of the features that the SDK ships."""

from __future__ import annotations

from datetime import timedelta

from ai_addons.catalog import FeatureSpec
from ai_addons.features._spec import built_in


def test_a_built_in_feature_is_named_by_the_catalogue() -> None:
    """What it says for itself is kept; name, shelf and favourites are the price list's, and so is the price."""
    expected = FeatureSpec(
        key="collection_message",
        name="Smart Collection Message",
        description="AI-powered collection reminders",
        category="basic",
        credits=None,
        tier="small",
        cache=timedelta(hours=24),
        version="9",
        max_tokens=7,
        tokens=(1, 2),
        variants=4,
        popular=True,
        fold=3,
        built_in=True,
    )
    said = {"version": "9", "max_tokens": 7, "tokens": (1, 2), "variants": 4, "fold": 3}
    assert built_in("collection_message", cache=timedelta(hours=24), **said) == expected  # type: ignore[arg-type]  # of each its own
    plain = built_in("report_summary", version="1", max_tokens=7, tokens=(1, 2))
    assert (plain.cache, plain.variants, plain.fold, plain.popular) == (timedelta(hours=6), 1, 1, False)
