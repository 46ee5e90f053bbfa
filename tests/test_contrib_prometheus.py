"""Metrics as Prometheus scrapes them, with the real client."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ai_addons import AddOns, ConfigError, Credits, NotEnabled, ProviderTimeout, bill_to
from ai_addons.contrib._metrics import METRICS, measure
from ai_addons.contrib.prometheus import PrometheusHook
from ai_addons.events import (
    BudgetStopped,
    BudgetWarned,
    CallStarted,
    CapturedLate,
    CircuitClosed,
    CircuitOpened,
    HoldTimedOut,
    OperatorAlert,
    WalletEvent,
    WebhookDelivered,
    WebhookFailed,
)
from ai_addons.llm.base import Usage, Verdict
from ai_addons.money import PicoUsd
from ai_addons.testing import kit_settings
from tests.features import AMA, OPINION, opinion, slogan
from tests.hearing import BUSINESS, hearing

if TYPE_CHECKING:
    from ai_addons.events import Event

ROOT = Path(__file__).parents[1]


def scraped(registry: CollectorRegistry) -> dict[str, dict[tuple[str, ...], float]]:
    """What a scrape shows: values by sample and labels; without empty buckets and times of creation."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            if not sample.name.endswith(("_created", "_bucket")):
                labels = tuple(sample.labels[label] for label in sorted(sample.labels))
                found.setdefault(sample.name, {})[labels] = sample.value
    return found


def test_a_scrape_shows_calls_credits_tokens_cost_and_times() -> None:
    """A call, its repeat and a failure, under names that begin with ai_addons_ and end with their unit."""
    registry = CollectorRegistry()
    with hearing(PrometheusHook(registry)) as heard:
        heard.llm.reply(opinion, OPINION, usage=Usage(input=200, cached=800, output=500))
        heard.llm.before_answer(lambda: heard.clock.advance(1.5))
        opinion(AMA)
        opinion(AMA)
        heard.llm.fail(slogan, ProviderTimeout(), verdict=Verdict.MAYBE_BILLED)
        with pytest.raises(ProviderTimeout):
            slogan(1)
    seen = scraped(registry)

    model = "openai/gpt-6-luna"
    assert seen["ai_addons_calls_total"] == {
        ("", "opinion", "charged"): 1,
        ("", "opinion", "free"): 1,
        ("provider_timeout", "slogan", "failed"): 1,
    }
    assert seen["ai_addons_credits_charged_total"] == {("opinion",): 3}
    assert seen["ai_addons_cache_requests_total"] == {("opinion", "hit"): 1, ("opinion", "miss"): 1}
    assert seen["ai_addons_attempts_total"] == {
        ("", "opinion", model, "first"): 1,
        ("provider_timeout", "slogan", model, "first"): 1,
    }
    assert seen["ai_addons_call_duration_seconds_sum"] == {
        ("no", "opinion", "charged"): 1.5,
        ("yes", "opinion", "free"): 0,
        ("no", "slogan", "failed"): 1.5,
    }
    assert seen["ai_addons_attempt_duration_seconds_count"] == {("", model): 1, ("provider_timeout", model): 1}
    assert seen["ai_addons_tokens_sum"] == {(model, "input"): 1_000, (model, "output"): 500}
    assert seen["ai_addons_provider_cost_usd_total"] == {("opinion", model): pytest.approx(0.000278)}
    assert seen["ai_addons_unpriced_attempts_total"] == {("slogan", model): 1}


@pytest.mark.parametrize(
    ("event", "name", "labels"),
    [
        (HoldTimedOut(call_id="c", feature="f", amount=Credits(1)), "ai_addons_holds_timed_out_total", ("f",)),
        (
            CapturedLate(call_id="c", feature="f", charged=Credits(1), unpaid=Credits(0)),
            "ai_addons_captured_late_total",
            ("f", "yes"),
        ),
        (
            CapturedLate(call_id="c", feature="f", charged=Credits(0), unpaid=Credits(1)),
            "ai_addons_captured_late_total",
            ("f", "no"),
        ),
        (
            WalletEvent(topic="wallet.low_balance", business=BUSINESS, facts={}),
            "ai_addons_wallet_events_total",
            ("wallet.low_balance",),
        ),
        (OperatorAlert(code="bad_key", detail="openai/m"), "ai_addons_operator_alerts_total", ("bad_key",)),
        (
            CircuitOpened(model="openai/m", code="provider_timeout", seconds=30),
            "ai_addons_circuit_changes_total",
            ("openai/m", "open"),
        ),
        (CircuitClosed(model="openai/m"), "ai_addons_circuit_changes_total", ("openai/m", "closed")),
        (
            BudgetWarned(window="day", spent=PicoUsd(8), budget=PicoUsd(10)),
            "ai_addons_budget_crossings_total",
            ("warned", "day"),
        ),
        (
            BudgetStopped(window="month", spent=PicoUsd(10), budget=PicoUsd(10)),
            "ai_addons_budget_crossings_total",
            ("stopped", "month"),
        ),
        (WebhookDelivered(topic="t", attempts=1), "ai_addons_webhook_deliveries_total", ("delivered", "t")),
        (WebhookFailed(topic="t", attempts=1, given_up=False), "ai_addons_webhook_deliveries_total", ("failed", "t")),
        (WebhookFailed(topic="t", attempts=9, given_up=True), "ai_addons_webhook_deliveries_total", ("given_up", "t")),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "__slots__") else "",
)
def test_what_happens_beside_calls_is_counted(event: Event, name: str, labels: tuple[str, ...]) -> None:
    """One counter goes up by one, and nothing else."""
    registry = CollectorRegistry()
    PrometheusHook(registry)(event)

    assert {sample: values for sample, values in scraped(registry).items() if values} == {name: {labels: 1}}


