"""The ledger on SQLite against bare `sqlite3`: speed of one process, fairness of 32, and where the time goes."""

from __future__ import annotations

import cProfile
import os
import re
import shutil
import sqlite3
import statistics
import time
from collections import defaultdict
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from sqlalchemy import Engine, event

from benchmarks._ledger_books import MILLI, bill, bill_all, client, fund, opened, rate, together, wait_for_all
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import CodeType

    from ai_addons.billing.store import Store

Statement: TypeAlias = "tuple[str, tuple[Any, ...]]"
Call: TypeAlias = "list[Statement]"

_SHOP: Final = "biz_7"
_PER_ROUND: Final = 10
_SPEED_GOAL: Final = 0.6
_AIM: Final = 1_000
_CROWD: Final = 32
_FAIR: Final = 0.2
_BUSY_SECONDS: Final = 30
_PROFILED: Final = 2_000
_PROBES: Final = 100
# SQLite's cache of compiled statements, as large as Python's own default; named so that both sides show it.
_OPTIONS: Final[dict[str, Any]] = {"isolation_level": None, "timeout": _BUSY_SECONDS, "cached_statements": 128}


def sqlite_url(path: Path) -> str:
    """URL of a file."""
    return f"sqlite:///{path}"


def bare_connection(path: Path) -> sqlite3.Connection:
    """A connection with the settings that ours have."""
    connection: sqlite3.Connection = sqlite3.connect(path, **_OPTIONS)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


class _Traced(sqlite3.Connection):
    """Notes every statement it is given, with its parameters."""

    log: ClassVar[Call] = []

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401  # as its base has it
        self.log.append((sql, tuple(parameters)))
        return super().execute(sql, parameters)


@contextmanager
def tracing() -> Iterator[None]:
    """Note what is executed on connections that are made inside."""

    def trace(_dialect: object, _record: object, _args: object, options: dict[str, Any]) -> None:
        options["factory"] = _Traced

    event.listen(Engine, "do_connect", trace)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", trace)


def recorded(work: Callable[[], object]) -> Call:
    """What some work executes."""
    _Traced.log.clear()
    work()
    return list(_Traced.log)


def _record(path: Path, businesses: Sequence[str], times: int) -> list[Call]:
    """What billed calls by way of our store execute: so many of each business, in turn."""
    calls: list[Call] = []
    with tracing(), opened(sqlite_url(path)) as books:
        for business in businesses:
            bill(books.store, business)
            calls += (recorded(partial(bill, books.store, business)) for _ in range(times))
    return calls


def _replay(connection: sqlite3.Connection, calls: Sequence[Call]) -> None:
    execute = connection.execute
    for call in calls:
        for text, values in call:
            cursor = execute(text, values)
            if cursor.description is not None:
                cursor.fetchall()


# One process.


def speed(folder: Path, *, full: bool) -> list[Result]:
    """Billed calls against the very same statements and parameters through bare `sqlite3`, in turn."""
    rounds = 2_000 if full else 100
    start, ours, bare = folder / "start.db", folder / "ours.db", folder / "bare.db"
    fund(sqlite_url(start), [_SHOP])
    for copy in (ours, bare):
        shutil.copy(start, copy)
    calls = _record(start, [_SHOP], rounds * _PER_ROUND)
    with opened(sqlite_url(ours)) as books, closing(bare_connection(bare)) as connection:
        bill(books.store, _SHOP)
        fsyncs = [_fsync(folder / "probe")]
        pairs = list(_pairs(books.store, connection, calls))
    fsyncs.append(_fsync(folder / "probe"))
    return _speed_results(pairs, len(calls[0]), fsyncs)


def _fsync(path: Path) -> float:
    """Milliseconds that this disk needs to make a page durable."""
    taken = list[float]()
    with path.open("wb", buffering=0) as file:
        for _ in range(_PROBES):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file)
            taken.append(time.perf_counter() - began)
    return MILLI * statistics.median(taken)


def _pairs(store: Store, connection: sqlite3.Connection, calls: Sequence[Call]) -> Iterator[tuple[_Taken, _Taken]]:
    for at in range(0, len(calls), _PER_ROUND):
        ours = _Taken(partial(bill_all, store, _SHOP, _PER_ROUND))
        yield ours, _Taken(partial(_replay, connection, calls[at : at + _PER_ROUND]))


class _Taken:
    """Seconds and CPU seconds that some work took.

    Args:
        work: Done at once.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        began, cpu = time.perf_counter(), time.process_time()
        work()
        self.seconds = time.perf_counter() - began
        self.cpu = time.process_time() - cpu


def _speed_results(pairs: Sequence[tuple[_Taken, _Taken]], statements: int, fsyncs: Sequence[float]) -> list[Result]:
    ours, bare = ([_PER_ROUND / taken.seconds for taken in side] for side in zip(*pairs, strict=True))
    ratio = statistics.median(theirs.seconds / own.seconds for own, theirs in pairs)
    a_second = statistics.median(ours)
    cpu = [1_000 * statistics.median(taken.cpu for taken in side) / _PER_ROUND for side in zip(*pairs, strict=True)]
    return [
        Result(
            what=f"SQLite FULL, one process, {statements} statements a call",
            ours=f"{a_second:,.0f} calls/s",
            yardstick=f"{statistics.median(bare):,.0f}/s the same through bare sqlite3",
            figure=ratio,
            goal=f"ratio >= {_SPEED_GOAL}",
            met=ratio >= _SPEED_GOAL,
        ),
        Result(
            what="SQLite FULL, one process, rate",
            ours=f"{a_second:,.0f} calls/s",
            yardstick=f"CPU a call {cpu[0]:.2f} ms, bare {cpu[1]:.2f} ms; "
            f"two commits, one fsync is {min(fsyncs):.2f} to {max(fsyncs):.2f} ms",
            figure=a_second,
            unit="calls/s",
            goal=f"aim: {_AIM:,} calls/s",
            met=a_second >= _AIM,
        ),
    ]


# Many processes.


def fairness(folder: Path, *, full: bool) -> list[Result]:
    """The longest wait of 32 processes on one file, against SQLite's own busy handler doing the same."""
    seconds = 30.0 if full else 4.0
    shops = [f"biz_{number}" for number in range(_CROWD)]
    start, ours, bare = folder / "start.db", folder / "ours.db", folder / "bare.db"
    fund(sqlite_url(start), shops)
    calls = _record(start, shops, 2)
    for copy in (ours, bare):
        shutil.copy(start, copy)
    own = together(_CROWD, client, sqlite_url(ours), shops, seconds)
    theirs = together(_CROWD, _bare_client, bare, calls, seconds)
    return [_fairness_result(own, theirs, seconds)]


