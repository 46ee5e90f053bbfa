"""A process that sends what waits in an outbox and is gone before it can note that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ai_addons.billing.outbox import Outbox
from ai_addons.billing.sql import Database
from ai_addons.billing.webhooks import WebhookSender
from ai_addons.clock import SystemClock
from tests.books import open_books

if TYPE_CHECKING:
    from ai_addons.billing.webhooks import Delivery, Envelope


class Killed(WebhookSender):
    """Sends once, and is gone."""

    def send(self, envelope: Envelope, *, now: int) -> Delivery:
        super().send(envelope, now=now)
        os._exit(9)


def main(database: str, url: str, secret: str) -> None:
    """Send until the end."""
    books = open_books(Database(database)).books
    Outbox(books, Killed(url, [secret], timeout=5), clock=SystemClock(), random=lambda: 0.0).deliver()
