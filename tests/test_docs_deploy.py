"""The files that the page on deployment shows: units, cron lines and the image name commands of this release."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import pytest

from ai_addons.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYSTEMD: Final = shutil.which("systemd-analyze")
PAGE: Final = (Path(__file__).parents[1] / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
_UNIT: Final = re.compile(r"`/etc/systemd/system/(\S+)`:\n\n```ini\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
_CRON: Final = re.compile(r"^(?:[\d*/,-]+ ){5}pos /opt/pos/bin/run (?P<command>.+)$")


def blocks(language: str) -> list[str]:
    """The blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


def units() -> list[ConfigParser]:
    """The units of systemd, as it reads them."""
    found = list[ConfigParser]()
    for text in blocks("ini"):
        if text.startswith("["):
            parser = ConfigParser(interpolation=None)
            parser.optionxform = str  # type: ignore[method-assign,assignment]  # as the standard library's manual does it
            parser.read_string(text)
            found.append(parser)
    return found


def shown() -> Iterator[str]:
    """Every command that a unit, a cron line or the image starts."""
    services = [unit for unit in units() if unit.has_section("Service")]
    timers = [unit for unit in units() if unit.has_section("Timer")]
    jobs = [re.fullmatch(r"ai-addons@(\w+)\.service", unit["Timer"]["Unit"]) for unit in timers]
    for unit in services:
        command = unit["Service"]["ExecStart"].removeprefix("/opt/pos/bin/")
        yield from ([command.replace("%i", job[1]) for job in jobs if job] if "%i" in command else [command])
    for line in "".join(blocks("cron")).splitlines():
        match = _CRON.match(line)
        assert match is not None, line
        yield match["command"]
    for text in re.findall(r"CMD (\[.+\])", "".join(blocks("dockerfile"))):
        yield shlex.join(json.loads(text))


@pytest.mark.parametrize("command", list(shown()))
def test_each_command_is_one_of_this_release(command: str) -> None:
    """It is parsed with all its options, and not run."""
    program, name, *arguments = shlex.split(command)
    assert program == "ai-addons"
    with click.Context(main) as parent:
        found = main.get_command(parent, name)
        assert found is not None
        found.make_context(name, arguments, parent=parent)


def test_every_job_has_its_timer_its_line_and_its_row() -> None:
    """Whoever follows the page with systemd or with cron runs the same jobs."""
    commands = [shlex.split(command)[1] for command in shown()]
    rows = re.findall(r"^\| `ai-addons (\w+)` \|", PAGE, flags=re.MULTILINE)
    assert rows == ["sweep", "renew", "reconcile", "deliver", "retain"]
    assert {name: commands.count(name) for name in rows} == {
        "sweep": 2,
        "renew": 2,
        "reconcile": 2,
        "deliver": 2,
        "retain": 2,
    }


def test_a_timer_starts_in_the_folder_of_the_settings() -> None:
    """A service elsewhere would read no settings and make books of its own."""
    services = [unit["Service"] for unit in units() if unit.has_section("Service")]
    assert len(services) == 3
    assert {one["WorkingDirectory"] for one in services} == {"/etc/ai_addons"}
    assert {one["EnvironmentFile"] for one in services} == {"/etc/ai_addons/secrets.env"}


@pytest.mark.skipif(_SYSTEMD is None, reason="systemd is not installed, so it was not asked about the units")
def test_systemd_finds_nothing_to_say_about_the_units(tmp_path: Path) -> None:
    """It knows every key and every value; a job's unit is found by its timer."""
    for name, text in _UNIT.findall(PAGE):
        # It asks whether the program is there, which it is on a host only.
        (tmp_path / name).write_text(text.replace("/opt/pos/bin/ai-addons", "/bin/true"), encoding="utf-8")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 7
    asked = [name.replace("@.", "@sweep.") for name in names]
    done = subprocess.run(
        [str(_SYSTEMD), "verify", "--man=no", *(f"./{name}" for name in asked)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
