"""What a page of the ledger, its CSV, a list of orders and a year of usage cost over HTTP, beside bare SQL.

Run with ``python -m benchmarks.web [--full] [--only PART …] [--json]``. A request goes through `Web.dispatch`, as from
any framework; the yardstick reads the same rows of the same SQLite file with a bare connection and writes them as JSON
or CSV with the standard library. Both sides run in turn, so the ratios hold on a busy machine.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import statistics
import sys
import time
from contextlib import closing
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from ai_addons import AddOns
from ai_addons.testing.kit import kit_settings
from ai_addons.web import Principal, Web, WebRequest
from benchmarks._ledger_sqlite import bare_connection, sqlite_url
from benchmarks._report import Benchmark, Result, main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SHOP: Final = "biz_1"
_WHO: Final = Principal(business_id=_SHOP, user_id="u_1")
_TIMES: Final = 60
_MS: Final = 1_000
_PAGE: Final = 50
_FEATURES: Final = 8
_DAYS: Final = 366

_LEDGER: Final = """
INSERT INTO ai_ledger (business_id, seq, kind, debit, credit, amount, ref, balance_after, effective_at, booked_at, hash)
WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
SELECT 'biz_1', i, 'usage', 'wallet', 'revenue:report_summary', 200000, 'call-' || i || ':1', 900000000 - i,
  {now} - ({rows} - i) * 1000000, {now} - ({rows} - i) * 1000000, '' FROM n
"""
_USAGE: Final = """
INSERT INTO ai_usage_daily (business_id, day, feature, calls, ok, charged, latency_ms, timed)
WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < 365),
  f(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM f WHERE j < 7)
