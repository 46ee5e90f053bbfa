"""What a read and a write of the answer cache take while several processes use it.

Run with ``python -m benchmarks.cache [SECONDS] [PROCESSES]``. Each process reads
and writes entries of 2 kB, one write in five, as fast as it can. The disk cache
with one database and with shards are measured in turn, and Redis where
``AI_ADDONS_TEST_REDIS`` names a server. A fault is an operation that ended as a miss.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ai_addons.cache.base import AnswerCache, CacheFault
from ai_addons.cache.redis import RedisAnswers
from ai_addons.cache.shards import from_settings
from ai_addons.clock import SystemClock
from ai_addons.settings import CacheSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS: Final = 3
PROCESSES: Final = 4
KEYS: Final = 2_000
TEXT: Final = "x" * 2_000
WRITES: Final = 0.2


def make(kind: str, place: str) -> AnswerCache:
    """The cache that is measured: ``redis``, or the number of shards."""
    if kind == "redis":
        return RedisAnswers(os.environ["AI_ADDONS_TEST_REDIS"], SystemClock(), prefix=f"bench:{Path(place).name}")
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


def measure(kind: str, seconds: float, processes: int) -> str:
    """A row of the table."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "benchmarks.cache", "--work", kind, place, str(seconds)]
        workers = [
            subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, text=True) for seed in range(processes)
        ]
        found = [json.loads(worker.communicate()[0]) for worker in workers]
    gets, puts = ([each for one in found for each in one[name]] for name in ("get", "put"))
    counts = [len(one["get"]) + len(one["put"]) for one in found]
    figures = (spread(gets), spread(puts), f"{max(puts) / 1_000:.0f}", f"{min(counts):,} to {max(counts):,}")
    return f"| {kind} | {' | '.join(figures)} | {sum(one['faults'] for one in found)} |"


def spread(values: Sequence[float]) -> str:
    """Median and 99th percentile."""
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:.0f} / {ordered[len(ordered) * 99 // 100]:,.0f}"


def main(seconds: float, processes: int) -> None:
    """Print the table."""
    print(f"{processes} processes, {seconds:g} s each, one write in five")
    print("| shards | get p50 / p99, us | put p50 / p99, us | longest put, ms | operations a process | faults |")
    print("|---|---|---|---|---|---|")
    kinds = ["1", "8", "1", "8"] + (["redis"] if "AI_ADDONS_TEST_REDIS" in os.environ else [])
    for kind in kinds:
        print(measure(kind, seconds, processes), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        print(json.dumps(work(sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))))
    else:
        given = [float(word) for word in sys.argv[1:]] + [SECONDS, PROCESSES][len(sys.argv) - 1 :]
        main(given[0], int(given[1]))
