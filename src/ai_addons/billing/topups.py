"""When a card on file buys credits by itself, and which pack to offer when they run low. Pure.

An automatic purchase is one that nobody watches: it asks for a card, for credits below
the owner's threshold, for time since the last attempt, and for room within the most
of a day and of a month; after failures in a row it stops until the owner resumes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.billing.months import day_of
from ai_addons.billing.orders import AUTOMATIC
from ai_addons.billing.packs import offers
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_addons.catalog import Offer, Pack
    from ai_addons.money import Money

FORTNIGHT: Final = 14
"""Days whose use a pack should cover."""

HOUR: Final = timedelta(hours=1)
"""From one automatic attempt to the next, if nothing is said."""

_FEWEST_DAYS: Final = 3

AttemptOutcome: TypeAlias = Literal["paid", "pending", "failed"]
Stop: TypeAlias = Literal[
    "off", "no_card", "not_on_sale", "price", "enough", "pending", "failures", "cool_down", "daily", "monthly"
]
"""Why nothing is bought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpRule:
    """What the owner agreed to.

    Attributes:
        pack: Type of the pack that is bought.
        threshold: Credits are bought while fewer than these are available.
        most_price: What the pack may cost; a price that rises above it stops the purchases. None for any price.
        most_per_day: Purchases in a day of the business's zone.
        most_per_month: Purchases in a month of it.
        cool_down: Microseconds from one attempt to the next.
        most_failures: Failures in a row after which it stops.
        enabled: Whether it is on.
    """

    pack: str
    threshold: Credits
    most_price: Money | None = None
    most_per_day: int = 1
    most_per_month: int = 4
    cool_down: int = HOUR // timedelta(microseconds=1)
    most_failures: int = 3
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpAttempt:
    """One automatic purchase.

    Attributes:
        at: When it was begun, UTC microseconds.
        outcome: What became of it; ``pending`` while nobody knows.
    """

    at: int
    outcome: AttemptOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpState:
    """What decides.

    Attributes:
        rule: What the owner agreed to.
        available: Credits that can be spent now.
        has_card: Whether a card is on file that may be charged again.
        packs: What is on sale now.
        attempts: Automatic purchases of this month at least, in any order.
        resumed_at: When the owner last switched it on, UTC microseconds; failures before it do not count.
        tz: The business's zone.
    """

    rule: TopUpRule
    available: Credits
    has_card: bool
    packs: tuple[Pack, ...]
    attempts: tuple[TopUpAttempt, ...]
    resumed_at: int
    tz: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """What to buy now.

    Attributes:
        pack: Type of the pack.
        price: What it costs now.
        key: Idempotency key of the order: two processes that decide at once start one.
    """

    pack: str
    price: Money
    key: str


def decide(state: TopUpState, now: int) -> TopUp | None:
    """What a card on file buys now; None for nothing (`stopped_by` says why).

    Args:
        state: What decides.
        now: UTC microseconds.
    """
    pack = _pack(state)
    if pack is None or stopped_by(state, now) is not None:
        return None
    today = day_of(now, state.tz)
    number = sum(day_of(one.at, state.tz) == today for one in state.attempts)
    return TopUp(pack=pack.type, price=pack.price, key=f"{AUTOMATIC}{today.isoformat()}:{number + 1}")


def stopped_by(state: TopUpState, now: int) -> Stop | None:
    """The first reason why nothing is bought; None if something is.

    Args:
        state: What decides.
        now: UTC microseconds.
    """
    return next(_stops(state, now), None)


def usual_fortnight(daily: Sequence[Credits]) -> Credits | None:
    """Credits that a business usually uses in a fortnight: the median of all its fortnights, rounded up.

    A median, so that one month-end does not make every offer large.

    Args:
        daily: Credits used each day without a gap, the oldest first; zeros for quiet days.

    Returns:
        None for fewer than three days; for fewer than a fortnight, their mean for a fortnight.
    """
    used = [day.micro for day in daily]
    if len(used) < _FEWEST_DAYS:
        return None
    if len(used) < FORTNIGHT:
        return Credits.from_micro(-(-sum(used) * FORTNIGHT // len(used)))
    sums = sorted(sum(used[at : at + FORTNIGHT]) for at in range(len(used) - FORTNIGHT + 1))
    low, high = sums[(len(sums) - 1) // 2], sums[len(sums) // 2]
    return Credits.from_micro(-(-(low + high) // 2))


def low_balance_offer(packs: Sequence[Pack], daily: Sequence[Credits], available: Credits) -> Offer | None:
    """The pack to offer where credits run low: the cheapest that, with what is left, covers the usual fortnight.

    Where no pack does it is the largest; where use is not known yet, the recommended one or else the cheapest.

    Args:
        packs: What is on sale, cheapest first.
        daily: As for `usual_fortnight`.
        available: Credits left.

    Returns:
        None if what is left covers it, or nothing is on sale.
    """
    usual = usual_fortnight(daily)
    if usual is None:
        every = offers(packs, Credits(0))
        return next((offer for offer in every if offer.recommended), every[0] if every else None)
    missing = usual - available
    return next(iter(offers(packs, missing)), None) if missing > Credits(0) else None


def _pack(state: TopUpState) -> Pack | None:
    return next((pack for pack in state.packs if pack.type == state.rule.pack), None)


def _within(price: Money, most: Money) -> bool:
    """Whether a price is at most another; one in another currency is not what was agreed to."""
    return price.currency == most.currency and price.minor <= most.minor


def _stops(state: TopUpState, now: int) -> Iterator[Stop]:
    rule, today = state.rule, day_of(now, state.tz)
    pack = _pack(state)
    dear = pack is not None and rule.most_price is not None and not _within(pack.price, rule.most_price)
    bought = [day_of(one.at, state.tz) for one in state.attempts if one.outcome != "failed"]
    reasons: tuple[tuple[Stop, bool], ...] = (
        ("off", not rule.enabled),
        ("no_card", not state.has_card),
        ("not_on_sale", pack is None),
        ("price", dear),
        ("enough", state.available >= rule.threshold),
        ("pending", any(one.outcome == "pending" for one in state.attempts)),
        ("failures", _failures(state) >= rule.most_failures),
        ("cool_down", any(now - one.at < rule.cool_down for one in state.attempts)),
        ("daily", bought.count(today) >= rule.most_per_day),
        ("monthly", sum((day.year, day.month) == (today.year, today.month) for day in bought) >= rule.most_per_month),
    )
    for reason, holds in reasons:
        if holds:
            yield reason


def _failures(state: TopUpState) -> int:
    """Failures since the last success, and since the owner last switched it on."""
    failures = 0
    for one in sorted(state.attempts, key=lambda attempt: attempt.at, reverse=True):
        if one.outcome != "failed" or one.at < state.resumed_at:
            break
        failures += 1
    return failures
