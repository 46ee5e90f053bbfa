"""What an owner reads of each feature's result: a headline, the findings, a table, a picture in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Final

from ai_addons.features.charts import AgeingChart, Band, Bar, ForecastChart, HealthChart, Point, Score

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ai_addons.features.charts import Chart
    from ai_addons.features.collection_analysis import Bucket, CollectionAnalysis
    from ai_addons.features.collection_message import BlockedReason, CollectionMessage
    from ai_addons.features.credit_assessment import CreditAssessment, Decision
    from ai_addons.features.customer_insight import CustomerInsight
    from ai_addons.features.inventory_forecast import InventoryForecast, ItemForecast, StockRequest
    from ai_addons.features.portfolio_dashboard import PortfolioDashboard
    from ai_addons.features.product_description import ProductCopy
    from ai_addons.features.report_summary import ReportSummary

__all__ = [
    "Grid",
    "Page",
    "assessment",
    "collection",
    "dashboard",
    "description",
    "forecast",
    "insight",
    "message",
    "report",
]

_DECISIONS: Final[Mapping[Decision, str]] = {
    "approve": "Approve",
    "approve_reduced": "Approve a smaller limit",
    "refer": "Look closer before you decide",
    "decline": "Decline",
}
_BUCKETS: Final[Mapping[Bucket, str]] = {
    "current": "not due",
    "days_1_30": "1-30 days",
    "days_31_60": "31-60 days",
    "days_61_90": "61-90 days",
    "over_90": "over 90 days",
}
_BLOCKED: Final[Mapping[BlockedReason, str]] = {
    "opted_out": "the customer asked for no more messages",
    "no_consent": "the customer has not agreed to be reminded",
    "nothing_outstanding": "nothing is owed",
    "dispute_open": "the bill is in dispute",
    "promise_pending": "a promised day has not passed yet",
    "contacted_enough": "the customer was contacted lately",
}
_CHANNELS: Final = {"sms": "SMS", "whatsapp": "WhatsApp message", "email": "e-mail", "call_script": "telephone call"}
_WEEK: Final = 7
_PAST: Final = 6  # periods of a forecast's picture that are over


def _whole(score: Decimal) -> Decimal:
    """A score as the sentences show it: its whole points."""
    return Decimal(int(score))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table of a feature's result.

    Attributes:
        title: What it is about.
        columns: Headings.
        rows: Cells, ready to be shown.
        right: The columns that hold numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What an owner reads of one result.

    Attributes:
        headline: The one line to read.
        text: The rest, paragraph by paragraph.
        grid: Figures in a table.
        chart: What can be drawn, with `ai_addons.features.charts`.
    """

    headline: str
    text: tuple[str, ...]
    grid: Grid | None = None
    chart: Chart | None = None

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """Headline and text."""
        return (self.headline, *self.text)


def _points(title: str, points: Iterable[str]) -> tuple[str, ...]:
    """A list under its title; nothing where there are no points."""
    found = tuple(f"- {point}" for point in points)
    return (f"{title}:", *found) if found else ()


def description(copy: ProductCopy) -> Page:
    """Copy for a product."""
    review = ("Please check it before use: it makes a claim that needs proof.",) if copy.needs_review else ()
    bullets = (f"- {bullet}" for bullet in copy.bullets)
    return Page(headline=copy.title, text=tuple(filter(None, (copy.description, *bullets, *review))))


def report(summary: ReportSummary) -> Page:
    """What changed in a period."""
    rows = tuple(
        (one.ref, f"{one.sales:,.2f}", f"{one.change:+,.2f}") for one in (*summary.rises[:3], *summary.falls[:3])
    )
    grid = Grid(
        title="What moved most, GHS", columns=("product", "sales", "change"), rows=rows, right=("sales", "change")
    )
    return Page(
        headline=summary.headline,
        text=(
            *_points("What changed, the weightiest first", (finding.text for finding in summary.findings)),
            *_points("What to do", summary.actions),
            *_points("Bear in mind", summary.caveats),
        ),
        grid=grid if rows else None,
    )


def insight(found: CustomerInsight) -> Page:
    """An answer about customers."""
    table = found.table
    grid = Grid(title="The figures", columns=table.columns, rows=table.rows, right=table.columns[1:])
    sure = f"Confidence: {found.confidence}, with {found.customers} customers behind the answer."
    return Page(
        headline=found.answer,
        text=(*_points("What to do", filter(None, (found.suggested_action,))), sure),
        grid=grid if table.rows else None,
    )


def assessment(found: CreditAssessment) -> Page:
    """A suggested decision on shop credit."""
    limit = f": limit GHS {found.recommended_limit:,}, of which GHS {found.available_now:,} is still unused"
    # A limit is no offer where the rules say no, or leave it to the owner.
    offered = limit if found.decision in ("approve", "approve_reduced") else ""
    return Page(
        headline=f"{_DECISIONS[found.decision]}{offered} "
        f"(score {int(found.credit_score)} of 100, grade {found.risk_grade})",
        text=(
            found.summary,
            *(f"- {reason.text}" for reason in found.reasons),
            f"For the customer: {found.customer_explanation}",
            found.owner_note,
        ),
    )


