"""The port to an answer store."""

from __future__ import annotations

from typing import Protocol


class CacheFault(Exception):
    """The cache could not be read or written; the call goes on as if it missed."""


class AnswerCache(Protocol):
    """Keeps texts for a while (`ai_addons.caches` entry points).

    Any method may raise `CacheFault`, and nothing else: a cache never fails a call.
    """

    def get(self, key: str) -> str | None:
        """The stored text, or None."""
        ...

    def put(self, key: str, value: str, *, ttl: float, tag: str) -> None:
        """Keep a text for ``ttl`` seconds under a tag (the scope's pseudonym)."""
        ...

    def evict(self, tag: str) -> int:
        """Drop everything under a tag; how many rows went."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
