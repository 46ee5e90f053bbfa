"""What is counted: every metric once, and what each event adds to which. Pure; the adapters only carry it.

Labels hold what a maker writes down: feature keys, model routes, error codes, topics. Never a business, a
user or a call, so the number of series does not grow with the number of shops.

Amounts become floats here, because metrics are floats. The exact ones are in the books.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from ai_addons.contrib import _genai
from ai_addons.events import (
    AttemptMade,
    BudgetStopped,
    BudgetWarned,
    CacheAsked,
    CallCharged,
    CallFailed,
    CallRefused,
    CapturedLate,
    CircuitClosed,
    CircuitOpened,
    HoldTimedOut,
    OperatorAlert,
    RateChecked,
    WalletEvent,
    WebhookDelivered,
    WebhookFailed,
)
from ai_addons.money import usd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ai_addons.events import CallEnded, Event

Outcome: TypeAlias = Literal["charged", "free", "fell_back", "failed", "refused"]

_THOUSAND: Final = 1_000
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric, as both adapters make it.

    Attributes:
        name: Its name for Prometheus, without the ``_total`` that Prometheus adds to a counter.
        otel: Its name for OpenTelemetry.
        kind: A counter, or a histogram.
        unit: In the notation of OpenTelemetry (UCUM).
        help: What it counts.
        labels: In order.
        buckets: Upper bounds of a histogram's buckets.
    """

    name: str
    otel: str
    kind: Literal["counter", "histogram"]
    unit: str
    help: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()


class Measurement(NamedTuple):
    """What to add to a metric.

    Attributes:
        metric: The metric.
        value: How much.
        labels: Values of the metric's labels, in its order; empty for what does not apply.
    """

    metric: Metric
    value: float
    labels: tuple[str, ...]


def _counter(name: str, unit: str, labels: tuple[str, ...], text: str) -> Metric:
    otel = f"ai_addons.{name.removeprefix('ai_addons_')}"
    return Metric(name=name, otel=otel, kind="counter", unit=unit, help=text, labels=labels)


CALLS: Final = _counter(
    "ai_addons_calls",
    "{call}",
    ("feature", "outcome", "code"),
    "Calls that ended: charged, free (a repeat, a replay, a settled result), fell_back, failed or refused.",
)
CALL_SECONDS: Final = Metric(
    name="ai_addons_call_duration_seconds",
    otel="ai_addons.call.duration",
    kind="histogram",
    unit="s",
    help="Time from call to answer or failure; refused calls are not timed.",
    labels=("feature", "outcome", "cached"),
    buckets=_genai.DURATION_BUCKETS,
)
CREDITS: Final = _counter(
    "ai_addons_credits_charged", "{credit}", ("feature",), "Credits captured by calls of features, late ones too."
)
ATTEMPTS: Final = _counter(
    "ai_addons_attempts",
    "{attempt}",
    ("feature", "model", "reason", "code"),
    "Requests to models: first, retry, fallback or repair.",
)
ATTEMPT_SECONDS: Final = Metric(
    name="ai_addons_attempt_duration_seconds",
    otel=_genai.METRIC_OPERATION_DURATION,
    kind="histogram",
    unit="s",
    help="Time that one request to a model took.",
    labels=("model", "code"),
    buckets=_genai.DURATION_BUCKETS,
)
TOKENS: Final = Metric(
    name="ai_addons_tokens",
    otel=_genai.METRIC_TOKEN_USAGE,
    kind="histogram",
    unit="{token}",
    help="Tokens of one request: input, those from the provider's cache included, and output, reasoning included.",
    labels=("model", "type"),
    buckets=_genai.TOKEN_BUCKETS,
)
COST: Final = _counter(
    "ai_addons_provider_cost_usd", "USD", ("feature", "model"), "What the provider will bill, where it is known."
)
UNPRICED: Final = _counter(
    "ai_addons_unpriced_attempts",
    "{attempt}",
    ("feature", "model"),
    "Requests whose cost is unknown; they are missing from the cost.",
)
CACHE: Final = _counter(
    "ai_addons_cache_requests", "{request}", ("feature", "result"), "Questions put to the answer cache."
)
HOLDS_TIMED_OUT: Final = _counter(
    "ai_addons_holds_timed_out", "{hold}", ("feature",), "Holds that nobody resolved in time."
)
CAPTURED_LATE: Final = _counter(
    "ai_addons_captured_late",
    "{call}",
    ("feature", "paid"),
    "Answers that came after their hold; paid is no where credits were missing.",
)
WALLET_EVENTS: Final = _counter(
    "ai_addons_wallet_events", "{event}", ("topic",), "Low balances, limits near or reached, renewals due."
)
ALERTS: Final = _counter("ai_addons_operator_alerts", "{alert}", ("code",), "What only the operator can mend.")
CIRCUITS: Final = _counter(
    "ai_addons_circuit_changes", "{change}", ("model", "state"), "Models left alone (open) or asked again (closed)."
)
BUDGETS: Final = _counter(
    "ai_addons_budget_crossings", "{crossing}", ("window", "level"), "Provider budgets near their end or spent."
)
WEBHOOKS: Final = _counter(
    "ai_addons_webhook_deliveries",
    "{delivery}",
    ("topic", "result"),
    "Attempts to deliver an event of the outbox: delivered, failed or given_up.",
)
RATE_CHECKS: Final = _counter(
    "ai_addons_rate_checks", "{check}", ("source", "outcome"), "Sources asked for the exchange rate."
)
RATE_AGE: Final = Metric(
    name="ai_addons_rate_age_days",
    otel="ai_addons.rate.age",
    kind="histogram",
    unit="d",
    help="Age of the exchange rate that a source gave.",
    labels=("source",),
    buckets=(1, 2, 4, 7, 14, 30),
)

