"""The outbox's delivery: every event reaches the host at least once, signed, whatever crashes on the way.

An event is written in the transaction of what it tells. A worker claims one by
pushing its next attempt ahead, sends it outside any transaction, and marks what
came of it together with its next claim: one commit per event. A worker that dies
leaves its claim to run out, and the event is sent again under the same id, by
which the receiver drops what it has seen. No order is promised.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

from ai_addons.billing.jobs import recorded
from ai_addons.billing.sql import statements as sql
from ai_addons.billing.webhooks import GIVE_UP, Delivery, Envelope, WebhookSender, backoff
from ai_addons.events import OperatorAlert, WebhookDelivered, WebhookFailed, emit
from ai_addons.money import MICRO

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Row, Tx
    from ai_addons.clock import Clock
    from ai_addons.settings import WebhookSettings

T = TypeVar("T")

LEASE: Final = 5 * 60 * MICRO
"""Microseconds after which the event of a worker that died is sent by another one."""

FAILURES_IN_A_ROW: Final = 5
"""After so many a round ends: the receiver is down, and each attempt may cost a timeout."""

MOST_COUNTED: Final = 1_000
"""How far the events that are left are counted."""

# A claim outlives connecting, sending and waiting for the answer, each of which may take a whole timeout.
_LEASE_TIMEOUTS: Final = 6

_Fate: TypeAlias = Literal["sent", "failed", "given_up", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What one round of deliveries did.

    Attributes:
        sent: Events that the receiver took.
        failed: Events that will be tried again.
        given_up: Events that nobody will try again: refused for good, or tried for about three days.
        left: Events that are due and were not tried in this round, counted up to `MOST_COUNTED`.
        gone: Whether the receiver answered that it wants no more events (410).
    """

    sent: int = 0
    failed: int = 0
    given_up: int = 0
    left: int = 0
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """An event that this worker alone may send until its lease runs out."""

    row: Row
    attempts: int
    now: int
    claimed_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """What came of an attempt, and in how many microseconds the next one is due."""

    claim: _Claim
    fate: _Fate
    reason: str | None = None
    wait: int = 0
    gone: bool = False


