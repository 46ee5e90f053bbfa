"""What listening costs: billed calls with hooks beside the same calls without any, in turn in the same run.

Run with ``python -m benchmarks.observability [--full] [--only PART …] [--json]``. Books are an SQLite file with its
usual durability, the answer is the offline model's, so the ratio is what hooks add to the SDK's own part of a call; a
real model takes a thousand times as long.
"""

from __future__ import annotations

import gc
import io
import logging
import statistics
import sys
import time
from contextlib import ExitStack, closing
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from ai_addons import AddOns, Prompt, Settings, bill_to, billed_feature
from ai_addons.contrib.logs import LoggingHook
from ai_addons.contrib.otel import OtelHook
from ai_addons.contrib.prometheus import PrometheusHook
from benchmarks._ledger_books import MILLI
from benchmarks._report import Benchmark, Result, main

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ai_addons.events import EventHook

CALLS: Final = 400
MANY: Final = 4_000
_PER_ROUND: Final = 20
_NONE: Final = "no hook"


@billed_feature("benchmark_slogan", credits=1, cache=None)
def slogan(number: int) -> Prompt:
    """Write a slogan."""
    return Prompt(user=f"Slogan number {number}")


def log_lines() -> LoggingHook:
    """Every line of DEBUG and above, formatted and written to memory."""
    logger = logging.getLogger("ai_addons_benchmark")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    return LoggingHook(logger)


def otel() -> OtelHook:
    """The real SDK with its usual batches, exported to memory."""
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    return OtelHook(tracers, MeterProvider([InMemoryMetricReader()]))


def prometheus() -> PrometheusHook:
    """A registry of its own."""
    return PrometheusHook(CollectorRegistry())


def nothing(_event: object) -> None:
    """What making and telling the events costs by itself."""


SETS: Final[dict[str, Callable[[], Sequence[EventHook]]]] = {
    _NONE: tuple,
    "a hook that does nothing": lambda: (nothing,),
    "log lines at DEBUG": lambda: (log_lines(),),
    "OpenTelemetry": lambda: (otel(),),
    "Prometheus": lambda: (prometheus(),),
    "all three": lambda: (log_lines(), otel(), prometheus()),
}


def measure(folder: Path, calls: int) -> dict[str, list[float]]:
    """CPU milliseconds a call, by set of hooks and round."""
    taken: dict[str, list[float]] = {name: [] for name in SETS}
    with ExitStack() as stack:
        shops: dict[str, AddOns] = {}
        for place, (name, hooks) in enumerate(SETS.items()):
            settings = Settings(store={"url": f"sqlite:///{folder / f'{place}.db'}"}, cache={"backend": "off"})
            shops[name] = stack.enter_context(closing(AddOns(settings, hooks=hooks(), environ={})))
            shops[name].grant("biz_7", 1_000_000, source="adjustment", ref="funds")
            _ring(shops[name], _PER_ROUND)
        for _ in range(calls // _PER_ROUND):
            for name, addons in shops.items():
                gc.collect()
                taken[name].append(_ring(addons, _PER_ROUND))
    return taken


def _ring(addons: AddOns, calls: int) -> float:
    feature = slogan.options(addons=addons)
    with bill_to("biz_7"):
        began = time.process_time()
        for number in range(calls):
            feature(number)
        return MILLI * (time.process_time() - began) / calls


def results(taken: dict[str, list[float]]) -> list[Result]:
    """One line for each set of hooks; the ratio is that of the medians."""
    base = statistics.median(taken[_NONE])
    return [
        Result(
            what=name,
            ours=f"{statistics.median(values):.3f} ms CPU a call",
            yardstick=f"{base:.3f} ms without hooks",
            figure=statistics.median(values) / base,
        )
        for name, values in taken.items()
    ]


def hooks(folder: Path, *, full: bool) -> list[Result]:
    """Every set of hooks."""
    return results(measure(folder, MANY if full else CALLS))


OBSERVABILITY: Final = Benchmark(
    name="observability",
    about="What listening to billed calls costs.",
    full=f"{MANY:,} calls a side in place of {CALLS:,}",
    parts={"hooks": hooks},
    versions=lambda: [
        f"OpenTelemetry {version('opentelemetry-sdk')}",
        f"prometheus-client {version('prometheus-client')}",
    ],
)

if __name__ == "__main__":
    sys.exit(main(OBSERVABILITY, sys.argv[1:]))
