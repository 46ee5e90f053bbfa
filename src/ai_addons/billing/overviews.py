"""What an operator is shown of all businesses together; `ai_addons.billing.operating` reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from ai_addons.billing.latency import CallCount
    from ai_addons.billing.margin import MarginLine
    from ai_addons.money import MicroGhs, Money, PicoUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Calls of all businesses over some days of the operator's zone.

    Attributes:
        first: First day.
        last: Last day: today.
        counts: The calls, by feature, error and time.
        missing: Days among them that no sweep has counted yet; their calls are not in ``counts``.
    """

    first: date
    last: date
    counts: tuple[CallCount, ...]
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEarned:
    """What all businesses used on one day. For operators only.

    Attributes:
        day: The day, in each business's own zone.
        calls: How many.
        revenue: Micro-GHS that was paid for the credits used.
        cost: Provider cost in micro-GHS, of the calls whose cost is known, each at the rate it was booked with.
        cost_usd: The same in pico-USD.
    """

    day: date
    calls: int
    revenue: MicroGhs
    cost: MicroGhs
    cost_usd: PicoUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Earners:
    """What businesses brought. For operators only.

    Attributes:
        users: Businesses that got at least one answer.
        least: Those that brought the least; ``feature`` of a line is the id of the business.
    """

    users: int
    least: tuple[MarginLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCount:
    """Orders in one state.

    Attributes:
        state: E.g. ``successful``.
        orders: How many.
        amount: Their prices together.
        businesses: How many businesses they are of.
    """

    state: str
    orders: int
    amount: Money
    businesses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TryCount:
    """Attempts to pay that went alike.

    Attributes:
        gateway: Which gateway.
        method: ``mobile_money`` or ``card``; empty where the payer chose at the gateway. Which network it was is not
            kept.
        state: How it ended in the books.
        outcome: What the gateway said last, in our words; empty if it was not heard.
        tries: How many.
    """

    gateway: str
    method: str
    state: str
    outcome: str
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackCount:
    """Refunds or disputes in one state.

    Attributes:
        what: ``refund`` or ``dispute``.
        state: E.g. ``pending``.
        several: How many, of all time.
        amount: Together.
    """

    what: str
    state: str
    several: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """What became of orders that were made in some days, and of the attempts to pay in them.

    Attributes:
        orders: By state.
        tries: By gateway, method, state and outcome.
        back: All refunds and disputes.
    """

    orders: tuple[OrderCount, ...]
    tries: tuple[TryCount, ...]
    back: tuple[BackCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for somebody.

    Attributes:
        what: ``payments`` of open orders that nobody ended for half an hour, ``inbox`` (webhooks of gateways),
            ``quarantine`` (payments that do not fit), ``outbox`` (events to be sent), ``holds`` past their time.
        several: How many.
        oldest: Since when the oldest waits, UTC microseconds; None without any.
    """

    what: str
    several: int
    oldest: int | None
