"""Old calls forget who made them and what was said about them, old orders who bought; the books keep every amount."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ai_addons.billing.forgetting import forget_in_audit
from ai_addons.billing.months import starts
from ai_addons.billing.operations import note
from ai_addons.billing.progress import Stage
from ai_addons.billing.sql import exports
from ai_addons.billing.sql import figures as sql

if TYPE_CHECKING:
    from ai_addons.billing.books import Books
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.sql import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What applying retention did.

    Attributes:
        before: Calls before this moment were looked at, UTC microseconds.
        calls: Lines of the call log that forgot something.
        feedback: Words about results that forgot who said them and lost their comment; the rating stays.
        orders: Orders that forgot who bought.
        noted: Entries of the audit log that forgot one of the shop's people.
    """

    before: int
    calls: int
    feedback: int
    orders: int = 0
    noted: int = 0


def apply_retention(books: Books, *, months: int, actor: str, on_progress: OnProgress | None = None) -> Retained:
    """Take users, hashes of requests and details of request and answer away from calls older than some months.

    Rows, amounts, tokens, models and times stay: daily sums and the ledger are rebuilt from them and checked against
    them. Ratings stay without who gave them, orders without who bought, and audit entries without whom of a shop they
    name; a top-up that is still agreed keeps who agreed. A key used before can no longer be replayed. A second run
    changes nothing.

    Args:
        books: The open books.
        months: How many calendar months calls are remembered, in the operator's zone.
        actor: Who decided.
        on_progress: Is told of every business that was gone through.

    Raises:
        ValueError: If nobody decided.
        StoreUnavailable: If the database cannot be used; what was forgotten by then stays forgotten.
    """
    now = books.database.read(books.now)
    before = starts(now, books.terms.operator_tz, -months)
    forgot = {"calls": 0, "feedback": 0, "orders": 0, "noted": 0}
    stage = Stage(on_progress, "businesses gone through", lambda: books.database.read(exports.count_businesses))
    for business in stage.over(exports.businesses(books.database)):
        # One business at a time, so that no call waits long.
        found = books.database.write(partial(_forget, business, before))
        forgot = {name: count + found[name] for name, count in forgot.items()}
    detail = {"months": months, **forgot}
    books.database.write(lambda tx: note(books, tx, books.now(tx), actor, "retention", "", detail))
    return Retained(before=before, **forgot)


def _forget(business: str, before: int, tx: Tx) -> dict[str, int]:
    asked = {"business": business, "before": before}
    tx.write(sql.FORGET_HOLDS, asked)
    tx.write(sql.FORGET_COUNTERS, asked)
    return {
        "calls": tx.changed(sql.FORGET_CALLS, asked),
        "feedback": tx.changed(sql.FORGET_SPEAKERS, asked),
        "orders": tx.changed(sql.FORGET_BUYERS, asked),
        "noted": forget_in_audit(tx, business, user=None, before=before),
    }
