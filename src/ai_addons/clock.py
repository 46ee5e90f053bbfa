"""Time and ids, injected wherever they are needed so that tests decide them."""

from __future__ import annotations

import secrets
import time
from typing import Final, Protocol

_UUID7_RANDOM_BITS: Final = 62


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> int:
        """Wall time in UTC microseconds since 1970; what the books are dated by."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards; what deadlines are measured by."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait in a sync call."""
        ...

    async def asleep(self, seconds: float) -> None:
        """Wait in an async call."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Wall time in UTC microseconds since 1970."""
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in a sync call."""
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Wait in an async call."""
        import asyncio  # noqa: PLC0415  # sync hosts never pay for it

        await asyncio.sleep(seconds)


class Ids(Protocol):
    """Where ids come from."""

    def new(self, now: int) -> str:
        """A fresh id that sorts by time; ``now`` is in UTC microseconds."""
        ...


class Uuid7:
    """Time-ordered UUIDs (RFC 9562, version 7), as text."""

    def new(self, now: int) -> str:
        """A fresh UUIDv7 for this moment (``now`` in UTC microseconds)."""
        return uuid7(now, secrets.randbits(_UUID7_RANDOM_BITS))


def uuid7(now: int, random_bits: int) -> str:
    """Build a UUIDv7 (RFC 9562 section 5.7) whose order is that of time, to the microsecond.

    What is below a millisecond stands in the twelve bits after the version, as a fraction of
    it (section 6.2, method 3): the older of two grants must burn first, however soon the other came.

    Args:
        now: UTC microseconds.
        random_bits: 62 random bits.
    """
    millis, micros = divmod(now, 1_000)
    number = millis << 80 | 7 << 76 | (micros << 12) // 1_000 << 64 | 2 << 62 | random_bits
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
