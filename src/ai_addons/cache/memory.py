"""Answers kept in this process only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from ai_addons.cache.base import CacheSize
from ai_addons.cache.entries import keepable, until

if TYPE_CHECKING:
    from ai_addons.clock import Clock
    from ai_addons.settings import CacheSettings


class _Row(NamedTuple):
    text: str
    until: int
    tag: str


class MemoryAnswers:
    """An answer cache in memory; the least recently used answer makes room for a new one.

    Args:
        clock: What the time to live is measured by.
        max_entries: How many answers are kept at most.
    """

    def __init__(self, clock: Clock, max_entries: int = 4_096) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._lock = threading.Lock()
        self._rows: OrderedDict[str, _Row] = OrderedDict()

    def get(self, key: str) -> str | None:
        """The stored text, or None if there is none or its time is over."""
        with self._lock:
            row = self._rows.get(key)
            if row is None:
                return None
            if row.until <= self._clock.now():
                del self._rows[key]
                return None
            self._rows.move_to_end(key)
            return row.text

    def put(self, key: str, value: str, *, ttl: float, tag: str) -> None:
        """Keep a text for ``ttl`` seconds under a tag.

        Raises:
            CacheFault: If the text is too long.
        """
        row = _Row(keepable(value), until(self._clock.now(), ttl), tag)
        with self._lock:
            self._rows[key] = row
            self._rows.move_to_end(key)
            while len(self._rows) > self._max_entries:
                self._rows.popitem(last=False)

    def evict(self, tag: str | None = None, *, prefix: str = "") -> int:
        """Drop everything under a tag whose key begins with a prefix; how many texts went."""
        with self._lock:
            found = [key for key, row in self._rows.items() if tag in (None, row.tag) and key.startswith(prefix)]
            for key in found:
                del self._rows[key]
            return len(found)

    def size(self) -> CacheSize:
        """How many texts are stored, and the bytes of the texts alone."""
        with self._lock:
            return CacheSize(len(self._rows), sum(len(row.text.encode()) for row in self._rows.values()))

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._rows.clear()


def from_settings(_settings: CacheSettings, clock: Clock) -> MemoryAnswers:
    """The cache that the settings describe (entry point ``memory``); no setting applies to it."""
    return MemoryAnswers(clock)
