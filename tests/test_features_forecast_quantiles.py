"""Quantiles of demand, against exact sums of fractions and against each other."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_addons.features.inventory_forecast import quantiles
from ai_addons.features.inventory_forecast.quantiles import (
    LARGEST_MEAN,
    LARGEST_VARIANCE,
    demand_cdf,
    demand_quantile,
    linear_quantile,
)
from tests.sizes import tries

LEVELS = (0.1, 0.5, 0.8, 0.9, 0.95, 0.99)


def exact_negative_binomial(units: int, r: int, success: Fraction) -> Fraction:
    """The chance of at most so many failures before the r-th success."""
    failure = 1 - success
    return sum((math.comb(r + k - 1, k) * success**r * failure**k for k in range(units + 1)), Fraction(0))


def exact_poisson(units: int, mean: Fraction) -> Fraction:
    """The chance of at most so many; e^mean from 400 terms of its series, far below any float's last digit."""
    terms, term = [Fraction(1)], Fraction(1)
    for k in range(1, 400):
        term *= mean / k
        terms.append(term)
    return sum(terms[: units + 1], Fraction(0)) / sum(terms, Fraction(0))


@pytest.mark.parametrize(
    ("level", "mean", "variance", "units"),
    [
        # Poisson of mean 1: 0.368, 0.736, 0.920, 0.981.
        (0.3, 1, 1, 0),
        (0.9, 1, 1, 2),
        (0.95, 1, 1, 3),
        # A variance below the mean, or hardly above it, is Poisson too.
        (0.95, 1, 0, 3),
        (0.95, 1, 1.001, 3),
        # Geometric with success 1/2: 1 - 0.5^(k + 1).
        (0.5, 1, 2, 0),
        (0.9, 1, 2, 3),
        (0.95, 1, 2, 4),
        (0.99, 1, 2, 6),
        (0.99, 0, 50, 0),
    ],
)
def test_quantiles_known_by_hand(level: float, mean: float, variance: float, units: int) -> None:
    """Small cases that a person can check."""
    assert demand_quantile(level, mean, variance) == units


@pytest.mark.parametrize("r", [1, 2, 7, 40])
@pytest.mark.parametrize("success", [Fraction(1, 20), Fraction(1, 3), Fraction(3, 4)])
def test_the_negative_binomial_is_that_of_exact_fractions(r: int, success: Fraction) -> None:
    """Both ways of computing it find the quantile of the exact sum, and the chances agree to 12 digits."""
    mean = float(r * (1 - success) / success)
    variance = mean / float(success)
    for level in LEVELS:
        units = demand_quantile(level, mean, variance)
        assert exact_negative_binomial(units, r, success) >= level
        assert units == 0 or exact_negative_binomial(units - 1, r, success) < level
        assert quantiles._by_search(level, mean, variance) == units
        exact = float(exact_negative_binomial(units, r, success))
        assert demand_cdf(units, mean, variance) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("mean", [Fraction(1, 50), Fraction(3, 2), Fraction(17), Fraction(60)])
def test_the_poisson_is_that_of_exact_fractions(mean: Fraction) -> None:
    """The same where the variance is the mean."""
    for level in LEVELS:
        units = demand_quantile(level, float(mean), float(mean))
        assert exact_poisson(units, mean) >= level
        assert units == 0 or exact_poisson(units - 1, mean) < level
        assert quantiles._by_search(level, float(mean), float(mean)) == units
        assert demand_cdf(units, float(mean), float(mean)) == pytest.approx(
            float(exact_poisson(units, mean)), rel=1e-12
        )


@settings(max_examples=tries(200))
@given(
    st.sampled_from(LEVELS),
    st.floats(1e-6, 500),
    st.floats(0.5, 30),
)
def test_summing_and_searching_agree(level: float, mean: float, dispersion: float) -> None:
    """Where few values matter, the recurrence and the continued fraction find the same unit."""
    variance = max(mean * dispersion, mean)
    searched = quantiles._by_search(level, mean, variance)
    chance = demand_cdf(searched, mean, variance)
    # Next to the level itself, the last bit of either way may decide.
    if abs(chance - level) > 1e-11 and abs(demand_cdf(searched - 1, mean, variance) - level) > 1e-11:
        assert quantiles._by_sum(level, mean, variance) == searched


