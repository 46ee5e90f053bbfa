"""`ai-addons trial`: the credits a business may try with."""

from __future__ import annotations

from contextlib import closing

import click

from ai_addons.cli import show
from ai_addons.cli.options import WHO


@click.command()
@click.argument("business")
@click.option("--phone", help="The owner's phone number; the host's profile is asked without it.")
@click.option("--tax-id", help="The business's tax number; likewise.")
@WHO
@show.as_json
def trial(business: str, phone: str | None, tax_id: str | None, actor: str, *, json_out: bool) -> None:
    """Give BUSINESS the trial credits of its policy, once per owner: a phone or tax number must be known.

    Numbers are kept as keyed hashes only, so that a second trial is refused after the business is gone, too.
    """
    with closing(show.open_addons()) as addons:
        booking = addons.claim_trial(business, phone=phone, tax_id=tax_id)
        addons.note_action(actor, "claim_trial", business=business, credits=str(booking.grant.amount))
    if json_out:
        show.print_json(booking)
    else:
        click.echo(f"{booking.grant.amount.short} trial credits booked; {booking.balance.short} available")
