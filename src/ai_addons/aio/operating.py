"""`AsyncOperating`: the operations of `Operating` for async hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.aio.threads import threaded
from ai_addons.billing.margin import PAYMENT_FEE

if TYPE_CHECKING:
    from decimal import Decimal

    from ai_addons.addons import AddOns
    from ai_addons.billing.jobs import JobRun
    from ai_addons.billing.limiting import Switch
    from ai_addons.billing.overviews import Calls, DayEarned, Earners, Funnel, Waiting


class AsyncOperating:
    """All businesses together, for async hosts; for operators only."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def calls(self, days: int = 30) -> Calls:
        """See `Operating.calls`."""
        return await threaded(self._addons.operating.calls, days)

    async def sum_up(self, most: int = 31) -> int:
        """See `Operating.sum_up`."""
        return await threaded(self._addons.operating.sum_up, most)

    async def days(self, days: int = 30) -> tuple[DayEarned, ...]:
        """See `Operating.days`."""
        return await threaded(self._addons.operating.days, days)

    async def earners(self, days: int = 30, most: int = 20, *, fee: Decimal = PAYMENT_FEE) -> Earners:
        """See `Operating.earners`."""
        return await threaded(self._addons.operating.earners, days, most, fee=fee)

    async def funnel(self, days: int = 30) -> Funnel:
        """See `Operating.funnel`."""
        return await threaded(self._addons.operating.funnel, days)

    async def now(self) -> int:
        """See `Operating.now`."""
        return await threaded(self._addons.operating.now)

    async def backlog(self) -> tuple[Waiting, ...]:
        """See `Operating.backlog`."""
        return await threaded(self._addons.operating.backlog)

    async def jobs(self) -> tuple[JobRun, ...]:
        """See `Operating.jobs`."""
        return await threaded(self._addons.operating.jobs)

    async def switches(self) -> tuple[Switch, ...]:
        """See `Operating.switches`."""
        return await threaded(self._addons.operating.switches)
