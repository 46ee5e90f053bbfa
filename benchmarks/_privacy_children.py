"""What is measured in a fresh process: hostile texts under a limit of time, and what loading costs."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import _privacy_tools as tools
from benchmarks._fresh import in_turn, least
from benchmarks._report import Result, not_measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks._fresh import Cost

HOSTILE_UNITS: Final = (
    *("a", "1", "1-", "1 ", "1.", "a@", "a.", "a@a.", ":", "a:", "(", "GHA-", "+233 ", "024 ", "AB12 ", "sk-"),
    "http://",
)
"""Each is repeated to 50 KB."""
HOSTILE_SIZE: Final = 50_000
HOSTILE_GOAL: Final = 0.5
LOAD_GOAL_MS: Final = 50
LOAD_GOAL_MB: Final = 10

_HOSTILE: Final = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[2]), int(sys.argv[2])))
from benchmarks import _privacy_tools as tools
from benchmarks._privacy_children import HOSTILE_SIZE, HOSTILE_UNITS
detect = tools.load(sys.argv[1]).detect
detect("a")
for unit in HOSTILE_UNITS:
    text = unit * (HOSTILE_SIZE // len(unit))
    began = time.process_time()
    detect(text)
    print(time.process_time() - began, unit, sep="|", flush=True)
"""

_PROC: Final = Path("/proc")
_BASE: Final = "a model of pydantic"
_PYDANTIC: Final = "import pydantic; pydantic.BaseModel"
# Much of pydantic is loaded with the first model, and whoever marks a field as personal has one.
_MODEL: Final = f"{_PYDANTIC}; pydantic.create_model('Customer', name=(str, 'Ama'))"
_PACKAGE: Final = f"{_MODEL}; import ai_addons.privacy.mask"
_FIRST_TEXT: Final = f"""
{_PACKAGE}
from ai_addons.privacy.recognizers import BUILT_IN_RECOGNIZERS
masker = ai_addons.privacy.mask.BuiltinMasker([make() for make in BUILT_IN_RECOGNIZERS.values()], max_field_bytes=65536)
masker.detect("Ama paid GHS 20 by 024 123 4567, GHA-123456789-0, ama@x.com")
"""
_LOADED: Final[Mapping[str, str]] = {
    "import pydantic": _PYDANTIC,
    _BASE: _MODEL,
    "ours": _PACKAGE,
    "ours, with a first text": _FIRST_TEXT,
    "DataFog": "from datafog.processing.text_processing.regex_annotator import RegexAnnotator; RegexAnnotator()",
    "scrubadub": "import scrubadub; scrubadub.Scrubber(locale='en_US')",
    "Presidio": "from benchmarks import _privacy_tools as t; t.load('Presidio').detect('a')",
}


# Hostile texts.


def hostile(_folder: Path, *, full: bool) -> list[Result]:
    """The worst of the hostile texts, for each tool."""
    limit = 120 if full else 30  # seconds of CPU time, loading included
    worst = {name: _worst(name, limit) for name in tools.installed() if name != "Presidio, all"}
    seconds, unit, stopped = worst.pop(tools.OURS)
    return [
        Result(
            what=f"hostile, {HOSTILE_SIZE // 1_000} KB, worst of {len(HOSTILE_UNITS)} units",
            ours=_told(seconds, unit, stopped),
            yardstick="; ".join(f"{name}: {_told(*one)}" for name, one in worst.items()),
            figure=seconds,
            unit="s",
            goal=f"<= {HOSTILE_GOAL} s",
            met=seconds <= HOSTILE_GOAL and stopped is None,
        )
    ]


def _worst(name: str, limit: int) -> tuple[float, str, str | None]:
    """The longest CPU time and its unit, and the unit at which a tool was stopped."""
    command = [sys.executable, "-c", _HOSTILE, name, str(limit)]
    child = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if child.returncode not in {0, -signal.SIGXCPU, -signal.SIGKILL}:
        raise subprocess.CalledProcessError(child.returncode, command)
    printed = child.stdout
    rows = [line.split("|") for line in printed.decode().splitlines()]
    seconds, unit = max(((float(taken), unit) for taken, unit in rows), default=(0.0, ""))
    return seconds, unit, None if len(rows) == len(HOSTILE_UNITS) else HOSTILE_UNITS[len(rows)]


def _told(seconds: float, unit: str, stopped: str | None) -> str:
    told = f"{seconds:.2f} s (`{unit}`)"
    return told if stopped is None else f"{told}, then stopped at `{stopped}` when its time was up"


# Loading.


def loading(folder: Path, *, full: bool) -> list[Result]:
    """CPU time and memory of a fresh interpreter: ours above a model of pydantic, others above nothing.

    Of several rounds the least counts. Memory is read on Linux only.
    """
    if not _PROC.exists():
        return [not_measured("loading", f"memory is read from {_PROC}, which only Linux has")]
    cases = {name: code for name, code in _LOADED.items() if name not in tools.missing()}
    # Run in the folder: a tool is loaded by a module of this one, which has to be found from there.
    here = f"import sys; sys.path.append({str(Path.cwd())!r})\n"
    taken = in_turn({name: here + code for name, code in cases.items()}, folder, 11 if full else 5)
    found = {name: least(rounds) for name, rounds in taken.items()}
    return [_loaded(name, one, found[_BASE]) for name, one in found.items()]


def _loaded(name: str, found: Cost, base: Cost) -> Result:
    own = name.startswith("ours")
    told = found - base if own else found
    return Result(
        what=f"loading, {name}" + (f", above {_BASE}" if own else ""),
        ours=told.told() if own else "",
        yardstick="" if own else told.told(),
        figure=told.ms if own else None,
        unit="ms" if own else "",
        goal=f"<= {LOAD_GOAL_MS} ms, <= {LOAD_GOAL_MB} MB" if own else "",
        met=told.ms <= LOAD_GOAL_MS and told.mb <= LOAD_GOAL_MB if own else None,
    )
