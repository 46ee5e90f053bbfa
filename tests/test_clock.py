"""Time and ids."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.clock import Clock, Ids, SystemClock, Uuid7, uuid7
from ai_addons.testing.fakes import ManualClock

MOMENT = st.integers(0, 2**48 * 1_000 - 2)
BITS = st.integers(0, 2**62 - 1)


@given(MOMENT, BITS)
def test_ids_are_version_7_uuids_of_their_moment(now: int, bits: int) -> None:
    """An id is a valid RFC 9562 UUID and its first 48 bits are the millisecond."""
    made = UUID(uuid7(now, bits))
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == now // 1_000


@given(MOMENT, MOMENT, BITS, BITS)
def test_ids_sort_by_time_as_text(first: int, second: int, some: int, other: int) -> None:
    """An id of a later moment sorts later, whatever its random part: also one of the next microsecond."""
    if first < second:
        assert uuid7(first, some) < uuid7(second, other)
    assert uuid7(first, some) < uuid7(first + 1, other)


@given(BITS, BITS)
def test_ids_use_all_their_random_bits(some: int, other: int) -> None:
    """Two ids of one microsecond are equal only if all 62 random bits are."""
    assert (uuid7(1, some) == uuid7(1, other)) == (some == other)


def test_fresh_ids_differ() -> None:
    """Thousands of ids of one moment do not collide."""
    ids: Ids = Uuid7()
    assert len({ids.new(1_790_000_000_000_000) for _ in range(5_000)}) == 5_000


@pytest.mark.anyio
async def test_the_system_clock_tells_microseconds_and_waits() -> None:
    """Wall time is in microseconds, waiting takes the time asked for, sync and async."""
    clock: Clock = SystemClock()
    assert abs(clock.now() - time.time() * 1_000_000) < 5_000_000
    started = clock.monotonic()
    clock.sleep(0.01)
    await clock.asleep(0.01)
    assert 0.02 <= clock.monotonic() - started < 5


@pytest.mark.anyio
async def test_the_manual_clock_moves_only_when_told() -> None:
    """Tests decide the time; sleeping passes it at once."""
    clock = ManualClock(now=5)
    clock.advance(1.5)
    clock.sleep(2)
    await clock.asleep(0.5)
    assert (clock.now(), clock.monotonic(), clock.slept) == (4_000_005, 4.0, [2, 0.5])
    clock.set(1)
    assert clock.now() == 1
