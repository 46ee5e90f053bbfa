"""Provider endpoints on the wire: what they answer, what they record, and what is kept off the network."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx

from ai_addons.llm.base import Message
from ai_addons.testing.routes import ModelRoutes
from ai_addons.testing.wire import PROVIDERS, read_call, write_answer

if TYPE_CHECKING:
    from ai_addons.testing.wire import Provider

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}
URLS = {
    "openai": "https://api.openai.com/v1/chat/completions",
    "anthropic": "https://api.anthropic.com/v1/messages",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash-lite:generateContent",
}
MODELS = {"openai": "gpt-6-luna", "anthropic": "claude-haiku-5-5", "gemini": "gemini-2.5-flash-lite"}
KEY_HEADERS = {"openai": "Authorization", "anthropic": "x-api-key", "gemini": "x-goog-api-key"}
REQUESTS: dict[str, dict[str, Any]] = {
    "openai": {
        "model": MODELS["openai"],
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Describe Milo."},
            {"role": "assistant", "content": "Milo"},
            {"role": "user", "content": "Again."},
        ],
        "max_completion_tokens": 300,
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": SCHEMA}},
    },
    "anthropic": {
        "model": MODELS["anthropic"],
        "system": [{"type": "text", "text": "Be kind."}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Describe Milo."}]},
            {"role": "assistant", "content": "Milo"},
            {"role": "user", "content": [{"type": "text", "text": "Again."}]},
        ],
        "max_tokens": 300,
        "output_format": {"type": "json_schema", "schema": SCHEMA},
    },
    "gemini": {
        "system_instruction": {"parts": [{"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Describe Milo."}]},
            {"role": "model", "parts": [{"text": "Milo"}]},
            {"role": "user", "parts": [{"text": "Again."}]},
        ],
        "generationConfig": {
            "max_output_tokens": 300,
            "response_mime_type": "application/json",
            "response_json_schema": SCHEMA,
        },
    },
}
every_provider = pytest.mark.parametrize("provider", PROVIDERS)


def ask(provider: Provider, **changes: object) -> httpx.Response:
    """Send this provider's request the way its client would."""
    headers = {KEY_HEADERS[provider]: "Bearer sk-secret", "X-Trace": "1"}
    return httpx.post(URLS[provider], json=REQUESTS[provider] | changes, headers=headers, timeout=5)


def text_of(provider: Provider, body: dict[str, Any]) -> object:
    """The answer in a provider's body."""
    if provider == "openai":
        return body["choices"][0]["message"]["content"]
    if provider == "anthropic":
        return body["content"][0]["text"]
    return body["candidates"][0]["content"]["parts"][0]["text"]


@every_provider
def test_request_is_recorded_in_one_shape_for_every_provider(provider: Provider) -> None:
    """A test reads what the model was told without knowing the wire format, and never sees a key."""
    with ModelRoutes() as routes:
        routes.answer(provider, "hello")
        ask(provider)
    (call,) = routes.calls
    assert (call.provider, call.model, call.max_tokens, call.schema) == (provider, MODELS[provider], 300, SCHEMA)
    assert call.system == "Be kind."
    assert call.messages == (Message("user", "Describe Milo."), Message("assistant", "Milo"), Message("user", "Again."))
    assert call.text == "Be kind.\nDescribe Milo.\nMilo\nAgain."
    assert call.json == REQUESTS[provider] == json.loads(call.body)
    assert call.headers["x-trace"] == "1"
    assert "sk-secret" not in str(call)


@every_provider
def test_bare_request_is_recorded_too(provider: Provider) -> None:
    """Without system text and schema the record says so."""
    bare: dict[str, dict[str, Any]] = {
        "openai": {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5},
        "anthropic": {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5},
        "gemini": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
    }
    with ModelRoutes() as routes:
        routes.answer(provider, "hello")
        httpx.post(URLS[provider], json=bare[provider])
    (call,) = routes.calls
    assert (call.system, call.schema, call.messages) == ("", None, (Message("user", "Hi"),))
    assert call.max_tokens == (None if provider == "gemini" else 5)


@every_provider
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("plain", "plain"),
        ({"title": "Ak\u0254"}, '{"title": "Ak\u0254"}'),
        ([1, 2], "[1, 2]"),
        (lambda call: {"asked": call.messages[0].content}, '{"asked": "Describe Milo."}'),
        (lambda _call: lambda call: call.model, None),
    ],
)
def test_answer_is_a_text_json_or_made_from_the_request(provider: Provider, content: Any, text: str | None) -> None:
    """A test gives the answer in the form that is shortest to write."""
    with ModelRoutes() as routes:
        routes.answer(provider, content)
        assert text_of(provider, ask(provider).json()) == (text or MODELS[provider])


