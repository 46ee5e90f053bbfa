"""What a window of the provider budget stands at."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ai_addons.billing.budget import Budget, Spent, Windows, facts, is_far, standing
from ai_addons.money import PicoUsd
from tests.addon_books import us


@pytest.mark.parametrize(
    ("used", "held", "bound", "found"),
    [
        (0, 0, 10, "ok"),
        (0, 0, 79, "ok"),
        (0, 0, 80, "warn"),
        (40, 39, 1, "warn"),
        (40, 59, 1, "warn"),
        (40, 60, 1, "spent"),
        (100, 0, 1, "spent"),
        (100, 0, 0, "warn"),
        (101, 0, 0, "spent"),
    ],
)
def test_a_call_may_use_a_budget_up_and_not_go_over_it(used: int, held: int, bound: int, found: str) -> None:
    """What ended calls cost and calls in progress may cost count alike; the warning comes at 80 %."""
    month = Budget(window="month", amount=PicoUsd(100))
    assert standing(month, Spent(used=used, held=held), bound, Decimal("0.8")) == found


@pytest.mark.parametrize(("warned", "found"), [(100, "ok"), (90, "warn"), (-1, "warn")])
def test_a_warning_is_for_a_budget_and_not_for_a_raised_one(warned: int, found: str) -> None:
    """Who raises a budget is warned again when the new one is nearly spent."""
    month = Budget(window="month", amount=PicoUsd(100))
    assert standing(month, Spent(used=85, warned=warned), 1, Decimal("0.8")) == found


@pytest.mark.parametrize(
    ("used", "bound", "far"), [(0, 1, True), (0, 3, True), (0, 4, False), (548, 1, True), (549, 1, False)]
)
def test_calls_look_at_each_other_only_near_a_level(used: int, bound: int, *, far: bool) -> None:
    """Two hundred and fifty more calls like this one must fit below the warning, or they queue."""
    month = Budget(window="month", amount=PicoUsd(1_000))
    assert is_far(month, Spent(used=used), bound, Decimal("0.8")) is far


def test_days_and_months_are_those_of_the_operator() -> None:
    """Half past midnight in Accra is the evening before in New York."""
    at = us("2027-02-01 00:30")
    assert Windows.at(at, "Africa/Accra") == Windows(us("2027-02-01 00:00"), us("2027-02-01 00:00"))
    assert Windows.at(at, "America/New_York") == Windows(us("2027-01-31 05:00"), us("2027-01-01 05:00"))


def test_windows_name_their_starts() -> None:
    """The day's and the month's are told apart."""
    windows = Windows(7, 3)
    assert (windows.start("day"), windows.start("month")) == (7, 3)


def test_what_is_told_is_a_budget_in_dollars() -> None:
    """People read dollars, and which window it is."""
    day = Budget(window="day", amount=PicoUsd(2_500_000_000_000))
    assert facts(day, Decimal("0.75")) == {"window": "day", "budget_usd": "2.500000000000", "warn_at": "0.75"}
