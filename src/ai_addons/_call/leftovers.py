"""Calls that ended while the database was away, told to whoever reads a host's log.

An outage fails every call, and a line for each would bury the log. What they leave behind mends itself, so one line a
minute says how many there were, who was charged and what to do; the calls themselves are named at ``DEBUG``.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from ai_addons.billing.records import Hold
    from ai_addons.clock import Clock

logger: Final = logging.getLogger("ai_addons")

_QUIET: Final = 60.0
"""Seconds between two lines."""
_MICROSECONDS: Final = 1_000_000


class Leftovers:
    """Counts the calls of one `AddOns` that could not be closed in the books.

    Args:
        clock: Tells when the last line was, and how long a hold has left.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._untold = 0
        self._quiet_until = float("-inf")

    def add(self, ids: Collection[str], holds: Collection[Hold]) -> None:
        """Note that calls could not be closed.

        Args:
            ids: Of the calls.
            holds: What they held; a call that held nothing has none.
        """
        logger.debug("not closed in the books, for the database was away: %s", ", ".join(ids))
        count = self._count(len(ids))
        if not count:
            return
        left = max((hold.expires_at - self._clock.now() for hold in holds), default=0) // _MICROSECONDS
        logger.warning(
            "the database was away when %d call%s ended. What is not in the call log is not charged, and what a model "
            "cost for it is not counted. Credits that are still held are free again by themselves, in at most %d s. "
            "Bring the database back; nothing else is to be done.",
            count,
            "" if count == 1 else "s",
            max(0, left),
        )

    def _count(self, calls: int) -> int:
        """How many calls a line is due for; 0 if none is due now."""
        with self._lock:
            self._untold += calls
            now = self._clock.monotonic()
            if now < self._quiet_until:
                return 0
            told, self._untold, self._quiet_until = self._untold, 0, now + _QUIET
            return told
