"""How answers of PostgreSQL are waited for, where the network is slow or breaks; a stand-in plays libpq."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

psycopg = pytest.importorskip("psycopg")
from psycopg import pq, waiting  # noqa: E402  # only where the driver is installed

from ai_addons.billing.sql.pipelined import _answers  # noqa: E402  # as above

if TYPE_CHECKING:
    from collections.abc import Iterator

SYNC = SimpleNamespace(status=pq.ExecStatus.PIPELINE_SYNC)
ROWS = SimpleNamespace(status=pq.ExecStatus.TUPLES_OK)


class Wire:
    """A connection whose outgoing buffer empties slowly and whose results come one by one."""

    def __init__(self, *results: Any, unsent: int = 0, status: pq.ConnStatus = pq.ConnStatus.OK) -> None:
        self._results: Iterator[Any] = iter(results)
        self._unsent = unsent
        self.status = status
        self.read = 0

    def flush(self) -> int:
        """1 as long as something is left to send."""
        self._unsent -= 1
        return int(self._unsent >= 0)

    def consume_input(self) -> None:
        """Take what has come."""
        self.read += 1

    def is_busy(self) -> bool:
        """Nothing is half-read."""
        return False

    def get_result(self) -> Any:
        """The next result; None between two statements."""
        return next(self._results, None)


def answers(wire: Wire, *ready: waiting.Ready) -> tuple[list[Any], list[waiting.Wait]]:
    """The results, and what was waited for on the way."""
    waits, states, waiter = list[waiting.Wait](), iter(ready), _answers(wire)
    try:
        waits.append(next(waiter))
        while True:
            waits.append(waiter.send(next(states)))
    except StopIteration as stop:
        return stop.value, waits


def test_answers_end_with_the_sync() -> None:
    """What separates statements is passed over, and nothing is waited for that is there."""
    assert answers(Wire(ROWS, None, ROWS, None, SYNC)) == ([ROWS, ROWS], [])


def test_a_full_outgoing_buffer_is_emptied_while_answers_are_taken_in() -> None:
    """A server that answers before it has read everything does not lock both sides."""
    wire = Wire(ROWS, None, SYNC, unsent=2)
    found, waits = answers(wire, waiting.Ready.W, waiting.Ready.R)
    assert (found, waits, wire.read) == ([ROWS], [waiting.Wait.RW, waiting.Wait.RW], 1)


def test_a_lost_connection_is_an_error_and_not_a_wait_for_ever() -> None:
    """Where no sync will ever come, the caller is told."""
    with pytest.raises(psycopg.OperationalError, match="connection was lost"):
        answers(Wire(ROWS, None, status=pq.ConnStatus.BAD))
