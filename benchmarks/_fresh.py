"""What a statement costs a fresh interpreter, above one that does nothing."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

BARE: Final = "pass"
# From Linux's own account: `ru_maxrss` of a child begins with what its parent had.
_TELL: Final = "\nprint(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a fresh interpreter needed.

    Attributes:
        ms: CPU milliseconds, user and system.
        mb: Peak resident memory in megabytes.
    """

    ms: float
    mb: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.ms - other.ms, self.mb - other.mb)

    def told(self) -> str:
        """The figures in words."""
        return f"{self.ms:,.0f} ms CPU, {self.mb:.1f} MB"


def cost(statement: str, folder: Path) -> Cost:
    """What a fresh interpreter needs for a statement.

    Args:
        statement: What it runs.
        folder: Where it runs, and where byte code is kept from the first run on, whatever this process does with it.

    Raises:
        subprocess.CalledProcessError: If the statement failed.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    command = [sys.executable, "-c", statement + _TELL]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Cost(1_000 * spent, int(done.stdout.split()[-1]) / 1_024)


def in_turn(statements: Mapping[str, str], folder: Path, rounds: int) -> dict[str, list[Cost]]:
    """The cost above a bare interpreter, by name and round; in each round all take their turn.

    So a busy machine slows all of them alike.
    """
    for statement in (BARE, *statements.values()):  # writes the byte code, warms the disk cache
        cost(statement, folder)
    taken: dict[str, list[Cost]] = {name: [] for name in statements}
    for _ in range(rounds):
        bare = cost(BARE, folder)
        for name, statement in statements.items():
            taken[name].append(cost(statement, folder) - bare)
    return taken


def least(costs: Sequence[Cost]) -> Cost:
    """The least time and the least memory, each by itself."""
    return Cost(min(one.ms for one in costs), min(one.mb for one in costs))


def median(costs: Sequence[Cost]) -> Cost:
    """The medians of time and memory, each by itself."""
    return Cost(statistics.median(one.ms for one in costs), statistics.median(one.mb for one in costs))
