"""What importing the package costs in time and memory, as a ratio to `import pydantic`.

Run with ``python -m benchmarks.import_time [ROUNDS]``. Every figure is that of a fresh
interpreter less that of one that imports nothing: CPU time, user and system, and peak
resident memory. The imports are measured in turn in each round, so that a busy machine
slows all of them alike. The privacy layer is measured on top of pydantic, which every
host has loaded, and of the modules of the standard library that the rest of this
package loads anyhow.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

ROUNDS: Final = 21
BARE: Final = "pass"
BASE: Final = "import pydantic; pydantic.BaseModel"
# What pydantic and the plug-ins load at their first use, whoever uses them.
HOST: Final = f"{BASE}; pydantic.TypeAdapter; pydantic.RootModel; import importlib.metadata, ai_addons.plugins"
# Patterns are compiled when they are first used.
FIRST: Final = (
    "from ai_addons.privacy.mask import BuiltinMasker; from ai_addons.privacy.recognizers import BUILT_IN_RECOGNIZERS; "
    "masker = BuiltinMasker([make() for make in BUILT_IN_RECOGNIZERS.values()], max_field_bytes=65_536); "
    "masker.session().mask(['Call 024 412 3456, ama@x.com'], None)"
)
CASES: Final = {
    "import pydantic": BASE,
    "import ai_addons": "import ai_addons",
    "amounts and errors": "from ai_addons import AddOnsError, Credits",
    "declare a feature": "from ai_addons import Prompt, billed_feature",
    "make an AddOns": "from ai_addons import AddOns; AddOns()",
    "what a host has": HOST,
    "the same and the privacy layer": f"{HOST}; import ai_addons.privacy.mask",
    "the same, and a first text masked": f"{HOST}; {FIRST}",
}
ADDED: Final = ("the same and the privacy layer", "what a host has")
MOST_MS: Final = 50
MOST_MB: Final = 10
# From Linux's own account: `ru_maxrss` of a child begins with what its parent had.
TELL: Final = "\nprint(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a fresh interpreter needed.

    Attributes:
        ms: CPU milliseconds, user and system.
        mb: Peak resident memory in megabytes.
    """

    ms: float
    mb: float


def cost(statement: str) -> Cost:
    """What a fresh interpreter needs for a statement."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", statement + TELL], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Cost(1_000 * spent, int(done.stdout) / 1024)


def measure(rounds: int) -> dict[str, list[Cost]]:
    """The cost above a bare interpreter, per case and round."""
    for statement in CASES.values():  # writes the byte code, warms the disk cache
        cost(statement)
    taken: dict[str, list[Cost]] = {name: [] for name in CASES}
    for _ in range(rounds):
        bare = cost(BARE)
        for name, statement in CASES.items():
            one = cost(statement)
            taken[name].append(Cost(one.ms - bare.ms, one.mb - bare.mb))
    return taken


def table(taken: dict[str, list[Cost]]) -> str:
    """The figures as a Markdown table; the ratio is that of the medians."""
    base = statistics.median(one.ms for one in taken["import pydantic"])
    rows = [_row(name, costs, base) for name, costs in taken.items()]
    head = ["| what | least, ms | median, ms | ratio | memory, MB |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, "", _privacy(taken)])


def _row(name: str, costs: list[Cost], base: float) -> str:
    times = [one.ms for one in costs]
    median, memory = statistics.median(times), statistics.median(one.mb for one in costs)
    return f"| {name} | {min(times):.0f} | {median:.0f} | {median / base:.2f} | {memory:.1f} |"


def _privacy(taken: dict[str, list[Cost]]) -> str:
    """What the privacy layer adds, round by round, against the goal."""
    pairs = list(zip(*(taken[name] for name in ADDED), strict=True))
    ms = statistics.median(more.ms - less.ms for more, less in pairs)
    mb = statistics.median(more.mb - less.mb for more, less in pairs)
    met = "met" if ms <= MOST_MS and mb <= MOST_MB else "not met"
    return f"The privacy layer adds {ms:.0f} ms and {mb:.1f} MB (goal: {MOST_MS} ms, {MOST_MB} MB): {met}."


if __name__ == "__main__":
    print(table(measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)))
