"""One, two and four app processes on one PostgreSQL, beside the same number of bare psycopg loops."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from benchmarks._ledger_books import MILLI, client, fund, rate, together
from benchmarks._ledger_postgres import bare_client, fill_bare, new_database, no_server
from benchmarks._report import Result

if TYPE_CHECKING:
    from pathlib import Path

_BUSINESSES: Final = 1_000
_PROCESSES: Final = (1, 2, 4)


def scale(folder: Path, *, full: bool) -> list[Result]:
    """Billed calls a second by the number of processes; the yardstick shows where the database's own limit is."""
    with new_database(folder) as url:
        if url is None:
            return no_server("PostgreSQL, 1, 2 and 4 processes")
        shops = [f"biz_{number}" for number in range(_BUSINESSES)]
        fund(url, shops)
        fill_bare(url, shops)
        rounds, seconds = (7, 6.0) if full else (3, 2.0)
        return [_with(number, url, shops, rounds, seconds) for number in _PROCESSES]


def _with(number: int, url: str, shops: list[str], rounds: int, seconds: float) -> Result:
    ours, bare, waits = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        crowd = together(number, client, url, shops, seconds)
        ours.append(rate(crowd, seconds))
        waits += (one for taken in crowd for one in taken)
        bare.append(rate(together(number, bare_client, url, shops, seconds), seconds))
    points = statistics.quantiles(waits, n=100)
    return Result(
        what=f"PostgreSQL, {_BUSINESSES:,} wallets, {number} process{'es' if number > 1 else ''}",
        ours=f"{statistics.median(ours):,.0f} calls/s; a transaction p50 {MILLI * points[49]:.2f} ms, "
        f"p99 {MILLI * points[98]:.2f} ms",
        yardstick=f"{statistics.median(bare):,.0f}/s by UPDATE + INSERT + COMMIT, twice, through bare psycopg",
        figure=statistics.median(own / theirs for own, theirs in zip(ours, bare, strict=True)),
    )
