"""Spans and metrics as the real OpenTelemetry SDK exports them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes
from opentelemetry.trace import SpanKind, StatusCode

from ai_addons import InsufficientCreditsError, NotEnabled, ProviderUnavailable, bill_to
from ai_addons.contrib import _genai
from ai_addons.contrib.otel import OtelHook
from ai_addons.events import CallStarted
from ai_addons.llm.base import Usage
from tests.features import AMA, KOFI, OPINION, composed, opinion, opinion_async, slogan
from tests.hearing import BUSINESS, FALLBACK, USER, hearing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

SMALL = "openai/gpt-6-luna"


class Collected:
    """What an application's own OpenTelemetry set-up would export."""

    def __init__(self, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, **options)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.hook = OtelHook(self.provider, MeterProvider([self.reader], shutdown_on_exit=False))
        self.tracer = self.provider.get_tracer("the host")

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """Spans by name; those of one name are numbered from the second on."""
        found: dict[str, ReadableSpan] = {}
        for span in self.exporter.get_finished_spans():
            count = sum(name.split(" #")[0] == span.name for name in found)
            found[f"{span.name} #{count + 1}" if count else span.name] = span
        return found

    def points(self, name: str) -> dict[tuple[str, ...], float]:
        """The sums of a metric by the values of its attributes, in order of their names."""
        data = self.reader.get_metrics_data()
        assert data is not None
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        (metric,) = [metric for scope in scopes for metric in scope.metrics if metric.name == name]
        return {
            tuple(str(value) for _, value in sorted((point.attributes or {}).items())): (
                point.sum if isinstance(point, HistogramDataPoint) else getattr(point, "value")  # noqa: B009  # two kinds
            )
            for point in metric.data.data_points
        }


