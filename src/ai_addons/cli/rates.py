"""`ai-addons rates`: the exchange rate that costs are booked with, where it comes from, how old it is."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from ai_addons.cli import show
from ai_addons.cli.exits import Exit, finds

if TYPE_CHECKING:
    from ai_addons.billing.fx.desk import RateView


@click.group(invoke_without_command=True)
@show.as_json
@click.pass_context
def rates(context: click.Context, *, json_out: bool) -> None:
    """Show the exchange rate that costs are booked with: its source, its age, and rates that wait for a word."""
    if context.invoked_subcommand is None:
        _show(json_out=json_out)


def _show(*, json_out: bool) -> None:
    with closing(show.open_addons()) as addons:
        view = addons.rates.view()
    if json_out:
        show.print_json(view)
    else:
        _print(view)


@rates.command(epilog=finds("if sources were asked and none gave a good rate"))
@show.as_json
def refresh(*, json_out: bool) -> None:
    """Ask the sources now, and take a good rate."""
    with closing(show.open_addons()) as addons:
        asked = addons.rates.refresh(force=True)
        view = addons.rates.view()
    if json_out:
        show.print_json({"asked": [{"source": a.source, "outcome": a.outcome, "fault": a.fault} for a in asked]})
    else:
        for one in asked:
            click.echo(f"{one.source}: {one.outcome}" + (f", {one.fault}" if one.fault else ""))
        if not asked:
            click.echo("No source was asked: fx.sources names none but `static`.")
        _print(view)
    if asked and all(one.outcome != "good" for one in asked):
        raise SystemExit(Exit.FINDINGS)


@rates.command()
@click.argument("rate")
@click.option("--actor", required=True, help="Who decided; kept in the audit log.")
@click.option("--reason", required=True, help="Why; kept in the audit log.")
@show.as_json
def confirm(rate: str, actor: str, reason: str, *, json_out: bool) -> None:
    """Take the refused RATE for good. Type the number itself, as `ai-addons rates` shows it."""
    with closing(show.open_addons()) as addons:
        taken = addons.rates.confirm(rate, actor=actor, reason=reason)
    if json_out:
        show.print_json(taken)
    else:
        click.echo(f"GHS {taken.rate:f} per USD from {taken.source}, as of {taken.as_of}, is taken from now on")


def _print(view: RateView) -> None:
    state = "stale" if view.stale else "old" if view.old else "fresh"
    click.echo(
        f"GHS {view.rate.rate:f} per USD from {view.rate.source}, as of {view.rate.as_of} "
        f"({view.age_days} days ago): {state}"
    )
    click.echo(f"Sources: {', '.join(view.sources)}")
    if view.waiting:
        rows = ((rate.source, f"{rate.rate:f}", str(rate.as_of), fault) for rate, fault in view.waiting)
        columns = ("source", "rate", "as of", "why")
        show.console().print(show.table("Refused until `ai-addons rates confirm RATE`", columns, rows, right=("rate",)))
