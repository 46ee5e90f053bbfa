from __future__ import annotations

import importlib
import queue
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ai_addons.llm.quiet import LISTENERS, QuietLogs, lists_of_listeners
from tests.llm_wire import ROUTES, answer, ask, request, serve

if TYPE_CHECKING:
    from collections.abc import Callable

    import respx


def noting(done: list[str], what: str) -> Callable[..., None]:
    """Does nothing but note that it was done."""

    def note(*_: object, **__: object) -> None:
        done.append(what)

    return note


@pytest.mark.parametrize("aio", [False, True])
@pytest.mark.parametrize("provider", list(ROUTES))
def test_litellm_neither_prices_nor_logs_a_call_that_nobody_listens_to(
    router: respx.MockRouter, library: Any, monkeypatch: pytest.MonkeyPatch, provider: str, aio: bool
) -> None:
    """The answer is the same, and nothing is worked out for a log."""
    worked: list[str] = []
    monkeypatch.setattr(library, "response_cost_calculator", noting(worked, "cost"))
    logging = importlib.import_module("litellm.litellm_core_utils.litellm_logging").Logging
    monkeypatch.setattr(logging, "_success_handler_body", noting(worked, "log"))
    serve(router, provider, httpx.Response(200, json=answer(provider)))
    reply = ask(request(ROUTES[provider]), aio=aio)
    assert reply.usage is not None
    assert (reply.usage.cached, reply.usage.output + reply.usage.reasoning, worked) == (800, 500, [])


def test_a_callback_of_the_hosts_hears_our_calls_too(
    router: respx.MockRouter, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that logs all its calls of LiteLLM misses none."""
    heard: queue.Queue[str] = queue.Queue()

    def hear(facts: dict[str, Any], *_: object) -> None:
        heard.put(facts["model"])

    monkeypatch.setattr(library, "success_callback", [hear])
    serve(router, "openai", httpx.Response(200, json=answer("openai")))
    ask(request(ROUTES["openai"]), aio=False)
    assert heard.get(timeout=10) == "gpt-6-luna"


@pytest.mark.parametrize("listeners", ["callbacks", "_async_failure_callback", "pre_call_rules", "custom_provider_map"])
def test_whoever_stands_in_a_list_of_litellms_is_heeded(
    library: Any, monkeypatch: pytest.MonkeyPatch, listeners: str
) -> None:
    """A log of LiteLLM's own is made wherever somebody has a say in calls."""
    logs = QuietLogs(library)
    quiet = logs.arguments(ROUTES["openai"], [], "completion")
    monkeypatch.setattr(library, listeners, [print])
    heeded = logs.arguments(ROUTES["openai"], [], "completion")
    assert ([*quiet], heeded) == (["litellm_logging_obj", "litellm_call_id"], {})


def test_every_list_of_litellms_that_reads_like_one_of_listeners_is_known(library: Any) -> None:
    """A version with another list fails here: look who stands in it, and name it in `quiet`."""
    assert lists_of_listeners(vars(library)) == LISTENERS
    assert [name for name in LISTENERS if not hasattr(library, name)] == []


@pytest.mark.parametrize("name", ["response_callbacks", "after_hooks", "custom_loggers", "late_rules"])
def test_whoever_stands_in_a_list_of_another_version_is_heeded(
    library: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A list that we do not know hides no call from whoever stands in it."""
    monkeypatch.setattr(library, name, [], raising=False)
    logs = QuietLogs(library)
    quiet = logs.arguments(ROUTES["openai"], [], "completion")
    monkeypatch.setattr(library, name, [print])
    heeded = logs.arguments(ROUTES["openai"], [], "completion")
    assert ([*quiet], heeded) == (["litellm_logging_obj", "litellm_call_id"], {})


@pytest.mark.parametrize("name", LISTENERS)
def test_a_list_that_is_gone_or_none_leaves_the_log_to_litellm(
    library: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Where we cannot see who listens, somebody may."""
    logs = QuietLogs(library)
    monkeypatch.setattr(library, name, None)
    no_list = logs.arguments(ROUTES["openai"], [], "completion")
    monkeypatch.delattr(library, name)
    assert (no_list, logs.arguments(ROUTES["openai"], [], "completion")) == ({}, {})


@pytest.mark.parametrize(("name", "value"), [("max_budget", 5.0), ("request_correlation_in_logs", True)])
def test_what_a_host_lets_litellm_count_or_name_is_counted_and_named(
    library: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    """LiteLLM counts its budget and names calls in the log that we would leave out."""
    monkeypatch.setattr(library, name, value)
    assert QuietLogs(library).arguments(ROUTES["openai"], [], "completion") == {}


def _of_another_version(**_: object) -> object:
    msg = "unexpected keyword argument, beside a prompt of Ama's"
    raise TypeError(msg)


@pytest.mark.parametrize("aio", [False, True])
@pytest.mark.parametrize("broken", ["no class", "another signature"])
def test_a_call_goes_on_where_litellms_log_is_another(
    router: respx.MockRouter,
    library: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: str,
    aio: bool,
) -> None:
    """The answer comes, LiteLLM logs it itself, and one line says so without what was sent."""
    logging = importlib.import_module("litellm.litellm_core_utils.litellm_logging")
    logs = QuietLogs(library)
    if broken == "no class":
        with monkeypatch.context() as gone, caplog.at_level("INFO", "ai_addons"):
            gone.delattr(logging, "Logging")
            logs = QuietLogs(library)
    else:
        monkeypatch.setattr(logs, "_make", _of_another_version)
    serve(router, "openai", httpx.Response(200, json=answer("openai")))
    monkeypatch.setattr("ai_addons.llm.litellm.QuietLogs", lambda _: logs)
    with caplog.at_level("INFO", "ai_addons"):
        reply = ask(request(ROUTES["openai"]), aio=aio)
    assert reply.usage is not None
    kind = "AttributeError" if broken == "no class" else "TypeError"
    said = [record.getMessage() for record in caplog.records if record.name == "ai_addons"]
    assert said == [f"LiteLLM keeps its log of each call, for ours could not be made: {kind}"]
    assert logs.arguments(ROUTES["openai"], [], "completion") == {}
