"""The forecast benchmark reproduces the published figures of its data, and counts on invented data what it says."""

from __future__ import annotations

import pytest

from ai_addons.features.inventory_forecast import History
from benchmarks import _features_forecast as benchmark


def test_the_figures_of_the_development_data_are_the_published_ones() -> None:
    """Classes and windows exactly; errors and service levels to the last digit given."""
    folder = benchmark.found()
    if folder is None:
        pytest.skip("the development data is not part of the repository")
    rows = [row for row in benchmark.measure(folder) if row.reference is not None]
    assert len(rows) == 5 + 1 + 10 + 1 + 12
    for row in rows:
        assert row.figure == pytest.approx(row.reference, abs=_half_digit(row)), row.what


def _half_digit(row: benchmark.Row) -> float:
    """Half of the last digit that a reference is given to."""
    if row.unit:
        return 0.0501
    return 0.000501 if row.what.startswith("RMSSE") else 0.00501 if "demand" in row.what else 0


def test_our_methods_are_not_worse_than_they_were() -> None:
    """What the package forecasts by class stays within 2 % of what was recorded."""
    folder = benchmark.found()
    if folder is None:
        pytest.skip("the development data is not part of the repository")
    found = {row.what: row.figure for row in benchmark.measure(folder)}
    assert found["RMSSE: built in, by class"] <= 0.9865 * 1.02
    assert found["service: built in, by class"] >= 93.0 * 0.98


@pytest.mark.parametrize(
    ("values", "forecast"),
    [((0, 0), 0), ((4, 4), 4), ((0, 4), 2), ((4, 0, 0, 8), (4 + 0.4) / (1 + 0.2))],
)
def test_croston_by_hand(values: tuple[float, ...], forecast: float) -> None:
    """Size over gap, each a tenth of the way at a sale: 4.4 every 1.2 weeks."""
    assert benchmark.croston(values) == pytest.approx(forecast)


def test_a_damped_trend_of_nothing_is_flat() -> None:
    """Steady sales have no trend."""
    assert benchmark.damped_holt([5.0] * 20) == pytest.approx((5,) * 4)


def test_windows_want_enough_of_a_past() -> None:
    """Twenty-four weeks leave one window of four, thirty leave two; four sales are too few."""
    long, short = (History(weeks=(2.0,) * weeks) for weeks in (30, 24))
    rare = History(weeks=(2.0,) * 4 + (0.0,) * 26)
    assert [len(list(benchmark.windows([one], 4))) for one in (long, short, rare)] == [2, 1, 0]


def test_rows_become_a_table() -> None:
    """A figure without a reference has an empty cell."""
    rows = [
        benchmark.Row(what="a", figure=93.04, reference=93.0, unit="%"),
        benchmark.Row(what="b", figure=1, reference=None),
    ]
    assert benchmark.table(rows).splitlines()[2:] == ["| a | 93.04 % | 93.0 |", "| b | 1  |  |"]
