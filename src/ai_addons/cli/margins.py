"""`ai-addons margins`: what was earned, by feature, by pack and by business."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import click

from ai_addons.billing.fx_used import SHOWN_AT
from ai_addons.cli import show
from ai_addons.cli.figures import print_fx
from ai_addons.cli.options import DAYS
from ai_addons.money import ghs, usd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from ai_addons.billing.margin import MarginLine, MarginTable
    from ai_addons.billing.margin_report import MarginReport, MarginRow

_NAMES: Final = ("feature", "pack", "business")


@click.command()
@click.argument("business", required=False)
@DAYS
@click.option(
    "--by",
    type=click.Choice(_NAMES),
    multiple=True,
    help="Add up by this, by the grants that paid; may be given several times.",
)
@click.option("--losers", type=click.IntRange(min=1), help="Show only so many rows that lost most.")
@show.as_json
def margins(business: str | None, days: int, by: tuple[str, ...], losers: int | None, *, json_out: bool) -> None:
    """Show what each feature earned, from BUSINESS or from all; not for a shop's eyes."""
    with closing(show.open_addons()) as addons:
        if by or losers is not None:
            report = addons.margin_report(days, business=business)
            rows = _chosen(report, by, losers)
            if json_out:
                show.print_json({**report.for_operator(), "rows": [row.plain() for row in rows]})
            else:
                _print_report(business, report, rows, [name for name in _NAMES if not by or name in by])
            return
        table = addons.margins(business, days)
    if json_out:
        show.print_json({"lines": [_margin(line) for line in table.lines], "total": _margin(table.total)})
    else:
        _print_margins(business, days, table)


def _chosen(report: MarginReport, by: tuple[str, ...], losers: int | None) -> tuple[MarginRow, ...]:
    rows = report.by(*by) if by else report.rows
    if losers is None:
        return rows
    return tuple(sorted((row for row in rows if row.profit < 0), key=lambda row: row.profit)[:losers])


def _print_report(business: str | None, report: MarginReport, rows: Iterable[MarginRow], names: Sequence[str]) -> None:
    at = tuple(f"at {rate:f}" for rate in SHOWN_AT)
    amounts = ("revenue GHS", "fee", "cost GHS", "cost USD", "margin", *at)
    title = f"Margins of {business or 'all businesses'}, last {report.days} days"
    lines = [[*(getattr(row, name) or "-" for name in names), *_amounts(row)] for row in rows]
    lines.append(["total", *[""] * (len(names) - 1), *_amounts(report.total)])
    show.console().print(show.table(title, (*names, *amounts), lines, right=amounts))
    click.echo("Margins at other rates: had all cost been booked at so many cedis for a dollar.")
    print_fx(report.fx)


def _amounts(row: MarginRow) -> tuple[str, ...]:
    return (
        f"{ghs(row.revenue):.2f}",
        f"{ghs(row.fee):.2f}",
        f"{ghs(row.cost):.4f}",
        f"{usd(row.cost_usd):.4f}",
        _percent(row.margin),
        *(_percent(row.margin_at(rate)) for rate in SHOWN_AT),
    )


def _print_margins(business: str | None, days: int, table: MarginTable) -> None:
    columns = ("feature", "calls", "credits", "revenue GHS", "fee", "cost", "cost unknown", "margin")
    rows = (_margin_row(line) for line in (*table.lines, table.total))
    title = f"Margins of {business or 'all businesses'}, last {days} days"
    show.console().print(show.table(title, columns, rows, right=columns[1:]))


def _margin_row(line: MarginLine) -> tuple[str, ...]:
    return (
        line.feature or "total",
        str(line.calls),
        line.credits.short,
        str(ghs(line.revenue)),
        str(ghs(line.fee)),
        str(ghs(line.cost)),
        str(line.unpriced),
        _percent(line.margin),
    )


def _percent(margin: Decimal | None) -> str:
    return "-" if margin is None else f"{margin:.1%}"


def _margin(line: MarginLine) -> dict[str, Any]:
    """A line for machines: cedis as decimal strings, like every amount."""
    cedis = {f"{name}_ghs": str(ghs(getattr(line, name))) for name in ("revenue", "tax", "fee", "cost")}
    kept = ("feature", "calls", "credits", "unpriced", "margin")
    return {**{name: getattr(line, name) for name in kept}, **cedis}
