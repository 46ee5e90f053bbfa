"""Entries of the answer cache: a fault, or anything odd about an entry, is a miss."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ai_addons.cache.base import CacheFault

if TYPE_CHECKING:
    from ai_addons.cache.base import AnswerCache

logger: Final = logging.getLogger("ai_addons")

_VERSION: Final = 1
_MOST_PAYERS: Final = 64


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored answer, still masked.

    Attributes:
        answer: The model's text.
        model: Route of the model that gave it.
        paid_by: Keyed hashes of the arguments that were paid for.
        at: When it was stored first, UTC microseconds.
    """

    answer: str = field(repr=False)
    model: str
    paid_by: tuple[str, ...]
    at: int

    def text(self) -> str:
        """The entry as it is stored."""
        entry = {"v": _VERSION, "answer": self.answer, "model": self.model, "by": self.paid_by, "at": self.at}
        return json.dumps(entry)

    def paid_also_by(self, arguments_hash: str) -> Stored:
        """The same answer, paid for by one more caller; the oldest are forgotten."""
        return replace(self, paid_by=(*self.paid_by, arguments_hash)[-_MOST_PAYERS:])


def read(cache: AnswerCache, key: str) -> Stored | None:
    """The answer under a key, None for a miss."""
    try:
        text = cache.get(key)
    except CacheFault as fault:
        logger.warning("answer cache not read: %s", fault)
        return None
    return None if text is None else _entry(text)


def write(cache: AnswerCache, key: str, entry: str, ttl: float, tag: str) -> None:
    """Keep an entry for ``ttl`` seconds, if the cache will have it."""
    try:
        cache.put(key, entry, ttl=ttl, tag=tag)
    except CacheFault as fault:
        logger.warning("answer cache not written: %s", fault)


def _entry(text: str) -> Stored | None:
    try:
        found: Any = json.loads(text)
        if found["v"] != _VERSION:
            return None
        return Stored(str(found["answer"]), str(found["model"]), tuple(map(str, found["by"])), int(found["at"]))
    except (ValueError, TypeError, KeyError):
        return None
