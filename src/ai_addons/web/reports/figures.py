"""Makes the operator's answers: pure functions of what the books say."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

from ai_addons.billing.fx.sources import STATIC
from ai_addons.billing.hits import total_use
from ai_addons.billing.packs import share
from ai_addons.billing.periods import from_micros
from ai_addons.money import MicroGhs, Money, PicoUsd, ghs, scaled_rate, to_micro_ghs, usd
from ai_addons.web.reports.answers import (
    AsideAnswer,
    BackAnswer,
    CacheAnswer,
    DayAnswer,
    ErrorAnswer,
    LatencyAnswer,
    LineAnswer,
    OrderAnswer,
    RateAnswer,
    SpendingAnswer,
    SwitchAnswer,
    TryAnswer,
    WaitingAnswer,
    WaitingRateAnswer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from ai_addons.billing.fx.desk import RateView
    from ai_addons.billing.hits import CacheUse
    from ai_addons.billing.latency import ErrorClass, Latency
    from ai_addons.billing.limiting import Switch
    from ai_addons.billing.margin import MarginLine
    from ai_addons.billing.orders import Quarantined
    from ai_addons.billing.overviews import BackCount, DayEarned, OrderCount, TryCount, Waiting
    from ai_addons.billing.spending import WindowSpending

_PESEWA_MICRO: Final = 10_000

WAITS: Final = {
    "payments": "payments that nobody ended for half an hour",
    "inbox": "webhooks of gateways",
    "quarantine": "payments that do not fit their order",
    "outbox": "events to be sent",
    "holds": "holds past their time",
}
"""What waits, in words."""


def moment(micros: int) -> datetime:
    """UTC microseconds as a time."""
    return from_micros(micros)


# Money.


def line(found: MarginLine, names: Mapping[str, str]) -> LineAnswer:
    """A line of a margin table; what has no name goes by its key."""
    return LineAnswer(
        key=found.feature,
        name=names.get(found.feature, found.feature),
        calls=found.calls,
        credits=found.credits.decimal,
        revenue_ghs=ghs(found.revenue),
        fee_ghs=ghs(found.fee),
        cost_ghs=ghs(found.cost),
        left_ghs=ghs(MicroGhs(found.revenue - found.tax - found.fee - found.cost)),
        margin=found.margin,
        unpriced=found.unpriced,
    )


def day(found: DayEarned) -> DayAnswer:
    """A day of all businesses."""
    return DayAnswer(
        day=found.day,
        calls=found.calls,
        revenue_ghs=ghs(found.revenue),
        cost_ghs=ghs(found.cost),
        cost_usd=usd(found.cost_usd),
    )


def by_user(revenue: MicroGhs, users: int) -> Decimal | None:
    """Revenue by user in cedis, to a pesewa, half rounded up; None without users."""
    if not users:
        return None
    pesewas = int(Fraction(revenue, users * _PESEWA_MICRO) + Fraction(1, 2))
    return Decimal(f"{pesewas}e-2")


# Calls.


def latency(found: Latency) -> LatencyAnswer:
    """How long calls took."""
    return LatencyAnswer(
        feature=found.feature,
        cached=found.cached,
        calls=found.calls,
        timed=found.timed,
        in_3_s=found.in_target,
        p50_ms=found.p50_ms,
        p95_ms=found.p95_ms,
        p99_ms=found.p99_ms,
    )


def error(found: ErrorClass) -> ErrorAnswer:
    """A kind of error."""
    return ErrorAnswer(error=found.error, calls=found.calls, features=dict(found.features))


def cache(uses: Sequence[CacheUse], rate: RateView) -> tuple[CacheAnswer, ...]:
    """How often the cache answered, all features first."""
    return tuple(
        CacheAnswer(
            feature=use.feature,
            cacheable=use.cacheable,
            hits=use.hits,
            hit_rate=use.hit_rate,
            saved_usd=use.saved_usd,
            saved_ghs=in_cedis(use.saved, rate),
        )
        for use in (total_use(uses), *uses)
    )


def in_cedis(cost: PicoUsd, rate: RateView) -> Decimal:
    """A cost in cedis at the rate of now, exact to a micro-cedi."""
    return ghs(to_micro_ghs(cost, scaled_rate(rate.rate.rate)))


# Payments.


def order(found: OrderCount) -> OrderAnswer:
    """Orders in one state."""
    amount = found.amount
    return OrderAnswer(
        state=found.state,
        orders=found.orders,
        businesses=found.businesses,
        amount=amount.decimal,
        currency=amount.currency,
    )


def tries(found: TryCount) -> TryAnswer:
    """Attempts that went alike."""
    return TryAnswer(
        gateway=found.gateway, method=found.method, state=found.state, outcome=found.outcome, tries=found.tries
    )


def back(found: BackCount) -> BackAnswer:
    """Refunds or disputes in one state."""
    amount = found.amount
    return BackAnswer(
        what=found.what,
        state=found.state,
        several=found.several,
        amount=amount.decimal,
        currency=amount.currency,
    )


def aside(found: Quarantined) -> AsideAnswer:
    """A payment in quarantine."""
    return AsideAnswer(
        id=found.id,
        business=found.business,
        order=found.order,
        reference=found.reference,
        reason=found.reason,
        expected=found.expected.decimal,
        currency=found.expected.currency,
        paid=_paid(found),
        paid_currency=found.paid_currency,
        opened_at=moment(found.opened_at),
    )


def _paid(found: Quarantined) -> Decimal | None:
    """What came; None in a currency whose minor unit we do not know."""
    if found.paid_minor is None or found.paid_currency is None:
        return None
    try:
        return Money.from_minor(found.paid_minor, found.paid_currency).decimal
    except ValueError:
        return None


# How things stand.


def spending(found: WindowSpending, rate: RateView) -> SpendingAnswer:
    """Cost beside the budget."""
    budget = found.budget
    return SpendingAnswer(
        window=found.window,
        starts_at=moment(found.starts_at),
        used_usd=usd(found.used),
        held_usd=usd(found.held),
        used_ghs=in_cedis(found.used, rate),
        budget_usd=None if budget is None else usd(budget),
        share=share(found.used + found.held, budget) if budget else None,
    )


def switch(found: Switch) -> SwitchAnswer:
    """A kill switch."""
    return SwitchAnswer(business=found.business, feature=found.feature, actor=found.actor, at=moment(found.at))


def waiting(found: Waiting) -> WaitingAnswer:
    """What waits."""
    oldest = None if found.oldest is None else moment(found.oldest)
    return WaitingAnswer(what=found.what, several=found.several, oldest=oldest)


def rate(view: RateView) -> RateAnswer:
    """The exchange rate."""
    found = view.rate
    return RateAnswer(
        ghs_per_usd=found.rate,
        as_of=found.as_of,
        source=found.source,
        age_days=view.age_days,
        state=_age(view),
        sources=view.sources,
        waiting=tuple(
            WaitingRateAnswer(rate=one.rate, as_of=one.as_of, source=one.source, why=why) for one, why in view.waiting
        ),
    )


def _age(view: RateView) -> Literal["fresh", "old", "stale"]:
    if view.stale:
        return "stale"
    return "old" if view.old else "fresh"


def alerts(
    spent: Sequence[SpendingAnswer],
    switches: Sequence[SwitchAnswer],
    backlog: Sequence[WaitingAnswer],
    known: RateAnswer,
    *,
    warn_at: Decimal,
) -> Iterator[str]:
    """What needs somebody, in words.

    Args:
        spent: Cost beside the budget.
        switches: Kill switches.
        backlog: What waits.
        known: The exchange rate.
        warn_at: Share of a budget that is worth a warning.
    """
    for one in spent:
        if one.budget_usd is not None and one.used_usd + one.held_usd >= one.budget_usd:
            yield f"The provider budget of this {one.window} is spent: paid calls are refused."
        elif one.share is not None and one.share >= warn_at:
            yield f"{one.share:.0%} of the provider budget of this {one.window} is spent."
    for pulled in switches:
        yield f"Paused: {pulled.feature or 'all features'} of {pulled.business or 'all businesses'}."
    for waits in backlog:
        if waits.several:
            yield f"Waiting: {WAITS[waits.what]} ({waits.several})."
    if known.waiting:
        yield f"Waiting: exchange rates to be confirmed ({len(known.waiting)})."
    # Who names no source keeps the rate of the settings by choice: it is shown as stale, and nobody is called for it.
    if known.state != "fresh" and set(known.sources) != {STATIC}:
        yield f"The exchange rate of {known.as_of} from {known.source} is {known.state}. Run `ai-addons rates refresh`."
