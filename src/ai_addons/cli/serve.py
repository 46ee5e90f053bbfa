"""`ai-addons serve`: the endpoints alone, without a host around them."""

from __future__ import annotations

import hmac
import socket
from contextlib import ExitStack
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

import click

from ai_addons.addons import AddOns
from ai_addons.billing.gateways.fake.adapter import FakePaystack
from ai_addons.billing.gateways.fake.hooks import HookPlan
from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from ai_addons.cli import show
from ai_addons.contrib._origin import check_origin
from ai_addons.contrib.wsgi import sent_headers, wsgi
from ai_addons.errors import ConfigError
from ai_addons.web import Principal, Web

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from ai_addons.web import Action

_LAST_PORT: Final = 65_535
_LEAST_TOKEN: Final = 32
_OPERATOR: Final = "operator"
_USER: Final = "serve"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, _LAST_PORT), default=8765, show_default=True, help="0 takes a free one.")
@click.option("--business", default="demo", show_default=True, help="Whom every request acts for.")
@click.option("--operator", is_flag=True, help="Let requests see and do what operators may, too.")
@click.option(
    "--token",
    envvar="AI_ADDONS_SERVE_TOKEN",
    help="Wanted as `Authorization: Bearer …`; 32 characters or more. Better set as AI_ADDONS_SERVE_TOKEN.",
)
@show.as_json
def serve(*, host: str, port: int, business: str, operator: bool, token: str | None, json_out: bool) -> None:
    """Serve the HTTP endpoints and pages for one business, until stopped: for trying, and behind a proxy."""
    check_access(host, token)
    who = Principal(business_id=business, user_id=_USER, roles=frozenset({_OPERATOR} if operator else ()))
    principal = demo_principal(who) if token is None else token_principal(who, token)
    with ExitStack() as stack:
        addons, fake = _open(stack)
        listening = stack.enter_context(_listen(host, port))
        server = _server(wsgi(Web(addons, authorize=may), principal=principal), listening)
        url = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"
        if fake is not None:
            fake.hooks.plan = HookPlan(url=f"{url}ai/webhooks/fake/")
        _say(url, fake, json_out=json_out)
        # Ends at Ctrl-C, quietly.
        server.run()
        server.close()
    click.echo("Stopped.", err=True)


def check_access(host: str, token: str | None) -> None:
    """Refuse to serve to others what only this machine may have.

    Args:
        host: Address to listen on.
        token: What requests must show; None lets in whoever reaches the address.

    Raises:
        ConfigError: If others than this machine reach the address without a token, or it is easily guessed.
    """
    if token is None and not is_loopback(host):
        msg = (
            f"{host} can be reached from other machines, so a token is needed. Nothing was charged. Set "
            "AI_ADDONS_SERVE_TOKEN to 32 or more random characters, or listen on 127.0.0.1."
        )
        raise ConfigError(msg)
    if token is not None and len(token) < _LEAST_TOKEN:
        msg = f"The token has fewer than {_LEAST_TOKEN} characters. Nothing was charged. Make a longer one, at random."
        raise ConfigError(msg)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def demo_principal(who: Principal) -> Callable[[WSGIEnvironment], Principal | None]:
    """Whoever reaches the address by its own name, from its own pages or from no page.

    A page elsewhere may make a browser on this machine ask us too: by another name that leads here, or with a form.

    Args:
        who: Whom they act for.
    """

    def hook(environ: WSGIEnvironment) -> Principal | None:
        headers = sent_headers(environ)
        asked = headers.get("host", "")
        if not is_loopback(asked.rpartition(":")[0] if ":" in asked.rpartition("]")[2] else asked):
            return None
        if "origin" in headers or "referer" in headers:
            check_origin(environ["REQUEST_METHOD"], headers, own=f"http://{asked}")
        return who

    return hook


def token_principal(who: Principal, token: str) -> Callable[[WSGIEnvironment], Principal | None]:
    """Whoever shows the token.

    Args:
        who: Whom they act for.
        token: What must be shown.
    """
    wanted = f"Bearer {token}".encode()

    def hook(environ: WSGIEnvironment) -> Principal | None:
        shown = str(environ.get("HTTP_AUTHORIZATION", "")).encode()
        return who if hmac.compare_digest(shown, wanted) else None

    return hook


def may(principal: Principal, action: Action) -> bool:
    """Everything that is the business's own; the rest for operators."""
    return not action.startswith("admin:") or _OPERATOR in principal.roles


def _open(stack: ExitStack) -> tuple[AddOns, FakeGatewayServer | None]:
    """What answers; where no gateway is configured, with one that moves no money."""
    settings = show.open_settings()
    if settings.gateways or settings.payments.gateways:
        addons = show.open_addons()
        stack.callback(addons.close)
        return addons, None
    fake = stack.enter_context(FakeGatewayServer())
    addons = AddOns(settings, gateways=[FakePaystack(fake.url)])
    stack.callback(addons.close)
    return addons, fake


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        msg = f"{host}:{port} cannot be used ({error.strerror}). Nothing was charged. Choose another with --port."
        raise ConfigError(msg) from None


def _server(application: WSGIApplication, listening: socket.socket) -> Any:  # noqa: ANN401  # waitress has no types
    try:
        from waitress.server import create_server  # noqa: PLC0415  # an extra
    except ImportError:
        msg = "Serving needs waitress. Nothing was charged. Run: pip install 'ai-addons[serve]'."
        raise ConfigError(msg) from None
    return create_server(application, sockets=[listening], ident=None, clear_untrusted_proxy_headers=True)


def _say(url: str, fake: FakeGatewayServer | None, *, json_out: bool) -> None:
    places = {"url": url, "credits": f"{url}ai/credits/"}
    if fake is not None:
        places |= {"phone": f"{fake.url}/phone", "operator": f"{fake.url}/operator"}
    if json_out:
        show.print_json(places)
        return
    click.echo("Serving the AI add-on." + ("" if fake is None else " Payments go to a fake gateway: no money moves."))
    for name, place in places.items():
        click.echo(f"  {name:<9} {place}")
    click.echo("Stop it with Ctrl-C.")
