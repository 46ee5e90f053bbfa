"""The test kit: fakes, wire-level routes and fixtures for whoever builds on the SDK."""

from ai_addons.testing.cassette import CassetteError
from ai_addons.testing.fakes import ManualClock
from ai_addons.testing.kit import kit_settings
from ai_addons.testing.live import LiveBudgetSpent
from ai_addons.testing.model import FakeLlm
from ai_addons.testing.payer import FundedPayer
from ai_addons.testing.sent import ModelCall

__all__ = [
    "CassetteError",
    "FakeLlm",
    "FundedPayer",
    "LiveBudgetSpent",
    "ManualClock",
    "ModelCall",
    "kit_settings",
]
