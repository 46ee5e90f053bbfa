"""Asks the books for the operator's answers. Each is for operators alone: cost and margin are in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.latency import errors, latencies
from ai_addons.billing.margin import PAYMENT_FEE
from ai_addons.billing.operating import worst
from ai_addons.money import Credits, PicoUsd, usd
from ai_addons.web.reports import figures
from ai_addons.web.reports.answers import (
    CallsAnswer,
    DoctorAnswer,
    FindingAnswer,
    LosersAnswer,
    OverviewAnswer,
    PaymentsAnswer,
    StatusAnswer,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.addons import AddOns
    from ai_addons.billing.limiting import Switch
    from ai_addons.billing.margin import MarginTable
    from ai_addons.billing.overviews import DayEarned, Earners

MOST_FINDINGS: Final = 100
"""Findings of the doctor that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """What all businesses brought and cost over some days.

    Attributes:
        days: How many days, today included.
        table: By feature.
        earners: By business.
        by_day: By day.
        names: What features are called, by key.
    """

    days: int
    table: MarginTable
    earners: Earners
    by_day: tuple[DayEarned, ...]
    names: Mapping[str, str]


def trade(addons: AddOns, days: int) -> Trade:
    """Read what was brought and spent; it costs three sums over the rows of `ai_usage_daily` of these days."""
    return Trade(
        days=days,
        table=addons.margins(days=days),
        earners=addons.operating.earners(days),
        by_day=addons.operating.days(days),
        names=known_names(addons),
    )


def overview(found: Trade) -> OverviewAnswer:
    """What was earned and spent."""
    return OverviewAnswer(
        days=found.days,
        fee_rate=PAYMENT_FEE,
        total=figures.line(found.table.total, found.names),
        cost_usd=usd(PicoUsd(sum(day.cost_usd for day in found.by_day))),
        features=tuple(figures.line(line, found.names) for line in found.table.lines),
        ai_users=found.earners.users,
        revenue_per_ai_user_ghs=figures.by_user(found.table.total.revenue, found.earners.users),
        by_day=tuple(map(figures.day, found.by_day)),
    )


def losers(found: Trade) -> LosersAnswer:
    """What lost money."""
    return LosersAnswer(
        days=found.days,
        features=tuple(figures.line(line, found.names) for line in worst(found.table.lines)),
        businesses=tuple(figures.line(line, {}) for line in worst(found.earners.least)),
    )


def calls(addons: AddOns, days: int) -> CallsAnswer:
    """How calls went; it costs the counts of past days, and the call log of today and yesterday."""
    found, rate = addons.operating.calls(days), addons.rates.view()
    return CallsAnswer(
        days=days,
        missing_days=found.missing,
        latency=tuple(map(figures.latency, latencies(found.counts))),
        errors=tuple(map(figures.error, errors(found.counts))),
        cache=figures.cache(addons.answers.stats(days=days).features, rate),
    )


def payments(addons: AddOns, days: int) -> PaymentsAnswer:
    """What became of orders; it costs the orders and attempts of these days, and all refunds and disputes."""
    found = addons.operating.funnel(days)
    return PaymentsAnswer(
        days=days,
        orders=tuple(map(figures.order, found.orders)),
        attempts=tuple(map(figures.tries, found.tries)),
        money_back=tuple(map(figures.back, found.back)),
        quarantine=tuple(map(figures.aside, addons.orders.quarantined())),
    )


def status(addons: AddOns) -> StatusAnswer:
    """How things stand now; it costs what waits and what is stopped, however long the log is."""
    view = addons.rates.view()
    known = figures.rate(view)
    spent = tuple(figures.spending(one, view) for one in addons.spending())
    switches = tuple(map(figures.switch, addons.operating.switches()))
    backlog = tuple(map(figures.waiting, addons.operating.backlog()))
    warn_at = addons.settings.budget.warn_at
    return StatusAnswer(
        at=figures.moment(addons.operating.now()),
        alerts=tuple(figures.alerts(spent, switches, backlog, known, warn_at=warn_at)),
        spending=spent,
        switches=switches,
        backlog=backlog,
        rate=known,
    )


def doctor(addons: AddOns) -> DoctorAnswer:
    """Check every invariant of the books; it reads all of them, so it is for a request of its own."""
    report = addons.doctor()
    return DoctorAnswer(
        ok=report.ok,
        wallets=report.wallets,
        several=len(report.findings),
        findings=tuple(
            FindingAnswer(business=one.business, rule=one.rule, detail=one.detail)
            for one in report.findings[:MOST_FINDINGS]
        ),
    )


def is_paused(addons: AddOns, business: str | None, feature: str | None) -> bool:
    """Whether a kill switch of just these arguments is pulled."""

    def same(switch: Switch) -> bool:
        return (switch.business, switch.feature) == (business, feature)

    return any(map(same, addons.operating.switches()))


def known_names(addons: AddOns) -> dict[str, str]:
    """What features are called, by key."""
    # A name needs no price.
    return {spec.key: spec.listing({spec.key: Credits(0)}).name for spec in addons.all_features()}
