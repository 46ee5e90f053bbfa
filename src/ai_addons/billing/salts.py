"""One random salt per business, without which its pseudonyms cannot be made.

It is kept in the books and nowhere else: no process remembers it. Erasing a
business deletes it, and from then on nobody can say any more whose pseudonyms
stand in old logs, not even with the secret (crypto-shredding). A backup that is
older than the erasure still holds it, until that backup is deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing.records import check_id
from ai_addons.billing.sql import statements as sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Tx


class Salts:
    """The salts of all businesses.

    Args:
        books: The open books.
        new: Makes a new salt: 32 random bytes as hexadecimal digits.
    """

    def __init__(self, books: Books, new: Callable[[], str]) -> None:
        self._books = books
        self._new = new

    def of(self, business: str) -> str:
        """The salt of a business; made at the first question.

        Raises:
            ValueError: For a business id that cannot be one.
            StoreUnavailable: If the database cannot be used.
        """
        check_id(business, "a business id")
        found = self._books.database.read(lambda tx: tx.one(sql.SALT, {"business": business}))
        return self._make(business) if found is None else str(found.salt)

    def _make(self, business: str) -> str:
        def work(tx: Tx) -> str:
            row = {"business_id": business, "salt": self._new(), "made_at": self._books.now(tx)}
            # Of two processes that ask first, the second keeps what the first wrote.
            tx.write(sql.ADD_SALT, row)
            return str(tx.value(sql.SALT, {"business": business}))

        return self._books.database.write(work)