METRICS: Final = (
    CALLS,
    CALL_SECONDS,
    CREDITS,
    CACHE,
    ATTEMPTS,
    ATTEMPT_SECONDS,
    TOKENS,
    COST,
    UNPRICED,
    HOLDS_TIMED_OUT,
    CAPTURED_LATE,
    WALLET_EVENTS,
    ALERTS,
    CIRCUITS,
    BUDGETS,
    WEBHOOKS,
    RATE_CHECKS,
    RATE_AGE,
)
"""Every metric, in the order of the reference page."""


def outcome(event: CallEnded) -> Outcome:
    """How a call ended, in one word."""
    if isinstance(event, CallCharged):
        return "charged" if event.charged.micro else "free"
    if isinstance(event, CallFailed):
        return "fell_back" if event.fell_back else "failed"
    return "refused"


def measure(event: Event) -> Iterator[Measurement]:
    """What an event adds to which metrics; nothing for one that only says that a call began."""
    match event:
        case CallCharged() | CallFailed() | CallRefused():
            yield from _call(event)
        case AttemptMade():
            yield from _attempt(event)
        case CapturedLate():
            yield Measurement(CAPTURED_LATE, 1, (event.feature, "no" if event.unpaid.micro else "yes"))
        case RateChecked():
            yield Measurement(RATE_CHECKS, 1, (event.source, event.outcome))
            if event.age_days is not None:
                yield Measurement(RATE_AGE, event.age_days, (event.source,))
        case _:
            if (counted := _COUNTED.get(type(event))) is not None:
                metric, *labels = counted(event)
                yield Measurement(metric, 1, tuple(labels))


def _call(event: CallEnded) -> Iterator[Measurement]:
    ended = outcome(event)
    code = "" if isinstance(event, CallCharged) else event.code
    yield Measurement(CALLS, 1, (event.feature, ended, code))
    if isinstance(event, CallRefused):
        return
    cached = "yes" if isinstance(event, CallCharged) and event.cached else "no"
    yield Measurement(CALL_SECONDS, event.latency_ms / _THOUSAND, (event.feature, ended, cached))
    if isinstance(event, CallCharged):
        yield Measurement(CREDITS, event.charged.micro / _MILLION, (event.feature,))


def _attempt(event: AttemptMade) -> Iterator[Measurement]:
    code = event.code or ""
    yield Measurement(ATTEMPTS, 1, (event.feature, event.model, event.reason, code))
    yield Measurement(ATTEMPT_SECONDS, event.latency_ms / _THOUSAND, (event.model, code))
    for kind, tokens in (("input", event.input_tokens), ("output", event.output_tokens)):
        if tokens is not None:
            yield Measurement(TOKENS, tokens, (event.model, kind))
    if event.cost is None:
        yield Measurement(UNPRICED, 1, (event.feature, event.model))
    else:
        yield Measurement(COST, float(usd(event.cost)), (event.feature, event.model))


_Counted: TypeAlias = tuple[Metric, *tuple[str, ...]]
_COUNTED: Final[Mapping[type, Callable[[Any], _Counted]]] = {
    CacheAsked: lambda event: (CACHE, event.feature, event.result),
    HoldTimedOut: lambda event: (HOLDS_TIMED_OUT, event.feature),
    WalletEvent: lambda event: (WALLET_EVENTS, event.topic),
    OperatorAlert: lambda event: (ALERTS, event.code),
    CircuitOpened: lambda event: (CIRCUITS, event.model, "open"),
    CircuitClosed: lambda event: (CIRCUITS, event.model, "closed"),
    BudgetWarned: lambda event: (BUDGETS, event.window, "warned"),
    BudgetStopped: lambda event: (BUDGETS, event.window, "stopped"),
    WebhookDelivered: lambda event: (WEBHOOKS, event.topic, "delivered"),
    WebhookFailed: lambda event: (WEBHOOKS, event.topic, "given_up" if event.given_up else "failed"),
}
"""The counter that an event adds one to, with its labels."""
