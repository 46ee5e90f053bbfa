"""What a business can be charged with while nobody is present: its saved card, and where its receipts go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing.gateways.base import CardGateway
from ai_addons.billing.order_rows import read_saved
from ai_addons.billing.sql import purchases as sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.books import Books
    from ai_addons.billing.opening import Shop
    from ai_addons.billing.orders import Card


class Payers:
    """Finds cards and addresses.

    Args:
        books: The open books.
        shop: Finds gateways.
        names: Names of the gateways of the settings.
    """

    def __init__(self, books: Books, shop: Shop, names: Callable[[], tuple[str, ...]]) -> None:
        self._books = books
        self._shop = shop
        self._names = names

    def card(self, business: str, named: str | None = None) -> Card | None:
        """The card to charge, the newest unless one is named; None if there is none that can be charged now."""
        rows = self._books.database.read(lambda tx: tx.rows(sql.CARDS, {"business": business}))
        names = self._names()
        usable = [one for one in map(read_saved, rows) if one.gateway in names and named in {None, one.id}]
        return next((one for one in usable if isinstance(self._shop.gateway(one.gateway), CardGateway)), None)

    def email(self, business: str) -> str | None:
        """Where the owner's receipts went last, if the host does not say."""
        if self._books.terms.profile(business).email:
            return None
        rows = self._books.database.read(
            lambda tx: tx.rows(sql.ORDERS, {"business": business, "before": sql.AFTER_ALL, "most": 1})
        )
        return rows[0].email if rows else None
