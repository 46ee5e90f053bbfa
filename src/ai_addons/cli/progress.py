"""What somebody looks at who waits for a long command; on the standard error, and only on a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ai_addons.cli import show
from ai_addons.cli.ending import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from rich.console import Console
    from rich.progress import ProgressColumn


def _nobody() -> None:
    """Nobody looks."""


@contextmanager
def waiting(what: str, *, console: Console | None = None) -> Generator[None, None, None]:
    """Show that something is being done, and for how long, where its length is not known.

    Args:
        what: What is done, e.g. "checking the books".
        console: Where it is shown; None for the standard error.
    """
    with _bar(what, console, SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()):
        yield


@contextmanager
def counting(total: int | None, what: str, *, console: Console | None = None) -> Generator[Count, None, None]:
    """Show a bar that follows what is counted; without a total, the count alone.

    Args:
        total: How many there will be; None if nobody knows.
        what: What is counted, e.g. "daily sums made anew".
        console: Where it is shown; None for the standard error.

    Yields:
        What is told of each one done.

    Raises:
        Stopped: At Ctrl-C, with how far it came.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    count = Count(total)
    try:
        with _bar(what, console, *columns, total=total) as bar:
            count.follow = lambda: bar.update(bar.task_ids[0], completed=count.done)
            yield count
    except KeyboardInterrupt:
        msg = f"{what}: {count.told}."
        raise Stopped(msg) from None


@dataclass(slots=True)
class Count:
    """How many are done."""

    total: int | None
    done: int = 0
    follow: Callable[[], None] = _nobody

    def add(self, several: int = 1) -> None:
        """So many more are done."""
        self.done += several
        self.follow()

    @property
    def told(self) -> str:
        """For people."""
        return f"{self.done} done" if self.total is None else f"{self.done} of {self.total} done"


class CountedFile(TextIOWrapper):
    """A new text file whose lines are counted as they are written.

    Args:
        path: Where; there must be no such file.
        count: Told of every line.

    Raises:
        OSError: If the file is there already, or cannot be made.
    """

    def __init__(self, path: Path, count: Count) -> None:
        super().__init__(path.open("xb"), encoding="utf-8", newline="")
        self._count = count

    def write(self, text: str, /) -> int:
        """Write some text."""
        self._count.add(text.count("\n"))
        return super().write(text)


@contextmanager
def _bar(
    what: str, console: Console | None, *columns: ProgressColumn, total: int | None = None
) -> Generator[Progress, None, None]:
    out = console or show.console(stderr=True)
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        bar.add_task(what, total=total)
        yield bar
