"""What other processes do with a cache that many share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ai_addons.cache.disk import DiskAnswers
from ai_addons.cache.redis import RedisAnswers
from ai_addons.cache.secret import secret_file
from ai_addons.cache.shards import ShardedAnswers
from ai_addons.testing.fakes import ManualClock

if TYPE_CHECKING:
    from ai_addons.cache.base import AnswerCache

EACH = 50


def cache_of(kind: str, place: str, prefix: str) -> AnswerCache:
    """A cache at a place: ``disk``, ``shards`` or ``redis``."""
    clock = ManualClock()
    if kind == "redis":
        return RedisAnswers(place, clock, prefix=prefix)
    return ShardedAnswers(place, 10**8, clock, shards=4) if kind == "shards" else DiskAnswers(place, 10**8, clock)


def fill(kind: str, place: str, prefix: str, name: str) -> None:
    """Store texts under a name, and find each of them."""
    cache = cache_of(kind, place, prefix)
    for number in range(EACH):
        cache.put(f"{name}{number}", f"{name}{number}", ttl=3600, tag=name)
        assert cache.get(f"{name}{number}") == f"{name}{number}"
    cache.close()


def tell_secret(file: str) -> None:
    """Print the secret of a file, made if it is not there."""
    print(secret_file(Path(file)).hex())  # noqa: T201  # tells the parent
