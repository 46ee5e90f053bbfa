"""How long calls take and what became of them, from counts by time and error. Pure.

A log cannot be read again at each look, so calls are counted under the least of
some times that they took no longer than. A quantile is one of these times: what
it says is true, and at most as far off as two neighbours are apart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TARGET_MS: Final = 3_000
"""An answer is to be there in this time, in milliseconds."""

EDGES: Final = (
    *(5, 10, 20, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000),
    *(1_250, 1_500, 1_750, 2_000, 2_250, 2_500, 2_750, TARGET_MS, 3_500, 4_000, 4_500, 5_000),
    *(6_000, 7_000, 8_000, 10_000, 12_500, 15_000, 20_000, 25_000, 30_000, 45_000, 60_000, 120_000, 300_000, 600_000),
)
"""The times that calls are counted under, in milliseconds."""

BEYOND: Final = 2**31 - 1
"""Stands for more than the last of them."""

UNTIMED: Final = -1
"""Stands for calls whose time nobody knows."""

_PERCENTILES: Final = (50, 95, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCount:
    """Calls that are alike.

    Attributes:
        feature: Key of the feature.
        error: Code of the error; empty for an answer.
        cached: Whether a stored answer was given.
        under_ms: The least of `EDGES` that they took no longer than, `BEYOND` or `UNTIMED`.
        calls: How many.
    """

    feature: str
    error: str
    cached: bool
    under_ms: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long calls took, from accepted to answered; the failed ones count too.

    Attributes:
        feature: Key of the feature; empty for all.
        cached: Whether these are the calls that a stored answer was given to, or the others.
        calls: How many.
        timed: Those whose time is known.
        in_target: Those of them that took at most `TARGET_MS`.
        p50_ms: Half of them took no longer, in milliseconds; None without any, or beyond ten minutes.
        p95_ms: The same of 95 in a hundred.
        p99_ms: The same of 99 in a hundred.
    """

    feature: str
    cached: bool
    calls: int
    timed: int
    in_target: int
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorClass:
    """Calls that ended in one kind of error.

    Attributes:
        error: Its code.
        calls: How many.
        features: How many of them by feature, the most first.
    """

    error: str
    calls: int
    features: tuple[tuple[str, int], ...]


def latencies(rows: Iterable[CallCount]) -> tuple[Latency, ...]:
    """The times by feature, those of all features first; stored answers stand apart, after the others."""
    times = dict[tuple[str, bool], Counter[int]]()
    for row in rows:
        for feature in ("", row.feature):
            times.setdefault((feature, row.cached), Counter())[row.under_ms] += row.calls
    return tuple(_latency(*key, times[key]) for key in sorted(times))


def errors(rows: Iterable[CallCount]) -> tuple[ErrorClass, ...]:
    """The kinds of errors, the most frequent first."""
    found = dict[str, Counter[str]]()
    for row in rows:
        if row.error:
            found.setdefault(row.error, Counter())[row.feature] += row.calls
    made = [
        ErrorClass(error=code, calls=features.total(), features=_most_first(features))
        for code, features in found.items()
    ]
    return tuple(sorted(made, key=lambda one: (-one.calls, one.error)))


def quantile(times: Mapping[int, int], percent: int) -> int | None:
    """The least of `EDGES` that so many in a hundred calls took no longer than (nearest rank).

    Args:
        times: Calls by the time they are counted under.
        percent: 1 to 100.

    Returns:
        Milliseconds; None without a timed call, or where it lies beyond the last edge.
    """
    timed = sum(calls for under, calls in times.items() if under != UNTIMED)
    wanted, found = Fraction(percent * timed, 100), 0
    for edge in EDGES:
        found += times.get(edge, 0)
        if found and found >= wanted:
            return edge
    return None


def _latency(feature: str, cached: bool, times: Counter[int]) -> Latency:  # noqa: FBT001  # half of a key
    p50, p95, p99 = (quantile(times, percent) for percent in _PERCENTILES)
    return Latency(
        feature=feature,
        cached=cached,
        calls=times.total(),
        timed=times.total() - times[UNTIMED],
        in_target=sum(calls for under, calls in times.items() if 0 <= under <= TARGET_MS),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
    )


def _most_first(features: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(features.items(), key=lambda item: (-item[1], item[0])))
