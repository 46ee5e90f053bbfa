"""`ai-addons check`: what is configured, and what is missing."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from ai_addons.cli import show
from ai_addons.cli.checkup import examine_setup
from ai_addons.cli.exits import Exit, finds
from ai_addons.cli.modules import MODULES, import_all

if TYPE_CHECKING:
    from ai_addons.cli.checkup import Checkup


@click.command(epilog=finds("if anything must be mended before features are sold"))
@MODULES
@show.as_json
def check(modules: tuple[str, ...], *, json_out: bool) -> None:
    """Explain what is configured, what is missing, and what each feature costs and earns."""
    import_all(modules)
    with closing(show.open_addons()) as addons:
        checkup = examine_setup(addons)
    if json_out:
        show.print_json(checkup)
    else:
        _print_checkup(checkup)
    if not checkup.ok:
        raise SystemExit(Exit.FINDINGS)


def _print_checkup(checkup: Checkup) -> None:
    out = show.console()
    out.print(show.table("Set-up", ("part", "is"), checkup.parts))
    columns = ("feature", "credits", "models, in order", "costs GHS", "margin at 0.50")
    rows = ((f.key, f.credits, "\n".join(f.route), f.cost_ghs or "-", f.margin or "-") for f in checkup.features)
    out.print(show.table("Features", columns, rows, right=("credits", "costs GHS", "margin at 0.50")))
    out.print(
        "[dim]Cost of a typical call at the configured rate. Margin: after a quarter for extra attempts and "
        "1.95 % payment fee, with a credit at GHS 0.50.[/]"
    )
    for finding in checkup.findings:
        color = {"error": "red", "warning": "yellow"}[finding.level]
        out.print(f"[{color}]{finding.level}[/] ", end="")
        click.echo(finding.text)
    out.print("[green]ready[/]" if checkup.ok else "[red]not ready[/]")