@settings(max_examples=tries(100), deadline=None)
@given(
    st.floats(0.01, 0.99),
    st.floats(1e-9, 1e6),
    st.floats(0, 1e15),
)
def test_a_quantile_is_the_first_that_reaches_its_level(level: float, mean: float, variance: float) -> None:
    """Its chance is at least the level, that of one unit less is below, for any demand of a shop."""
    units = demand_quantile(level, mean, variance)
    spread = max(variance, mean)
    assert demand_cdf(units, mean, spread) >= level - 1e-9
    assert demand_cdf(units - 1, mean, spread) < level + 1e-9


@settings(max_examples=tries(100), deadline=None)
@given(st.floats(0.01, 0.98), st.floats(1e-3, 1e4), st.floats(1, 50))
def test_more_safety_and_more_demand_need_more_stock(level: float, mean: float, dispersion: float) -> None:
    """A quantile never falls with its level, nor with the mean at the same dispersion."""
    units = demand_quantile(level, mean, mean * dispersion)
    assert demand_quantile(level + 0.01, mean, mean * dispersion) >= units
    assert demand_quantile(level, mean * 1.5, mean * 1.5 * dispersion) >= units


@pytest.mark.parametrize(
    ("mean", "variance"),
    [
        (LARGEST_MEAN / 10, LARGEST_MEAN / 10),
        (LARGEST_MEAN / 10, LARGEST_MEAN),
        (2e8, 1e15),
        (1e6, 1.002e6),
    ],
)
def test_huge_demand_is_close_to_the_normal_distribution(mean: float, variance: float) -> None:
    """No overflow and no long loop: the 95 % quantile lies where the central limit theorem wants it."""
    units = demand_quantile(0.95, mean, variance)
    assert (units - mean) / math.sqrt(variance) == pytest.approx(1.645, abs=0.1)


@pytest.mark.parametrize(("mean", "variance"), [(1e-12, LARGEST_VARIANCE), (LARGEST_MEAN, LARGEST_VARIANCE)])
def test_a_variance_beyond_reason_is_all_zeros_and_rare_giants(mean: float, variance: float) -> None:
    """Almost all of such demand is 0, and so are its quantiles."""
    assert demand_quantile(0.99, mean, variance) == 0


@pytest.mark.parametrize(
    ("level", "mean", "variance"),
    [
        (0, 1, 1),
        (1, 1, 1),
        (0.9, -1, 1),
        (0.9, 1, -1),
        (0.9, 2 * LARGEST_MEAN, 1),
        (0.9, 1, 2 * LARGEST_VARIANCE),
        (math.nan, 1, 1),
        (0.9, math.nan, 1),
        (0.9, 1, math.nan),
        (0.9, math.inf, 1),
    ],
)
def test_what_is_no_demand_is_refused(level: float, mean: float, variance: float) -> None:
    """Absurd numbers are named, not computed with."""
    with pytest.raises(ValueError, match="no quantile"):
        demand_quantile(level, mean, variance)


def test_no_demand_is_below_nothing() -> None:
    """Fewer than 0 units is impossible."""
    assert demand_cdf(-1, 5, 9) == 0


@pytest.mark.parametrize(
    ("values", "level", "quantile"),
    [([7], 0.95, 7), ([4, 1, 3, 2], 0.95, 3.85), ([4, 1, 3, 2], 0, 1), ([4, 1, 3, 2], 1, 4), ([0, 10], 0.25, 2.5)],
)
def test_an_empirical_quantile_lies_between_its_neighbours(values: list[float], level: float, quantile: float) -> None:
    """Linear between the two nearest ordered values."""
    assert linear_quantile(values, level) == pytest.approx(quantile)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40), st.floats(0, 1))
def test_an_empirical_quantile_stays_within_its_values(values: list[float], level: float) -> None:
    """It invents no demand."""
    assert min(values) <= linear_quantile(values, level) <= max(values) * (1 + 1e-12)
