"""An invented customer who asks for shop credit: for the demo, the docs and the cost table."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from ai_addons.features.credit_assessment.models import CreditApplication, CreditInvoice

_SEED: Final = 7
_AS_OF: Final = date(2026, 11, 20)
_BILLS: Final = 11
_TERM_DAYS: Final = 30


def example(customers: int = 500) -> CreditApplication:  # noqa: ARG001  # one customer's figures, whatever the shop's size
    """A provision seller in Kumasi who mostly pays on time and asks for half as much again.

    Args:
        customers: How many customers the shop has; nothing here depends on it.
    """
    draw = Random(_SEED)  # noqa: S311  # an invented customer, not a secret
    purchases = tuple(Decimal(draw.randrange(900, 1_600)) for _ in range(12))
    return CreditApplication(
        as_of=_AS_OF,
        requested_ghs=Decimal(3_000),
        current_limit=Decimal(2_000),
        exposure=Decimal("640.50"),
        tenure_months=31,
        orders_12m=46,
        spend_12m=sum(purchases, Decimal(0)),
        disputes_open=0,
        returned_payments_12m=1,
        monthly_purchases=purchases,
        credit_invoices=tuple(_bill(draw, number) for number in range(_BILLS)),
    )


def _bill(draw: Random, number: int) -> CreditInvoice:
    """One bill a month, the latest not yet due; about one in four paid some days late."""
    due = _AS_OF + timedelta(days=10 - _TERM_DAYS * number)
    late = draw.randrange(1, 15) if draw.random() < 0.25 else -draw.randrange(0, 6)  # noqa: PLR2004  # one in four
    return CreditInvoice(
        issued=due - timedelta(days=_TERM_DAYS),
        due=due,
        paid=None if number == 0 else due + timedelta(days=late),
        amount=Decimal(draw.randrange(300, 1_400)),
    )
