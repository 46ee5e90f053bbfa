"""Identical questions in flight: the first caller asks, the others wait for what it brings.

A flight belongs to one process. It lands with the answer, as it is stored, or
without one: then the first of those who waited leads the next flight. So a
leader's failure or cancellation reaches nobody else. Threads and tasks wait for
the same flight, each as long as it likes.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class Flight:
    """One question that somebody asks just now; one that nobody leads is a pause.

    Attributes:
        text: The answer as it is stored, once it landed with one.
    """

    __slots__ = ("_landed", "text")

    def __init__(self) -> None:
        self.text: str | None = None
        self._landed: Future[None] = Future()
        # From here on nobody who waits can cancel it under the others.
        self._landed.set_running_or_notify_cancel()

    def wait(self, seconds: float) -> bool:
        """Block until it lands; False if it did not in so many seconds."""
        try:
            self._landed.result(seconds)
        except FutureTimeoutError:
            return False
        return True

    async def async_wait(self, seconds: float) -> bool:
        """The same on the event loop; cancelling one who waits touches nobody else."""
        landed = asyncio.wrap_future(self._landed)
        try:
            done, _ = await asyncio.wait((landed,), timeout=seconds)
        finally:
            # A loop that is closed meanwhile must not be told.
            landed.cancel()
        return bool(done)

    def land(self, text: str | None) -> None:
        """Let everybody go on who waits."""
        self.text = text
        self._landed.set_result(None)


class Flights:
    """The flights of one process, by the name of the answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._open: dict[str, Flight] = {}

    def join(self, key: str) -> tuple[Flight, bool]:
        """Take part in a question: its flight, and whether the caller leads it and so must `land` it."""
        with self._lock:
            known = self._open.get(key)
            if known is not None:
                return known, False
            self._open[key] = made = Flight()
            return made, True

    def land(self, key: str, flight: Flight, text: str | None) -> None:
        """End a flight that the caller leads."""
        with self._lock:
            del self._open[key]
        flight.land(text)

    @contextmanager
    def alone(self) -> Generator[None, None, None]:
        """Read and write an entry in one go: many who waited write theirs at the same time."""
        with self._writing:
            yield
