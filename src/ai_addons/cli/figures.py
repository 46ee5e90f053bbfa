"""Commands that show operators the figures: KPIs and what the models will cost this month."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ai_addons.addons import AddOns
from ai_addons.cli import show
from ai_addons.cli.options import DAYS
from ai_addons.money import ghs, usd

if TYPE_CHECKING:
    from decimal import Decimal

    from ai_addons.billing.forecast import SpendForecast
    from ai_addons.billing.fx_used import FxUsed
    from ai_addons.billing.kpis import Kpi, Kpis

_IDS = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@DAYS
@click.option("--ask-gateways", is_flag=True, help="Ask the payment gateways for all payments they know.")
@click.option("--active", type=_IDS, help="File with the ids of the subscribers of now, one a line.")
@click.option("--active-before", type=_IDS, help="The same of the begin of the window, for retention.")
@show.as_json
def kpis(days: int, active: Path | None, active_before: Path | None, *, ask_gateways: bool, json_out: bool) -> None:
    """Show each KPI with what it counts, its 95 % interval and its target; not for a shop's eyes."""
    ids = None if active is None else _ids(active)
    with closing(_opened(ids)) as addons:
        before = None if active_before is None else _ids(active_before)
        found = addons.kpis(days, ask_gateways=ask_gateways, active_before=before)
    if json_out:
        show.print_json(found.for_operator())
    else:
        _print_kpis(found)


@click.command()
@show.as_json
def forecast(*, json_out: bool) -> None:
    """Show what the models will have cost by the end of this month; not for a shop's eyes."""
    with closing(show.open_addons()) as addons:
        found = addons.spend_forecast()
    if json_out:
        show.print_json(found.for_operator())
    else:
        _print_forecast(found)


def print_fx(used: tuple[FxUsed, ...]) -> None:
    """Say which exchange rates costs in cedis were booked at."""
    for one in used:
        stale = ", stale" if one.stale else ""
        click.echo(
            f"{show.counted(one.calls, 'call')}, USD {usd(one.cost):f}, booked as GHS {ghs(one.cost_ghs)} "
            f"at {one.rate.normalize():f} GHS per USD ({one.source}, {one.day}{stale})"
        )


def _opened(active: frozenset[str] | None) -> AddOns:
    """The host's, or one of its settings that knows these subscribers."""
    if active is None:
        return show.open_addons()
    return AddOns(show.open_settings(), active_businesses=lambda: active)


def _ids(path: Path) -> frozenset[str]:
    return frozenset(filter(None, (line.strip() for line in path.read_text(encoding="utf-8").splitlines())))


def _print_kpis(found: Kpis) -> None:
    columns = ("figure", "of", "value", "95 %", "target", "verdict")
    rows = (
        (line.name, _counts(line), _in_unit(line, line.value), _interval(line), _target(line), line.verdict)
        for line in found.lines
    )
    title = f"KPIs, last {found.days} days"
    show.console().print(show.table(title, columns, rows, right=("of", "value", "95 %", "target")))
    for line in found.lines:
        if line.target is not None:
            click.echo(f"{line.name}: {_times(line)}{line.note}")
    print_fx(found.fx)


def _counts(line: Kpi) -> str:
    return f"{_number(line.numerator)} / {_number(line.denominator)}"


def _number(value: int | Decimal | None) -> str:
    return "-" if value is None else f"{value:f}" if not isinstance(value, int) else str(value)


def _times(line: Kpi) -> str:
    times = line.percentiles
    return "" if times is None else f"p50 {times.p50}, p95 {times.p95}, p99 {times.p99} ms. "


def _interval(line: Kpi) -> str:
    return "-" if line.interval is None else " to ".join(_in_unit(line, bound) for bound in line.interval)


def _target(line: Kpi) -> str:
    return "-" if line.target is None else f"> {_in_unit(line, line.target)}"


def _in_unit(line: Kpi, value: Decimal | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1%}" if line.unit == "share" else f"{value:.2f}"


def _print_forecast(found: SpendForecast) -> None:
    click.echo(f"{found.month}: USD {usd(found.spent):f} booked so far (GHS {ghs(found.spent_ghs)})")
    bounds = "no interval: too few days"
    if found.interval is not None:
        low, high = (f"{usd(bound):.2f}" for bound in found.interval)
        bounds = f"95 %: {low} to {high}"
    click.echo(
        f"expected at its end: USD {usd(found.expected):.2f} ({bounds}), {show.counted(found.days_left, 'day')} left"
    )
    if found.unpriced:
        click.echo(f"not in it: {show.counted(found.unpriced, 'call')} of unknown cost")
    click.echo(found.method)
