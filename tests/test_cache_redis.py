"""The answer cache in Redis: its faults are misses, its secret shows nowhere, and its locks end."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons import AddOns, ConfigError
from ai_addons.cache import redis
from ai_addons.cache.base import CacheFault, CacheSize
from ai_addons.cache.redis import RedisAnswers
from ai_addons.settings import CacheSettings
from ai_addons.testing.fakes import ManualClock
from ai_addons.testing.kit import kit_settings
from tests.redis_server import own_prefix, redis_url

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "hunter2-and-more"
NOWHERE = f"redis://user:{PASSWORD}@127.0.0.1:1/0"
"""An address where nobody listens."""


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test moves."""
    return ManualClock()


@pytest.fixture
def prefix() -> str:
    """What the keys of this test begin with."""
    return own_prefix()


@pytest.fixture
def cache(clock: ManualClock, prefix: str) -> Iterator[RedisAnswers]:
    """A cache on a real server."""
    with closing(RedisAnswers(redis_url(), clock, prefix=prefix)) as made:
        yield made


@pytest.fixture
def server() -> Any:
    """The server itself, as somebody else would use it."""
    import redis as library  # noqa: PLC0415  # the extra may be missing

    with library.Redis.from_url(redis_url()) as client:
        yield client


def test_the_server_ends_an_answer_by_itself(cache: RedisAnswers, server: Any, prefix: str) -> None:
    """A row has a lifetime on the server too, so that nothing stays where nobody reads it."""
    cache.put("a", "text", ttl=60, tag="t")
    assert 59_000 < server.pttl(f"{prefix}:a:a") <= 60_000


def test_installations_on_one_server_do_not_meet(cache: RedisAnswers, clock: ManualClock, prefix: str) -> None:
    """Another prefix is another cache; clearing one leaves the other, and other people's keys, alone."""
    other = RedisAnswers(redis_url(), clock, prefix=f"{prefix}*")
    cache.put("a", "mine", ttl=60, tag="t")
    other.put("a", "theirs", ttl=60, tag="t")
    assert other.evict() == 1
    assert [cache.get("a"), other.get("a")] == ["mine", None]
    assert cache.size() == CacheSize(entries=1, size=64 + len("1790000060000000 mine"))
    other.close()


@pytest.mark.parametrize("value", [b"", b"text of somebody else's, and longer", b"\xff\xfe" * 40])
def test_a_foreign_text_is_a_fault(cache: RedisAnswers, server: Any, prefix: str, value: bytes) -> None:
    """What was not written by this package is not given; it can be overwritten."""
    server.set(f"{prefix}:a:a", value)
    with pytest.raises(CacheFault, match="cannot be used"):
        cache.get("a")
    cache.put("a", "ours", ttl=60, tag="t")
    assert cache.get("a") == "ours"


def test_an_answer_of_another_key_is_a_fault(cache: RedisAnswers, server: Any, prefix: str) -> None:
    """Whatever handed it over: what was asked for is asked for again, and it is not shown to anybody."""
    cache.put("biz_7", "of Ama", ttl=60, tag="t")
    server.copy(f"{prefix}:a:biz_7", f"{prefix}:a:biz_8")
    with pytest.raises(CacheFault, match=r"cannot be used \(RefusedRow\)"):
        cache.get("biz_8")
    cache.put("biz_8", "of Kofi", ttl=60, tag="t")
    assert [cache.get("biz_7"), cache.get("biz_8"), cache.evict("t")] == ["of Ama", "of Kofi", 2]


def test_a_foreign_type_is_a_fault_that_nothing_waits_for(cache: RedisAnswers, server: Any, prefix: str) -> None:
    """A list in place of a text faults at reading; the other answers stay within reach."""
    server.rpush(f"{prefix}:a:a", "x")
    with pytest.raises(CacheFault, match=r"cannot be used \((ResponseError|WrongTypeError)\)"):
        cache.get("a")
    cache.put("b", "text", ttl=60, tag="t")
    assert cache.get("b") == "text"


def test_a_server_that_is_away_is_a_fault_and_is_left_alone_for_a_while(clock: ManualClock) -> None:
    """Every method faults; after the first fault nobody tries for five seconds, and then somebody does."""
    cache = RedisAnswers(NOWHERE, clock, prefix="p")
    with pytest.raises(CacheFault, match=r"cannot be used \(ConnectionError\)"):
        cache.get("a")
    for use in (
        lambda: cache.get("a"),
        lambda: cache.put("a", "text", ttl=1, tag="t"),
        cache.evict,
        cache.size,
        lambda: cache.lock("a", "token", 1),
        lambda: cache.unlock("a", "token"),
        cache.close,
    ):
        with pytest.raises(CacheFault, match="a moment ago"):
            use()
    clock.advance(5)
    with pytest.raises(CacheFault, match="ConnectionError"):
        cache.get("a")


