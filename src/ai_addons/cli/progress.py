"""What somebody looks at who waits for a long command; on the standard error, and only on a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from ai_addons.cli import show
from ai_addons.cli.ending import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console
    from rich.progress import Task

    from ai_addons.billing.progress import WorkProgress


@contextmanager
def waiting(what: str, *, quiet: bool = False, console: Console | None = None) -> Generator[None, None, None]:
    """Show that something is being done, and for how long, where nothing of it can be counted.

    Args:
        what: What is done, e.g. "comparing with our log".
        quiet: Whether to show nothing.
        console: Where it is shown; None for the standard error.
    """
    with _bar(what, console, SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), quiet=quiet):
        yield


@contextmanager
def following(
    what: str, *, quiet: bool = False, console: Console | None = None
) -> Generator[Callable[[WorkProgress], None], None, None]:
    """Show a bar that follows some work: how many of how many, or without a total how many and how fast.

    Args:
        what: What is done, e.g. "checking the books".
        quiet: Whether to show nothing.
        console: Where it is shown; None for the standard error.

    Yields:
        What the work tells how far it has come, stage by stage.

    Raises:
        Stopped: At Ctrl-C, with how far it came, once something was told.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), CountColumn(), TimeElapsedColumn())
    last: WorkProgress | None = None
    try:
        with _bar(what, console, *columns, quiet=quiet) as bar:

            def tell(progress: WorkProgress) -> None:
                nonlocal last
                if last is None or progress.what != last.what:
                    # Each stage has a time, a speed and a total of its own, or none.
                    bar.remove_task(bar.task_ids[0])
                    bar.add_task(progress.what, total=progress.total)
                last = progress
                bar.update(bar.task_ids[0], completed=progress.done)

            yield tell
    except KeyboardInterrupt:
        if last is None:
            raise
        msg = f"{what}: {last.what}: {_told(last)}."
        raise Stopped(msg) from None


class CountColumn(ProgressColumn):
    """How many of how many; without a total how many, and how many a second."""

    def render(self, task: Task) -> Text:
        """What stands in the bar's line now."""
        done = int(task.completed)
        if task.total is not None:
            return Text(f"{done:,}/{int(task.total):,}")
        return Text(f"{done:,}" if task.speed is None else f"{done:,}, {task.speed:,.0f}/s")


def _told(progress: WorkProgress) -> str:
    return f"{progress.done} done" if progress.total is None else f"{progress.done} of {progress.total} done"


@contextmanager
def _bar(what: str, console: Console | None, *columns: ProgressColumn, quiet: bool) -> Generator[Progress, None, None]:
    out = console or show.console(stderr=True)
    with Progress(*columns, console=out, transient=True, disable=quiet or not out.is_terminal) as bar:
        bar.add_task(what, total=None)
        yield bar
