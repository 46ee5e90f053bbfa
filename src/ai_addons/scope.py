"""Who pays, and who collects the receipts, for the code that runs inside a ``with`` block."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Payer:
    """The business whose credits are held, and the user who asked."""

    business: str
    user: str | None = None


class Scope(Generic[T]):
    """A value that holds inside a ``with`` block, per thread and per task.

    It is restored by value: a reset token crashes when the block is left in
    another context, as happens across asgiref's sync and async hops.
    """

    def __init__(self, name: str, outside: T) -> None:
        self._outside = outside
        self._current: ContextVar[T] = ContextVar(name, default=outside)

    def get(self) -> T:
        """The value of the innermost block."""
        return self._current.get()

    @contextmanager
    def set(self, value: T) -> Generator[T, None, None]:
        """Use this value inside the block."""
        before = self._current.get()
        self._current.set(value)
        try:
            yield value
        finally:
            self._current.set(before)
