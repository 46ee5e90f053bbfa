"""A scripted answer in pieces, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.errors import ProviderTimeout, ProviderUnavailable
from ai_addons.llm.base import ModelFailure, ModelReply, Verdict
from ai_addons.llm.offline import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.errors import AddOnsError
    from ai_addons.llm.base import Finish, ModelRequest, Usage


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
            raise Hang(request.timeout)
        if self._failure is not None:
            raise self._failure
        return reply_to(request, "".join(self.pieces), self._finish, self._usage)


class Hang(Exception):
    """Tells the caller's own side, sync or async, to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def whole(reply: ModelReply) -> Pieces:
    """A reply as it is streamed: word by word."""
    return Pieces(words(reply.text or ""), reply.usage, reply.finish)


def late() -> ModelFailure:
    """No answer in time."""
    return ModelFailure(ProviderTimeout(), Verdict.MAYBE_BILLED)


def reply_to(request: ModelRequest, text: str, finish: Finish, usage: Usage | None) -> ModelReply:
    """What a model answers a request with."""
    return ModelReply(text=text, finish=finish, model=request.model.split("/", 1)[1], usage=usage, request_id="fake")
