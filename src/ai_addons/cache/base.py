"""The port to an answer store, and what a store may be able to do beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

MAX_BYTES: Final = 256 * 1024
"""The longest text that is kept, in bytes of UTF-8."""


class CacheFault(Exception):
    """The cache could not be read or written; the call goes on as if it missed."""


class AnswerCache(Protocol):
    """Keeps texts for a while (`ai_addons.caches` entry points).

    Any method may raise `CacheFault`, and nothing else: a cache never fails a call.
    `ai_addons.testing.contracts.CacheContract` tests an implementation.
    """

    def get(self, key: str) -> str | None:
        """The stored text, or None."""
        ...

    def put(self, key: str, value: str, *, ttl: float, tag: str) -> None:
        """Keep a text for ``ttl`` seconds under a tag (the scope's pseudonym)."""
        ...

    def evict(self, tag: str | None = None, *, prefix: str = "") -> int:
        """Drop everything under a tag whose key begins with a prefix; how many texts went.

        Args:
            tag: The tag; None for all of them.
            prefix: How keys begin, e.g. ``collection_message:``.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


@dataclass(frozen=True, slots=True)
class CacheSize:
    """What is stored.

    Attributes:
        entries: How many texts, expired ones that nobody cleared away included.
        size: Bytes they take.
    """

    entries: int
    size: int


@runtime_checkable
class Measured(Protocol):
    """A cache that can say how full it is."""

    def size(self) -> CacheSize:
        """What is stored now; may raise `CacheFault`."""
        ...


@runtime_checkable
class Locking(Protocol):
    """A cache that several hosts share, and that lets one of them ask a model for all."""

    def lock(self, key: str, token: str, seconds: float) -> bool:
        """Take the lock of a key unless somebody has it; it ends by itself.

        Args:
            key: Name of the answer that is asked for.
            token: Says whose it is.
            seconds: How long it lives if nobody gives it back.
        """
        ...

    def unlock(self, key: str, token: str) -> None:
        """Give the lock back, if it is still the one with this token."""
        ...
