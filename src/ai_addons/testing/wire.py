"""The three wire formats, from the provider's side: read a request, write an answer.

========== ========================================= =============================
provider   path ends in                              public reference
========== ========================================= =============================
openai     ``/chat/completions``                     platform.openai.com/docs
anthropic  ``/messages``                             docs.anthropic.com
gemini     ``/models/{model}:generateContent``       ai.google.dev/api
========== ========================================= =============================

A request for a stream says ``"stream": true``, or ``:streamGenerateContent`` with Gemini;
the answer is a series of server-sent events.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from ai_addons.llm.base import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.llm.base import Finish, Role

Provider: TypeAlias = Literal["openai", "anthropic", "gemini"]
JsonObject: TypeAlias = "dict[str, Any]"

PROVIDERS: Final[tuple[Provider, ...]] = ("openai", "anthropic", "gemini")

_KEY_HEADERS: Final = frozenset({"authorization", "x-api-key", "x-goog-api-key", "cookie", "proxy-authorization"})
_GEMINI_PATH: Final = re.compile(r"/models/([^/:]+):(?:generateContent|streamGenerateContent)$")
_ROLES: Final[dict[str, Role]] = {"assistant": "assistant", "model": "assistant", "system": "system"}
_UNAUTHORIZED: Final = 401
_REQUEST_ID: Final = {"openai": "x-request-id", "anthropic": "request-id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WireCall:
    """One request as the provider received it.

    Attributes:
        provider: Whose format it is in.
        model: The model asked for.
        system: The system text, empty if none.
        messages: The other turns; Gemini's ``model`` role reads ``assistant``.
        max_tokens: The output cap, None if none was sent.
        schema: The JSON schema asked for, None if none was.
        headers: By name in lower case, without keys and cookies.
        path: Path of the URL.
        body: The bytes sent.
    """

    provider: Provider
    model: str
    system: str
    messages: tuple[Message, ...]
    max_tokens: int | None
    schema: Mapping[str, Any] | None
    headers: Mapping[str, str]
    path: str
    body: bytes = field(repr=False)

    @property
    def json(self) -> JsonObject:
        """The body, parsed."""
        return cast("JsonObject", json.loads(self.body))

    @property
    def streams(self) -> bool:
        """Whether it asks for the answer in pieces."""
        return self.path.endswith(":streamGenerateContent") or bool(self.json.get("stream"))

    @property
    def text(self) -> str:
        """Everything the model was told, in one text; for a test that something was not."""
        return "\n".join([self.system, *(message.content for message in self.messages)])


@dataclass(frozen=True, slots=True, kw_only=True)
class WireReply:
    """One HTTP answer, ready to send.

    Attributes:
        status: HTTP status.
        body: The bytes of the body.
        headers: Without the content length.
        events: The same as the events of a stream, sent one by one; None for a plain answer.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    events: tuple[bytes, ...] | None = None


def provider_of(path: str) -> Provider | None:
    """Whose format a request to this path is in."""
    if path.endswith("/chat/completions"):
        return "openai"
    if path.endswith("/messages"):
        return "anthropic"
    return "gemini" if _GEMINI_PATH.search(path) else None


def read_call(provider: Provider, path: str, headers: Mapping[str, str], body: bytes) -> WireCall:
    """Read a request.

    Raises:
        ValueError: If it is not the JSON object this provider expects.
    """
    try:
        sent = cast("JsonObject", json.loads(body))
        model, system, messages, cap, schema = _READERS[provider](path, sent)
    except (LookupError, TypeError, AttributeError) as error:
        msg = f"this is not a request in the {provider} format ({type(error).__name__}: {error})"
        raise ValueError(msg) from error
    return WireCall(
        provider=provider,
        model=model,
        system=system,
        messages=messages,
        max_tokens=cap,
        schema=schema,
        headers={name.lower(): value for name, value in headers.items() if name.lower() not in _KEY_HEADERS},
        path=path,
        body=body,
    )


_Read: TypeAlias = "tuple[str, str, tuple[Message, ...], int | None, Mapping[str, Any] | None]"


def _read_openai(_path: str, sent: JsonObject) -> _Read:
    turns = [(turn["role"], turn["content"]) for turn in sent["messages"]]
    system = "\n".join(text for role, text in turns if role == "system")
    rest = tuple(_message(role, text) for role, text in turns if role != "system")
    schema = sent.get("response_format", {}).get("json_schema", {}).get("schema")
    return sent["model"], system, rest, sent.get("max_completion_tokens", sent.get("max_tokens")), schema


def _read_anthropic(_path: str, sent: JsonObject) -> _Read:
    messages = tuple(_message(turn["role"], _joined(turn["content"])) for turn in sent["messages"])
    schema = sent.get("output_format", {}).get("schema")
    return sent["model"], _joined(sent.get("system", "")), messages, sent["max_tokens"], schema


def _read_gemini(path: str, sent: JsonObject) -> _Read:
    found = cast("re.Match[str]", _GEMINI_PATH.search(path))
    messages = tuple(_message(turn["role"], _joined(turn["parts"])) for turn in sent["contents"])
    config = sent.get("generationConfig", {})
    cap = config.get("max_output_tokens", config.get("maxOutputTokens"))
    schema = config.get("response_json_schema", config.get("responseJsonSchema"))
    return found[1], _joined(sent.get("system_instruction", {}).get("parts", [])), messages, cap, schema


