"""The operator's figures that read every call of some days: on request, never with each look at the page."""

from __future__ import annotations

from datetime import datetime  # pydantic reads it
from decimal import Decimal  # as above
from typing import TYPE_CHECKING, Final

from ai_addons.billing.fx_used import SHOWN_AT
from ai_addons.money import MicroGhs, ghs, usd
from ai_addons.web.base import Answer
from ai_addons.web.reports.answers import Amount  # pydantic reads it
from ai_addons.web.reports.figures import moment

if TYPE_CHECKING:
    from ai_addons.addons import AddOns
    from ai_addons.billing.fx_used import FxUsed
    from ai_addons.billing.kpis import Kpi
    from ai_addons.billing.margin_report import MarginRow

MOST_LOSERS: Final = 20
"""Losing lines that are named."""


class FxAnswer(Answer):
    """A rate that costs were booked at, and how much was."""

    source: str
    day: str
    ghs_per_usd: Amount
    stale: bool
    calls: int
    cost_usd: Amount
    cost_ghs: Amount


class PackLineAnswer(Answer):
    """What one feature earned with one pack, from one business or from all.

    Attributes:
        feature: Key of the feature; empty for all.
        pack: What was sold: a pack, ``ADDON``, or a source such as ``trial``; empty for all, and for calls that no
            credit paid.
        business: Whose calls; empty for all.
        calls: How many; in a total a call is counted once for each pack.
        credits: Credits used.
        revenue_ghs: What was paid for them.
        fee_ghs: What the gateway kept of it.
        cost_ghs: What the providers took, at the booked rates.
        cost_usd: The same in US dollars.
        left_ghs: What is left.
        margin: Share that is left; null without revenue or with a cost that is not known.
        margin_at: The same, had the cost been booked at other rates; by cedis for a dollar.
        unpriced: Calls whose cost is not known.
    """

    feature: str
    pack: str
    business: str
    calls: int
    credits: Amount
    revenue_ghs: Amount
    fee_ghs: Amount
    cost_ghs: Amount
    cost_usd: Amount
    left_ghs: Amount
    margin: Amount | None
    margin_at: dict[str, Amount | None]
    unpriced: int


class MarginsAnswer(Answer):
    """Margins by the grants that really paid.

    Attributes:
        days: How many days, today included.
        total: All of it.
        packs: By pack.
        features: By feature and pack.
        losers: Feature, pack and business that lost most, 20 at most.
        fx: The rates that costs were booked at.
    """

    days: int
    total: PackLineAnswer
    packs: tuple[PackLineAnswer, ...]
    features: tuple[PackLineAnswer, ...]
    losers: tuple[PackLineAnswer, ...]
    fx: tuple[FxAnswer, ...]


class KpiAnswer(Answer):
    """One KPI, with what it counts and how sure it is.

    Attributes:
        key: Stable name.
        part: Of what, where there are several; empty for all.
        name: For people.
        since: Begin of its window.
        until: Its end.
        unit: ``share``, ``GHS``, ``stars`` or ``points``.
        numerator: What is counted; null while unknown.
        denominator: Out of what; null while unknown.
        value: The figure; null while unknown.
        low: Lower end of its 95 % interval.
        high: Upper end.
        target: What it should be above; null for none.
        verdict: ``met``, ``not met``, ``not enough data``, ``denominator not supplied`` or ``no target``.
        note: What must be known to read it.
        p50_ms: Of response times only.
        p95_ms: As above.
        p99_ms: As above.
    """

    key: str
    part: str
    name: str
    since: datetime
    until: datetime
    unit: str
    numerator: Amount | None
    denominator: Amount | None
    value: Amount | None
    low: Amount | None
    high: Amount | None
    target: Amount | None
    verdict: str
    note: str
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None


class KpisAnswer(Answer):
    """The KPIs of some days."""

    days: int
    kpis: tuple[KpiAnswer, ...]
    fx: tuple[FxAnswer, ...]


class ForecastAnswer(Answer):
    """What the models will have cost by the end of this month.

    Attributes:
        month: The month.
        days_left: Days that are forecast, today included.
        spent_usd: Booked so far.
        spent_ghs: The same at the booked rates.
        expected_usd: At the end of the month.
        low_usd: Lower end of the 95 % interval; null with too few days to tell.
        high_usd: Upper end.
        unpriced: Calls whose cost is not known: all of it is too low then.
        method: How it is reckoned.
    """

    month: str
    days_left: int
    spent_usd: Amount
    spent_ghs: Amount
    expected_usd: Amount
    low_usd: Amount | None
    high_usd: Amount | None
    unpriced: int
    method: str


def margins(addons: AddOns, days: int) -> MarginsAnswer:
    """Margins by feature, pack and business."""
    report = addons.margin_report(days)
    return MarginsAnswer(
        days=days,
        total=_row(report.total),
        packs=tuple(map(_row, report.by("pack"))),
        features=tuple(map(_row, report.by("feature", "pack"))),
        losers=tuple(map(_row, report.losers(MOST_LOSERS))),
        fx=tuple(map(_fx, report.fx)),
    )


def kpis(addons: AddOns, days: int) -> KpisAnswer:
    """The KPIs; what only gateways know is left out, because asking them may take minutes."""
    found = addons.kpis(days)
    return KpisAnswer(days=days, kpis=tuple(map(_kpi, found.lines)), fx=tuple(map(_fx, found.fx)))


def forecast(addons: AddOns) -> ForecastAnswer:
    """What the models will have cost by the end of this month."""
    found = addons.spend_forecast()
    low, high = (None, None) if found.interval is None else map(usd, found.interval)
    return ForecastAnswer(
        month=found.month,
        days_left=found.days_left,
        spent_usd=usd(found.spent),
        spent_ghs=ghs(found.spent_ghs),
        expected_usd=usd(found.expected),
        low_usd=low,
        high_usd=high,
        unpriced=found.unpriced,
        method=found.method,
    )


def _row(found: MarginRow) -> PackLineAnswer:
    return PackLineAnswer(
        feature=found.feature,
        pack=found.pack,
        business=found.business,
        calls=found.calls,
        credits=found.credits.decimal,
        revenue_ghs=ghs(found.revenue),
        fee_ghs=ghs(found.fee),
        cost_ghs=ghs(found.cost),
        cost_usd=usd(found.cost_usd),
        left_ghs=ghs(MicroGhs(found.profit)),
        margin=found.margin,
        margin_at={f"{rate:f}": found.margin_at(rate) for rate in SHOWN_AT},
        unpriced=found.unpriced,
    )


def _fx(found: FxUsed) -> FxAnswer:
    return FxAnswer(
        source=found.source,
        day=found.day,
        ghs_per_usd=found.rate,
        stale=found.stale,
        calls=found.calls,
        cost_usd=usd(found.cost),
        cost_ghs=ghs(found.cost_ghs),
    )


def _kpi(found: Kpi) -> KpiAnswer:
    low, high = found.interval or (None, None)
    times = found.percentiles
    return KpiAnswer(
        key=found.key,
        part=found.part,
        name=found.name,
        since=moment(found.since),
        until=moment(found.until),
        unit=found.unit,
        numerator=_number(found.numerator),
        denominator=_number(found.denominator),
        value=found.value,
        low=low,
        high=high,
        target=found.target,
        verdict=found.verdict,
        note=found.note,
        p50_ms=None if times is None else times.p50,
        p95_ms=None if times is None else times.p95,
        p99_ms=None if times is None else times.p99,
    )


def _number(value: int | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(value)
