"""`Figures`: what `AddOns` tells operators in numbers, and what users say of results."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, TextIO, overload

from ai_addons.answers import Answers
from ai_addons.billing.bills.comparing import TOLERANCE
from ai_addons.billing.bills.reading import reconcile_bill
from ai_addons.billing.exporting import Window, check_export, write_table
from ai_addons.billing.feedback import FeedbackBox
from ai_addons.billing.kpis.reading import KpiDesk
from ai_addons.billing.margin_reading import MarginDesk
from ai_addons.billing.periods import DAY_US, in_micros
from ai_addons.billing.ratings import read_ratings
from ai_addons.billing.retention import apply_retention
from ai_addons.billing.spending import spending_at
from ai_addons.billing.usage import Reports
from ai_addons.privacy.masked import mask_once

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import date, datetime
    from decimal import Decimal

    from ai_addons.billing.bills.comparing import BillComparison
    from ai_addons.billing.exported import TableName
    from ai_addons.billing.exporting import FileFormat, TextFormat
    from ai_addons.billing.feedback import Feedback
    from ai_addons.billing.forecast import SpendForecast
    from ai_addons.billing.kpis import Kpis
    from ai_addons.billing.margin import MarginTable
    from ai_addons.billing.margin_report import MarginReport
    from ai_addons.billing.operating import Operating
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.ratings import RatingsReport
    from ai_addons.billing.records import AuditEntry
    from ai_addons.billing.retention import Retained
    from ai_addons.billing.spending import WindowSpending
    from ai_addons.billing.statements import Statement
    from ai_addons.billing.usage import DayUsage, Usage
    from ai_addons.wiring import Wiring

SEED: Final = 20_261_126
"""Of the resamples where the caller gives no source of randomness: the same books give the same figures."""


class Figures:
    """Usage, statements, KPIs, margins, forecasts and feedback.

    Args:
        wiring: The parts.
        names: Finds what a feature is called, by its key.
    """

    def __init__(self, wiring: Wiring, *, names: Callable[[str], str]) -> None:
        self._wiring = wiring
        self._reports = Reports(wiring.books, names)
        self._kpis = KpiDesk(wiring.books, self._reports)
        self._margins = MarginDesk(wiring.books)
        self._feedback = FeedbackBox(wiring.books, self._masked)

    def usage(self, business: str, days: int = 30) -> Usage:
        """What a business used over its last days with today; give a shop its ``for_shop()``.

        Args:
            business: Whose calls.
            days: 1 to 366.
        """
        return self._reports.usage(business, days)

    def usage_by_day(self, business: str, first: date, last: date) -> tuple[DayUsage, ...]:
        """What a business used each day, by day and feature."""
        return self._reports.by_day(business, first, last)

    def margins(self, business: str | None = None, days: int = 30) -> MarginTable:
        """What each feature earned, by the grants that really paid; for operators only.

        Args:
            business: Whose calls; None for those of all businesses.
            days: 1 to 366.
        """
        return self._reports.margins(business, days)

    def spending(self) -> tuple[WindowSpending, ...]:
        """What the models cost so far today and this month, beside the provider budget; for operators only.

        It is counted while a budget is set; `margins` and `usage` show what calls cost at any time.
        """
        books = self._wiring.books
        return books.database.read(lambda tx: spending_at(tx, books.terms.purse, books.now(tx)))

    @property
    def operating(self) -> Operating:
        """All businesses together: calls, earnings, payments, what waits; for operators only."""
        return self._wiring.operating

    @property
    def answers(self) -> Answers:
        """The answer cache: how useful it is, and how to clear it; for operators only."""
        return Answers(self._wiring, self._reports.cache_use)

    def statement(self, business: str, first: date, last: date) -> Statement:
        """What came into a wallet and left it, from the first day to the last, both included."""
        return self._reports.statement(business, first, last)

    def kpis(
        self,
        days: int = 30,
        *,
        ask_gateways: bool = False,
        active_before: Collection[str] | None = None,
        rng: Random | None = None,
    ) -> Kpis:
        """The KPIs of the last days, each with what it counts and how sure it is; for operators only.

        Adoption and purchase rate need the host's ``active_businesses``, and only the
        gateways know all payments: without them a figure says what is missing.

        Args:
            days: 1 to 366, today included; targets of a month hold for 28 to 31.
            ask_gateways: Whether to ask every gateway for its list of payments; it takes as long as they take.
            active_before: The subscribers at the begin of the window, for retention; None leaves it out.
            rng: Draws the resamples of means; None for a fixed seed.

        Raises:
            ValueError: Unless it is 1 to 366 days.
            StoreUnavailable: If the database cannot be read.
        """
        wiring = self._wiring
        active = None if wiring.active_businesses is None else wiring.active_businesses()
        gateways = [wiring.gateways.one(name) for name in wiring.gateways.names()] if ask_gateways else None
        return self._kpis.kpis(days, rng or _seeded(), active=active, active_before=active_before, gateways=gateways)

    def margin_report(self, days: int = 30, *, business: str | None = None) -> MarginReport:
        """Margins by feature, pack and business, by the grants that really paid; for operators only.

        Args:
            days: 1 to 366, today included.
            business: Whose calls; None for those of all businesses.

        Raises:
            ValueError: Unless it is 1 to 366 days.
            StoreUnavailable: If the database cannot be read.
        """
        return self._margins.report(days, business)

    def spend_forecast(self, *, rng: Random | None = None) -> SpendForecast:
        """What the models will have cost by the end of this month, by a method it states; for operators only.

        Args:
            rng: Draws the interval; None for a fixed seed.

        Raises:
            StoreUnavailable: If the database cannot be read.
        """
        return self._margins.forecast(rng or _seeded())

    def feedback(
        self,
        business: str,
        transaction_id: str,
        *,
        user: str | None = None,
        rating: int | None = None,
        recommend: int | None = None,
        comment: str | None = None,
    ) -> Feedback:
        """Keep what a user says of a call; a later word of the same user replaces it.

        Args:
            business: Whose call.
            transaction_id: Which call: ``receipt.id``.
            user: Who says it; None if unknown.
            rating: 1 to 5.
            recommend: 0 to 10, how likely they would recommend it.
            comment: In their words, at most 2,000 characters; it is masked before it is kept.

        Raises:
            ValueError: If neither number is given, or one or the comment is out of bounds.
            NotFound: If the business made no such call, whoever else did.
            PrivacyRefused: If the comment cannot be masked safely; nothing was kept.
        """
        return self._feedback.put(
            business, transaction_id, user=user, rating=rating, recommend=recommend, comment=comment
        )

    def ratings(
        self,
        *,
        since: datetime | None = None,
        business: str | None = None,
        feature: str | None = None,
        comments: int = 10,
    ) -> RatingsReport:
        """The stars that each feature was given, and the newest comments; for operators only.

        Comments are masked, as they are kept, and who wrote one is not told. Those older than
        ``privacy.keep_months`` are gone once retention was applied; their stars stay.

        Args:
            since: The first instant, with its zone; None for all that is kept.
            business: Whose calls; None for those of all.
            feature: Key of one feature; None for all.
            comments: How many comments at most, 0 to 200.

        Raises:
            ValueError: For a time without a zone, or another number of comments.
            StoreUnavailable: If the database cannot be read.
        """
        begin = in_micros(since)
        return read_ratings(self._wiring.database, since=begin, business=business, feature=feature, comments=comments)

    def reconcile_bill(self, provider: str, content: bytes, *, tolerance: Decimal = TOLERANCE) -> BillComparison:
        """Compare a provider's usage or cost export with the call log, by its days and models; for operators only.

        Args:
            provider: ``openai``, ``anthropic`` or ``google``.
            content: The file, CSV or JSON.
            tolerance: Share of the larger side that a difference may have.

        Raises:
            ValueError: If the provider is not known, or the file cannot be read.
            StoreUnavailable: If the database cannot be read.
        """
        return reconcile_bill(self._wiring.books, provider, content, tolerance=tolerance)

    # What is kept, and for how long.

    @overload
    def export(
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
    def export(
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
    def export(  # a table, a file and a window have that many sides
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
        """Write a table of the books to a file, part by part; who took it is kept in the audit log.

        Args:
            table: ``transactions``, ``ledger``, ``orders`` or ``usage``.
            file: Where to; for CSV opened with ``newline=""``, for Parquet for bytes.
            actor: Who takes it.
            form: ``csv``, in which no text can be taken for a formula, ``jsonl`` or ``parquet``.
            business: Whose rows; None for those of all.
            since: The first instant, with its zone; None for no bound. ``usage`` is cut by whole days.
            until: The first instant after, with its zone; None for no bound.
            on_progress: Is told of the rows that are written, some hundred at a time.

        Returns:
            How many rows were written.

        Raises:
            ValueError: For another table or format, a time without a zone, or no actor.
            ConfigError: For Parquet without its extra ``parquet``; nothing was written.
            StoreUnavailable: If the database cannot be used; what was written by then stays.
        """
        check_export(table, form)
        window = Window(business=business, since=in_micros(since), until=in_micros(until))
        self._wiring.operations.note(actor, "export", business or "", table=table, form=form)
        return write_table(self._wiring.database, table, file, form, window, on_progress)

    def apply_retention(self, *, actor: str, on_progress: OnProgress | None = None) -> Retained:
        """Take users and details away from calls older than ``privacy.keep_months``; the books keep every amount.

        Run it once a day or a month; a second run changes nothing.

        Args:
            actor: Who decided.
            on_progress: Is told of every business that was gone through.
        """
        months = self._wiring.settings.privacy.keep_months
        return apply_retention(self._wiring.books, months=months, actor=actor, on_progress=on_progress)

    def note_action(self, actor: str, action: str, *, business: str = "", **detail: object) -> None:
        """Keep in the audit log what an operator did beside the books, in the host's own back office too.

        Args:
            actor: Who.
            action: What, a short word.
            business: About whom; empty for all.
            **detail: Particulars that JSON can hold; never personal data.

        Raises:
            ValueError: Without an actor.
        """
        self._wiring.operations.note(actor, action, business, **detail)

    def audit_log(self, days: int = 30) -> list[AuditEntry]:
        """What operators did about anybody in the last days, oldest first.

        Args:
            days: 24 hours each.
        """
        return self._wiring.operations.audit_log(self._wiring.clock.now() - days * DAY_US)

    def _masked(self, text: str) -> str:
        with mask_once(self._wiring.masker(), text, data=None, known=None) as masked:
            return masked.text


def _seeded() -> Random:
    return Random(SEED)  # noqa: S311  # resamples, no secret
