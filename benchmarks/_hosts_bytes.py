"""What a billed call leaves behind: bytes of the books a call, indexes included, on both databases."""

from __future__ import annotations

from contextlib import closing
from itertools import cycle, islice
from typing import TYPE_CHECKING, Final

from benchmarks._ledger_books import bill, fund, opened
from benchmarks._ledger_postgres import new_database, no_server
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BUSINESSES: Final = 50
_PARTS: Final = ("ai_transactions", "ai_ledger", "ai_credit_holds", "ai_hold_allocations", "ai_usage_daily")


def sizes(folder: Path, *, full: bool) -> list[Result]:
    """Bytes a call: of the whole database on both, and of the largest tables on PostgreSQL."""
    calls = 20_000 if full else 2_000
    file = folder / "books.db"
    made = [_sqlite(f"sqlite:///{file}", file, calls)]
    with new_database(folder) as url:
        return [*made, *(no_server("PostgreSQL, bytes a call") if url is None else [_postgres(url, calls)])]


def _grown(url: str, calls: int, size: Callable[[], int]) -> float:
    """Bytes by which the books grow with a call."""
    shops = [f"biz_{number}" for number in range(_BUSINESSES)]
    fund(url, shops)
    with opened(url) as books:
        # What is made once is not counted to the calls.
        for shop in shops:
            bill(books.store, shop)
    before = size()
    with opened(url) as books:
        for shop in islice(cycle(shops), calls):
            bill(books.store, shop)
    return (size() - before) / calls


def _sqlite(url: str, file: Path, calls: int) -> Result:
    # Closing the last connection puts the log into the file.
    grown = _grown(url, calls, lambda: file.stat().st_size)
    return Result(what=f"SQLite, {calls:,} calls", ours=f"{grown:,.0f} bytes a call", figure=grown)


def _postgres(url: str, calls: int) -> Result:
    import psycopg  # noqa: PLC0415  # not on every machine

    with closing(psycopg.connect(url, autocommit=True)) as operator:

        def size() -> int:
            # Rows that were changed leave old versions behind, which are free for others after this.
            operator.execute("VACUUM FULL")
            return int(_one(operator.execute("SELECT pg_database_size(current_database())").fetchone()))

        grown = _grown(url, calls, size)
        parts = {
            name: int(_one(operator.execute("SELECT pg_total_relation_size(to_regclass(%s))", (name,)).fetchone()))
            for name in _PARTS
        }
    told = ", ".join(f"{name} {taken / calls:,.0f}" for name, taken in parts.items())
    return Result(
        what=f"PostgreSQL, {calls:,} calls, after VACUUM FULL",
        ours=f"{grown:,.0f} bytes a call",
        yardstick=f"by table, with indexes: {told}",
        figure=grown,
    )


def _one(row: tuple[object, ...] | None) -> str:
    return "0" if row is None or row[0] is None else str(row[0])
