"""The price list as its rows stand on a page. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_addons.web.pages.filters import uses_left

if TYPE_CHECKING:
    from ai_addons.addons import PriceList
    from ai_addons.billing.records import Wallet
    from ai_addons.money import Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """A feature on the price list.

    Attributes:
        name: What it is called.
        description: What it does.
        credits: What a use costs.
        popular: Flag of the price list.
        uses: How many uses the credits of now pay for; None for a free feature.
    """

    name: str
    description: str
    credits: Credits
    popular: bool
    uses: int | None


def price_rows(price_list: PriceList, wallet: Wallet) -> list[PriceRow]:
    """The features on sale, each with what the wallet's credits pay for."""
    return [
        PriceRow(
            name=listing.name,
            description=listing.description,
            credits=listing.credits,
            popular=listing.popular,
            uses=uses_left(wallet.spendable(listing.key), listing.credits),
        )
        for listing in price_list.features
    ]
