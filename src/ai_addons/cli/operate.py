"""Commands by which operators give, correct, limit and stop; who did it is kept."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import click

from ai_addons.billing.limits import SCOPES, WINDOWS, Limit
from ai_addons.cli import choices, progress, show
from ai_addons.cli.options import ACTOR, REASON, WHO
from ai_addons.money import Credits

if TYPE_CHECKING:
    from ai_addons.billing.limits import Scope, Window

DEFAULT_POLICY: Final = "default"
"""Stands for the policy of the settings."""

_MAYBE_REASON = click.option("--reason", help="Why; kept in the audit log.")
_ONE_BUSINESS = click.option("--business", help="One business; without it all.")
_FEATURE = click.option("--feature", shell_complete=choices.features, help="One feature; without it all.")
_SCOPE = click.argument("scope", type=click.Choice(SCOPES))
_WINDOW = click.argument("window", type=click.Choice(WINDOWS))
_KEY = click.option("--key", help="In scope user or feature: whose or which; without it each.")

# A minus sign before a number begins no option.
_NEGATIVE: Final = {"ignore_unknown_options": True}


# Credits.


@click.command(context_settings=_NEGATIVE)
@click.argument("business")
@click.argument("credits_", metavar="CREDITS", type=click.UNPROCESSED)
@click.option("--ref", required=True, help="What makes this grant unique; the same again changes nothing.")
@WHO
@show.as_json
def grant(business: str, credits_: str, ref: str, actor: str, *, json_out: bool) -> None:
    """Give BUSINESS some CREDITS as an adjustment."""
    with closing(show.open_addons()) as addons:
        booking = addons.grant(business, credits_, source="adjustment", ref=ref, actor=actor)
    if json_out:
        show.print_json(booking)
    else:
        click.echo(f"{booking.grant.amount.short} credits {_done(booking.balance.short, replayed=booking.replayed)}")


@click.command(context_settings=_NEGATIVE)
@click.argument("business")
@click.argument("credits_", metavar="CREDITS", type=click.UNPROCESSED)
@click.option("--ref", required=True, help="What makes this adjustment unique; the same again changes nothing.")
@ACTOR
@REASON
@show.as_json
def adjust(business: str, credits_: str, ref: str, actor: str, reason: str, *, json_out: bool) -> None:
    """Give BUSINESS some CREDITS, or take some: -5 takes five."""
    with closing(show.open_addons()) as addons:
        done = addons.adjust(business, credits_, ref=ref, actor=actor, reason=reason)
    if json_out:
        show.print_json(done)
    else:
        click.echo(f"{done.amount.short} credits {_done(done.balance.short, replayed=done.replayed)}")


@click.command()
@click.argument("business")
@click.argument("seq", type=int)
@ACTOR
@REASON
@show.as_json
def reverse(business: str, seq: int, actor: str, reason: str, *, json_out: bool) -> None:
    """Undo row SEQ of the ledger of BUSINESS, a charge or a grant, by a row of its own."""
    with closing(show.open_addons()) as addons:
        done = addons.reverse(business, seq, actor=actor, reason=reason)
    if json_out:
        show.print_json(done)
    elif done.replayed:
        click.echo(f"row {seq} was undone before; nothing changed; {done.balance.short} available")
    else:
        click.echo(f"row {seq} of {done.amount.short} credits undone; {done.balance.short} available")


# Terms of a business.


@click.command()
@click.argument("business")
@click.argument("name", shell_complete=choices.policies)
@ACTOR
@show.as_json
def policy(business: str, name: str, actor: str, *, json_out: bool) -> None:
    """Sell credits to BUSINESS by the policy NAME, from now on; "default" is that of the settings."""
    with closing(show.open_addons()) as addons:
        wallet = addons.set_policy(business, None if name == DEFAULT_POLICY else name, actor=actor)
    if json_out:
        show.print_json(show.wallet(wallet))
    else:
        click.echo(f"{business} buys credits by the policy {wallet.policy}; {wallet.available.short} available")


@click.command()
@click.argument("business")
@click.option("--user", help="One user; without it all.")
@ACTOR
@show.as_json
def erase(business: str, user: str | None, actor: str, *, json_out: bool) -> None:
    """Forget who made the calls of BUSINESS; its books stay whole. It cannot be taken back."""
    doing = "forgetting who made the calls"
    with closing(show.open_addons()) as addons, progress.following(doing, quiet=json_out) as tell:
        addons.erase(business, user=user, actor=actor, on_progress=tell)
    if json_out:
        show.print_json({"business": business, "erased": "all" if user is None else "user"})
    else:
        click.echo(f"{business}: {'all its users are' if user is None else 'the user is'} forgotten; no credit moved")


# Stopping and limiting.


@click.command()
@_ONE_BUSINESS
@_FEATURE
@ACTOR
@_MAYBE_REASON
@show.as_json
def pause(business: str | None, feature: str | None, actor: str, reason: str | None, *, json_out: bool) -> None:
    """Pull the kill switch: no new calls that cost credits; those in progress go on."""
    with closing(show.open_addons()) as addons:
        addons.pause(business=business, feature=feature, actor=actor, reason=reason)
        known = feature is None or feature in {spec.key for spec in addons.all_features()}
    if not known:
        click.echo(f"note: no feature {feature!r} is known here; unless your host declares it, check the key", err=True)
    if json_out:
        show.print_json({"paused": True, "business": business, "feature": feature})
    else:
        click.echo(f"paused: {_whose(business, feature)}")


@click.command()
@_ONE_BUSINESS
@_FEATURE
@ACTOR
@_MAYBE_REASON
@show.as_json
def unpause(business: str | None, feature: str | None, actor: str, reason: str | None, *, json_out: bool) -> None:
    """Release the kill switch that was pulled with the same options."""
    with closing(show.open_addons()) as addons:
        released = addons.resume(business=business, feature=feature, actor=actor, reason=reason)
    if json_out:
        show.print_json({"released": released, "business": business, "feature": feature})
    elif released:
        click.echo(f"released: {_whose(business, feature)}")
    else:
        click.echo(f"not paused by a switch of its own, nothing changed: {_whose(business, feature)}")


@click.command()
@click.argument("business", required=False)
@show.as_json
def paused(business: str | None, *, json_out: bool) -> None:
    """Show the kill switches that are pulled for BUSINESS; without it those for all."""
    with closing(show.open_addons()) as addons:
        found = addons.limits.paused(business)
    if json_out:
        show.print_json(found)
    for one in () if json_out else found:
        click.echo(f"paused: {_whose(one.business, one.feature)}, by {one.actor} at {show.when(one.at)} UTC")
    if not found and not json_out:
        click.echo("nothing is paused")


@click.group()
def limit() -> None:
    """See and set spending limits."""


@limit.command("set")
@_SCOPE
@_WINDOW
@click.argument("credits_", metavar="CREDITS", type=click.UNPROCESSED)
@_ONE_BUSINESS
@_KEY
@ACTOR
@show.as_json
def set_limit(
    scope: Scope,
    window: Window,
    credits_: str,
    business: str | None,
    key: str | None,
    actor: str,
    *,
    json_out: bool,
) -> None:
    """Let at most CREDITS be spent in each WINDOW. It holds from the next call on.

    SCOPE operator bounds all businesses together; business, user and feature bound each of them.
    """
    with closing(show.open_addons()) as addons:
        made = Limit(scope=scope, window=window, amount=Credits(credits_), business=business, key=key)
        addons.limits.set(scope, window, made.amount, business=business, key=key, actor=actor)
    if json_out:
        show.print_json(made)
    else:
        click.echo(f"at most {made.amount.short} credits a {made.window}: {_bounded(made)}")


@limit.command("remove")
@_SCOPE
@_WINDOW
@_ONE_BUSINESS
@_KEY
@ACTOR
@show.as_json
def remove_limit(
    scope: Scope, window: Window, business: str | None, key: str | None, actor: str, *, json_out: bool
) -> None:
    """Remove a limit that was set alike. One in the settings holds again."""
    with closing(show.open_addons()) as addons:
        removed = addons.limits.remove(scope, window, business=business, key=key, actor=actor)
    if json_out:
        show.print_json({"removed": removed})
    else:
        click.echo("removed" if removed else "no such limit was set; nothing changed")


@limit.command("list")
@click.argument("business", required=False)
@show.as_json
def list_limits(business: str | None, *, json_out: bool) -> None:
    """Show the limits in force for BUSINESS; without it those for all."""
    with closing(show.open_addons()) as addons:
        found = addons.limits.of(business or "")
    if json_out:
        show.print_json(found)
    elif not found:
        click.echo("no limits")
    else:
        rows = ((one.scope, one.window, one.amount.short, one.business or "each", one.key or "each") for one in found)
        columns = ("scope", "window", "credits", "business", "user or feature")
        show.console().print(show.table("Limits", columns, rows, right=("credits",)))


def _done(balance: str, *, replayed: bool) -> str:
    return f"{'were booked before; nothing changed' if replayed else 'booked'}; {balance} available"


def _whose(business: str | None, feature: str | None) -> str:
    return f"{feature or 'all features'}, {business or 'all businesses'}"


def _bounded(made: Limit) -> str:
    """Whose spending a limit bounds, for people."""
    if made.scope == "operator":
        return "all businesses together"
    whose = made.business or "each business"
    return whose if made.scope == "business" else f"{made.key or f'each {made.scope}'} of {whose}"
