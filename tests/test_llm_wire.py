from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ai_addons.llm.base import Message
from ai_addons.llm.litellm import LiteLlm
from ai_addons.llm.prices import PRICES
from ai_addons.llm.thinking import room
from tests.llm_wire import HOSTS, ROUTES, SCHEMA, SENT_SCHEMA, answer, ask, request, sent, serve

if TYPE_CHECKING:
    import respx

EFFORT_NONE = {"reasoning_effort": "none"}
EFFORT_MINIMAL = {"reasoning_effort": "minimal"}
BUDGET_0 = {"thinkingBudget": 0, "includeThoughts": False}
LEVEL_MINIMAL = {"thinkingLevel": "minimal", "includeThoughts": False}
LEVEL_LOW = {"thinkingLevel": "low", "includeThoughts": False}


def openai_body(model: str, cap: dict[str, Any], thinking: dict[str, Any]) -> dict[str, Any]:
    """What OpenAI is sent."""
    return {
        "model": model,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Describe rice."}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": SENT_SCHEMA},
        },
        **cap,
        **thinking,
    }


def anthropic_body(model: str) -> dict[str, Any]:
    """What Anthropic is sent; LiteLLM turns bounds of numbers into words."""
    stars = {"type": "integer", "description": "Note: minimum value: 1."}
    schema = SENT_SCHEMA | {"properties": SENT_SCHEMA["properties"] | {"stars": stars}}
    return {
        "model": model,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Describe rice."}]}],
        "max_tokens": 300,
        "thinking": {"type": "disabled"},
        "output_format": {"type": "json_schema", "schema": schema},
    }


def gemini_body(thinking: dict[str, Any], **own: object) -> dict[str, Any]:
    """What Gemini is sent."""
    return {
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Describe rice."}]}],
        "generationConfig": {
            "max_output_tokens": 300,
            "response_mime_type": "application/json",
            "response_json_schema": SENT_SCHEMA,
            "thinkingConfig": thinking,
            **own,
        },
    }


REASONING_CAP = {"max_completion_tokens": 300}
PLAIN_CAP = {"max_tokens": 300}
V1_BETA = "https://generativelanguage.googleapis.com/v1beta/models/{}:generateContent"
V1_ALPHA = "https://generativelanguage.googleapis.com/v1alpha/models/{}:generateContent"

# LiteLLM 1.105.3 adds temperature 1.0 to every Gemini 3 request by itself.
WIRE: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        f"openai/{model}": ("https://api.openai.com/v1/chat/completions", openai_body(model, cap, thinking))
        for model, cap, thinking in (
            ("gpt-6-luna", REASONING_CAP, EFFORT_NONE),
            ("gpt-6-sol", REASONING_CAP, EFFORT_NONE),
            ("gpt-5.6-luna", REASONING_CAP, EFFORT_NONE),
            ("gpt-5.4-nano", REASONING_CAP, EFFORT_NONE),
            ("gpt-5.4-mini", REASONING_CAP, EFFORT_NONE),
            ("gpt-5-nano", REASONING_CAP, EFFORT_MINIMAL),
            ("gpt-5-mini", REASONING_CAP, EFFORT_MINIMAL),
            ("gpt-4o-mini", PLAIN_CAP, {}),
            ("gpt-4.1-mini", PLAIN_CAP, {}),
            ("gpt-4.1-nano", PLAIN_CAP, {}),
        )
    },
    **{
        f"anthropic/{model}": ("https://api.anthropic.com/v1/messages", anthropic_body(model))
        for model in ("claude-haiku-5-5", "claude-haiku-4-5")
    },
    **{
        f"gemini/{model}": (url.format(model), gemini_body(thinking, **own))
        for model, url, thinking, own in (
            ("gemini-2.5-flash-lite", V1_BETA, BUDGET_0, {}),
            ("gemini-2.5-flash", V1_BETA, BUDGET_0, {}),
            ("gemini-3-flash-preview", V1_ALPHA, LEVEL_MINIMAL, {"temperature": 1.0}),
            ("gemini-3.1-flash-lite", V1_ALPHA, LEVEL_MINIMAL, {"temperature": 1.0}),
            ("gemini-3.5-flash-lite", V1_ALPHA, LEVEL_MINIMAL, {"temperature": 1.0}),
            ("gemini-3.6-flash", V1_ALPHA, LEVEL_MINIMAL, {"temperature": 1.0}),
            ("gemini-3.7-flash", V1_ALPHA, LEVEL_LOW, {"temperature": 1.0}),
            ("gemini-3.8-flash", V1_ALPHA, LEVEL_LOW, {"temperature": 1.0}),
        )
    },
}


