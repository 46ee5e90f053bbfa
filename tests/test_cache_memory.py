"""What every answer cache does, shown on both that ship."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ai_addons.cache import disk, memory
from ai_addons.cache.disk import DiskAnswers
from ai_addons.cache.memory import MemoryAnswers
from ai_addons.settings import CacheSettings
from ai_addons.testing.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ai_addons.cache.base import AnswerCache


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test moves."""
    return ManualClock()


@pytest.fixture(params=["memory", "disk"])
def cache(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[AnswerCache]:
    """Each of the two caches."""
    made: AnswerCache = MemoryAnswers(clock) if request.param == "memory" else DiskAnswers(tmp_path / "c", 10**8, clock)
    yield made
    made.close()


def test_cache_gives_back_what_was_put(cache: AnswerCache) -> None:
    """A stored answer comes back exactly, whatever characters it has."""
    texts = {"a": "Akwaaba \u20b5 \U0001f600\n\x00 end", "b": "", "c": "12 not a time"}
    for key, text in texts.items():
        cache.put(key, text, ttl=60, tag="t")
    assert {key: cache.get(key) for key in texts} == texts
    assert cache.get("d") is None


def test_later_text_replaces_the_earlier_one(cache: AnswerCache) -> None:
    """A key has one text, and the later time to live counts."""
    cache.put("a", "old", ttl=1, tag="t")
    cache.put("a", "new", ttl=60, tag="t")
    assert cache.get("a") == "new"


def test_expired_text_is_never_returned(cache: AnswerCache, clock: ManualClock) -> None:
    """An answer is fresh up to its last microsecond and gone after it."""
    cache.put("a", "fresh", ttl=60, tag="t")
    clock.advance(59.999999)
    assert cache.get("a") == "fresh"
    clock.advance(0.000001)
    assert cache.get("a") is None
    assert cache.get("a") is None


@pytest.mark.parametrize("ttl", [0, -5])
def test_text_without_a_lifetime_is_not_kept(cache: AnswerCache, ttl: float) -> None:
    """A time to live of nothing stores nothing that can be read."""
    cache.put("a", "text", ttl=ttl, tag="t")
    assert cache.get("a") is None


def test_one_business_can_be_erased(cache: AnswerCache) -> None:
    """Evicting a tag drops all its answers, more than one batch of them, and no others."""
    for number in range(250):
        cache.put(f"a{number}", "mine", ttl=60, tag="a")
    cache.put("b", "theirs", ttl=60, tag="b")
    assert cache.evict("a") == 250
    assert cache.evict("a") == 0
    assert [cache.get("a0"), cache.get("a249"), cache.get("b")] == [None, None, "theirs"]


def test_threads_share_a_cache(cache: AnswerCache) -> None:
    """Many threads at once read what they wrote."""
    seen: list[str | None] = []

    def use(name: str) -> None:
        for number in range(20):
            cache.put(f"{name}{number}", f"{name}{number}", ttl=60, tag=name)
            seen.append(cache.get(f"{name}{number}"))

    threads = [threading.Thread(target=use, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(text or "" for text in seen) == sorted(
        f"{name}{number}" for name in "abcdefgh" for number in range(20)
    )


def test_cache_can_be_used_again_after_closing(cache: AnswerCache) -> None:
    """Closing lets go of files; it does not break a call that is still on its way."""
    cache.put("a", "text", ttl=60, tag="t")
    cache.close()
    cache.put("b", "text", ttl=60, tag="t")
    assert cache.get("b") == "text"


def test_memory_makes_room_by_dropping_the_least_recently_used(clock: ManualClock) -> None:
    """A busy till does not grow without bound, and what is asked for often stays."""
    cache = MemoryAnswers(clock, max_entries=2)
    cache.put("a", "1", ttl=60, tag="t")
    cache.put("b", "2", ttl=60, tag="t")
    assert cache.get("a") == "1"
    cache.put("c", "3", ttl=60, tag="t")
    assert [cache.get(key) for key in "abc"] == ["1", None, "3"]


def test_settings_make_the_cache_they_describe(clock: ManualClock, tmp_path: Path) -> None:
    """The two names in the settings lead to working caches; the disk one stands where it was told to."""
    settings = CacheSettings(directory=tmp_path / "answers", size_limit_mb=1)
    made: list[AnswerCache] = [disk.from_settings(settings, clock), memory.from_settings(settings, clock)]
    for cache in made:
        cache.put("a", "text", ttl=60, tag="t")
        assert cache.get("a") == "text"
        cache.close()
    assert (tmp_path / "answers" / "cache.db").exists()
