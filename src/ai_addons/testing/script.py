"""What a fake provider says, in which order, and what it was asked."""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ai_addons.testing.sse import error_event, write_stream
from ai_addons.testing.wire import WireReply, json_reply, provider_of, read_call, write_answer, write_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_addons.testing.wire import Provider, WireCall

Content: TypeAlias = "str | Mapping[str, object] | Sequence[object] | Callable[[WireCall], Content]"
"""An answer: its text, what becomes its JSON text, or a function that makes either from the request."""

Break: TypeAlias = Literal["drop", "hang"]
"""No answer: the connection closes before a byte, or nothing ever comes."""

StreamBreak: TypeAlias = Literal["cut", "drop", "hang", "error", "garbage"]
"""How a stream breaks off."""


@dataclass(frozen=True, slots=True)
class Act:
    """How one request is met.

    Attributes:
        outcome: The answer, or the way there is none.
        delay: Seconds before it.
        drip: Seconds between the pieces of the body; 0 sends it whole.
        cut: Whether the connection closes in the middle of the body.
        end: What happens after the last event of a stream that is not whole.
    """

    outcome: WireReply | Break
    delay: float = 0.0
    drip: float = 0.0
    cut: bool = False
    end: Break | None = None


@dataclass(slots=True)
class _Planned:
    act: Callable[[WireCall], Act]
    times: int


