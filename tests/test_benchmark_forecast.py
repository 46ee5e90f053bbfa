"""The forecast benchmark reproduces the published figures of its data, and counts on invented data what it says."""

from __future__ import annotations

import pytest

from ai_addons.features.inventory_forecast import History
from benchmarks import _features_forecast as benchmark
from benchmarks._features_rows import Row, by_method
from benchmarks._features_slice import slice_folder


@pytest.fixture
def rows() -> list[Row]:
    """The figures of the development data."""
    try:
        return benchmark.measure(slice_folder())
    except FileNotFoundError as missing:
        pytest.skip(str(missing))


def test_the_figures_of_the_development_data_are_the_published_ones(rows: list[Row]) -> None:
    """Classes and windows exactly; errors and service levels to the last digit given."""
    published = [row for row in rows if row.reference is not None]
    assert len(published) == 5 + 1 + 10 + 1 + 12
    assert [(row.what, row.method) for row in published if not row.agrees()] == []


def test_our_methods_are_not_worse_than_they_were(rows: list[Row]) -> None:
    """What the package forecasts by class stays within 2 % of what was recorded."""
    assert by_method(rows, benchmark.RMSSE)[benchmark.OURS].figure <= 0.9865 * 1.02
    assert by_method(rows, benchmark.SERVICE)[benchmark.OURS].figure >= 93.0 * 0.98


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
