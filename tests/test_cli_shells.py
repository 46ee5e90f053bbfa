"""Completion in the shells themselves: the lines that `ai-addons completion` tells are run, then a word is begun."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner

from ai_addons.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

_ASK_BASH: Final = """
COMP_WORDS=(ai-addons ord); COMP_CWORD=1
complete -p ai-addons | grep -q ' -F _ai_addons_completion ' && _ai_addons_completion ai-addons
printf '%s\\n' "${COMPREPLY[@]}"
"""
# A terminal of its own, in which the key is pressed: only then does zsh complete. What it draws is waited for.
_ASK_ZSH: Final = """
zmodload zsh/zpty
zpty typed 'TERM=dumb zsh -i'
zpty -w typed 'PS1=; unsetopt zle_bracketed_paste; print rea''dy'
zpty -r -m typed drawn '*ready*'
zpty -w -n typed $'ai-addons ord\\t'
zpty -r -m typed drawn '*ai-addons orders*' && print -r -- orders
zpty -d typed
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Runs words in a home of its own, where `ai-addons` is on the path; what they print."""
    bin_ = str(Path(sys.executable).parent)
    environ = {"HOME": str(tmp_path), "PATH": f"{bin_}:{os.environ['PATH']}", "LANG": "C.UTF-8"}

    def run(*command: str) -> str:
        return subprocess.run(
            command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    return run


def shell(name: str) -> str:
    """Where a shell is; without it the test is skipped, and says so."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed, so completion in it was not tried")
    return found


def told(name: str) -> str:
    """The lines that keep completion in a shell, as a person runs them."""
    done = CliRunner().invoke(main, ["completion", name])
    return "\n".join(line.strip() for line in done.stderr.splitlines()[1:])


def test_bash_completes_a_command(run: Callable[..., str]) -> None:
    """After the two lines, in a new interactive shell."""
    bash = shell("bash")
    run(bash, "-c", told("bash"))
    assert run(bash, "-i", "-c", _ASK_BASH) == "orders\n"


def test_fish_completes_a_command_with_what_it_does(run: Callable[..., str]) -> None:
    """After the two lines, in a home where fish never ran."""
    fish = shell("fish")
    run(fish, "-c", told("fish"))
    assert run(fish, "-c", "complete -C 'ai-addons ord'") == "orders\tOrders, receipts, refunds, top-ups.\n"


def test_zsh_completes_a_command_at_the_press_of_a_key(run: Callable[..., str]) -> None:
    """After the two lines, where nothing had switched completion on before."""
    zsh = shell("zsh")
    run(zsh, "-f", "-c", told("zsh"))
    assert run(zsh, "-f", "-c", _ASK_ZSH) == "orders\n"
