"""What all benchmarks share: one line of an outcome, the table of them, and the command line.

With ``--json`` a benchmark prints one `Outcome`, which ``python -m benchmarks`` reads. A part that fails does not lose
the other parts.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import traceback
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from benchmarks._machine import cores, load, load_told, machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

MISSED: Final = 1
"""Exit code: a goal was missed."""
FAILED: Final = 2
"""Exit code: something failed and was not measured."""
_NOT_MEASURED: Final = "not measured: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the outcome.

    Attributes:
        what: What was measured.
        ours: Our figure with its unit.
        yardstick: The other side's, empty where there is none.
        figure: What the goal speaks of: a ratio, a share, or a number of units.
        unit: The figure's unit; empty for a ratio or a share.
        goal: The goal in words; empty for a figure that is only shown.
        met: Whether it is met; None where there is no goal.
        command: What measures it again; `main` fills it in.
    """

    what: str
    ours: str
    yardstick: str = ""
    figure: float | None = None
    unit: str = ""
    goal: str = ""
    met: bool | None = None
    command: str = ""

    @property
    def measured(self) -> bool:
        """Whether there is a figure at all."""
        return not self.ours.startswith(_NOT_MEASURED)

    def row(self) -> str:
        """The line as a row of a Markdown table."""
        figure = "" if self.figure is None else f"{self.figure:,.3g} {self.unit}".rstrip()
        met = {True: "met", False: "**not met**", None: ""}[self.met]
        return f"| {self.what} | {self.ours} | {self.yardstick} | {figure} | {self.goal} | {met} |"


def not_measured(what: str, why: str) -> Result:
    """What stands in place of a figure that cannot be had here."""
    return Result(what=what, ours=f"{_NOT_MEASURED}{why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A part that ended with an error.

    Attributes:
        part: Its name; empty if it was the benchmark as a whole.
        error: What was raised.
    """

    part: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that one run of a benchmark found.

    Attributes:
        machine: When, where, and with which versions; empty where none was told.
        results: In the order of the parts.
        failures: Parts that have no results, or not all.
    """

    machine: str
    results: tuple[Result, ...]
    failures: tuple[Failure, ...]


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


def measure(parts: Sequence[Part], *, full: bool) -> list[Result]:
    """The results of some parts, each in a folder of its own."""
    found: list[Result] = []
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="ai-addons-bench-") as folder:
            found += part(Path(folder), full=full)
    return found


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    return "\n".join(
        ["| what | ours | yardstick | figure | goal | |", "|---|---|---|---|---|---|", *(one.row() for one in results)]
    )


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """0 if every goal is met, else `MISSED`; `FAILED` if something was not measured because of an error."""
    told = list(outcomes)
    if any(one.failures for one in told):
        return FAILED
    return MISSED if any(result.met is False for one in told for result in one.results) else 0


def outcome(benchmark: Benchmark, parts: Sequence[str], *, full: bool) -> Outcome:
    """Measure some parts, one after the other.

    Args:
        benchmark: What to measure.
        parts: Names of its parts.
        full: The full size.
    """
    results, failures = list[Result](), list[Failure]()
    for name in parts:
        again = f"uv run python -m benchmarks.{benchmark.name} --only {name}{' --full' if full else ''}"
        try:
            results += [replace(one, command=again) for one in measure([benchmark.parts[name]], full=full)]
        except Exception as error:  # noqa: BLE001  # whatever it is, the other parts are still measured
            traceback.print_exc()
            failures.append(Failure(part=name, error=f"{type(error).__name__}: {error}"))
    return Outcome(machine=machine(benchmark.versions()), results=tuple(results), failures=tuple(failures))


def main(benchmark: Benchmark, arguments: Sequence[str]) -> int:
    """Measure what the arguments ask for, and print it.

    Returns:
        The exit code, as `exit_code` has it.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{benchmark.name}", description=benchmark.about)
    parser.add_argument("--full", action="store_true", help=f"the full size: {benchmark.full}")
    names = list(benchmark.parts)
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="only these parts")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args(arguments)
    before = load_told(load(), cores())
    with redirect_stdout(sys.stderr):  # libraries print too, and what is printed here may be read by a program
        found = outcome(benchmark, asked.only, full=asked.full)
    print(json.dumps(asdict(found), indent=2) if asked.json else f"{found.machine}; {before}\n\n{table(found.results)}")
    for failure in found.failures:
        print(f"FAILED: {failure.part}: {failure.error}", file=sys.stderr)
    return exit_code([found])
