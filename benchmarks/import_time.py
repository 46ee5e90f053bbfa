"""What importing the package costs, as a ratio to `import pydantic`.

Run with ``python -m benchmarks.import_time [ROUNDS]``. Every figure is CPU time
of a fresh interpreter less that of one that imports nothing; the imports are
measured in turn in each round, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from typing import Final

ROUNDS: Final = 21
BARE: Final = "pass"
BASE: Final = "import pydantic; pydantic.BaseModel"
CASES: Final = {
    "import pydantic": BASE,
    "import ai_addons": "import ai_addons",
    "amounts and errors": "from ai_addons import AddOnsError, Credits",
    "declare a feature": "from ai_addons import Prompt, billed_feature",
    "make an AddOns": "from ai_addons import AddOns; AddOns()",
}


def cpu_ms(statement: str) -> float:
    """CPU milliseconds, user and system, that a fresh interpreter needs for a statement."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1_000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def measure(rounds: int) -> dict[str, list[float]]:
    """Milliseconds above a bare interpreter, per case and round."""
    for statement in CASES.values():  # writes the byte code, warms the disk cache
        cpu_ms(statement)
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(rounds):
        bare = cpu_ms(BARE)
        for name, statement in CASES.items():
            taken[name].append(cpu_ms(statement) - bare)
    return taken


def table(taken: dict[str, list[float]]) -> str:
    """The figures as a Markdown table; the ratio is that of the medians."""
    base = statistics.median(taken["import pydantic"])
    rows = [
        f"| {name} | {min(values):.0f} | {statistics.median(values):.0f} | {statistics.median(values) / base:.2f} |"
        for name, values in taken.items()
    ]
    return "\n".join(["| what | least, ms | median, ms | ratio |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    print(table(measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)))
