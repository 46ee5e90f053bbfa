"""A group of commands that imports a command when it is run, and none of them to list them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE: Final = "ai_addons.cli"


@dataclass(frozen=True, slots=True)
class Entry:
    """One command of the list.

    Attributes:
        name: As it is typed.
        home: Module below `ai_addons.cli`, and after a colon the command in it.
        summary: What it does, on one line of a help page.
    """

    name: str
    home: str
    summary: str


@dataclass(frozen=True, slots=True)
class Section:
    """Commands that a help page shows together.

    Attributes:
        title: Its heading.
        entries: Its commands, in order.
    """

    title: str
    entries: tuple[Entry, ...]


class LazyGroup(click.Group):
    """Knows its commands by a table."""

    def __init__(self, *args: Any, sections: tuple[Section, ...] = (), **kwargs: Any) -> None:  # noqa: ANN401  # click's
        super().__init__(*args, **kwargs)
        self.sections = sections
        self._entries = {entry.name: entry for section in sections for entry in section.entries}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, sorted."""
        return sorted({*super().list_commands(ctx), *self._entries})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported now."""
        entry = self._entries.get(cmd_name)
        return super().get_command(ctx, cmd_name) if entry is None else load(entry)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; a name that is nearly one is answered with it."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches  # noqa: PLC0415  # for a typing mistake only

            close = get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not close or args[0].startswith("-"):
                raise
            msg = f"{error.message} Did you mean {close[0]!r}?"
            raise click.UsageError(msg, ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        """Write the commands by section, each on one line."""
        for section in self.sections:
            with formatter.section(section.title):
                formatter.write_dl([(entry.name, entry.summary) for entry in section.entries])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete names from the table: a shell waits for the answer."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  # for a shell only

        names = [
            CompletionItem(entry.name, help=entry.summary)
            for entry in self._entries.values()
            if entry.name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


def load(entry: Entry) -> click.Command:
    """Import a command."""
    module, _, name = entry.home.partition(":")
    return cast("click.Command", getattr(import_module(f"{_PACKAGE}.{module}"), name))


def leaves(
    group: click.Group, context: click.Context, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its whole name."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield " ".join((*path, name)), command
            yield from leaves(command, context, (*path, name))
        elif command is not None:
            yield " ".join((*path, name)), command
