"""`AsyncFigures`: the operations of `Figures` for async hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Literal, TextIO, overload

from ai_addons.aio.threads import threaded
from ai_addons.billing.bills.comparing import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import date, datetime
    from decimal import Decimal
    from random import Random

    from ai_addons.billing.bills.comparing import BillComparison
    from ai_addons.billing.exported import TableName
    from ai_addons.billing.exporting import FileFormat, TextFormat
    from ai_addons.billing.feedback import Feedback
    from ai_addons.billing.forecast import SpendForecast
    from ai_addons.billing.kpis import Kpis
    from ai_addons.billing.margin import MarginTable
    from ai_addons.billing.margin_report import MarginReport
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.ratings import RatingsReport
    from ai_addons.billing.records import AuditEntry
    from ai_addons.billing.retention import Retained
    from ai_addons.billing.spending import WindowSpending
    from ai_addons.billing.statements import Statement
    from ai_addons.billing.usage import DayUsage, Usage
    from ai_addons.figures import Figures


class AsyncFigures:
    """The operations of `Figures` for async hosts; each runs in a worker thread."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    async def usage(self, business: str, days: int = 30) -> Usage:
        """See `Figures.usage`."""
        return await threaded(self._figures.usage, business, days)

    async def usage_by_day(self, business: str, first: date, last: date) -> tuple[DayUsage, ...]:
        """See `Figures.usage_by_day`."""
        return await threaded(self._figures.usage_by_day, business, first, last)

    async def margins(self, business: str | None = None, days: int = 30) -> MarginTable:
        """See `Figures.margins`."""
        return await threaded(self._figures.margins, business, days)

    async def spending(self) -> tuple[WindowSpending, ...]:
        """See `Figures.spending`."""
        return await threaded(self._figures.spending)

    async def statement(self, business: str, first: date, last: date) -> Statement:
        """See `Figures.statement`."""
        return await threaded(self._figures.statement, business, first, last)

    async def kpis(
        self,
        days: int = 30,
        *,
        ask_gateways: bool = False,
        active_before: Collection[str] | None = None,
        rng: Random | None = None,
    ) -> Kpis:
        """See `Figures.kpis`."""
        return await threaded(self._figures.kpis, days, ask_gateways=ask_gateways, active_before=active_before, rng=rng)

    async def margin_report(self, days: int = 30, *, business: str | None = None) -> MarginReport:
        """See `Figures.margin_report`."""
        return await threaded(self._figures.margin_report, days, business=business)

    async def spend_forecast(self, *, rng: Random | None = None) -> SpendForecast:
        """See `Figures.spend_forecast`."""
        return await threaded(self._figures.spend_forecast, rng=rng)

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
        return await threaded(
            self._figures.feedback,
            business,
            transaction_id,
            user=user,
            rating=rating,
            recommend=recommend,
            comment=comment,
        )

    async def ratings(
        self,
        *,
        since: datetime | None = None,
        business: str | None = None,
        feature: str | None = None,
        comments: int = 10,
    ) -> RatingsReport:
        """See `Figures.ratings`."""
        return await threaded(self._figures.ratings, since=since, business=business, feature=feature, comments=comments)

    async def reconcile_bill(self, provider: str, content: bytes, *, tolerance: Decimal = TOLERANCE) -> BillComparison:
        """See `Figures.reconcile_bill`."""
        return await threaded(self._figures.reconcile_bill, provider, content, tolerance=tolerance)

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
        return await threaded(
            export,
            table,
            file,
            actor=actor,
            form=form,
            business=business,
            since=since,
            until=until,
            on_progress=on_progress,
        )

    async def apply_retention(self, *, actor: str, on_progress: OnProgress | None = None) -> Retained:
        """See `Figures.apply_retention`."""
        return await threaded(self._figures.apply_retention, actor=actor, on_progress=on_progress)

    async def note_action(self, actor: str, action: str, *, business: str = "", **detail: object) -> None:
        """See `Figures.note_action`."""
        await threaded(self._figures.note_action, actor, action, business=business, **detail)

    async def audit_log(self, days: int = 30) -> list[AuditEntry]:
        """See `Figures.audit_log`."""
        return await threaded(self._figures.audit_log, days)
