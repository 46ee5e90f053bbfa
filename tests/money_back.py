"""Small makers that the tests of refunds and disputes share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.clawback import PaidOrder
from ai_addons.billing.gateways.base import Dispute, Refund, RefundOutcome
from ai_addons.billing.refunds import Refunds
from ai_addons.money import Credits, Money
from tests.books import OK
from tests.hands import examined

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ai_addons.billing.clawback import ShortfallPolicy
    from ai_addons.billing.refunds import MoneyBack
    from tests.books import Books

VALUE: Final = PaidOrder(
    business="biz_7",
    id="order-9",
    reference="aia-9",
    paid_minor=8000,
    currency="GHS",
    credits=Credits(80),
    bonus=Credits(20),
)
"""The VALUE pack: 80 cedis for 80 credits and 20 on top."""


def refund(id_: str = "RF1", minor: int = 3000, outcome: RefundOutcome = RefundOutcome.DONE, **more: Any) -> Refund:
    """What a gateway tells of a refund of the VALUE pack."""
    told = {"reference": VALUE.reference, "currency": "GHS"} | more
    return Refund(id=id_, amount_minor=minor, outcome=outcome, **told)


def dispute(id_: str = "DP1", minor: int = 8000, *, lost: bool | None = None, **more: Any) -> Dispute:
    """What a gateway tells of a dispute about the VALUE pack; open unless it says who has the money."""
    told: dict[str, Any] = {"reference": VALUE.reference, "currency": "GHS", "open": lost is None} | more
    return Dispute(id=id_, amount_minor=minor, lost=lost, **told)


def ghs(amount: str) -> Money:
    """An amount of cedis."""
    return Money(amount, "GHS")


def give(books: Books, order: PaidOrder = VALUE) -> None:
    """What paying for an order gives."""
    paid = order.paid_minor * 10_000
    books.funding.grant(order.business, order.credits, source="purchase", ref=order.id, paid=paid)
    if order.bonus:
        books.funding.grant(order.business, order.bonus, source="bonus", ref=order.id)


def spend(books: Books, amount: str, key: str | None = None) -> None:
    """A call of that price."""
    books.store.capture(books.hold(amount, key), OK)


@contextmanager
def paid(
    folder: Path, *, spent: str = "0", policy: ShortfallPolicy = "clamp", **options: Any
) -> Iterator[tuple[Books, Refunds]]:
    """Books with the VALUE pack, some of it spent; at the end they must agree with themselves."""
    with examined(folder, "0", **options) as books:
        give(books)
        if Credits(spent):
            spend(books, spent)
        yield books, Refunds(books.opened, policy=policy)


def figures(told: MoneyBack) -> dict[str, str]:
    """What a refund did to the credits, without zeros."""
    names = ("frozen", "taken", "lapsed", "waiting", "repaid", "written_off", "owed")
    return {name: getattr(told, name).short for name in names if getattr(told, name)}
