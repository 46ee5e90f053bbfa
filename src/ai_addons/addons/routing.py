"""`Routing`: which models answer."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

from ai_addons.accounts import Accounts
from ai_addons.errors import ConfigError
from ai_addons.llm.providers import KNOWN, find_key
from ai_addons.settings import BusinessSettings, FeatureSettings
from ai_addons.wiring import OFFLINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.catalog import FeatureSpec
    from ai_addons.settings import Settings

DEFAULT_MODELS: Final[Mapping[str, str]] = {
    "openai": "openai/gpt-6-luna",
    "anthropic": "anthropic/claude-haiku-5-5",
    "gemini": "gemini/gemini-2.5-flash-lite",
}
"""Small model per provider where no model is configured; the first provider with a key wins."""

S = TypeVar("S")


class Routing(Accounts):
    """Finds the models of a feature: those of the call, of the business, of the feature, of its tier."""

    settings: Settings

    def route(self, spec: FeatureSpec, model: str | None = None, *, business: str | None = None) -> tuple[str, ...]:
        """The models that would answer a feature, in order.

        The first that is there: the model of the call, the business's route of this feature,
        the feature's own, the business's tier, the tier.

        Args:
            spec: The feature.
            model: A tier or a model given for one call.
            business: For whom; None for one without models of its own.

        Raises:
            ConfigError: If the tier has no model, or the model lacks its provider.
        """
        if model is not None and "/" in model:
            return (model,)
        own = self._business_settings(business).features.get(spec.key) or self._feature_settings(spec.key).models
        if model is None and own is not None:
            return own
        try:
            return self.tier(model or spec.tier, business=business)
        except ConfigError as error:
            msg = f"Feature {spec.key!r}: {error}"
            raise ConfigError(msg) from None

    def tier(self, tier: str, *, business: str | None = None) -> tuple[str, ...]:
        """The models of a tier, in order.

        Args:
            tier: ``small`` or ``large``.
            business: For whom; None for one without models of its own.

        Raises:
            ConfigError: If there is no such tier, or it has no model.
        """
        models, own = self.settings.models, self._business_settings(business).models
        small, large = own.small or models.small, own.large or models.large
        if tier == "small":
            return small if small is not None else (self._default_model(),)
        if tier == "large" and large is not None:
            return large
        if tier == "large":
            msg = "no large model is configured. Nothing was charged. Set models.large, e.g. 'openai/gpt-6-sol'."
        else:
            msg = f"{tier!r} is neither a tier (small, large) nor a model with its provider. Nothing was charged."
        raise ConfigError(msg)

    def _default_model(self) -> str:
        """The first provider with a key; with none, the offline model, so that the first run works."""
        for provider in KNOWN:
            if find_key(provider, self.settings.providers.get(provider), self._wiring.environ):
                return DEFAULT_MODELS[provider]
        return OFFLINE

    def _business_settings(self, business: str | None) -> BusinessSettings:
        found = None if business is None else self.settings.businesses.get(business)
        return found or _blank(BusinessSettings)

    def _feature_settings(self, key: str) -> FeatureSettings:
        return self.settings.features.get(key) or _blank(FeatureSettings)


@cache
def _blank(kind: type[S]) -> S:
    """Settings of which nothing is set; they never change, so one serves every call."""
    return kind()
