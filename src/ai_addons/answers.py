"""The stored answers as operators see them: how full, how useful, and how to be rid of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.hits import total_use
from ai_addons.billing.records import check_id
from ai_addons.cache.base import CacheFault, CacheSize, Measured
from ai_addons.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from ai_addons.billing.hits import CacheUse
    from ai_addons.wiring import Wiring


_NOBODYS: Final = "ai_addons:reachable"
"""A key that no answer has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStats:
    """The answer cache at a glance. For operators only.

    Attributes:
        backend: Where answers are kept.
        entries: How many are stored now; None if the cache cannot say.
        size_bytes: What they take; None if the cache cannot say.
        period_days: Of how many days the rest is, today included.
        cacheable: Calls with an answer, of features whose answers are kept.
        hits: Those that a stored answer was given to.
        misses: Those that a model was asked for.
        hit_rate: Hits among cacheable calls, in thousandths; None without any.
        saved_usd: What the provider took, in US dollars, when these answers were made.
        features: The same by feature.
    """

    backend: str
    entries: int | None
    size_bytes: int | None
    period_days: int
    cacheable: int
    hits: int
    misses: int
    hit_rate: Decimal | None
    saved_usd: Decimal
    features: tuple[CacheUse, ...]


class Answers:
    """The answer cache of an installation; reached as ``addons.answers``."""

    def __init__(self, wiring: Wiring, used: Callable[[str | None, int], tuple[CacheUse, ...]]) -> None:
        self._wiring = wiring
        self._used = used

    def stats(self, business: str | None = None, days: int = 30) -> CacheStats:
        """How full the cache is, and how useful it was.

        Args:
            business: Whose calls are counted; None for those of all businesses.
            days: 1 to 366.

        Raises:
            StoreUnavailable: If the books cannot be read.
        """
        features = self._used(business, days)
        total, size = total_use(features), self._size()
        return CacheStats(
            backend=self._wiring.settings.cache.backend,
            entries=None if size is None else size.entries,
            size_bytes=None if size is None else size.size,
            period_days=days,
            cacheable=total.cacheable,
            hits=total.hits,
            misses=total.misses,
            hit_rate=total.hit_rate,
            saved_usd=total.saved_usd,
            features=features,
        )

    def clear(self, *, feature: str | None = None, business: str | None = None) -> int:
        """Drop stored answers: all of them, or those of a feature, of a business, or of a feature in a business.

        Answers that businesses share belong to none of them: only the feature's name drops these.

        Returns:
            How many went.

        Raises:
            StoreUnavailable: If the cache cannot be used; some answers may be left.
        """
        if business is not None:
            check_id(business, "a business id")
        cache = self._wiring.desk().kit.cache
        if cache is None:
            return 0
        tag = None if business is None else self._wiring.keys().tag(business)
        try:
            return cache.evict(tag, prefix="" if feature is None else f"{feature}:")
        except CacheFault as fault:
            msg = f"Stored answers could not be dropped: {fault}. Nothing was charged. Try again when it can be used."
            raise StoreUnavailable(msg) from None

    def fault(self) -> str | None:
        """What is wrong with the cache, in words; None if it can be read, or there is none."""
        cache = self._wiring.desk().kit.cache
        if cache is not None:
            try:
                cache.get(_NOBODYS)
            except CacheFault as fault:
                return str(fault)
        return None

    def _size(self) -> CacheSize | None:
        cache = self._wiring.desk().kit.cache
        if not isinstance(cache, Measured):
            return None
        try:
            return cache.size()
        except CacheFault:
            return None
