"""A year of trade of many businesses in an SQLite file, and what each look of an operator costs there."""

from __future__ import annotations

import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from ai_addons.addons import AddOns
from ai_addons.testing.kit import kit_settings
from ai_addons.web.reports import reading, studies
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.billing.sql import Tx

_DAY: Final = 86_400_000_000
_MILLI: Final = 1_000
_TIMES: Final = 5
_DAYS: Final = 365
_GOAL_MS: Final = 1_000.0

# Four features a day in each business; {calls} calls a day.
_FILL: Final = (
    """INSERT INTO business_ai_credits (business_id, chain_head, status)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {shops} - 1)
    SELECT 'biz_' || (100000 + i), '', 'active' FROM n""",
    """INSERT INTO ai_usage_daily (business_id, day, feature, calls, ok, charged, revenue_micro_ghs, cost_pico_usd,
    cost_micro_ghs, latency_ms, timed, cacheable, cached)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {shops} * {days} * 4 - 1)
    SELECT 'biz_' || (100000 + i / ({days} * 4)),
    date({now} / 1000000 - 86400 * (i / 4 % {days}), 'unixepoch'), 'feature_' || (i % 4),
    5, 5, 5000000, 4000000, 375000000, 4365, 2000, 5, 5, 1 FROM n""",
    """INSERT INTO ai_transactions (business_id, id, attempt, at, feature, request_hash, outcome, error_code, charged,
    source, cost_pico_usd, cost_micro_ghs, fx_rate, fx_date, fx_source, latency_ms, request_meta, response_meta, day,
    revenue_micro_ghs)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {shops} * {logged} * {calls} - 1)
    SELECT 'biz_' || (100000 + i / ({logged} * {calls})), 'c' || (1000000000 + i), 1,
    {now} - (i % ({logged} * {calls})) * {span} / ({logged} * {calls}), 'feature_' || (i % 4), 'r',
    CASE WHEN i % 50 = 0 THEN 'failed' ELSE 'ok' END, CASE WHEN i % 50 = 0 THEN 'provider_timeout' END, 1000000,
    CASE WHEN i % 5 = 0 THEN 'cache' ELSE 'ai' END, 75000000, 873, 1164600000, '2026-09-29', 'static',
    100 + i % 4000, '{{}}', '{{}}', date(({now} - (i % ({logged} * {calls})) * {span} / ({logged} * {calls}))
    / 1000000, 'unixepoch'), 800000 FROM n""",
    """INSERT INTO ai_credit_purchases (business_id, id, kind, price_minor, currency, credits, state, request_hash,
    email, created_at)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {shops} * 24 - 1)
    SELECT 'biz_' || (100000 + i / 24), 'o' || i, 'pack', 8000, 'GHS', 100, 'failed', '', '',
    {now} - (i % 24) * {year} / 24 FROM n""",
    """INSERT INTO ai_payment_attempts (reference, business_id, order_id, gateway, state, amount_minor, currency, live,
    created_at)
    SELECT 'r' || id, business_id, id, 'fake', 'failed', 8000, 'GHS', 0, created_at FROM ai_credit_purchases""",
    "ANALYZE",
)


def year(folder: Path, *, full: bool) -> list[Result]:
    """What the operator's page reads at each look; the same of a year; then what is for a request of its own."""
    shops, logged, calls = (1_000, 60, 20) if full else (100, 20, 20)
    settings = kit_settings(store={"url": f"sqlite:///{folder / 'books.db'}"})
    with AddOns(settings, environ={}) as addons:
        _fill(addons, shops=shops, logged=logged, calls=calls)
        what = f"{shops:,} businesses, a year, {shops * logged * calls:,} calls in the log"
        summed = _result(f"count {logged - 1} past days, {what}", lambda: addons.operating.sum_up(logged), 1)
        looks: list[tuple[str, Callable[[], object]]] = [("status", partial(reading.status, addons))]
        looks += [(f"{read.__name__}, 30 days", partial(read, addons, 30)) for read in _LOOKS]
        years = [(f"{read.__name__}, a year", partial(read, addons, _DAYS)) for read in _LOOKS]
        found = [summed, *(_result(name, work, _TIMES, goal=True) for name, work in looks)]
        found += [_result(name, work, 1) for name, work in years]
        heavy = [_result(f"{read.__name__}, 30 days", partial(read, addons, 30), 1) for read in _HEAVY]
    return found + heavy


_LOOKS: Final = (reading.trade, reading.calls, reading.payments)
_HEAVY: Final = (studies.kpis, studies.margins)


def _fill(addons: AddOns, *, shops: int, logged: int, calls: int) -> None:
    """Write the year, its last days into the log too."""
    addons.wallet("nobody")
    now = time.time_ns() // _MILLI
    names = {"shops": shops, "days": _DAYS, "logged": logged, "calls": calls, "now": now}
    for statement in _FILL:
        text = statement.format(**names, span=logged * _DAY, year=_DAYS * _DAY)
        addons._wiring.database.write(partial(_run, text))  # noqa: SLF001  # as a benchmark may


def _run(statement: str, tx: Tx) -> None:
    tx.connection.execute(statement).fetchall()


def _result(what: str, work: Callable[[], object], times: int, *, goal: bool = False) -> Result:
    taken = list[float]()
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append(_MILLI * (time.process_time() - began))
    median = statistics.median(taken)
    return Result(
        what=what,
        ours=f"{median:,.0f} ms of CPU",
        figure=median,
        unit="ms",
        goal=f"<= {_GOAL_MS:,.0f} ms" if goal else "",
        met=median <= _GOAL_MS if goal else None,
    )
