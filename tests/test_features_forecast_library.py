"""The adapter of statsforecast, and our arithmetic beside the library's where it is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.errors import ConfigError
from ai_addons.features.inventory_forecast import ForecastPolicy, History, library
from ai_addons.features.inventory_forecast.methods import ses, tsb
from tests.forecasts import forecast, item, request, result_of

if TYPE_CHECKING:
    from ai_addons.features.inventory_forecast.demand import DemandClass

LIBRARY = ForecastPolicy(forecaster="statsforecast")

installed = pytest.mark.skipif(
    find_spec("statsforecast") is None,
    reason="statsforecast is not installed; it is the extra `forecast`, too heavy for every test run",
)


def test_without_the_package_the_policy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install and that nothing was charged."""
    monkeypatch.setattr(library, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"Nothing was charged. Run: pip install 'ai-addons\[forecast\]'"):
        forecast(request(), policy=LIBRARY)


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A library of the same shape that says 4, 5, 6 and 7, and keeps what it was asked."""
    asked: list[dict[str, Any]] = []
    models = ModuleType("statsforecast.models")

    def model_named(name: str) -> Any:
        def make(**weights: float) -> Any:
            def said(values: Any, h: int) -> dict[str, Any]:
                asked.append({"name": name, "weights": weights, "values": list(values), "h": h})
                return {"mean": [4, 5, 6, 7]}

            return SimpleNamespace(forecast=said)

        return make

    for name in ("TSB", "SimpleExponentialSmoothingOptimized", "AutoETS"):
        monkeypatch.setattr(models, name, model_named(name), raising=False)
    monkeypatch.setattr(library, "find_spec", lambda _: object())
    loaded = {models.__name__: models, "numpy": import_module("numpy")}
    monkeypatch.setattr(library, "import_module", loaded.__getitem__)
    return asked


@pytest.mark.parametrize(("kind", "first"), [("lumpy", "TSB"), ("smooth", "SimpleExponentialSmoothingOptimized")])
def test_the_library_is_asked_for_four_weeks(pretended: list[dict[str, Any]], kind: DemandClass, first: str) -> None:
    """Known weeks only, the policy's weights for TSB, and the mean of what it says."""
    history = History(weeks=(3, 0, None, 5, 2))
    methods = library.StatsForecaster(LIBRARY).methods(history, kind)
    assert next(iter(methods)) == first
    assert set(methods) == {"TSB", "SimpleExponentialSmoothingOptimized", "AutoETS"}
    assert methods[first](history) == 5.5
    weights = {"alpha_d": 0.2, "alpha_p": 0.1} if first == "TSB" else {}
    assert pretended == [{"name": first, "weights": weights, "values": [3, 0, 5, 2], "h": 4}]


@pytest.mark.parametrize(("weeks", "mean"), [((), 0), ((6, 3), 4.5), ((0,) * 9, 0)])
def test_what_the_library_would_refuse_is_a_mean(
    pretended: list[dict[str, Any]], weeks: tuple[float, ...], mean: float
) -> None:
    """Hardly any week, or no sale: the library is not asked."""
    history = History(weeks=weeks)
    assert library.StatsForecaster(LIBRARY).methods(history, "too_short")["AutoETS"](history) == mean
    assert pretended == []


@installed
def test_our_smoothing_is_the_librarys() -> None:
    """The same weights from the same start give the same numbers: eight equal weeks make both starts equal."""
    numpy, models = import_module("numpy"), import_module("statsforecast.models")
    values = [6.0] * 8 + [3, 9, 0, 4, 12, 7, 0, 0, 5]
    theirs = models.SimpleExponentialSmoothing(alpha=0.1).forecast(numpy.array(values), h=1)["mean"][0]
    assert ses(values) == pytest.approx(theirs, rel=1e-6)


@installed
def test_our_tsb_comes_to_the_librarys() -> None:
    """It starts the chance elsewhere (at 0 or 1); after two hundred weeks the start is forgotten."""
    numpy, models = import_module("numpy"), import_module("statsforecast.models")
    values = [0.0, 4, 0, 7, 2, 0, 0, 9] * 25
    theirs = models.TSB(alpha_d=0.2, alpha_p=0.1).forecast(numpy.array(values), h=1)["mean"][0]
    assert tsb(values) == pytest.approx(theirs, rel=1e-5)


@installed
def test_the_real_library_forecasts_a_shop() -> None:
    """Its method is named in the result."""
    result = result_of(forecast(request(item(sales=["8", "12"] * 13)), policy=LIBRARY))
    assert result.data.forecaster == "statsforecast"
    assert result.data.items[0].method in {"TSB", "SimpleExponentialSmoothingOptimized", "AutoETS"}
