"""Automatic top-ups and their runaway guard, and the pack that is offered when credits run low."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ai_addons.billing.packs import PREPAID_PACKS
from ai_addons.billing.topups import (
    AttemptOutcome,
    TopUp,
    TopUpAttempt,
    TopUpRule,
    TopUpState,
    decide,
    low_balance_offer,
    stopped_by,
    usual_fortnight,
)
from ai_addons.money import Credits, Money

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
NOON = 1_790_000_000_000_000 // DAY * DAY + 12 * HOUR
"""21 September 2026, 12:00 UTC."""

RULE = TopUpRule(pack="VALUE", threshold=Credits(10))
STATE = TopUpState(
    rule=RULE,
    available=Credits("9.999999"),
    has_card=True,
    packs=PREPAID_PACKS,
    attempts=(),
    resumed_at=0,
    tz="Africa/Accra",
)


def at(*ago: int, outcome: AttemptOutcome = "paid") -> tuple[TopUpAttempt, ...]:
    """Attempts so many microseconds ago."""
    return tuple(TopUpAttempt(at=NOON - one, outcome=outcome) for one in ago)


def test_a_card_buys_the_owners_pack_below_the_threshold() -> None:
    """At the price of now, under a key that two processes share."""
    bought = TopUp(pack="VALUE", price=Money(80), key="auto-top-up:2026-09-21:1")
    assert decide(STATE, NOON) == bought
    assert stopped_by(STATE, NOON) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rule": replace(RULE, enabled=False)}, "off"),
        ({"has_card": False}, "no_card"),
        ({"packs": PREPAID_PACKS[:1]}, "not_on_sale"),
        ({"rule": replace(RULE, most_price=Money("79.99"))}, "price"),
        ({"rule": replace(RULE, most_price=Money("80.00", "USD"))}, "price"),
        ({"available": Credits(10)}, "enough"),
        ({"attempts": at(40 * DAY, outcome="pending")}, "pending"),
        ({"attempts": at(2 * DAY, 3 * DAY, 4 * DAY, outcome="failed")}, "failures"),
        ({"attempts": at(HOUR - 1, outcome="failed")}, "cool_down"),
        ({"attempts": at(HOUR)}, "daily"),
        ({"attempts": at(12 * HOUR)}, "daily"),
        ({"attempts": at(1 * DAY, 2 * DAY, 3 * DAY, 20 * DAY)}, "monthly"),
    ],
)
def test_each_guard_stops_it_alone(changes: dict[str, Any], why: str) -> None:
    """Nothing is bought, and the owner can be told why."""
    state = replace(STATE, **changes)
    assert stopped_by(state, NOON) == why
    assert decide(state, NOON) is None


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"rule": replace(RULE, most_price=Money(80))}, "auto-top-up:2026-09-21:1"),
        ({"attempts": at(HOUR, outcome="failed")}, "auto-top-up:2026-09-21:2"),
        ({"attempts": at(12 * HOUR + 1)}, "auto-top-up:2026-09-21:1"),
        ({"attempts": at(1 * DAY, 2 * DAY, 3 * DAY, 21 * DAY)}, "auto-top-up:2026-09-21:1"),
        ({"attempts": (*at(2 * DAY, 3 * DAY, 5 * DAY, outcome="failed"), *at(4 * DAY))}, "auto-top-up:2026-09-21:1"),
        (
            {"attempts": at(2 * DAY, 3 * DAY, 4 * DAY, outcome="failed"), "resumed_at": NOON - 2 * DAY},
            "auto-top-up:2026-09-21:1",
        ),
        ({"attempts": at(14 * HOUR), "tz": "Pacific/Kiritimati"}, "auto-top-up:2026-09-22:1"),
    ],
)
def test_just_within_every_guard_it_buys(changes: dict[str, Any], key: str) -> None:
    """At the end of the cool-down, on the next day, in the next month, after a success or the owner's word."""
    bought = decide(replace(STATE, **changes), NOON)
    assert bought is not None
    assert bought.key == key


def test_a_runaway_buys_no_more_than_the_month_allows() -> None:
    """Credits that vanish as they come: four purchases in September, whoever asks again and again."""
    state, bought = STATE, 0
    first = NOON - 20 * DAY
    for minute in range(0, 29 * 24 * 60, 20):
        now = first + minute * 60 * SECOND
        if decide(state, now) is not None:
            bought += 1
            state = replace(state, attempts=(*state.attempts, TopUpAttempt(at=now, outcome="paid")))
    assert bought == 4


@pytest.mark.parametrize(
    ("daily", "usual"),
    [
        ([], None),
        (["1", "1"], None),
        (["1", "1", "1"], "14"),
        (["1", "0", "0"], "4.666667"),
        (["1"] * 14, "14"),
        (["0"] * 13 + ["7"], "7"),
        (["1"] * 15 + ["31"], "14"),
        (["1"] * 14 + ["3"], "15"),
        (["0"] * 14 + ["0.000001"], "0.000001"),
    ],
)
def test_the_usual_fortnight_is_a_median(daily: list[str], usual: str | None) -> None:
    """Of few days their mean; of many the middle fortnight, which one busy day does not move; rounded up."""
    assert usual_fortnight([Credits(day) for day in daily]) == (None if usual is None else Credits(usual))


@pytest.mark.parametrize(
    ("a_day", "available", "pack"),
    [
        ("1", "0", "STARTER"),
        ("3", "0", "VALUE"),
        ("3", "12", "STARTER"),
        ("3", "11.999999", "VALUE"),
        ("10", "0", "PRO"),
        ("100", "0", "PRO"),
        ("1", "14", None),
        ("0", "0", None),
    ],
)
def test_the_cheapest_pack_that_covers_a_fortnight_is_offered(a_day: str, available: str, pack: str | None) -> None:
    """With what is left; the largest where none does, none where nothing is missing."""
    offer = low_balance_offer(PREPAID_PACKS, [Credits(a_day)] * 30, Credits(available))
    assert (None if offer is None else offer.type) == pack


def test_a_newcomer_is_offered_the_recommended_pack() -> None:
    """Where use is not known; without a recommendation the cheapest, without packs nothing."""
    offers = [low_balance_offer(packs, [], Credits(0)) for packs in (PREPAID_PACKS, PREPAID_PACKS[:1], ())]
    assert [None if offer is None else offer.type for offer in offers] == ["VALUE", "STARTER", None]
    assert low_balance_offer((), [Credits(1)] * 30, Credits(0)) is None
