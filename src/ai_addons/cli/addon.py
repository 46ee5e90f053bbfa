"""`ai-addons addon`: the monthly add-on of a business, seen and changed."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from ai_addons.billing.addon import period_start
from ai_addons.cli import show
from ai_addons.cli.options import WHO

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.policy import Subscription
    from ai_addons.billing.records import SubscriptionBooking
    from ai_addons.billing.subscriptions import Subscriptions


@click.group()
def addon() -> None:
    """See, take, pay, cancel and resume the monthly add-on of a business."""


@addon.command("show")
@click.argument("business")
@show.as_json
def show_addon(business: str, *, json_out: bool) -> None:
    """Show the add-on of BUSINESS, or its last one. Changes nothing."""
    with closing(show.open_addons()) as addons:
        wallet = addons.wallet(business)
    if json_out:
        show.print_json({"subscription": wallet.subscription, "available": wallet.available})
    elif wallet.subscription is None:
        click.echo(f"{business} never took the monthly add-on; {wallet.available.short} credits available")
    else:
        click.echo(f"{_told(business, wallet.subscription)}; {wallet.available.short} credits available")


@addon.command()
@click.argument("business")
@click.option("--paid", is_flag=True, help="The first month's money is collected; give its credits now.")
@WHO
@show.as_json
def subscribe(business: str, actor: str, *, paid: bool, json_out: bool) -> None:
    """Take the add-on for BUSINESS. It gives nothing before it is paid."""
    _book(business, lambda subscriptions: subscriptions.subscribe(business, paid=paid), actor=actor, json_out=json_out)


@addon.command()
@click.argument("business")
@click.option("--period", type=int, help="Number of the month, from 0; without it the next unpaid one.")
@WHO
@show.as_json
def pay(business: str, period: int | None, actor: str, *, json_out: bool) -> None:
    """Book that a month of the add-on of BUSINESS was paid for."""
    _book(business, lambda subscriptions: subscriptions.pay(business, period=period), actor=actor, json_out=json_out)


@addon.command()
@click.argument("business")
@click.option("--immediate", is_flag=True, help="End it now, not with its month; the credits stay.")
@WHO
@show.as_json
def cancel(business: str, actor: str, *, immediate: bool, json_out: bool) -> None:
    """Renew the add-on of BUSINESS no more."""
    _book(
        business,
        lambda subscriptions: subscriptions.cancel(business, immediate=immediate),
        actor=actor,
        json_out=json_out,
    )


@addon.command()
@click.argument("business")
@WHO
@show.as_json
def resume(business: str, actor: str, *, json_out: bool) -> None:
    """Take the cancellation of BUSINESS back."""
    _book(business, lambda subscriptions: subscriptions.resume(business), actor=actor, json_out=json_out)


def _book(business: str, change: Callable[[Subscriptions], SubscriptionBooking], *, actor: str, json_out: bool) -> None:
    """Change an add-on as its business would, and keep which operator did it."""
    action = f"addon_{click.get_current_context().info_name}"
    with closing(show.open_addons()) as addons:
        done = change(addons.subscriptions)
        if not done.replayed:
            addons.note_action(actor, action, business=business, state=done.subscription.state)
    if json_out:
        show.print_json(done)
        return
    before = "nothing changed; " if done.replayed else ""
    click.echo(f"{before}{_told(business, done.subscription)}; {done.balance.short} credits available")


def _told(business: str, taken: Subscription) -> str:
    head = f"monthly add-on of {business}: {taken.state}, {taken.plan.price} for {taken.plan.credits.short} credits"
    if taken.paid_through < taken.first:
        return f"{head}, not paid yet"
    return f"{head}, paid until {show.when(period_start(taken, taken.paid_through + 1))} UTC"
