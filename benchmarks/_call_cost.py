"""What a billed call adds to the bare one, what a cached one costs, whether memory is flat, and where the time goes."""

from __future__ import annotations

import cProfile
import gc
import statistics
import time
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from benchmarks._call_server import serving
from benchmarks._call_shop import MILLI, SHOP, cpu, open_shop
from benchmarks._ledger_postgres import new_database, no_server
from benchmarks._ledger_sqlite import bare_connection, sqlite_url
from benchmarks._report import Result

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from types import CodeType


_Side: TypeAlias = "tuple[list[float], Callable[[int], object]]"

_BARE: Final = "bare litellm.completion"
_PER_ROUND: Final = 20
# Calls after a pause that are not counted where a call among others is meant.
_COLD: Final = 5
_PAUSE_SECONDS: Final = 0.25
_NANO_PER_MILLI: Final = 1_000_000
_SQLITE_GOAL: Final = 0.4
_POSTGRES_GOAL: Final = 0.6
_CACHED_GOAL: Final = 0.7
_FLAT_MIB: Final = 8.0
_PAGE_KIB: Final = 4
_KIB: Final = 1_024


def sqlite(folder: Path, *, full: bool) -> list[Result]:
    """CPU of a billed call on SQLite over that of bare `litellm.completion`, in turn.

    Beside it the same over a bare call between two bare durable inserts: what no booking before and after a call can do
    without, and what the call itself takes longer for after waiting for the disk. And over the call as our adapter
    makes it, which spares itself a part of the bare one's work: what all the rest of ours takes.
    """
    with (
        serving() as base,
        open_shop(sqlite_url(folder / "books.db"), base, folder) as shop,
        closing(bare_connection(folder / "bare.db")) as connection,
    ):
        insert, numbers = _inserting(connection), _numbers()

        def between(number: int) -> None:
            insert(number)
            shop.ask(number)
            insert(number)

        what, dearer = "CPU added by a billed call, SQLite", f"{_BARE} between two durable INSERTs"
        added = _compared(what, shop.bill, shop.ask, _BARE, numbers, full=full)
        return [
            _held(added, _SQLITE_GOAL),
            _compared(f"{what}, by this yardstick", shop.bill, between, dearer, numbers, full=full),
            _compared(f"{what}, beside our adapter", shop.bill, shop.adapt, "our adapter alone", numbers, full=full),
        ]


def _inserting(connection: sqlite3.Connection) -> Callable[[int], object]:
    """A bare durable insert into a table of its own."""
    connection.execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, business TEXT, body TEXT)")
    insert = "INSERT INTO entries (business, body) VALUES (?, ?)"
    return lambda _number: connection.execute(insert, (SHOP, "x" * 600))


def postgres(folder: Path, *, full: bool) -> list[Result]:
    """The same on PostgreSQL; its server's own work is not ours."""
    what = "CPU added by a billed call, PostgreSQL"
    with new_database(folder) as url, serving() as base:
        if url is None:
            return no_server(what)
        with open_shop(url, base, folder) as shop:
            added = _compared(what, shop.bill, shop.ask, _BARE, _numbers(), full=full)
            return [_held(added, _POSTGRES_GOAL)]


def _held(added: Result, goal: float) -> Result:
    """What was measured, held against a goal."""
    return replace(added, goal=f"added <= {goal} of it", met=added.figure is not None and added.figure <= goal)


def _compared(  # both sides, what they are called, and what they are given
    what: str,
    bill: Callable[[int], object],
    ask: Callable[[int], object],
    barely: str,
    numbers: Iterator[range],
    *,
    full: bool,
) -> Result:
    """What one side takes more than the other, in turn."""
    ours, bare = list[float](), list[float]()
    cpu(bill, next(numbers))
    cpu(ask, next(numbers))
    for turn in range(60 if full else 15):
        sides: list[_Side] = [(ours, bill), (bare, ask)]
        for taken, work in sides if turn % 2 else reversed(sides):
            gc.collect()
            taken.append(cpu(work, next(numbers)))
    ratio = statistics.median(own / theirs - 1 for own, theirs in zip(ours, bare, strict=True))
    return Result(
        what=what,
        ours=f"{statistics.median(ours):.2f} ms CPU a billed call",
        yardstick=f"{statistics.median(bare):.2f} ms by {barely}",
        figure=ratio,
    )


def _numbers(size: int = _PER_ROUND) -> Iterator[range]:
    """Numbers of calls that were not made before, a round at a time."""
    return (range(1 + size * turn, 1 + size * (turn + 1)) for turn in count())


