"""`FakeLlm`: a model that answers what a test tells it to, and valid inventions otherwise."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import to_jsonable_python

from ai_addons.errors import ProviderTimeout, ProviderUnavailable
from ai_addons.llm.base import Finish, ModelFailure, ModelReply, ModelRequest, Usage, Verdict
from ai_addons.llm.offline import OfflineLlm, words

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence

    from ai_addons.errors import AddOnsError

_USAGE: Final = Usage(input=100, output=50)
_ANY: Final = ""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One request a feature made, as the model would have seen it.

    Attributes:
        feature: Key of the feature.
        model: Route asked.
        system: Instructions, masked.
        user: Question and facts, masked.
        request: All of it.
    """

    feature: str
    model: str
    system: str
    user: str
    request: ModelRequest


class Pieces:
    """An answer in pieces, as `FakeLlm.reply_pieces` plans it."""

    def __init__(self, pieces: Sequence[str], usage: Usage | None, finish: Finish) -> None:
        self.pieces: tuple[str, ...] = tuple(pieces)
        self._usage = usage
        self._finish: Finish = finish
        self._failure: ModelFailure | None = None
        self._hangs = False

    def break_after(
        self, count: int, error: AddOnsError | None = None, *, verdict: Verdict = Verdict.MAYBE_BILLED
    ) -> None:
        """Break off after so many pieces; what the caller sees is `ProviderUnavailable` unless an error is given."""
        self.pieces = self.pieces[:count]
        self._failure = ModelFailure(error or ProviderUnavailable(), verdict)

    def hang_after(self, count: int) -> None:
        """Say nothing more after so many pieces; it ends at its deadline, when cancelled, or with `FakeLlm.release`."""
        self.pieces = self.pieces[:count]
        self._hangs = True

    def end(self, request: ModelRequest) -> ModelReply:
        """The whole reply.

        Raises:
            ModelFailure: If it breaks off.
        """
        if self._hangs:
            raise _Hang(request.timeout)
        if self._failure is not None:
            raise self._failure
        return _reply(request, "".join(self.pieces), self._finish, self._usage)


