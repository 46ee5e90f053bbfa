"""The disk cache in several databases, so that processes which write do not queue at one lock.

diskcache's own `FanoutCache` is not used: it makes shards of its plain `Cache`,
without the parts that keep a tampered directory from running anything.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zlib import crc32

from ai_addons.cache.base import CacheFault, CacheSize
from ai_addons.cache.disk import DiskAnswers, make_private

if TYPE_CHECKING:
    from ai_addons.cache.base import AnswerCache
    from ai_addons.clock import Clock
    from ai_addons.settings import CacheSettings, Eviction

_MEGABYTE: Final = 1_000_000


class ShardedAnswers:
    """An answer cache in a directory of its own with a database for each shard.

    Each shard is a `DiskAnswers`: damage in one is dropped with that one alone.

    Args:
        directory: Where the shards are kept; made with mode 0700.
        size_limit: Upper size of all of them together, in bytes.
        clock: What the time to live is measured by.
        shards: How many.
        eviction: Which answers make room for new ones.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        size_limit: int,
        clock: Clock,
        *,
        shards: int,
        eviction: Eviction = "least-recently-stored",
    ) -> None:
        self._directory = Path(os.path.expandvars(Path(directory).expanduser())).absolute()
        self._shards = tuple(
            DiskAnswers(self._directory / f"{number:03}", size_limit // shards, clock, eviction=eviction)
            for number in range(shards)
        )

    def get(self, key: str) -> str | None:
        """The stored text, or None if there is none or its time is over.

        Raises:
            CacheFault: If the directory cannot be used.
        """
        return self._shard(key).get(key)

    def put(self, key: str, value: str, *, ttl: float, tag: str) -> None:
        """Keep a text for ``ttl`` seconds under a tag.

        Raises:
            CacheFault: If the text is too long, or the directory cannot be used.
        """
        self._shard(key).put(key, value, ttl=ttl, tag=tag)

    def evict(self, tag: str | None = None, *, prefix: str = "") -> int:
        """Drop everything under a tag whose key begins with a prefix; how many texts went.

        Raises:
            CacheFault: If a shard cannot be used; some texts may be left.
        """
        self._check()
        return sum(shard.evict(tag, prefix=prefix) for shard in self._shards)

    def size(self) -> CacheSize:
        """How many texts are stored, and the size of the databases.

        Raises:
            CacheFault: If a shard cannot be used.
        """
        self._check()
        sizes = [shard.size() for shard in self._shards]
        return CacheSize(sum(one.entries for one in sizes), sum(one.size for one in sizes))

    def close(self) -> None:
        """Let go of the files; the next use opens them again."""
        for shard in self._shards:
            shard.close()

    def _shard(self, key: str) -> DiskAnswers:
        """Where a key belongs: the same place in every process and on every day."""
        self._check()
        return self._shards[crc32(key.encode("utf-8", "surrogatepass")) % len(self._shards)]

    def _check(self) -> None:
        """Make the directory around the shards ours alone: others could put something in their place."""
        try:
            make_private(self._directory)
        except OSError as error:
            msg = f"the answer cache in {self._directory} cannot be used ({type(error).__name__})"
            raise CacheFault(msg) from error


def from_settings(settings: CacheSettings, clock: Clock) -> AnswerCache:
    """The cache that the settings describe (entry point ``disk``)."""
    limit = settings.size_limit_mb * _MEGABYTE
    if settings.shards == 1:
        return DiskAnswers(settings.directory, limit, clock, eviction=settings.eviction)
    return ShardedAnswers(settings.directory, limit, clock, shards=settings.shards, eviction=settings.eviction)
