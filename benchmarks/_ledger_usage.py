"""Usage statistics and the balance check, with a log of up to 10 million calls behind them."""

from __future__ import annotations

import statistics
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Final

from ai_addons.billing.sql import audits
from ai_addons.billing.usage import Reports
from benchmarks._ledger_books import MILLI, fund, opened
from benchmarks._ledger_postgres import new_database, no_server
from benchmarks._ledger_sqlite import bare_connection, recorded, sqlite_url, tracing
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.billing.sql import Tx
    from benchmarks._ledger_books import Opened

_SMALL: Final = 100_000
_FULL: Final = 10_000_000
_SHOPS: Final = ("biz_1", *(f"biz_{number}" for number in range(10, 109)))
_DAYS: Final = 90
_DAY: Final = 86_400_000_000
_GOAL_MS: Final = 10.0
_TIMES: Final = 200
_RAW_TIMES: Final = 3

# One shop has a fifth of all calls, the others share the rest; each shop's stand in the order of time.
_FILL: Final = """
INSERT INTO ai_transactions (business_id, id, attempt, at, feature, request_hash, outcome, charged, source,
  input_tokens, cached_tokens, output_tokens, cost_pico_usd, cost_micro_ghs, fx_rate, fx_date, fx_source, latency_ms,
  request_meta, response_meta, day, revenue_micro_ghs)
SELECT business_id, 'c' || (1000000000000 + i), 1, at, 'feature_' || (i % 8), 'r',
  CASE WHEN i % 50 = 0 THEN 'failed' ELSE 'ok' END, CASE WHEN i % 50 = 0 THEN 0 ELSE 5000000 END, 'ai', 200, 20, 80,
  75000000, 873, 1164600000, '2026-09-29', 'static', 400 + i % 100, '{{}}', '{{}}', {day}, 4000000
FROM (
  SELECT i, CASE WHEN i < {big} THEN 'biz_1' ELSE 'biz_' || (10 + (i - {big}) / {block}) END
    AS business_id, CASE WHEN i < {big} THEN {start} + i * ({span} / {big})
    ELSE {start} + (i - {big}) % {block} * ({span} / {block}) END AS at
  FROM {numbers}) AS made
"""
_RAW: Final = """
SELECT feature, COUNT(*), SUM(charged), SUM(cost_micro_ghs), SUM(latency_ms) FROM ai_transactions
WHERE business_id = 'biz_1' AND at >= {first} GROUP BY feature
"""


def reports(folder: Path, *, full: bool) -> list[Result]:
    """Thirty days' usage of the largest shop, from the sums per day and from the log; then its balance."""
    calls = _FULL if full else _SMALL
    path = folder / "books.db"
    found = [*_measured("SQLite", sqlite_url(path), calls), _balance(path)]
    with new_database(folder) as url:
        return found + (
            no_server("usage statistics on PostgreSQL") if url is None else _measured("PostgreSQL", url, calls)
        )


def _measured(name: str, url: str, calls: int) -> list[Result]:
    fund(url, _SHOPS)
    now = time.time_ns() // MILLI
    with opened(url) as books:
        postgres = books.books.database.postgres
        books.books.database.write(partial(_run, _filling(calls, now, postgres=postgres)))
        for shop in _SHOPS:
            books.books.database.write(partial(_sum_up, shop))
        if postgres:
            books.books.database.write(partial(_run, "ANALYZE"))
        made = Reports(books.books, str)
        usage = _milliseconds(lambda: made.usage(_SHOPS[0]), _TIMES)
        raw = _RAW.format(first=now - 30 * _DAY)
        log = _milliseconds(lambda: books.books.database.read(partial(_run, raw)), _RAW_TIMES)
    return [_usage_result(name, calls, made.usage(_SHOPS[0]).total_requests, usage, log)]


def _usage_result(name: str, calls: int, counted: int, usage: list[float], log: list[float]) -> Result:
    median, worst = statistics.median(usage), sorted(usage)[_TIMES * 99 // 100]
    return Result(
        what=f"{name}, usage of 30 days, {calls:,} calls in the log, {counted:,} of them counted",
        ours=f"{median:.2f} ms, 99th percentile {worst:.2f} ms",
        yardstick=f"{statistics.median(log):,.1f} ms from the log itself",
        figure=median,
        unit="ms",
        goal=f"<= {_GOAL_MS:.0f} ms",
        met=median <= _GOAL_MS,
    )


_ON_SQLITE: Final = {
    "day": "date(at / 1000000, 'unixepoch')",
    "numbers": "(WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < {last}) SELECT i FROM c) n",
}
_ON_POSTGRES: Final = {
    "day": "to_char(to_timestamp(at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
    "numbers": "generate_series(0, {last}::bigint) AS n(i)",
}


def _filling(calls: int, now: int, *, postgres: bool) -> str:
    """The statement that makes a log of so many calls, the last of them now."""
    big, span, own = calls // 5, _DAYS * _DAY, _ON_POSTGRES if postgres else _ON_SQLITE
    return _FILL.format(
        big=big,
        block=-(-(calls - big) // (len(_SHOPS) - 1)),
        start=now - span,
        span=span,
        numbers=own["numbers"].format(last=calls - 1),
        day=own["day"],
    )


def _run(statement: str, tx: Tx) -> None:
    cursor = tx.connection.execute(statement)
    if cursor.description is not None:
        cursor.fetchall()


def _sum_up(shop: str, tx: Tx) -> None:
    tx.write(audits.REBUILD_USAGE, {"business": shop})


def _milliseconds(work: Callable[[], object], times: int) -> list[float]:
    taken = list[float]()
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(MILLI * (time.perf_counter() - began))
    return taken


# The balance check.


def _balance(path: Path) -> Result:
    """How a balance is read, and how long that takes."""
    with tracing(), opened(sqlite_url(path)) as books:
        books.store.available(_SHOPS[0])
        asked = [one for one in recorded(partial(books.store.available, _SHOPS[0])) if one[0].startswith("SELECT")]
    with closing(bare_connection(path)) as connection:
        plans = [row[3] for text, values in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    with opened(sqlite_url(path)) as books:
        return _balance_result(books, plans, reads=len(asked))


def _balance_result(books: Opened, plans: list[str], *, reads: int) -> Result:
    median = statistics.median(_milliseconds(lambda: books.store.available(_SHOPS[0]), _TIMES))
    return Result(
        what="SQLite, balance check",
        ours=f"{median:.3f} ms, reads: {reads}",
        yardstick="; ".join(plans),
        figure=median,
        unit="ms",
        goal="one indexed read",
        met=reads == 1 and not any(plan.startswith("SCAN") for plan in plans),
    )
