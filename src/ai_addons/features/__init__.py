"""The built-in features, one module each; none of them knows another."""

from ai_addons.features._result import Fact, FeatureResult, Notice

__all__ = ["Fact", "FeatureResult", "Notice"]
