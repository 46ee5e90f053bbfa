"""The bar that somebody who waits for a batch looks at."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console

    from ai_addons.batch import BatchProgress


@contextmanager
def shown(
    on_progress: Callable[[BatchProgress], object] | None, *, wanted: bool, console: Console | None = None
) -> Generator[Callable[[BatchProgress], object] | None, None, None]:
    """Show a bar while a batch runs, if one is wanted and somebody can see it.

    Args:
        on_progress: Who else is told.
        wanted: Whether a bar is wanted.
        console: Where it is shown; None for standard error.

    Yields:
        What is to be told of every call that ends; None if nobody wants to know.
    """
    if not wanted or not (sys.stderr.isatty() if console is None else console.is_terminal):
        yield on_progress
        return
    from rich.console import Console  # noqa: PLC0415  # hosts without a terminal never load it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console or Console(stderr=True)) as bar:
        task = bar.add_task("0 credits", total=None)

        def tell(progress: BatchProgress) -> None:
            charged = f"{progress.charged.short} credits"
            bar.update(task, completed=progress.done, total=progress.total, description=charged)
            if on_progress is not None:
                on_progress(progress)

        yield tell
