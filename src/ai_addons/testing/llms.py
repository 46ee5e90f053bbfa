"""The contract of a way to ask models; `ai_addons.testing.contracts` offers it."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import astuple, replace
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from ai_addons.errors import AddOnsError
from ai_addons.llm.base import Finish, Message, ModelFailure, ModelReply, ModelRequest, Usage, Verdict
from ai_addons.testing.require import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.llm.base import Llm

_PRIVATE: Final = "Nyonkopa-4711"
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"word": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
    "required": ["word", "count"],
    "additionalProperties": False,
}
_THREADS: Final = 8
_SHORT: Final = 0.5
_PATIENCE: Final = 10.0


class LlmContract:
    """What every way to ask models must keep; an `AssertionError` says in words what yours did wrong.

    Subclass it in a test module and say how to make yours, against a server of
    your own (`ai_addons.testing.loopback.Loopback`) or a fake::

        class TestMyLlm(LlmContract):
            def make(self):
                return MyLlm(address_of_a_server_that_answers)

            def make_failing(self):
                return MyLlm(address_where_nobody_listens)

    Attributes:
        model: The route that it is asked for.
    """

    model: str = "openai/gpt-6-luna"

    def make(self) -> Llm:
        """Yours, where a model answers: text, or JSON by the schema ``{word, count}``."""
        raise NotImplementedError

    def make_failing(self) -> Llm | None:
        """Yours, where no answer can be had; None if there always is one."""
        raise NotImplementedError

    def make_hanging(self) -> Llm | None:
        """Yours, where a model never answers; None if it never waits for anybody."""
        return None

    def test_it_answers_with_text(self) -> None:
        """A reply has words, an end that is known, a model's name, and counts that can be tokens."""
        for reply in self._both(self.make(), self._request()):
            _check_reply(reply)

    def test_it_answers_by_the_schema(self) -> None:
        """With a schema the text is a JSON object with its keys, as the model wrote it."""
        for reply in self._both(self.make(), self._request(schema=deepcopy(_SCHEMA))):
            _check_reply(reply)
            _check_object(reply.text or "")

    def test_it_leaves_the_request_alone(self) -> None:
        """The next model of the route is asked the very same."""
        request, same = (self._request(schema=deepcopy(_SCHEMA)) for _ in range(2))
        self._both(self.make(), request)
        require(request == same, "The request was changed; the next model would be asked something else.")

    def test_threads_share_it(self) -> None:
        """Many threads ask the same object at once, and each gets an answer."""
        llm = self.make()
        with ThreadPoolExecutor(_THREADS) as threads:
            for reply in threads.map(llm.complete, [self._request()] * _THREADS):
                _check_reply(reply)

    def test_loops_share_it(self) -> None:
        """Tasks of one event loop ask at once, and another loop may ask after it."""
        llm = self.make()

        async def ask() -> list[ModelReply]:
            return await asyncio.gather(*(llm.acomplete(self._request()) for _ in range(_THREADS)))

        for _ in range(2):
            for reply in asyncio.run(ask()):
                _check_reply(reply)

    def test_it_fails_as_model_failure(self) -> None:
        """Without an answer it raises `ModelFailure`, with an error of ours and whether it may be billed."""
        llm = self.make_failing()
        for error in () if llm is None else self._failures(llm):
            known = isinstance(error, ModelFailure)
            require(known, f"It raised {type(error).__name__}, not ModelFailure: the call could not go on.")
            _check_failure(cast("ModelFailure", error))

    def test_a_failure_quotes_nothing(self) -> None:
        """Prompts are personal: neither the failure nor its error repeats them."""
        llm = self.make_failing()
        for error in () if llm is None else self._failures(llm):
            shown = f"{error!r} {error} {getattr(error, 'error', '')!s} {getattr(error, 'error', '')!r}"
            require(_PRIVATE not in shown, "The failure quotes the prompt; it goes to logs and to callers.")

    def test_a_wait_ends_in_time(self) -> None:
        """An async attempt ends within its ``timeout``, as `ModelFailure`."""
        llm = self.make_hanging()
        if llm is None:
            return
        request = self._request(timeout=_SHORT)
        try:
            asyncio.run(asyncio.wait_for(llm.acomplete(request), _PATIENCE))
        except ModelFailure as failure:
            _check_failure(failure)
        except TimeoutError:
            msg = f"An attempt with {_SHORT} seconds was still waiting after {_PATIENCE}."
            raise AssertionError(msg) from None
        else:
            require(holds=False, otherwise="It answered, though no model did.")

    def test_it_can_be_cancelled(self) -> None:
        """A caller that goes away ends the attempt at once, and the cancellation passes through."""
        llm = self.make_hanging()
        if llm is not None:
            ended = asyncio.run(_cancelled(llm, self._request(timeout=_PATIENCE)))
            require(ended, "A cancelled attempt did not end as cancelled: the caller would wait for its deadline.")

    def _request(self, *, schema: dict[str, Any] | None = None, timeout: float = 5.0) -> ModelRequest:
        messages = (Message("system", "Be brief."), Message("user", f"Say a word about {_PRIVATE}."))
        return ModelRequest(
            model=self.model, messages=messages, max_tokens=300, schema=schema, timeout=timeout, feature="contract"
        )

    def _both(self, llm: Llm, request: ModelRequest) -> tuple[ModelReply, ModelReply]:
        """The reply of the sync and of the async way."""
        return llm.complete(request), _in_a_loop(llm)(request)

    def _failures(self, llm: Llm) -> list[Exception]:
        """How the sync and the async way fail."""
        return [_failure(llm.complete, self._request()), _failure(_in_a_loop(llm), self._request())]


