"""Commands about what is kept: exports, retention, and the audit log."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import click

from ai_addons.billing.exporting import FORMATS, TABLES, check_export
from ai_addons.billing.usage import MOST_DAYS
from ai_addons.cli import progress, show
from ai_addons.cli.options import ACTOR, TIME, utc

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime

    from ai_addons.billing.exported import TableName
    from ai_addons.billing.exporting import FileFormat


@click.command()
@click.argument("table", type=click.Choice(TABLES))
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="csv", show_default=True, help="How it is written."
)
@click.option("--business", help="One business; without it all.")
@click.option("--since", type=TIME, metavar="DATE", help="First day or moment, UTC.")
@click.option("--until", type=TIME, metavar="DATE", help="First day or moment that is not written any more, UTC.")
@ACTOR
@show.as_json
def export(  # a table, a file and a window have that many sides
    table: str,
    path: Path,
    form: str,
    business: str | None,
    since: datetime | None,
    until: datetime | None,
    actor: str,
    *,
    json_out: bool,
) -> None:
    """Write a TABLE of the books to a new FILE, however many rows it has.

    Parquet needs the extra `parquet`. A file that could not be written to its end is taken away again.
    """
    wanted = cast("TableName", table), cast("FileFormat", form)
    # Before the file is begun.
    check_export(*wanted)
    if path.exists():
        msg = f"{path} is there already; nothing was written. Name a new file."
        raise click.UsageError(msg)
    doing = f"writing {path}, which is taken away again"
    with (
        closing(show.open_addons()) as addons,
        progress.following(doing, quiet=json_out) as tell,
        _new_file(path, wanted[1]) as file,
    ):
        write: Callable[..., int] = addons.export
        window = {"business": business, "since": utc(since), "until": utc(until)}
        count = write(wanted[0], file, actor=actor, form=wanted[1], on_progress=tell, **window)
    if json_out:
        show.print_json({"table": table, "file": str(path), "rows": count})
    else:
        click.echo(f"in {path}: {show.counted(count, 'row')} of {table}")


@click.command()
@ACTOR
@show.as_json
def retain(actor: str, *, json_out: bool) -> None:
    """Take users and details away from calls older than privacy.keep_months; run it daily or monthly."""
    with closing(show.open_addons()) as addons, progress.following("taking old details away", quiet=json_out) as tell:
        done = addons.apply_retention(actor=actor, on_progress=tell)
    if json_out:
        show.print_json(done)
    else:
        before = show.when(done.before)
        click.echo(
            f"before {before} UTC: {show.counted(done.calls, 'call')}, {show.counted(done.orders, 'order')} and "
            f"{show.counted(done.feedback, 'rating')} forgot their users; the audit log forgot whom of a shop "
            f"it names, {done.noted} times"
        )


@click.command()
@click.argument("business", required=False)
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=30, show_default=True, help="How far to look back.")
@show.as_json
def audit(business: str | None, days: int, *, json_out: bool) -> None:
    """Show what operators did, about BUSINESS or about all, the oldest first."""
    with closing(show.open_addons()) as addons:
        entries = [one for one in addons.audit_log(days) if business in {None, one.business}]
    if json_out:
        show.print_json(entries)
        return
    columns = ("when (UTC)", "who", "did", "about", "particulars")
    rows = (
        (
            show.when(one.at),
            show.literal(one.actor),
            one.action,
            show.literal(one.business or "all"),
            show.literal(", ".join(f"{name}: {value}" for name, value in one.detail.items())),
        )
        for one in entries
    )
    show.console().print(show.table(f"Audit log, last {days} days", columns, rows))


@contextmanager
def _new_file(path: Path, form: FileFormat) -> Generator[IO[Any], None, None]:
    """A new file for an export; taken away again if it does not come to its end, so that no part passes for the whole.

    Raises:
        OSError: If the file is there already, or cannot be made.
    """
    # Both say where lines end themselves.
    options: dict[str, Any] = {} if form == "parquet" else {"encoding": "utf-8", "newline": ""}
    file = path.open("xb" if form == "parquet" else "x", **options)
    try:
        with file:
            yield file
    except BaseException:
        path.unlink()
        raise
