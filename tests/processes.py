"""Processes of their own, forked from one that has loaded the package: to load it takes most of a second each time.

They share nothing with the tests' process but two pipes, and are killed as any other. The one they come from is started
with the first of them, and ends with the tests.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from contextlib import AbstractContextManager
from functools import cache
from multiprocessing import forkserver
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

_LOADED: Final = [
    "tests.batch_child",
    "tests.books_child",
    "tests.cache_child",
    "tests.outbox_child",
    "tests.payments_child",
    "tests.stream_child",
    "tests.together_child",
]


@cache
def _context() -> Any:
    if not hasattr(os, "fork"):
        return multiprocessing.get_context("spawn")
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    with pytest.MonkeyPatch.context() as patch:
        # Coverage would watch all that come from it, and learn nothing of those that are killed.
        for name in [name for name in os.environ if name.startswith("COVERAGE_PROCESS")]:
            patch.delenv(name)
        forkserver.ensure_running()
    return context


class Child(AbstractContextManager["Child"]):
    """A process that does some work, and is killed at the end of the block if it goes on.

    Args:
        work: A function of a module; what it prints is to be read from ``stdout``, errors too, and it reads what is
            written to ``stdin``.
        *arguments: What it is called with.
    """

    def __init__(self, work: Callable[..., object], *arguments: object) -> None:
        context = _context()
        given, write = context.Pipe(duplex=False)
        read, told = context.Pipe(duplex=False)
        self.stdin = os.fdopen(os.dup(write.fileno()), "w")
        self.stdout = os.fdopen(os.dup(read.fileno()))
        self._process = context.Process(target=_work, args=(work, arguments, given, told), daemon=True)
        self._process.start()
        for end in (given, write, read, told):
            end.close()

    @property
    def returncode(self) -> int | None:
        """Minus the signal that killed it; None while it works."""
        code: int | None = self._process.exitcode
        return code

    def kill(self) -> None:
        """End it the hard way."""
        self._process.kill()

    def rest(self, timeout: float = 100) -> str:
        """Wait for its end; what else it said.

        Args:
            timeout: Seconds that it may take to end once its output has.
        """
        said = self.stdout.read()
        self._process.join(timeout)
        self.stdout.close()
        self.stdin.close()
        return said

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""
        if not self.stdout.closed:
            self.kill()
            self.rest()
        self._process.close()


def _work(work: Callable[..., object], arguments: tuple[object, ...], given: Connection, told: Connection) -> None:
    sys.stdin, sys.stdout = os.fdopen(given.fileno(), closefd=False), os.fdopen(told.fileno(), "w", closefd=False)
    sys.stderr = sys.stdout
    try:
        work(*arguments)
    finally:
        sys.stdout.flush()
