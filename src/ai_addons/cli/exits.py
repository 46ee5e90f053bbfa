"""What the exit code of every command means, in one table."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import click


class Exit(IntEnum):
    """The exit codes; a script may rely on them."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    CONFIG = 3
    STORE = 4
    REFUSED = 5
    OUTSIDE = 6
    FILES = 7
    BUG = 70
    INTERRUPTED = 130


MEANINGS: Final = {
    Exit.OK: "The command did what was asked.",
    Exit.FINDINGS: "The command did its work, and what it found needs somebody; its help says what that is.",
    Exit.USAGE: "The command line is wrong: an unknown option, no argument, a bad amount. Nothing was changed.",
    Exit.CONFIG: "The settings, or an input that was named, must be corrected. Nothing was charged.",
    Exit.STORE: "The database cannot be used now: locked, missing, of another release.",
    Exit.REFUSED: "A rule refused it: too few credits, another amount booked before, not found. Nothing was booked.",
    Exit.OUTSIDE: "A provider, a gateway or a source of rates gave no usable answer. Try again later.",
    Exit.FILES: "A file or folder cannot be read or written.",
    Exit.BUG: "A mistake of this program. `ai-addons --debug …` shows where.",
    Exit.INTERRUPTED: "Stopped by Ctrl-C. What was booked before stays; the call in progress was not charged.",
}
"""For people, in the reference."""


def finds(what: str) -> str:
    """The words below the help of a command that may exit with 1.

    Args:
        what: When it does.
    """
    return f"Exits with {Exit.FINDINGS:d} {what}."


def exit_of(error: BaseException) -> Exit:
    """The exit code that an error ends a command with."""
    from ai_addons import errors  # noqa: PLC0415  # a help page needs no errors

    kinds: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Exit], ...] = (
        (errors.ConfigError, Exit.CONFIG),
        ((errors.StoreUnavailable, errors.LedgerConflict), Exit.STORE),
        ((errors.CallError, errors.GatewayError, errors.StaleRate), Exit.OUTSIDE),
        (errors.AddOnsError, Exit.REFUSED),
        (click.FileError, Exit.FILES),
        ((click.ClickException, ValueError, OverflowError), Exit.USAGE),
        ((click.Abort, KeyboardInterrupt), Exit.INTERRUPTED),
        (OSError, Exit.FILES),
    )
    return next((code for kind, code in kinds if isinstance(error, kind)), Exit.BUG)
