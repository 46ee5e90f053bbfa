"""The page of the command line: what exit codes mean, and every command with its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from markdown_parts import prose, table

from ai_addons.cli import main
from ai_addons.cli.exits import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Iterator


def page() -> list[str]:
    """The parts of the page, in order."""
    context = click.Context(main, info_name="ai-addons", **main.context_settings)
    codes = table(("code", "means"), [(f"{code:d}", said) for code, said in MEANINGS.items()])
    return [prose(main.help), "## Exit codes", codes, *_in_group("ai-addons", main, context)]


def _in_group(title: str, group: click.Group, context: click.Context) -> Iterator[str]:
    """The commands of a group by name, those of groups within it after their group."""
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield _command(f"{title} {name}", command, context)
        if isinstance(command, click.Group):
            yield from _in_group(f"{title} {name}", command, click.Context(command, info_name=name, parent=context))


def _command(title: str, command: click.Command, parent: click.Context) -> str:
    context = click.Context(command, info_name=command.name, parent=parent)
    usage = " ".join([title, *command.collect_usage_pieces(context)])
    rows = [_option(record) for part in command.get_params(context) if (record := part.get_help_record(context))]
    parts = [f"## {title}", prose(command.help), f"```sh\n{usage}\n```", table(("option", "meaning"), rows)]
    return "\n\n".join([*parts, *([prose(command.epilog)] if command.epilog else [])])


def _option(record: tuple[str, str]) -> tuple[str, str]:
    return f"`{record[0]}`", record[1]
