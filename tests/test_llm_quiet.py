from __future__ import annotations

import importlib
import queue
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx

from ai_addons.llm.litellm import LiteLlm
from ai_addons.llm.quiet import QuietLogs
from tests.llm_wire import KEYS, ROUTES, answer, ask, request, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def router() -> Iterator[respx.MockRouter]:
    """Every request of httpx ends here."""
    with respx.mock(assert_all_called=False) as mock:
        yield mock


@pytest.fixture
def library() -> Any:
    """LiteLLM, as the adapter loads it."""
    LiteLlm(KEYS, {}).warm_up()
    return importlib.import_module("litellm")


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
