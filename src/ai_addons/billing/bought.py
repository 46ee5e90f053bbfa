"""Checks that every paid order gave exactly what was bought, and no other order anything. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_addons.billing.sql import Row

GIVEN: Final = "a paid order gave exactly what was bought"
UNPAID: Final = "an order that is not paid gave nothing"
ATTEMPTED: Final = "a paid order has the one attempt that paid it"


def bought(orders: Sequence[Row], paid: Sequence[Row], subscriptions: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """What is wrong with the orders of one business.

    Args:
        orders: Each order, with a row for each grant of its reference.
        paid: The attempts that paid.
        subscriptions: The business's add-ons.

    Yields:
        The rule that is broken, and what is found instead.
    """
    given = defaultdict[str, dict[str, int]](dict)
    for row in orders:
        if row.source is not None:
            given[row.id][row.source] = row.amount
    payers = {row.order_id: row.reference for row in paid}
    through = {row.id: row.paid_through for row in subscriptions}
    for order in {row.id: row for row in orders}.values():
        yield from _one(order, given[order.id], payers.get(order.id), through)


def _one(order: Row, given: dict[str, int], payer: str | None, through: dict[str, int]) -> Iterator[tuple[str, str]]:
    if payer != order.paid_reference:
        yield ATTEMPTED, f"order {order.id}: paid by {order.paid_reference}, attempts say {payer}"
    if order.paid_at is None:
        if given:
            yield UNPAID, f"order {order.id} is {order.state} and gave {given} (micro-credits)"
    elif order.subscription_id is not None:
        if through.get(order.subscription_id, -1) < order.period:
            yield GIVEN, f"order {order.id}: month {order.period} of its add-on is not paid"
    elif given != _wanted(order):
        yield GIVEN, f"order {order.id}: gave {given}, bought {_wanted(order)} (micro-credits)"


def _wanted(order: Row) -> dict[str, int]:
    """Micro-credits by source."""
    purchase = {"purchase": order.credits - order.bonus}
    return purchase | {"bonus": order.bonus} if order.bonus else purchase
