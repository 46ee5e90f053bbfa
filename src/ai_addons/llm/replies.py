"""From LiteLLM's response to a `ModelReply`.

LiteLLM brings all providers into OpenAI's shape; this module reads the few
fields that mean the same for each of them and doubts the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons.llm.base import ModelReply, Usage
from ai_addons.llm.providers import split_route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.llm.base import Finish

_REQUEST_ID_HEADERS: Final = ("llm_provider-x-request-id", "llm_provider-request-id")
# For the others LiteLLM invents the response's id.
_OWN_RESPONSE_ID: Final = ("openai", "gemini")


def read_reply(route: str, response: object) -> ModelReply:
    """Read one response.

    Args:
        route: The route that was asked.
        response: LiteLLM's ``ModelResponse``.
    """
    choice = next(iter(read_field(response, "choices") or ()), None)
    message = read_field(choice, "message")
    usage = read_field(response, "usage")
    text = read_field(message, "content")
    return ModelReply(
        text=text if isinstance(text, str) and text else None,
        finish=_finish(choice, message),
        model=_text(read_field(response, "model")) or "",
        usage=read_usage(usage),
        request_id=_request_id(route, response),
        tier=_text(read_field(response, "service_tier")) or _text(read_field(usage, "service_tier")),
    )


def read_usage(usage: object) -> Usage | None:
    """Split LiteLLM's token counts into exclusive pools.

    Returns:
        The pools, or None where the counts are missing or do not add up: they
        must not be priced.
    """
    details, made = read_field(usage, "prompt_tokens_details"), read_field(usage, "completion_tokens_details")
    prompt, completion = _count(read_field(usage, "prompt_tokens")), _count(read_field(usage, "completion_tokens"))
    cached = _count(read_field(details, "cached_tokens"))
    written = _count(read_field(details, "cache_creation_tokens") or read_field(details, "cache_write_tokens"))
    reasoning = _count(read_field(made, "reasoning_tokens"))
    pools = Usage(
        input=prompt - cached - written,
        cached=cached,
        cache_write=written,
        output=completion - reasoning,
        reasoning=reasoning,
    )
    # A cache write for an hour has its own price; we never ask for one.
    hour = _count(read_field(read_field(details, "cache_creation_token_details"), "ephemeral_1h_input_tokens"))
    counts = (pools.input, pools.cached, pools.cache_write, pools.output, pools.reasoning)
    return pools if prompt > 0 and min(counts) >= 0 and not hour else None


def _finish(choice: object, message: object) -> Finish:
    if choice is None:
        # Answered and billed, with nothing in it: as final as an answer that was cut off.
        return "length"
    # OpenAI says "stop" for a refusal and puts its words beside the content.
    refusal = read_field(message, "refusal") or read_field(read_field(message, "provider_specific_fields"), "refusal")
    reason = read_field(choice, "finish_reason")
    if refusal or reason == "content_filter":
        return "blocked"
    return "length" if reason == "length" else "stop"


def _request_id(route: str, response: object) -> str | None:
    headers: Mapping[str, Any] = read_field(read_field(response, "_hidden_params"), "additional_headers") or {}
    named = next((found for name in _REQUEST_ID_HEADERS if (found := _text(headers.get(name)))), None)
    own = _text(read_field(response, "id")) if split_route(route)[0] in _OWN_RESPONSE_ID else None
    return named or own


def read_field(holder: object, name: str) -> Any:  # noqa: ANN401  # LiteLLM's objects are untyped: each reader checks what it gets
    """A field of an object or a dict, None where there is none."""
    if isinstance(holder, dict):
        return cast("dict[str, Any]", holder).get(name)
    return getattr(holder, name, None)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: object) -> int:
    """A token count; none means 0, nonsense means -1, which no check lets pass."""
    if value is None:
        return 0
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