def test_a_server_that_never_answers_costs_a_second(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and says nothing is given up at the time limit, without a second try."""
    monkeypatch.setattr(redis, "_TIMEOUT", 0.05)
    accepted: list[socket.socket] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=lambda: accepted.append(listener.accept()[0]))
        thread.start()
        cache = RedisAnswers(f"redis://127.0.0.1:{listener.getsockname()[1]}", clock, prefix="p")
        with pytest.raises(CacheFault, match=r"cannot be used \(TimeoutError\)"):
            cache.get("a")
        thread.join()
    assert len(accepted) == 1
    accepted[0].close()


def test_the_secret_shows_nowhere(
    clock: ManualClock, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the cache, its settings, its faults nor its log say the password or the address."""
    settings = CacheSettings(backend="redis", url=NOWHERE)
    cache = redis.from_settings(settings, clock)
    with caplog.at_level(logging.DEBUG), pytest.raises(CacheFault) as caught:
        cache.get("a")
    told = [repr(cache), repr(settings), repr(caught.value), str(caught.value.__cause__), caplog.text]
    told += [settings.model_dump_json(), *capsys.readouterr()]
    assert not [text for text in told if PASSWORD in text or "127.0.0.1" in text]


@pytest.mark.parametrize("url", ["", "localhost:6379", "http://localhost", f"redis://:{PASSWORD}@host:no-port"])
def test_a_wrong_address_is_a_config_error(clock: ManualClock, url: str) -> None:
    """It is told at once, with an example and without the address."""
    with pytest.raises(ConfigError, match="no address of a Redis server") as caught:
        RedisAnswers(url, clock, prefix="p").get("a")
    assert PASSWORD not in str(caught.value)


def test_a_missing_address_is_a_config_error(clock: ManualClock) -> None:
    """The message names the setting."""
    with pytest.raises(ConfigError, match="AI_ADDONS_CACHE__URL"):
        redis.from_settings(CacheSettings(backend="redis"), clock)


def test_a_missing_driver_is_a_config_error(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra to install."""
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigError, match=r"pip install 'ai-addons\[redis\]'"):
        RedisAnswers(NOWHERE, clock, prefix="p")


def test_a_secure_address_is_used_with_tls(clock: ManualClock) -> None:
    """`rediss://` speaks TLS and checks the server's certificate."""
    client: Any = RedisAnswers("rediss://localhost:6380/0", clock, prefix="p")._client
    pool = client.connection_pool
    assert pool.connection_class.__name__ == "SSLConnection"
    assert str(pool.make_connection().cert_reqs) in {"2", "VerifyMode.CERT_REQUIRED"}


def test_redis_needs_a_secret_that_all_hosts_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one, each host would look under other keys; with one, keys begin with the installation's own name."""
    shared = {"backend": "redis", "url": NOWHERE}
    with (
        closing(AddOns(kit_settings(cache=shared, secret=None), environ={})) as addons,
        pytest.raises(ConfigError, match="An answer cache in Redis needs a secret that all hosts share"),
    ):
        addons._wiring.desk()
    prefixes = set()
    for secret in ("one secret of thirty-two characters.", "another one of thirty-two characters"):
        with closing(AddOns(kit_settings(cache=shared, secret=secret), environ={})) as addons:
            prefixes.add(vars(addons._wiring.desk().kit.cache)["_prefix"])
    assert len(prefixes) == 2
    assert {len(prefix) for prefix in prefixes} == {len("ai_addons:") + 12}
    with closing(AddOns(kit_settings(cache=shared | {"prefix": "shop"}), environ={})) as addons:
        assert vars(addons._wiring.desk().kit.cache)["_prefix"] == "shop"


def test_a_lock_has_one_owner_and_ends(cache: RedisAnswers, server: Any, prefix: str) -> None:
    """The first token gets it; a wrong token gives nothing back; the right one does; a dead owner's ends by itself."""
    assert cache.lock("a", "one", 30) is True
    assert cache.lock("a", "two", 30) is False
    assert cache.lock("b", "two", 30) is True
    cache.unlock("a", "two")
    assert cache.lock("a", "two", 30) is False
    assert 29_000 < server.pttl(f"{prefix}:l:a") <= 30_000
    cache.unlock("a", "one")
    assert cache.lock("a", "two", 0.05) is True
    while server.exists(f"{prefix}:l:a"):
        pass
    assert cache.lock("a", "three", 30) is True
    cache.unlock("a", "two")
    assert cache.lock("a", "four", 30) is False


def test_locks_are_no_answers(cache: RedisAnswers) -> None:
    """Clearing the cache takes nobody's lock away."""
    assert cache.lock("a", "one", 30) is True
    assert cache.evict() == 0
    assert cache.size() == CacheSize(0, 0)
    assert cache.lock("a", "two", 30) is False
