"""Who may write next: one queue for the threads of a process, one file lock for all processes.

SQLite's own busy handler sleeps and tries again, so under load one process in
32 starves while another writes thousands of times. A queue hands the turn on
in order of arrival.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import Final

try:
    import fcntl
except ImportError:  # pragma: no cover  # Windows; there SQLite's own busy handler waits
    fcntl = None  # type: ignore[assignment]  # the one module that may be missing

_PRIVATE: Final = 0o600


class FairLock:
    """A lock that is handed to whoever has waited longest."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def acquire(self, timeout: float) -> bool:
        """Wait for the turn; False if it did not come in so many seconds."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            came = turn.acquire(timeout=timeout)
        except BaseException:
            # Raised out of a signal: the turn must not be handed to somebody who does not wait any more.
            if self._comes_too_late(turn):
                self.release()
            raise
        return came or self._comes_too_late(turn)

    def _comes_too_late(self, turn: threading.Lock) -> bool:
        """Wait no longer; whether the turn came all the same, between the end of the wait and here."""
        with self._guard:
            if turn not in self._waiting:
                return True
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Hand the turn to the next in line."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


class FileGate:
    """A lock between processes, on an empty file beside the database; does nothing where there are no such locks.

    The kernel wakes those who wait in the order they came. A process that dies
    lets go of it by dying. There is no time-out: whoever is in holds SQLite's
    write lock as well, which nobody could take either.

    Args:
        path: The file; None for a database that no other process can see.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: int | None = None

    def enter(self) -> None:
        """Wait for the lock and take it.

        Raises:
            OSError: If the file cannot be made.
        """
        if self._path is None or fcntl is None:
            return
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def leave(self) -> None:
        """Let go of the lock; closed meanwhile, the file took it along."""
        if self._file is not None and fcntl is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file; the next turn opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
