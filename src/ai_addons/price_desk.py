"""`Prices`: what operators publish of prices and packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing.periods import in_micros
from ai_addons.billing.published import Costing
from ai_addons.catalog import BUILT_IN

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from ai_addons.addons.on_sale import OnSale
    from ai_addons.billing.prices import PriceVersion
    from ai_addons.billing.pricing import Pricing
    from ai_addons.billing.published import Published, PublishedPack
    from ai_addons.catalog import FeatureSpec, Listing, Pack
    from ai_addons.money import Credits


class Prices:
    """Prices and packs with a date from which they hold; every change is kept with its actor."""

    def __init__(self, addons: OnSale, pricing: Pricing) -> None:
        self._addons = addons
        self._pricing = pricing

    def listing(self, spec: FeatureSpec) -> Listing:
        """A feature at the price that holds now: published, else of the settings, else its own.

        Args:
            spec: The feature.

        Raises:
            UnpricedFeature: If it has no price.
        """
        published = self._pricing.price(spec.key)
        own = {} if published is None else {spec.key: published.credits}
        return spec.listing({**self._addons.settings.prices.features, **own})

    def publish(
        self,
        feature: str,
        credits: str | int | Decimal | Credits,  # noqa: A002  # the word of the price list
        *,
        effective_from: datetime | None = None,
        loss_leader: bool = False,
        actor: str,
    ) -> Published:
        """Publish what a call of a feature costs; it wins over settings and code. Open holds keep their price.

        Args:
            feature: Its key.
            credits: Credits a call; zero for a free feature.
            effective_from: First instant it holds, with its zone; None for now.
            loss_leader: Whether a price below its floor is meant.
            actor: Who decided.

        Raises:
            UnknownFeature: If no such feature is declared.
            PriceBelowFloor: If the price is below its floor; nothing was published.
            IdempotencyConflict: If another price of this feature begins at that instant.
            ValueError: For a time in the past, or a negative price.
        """
        spec = self._addons.feature(feature)
        return self._pricing.publish(
            feature,
            credits,
            effective_from=in_micros(effective_from),
            expected_cost=self._addons.expected_cost(spec),
            built_in=feature in BUILT_IN,
            loss_leader=loss_leader or spec.loss_leader,
            actor=actor,
        )

    def history(self, feature: str) -> list[PriceVersion]:
        """Every published price of a feature, by the time it began or begins."""
        return self._pricing.history(feature)

    def publish_pack(self, pack: Pack, *, effective_from: datetime | None = None, actor: str) -> PublishedPack:
        """Publish a pack under every policy: a new one, or one in place of the pack of its type.

        Args:
            pack: The pack.
            effective_from: First instant it is sold, with its zone; None for now.
            actor: Who decided.

        Raises:
            PriceBelowFloor: If a feature's price would fall below its floor; nothing was published.
            IdempotencyConflict: If another version of this pack begins at that instant.
            ValueError: For a time in the past, or a pack whose credits would have no price.
        """
        features = [
            Costing(
                feature=spec.key,
                credits=spec.listing(self._addons.settings.prices.features).credits,
                expected_cost=self._addons.expected_cost(spec),
                built_in=spec.key in BUILT_IN,
                loss_leader=spec.loss_leader,
            )
            for spec in self._addons.features()
        ]
        begins = in_micros(effective_from)
        return self._pricing.publish_pack(pack, effective_from=begins, features=features, actor=actor)

    def withdraw_pack(self, pack: str, *, effective_from: datetime | None = None, actor: str) -> PublishedPack:
        """Take a pack off sale under every policy; credits bought with it stay good.

        Args:
            pack: Its type, e.g. ``STARTER``.
            effective_from: First instant it is not sold, with its zone; None for now.
            actor: Who decided.

        Raises:
            IdempotencyConflict: If another version of this pack begins at that instant.
            ValueError: For a time in the past, or a pack that is not on sale then.
        """
        return self._pricing.withdraw_pack(pack, effective_from=in_micros(effective_from), actor=actor)
