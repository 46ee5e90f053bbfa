"""`AsyncPrices`: what is published of prices and packs, for async hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.aio.threads import threaded

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from ai_addons.addons import AddOns
    from ai_addons.billing.prices import PriceVersion
    from ai_addons.billing.published import Published, PublishedPack
    from ai_addons.catalog import FeatureSpec, Listing, Pack
    from ai_addons.money import Credits


class AsyncPrices:
    """Prices and packs with a date from which they hold, for async hosts."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def listing(self, spec: FeatureSpec) -> Listing:
        """See `Prices.listing`."""
        return await threaded(self._addons.prices.listing, spec)

    async def publish(
        self,
        feature: str,
        credits: str | int | Decimal | Credits,  # noqa: A002  # the word of the price list
        *,
        effective_from: datetime | None = None,
        loss_leader: bool = False,
        actor: str,
    ) -> Published:
        """See `Prices.publish`."""
        return await threaded(
            self._addons.prices.publish,
            feature,
            credits,
            loss_leader=loss_leader,
            actor=actor,
            effective_from=effective_from,
        )

    async def history(self, feature: str) -> list[PriceVersion]:
        """See `Prices.history`."""
        return await threaded(self._addons.prices.history, feature)

    async def publish_pack(self, pack: Pack, *, effective_from: datetime | None = None, actor: str) -> PublishedPack:
        """See `Prices.publish_pack`."""
        return await threaded(self._addons.prices.publish_pack, pack, effective_from=effective_from, actor=actor)

    async def withdraw_pack(self, pack: str, *, effective_from: datetime | None = None, actor: str) -> PublishedPack:
        """See `Prices.withdraw_pack`."""
        return await threaded(self._addons.prices.withdraw_pack, pack, effective_from=effective_from, actor=actor)
