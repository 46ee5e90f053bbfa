"""Stand-ins that tests steer: time, ids, and a model with scripted answers."""

from __future__ import annotations

import threading
from typing import Final

_START: Final = 1_790_000_000_000_000


class ManualClock:
    """A clock that moves only when told to, or when somebody sleeps on it.

    Args:
        now: Wall time to start from, UTC microseconds (default: September 2026).
    """

    def __init__(self, now: int = _START) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._monotonic = 0.0
        self.slept: list[float] = []

    def now(self) -> int:
        """Wall time in UTC microseconds."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += round(seconds * 1_000_000)
            self._monotonic += seconds

    def set(self, now: int) -> None:
        """Set the wall clock, also backwards, as an administrator might."""
        self._now = now

    def sleep(self, seconds: float) -> None:
        """Pass the time at once and remember how long was asked for."""
        self.slept.append(seconds)
        self.advance(seconds)

    async def asleep(self, seconds: float) -> None:
        """The same for an async call."""
        self.sleep(seconds)
