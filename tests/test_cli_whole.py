"""The command line as a whole: its list of commands, its exit codes, and how every run ends."""

from __future__ import annotations

import inspect
import json
import re
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import click
import pytest
from click.testing import CliRunner, Result

from ai_addons.cli import main
from ai_addons.cli.commands import SECTIONS
from ai_addons.cli.ending import Stopped, tell
from ai_addons.cli.exits import MEANINGS, Exit, exit_of, finds
from ai_addons.cli.lazy import Entry, leaves, load
from ai_addons.errors import (
    ConfigError,
    GatewayError,
    InsufficientCreditsError,
    NotFound,
    ProviderTimeout,
    StoreUnavailable,
    UnknownFeature,
)
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMANDS: Final = dict(leaves(main, click.Context(main)))
ENTRIES: Final = [entry for section in SECTIONS for entry in section.entries]
WHO: Final = ("--actor", "ama@pos.example")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder: a new user's machine."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str, code: int = 0) -> Result:
    """Run a command and hold it to its exit code."""
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def broken(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let `ai-addons balance` fail."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("ai_addons.addons.AddOns.wallet", fail)


# The list of commands.


def test_every_command_of_the_design_is_there() -> None:
    """The names are fixed; scripts rely on them."""
    wanted = (
        "demo init check doctor prices balance grant usage margins kpis renew sweep reconcile project openapi serve "
        "mask ledger export erase pause unpause policy trial audit completion"
    )
    groups = ("db", "cache", "orders", "limit", "addon")
    assert set(wanted.split()) <= set(COMMANDS)
    assert all(any(path.startswith(f"{group} ") for path in COMMANDS) for group in groups)


@pytest.mark.parametrize("path", COMMANDS, ids=str)
def test_every_command_explains_itself_and_talks_to_machines(path: str) -> None:
    """A sentence, a word on every option, and --json for scripts."""
    command = COMMANDS[path]
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert re.fullmatch(r"[A-Z].*[.]", (command.help or "").split("\n\n")[0].replace("\n", " "))
    assert [one.name for one in options if not one.help] == []
    assert "--json" in [name for one in options for name in one.opts]
    assert "--json" in call(*path.split(), "--help").stdout


def test_a_command_that_may_find_something_says_when_it_exits_with_1() -> None:
    """The help of each such command, and of no other, ends with it."""
    documented = {path for path, command in COMMANDS.items() if (command.epilog or "").startswith("Exits with 1 if ")}
    assert documented == {
        *("check", "db status", "deliver", "doctor", "drift", "ledger"),
        *("mask", "rates refresh", "reconcile", "renew"),
    }
    modules = {str(inspect.getmodule(COMMANDS[path].callback)) for path in documented}
    for path, command in COMMANDS.items():
        module = inspect.getmodule(command.callback)
        assert module is not None
        if "Exit.FINDINGS" in inspect.getsource(module):
            assert str(module) in modules, path


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_list_names_the_command_that_it_loads(entry: Entry) -> None:
    """Its name is the command's own, and what it says of it stays on one line of 80 columns."""
    assert load(entry).name == entry.name
    assert len(entry.summary) <= 60
    assert entry.summary.endswith(".")


def test_names_are_listed_once() -> None:
    """A second entry of a name would hide the first."""
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)


def test_the_help_page_lists_every_command_on_a_line_of_its_own() -> None:
    """By section, within 80 columns, with the exit codes below."""
    page = call("--help").stdout
    for section in SECTIONS:
        assert f"\n{section.title}:\n" in page
        for entry in section.entries:
            assert re.search(rf"^  {entry.name} +{re.escape(entry.summary)}$", page, re.MULTILINE)
    assert max(map(len, page.splitlines())) <= 80
    assert "Exit codes: 0 done" in page


def test_a_help_page_loads_neither_the_sdk_nor_what_draws_tables() -> None:
    """A person who asks what there is does not wait for a database."""
    script = (
        "import sys\nfrom ai_addons.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    loaded = set(done.stderr.split())
    assert loaded.isdisjoint({"ai_addons.addons", "pydantic", "rich", "sqlalchemy", "jinja2", "ai_addons.errors"})


def test_a_command_that_is_nearly_one_is_answered_with_it() -> None:
    """Else the person reads the whole list."""
    assert "No such command 'balnce'. Did you mean 'balance'?" in call("balnce", code=2).stderr
    assert "Did you mean" not in call("zzzzzz", code=2).stderr


# Exit codes.


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (click.UsageError("x"), 2),
        (ValueError("x"), 2),
        (OverflowError("x"), 2),
        (ConfigError(), 3),
        (UnknownFeature(), 3),
        (StoreUnavailable(), 4),
        (NotFound(), 5),
        (GatewayError("x"), 6),
        (ProviderTimeout(), 6),
        (PermissionError(13, "Permission denied", "books.db"), 7),
        (click.FileError("x"), 7),
        (KeyError("x"), 70),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: value if isinstance(value, int) else type(value).__name__,
)
def test_every_kind_of_error_has_its_exit_code(error: BaseException, code: int) -> None:
    """One table says which."""
    assert exit_of(error) == code


def test_the_table_has_a_word_for_every_code() -> None:
    """What a code means is written where it is given."""
    assert list(MEANINGS) == list(Exit)
    assert finds("if it rains") == "Exits with 1 if it rains."


# How a run ends.


