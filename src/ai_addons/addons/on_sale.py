"""`OnSale`: the features of this process, what they cost, and the price list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_addons import plugins
from ai_addons.addons.routing import Routing
from ai_addons.billing.margin import expected_cost
from ai_addons.billing.rates import static_rate
from ai_addons.billing.storefronts import STOREFRONT_PLAN, StorefrontPlan
from ai_addons.errors import UnknownFeature
from ai_addons.llm.thinking import room
from ai_addons.money import Credits, to_micro_ghs
from ai_addons.price_desk import Prices
from ai_addons.rollout import is_on
from ai_addons.wiring import OFFLINE

if TYPE_CHECKING:
    from ai_addons.billing.packs import CustomPack
    from ai_addons.billing.policy import AddonPlan
    from ai_addons.catalog import FeatureSpec, Listing, Pack, Registry
    from ai_addons.llm.costs import PriceBook
    from ai_addons.money import MicroGhs
    from ai_addons.settings import Thinking


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """What is on sale.

    Attributes:
        features: Each with its price in credits.
        packs: Credits sold together, cheapest first.
        custom: The pack of any size, None if there is none.
        addon: The monthly add-on, None if there is none.
        storefronts: What the point-of-sale system itself costs; quoted, never collected.
    """

    features: tuple[Listing, ...]
    packs: tuple[Pack, ...]
    custom: CustomPack | None = None
    addon: AddonPlan | None = None
    storefronts: StorefrontPlan = STOREFRONT_PLAN


class OnSale(Routing):
    """Features and packs, with their prices."""

    _registry: Registry

    @property
    def model_prices(self) -> PriceBook:
        """What models cost us."""
        return self._wiring.prices

    @property
    def prices(self) -> Prices:
        """Prices and packs published with a date from which they hold."""
        return Prices(self, self._wiring.pricing)

    def price_list(self, business: str | None = None) -> PriceList:
        """All features and packs on sale.

        Args:
            business: For whom: the features that are on for it, and the packs of its billing policy. None for all
                features that are on for anybody, and the packs of the default policy.
        """
        policy = self.policy if business is None else self._wiring.policy_named(self.wallet(business).policy)
        listings = tuple(self.prices.listing(spec) for spec in self.features(business))
        packs = self._wiring.pricing.packs(policy)
        return PriceList(features=listings, packs=packs, custom=policy.custom, addon=policy.addon)

    def expected_cost(self, spec: FeatureSpec) -> MicroGhs | None:
        """Provider cost of a typical call in micro-GHS; None if its size or the price of its model is unknown."""
        model = self.route(spec)[0]
        row = self.model_prices.row(model)
        # The offline model costs nothing and earns nothing: what it answers is not for sale.
        if spec.tokens is None or row is None or model == OFFLINE:
            return None
        asked, answered = spec.tokens
        # How much of its room the thinking takes is not known before: all of it is counted.
        tokens = (asked, answered + room(self._thinking(spec)))
        return to_micro_ghs(expected_cost(tokens, row.input, row.output), static_rate(self.settings.fx).scaled)

    def _thinking(self, spec: FeatureSpec) -> Thinking:
        return self._feature_settings(spec.key).thinking or spec.thinking

    def _name_of(self, key: str) -> str:
        """What a feature is called; its key where it is not known any more."""
        free = {key: Credits(0)}  # a name needs no price
        return next((spec.listing(free).name for spec in self.all_features() if spec.key == key), key)

    def feature(self, key: str) -> FeatureSpec:
        """A feature by its key.

        Raises:
            UnknownFeature: If no such feature is declared.
        """
        for spec in self.all_features():
            if spec.key == key:
                return spec
        raise UnknownFeature

    def features(self, business: str | None = None) -> tuple[FeatureSpec, ...]:
        """All features this process knows and has switched on.

        Args:
            business: For whom; None for all that are on for anybody.
        """
        return tuple(spec for spec in self.all_features() if self._is_enabled(spec.key, business))

    def _is_enabled(self, key: str, business: str | None) -> bool:
        return is_on(self._feature_settings(key).enabled, key, business)

    def all_features(self) -> tuple[FeatureSpec, ...]:
        """All features this process knows, switched off ones too."""
        self._load_features()
        return self._registry.specs()

    @staticmethod
    def _load_features() -> None:
        """Declare the features that installed packages offer, the built-in ones among them."""
        for feature in plugins.load_all("features"):
            # Loading declares too, but only the first time; a test may have ended since.
            feature.declare()
