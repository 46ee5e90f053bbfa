"""The test kit: fakes, wire-level routes and fixtures for whoever builds on the SDK."""

from ai_addons.testing.fakes import ManualClock
from ai_addons.testing.kit import kit_settings
from ai_addons.testing.model import FakeLlm, ModelCall

__all__ = ["FakeLlm", "ManualClock", "ModelCall", "kit_settings"]
