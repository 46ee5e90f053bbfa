"""How sure shares, means and ratios are."""

from __future__ import annotations

from decimal import Decimal, localcontext
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.kpis.intervals import mean_interval, percentile, ratio_interval, share_of, wilson


def dice(seed: int) -> Random:
    """A source of randomness that gives the same every time."""
    return Random(seed)  # noqa: S311  # resamples, no secret


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [
        (99, 100, "0.945514", "0.998233"),
        (9_930, 10_000, "0.991166", "0.994455"),
        (381, 381, "0.990018", "1.000000"),
        (380, 380, "0.989992", "1.000000"),
        (189, 189, "0.980080", "1.000000"),
        (188, 188, "0.979976", "1.000000"),
        (0, 5, "0.000000", "0.434482"),
    ],
)
def test_wilson_gives_the_reference_intervals(successes: int, total: int, low: str, high: str) -> None:
    """99 of 100 proves nothing about 99 %; without a failure 381 cases do, and 189 prove 98 %."""
    with localcontext(prec=2):
        assert wilson(successes, total) == (Decimal(low), Decimal(high))


def test_no_case_has_no_interval() -> None:
    """Nothing is known of nothing."""
    assert wilson(0, 0) is None
    assert share_of(0, 0) is None
    assert mean_interval([], dice(1)) is None
    assert percentile({}, Decimal("0.5")) is None


@pytest.mark.parametrize(("successes", "total"), [(2, 1), (-1, 1)])
def test_what_is_no_share_is_refused(successes: int, total: int) -> None:
    """More than all, or less than none."""
    with pytest.raises(ValueError, match=f"{successes} of {total} is no share"):
        wilson(successes, total)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_share_lies_in_its_interval(part: int, total: int) -> None:
    """And the interval lies between none and all."""
    successes = part % (total + 1)
    found, value = wilson(successes, total), share_of(successes, total)
    assert found is not None
    assert value is not None
    assert 0 <= found[0] <= value <= found[1] <= 1


def test_the_bootstrap_gives_the_same_interval_for_the_same_seed() -> None:
    """Randomness comes in; the interval holds the mean and narrows with more values."""
    few, many = [1, 2, 3, 4, 5] * 6, [1, 2, 3, 4, 5] * 60
    assert mean_interval(few, dice(7)) == mean_interval(few, dice(7))
    narrow, wide = mean_interval(many, dice(7)), mean_interval(few, dice(7))
    assert narrow is not None
    assert wide is not None
    assert wide[0] < narrow[0] < 3 < narrow[1] < wide[1]


def test_very_many_values_are_not_drawn() -> None:
    """1 and 5 alternating, 4,000 of them: mean 3, standard error 2 over the root of 3,999."""
    assert mean_interval([1, 5] * 2_000, dice(1)) == (Decimal("2.938013"), Decimal("3.061987"))


def test_equal_values_have_no_spread() -> None:
    """The bootstrap cannot tell that there were few; who reports it must."""
    assert mean_interval([5] * 3, dice(1)) == (Decimal(5), Decimal(5))


def test_the_ratio_of_two_shares_has_the_interval_of_katz() -> None:
    """80 of 100 against 60 of 100: 1.333, from 1.105 to 1.609."""
    assert ratio_interval((80, 100), (60, 100)) == (Decimal("1.333333"), (Decimal("1.105204"), Decimal("1.608552")))


@pytest.mark.parametrize(("first", "second"), [((0, 5), (1, 5)), ((1, 5), (0, 5)), ((0, 0), (0, 0))])
def test_no_ratio_is_made_of_nothing(first: tuple[int, int], second: tuple[int, int]) -> None:
    """Without a success on either side there is nothing to divide."""
    assert ratio_interval(first, second) is None


@pytest.mark.parametrize(("part", "value"), [("0.50", 2), ("0.51", 3), ("0.95", 4), ("0.25", 1), ("0.01", 1), ("1", 4)])
def test_a_percentile_is_a_value_that_was_there(part: str, value: int) -> None:
    """Nearest rank: of 1, 2, 3 and 4 the median is the second."""
    assert percentile({4: 1, 1: 1, 3: 1, 2: 1}, Decimal(part)) == value
