"""`ai-addons orders top-up`: what a business agreed that its saved card buys by itself."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ai_addons.cli import choices, show

if TYPE_CHECKING:
    from ai_addons.billing.top_up_rules import StandingTopUp

_ACTOR = click.option("--actor", required=True, help="Who agreed; kept in the audit log.")
_MINUTES = click.IntRange(min=0)
_COUNT = click.IntRange(min=1)


@click.group("top-up")
def top_up() -> None:
    """Let a saved card buy when credits run low. `ai-addons renew` buys."""


@top_up.command("set")
@click.argument("business")
@click.argument("pack", shell_complete=choices.packs)
@click.option("--below", required=True, help="Credits; bought while fewer are available.")
@click.option("--card", help="Id of the card; the newest without it.")
@click.option("--most-price", help="What the pack may cost, in cedis; what it costs now without it.")
@click.option("--most-per-day", type=_COUNT, default=1, show_default=True, help="Purchases in a day.")
@click.option("--most-per-month", type=_COUNT, default=4, show_default=True, help="Purchases in a month.")
@click.option("--cool-down", type=_MINUTES, default=60, show_default=True, help="Minutes between attempts.")
@click.option("--most-failures", type=_COUNT, default=3, show_default=True, help="Declines in a row that stop it.")
@click.option("--off", is_flag=True, help="Keep the rule and buy nothing.")
@_ACTOR
@show.as_json
def set_top_up(  # noqa: PLR0913  # a standing order has that many sides
    business: str,
    pack: str,
    *,
    below: str,
    card: str | None,
    most_price: str | None,
    most_per_day: int,
    most_per_month: int,
    cool_down: int,
    most_failures: int,
    actor: str,
    off: bool,
    json_out: bool,
) -> None:
    """Let the card of BUSINESS buy PACK by itself.

    It stands in place of what was agreed before, and failures so far are forgotten.
    """
    with closing(show.open_addons()) as addons:
        standing = addons.orders.set_top_up(
            business,
            pack,
            below=below,
            actor=actor,
            card=card,
            most_price=most_price,
            most_per_day=most_per_day,
            most_per_month=most_per_month,
            cool_down=timedelta(minutes=cool_down),
            most_failures=most_failures,
            enabled=not off,
        )
    _print(standing, json_out=json_out)


@top_up.command("show")
@click.argument("business")
@show.as_json
def show_top_up(business: str, *, json_out: bool) -> None:
    """Show what BUSINESS agreed to, and why nothing would be bought now."""
    with closing(show.open_addons()) as addons:
        standing = addons.orders.top_up_of(business)
    if standing is not None:
        _print(standing, json_out=json_out)
    elif json_out:
        show.print_json(None)
    else:
        click.echo(f"{business} agreed to no top-up")


@top_up.command("remove")
@click.argument("business")
@_ACTOR
@show.as_json
def remove_top_up(business: str, actor: str, *, json_out: bool) -> None:
    """Buy no more for BUSINESS by itself."""
    with closing(show.open_addons()) as addons:
        removed = addons.orders.remove_top_up(business, actor=actor)
    if json_out:
        show.print_json({"removed": removed})
    else:
        click.echo("removed" if removed else f"{business} agreed to no top-up")


def _print(standing: StandingTopUp, *, json_out: bool) -> None:
    if json_out:
        show.print_json(standing)
        return
    rule = standing.rule
    now = "buys now" if standing.stopped is None else f"buys nothing now: {standing.stopped}"
    click.echo(
        f"{standing.business}: {rule.pack} for {rule.most_price} at most, below {rule.threshold.short} credits, "
        f"{rule.most_per_day} a day and {rule.most_per_month} a month; {now}"
    )
