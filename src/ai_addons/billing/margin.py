"""What a call earns: the margin of a price against its expected cost. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ai_addons.money import MICRO, Credits, MicroGhs, PicoUsd

EXTRA_ATTEMPTS: Final = Decimal("1.25")
"""Retries and repairs cost a quarter on top of a call, as a rule of thumb."""

PAYMENT_FEE: Final = Decimal("0.0195")
"""Share of every payment that the gateway keeps."""

CHEAPEST_CREDIT: Final = MicroGhs(MICRO // 2)
"""GHS 0.50: what a credit of the monthly add-on brings, the least any credit is sold for."""


def expected_cost(tokens: tuple[int, int], input_price: int, output_price: int) -> PicoUsd:
    """Provider cost of a typical call.

    Args:
        tokens: Expected input and output tokens.
        input_price: Pico-USD per input token.
        output_price: Pico-USD per output token.
    """
    return PicoUsd(tokens[0] * input_price + tokens[1] * output_price)


def loaded_margin(price: Credits, cost: MicroGhs, per_credit: MicroGhs = CHEAPEST_CREDIT) -> Decimal | None:
    """Share of the revenue that is left after extra attempts and the payment fee.

    Args:
        price: Credits per call.
        cost: Expected provider cost in micro-GHS.
        per_credit: What a credit brought, in micro-GHS.

    Returns:
        E.g. 0.939 for 93.9 %; None for a feature that is given away.
    """
    revenue = Decimal(price.micro) * per_credit / MICRO
    if not revenue:
        return None
    return (1 - PAYMENT_FEE - EXTRA_ATTEMPTS * cost / revenue).quantize(Decimal("0.001"))
