"""Tables and sentences as Markdown writes them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar within a cell stays one."""
    lines = [head, ("---",) * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def prose(docstring: str | None) -> str:
    """The first paragraph of a docstring on one line, its code marks as Markdown writes them."""
    return " ".join(inspect.cleandoc(docstring or "").split("\n\n")[0].split()).replace("``", "`")