def _in_a_loop(llm: Llm) -> Callable[[ModelRequest], ModelReply]:
    """The async way, for a sync caller."""
    return lambda request: asyncio.run(llm.acomplete(request))


def _failure(way: Callable[[ModelRequest], ModelReply], request: ModelRequest) -> Exception:
    try:
        way(request)
    except Exception as error:  # noqa: BLE001  # any other kind is what this looks for
        return error
    msg = "It answered where no answer can be had: `make_failing` must give one that cannot."
    raise AssertionError(msg)


async def _cancelled(llm: Llm, request: ModelRequest) -> bool:
    """Whether an attempt that is cancelled while it waits ends, as cancelled, well before its timeout."""
    task = asyncio.ensure_future(llm.acomplete(replace(request, timeout=_PATIENCE)))
    await asyncio.sleep(_SHORT / 2)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=_PATIENCE / 2)
    return bool(done) and task.cancelled()


def _check_reply(reply: ModelReply) -> None:
    require(bool(reply.text), "The reply has no text, though the model answered.")
    ends = get_args(Finish)
    require(reply.finish in ends, f"`finish` is {reply.finish!r}, not one of {', '.join(ends)}.")
    require(bool(reply.model), "The reply does not say which model answered.")
    usage = reply.usage
    counts = astuple(usage) if isinstance(usage, Usage) else ()
    sound = usage is None or (bool(counts) and all(type(count) is int and count >= 0 for count in counts))
    require(sound, f"`usage` is {usage!r}: give a Usage of whole numbers, or None where the provider gives none.")


def _check_object(text: str) -> None:
    try:
        answer: object = json.loads(text)
    except ValueError:
        answer = None
    fits = isinstance(answer, dict) and set(answer) == set(_SCHEMA["properties"])  # pyright: ignore[reportUnknownArgumentType]  # JSON
    require(fits, "The answer is not the JSON object that the schema asks for: is the schema sent?")


def _check_failure(failure: ModelFailure) -> None:
    error, verdict = cast("object", failure.error), cast("object", failure.verdict)
    ours = isinstance(error, AddOnsError)
    require(ours, f"`error` is {type(error).__name__}, not an AddOnsError that a caller could be shown.")
    require(isinstance(verdict, Verdict), "`verdict` does not say whether the provider may bill for it.")
