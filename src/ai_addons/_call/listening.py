"""One answer read aloud while a model writes it: restored piece by piece, and stopped where it must not go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ai_addons._call.account import code_of
from ai_addons._call.steps import HangUp, Hear, OpenAnswer, Show
from ai_addons.errors import BadOutput
from ai_addons.llm.base import Attempt, Exchange, ModelFailure, Verdict
from ai_addons.privacy.base import Unresolved

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from ai_addons._call.account import Account
    from ai_addons._call.progress import Progress
    from ai_addons._call.steps import Kit, Step
    from ai_addons.llm.base import ModelRequest
    from ai_addons.llm.listening import AsyncListener, Listener
    from ai_addons.privacy.base import AnswerStream

R = TypeVar("R")


class Reading(Generic[R]):
    """Reads one answer aloud.

    Args:
        kit: The call's parts.
        account: Its money.
        progress: What has happened so far.
        restorer: Puts personal data back into the pieces.
        note: Takes the attempts of an exchange that is interrupted.
    """

    def __init__(
        self,
        kit: Kit,
        account: Account[R],
        progress: Progress,
        restorer: AnswerStream,
        *,
        note: Callable[[Sequence[Attempt]], None],
    ) -> None:
        self._kit = kit
        self._account = account
        self._progress = progress
        self._restorer = restorer
        self._note = note
        self._trimmer = Trimmer()
        self._earlier: tuple[Attempt, ...] = ()
        self._ended: Exchange | None = None

    def exchange(self, request: ModelRequest, deadline: float) -> Generator[Step, Any, Exchange]:
        """Ask one model, and show what it says while it says it.

        Whatever interrupts it after the question was sent leaves an attempt of unknown cost behind.

        Returns:
            All attempts and the whole reply, or why there is none; once text came, no other model may be asked.
        """
        step, began = OpenAnswer(request, deadline), self._kit.clock.monotonic()
        try:
            opened: Listener | AsyncListener | Exchange = yield step
            if isinstance(opened, Exchange):
                return opened
            self._earlier = opened.earlier
            return (yield from self._read(opened, request, began))
        except BaseException as error:
            if step.started:
                self._note(self._attempts(request, began, code_of(error)))
            if self._progress.shown:
                # Nobody will accept the answer; whose words the reader saw stands on the receipt all the same.
                self._progress.model = request.model
            raise

    def _read(
        self, listener: Listener | AsyncListener, request: ModelRequest, began: float
    ) -> Generator[Step, Any, Exchange]:
        """Hear and show until it ends."""
        try:
            heard: str | Exchange = listener.first
            while isinstance(heard, str):
                yield from self._show(self._restorer.feed(self._trimmer.feed(heard)))
                yield from self._account.keep_alive()
                heard = yield Hear(listener)
            self._ended = heard
            if heard.reply is not None and heard.reply.finish == "stop":
                yield from self._show(self._restorer.finish())
        except Unresolved:
            failure = ModelFailure(BadOutput(), Verdict.MAYBE_BILLED, next_model=False)
            return Exchange(attempts=self._attempts(request, began, BadOutput.code), failure=failure)
        finally:
            yield HangUp(listener)
        return heard

    def _attempts(self, request: ModelRequest, began: float, code: str) -> tuple[Attempt, ...]:
        """All attempts; the last one cost what it said at its end, or nobody knows what."""
        if self._ended is not None:
            return self._ended.attempts
        return (*self._earlier, self._lost(request, began, code))

    def _show(self, piece: str) -> Generator[Step, Any, None]:
        if not piece:
            return
        step = Show(piece)
        try:
            yield step
        finally:
            self._progress.shown = self._progress.shown or step.handed

    def _lost(self, request: ModelRequest, began: float, code: str) -> Attempt:
        """An attempt whose end was not heard: what it cost is not known."""
        return Attempt(
            model=request.model,
            answered_by=None,
            usage=None,
            cost=None,
            latency_ms=round((self._kit.clock.monotonic() - began) * 1_000),
            error=code,
            started_at=self._account.moment(began),
        )


class Trimmer:
    """Leaves out the blanks before and after an answer, as they are left out of a whole one."""

    def __init__(self) -> None:
        self._begun = False
        self._blanks = ""

    def feed(self, piece: str) -> str:
        """What is known to stand inside the answer."""
        text = self._blanks + (piece if self._begun else piece.lstrip())
        inside = text.rstrip()
        self._begun = self._begun or bool(inside)
        self._blanks = text[len(inside) :]
        return inside
