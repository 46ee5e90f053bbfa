"""How sure a measured share, mean or ratio is: 95 % intervals. Pure; exact decimals, randomness comes in.

Sources: Wilson, Probable inference (1927), for shares; the percentile bootstrap
(Efron, 1979) for means; Katz et al. (1978) for the ratio of two shares.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

Interval: TypeAlias = tuple[Decimal, Decimal]

Z: Final = Decimal("1.959963984540054")
"""Standard normal quantile of a two-sided 95 % interval."""

RESAMPLES: Final = 2_000
"""Bootstrap resamples of a mean."""

MOST_DRAWN: Final = 500
"""Beyond so many values the mean is normal enough, and drawing them again and again only takes time."""

_PLACES: Final = Decimal("0.000001")
EXACT: Final = Context(prec=50, rounding=ROUND_HALF_EVEN)
"""Whatever decimal context the host has set."""

_ONE: Final = Decimal(1)
_MICRO: Final = 1_000_000


def wilson(successes: int, total: int) -> Interval | None:
    """95 % Wilson score interval of a share.

    Args:
        successes: How many of them.
        total: All of them.

    Returns:
        Lower and upper bound, six places; None without any case. 99 of 100 is 0.945514 to 0.998233.

    Raises:
        ValueError: Unless ``0 <= successes <= total``.
    """
    if not 0 <= successes <= total:
        msg = f"{successes} of {total} is no share"
        raise ValueError(msg)
    if not total:
        return None
    with localcontext(EXACT):
        n, p = Decimal(total), Decimal(successes) / total
        scale = 1 + Z * Z / n
        center = (p + Z * Z / (2 * n)) / scale
        half = Z * (p * (1 - p) / n + Z * Z / (4 * n * n)).sqrt() / scale
        low = Decimal(0) if not successes else center - half
        high = _ONE if successes == total else center + half
        return low.quantize(_PLACES), high.quantize(_PLACES)


def share_of(part: int, whole: int) -> Decimal | None:
    """A part of a whole, six places; None of nothing.

    Args:
        part: May be negative.
        whole: Not negative.
    """
    with localcontext(EXACT):
        return (Decimal(part) / whole).quantize(_PLACES) if whole else None


def mean_interval(values: Sequence[int], rng: Random, *, resamples: int = RESAMPLES) -> Interval | None:
    """95 % interval of a mean by the percentile bootstrap; of very many values by the normal distribution.

    Args:
        values: Whole numbers of any unit; the interval is in the same one.
        rng: Draws the resamples; the same seed gives the same interval.
        resamples: How many.

    Returns:
        Lower and upper bound, six places; None without a value.
    """
    if not values:
        return None
    if len(values) > MOST_DRAWN:
        return _normal(values)
    count = len(values)
    sums = sorted(sum(rng.choices(values, k=count)) for _ in range(resamples))
    low, high = sums[resamples * 25 // 1_000], sums[-1 - resamples * 25 // 1_000]
    with localcontext(EXACT):
        return (Decimal(low) / count).quantize(_PLACES), (Decimal(high) / count).quantize(_PLACES)


def _normal(values: Sequence[int]) -> Interval:
    count, total = len(values), sum(values)
    # Exact: the sum of squared deviations times the count is a whole number.
    spread = count * sum(value * value for value in values) - total * total
    with localcontext(EXACT):
        half = Z * (Decimal(spread) / count / (count - 1) / count).sqrt()
        mean = Decimal(total) / count
        return (mean - half).quantize(_PLACES), (mean + half).quantize(_PLACES)


def ratio_interval(first: tuple[int, int], second: tuple[int, int]) -> tuple[Decimal, Interval] | None:
    """How many times larger one share is than another, with its 95 % interval (Katz).

    Args:
        first: Successes and total of one group.
        second: Those of the other.

    Returns:
        The ratio and its bounds, six places; None where either group has no success.
    """
    (a, n), (b, m) = first, second
    if not a or not b:
        return None
    with localcontext(EXACT):
        ratio = Decimal(a) * m / (Decimal(b) * n)
        error = (_ONE / a - _ONE / n + _ONE / b - _ONE / m).sqrt()
        low, high = ratio / (Z * error).exp(), ratio * (Z * error).exp()
        return ratio.quantize(_PLACES), (low.quantize(_PLACES), high.quantize(_PLACES))


def percentile(counts: Mapping[int, int], part: Decimal) -> int | None:
    """Nearest-rank percentile of counted values.

    Args:
        counts: How often each value was there.
        part: E.g. 0.95.

    Returns:
        The smallest value that at least this part of all does not exceed; None without any.
    """
    total = sum(counts.values())
    # Rounded up in whole numbers: 0.95 of 20 is the 19th, of 21 the 20th.
    rank = max(-(-total * int(part * _MICRO) // _MICRO), 1)
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= rank:
            return value
    return None
