"""Webhooks of gateways: kept as they came, then worked on by asking the gateway.

A forged message is refused and not kept. Any other is answered with success once
it is in the inbox, whatever it is about. That a message comes again makes it due
again: its key only drops noise, what happens once is the grant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.sql import purchases as sql
from ai_addons.errors import AddOnsError, GatewayError, StoreUnavailable
from ai_addons.events import OperatorAlert, emit
from ai_addons.money import MICRO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ai_addons.billing.applying import Applying
    from ai_addons.billing.books import Books
    from ai_addons.billing.gateways.base import GatewayEvent
    from ai_addons.billing.opening import Shop
    from ai_addons.billing.ordering import Ordering
    from ai_addons.billing.orders import Attempt, Order
    from ai_addons.billing.sql import Row, Tx

KEPT: Final = 30 * 86_400 * MICRO
"""Microseconds for which a message is kept after it was worked on."""

MOST_TRIES: Final = 12
"""Looks at a gateway that cannot be asked, over about a day; then the reconciler is left to find it."""

_FIRST_WAIT: Final = 60 * MICRO
_LONGEST_WAIT: Final = 6 * 3_600 * MICRO


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """What a round over the inbox did.

    Attributes:
        done: Messages worked on, those among them that are none of ours.
        failed: Messages to be tried again, because the gateway could not be asked.
        given_up: Messages tried too often.
    """

    done: int = 0
    failed: int = 0
    given_up: int = 0


class Inbox:
    """Takes webhooks in and works on them. Many may work at once.

    Args:
        books: The open books.
        shop: Finds gateways.
        ordering: Finds orders.
        applying: Applies payments.
        look_back: Looks into refunds and disputes.
    """

    def __init__(
        self,
        books: Books,
        shop: Shop,
        ordering: Ordering,
        applying: Applying,
        look_back: Callable[[Order, Attempt], None],
    ) -> None:
        self._books = books
        self._shop = shop
        self._ordering = ordering
        self._applying = applying
        self._refunded = look_back

    def receive(self, gateway: str, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Keep a webhook, once its signature holds; durable when this returns.

        Raises:
            BadSignature: If it is forged; nothing was kept. Answer 401.
            StoreUnavailable: If it could not be kept. Answer 503, and the gateway sends it again.
        """
        event = self._shop.gateway(gateway).read_webhook(headers, body)

        def keep(tx: Tx) -> None:
            values = {
                "gateway": gateway,
                "key": event.key,
                "name": event.name,
                "topic": event.topic,
                "reference": event.reference,
                "body": body_text(event.body),
                "received_at": self._books.now(tx),
            }
            tx.write(sql.ADD_GATEWAY_EVENT, values)

        self._books.database.write(keep)
        return event

    def work(self, most: int = 100) -> Worked:
        """Work on what is due, the oldest first, and drop what was kept long enough.

        Args:
            most: Messages to work on.

        Raises:
            StoreUnavailable: If the database cannot be used; what was not marked is worked on again.
        """
        done = failed = given_up = 0
        for row in self._books.database.read(lambda tx: self._due(tx, most)):
            error = self._one(row)
            again = isinstance(error, GatewayError)
            last = again and row.tries + 1 >= MOST_TRIES
            self._mark(row, error, again=again and not last)
            if last:
                detail = f"{row.gateway} {row.name}: {row.reference}"
                emit(self._books.terms.hooks, OperatorAlert(code="gateway_event_given_up", detail=detail))
            done, failed, given_up = done + (not again), failed + (again and not last), given_up + last
        self._books.database.write(self._drop)
        return Worked(done=done, failed=failed, given_up=given_up)

    def _due(self, tx: Tx, most: int) -> list[Row]:
        return tx.rows(sql.GATEWAY_EVENTS_DUE, {"now": self._books.now(tx), "most": most})

    def _one(self, row: Row) -> AddOnsError | None:
        """Work on one message; an error is no reason to leave the others."""
        try:
            if row.topic == "payment":
                self._applying.apply(row.reference or "")
            elif row.topic is not None:
                self._look_back(row.reference or "")
        except StoreUnavailable:
            raise
        except AddOnsError as error:
            return error
        return None

    def _look_back(self, reference: str) -> None:
        payment = self._ordering.payment(reference)
        self._refunded(payment.order, payment.attempt)

    def _mark(self, row: Row, error: AddOnsError | None, *, again: bool) -> None:
        def work(tx: Tx) -> None:
            now = self._books.now(tx)
            values = {
                "of_gateway": row.gateway,
                "of_key": row.key,
                "was_seen": row.seen,
                "tries": row.tries + 1,
                "next_at": now + backoff(row.tries) if again else None,
                "processed_at": None if again else now,
                "error": None if error is None else error.code,
            }
            tx.write(sql.SAVE_GATEWAY_EVENT, values)

        self._books.database.write(work)

    def _drop(self, tx: Tx) -> None:
        tx.write(sql.DROP_GATEWAY_EVENTS, {"before": self._books.now(tx) - KEPT})


def backoff(tries: int) -> int:
    """Microseconds until the next try: a minute, then twice as long each time, at most six hours."""
    return min(_FIRST_WAIT << tries, _LONGEST_WAIT)


def body_text(body: bytes) -> str:
    """A body as both databases can keep it: text, or ``hex:`` and its bytes where it is none."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"hex:{body.hex()}"
    return f"hex:{body.hex()}" if "\0" in text else text
