"""A model for the first run: no key, no network, no cost, the same answer every time.

It gives the feature's own sample where there is one, else an answer made from
the schema, with words from the facts in the prompt where they fit.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

from ai_addons.llm.base import ModelReply, Usage
from ai_addons.llm.fabricate import Fabricator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence

    from ai_addons.llm.base import Message, ModelRequest
    from ai_addons.settings import ProviderSettings

OFFLINE_MODEL: Final = "offline/sample"
"""The one offline route."""

_OPEN, _CLOSE = "<data>\n", "\n</data>"
_WORD: Final = re.compile(r"\s*\S+|\s+$")
_LONGEST_FACT: Final = 60
_MOST_FACTS: Final = 6


class OfflineLlm:
    """Answers without a provider (the `Llm` port, routes ``offline/…``)."""

    def __init__(
        self, providers: Mapping[str, ProviderSettings] | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        # Every adapter is made with these; this one needs neither key nor address.
        del providers, environ

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer from the sample, the schema or the facts; never fails, costs nothing."""
        text = request.sample if request.sample is not None else _fabricated(request)
        return ModelReply(text=text, finish="stop", model=OFFLINE_MODEL, usage=Usage())

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """The same; there is nothing to wait for."""
        return self.complete(request)

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


def _fabricated(request: ModelRequest) -> str:
    facts = facts_of(request.messages)
    if request.schema is None:
        said = f"about {', '.join(facts[:_MOST_FACTS])}" if facts else "with no facts to go by"
        return f"Sample answer from the offline model: {said}."
    answer = Fabricator(request.schema, facts).answer()
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def facts_of(messages: Sequence[Message]) -> tuple[str, ...]:
    """Short texts from the ``<data>`` blocks of the user's turns, each once, in order."""
    found = dict.fromkeys(
        leaf
        for message in messages
        if message.role == "user"
        for block in _blocks(message.content)
        for leaf in _texts(block)
        if 0 < len(leaf) <= _LONGEST_FACT and "\n" not in leaf
    )
    return tuple(found)


def _blocks(content: str) -> Iterator[object]:
    """The JSON of each delimited block; text that is none is passed over."""
    for part in content.split(_OPEN)[1:]:
        body, closed, _ = part.partition(_CLOSE)
        if closed:
            try:
                yield json.loads(body)
            except ValueError:
                continue


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, dict):
        for inner in cast("dict[str, object]", value).values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _texts(inner)