def test_a_refusal_is_a_problem_for_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the shape of the HTTP endpoints, with the exit code in place of the status."""
    error = InsufficientCreditsError("Too few.", required=Credits(3), available=Credits("1.7"), offers=())
    broken(monkeypatch, error)
    told: dict[str, Any] = json.loads(call("balance", "b", "--json", code=5).stdout)
    assert (told["required"], told["available"], told["shortfall"]) == ("3.00", "1.70", "1.30")
    assert {name: told[name] for name in ("type", "title", "code", "detail", "charged", "retryable", "exit_code")} == {
        "type": "urn:ai-addons:problem:insufficient_credits",
        "title": "Insufficient credits",
        "code": "insufficient_credits",
        "detail": "Too few.",
        "charged": "0.00",
        "retryable": False,
        "exit_code": 5,
    }
    assert "status" not in told


def test_an_operator_is_told_what_the_gateway_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not its class alone, as a shop is."""
    broken(monkeypatch, GatewayError("paystack: invalid key"))
    assert json.loads(call("balance", "b", "--json", code=6).stdout)["detail"] == "paystack: invalid key"
    assert "error gateway: paystack: invalid key\n" in call("balance", "b", code=6).stderr


def test_a_wrong_command_line_is_a_problem_too() -> None:
    """Even where nothing could be read of it; after two dashes there is no option."""
    told = json.loads(call("balance", "--json", code=2).stdout)
    assert (told["code"], told["detail"], told["exit_code"]) == ("usage", "Missing argument 'BUSINESS'.", 2)
    assert json.loads(call("limit", "set", "--json", code=2).stdout)["code"] == "usage"
    assert call("balance", "x", "--", "--json", code=2).stdout == ""


def test_a_file_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason of the system, and what to do."""
    broken(monkeypatch, PermissionError(13, "Permission denied", "books.db"))
    told = call("balance", "b", code=7).stderr
    assert "error file: books.db cannot be used (Permission denied). Nothing was charged. Check the path" in told
    broken(monkeypatch, OSError(28, "No space left on device"))
    assert "A file cannot be used (No space left" in call("balance", "b", code=7).stderr


def test_a_mistake_of_ours_is_owned_up_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """One message with what to do; where it comes from is shown on request."""
    broken(monkeypatch, KeyError("wallet"))
    told = call("balance", "b", code=70).stderr
    assert "error bug: ai-addons made a mistake (KeyError: 'wallet')" in told
    assert "Run `ai-addons doctor`" in told
    assert "Traceback" not in told
    shown = call("--debug", "balance", "b", code=70).stderr
    assert "Traceback (most recent call last)" in shown
    assert "in fail\n" in shown
    assert json.loads(call("balance", "b", "--json", code=70).stdout)["title"] == "Bug"


def test_ctrl_c_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is booked stays; something that can be counted says its count."""
    broken(monkeypatch, KeyboardInterrupt())
    stopped = "Stopped. The call in progress was not charged. What was booked before stays booked."
    assert call("balance", "b", code=130).stderr.strip() == stopped
    broken(monkeypatch, Stopped("sums made anew: 3 of 8 done."))
    assert call("balance", "b", code=130).stderr.strip() == f"{stopped} sums made anew: 3 of 8 done."
    told = json.loads(call("balance", "b", "--json", code=130).stdout)
    assert (told["code"], told["exit_code"]) == ("interrupted", 130)
    assert tell(click.Abort(), as_json=False, debug=False) is Exit.INTERRUPTED
    assert capsys.readouterr().err == f"{stopped}\n"


def test_a_host_that_embeds_the_commands_gets_the_errors() -> None:
    """As click has it: without ``standalone_mode`` nothing is printed and nothing exits."""
    with pytest.raises(ValueError, match="business"):
        main(["balance", ""], standalone_mode=False)
    assert main(["--version"], standalone_mode=False) == 0


@pytest.mark.parametrize(
    ("spoil", "code", "says"),
    [
        (lambda _: "postgres+x://nobody@127.0.0.1:1/none", 3, "store.url"),
        (lambda _: "not a url", 3, "store.url"),
        (lambda home: f"sqlite:///{home}/missing/shop.db", 3, "does not exist"),
        (lambda home: f"sqlite:///{home}", 4, "unable to open database file"),
    ],
    ids=["driver", "no url", "no folder", "a folder"],
)
def test_a_wrong_address_of_the_books_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], str], code: int, says: str
) -> None:
    """Whatever is wrong with it: one message, nothing charged."""
    monkeypatch.setenv("AI_ADDONS_STORE__URL", spoil(home))
    told = call("balance", "b", code=code).stderr
    assert says in told
    assert "othing was" in told
    assert "Traceback" not in told


def test_books_that_another_process_holds_are_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command waits, then says that nothing was changed, with the code of a store that may be back soon."""
    call("grant", "b", "5", "--ref", "r")
    monkeypatch.setattr("ai_addons.billing.sql.database._WAIT_SECONDS", 0.2)
    monkeypatch.setattr("ai_addons.billing.sql.connecting._BUSY_SECONDS", 0.2)
    with sqlite3.connect(home / "ai_addons.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        told = call("grant", "b", "5", "--ref", "s", code=4).stderr
    other.close()
    assert "store_unavailable" in told
    assert "othing was" in told


def test_new_books_are_told_of_once() -> None:
    """A wrong folder looks like that; a machine's answer stays whole."""
    first = call("balance", "b", "--json")
    assert json.loads(first.stdout)["posted"] == "0.00"
    assert first.stderr.startswith("note: new books were begun in ai_addons.db. If you expected yours")
    assert call("balance", "b").stderr == ""
