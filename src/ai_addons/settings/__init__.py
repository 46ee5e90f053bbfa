"""Every setting, read from keywords, the environment, TOML and defaults, in that order.

======================== ======================================================
keyword                  ``Settings(models={"small": "openai/gpt-6-luna"})``
environment              ``AI_ADDONS_MODELS__SMALL=openai/gpt-6-luna``
``ai_addons.toml``       ``[models]`` / ``small = "openai/gpt-6-luna"``
``pyproject.toml``       the same under ``[tool.ai_addons]``
======================== ======================================================

A key nobody knows is an error with a suggestion: a setting that is silently
ignored is how a shop ends up paying for the wrong model.
"""

from __future__ import annotations

from ai_addons.settings.base import ENV_PREFIX
from ai_addons.settings.billing import BillingSettings, BudgetSettings, LimitSettings, StoreSettings
from ai_addons.settings.cache import CacheSettings, Eviction
from ai_addons.settings.calls import HOLD_MARGIN, BatchSettings, BreakerSettings, CallSettings
from ai_addons.settings.events import EventSettings, WebhookSettings
from ai_addons.settings.features import BusinessSettings, FeatureSettings, Thinking
from ai_addons.settings.mistakes import did_you_mean
from ai_addons.settings.models import ModelSettings, OfflineSettings, ProviderSettings
from ai_addons.settings.payments import (
    GatewaySettings,
    PaymentSettings,
    ReceiptSettings,
    TaxPeriodSettings,
    TaxRuleSettings,
)
from ai_addons.settings.prices import FxSettings, ModelPriceSettings, PriceSettings
from ai_addons.settings.privacy import FeaturePrivacySettings, Handling, Oversize, PresidioSettings, PrivacySettings
from ai_addons.settings.values import (
    Amount,
    Duration,
    Names,
    Percentage,
    Rollout,
    Route,
    Secret,
    Usd,
    Zone,
    read_duration,
)
from ai_addons.settings.web import WebSettings
from ai_addons.settings.whole import TOML_FILE, Settings, setting_paths

__all__ = [
    "ENV_PREFIX",
    "HOLD_MARGIN",
    "TOML_FILE",
    "Amount",
    "BatchSettings",
    "BillingSettings",
    "BreakerSettings",
    "BudgetSettings",
    "BusinessSettings",
    "CacheSettings",
    "CallSettings",
    "Duration",
    "EventSettings",
    "Eviction",
    "FeaturePrivacySettings",
    "FeatureSettings",
    "FxSettings",
    "GatewaySettings",
    "Handling",
    "LimitSettings",
    "ModelPriceSettings",
    "ModelSettings",
    "Names",
    "OfflineSettings",
    "Oversize",
    "PaymentSettings",
    "Percentage",
    "PresidioSettings",
    "PriceSettings",
    "PrivacySettings",
    "ProviderSettings",
    "ReceiptSettings",
    "Rollout",
    "Route",
    "Secret",
    "Settings",
    "StoreSettings",
    "TaxPeriodSettings",
    "TaxRuleSettings",
    "Thinking",
    "Usd",
    "WebSettings",
    "WebhookSettings",
    "Zone",
    "did_you_mean",
    "read_duration",
    "setting_paths",
]
