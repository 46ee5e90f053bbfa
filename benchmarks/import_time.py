"""What importing the package costs in time and memory, as a ratio to `import pydantic`.

Run with ``python -m benchmarks.import_time [--full] [--only PART …] [--json]``. Every figure is that of a fresh
interpreter less that of one that imports nothing: CPU time, user and system, and peak resident memory. The imports are
measured in turn in each round. The yardstick is a package that most hosts have loaded anyhow. The privacy layer is
measured on top of pydantic and of the modules of the standard library that the rest of this package loads anyhow.
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

BASE: Final = "import pydantic; pydantic.BaseModel"
# What pydantic and the plug-ins load at their first use, whoever uses them.
HOST: Final = f"{BASE}; pydantic.TypeAdapter; pydantic.RootModel; import importlib.metadata, ai_addons.plugins"
# Patterns are compiled when they are first used.
FIRST: Final = (
    "from ai_addons.privacy.mask import BuiltinMasker; from ai_addons.privacy.recognizers import BUILT_IN_RECOGNIZERS; "
    "masker = BuiltinMasker([make() for make in BUILT_IN_RECOGNIZERS.values()], max_field_bytes=65_536); "
    "masker.session().mask(['Call 024 412 3456, ama@x.com'], None)"
)
YARDSTICK: Final = "import pydantic"
PACKAGE: Final = "import ai_addons"
IMPORTS: Final = {
    YARDSTICK: BASE,
    PACKAGE: "import ai_addons",
    "amounts and errors": "from ai_addons import AddOnsError, Credits",
    "declare a feature": "from ai_addons import Prompt, billed_feature",
    "make an AddOns": "from ai_addons import AddOns; AddOns()",
}
LAYER: Final = {
    "what a host has": HOST,
    "the privacy layer": f"{HOST}; import ai_addons.privacy.mask",
    "the privacy layer, and a first text masked": f"{HOST}; {FIRST}",
}
MOST: Final = 3
"""Times `import pydantic`; the goal for `import ai_addons`."""
MOST_MS: Final = 50
MOST_MB: Final = 10


def imports(folder: Path, *, full: bool) -> list[Result]:
    """What a host imports of the package, beside pydantic."""
    return imported(in_turn(IMPORTS, folder, 21 if full else 5))


def imported(taken: Mapping[str, Sequence[Cost]]) -> list[Result]:
    """One line for each import; the ratio is that of the medians."""
    costs = {name: median(rounds) for name, rounds in taken.items()}
    base = costs.pop(YARDSTICK)
    return [_import(name, own, base) for name, own in costs.items()]


def _import(name: str, own: Cost, base: Cost) -> Result:
    goal, ratio = name == PACKAGE, own.ms / base.ms
    return Result(
        what=name,
        ours=own.told(),
        yardstick=f"{base.told()} by {YARDSTICK}",
        figure=ratio,
        goal=f"ratio <= {MOST}" if goal else "",
        met=ratio <= MOST if goal else None,
    )


def privacy(folder: Path, *, full: bool) -> list[Result]:
    """What the privacy layer adds to a host that has pydantic."""
    return added(in_turn(LAYER, folder, 21 if full else 5))


def added(taken: Mapping[str, Sequence[Cost]]) -> list[Result]:
    """What each adds to the first of them, round by round."""
    (_, base), *layers = taken.items()
    return [_added(name, [more - less for more, less in zip(own, base, strict=True)], base) for name, own in layers]


def _added(name: str, more: Sequence[Cost], base: Sequence[Cost]) -> Result:
    own = median(more)
    return Result(
        what=f"{name}, added to what a host has",
        ours=own.told(),
        yardstick=f"{median(base).told()} by what a host has",
        figure=own.ms,
        unit="ms",
        goal=f"<= {MOST_MS} ms, <= {MOST_MB} MB",
        met=own.ms <= MOST_MS and own.mb <= MOST_MB,
    )


IMPORT_TIME: Final = Benchmark(
    name="import_time",
    about="What importing the package costs.",
    full="21 rounds in place of 5",
    parts={"imports": imports, "privacy": privacy},
    versions=lambda: [f"pydantic {version('pydantic')}", f"SQLAlchemy {version('sqlalchemy')}"],
)

if __name__ == "__main__":
    sys.exit(main(IMPORT_TIME, sys.argv[1:]))
