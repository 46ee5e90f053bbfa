"""Quantiles of demand: Poisson, negative binomial, and of what was seen.

The distribution functions are exact up to the rounding of a float. Where few values
matter, they are summed by their recurrence. Elsewhere they are incomplete gamma and
beta functions by continued fractions, whose leading factor is built as in C. Loader,
"Fast and Accurate Computation of Binomial Probabilities" (2000): it neither overflows
nor loses digits for large arguments. No loop is longer than a few times the square
root of the mean.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGEST_MEAN: Final = 1e9
"""Units; a larger mean is refused, as no shop sells them and the search would take long."""

LARGEST_VARIANCE: Final = 1e24
"""Square units; refused beyond it."""

_POISSON_BELOW: Final = 1.001
_FEW: Final = 5_000
_LEAST_EXPONENT: Final = -700.0
_TINY: Final = 1e-300
_PRECISION: Final = 1e-15
_LONGEST: Final = 1_000_000
_STIRLING_FROM: Final = 16.0
_CLOSE: Final = 0.1
_HALF_LOG_TWO_PI: Final = 0.5 * math.log(2 * math.pi)


def demand_quantile(level: float, mean: float, variance: float) -> int:
    """The smallest whole number of units that demand stays within with this chance.

    Negative binomial with r = mean^2 / (variance - mean) and success chance
    r / (r + mean) = mean / variance; Poisson where the variance is at most 1.001 times
    the mean; 0 without demand.

    Args:
        level: Chance, between 0 and 1, both excluded.
        mean: Expected units.
        variance: Square units.

    Raises:
        ValueError: If a number is out of range or no number.
    """
    if not (0 < level < 1 and 0 <= mean <= LARGEST_MEAN and 0 <= variance <= LARGEST_VARIANCE):
        msg = f"no quantile for level {level}, mean {mean}, variance {variance}"
        raise ValueError(msg)
    if mean == 0:
        return 0
    spread = max(variance, mean)
    return _by_sum(level, mean, spread) if _is_small(level, mean, spread) else _by_search(level, mean, spread)


def _shape(mean: float, variance: float) -> float | None:
    """Shape r of the negative binomial; None for Poisson."""
    return None if variance <= _POISSON_BELOW * mean else mean * mean / (variance - mean)


def _is_small(level: float, mean: float, variance: float) -> bool:
    """Whether few values reach the quantile (Cantelli's inequality) and the chance of 0 is no underflow."""
    r = _shape(mean, variance)
    exponent = -mean if r is None else r * math.log(mean / variance)
    bound = mean + math.sqrt(variance * level / (1 - level))
    return bound < _FEW and exponent > _LEAST_EXPONENT


def _by_sum(level: float, mean: float, variance: float) -> int:
    r = _shape(mean, variance)
    chance = math.exp(-mean) if r is None else (mean / variance) ** r
    failure = 1 - mean / variance
    total, units = chance, 0
    # The chance becomes 0 where rounding keeps the sum below a level next to 1.
    while total < level and chance > 0:
        units += 1
        chance *= mean / units if r is None else (r + units - 1) / units * failure
        total += chance
    return units


def _by_search(level: float, mean: float, variance: float) -> int:
    """Bisection from where the Cornish-Fisher expansion (second order) expects the quantile."""
    deviation = math.sqrt(variance)
    skew = (2 - mean / variance) * deviation / mean
    z = NormalDist().inv_cdf(level)
    guess = mean + deviation * min(z + skew * (z * z - 1) / 6, 1 / (1 - level))
    return _bisected(lambda units: demand_cdf(units, mean, variance) >= level, int(max(guess, 0)), int(deviation / 50))


def _bisected(reached: Callable[[int], bool], guess: int, step: int) -> int:
    """The smallest whole number for which a monotone condition holds."""
    step = max(step, 1)
    low, high = guess, guess
    while low >= 0 and reached(low):
        low, high, step = low - step, low, step * 2
    low = max(low, -1)
    while not reached(high):
        low, high, step = high, high + step, step * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def demand_cdf(units: int, mean: float, variance: float) -> float:
    """The chance that demand is at most so many units, by the distribution of `demand_quantile`.

    Args:
        units: Whole units; below 0 the chance is 0.
        mean: Expected units, above 0.
        variance: Square units.
    """
    if units < 0:
        return 0.0
    r = _shape(mean, variance)
    if r is None:
        return _upper_gamma(units + 1.0, mean)
    return _lower_beta(r, units + 1.0, mean / variance, (variance - mean) / variance)


def _stirling_error(n: float) -> float:
    """The logarithm of n! over Stirling's formula for it."""
    if n < _STIRLING_FROM:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - _HALF_LOG_TWO_PI
    square = n * n
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n


def _deviance(x: float, mean: float) -> float:
    """Deviance x log(x / mean) + mean - x, without cancellation where x is near the mean."""
    if abs(x - mean) >= _CLOSE * (x + mean):
        return x * math.log(x / mean) + mean - x
    ratio = (x - mean) / (x + mean)
    total, power, odd = (x - mean) * ratio, 2 * x * ratio, 1
    while True:
        power *= ratio * ratio
        odd += 2
        following = total + power / odd
        if following == total:
            return total
        total = following


def _poisson_term(x: float, mean: float) -> float:
    """e^-mean mean^x / x!, also for an x that is no whole number."""
    return math.exp(-_stirling_error(x) - _deviance(x, mean)) / math.sqrt(2 * math.pi * x)


def _beta_term(a: float, b: float, x: float, y: float) -> float:
    """x^a y^b / B(a, b), where y = 1 - x."""
    n = a + b
    errors = _stirling_error(n) - _stirling_error(a) - _stirling_error(b)
    exponent = errors - _deviance(a, n * x) - _deviance(b, n * y)
    return math.exp(exponent) * math.sqrt(a * b / (2 * math.pi * n))


def _upper_gamma(a: float, x: float) -> float:
    """The regularised incomplete gamma function Q(a, x) for a >= 1."""
    lead = _poisson_term(a, x) * a
    if x < a + 1:
        return 1 - lead * _gamma_series(a, x)
    return lead * _gamma_fraction(a, x)


def _gamma_series(a: float, x: float) -> float:
    term = total = 1 / a
    for step in range(1, _LONGEST):
        term *= x / (a + step)
        total += term
        if term < total * _PRECISION:
            break
    return total


def _gamma_fraction(a: float, x: float) -> float:
    """Lentz's method on the continued fraction of the upper incomplete gamma function."""
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    found = d
    for step in range(1, _LONGEST):
        a_n = -step * (step - a)
        b += 2
        d = 1 / _not_zero(a_n * d + b)
        c = _not_zero(b + a_n / c)
        found *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return found


def _lower_beta(a: float, b: float, x: float, y: float) -> float:
    """The regularised incomplete beta function I_x(a, b), where y = 1 - x."""
    lead = _beta_term(a, b, x, y)
    if x < (a + 1) / (a + b + 2):
        return lead * _beta_fraction(a, b, x) / a
    return 1 - lead * _beta_fraction(b, a, y) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Lentz's method on the continued fraction of the incomplete beta function."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _LONGEST):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            found *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return found


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def linear_quantile(values: Sequence[float], level: float) -> float:
    """The quantile between the two nearest ordered values (Hyndman and Fan's type 7).

    Args:
        values: At least one.
        level: 0 to 1.
    """
    ordered = sorted(values)
    place = (len(ordered) - 1) * level
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
