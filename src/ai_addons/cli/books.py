"""Commands that read the books, check them, and do what is due."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from ai_addons.billing.doctor import DAILY_SUMS
from ai_addons.billing.progress import Stage
from ai_addons.cli import progress, show
from ai_addons.cli.exits import Exit, finds
from ai_addons.cli.health import examine_system
from ai_addons.cli.options import DAYS, WHO
from ai_addons.money import usd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ai_addons.addons import AddOns
    from ai_addons.billing.doctor import Finding, Report
    from ai_addons.billing.spending import WindowSpending
    from ai_addons.billing.usage import Usage
    from ai_addons.cli.health import Health

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("business")
@show.as_json
def balance(business: str, *, json_out: bool) -> None:
    """Show the credits of BUSINESS."""
    with closing(show.open_addons()) as addons:
        wallet = addons.wallet(business)
    if json_out:
        show.print_json(show.wallet(wallet))
    else:
        click.echo(
            f"{business}: {wallet.available.short} credits available "
            f"({wallet.posted.short} booked, {wallet.held.short} held by calls in progress), {wallet.status}"
        )


@click.command(epilog=finds("if --verify finds a fault"))
@click.argument("business")
@click.option("--verify", is_flag=True, help="Check the hash chain of the ledger.")
@show.as_json
def ledger(business: str, *, verify: bool, json_out: bool) -> None:
    """Show every booking of BUSINESS."""
    with closing(show.open_addons()) as addons:
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


@click.command()
@click.argument("business")
@DAYS
@show.as_json
def usage(business: str, days: int, *, json_out: bool) -> None:
    """Show what BUSINESS used, and what that cost you; not for a shop's eyes."""
    with closing(show.open_addons()) as addons:
        used = addons.usage(business, days)
    if json_out:
        show.print_json(used)
    else:
        _print_usage(business, used)


@click.command()
@show.as_json
def spending(*, json_out: bool) -> None:
    """Show what the models cost today and this month beside your budget; not for a shop's eyes."""
    with closing(show.open_addons()) as addons:
        found = addons.spending()
    if json_out:
        show.print_json([_in_usd(one) for one in found])
        return
    rows = (
        (
            one.window,
            f"{usd(one.used):.6f}",
            f"{usd(one.held):.6f}",
            "none" if one.budget is None else f"{usd(one.budget):.2f}",
        )
        for one in found
    )
    columns = ("this", "spent", "calls in progress", "budget")
    show.console().print(show.table("Spending on models, USD", columns, rows, right=columns[1:]))


def _in_usd(one: WindowSpending) -> dict[str, object]:
    return {
        "window": one.window,
        "starts_at": one.starts_at,
        "used_usd": usd(one.used),
        "held_usd": usd(one.held),
        "budget_usd": None if one.budget is None else usd(one.budget),
    }


@click.command()
@click.argument("business")
@click.option("--from", "first", type=_DAY, metavar="DATE", required=True, help="First day, e.g. 2026-11-01.")
@click.option("--to", "last", type=_DAY, metavar="DATE", required=True, help="Last day, included.")
@show.as_json
def statement(business: str, first: datetime, last: datetime, *, json_out: bool) -> None:
    """Show what came into the wallet of BUSINESS and left it, by the days of its zone."""
    with closing(show.open_addons()) as addons:
        made = addons.statement(business, first.date(), last.date())
    if json_out:
        show.print_json(made)
    else:
        click.echo(made.text(), nl=False)