class FakeLlm:
    """A scripted model, for the fixture ``ai_llm``.

    Answers are queued per feature and given in order; the last one is repeated.
    With nothing queued it invents an answer that fits the feature's type.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripts: dict[str, deque[Callable[[ModelRequest], ModelReply | Pieces]]] = defaultdict(deque)
        self._release = threading.Event()
        self._before: Callable[[], object] = _nothing
        self._before_piece: Callable[[], object] = _nothing
        self.calls: list[ModelCall] = []

    def reply(self, feature: object, value: object, *, usage: Usage | None = _USAGE) -> None:
        """Answer a feature's next call with a value.

        Args:
            feature: The decorated function, its key, or ``""`` for any feature.
            value: A value of the answer type, or its JSON form.
            usage: Tokens to report; None for a provider that reports none.
        """
        self._script(feature, lambda request: _reply(request, _text(request, value), "stop", usage))

    def reply_pieces(
        self, feature: object, pieces: Sequence[str], *, usage: Usage | None = _USAGE, finish: Finish = "stop"
    ) -> Pieces:
        """Answer a feature's next stream in just these pieces, or its next call with all of them.

        Returns:
            The plan, which may be made to break off: ``ai_llm.reply_pieces(blurb, ["Fresh", "bread"]).break_after(1)``.
        """
        plan = Pieces(pieces, usage, finish)
        self._script(feature, lambda _request: plan)
        return plan

    def reply_text(self, feature: object, text: str, *, finish: Finish = "stop") -> None:
        """Answer with raw text, however broken; ``finish`` may say it was cut off or refused."""
        self._script(feature, lambda request: _reply(request, text, finish, _USAGE))

    def fail(
        self,
        feature: object,
        error: AddOnsError | None = None,
        *,
        verdict: Verdict = Verdict.ANSWERED,
        retry: bool = False,
        next_model: bool = True,
    ) -> None:
        """Fail a feature's next call.

        Args:
            feature: The decorated function, its key, or ``""`` for any feature.
            error: What the caller sees; default `ProviderUnavailable`.
            verdict: Whether the provider may bill for it.
            retry: Whether the same model may be asked again.
            next_model: Whether the next model of the route may be asked.
        """

        def failing(_request: ModelRequest) -> ModelReply:
            raise ModelFailure(error or ProviderUnavailable(), verdict, retry=retry, next_model=next_model)

        self._script(feature, failing)

    def before_answer(self, action: Callable[[], object]) -> None:
        """Do something each time just before the model answers (let time pass, cancel, take credits away)."""
        self._before = action

    def before_piece(self, action: Callable[[], object]) -> None:
        """Do something each time just before a piece of a stream, or its end, is given."""
        self._before_piece = action

    def hang(self, feature: object) -> None:
        """Never answer a feature's next call; it ends at its deadline, when cancelled, or with `release`."""

        def hanging(request: ModelRequest) -> ModelReply:
            raise _Hang(request.timeout)

        self._script(feature, hanging)

    def release(self) -> None:
        """Let calls that hang in a thread time out at once."""
        self._release.set()

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer, fail or hang, as scripted."""
        try:
            return self._next(request).end(request)
        except _Hang as hang:
            self._release.wait(hang.seconds)
            raise _timeout() from None

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """The same for async features."""
        try:
            return self._next(request).end(request)
        except _Hang as hang:
            await asyncio.sleep(hang.seconds)
            raise _timeout() from None

    def stream(self, request: ModelRequest) -> Generator[str | ModelReply, None, None]:
        """Answer in pieces: those that were planned, else word by word."""
        try:
            yield from self._items(request)
        except _Hang as hang:
            self._release.wait(hang.seconds)
            raise _timeout() from None

    async def astream(self, request: ModelRequest) -> AsyncGenerator[str | ModelReply, None]:
        """The same for async features."""
        try:
            for item in self._items(request):
                yield item
        except _Hang as hang:
            await asyncio.sleep(hang.seconds)
            raise _timeout() from None

    def _items(self, request: ModelRequest) -> Iterator[str | ModelReply]:
        plan = self._next(request)
        for piece in plan.pieces:
            self._before_piece()
            yield piece
        self._before_piece()
        yield plan.end(request)

    def _script(self, feature: object, answer: Callable[[ModelRequest], ModelReply | Pieces]) -> None:
        with self._lock:
            self._scripts[_key(feature)].append(answer)

    def _next(self, request: ModelRequest) -> Pieces:
        with self._lock:
            system = "\n".join(message.content for message in request.messages if message.role == "system")
            user = next(message.content for message in request.messages if message.role == "user")
            self.calls.append(ModelCall(request.feature, request.model, system, user, request))
            script = self._scripts.get(request.feature) or self._scripts.get(_ANY)
            answer = None if not script else script.popleft() if len(script) > 1 else script[0]
        self._before()
        if answer is None:
            return _whole(_reply(request, OfflineLlm().complete(request).text or "", "stop", _USAGE))
        told = answer(request)
        return told if isinstance(told, Pieces) else _whole(told)


class _Hang(Exception):
    """Tells the caller's own side, sync or async, to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def _nothing() -> None:
    """What is done before an answer where nothing was planned."""


def _whole(reply: ModelReply) -> Pieces:
    """A reply as it is streamed: word by word."""
    return Pieces(words(reply.text or ""), reply.usage, reply.finish)


def _timeout() -> ModelFailure:
    return ModelFailure(ProviderTimeout(), Verdict.MAYBE_BILLED)


def _key(feature: object) -> str:
    return feature if isinstance(feature, str) else str(cast("Any", feature).spec.key)


def _reply(request: ModelRequest, text: str, finish: Finish, usage: Usage | None) -> ModelReply:
    return ModelReply(text=text, finish=finish, model=request.model.split("/", 1)[1], usage=usage, request_id="fake")


def _text(request: ModelRequest, value: object) -> str:
    """A value as the model would write it: JSON with an object at its root, or plain text."""
    plain = to_jsonable_python(value)
    if request.schema is None:
        return str(plain)
    wrapped = list(request.schema["properties"]) == ["value"] and not (isinstance(plain, dict) and "value" in plain)
    return json.dumps({"value": plain} if wrapped else plain)
