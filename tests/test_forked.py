"""Programs that are copies of one process: what goes in comes out, and none sees another."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.forked import Starter, starter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = """
import os, sys, json
print(json.dumps([sys.argv, os.getcwd(), dict(os.environ), sys.path[0], "json.tool" in sys.modules, __name__]))
print("aside", file=sys.stderr)
os.environ["LEFT"] = "behind"
import json.tool
"""


@pytest.fixture(scope="module", params=["copied", "anew"])
def starting(request: pytest.FixtureRequest) -> Iterator[Starter]:
    """What starts programs, on a system that can copy a process and on one that cannot."""
    if request.param == "anew":
        yield Starter(None)
        return
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot copy a process")
    with starter(["json"]) as made:
        yield made


def test_a_program_gets_what_it_is_given_and_leaves_nothing_behind(starting: Starter, tmp_path: Path) -> None:
    """Arguments, folder and environment; the second run sees nothing of the first."""
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    environ = {"PATH": os.environ["PATH"], "LC_CTYPE": "C.UTF-8", "ONE": "1"}
    told = [starting.run("python", "program.py", "-x", "y", folder=tmp_path, environ=environ) for _ in range(2)]
    folder = str(tmp_path)
    assert [(one.returncode, one.stderr) for one in told] == [(0, "aside\n")] * 2
    assert told[0].stdout == told[1].stdout
    assert told[0].stdout == (
        f'[["program.py", "-x", "y"], "{folder}", {{"PATH": "{environ["PATH"]}", "LC_CTYPE": "C.UTF-8", "ONE": "1"}},'
        f' "{folder}", false, "__main__"]\n'
    )


@pytest.mark.parametrize(
    ("program", "code", "says"),
    [
        ("raise SystemExit(7)", 7, ""),
        ("raise SystemExit('no')", 1, "no\n"),
        ("raise ValueError('broken')", 1, "ValueError: broken\n"),
    ],
)
def test_a_program_ends_as_it_would_alone(
    starting: Starter, tmp_path: Path, program: str, code: int, says: str
) -> None:
    """With its own code, and the error that it did not catch."""
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = starting.run("python", "program.py", folder=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.endswith(says)


def test_a_module_is_looked_for_in_the_folder(starting: Starter, tmp_path: Path) -> None:
    """As with ``python -m``."""
    (tmp_path / "lives_here.py").write_text("import sys; print(sys.argv[1:])", encoding="utf-8")
    assert starting.run("python", "-m", "lives_here", "a", folder=tmp_path).stdout == "['a']\n"
