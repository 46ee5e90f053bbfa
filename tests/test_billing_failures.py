"""The table of failures that others had is complete, and every test it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.failures import ALL, OWN, PAGE, Failure, page

HERE: Final = Path(__file__).parent


def _tests(module: str) -> set[str]:
    """The tests of a module that pytest would collect."""
    tree = ast.parse((HERE / f"{module}.py").read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds) and node.name.startswith("test_")}


def _named(module: str) -> set[tuple[str, str]]:
    """Each failure that a test of a module has in its name, with the test."""
    found = [(re.match(r"test_((?:[bd]\d+_)+)", name), name) for name in _tests(module)]
    assert all(match for match, _ in found), f"a test of {module} is not named after a failure"
    return {(id_.upper(), name) for match, name in found if match for id_ in match[1].rstrip("_").split("_")}


def test_every_failure_stands_in_the_table_once() -> None:
    """B1 to B30 and D1 to D40, in their order."""
    assert [failure.id for failure in ALL] == [f"B{n}" for n in range(1, 31)] + [f"D{n}" for n in range(1, 41)]


@pytest.mark.parametrize("failure", ALL, ids=lambda failure: failure.id)
def test_every_failure_has_a_test(failure: Failure) -> None:
    """None is left open, and no test is named that is not there."""
    named = [test.partition("::") for test in failure.tests]
    assert named
    assert [test for module, _, test in named if test not in _tests(module)] == []


@pytest.mark.parametrize("module", OWN)
def test_a_test_named_after_a_failure_stands_beside_it_in_the_table(module: str) -> None:
    """Name and table say the same, in both directions."""
    named = [(failure.id, *test.split("::")) for failure in ALL for test in failure.tests]
    told = {(id_, test) for id_, where, test in named if where == module}
    assert told == _named(module)


def test_the_page_shows_the_table() -> None:
    """The docs are written from the table: ``python -m tests.failures``."""
    assert PAGE.read_text(encoding="utf-8") == page()
