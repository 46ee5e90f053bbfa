"""What the POS itself costs; the SDK only quotes it."""

from __future__ import annotations

import pytest

from ai_addons.billing.storefronts import STOREFRONT_PLAN, StorefrontPlan, quote
from ai_addons.money import Money

_WRONG = (
    "A storefront plan needs a price for the first storefront, and all prices in one currency. "
    "Nothing was charged. Correct the plan."
)


@pytest.mark.parametrize(
    ("storefronts", "price"),
    [(1, "100"), (2, "150"), (3, "180"), (4, "200"), (5, "250"), (6, "300"), (24, "1200")],
)
def test_the_pos_is_quoted_by_its_storefronts(storefronts: int, price: str) -> None:
    """100, 150, 180 and 200 cedis a month, and 50 for each storefront after the fourth."""
    assert quote(STOREFRONT_PLAN, storefronts) == Money(price)


def test_a_plan_of_ones_own_is_quoted_in_its_currency() -> None:
    """One price and a step are a plan too."""
    plan = StorefrontPlan(prices=(Money("9.99", "USD"),), further=Money("5.01", "USD"))
    assert [quote(plan, count) for count in (1, 2, 3)] == [
        Money("9.99", "USD"),
        Money("15.00", "USD"),
        Money("20.01", "USD"),
    ]


@pytest.mark.parametrize("storefronts", [0, -1])
def test_no_storefront_is_no_subscription(storefronts: int) -> None:
    """The error says what was wrong and that nothing was charged."""
    with pytest.raises(ValueError, match="storefront") as refused:
        quote(STOREFRONT_PLAN, storefronts)
    assert str(refused.value) == (
        f"A subscription covers at least one storefront, not {storefronts}. Nothing was charged. Give 1 or more."
    )


@pytest.mark.parametrize("prices", [(), (Money(100, "USD"),), (Money(100), Money(150, "USD"))])
def test_a_plan_that_cannot_be_quoted_is_refused(prices: tuple[Money, ...]) -> None:
    """A wrong setting is found when it is read."""
    with pytest.raises(ValueError, match="plan") as refused:
        StorefrontPlan(prices=prices, further=Money(50))
    assert str(refused.value) == _WRONG
