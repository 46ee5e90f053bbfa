"""The commands that somebody begins with: a first feature, the trial, the shell."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner, Result

from ai_addons import AddOns
from ai_addons.cli import init, main, show
from tests.forked import no_foreign

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILES: Final = ["ai_addons.toml", "ai_features.py", "test_ai_features.py"]
ANSWERS: Final = "hybrid\ngemini\nsqlite:///of_the_shop.db\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder: a new user's machine."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str, code: int = 0, typed: str | None = None) -> Result:
    """Run a command and hold it to its exit code."""
    result = CliRunner().invoke(main, list(arguments), input=typed)
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def as_json(*arguments: str, code: int = 0) -> Any:
    """Run a command with --json and read what it prints."""
    return json.loads(call(*arguments, "--json", code=code).stdout)


def completed(words: str, shell: str = "bash") -> Sequence[str]:
    """What a shell would offer for a line that is being typed."""
    environ = {
        "_AI_ADDONS_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": f"ai-addons {words}",
        "COMP_CWORD": str(len(f"ai-addons {words}".split(" ")) - 1),
    }
    result = CliRunner().invoke(main, [], env=environ, prog_name="ai-addons")
    assert result.exit_code == 0
    return [line.partition(",")[2] for line in result.stdout.split()]


# init.


def test_what_is_begun_with_works_at_once(home: Path) -> None:
    """Three files; the settings are read, the feature is found, its test passes; no key and no network."""
    told = as_json("init")
    assert told["written"] == FILES
    assert told["next"] == ["ai-addons check -m ai_features", "pip install 'ai-addons[testing]'", "python -m pytest"]
    done = subprocess.run(
        [sys.executable, "-m", "ai_addons", "check", "-m", "ai_features", "--json"],
        check=True,
        capture_output=True,
        text=True,
        cwd=home,
    )
    checkup = json.loads(done.stdout)
    assert checkup["ok"] is True
    assert ["thank_you_note", "0.2"] in [[one["key"], one["credits"]] for one in checkup["features"]]
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *no_foreign()]
    tested = subprocess.run(command, check=False, capture_output=True, text=True, cwd=home)
    assert "1 passed" in tested.stdout, tested.stdout


def test_without_a_terminal_nothing_is_asked(home: Path) -> None:
    """What no option says is the default; the folder is made."""
    told = call("init", "shop/ai", typed=ANSWERS).stdout
    assert "wrote shop/ai/ai_features.py\n" in told
    assert "  cd shop/ai\n" in told
    settings = tomllib.loads((home / "shop/ai/ai_addons.toml").read_text(encoding="utf-8"))
    assert settings == {
        "store": {"url": "sqlite:///ai_addons.db"},
        "models": {},
        "billing": {"policy": "prepaid"},
        "budget": {"usd_month": 50},
    }


def test_on_a_terminal_what_no_option_says_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its default; --json asks nothing."""
    monkeypatch.setattr("ai_addons.cli.show.is_answered", lambda: True)
    told = call("init", typed=ANSWERS).stdout
    assert "How credits are sold (prepaid, hybrid) [prepaid]: " in told
    assert "  export GEMINI_API_KEY=…\n" in told
    settings = tomllib.loads((home / "ai_addons.toml").read_text(encoding="utf-8"))
    assert settings["store"] == {"url": "sqlite:///of_the_shop.db"}
    assert settings["billing"] == {"policy": "hybrid"}
    assert settings["models"]["small"].startswith("gemini/")
    assert len(as_json("init", "other")["written"]) == 3


def test_what_is_there_is_never_written_over(home: Path) -> None:
    """Not even the files that are missing are written."""
    (home / "ai_features.py").write_text("mine", encoding="utf-8")
    told = call("init", code=2).stderr
    assert "Nothing was written: ai_features.py would be overwritten. Name another FOLDER." in told
    assert [path.name for path in home.iterdir()] == ["ai_features.py"]
    assert (home / "ai_features.py").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_cannot_be_written_is_told(home: Path) -> None:
    """A file stands where the folder should be made."""
    (home / "shop").write_text("", encoding="utf-8")
    assert "cannot be used (Not a directory)" in call("init", "shop/ai", code=7).stderr


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini", "none"])
def test_every_choice_gives_settings_that_are_taken(home: Path, provider: str) -> None:
    """An address with quotes and backslashes, too."""
    chosen = init.Chosen(policy="hybrid", provider=provider, store='sqlite:///a\\b"c.db')
    (home / "ai_addons.toml").write_text(init.settings(chosen), encoding="utf-8")
    with closing(AddOns.from_env()) as addons:
        assert addons.settings.store.url == 'sqlite:///a\\b"c.db'
        assert addons.policy.name == "hybrid"
        assert (addons.settings.models.small is None) == (provider == "none")


