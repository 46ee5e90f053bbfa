"""Python programs in processes of their own that start at once, where a new one takes a second to load its packages.

One process loads the packages and nothing else; each program is a copy of it (``fork``), so it
begins as a new one would, with its own arguments, folder and environment, and nothing that it
does is seen by the next. Where the system cannot copy a process, each program is started anew.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BIN: Final = Path(sys.executable).parent

OURS: Final = (
    *("ai_addons.cli.check", "ai_addons.cli.figures", "ai_addons.cli.mask", "ai_addons.cli.operate"),
    *("ai_addons.cli.tour", "rich.table", "sqlalchemy.dialects.sqlite"),
)
"""What commands of ours load, nearly all of it."""
THEIRS: Final = ("pytest", "pydantic_settings", "rich.table", "sqlalchemy.dialects.sqlite")
"""What a run of pytest with our plug-in loads, but for what pytest wants to load by itself: packages with a plug-in."""
FOREIGN: Final = ("schemathesis", "hypothesispytest", "xdist", "xdist.looponfail", "timeout", "django")
"""Plug-ins of pytest that this environment has and a host need not: half a second of imports in each run."""


def no_foreign(*, but: str = "") -> list[str]:
    """Options of pytest that leave the plug-ins out that a host need not have, but for one that it has."""
    return [word for name in FOREIGN if name != but for word in ("-p", f"no:{name}")]


class Starter:
    """Starts programs.

    Args:
        process: The one that is copied; None where the system cannot.
    """

    def __init__(self, process: subprocess.Popen[str] | None) -> None:
        self._process = process

    def run(
        self, program: str, *arguments: str, folder: Path, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end.

        Args:
            program: ``python``, or a script beside it.
            *arguments: As they would stand on the command line.
            folder: Where it runs.
            environ: Its environment; this one's, unless given.
        """
        known = dict(os.environ if environ is None else environ)
        if self._process is None:
            command = [str(BIN / program), *arguments]
            return subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env=known)
        order = {"program": program, "arguments": arguments, "folder": str(folder), "environ": known}
        asks, tells = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        print(json.dumps(order), file=asks, flush=True)
        told = json.loads(tells.readline())
        return subprocess.CompletedProcess([program, *arguments], told["code"], told["stdout"], told["stderr"])


@contextmanager
def starter(modules: Sequence[str]) -> Iterator[Starter]:
    """Load packages once, for all programs of this block.

    Args:
        modules: What is loaded.
    """
    if not hasattr(os, "fork"):
        yield Starter(None)
        return
    # By its path: as a module it would leave the package `tests` behind, and a host has one too.
    command = [sys.executable, __file__, *modules]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Starter(process)
        finally:
            cast("IO[str]", process.stdin).close()
            process.wait()


# The process that is copied.


def serve(modules: Sequence[str]) -> None:
    """Load the packages, then copy this process for every order; the copies return too, once they have run."""
    for name in modules:
        importlib.import_module(name)
    # What is loaded lives to the end: the copies need not walk it, nor copy its pages.
    gc.freeze()
    for line in iter(sys.stdin.readline, ""):
        order = json.loads(line)
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            child = os.fork()
            if child == 0:
                become(order, stdout, stderr)
                return
            _, status = os.waitpid(child, 0)
            told = {"code": os.waitstatus_to_exitcode(status), "stdout": _read(stdout), "stderr": _read(stderr)}
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def become(order: Mapping[str, Any], stdout: IO[bytes], stderr: IO[bytes]) -> None:
    """Run a program as Python itself would: whatever it raises ends this process as it would end its own."""
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(stdout.fileno(), 1)
    os.dup2(stderr.fileno(), 2)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environ"])
    _run(order["program"], order["arguments"])


def _run(program: str, arguments: list[str]) -> None:
    if program != "python":
        arguments = [str(BIN / program), *arguments]
    if arguments[0] == "-m":
        sys.path[0] = str(Path.cwd())
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    sys.path[0] = str(Path(arguments[0]).parent.absolute())
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    serve(sys.argv[1:])
