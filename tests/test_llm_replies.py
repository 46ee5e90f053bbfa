from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

import httpx
import pytest
import respx

from ai_addons.llm.base import Usage
from ai_addons.llm.litellm import LiteLlm
from ai_addons.llm.replies import read_reply, read_usage
from tests.llm_wire import KEYS, ROUTES, answer, request, serve

if TYPE_CHECKING:
    from ai_addons.llm.base import ModelReply


def reply_to(
    provider: str, changes: dict[str, object] | None = None, *, aio: bool = False, headers: dict[str, str] | None = None
) -> ModelReply:
    """What we read when the provider answers with these changes to a good answer."""
    with respx.mock() as router:
        serve(router, provider, httpx.Response(200, json=answer(provider, **(changes or {})), headers=headers))
        llm, asked = LiteLlm(KEYS, {}), request(ROUTES[provider])
        return asyncio.run(llm.acomplete(asked)) if aio else llm.complete(asked)


def openai_choice(**message: object) -> list[dict[str, object]]:
    """OpenAI's choices with one message."""
    return [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": None, **message}}]


@pytest.mark.parametrize("aio", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("provider", "headers", "model", "request_id", "output", "reasoning"),
    [
        ("openai", {"x-request-id": "req_1"}, "gpt-6-luna", "req_1", 500, 0),
        ("openai", {}, "gpt-6-luna", "c1", 500, 0),
        ("anthropic", {"request-id": "req_2"}, "claude-haiku-5-5", "req_2", 500, 0),
        ("anthropic", {}, "claude-haiku-5-5", None, 500, 0),
        ("gemini", {}, "gemini-2.5-flash-lite", "r1", 400, 100),
    ],
)
def test_a_good_answer_is_read_alike_from_every_provider(  # one column each
    provider: str,
    headers: dict[str, str],
    model: str,
    request_id: str | None,
    output: int,
    reasoning: int,
    *,
    aio: bool,
) -> None:
    """Text, model, the provider's own request id and exclusive token pools; an invented id is not kept."""
    reply = reply_to(provider, aio=aio, headers=headers)

    assert (reply.text, reply.finish, reply.model, reply.request_id) == ("{}", "stop", model, request_id)
    assert reply.usage == Usage(input=200, cached=800, output=output, reasoning=reasoning)
    assert reply.tier is None


@pytest.mark.parametrize(
    ("provider", "changes", "text", "finish"),
    [
        ("openai", {"choices": [openai_choice(content="{")[0] | {"finish_reason": "length"}]}, "{", "length"),
        ("openai", {"choices": [openai_choice()[0] | {"finish_reason": "length"}]}, None, "length"),
        ("openai", {"choices": [openai_choice()[0] | {"finish_reason": "content_filter"}]}, None, "blocked"),
        ("openai", {"choices": openai_choice(refusal="I cannot help with that.")}, None, "blocked"),
        ("openai", {"choices": openai_choice()}, None, "stop"),
        ("openai", {"choices": openai_choice(content="")}, None, "stop"),
        ("openai", {"choices": []}, None, "length"),
        ("anthropic", {"stop_reason": "max_tokens"}, "{}", "length"),
        ("anthropic", {"stop_reason": "refusal", "content": []}, None, "blocked"),
        ("anthropic", {"content": []}, None, "stop"),
        ("anthropic", {"content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]}, "AB", "stop"),
        ("gemini", {"candidates": [{"index": 0, "finishReason": "SAFETY"}]}, None, "blocked"),
        ("gemini", {"candidates": [{"index": 0, "finishReason": "MAX_TOKENS", "content": {}}]}, None, "length"),
        ("gemini", {"candidates": []}, None, "length"),
    ],
)
def test_how_an_answer_ended_is_told_apart(
    provider: str, changes: dict[str, object], text: str | None, finish: str
) -> None:
    """Cut off, refused and empty are different things; a refusal that OpenAI calls "stop" is a refusal."""
    reply = reply_to(provider, changes)

    assert (reply.text, reply.finish) == (text, finish)


def test_an_answer_without_choices_still_counts_its_tokens() -> None:
    """It was billed, so its usage is kept."""
    assert reply_to("gemini", {"candidates": []}).usage == Usage(input=200, cached=800, output=400, reasoning=100)


def test_thinking_beside_the_answer_is_counted_and_left_out_of_the_text() -> None:
    """Thinking that came although it was switched off shows in the counts, never in the answer."""
    blocks = [{"type": "thinking", "thinking": "hm hm", "signature": "s"}, {"type": "text", "text": "{}"}]

    reply = reply_to("anthropic", {"content": blocks})

    assert reply.text == "{}"
    assert reply.usage is not None
    assert reply.usage.reasoning > 0
    assert reply.usage.output + reply.usage.reasoning == 500


@pytest.mark.parametrize(
    ("provider", "changes", "tier"),
    [
        ("openai", {"service_tier": "flex"}, "flex"),
        ("openai", {"service_tier": "default"}, "default"),
        ("anthropic", {"usage": {"input_tokens": 1, "output_tokens": 1, "service_tier": "priority"}}, "priority"),
    ],
)
def test_the_served_tier_is_kept(provider: str, changes: dict[str, object], tier: str) -> None:
    """A tier with another price must be seen by whoever prices the call."""
    assert reply_to(provider, changes).tier == tier


def test_cache_writes_are_a_pool_of_their_own() -> None:
    """Anthropic's cache writes are neither plain input nor cached input."""
    usage = {"input_tokens": 10, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 20, "output_tokens": 5}

    assert reply_to("anthropic", {"usage": usage}).usage == Usage(input=10, cached=20, cache_write=300, output=5)


def test_openai_cache_writes_are_read() -> None:
    """OpenAI names the same pool differently."""
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 10,
        "total_tokens": 1010,
        "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 200},
    }

    assert reply_to("openai", {"usage": usage}).usage == Usage(input=700, cached=100, cache_write=200, output=10)


def test_an_hour_of_cache_is_not_priced_like_five_minutes() -> None:
    """We never ask for it; if it comes, the usage is not trusted."""
    usage = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        "output_tokens": 5,
    }

    assert reply_to("anthropic", {"usage": usage}).usage is None


def test_missing_usage_is_none_and_not_zero() -> None:
    """OpenAI's answer without usage is kept; its cost must not look like nothing."""
    reply = reply_to("openai", {"usage": None})

    assert (reply.text, reply.usage) == ("{}", None)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": 0, "completion_tokens": 5},
        {"prompt_tokens": -5, "completion_tokens": 5},
        {"prompt_tokens": 5, "completion_tokens": -1},
        {"prompt_tokens": True, "completion_tokens": 5},
        {"prompt_tokens": "5", "completion_tokens": 5},
        {"prompt_tokens": 5, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 6}},
        {"prompt_tokens": 5, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": -1}},
        {"prompt_tokens": 5, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 6}},
    ],
)
def test_counts_that_do_not_add_up_are_no_usage(usage: object) -> None:
    """Nonsense is not turned into a price."""
    assert read_usage(usage) is None


def test_a_response_with_nothing_in_it_is_read_without_a_crash() -> None:
    """Whatever a library returns, the reply says honestly that there is nothing."""
    reply = read_reply("openai/gpt-6-luna", SimpleNamespace())

    assert (reply.text, reply.finish, reply.model, reply.usage, reply.request_id) == (None, "length", "", None, None)
