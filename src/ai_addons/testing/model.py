"""`FakeLlm`: a model that answers what a test tells it to, and valid inventions otherwise."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import defaultdict, deque
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from pydantic_core import to_jsonable_python

from ai_addons.errors import ProviderUnavailable
from ai_addons.llm.base import Finish, ModelFailure, ModelReply, ModelRequest, Usage, Verdict
from ai_addons.llm.listening import apieces, pieces
from ai_addons.llm.offline import fabricated
from ai_addons.testing.payer import key
from ai_addons.testing.pieces import Hang, Pieces, late, reply_to, whole
from ai_addons.testing.sent import ModelCall, call_of, check_masked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence

    from ai_addons.errors import AddOnsError
    from ai_addons.llm.base import Llm
    from ai_addons.testing.fakes import ManualClock

__all__ = ["FakeLlm", "ModelCall"]

_USAGE: Final = Usage(input=100, output=50)
_ANY: Final = ""


class FakeLlm:
    """A scripted model, for the fixture ``ai_llm``.

    Answers are queued per feature and given in order; the last one is repeated.
    With nothing queued it asks the model behind it, if there is one, and else
    invents an answer that fits the feature's type.

    Args:
        clock: What slow answers pass time on; without it `slow` and `time_out` are refused.
        behind: Answers what is not scripted: a recording, or a real model.

    Attributes:
        calls: Every request so far, in order.
    """

    def __init__(self, clock: ManualClock | None = None, behind: Llm | None = None) -> None:
        self._clock = clock
        self._behind = behind
        self._lock = threading.Lock()
        self._unused: list[str] = []
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
        self._script(feature, lambda request: reply_to(request, _text(request, value), "stop", usage))

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
        self._script(feature, lambda request: reply_to(request, text, finish, _USAGE))

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

    def slow(self, feature: object, seconds: float, value: object) -> None:
        """Answer a feature's next call with a value, after a while; nobody really waits.

        Args:
            feature: The decorated function, its key, or ``""`` for any feature.
            seconds: How long it takes on the test's clock; beyond what the attempt may take, it times out.
            value: A value of the answer type, or its JSON form.
        """
        clock = self._steered("slow")

        def slowly(request: ModelRequest) -> ModelReply:
            clock.advance(min(seconds, request.timeout))
            if seconds > request.timeout:
                raise late()
            return reply_to(request, _text(request, value), "stop", _USAGE)

        self._script(feature, slowly)

    def time_out(self, feature: object) -> None:
        """Give no answer to a feature's next call in time: the clock jumps to the end of the attempt."""
        clock = self._steered("time_out")

        def slowly(request: ModelRequest) -> ModelReply:
            clock.advance(request.timeout)
            raise late()

        self._script(feature, slowly)

    def before_answer(self, action: Callable[[], object]) -> None:
        """Do something each time just before the model answers (let time pass, cancel, take credits away)."""
        self._before = action

    def before_piece(self, action: Callable[[], object]) -> None:
        """Do something each time just before a piece of a stream, or its end, is given."""
        self._before_piece = action

    def hang(self, feature: object) -> None:
        """Never answer a feature's next call; it really waits until its deadline, a cancel, or `release`.

        For a deadline alone take `time_out`, which waits for nothing.
        """

        def hanging(request: ModelRequest) -> ModelReply:
            raise Hang(request.timeout)

        self._script(feature, hanging)

    def release(self) -> None:
        """Let calls that hang in a thread time out at once."""
        self._release.set()

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer, fail or hang, as scripted."""
        try:
            plan = self._next(request)
            return plan.end(request) if isinstance(plan, Pieces) else plan.complete(request)
        except Hang as hang:
            self._release.wait(hang.seconds)
            raise late() from None

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """The same for async features."""
        try:
            plan = self._next(request)
            return plan.end(request) if isinstance(plan, Pieces) else await plan.acomplete(request)
        except Hang as hang:
            await asyncio.sleep(hang.seconds)
            raise late() from None

    def stream(self, request: ModelRequest) -> Generator[str | ModelReply, None, None]:
        """Answer in pieces: those that were planned, else word by word."""
        try:
            plan = self._next(request)
            yield from self._items(plan, request) if isinstance(plan, Pieces) else pieces(plan, request)
        except Hang as hang:
            self._release.wait(hang.seconds)
            raise late() from None

    async def astream(self, request: ModelRequest) -> AsyncGenerator[str | ModelReply, None]:
        """The same for async features."""
        try:
            plan = self._next(request)
            if isinstance(plan, Pieces):
                for item in self._items(plan, request):
                    yield item
                return
        except Hang as hang:
            await asyncio.sleep(hang.seconds)
            raise late() from None
        async with aclosing(apieces(plan, request)) as items:
            async for item in items:
                yield item

    def _items(self, plan: Pieces, request: ModelRequest) -> Iterator[str | ModelReply]:
        for piece in plan.pieces:
            self._before_piece()
            yield piece
        self._before_piece()
        yield plan.end(request)

    def assert_asked(self, feature: object, times: int = 1) -> None:
        """Check how often a feature asked a model, repairs and retries included; 0 for never.

        Raises:
            AssertionError: With every request there was.
        """
        asked = [call for call in self.calls if call.feature == key(feature)]
        if len(asked) != times:
            all_ = ", ".join(call.feature for call in self.calls) or "none at all"
            faults = [fault for call in asked for fault in call.faults]
            why = f" A repair was asked for: {'; '.join(faults)}." if faults else ""
            msg = f"{key(feature)} asked a model {len(asked)} times, not {times}. Requests: {all_}.{why}"
            raise AssertionError(msg)

    def assert_masked(self, *values: str) -> None:
        """Check that none of these values was sent to a model, in any request so far.

        Args:
            *values: Names, telephone numbers and the like, as the shop knows them.

        Raises:
            AssertionError: With the value, the request and the text around it; also
                if there was no request.
        """
        check_masked(self.calls, values)

    def assert_all_used(self) -> None:
        """Check that every scripted answer was asked for at least once.

        Raises:
            AssertionError: Naming the features that have answers left.
        """
        if self._unused:
            left = ", ".join(name or "any feature" for name in dict.fromkeys(self._unused))
            msg = f"{len(self._unused)} scripted answers were never asked for: {left}. Is the key right?"
            raise AssertionError(msg)

    def _steered(self, method: str) -> ManualClock:
        if self._clock is None:
            msg = f"{method} passes time on a clock: make FakeLlm(clock), or use the fixture ai_llm"
            raise ValueError(msg)
        return self._clock

    def _script(self, feature: object, answer: Callable[[ModelRequest], ModelReply | Pieces]) -> None:
        with self._lock:
            self._scripts[key(feature)].append(answer)
            self._unused.append(key(feature))

    def _next(self, request: ModelRequest) -> Pieces | Llm:
        """Note a request, and find what is scripted for it, or who answers what is not."""
        with self._lock:
            self.calls.append(call_of(request))
            name = request.feature if self._scripts.get(request.feature) else _ANY
            script = self._scripts.get(name)
            answer = None if not script else script.popleft() if len(script) > 1 else script[0]
            if name in self._unused and answer is not None:
                self._unused.remove(name)
        self._before()
        if answer is None:
            return self._behind or whole(reply_to(request, fabricated(request), "stop", _USAGE))
        told = answer(request)
        return told if isinstance(told, Pieces) else whole(told)


def _nothing() -> None:
    """What is done before an answer where nothing was planned."""


def _text(request: ModelRequest, value: object) -> str:
    """A value as the model would write it: JSON with an object at its root, or plain text."""
    plain = to_jsonable_python(value)
    if request.schema is None:
        return str(plain)
    wrapped = list(request.schema["properties"]) == ["value"] and not (isinstance(plain, dict) and "value" in plain)
    return json.dumps({"value": plain} if wrapped else plain)
