"""What is different for one feature, or for one business."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypeAlias

from pydantic import Field

from ai_addons.settings.base import Section
from ai_addons.settings.models import ModelSettings
from ai_addons.settings.privacy import FeaturePrivacySettings
from ai_addons.settings.values import Duration, Rollout, Route

Thinking: TypeAlias = Literal["off", "low", "medium", "high"]
"""How much a model thinks before it answers; thinking is billed as output."""


class FeatureSettings(Section):
    """Changes to one feature, without touching its code."""

    models: Route | None = None
    """Route for this feature instead of its tier's."""
    cache: Duration | Literal["off"] | None = None
    """How long its answers are kept, or ``"off"``."""
    stale_for: Duration = Field(default=timedelta(0), ge=timedelta(0))
    """How much longer an answer may do where no model has one; then it is free, and its receipt says stale."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Output cap in tokens."""
    thinking: Thinking | None = None
    """How much the model thinks before it answers; room for it is added to the cap. None: as the feature says."""
    fold: int | None = Field(default=None, ge=1, le=20)
    """How many calls of it one request may carry in a batch; 1 for each alone. None: as the feature says."""
    enabled: Rollout = True
    """True, False, the list of businesses it is on for, or a percentage of them, e.g. ``"10%"``."""
    privacy: FeaturePrivacySettings = FeaturePrivacySettings()
    """What happens to personal data in it."""


class BusinessSettings(Section):
    """Which models answer one business; what it does not name is as for all others."""

    models: ModelSettings = ModelSettings()
    """Models per tier, for features that have no route of their own."""
    features: dict[str, Route] = Field(default_factory=dict)
    """Route by feature key; wins over ``features.NAME.models``."""
