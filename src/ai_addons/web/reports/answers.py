"""What the operator's endpoints answer. Cedis and US dollars are exact decimals as text, times are UTC."""

from __future__ import annotations

from datetime import date, datetime  # pydantic reads them
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import PlainSerializer

from ai_addons.web.base import Answer

Amount = Annotated[Decimal, PlainSerializer(lambda value: f"{value:f}", return_type=str, when_used="json")]
"""An exact number, sent as text without an exponent: not everyone who reads JSON knows 0E-12."""


class LineAnswer(Answer):
    """What calls of one feature, of one business or of all brought and cost.

    Attributes:
        key: Key of the feature or id of the business; empty for the total.
        name: What a feature is called; its key for anything else.
        calls: How many.
        credits: Credits charged.
        revenue_ghs: What was paid for these credits.
        fee_ghs: What the gateway kept of it.
        cost_ghs: What the providers took, of the calls whose cost is known.
        left_ghs: What is left of the revenue after fee and cost.
        margin: Share of the revenue that is left; null without revenue or with a cost that is not known.
        unpriced: Calls whose cost is not known.
    """

    key: str
    name: str
    calls: int
    credits: Amount
    revenue_ghs: Amount
    fee_ghs: Amount
    cost_ghs: Amount
    left_ghs: Amount
    margin: Amount | None
    unpriced: int


class DayAnswer(Answer):
    """What all businesses used on one day, each in its own zone."""

    day: date
    calls: int
    revenue_ghs: Amount
    cost_ghs: Amount
    cost_usd: Amount


class OverviewAnswer(Answer):
    """What was earned and spent over some days.

    Attributes:
        days: How many days, today included.
        fee_rate: Share of every payment that the gateway keeps, as it is reckoned with.
        total: All features together.
        cost_usd: What the providers took in US dollars; ``total.cost_ghs`` is by the rate of each call's own day.
        features: By feature.
        ai_users: Businesses that got at least one answer.
        revenue_per_ai_user_ghs: Revenue by AI user, to a pesewa, half rounded up; null without any.
        by_day: Days with calls.
    """

    days: int
    fee_rate: Amount
    total: LineAnswer
    cost_usd: Amount
    features: tuple[LineAnswer, ...]
    ai_users: int
    revenue_per_ai_user_ghs: Amount | None
    by_day: tuple[DayAnswer, ...]


class LosersAnswer(Answer):
    """Features and businesses that cost more than they brought after the payment fee, the greatest loss first.

    A business that used nothing but free credits is among them.
    """

    days: int
    features: tuple[LineAnswer, ...]
    businesses: tuple[LineAnswer, ...]


class LatencyAnswer(Answer):
    """How long calls took, from accepted to answered, the failed ones among them.

    Attributes:
        feature: Key of the feature; empty for all.
        cached: Whether these are the calls that a stored answer was given to, or the others.
        calls: How many.
        timed: Those whose time is known.
        in_3_s: Those of them that took at most three seconds.
        p50_ms: Half of them took no longer; null without any, or beyond ten minutes.
        p95_ms: The same of 95 in a hundred.
        p99_ms: The same of 99 in a hundred.
    """

    feature: str
    cached: bool
    calls: int
    timed: int
    in_3_s: int
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None


class ErrorAnswer(Answer):
    """Calls that ended in one kind of error; answers that rules gave after it among them."""

    error: str
    calls: int
    features: dict[str, int]


class CacheAnswer(Answer):
    """How often the answer cache answered.

    Attributes:
        feature: Key of the feature; empty for all.
        cacheable: Calls with an answer, of features whose answers are kept.
        hits: Those that a stored answer was given to.
        hit_rate: Their share; null without any.
        saved_usd: What the provider took when these answers were made.
        saved_ghs: The same at the rate of now.
    """

    feature: str
    cacheable: int
    hits: int
    hit_rate: Amount | None
    saved_usd: Amount
    saved_ghs: Amount


class CallsAnswer(Answer):
    """How calls went.

    Attributes:
        days: How many days, today included.
        missing_days: Days that no sweep has counted yet; ``latency`` and ``errors`` lack them.
        latency: All features first, then by feature; calls with a stored answer after the others.
        errors: The most frequent first.
        cache: All features first, then by feature.
    """

    days: int
    missing_days: int
    latency: tuple[LatencyAnswer, ...]
    errors: tuple[ErrorAnswer, ...]
    cache: tuple[CacheAnswer, ...]