def _facts(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def _seconds(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


def test_a_billed_call_is_a_span_with_its_parts_inside() -> None:
    """Hold, request and capture lie in the call, with the names of the GenAI conventions and the true times."""
    seen = Collected()
    with hearing(seen.hook) as heard:
        heard.llm.reply(opinion, OPINION, usage=Usage(input=200, cached=800, output=500))
        heard.llm.before_answer(lambda: heard.clock.advance(1.5))
        began = heard.clock.now()
        _, receipt = opinion.billed(AMA)

    call, request, hold, capture = (
        seen.spans[name]
        for name in ("ai_addons.call opinion", "chat gpt-6-luna", "ai_addons.hold", "ai_addons.capture")
    )
    assert len(seen.spans) == 4
    assert {part.parent and part.parent.span_id for part in (request, hold, capture)} == {call.context.span_id}
    assert (call.start_time, _seconds(call)) == (began * 1_000, 1.5)
    assert (request.start_time, _seconds(request)) == (began * 1_000, 1.5)
    assert (capture.start_time, _seconds(capture)) == ((began + 1_500_000) * 1_000, 0)
    assert (call.kind, request.kind) == (SpanKind.INTERNAL, SpanKind.CLIENT)
    assert _facts(call) == {
        "ai_addons.feature": "opinion",
        "ai_addons.outcome": "charged",
        "ai_addons.call.id": receipt.id,
        "ai_addons.provider.cost_usd": "0.000278000000",
        "ai_addons.credits": "3",
        "ai_addons.cached": False,
        "ai_addons.replayed": False,
        "ai_addons.model": SMALL,
    }
    assert _facts(request) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-6-luna",
        "gen_ai.response.model": "gpt-6-luna",
        "gen_ai.usage.input_tokens": 1_000,
        "gen_ai.usage.cache_read.input_tokens": 800,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.usage.output_tokens": 500,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "ai_addons.feature": "opinion",
        "ai_addons.attempt.reason": "first",
        "ai_addons.provider.cost_usd": "0.000278000000",
    }


def test_each_request_of_a_call_is_a_span_with_its_error() -> None:
    """A retry and a fallback are seen beside the answer; the call itself is fine."""
    seen = Collected()
    with hearing(seen.hook, models={"small": [SMALL, FALLBACK]}, call={"attempts": 2}) as heard:
        heard.llm.fail(opinion, retry=True)
        heard.llm.fail(opinion, retry=True)
        heard.llm.reply(opinion, OPINION)
        opinion(AMA)

    requests = [span for span in seen.exporter.get_finished_spans() if span.kind is SpanKind.CLIENT]
    assert [
        (span.name, _facts(span)["ai_addons.attempt.reason"], _facts(span).get("error.type"), span.status.status_code)
        for span in requests
    ] == [
        ("chat gpt-6-luna", "first", "provider_unavailable", StatusCode.ERROR),
        ("chat gpt-6-luna", "retry", "provider_unavailable", StatusCode.ERROR),
        ("chat claude-haiku-5-5", "fallback", None, StatusCode.UNSET),
    ]
    assert _facts(requests[2])["gen_ai.provider.name"] == "anthropic"
    assert seen.spans["ai_addons.call opinion"].status.status_code is StatusCode.UNSET


def test_a_call_that_fails_falls_back_or_is_refused_says_so() -> None:
    """The span has the error's code and an error status, and no cost where nothing was asked."""
    seen = Collected()
    with hearing(seen.hook, credit=4) as heard:
        heard.llm.fail(composed)
        composed(AMA)
        heard.llm.fail(opinion)
        with pytest.raises(ProviderUnavailable):
            opinion(AMA)
        with pytest.raises(InsufficientCreditsError):
            slogan(1)

    told = {
        name: (_facts(span)["ai_addons.outcome"], _facts(span)["error.type"], span.status.status_code)
        for name, span in seen.spans.items()
        if name.startswith("ai_addons.call")
    }
    assert told == {
        "ai_addons.call composed": ("fell_back", "provider_unavailable", StatusCode.ERROR),
        "ai_addons.call opinion": ("failed", "provider_unavailable", StatusCode.ERROR),
        "ai_addons.call slogan": ("refused", "insufficient_credits", StatusCode.ERROR),
    }
    assert "ai_addons.provider.cost_usd" not in _facts(seen.spans["ai_addons.call slogan"])


def test_a_call_refused_before_it_began_is_counted_without_a_span() -> None:
    """It took no time and has no id."""
    seen = Collected()
    with hearing(seen.hook, features={"opinion": {"enabled": False}}), pytest.raises(NotEnabled):
        opinion(AMA)

    assert seen.spans == {}
    assert seen.points("ai_addons.calls") == {("opinion", "refused", "not_enabled"): 1}


def test_spans_lie_in_the_hosts_own_span() -> None:
    """In the same thread, in a worker thread that copies the context, and in async tasks that run at once."""
    seen = Collected()
    with hearing(seen.hook), ThreadPoolExecutor(2) as threads:
        with seen.tracer.start_as_current_span("sync"):
            opinion(AMA)
        with seen.tracer.start_as_current_span("thread"):
            threads.submit(copy_context().run, slogan, 1).result()

        async def handle(name: str, customer: Any) -> None:
            with seen.tracer.start_as_current_span(name):
                await opinion_async(customer)

        async def serve() -> None:
            await asyncio.gather(handle("task 1", AMA), handle("task 2", KOFI))

        asyncio.run(serve())

    by_id = {span.context.span_id: span for span in seen.exporter.get_finished_spans()}
    parents = sorted(
        (by_id[span.parent.span_id].name, span.name)
        for span in by_id.values()
        if span.name.startswith("ai_addons.call") and span.parent is not None
    )
    assert parents == [
        ("sync", "ai_addons.call opinion"),
        ("task 1", "ai_addons.call opinion_async"),
        ("task 2", "ai_addons.call opinion_async"),
        ("thread", "ai_addons.call slogan"),
    ]
    for span in by_id.values():
        if span.parent is not None:
            assert by_id[span.parent.span_id].context.trace_id == span.context.trace_id


def test_the_current_span_is_left_as_it_was() -> None:
    """The hook makes no span current, so nothing can leak into what the host does next."""
    seen = Collected()
    with hearing(seen.hook), seen.tracer.start_as_current_span("the host's") as own:
        opinion(AMA)
        assert trace.get_current_span() is own


def test_a_trace_that_is_not_sampled_costs_no_child_spans() -> None:
    """The host's sampler decides; the metrics count all the same."""
    seen = Collected(sampler=ALWAYS_OFF)
    with hearing(seen.hook):
        opinion(AMA)

    assert seen.spans == {}
    assert seen.points("ai_addons.calls") == {("opinion", "charged"): 1}


def test_metrics_add_up_to_what_the_books_say() -> None:
    """Calls, credits, tokens, cost, cache and durations, under conventional names where there are any."""
    seen = Collected()
    with hearing(seen.hook) as heard:
        heard.llm.reply(opinion, OPINION, usage=Usage(input=200, cached=800, output=500))
        heard.llm.before_answer(lambda: heard.clock.advance(1.5))
        opinion(AMA)
        opinion(AMA)

    assert seen.points("ai_addons.calls") == {("opinion", "charged"): 1, ("opinion", "free"): 1}
    assert seen.points("ai_addons.credits_charged") == {("opinion",): 3}
    assert seen.points("ai_addons.cache_requests") == {("opinion", "miss"): 1, ("opinion", "hit"): 1}
    assert seen.points("ai_addons.call.duration") == {
        ("no", "opinion", "charged"): 1.5,
        ("yes", "opinion", "free"): 0,
    }
    assert seen.points("gen_ai.client.operation.duration") == {("chat", "openai", "gpt-6-luna"): 1.5}
    assert seen.points("gen_ai.client.token.usage") == {
        ("chat", "openai", "gpt-6-luna", "input"): 1_000,
        ("chat", "openai", "gpt-6-luna", "output"): 500,
    }
    assert seen.points("ai_addons.provider_cost_usd") == {("opinion", "openai", "gpt-6-luna"): pytest.approx(0.000278)}


def test_a_hundred_businesses_and_users_make_no_new_series() -> None:
    """Neither spans nor metrics name who paid or who asked."""
    seen = Collected()
    with hearing(seen.hook) as heard:
        for number in range(100):
            heard.addons.grant(f"shop-{number}", 10, source="adjustment", ref="test funds")
            with bill_to(f"shop-{number}", user=f"user-{number}"):
                slogan(number)

    assert seen.points("ai_addons.calls") == {("slogan", "charged"): 100}
    assert len(seen.points("gen_ai.client.token.usage")) == 2
    said = repr([(span.name, span.attributes) for span in seen.exporter.get_finished_spans()])
    assert "shop-" not in said
    assert "user-" not in said


def test_spans_hold_no_content() -> None:
    """Nor names, nor keys, nor who paid."""
    seen = Collected()
    with hearing(seen.hook) as heard:
        heard.llm.reply(opinion, {"reasons": ["owes for cement"], "verdict": "careful"})
        opinion(AMA)

    said = "".join(span.to_json() for span in seen.exporter.get_finished_spans())
    for secret in (BUSINESS, USER, "Ama", "Serwaa", "cement", "careful", "credit?", "test-key"):
        assert secret not in said


def test_a_beginning_makes_no_span() -> None:
    """A call whose process dies leaves none; its hold's time-out is counted when it is released."""
    seen = Collected()
    seen.hook(CallStarted(call_id="c", business="b", feature="f", started_at=1))

    assert seen.spans == {}


def test_the_names_are_those_of_opentelemetrys_own_package() -> None:
    """The constants kept here match those that OpenTelemetry publishes for Python, also where they say "moved"."""
    published = {
        value
        for module in (gen_ai_attributes, gen_ai_metrics, error_attributes)
        for name, value in vars(module).items()
        if name.isupper()
    }
    texts = [value for value in vars(_genai).values() if isinstance(value, str)]
    ours = {text for text in texts if text.startswith(("gen_ai.", "error."))}

    assert ours <= published
    assert len(ours) == 13


@pytest.mark.parametrize(
    ("route", "provider", "model"),
    [
        ("gemini/gemini-2.5-flash-lite", "gcp.gemini", "gemini-2.5-flash-lite"),
        ("bedrock/eu/claude", "aws.bedrock", "eu/claude"),
        ("openai/gpt-6-luna", "openai", "gpt-6-luna"),
        ("own_host/model", "own_host", "model"),
    ],
)
def test_providers_have_their_conventional_names(route: str, provider: str, model: str) -> None:
    """LiteLLM's prefix is turned into the well-known value; others stay as they are."""
    assert _genai.model_attributes(route) == {"gen_ai.provider.name": provider, "gen_ai.request.model": model}


def test_nothing_of_opentelemetry_is_loaded_unless_it_is_named() -> None:
    """Nor of Prometheus: both are extras."""
    code = (
        "import sys\nfrom ai_addons import AddOns, Settings\n"
        "AddOns(Settings(store={'url': 'sqlite://'}, events={'hooks': ['logging']}))\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'prometheus_client'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
