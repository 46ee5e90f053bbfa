"""Small makers that the tests of the books share."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ai_addons.billing.books import Books as OpenBooks
from ai_addons.billing.books import Terms
from ai_addons.billing.doctor import examine
from ai_addons.billing.funding import Funding
from ai_addons.billing.hybrid import HybridAddonPolicy
from ai_addons.billing.operations import Operations
from ai_addons.billing.prepaid import PrepaidPolicy
from ai_addons.billing.records import CallIdentity, CallRecord, Hold, Rate, Tokens
from ai_addons.billing.sql import Database
from ai_addons.billing.store import Store
from ai_addons.billing.subscriptions import Subscriptions
from ai_addons.clock import SystemClock, Uuid7
from ai_addons.money import Credits, PicoUsd, scaled_rate
from ai_addons.plugins import load
from tests.postgres import emptied, emptied_url, postgres_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ai_addons.billing.doctor import Report
    from ai_addons.billing.policy import Policy
    from ai_addons.billing.sql import Tx
    from ai_addons.clock import Clock
    from ai_addons.testing.fakes import ManualClock

SECOND: Final = 1_000_000
TTL: Final = 120 * SECOND
DAY: Final = 86_400 * SECOND
UNIT_PRICE: Final = 800_000
"""Micro-GHS paid for a credit of VALUE."""

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


class _Chosen:
    """Where the tests that run now keep their books."""

    kind: ClassVar[str] = "sqlite"


@contextmanager
def kept_in(kind: str) -> Iterator[None]:
    """Keep new books in ``sqlite`` or in ``postgresql``."""
    before, _Chosen.kind = _Chosen.kind, kind
    try:
        yield
    finally:
        _Chosen.kind = before


def on_postgres() -> bool:
    """Whether new books are kept in PostgreSQL."""
    return _Chosen.kind == "postgresql"


def rate() -> Rate:
    """The built-in exchange rate."""
    return Rate(scaled=scaled_rate("11.646"), day=date(2026, 9, 29), source="static")


def policy_by(default: str | Policy) -> Callable[[str | None], Policy]:
    """Finds the two built-in policies by name, and a default one; any other name is looked for among the plug-ins."""
    known: dict[str | None, Policy] = {"prepaid": PrepaidPolicy(), "hybrid": HybridAddonPolicy()}
    chosen = known[default] if isinstance(default, str) else default
    known |= {None: chosen, chosen.name: chosen}
    return lambda name: known[name] if name in known else load("policies", str(name))()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Everything that works on one database."""

    books: OpenBooks
    store: Store
    funding: Funding
    operations: Operations
    subscriptions: Subscriptions


def open_books(
    database: Database,
    clock: Clock | None = None,
    *,
    policy: str | Policy = "prepaid",
    trial_budget: Credits | None = None,
    **terms: Any,  # any other field of the terms
) -> Opened:
    """The books of a database, on the machine's clock unless given another."""
    defaults: dict[str, Any] = {
        "rate": rate(),
        "hold_ttl": TTL,
        "low": Credits(10),
        "policy": policy_by(policy),
        "packs": lambda chosen, _: chosen.packs(),
    }
    chosen = defaults | terms
    fixed = chosen["rate"]
    if isinstance(fixed, Rate):
        chosen["rate"] = lambda _: fixed
    books = OpenBooks(database, clock=clock or SystemClock(), ids=Uuid7(), terms=Terms(**chosen))
    return Opened(
        books=books,
        store=Store(books),
        funding=Funding(books, trial_budget=trial_budget),
        operations=Operations(books),
        subscriptions=Subscriptions(books),
    )


def open_store(database: Database, clock: Clock | None = None, **terms: Any) -> Store:
    """A store on a database; the same options as `open_books`."""
    return open_books(database, clock, **terms).store


def on_disk(folder: Path) -> Database:
    """A database in an SQLite file, whatever the test runs on."""
    return Database(file_url(folder))


def file_url(folder: Path) -> str:
    """URL of an SQLite file."""
    return f"sqlite:///{folder / 'books.db'}"


