"""From LiteLLM's stream to pieces of text and a `ModelReply`.

LiteLLM hides how a stream ended: where the provider gave no reason it says
"stop", where it gave no token counts it guesses some, lines that are no JSON it
passes over, and it does not close the connection of a stream that is left. So the
end is read from what came over the wire, and the response is kept to be closed.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ai_addons.errors import ProviderUnavailable
from ai_addons.llm.base import ModelFailure, ModelReply, Verdict
from ai_addons.llm.replies import read_field, read_reply

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

    from ai_addons.llm.base import Finish

_DATA: Final = "data:"
"""A line of an event's content (WHATWG HTML, server-sent events)."""


@dataclass(slots=True)
class Incoming:
    """One stream of LiteLLM's while it is read.

    Attributes:
        route: The route that was asked.
        wrapper: LiteLLM's ``CustomStreamWrapper``, once there is one.
        response: The HTTP response behind it, where our own client opened it.
        texts: The pieces so far.
        last: The last chunk.
        refused: Whether a chunk said that the model declined.
        ended: Whether the provider said that the answer ended.
    """

    route: str
    wrapper: Any = None
    response: Any = None
    texts: list[str] = field(default_factory=list[str], repr=False)
    last: Any = field(default=None, repr=False)
    refused: bool = False
    ended: bool = False

    def take(self, chunk: object) -> str:
        """Read the next chunk; its text may be empty."""
        self.last = chunk
        choice = next(iter(read_field(chunk, "choices") or ()), None)
        delta = read_field(choice, "delta")
        extra = read_field(delta, "provider_specific_fields")
        self.refused = self.refused or bool(read_field(delta, "refusal") or read_field(extra, "refusal"))
        text = read_field(delta, "content")
        if not isinstance(text, str):
            return ""
        self.texts.append(text)
        return text

    def reply(self) -> ModelReply:
        """The whole reply, once there are no more chunks.

        Raises:
            ModelFailure: If the provider did not say that it had ended.
        """
        chunks: list[Any] = list(read_field(self.wrapper, "chunks") or ())
        received = read_field(self.wrapper, "received_finish_reason")
        reason = received or read_field(self.wrapper, "intermittent_finish_reason")
        if not self.ended and (received is None or self.response is not None):
            raise ModelFailure(ProviderUnavailable(), Verdict.MAYBE_BILLED, retry=True)
        whole = read_reply(self.route, _Whole(self.last, self.wrapper))
        counted = [usage for chunk in chunks if (usage := read_field(chunk, "usage")) is not None]
        # Where no chunk held counts, or the last ones no output, LiteLLM guesses or repeats old ones.
        known = bool(counted) and bool(read_field(counted[-1], "completion_tokens"))
        return replace(
            whole,
            text="".join(self.texts) or None,
            finish=self._finish(str(reason)),
            usage=whole.usage if known else None,
        )

    def keep(self, post: Callable[..., Any], seconds: float) -> Callable[..., Any]:
        """LiteLLM's ``post`` with our time limit, which it forgets for Gemini; its response is kept."""

        def kept(*args: object, **options: Any) -> Any:  # noqa: ANN401  # LiteLLM's own signature
            response = self.response = post(*args, **options | {"timeout": seconds})
            lines = response.iter_lines
            response.iter_lines = lambda: map(self._seen, lines())
            return response

        return kept

    def keep_async(
        self, post: Callable[..., Coroutine[Any, Any, Any]], seconds: float
    ) -> Callable[..., Coroutine[Any, Any, Any]]:
        """The same for its async client."""

        async def kept(*args: object, **options: Any) -> Any:  # noqa: ANN401  # LiteLLM's own signature
            response = self.response = await post(*args, **options | {"timeout": seconds})
            lines = response.aiter_lines

            async def seen() -> AsyncGenerator[str, None]:
                async for line in lines():
                    yield self._seen(line)

            response.aiter_lines = seen
            return response

        return kept

    def close(self) -> None:
        """Let go of the connection, whatever state it is in."""
        for holder in (read_field(self.wrapper, "completion_stream"), self.response):
            close = read_field(holder, "close")
            if close is not None:
                with suppress(Exception):
                    close()

    async def aclose(self) -> None:
        """The same for an async stream."""
        stream = read_field(self.wrapper, "completion_stream")
        for close in (read_field(stream, "close"), read_field(self.response, "aclose")):
            if close is not None:
                with suppress(Exception):
                    await close()

    def _seen(self, line: str) -> str:
        """A line as it came over the wire.

        Raises:
            ValueError: If it is data, and no JSON.
        """
        if line.startswith(_DATA):
            event = json.loads(line.removeprefix(_DATA))
            self.ended = self.ended or _ends(event)
        return line

    def _finish(self, reason: str) -> Finish:
        if self.refused or reason == "content_filter":
            return "blocked"
        return "length" if reason == "length" else "stop"


class _Whole:
    """The last chunk, as `read_reply` reads a response: the headers are the wrapper's."""

    def __init__(self, chunk: object, wrapper: object) -> None:
        self.model: object = read_field(chunk, "model")
        self.id: object = read_field(chunk, "id")
        self.usage: object = read_field(chunk, "usage")
        self.service_tier: object = read_field(chunk, "service_tier")
        self._hidden_params: object = read_field(wrapper, "_hidden_params")


def _ends(event: object) -> bool:
    """Whether an event of Anthropic's or Gemini's says that the answer is over, or refused from the start."""
    candidate = next(iter(read_field(event, "candidates") or ()), None)
    blocked = read_field(read_field(event, "promptFeedback"), "blockReason")
    stopped = read_field(read_field(event, "delta"), "stop_reason")
    return bool(stopped or read_field(candidate, "finishReason") or blocked)
