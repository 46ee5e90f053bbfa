"""`AsyncLimits`: spending limits for async hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.aio.threads import threaded

if TYPE_CHECKING:
    from decimal import Decimal

    from ai_addons.addons import AddOns
    from ai_addons.billing.limiting import Switch
    from ai_addons.billing.limits import Limit, Scope, Window
    from ai_addons.money import Credits


class AsyncLimits:
    """Spending limits and the kill switch for async hosts."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def set(
        self,
        scope: Scope,
        window: Window,
        amount: str | int | Decimal | Credits,
        *,
        business: str | None = None,
        key: str | None = None,
        actor: str,
    ) -> None:
        """See `Limits.set`."""
        await threaded(self._addons.limits.set, scope, window, amount, business=business, key=key, actor=actor)

    async def remove(
        self, scope: Scope, window: Window, *, business: str | None = None, key: str | None = None, actor: str
    ) -> bool:
        """See `Limits.remove`."""
        return await threaded(self._addons.limits.remove, scope, window, business=business, key=key, actor=actor)

    async def of(self, business: str) -> list[Limit]:
        """See `Limits.of`."""
        return await threaded(self._addons.limits.of, business)

    async def paused(self, business: str | None = None) -> list[Switch]:
        """See `Limits.paused`."""
        return await threaded(self._addons.limits.paused, business)

    async def pause(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> None:
        """See `Limits.pause`."""
        await threaded(self._addons.limits.pause, business=business, feature=feature, actor=actor, reason=reason)

    async def resume(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> bool:
        """See `Limits.resume`."""
        return await threaded(
            self._addons.limits.resume, business=business, feature=feature, actor=actor, reason=reason
        )
