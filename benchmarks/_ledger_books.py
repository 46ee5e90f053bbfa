"""What the parts of the ledger's benchmark share: open books, one billed call, many clients at once."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from ai_addons.billing.books import Books, Terms
from ai_addons.billing.funding import Funding
from ai_addons.billing.prepaid import PrepaidPolicy
from ai_addons.billing.records import CallIdentity, CallRecord, Hold, Rate, Tokens
from ai_addons.billing.sql import Database
from ai_addons.billing.store import Store
from ai_addons.clock import SystemClock, Uuid7
from ai_addons.money import Credits, PicoUsd, scaled_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.synchronize import Barrier

T = TypeVar("T")

MILLI: Final = 1_000
_WARM_UP: Final = 10
"""Calls of a client before the first that counts: statements are prepared and planned only after some use."""
PRICE: Final = Credits(5)
PLENTY: Final = Credits(1_000_000)
OK: Final = CallRecord(
    outcome="ok",
    source="ai",
    prompt_version="1",
    model="openai/gpt-6-luna",
    tokens=Tokens(input=200, cached=20, cache_write=0, output=80, reasoning=5),
    cost=PicoUsd(75_000_000),
    latency_ms=412,
    request_meta={"temperature": 0},
    response_meta={"attempts": 1},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Everything that works on one database."""

    books: Books
    store: Store
    funding: Funding


@contextmanager
def opened(url: str) -> Iterator[Opened]:
    """The books at a URL, with the machine's clock and the settings' defaults; closed in the end."""
    policy, database = PrepaidPolicy(), Database(url)
    terms = Terms(
        rate=lambda _: Rate(scaled=scaled_rate("11.646"), day=date(2026, 9, 29), source="static"),
        hold_ttl=120_000_000,
        low=Credits(10),
        policy=lambda name: policy,  # noqa: ARG005  # there is but one
        packs=lambda chosen, now: chosen.packs(),  # noqa: ARG005  # never published anew
    )
    books = Books(database, clock=SystemClock(), ids=Uuid7(), terms=terms)
    try:
        yield Opened(books=books, store=Store(books), funding=Funding(books))
    finally:
        database.close()


def fund(url: str, businesses: Sequence[str]) -> None:
    """Give each business more credits than it can use."""
    with opened(url) as books:
        for business in businesses:
            books.funding.grant(
                business, PLENTY, source="purchase", ref="order", paid=800_000 * PLENTY.micro // MILLI**2
            )


def new_call(business: str) -> CallIdentity:
    """A call under an id nobody chose, as most are."""
    return CallIdentity(
        business=business,
        user="u_1",
        id=Uuid7().new(time.time_ns() // MILLI),
        feature="collection_analysis",
        request_hash="r" * 64,
        keyed=False,
    )


def hold(store: Store, business: str) -> Hold:
    """The first half of a billed call."""
    held = store.hold(new_call(business), PRICE)
    assert isinstance(held, Hold)  # noqa: S101  # a fresh id has no past
    return held


def bill(store: Store, business: str) -> float:
    """A billed call; the time between its two halves."""
    held = hold(store, business)
    between = time.perf_counter()
    store.capture(held, OK)
    return between


def bill_all(store: Store, business: str, times: int) -> None:
    """Billed calls, one after the other."""
    for _ in range(times):
        bill(store, business)


# Many clients.


class _Start:
    """Where the clients of this process's parent meet."""

    barrier: ClassVar[Barrier | None] = None


def _meet_at(barrier: Barrier) -> None:
    _Start.barrier = barrier


def wait_for_all() -> None:
    """Go on once every client is ready."""
    if _Start.barrier is not None:
        _Start.barrier.wait()


def together(number: int, work: Callable[..., T], *common: object) -> list[T]:
    """What so many processes find, all at work at the same time; each is given its number first."""
    context = get_context("fork")
    with context.Pool(number, initializer=_meet_at, initargs=(context.Barrier(number),)) as pool:
        return pool.starmap(work, [(index, *common) for index in range(number)], chunksize=1)


def client(index: int, url: str, businesses: Sequence[str], seconds: float) -> list[float]:
    """Billed calls by way of our store for some time; the seconds each transaction took."""
    with opened(url) as books:
        return timed(index, businesses, seconds, partial(bill, books.store))


def timed(index: int, businesses: Sequence[str], seconds: float, work: Callable[[str], float]) -> list[float]:
    """What a client does for some time, one business after the other; the seconds each transaction took.

    Args:
        index: The client's number; no two begin with the same business.
        businesses: Whom it bills, over and over.
        seconds: For how long, from when every client is warm.
        work: Bills a business in two transactions, and gives the time between them.
    """
    for _ in range(_WARM_UP):
        work(businesses[101 * index % len(businesses)])
    wait_for_all()
    taken, end = list[float](), time.perf_counter() + seconds
    for business in islice(cycle(businesses), 101 * index, None):
        began = time.perf_counter()
        if began > end:
            break
        between = work(business)
        taken += between - began, time.perf_counter() - between
    return taken


def rate(clients: Sequence[Sequence[float]], seconds: float) -> float:
    """Billed calls a second, of two transactions each."""
    return sum(len(taken) for taken in clients) / 2 / seconds