@pytest.mark.parametrize(("stdin", "stdout", "there"), [(True, True, True), (True, False, False), (False, True, False)])
def test_a_person_answers_where_both_ends_are_a_terminal(
    monkeypatch: pytest.MonkeyPatch, *, stdin: bool, stdout: bool, there: bool
) -> None:
    """A pipe on either side is a script."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: stdin)
    monkeypatch.setattr("sys.stdout.isatty", lambda: stdout)
    assert show.is_answered() is there


# trial, addon show.


def test_a_trial_is_given_once_per_owner() -> None:
    """By a phone or tax number; a second business of the same owner gets none; who gave it is kept."""
    assert "needs a phone number" in call("trial", "b", code=3).stderr
    by_phone = ("--phone", "024 412 3456", "--actor", "ama@pos.example")
    assert call("trial", "b", *by_phone).stdout == "5 trial credits booked; 5 available\n"
    assert as_json("trial", "c", *by_phone, code=5)["code"] == "trial_claimed"
    assert as_json("trial", "c", "--tax-id", "C0001234567")["balance"] == "5.00"
    assert [(one["actor"], one["action"]) for one in as_json("audit", "b")] == [("ama@pos.example", "claim_trial")]


def test_an_add_on_is_shown_without_changing_it() -> None:
    """Before, and after it is taken."""
    assert call("addon", "show", "b").stdout == "b never took the monthly add-on; 0 credits available\n"
    assert as_json("addon", "show", "b") == {"subscription": None, "available": "0.00"}
    call("policy", "b", "hybrid", "--actor", "ama@pos.example")
    call("addon", "subscribe", "b")
    assert call("addon", "show", "b").stdout == (
        "monthly add-on of b: incomplete, GHS 50.00 for 100 credits, not paid yet; 5 credits available\n"
    )
    assert as_json("addon", "show", "b")["subscription"]["state"] == "incomplete"


# completion.


@pytest.mark.parametrize(
    ("shell", "part"),
    [("bash", "complete -o nosort"), ("zsh", "#compdef ai-addons"), ("fish", "complete --no-files")],
)
def test_a_shell_gets_its_script_and_how_to_keep_it(shell: str, part: str) -> None:
    """The script alone goes to the standard output, so that it can be sent to a file."""
    done = call("completion", shell)
    assert part in done.stdout
    assert "_AI_ADDONS_COMPLETE" in done.stdout
    assert done.stderr.startswith("To keep it, run these and open a new shell:\n")
    assert done.stderr.count(f"completion {shell}") == 1
    told = as_json("completion", shell)
    assert (told["shell"], told["script"], len(told["how"])) == (shell, done.stdout.removesuffix("\n"), 2)


def test_a_shell_that_is_not_known_is_refused() -> None:
    """With those that are."""
    assert "'bash', 'zsh', 'fish'" in call("completion", "tcsh", code=2).stderr


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("ba", ["balance"]),
        ("pau", ["pause", "paused"]),
        ("--de", ["--debug"]),
        ("addon s", ["show", "subscribe"]),
        ("pause --feature credit", ["credit_assessment"]),
        ("cache clear --feature in", ["inventory_forecast"]),
        ("policy b ", ["default", "hybrid", "prepaid"]),
        ("orders top-up set b q", ["QUICK"]),
        ("balance ", []),
    ],
)
def test_a_shell_is_offered_what_may_stand_next(words: str, offered: list[str]) -> None:
    """Commands, options, keys of features, packs, policies; never a business."""
    assert completed(words) == offered


def test_completing_a_name_loads_no_command() -> None:
    """The person waits at every press of the key."""
    script = (
        "import sys\nfrom ai_addons.cli import main\n"
        "try:\n    main([], prog_name='ai-addons')\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    )
    environ = {"_AI_ADDONS_COMPLETE": "bash_complete", "COMP_WORDS": "ai-addons d", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env=environ)
    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == [
        *("demo", "deliver", "doctor", "drift", "db"),
    ]
    assert {"ai_addons.addons", "rich", "sqlalchemy"}.isdisjoint(done.stderr.split())
