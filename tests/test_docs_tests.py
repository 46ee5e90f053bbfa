"""Every test that a page of the docs names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
NAMED: Final = re.compile(r"`(test_\w+)::(test_\w+)`")
PAGES: Final = sorted(page for page in (HERE.parent / "docs").rglob("*.md") if NAMED.search(page.read_text("utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_whoever_reads_the_name_of_a_test_finds_it(page: Path) -> None:
    """A test that was renamed or dropped fails here, and the page is mended."""
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    there = {module: functions_of(HERE / f"{module}.py") for module in {module for module, _ in named}}
    for module, test in named:
        assert test in there[module], f"{module}::{test}"


def functions_of(file: Path) -> set[str]:
    """The functions of a test file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def test_the_pages_that_name_tests_are_seen() -> None:
    """The test above cannot pass by finding none."""
    assert {"security.md", "failures-others-had.md"} <= {page.name for page in PAGES}
