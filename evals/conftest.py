"""The model of this run, and its report at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_addons.testing import kit_settings
from evals.asking import MODELS, Row, model_with_key

if TYPE_CHECKING:
    from ai_addons import Settings

REPORT: pytest.StashKey[list[Row]] = pytest.StashKey()


@pytest.fixture
def ai_settings() -> Settings:
    """One model, and no cache: a stored answer says nothing of the model."""
    return kit_settings(models={"small": model_with_key() or MODELS[0]}, cache={"backend": "off"})


@pytest.fixture
def rows(pytestconfig: pytest.Config) -> list[Row]:
    """What the report is made of."""
    return pytestconfig.stash.setdefault(REPORT, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the report, also where the tests passed without a word."""
    rows = config.stash.get(REPORT, [])
    if rows:
        terminalreporter.section("wording")
        for row in rows:
            terminalreporter.write_line(str(row))