def test_answers_have_each_providers_own_body() -> None:
    """The bodies are the documented ones, field by field; an adapter cannot tell them from the real thing."""
    with ModelRoutes() as routes:
        for provider in PROVIDERS:
            routes.answer(provider, "{}", usage=(1_000, 500), cached=800)
        openai, anthropic, gemini = (ask(provider).json() for provider in PROVIDERS)
    assert openai == {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-6-luna",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "{}"}}],
        "usage": {
            "prompt_tokens": 1_000,
            "completion_tokens": 500,
            "total_tokens": 1_500,
            "prompt_tokens_details": {"cached_tokens": 800},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }
    assert anthropic == {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": [{"type": "text", "text": "{}"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 200,
            "cache_read_input_tokens": 800,
            "cache_creation_input_tokens": 0,
            "output_tokens": 500,
        },
    }
    assert gemini == {
        "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [{"text": "{}"}]}}],
        "modelVersion": "gemini-2.5-flash-lite",
        "responseId": "r1",
        "usageMetadata": {
            "promptTokenCount": 1_000,
            "cachedContentTokenCount": 800,
            "candidatesTokenCount": 500,
            "totalTokenCount": 1_500,
        },
    }


@every_provider
def test_answers_are_given_in_order_and_the_last_repeats(provider: Provider) -> None:
    """A retry test plans two failures and a success, and no more."""
    with ModelRoutes() as routes:
        routes.fail(provider, 503, times=2)
        routes.answer(provider, "ok")
        assert [ask(provider).status_code for _ in range(5)] == [503, 503, 200, 200, 200]
        routes.fail(provider, 500)
        assert [ask(provider).status_code for _ in range(2)] == [500, 500]
    assert len(routes.calls) == 7


@pytest.mark.parametrize(
    ("provider", "status", "answered", "inside"),
    [
        (
            "openai",
            429,
            429,
            {
                "error": {
                    "message": "slow down",
                    "type": "rate_limit_error",
                    "param": None,
                    "code": "insufficient_quota",
                }
            },
        ),
        (
            "openai",
            418,
            418,
            {"error": {"message": "slow down", "type": "server_error", "param": None, "code": "insufficient_quota"}},
        ),
        (
            "anthropic",
            529,
            529,
            {
                "type": "error",
                "error": {"type": "overloaded_error", "message": "slow down"},
                "request_id": "req_anthropic",
            },
        ),
        ("gemini", 503, 503, {"error": {"code": 503, "message": "slow down", "status": "UNAVAILABLE", "details": []}}),
        (
            "gemini",
            401,
            400,
            {
                "error": {
                    "code": 400,
                    "message": "slow down",
                    "status": "INVALID_ARGUMENT",
                    "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}],
                }
            },
        ),
    ],
)
def test_failures_have_each_providers_own_body(provider: Provider, status: int, answered: int, inside: object) -> None:
    """An error is told in the provider's words, with the wait it asks for."""
    with ModelRoutes() as routes:
        routes.fail(provider, status, retry_after=2, code="insufficient_quota", message="slow down")
        response = ask(provider)
    assert (response.status_code, response.json(), response.headers["retry-after"]) == (answered, inside, "2")


@every_provider
def test_failure_without_a_wait_names_none(provider: Provider) -> None:
    """No header is sent that was not asked for."""
    with ModelRoutes() as routes:
        routes.fail(provider, 500)
        assert "retry-after" not in ask(provider).headers


@every_provider
def test_answer_without_counts_or_from_another_model(provider: Provider) -> None:
    """What cannot be priced can be rehearsed: counts missing, counts zero, another model's name."""
    counts = "usageMetadata" if provider == "gemini" else "usage"
    with ModelRoutes() as routes:
        routes.missing_usage(provider, "a")
        routes.answer(provider, "b", usage=(0, 0))
        routes.answer(provider, "c", model="other")
        missing, zero, other = (ask(provider).json() for _ in range(3))
    assert counts not in missing
    assert (
        zero[counts][{"openai": "prompt_tokens", "anthropic": "input_tokens", "gemini": "promptTokenCount"}[provider]]
        == 0
    )
    assert other["modelVersion" if provider == "gemini" else "model"] == "other"