def test_every_priced_model_has_its_wire_body_checked() -> None:
    """A model cannot enter the price table without its request being known byte for byte."""
    assert set(WIRE) == set(PRICES)


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("route", sorted(WIRE))
def test_the_request_is_exactly_what_the_model_family_takes(router: respx.MockRouter, route: str, aio: bool) -> None:
    """Each model gets its output cap, the schema and its own way of not thinking, and nothing else."""
    provider = route.split("/", maxsplit=1)[0]
    serve(router, provider, httpx.Response(200, json=answer(provider)))

    ask(request(route, schema=SCHEMA), aio=aio)

    url, body = WIRE[route]
    assert sent(router) == body
    assert str(router.calls.last.request.url) == url


EFFORT_LOW = {"reasoning_effort": "low"}
THINKS: dict[str, dict[str, Any]] = {
    "openai/gpt-6-luna": EFFORT_LOW | {"max_completion_tokens": 1_324},
    "openai/gpt-5-nano": EFFORT_LOW | {"max_completion_tokens": 1_324},
    "anthropic/claude-haiku-4-5": {"thinking": {"type": "enabled", "budget_tokens": 1_024}, "max_tokens": 1_324},
    "gemini/gemini-2.5-flash-lite": {"thinkingConfig": {"thinkingBudget": 1_024, "includeThoughts": True}},
    "gemini/gemini-3.1-flash-lite": {"thinkingConfig": {"thinkingLevel": "low", "includeThoughts": True}},
}


@pytest.mark.parametrize("route", THINKS)
def test_thinking_is_asked_for_in_the_familys_own_way(router: respx.MockRouter, route: str) -> None:
    """The level goes out as each provider writes it, with a cap that has room for it beside the answer."""
    provider = route.split("/", maxsplit=1)[0]
    serve(router, provider, httpx.Response(200, json=answer(provider)))

    ask(replace(request(route, schema=SCHEMA), thinking="low", max_tokens=300 + room("low")), aio=False)

    body = sent(router)
    told = body["generationConfig"] if provider == "gemini" else body
    assert {name: told[name] for name in THINKS[route]} == THINKS[route]
    if provider == "gemini":
        assert told["max_output_tokens"] == 1_324


@pytest.mark.parametrize("provider", HOSTS)
def test_plain_text_is_asked_for_without_a_schema(router: respx.MockRouter, provider: str) -> None:
    """A text answer is not forced into JSON."""
    serve(router, provider, httpx.Response(200, json=answer(provider)))

    ask(request(ROUTES[provider]), aio=False)

    assert "schema" not in json.dumps(sent(router))


def test_any_other_litellm_model_is_asked_without_a_thinking_switch(router: respx.MockRouter) -> None:
    """A provider we hold no table for works with its key alone."""
    router.post("https://api.mistral.ai/v1/chat/completions").respond(json=answer("openai", model="mistral-small"))
    llm = LiteLlm({}, {"MISTRAL_API_KEY": "k"})

    reply = ask(request("mistral/mistral-small"), aio=False, llm=llm)

    assert reply.model == "mistral-small"
    assert router.calls.last.request.headers["authorization"] == "Bearer k"
    assert set(sent(router)) == {"model", "messages", "max_tokens"}


def test_the_callers_messages_and_schema_are_left_as_they_are(router: respx.MockRouter) -> None:
    """LiteLLM changes what it is given in places; a request can still be sent twice."""
    serve(router, "anthropic", httpx.Response(200, json=answer("anthropic")))
    asked = request(ROUTES["anthropic"], schema=json.loads(json.dumps(SCHEMA)))

    ask(asked, aio=False)

    assert asked.schema == SCHEMA
    assert asked.messages == (Message("system", "Be brief."), Message("user", "Describe rice."))


@pytest.mark.parametrize(("left", "sent_with"), [(29.998, 29.5), (5.0, 5.0), (4.9, 4.875), (1.2, 1.125), (0.4, 0.4)])
@pytest.mark.parametrize("provider", HOSTS)
def test_time_limits_are_few_and_never_longer_than_what_is_left(
    router: respx.MockRouter, provider: str, left: float, sent_with: float
) -> None:
    """LiteLLM makes a client for each that it meets; what is left of a deadline is never the same twice."""
    serve(router, provider, httpx.Response(200, json=answer(provider)))

    ask(request(ROUTES[provider], timeout=left), aio=False)

    assert router.calls.last.request.extensions["timeout"]["read"] == pytest.approx(sent_with)
