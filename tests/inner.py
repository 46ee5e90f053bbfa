"""Runs of pytest within a test, in this process: a second of a process's start and five of LiteLLM's are spared."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.pytester import SysModulesSnapshot

from ai_addons.llm.litellm import LiteLlm

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def libraries_stay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what a run loads, but for the modules in its own folder; pytester would forget it, and there would be two.

    LiteLLM comes first: it brings a finder of packages that takes the place of Python's own, and
    pytester, which puts back the finders that it found, would leave none.
    """
    folder = str(tmp_path_factory.getbasetemp())

    def forget(_: SysModulesSnapshot) -> None:
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(folder):
                del sys.modules[name]

    LiteLlm().warm_up()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SysModulesSnapshot, "restore", forget)
        yield


def run_here(pytester: pytest.Pytester, *arguments: Any) -> pytest.RunResult:
    """Run the tests of a folder, in a module that uses `libraries_stay`.

    Args:
        pytester: Whose folder it is.
        *arguments: Of the command line.
    """
    # Django is for tests of its own.
    return pytester.runpytest_inprocess("-p", "no:django", *arguments)
