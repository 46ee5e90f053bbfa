"""The page of the tables of the books, and its picture: structure from the code, meanings from ``tables.toml``.

A table or column without a meaning, or a meaning without one, is an error.
"""

from __future__ import annotations

import tomllib
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import CheckConstraint, UniqueConstraint

from ai_addons.billing.schema import HEAD, LEDGER_GUARDS, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Column, Table

WORDS: Final = Path(__file__).parent / "tables.toml"
_GROUPS: Final = ("Credits", "Calls", "Money", "Prices and limits", "Operation")
_INTRODUCTION: Final = (
    f"The tables of schema `{HEAD}`, as `ai-addons db upgrade` makes them on SQLite and on PostgreSQL. "
    "Read them as you like; write them through the SDK only. A whole number has 64 bits: credits are micro-credits "
    "(10^-6), cedis micro-GHS, costs pico-USD (10^-12), times UTC microseconds unless it says otherwise. Columns that "
    "may be empty have a `?` behind their type. `business_id` leads every key and there are no foreign keys, so the "
    "tables can be distributed by business."
)


def words() -> dict[str, Any]:
    """What ``tables.toml`` says.

    Raises:
        ValueError: If it and the code know different tables or columns.
    """
    said = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    for name in {*said["tables"], *metadata.tables}:
        if name not in metadata.tables or name not in said["tables"]:
            msg = f"docs/tables.toml and the schema disagree about the table {name}"
            raise ValueError(msg)
        own = {*said["tables"][name]} - {"group", "about"}
        known = {column.name for column in metadata.tables[name].columns}
        if wrong := (own - known) | (known - own - {*said["common"]}):
            msg = f"docs/tables.toml and the schema disagree about {name}: {', '.join(sorted(wrong))}"
            raise ValueError(msg)
    return said


def page() -> list[str]:
    """The parts of the page, in order."""
    said = words()
    grouped = sorted(said["tables"], key=lambda name: _GROUPS.index(said["tables"][name]["group"]))
    parts = [_INTRODUCTION, "![Which tables belong together](../pictures/tables.svg)", "## What belongs to what"]
    parts += [_joins(said["joins"])]
    parts += [
        "## What the database itself refuses",
        (
            "On SQLite every table is `STRICT`. A ledger row can be neither changed nor deleted; triggers refuse it on "
            f"{' and '.join(LEDGER_GUARDS)}. The rules of each table stand below it."
        ),
    ]
    for group, names in groupby(grouped, key=lambda name: said["tables"][name]["group"]):
        parts.append(f"## {group}")
        for name in names:
            parts += _table(metadata.tables[name], said["tables"][name], said["common"])
    return parts


def _joins(joins: Sequence[Mapping[str, Any]]) -> str:
    rows = [f"| `{join['many']}` | `{join['one']}` | {', '.join(f'`{by}`' for by in join['by'])} |" for join in joins]
    return "\n".join(["| many of | belong to one of | by |", "| --- | --- | --- |", *rows])


def _table(table: Table, own: Mapping[str, str], common: Mapping[str, str]) -> list[str]:
    """A table: what it is for, its columns, its rules."""
    rows = [
        f"| `{column.name}` | {_type(column)} | {_default(column)} | {own.get(column.name, common.get(column.name))} |"
        for column in table.columns
    ]
    head = ["| column | type | default | meaning |", "| --- | --- | --- | --- |"]
    return [f"### `{table.name}`", own["about"], "\n".join([*head, *rows]), "\n".join(_rules(table))]


def _type(column: Column[Any]) -> str:
    kind = "text" if column.type.python_type is str else "whole number"
    return f"{kind}?" if column.nullable else kind


def _default(column: Column[Any]) -> str:
    default: Any = column.server_default
    return "" if default is None else f"`{default.arg}`"


def _rules(table: Table) -> Iterator[str]:
    """Keys, checks and indexes, those of a name in the order of the name."""
    yield f"- Key: {_names(table.primary_key.columns)}"
    rules = sorted(table.constraints, key=lambda one: str(one.name))
    for rule in rules:
        if isinstance(rule, UniqueConstraint):
            yield f"- Once each: {_names(rule.columns)} (`{rule.name}`)"
    for rule in rules:
        if isinstance(rule, CheckConstraint):
            yield f"- Always: `{' '.join(str(rule.sqltext).split())}`"
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        where: Any = index.dialect_options["sqlite"]["where"]
        kind = "Once each" if index.unique else "Index"
        yield f"- {kind}: {_names(index.columns)}{'' if where is None else f', where `{where}`'} (`{index.name}`)"


