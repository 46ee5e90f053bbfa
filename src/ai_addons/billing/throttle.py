"""How often a business and its users may ask for what is costly; counted in the store, so for all hosts together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.billing.records import check_id
from ai_addons.billing.sql import web as sql

if TYPE_CHECKING:
    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Row, Tx

_ALL: Final = ""


class Throttle:
    """Counts requests in fixed windows.

    Args:
        books: The open books.
        window: Microseconds of a window.
        user: Requests of one user for one thing in a window; 0 for no limit.
        business: The same for a whole business.
    """

    def __init__(self, books: Books, *, window: int, user: int, business: int) -> None:
        self._books = books
        self._window = window
        self._user = user
        self._business = business

    def count(self, business: str, user: str | None, action: str) -> int:
        """Count a request.

        Args:
            business: Whose.
            user: Who asks; None counts for the business alone.
            action: What for; each thing is counted for itself.

        Returns:
            Microseconds to wait until the next window, 0 if it may go on now. What must wait is not counted.

        Raises:
            StoreUnavailable: If the database cannot be used.
        """
        check_id(business, "a business id")
        limits = {_ALL: self._business, **({user: self._user} if user else {})}
        counted = {name: most for name, most in limits.items() if most}
        if not counted:
            return 0
        keys = [({"business": business, "user": name, "action": action}, most) for name, most in counted.items()]

        def work(tx: Tx) -> int:
            now = self._books.now(tx)
            starts = now - now % self._window
            for key, most in keys:
                row = tx.one(sql.COUNTED, key)
                if row is not None and row.starts_at >= starts and row.used >= most:
                    return self._left(row, now)
            waits = [0]
            for key, most in keys:
                (row,) = tx.rows(sql.COUNT, {**key, "starts_at": starts})
                # Another host may have counted between the look and the write.
                waits.append(self._left(row, now) if row.used > most else 0)
            return max(waits)

        return self._books.database.write(work)

    def _left(self, row: Row, now: int) -> int:
        return max(1, int(row.starts_at) + self._window - now)
