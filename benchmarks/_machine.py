"""What figures were measured on: the day, the machine, what else it was doing, and which commit."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

BUSY: Final = 0.25
"""Load average for each core from which a machine counts as busy with other work."""
_CPU_INFO: Final = Path("/proc/cpuinfo")
_MODEL: Final = re.compile(r"^model name\s*:\s*(?P<name>.+)$", re.MULTILINE)


def machine(versions: Sequence[str]) -> str:
    """When and where this runs, and with which versions."""
    info = _CPU_INFO.read_text(encoding="utf-8") if _CPU_INFO.exists() else ""
    return ", ".join(
        [
            time.strftime("%d %B %Y", time.gmtime()),
            f"{platform.system()} {platform.machine()}",
            f"{cores()} cores{cpu_model(info)}",
            f"Python {platform.python_version()}",
            *versions,
        ]
    )


def cores() -> int:
    """How many cores the machine has."""
    return os.cpu_count() or 1


def cpu_model(info: str) -> str:
    """The processor's model, as words behind the number of cores.

    Args:
        info: What Linux tells in ``/proc/cpuinfo``; other systems tell nothing.
    """
    found = _MODEL.search(info)
    return f" of {' '.join(found['name'].split())}" if found else ""


def load() -> float:
    """How many processes wanted a core over the last minute."""
    return os.getloadavg()[0]


def load_told(load: float, cores: int) -> str:
    """The load before a run, and whether other work made the machine busy."""
    busy = ": **the machine was busy with other work**" if load > BUSY * cores else ""
    return f"load average {load:.1f} before the run{busy}"


def commit(root: Path) -> str:
    """The commit that is measured, and whether files differ from it.

    Args:
        root: The repository.
    """
    git = shutil.which("git")
    if git is None:
        return "no commit known"
    name = _git([git, "rev-parse", "--short", "HEAD"], root)
    changed = _git([git, "status", "--porcelain", "--untracked-files=no"], root)
    return f"commit {name}{' with changes' if changed else ''}" if name else "no commit known"


def _git(command: Sequence[str], root: Path) -> str:
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.strip()
