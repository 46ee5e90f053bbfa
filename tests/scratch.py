"""Where the tests keep their files: in memory, where the system has room there.

A thousand tests keep books in a file, and a write of theirs waits for the disk. No test pulls the plug: what a killed
process had written is there on either.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

TEMPORARY: Final = "PYTEST_DEBUG_TEMPROOT"
"""Names the folder under which pytest makes its own; whoever sets it is obeyed."""
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # the system's own; the folders in it have names that nobody else uses
_ENOUGH: Final = 4 << 30


def memory() -> Path | None:
    """A folder kept in memory with four gigabytes left, in which programs may be started; None where there is none."""
    try:
        fit = os.access(_MEMORY, os.W_OK) and not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC
        return _MEMORY if fit and shutil.disk_usage(_MEMORY).free > _ENOUGH else None
    except (AttributeError, OSError):
        return None  # Windows has no statvfs, macOS no such folder


def keep_in_memory() -> None:
    """Let pytest make its folders there."""
    if (folder := memory()) is not None:
        os.environ.setdefault(TEMPORARY, str(folder))