@every_provider
def test_answer_may_be_cut_off_or_refused(provider: Provider) -> None:
    """Each provider's own words for an answer that is too long and for one that it will not give."""
    with ModelRoutes() as routes:
        routes.truncate(provider, "12345678")
        routes.refuse(provider)
        cut, refused = (ask(provider).json() for _ in range(2))
    assert text_of(provider, cut) == "1234"
    words = {
        "openai": ("length", "content_filter"),
        "anthropic": ("max_tokens", "refusal"),
        "gemini": ("MAX_TOKENS", "SAFETY"),
    }
    for body, word in zip((cut, refused), words[provider], strict=True):
        assert word in json.dumps(body)
    assert "1234" not in json.dumps(refused)


@every_provider
def test_unreadable_answers(provider: Provider) -> None:
    """A captive portal, an empty object and half a body come as 200, as they do in life."""
    with ModelRoutes() as routes:
        routes.html(provider)
        routes.empty(provider)
        routes.broken_json(provider)
        page, empty, half = (ask(provider) for _ in range(3))
    assert [page.status_code, empty.status_code, half.status_code] == [200, 200, 200]
    assert page.headers["content-type"] == "text/html"
    assert empty.json() == {}
    with pytest.raises(json.JSONDecodeError):
        half.json()


@every_provider
def test_broken_connections(provider: Provider) -> None:
    """A connection dropped or cut, and a hang, are the errors that httpx raises for them."""
    with ModelRoutes() as routes:
        routes.drop(provider)
        routes.cut(provider)
        routes.hang(provider)
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            ask(provider)
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            ask(provider)
        with pytest.raises(httpx.ReadTimeout):
            ask(provider)
    assert len(routes.calls) == 3


@every_provider
@pytest.mark.anyio
async def test_async_requests_are_answered_as_well(provider: Provider) -> None:
    """An async client sees the same routes."""
    with ModelRoutes() as routes:
        routes.answer(provider, {"title": "Milo"})
        async with httpx.AsyncClient() as client:
            response = await client.post(URLS[provider], json=REQUESTS[provider])
    assert text_of(provider, response.json()) == '{"title": "Milo"}'
    assert routes.calls[0].system == "Be kind."


def test_gemini_is_answered_at_its_newer_address_too() -> None:
    """Newer Gemini models live under v1alpha."""
    with ModelRoutes() as routes:
        routes.answer("gemini", "ok")
        url = "https://generativelanguage.googleapis.com/v1alpha/models/gemini-3.5-flash:generateContent?alt=json"
        assert httpx.post(url, json=REQUESTS["gemini"]).status_code == 200
    assert routes.calls[0].model == "gemini-3.5-flash"


def test_request_with_nothing_planned_fails_the_test() -> None:
    """A model call that the test did not expect is not waved through."""
    routes = ModelRoutes().__enter__()
    response = ask("openai")
    assert response.status_code == 400
    assert "nothing is planned for openai" in response.text
    with pytest.raises(AssertionError, match="1 requests went to openai with no answer planned"):
        routes.__exit__(None, None, None)
    assert routes.unplanned == routes.calls


def test_a_tests_own_failure_is_not_hidden() -> None:
    """The first error is the one shown."""

    def failing() -> None:
        with ModelRoutes():
            ask("openai")
            msg = "mine"
            raise LookupError(msg)

    with pytest.raises(LookupError, match="mine"):
        failing()


def test_other_addresses_are_refused() -> None:
    """A request to an address nobody planned for does not leave the process."""
    with ModelRoutes(), pytest.raises(respx.models.AllMockedAssertionError):
        httpx.post("https://example.com/v1/chat/completions", json={})


@every_provider
@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"messages": 1, "model": "m", "contents": [{}]}'])
def test_malformed_request_is_answered_as_such(provider: Provider, body: bytes) -> None:
    """An adapter that sends nonsense is told so instead of being praised."""
    with ModelRoutes() as routes:
        routes.answer(provider, "ok")
        assert httpx.post(URLS[provider], content=body).status_code == 400
    assert routes.calls == []


def test_wire_functions_work_without_a_transport() -> None:
    """A request read and its answer written, with nothing between."""
    call = read_call("openai", "/v1/chat/completions", {"Authorization": "x"}, json.dumps(REQUESTS["openai"]).encode())
    assert dict(call.headers) == {}
    assert write_answer(call, "hi").headers["x-request-id"] == "req_openai"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pytest alone finds the plugin; what else the kit needs is said with the command that installs it."""
    monkeypatch.setitem(sys.modules, "respx", None)
    with pytest.raises(ImportError, match=r"pip install 'ai-addons\[testing\]'"), ModelRoutes():
        pass
