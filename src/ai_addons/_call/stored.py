"""Entries of the answer cache: a fault, or anything odd about an entry, is a miss."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ai_addons.cache.base import CacheFault
from ai_addons.money import PicoUsd

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ai_addons.cache.base import AnswerCache, Locking

logger: Final = logging.getLogger("ai_addons")

_VERSION: Final = 2
_MOST_PAYERS: Final = 64


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored answer, still masked.

    Attributes:
        answer: The model's text.
        model: Route of the model that gave it.
        paid_by: Keyed hashes of who paid for it with which arguments.
        at: When it was stored first, UTC microseconds.
        cost: What the provider took for it, which a repeat saves; None if unknown.
    """

    answer: str = field(repr=False)
    model: str
    paid_by: tuple[str, ...]
    at: int
    cost: PicoUsd | None

    def text(self) -> str:
        """The entry as it is stored."""
        facts = {"model": self.model, "by": self.paid_by, "at": self.at, "cost": self.cost}
        return json.dumps({"v": _VERSION, "answer": self.answer} | facts)

    def paid_also_by(self, *others: str) -> Stored:
        """The same answer, paid for by more callers; the oldest are forgotten."""
        new = tuple(other for other in others if other not in self.paid_by)
        return replace(self, paid_by=(*self.paid_by, *new)[-_MOST_PAYERS:])


def read(cache: AnswerCache, key: str) -> str | None:
    """The entry under a key as it is stored, None for a miss."""
    try:
        return cache.get(key)
    except CacheFault as fault:
        logger.warning("answer cache not read: %s", fault)
        return None


def write(cache: AnswerCache, key: str, entry: Stored, ttl: float, tag: str) -> None:
    """Keep an entry for ``ttl`` seconds, if the cache will have it.

    Args:
        cache: The cache.
        key: Name of the answer.
        entry: What is kept.
        ttl: Seconds.
        tag: The scope's pseudonym.
    """
    try:
        cache.put(key, entry.text(), ttl=ttl, tag=tag)
    except CacheFault as fault:
        logger.warning("answer cache not written: %s", fault)


def write_again(
    cache: AnswerCache,
    key: str,
    entry: Stored,
    ttl: float,
    tag: str,
    *,
    alone: Callable[[], AbstractContextManager[None]],
) -> None:
    """Keep an entry that others may have paid for meanwhile: they stay noted.

    Args:
        cache: The cache.
        key: Name of the answer.
        entry: What was read, with one more who paid.
        ttl: Seconds.
        tag: The scope's pseudonym.
        alone: Keeps other writers of this process away.
    """
    with alone():
        text = read(cache, key)
        known = None if text is None else parse(text)
        if known is not None and (known.answer, known.at) == (entry.answer, entry.at):
            entry = known.paid_also_by(*entry.paid_by)
        write(cache, key, entry, ttl, tag)


def lock(cache: Locking, key: str, token: str, seconds: float) -> bool:
    """Whether this host may ask; where nobody can say, it may."""
    try:
        return cache.lock(key, token, seconds)
    except CacheFault as fault:
        logger.warning("answer cache not locked: %s", fault)
        return True


def unlock(cache: Locking, key: str, token: str) -> None:
    """Let other hosts ask; if they cannot be told, the lock ends by itself."""
    try:
        cache.unlock(key, token)
    except CacheFault as fault:
        logger.warning("answer cache not unlocked: %s", fault)


def parse(text: str) -> Stored | None:
    """An entry as it was stored; None for anything else."""
    try:
        found: Any = json.loads(text)
        if found["v"] != _VERSION:
            return None
        cost = None if found["cost"] is None else PicoUsd(int(found["cost"]))
        return Stored(str(found["answer"]), str(found["model"]), tuple(map(str, found["by"])), int(found["at"]), cost)
    except (ValueError, TypeError, KeyError):
        return None