def cached(folder: Path, *, full: bool) -> list[Result]:
    """A repeat from the cache, booked, against a bare durable insert on the same disk, in turn.

    The goal is for a call among others. The first after a pause finds the processor's caches empty, more so when the
    collector has just walked through all objects of LiteLLM; it is told beside.
    """
    ours, bare = list[list[float]](), list[list[float]]()
    with (
        serving() as base,
        open_shop(sqlite_url(folder / "books.db"), base, folder) as shop,
        closing(bare_connection(folder / "bare.db")) as connection,
    ):
        insert = _inserting(connection)

        def repeat(_number: int) -> None:
            shop.bill(7)

        repeat(0)
        for _ in range(60 if full else 20):
            for taken, work in ((ours, repeat), (bare, insert)):
                gc.collect()
                time.sleep(_PAUSE_SECONDS)
                taken.append([_once(work) for _ in range(_COLD + _PER_ROUND)])
    among = [[statistics.mean(times[_COLD:]) for times in side] for side in (ours, bare)]
    over = statistics.median(own - theirs for own, theirs in zip(*among, strict=True))
    own, theirs = (statistics.median(side) for side in among)
    first, first_bare = (statistics.median(times[0] for times in side) for side in (ours, bare))
    return [
        Result(
            what="a cached call, booked",
            ours=f"{own:.2f} ms CPU",
            yardstick=f"{theirs:.2f} ms by a bare durable INSERT",
            figure=over,
            unit="ms",
            goal=f"<= {_CACHED_GOAL} ms CPU more",
            met=over <= _CACHED_GOAL,
        ),
        Result(
            what="the first cached call after a pause and a run of the garbage collector",
            ours=f"{first:.2f} ms CPU",
            yardstick=f"{first_bare:.2f} ms by a bare durable INSERT",
            figure=first - first_bare,
            unit="ms",
        ),
    ]


def _once(work: Callable[[int], object]) -> float:
    """CPU milliseconds of one piece of work that leaves nothing to other threads."""
    began = time.process_time_ns()
    work(0)
    return (time.process_time_ns() - began) / _NANO_PER_MILLI


def memory(folder: Path, *, full: bool) -> list[Result]:
    """Resident memory after many billed calls, beside that after the first few hundred."""
    calls, warm = (5_000, 1_000) if full else (1_500, 500)
    with serving() as base, open_shop(sqlite_url(folder / "books.db"), base, folder) as shop:
        cpu(shop.bill, range(1, warm))
        gc.collect()
        before = _resident_mib()
        cpu(shop.bill, range(warm, warm + calls))
        gc.collect()
        grown = _resident_mib() - before
    return [
        Result(
            what=f"memory after {calls:,} billed calls",
            ours=f"{before + grown:.1f} MiB",
            yardstick=f"{before:.1f} MiB after the first {warm:,}",
            figure=grown,
            unit="MiB",
            goal=f"<= {_FLAT_MIB:g} MiB more",
            met=grown <= _FLAT_MIB,
        )
    ]


def _resident_mib() -> float:
    """Resident memory of this process, as Linux counts it."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE_KIB / _KIB


def profile(folder: Path, *, full: bool) -> list[Result]:
    """CPU time of a billed call by layer; the profiler makes Python's own part look larger than it is."""
    times = 1_000 if full else 200
    profiler = cProfile.Profile(time.process_time)
    with serving() as base, open_shop(sqlite_url(folder / "books.db"), base, folder) as shop:
        cpu(shop.bill, range(1, 20))
        profiler.runcall(cpu, shop.bill, range(20, 20 + times))
    spent: dict[str, float] = defaultdict(float)
    for entry in profiler.getstats():
        spent[_layer(entry.code)] += entry.inlinetime
    whole = sum(spent.values())
    return [
        Result(what=f"CPU time in {layer}", ours=f"{MILLI * part / times:.2f} ms a call, {part / whole:.0%}")
        for layer, part in sorted(spent.items(), key=lambda item: -item[1])
    ]


_LAYERS: Final = {
    "/ai_addons/billing/": "our books",
    "/ai_addons/privacy/": "our masker",
    "/ai_addons/cache/": "our cache and its keys",
    "/ai_addons/llm/": "our adapter",
    "/ai_addons/": "the rest of ours",
    "/litellm/": "LiteLLM",
    "/openai/": "openai",
    "/httpx/": "httpx",
    "/httpcore/": "httpx",
    "/h11/": "httpx",
    "/sqlalchemy/": "SQLAlchemy",
    "/pydantic": "pydantic",
    "/diskcache/": "diskcache",
    "/tenacity/": "tenacity",
}


def _layer(code: CodeType | str) -> str:
    if isinstance(code, str):
        return "sqlite3" if "sqlite3" in code else "built-in functions"
    return next((layer for part, layer in _LAYERS.items() if part in code.co_filename), "the standard library")
