"""Small makers that the tests of the books share."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.packs import PREPAID_PACKS, offers
from ai_addons.billing.records import CallIdentity, CallRecord, Hold, Rate, Tokens
from ai_addons.billing.sql import Database
from ai_addons.billing.store import Store
from ai_addons.clock import SystemClock, Uuid7
from ai_addons.money import Credits, PicoUsd, scaled_rate
from ai_addons.testing.fakes import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from ai_addons.clock import Clock

SECOND: Final = 1_000_000
TTL: Final = 120 * SECOND
DAY: Final = 86_400 * SECOND

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
    answers='["masked"]',
    keep_for=7 * DAY,
)
FAILED: Final = CallRecord(
    outcome="failed", source="ai", error_code="provider_timeout", cost=PicoUsd(30_000_000), latency_ms=30_000
)


def rate() -> Rate:
    """The built-in exchange rate."""
    return Rate(scaled=scaled_rate("11.646"), day=date(2026, 9, 29), source="static")


def open_store(database: Database, clock: Clock | None = None) -> Store:
    """A store on a database, on the machine's clock unless given another."""
    return Store(
        database,
        clock=clock or SystemClock(),
        ids=Uuid7(),
        rate=rate(),
        hold_ttl=TTL,
        low=Credits(10),
        offers=lambda short: offers(PREPAID_PACKS, short),
    )


def on_disk(folder: Path) -> Database:
    """A database in a file."""
    return Database(f"sqlite:///{folder / 'books.db'}")


class Books:
    """A store in memory with its clock and a business that has credits."""

    def __init__(self, credits_: str = "12", business: str = "biz_7") -> None:
        self.clock = ManualClock()
        self.database = Database("sqlite://")
        self.store = open_store(self.database, self.clock)
        self.business = business
        if Credits(credits_):
            self.store.grant(business, Credits(credits_), source="purchase", ref="order-1", unit_price=800_000)

    def call(self, key: str | None = None, **changes: Any) -> CallIdentity:  # any field of the identity
        """A call, under a key of the caller's or a fresh id."""
        fresh = CallIdentity(
            business=self.business,
            user="u_1",
            id=key or Uuid7().new(self.clock.now()),
            feature="collection_analysis",
            request_hash="request",
            keyed=key is not None,
        )
        return replace(fresh, **changes)

    def hold(self, amount: str = "5", key: str | None = None) -> Hold:
        """An open hold."""
        held = self.store.hold(self.call(key), Credits(amount))
        assert isinstance(held, Hold)
        return held

    def balance(self) -> tuple[str, str]:
        """Posted and held credits, as people write them."""
        wallet = self.store.wallet(self.business)
        return wallet.posted.short, wallet.held.short

    def sql(self, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
        """Whatever raw SQL finds, or changes behind the store's back."""
        with self.database.write() as tx:
            result = tx.exec_driver_sql(statement, values)
            return list(result) if result.returns_rows else []

    def without_guards(self) -> None:
        """Do what a thief with the file would do first: drop the triggers."""
        self.sql("DROP TRIGGER ai_ledger_no_update")
        self.sql("DROP TRIGGER ai_ledger_no_delete")