def test_a_call_that_only_began_is_not_counted() -> None:
    """It is counted when it ends, or when its hold times out."""
    assert list(measure(CallStarted(call_id="c", business="b", feature="f", started_at=1))) == []


def test_a_hundred_businesses_and_users_make_no_new_series() -> None:
    """The number of series depends on features, models and codes alone."""
    registry = CollectorRegistry()
    hook = PrometheusHook(registry)
    with hearing(hook, features={"opinion": {"enabled": False}}) as heard:
        slogan(0)
        with pytest.raises(NotEnabled):
            opinion(AMA)
        before = len(generate_latest(registry).splitlines())
        for number in range(100):
            heard.addons.grant(f"shop-{number}", 10, source="adjustment", ref="test funds")
            with bill_to(f"shop-{number}", user=f"user-{number}"):
                slogan(number)
    text = generate_latest(registry).decode()

    assert len(text.splitlines()) == before
    assert "shop-" not in text
    assert "user-" not in text
    assert scraped(registry)["ai_addons_calls_total"][("", "slogan", "charged")] == 101


def test_every_metric_is_registered_once() -> None:
    """A second hook on the same registry is a mistake that says what to do, and leaves the first as it was."""
    registry = CollectorRegistry()
    PrometheusHook(registry)
    with pytest.raises(ConfigError, match=r"AddOns\(hooks=\[hook\]\)"):
        PrometheusHook(registry)

    assert {f"{metric.name}" for metric in METRICS} == {family.name for family in registry.collect()}


def test_a_name_that_a_host_uses_already_leaves_nothing_half_registered() -> None:
    """What was registered before the clash is taken back."""
    registry = CollectorRegistry()
    PrometheusHook(registry).close()
    hook = PrometheusHook(registry)
    hook.close()
    registry.register(hook._collectors[METRICS[3].name])
    with pytest.raises(ConfigError):
        PrometheusHook(registry)

    assert [family.name for family in registry.collect()] == [METRICS[3].name]


def test_the_settings_hook_uses_the_default_registry_until_it_is_closed() -> None:
    """Closing the AddOns takes the metrics away; using it again, from two threads too, brings them back once."""
    addons = AddOns(kit_settings(events={"hooks": ["prometheus"]}))
    (hook,) = addons._wiring.hooks
    assert isinstance(hook, PrometheusHook)
    hook(OperatorAlert(code="bad_key", detail="openai/m"))
    addons.close()
    addons.close()
    assert "ai_addons_operator_alerts" not in generate_latest(REGISTRY).decode()

    hook(OperatorAlert(code="bad_key", detail="openai/m"))
    shown = scraped(REGISTRY)["ai_addons_operator_alerts_total"]
    hook._register()  # a thread that found it closed too, and came second
    addons.close()
    assert shown == {("bad_key",): 2}


_WORKER = """
from ai_addons.contrib.prometheus import PrometheusHook
from ai_addons.events import WebhookDelivered
PrometheusHook()(WebhookDelivered(topic="t", attempts=1))
"""
_SCRAPE = """
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
registry = CollectorRegistry()
MultiProcessCollector(registry)
print(generate_latest(registry).decode())
"""


def test_the_counts_of_several_processes_add_up(tmp_path: Path) -> None:
    """As under gunicorn, with the client's own way to share: a directory named before the start."""
    environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for code in (_WORKER, _WORKER):
        subprocess.run([sys.executable, "-c", code], check=True, env=environ)
    done = subprocess.run([sys.executable, "-c", _SCRAPE], check=True, env=environ, capture_output=True, text=True)

    assert 'ai_addons_webhook_deliveries_total{result="delivered",topic="t"} 2.0' in done.stdout


def test_names_say_their_unit_and_labels_stay_few() -> None:
    """As Prometheus asks for: a prefix, base units, no label that grows with the shops."""
    for metric in METRICS:
        assert re.fullmatch(r"ai_addons_[a-z_]+[a-z]", metric.name)
        assert not metric.name.endswith("_total")
        assert set(metric.labels).isdisjoint({"business", "user", "call_id", "le"})
        if metric.unit == "s":
            assert metric.name.endswith("_seconds")
        if metric.unit == "USD":
            assert metric.name.endswith("_usd")
        assert bool(metric.buckets) == (metric.kind == "histogram")


def test_the_example_dashboard_asks_for_metrics_that_exist() -> None:
    """Every series and every label that its queries name is one of ours."""
    board = json.loads((ROOT / "examples" / "grafana_dashboard.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    series = {
        f"{metric.name}{end}": {*metric.labels, "le"}
        for metric in METRICS
        for end in (("_total",) if metric.kind == "counter" else ("_bucket", "_sum", "_count"))
    }

    assert len(queries) >= 8
    for query in queries:
        names = re.findall(r"ai_addons_\w+", query)
        assert names, query
        labels = {label for part in re.findall(r"by \(([^)]*)\)", query) for label in part.split(", ")}
        labels |= set(re.findall(r"(\w+)\s*=~?\"", query))
        for name in names:
            assert name in series, name
        assert labels <= set.union(*(series[name] for name in names)), query