class Outbox:
    """Delivers what stands in the outbox. Many may work on one database at once.

    Args:
        books: The open books.
        sender: Carries the messages; None where no address is set, and then nothing is delivered.
        clock: Measures how long a claim has been held.
        random: Gives 0 to 1 by chance; spreads the attempts.
        lease_us: Microseconds a claim lasts; more than one message can take.
    """

    def __init__(
        self,
        books: Books,
        sender: WebhookSender | None,
        *,
        clock: Clock,
        random: Callable[[], float],
        lease_us: int = LEASE,
    ) -> None:
        self._books = books
        self._sender = sender
        self._clock = clock
        self._random = random
        self._lease_us = lease_us

    def deliver(self, most: int = 100) -> Delivered:
        """Send what is due, one after the other.

        A round ends when nothing is due, at ``most``, after `FAILURES_IN_A_ROW`, or when the receiver
        wants no more. An event that is given up is told to the hooks as an `OperatorAlert` and keeps its
        reason in ``last_error``.

        Args:
            most: Events to try.

        Raises:
            StoreUnavailable: If the database cannot be used; what was on its way is sent again later.
        """
        return recorded(self._books, "deliver", lambda: self._round(most))

    def _round(self, most: int) -> Delivered:
        if self._sender is None:
            return Delivered(left=self._book(None, _count_due))
        ended: _Ended | None = None
        fates, in_a_row = Counter[_Fate](), 0
        for _ in range(most):
            claim = self._book(ended, self._claim)
            if claim is None:
                return _told(fates, left=0)
            ended = self._attempt(self._sender, claim)
            fates[ended.fate] += 1
            in_a_row = 0 if ended.fate == "sent" else in_a_row + 1
            if ended.gone or in_a_row == FAILURES_IN_A_ROW:
                break
        left = self._book(ended, _count_due)
        return _told(fates, left=left, gone=ended is not None and ended.gone)

    def _book(self, ended: _Ended | None, then: Callable[[Tx, int], T]) -> T:
        """Mark what came of the last attempt and do what comes next, in one short transaction."""

        def work(tx: Tx) -> T:
            now = self._books.now(tx)
            if ended is not None and ended.fate != "lost":
                _mark(tx, ended, now)
            return then(tx, now)

        result = self._books.database.write(work)
        if ended is not None:
            self._tell(ended)
        return result

    def _tell(self, ended: _Ended) -> None:
        """Tell the hooks what came of an attempt, now that it is marked."""
        hooks, row, attempts = self._books.terms.hooks, ended.claim.row, ended.claim.attempts
        if ended.fate == "sent":
            emit(hooks, WebhookDelivered(topic=row.topic, attempts=attempts))
            return
        given_up = ended.fate == "given_up"
        emit(hooks, WebhookFailed(topic=row.topic, attempts=attempts, given_up=given_up))
        if given_up:
            detail = f"event {row.id} ({row.topic}) was not delivered: {ended.reason}"
            emit(hooks, OperatorAlert(code="webhook_given_up", detail=detail))

    def _claim(self, tx: Tx, now: int) -> _Claim | None:
        row = tx.one(sql.EVENTS_DUE, {"now": now, "most": 1})
        if row is None:
            return None
        attempts = row.attempts + 1
        _save(tx, row.id, attempts=attempts, next_at=now + self._lease_us, sent_at=None, error=row.last_error)
        return _Claim(row=row, attempts=attempts, now=now, claimed_at=self._clock.monotonic())

    def _attempt(self, sender: WebhookSender, claim: _Claim) -> _Ended:
        """Send one event; no transaction is open, and no lock is held."""
        try:
            answer = sender.send(_envelope(claim.row), now=claim.now)
        except (TypeError, ValueError):
            # Another attempt would end the same, and the error's text may hold what the event says.
            return _Ended(claim=claim, fate="given_up", reason="not a message that can be signed")
        if answer.ok:
            return _Ended(claim=claim, fate="sent")
        return self._failed(claim, answer)

    def _failed(self, claim: _Claim, answer: Delivery) -> _Ended:
        fate: _Fate = "failed"
        if (self._clock.monotonic() - claim.claimed_at) * MICRO >= self._lease_us:
            # The claim ran out, so the event may be another worker's by now, who says what comes of it.
            fate = "lost"
        elif answer.gone or claim.attempts >= GIVE_UP:
            fate = "given_up"
        wait = backoff(claim.attempts, jitter=self._random(), retry_after=answer.retry_after)
        return _Ended(claim=claim, fate=fate, reason=answer.reason, wait=wait, gone=answer.gone)


def open_outbox(books: Books, settings: WebhookSettings, *, clock: Clock, random: Callable[[], float]) -> Outbox:
    """The outbox that the settings describe.

    Args:
        books: The open books.
        settings: Where to deliver to, signed with what.
        clock: Measures how long a claim has been held.
        random: Gives 0 to 1 by chance.

    Raises:
        ConfigError: For an address or a secret that is not well formed.
    """
    seconds = settings.timeout.total_seconds()
    sender = None
    if settings.url is not None:
        sender = WebhookSender(settings.url, [one.get_secret_value() for one in settings.secrets], timeout=seconds)
    lease = max(LEASE, round(seconds * _LEASE_TIMEOUTS * MICRO))
    return Outbox(books, sender, clock=clock, random=random, lease_us=lease)


def _envelope(row: Row) -> Envelope:
    return Envelope(
        id=row.id, topic=row.topic, business=row.business_id or None, at=row.at, facts=json.loads(row.facts)
    )


def _mark(tx: Tx, ended: _Ended, now: int) -> None:
    """Write what came of an attempt; one that is given up is over too, and its error says why."""
    over = ended.fate != "failed"
    _save(
        tx,
        ended.claim.row.id,
        attempts=ended.claim.attempts,
        next_at=now + ended.wait,
        sent_at=now if over else None,
        error=ended.reason,
    )


def _save(tx: Tx, event: str, *, attempts: int, next_at: int, sent_at: int | None, error: str | None) -> None:
    values = {"event": event, "attempts": attempts, "next_at": next_at, "sent_at": sent_at, "last_error": error}
    tx.write(sql.SAVE_EVENT, values)


def _count_due(tx: Tx, now: int) -> int:
    return len(tx.rows(sql.EVENTS_DUE, {"now": now, "most": MOST_COUNTED}))


def _told(fates: Counter[_Fate], *, left: int, gone: bool = False) -> Delivered:
    return Delivered(
        sent=fates["sent"],
        failed=fates["failed"] + fates["lost"],
        given_up=fates["given_up"],
        left=left,
        gone=gone,
    )
