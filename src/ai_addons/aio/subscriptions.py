"""`AsyncSubscriptions`: monthly add-ons for async hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.aio.threads import threaded

if TYPE_CHECKING:
    from ai_addons.addons import AddOns
    from ai_addons.billing.records import (
        SubscriptionBooking,
    )


class AsyncSubscriptions:
    """Monthly add-ons for async hosts."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def subscribe(self, business: str, *, paid: bool = False) -> SubscriptionBooking:
        """See `Subscriptions.subscribe`."""
        return await threaded(self._addons.subscriptions.subscribe, business, paid=paid)

    async def pay(self, business: str, *, period: int | None = None) -> SubscriptionBooking:
        """See `Subscriptions.pay`."""
        return await threaded(self._addons.subscriptions.pay, business, period=period)

    async def cancel(self, business: str, *, immediate: bool = False) -> SubscriptionBooking:
        """See `Subscriptions.cancel`."""
        return await threaded(self._addons.subscriptions.cancel, business, immediate=immediate)

    async def resume(self, business: str) -> SubscriptionBooking:
        """See `Subscriptions.resume`."""
        return await threaded(self._addons.subscriptions.resume, business)