def _names(columns: Any) -> str:  # noqa: ANN401  # SQLAlchemy's collections of columns share no public type
    return ", ".join(f"`{column.name}`" for column in columns)


# The picture. Tables stand in columns, one for each place below; a line leads from many to one.

_PLACES: Final[Sequence[Sequence[str]]] = (
    ("ai_feedback", "ai_call_results", "ai_usage_daily", "ai_transactions"),
    ("ai_hold_allocations", "ai_credit_holds", "ai_credit_grants", "ai_ledger"),
    ("ai_monthly_addons", "business_ai_credits", "ai_credit_purchases", "ai_clawbacks"),
    ("ai_payment_quarantine", "ai_gateway_events", "ai_payment_attempts", "ai_refunds", "ai_disputes"),
)
_WIDTH: Final = 190
_HEIGHT: Final = 46
_ACROSS: Final = 250
_DOWN: Final = 84


def picture() -> str:
    """The tables that belong together, as SVG; tables that stand alone are left out.

    Raises:
        ValueError: If a table that belongs to another one has no place, or only its partner has one.
    """
    joins = [join for join in words()["joins"] if join["many"] not in _APART]
    places = {name: (x, y) for x, column in enumerate(_PLACES) for y, name in enumerate(column)}
    if homeless := {name for join in joins for name in (join["many"], join["one"])} ^ {*places}:
        msg = f"no place in the picture, or no line to it: {', '.join(sorted(homeless))}"
        raise ValueError(msg)
    width = _ACROSS * len(_PLACES)
    height = _DOWN * max(map(len, _PLACES))
    lines = [_line(places[join["many"]], places[join["one"]]) for join in joins]
    boxes = [_box(name, place) for name, place in places.items()]
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
                'font-family="sans-serif" font-size="13">'
            ),
            "<title>Which tables belong together</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *lines,
            *boxes,
            "</svg>\n",
        ]
    )


_APART: Final = ("ai_top_ups", "ai_receipt_numbers")
"""Pairs that belong to each other and to nothing else."""


def _corner(place: tuple[int, int]) -> tuple[int, int]:
    return place[0] * _ACROSS + 30, place[1] * _DOWN + 19


def _line(many: tuple[int, int], one: tuple[int, int]) -> str:
    """From one box to the other, with a dot where the many are; around those that stand between."""
    (x1, y1), (x2, y2) = _port(many, one), _port(one, many)
    apart = abs(many[1] - one[1]) if many[0] == one[0] else 0
    bow = x1 - 10 - 8 * apart
    way = f"L{x2} {y2}" if apart < _BESIDE else f"C{bow} {y1} {bow} {y2} {x2} {y2}"
    return (
        f'<path d="M{x1} {y1} {way}" fill="none" stroke="#607d8b" stroke-width="1.5"/>'
        f'<circle cx="{x1}" cy="{y1}" r="4" fill="#607d8b"/>'
    )


_BESIDE: Final = 2
"""From this many places apart on, another box stands between two of one column."""


def _port(box: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Where a line leaves a box: at the side that faces the other one, or at the left to go around."""
    x, y = _corner(box)
    if box[0] != other[0]:
        return x + (_WIDTH if other[0] > box[0] else 0), y + _HEIGHT // 2
    if abs(box[1] - other[1]) >= _BESIDE:
        return x, y + _HEIGHT // 2
    return x + _WIDTH // 2, y + (_HEIGHT if other[1] > box[1] else 0)


def _box(name: str, place: tuple[int, int]) -> str:
    x, y = _corner(place)
    key = ", ".join(column.name for column in metadata.tables[name].primary_key.columns)
    return (
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="4" fill="#e0f2f1" stroke="#00796b"/>'
        f'<text x="{x + 8}" y="{y + 19}" font-weight="bold" fill="#111111">{escape(name)}</text>'
        f'<text x="{x + 8}" y="{y + 36}" font-size="10" fill="#333333">{escape(key)}</text>'
    )
