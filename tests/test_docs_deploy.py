"""The files that the page on deployment shows: units, cron lines and the image name commands of this release."""

from __future__ import annotations

import json
import re
import shlex
from configparser import ConfigParser
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import pytest

from ai_addons.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = (Path(__file__).parents[1] / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
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
        "retain": 1,
    }


def test_a_timer_starts_in_the_folder_of_the_settings() -> None:
    """A service elsewhere would read no settings and make books of its own."""
    services = [unit["Service"] for unit in units() if unit.has_section("Service")]
    assert len(services) == 2
    assert {one["WorkingDirectory"] for one in services} == {"/etc/ai_addons"}
    assert {one["EnvironmentFile"] for one in services} == {"/etc/ai_addons/secrets.env"}