def _bare_client(index: int, path: Path, calls: Sequence[Call], seconds: float) -> list[float]:
    """One shop's calls through bare `sqlite3`; the seconds each transaction took."""
    first, second = calls[2 * index : 2 * index + 2]
    with closing(bare_connection(path)) as connection:
        wait_for_all()
        taken, end, number = list[float](), time.perf_counter() + seconds, 1
        while time.perf_counter() < end:
            for transaction in _transactions(_another(first, second, number)):
                began = time.perf_counter()
                _replay(connection, [transaction])
                taken.append(time.perf_counter() - began)
            number += 1
    return taken


def _another(first: Call, second: Call, number: int) -> Call:
    """A call like two others: what differed between them differs again by as much, ids by a suffix."""
    return [
        (text, tuple(_next(one, two, number) for one, two in zip(before, after, strict=True)))
        for (text, before), (_, after) in zip(first, second, strict=True)
    ]


def _next(one: Any, two: Any, number: int) -> Any:  # noqa: ANN401  # text, a whole number or None
    if one == two or one is None or two is None:
        return two
    return two + number * (two - one) if isinstance(two, int) else f"{two}-{number}"


def _transactions(call: Call) -> Iterator[Call]:
    done = list[Statement]()
    for statement in call:
        done.append(statement)
        if statement[0] == "COMMIT":
            yield done
            done = []


def _fairness_result(ours: Sequence[list[float]], bare: Sequence[list[float]], seconds: float) -> Result:
    longest = [max(max(taken) for taken in side) for side in (ours, bare)]
    commits = [f"{min(map(len, side))} to {max(map(len, side))} commits a process" for side in (ours, bare)]
    return Result(
        what=f"SQLite FULL, {_CROWD} processes, {seconds:.0f} s, longest wait",
        ours=f"{MILLI * longest[0]:,.0f} ms, {commits[0]}, {rate(ours, seconds):,.0f} calls/s",
        yardstick=f"{MILLI * longest[1]:,.0f} ms, {commits[1]}, {rate(bare, seconds):,.0f} calls/s by the busy handler",
        figure=longest[0] / longest[1],
        goal=f"ratio <= {_FAIR}",
        met=longest[0] <= _FAIR * longest[1],
    )


# Where the time goes.


def profile(folder: Path, *, full: bool) -> list[Result]:
    """The statements of a billed call, and the CPU time of its layers."""
    path = folder / "profile.db"
    fund(sqlite_url(path), [_SHOP])
    (call,) = _record(path, [_SHOP], 1)
    halves = zip(("hold", "capture"), _transactions(call), strict=True)
    counted = [Result(what=f"statements of a {half}", ours=f"{len(part)}: {_told(part)}") for half, part in halves]
    return counted + _layers(path, _PROFILED * (5 if full else 1))


def _told(statements: Call) -> str:
    return ", ".join(_short(text) for text, _ in statements)


def _short(text: str) -> str:
    """What a statement does to which table."""
    verb = text.split(maxsplit=1)[0]
    table = re.search(r"\b(?:FROM|INTO|UPDATE) (\w+)", text)
    return verb if table is None else f"{verb} {table[1]}"


def _layers(path: Path, times: int) -> list[Result]:
    profiler = cProfile.Profile(time.process_time)
    with opened(sqlite_url(path)) as books:
        bill(books.store, _SHOP)
        profiler.runcall(bill_all, books.store, _SHOP, times)
    spent: dict[str, float] = defaultdict(float)
    for entry in profiler.getstats():
        spent[_layer(entry.code)] += entry.inlinetime
    whole = sum(spent.values())
    return [
        Result(what=f"CPU time in {layer}", ours=f"{1e6 * part / times:,.0f} us a call, {part / whole:.0%}")
        for layer, part in sorted(spent.items(), key=lambda item: -item[1])
    ]


_LAYERS: Final = {
    "/ai_addons/billing/sql/": "our SQL layer",
    "/ai_addons/billing/": "our rules and records",
    "/ai_addons/": "amounts, ids, clock",
    "/sqlalchemy/": "SQLAlchemy",
}


def _layer(code: CodeType | str) -> str:
    if isinstance(code, str):
        return "sqlite3" if "sqlite3" in code else "built-in functions"
    return next((layer for part, layer in _LAYERS.items() if part in code.co_filename), "the standard library")
