"""Whose turn it is to ask a model, where several calls want the same answer.

In a process the first call leads and the others wait for it; where the cache is
shared by hosts that can lock, one of them asks for all. Who waits holds no
credits, but for those of a batch that were held beforehand. A call that owes some,
or leads already, waits for nobody: so no two calls ever wait for each other. The
leader looks at what is stored, for all.
"""

from __future__ import annotations

from functools import cache as once_each
from functools import partial
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons._call import stored
from ai_addons._call.steps import Do, Wait
from ai_addons.cache.base import Locking
from ai_addons.cache.flights import Flight
from ai_addons.errors import ProviderTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ai_addons._call.steps import Kit, Step
    from ai_addons.cache.base import AnswerCache
    from ai_addons.events import CacheResult

_PAUSES: Final = (0.02, 0.04, 0.08, 0.16)
"""Seconds between two looks for what another host brings; the last one is repeated."""


class Turns:
    """The flights that one call takes part in.

    Args:
        kit: The call's parts.
        deadline: When the call must be over, monotonic seconds.
    """

    def __init__(self, kit: Kit, deadline: float) -> None:
        self._kit = kit
        self._deadline = deadline
        self._led: tuple[str, Flight] | None = None
        self._locked: tuple[Locking, str, str] | None = None
        self._brought: str | None = None

    @property
    def leads(self) -> bool:
        """Whether others may be waiting for this call."""
        return self._led is not None

    def take(
        self, cache: AnswerCache, key: str, usable: Callable[[str | None], bool]
    ) -> Generator[Step, Any, CacheResult | None]:
        """Take what is stored, or wait for an answer that another call brings.

        Args:
            cache: Where answers are kept.
            key: Name of the answer.
            usable: Takes an entry as it is stored; whether this call can use it.

        Returns:
            How there is an answer; None if it is this call's turn to ask.

        Raises:
            ProviderTimeout: If nobody had one in time.
        """
        while True:
            flight, leads = self._kit.flights.join(key)
            if leads:
                self._led = key, flight
                return (yield from self._lead(cache, key, usable))
            yield from self._wait(flight)
            if usable(flight.text):
                return "coalesced"

    def bring(self, key: str, text: str) -> None:
        """Keep an entry for those who wait for it."""
        if self._led is not None and self._led[0] == key:
            self._brought = text

    def land(self) -> Generator[Step, Any, None]:
        """Let the others go on, on all hosts."""
        if self._locked is not None:
            (cache, key, token), self._locked = self._locked, None
            yield Do(partial(stored.unlock, cache, key, token))
        self.close()

    def close(self) -> None:
        """Let the others go on, in this process; whatever happened, nobody waits for a call that is over."""
        if self._led is not None:
            (key, flight), self._led = self._led, None
            self._kit.flights.land(key, flight, self._brought)

    def _lead(
        self, cache: AnswerCache, key: str, usable: Callable[[str | None], bool]
    ) -> Generator[Step, Any, CacheResult | None]:
        """Look, then wait for other hosts where they can be waited for."""
        if (yield from self._found(cache, key, usable)):
            return "hit"
        if not _can_lock(type(cache)):
            return None
        locking = cast("Locking", cache)
        pauses = chain(_PAUSES, repeat(_PAUSES[-1]))
        while True:
            ours = yield from self._lock(locking, key)
            # Another host's turn may just have ended.
            if (yield from self._found(cache, key, usable)):
                return "coalesced"
            if ours:
                return None
            yield from self._wait(Flight(), next(pauses))

    def _found(self, cache: AnswerCache, key: str, usable: Callable[[str | None], bool]) -> Generator[Step, Any, bool]:
        """Whether an answer is stored; then those who wait have it too."""
        text = yield Do(partial(stored.read, cache, key))
        if not usable(text):
            return False
        self._brought = text
        yield from self.land()
        return True

    def _lock(self, cache: Locking, key: str) -> Generator[Step, Any, bool]:
        """Whether this host may ask."""
        token = self._kit.ids.new(self._kit.clock.now())
        ours: bool = yield Do(partial(stored.lock, cache, key, token, self._kit.lock_seconds))
        if ours:
            self._locked = cache, key, token
        return ours

    def _wait(self, flight: Flight, most: float = float("inf")) -> Generator[Step, Any, None]:
        left = self._deadline - self._kit.clock.monotonic()
        landed = left > 0 and (yield Wait(flight, min(left, most)))
        if not landed and left <= most:
            raise ProviderTimeout


@once_each
def _can_lock(kind: type) -> bool:
    """Whether caches of a class keep other hosts from asking; to ask a protocol takes longer than to read a row."""
    return issubclass(kind, Locking)
