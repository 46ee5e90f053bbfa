"""`ai-addons db`: the tables of the store, from release to release."""

from __future__ import annotations

import click

from ai_addons.billing import migrations
from ai_addons.billing.schema import HEAD
from ai_addons.billing.sql import Database
from ai_addons.cli import show
from ai_addons.cli.exits import Exit, finds


@click.group()
def db() -> None:
    """See and upgrade the tables of the store."""


@db.command()
@show.as_json
def upgrade(*, json_out: bool) -> None:
    """Bring the tables to those of this release; make a backup first."""
    url = show.open_settings().store.url
    found, reached = migrations.upgrade(url)
    if json_out:
        show.print_json({"store": _name(url), "found": found, "reached": reached, "changed": found != reached})
    else:
        click.echo(f"{_name(url)}: {_told_upgrade(found, reached)}")


@db.command(epilog=finds("if this release cannot use the tables"))
@show.as_json
def status(*, json_out: bool) -> None:
    """Say whether this release can use the tables. Changes nothing."""
    url = show.open_settings().store.url
    found = migrations.find(url)
    usable = found in (None, HEAD)
    if json_out:
        show.print_json({"store": _name(url), "found": found, "needed": HEAD, "usable": usable})
    else:
        click.echo(f"{_name(url)}: {_told_status(found)}")
    if not usable:
        raise SystemExit(Exit.FINDINGS)


def _name(url: str) -> str:
    """Which store, for people: the URL may hold a password."""
    return Database(url).name


def _told_upgrade(found: str | None, reached: str) -> str:
    if found == reached:
        return f"the tables are of schema {reached} already; nothing to do"
    if found is None:
        return f"there were no tables; made those of schema {reached}"
    return f"upgraded from schema {found} to {reached}; the ledger is as it was. Run `ai-addons doctor`."


def _told_status(found: str | None) -> str:
    if found is None:
        return f"there are no tables; the first use makes those of schema {HEAD}"
    if found == HEAD:
        return f"the tables are of schema {HEAD}, as this release needs them"
    if found < HEAD:
        old = f"the tables are of schema {found}, this release needs {HEAD}"
        return f"{old}. Make a backup, then run `ai-addons db upgrade`."
    return f"the tables are of schema {found}, newer than this release knows ({HEAD}). Upgrade the package."
