"""How often the answer cache answered, and what that saved; from the sums per day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_addons.billing.packs import share
from ai_addons.money import PicoUsd, usd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from ai_addons.billing.sql import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheUse:
    """Calls that the cache could have answered. For operators only.

    Attributes:
        feature: Key of the feature; empty for the total.
        cacheable: Calls with an answer, of features whose answers are kept.
        hits: Those that a stored answer was given to.
        saved: What the provider took, in pico-USD, when these answers were made.
    """

    feature: str
    cacheable: int
    hits: int
    saved: PicoUsd

    @property
    def misses(self) -> int:
        """Those that a model was asked for."""
        return self.cacheable - self.hits

    @property
    def hit_rate(self) -> Decimal | None:
        """Hits among cacheable calls, in thousandths; None without any."""
        return share(self.hits, self.cacheable) if self.cacheable else None

    @property
    def saved_usd(self) -> Decimal:
        """What was saved, in US dollars."""
        return usd(self.saved)


def cache_use(rows: Sequence[Row]) -> tuple[CacheUse, ...]:
    """Add up rows of `ai_usage_daily` by feature, in the order of their keys."""
    return tuple(
        _sum(feature, [row for row in rows if row.feature == feature]) for feature in sorted({r.feature for r in rows})
    )


def total_use(uses: Sequence[CacheUse]) -> CacheUse:
    """All of them together."""
    return CacheUse(
        feature="",
        cacheable=sum(use.cacheable for use in uses),
        hits=sum(use.hits for use in uses),
        saved=PicoUsd(sum(use.saved for use in uses)),
    )


def _sum(feature: str, rows: Sequence[Row]) -> CacheUse:
    return CacheUse(
        feature=feature,
        cacheable=sum(row.cacheable for row in rows),
        hits=sum(row.cached for row in rows),
        saved=PicoUsd(sum(row.saved_pico_usd for row in rows)),
    )
