"""The command line as a whole: its commands, found when they are asked for, and the end of every run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from ai_addons.cli.commands import SECTIONS
from ai_addons.cli.lazy import LazyGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPILOG: Final = (
    "Every command has --help and --json. Exit codes: 0 done, 1 something was found, 2 to 7 what went wrong, 70 a "
    "mistake of ours, 130 stopped; docs/reference/cli.md lists them."
)


class CommandLine(LazyGroup):
    """All commands; an error of any of them ends in one message and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002  # click's
        **extra: Any,  # noqa: ANN401  # click's
    ) -> Any:  # noqa: ANN401  # click's
        """Run a command line and exit; without ``standalone_mode`` errors are the caller's, as in click."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        given = sys.argv[1:] if args is None else list(args)
        try:
            done = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        # Whatever goes wrong, the person gets a message and the script a code.
        except Exception as error:  # noqa: BLE001  # as said
            from ai_addons.cli.ending import tell  # noqa: PLC0415  # a command that ends well needs none of it

            sys.exit(tell(error, as_json=_flagged(given, "--json"), debug=_flagged(given, "--debug")))
        sys.exit(done if isinstance(done, int) else 0)


def _flagged(given: Sequence[str], flag: str) -> bool:
    """Whether a flag was typed, also on a line that could not be read further."""
    before = given[: given.index("--")] if "--" in given else given
    return flag in before


@click.group(
    cls=CommandLine, sections=SECTIONS, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.version_option(package_name="ai-addons", prog_name="ai-addons")
def main(*, debug: bool) -> None:
    """Paid AI features for a point-of-sale system: try them, check the set-up, read the books."""
    del debug  # read where errors end
