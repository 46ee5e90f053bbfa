"""Old calls forget who made them and what was said about them; the books keep every amount."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ai_addons.billing.months import starts
from ai_addons.billing.operations import note
from ai_addons.billing.sql import exports
from ai_addons.billing.sql import figures as sql

if TYPE_CHECKING:
    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What applying retention did.

    Attributes:
        before: Calls before this moment were looked at, UTC microseconds.
        calls: Lines of the call log that forgot something.
        feedback: Comments that were taken away.
    """

    before: int
    calls: int
    feedback: int


def apply_retention(books: Books, *, months: int, actor: str) -> Retained:
    """Take users, hashes of requests and details of request and answer away from calls older than some months.

    Rows, amounts, tokens, models and times stay: daily sums and the ledger are rebuilt from them and checked against
    them. A key used before can no longer be replayed. A second run changes nothing.

    Args:
        books: The open books.
        months: How many calendar months calls are remembered, in the operator's zone.
        actor: Who decided.

    Raises:
        ValueError: If nobody decided.
        StoreUnavailable: If the database cannot be used; what was forgotten by then stays forgotten.
    """
    now = books.database.read(books.now)
    before = starts(now, books.terms.operator_tz, -months)
    calls = feedback = 0
    for business in exports.businesses(books.database):
        # One business at a time, so that no call waits long.
        forgot = books.database.write(partial(_forget, {"business": business, "before": before}))
        calls, feedback = calls + forgot[0], feedback + forgot[1]
    detail = {"months": months, "calls": calls, "feedback": feedback}
    books.database.write(lambda tx: note(books, tx, books.now(tx), actor, "retention", "", detail))
    return Retained(before=before, calls=calls, feedback=feedback)


def _forget(asked: dict[str, object], tx: Tx) -> tuple[int, int]:
    tx.write(sql.FORGET_HOLDS, asked)
    return tx.changed(sql.FORGET_CALLS, asked), tx.changed(sql.FORGET_COMMENTS, asked)
