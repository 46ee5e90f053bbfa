"""`ai-addons demo`: the main job on a shop's records."""

from __future__ import annotations

from pathlib import Path

import click

from ai_addons.cli import show
from ai_addons.cli.demo import Demo
from ai_addons.cli.story import JsonStory, TerminalStory
from ai_addons.cli.tour import Tour


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with products.csv and customers.csv (and shop.toml; with --all sales.csv, stock.csv and "
    "invoices.csv too); default: the sample shop.",
)
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the books in this new file (and its key beside it).",
)
@click.option("--all", "everything", is_flag=True, help="Show all eight features, and what they cost together.")
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --all: write the charts to this folder as SVG (extra charts).",
)
@show.as_json
def demo(data: Path | None, keep: Path | None, pictures: Path | None, *, everything: bool, json_out: bool) -> None:
    """Run the main job on a shop's records: trial credits, answers, receipts, a refusal, the ledger."""
    if pictures is not None and not everything:
        msg = "--pictures goes with --all: the short demo has no charts."
        raise click.UsageError(msg)
    story = JsonStory() if json_out else TerminalStory(show.console(), show.console(stderr=True))
    if everything:
        Tour(story, data=data, keep=keep, pictures=pictures).run()
    else:
        Demo(story, data=data, keep=keep).run()
    story.end()