@click.command(epilog=finds("if a check fails"))
@click.option("--rebuild", is_flag=True, help="Make daily sums that differ from the call log anew.")
@click.option(
    "--system",
    is_flag=True,
    help="Look at what runs too: database, clocks, cache, jobs, what waits, exchange rate, disks, budget, gateway.",
)
@click.option("--no-books", is_flag=True, help="With --system: leave the books out, which take long when they are big.")
@WHO
@show.as_json
def doctor(actor: str, *, rebuild: bool, system: bool, no_books: bool, json_out: bool) -> None:
    """Check that the books of every business agree with themselves."""
    if no_books and (rebuild or not system):
        msg = "--no-books goes with --system, and without --rebuild."
        raise click.UsageError(msg)
    with closing(show.open_addons()) as addons:
        health = examine_system(addons) if system else None
        # Whether the database answers is told with what to do, and then there are no books to look at.
        report = None if no_books or (health is not None and not health.database) else _examined(addons, quiet=json_out)
        if rebuild and report is not None:
            _rebuild(addons, report, actor, quiet=json_out)
            report = _examined(addons, quiet=json_out)
    ok = (report is None or report.ok) and (health is None or health.ok)
    if json_out:
        show.print_json({"ok": ok, **_told_doctor(report, health)})
    else:
        _print_doctor(report, health)
    if not ok:
        raise SystemExit(Exit.FINDINGS)


@click.command()
@show.as_json
def sweep(*, json_out: bool) -> None:
    """Do what is due in every wallet: holds of calls that crashed, expiry, renewals."""
    with closing(show.open_addons()) as addons, progress.following("doing what is due", quiet=json_out) as tell:
        wallets = addons.sweep(on_progress=tell)
    if json_out:
        show.print_json({"wallets": wallets})
    else:
        click.echo(f"{show.counted(wallets, 'wallet')} had something due")


def _rebuild(addons: AddOns, report: Report, actor: str, *, quiet: bool) -> None:
    """Make the daily sums anew, business by business."""
    wrong = sorted({found.business for found in report.findings if found.rule == DAILY_SUMS})
    with progress.following("making daily sums anew", quiet=quiet) as tell:
        for business in Stage(tell, "daily sums made anew", lambda: len(wrong)).over(wrong):
            addons.rebuild_usage(business)
            addons.note_action(actor, "rebuild_usage", business=business)


def _examined(addons: AddOns, *, quiet: bool) -> Report:
    with progress.following("checking the books", quiet=quiet) as tell:
        return addons.doctor(on_progress=tell)


def _told_doctor(report: Report | None, health: Health | None) -> dict[str, object]:
    told: dict[str, object] = {} if report is None else dict(show.plain(report))
    return told if health is None else {**told, "system": health.checks}


def _print_doctor(report: Report | None, health: Health | None) -> None:
    for check in () if health is None else health.checks:
        click.echo(f"{check.level:<7}  {check.name}: {check.found}")
        if check.todo:
            click.echo(f"         {check.todo}")
    if report is not None:
        for finding in report.findings:
            click.echo(f"{finding.business}: {finding.rule}: {finding.detail}")
        click.echo(f"{show.counted(report.wallets, 'wallet')} checked, {show.counted(len(report.findings), 'finding')}")


def _verify(findings: Sequence[Finding]) -> None:
    for finding in findings:
        click.echo(f"{finding.rule}: {finding.detail}", err=True)
    if findings:
        raise SystemExit(Exit.FINDINGS)
    click.echo("the chain is whole and the balance follows from it", err=True)


def _print_usage(business: str, used: Usage) -> None:
    rows = ((one.feature_display_name, str(one.count), one.credits.short) for one in used.feature_breakdown)
    title = f"Usage of {business}, last {used.period_days} days"
    columns = ("feature", "calls", "credits")
    show.console().print(show.table(title, columns, rows, right=("calls", "credits")))
    time = used.avg_response_time_ms
    click.echo(
        f"{show.counted(used.total_requests, 'call')}, {used.successful_requests} answered ({used.success_rate:.1%})"
        f"{'' if time is None else f', {time:.0f} ms on average'}"
    )
    click.echo(f"{used.total_credits_used.short} credits used, {used.current_balance.short} available")
    click.echo(f"cost to you: GHS {used.total_cost_ghs} (USD {used.total_cost_usd:f})")
    if used.unpriced:
        click.echo(f"not in it: {show.counted(used.unpriced, 'call')} of unknown cost")
