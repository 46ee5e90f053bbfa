"""A pytest plug-in of ``.ci/mutants``: notes the file of the last test that ran on each mutant.

mutmut stops at the first test that fails, so the last to run is the one that noticed; it does
not say so itself. Tests of the mutant's own module run first, by file name: they notice
soonest, and a module is then judged by few files.
"""

from __future__ import annotations

import os
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def _mutant() -> str:
    """The mutant that is tried now; empty while mutmut gets ready."""
    name = os.environ.get("MUTANT_UNDER_TEST", "")
    return name if "__mutmut_" in name else ""


def _kinship(mutant: str, nodeid: str) -> int:
    """How many letters the names of a module and a test file share: ``billing_limits`` and ``billing_limit_rules``."""
    module = mutant.rpartition(".x")[0].removeprefix("ai_addons.").replace(".", "_")
    file = Path(nodeid.partition("::")[0]).stem.removeprefix("test_")
    return len(list(takewhile(bool, map(str.__eq__, module, file))))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the nearest kin first, and always in the same order."""
    if mutant := _mutant():
        items.sort(key=lambda item: (-_kinship(mutant, item.nodeid), item.nodeid))


def pytest_runtest_logstart(nodeid: str) -> None:
    """Note who runs now."""
    if mutant := _mutant():
        note = Path(os.environ["MUTANTS_NOTICED_IN"]) / mutant
        note.write_text(nodeid.partition("::")[0], encoding="utf-8")
