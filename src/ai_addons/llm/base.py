"""The port to a model: one attempt in, one reply or one failure out.

An adapter makes exactly one HTTP request per call and never retries, prices,
caches or parses: `retry`, `costs` and the call itself do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping

    from ai_addons.errors import AddOnsError
    from ai_addons.money import PicoUsd
    from ai_addons.settings import Thinking

Role: TypeAlias = Literal["system", "user", "assistant"]
Finish: TypeAlias = Literal["stop", "length", "blocked"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation, masked; it prints without its words."""

    role: Role
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One attempt at one model.

    Attributes:
        model: Route with its provider, e.g. ``openai/gpt-6-luna``.
        messages: Masked turns.
        max_tokens: Output cap, always sent.
        thinking: How much the model thinks before it answers.
        schema: Strict JSON schema with an object root, or None for plain text.
        timeout: Seconds this attempt may take.
        sample: What the offline model should answer, masked.
        feature: Key of the feature that asks.
    """

    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    schema: Mapping[str, Any] | None
    timeout: float
    sample: str | None = field(default=None, repr=False)
    feature: str = ""
    thinking: Thinking = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens in exclusive pools: a cached token is not also counted as input."""

    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Sum two attempts."""
        return Usage(
            input=self.input + other.input,
            cached=self.cached + other.cached,
            cache_write=self.cache_write + other.cache_write,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """What a model answered.

    Attributes:
        text: The answer, or None when there is none.
        finish: Whether it ended by itself, was cut off, or was refused.
        model: The model that says it answered, as the provider names it.
        usage: Token counts, or None when the provider gave none that add up.
        request_id: The provider's id, for reconciliation.
        tier: The served price tier, None where the provider names none.
    """

    text: str | None = field(repr=False)
    finish: Finish
    model: str
    usage: Usage | None
    request_id: str | None = None
    tier: str | None = None


class Verdict(Enum):
    """Whether the provider may bill us for an attempt that failed."""

    NEVER_SENT = "never_sent"
    ANSWERED = "answered"
    MAYBE_BILLED = "maybe_billed"


class ModelFailure(Exception):
    """One attempt failed; raised by adapters only, never seen by a host.

    Attributes:
        error: The error a caller would see.
        verdict: Whether it may have cost us something.
        retry: Whether the same model may be asked again.
        next_model: Whether another model of the route may do better.
        retry_after: Seconds the provider asked to wait, if it did.
        alert: A stable code for the operator where only they can mend it.
    """

    def __init__(
        self,
        error: AddOnsError,
        verdict: Verdict,
        *,
        retry: bool = False,
        next_model: bool = True,
        retry_after: float | None = None,
        alert: str | None = None,
    ) -> None:
        super().__init__(error.code)
        self.error = error
        self.verdict = verdict
        self.retry = retry
        self.next_model = next_model
        self.retry_after = retry_after
        self.alert = alert


class Llm(Protocol):
    """A way to ask models (`ai_addons.llms` entry points)."""

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, blocking.

        Raises:
            ModelFailure: If there is no reply.
        """
        ...

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """Ask once; ends within ``request.timeout`` seconds and when cancelled.

        Raises:
            ModelFailure: If there is no reply.
        """
        ...


@runtime_checkable
class StreamingLlm(Llm, Protocol):
    """An `Llm` that can give an answer while it is written; one that cannot gives it in one piece."""

    def stream(self, request: ModelRequest) -> Generator[str | ModelReply, None, None]:
        """Ask once: the text in pieces, and the whole reply as the last item.

        ``request.timeout`` counts for each wait. Closing the generator ends the
        request and lets go of its connection.

        Raises:
            ModelFailure: If it breaks off, or never begins.
        """
        ...

    def astream(self, request: ModelRequest) -> AsyncGenerator[str | ModelReply, None]:
        """The same for async features; it ends when cancelled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request to one model, for the receipt and the books.

    Attributes:
        model: The route asked.
        answered_by: The model that says it answered.
        usage: Token pools, None if unknown.
        cost: Provider cost; 0 only if nothing can have been billed, None if unknown.
        latency_ms: Milliseconds the attempt took.
        started_at: When it began, UTC microseconds.
        error: Code of the error, None for an answer.
        request_id: The provider's id.
        folded: How many calls the request carried; tokens and cost are this call's share.
    """

    model: str
    answered_by: str | None
    usage: Usage | None
    cost: PicoUsd | None
    latency_ms: int
    started_at: int
    error: str | None = None
    request_id: str | None = None
    folded: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """All attempts at one model, retries included, and how they ended.

    Attributes:
        attempts: In order; empty only where the model was left alone (`breaker`).
        reply: The answer, or None.
        failure: Why there is none, or None.
    """

    attempts: tuple[Attempt, ...]
    reply: ModelReply | None = None
    failure: ModelFailure | None = None


class Asker(Protocol):
    """Asks one model with retries, within a deadline; `retry.ModelCaller` is the one there is."""

    def ask(self, request: ModelRequest, deadline: float) -> Exchange:
        """Ask until answered, out of attempts or at the deadline (monotonic seconds)."""
        ...

    async def aask(self, request: ModelRequest, deadline: float) -> Exchange:
        """The same without blocking the event loop."""
        ...
