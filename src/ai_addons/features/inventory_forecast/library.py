"""Nixtla's statsforecast as the forecaster, for whoever has it.

It is an extra (``pip install 'ai-addons[forecast]'``) and heavy: with scipy, statsmodels
and pandas about 440 MB, and seconds to load. It is loaded when a policy names it. On the sets
measured so far its best method is not better than the built-in ones.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ai_addons.features.inventory_forecast.demand import DemandClass, History
    from ai_addons.features.inventory_forecast.methods import Method
    from ai_addons.features.inventory_forecast.models import ForecastPolicy

_PACKAGE: Final = "statsforecast"
_HORIZON: Final = 4
_FEWEST: Final = 4


class StatsForecaster:
    """TSB of the library for demand with gaps, else its optimised SES, with its damped trend (AutoETS) as a rival.

    Args:
        policy: Has TSB's smoothing weights.

    Raises:
        ConfigError: If the package is not installed.
    """

    def __init__(self, policy: ForecastPolicy) -> None:
        if find_spec(_PACKAGE) is None:
            msg = (
                "The policy asks for the forecaster 'statsforecast', which is not installed. Nothing was charged. "
                "Run: pip install 'ai-addons[forecast]', or choose 'builtin'."
            )
            raise ConfigError(msg)
        self._models: Any = import_module(f"{_PACKAGE}.models")
        self._weights = {"alpha_d": float(policy.size_weight), "alpha_p": float(policy.chance_weight)}

    def methods(self, history: History, kind: DemandClass, /) -> Mapping[str, Method]:  # noqa: ARG002  # part of the protocol
        """The library's methods by their names in it, the one for the class first."""
        gaps = kind in {"intermittent", "lumpy"}
        names = ("TSB", "SimpleExponentialSmoothingOptimized", "AutoETS")
        ordered = names if gaps else (names[1], names[2], names[0])
        return {name: self._method(name) for name in ordered}

    def _method(self, name: str) -> Method:
        return lambda history: self._weekly(name, history.observed)

    def _weekly(self, name: str, values: Sequence[float]) -> float:
        """The mean of the next four weeks; the mean of what there is where the library would refuse."""
        if len(values) < _FEWEST or not any(values):
            return sum(values) / len(values) if values else 0.0
        numpy: Any = import_module("numpy")
        model = getattr(self._models, name)(**(self._weights if name == "TSB" else {}))
        found = model.forecast(numpy.asarray(values, dtype=float), h=_HORIZON)["mean"]
        return float(numpy.mean(found))
