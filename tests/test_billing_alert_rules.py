"""When a shop is told that its credits run low."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.alerts import COOLDOWN, RUNWAY_DAYS, AlertState, after, runway_days
from ai_addons.money import Credits

LEVEL = Credits(10)
HOUR = 3_600_000_000
ARMED = AlertState(armed=True)


def _after(state: AlertState, posted: str, now: int = 0, *, paid: bool = False) -> tuple[AlertState, bool]:
    return after(state, posted=Credits(posted), threshold=LEVEL, now=now, paid_grant=paid, cooldown=COOLDOWN)


def _fired(*steps: tuple[str, int, bool]) -> list[bool]:
    """Whether each change of a new wallet fires: credits booked, hour, whether it was bought."""
    state, fired = AlertState(), list[bool]()
    for posted, hour, paid in steps:
        state, fires = _after(state, posted, hour * HOUR, paid=paid)
        fired.append(fires)
    return fired


def test_the_cooldown_is_a_day_and_the_runway_looks_back_two_weeks() -> None:
    """The defaults of the rules, in their units."""
    assert (COOLDOWN, RUNWAY_DAYS) == (86_400_000_000, 14)


def test_the_reference_course_fires_twice() -> None:
    """12 to 9 fires; 11 and 9 are silent; 30 bought arm it again, and the next 9 fires on the same day."""
    assert _fired(
        ("12", 0, True), ("9", 1, False), ("11", 2, False), ("9", 3, False), ("39", 4, True), ("9", 5, False)
    ) == [False, True, False, False, False, True]


def test_a_wallet_that_never_was_above_the_level_does_not_complain() -> None:
    """Five trial credits against a level of ten are no alarm, nor is spending them."""
    assert _fired(("5", 0, False), ("2", 1, False), ("0", 99, False)) == [False, False, False]


@pytest.mark.parametrize(("posted", "fires"), [("10.000001", False), ("10", False), ("9.999999", True), ("0", True)])
def test_it_fires_below_the_level_only(posted: str, fires: bool) -> None:
    """Exactly at the level is not low."""
    state, fired = _after(ARMED, posted, 7)
    assert fired is fires
    assert state == (AlertState(armed=False, last_fired_at=7) if fires else ARMED)


@pytest.mark.parametrize(
    ("posted", "paid", "armed"),
    [
        ("14.999999", False, False),
        ("15", False, True),
        ("10", True, False),
        ("10.000001", True, True),
        ("10.000001", False, False),
        ("9.999999", True, False),
    ],
)
def test_it_is_armed_well_above_the_level_or_by_bought_credits_above_it(posted: str, paid: bool, armed: bool) -> None:
    """Free credits arm it from one and a half times the level, bought ones from above the level."""
    assert _after(AlertState(), posted, paid=paid) == (AlertState(armed=armed), False)


@pytest.mark.parametrize(("now", "fires"), [(COOLDOWN - 1 + 5, False), (COOLDOWN + 5, True), (COOLDOWN + 6, True)])
def test_free_credits_do_not_end_the_cooldown(now: int, fires: bool) -> None:
    """Within a day of an alert a second crossing is silent; it is told with the first change after the day."""
    waiting = AlertState(armed=True, last_fired_at=5)
    assert _after(waiting, "9", now) == (
        (AlertState(armed=False, last_fired_at=now), True) if fires else (waiting, False)
    )


def test_bought_credits_end_the_cooldown_but_do_not_arm_below_the_level() -> None:
    """A small purchase that leaves the wallet low is no new crossing."""
    assert _after(AlertState(last_fired_at=5), "9", 6, paid=True) == (AlertState(), False)


def test_an_alert_at_the_very_start_of_time_is_remembered() -> None:
    """A time of zero is a time, not "never"."""
    assert _after(AlertState(armed=True, last_fired_at=0), "9", 1) == (AlertState(armed=True, last_fired_at=0), False)


@given(amounts=st.lists(st.integers(0, 14_999_999), max_size=40))
def test_hovering_around_the_level_fires_once(amounts: list[int]) -> None:
    """However the balance moves below one and a half times the level, one alert is sent, also after days."""
    state, fired = ARMED, 0
    for day, micro in enumerate(amounts):
        state, fires = _after(state, Credits.from_micro(micro).short, day * 2 * COOLDOWN)
        fired += fires
    assert fired == any(micro < LEVEL.micro for micro in amounts)


@given(steps=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30)), max_size=40))
def test_without_a_purchase_two_alerts_are_a_day_apart(steps: list[tuple[int, int]]) -> None:
    """Free credits that come and go never make more than one alert a day."""
    state, now, fired = AlertState(), 0, list[int]()
    for credit, hours in steps:
        now += hours * HOUR
        state, fires = _after(state, str(credit), now)
        fired += [now] if fires else []
    assert all(later - earlier >= COOLDOWN for earlier, later in pairwise(fired))


@pytest.mark.parametrize(
    ("available", "used", "days"),
    [
        ("14", ["1"] * 14, "14.0"),
        ("10", ["0"] * 13 + ["14"], "10.0"),
        ("10", ["3"], "3.3"),
        ("20", ["3"], "6.6"),
        ("0", ["3"], "0.0"),
        ("1", ["0.000001"], "1000000.0"),
        ("0.1", ["0.3", "0"], "0.6"),
    ],
)
def test_the_runway_is_what_is_left_at_the_mean_daily_use(available: str, used: list[str], days: str) -> None:
    """Days without use count; the answer is rounded down to a tenth, so it never promises too much."""
    assert str(runway_days(Credits(available), [Credits(day) for day in used])) == days
    assert isinstance(runway_days(Credits(available), [Credits(day) for day in used]), Decimal)


@pytest.mark.parametrize("used", [[], ["0"] * 14])
def test_a_shop_that_uses_nothing_has_no_runway(used: list[str]) -> None:
    """Nothing divided by is told as unknown, not as for ever."""
    assert runway_days(Credits(5), [Credits(day) for day in used]) is None
