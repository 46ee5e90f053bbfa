"""Another process on the same books: ``python -m tests.books_child JOB URL SEED COUNT``.

``trade`` does all there is to do for ever, until it is killed,
and tells each step; ``spend`` makes paid calls in several threads, ``mix`` grants too;
``open`` only opens the database, at the moment its parent writes a line.
"""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ai_addons.billing.charging import charge
from ai_addons.billing.records import CallIdentity, Hold
from ai_addons.billing.sql import Database
from ai_addons.clock import SystemClock, Uuid7
from ai_addons.errors import InsufficientCreditsError
from ai_addons.money import Credits
from tests.books import OK, open_books
from tests.books_trade import trade

if TYPE_CHECKING:
    from ai_addons.billing.store import Store
    from tests.books import Opened

THREADS = 4


def fresh_call() -> CallIdentity:
    """A call nobody made before."""
    return CallIdentity(
        business="biz_7",
        user=None,
        id=Uuid7().new(SystemClock().now()),
        feature="collection_analysis",
        request_hash="request",
        keyed=False,
    )


def spend(store: Store, count: int) -> None:
    """Make paid calls in several threads, as long as the credits last; print how many were paid."""

    def pay(_: int) -> int:
        try:
            held = store.hold(fresh_call(), Credits(5))
        except InsufficientCreditsError:
            return 0
        assert isinstance(held, Hold)
        store.capture(held, OK)
        return 1

    with ThreadPoolExecutor(THREADS) as pool:
        print(sum(pool.map(pay, range(count))))  # noqa: T201  # tells the parent


def mix(opened: Opened, seed: int, count: int) -> None:
    """Give one credit and use half of one, again and again in several threads; print how often."""

    def once(number: int) -> int:
        opened.funding.grant("biz_7", Credits(1), source="purchase", ref=f"{seed}-{number}")
        charge(opened.books, fresh_call(), Credits("0.3"), OK)
        held = opened.store.hold(fresh_call(), Credits("0.7"))
        assert isinstance(held, Hold)
        opened.store.capture(held, OK, used=Credits("0.2"))
        return 1

    with ThreadPoolExecutor(THREADS) as pool:
        print(sum(pool.map(once, range(count))))  # noqa: T201  # tells the parent


def main(job: str, url: str, seed: int, count: int) -> None:
    """Do one job."""
    database = Database(url)
    opened = open_books(database)
    if job == "open":
        print("ready", flush=True)  # noqa: T201  # tells the parent
        sys.stdin.readline()
        opened.funding.grant(f"biz_{seed}", Credits(5), source="purchase", ref="order-1")
    elif job == "trade":
        trade(database, random.Random(seed))  # noqa: S311  # as above
    elif job == "mix":
        mix(opened, seed, count)
    else:
        spend(opened.store, count)
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
