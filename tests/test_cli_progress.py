"""What long commands show of their progress: on a terminal, and nowhere else."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from io import StringIO
from typing import TYPE_CHECKING, Final

import pytest
from rich.console import Console

from ai_addons import AddOns
from ai_addons.cli import show
from ai_addons.testing import kit_settings
from tests.test_cli_books import call, home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["home"]

COMMANDS: Final = {
    "doctor": (["doctor"], ["wallets checked", "2/2"]),
    "rebuild": (["doctor", "--rebuild"], ["daily sums made anew", "1/1", "wallets checked", "2/2"]),
    "sweep": (["sweep"], ["other jobs done", "4/4"]),
    "renew": (["renew"], ["automatic top-ups looked at"]),
    "reconcile": (["reconcile"], ["payments without an end asked about"]),
    "erase": (["erase", "b", "--user", "u", "--actor", "ama"], ["sorts of rows gone through"]),
    "erase all": (["erase", "b", "--actor", "ama"], ["stored answers dropped"]),
    "retain": (["retain", "--actor", "ama"], ["businesses gone through", "2/2"]),
    "export": (["export", "ledger", "out.csv", "--actor", "ama"], ["rows written", "3/3"]),
}


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Callable[..., StringIO]:
    """Puts a screen in the place of the standard error; a terminal, or none."""
    usual = show.console

    def put(*, terminal: bool) -> StringIO:
        file = StringIO()
        out = Console(file=file, width=120, force_terminal=terminal, color_system=None, legacy_windows=False)
        monkeypatch.setattr(show, "console", lambda *, stderr=False: out if stderr else usual())
        return file

    return put


@pytest.fixture
def books(home: Path) -> None:
    """Two businesses with credits, one of which made a call."""
    settings = kit_settings(store={"url": f"sqlite:///{home / 'ai_addons.db'}"})
    with closing(AddOns(settings, environ={})) as addons:
        for business in ("b", "c"):
            addons.grant(business, 10, source="adjustment", ref="welcome")
        addons.billing.charge_credits("b", "u", "report_summary", "0.01")


def spoil(home: Path, command: str) -> None:
    """Daily sums that differ from the log, where a command makes them anew."""
    if command == "rebuild":
        with closing(sqlite3.connect(home / "ai_addons.db")) as books, books:
            books.execute("UPDATE ai_usage_daily SET calls = 5")


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_terminal_is_shown_how_far_a_command_has_come(
    command: str, home: Path, screen: Callable[..., StringIO]
) -> None:
    """What is counted, and how many of how many where that is known."""
    spoil(home, command)
    file = screen(terminal=True)
    arguments, parts = COMMANDS[command]
    call(*arguments)
    assert [part for part in parts if part not in file.getvalue()] == []


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    ("command", "terminal", "options"), [*((name, True, ["--json"]) for name in COMMANDS), ("doctor", False, [])]
)
def test_nothing_is_shown_for_machines_and_in_pipes(
    command: str, terminal: bool, options: list[str], home: Path, screen: Callable[..., StringIO]
) -> None:
    """Not a single character."""
    spoil(home, command)
    file = screen(terminal=terminal)
    call(*COMMANDS[command][0], *options)
    assert file.getvalue() == ""


@pytest.mark.usefixtures("books")
def test_an_export_that_is_broken_off_leaves_no_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part never passes for the whole, and the same command can be given again."""

    def broken(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(AddOns, "export", broken)
    call("export", "ledger", "out.csv", "--actor", "ama", code=130)
    assert not (home / "out.csv").exists()


def test_a_format_whose_library_is_missing_begins_no_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra, and nothing is noted."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = call("export", "ledger", "out.parquet", "--format", "parquet", "--actor", "ama", code=3)
    assert "pip install 'ai-addons[parquet]'" in done.stderr
    assert list(home.iterdir()) == []
