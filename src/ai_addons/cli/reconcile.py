"""`ai-addons reconcile`: our orders beside the gateways, or our cost beside a provider's bill."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ai_addons.billing.bills.comparing import TOLERANCE
from ai_addons.billing.bills.formats import FORMATS
from ai_addons.cli import progress, show
from ai_addons.cli.exits import Exit, finds
from ai_addons.cli.figures import print_fx
from ai_addons.money import PicoUsd, ghs, usd

if TYPE_CHECKING:
    from ai_addons.billing.bills.comparing import BillComparison, BillDifference, Side
    from ai_addons.billing.reconciling import Reconciliation


@click.command(epilog=finds("if something is left to an operator, or the bill differs by more than is tolerated"))
@click.option("--days", type=click.IntRange(min=1), default=7, show_default=True, help="Orders: how far to look back.")
@click.option("--provider", type=click.Choice([one.provider for one in FORMATS]), help="Compare this provider's bill.")
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The provider's export of usage or cost, CSV or JSON.",
)
@click.option(
    "--tolerance", default=f"{TOLERANCE:f}", show_default=True, help="Share by which a bill may differ, e.g. 0.02."
)
@show.as_json
def reconcile(days: int, provider: str | None, path: Path | None, tolerance: str, *, json_out: bool) -> None:
    """Compare orders and gateways and grant what was missed, or with --provider our cost and the provider's bill."""
    if (provider is None) != (path is None):
        msg = "--provider and --file go together."
        raise click.UsageError(msg)
    ok = _orders(days, json_out=json_out) if provider is None or path is None else False
    if provider is not None and path is not None:
        ok = _bill(provider, path, _share(tolerance), json_out=json_out)
    if not ok:
        raise SystemExit(Exit.FINDINGS)


def _share(text: str) -> Decimal:
    try:
        share = Decimal(text)
    except InvalidOperation:
        share = Decimal(-1)
    if not 0 <= share <= 1:
        msg = f"a tolerance is a share from 0 to 1, not {text!r}; nothing was compared"
        raise ValueError(msg)
    return share


def _orders(days: int, *, json_out: bool) -> bool:
    with closing(show.open_addons()) as addons, progress.following("asking the gateways", quiet=json_out) as tell:
        found = addons.orders.reconcile(days=days, on_progress=tell)
    if json_out:
        show.print_json({**show.plain(found), "ok": found.ok})
    else:
        _print_reconciliation(found)
    return found.ok


def _bill(provider: str, path: Path, tolerance: Decimal, *, json_out: bool) -> bool:
    with closing(show.open_addons()) as addons, progress.waiting("comparing with our log", quiet=json_out):
        found = addons.reconcile_bill(provider, path.read_bytes(), tolerance=tolerance)
    if json_out:
        show.print_json(found.for_operator())
    else:
        _print_bill(found)
    return found.ok


def _print_bill(found: BillComparison) -> None:
    columns = (
        "day",
        "model",
        "billed USD",
        "logged USD",
        "logged GHS",
        "in billed / logged",
        "out billed / logged",
        "",
    )
    title = f"{found.provider} beside our log, days of {found.tz}"
    rows = map(_bill_row, found.differences)
    show.console().print(show.table(title, columns, rows, right=columns[2:7]))
    for one in found.differences:
        if one.reasons:
            click.echo(f"{one.day} {one.model or 'all models'}: {'; '.join(one.reasons)}")
    click.echo(
        f"billed USD {usd(found.billed):f}, logged USD {usd(found.logged):f}, {len(found.above)} above tolerance"
    )
    click.echo(f"How the file was read: {found.verified}")
    print_fx(found.fx)


def _bill_row(one: BillDifference) -> tuple[str, ...]:
    return (
        one.day.isoformat(),
        one.model or "all",
        _usd(one.billed.cost),
        _usd(one.logged.cost),
        str(ghs(one.cost_ghs)),
        _pair(one.billed, one.logged, "input_tokens"),
        _pair(one.billed, one.logged, "output_tokens"),
        "above tolerance" if one.above else "",
    )


def _usd(cost: PicoUsd | None) -> str:
    return "-" if cost is None else f"{usd(cost):.6f}"


def _pair(billed: Side, logged: Side, name: str) -> str:
    return " / ".join("-" if value is None else str(value) for value in (getattr(billed, name), getattr(logged, name)))


def _print_reconciliation(found: Reconciliation) -> None:
    click.echo(
        f"{show.counted(found.asked, 'attempt')} asked about, {show.counted(found.granted, 'order')} granted, "
        f"{found.abandoned} given up"
    )
    if found.returned:
        click.echo(f"refunds and disputes booked that nobody had told of: {found.returned}")
    rows = ((one.what, one.reference, one.detail) for one in found.discrepancies)
    if not found.ok:
        show.console().print(show.table("Left to you", ("what", "reference", "detail"), rows))
