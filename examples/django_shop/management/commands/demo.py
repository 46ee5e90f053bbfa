"""``manage.py demo``: make the tables, fill them, start a gateway that moves no money, and serve."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from ai_addons.billing.gateways.fake.hooks import HookPlan
from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from django_shop.records import fill


class Command(BaseCommand):
    """Everything in one process."""

    help = "Make the tables, fill them, start a gateway that moves no money, and serve."

    def add_arguments(self, parser: Any) -> None:
        """Where to listen."""
        parser.add_argument("--port", type=int, default=8000, help="Where the shop listens (default 8000).")

    def handle(self, **options: Any) -> None:
        """Serve until Ctrl-C."""
        url = f"http://127.0.0.1:{options['port']}/"
        call_command("migrate", verbosity=0)
        fill()
        with FakeGatewayServer(port=settings.GATEWAY_PORT, hooks=HookPlan(url=f"{url}ai/webhooks/fake/")) as gateway:
            self.stdout.write(f"The shop: {url} (names and passwords stand on the login page)")
            self.stdout.write(f"A payer's phone: {gateway.url}/phone")
            call_command("runserver", f"127.0.0.1:{options['port']}", use_reloader=False)
