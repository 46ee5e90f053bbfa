"""All benchmarks by one command, each in a process of its own, and their figures on the page.

A benchmark is a module of this folder whose name has no underscore in front; with ``--json`` it prints an `Outcome`.
They run one after the other: two at once would measure each other.
"""

from __future__ import annotations

import argparse
import json
import os
import pkgutil
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from benchmarks import _machine
from benchmarks._page import Run, places, rewritten, section
from benchmarks._report import Failure, Outcome, exit_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = Path("docs", "benchmarks.md")
_GRACE: Final = 10
"""Seconds in which a stopped benchmark may put away its servers and files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Where benchmarks are found and how they are run.

    Attributes:
        root: The folder that the package is in; benchmarks run there.
        package: The package of benchmarks.
        limit: Seconds after which one is stopped.
        full: The full size.
    """

    root: Path
    package: str
    limit: float
    full: bool

    def command(self, name: str) -> list[str]:
        """What runs a benchmark so that it tells its outcome."""
        return [sys.executable, "-m", f"{self.package}.{name}", "--json", *(["--full"] if self.full else [])]


def names(root: Path, package: str) -> list[str]:
    """All benchmarks, in the order they are run in."""
    return sorted(found.name for found in pkgutil.iter_modules([str(root / package)]) if found.name[0] != "_")


def run(name: str, suite: Suite) -> Outcome:
    """Run a benchmark in a process of its own; whatever happens to it, there is an outcome."""
    try:
        code, told = _child(suite.command(name), suite)
    except subprocess.TimeoutExpired:
        return _failed(f"stopped after {suite.limit / 60:g} minutes")
    try:
        return TypeAdapter(Outcome).validate_json(told)
    except ValidationError:
        return _failed(f"ended with code {code} and told no outcome; what it said stands above")


def _failed(error: str) -> Outcome:
    return Outcome(machine="", results=(), failures=(Failure(part="", error=error),))


def _child(command: Sequence[str], suite: Suite) -> tuple[int, str]:
    with subprocess.Popen(command, cwd=suite.root, stdout=subprocess.PIPE, text=True, start_new_session=True) as child:
        try:
            told = child.communicate(timeout=suite.limit)[0]
        finally:
            _stop(child)
    return child.returncode, told


def _stop(child: subprocess.Popen[str]) -> None:
    """End it with all that it started, if it has not ended."""
    for blow in (signal.SIGINT, signal.SIGKILL):
        if child.poll() is not None:
            return
        os.killpg(child.pid, blow)
        try:
            child.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue


def summary(found: Mapping[str, Outcome]) -> str:
    """How many goals are met, and by name what is not, was not measured, or failed."""
    lines = [(name, line) for name, one in found.items() for line in one.results]
    failures = [(name, failure) for name, one in found.items() for failure in one.failures]
    goals = [line.met for _, line in lines if line.met is not None]
    missed = [f"not met: {name}: {line.what}: {line.ours}, {line.goal}" for name, line in lines if line.met is False]
    absent = [f"{name}: {line.what}: {line.ours}" for name, line in lines if not line.measured]
    failed = [f"FAILED: {f'{name} {one.part}'.strip()}: {one.error}" for name, one in failures]
    head = f"{len(lines)} figures, {len(goals)} goals, {sum(goals)} met"
    return "\n".join([head, *missed, *absent, *failed])


def main(arguments: Sequence[str], *, root: Path = ROOT, package: str = "benchmarks") -> int:
    """Run what the arguments ask for, print it, and write it to the page.

    Args:
        arguments: Of the command line.
        root: The folder of the package of benchmarks and of ``docs``.
        package: Its name.

    Returns:
        0 if every goal is met, 1 if one is missed, 2 if something failed.
    """
    asked = _parsed(arguments, names(root, package), root / PAGE)
    suite = Suite(root=root, package=package, limit=60 * asked.limit, full=asked.full)
    told = Run(full=asked.full, load=_machine.load(), cores=_machine.cores(), commit=_machine.commit(root))
    page, found = root / PAGE, dict[str, Outcome]()
    for name in asked.only:
        one = found[name] = run(name, suite)
        if not asked.json:
            print(f"\n## {name}\n\n{section(one, told)}", flush=True)
        if asked.write and not one.failures:
            page.write_text(rewritten(page.read_text(encoding="utf-8"), name, section(one, told)), encoding="utf-8")
    if asked.json:
        print(json.dumps({name: asdict(one) for name, one in found.items()}, indent=2))
    print(summary(found), file=sys.stderr if asked.json else sys.stdout)
    return exit_code(found.values())


def _parsed(arguments: Sequence[str], known: Sequence[str], page: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run benchmarks, one after the other.")
    parser.add_argument("--only", nargs="+", choices=known, default=known, metavar="NAME", help=", ".join(known))
    parser.add_argument("--full", action="store_true", help="the full sizes: hours on an ordinary machine")
    parser.add_argument(
        "--write", action="store_true", help=f"rewrite their places in {PAGE}; not that of one that failed"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--limit", type=float, default=240, metavar="MINUTES", help="stop a benchmark then (240)")
    asked = parser.parse_args(arguments)
    there = places(page.read_text(encoding="utf-8")) if asked.write else asked.only
    if lost := [name for name in asked.only if there.count(name) != 1]:
        parser.error(
            f"no single place in {PAGE} for {', '.join(lost)}; write <!-- results of NAME --> and a line "
            "<!-- end of results --> there"
        )
    return asked
