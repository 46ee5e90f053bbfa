"""How long a person waits for `ai-addons --help`, and a shell for a completion, as a ratio to `import click`.

Run with ``python -m benchmarks.command_line [ROUNDS]``. CPU time of fresh interpreters, measured in turn, and the
modules that each has loaded at its end.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Final

from benchmarks.import_time import cost

ROUNDS: Final = 11
MOST: Final = 3.0
_RUN: Final = "from ai_addons.cli import main\ntry: main({}, prog_name='ai-addons')\nexcept SystemExit: pass"
_TYPED: Final = (
    "import os; os.environ |= {'_AI_ADDONS_COMPLETE': 'bash_complete', 'COMP_WORDS': 'ai-addons d', 'COMP_CWORD': '1'}"
)
CASES: Final = {
    "import click": "import click",
    "ai-addons --help": "import io, sys; out, sys.stdout = sys.stdout, io.StringIO()\n"
    + _RUN.format("['--help']")
    + "\nsys.stdout = out",
    "ai-addons d, completed": "import io, sys; out, sys.stdout = sys.stdout, io.StringIO()\n"
    f"{_TYPED}\n{_RUN.format('[]')}\nsys.stdout = out",
}


def modules(statement: str) -> int:
    """How many modules are loaded at the end."""
    script = f"{statement}\nimport sys; print(len(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return int(done.stdout)


def measure(rounds: int) -> dict[str, list[float]]:
    """CPU milliseconds of whole interpreters, per case and round."""
    for statement in CASES.values():  # writes the byte code
        cost(statement)
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(rounds):
        for name, statement in CASES.items():
            taken[name].append(cost(statement).ms)
    return taken


def table(taken: dict[str, list[float]]) -> str:
    """The figures as a Markdown table; the ratio is that of the medians."""
    base = statistics.median(taken["import click"])
    rows = [
        f"| {name} | {min(times):.0f} | {statistics.median(times):.0f} | {statistics.median(times) / base:.2f} | "
        f"{modules(CASES[name])} |"
        for name, times in taken.items()
    ]
    return "\n".join(["| what | least, ms | median, ms | ratio | modules |", "|---|---|---|---|---|", *rows])


if __name__ == "__main__":
    print(table(measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)))
    print(f"\nThe goal is a ratio of {MOST:g} at most.")
