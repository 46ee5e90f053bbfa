"""Paid, optional AI features for a point-of-sale system.

Importing this package loads none of its heavy parts; each public name is
looked up at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ai_addons.addons import AddOns as AddOns
    from ai_addons.addons import install as install
    from ai_addons.batch import BatchInterrupted as BatchInterrupted
    from ai_addons.batch import BatchItem as BatchItem
    from ai_addons.batch import BatchProgress as BatchProgress
    from ai_addons.batch import BatchResult as BatchResult
    from ai_addons.batch import BoundCall as BoundCall
    from ai_addons.billing.profile import BusinessProfile as BusinessProfile
    from ai_addons.billing.progress import WorkProgress as WorkProgress
    from ai_addons.calling import AsyncFeature as AsyncFeature
    from ai_addons.calling import Feature as Feature
    from ai_addons.calling import bill_to as bill_to
    from ai_addons.catalog import Offer as Offer
    from ai_addons.catalog import Pack as Pack
    from ai_addons.errors import AddonConflict as AddonConflict
    from ai_addons.errors import AddonNotOffered as AddonNotOffered
    from ai_addons.errors import AddOnsError as AddOnsError
    from ai_addons.errors import BadOutput as BadOutput
    from ai_addons.errors import BadSignature as BadSignature
    from ai_addons.errors import BillingError as BillingError
    from ai_addons.errors import BudgetSpent as BudgetSpent
    from ai_addons.errors import CallError as CallError
    from ai_addons.errors import ConfigError as ConfigError
    from ai_addons.errors import ContentBlocked as ContentBlocked
    from ai_addons.errors import FeatureExists as FeatureExists
    from ai_addons.errors import GatewayError as GatewayError
    from ai_addons.errors import HoldExpired as HoldExpired
    from ai_addons.errors import IdempotencyConflict as IdempotencyConflict
    from ai_addons.errors import InsufficientCreditsError as InsufficientCreditsError
    from ai_addons.errors import LedgerConflict as LedgerConflict
    from ai_addons.errors import LimitReached as LimitReached
    from ai_addons.errors import NoPayer as NoPayer
    from ai_addons.errors import NotEnabled as NotEnabled
    from ai_addons.errors import NotFinished as NotFinished
    from ai_addons.errors import NotFound as NotFound
    from ai_addons.errors import Paused as Paused
    from ai_addons.errors import PaymentDeclined as PaymentDeclined
    from ai_addons.errors import PaymentError as PaymentError
    from ai_addons.errors import PaymentMismatch as PaymentMismatch
    from ai_addons.errors import PaymentPending as PaymentPending
    from ai_addons.errors import PriceBelowFloor as PriceBelowFloor
    from ai_addons.errors import PrivacyRefused as PrivacyRefused
    from ai_addons.errors import ProviderRejected as ProviderRejected
    from ai_addons.errors import ProviderTimeout as ProviderTimeout
    from ai_addons.errors import ProviderUnavailable as ProviderUnavailable
    from ai_addons.errors import StaleRate as StaleRate
    from ai_addons.errors import StoreUnavailable as StoreUnavailable
    from ai_addons.errors import TrialClaimed as TrialClaimed
    from ai_addons.errors import UnknownFeature as UnknownFeature
    from ai_addons.errors import UnknownPlugin as UnknownPlugin
    from ai_addons.errors import UnpricedFeature as UnpricedFeature
    from ai_addons.errors import UnpricedModel as UnpricedModel
    from ai_addons.errors import WalletSuspended as WalletSuspended
    from ai_addons.feature import PrivacyPolicy as PrivacyPolicy
    from ai_addons.feature import billed_feature as billed_feature
    from ai_addons.money import Credits as Credits
    from ai_addons.money import Money as Money
    from ai_addons.privacy.fields import AMOUNT_BANDS as AMOUNT_BANDS
    from ai_addons.privacy.fields import DAY_BANDS as DAY_BANDS
    from ai_addons.privacy.fields import Bucket as Bucket
    from ai_addons.privacy.fields import DateBucket as DateBucket
    from ai_addons.privacy.fields import FreeText as FreeText
    from ai_addons.privacy.fields import Pii as Pii
    from ai_addons.privacy.fields import Public as Public
    from ai_addons.prompt import Prompt as Prompt
    from ai_addons.prompt import Steps as Steps
    from ai_addons.prompt import ask as ask
    from ai_addons.receipt import Billed as Billed
    from ai_addons.receipt import Quote as Quote
    from ai_addons.receipt import Receipt as Receipt
    from ai_addons.receipt import receipts as receipts
    from ai_addons.settings import Settings as Settings
    from ai_addons.streams import AsyncTextStream as AsyncTextStream
    from ai_addons.streams import TextStream as TextStream
    from ai_addons.till import Till as Till

_HOMES = {
    "addons": ("AddOns", "install"),
    "batch": ("BatchInterrupted", "BatchItem", "BatchProgress", "BatchResult", "BoundCall"),
    "billing.profile": ("BusinessProfile",),
    "calling": ("AsyncFeature", "Feature", "bill_to"),
    "billing.progress": ("WorkProgress",),
    "catalog": ("Offer", "Pack"),
    "errors": (
        "AddOnsError",
        "AddonConflict",
        "AddonNotOffered",
        "BadOutput",
        "BadSignature",
        "StaleRate",
        "PaymentPending",
        "PaymentMismatch",
        "PaymentError",
        "PaymentDeclined",
        "GatewayError",
        "BillingError",
        "BudgetSpent",
        "CallError",
        "ConfigError",
        "ContentBlocked",
        "FeatureExists",
        "HoldExpired",
        "IdempotencyConflict",
        "InsufficientCreditsError",
        "LedgerConflict",
        "LimitReached",
        "NoPayer",
        "NotEnabled",
        "NotFinished",
        "NotFound",
        "Paused",
        "PriceBelowFloor",
        "PrivacyRefused",
        "ProviderRejected",
        "ProviderTimeout",
        "ProviderUnavailable",
        "StoreUnavailable",
        "TrialClaimed",
        "UnknownFeature",
        "UnknownPlugin",
        "UnpricedFeature",
        "UnpricedModel",
        "WalletSuspended",
    ),
    "feature": ("PrivacyPolicy", "billed_feature"),
    "money": ("Credits", "Money"),
    "privacy.fields": ("AMOUNT_BANDS", "DAY_BANDS", "Bucket", "DateBucket", "FreeText", "Pii", "Public"),
    "prompt": ("Prompt", "Steps", "ask"),
    "receipt": ("Billed", "Quote", "Receipt", "receipts"),
    "settings": ("Settings",),
    "streams": ("AsyncTextStream", "TextStream"),
    "till": ("Till",),
}
_HOME = {name: f"ai_addons.{module}" for module, names in _HOMES.items() for name in names}

__all__ = [
    "AMOUNT_BANDS",
    "DAY_BANDS",
    "AddOns",
    "AddOnsError",
    "AddonConflict",
    "AddonNotOffered",
    "AsyncFeature",
    "AsyncTextStream",
    "BadOutput",
    "BadSignature",
    "BatchInterrupted",
    "BatchItem",
    "BatchProgress",
    "BatchResult",
    "Billed",
    "BillingError",
    "BoundCall",
    "Bucket",
    "BudgetSpent",
    "BusinessProfile",
    "CallError",
    "ConfigError",
    "ContentBlocked",
    "Credits",
    "DateBucket",
    "Feature",
    "FeatureExists",
    "FreeText",
    "GatewayError",
    "HoldExpired",
    "IdempotencyConflict",
    "InsufficientCreditsError",
    "LedgerConflict",
    "LimitReached",
    "Money",
    "NoPayer",
    "NotEnabled",
    "NotFinished",
    "NotFound",
    "Offer",
    "Pack",
    "Paused",
    "PaymentDeclined",
    "PaymentError",
    "PaymentMismatch",
    "PaymentPending",
    "Pii",
    "PriceBelowFloor",
    "PrivacyPolicy",
    "PrivacyRefused",
    "Prompt",
    "ProviderRejected",
    "ProviderTimeout",
    "ProviderUnavailable",
    "Public",
    "Quote",
    "Receipt",
    "Settings",
    "StaleRate",
    "Steps",
    "StoreUnavailable",
    "TextStream",
    "Till",
    "TrialClaimed",
    "UnknownFeature",
    "UnknownPlugin",
    "UnpricedFeature",
    "UnpricedModel",
    "WalletSuspended",
    "WorkProgress",
    "ask",
    "bill_to",
    "billed_feature",
    "install",
    "receipts",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # module attributes have many types
    """Load a public name from its module, once."""
    if name not in _HOME:
        msg = f"module 'ai_addons' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Show the public names."""
    return sorted(_HOME)
