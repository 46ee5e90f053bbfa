"""The types survive decoration: right uses pass both type checkers and wrong ones are refused by both."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT: Final = Path(__file__).parent.parent
ACCEPTS: Final = ROOT / "tests" / "typing" / "accepts.py"
REJECTS: Final = ROOT / "tests" / "typing" / "rejects.py"
MARK: Final = re.compile(r"# E: (?P<mypy>\S+) (?P<pyright>\S+)$")

Complaints = dict[int, set[str]]
"""What a checker says of a file: error codes by line."""


def run(*command: str) -> str:
    """The output of a type checker, which exits with an error when it finds one."""
    # Measuring the coverage of a type checker only slows it down.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-m", *command], check=False, capture_output=True, text=True, cwd=ROOT, env=environ
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def mypy(*files: Path) -> Mapping[Path, Complaints]:
    """Errors by mypy, read from its JSON lines."""
    found: Mapping[Path, Complaints] = {file: defaultdict(set) for file in files}
    for line in run("mypy", "--output", "json", "--no-error-summary", *map(str, files)).splitlines():
        issue = json.loads(line)
        if issue["severity"] == "error":
            found[ROOT / issue["file"]][issue["line"]].add(issue["code"])
    return found


def pyright(*files: Path) -> Mapping[Path, Complaints]:
    """Errors by pyright, read from its report; its lines count from zero."""
    found: Mapping[Path, Complaints] = {file: defaultdict(set) for file in files}
    report = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, *map(str, files)))
    assert report["summary"]["filesAnalyzed"] == len(files)
    for issue in report["generalDiagnostics"]:
        if issue["severity"] == "error":
            found[Path(issue["file"])][issue["range"]["start"]["line"] + 1].add(issue["rule"])
    return found


def marked(checker: str) -> Mapping[int, str]:
    """The code that a checker must give, by line of the file of wrong uses."""
    lines = enumerate(REJECTS.read_text().splitlines(), start=1)
    return {number: mark[checker] for number, line in lines if (mark := MARK.search(line))}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("checker", [mypy, pyright])
def test_right_uses_pass_and_wrong_ones_are_refused_before_they_run(
    checker: Callable[..., Mapping[Path, Complaints]],
) -> None:
    """A decorated function keeps its parameters and result; wrong arguments, options, amounts and builders are errors.

    Of both files at once: a checker takes its time to read the package.
    """
    expected = marked(checker.__name__)
    found = checker(ACCEPTS, REJECTS)

    assert found[ACCEPTS] == {}
    assert len(expected) > 25, "the marks were not read"
    assert found[REJECTS].keys() == expected.keys()
    assert {line: code for line, code in expected.items() if code not in found[REJECTS][line]} == {}
