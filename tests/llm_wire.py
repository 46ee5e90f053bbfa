"""The three wire formats, as their providers document them, for the tests of the model engine."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from ai_addons.llm.base import Message, ModelRequest
from ai_addons.llm.litellm import LiteLlm
from ai_addons.settings import ProviderSettings

if TYPE_CHECKING:
    import httpx
    import respx

    from ai_addons.llm.base import ModelReply

HOSTS: Final = {
    "openai": "api.openai.com",
    "anthropic": "api.anthropic.com",
    "gemini": "generativelanguage.googleapis.com",
}
ROUTES: Final = {
    "openai": "openai/gpt-6-luna",
    "anthropic": "anthropic/claude-haiku-5-5",
    "gemini": "gemini/gemini-2.5-flash-lite",
}
KEYS: Final = {provider: ProviderSettings.model_validate({"api_key": f"key-of-{provider}"}) for provider in HOSTS}
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"title": {"type": "string", "maxLength": 60}, "stars": {"type": "integer", "minimum": 1}},
    "required": ["title", "stars"],
    "additionalProperties": False,
}
# What strict mode takes: the length in words.
SENT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "description": "At most 60 characters."},
        "stars": {"type": "integer", "minimum": 1},
    },
    "required": ["title", "stars"],
    "additionalProperties": False,
}


def request(route: str, *, schema: dict[str, Any] | None = None, timeout: float = 5.0) -> ModelRequest:
    """A request of two turns."""
    messages = (Message("system", "Be brief."), Message("user", "Describe rice."))
    return ModelRequest(model=route, messages=messages, max_tokens=300, schema=schema, timeout=timeout)


def ask(asked: ModelRequest, *, aio: bool, llm: LiteLlm | None = None) -> ModelReply:
    """Ask in either way."""
    adapter = llm or LiteLlm(KEYS, {})
    return asyncio.run(adapter.acomplete(asked)) if aio else adapter.complete(asked)


def answer(provider: str, **changes: object) -> dict[str, Any]:
    """A good answer: 1,000 prompt tokens, 800 of them cached, 500 completion tokens."""
    return _ANSWERS[provider] | changes


def error_body(provider: str, *, code: str | None = None, message: str = "SECRET provider text") -> dict[str, Any]:
    """The provider's own error body."""
    if provider == "openai":
        return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    if provider == "anthropic":
        kind = code or "invalid_request_error"
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "r"}
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code}]
    return {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": details}}


def serve(router: respx.MockRouter, provider: str, response: httpx.Response | type[Exception]) -> respx.Route:
    """Answer every request to a provider's host in one way."""
    route = router.route(host=HOSTS[provider])
    return route.mock(side_effect=response) if isinstance(response, type) else route.mock(return_value=response)


def sent(router: respx.MockRouter) -> dict[str, Any]:
    """The body of the one request that was made."""
    (call,) = router.calls
    body: dict[str, Any] = json.loads(call.request.content)
    return body


_ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "openai": {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-6-luna",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "{}"}}],
        "usage": {
            "prompt_tokens": 1000,
            "completion_tokens": 500,
            "total_tokens": 1500,
            "prompt_tokens_details": {"cached_tokens": 800},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    },
    "anthropic": {
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
    },
    "gemini": {
        "candidates": [
            {"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [{"text": "{}"}]}},
        ],
        "usageMetadata": {
            "promptTokenCount": 1000,
            "cachedContentTokenCount": 800,
            "candidatesTokenCount": 400,
            "thoughtsTokenCount": 100,
            "totalTokenCount": 1500,
        },
        "modelVersion": "gemini-2.5-flash-lite",
        "responseId": "r1",
    },
}
