"""Answers as server-sent events, in the three wire formats (WHATWG HTML, "Server-sent events")."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from ai_addons.testing.wire import WireReply, usage_counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ai_addons.llm.base import Finish
    from ai_addons.testing.wire import Provider, WireCall

_WORD: Final = re.compile(r"\s*\S+|\s+$")
_OVERLOADED: Final[Mapping[Provider, object]] = {
    "openai": {"error": {"message": "scripted failure", "type": "server_error", "param": None, "code": None}},
    "anthropic": {"type": "error", "error": {"type": "overloaded_error", "message": "scripted failure"}},
    "gemini": {"error": {"code": 503, "message": "scripted failure", "status": "UNAVAILABLE"}},
}


def write_stream(
    call: WireCall,
    pieces: str | Sequence[str],
    *,
    usage: tuple[int, int] | None = (100, 50),
    model: str | None = None,
    finish: Finish = "stop",
    cached: int = 0,
    cut_after: int | None = None,
    then: bytes = b"",
) -> WireReply:
    """Answer a request with a stream, in its provider's format.

    Args:
        call: The request.
        pieces: What the model says, or its pieces; a text is cut before each word.
        usage: Prompt tokens (cached ones included) and output tokens; None leaves the counts out.
        model: The model that says it answered; None: the one asked for.
        finish: How the answer ends.
        cached: How many of the prompt tokens came from the provider's cache.
        cut_after: End the body after so many pieces of text, with no word about the end.
        then: What comes after that, such as `error_event`.
    """
    said = _WORD.findall(pieces) if isinstance(pieces, str) else list(pieces)
    counts = {} if usage is None else usage_counts(call.provider, *usage, cached)
    whole = list(_WRITERS[call.provider](model or call.model, said, finish, counts))
    events = [event for event, _ in whole]
    if cut_after is not None:
        spoken = [place for place, (_, is_text) in enumerate(whole) if is_text]
        events = [*events[: spoken[cut_after] if cut_after < len(spoken) else spoken[-1] + 1], then]
    return WireReply(
        status=200,
        body=b"".join(events),
        headers={"content-type": "text/event-stream"},
        events=tuple(filter(None, events)),
    )


def error_event(provider: Provider) -> bytes:
    """The provider's own error, sent when the stream has begun."""
    return _event(_OVERLOADED[provider], "error" if provider == "anthropic" else None)


def _event(data: object, name: str | None = None) -> bytes:
    head = "" if name is None else f"event: {name}\n"
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def _openai(model: str, pieces: Sequence[str], finish: Finish, counts: dict[str, Any]) -> Iterator[tuple[bytes, bool]]:
    frame = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model}
    for piece in pieces:
        delta = {"role": "assistant", "content": piece}
        yield _event(frame | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}), True
    reason = {"stop": "stop", "length": "length", "blocked": "content_filter"}[finish]
    nothing: dict[str, Any] = {}
    yield _event(frame | {"choices": [{"index": 0, "delta": nothing, "finish_reason": reason}]}), False
    if counts:
        no_choices: list[Any] = []
        yield _event(frame | {"choices": no_choices} | counts), False
    yield b"data: [DONE]\n\n", False


def _anthropic(
    model: str, pieces: Sequence[str], finish: Finish, counts: dict[str, Any]
) -> Iterator[tuple[bytes, bool]]:
    usage = counts.get("usage", {})
    message: dict[str, Any] = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
    }
    begun = usage | ({"output_tokens": 1} if usage else {})
    yield _named({"type": "message_start", "message": message | {"usage": begun}}), False
    yield _named({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}), False
    for piece in pieces:
        delta = {"type": "text_delta", "text": piece}
        yield _named({"type": "content_block_delta", "index": 0, "delta": delta}), True
    yield _named({"type": "content_block_stop", "index": 0}), False
    reason = {"stop": "end_turn", "length": "max_tokens", "blocked": "refusal"}[finish]
    output = {"output_tokens": usage["output_tokens"]} if usage else {}
    yield _named({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": output}), False
    yield _named({"type": "message_stop"}), False


def _named(data: dict[str, Any]) -> bytes:
    return _event(data, data["type"])


def _gemini(model: str, pieces: Sequence[str], finish: Finish, counts: dict[str, Any]) -> Iterator[tuple[bytes, bool]]:
    frame = {"modelVersion": model, "responseId": "r1"}
    for piece in pieces:
        content = {"role": "model", "parts": [{"text": piece}]}
        yield _event(frame | {"candidates": [{"index": 0, "content": content}]}), True
    reason = {"stop": "STOP", "length": "MAX_TOKENS", "blocked": "SAFETY"}[finish]
    content = {"role": "model", "parts": [{"text": ""}]}
    last = {"index": 0, "finishReason": reason} | ({} if finish == "blocked" else {"content": content})
    yield _event(frame | {"candidates": [last]} | counts), False


_WRITERS: Final[
    Mapping[Provider, Callable[[str, Sequence[str], Finish, dict[str, Any]], Iterator[tuple[bytes, bool]]]]
] = {"openai": _openai, "anthropic": _anthropic, "gemini": _gemini}
