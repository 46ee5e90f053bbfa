"""Tidies up after LiteLLM, so that a test run which turns warnings into errors stays green.

Its sync path takes the thread's event loop, or makes one that nobody closes; its async
path keeps a connection for each loop that ever was. Python then warns of both, some
time later, in a test that has nothing to do with it.
"""

from __future__ import annotations

import asyncio
import gc
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Generator


@contextmanager
def own_loop() -> Generator[None]:
    """Give the block a loop of its own, closed at its end, and put back the one before it."""
    with _quiet():
        before = _current()
        own = asyncio.new_event_loop()
        asyncio.set_event_loop(own)
    try:
        yield
    finally:
        own.close()
        with _quiet():
            asyncio.set_event_loop(before)


def collect_connections() -> None:
    """Collect what loops that ended have left open, while nobody is told."""
    with _quiet():
        gc.collect()


def _current() -> AbstractEventLoop | None:
    """The thread's loop, without making one where there is none."""
    # Deprecated from 3.14 on, and the only way to ask that can be kept from making one.
    policy = asyncio.get_event_loop_policy()  # pyright: ignore[reportDeprecated]  # see above
    with mock.patch.object(policy, "new_event_loop", side_effect=RuntimeError):
        try:
            return policy.get_event_loop()
        except RuntimeError:
            return None


@contextmanager
def _quiet() -> Generator[None]:
    """Newer Pythons warn of the very questions this module has to ask."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
