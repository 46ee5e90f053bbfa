"""The features' own arithmetic beside the simple methods that everybody knows, and beside the reference's figures.

Run with ``python -m benchmarks.features [--full] [--only PART …] [--json]``. A figure in brackets is the reference's.
`report`, `insight` and `forecast` read a slice of real sales, which is no part of the project; where it is absent they
say so. There a figure has to come up to the reference's. The reference's receivables and loans are not on this machine:
`credit`, `collections` and `dashboard` run on generated data, and only the order of the methods can be compared.
No part asks a model: how well one writes is not measured here.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from benchmarks import (
    _features_collections,
    _features_credit,
    _features_dashboard,
    _features_forecast,
    _features_insight,
    _features_report,
    _features_speed,
)
from benchmarks._features_rows import above, below, by_method, same, shown
from benchmarks._features_slice import slice_folder
from benchmarks._report import Benchmark, Result, main, not_measured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks._features_rows import Row

_SES_OR_TSB: Final = 0.988
"""The reference gives 0.986 for SES and 0.988 for TSB; which of them an item gets goes by its class."""
_COVERED: Final = 93.0


def on_slice(lines: Callable[[Path], list[Result]], _folder: Path, *, full: bool) -> list[Result]:  # noqa: ARG001  # one size
    """A part that needs the development slice."""
    try:
        return lines(slice_folder())
    except FileNotFoundError as missing:
        return [not_measured("development slice", str(missing))]


def report(data: Path) -> list[Result]:
    """Where the change in sales comes from, to the penny, and the odd days."""
    return same(_features_report.measure(data))


def insight(data: Path) -> list[Result]:
    """Segments, and how well scores order who buys again."""
    found = _features_insight.measure(data)
    ours = (
        by_method(found, _features_insight.AUC)[_features_insight.OURS],
        by_method(found, _features_insight.TOP_FIFTH)[_features_insight.OURS],
    )
    return [
        *same([row for row in found if not row.method]),
        *(above(found, row.what, _features_insight.OURS, goal=row.reference) for row in ours),
    ]


def forecast(data: Path) -> list[Result]:
    """Demand classes, errors of forecasts, and what reorder points cover."""
    found, ours = _features_forecast.measure(data), _features_forecast.OURS
    return [
        *same([row for row in found if not row.method]),
        below(found, _features_forecast.RMSSE, ours, goal=_SES_OR_TSB),
        above(found, _features_forecast.SERVICE, ours, goal=_COVERED),
        shown(found, _features_forecast.STOCK, ours),
    ]


def credit(_folder: Path, *, full: bool) -> list[Result]:
    """Who will pay late, by points and by a fitted card."""
    seeds = _features_credit.SEEDS if full else _features_credit.SEEDS[:2]
    found = _features_credit.measure(seeds)
    simple = [row for row in found if row.method not in {_features_credit.POINTS, _features_credit.CARD}]
    ours = by_method(found, _features_credit.AUC)
    return [
        *same([row for row in found if not row.method]),
        *(
            above([*simple, ours[name]], _features_credit.AUC, name)
            for name in (_features_credit.POINTS, _features_credit.CARD)
        ),
    ]


def collections(_folder: Path, *, full: bool) -> list[Result]:
    """Whom to contact first."""
    seeds = _features_collections.SEEDS if full else _features_collections.SEEDS[:3]
    found = _features_collections.measure(seeds)
    measures = (_features_collections.MONEY, _features_collections.HITS, _features_collections.CUSTOMERS)
    return [above(found, what, _features_collections.OURS) for what in measures]


def dashboard(_folder: Path, *, full: bool) -> list[Result]:  # noqa: ARG001  # one size
    """How much is sent of a small and of a large shop."""
    return tokens(_features_dashboard.measure())


def tokens(found: Sequence[Row]) -> list[Result]:
    """Facts beside a customer's rows; what the reference sends is the most that may be."""
    static = [row for row in found if not row.method]
    asked = dict.fromkeys(row.what for row in found if row.method and not row.unit)
    costs = dict.fromkeys(row.what for row in found if row.unit)
    return [
        *(
            Result(what=row.what, ours=row.text(), goal=f"<= {row.reference:,}", met=row.figure <= (row.reference or 0))
            for row in static
        ),
        *(below(found, what, "facts", goal=float(by_method(found, what)["facts"].reference or 0)) for what in asked),
        *(shown(found, what, "facts") for what in costs),
    ]


FEATURES: Final = Benchmark(
    name="features",
    about="The features' arithmetic beside simple methods and the reference.",
    full="more generated shops, 2,000 items of two years of days",
    parts={
        "report": partial(on_slice, report),
        "insight": partial(on_slice, insight),
        "forecast": partial(on_slice, forecast),
        "credit": credit,
        "collections": collections,
        "dashboard": dashboard,
        "speed": _features_speed.speed,
    },
    versions=lambda: [f"pydantic {version('pydantic')}"],
)

if __name__ == "__main__":
    sys.exit(main(FEATURES, sys.argv[1:]))
