"""How far long work has come, told to whoever asks for it; the work itself shows nothing to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkProgress:
    """How far one stage of some work has come.

    Attributes:
        what: What is counted, e.g. "wallets checked".
        done: How many are done.
        total: How many there were at its begin; more may be done than that. None if nobody knows.
    """

    what: str
    done: int
    total: int | None


OnProgress: TypeAlias = "Callable[[WorkProgress], object]"
"""Is told of every step of some work, in the thread that does it; what it raises ends the work."""


class Stage:
    """Counts one stage of some work, and tells whoever asked; for nobody nothing is counted beforehand.

    Args:
        tell: Is told, of the begin too; None for nobody.
        what: What is counted.
        total: Finds how many there are; None if nobody knows.
    """

    def __init__(self, tell: OnProgress | None, what: str, total: Callable[[], int] | None = None) -> None:
        self._tell = tell
        self._what = what
        self._total = None if tell is None or total is None else total()
        self._done = 0
        self.add(0)

    def add(self, several: int = 1) -> None:
        """So many more are done."""
        self._done += several
        if self._tell is not None:
            self._tell(WorkProgress(what=self._what, done=self._done, total=self._total))

    def over(self, things: Iterable[T], *, every: int = 1) -> Iterator[T]:
        """The same things one by one, each counted when the next is asked for.

        Args:
            things: What is worked on.
            every: How many are counted at a time.
        """
        count = 0
        for thing in things:
            yield thing
            count += 1
            if count == every:
                self.add(count)
                count = 0
        if count:
            self.add(count)
