"""`AsyncFigures` and `AsyncOperating`: the operations of `Figures` and `Operating` for async hosts."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Literal, TextIO, TypeVar, overload

from ai_addons.billing.bills.comparing import TOLERANCE
from ai_addons.billing.margin import PAYMENT_FEE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime
    from decimal import Decimal
    from random import Random

    from ai_addons.addons import AddOns
    from ai_addons.billing.bills.comparing import BillComparison
    from ai_addons.billing.exported import TableName
    from ai_addons.billing.exporting import FileFormat, TextFormat
    from ai_addons.billing.feedback import Feedback
    from ai_addons.billing.forecast import SpendForecast
    from ai_addons.billing.jobs import JobRun
    from ai_addons.billing.kpis import Kpis
    from ai_addons.billing.limiting import Switch
    from ai_addons.billing.margin_report import MarginReport
    from ai_addons.billing.operating import Calls, DayEarned, Earners, Funnel, Waiting
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.ratings import RatingsReport
    from ai_addons.billing.records import AuditEntry
    from ai_addons.billing.retention import Retained
    from ai_addons.figures import Figures

T = TypeVar("T")


class AsyncFigures:
    """The operations of `Figures` for async hosts; each runs in a worker thread."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    async def kpis(
        self,
        days: int = 30,
        *,
        ask_gateways: bool = False,
        active_before: Collection[str] | None = None,
        rng: Random | None = None,
    ) -> Kpis:
        """See `Figures.kpis`."""
        ask = partial(self._figures.kpis, days, ask_gateways=ask_gateways, active_before=active_before, rng=rng)
        return await threaded(ask)

    async def margin_report(self, days: int = 30, *, business: str | None = None) -> MarginReport:
        """See `Figures.margin_report`."""
        return await threaded(partial(self._figures.margin_report, days, business=business))

    async def spend_forecast(self, *, rng: Random | None = None) -> SpendForecast:
        """See `Figures.spend_forecast`."""
        return await threaded(partial(self._figures.spend_forecast, rng=rng))

    async def feedback(
        self,
        business: str,
        transaction_id: str,
        *,
        user: str | None = None,
        rating: int | None = None,
        recommend: int | None = None,
        comment: str | None = None,
    ) -> Feedback:
        """See `Figures.feedback`."""
        say = partial(self._figures.feedback, business, transaction_id, user=user, rating=rating)
        return await threaded(partial(say, recommend=recommend, comment=comment))

    async def ratings(
        self,
        *,
        since: datetime | None = None,
        business: str | None = None,
        feature: str | None = None,
        comments: int = 10,
    ) -> RatingsReport:
        """See `Figures.ratings`."""
        read = partial(self._figures.ratings, since=since, business=business, feature=feature, comments=comments)
        return await threaded(read)

    async def reconcile_bill(self, provider: str, content: bytes, *, tolerance: Decimal = TOLERANCE) -> BillComparison:
        """See `Figures.reconcile_bill`."""
        return await threaded(partial(self._figures.reconcile_bill, provider, content, tolerance=tolerance))

    @overload
    async def export(
        self,
        table: TableName,
        file: TextIO,
        *,
        actor: str,
        form: TextFormat = ...,
        business: str | None = ...,
        since: datetime | None = ...,
        until: datetime | None = ...,
        on_progress: OnProgress | None = ...,
    ) -> int: ...
    @overload
    async def export(
        self,
        table: TableName,
        file: BinaryIO,
        *,
        actor: str,
        form: Literal["parquet"],
        business: str | None = ...,
        since: datetime | None = ...,
        until: datetime | None = ...,
        on_progress: OnProgress | None = ...,
    ) -> int: ...
    async def export(  # as of the sync twin
        self,
        table: TableName,
        file: TextIO | BinaryIO,
        *,
        actor: str,
        form: FileFormat = "csv",
        business: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        on_progress: OnProgress | None = None,
    ) -> int:
        """See `Figures.export`."""
        # Which of its two forms it is, was said by whoever called.
        export: Callable[..., int] = self._figures.export
        write = partial(export, table, file, actor=actor, form=form, business=business)
        return await threaded(partial(write, since=since, until=until, on_progress=on_progress))

    async def apply_retention(self, *, actor: str, on_progress: OnProgress | None = None) -> Retained:
        """See `Figures.apply_retention`."""
        return await threaded(partial(self._figures.apply_retention, actor=actor, on_progress=on_progress))

    async def note_action(self, actor: str, action: str, *, business: str = "", **detail: object) -> None:
        """See `Figures.note_action`."""
        await threaded(partial(self._figures.note_action, actor, action, business=business, **detail))

    async def audit_log(self, days: int = 30) -> list[AuditEntry]:
        """See `Figures.audit_log`."""
        return await threaded(partial(self._figures.audit_log, days))


class AsyncOperating:
    """All businesses together, for async hosts; for operators only."""

    def __init__(self, addons: AddOns) -> None:
        self._addons = addons

    async def calls(self, days: int = 30) -> Calls:
        """See `Operating.calls`."""
        return await threaded(partial(self._addons.operating.calls, days))

    async def sum_up(self, most: int = 31) -> int:
        """See `Operating.sum_up`."""
        return await threaded(partial(self._addons.operating.sum_up, most))

    async def days(self, days: int = 30) -> tuple[DayEarned, ...]:
        """See `Operating.days`."""
        return await threaded(partial(self._addons.operating.days, days))

    async def earners(self, days: int = 30, most: int = 20, *, fee: Decimal = PAYMENT_FEE) -> Earners:
        """See `Operating.earners`."""
        return await threaded(partial(self._addons.operating.earners, days, most, fee=fee))

    async def funnel(self, days: int = 30) -> Funnel:
        """See `Operating.funnel`."""
        return await threaded(partial(self._addons.operating.funnel, days))

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


async def threaded(work: Callable[[], T]) -> T:
    """Run blocking work beside the event loop, in the caller's context."""
    return await asyncio.get_running_loop().run_in_executor(None, partial(copy_context().run, work))
