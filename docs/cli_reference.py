"""The page of the command line: every command with its options, and what its exit codes say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from markdown_parts import prose, table

from ai_addons.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

FINDINGS: Final = {
    "check": "something is missing or would not work",
    "db status": "the tables are of another version than this release needs",
    "deliver": "events were given up",
    "doctor": "it found something",
    "drift": "prices differ",
    "ledger": "with `--verify`: the chain is broken",
    "mask": "with `--check`: there is personal data; after an error it is 3",
    "rates refresh": "no source gave a good rate",
    "reconcile": "something is left to an operator; after an error it is 3",
    "renew": "some renewals could not be asked for; after an error it is 3",
}
"""By command, what 1 says where it is more than an error."""


def page() -> list[str]:
    """The parts of the page, in order.

    Raises:
        ValueError: If `FINDINGS` names a command that is not there.
    """
    context = click.Context(main, info_name="ai-addons", **main.context_settings)
    commands = list(_in_group("", main, context))
    if unknown := {*FINDINGS} - {name for name, _ in commands}:
        msg = f"no such commands: {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    return [prose(main.help), *_exits(), *(text for _, text in commands)]


def _exits() -> list[str]:
    codes = table(
        ("code", "says"),
        [
            ("0", "done, and nothing to tell"),
            ("1", "an error; or, of the commands below, that they found something"),
            ("2", "wrong usage, a wrong value, or a wrong setting; nothing was done"),
            ("3", "an error, of a command whose 1 says that it found something"),
            ("130", "stopped with Ctrl-C"),
        ],
    )
    found = table(("command", "exits with 1 if"), [(f"`{name}`", said) for name, said in FINDINGS.items()])
    return ["## Exit codes", codes, found, "Errors go to the error stream; with `--json` they are JSON there too."]


def _in_group(title: str, group: click.Group, context: click.Context) -> Iterator[tuple[str, str]]:
    """Name and text of the commands of a group, those of groups within it after their group."""
    for name in sorted(group.commands):
        command = group.commands[name]
        full = f"{title} {name}".strip()
        yield full, _command(f"ai-addons {full}", command, context)
        if isinstance(command, click.Group):
            yield from _in_group(full, command, click.Context(command, info_name=name, parent=context))


def _command(title: str, command: click.Command, parent: click.Context) -> str:
    context = click.Context(command, info_name=command.name, parent=parent)
    usage = " ".join([title, *command.collect_usage_pieces(context)])
    rows = [_option(record) for part in command.get_params(context) if (record := part.get_help_record(context))]
    described = [f"## {title}", prose(command.help), f"```sh\n{usage}\n```"]
    return "\n\n".join([*described, table(("option", "meaning"), rows)])


def _option(record: tuple[str, str]) -> tuple[str, str]:
    return f"`{record[0]}`", record[1]
