"""What is wrong with a table, in words for whoever supplied it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """One cell, or one row, that cannot be used. It never holds a value of a private column.

    Attributes:
        row: Where the row begins: the line of a file, counted from 1 with its heading, else the place from 1.
        column: Heading of the column; empty where the whole row is meant.
        wrong: What is wrong and what is allowed.
    """

    row: int
    column: str
    wrong: str

    def __str__(self) -> str:
        """One line of a list of errors."""
        return f"row {self.row}, {self.column}: {self.wrong}" if self.column else f"row {self.row}: {self.wrong}"


class BadTable(ValueError):
    """A table cannot be read; none of it was used.

    Attributes:
        errors: The first errors of rows, in order; empty where the table as a whole is wrong.
        total: How many there are, also beyond those kept.
    """

    errors: tuple[RowError, ...]
    total: int

    def __init__(self, message: str, *, errors: Sequence[RowError] = (), total: int = 0) -> None:
        super().__init__(message)
        self.errors = tuple(errors)
        self.total = total


def bad_rows(errors: Sequence[RowError], total: int, *, bad: int, read: int) -> BadTable:
    """The refusal of a table with bad rows, its errors one a line."""
    more = [f"and {total - len(errors)} more"] if total > len(errors) else []
    lines = "\n".join([*map(str, errors), *more])
    return BadTable(f"{bad} of {read} rows cannot be used:\n{lines}", errors=errors, total=total)