def _message(role: str, text: str) -> Message:
    return Message(_ROLES.get(role, "user"), text)


def _joined(content: str | list[JsonObject]) -> str:
    """Text parts, or a bare text in their place."""
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content)


_READERS: Final = {"openai": _read_openai, "anthropic": _read_anthropic, "gemini": _read_gemini}


def write_answer(
    call: WireCall,
    text: str,
    *,
    usage: tuple[int, int] | None = (100, 50),
    model: str | None = None,
    finish: Finish = "stop",
    cached: int = 0,
) -> WireReply:
    """Answer a request in its provider's format.

    Args:
        call: The request.
        text: What the model says; ``blocked`` leaves it out.
        usage: Prompt tokens (cached ones included) and output tokens; None leaves the counts out.
        model: The model that says it answered; None: the one asked for.
        finish: How the answer ends.
        cached: How many of the prompt tokens came from the provider's cache.
    """
    body = _WRITERS[call.provider](model or call.model, text, finish)
    if usage is not None:
        body |= usage_counts(call.provider, *usage, cached)
    headers = {_REQUEST_ID[call.provider]: f"req_{call.provider}"} if call.provider in _REQUEST_ID else {}
    return json_reply(body, headers=headers)


def _write_openai(model: str, text: str, finish: Finish) -> JsonObject:
    reason = {"stop": "stop", "length": "length", "blocked": "content_filter"}[finish]
    message = {"role": "assistant", "content": None if finish == "blocked" else text}
    choice = {"index": 0, "finish_reason": reason, "message": message}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}


def _write_anthropic(model: str, text: str, finish: Finish) -> JsonObject:
    return {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [] if finish == "blocked" else [{"type": "text", "text": text}],
        "stop_reason": {"stop": "end_turn", "length": "max_tokens", "blocked": "refusal"}[finish],
        "stop_sequence": None,
    }


def _write_gemini(model: str, text: str, finish: Finish) -> JsonObject:
    candidate: JsonObject = {
        "index": 0,
        "finishReason": {"stop": "STOP", "length": "MAX_TOKENS", "blocked": "SAFETY"}[finish],
    }
    if finish != "blocked":
        candidate["content"] = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [candidate], "modelVersion": model, "responseId": "r1"}


_WRITERS: Final = {"openai": _write_openai, "anthropic": _write_anthropic, "gemini": _write_gemini}


def usage_counts(provider: Provider, prompt: int, output: int, cached: int) -> JsonObject:
    """Token counts as each provider divides them: only Anthropic leaves cached tokens out of its input."""
    if provider == "openai":
        counts: JsonObject = {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }
        return {"usage": counts}
    if provider == "anthropic":
        counts = {
            "input_tokens": prompt - cached,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": output,
        }
        return {"usage": counts}
    counts = {"promptTokenCount": prompt, "candidatesTokenCount": output, "totalTokenCount": prompt + output}
    return {"usageMetadata": counts | ({"cachedContentTokenCount": cached} if cached else {})}


def write_failure(
    provider: Provider,
    status: int,
    *,
    retry_after: str | None = None,
    code: str | None = None,
    message: str = "scripted failure",
) -> WireReply:
    """An error status with the provider's own error body.

    Args:
        provider: Whose format.
        status: HTTP status; 401 is a wrong key, for which Gemini says 400 with a reason of its own.
        retry_after: The ``Retry-After`` header: seconds or an HTTP date.
        code: OpenAI's error code, such as ``insufficient_quota``.
        message: The provider's text.
    """
    kind = _ERROR_KINDS.get(status, _ERROR_KINDS[500])[PROVIDERS.index(provider)]
    headers = {} if retry_after is None else {"retry-after": retry_after}
    if provider == "openai":
        body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
        return json_reply(body, status=status, headers=headers)
    if provider == "anthropic":
        error = {"type": kind, "message": message}
        return json_reply(
            {"type": "error", "error": error, "request_id": "req_anthropic"}, status=status, headers=headers
        )
    return _gemini_failure(status, kind, message, headers)


def _gemini_failure(status: int, kind: str, message: str, headers: Mapping[str, str]) -> WireReply:
    wrong_key = status == _UNAUTHORIZED
    answered = 400 if wrong_key else status
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}] if wrong_key else []
    error = {"code": answered, "message": message, "status": kind, "details": details}
    return json_reply({"error": error}, status=answered, headers=headers)


# Per status, each provider's own word for it, in the order of PROVIDERS.
_ERROR_KINDS: Final = {
    400: ("invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"),
    401: ("invalid_request_error", "authentication_error", "INVALID_ARGUMENT"),
    403: ("invalid_request_error", "permission_error", "PERMISSION_DENIED"),
    404: ("invalid_request_error", "not_found_error", "NOT_FOUND"),
    429: ("rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED"),
    500: ("server_error", "api_error", "INTERNAL"),
    503: ("server_error", "api_error", "UNAVAILABLE"),
    504: ("server_error", "timeout_error", "DEADLINE_EXCEEDED"),
    529: ("server_error", "overloaded_error", "UNAVAILABLE"),
}


def json_reply(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> WireReply:
    """Any JSON body."""
    return WireReply(
        status=status, body=json.dumps(body).encode(), headers={"content-type": "application/json", **(headers or {})}
    )
