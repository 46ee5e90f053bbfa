"""Answers of web requests under a client's own key, kept so that a repeat gets the same bytes.

A key belongs to one request of one business. What makes a purchase, a trial or a
subscription happen once are the books' own keys; this only remembers what was said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ai_addons.billing.records import check_id
from ai_addons.billing.sql import web as sql
from ai_addons.errors import IdempotencyConflict, LedgerConflict
from ai_addons.money import MICRO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Tx

LEASE: Final = 60 * MICRO
"""Microseconds for which a request belongs to who began it; more than a gateway's timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What was answered.

    Attributes:
        status: HTTP status.
        body: As it was sent.
    """

    status: int
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that is to be carried out now.

    Attributes:
        at: When its key was taken, UTC microseconds; whoever takes it later has another time.
    """

    at: int


class Replies:
    """Remembers answers.

    Args:
        books: The open books.
        keep: Microseconds for which an answer is kept.
        fingerprint: Keyed hash of what was asked; it may hold personal data.
    """

    def __init__(self, books: Books, *, keep: int, fingerprint: Callable[[str, Mapping[str, object]], str]) -> None:
        self._books = books
        self._keep = keep
        self._fingerprint = fingerprint

    def begin(self, business: str, key: str, action: str, asked: Mapping[str, object]) -> Reply | Begun:
        """Take a key for a request.

        Args:
            business: Whose.
            key: The client's.
            action: What is asked for.
            asked: All that makes it this request.

        Returns:
            What was answered to this very request before; or that it is to be carried out now, and then `end` follows.

        Raises:
            IdempotencyConflict: If the key was used for another request.
            LedgerConflict: If the same request is being carried out right now.
        """
        check_id(business, "a business id")
        check_id(key, "an idempotency key")
        request = self._fingerprint(action, asked)
        this = {"business": business, "of_key": key}

        def work(tx: Tx) -> Reply | Begun:
            now = self._books.now(tx)
            times = {"begun_at": now, "expires_at": now + self._keep}
            if tx.changed(sql.BEGIN_REPLY, {"business": business, "key": key, "request_hash": request, **times}):
                return Begun(now)
            (row,) = tx.rows(sql.REPLY, this)
            if row.expires_at > now:
                if row.request_hash != request:
                    raise IdempotencyConflict
                if row.status is not None:
                    return Reply(status=row.status, body=row.body)
                if row.begun_at > now - LEASE:
                    raise LedgerConflict
            tx.write(sql.TAKE_REPLY, {**this, "request_hash": request, **times, "status": None, "body": None})
            return Begun(now)

        return self._books.database.write(work)

    def end(self, business: str, key: str, begun: Begun, reply: Reply | None) -> None:
        """Keep what was answered; None lets the same request be made again at once.

        Who took longer than the lease, so that somebody else has the key now, changes nothing: the answer to keep is
        the other's.
        """
        this = {"business": business, "of_key": key, "of_begun": begun.at}
        if reply is None:
            ended: dict[str, object] = {"status": None, "body": None, "begun_at": 0}
        else:
            ended = {"status": reply.status, "body": reply.body, "begun_at": begun.at}
        self._books.database.write(lambda tx: tx.write(sql.END_REPLY, {**this, **ended}))
