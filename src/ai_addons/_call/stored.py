"""Entries of the answer cache: a fault, or anything odd about an entry, is a miss."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ai_addons.cache.base import CacheFault

if TYPE_CHECKING:
    from ai_addons.cache.base import AnswerCache

logger: Final = logging.getLogger("ai_addons")

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored answer, still masked.

    Attributes:
        answer: The model's text.
        model: Route of the model that gave it.
        own: Whether these very arguments were paid for before.
    """

    answer: str
    model: str
    own: bool


def read(cache: AnswerCache, key: str, arguments_hash: str) -> Stored | None:
    """The answer under a key, None for a miss.

    Args:
        cache: Where to look.
        key: The masked question.
        arguments_hash: Keyed hash of the unmasked arguments of this call.
    """
    try:
        text = cache.get(key)
    except CacheFault as fault:
        logger.warning("answer cache not read: %s", fault)
        return None
    return None if text is None else _entry(text, arguments_hash)


def write(cache: AnswerCache, key: str, entry: str, ttl: float, tag: str) -> None:
    """Keep an entry for ``ttl`` seconds, if the cache will have it."""
    try:
        cache.put(key, entry, ttl=ttl, tag=tag)
    except CacheFault as fault:
        logger.warning("answer cache not written: %s", fault)


def entry(answer: str, model: str, arguments_hash: str) -> str:
    """An answer as it is stored: masked, with the hash of the arguments that paid for it."""
    return json.dumps({"v": _VERSION, "answer": answer, "model": model, "by": arguments_hash})


def _entry(text: str, arguments_hash: str) -> Stored | None:
    try:
        found: Any = json.loads(text)
        if found["v"] != _VERSION:
            return None
        return Stored(str(found["answer"]), str(found["model"]), found["by"] == arguments_hash)
    except (ValueError, TypeError, KeyError):
        return None
