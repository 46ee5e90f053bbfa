"""The option that brings a host's own features to a command."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Final

import click

from ai_addons.errors import ConfigError

MODULES: Final = click.option(
    "-m", "--module", "modules", multiple=True, help="Import this module first, for the features it declares."
)


def import_all(modules: tuple[str, ...]) -> None:
    """Import a host's modules, those in the working directory too."""
    if modules:
        sys.path.insert(0, os.getcwd())  # noqa: PTH109  # an entry of sys.path is text
    for name in modules:
        try:
            import_module(name)
        except Exception as error:
            # Whatever the module does when it is imported, the person needs its name and the reason.
            msg = (
                f"Module {name!r} could not be imported ({type(error).__name__}: {error}). Nothing was charged. "
                f"Correct it and run the command again."
            )
            raise ConfigError(msg) from error