SELECT 'biz_1', date('now', '-' || i || ' days'), 'feature_' || j, 40, 39, 8000000, 16000, 40 FROM d, f
"""
_ORDERS: Final = """
INSERT INTO ai_credit_purchases (business_id, id, kind, pack, price_minor, currency, credits, bonus, state,
  request_hash, email, created_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
SELECT 'biz_1', printf('01a0-%08d', i), 'pack', 'VALUE', 8000, 'GHS', 100000000, 20000000, 'abandoned', 'h', 'a@b.gh',
  {now} - ({rows} - i) * 1000000 FROM n
"""
_ATTEMPTS: Final = """
INSERT INTO ai_payment_attempts (reference, business_id, order_id, gateway, state, amount_minor, currency, live,
  created_at)
SELECT 'aia-' || id, business_id, id, 'fake', 'open', 8000, 'GHS', 0, created_at FROM ai_credit_purchases
"""


def ledger(folder: Path, *, full: bool) -> list[Result]:
    """The newest page, the oldest page, and all of it as CSV."""
    rows = 1_000_000 if full else 10_000
    path = folder / "books.db"
    with closing(_shop(path, _LEDGER.format(rows=rows, now=_now()))) as addons, closing(bare_connection(path)) as bare:
        web = Web(addons, authorize=lambda _who, _action: True)
        newest = _pair(web, "ai/ledger/", {"limit": str(_PAGE)}, lambda: _bare_page(bare, rows + 1))
        oldest = {"limit": str(_PAGE), "cursor": _cursor(_PAGE + 1)}
        last = _pair(web, "ai/ledger/", oldest, lambda: _bare_page(bare, _PAGE + 1))
        whole = _pair(web, "ai/ledger/", {"format": "csv"}, lambda: _bare_csv(bare, rows + 1), times=5)
    return [
        _result(f"newest {_PAGE} of {rows:,} bookings, JSON", *newest, goal=20.0),
        _result(f"oldest {_PAGE} of {rows:,} bookings, JSON", *last, goal=20.0),
        _result("10,000 bookings, CSV", *whole, goal=1_000.0),
    ]


def usage(folder: Path, *, full: bool) -> list[Result]:
    """A year of eight features, used every day."""
    del full
    path = folder / "books.db"
    with closing(_shop(path, _USAGE)) as addons, closing(bare_connection(path)) as bare:
        web = Web(addons, authorize=lambda _who, _action: True)
        found = _pair(web, "ai/usage-stats/", {"days": str(_DAYS)}, lambda: _bare_usage(bare))
    return [_result(f"a year of {_FEATURES} features", *found, goal=50.0)]


def orders(folder: Path, *, full: bool) -> list[Result]:
    """The newest page of a business with many orders, with their attempts."""
    rows = 100_000 if full else 10_000
    path = folder / "books.db"
    filled = (_ORDERS.format(rows=rows, now=_now()), _ATTEMPTS)
    with closing(_shop(path, *filled)) as addons, closing(bare_connection(path)) as bare:
        web = Web(addons, authorize=lambda _who, _action: True)
        found = _pair(web, "ai/purchases/", {"limit": str(_PAGE)}, lambda: _bare_orders(bare))
    return [_result(f"newest {_PAGE} of {rows:,} orders", *found, goal=30.0)]


def _now() -> int:
    return time.time_ns() // 1_000


def _shop(path: Path, *statements: str) -> AddOns:
    """Books with one business, filled behind the back of the rules."""
    addons = AddOns(kit_settings(store={"url": sqlite_url(path)}), environ={})
    addons.grant(_SHOP, 1_000, source="adjustment", ref="funds")
    with closing(bare_connection(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.execute("ANALYZE")
    return addons


def _cursor(before: int) -> str:
    from ai_addons.web.endpoints._shared import write_cursor  # noqa: PLC0415  # as a client got it from a page

    return write_cursor("l", str(before))


def _pair(
    web: Web, path: str, query: dict[str, str], bare: Callable[[], int], *, times: int = _TIMES
) -> tuple[float, float]:
    """Median milliseconds of both sides, in turn.

    Raises:
        RuntimeError: If the endpoint did not answer.
    """
    request = WebRequest(method="GET", path=path, query=query, principal=_WHO)
    ours, theirs = list[float](), list[float]()
    for _ in range(times):
        began = time.perf_counter()
        answer = web.dispatch(request)
        ours.append(_MS * (time.perf_counter() - began))
        if answer.status != 200:  # noqa: PLR2004  # as HTTP has it
            raise RuntimeError(answer.body)
        began = time.perf_counter()
        bare()
        theirs.append(_MS * (time.perf_counter() - began))
    return statistics.median(ours), statistics.median(theirs)


def _result(what: str, ours: float, theirs: float, *, goal: float) -> Result:
    return Result(
        what=what,
        ours=f"{ours:.2f} ms",
        yardstick=f"{theirs:.2f} ms, bare SQL and standard library; ratio {ours / theirs:.1f}",
        figure=ours,
        unit="ms",
        goal=f"<= {goal:,.0f} ms",
        met=ours <= goal,
    )


def _bare_page(connection: sqlite3.Connection, before: int) -> int:
    rows = _rows(connection, before, _PAGE)
    return len(json.dumps([dict(row) for row in rows]))


def _bare_csv(connection: sqlite3.Connection, before: int) -> int:
    text = io.StringIO()
    csv.writer(text).writerows(_rows(connection, before, 10_000))
    return len(text.getvalue().encode())


def _rows(connection: sqlite3.Connection, before: int, most: int) -> list[Any]:
    connection.row_factory = sqlite3.Row
    return connection.execute(
        "SELECT seq, booked_at, effective_at, kind, amount, balance_after, ref FROM ai_ledger "
        "WHERE business_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
        (_SHOP, before, most),
    ).fetchall()


def _bare_usage(connection: sqlite3.Connection) -> int:
    found = connection.execute(
        "SELECT feature, SUM(calls), SUM(ok), SUM(charged), SUM(latency_ms), SUM(timed) FROM ai_usage_daily "
        "WHERE business_id = ? AND day >= date('now', '-365 days') GROUP BY feature",
        (_SHOP,),
    ).fetchall()
    return len(json.dumps([tuple(row) for row in found]))


def _bare_orders(connection: sqlite3.Connection) -> int:
    found = connection.execute(
        "SELECT p.id, p.pack, p.price_minor, p.credits, p.bonus, p.state, p.created_at, p.paid_at, a.gateway, a.method "
        "FROM (SELECT * FROM ai_credit_purchases WHERE business_id = ? ORDER BY id DESC LIMIT ?) AS p "
        "LEFT JOIN ai_payment_attempts AS a ON a.business_id = p.business_id AND a.order_id = p.id ORDER BY p.id DESC",
        (_SHOP, _PAGE),
    ).fetchall()
    return len(json.dumps([tuple(row) for row in found]))


WEB: Final = Benchmark(
    name="web",
    about="What pages of HTTP endpoints cost.",
    full="1,000,000 bookings, 100,000 orders",
    parts={"ledger": ledger, "usage": usage, "orders": orders},
    versions=lambda: [f"SQLite {sqlite3.sqlite_version}", f"pydantic {version('pydantic')}"],
)

if __name__ == "__main__":
    sys.exit(main(WEB, sys.argv[1:]))
