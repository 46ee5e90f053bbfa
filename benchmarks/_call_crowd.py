"""Many callers at once and a model that takes its time: how much later answers come, and how much of that is ours."""

from __future__ import annotations

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final

from benchmarks._call_server import serving
from benchmarks._call_shop import MILLI, open_shop
from benchmarks._ledger_sqlite import sqlite_url
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

_CALLERS: Final = 64
_MODEL_SECONDS: Final = 0.3


def crowd(folder: Path, *, full: bool) -> list[Result]:
    """64 callers, as threads and as tasks, each with billed calls and with bare ones in turn."""
    rounds = 10 if full else 3
    with serving(_MODEL_SECONDS) as base, open_shop(sqlite_url(folder / "books.db"), base, folder) as shop:
        numbers = count(1)
        with ThreadPoolExecutor(_CALLERS) as threads:
            threaded = [
                [_in_threads(threads, work, numbers) for work in (shop.bill, shop.ask)] for _ in range(rounds + 1)
            ]
        tasks = asyncio.run(_turns((shop.abill, shop.aask), numbers, rounds + 1))
    # The first round of each opens connections.
    return [_result("threads", threaded[1:]), _result("tasks on one loop", tasks[1:])]


def _in_threads(threads: ThreadPoolExecutor, work: Callable[[int], None], numbers: count[int]) -> list[float]:
    return list(threads.map(partial(_timed, work), [next(numbers) for _ in range(_CALLERS)]))


def _timed(work: Callable[[int], None], number: int) -> float:
    began = time.perf_counter()
    work(number)
    return MILLI * (time.perf_counter() - began)


async def _turns(
    works: tuple[Callable[[int], Awaitable[None]], ...], numbers: count[int], rounds: int
) -> list[list[list[float]]]:
    return [[await _in_tasks(work, numbers) for work in works] for _ in range(rounds)]


async def _in_tasks(work: Callable[[int], Awaitable[None]], numbers: count[int]) -> list[float]:
    return list(await asyncio.gather(*(_awaited(work, next(numbers)) for _ in range(_CALLERS))))


async def _awaited(work: Callable[[int], Awaitable[None]], number: int) -> float:
    began = time.perf_counter()
    await work(number)
    return MILLI * (time.perf_counter() - began)


def _result(how: str, rounds: list[list[list[float]]]) -> Result:
    """Our part of what is added to the model's own time, by the medians."""
    ours, bare = (statistics.median(each for turn in rounds for each in turn[side]) for side in (0, 1))
    model = MILLI * _MODEL_SECONDS
    return Result(
        what=f"{_CALLERS} callers, {how}, a model of {model:.0f} ms",
        ours=f"median {ours:.0f} ms billed",
        yardstick=f"{bare:.0f} ms by bare litellm",
        figure=(ours - bare) / max(ours - model, 1.0),
        goal="",
    )
