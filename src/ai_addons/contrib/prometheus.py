"""Events as Prometheus metrics (extra ``prometheus``); the host exposes its registry as it does already."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeAlias

from prometheus_client import REGISTRY, Counter, Histogram

from ai_addons.contrib._metrics import METRICS, measure
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from ai_addons.contrib._metrics import Metric
    from ai_addons.events import Event

Collector: TypeAlias = Counter | Histogram


class PrometheusHook:
    """Counts events; use one for the process, or one for each registry.

    With several worker processes set ``PROMETHEUS_MULTIPROC_DIR`` before the start, as the client's
    documentation says; there are no gauges here, so the counts of all workers add up.

    Args:
        registry: Where the metrics are found; None for the client's default one.

    Raises:
        ConfigError: If the registry has these metrics already.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._registry = REGISTRY if registry is None else registry
        self._lock = threading.Lock()
        self._open = False
        self._collectors: dict[str, Collector] = {metric.name: _collector(metric) for metric in METRICS}
        self._register()

    def __call__(self, event: Event, /) -> None:
        """Count one event."""
        if not self._open:
            self._register()
        for metric, value, labels in measure(event):
            collector = self._collectors[metric.name].labels(*labels)
            if isinstance(collector, Counter):
                collector.inc(value)
            else:
                collector.observe(value)

    def close(self) -> None:
        """Take the metrics out of the registry; the next event puts them back."""
        with self._lock:
            if self._open:
                self._open = False
                for collector in self._collectors.values():
                    self._registry.unregister(collector)

    def _register(self) -> None:
        with self._lock:
            if self._open:
                return
            done: list[Collector] = []
            try:
                for collector in self._collectors.values():
                    self._registry.register(collector)
                    done.append(collector)
            except ValueError:
                for collector in done:
                    self._registry.unregister(collector)
                msg = (
                    "This Prometheus registry has metrics named ai_addons_… already. Nothing was charged. "
                    "Make one PrometheusHook and give it to every AddOns of the process: AddOns(hooks=[hook])."
                )
                raise ConfigError(msg) from None
            self._open = True


def _collector(metric: Metric) -> Collector:
    """A metric that is in no registry yet."""
    if metric.kind == "counter":
        return Counter(metric.name, metric.help, metric.labels, registry=None)
    return Histogram(metric.name, metric.help, metric.labels, registry=None, buckets=metric.buckets)
