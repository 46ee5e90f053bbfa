"""What every answer cache does, shown on all that ship, and on one that a reader would write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.cache import memory, shards
from ai_addons.cache.base import AnswerCache, CacheFault
from ai_addons.cache.disk import DiskAnswers
from ai_addons.cache.memory import MemoryAnswers
from ai_addons.cache.redis import RedisAnswers
from ai_addons.cache.shards import ShardedAnswers
from ai_addons.settings import CacheSettings
from ai_addons.testing.contracts import CacheContract
from ai_addons.testing.fakes import ManualClock
from tests.redis_server import own_prefix, redis_url

if TYPE_CHECKING:
    from pathlib import Path

    from ai_addons.clock import Clock


class TestMemory(CacheContract):
    """The cache in memory."""

    def make(self, clock: Clock) -> AnswerCache:
        return MemoryAnswers(clock)


class TestDisk(CacheContract):
    """One database in a directory."""

    shared = True

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.place = tmp_path / "cache"

    def make(self, clock: Clock) -> AnswerCache:
        return DiskAnswers(self.place, 10**8, clock)


class TestShards(TestDisk):
    """Several databases in a directory."""

    def make(self, clock: Clock) -> AnswerCache:
        return ShardedAnswers(self.place, 10**8, clock, shards=4)


class TestRedis(CacheContract):
    """A real server."""

    shared = True

    @pytest.fixture(autouse=True)
    def _place(self) -> None:
        self.url, self.prefix = redis_url(), own_prefix()

    def make(self, clock: Clock) -> AnswerCache:
        return RedisAnswers(self.url, clock, prefix=self.prefix)


class Plain:
    """The least that a reader's own cache needs: it cannot be measured and is shared with nobody."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rows: dict[str, tuple[str, int, str]] = {}

    def get(self, key: str) -> str | None:
        text, end, _ = self.rows.get(key, ("", 0, ""))
        return text if end > self.clock.now() else None

    def put(self, key: str, value: str, *, ttl: float, tag: str) -> None:
        self.rows[key] = (value, self.clock.now() + round(ttl * 1_000_000), tag)

    def evict(self, tag: str | None = None, *, prefix: str = "") -> int:
        gone = [key for key, row in self.rows.items() if tag in (None, row[2]) and key.startswith(prefix)]
        for key in gone:
            del self.rows[key]
        return len(gone)

    def close(self) -> None:
        """Nothing to let go of."""


class TestPlain(CacheContract):
    """A reader's own."""

    def make(self, clock: Clock) -> AnswerCache:
        return Plain(clock)


class Lossy(Plain):
    """A cache that gets something wrong."""

    def __init__(self, clock: Clock, fault: str) -> None:
        super().__init__(clock)
        self.fault = fault

    def get(self, key: str) -> str | None:
        if self.fault == "stale" and key in self.rows:
            return self.rows[key][0]
        found = super().get(key)
        return found.strip() if found is not None and self.fault == "strips" else found

    def evict(self, tag: str | None = None, *, prefix: str = "") -> int:
        return 0 if self.fault == "keeps" else super().evict(tag, prefix=prefix)


@pytest.mark.parametrize(
    ("fault", "test", "said"),
    [
        ("stale", "test_an_answer_ends", "after its time"),
        ("strips", "test_it_gives_back_what_was_put", "changed the text 'signs'"),
        ("keeps", "test_a_tag_is_evicted", "0 texts went, not 250"),
        ("keeps", "test_a_prefix_is_evicted", "must drop what has both"),
    ],
)
def test_the_contract_names_what_a_cache_gets_wrong(
    fault: str, test: str, said: str, ai_clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache that lies, changes or keeps what it should not is found out, in words."""
    contract = CacheContract()
    monkeypatch.setattr(contract, "make", lambda clock: Lossy(clock, fault))
    with pytest.raises(AssertionError, match=said):
        getattr(contract, test)(ai_clock)


def test_the_contract_asks_for_a_cache() -> None:
    """A test class that forgets to say how its cache is made does not pass by accident."""
    with pytest.raises(NotImplementedError):
        CacheContract().make(ManualClock())


@pytest.mark.parametrize("text", ["x" * (256 * 1024 + 1), "\ud800"])
def test_memory_refuses_what_no_other_cache_would_keep(text: str) -> None:
    """A feature that works with one cache works with each: all have one limit."""
    with pytest.raises(CacheFault, match="only text of up to 262144 bytes is kept"):
        MemoryAnswers(ManualClock()).put("a", text, ttl=60, tag="t")


def test_memory_makes_room_by_dropping_the_least_recently_used() -> None:
    """A busy till does not grow without bound, and what is asked for often stays."""
    cache = MemoryAnswers(ManualClock(), max_entries=2)
    cache.put("a", "1", ttl=60, tag="t")
    cache.put("b", "2", ttl=60, tag="t")
    assert cache.get("a") == "1"
    cache.put("c", "3", ttl=60, tag="t")
    assert [cache.get(key) for key in "abc"] == ["1", None, "3"]


@pytest.mark.parametrize(("number", "file"), [(1, "cache.db"), (3, "002/cache.db")])
def test_settings_make_the_cache_they_describe(number: int, file: str, tmp_path: Path) -> None:
    """The names in the settings lead to working caches; the disk one stands where it was told to, in so many parts."""
    settings = CacheSettings(directory=tmp_path / "answers", size_limit_mb=1, shards=number)
    made: list[Any] = [shards.from_settings(settings, ManualClock()), memory.from_settings(settings, ManualClock())]
    for cache in made:
        for key in range(20):
            cache.put(f"{key}", "text", ttl=60, tag="t")
        assert cache.get("7") == "text"
        assert cache.size().entries == 20
        cache.close()
    assert (tmp_path / "answers" / file).exists()
