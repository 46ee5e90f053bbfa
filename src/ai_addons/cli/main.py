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

from ai_addons.addons import AddOns
from ai_addons.billing.doctor import DAILY_SUMS
from ai_addons.cli import show
from ai_addons.cli.checkup import examine_setup
from ai_addons.cli.db import db
from ai_addons.cli.demo import Demo
from ai_addons.cli.outbox import deliver, webhook_secret
from ai_addons.cli.story import JsonStory, TerminalStory
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.billing.doctor import Finding
    from ai_addons.cli.checkup import Checkup

_MODULES = click.option(
    "-m", "--module", "modules", multiple=True, help="Import this module first, for the features it declares."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("ai-addons"), prog_name="ai-addons")
def main() -> None:
    """Paid AI features for a point-of-sale system: try them, check the set-up, read the books."""


main.add_command(db)
main.add_command(deliver)
main.add_command(webhook_secret)


@main.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with products.csv and customers.csv (and shop.toml); default: the sample shop.",
)
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the books in this new file (and its key beside it).",
)
@show.as_json
@show.told
def demo(data: Path | None, keep: Path | None, *, json_out: bool) -> None:
    """Run the main job on a shop's records: trial credits, answers, receipts, a refusal, the ledger."""
    story = JsonStory() if json_out else TerminalStory(show.console(), show.console(stderr=True))
    Demo(story, data=data, keep=keep).run()
    story.end()


@main.command()
@_MODULES
@show.as_json
@show.told
def check(modules: tuple[str, ...], *, json_out: bool) -> None:
    """Explain what is configured, what is missing, and what each feature costs and earns."""
    _import_all(modules)
    with closing(AddOns.from_env()) as addons:
        checkup = examine_setup(addons)
    if json_out:
        show.print_json(checkup)
    else:
        _print_checkup(checkup)
    if not checkup.ok:
        raise SystemExit(1)


@main.command()
@_MODULES
@show.as_json
@show.told
def prices(modules: tuple[str, ...], *, json_out: bool) -> None:
    """Show what is on sale: features and packs of credits."""
    _import_all(modules)
    with closing(AddOns.from_env()) as addons:
        listed = addons.price_list()
    if json_out:
        show.print_json(listed)
        return
    out = show.console()
    features = ((item.name, item.category, item.credits.short, item.description) for item in listed.features)
    out.print(show.table("Features", ("feature", "shelf", "credits", "what it does"), features, right=("credits",)))
    packs = (
        (pack.type + (" (recommended)" if pack.recommended else ""), str(pack.price), pack.credits.short)
        for pack in listed.packs
    )
    out.print(show.table("Packs", ("pack", "price", "credits"), packs, right=("price", "credits")))


@main.command()
@click.argument("business")
@show.as_json
@show.told
def balance(business: str, *, json_out: bool) -> None:
    """Show the credits of BUSINESS."""
    with closing(AddOns.from_env()) as addons:
        wallet = addons.wallet(business)
    if json_out:
        show.print_json({**show.plain(wallet), "available": str(wallet.available)})
    else:
        click.echo(
            f"{business}: {wallet.available.short} credits available "
            f"({wallet.posted.short} booked, {wallet.held.short} held by calls in progress), {wallet.status}"
        )


@main.command()
@click.argument("business")
@click.argument("credits_", metavar="CREDITS", type=click.UNPROCESSED)
@click.option("--ref", required=True, help="What makes this grant unique; the same again changes nothing.")
@show.as_json
@show.told
def grant(business: str, credits_: str, ref: str, *, json_out: bool) -> None:
    """Give BUSINESS some CREDITS as an adjustment."""
    with closing(AddOns.from_env()) as addons:
        booking = addons.grant(business, credits_, source="adjustment", ref=ref)
    if json_out:
        show.print_json(booking)
    else:
        done = "were booked before; nothing changed" if booking.replayed else "booked"
        click.echo(f"{booking.grant.amount.short} credits {done}; {booking.balance.short} available")


@main.command()
@click.argument("business")
@click.option("--verify", is_flag=True, help="Check the hash chain of the ledger.")
@show.as_json
@show.told
def ledger(business: str, *, verify: bool, json_out: bool) -> None:
    """Show every booking of BUSINESS."""
    with closing(AddOns.from_env()) as addons:
        entries = addons.ledger(business)
        findings = addons.doctor(business).findings if verify else ()
    if json_out:
        show.print_json(entries)
    elif not entries:
        click.echo(f"{business} has no bookings")
    else:
        rows = (
            (str(e.seq), show.when(e.booked_at), e.kind, e.debit, e.credit, e.amount.short, e.balance_after.short)
            for e in entries
        )
        columns = ("#", "booked (UTC)", "kind", "from", "to", "credits", "balance")
        show.console().print(show.table(f"Ledger of {business}", columns, rows, right=("#", "credits", "balance")))
    if verify:
        _verify(findings)


@main.command()
@click.option("--rebuild", is_flag=True, help="Make daily sums that differ from the call log anew.")
@show.as_json
@show.told
def doctor(*, rebuild: bool, json_out: bool) -> None:
    """Check that the books of every business agree with themselves."""
    with closing(AddOns.from_env()) as addons:
        report = addons.doctor()
        if rebuild:
            for business in {found.business for found in report.findings if found.rule == DAILY_SUMS}:
                addons.rebuild_usage(business)
            report = addons.doctor()
    if json_out:
        show.print_json({"ok": report.ok, **show.plain(report)})
    else:
        for finding in report.findings:
            click.echo(f"{finding.business}: {finding.rule}: {finding.detail}")
        click.echo(f"{report.wallets} wallets checked, {len(report.findings)} findings")
    if not report.ok:
        raise SystemExit(1)


@main.command()
@show.as_json
@show.told
def sweep(*, json_out: bool) -> None:
    """Release the holds of calls that crashed, in every wallet."""
    with closing(AddOns.from_env()) as addons:
        wallets = addons.sweep()
    if json_out:
        show.print_json({"wallets": wallets})
    else:
        click.echo(f"{wallets} wallets had something due")


def _verify(findings: Sequence[Finding]) -> None:
    for finding in findings:
        click.echo(f"{finding.rule}: {finding.detail}", err=True)
    if findings:
        raise SystemExit(1)
    click.echo("the chain is whole and the balance follows from it", err=True)


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
