"""What a shell may complete: keys that are known without opening the books.

Businesses are not among them: a shell's history is no place for a list of customers.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click


def features(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[str]:
    """Keys of features: the built-in ones, and those of installed packages."""
    from ai_addons.catalog import BUILT_IN  # noqa: PLC0415  # for a shell only

    return _beginning([*BUILT_IN, *_plugins("features")], incomplete)


def packs(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[str]:
    """Packs that either policy sells."""
    from ai_addons.billing.packs import HYBRID_PACKS, PREPAID_PACKS  # noqa: PLC0415  # for a shell only

    return _beginning((pack.type for pack in (*PREPAID_PACKS, *HYBRID_PACKS)), incomplete.upper())


def policies(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[str]:
    """Billing policies that are installed."""
    return _beginning(["default", *_plugins("policies")], incomplete)


def _plugins(group: str) -> list[str]:
    return [found.name for found in entry_points(group=f"ai_addons.{group}")]


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
