"""The object a host makes once and everything is reached through, and which one calls use."""

from __future__ import annotations

from ai_addons.addons.installed import current, install
from ai_addons.addons.on_sale import PriceList
from ai_addons.addons.routing import DEFAULT_MODELS
from ai_addons.addons.whole import AddOns

__all__ = ["DEFAULT_MODELS", "AddOns", "PriceList", "current", "install"]
