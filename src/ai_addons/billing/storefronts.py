"""The POS's own subscription price. The SDK only quotes it: it never collects it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ai_addons.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class StorefrontPlan:
    """What the POS itself costs a month, by the number of storefronts.

    Attributes:
        prices: Whole price for one storefront, for two, and so on.
        further: What each storefront beyond these adds.

    Raises:
        ValueError: If there is no price, or not all are in one currency.
    """

    prices: tuple[Money, ...]
    further: Money

    def __post_init__(self) -> None:
        """Refuse a plan that could not be quoted."""
        if not self.prices or {price.currency for price in self.prices} != {self.further.currency}:
            msg = (
                "A storefront plan needs a price for the first storefront, and all prices in one currency. "
                "Nothing was charged. Correct the plan."
            )
            raise ValueError(msg)


STOREFRONT_PLAN: Final = StorefrontPlan(
    prices=(Money(100), Money(150), Money(180), Money(200)),
    further=Money(50),
)
"""GHS 100, 150, 180 and 200 a month for one to four storefronts, 50 for each further one."""


def quote(plan: StorefrontPlan, storefronts: int) -> Money:
    """What the POS costs a month.

    Args:
        plan: Its prices.
        storefronts: How many the business has, at least one.

    Raises:
        ValueError: If there is no storefront.
    """
    if storefronts < 1:
        msg = f"A subscription covers at least one storefront, not {storefronts}. Nothing was charged. Give 1 or more."
        raise ValueError(msg)
    listed = min(storefronts, len(plan.prices))
    beyond = storefronts - listed
    return Money.from_minor(plan.prices[listed - 1].minor + beyond * plan.further.minor, plan.further.currency)