def new_url(folder: Path) -> str:
    """URL of an empty database of the chosen kind that other processes can open too; its tables may be missing."""
    return emptied_url() if on_postgres() else file_url(folder)


def untouched_url(folder: Path) -> str:
    """The same without any table."""
    return postgres_url() if on_postgres() else file_url(folder)


def new_database(folder: Path) -> Database:
    """An empty database of the chosen kind that other processes can open too."""
    return emptied() if on_postgres() else Database(file_url(folder))


def run_sql(database: Database, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
    """What raw SQL finds, or changes behind the store's back; parameters are question marks on either database."""

    def work(tx: Tx) -> list[Any]:
        text = statement.replace("%", "%%").replace("?", "%s") if database.postgres and values else statement
        cursor = tx.connection.execute(text, values) if values else tx.connection.execute(text)
        return [] if cursor.description is None else list(cursor.fetchall())

    return database.write(work)


def drop_guards(database: Database) -> None:
    """Do what a thief with the database would do first: switch the ledger's triggers off."""
    if database.postgres:
        # Back on with the next use of the tests' shared database.
        run_sql(database, "ALTER TABLE ai_ledger DISABLE TRIGGER USER")
        return
    for name in ("ai_ledger_no_update", "ai_ledger_no_delete"):
        run_sql(database, f"DROP TRIGGER {name}")


class Books:
    """A store of the chosen kind (SQLite in memory if none) with its clock and a business that has credits.

    On PostgreSQL all of them share one database, emptied each time: use one at a time.

    Args:
        credits_: Credits of the business, bought at 0.80 cedis each.
        business: Its id.
        policy: ``prepaid``, ``hybrid``, or one of the test's own.
        database: Where to keep them instead; it is not emptied.
        clock: Source of time instead of the one that only the test moves.
        **terms: As for `open_books`: ``limits``, ``profile``, ``hooks``, ``low``, ``outbox``, ``trial_budget`` …
    """

    def __init__(
        self,
        credits_: str = "12",
        business: str = "biz_7",
        *,
        policy: str | Policy = "prepaid",
        database: Database | None = None,
        clock: ManualClock | None = None,
        **terms: Any,
    ) -> None:
        from ai_addons.testing.fakes import ManualClock  # noqa: PLC0415  # child processes start sooner without it

        self.clock = clock or ManualClock()
        self.database = database or (emptied() if on_postgres() else Database("sqlite://"))
        opened = open_books(self.database, self.clock, policy=policy, **terms)
        self.opened = opened.books
        self.store = opened.store
        self.funding = opened.funding
        self.operations = opened.operations
        self.subscriptions = opened.subscriptions
        self.business = business
        if amount := Credits(credits_):
            self.buy(amount, "order-1")

    def buy(self, amount: Credits | str, ref: str, *, business: str | None = None) -> None:
        """Give bought credits, at 0.80 cedis each."""
        bought = Credits(amount) if isinstance(amount, str) else amount
        paid = bought.micro * UNIT_PRICE // 1_000_000
        self.funding.grant(business or self.business, bought, source="purchase", ref=ref, paid=paid)

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

    def hold(self, amount: str = "5", key: str | None = None, **changes: Any) -> Hold:
        """An open hold."""
        held = self.store.hold(self.call(key, **changes), Credits(amount))
        assert isinstance(held, Hold)
        return held

    def balance(self) -> tuple[str, str]:
        """Posted and held credits, as people write them."""
        wallet = self.store.wallet(self.business)
        return wallet.posted.short, wallet.held.short

    def report(self) -> Report:
        """What the doctor says."""
        return examine(self.database)

    def sql(self, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
        """Whatever raw SQL finds, or changes behind the store's back; parameters are question marks."""
        return run_sql(self.database, statement, values)

    def without_guards(self) -> None:
        """Do what a thief with the database would do first: switch the ledger's triggers off."""
        drop_guards(self.database)

    def close(self) -> None:
        """Close every connection."""
        self.database.close()
