"""What every answer cache does, shown on all that ship, and on one that a reader would write."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
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
from tests import cache_child
from tests.processes import Child
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

    def put(self, key: str, value: str, *, ttl: float, tag: str) -> None:
        if self.fault != "drops":
            super().put(key, value, ttl=ttl, tag=tag)

    def evict(self, tag: str | None = None, *, prefix: str = "") -> int:
        return 0 if self.fault == "keeps" else super().evict(tag, prefix=prefix)


@pytest.mark.parametrize(
    ("fault", "test", "said"),
    [
        ("stale", "test_an_answer_ends", "after its time"),
        ("strips", "test_it_gives_back_what_was_put", "changed the text 'signs'"),
        ("drops", "test_threads_share_it", "160 texts that a thread had just put were not there"),
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


def test_a_directory_that_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    """A wrong path in the settings costs answers, not calls; whatever is asked of the cache."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    cache = ShardedAnswers(tmp_path / "file" / "inside", 10**8, ManualClock(), shards=2)
    with pytest.raises(CacheFault, match=r"cannot be used \((NotADirectoryError|FileExistsError)\)"):
        cache.get("a")
    for use in (cache.evict, cache.size):
        with pytest.raises(CacheFault, match="cannot be used"):
            use()


def test_damage_in_one_shard_leaves_the_others(tmp_path: Path) -> None:
    """What somebody changed in one database is dropped with that one; the rest of the answers stay."""
    cache = ShardedAnswers(tmp_path / "cache", 10**8, ManualClock(), shards=2)
    for number in range(20):
        cache.put(f"{number}", "text", ttl=60, tag="t")
    cache.close()
    (tmp_path / "cache" / "000" / "cache.db").write_bytes(b"not a database, but long enough to look like one" * 100)
    left = [number for number in range(20) if cache.get(f"{number}") == "text"]
    assert 0 < len(left) < 20
    cache.put("0", "again", ttl=60, tag="t")
    assert cache.get("0") == "again"
    cache.close()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_directory_around_the_shards_is_for_its_owner_only(tmp_path: Path) -> None:
    """Nobody else may put a shard of their own in the place of one."""
    cache = ShardedAnswers(tmp_path / "cache", 10**8, ManualClock(), shards=2)
    cache.put("a", "text", ttl=60, tag="t")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache", *(tmp_path / "cache").iterdir())} == {
        0o700
    }
    (tmp_path / "cache").chmod(0o777)
    assert cache.get("a") == "text"
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    cache.close()


@pytest.mark.parametrize("kind", ["shards", "redis"])
def test_processes_share_a_cache(kind: str, tmp_path: Path) -> None:
    """Several workers start together on an empty cache; each answer is there for all afterwards."""
    place, extra = (redis_url(), own_prefix()) if kind == "redis" else (str(tmp_path / "cache"), "")
    with ExitStack() as ended:
        workers = [ended.enter_context(Child(cache_child.fill, kind, place, extra, name)) for name in "abcd"]
        assert [(worker.rest(), worker.returncode) for worker in workers] == [("", 0)] * 4
    cache = cache_child.cache_of(kind, place, extra)
    texts = [f"{name}{number}" for name in "abcd" for number in range(50)]
    assert [cache.get(text) for text in texts] == texts
    assert cache.evict() == 200
    cache.close()
