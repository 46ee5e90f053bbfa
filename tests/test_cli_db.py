"""`ai-addons db`, as a person and as a script would use it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from ai_addons.billing.schema import HEAD
from ai_addons.cli import main
from tests.old_books import stamp, write_version_1

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the settings name as the store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AI_ADDONS_STORE__URL", f"sqlite:///{tmp_path / 'shop.db'}")
    return tmp_path / "shop.db"


def call(*arguments: str, code: int = 0) -> Result:
    """Run a command and hold it to its exit code."""
    result = CliRunner().invoke(main, ["db", *arguments])
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def as_json(*arguments: str, code: int = 0) -> Any:
    """Run a command with --json and read what it prints."""
    return json.loads(call(*arguments, "--json", code=code).stdout)


def test_a_person_is_led_from_old_tables_to_new_ones(shop: Path) -> None:
    """Status says what to do, upgrade does it, both say when there is nothing to do."""
    name = f"SQLite, {shop}"
    assert call("status").stdout == f"{name}: there are no tables; the first use makes those of schema {HEAD}\n"
    write_version_1(shop)
    assert call("status", code=1).stdout == (
        f"{name}: the tables are of schema 0001, this release needs {HEAD}. "
        f"Make a backup, then run `ai-addons db upgrade`.\n"
    )
    assert call("upgrade").stdout == (
        f"{name}: upgraded from schema 0001 to {HEAD}; the ledger is as it was. Run `ai-addons doctor`.\n"
    )
    assert call("status").stdout == f"{name}: the tables are of schema {HEAD}, as this release needs them\n"
    assert call("upgrade").stdout == f"{name}: the tables are of schema {HEAD} already; nothing to do\n"


def test_an_upgrade_can_make_the_first_tables(shop: Path) -> None:
    """An empty database is no error."""
    assert call("upgrade").stdout == f"SQLite, {shop}: there were no tables; made those of schema {HEAD}\n"


def test_a_script_reads_the_same_as_json(shop: Path) -> None:
    """Versions as text, absence as null, and a plain yes or no."""
    store = f"SQLite, {shop}"
    assert as_json("status") == {"store": store, "found": None, "needed": HEAD, "usable": True}
    write_version_1(shop)
    assert as_json("status", code=1) == {"store": store, "found": "0001", "needed": HEAD, "usable": False}
    assert as_json("upgrade") == {"store": store, "found": "0001", "reached": HEAD, "changed": True}
    assert as_json("status") == {"store": store, "found": HEAD, "needed": HEAD, "usable": True}
    assert as_json("upgrade") == {"store": store, "found": HEAD, "reached": HEAD, "changed": False}


def test_tables_of_a_newer_release_are_told_of(shop: Path) -> None:
    """Status exits with 1, upgrade refuses with one message."""
    call("upgrade")
    stamp(f"sqlite:///{shop}", "9999")
    assert call("status", code=1).stdout == (
        f"SQLite, {shop}: the tables are of schema 9999, newer than this release knows ({HEAD}). Upgrade the package.\n"
    )
    assert as_json("upgrade", code=3)["code"] == "config"


def test_errors_are_one_message(shop: Path) -> None:
    """A broken file ends both commands with its reason, not with a traceback."""
    shop.write_text("Dear customer, " * 100, encoding="utf-8")
    for command in ("status", "upgrade"):
        assert "file is not a database" in call(command, code=4).stderr
        assert as_json(command, code=4)["code"] == "store_unavailable"
