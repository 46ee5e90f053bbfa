"""What a read and a write of the answer cache take while several processes use it.

Run with ``python -m benchmarks.cache [--full] [--only PART …] [--json]``. Four processes read and write entries of
2 kB, one write in five, as fast as they can. The disk cache with one database is the yardstick of that with eight
shards; both run in turn, each twice. Redis, where ``AI_ADDONS_TEST_REDIS`` names a server, is what a host would have in
their place. A fault is an operation that ended as a miss.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ai_addons.cache.base import AnswerCache, CacheFault
from ai_addons.cache.redis import RedisAnswers
from ai_addons.cache.shards import from_settings
from ai_addons.clock import SystemClock
from ai_addons.settings import CacheSettings
from benchmarks._report import Benchmark, Result, main, not_measured

if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE: Final = "AI_ADDONS_TEST_REDIS"
REDIS: Final = "redis"
PROCESSES: Final = 4
KEYS: Final = 2_000
TEXT: Final = "x" * 2_000
WRITES: Final = 0.2
MILLI: Final = 1_000


def make(kind: str, place: str) -> AnswerCache:
    """The cache that is measured: ``redis``, or the number of shards."""
    if kind == REDIS:
        return RedisAnswers(os.environ[VARIABLE], SystemClock(), prefix=f"bench:{Path(place).name}")
    return from_settings(CacheSettings(directory=Path(place), shards=int(kind)), SystemClock())


def work(kind: str, place: str, seconds: float, seed: int) -> dict[str, Any]:
    """Use the cache for some time; microseconds of each operation, and the faults."""
    cache, dice = make(kind, place), random.Random(seed)  # noqa: S311  # no secret
    cache.evict("nothing")  # opens every database
    taken: dict[str, list[float]] = {"get": [], "put": []}
    faults, end = 0, time.monotonic() + seconds
    while (began := time.perf_counter()) and time.monotonic() < end:
        key, name = f"k{dice.randrange(KEYS)}", "put" if dice.random() < WRITES else "get"
        try:
            if name == "put":
                cache.put(key, TEXT, ttl=3_600, tag="t")
            else:
                cache.get(key)
        except CacheFault:
            faults += 1
        taken[name].append((time.perf_counter() - began) * 1e6)
    cache.close()
    return {**taken, "faults": faults}


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What all processes of a run took.

    Attributes:
        gets: Microseconds of each read.
        puts: Microseconds of each write.
        counts: Operations of each process.
        faults: Operations that ended as a miss.
    """

    gets: Sequence[float]
    puts: Sequence[float]
    counts: Sequence[int]
    faults: int

    def told(self) -> str:
        """The figures in words."""
        return (
            f"get {spread(self.gets)} us, put {spread(self.puts)} us, longest put {max(self.puts) / MILLI:,.0f} ms, "
            f"{min(self.counts):,} to {max(self.counts):,} operations a process, {self.faults} faults"
        )


def measure(kind: str, place: Path, seconds: float) -> Used:
    """Let several processes use one cache for some time."""
    command = [sys.executable, "-m", "benchmarks.cache", "--work", kind, str(place), str(seconds)]
    workers = [subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, text=True) for seed in range(PROCESSES)]
    found = [json.loads(worker.communicate()[0]) for worker in workers]
    gets, puts = ([each for one in found for each in one[name]] for name in ("get", "put"))
    counts = [len(one["get"]) + len(one["put"]) for one in found]
    return Used(gets=gets, puts=puts, counts=counts, faults=sum(one["faults"] for one in found))


def spread(values: Sequence[float]) -> str:
    """Median and 99th percentile."""
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:,.0f} / {ordered[len(ordered) * 99 // 100]:,.0f}"


def shards(folder: Path, *, full: bool) -> list[Result]:
    """Eight shards beside one database, in turn, each twice."""
    seconds = 20.0 if full else 3.0
    return [_shards(folder / str(turn), seconds) for turn in range(2)]


def _shards(folder: Path, seconds: float) -> Result:
    one, many = (measure(count, folder / count, seconds) for count in ("1", "8"))
    return Result(
        what=f"8 shards, {PROCESSES} processes, {seconds:g} s; longest put",
        ours=many.told(),
        yardstick=f"one database: {one.told()}",
        figure=max(many.puts) / max(one.puts),
    )


def redis(folder: Path, *, full: bool) -> list[Result]:
    """The same use of a Redis server."""
    seconds = 20.0 if full else 3.0
    what = f"Redis, {PROCESSES} processes, {seconds:g} s"
    if VARIABLE not in os.environ:
        return [not_measured(what, f"no server; set {VARIABLE}")]
    return [Result(what=what, ours=measure(REDIS, folder, seconds).told())]


CACHE: Final = Benchmark(
    name="cache",
    about="What the answer cache takes while several processes use it.",
    full="20 s a run in place of 3",
    parts={"shards": shards, "redis": redis},
    versions=lambda: [f"diskcache {version('diskcache')}", f"SQLite {sqlite3.sqlite_version}"],
)

if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        print(json.dumps(work(sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))))
    else:
        sys.exit(main(CACHE, sys.argv[1:]))
