"""Sends the fake gateway's webhooks, signed, and as badly as real ones arrive."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import threading
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import count
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from ai_addons.billing.gateways.fake.records import Event
    from ai_addons.clock import Clock

_TIMEOUT_SECONDS: Final = 30.0
_OK: Final = 200
_KEPT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HookPlan:
    """How webhooks are sent.

    Attributes:
        url: Where to; None sends none, as if they got lost.
        copies: How often each is sent at once.
        delay: Seconds until it is.
        swapped: Whether every second one overtakes the one before it.
        tries: How often one is sent until it is answered with 200.
        retry_seconds: From one try to the next; Paystack waits three minutes.
    """

    url: str | None = None
    copies: int = 1
    delay: float = 0.0
    swapped: bool = False
    tries: int = 4
    retry_seconds: float = 180.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One sending: the HTTP status of the answer, or why there was none."""

    event: str
    reference: str
    answer: str


def signature(key: str, body: bytes) -> str:
    """What stands in ``x-paystack-signature``: HMAC-SHA512 of the raw body, in hexadecimal."""
    return hmac.new(key.encode(), body, hashlib.sha512).hexdigest()


def due(number: int, plan: HookPlan) -> list[float]:
    """In how many seconds the copies of an event are sent.

    Args:
        number: Of the event, counted from 0.
        plan: How they are sent.
    """
    overtaken = plan.swapped and number % 2 == 0
    return [plan.delay + (1.0 if overtaken else 0.0)] * plan.copies


def post(url: str, key: str, body: bytes) -> str:
    """Send one webhook and say how it was answered."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"content-type": "application/json", "x-paystack-signature": signature(key, body)}
    connection = kind(parts.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("POST", path, body, headers)
        return str(connection.getresponse().status)
    except (OSError, HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


class HookSender:
    """Sends events in a thread of its own, each when it is due.

    Args:
        plan: How.
        key: What they are signed with.
        clock: What they are timed by.
    """

    def __init__(self, plan: HookPlan, *, key: str, clock: Clock) -> None:
        self.plan = plan
        self._key = key
        self._clock = clock
        self._waiting: list[tuple[float, int, int, Event]] = []
        self._count = 0
        self._entries = count()
        self._stopping = False
        self._changed = threading.Condition()
        self._deliveries: list[Delivery] = []
        self._thread = threading.Thread(target=self._run, name="fake-gateway-hooks", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is on its way; what waits is not sent."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    @property
    def deliveries(self) -> list[Delivery]:
        """What was sent, the latest last; the last hundred."""
        with self._changed:
            return list(self._deliveries)

    def send(self, event: Event) -> None:
        """Send an event as planned."""
        with self._changed:
            if self.plan.url is None:
                return
            for seconds in due(self._count, self.plan):
                self._wait(event, seconds, tried=0)
            self._count += 1

    def _wait(self, event: Event, seconds: float, *, tried: int) -> None:
        entry = (self._clock.monotonic() + seconds, next(self._entries), tried, event)
        heapq.heappush(self._waiting, entry)
        self._changed.notify_all()

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            event, tried, url = taken
            answer = post(url, self._key, event.body.encode())
            with self._changed:
                self._deliveries = [*self._deliveries, Delivery(event.name, event.reference, answer)][-_KEPT:]
                if answer != str(_OK) and tried + 1 < self.plan.tries:
                    self._wait(event, self.plan.retry_seconds, tried=tried + 1)

    def _take(self) -> tuple[Event, int, str] | None:
        """The next event once it is due; None when there is no more to do."""
        with self._changed:
            while not self._stopping:
                seconds = self._waiting[0][0] - self._clock.monotonic() if self._waiting else None
                if seconds is None or seconds > 0:
                    self._changed.wait(seconds)
                    continue
                _, _, tried, event = heapq.heappop(self._waiting)
                # Without an address it is lost, as the plan says now.
                if self.plan.url is not None:
                    return event, tried, self.plan.url
            return None