def collection(found: CollectionAnalysis) -> Page:
    """Whom to contact first."""
    rows = tuple(
        (
            str(one.rank),
            one.ref,
            f"{one.overdue:,.2f}",
            str(one.days_overdue),
            f"{one.expected_unpaid:,.2f}",
            one.action,
        )
        for one in found.ranked[:10]
    )
    numbers = ("overdue GHS", "days", "likely unpaid GHS")
    blocks = chain.from_iterable(
        (f"{block.title}: {', '.join(block.refs)}", f"- {block.why}", f"- {block.how}") for block in found.blocks
    )
    bars = [Bar(_BUCKETS[one.bucket], one.amount) for one in found.ageing]
    return Page(
        headline=found.headline,
        text=(
            *blocks,
            *_points("Watch", found.watch),
            *_points("Bear in mind", filter(None, (found.expected_effect, *found.caveats))),
        ),
        grid=Grid(title="The list for this week", columns=("#", "customer", *numbers, "do"), rows=rows, right=numbers)
        if rows
        else None,
        chart=AgeingChart(title="Owed by days overdue", unit="GHS", bars=bars),
    )


def message(found: CollectionMessage) -> Page:
    """A reminder to approve and send."""
    if found.blocked_reason is not None:
        return Page(headline="No reminder is written.", text=(f"The reason: {_BLOCKED[found.blocked_reason]}.",))
    when = ""
    if found.send_not_before is not None and found.send_not_after is not None:
        when = f"Send it on {found.send_not_before:%A %d %B, %H:%M} to {found.send_not_after:%H:%M}. "
    return Page(
        headline=f"A {_CHANNELS[found.channel]} to approve, {found.tone} in tone",
        text=(
            *(f"> {line}" for line in found.message.splitlines() if line),
            f"{when}Nothing is sent by itself: a person reads, approves and sends it.",
        ),
    )


def forecast(found: InventoryForecast, request: StockRequest) -> Page:
    """What to order now, and how far to trust it."""
    orders = [one for one in found.items if one.order_qty]
    numbers = ("order", "cost GHS", "days left", "sold at most")
    rows = tuple(
        (
            one.ref,
            str(one.order_qty),
            f"{one.order_cost:,.2f}",
            "-" if one.days_cover is None else f"{one.days_cover:.0f}",
            f"{one.hi} in {one.weeks} weeks",
        )
        for one in orders[:10]
    )
    return Page(
        headline=found.headline,
        text=(
            *_points("First", (note.text for note in found.urgent)),
            *_points("Stock that stands", (note.text for note in found.slow_stock)),
            found.budget_note,
            *_points("How far to trust it", found.uncertainty),
        ),
        grid=Grid(title="What to order", columns=("item", *numbers), rows=rows, right=numbers) if rows else None,
        chart=next(filter(None, (_outlook(one, request) for one in orders)), None),
    )


def _outlook(one: ItemForecast, request: StockRequest) -> ForecastChart | None:
    """One item, counted in spans as long as its protection period: only so do its figures compare.

    None where the mean lies outside the range, as it may for goods that seldom sell.
    """
    if one.fc_units is None or not one.lo <= one.fc_units <= one.hi:
        return None
    item = next(item for item in request.items if item.ref == one.ref)
    span = one.weeks * (_WEEK if item.period == "day" else 1)
    sums = [sum(item.sales[end - span : end], Decimal(0)) for end in range(len(item.sales), span - 1, -span)][:_PAST]
    ends = [request.as_of - timedelta(weeks=one.weeks * back) for back in range(len(sums))]
    coming = request.as_of + timedelta(weeks=one.weeks)
    return ForecastChart(
        title=f"{one.ref}, {one.weeks} weeks at a time",
        unit="units",
        history=[Point(f"to {end:%d %b}", units) for end, units in reversed(list(zip(ends, sums, strict=True)))],
        forecast=[Band(f"to {coming:%d %b}", round(one.fc_units, 1), Decimal(one.lo), Decimal(one.hi))],
        reorder_point=None if one.reorder_point is None else Decimal(one.reorder_point),
    )


def dashboard(found: PortfolioDashboard) -> Page:
    """One page on the whole business."""
    actions = (f"{one.text} ({one.owner.replace('_', ' ')}, {one.when.replace('_', ' ')})" for one in found.actions)
    scores = [Score(one.area, _whole(one.score), one.status) for one in found.sub_scores]
    overall = None if found.health_score is None else _whole(found.health_score)
    return Page(
        headline=found.headline,
        text=(
            *(section.text for section in found.sections),
            *_points("Alerts", (f"{alert.severity}: {alert.text}" for alert in found.alerts[:5])),
            *_points("Risks", found.risks),
            *_points("What to do", actions),
            found.what_changed,
            *_points("Bear in mind", found.caveats),
        ),
        chart=HealthChart(title="Health of the business", scores=scores, overall=overall) if scores else None,
    )
