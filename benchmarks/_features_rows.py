"""What the benchmarks of the features share: one figure of one method, and how figures become lines of an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure.

    Attributes:
        what: What was measured.
        method: How it was reached; empty where there is only one way.
        figure: Measured here.
        reference: The reference's figure, None where it has none.
        unit: Of both; empty for a ratio or a number.
        digits: How many digits after the point the reference gives.
    """

    what: str
    method: str = ""
    figure: float | Decimal
    reference: float | Decimal | None = None
    unit: str = ""
    digits: int = 3

    @property
    def half(self) -> float:
        """Half of the last digit that the reference gives, and a hair for the rounding of floats."""
        return 0.5001 * 0.1**self.digits if self.digits else 0.0

    def agrees(self) -> bool:
        """Whether it is the reference's figure, to the last digit that this is given to."""
        return self.reference is not None and abs(float(self.figure) - float(self.reference)) <= self.half

    def text(self) -> str:
        """The figure, the reference's in brackets behind it."""
        there = "" if self.reference is None else f" ({self._shown(self.reference)})"
        return f"{self._shown(self.figure)}{there}"

    def _shown(self, figure: float | Decimal) -> str:
        return f"{figure:,.{self.digits}f}{self.unit and ' '}{self.unit}"


def by_method(rows: Iterable[Row], what: str) -> dict[str, Row]:
    """The figures of one measure, by their methods."""
    return {row.method: row for row in rows if row.what == what}


def same(rows: Sequence[Row]) -> list[Result]:
    """Figures that are right if they are the reference's."""
    return [
        Result(
            what=row.what,
            ours=row.text(),
            goal="the reference's figure" if row.reference is not None else "",
            met=None if row.reference is None else row.agrees(),
        )
        for row in rows
    ]


def above(rows: Iterable[Row], what: str, ours: str, *, goal: float | Decimal | None = None) -> Result:
    """Our method beside the simple ones, more being better.

    Args:
        rows: Figures of every method.
        what: Which measure.
        ours: Our method.
        goal: What ours must reach, to the digits it is given to; None to be above every other method.
    """
    found = by_method(rows, what)
    own = found.pop(ours)
    if goal is None:
        words, met = "above each of them", all(own.figure > row.figure for row in found.values())
    else:
        words, met = f">= {goal}", float(own.figure) >= float(goal) - own.half
    return _line(what, own, found.values(), words, met=met)


def below(rows: Iterable[Row], what: str, ours: str, *, goal: float) -> Result:
    """The same where less is better."""
    found = by_method(rows, what)
    own = found.pop(ours)
    return _line(what, own, found.values(), f"<= {goal:,g}", met=own.figure <= goal + own.half)


def shown(rows: Iterable[Row], what: str, ours: str) -> Result:
    """The same without a goal."""
    found = by_method(rows, what)
    return _line(what, found.pop(ours), found.values(), "", met=None)


def _line(what: str, own: Row, others: Iterable[Row], goal: str, *, met: bool | None) -> Result:
    return Result(
        what=what,
        ours=f"{own.method} {own.text()}",
        yardstick="; ".join(f"{row.method} {row.text()}" for row in others),
        figure=float(own.figure),
        unit=own.unit,
        goal=goal,
        met=met,
    )
