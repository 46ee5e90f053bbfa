"""Orders as their owner looks at them: a page of them, or one whose payment is waited for."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.order_rows import read_attempt, read_order
from ai_addons.billing.records import check_id
from ai_addons.billing.sql import purchases as sql
from ai_addons.errors import GatewayError
from ai_addons.money import Credits

if TYPE_CHECKING:
    from ai_addons.billing.applying import Applying
    from ai_addons.billing.books import Books
    from ai_addons.billing.ordering import Ordering
    from ai_addons.billing.orders import Attempt, Order
    from ai_addons.billing.sql import Row, Tx

_UNENDED: Final = frozenset({"started", "open"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An order at one moment.

    Attributes:
        order: The order.
        attempts: All attempts to pay it, oldest first.
        at: When it was looked at, UTC microseconds.
    """

    order: Order
    attempts: tuple[Attempt, ...]
    at: int


class Watching:
    """Reads orders for their owners.

    Args:
        books: The open books.
        ordering: Finds an order.
        applying: Asks a gateway, and books what it says.
    """

    def __init__(self, books: Books, ordering: Ordering, applying: Applying) -> None:
        self._books = books
        self._ordering = ordering
        self._applying = applying

    def listed(self, business: str, most: int, *, before: str | None) -> list[tuple[Order, tuple[Attempt, ...]]]:
        """A page of orders with their attempts, the newest order first: two indexed reads."""
        check_id(business, "a business id")
        asked = {"business": business, "before": before or sql.AFTER_ALL, "most": most}

        def look(tx: Tx) -> tuple[list[Row], list[Row]]:
            orders = tx.rows(sql.ORDERS, asked)
            if not orders:
                return [], []
            span = {"business": business, "first": orders[-1].id, "last": orders[0].id}
            return orders, tx.rows(sql.ATTEMPTS_BETWEEN, span)

        orders, rows = self._books.database.read(look)
        attempts: dict[str, list[Attempt]] = defaultdict(list)
        for row in rows:
            attempts[row.order_id].append(read_attempt(row))
        return [(read_order(row), tuple(attempts[row.id])) for row in orders]

    def bought(self, business: str) -> Credits:
        """All credits that a business ever paid for."""
        check_id(business, "a business id")
        return Credits.from_micro(self._books.database.read(lambda tx: tx.value(sql.BOUGHT, {"business": business})))

    def watch(self, business: str, order: str, *, every: int) -> Watched:
        """An order, after its gateway was asked if it is time for that."""
        check_id(business, "a business id")
        known, attempts = self._ordering.find(business, order)
        waiting = attempts[-1].reference if attempts and attempts[-1].state in _UNENDED else None
        if known.paid_at is None and waiting is not None and self._may_ask(waiting, every):
            with suppress(GatewayError):
                self._applying.apply(waiting)
            known, attempts = self._ordering.find(business, order)
        return Watched(order=known, attempts=attempts, at=self._books.about_now())

    def _may_ask(self, reference: str, every: int) -> bool:
        """Whether nobody asked a moment ago; from now on somebody has."""

        def work(tx: Tx) -> bool:
            now = self._books.now(tx)
            return tx.changed(sql.ASK, {"reference": reference, "now": now, "before": now - every}) == 1

        return self._books.database.write(work)
