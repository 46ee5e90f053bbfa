"""`ai-addons completion`: let a shell complete commands, options and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import get_completion_class

from ai_addons.cli import show

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAM: Final = "ai-addons"
_VARIABLE: Final = "_AI_ADDONS_COMPLETE"
_HOW: Final[Mapping[str, tuple[str, ...]]] = {
    "bash": (
        "ai-addons completion bash > ~/.ai-addons-complete.bash",
        "echo '. ~/.ai-addons-complete.bash' >> ~/.bashrc",
    ),
    "zsh": (
        "ai-addons completion zsh > ~/.ai-addons-complete.zsh",
        # Where nothing has switched completion on, zsh does not know `compdef`.
        "echo 'autoload -Uz compinit && compinit && . ~/.ai-addons-complete.zsh' >> ~/.zshrc",
    ),
    "fish": (
        # fish makes it at its first interactive start, and there may have been none.
        "mkdir -p ~/.config/fish/completions",
        "ai-addons completion fish > ~/.config/fish/completions/ai-addons.fish",
    ),
}


@click.command()
@click.argument("shell", type=click.Choice(tuple(_HOW)))
@show.as_json
def completion(shell: str, *, json_out: bool) -> None:
    """Print the script by which SHELL completes commands, options, features, packs and policies; how to keep it, too.

    The script goes to the standard output. How to keep it is said on the standard error: two lines, then a new shell.
    Nothing is written. Bash must be 4.4 or newer.
    """
    script = _script(shell)
    if json_out:
        show.print_json({"shell": shell, "script": script, "how": _HOW[shell]})
        return
    click.echo(script)
    click.echo("To keep it, run these and open a new shell:", err=True)
    for line in _HOW[shell]:
        click.echo(f"  {line}", err=True)


def _script(shell: str) -> str:
    """The script of click's own, which asks `ai-addons` itself for what may stand next."""
    found = get_completion_class(shell)
    if found is None:  # pragma: no cover  # click knows all three
        msg = f"click completes nothing in {shell}"
        raise LookupError(msg)
    made = found(click.get_current_context().find_root().command, {}, _PROGRAM, _VARIABLE)
    # click's script for fish cuts what a command does at its first comma.
    return (made.source_template % made.source_vars()).replace('string split ","', 'string split --max 1 ","')
