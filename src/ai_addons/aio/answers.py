"""`AsyncAnswers`: the answer cache for async hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.aio.threads import threaded

if TYPE_CHECKING:
    from ai_addons.addons import AddOns
    from ai_addons.answers import CacheStats


class AsyncAnswers:
    """The answer cache for async hosts."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def stats(self, business: str | None = None, days: int = 30) -> CacheStats:
        """See `Answers.stats`."""
        return await threaded(self._addons.answers.stats, business, days)

    async def clear(self, *, feature: str | None = None, business: str | None = None) -> int:
        """See `Answers.clear`."""
        return await threaded(self._addons.answers.clear, feature=feature, business=business)
