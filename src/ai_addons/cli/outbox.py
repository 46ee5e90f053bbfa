"""`ai-addons deliver` and `ai-addons webhook-secret`: what happens, told to the host."""

from __future__ import annotations

import secrets
from contextlib import closing
from random import random
from typing import TYPE_CHECKING, Final

import click

from ai_addons.billing.outbox import Delivered, open_outbox
from ai_addons.billing.webhooks import new_secret
from ai_addons.cli import show
from ai_addons.cli.exits import Exit, finds
from ai_addons.errors import ConfigError
from ai_addons.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.billing.outbox import Outbox
    from ai_addons.clock import Clock

_SECRET_BYTES: Final = 32
_PAUSE_SECONDS: Final = 5.0


@click.command(epilog=finds("if an event was given up"))
@click.option("--watch", is_flag=True, help="Go on until stopped, looking for new events every five seconds.")
@click.option("--most", type=click.IntRange(min=1), default=100, show_default=True, help="Events in one round.")
@show.as_json
def deliver(*, watch: bool, most: int, json_out: bool) -> None:
    """Send the events that wait in the outbox to webhooks.url."""
    settings = show.open_settings()
    if settings.webhooks.url is None:
        msg = "There is nowhere to deliver to. Nothing was sent. Set webhooks.url and webhooks.secrets."
        raise ConfigError(msg)
    wiring = Wiring(settings, clock=None, ids=None, hooks=(), llm=None, environ=None)
    with closing(wiring):
        outbox = open_outbox(wiring.books, settings.webhooks, clock=wiring.clock, random=random)
        given_up = 0
        try:
            for done in _rounds(outbox, wiring.clock, most, watch=watch):
                given_up += done.given_up
                if not watch or done != Delivered(left=done.left):
                    _say(done, json_out=json_out)
        except KeyboardInterrupt:
            click.echo("Stopped. An event that was on its way is sent again.", err=True)
    if given_up:
        raise SystemExit(Exit.FINDINGS)


@click.command("webhook-secret")
@show.as_json
def webhook_secret(*, json_out: bool) -> None:
    """Make a secret to sign events with; give it to the receiver and to webhooks.secrets."""
    made = new_secret(secrets.token_bytes(_SECRET_BYTES))
    if json_out:
        show.print_json({"secret": made})
    else:
        click.echo(made)


def _rounds(outbox: Outbox, clock: Clock, most: int, *, watch: bool) -> Iterator[Delivered]:
    """One round, or one after the other; with a pause when there is nothing to do or the receiver is in trouble."""
    while True:
        done = outbox.deliver(most)
        yield done
        if not watch or done.gone:
            return
        if not done.left or done.failed:
            clock.sleep(_PAUSE_SECONDS)


def _say(done: Delivered, *, json_out: bool) -> None:
    if json_out:
        show.print_json(done)
        return
    click.echo(f"{done.sent} sent, {done.failed} to be tried again, {done.given_up} given up, {done.left} left")
    if done.gone:
        click.echo("The receiver wants no more events (410). Correct webhooks.url, or remove it.", err=True)
