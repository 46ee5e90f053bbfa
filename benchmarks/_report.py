"""What all benchmarks with goals share: one line of an outcome, the table of them, and the command line."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the outcome.

    Attributes:
        what: What was measured.
        ours: Our figure with its unit.
        yardstick: The other side's, empty where there is none.
        figure: What the goal speaks of: a ratio, a share, or milliseconds.
        goal: The goal in words; empty for a figure that is only shown.
        met: Whether it is met; None where there is no goal.
    """

    what: str
    ours: str
    yardstick: str = ""
    figure: float | None = None
    goal: str = ""
    met: bool | None = None


class Part(Protocol):
    """One part of a benchmark."""

    def __call__(self, folder: Path, /, *, full: bool) -> list[Result]:
        """Measure.

        Args:
            folder: Empty, its own, and gone afterwards.
            full: The full size.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A benchmark that is run from the command line.

    Attributes:
        name: Its module under ``benchmarks``.
        about: What it measures, in a sentence.
        full: What ``--full`` adds.
        parts: Its parts by name, in order.
        versions: What its figures depend on, with versions, beside Python's.
    """

    name: str
    about: str
    full: str
    parts: Mapping[str, Part]
    versions: Callable[[], Sequence[str]] = tuple


def machine(versions: Sequence[str]) -> str:
    """When and where this runs, and with which versions."""
    return ", ".join(
        [
            time.strftime("%d %B %Y", time.gmtime()),
            f"{platform.system()} {platform.machine()}",
            f"{os.cpu_count()} cores",
            f"Python {platform.python_version()}",
            *versions,
        ]
    )


def measure(parts: Sequence[Part], *, full: bool) -> list[Result]:
    """The results of some parts, each in a folder of its own."""
    found: list[Result] = []
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="ai-addons-bench-") as folder:
            found += part(Path(folder), full=full)
    return found


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    words = {True: "met", False: "**not met**", None: ""}
    rows = [
        f"| {one.what} | {one.ours} | {one.yardstick} | {'' if one.figure is None else f'{one.figure:,.3g}'} "
        f"| {one.goal} | {words[one.met]} |"
        for one in results
    ]
    return "\n".join(["| what | ours | yardstick | figure | goal | |", "|---|---|---|---|---|---|", *rows])


def main(benchmark: Benchmark, arguments: Sequence[str]) -> None:
    """Measure what the arguments ask for, and print it."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{benchmark.name}", description=benchmark.about)
    parser.add_argument("--full", action="store_true", help=f"the full size: {benchmark.full}")
    names = list(benchmark.parts)
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="only these parts")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args(arguments)
    where = machine(benchmark.versions())
    results = measure([benchmark.parts[name] for name in asked.only], full=asked.full)
    if asked.json:
        print(json.dumps({"machine": where, "results": [asdict(one) for one in results]}, indent=2))
    else:
        print(f"{where}\n\n{table(results)}")
