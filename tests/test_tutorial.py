"""The tutorial, followed to the letter: each command is typed, each file saved, in an empty folder."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

import pytest

from tests.forked import no_foreign

ROOT: Final = Path(__file__).parent.parent
TUTORIAL: Final = ROOT / "docs" / "tutorial.md"
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
SAVED: Final = re.compile(r"as `(\w+\.py)`(?:, below `([^`]+)`)?")
LOOSE: Final = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
LAST: Final = "## Ask a real model"
"""From here on the reader needs a key."""

# What a package index would give beside our own wheel is what this environment has: the new one looks there,
# once our wheel is in. No entry of that folder's own `.pth` files counts, so our source is not among it.
LINKED: Final = r"""
python - <<'LINK'
import os, pathlib, sysconfig
pathlib.Path(sysconfig.get_path("purelib"), "linked.pth").write_text(os.environ["LINKED"])
script = pathlib.Path(sysconfig.get_path("scripts"), "pytest")
script.write_text("#!/bin/sh\nexec python -m pytest \"$@\"\n")
script.chmod(0o755)
LINK
"""


def read(page: str) -> tuple[dict[str, str], list[tuple[str, str]], list[str]]:
    """What a reader is told.

    Returns:
        The files to save; the commands with what they print, empty where the page does not say; what each text block
        shows.
    """
    files: dict[str, str] = {}
    commands: list[tuple[str, str]] = []
    shown: list[str] = []
    end = 0
    for block in BLOCK.finditer(page):
        for name, first in SAVED.findall(page[end : block.start()]):
            files[name] = f"{first}\n"
        end = block.end()
        match block[1]:
            case "python":
                files[[*files][-1]] += block[2]
            case "console":
                for one in filter(None, re.split(r"^\$ ", block[2], flags=re.MULTILINE)):
                    command, _, output = one.partition("\n")
                    commands.append((command, output))
            case "text":
                shown.append(block[2])
            case _:
                pytest.fail(f"a block of {block[1]}")
    return files, commands, shown


def wheel(folder: Path) -> Path:
    """The folder with the built wheel; built with what uv has at hand, else with the network."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not on the PATH, so no wheel can be built")
    for options in (["--offline"], []):
        command = [uv, "build", "--wheel", "--quiet", *options, "--out-dir", str(folder), str(ROOT)]
        if subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0:
            return folder
    pytest.skip("the wheel cannot be built here: uv has not what it needs, and there is no network")


def follow(commands: list[tuple[str, str]], folder: Path, dist: Path) -> list[str]:
    """Type all commands into one shell; what each printed."""
    script = "set -e\n"
    for command, _ in commands:
        script += f"{command}\necho '@@@'\n"
        if command.startswith("pip "):
            script += LINKED
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "LINKED": sysconfig.get_path("purelib"),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_FIND_LINKS": str(dist),
        # The new environment has none of them.
        "PYTEST_ADDOPTS": " ".join(no_foreign()),
    }
    done = subprocess.run(
        ["/bin/bash"], input=script, check=False, capture_output=True, text=True, cwd=folder, env=own, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split("@@@\n")[:-1]


@pytest.mark.timeout(300)  # an environment, an installation and eight programs, on whatever machine this is
def test_somebody_who_follows_the_tutorial_ends_with_a_receipt(tmp_path: Path) -> None:
    """Installed from a wheel into an empty environment, every command prints what the page says it prints."""
    files, commands, shown = read(TUTORIAL.read_text(encoding="utf-8").partition(LAST)[0])
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, code in files.items():
        (folder / name).write_text(code, encoding="utf-8")

    printed = follow(commands, folder, wheel(tmp_path / "dist"))

    told = dict(zip((command for command, _ in commands), printed, strict=True))
    same = doctest.OutputChecker().check_output
    assert [*files] == ["reorder.py", "shop.py", "test_reorder.py"]
    assert "Successfully installed ai-addons-" in told['pip install "ai-addons[testing]"']
    assert same("".join(shown), told["python shop.py"], LOOSE), told["python shop.py"]
    assert "2 passed" in told["pytest"]
    for command, wanted in commands:
        assert not wanted or same(wanted, told[command], LOOSE), told[command]
    assert "usage" in told["ai-addons ledger biz_7"]
