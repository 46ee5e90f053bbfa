"""A model for the first run: no key, no network, no cost, the same answer every time.

It gives the feature's own sample where there is one, else an answer made from
the schema, with the facts of the prompt where they fit. Every receipt names the
route ``offline/sample`` and the source ``offline``, and nothing it said is ever
given for a real model's answer.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from ai_addons.clock import SystemClock
from ai_addons.errors import ProviderTimeout
from ai_addons.llm.base import ModelFailure, ModelReply, Usage, Verdict
from ai_addons.llm.fabricate import Fabricator
from ai_addons.llm.facts import facts_of
from ai_addons.llm.samples import answer_text, draw_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator

    from ai_addons.clock import Clock
    from ai_addons.llm.base import ModelRequest
    from ai_addons.settings import OfflineSettings

OFFLINE_MODEL: Final = "offline/sample"
"""The one offline route."""

_WORD: Final = re.compile(r"\s*\S+|\s+$")


class OfflineLlm:
    """Answers without a provider (the `Llm` port, routes ``offline/…``).

    Args:
        settings: Seed and latency; None for 0 and none.
        clock: What the latency passes on.
    """

    def __init__(self, settings: OfflineSettings | None = None, clock: Clock | None = None) -> None:
        self._seed = 0 if settings is None else settings.seed
        self._latency = 0.0 if settings is None else settings.latency.total_seconds()
        self._clock: Clock = clock if clock is not None else SystemClock()

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer from the sample, the schema or the facts; costs nothing.

        Raises:
            ModelFailure: If the latency asked for is longer than this attempt may take.
        """
        if self._latency:
            self._clock.sleep(min(self._latency, request.timeout))
        return self._reply(request)

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """The same without blocking the event loop.

        Raises:
            ModelFailure: As `complete` does.
        """
        if self._latency:
            await self._clock.asleep(min(self._latency, request.timeout))
        return self._reply(request)

    def _reply(self, request: ModelRequest) -> ModelReply:
        if self._latency > request.timeout:
            raise ModelFailure(ProviderTimeout(), Verdict.ANSWERED)
        text = request.sample if request.sample is not None else fabricated(request, self._seed)
        return ModelReply(text=text, finish="stop", model=OFFLINE_MODEL, usage=Usage())

    def stream(self, request: ModelRequest) -> Generator[str | ModelReply, None, None]:
        """The same answer, word by word."""
        yield from _told(self.complete(request))

    async def astream(self, request: ModelRequest) -> AsyncGenerator[str | ModelReply, None]:
        """The same; there is nothing to wait for."""
        for item in _told(self.complete(request)):
            yield item


def words(text: str) -> tuple[str, ...]:
    """A text in pieces, cut before each word.

    >>> words("Fresh bread, daily.")
    ('Fresh', ' bread,', ' daily.')
    """
    return tuple(_WORD.findall(text))


def _told(reply: ModelReply) -> Iterator[str | ModelReply]:
    yield from words(reply.text or "")
    yield reply


def fabricated(request: ModelRequest, seed: int = 0) -> str:
    """An answer to a request, made from its schema and facts.

    Args:
        request: What is asked.
        seed: Another one gives another answer.
    """
    facts = facts_of(request.messages)
    draw = draw_for(str(seed), *(message.content for message in request.messages))
    if request.schema is None:
        return answer_text(facts, draw, request.max_tokens)
    answer = Fabricator(request.schema, facts, draw).answer()
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
