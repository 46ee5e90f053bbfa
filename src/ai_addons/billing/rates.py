"""Exchange rates for showing cost in cedis; never used to charge anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing.records import Rate
from ai_addons.money import scaled_rate

if TYPE_CHECKING:
    from ai_addons.settings import FxSettings


def static_rate(fx: FxSettings) -> Rate:
    """The configured rate with its day; written beside every cost it converts."""
    return Rate(scaled=scaled_rate(fx.ghs_per_usd), day=fx.as_of, source="static", stale=True)
