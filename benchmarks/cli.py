"""How long a person waits for `ai-addons` to begin.

Run with ``python -m benchmarks.cli [--full] [--only PART …] [--json]``. CPU time and memory of a fresh interpreter that
runs a command, less that of one that does nothing. The yardstick is `import click`: no command line built on it can
begin sooner. All take their turn in each round.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from benchmarks._fresh import Cost, in_turn, median
from benchmarks._report import Benchmark, Result, main

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

YARDSTICK: Final = "import click"
COMMANDS: Final = (("--help",), ("--version",), ("prices",))
MOST: Final = 3
"""Times `import click`; the goal for what a person waits for while typing."""
_RUN: Final = """
from ai_addons.cli import main
try:
    main({words!r})
except SystemExit as ended:
    assert not ended.code
"""


_COMPLETED: Final = """
import os
os.environ |= {"_AI_ADDONS_COMPLETE": "bash_complete", "COMP_WORDS": "ai-addons d", "COMP_CWORD": "1"}
from ai_addons.cli import main
try:
    main([], prog_name="ai-addons")
except SystemExit:
    pass
"""
TYPED: Final = "ai-addons d, completed by bash"
AT_ONCE: Final = ("ai-addons --help", TYPED)


def start(folder: Path, *, full: bool) -> list[Result]:
    """Commands that ask no database."""
    runs = {f"ai-addons {' '.join(words)}": _RUN.format(words=list(words)) for words in COMMANDS}
    runs |= {TYPED: _COMPLETED}
    return started(in_turn({YARDSTICK: YARDSTICK, **runs}, folder, 21 if full else 5))


def started(taken: Mapping[str, Sequence[Cost]]) -> list[Result]:
    """One line for each command; the ratio is that of the medians."""
    costs = {name: median(rounds) for name, rounds in taken.items()}
    base = costs.pop(YARDSTICK)
    return [_result(name, own, base) for name, own in costs.items()]


def _result(name: str, own: Cost, base: Cost) -> Result:
    goal, ratio = name in AT_ONCE, own.ms / base.ms
    return Result(
        what=f"`{name}`",
        ours=own.told(),
        yardstick=f"{base.told()} by `{YARDSTICK}`",
        figure=ratio,
        goal=f"ratio <= {MOST}" if goal else "",
        met=ratio <= MOST if goal else None,
    )


CLI: Final = Benchmark(
    name="cli",
    about="How long `ai-addons` takes to begin.",
    full="21 rounds in place of 5",
    parts={"start": start},
    versions=lambda: [f"click {version('click')}"],
)

if __name__ == "__main__":
    sys.exit(main(CLI, sys.argv[1:]))
