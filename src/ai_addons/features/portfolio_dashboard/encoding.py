"""How the facts are written down for the model: pipe rows and ``key=value`` lines, whole cedis, no names.

Its size depends on the number of figures and rows, never on the number of customers.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from ai_addons.features._facts import compact
from ai_addons.features.portfolio_dashboard.facts import indexed, trend_word
from ai_addons.features.portfolio_dashboard.policy import Band
from ai_addons.features.portfolio_dashboard.scores import range_of, rounded_down
from ai_addons.privacy.fields import Public

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from fractions import Fraction

    from ai_addons.features._result import Fact
    from ai_addons.features.portfolio_dashboard.facts import Briefing
    from ai_addons.features.portfolio_dashboard.kpis import Unit
    from ai_addons.features.portfolio_dashboard.models import PortfolioFigures
    from ai_addons.features.portfolio_dashboard.policy import DashboardPolicy, Scale
    from ai_addons.features.portfolio_dashboard.scores import Board, Scored

_WHOLE: Final = Decimal(1)
# Letter of the reference, what the rows are, their columns.
_TABLES: Final = (
    ("S", "storefronts", ("share", "change", "margin")),
    ("K", "categories", ("share", "change", "margin")),
    ("C", "customers", ("overdue", "days", "unpaid", "action")),
)


class DashboardData(BaseModel):
    """What is sent: texts made by code, nothing of a person."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    areas: Annotated[str, Public]
    """Worst first."""
    kpis: Annotated[str, Public]
    more: Annotated[str, Public]
    rows: Annotated[str, Public]
    alerts: Annotated[str, Public]
    months: Annotated[str, Public]


def encoded(figures: PortfolioFigures, policy: DashboardPolicy, board: Board, brief: Briefing) -> DashboardData:
    """Everything that may be cited, and two indexed series to read a course from."""
    return DashboardData(
        areas=_lines(_areas(board)),
        kpis=_lines(_kpis(policy, board, brief)),
        more=_lines(_more(brief)),
        rows=_lines(_rows(brief)),
        alerts=_lines(_alerts(board, brief)),
        months=_lines(f"{key}|{'|'.join(map(str, points))}" for key, _, points in indexed(figures)),
    )


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def cell(fact: Fact) -> str:
    """A value as it stands in a row: whole days, counts without commas, else as all features tell it."""
    if fact.kind == "days" and isinstance(fact.value, Decimal):
        return f"{fact.value.quantize(_WHOLE, ROUND_HALF_UP) + 0:f}"
    return compact(fact).replace(",", "") if fact.kind == "count" else compact(fact)


def _areas(board: Board) -> Iterator[str]:
    yield "area|score|status"
    if board.health is not None:
        yield f"health|{_points(board.health)}|{board.status}"
    for part in board.areas:
        yield f"{part.area}|{_points(part.score)}|{part.status}"


def _points(score: Fraction) -> str:
    return f"{int(rounded_down(score))}"


def _kpis(policy: DashboardPolicy, board: Board, brief: Briefing) -> Iterator[str]:
    yield "key|value|trend|score|status|bad to good|what"
    for kpi in board.kpis:
        if kpi.measure.key in brief.facts:
            yield _kpi(kpi, brief.facts[kpi.measure.key], policy)


def _kpi(kpi: Scored, fact: Fact, policy: DashboardPolicy) -> str:
    scored = ("", "", "")
    if kpi.score is not None:
        scored = (_points(kpi.score), kpi.status or "", _ends(range_of(kpi.measure, policy), kpi.measure.unit))
    return "|".join((fact.key, cell(fact), trend_word(kpi.measure) or "", *scored, fact.label))


def _ends(within: Scale | Band, unit: Unit) -> str:
    """The ends of a range, in the unit of the value beside it."""
    if isinstance(within, Band):
        return f"good {_end(within.low, unit)} to {_end(within.high, unit)}"
    return f"{_end(within.bad, unit)} to {_end(within.good, unit)}"


def _end(value: Decimal, unit: Unit) -> str:
    shown = value if unit in {"days", "day_change"} else value * 100
    return f"{shown.normalize():f}"


def _more(brief: Briefing) -> Iterator[str]:
    for key, fact in brief.facts.items():
        if key.partition(".")[0] in {"ageing", "roll", "segment", "spend"}:
            yield f"{key}={cell(fact)}"


def _rows(brief: Briefing) -> Iterator[str]:
    for letter, name, columns in _TABLES:
        refs = [key for key in brief.facts if _is_row(key, letter)]
        if refs:
            yield "|".join((name, *columns))
            yield from (_row(ref, columns, brief) for ref in refs)


def _is_row(key: str, letter: str) -> bool:
    return len(key) == len(letter) + 1 and key.isupper() and key.startswith(letter)


def _row(ref: str, columns: Sequence[str], brief: Briefing) -> str:
    cells = (brief.facts.get(f"{ref}.{column}") for column in columns)
    return "|".join((ref, *("" if fact is None else cell(fact) for fact in cells)))


def _alerts(board: Board, brief: Briefing) -> Iterator[str]:
    for key, alarm in zip(brief.alerts, board.alarms, strict=False):
        yield f"{key}|{alarm.severity}|{alarm.scored.measure.key}"
