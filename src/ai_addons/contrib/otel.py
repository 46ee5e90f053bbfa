"""Events as OpenTelemetry spans and metrics (extra ``otel``: the API alone; the host brings SDK and exporter).

A call's spans are made when it has ended, from the times its event carries. So the engine knows nothing of
tracing, nothing is kept between events, and no context has to survive a thread hop or a closed coroutine. The
event is told in the thread or task of the call, where the host's own span is current; that is their parent. The
price: while a call runs nothing of it can be seen, and spans of an instrumented HTTP client are beside ours
instead of inside them, in the same trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from ai_addons.contrib import _genai as names
from ai_addons.contrib._metrics import METRICS, measure, outcome
from ai_addons.events import CallCharged, CallFailed, CallRefused
from ai_addons.money import usd

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter, MeterProvider
    from opentelemetry.trace import TracerProvider

    from ai_addons.contrib._metrics import Metric
    from ai_addons.events import AttemptMade, CallEnded, CallTimes, Event, StepTaken
    from ai_addons.money import PicoUsd

    Add: TypeAlias = Callable[[float, dict[str, str]], None]

Attributes: TypeAlias = dict[str, str | int | bool]

SCOPE: Final = "ai_addons"
"""Name of the instrumentation scope of all spans and metrics."""

_NANO: Final = 1_000


class OtelHook:
    """Makes spans and metrics of events; use one for the process.

    A call is a span ``ai_addons.call FEATURE``. Inside it are a client span ``chat MODEL`` for each request to a
    model, and one for each visit to the books: ``ai_addons.hold``, ``ai_addons.capture`` and the like.

    Args:
        tracer_provider: Where spans go; None for the global one.
        meter_provider: Where metrics go; None for the global one.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(SCOPE, meter_provider=meter_provider)
        self._add: dict[str, Add] = {metric.otel: _instrument(meter, metric) for metric in METRICS}

    def __call__(self, event: Event, /) -> None:
        """Count one event; the end of a call becomes spans too."""
        for metric, value, labels in measure(event):
            attributes = names.metric_attributes(metric.otel, dict(zip(metric.labels, labels, strict=True)))
            self._add[metric.otel](value, attributes)
        # A call refused before it began took no time.
        if isinstance(event, (CallCharged, CallFailed, CallRefused)) and event.times is not None:
            self._trace(event, event.times)

    def _trace(self, event: CallEnded, times: CallTimes) -> None:
        """A span for a call, in the host's, with spans for its parts."""
        span = self._tracer.start_span(
            f"ai_addons.call {event.feature}", attributes=_of_call(event), start_time=times.started_at * _NANO
        )
        if span.is_recording():
            inside = trace.set_span_in_context(span)
            for step in times.steps:
                self._step(step, inside)
            for attempt in times.attempts:
                self._attempt(attempt, inside)
        if not isinstance(event, CallCharged):
            span.set_status(Status(StatusCode.ERROR, event.code))
        span.end(times.ended_at * _NANO)

    def _step(self, step: StepTaken, inside: Context) -> None:
        span = self._tracer.start_span(f"ai_addons.{step.name}", inside, start_time=step.started_at * _NANO)
        span.end((step.started_at + step.duration_us) * _NANO)

    def _attempt(self, attempt: AttemptMade, inside: Context) -> None:
        attributes = _of_attempt(attempt)
        span = self._tracer.start_span(
            f"{names.CHAT} {attributes[names.REQUEST_MODEL]}",
            inside,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=attempt.started_at * _NANO,
        )
        if attempt.code is not None:
            span.set_status(Status(StatusCode.ERROR, attempt.code))
        span.end((attempt.started_at + attempt.latency_ms * 1_000) * _NANO)


def _instrument(meter: Meter, metric: Metric) -> Add:
    """What adds to a metric."""
    if metric.kind == "counter":
        return meter.create_counter(metric.otel, metric.unit, metric.help).add
    bounds = list(metric.buckets)
    return meter.create_histogram(
        metric.otel, metric.unit, metric.help, explicit_bucket_boundaries_advisory=bounds
    ).record


def _of_call(event: CallEnded) -> Attributes:
    """What a call's span says; neither who paid nor what was asked."""
    attributes: Attributes = {
        names.FEATURE: event.feature,
        names.OUTCOME: outcome(event),
        **_known({names.CALL_ID: event.call_id}),
    }
    if isinstance(event, CallRefused):
        return attributes | {names.ERROR_TYPE: event.code}
    attributes |= _known({names.COST_USD: _dollars(event.cost)})
    if isinstance(event, CallFailed):
        return attributes | {names.ERROR_TYPE: event.code}
    return attributes | _known(
        {
            names.CREDITS: event.charged.short,
            names.CACHED: event.cached,
            names.REPLAYED: event.replayed,
            names.MODEL: event.model,
        }
    )


def _of_attempt(attempt: AttemptMade) -> Attributes:
    """What the span of a request says, in the names of the conventions."""
    return {
        names.OPERATION_NAME: names.CHAT,
        names.FEATURE: attempt.feature,
        names.REASON: attempt.reason,
        **names.model_attributes(attempt.model),
        **_known(
            {
                names.RESPONSE_MODEL: attempt.answered_by,
                names.INPUT_TOKENS: attempt.input_tokens,
                names.CACHE_READ_TOKENS: attempt.cached_tokens,
                names.CACHE_WRITE_TOKENS: attempt.cache_write_tokens,
                names.OUTPUT_TOKENS: attempt.output_tokens,
                names.REASONING_TOKENS: attempt.reasoning_tokens,
                names.COST_USD: _dollars(attempt.cost),
                names.ERROR_TYPE: attempt.code,
            }
        ),
    }


def _dollars(cost: PicoUsd | None) -> str | None:
    """An exact amount as text: OpenTelemetry has no decimal numbers."""
    return None if cost is None else f"{usd(cost):f}"


def _known(values: dict[str, Any]) -> Attributes:
    return {name: value for name, value in values.items() if value is not None}
