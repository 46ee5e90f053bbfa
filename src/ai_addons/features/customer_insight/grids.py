"""Figures of a pack as facts, and as rows: sent divided by pipes, shown as a table."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features import _facts
from ai_addons.features._facts import compact, letters
from ai_addons.features._names import named
from ai_addons.features.customer_insight.models import MOST_ROWS, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ai_addons.features._result import Fact
    from ai_addons.features.customer_insight.groups import Group, Person

_PESEWA: Final = Decimal("0.01")
_DASH: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row: its name in the prompt, what it is for people, and its facts by column."""

    name: str
    label: Fact | str
    cells: tuple[Fact | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Rows with the same columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def facts(self) -> Iterator[Fact]:
        """All facts in it."""
        for row in self.rows:
            if not isinstance(row.label, str):
                yield row.label
            yield from (cell for cell in row.cells if cell is not None)

    def sent(self) -> str:
        """The rows as they are sent, nothing in them that the tenant named."""
        lines = [
            "|".join((row.name, *("" if cell is None else compact(cell) for cell in row.cells))) for row in self.rows
        ]
        return "\n".join(("|".join(("id", *self.columns)), *lines))

    def table(self) -> Table:
        """The rows as they are shown."""
        return Table(
            columns=(self.title, *(column.replace("_", " ") for column in self.columns)),
            rows=tuple(
                (_label(row), *(_DASH if cell is None else cell.text for cell in row.cells)) for row in self.rows
            ),
        )


def _label(row: Row) -> str:
    """The name as it was typed: a table has to say which row is meant, and is no sentence."""
    return row.label if isinstance(row.label, str) else str(row.label.value)


def amount(key: str, label: str, value: Decimal) -> Fact:
    """An amount, to the pesewa."""
    return _facts.money(key, label, value.quantize(_PESEWA, ROUND_HALF_UP) + 0)


def share(key: str, label: str, part: Decimal | int, whole: Decimal | int) -> Fact | None:
    """A part of a whole; None where the whole is not above zero."""
    return _facts.percent(key, label, Decimal(part) / whole) if whole > 0 else None


def people_grid(people: Sequence[Person]) -> Grid:
    """At most ten customers, named CA, CB and so on."""
    return Grid(
        title="customer",
        columns=("spend", "visits", "days_since"),
        rows=tuple(_person(f"C{letters(place)}", one) for place, one in enumerate(people[:MOST_ROWS])),
    )


def _person(name: str, one: Person) -> Row:
    return Row(
        name=name,
        label=named(name, "customer", one.ref),
        cells=(
            amount(f"{name}.spend", "their spend", one.spend),
            _facts.count(f"{name}.visits", "days on which they bought", one.purchases),
            _facts.days(f"{name}.days_since", "days since they last bought", Decimal(one.days_since)),
        ),
    )


def segment_grid(groups: Iterable[Group], spend: Decimal, smallest: int) -> Grid:
    """A row for each segment; one with too few customers says only that it is small."""
    return Grid(
        title="segment",
        columns=("customers", "spend", "spend_share"),
        rows=tuple(_segment(group, spend, shown=group.customers >= smallest) for group in groups),
    )


def _segment(group: Group, spend: Decimal, *, shown: bool) -> Row:
    name = group.segment
    cells = (
        _facts.count(f"{name}.customers", f"{name.replace('_', ' ')} customers", group.customers),
        amount(f"{name}.spend", "their spend", group.spend),
        share(f"{name}.spend_share", "their share of spend", group.spend, spend),
    )
    return Row(name=name, label=name.replace("_", " "), cells=cells if shown else (None, None, None))


def totals_table(facts: Mapping[str, Fact]) -> Table:
    """Single figures as a table of two columns."""
    return Table(columns=("figure", "value"), rows=tuple((fact.label, fact.text) for fact in facts.values()))
