"""A process that sells credits by a gateway kept in a file: ``python -m tests.payments_child URL FOLDER``.

It starts orders, lets them be paid, and applies them, for ever, until it is killed; the gateway's
state outlives it, as a real one's does. Each order is told when the gateway says it is paid.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path
from typing import Any

from ai_addons.billing.gateways.base import Charge, Checkout, Outcome, PaymentRequest
from ai_addons.billing.opening import Shop
from ai_addons.billing.payments import Payments
from ai_addons.billing.sql import Database
from ai_addons.clock import SystemClock
from tests.books import Opened, open_books
from tests.scripted_gateway import EMAIL, PageGateway


class FolderGateway(PageGateway):
    """A gateway whose payments are files."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def checkout(self, request: PaymentRequest) -> Checkout:
        self.write(request.reference, outcome="pending", minor=request.amount.minor)
        return Checkout(reference=request.reference, url="https://pay.example")

    def write(self, reference: str, **said: Any) -> None:
        """Keep what is said of a payment, whole or not at all."""
        draft = self.folder / f"{reference}.new"
        draft.write_text(json.dumps(said))
        draft.rename(self.folder / reference)

    def fetch(self, reference: str) -> Charge | None:
        path = self.folder / reference
        if not path.exists():
            return None
        said = json.loads(path.read_text())
        return Charge(
            reference=reference,
            outcome=Outcome(said["outcome"]),
            raw_status=said["outcome"],
            amount_minor=said["minor"],
            currency="GHS",
            live=False,
        )


def sell(opened: Opened, gateway: FolderGateway) -> Payments:
    """Orders on a database."""
    shop = Shop(gateway=lambda _: gateway, packs=tuple)
    return Payments(opened.books, shop, names=lambda: (gateway.name,))


def main(url: str, folder: Path) -> None:
    """Sell until killed."""
    opened = open_books(Database(url), SystemClock())
    gateway = FolderGateway(folder)
    orders = sell(opened, gateway)
    for number in count():
        payment = orders.start("biz_7", "VALUE" if number % 2 else "STARTER", email=EMAIL)
        gateway.write(payment.attempt.reference, outcome="paid", minor=payment.order.price.minor)
        print(payment.attempt.reference, flush=True)  # noqa: T201  # tells the parent
        orders.verify("biz_7", payment.attempt.reference)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
