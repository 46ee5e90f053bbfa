"""What is on sale, and who may declare it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ai_addons.catalog import BUILT_IN, FeatureSpec, Registry
from ai_addons.errors import FeatureExists, UnpricedFeature
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Mapping

SPEC = FeatureSpec(
    key="menu_idea",
    name="Menu idea",
    description="Think of a dish",
    category="basic",
    credits=Credits(2),
    tier="small",
    cache=timedelta(hours=6),
    version="1",
    max_tokens=500,
)
OWN = replace(SPEC, key="credit_assessment", credits=None)


def test_the_price_list_is_the_published_one() -> None:
    """The eight features with their prices, shelves and favourites."""
    assert [(one.key, one.credits.short, one.category, one.popular) for one in BUILT_IN.values()] == [
        ("product_description", "0.1", "basic", False),
        ("report_summary", "0.2", "basic", False),
        ("customer_insight", "0.5", "basic", False),
        ("collection_message", "0.5", "basic", True),
        ("credit_assessment", "3", "premium", True),
        ("collection_analysis", "5", "premium", False),
        ("inventory_forecast", "4", "premium", False),
        ("portfolio_dashboard", "5", "premium", False),
    ]
    assert all(key == listing.key for key, listing in BUILT_IN.items())


@pytest.mark.parametrize(
    ("spec", "prices", "expected"),
    [
        (SPEC, {}, "2"),
        (SPEC, {"menu_idea": Credits(7)}, "7"),
        (SPEC, {"menu_idea": Credits(0)}, "0"),
        (SPEC, {"other": Credits(7)}, "2"),
        (replace(SPEC, credits=Credits(0)), {}, "0"),
        (OWN, {}, "3"),
        (replace(OWN, credits=Credits(1)), {}, "1"),
        (replace(OWN, credits=Credits(1)), {"credit_assessment": Credits(9)}, "9"),
    ],
)
def test_settings_beat_code_and_code_beats_the_catalogue(
    spec: FeatureSpec, prices: Mapping[str, Credits], expected: str
) -> None:
    """Where a price comes from; a price of zero is a price."""
    assert spec.listing(prices).credits == Credits(expected)


def test_a_feature_without_any_price_is_refused() -> None:
    """Unknown is not free: the message says where to put a price."""
    with pytest.raises(UnpricedFeature, match=r"nothing was charged.*prices\.features\.menu_idea"):
        replace(SPEC, credits=None).listing({})


def test_a_built_in_key_keeps_its_name_whoever_builds_it() -> None:
    """A host's builder behind a built-in key is sold under the catalogue's name and shelf."""
    listing = replace(OWN, popular=False).listing({})
    assert listing == BUILT_IN["credit_assessment"]
    own = SPEC.listing({})
    assert (own.key, own.name, own.description) == ("menu_idea", "Menu idea", "Think of a dish")
    assert (own.category, own.popular) == ("basic", False)


def test_two_builders_under_one_key_are_an_error() -> None:
    """The clash is found at import, and both places are named."""
    registry = Registry()
    registry.add(SPEC, "shop.ai:menu_idea")
    with pytest.raises(FeatureExists, match=r"shop\.ai:menu_idea and by shop\.other:menu_idea.*another key"):
        registry.add(SPEC, "shop.other:menu_idea")


def test_a_reloaded_module_may_declare_again() -> None:
    """The same builder with a changed price replaces itself."""
    registry = Registry()
    registry.add(SPEC, "shop.ai:menu_idea")
    registry.add(replace(SPEC, credits=Credits(3)), "shop.ai:menu_idea")
    assert [spec.credits for spec in registry.specs()] == [Credits(3)]


@pytest.mark.parametrize("order", ["host first", "built-in first"])
def test_a_host_replaces_a_built_in_whatever_is_imported_first(order: str) -> None:
    """The order of imports does not decide whose builder runs."""
    registry, built_in, host = Registry(), replace(OWN, built_in=True, version="ours"), replace(OWN, version="host")
    pairs = [(host, "shop.ai:assess"), (built_in, "ai_addons.features:credit_assessment")]
    for spec, origin in pairs if order == "host first" else reversed(pairs):
        registry.add(spec, origin)
    assert [spec.version for spec in registry.specs()] == ["host"]


def test_features_are_listed_in_a_stable_order() -> None:
    """Built-ins in the order of the price list, the host's own after them by key."""
    registry = Registry()
    for key in ("zebra", "portfolio_dashboard", "apple", "product_description"):
        registry.add(replace(SPEC, key=key), key)
    assert [spec.key for spec in registry.specs()] == ["product_description", "portfolio_dashboard", "apple", "zebra"]


def test_declarations_of_a_test_are_forgotten() -> None:
    """Tests declare features freely; what was there before comes back, also after an error."""
    registry = Registry()
    registry.add(SPEC, "shop.ai:menu_idea")

    def declare_and_fail() -> None:
        with registry.isolated():
            registry.add(replace(SPEC, key="other"), "test")
            assert len(registry.specs()) == 2
            raise LookupError

    with pytest.raises(LookupError):
        declare_and_fail()
    assert [spec.key for spec in registry.specs()] == ["menu_idea"]