class Script:
    """Planned answers per provider, used up in order; the last one repeats.

    Each planned answer stands for ``times`` requests. A request to a provider
    with nothing planned is answered 400 and noted in ``unplanned``.

    Attributes:
        calls: Every request so far, in order of arrival.
        unplanned: Those of them for which nothing was planned.
    """

    def __init__(self) -> None:
        self.calls: list[WireCall] = []
        self.unplanned: list[WireCall] = []
        self._lock = threading.Lock()
        self._plans: dict[Provider, deque[_Planned]] = defaultdict(deque)

    def answer(
        self,
        provider: Provider,
        content: Content,
        *,
        usage: tuple[int, int] = (100, 50),
        cached: int = 0,
        model: str | None = None,
        times: int = 1,
        delay: float = 0.0,
        drip: float = 0.0,
    ) -> None:
        """Answer well; a request for a stream gets one, word by word.

        Args:
            provider: Who answers.
            content: The answer's text, or what becomes its JSON text.
            usage: Prompt tokens, cached ones included, and output tokens.
            cached: How many prompt tokens came from the provider's cache.
            model: Answer under another model's name.
            times: For how many requests.
            delay: Seconds before the answer (loopback only).
            drip: Seconds between the pieces of the body (loopback only).
        """
        self._plan(
            provider,
            lambda call: Act(
                _written(call)(call, _text(content, call), usage=usage, model=model, cached=cached), delay, drip
            ),
            times,
        )

    def break_off(
        self,
        provider: Provider,
        pieces: Sequence[str],
        *,
        after: int,
        how: StreamBreak = "cut",
        drip: float = 0.0,
        times: int = 1,
    ) -> None:
        """Answer with a stream that breaks off.

        Args:
            provider: Who answers.
            pieces: The pieces of the answer.
            after: How many of them are sent.
            how: ``"cut"`` ends the body as if it were whole, ``"drop"`` closes the connection, ``"hang"`` sends
                nothing more (the last two for real on the loopback only), ``"error"`` sends the provider's own error
                event, ``"garbage"`` a line that is no JSON.
            drip: Seconds between two pieces (loopback only).
            times: For how many requests.
        """

        def broken(call: WireCall) -> Act:
            then = {"error": error_event(provider), "garbage": b"data: {{no json\n\n"}.get(how, b"")
            reply = write_stream(call, pieces, cut_after=after, then=then)
            return Act(reply, drip=drip, end=how if how in ("drop", "hang") else None)

        self._plan(provider, broken, times)

    def missing_usage(self, provider: Provider, content: Content, *, times: int = 1) -> None:
        """Answer well, without token counts."""
        self._plan(provider, lambda call: Act(_written(call)(call, _text(content, call), usage=None)), times)

    def truncate(self, provider: Provider, content: Content, *, times: int = 1) -> None:
        """Answer with the first half of the text and the reason ``length``."""

        def half(call: WireCall) -> Act:
            text = _text(content, call)
            return Act(_written(call)(call, text[: len(text) // 2], finish="length"))

        self._plan(provider, half, times)

    def refuse(self, provider: Provider, *, times: int = 1) -> None:
        """Decline in the provider's way: no text, and a reason that names a filter."""
        self._plan(provider, lambda call: Act(_written(call)(call, "", finish="blocked")), times)

    def fail(
        self,
        provider: Provider,
        status: int,
        *,
        retry_after: float | str | None = None,
        code: str | None = None,
        message: str = "scripted failure",
        times: int = 1,
    ) -> None:
        """Answer with an error status and the provider's own error body.

        Args:
            provider: Who fails.
            status: HTTP status; 401 stands for a wrong key also where the provider says 400.
            retry_after: Seconds, or an HTTP date.
            code: OpenAI's error code, such as ``insufficient_quota``.
            message: The provider's text.
            times: For how many requests.
        """
        after = None if retry_after is None else str(retry_after)
        failure = write_failure(provider, status, retry_after=after, code=code, message=message)
        self.reply(provider, failure, times=times)

    def reply(self, provider: Provider, reply: WireReply, *, times: int = 1) -> None:
        """Answer with exactly this, whatever the request."""
        self._plan(provider, lambda _call: Act(reply), times)

    def html(self, provider: Provider, *, times: int = 1) -> None:
        """Answer 200 with a web page, as a captive portal does."""
        page = WireReply(status=200, body=b"<html><body>Sign in</body></html>", headers={"content-type": "text/html"})
        self.reply(provider, page, times=times)

    def empty(self, provider: Provider, *, times: int = 1) -> None:
        """Answer 200 with ``{}``."""
        self.reply(provider, json_reply({}), times=times)

    def broken_json(self, provider: Provider, *, times: int = 1) -> None:
        """Answer 200 with the first half of a body."""

        def half(call: WireCall) -> Act:
            whole = write_answer(call, "cut off")
            return Act(WireReply(status=200, body=whole.body[: len(whole.body) // 2], headers=whole.headers))

        self._plan(provider, half, times)

    def drop(self, provider: Provider, *, times: int = 1) -> None:
        """Close the connection before a byte of the answer."""
        self._plan(provider, lambda _call: Act("drop"), times)

    def cut(self, provider: Provider, content: Content = "cut off", *, times: int = 1) -> None:
        """Begin to answer well, and close the connection in the middle of the body."""
        self._plan(provider, lambda call: Act(write_answer(call, _text(content, call)), cut=True), times)

    def hang(self, provider: Provider, *, times: int = 1) -> None:
        """Take the request and never answer; routes raise the read timeout at once."""
        self._plan(provider, lambda _call: Act("hang"), times)

    def receive(self, path: str, headers: Mapping[str, str], body: bytes) -> Act:
        """Note a request and say how it is met; for the transports, not for tests."""
        provider = provider_of(path)
        if provider is None:
            return Act(json_reply({"error": {"message": f"no provider answers at {path}"}}, status=404))
        try:
            call = read_call(provider, path, headers, body)
        except ValueError as error:
            return Act(write_failure(provider, 400, message=str(error)))
        return self._meet(call)

    def _meet(self, call: WireCall) -> Act:
        with self._lock:
            self.calls.append(call)
            planned = self._next(call)
        if planned is None:
            message = f"nothing is planned for {call.provider}: call answer({call.provider!r}, …) first"
            return Act(write_failure(call.provider, 400, message=message))
        return planned.act(call)

    def _plan(self, provider: Provider, act: Callable[[WireCall], Act], times: int) -> None:
        with self._lock:
            self._plans[provider].append(_Planned(act, times))

    def _next(self, call: WireCall) -> _Planned | None:
        plan = self._plans[call.provider]
        if not plan:
            self.unplanned.append(call)
            return None
        # A used-up answer goes on repeating until something is planned after it.
        while len(plan) > 1 and plan[0].times <= 0:
            plan.popleft()
        plan[0].times -= 1
        return plan[0]


def _written(call: WireCall) -> Callable[..., WireReply]:
    """What writes the answer as it was asked for: whole, or as a stream."""
    return write_stream if call.streams else write_answer


def _text(content: Content, call: WireCall) -> str:
    made = content(call) if callable(content) else content
    if callable(made):
        return _text(made, call)
    return made if isinstance(made, str) else json.dumps(made, ensure_ascii=False)
