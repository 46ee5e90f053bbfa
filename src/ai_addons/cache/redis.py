"""Answers kept in Redis or Valkey, shared by several hosts; the extra ``ai-addons[redis]``.

Only text goes in and comes out, under keys that begin with the installation's
own prefix. A server that is slow, full or away costs stored answers and nothing
else: every fault is a `CacheFault`, and for some seconds after one nobody waits
for the server again.

======================== ===================================================
``PREFIX:a:KEY``         an answer: 32 signs each for its tag and its key, its end, its text
``PREFIX:l:KEY``         the lock of an answer that some host is asking for
======================== ===================================================

An answer that names another key is refused: a client whose connection was interrupted may hand over what
somebody else had asked for. It is no protection against who can write to the server.

Answers are found by tag by looking through the keys, not by an index of them: an
index that lost a key would leave an erased business's answers behind.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from ai_addons.cache.base import CacheFault, CacheSize
from ai_addons.cache.entries import RefusedRow, keepable, row, unexpired, until
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from ai_addons.clock import Clock
    from ai_addons.settings import CacheSettings

_TIMEOUT: Final = 1.0
_REST: Final = 5.0
"""Seconds without a try after the server could not be reached."""
_MILLISECONDS: Final = 1_000
_TAG_SIGNS: Final = 32
_BATCH: Final = 500
_GLOB: Final = re.compile(r"([*?\[\]\\^])")
_UNLOCK: Final = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class _Pipeline(Protocol):
    def getrange(self, key: bytes, start: int, end: int) -> object: ...
    def strlen(self, key: bytes) -> object: ...
    def execute(self) -> list[Any]: ...


class _Client(Protocol):
    """The part of `redis.Redis` that is used."""

    def get(self, name: str) -> bytes | None: ...
    def set(self, name: str, value: str, *, px: int, nx: bool = False) -> bool | None: ...
    def unlink(self, *names: str | bytes) -> int: ...
    def eval(self, script: str, numkeys: int, *keys_and_args: str) -> object: ...
    def scan_iter(self, *, match: str, count: int) -> Iterator[bytes]: ...
    def pipeline(self, *, transaction: bool) -> _Pipeline: ...
    def close(self) -> None: ...


class RedisAnswers:
    """An answer cache on a Redis or Valkey server.

    Nothing is opened before the first use. Connections are made anew after a fork.

    Args:
        url: ``redis://…``, or ``rediss://…`` for TLS; with user and password if the server wants them.
        clock: What the time to live is measured by; the server's own ends it too.
        prefix: What all keys begin with.

    Raises:
        ConfigError: If the URL is none, or the extra is not installed.
    """

    def __init__(self, url: str, clock: Clock, *, prefix: str) -> None:
        self._library = _library()
        self._clock = clock
        self._prefix = prefix
        self._rests_until = float("-inf")
        self._client = self._connected(url)

    def __repr__(self) -> str:
        """A fixed text: the URL may hold a password."""
        return "<RedisAnswers …>"

    def get(self, key: str) -> str | None:
        """The stored text, or None if there is none or its time is over.

        Raises:
            CacheFault: If the server cannot be asked, or holds something else under this key.
        """
        with self._faults():
            stored = self._client.get(self._name("a", key))
            return None if stored is None else unexpired(_of_key(key, stored.decode()), self._clock.now())

    def put(self, key: str, value: str, *, ttl: float, tag: str) -> None:
        """Keep a text for ``ttl`` seconds under a tag.

        Raises:
            CacheFault: If the text is too long, or the server does not take it.
        """
        name, lifetime = self._name("a", key), round(ttl * _MILLISECONDS)
        text = _mark(tag) + _mark(key) + row(until(self._clock.now(), ttl), keepable(value))
        with self._faults():
            if lifetime > 0:
                self._client.set(name, text, px=lifetime)
            else:
                self._client.unlink(name)

    def evict(self, tag: str | None = None, *, prefix: str = "") -> int:
        """Drop everything under a tag whose key begins with a prefix; how many texts went.

        Raises:
            CacheFault: If the server cannot be asked; some texts may be left.
        """
        with self._faults():
            found = (self._of(tag, names) for names in self._batches(prefix))
            return sum(self._client.unlink(*names) for names in found if names)

    def size(self) -> CacheSize:
        """How many texts are stored, and their bytes.

        Raises:
            CacheFault: If the server cannot be asked.
        """
        with self._faults():
            lengths: list[int] = []
            for names in self._batches(""):
                pipeline = self._client.pipeline(transaction=False)
                for name in names:
                    pipeline.strlen(name)
                lengths += pipeline.execute()
            return CacheSize(len(lengths), sum(lengths))

    def lock(self, key: str, token: str, seconds: float) -> bool:
        """Take the lock of a key for so many seconds, unless somebody has it.

        Raises:
            CacheFault: If the server cannot be asked.
        """
        with self._faults():
            return bool(self._client.set(self._name("l", key), token, px=round(seconds * _MILLISECONDS), nx=True))

    def unlock(self, key: str, token: str) -> None:
        """Give the lock back, if it is still the one with this token.

        Raises:
            CacheFault: If the server cannot be asked; then the lock ends by itself.
        """
        with self._faults():
            self._client.eval(_UNLOCK, 1, self._name("l", key), token)

    def close(self) -> None:
        """Let go of the connections; the next use opens them again."""
        with self._faults():
            self._client.close()

    def _name(self, kind: str, key: str) -> str:
        return f"{self._prefix}:{kind}:{keepable(key)}"

    def _batches(self, prefix: str) -> Iterator[Sequence[bytes]]:
        """The names of all answers whose key begins with a prefix, some hundred at a time."""
        names = iter(self._client.scan_iter(match=_GLOB.sub(r"\\\1", self._name("a", prefix)) + "*", count=_BATCH))
        while batch := tuple(islice(names, _BATCH)):
            yield batch

    def _of(self, tag: str | None, names: Sequence[bytes]) -> Sequence[bytes]:
        """Those of the names that lie under a tag."""
        if tag is None:
            return names
        pipeline = self._client.pipeline(transaction=False)
        for name in names:
            pipeline.getrange(name, 0, _TAG_SIGNS - 1)
        wanted = _mark(tag).encode()
        found: Iterable[tuple[bytes, object]] = zip(names, pipeline.execute(), strict=True)
        return [name for name, mark in found if mark == wanted]

    @contextmanager
    def _faults(self) -> Generator[None, None, None]:
        """Turn whatever goes wrong into a `CacheFault`; leave a server alone that cannot be reached."""
        if self._clock.monotonic() < self._rests_until:
            msg = "the answer cache in Redis could not be reached a moment ago"
            raise CacheFault(msg)
        away = (self._library.ConnectionError, self._library.TimeoutError, OSError)
        try:
            yield
        except (self._library.RedisError, OSError, RefusedRow, UnicodeDecodeError) as error:
            if isinstance(error, away):
                self._rests_until = self._clock.monotonic() + _REST
            # Not chained: a library's message may quote the address, or what was stored.
            msg = f"the answer cache in Redis cannot be used ({type(error).__name__})"
            raise CacheFault(msg) from None

    def _connected(self, url: str) -> _Client:
        """A client that has not connected yet, and never tries twice: a call waits for it."""
        never = self._library.retry.Retry(self._library.backoff.NoBackoff(), 0)
        wait = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT}
        try:
            return cast("_Client", self._library.Redis.from_url(url, retry=never, **wait))
        except (ValueError, TypeError):
            msg = (
                "cache.url is no address of a Redis server. Nothing was charged. "
                "Write e.g. 'redis://localhost:6379/0', or 'rediss://user:password@host:6380/0' for TLS."
            )
            raise ConfigError(msg) from None


def from_settings(settings: CacheSettings, clock: Clock) -> RedisAnswers:
    """The cache that the settings describe (entry point ``redis``).

    Raises:
        ConfigError: If ``cache.url`` is missing or wrong, or the extra is not installed.
    """
    if settings.url is None:
        msg = "The answer cache in Redis needs cache.url. Nothing was charged. Set e.g. AI_ADDONS_CACHE__URL."
        raise ConfigError(msg)
    return RedisAnswers(settings.url.get_secret_value(), clock, prefix=settings.prefix or "ai_addons")


def _library() -> Any:  # noqa: ANN401  # its classes are looked up by name
    try:
        return import_module("redis")
    except ModuleNotFoundError:
        msg = "The answer cache in Redis needs its driver. Nothing was charged. Run: pip install 'ai-addons[redis]'"
        raise ConfigError(msg) from None


def _of_key(key: str, stored: str) -> str:
    """The row of an answer, if it is that of the key."""
    if stored[_TAG_SIGNS : 2 * _TAG_SIGNS] != _mark(key):
        msg = "an answer of another key"
        raise RefusedRow(msg)
    return stored[2 * _TAG_SIGNS :]


def _mark(name: str) -> str:
    """Signs that stand for a tag or a key, always the same number of them."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_TAG_SIGNS]