class OrderAnswer(Answer):
    """Orders in one state, made in the days asked for."""

    state: str
    orders: int
    businesses: int
    amount: Amount
    currency: str


class TryAnswer(Answer):
    """Attempts to pay that went alike; ``method`` is empty where the payer chose at the gateway."""

    gateway: str
    method: str
    state: str
    outcome: str
    tries: int


class BackAnswer(Answer):
    """All refunds or disputes in one state."""

    what: str
    state: str
    several: int
    amount: Amount
    currency: str


class AsideAnswer(Answer):
    """A payment that does not fit its order."""

    id: str
    business: str
    order: str
    reference: str
    reason: str
    expected: Amount
    currency: str
    paid: Amount | None
    paid_currency: str | None
    opened_at: datetime


class PaymentsAnswer(Answer):
    """What became of orders and attempts to pay.

    Attributes:
        days: How many days, today included.
        orders: By state.
        attempts: By gateway, method, state and outcome.
        money_back: Refunds and disputes of all time.
        quarantine: Payments that wait for a decision, the oldest first, a hundred at most.
    """

    days: int
    orders: tuple[OrderAnswer, ...]
    attempts: tuple[TryAnswer, ...]
    money_back: tuple[BackAnswer, ...]
    quarantine: tuple[AsideAnswer, ...]


class SpendingAnswer(Answer):
    """What the models cost in the current day or month of the operator's zone; counted while there is a budget.

    Attributes:
        window: ``day`` or ``month``.
        starts_at: Its start.
        used_usd: What ended calls cost; the most they can have cost where nobody knows.
        held_usd: The most that calls in progress can cost.
        used_ghs: ``used_usd`` at the rate of now.
        budget_usd: What may be spent; null for no bound.
        share: Used and held, of the budget; null without one.
    """

    window: str
    starts_at: datetime
    used_usd: Amount
    held_usd: Amount
    used_ghs: Amount
    budget_usd: Amount | None
    share: Amount | None


class SwitchAnswer(Answer):
    """A kill switch that is pulled; null stands for all."""

    business: str | None
    feature: str | None
    actor: str
    at: datetime


class WaitingAnswer(Answer):
    """What waits for somebody: payments, inbox, quarantine, outbox or holds."""

    what: str
    several: int
    oldest: datetime | None


class WaitingRateAnswer(Answer):
    """A rate that was refused until somebody confirms it."""

    rate: Amount
    as_of: date
    source: str
    why: str


class RateAnswer(Answer):
    """The exchange rate that costs are booked with.

    Attributes:
        ghs_per_usd: The rate.
        as_of: Its day.
        source: Who said it.
        age_days: Days since its day.
        state: ``fresh``, ``old`` (worth a warning) or ``stale`` (nothing is charged by it).
        sources: Those of the settings, in order.
        waiting: Rates that were refused.
    """

    ghs_per_usd: Amount
    as_of: date
    source: str
    age_days: int
    state: Literal["fresh", "old", "stale"]
    sources: tuple[str, ...]
    waiting: tuple[WaitingRateAnswer, ...]


class StatusAnswer(Answer):
    """How things stand now.

    Attributes:
        at: When this was read.
        alerts: What needs somebody, in words; empty if nothing does.
        spending: Cost beside the provider budget.
        switches: Kill switches that are pulled, of everybody.
        backlog: What waits.
        rate: The exchange rate.
    """

    at: datetime
    alerts: tuple[str, ...]
    spending: tuple[SpendingAnswer, ...]
    switches: tuple[SwitchAnswer, ...]
    backlog: tuple[WaitingAnswer, ...]
    rate: RateAnswer


class FindingAnswer(Answer):
    """One thing that is wrong with the books; an empty business for what all share."""

    business: str
    rule: str
    detail: str


class DoctorAnswer(Answer):
    """What a check of every invariant of the books found; the first hundred findings."""

    ok: bool
    wallets: int
    several: int
    findings: tuple[FindingAnswer, ...]


class ChangedAnswer(Answer):
    """What a change did; false where things stood so already."""

    changed: bool
