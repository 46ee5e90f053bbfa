"""The commands."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ai_addons.cli import books, figures, keeping, operate, show, watch
from ai_addons.cli.cache import cache
from ai_addons.cli.checkup import examine_setup
from ai_addons.cli.db import db
from ai_addons.cli.demo import Demo
from ai_addons.cli.drift import drift
from ai_addons.cli.fake_gateway import fake_gateway
from ai_addons.cli.mask import mask
from ai_addons.cli.openapi import openapi
from ai_addons.cli.orders import orders, renew
from ai_addons.cli.outbox import deliver, webhook_secret
from ai_addons.cli.project import project_command
from ai_addons.cli.rates import rates
from ai_addons.cli.reconcile import reconcile
from ai_addons.cli.serve import serve
from ai_addons.cli.story import JsonStory, TerminalStory
from ai_addons.cli.tour.run import Tour
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.addons import PriceList
    from ai_addons.billing.packs import CustomPack
    from ai_addons.billing.policy import AddonPlan
    from ai_addons.billing.storefronts import StorefrontPlan
    from ai_addons.cli.checkup import Checkup

_MODULES = click.option(
    "-m", "--module", "modules", multiple=True, help="Import this module first, for the features it declares."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("ai-addons"), prog_name="ai-addons")
def main() -> None:
    """Paid AI features for a point-of-sale system: try them, check the set-up, read the books."""


for _command in (
    cache,
    db,
    deliver,
    drift,
    fake_gateway,
    mask,
    openapi,
    orders,
    project_command,
    rates,
    reconcile,
    renew,
    serve,
    webhook_secret,
    *books.COMMANDS,
    *figures.COMMANDS,
    *keeping.COMMANDS,
    *operate.COMMANDS,
    *watch.COMMANDS,
):
    main.add_command(_command)


@main.command()
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
@show.told
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


@main.command()
@_MODULES
@show.as_json
@show.told
def check(modules: tuple[str, ...], *, json_out: bool) -> None:
    """Explain what is configured, what is missing, and what each feature costs and earns."""
    _import_all(modules)
    with closing(show.open_addons()) as addons:
        checkup = examine_setup(addons)
    if json_out:
        show.print_json(checkup)
    else:
        _print_checkup(checkup)
    if not checkup.ok:
        raise SystemExit(1)


@main.command()
@_MODULES
@click.option("--business", help="For whom, where its billing policy is not the default one.")
@show.as_json
@show.told
def prices(modules: tuple[str, ...], business: str | None, *, json_out: bool) -> None:
    """Show what is on sale: features, packs of credits, the monthly add-on, the storefront plan."""
    _import_all(modules)
    with closing(show.open_addons()) as addons:
        listed = addons.price_list(business)
    if json_out:
        show.print_json(show.price_list(listed))
    else:
        _print_prices(listed)


def _import_all(modules: tuple[str, ...]) -> None:
    """Import a host's modules, those in the working directory too."""
    if modules:
        sys.path.insert(0, os.getcwd())  # noqa: PTH109  # an entry of sys.path is text
    for name in modules:
        try:
            import_module(name)
        except Exception as error:
            # Whatever the module does when it is imported, the person needs its name and the reason.
            msg = (
                f"Module {name!r} could not be imported ({type(error).__name__}: {error}). Nothing was charged. "
                f"Correct it and run the command again."
            )
            raise ConfigError(msg) from error


def _print_prices(listed: PriceList) -> None:
    out = show.console()
    features = ((item.name, item.category, item.credits.short, item.description) for item in listed.features)
    out.print(show.table("Features", ("feature", "shelf", "credits", "what it does"), features, right=("credits",)))
    packs = (
        (pack.type + (" (recommended)" if pack.recommended else ""), str(pack.price), pack.credits.short)
        for pack in listed.packs
    )
    rows = (*packs, *(_custom_rows(listed.custom) if listed.custom is not None else ()))
    out.print(show.table("Packs", ("pack", "price", "credits"), rows, right=("price", "credits")))
    if listed.addon is not None:
        click.echo(_told_addon(listed.addon))
    click.echo(_told_plan(listed.storefronts))


def _custom_rows(custom: CustomPack) -> Iterator[tuple[str, str, str]]:
    """The pack of any size: a row for each price per credit."""
    further = [start for start, _ in custom.tiers[1:]]
    ends = [*(f"to below {start}" for start in further), f"to {custom.most}"]
    for start, end, (_, micro) in zip([custom.least, *further], ends, custom.tiers, strict=True):
        yield "CUSTOM", f"{start} {end}", f"one for GHS {show.cedis(micro)}"


def _told_addon(addon: AddonPlan) -> str:
    return (
        f"Monthly add-on: {addon.price} for {addon.credits.short} credits a month; "
        f"up to {addon.rollover_cap.short} unused ones live on for one more"
    )


def _told_plan(plan: StorefrontPlan) -> str:
    """The price of the point-of-sale system itself, which is quoted and never collected."""
    listed = ", ".join(f"{count}: {price}" for count, price in enumerate(plan.prices, start=1))
    return f"Point-of-sale system a month, by storefronts: {listed}, each further one {plan.further}"


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
