"""`ai-addons fake-gateway`: payments on a developer's own machine."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from ai_addons.billing.gateways.fake.hooks import HookPlan
from ai_addons.billing.gateways.fake.server import KEY, PORT, FakeGatewayServer
from ai_addons.cli import show
from ai_addons.errors import ConfigError

_LAST_PORT: Final = 65_535


@click.command("fake-gateway")
@click.option("--port", type=click.IntRange(0, _LAST_PORT), default=PORT, show_default=True, help="0 takes a free one.")
@click.option("--webhook", metavar="URL", help="Where to send webhooks; without it none comes.")
@click.option("--copies", type=click.IntRange(min=1), default=1, show_default=True, help="How often each is sent.")
@click.option("--delay", type=click.FloatRange(min=0), default=0.0, show_default=True, help="Seconds until it is.")
@click.option("--swapped", is_flag=True, help="Let every second webhook overtake the one before it.")
@click.option("--keep", type=click.Path(dir_okay=False, path_type=Path), help="Keep payments in this SQLite file.")
@show.as_json
def fake_gateway(
    *, port: int, webhook: str | None, copies: int, delay: float, swapped: bool, keep: Path | None, json_out: bool
) -> None:
    """Run a gateway that speaks Paystack's protocol and moves no money, until it is stopped."""
    plan = HookPlan(url=_address(webhook), copies=copies, delay=delay, swapped=swapped)
    server = FakeGatewayServer(port=port, path=keep, hooks=plan)
    try:
        with server:
            _say(server.url, json_out=json_out)
            threading.Event().wait()
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
    except OSError as error:
        msg = f"Port {port} cannot be used ({error.strerror}). Nothing was charged. Choose another with --port."
        raise ConfigError(msg) from None


def _address(url: str | None) -> str | None:
    """An address that webhooks can be sent to."""
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = f"{url!r} is no address for webhooks: write it like http://127.0.0.1:8000/ai/webhooks/paystack/"
        raise ValueError(msg)
    return url


def _say(url: str, *, json_out: bool) -> None:
    places = {"api": url, "key": KEY, "phone": f"{url}/phone", "operator": f"{url}/operator"}
    if json_out:
        show.print_json(places)
        return
    click.echo("A fake gateway runs. No money moves.")
    for name, place in places.items():
        click.echo(f"  {name:<9} {place}")
    click.echo("Stop it with Ctrl-C.")
