"""`ai-addons orders` and `ai-addons renew`: credits bought, and what businesses are asked for next."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ai_addons.cli import progress, show
from ai_addons.cli.exits import Exit, finds
from ai_addons.cli.options import ACTOR, REASON, WHO
from ai_addons.cli.top_ups import top_up

if TYPE_CHECKING:
    from ai_addons.billing.applying import Applied
    from ai_addons.billing.orders import Attempt, Order, Quarantined

_MOST = click.option("--most", type=click.IntRange(min=1), default=100, show_default=True, help="Orders to show.")


@click.group()
def orders() -> None:
    """Show what businesses bought, and decide about payments that do not fit."""


@orders.command("list")
@click.argument("business")
@_MOST
@show.as_json
def list_orders(business: str, most: int, *, json_out: bool) -> None:
    """Show the orders of BUSINESS, the newest first."""
    with closing(show.open_addons()) as addons:
        found = addons.orders.history(business, most)
    if json_out:
        show.print_json([_plain(order) for order in found])
        return
    columns = ("order", "made (UTC)", "what", "price", "credits", "state")
    rows = map(_order_row, found)
    show.console().print(show.table(f"Orders of {business}", columns, rows, right=("price", "credits")))


@orders.command("show")
@click.argument("business")
@click.argument("order")
@show.as_json
def show_order(business: str, order: str, *, json_out: bool) -> None:
    """Show one ORDER of BUSINESS with every attempt to pay it."""
    with closing(show.open_addons()) as addons:
        found, attempts = addons.orders.find(business, order)
    if json_out:
        show.print_json({"order": _plain(found), "attempts": attempts})
        return
    what = found.pack or found.kind
    click.echo(f"{found.id}: {what}, {found.credits.short} credits for {found.price}, {found.state}")
    columns = ("attempt", "made (UTC)", "gateway", "asked", "state", "the gateway says")
    show.console().print(show.table("Attempts", columns, map(_attempt_row, attempts), right=("asked",)))


@orders.command()
@click.argument("business")
@click.argument("reference")
@show.as_json
def verify(business: str, reference: str, *, json_out: bool) -> None:
    """Ask the gateway about an attempt. What was paid is granted."""
    with closing(show.open_addons()) as addons:
        applied = addons.orders.verify(business, reference)
    if json_out:
        show.print_json(_applied(applied))
    else:
        order = applied.order
        credits_ = f"{applied.added.short} credits added, {applied.balance.short} available"
        click.echo(f"{applied.verdict}: order {order.id} is {order.state}; {credits_}")


@orders.command()
@click.argument("business")
@click.argument("order")
@WHO
@show.as_json
def cancel(business: str, order: str, actor: str, *, json_out: bool) -> None:
    """Give up an ORDER of BUSINESS that is not paid."""
    with closing(show.open_addons()) as addons:
        ended = addons.orders.cancel(business, order)
        addons.note_action(actor, "cancel_order", business=business, order=order)
    if json_out:
        show.print_json(_plain(ended))
    else:
        click.echo(f"order {ended.id} is {ended.state}; a payment that is on its way is honoured all the same")


@orders.command()
@show.as_json
def quarantine(*, json_out: bool) -> None:
    """Show payments that fit no order and are not decided."""
    with closing(show.open_addons()) as addons:
        found = addons.orders.quarantined()
    if json_out:
        show.print_json(found)
        return
    columns = ("payment", "business", "order", "why", "asked", "came")
    rows = ((one.id, one.business, one.order, one.reason, str(one.expected), _came(one)) for one in found)
    show.console().print(show.table("Quarantine", columns, rows, right=("asked", "came")))


@orders.command()
@click.argument("business")
@click.argument("payment")
@click.option("--refunded", is_flag=True, help="It was sent back at the gateway: grant nothing.")
@ACTOR
@REASON
@show.as_json
def release(business: str, payment: str, actor: str, reason: str, *, refunded: bool, json_out: bool) -> None:
    """Accept a PAYMENT from quarantine and grant its order.

    With --refunded it is closed instead, and nothing is granted.
    """
    with closing(show.open_addons()) as addons:
        decide = addons.orders.mark_refunded if refunded else addons.orders.release
        done = decide(business, payment, actor=actor, reason=reason)
    if json_out:
        show.print_json(done)
    else:
        click.echo(f"payment {done.id} of order {done.order}: {done.resolution}")


@orders.command()
@click.argument("business")
@click.argument("order")
@click.option("--amount", help="In cedis; all that is left without it.")
@click.option("--key", required=True, help="Makes it one refund: the same again sends nothing twice.")
@ACTOR
@REASON
@show.as_json
def refund(business: str, order: str, amount: str | None, key: str, actor: str, reason: str, *, json_out: bool) -> None:
    """Send the money of a paid ORDER back. Its credits are taken back with it."""
    with closing(show.open_addons()) as addons:
        back = addons.orders.refund(business, order, amount, key=key, actor=actor, reason=reason)
        state = addons.orders.find(business, order)[0].state
    if json_out:
        show.print_json({**show.plain(back), "state": state})
        return
    credits_ = f"{back.taken.short} credits taken back, {back.frozen.short} frozen"
    click.echo(f"order {order} is {state}: {back.reversed_minor} of {back.paid_minor} minor units; {credits_}")


@orders.command()
@click.argument("business")
@click.argument("order")
@click.option("--html", "page", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write a page.")
@show.as_json
def receipt(business: str, order: str, page: Path | None, *, json_out: bool) -> None:
    """Show the receipt of a paid ORDER and its credit notes.

    With --html the receipt is written as a page.
    """
    with closing(show.open_addons()) as addons:
        made = addons.orders.receipt(business, order)
        notes = addons.orders.credit_notes(business, order)
    if page is not None:
        page.write_text(made.html, encoding="utf-8")
    if json_out:
        show.print_json({"receipt": made, "credit_notes": notes, "page": None if page is None else str(page)})
    elif page is not None:
        click.echo(f"receipt {made.number} is in {page}")
    else:
        click.echo("\n".join([made.text, *(note.text for note in notes)]), nl=False)


@click.command(epilog=finds("if a business could not be asked"))
@show.as_json
def renew(*, json_out: bool) -> None:
    """Do what is due, then collect renewals of add-ons and top-ups; run it every hour."""
    with closing(show.open_addons()) as addons, progress.following("collecting what is due", quiet=json_out) as tell:
        addons.sweep(on_progress=tell)
        done = addons.orders.renew(on_progress=tell)
    if json_out:
        show.print_json(done)
    else:
        click.echo(f"{done.paid} months paid, {done.waiting} wait, {len(done.failed)} could not be asked")
        if done.topped_up or done.declined:
            click.echo(f"{done.topped_up} packs bought by top-ups, {done.declined} cards declined")
        for business, code in done.failed:
            click.echo(f"{business}: {code}")
    if done.failed:
        raise SystemExit(Exit.FINDINGS)


orders.add_command(top_up)


def _order_row(order: Order) -> tuple[str, ...]:
    made, what = show.when(order.created_at), order.pack or order.kind
    return (order.id, made, what, str(order.price), order.credits.short, order.state)


def _attempt_row(attempt: Attempt) -> tuple[str, ...]:
    said = " ".join(filter(None, (attempt.raw_status, attempt.reason)))
    made = show.when(attempt.created_at)
    return (attempt.reference, made, attempt.gateway, str(attempt.asked), attempt.state, show.literal(said or "-"))


def _came(one: Quarantined) -> str:
    return "-" if one.paid_minor is None else f"{one.paid_currency} {one.paid_minor} minor units"


def _plain(order: Order) -> dict[str, object]:
    """An order for machines, without the payer's address."""
    return {name: value for name, value in show.plain(order).items() if name not in {"email", "request_hash", "key"}}


def _applied(applied: Applied) -> dict[str, object]:
    return {
        "verdict": applied.verdict,
        "success": applied.success,
        "already_applied": applied.already_applied,
        "credits_added": str(applied.added),
        "new_balance": str(applied.balance),
        "order": _plain(applied.order),
    }
