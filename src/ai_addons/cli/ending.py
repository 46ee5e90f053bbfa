"""How a command ends that cannot go on: one message for people, one problem for machines, one exit code."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Final

import click

from ai_addons.cli.exits import Exit, exit_of
from ai_addons.errors import AddOnsError

_STOPPED: Final = "Stopped. The call in progress was not charged. What was booked before stays booked."
_WORDS: Final = {
    Exit.USAGE: "bad_value",
    Exit.INTERRUPTED: "interrupted",
    Exit.FILES: "file",
    Exit.BUG: "bug",
}


class Stopped(KeyboardInterrupt):
    """Ctrl-C in the middle of something that can be counted; the message says how far it came."""


def tell(error: Exception, *, as_json: bool, debug: bool) -> Exit:
    """Tell what went wrong.

    Args:
        error: What ended the command.
        as_json: Whether to print it as JSON to the standard output; else as text to the standard error.
        debug: Whether to show where it comes from first, on the standard error.

    Returns:
        The exit code.
    """
    if debug:
        traceback.print_exception(error)
    code = exit_of(error)
    if as_json:
        click.echo(json.dumps(problem(error, code), indent=2, ensure_ascii=False))
    elif isinstance(error, click.ClickException):
        error.show()
    elif code is Exit.INTERRUPTED:
        click.echo(_message(error, code), err=True)
    else:
        click.echo(
            f"{click.style('error', fg='red', bold=True)} {_code(error, code)}: {_message(error, code)}", err=True
        )
    return code


def problem(error: Exception, code: Exit) -> dict[str, object]:
    """An error in the shape of the HTTP endpoints' problems (RFC 9457), with the exit code in place of a status."""
    if isinstance(error, AddOnsError):
        from ai_addons.web.problems import described  # noqa: PLC0415  # pydantic comes with it

        # Operators are told what a shop is not: the words of a provider, a gateway or a database.
        shape = {**described(error), "detail": str(error)}
        del shape["status"]
        shape |= {"charged": str(error.charged), "retryable": error.retryable}
    else:
        word = _code(error, code)
        title = word.replace("_", " ").capitalize()
        shape = {"type": f"urn:ai-addons:problem:{word}", "title": title, "code": word, "detail": _message(error, code)}
        shape |= {"charged": "0.00", "retryable": False}
    return {**shape, "exit_code": int(code)}


def _code(error: Exception, code: Exit) -> str:
    if isinstance(error, AddOnsError):
        return error.code
    return "usage" if isinstance(error, click.UsageError) else _WORDS[code]


def _message(error: Exception, code: Exit) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError):
        return (
            f"{error.filename or 'A file'} cannot be used ({error.strerror}). Nothing was charged. "
            f"Check the path and its permissions, then run the command again."
        )
    if code is Exit.INTERRUPTED:
        return " ".join(filter(None, (_STOPPED, _how_far(error))))
    if code is Exit.BUG:
        return (
            f"ai-addons made a mistake ({type(error).__name__}: {error}). A booking that was under way was undone as a "
            f"whole; what was booked before stays. Run `ai-addons doctor`, and report what `{_again()}` shows."
        )
    return str(error)


def _how_far(error: Exception) -> str:
    """What `Stopped` says; click wraps it."""
    return str(error.__cause__) if isinstance(error.__cause__, Stopped) else ""


def _again() -> str:
    """The same command, showing where it failed."""
    return f"ai-addons --debug {next(iter(sys.argv[1:2]), '…')} …"
