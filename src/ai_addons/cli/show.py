"""How the command line talks: tables and lines for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import click
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from ai_addons.addons import AddOns
from ai_addons.billing.sql import Database
from ai_addons.money import Credits, MicroGhs, Money, ghs
from ai_addons.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import ConsoleOptions, RenderResult

    from ai_addons.addons import PriceList
    from ai_addons.billing.packs import CustomPack
    from ai_addons.billing.policy import AddonPlan
    from ai_addons.billing.records import Wallet

_ANY_WIDTH: Final = 10_000
_DAY_US: Final = 86_400_000_000
_PESEWA_MICRO: Final = 10_000
_PESEWA: Final = Decimal("0.01")

as_json: Final = click.option("--json", "json_out", is_flag=True, help="Print JSON for machines.")


class Host(Protocol):
    """A host that runs the commands within itself, as ``manage.py`` does; it is the ``obj`` of the call."""

    def addons(self) -> AddOns:
        """An object of its own, which the command closes."""
        ...

    def settings(self) -> Settings:
        """What it is made with; ``store.url`` is where the books are."""
        ...


def open_addons() -> AddOns:
    """What a command works with: the host's, else what environment and files say."""
    host = _host()
    opened = AddOns.from_env() if host is None else host.addons()
    _watch_for_new_books(opened)
    return opened


def _watch_for_new_books(opened: AddOns) -> None:
    """Say at the command's end if it was the first to open its books: a wrong folder or URL looks like that."""
    path = sqlite_file(opened.settings.store.url)
    if path is not None and not path.exists():
        click.get_current_context().call_on_close(lambda: _note_new_books(path))


def _note_new_books(path: Path) -> None:
    if path.exists():
        click.echo(
            f"note: new books were begun in {path}. If you expected yours, check the folder and store.url.",
            err=True,
        )


def sqlite_file(url: str) -> Path | None:
    """The file of SQLite books; None for books in memory or in another database."""
    name = Database(url).path
    return None if name is None else Path(name)


def is_answered() -> bool:
    """Whether a person is there to answer a question."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def open_settings() -> Settings:
    """The settings of the host, else of environment and files."""
    host = _host()
    return Settings() if host is None else host.settings()


def _host() -> Host | None:
    host: Host | None = click.get_current_context().find_root().obj
    return host


def console(*, stderr: bool = False) -> Console:
    """Where people read; wide enough for a table when the output is piped."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=100)


@dataclass(frozen=True, slots=True)
class Listing:
    """A table, or where it is wider than the screen, its rows one below the other: no number is ever broken.

    Attributes:
        title: Its heading.
        columns: Their headings.
        rows: The cells.
        right: The columns that hold numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw whichever fits."""
        made = self._table()
        if Measurement.get(console, options.update(width=_ANY_WIDTH), made).minimum <= options.max_width:
            yield made
        else:
            yield f"[bold]{self.title}[/]"
            yield from map(self._block, self.rows)

    def _table(self) -> Table:
        made = Table(title=self.title, title_justify="left", title_style="bold", header_style="bold")
        for column in self.columns:
            number = column in self.right
            made.add_column(column, justify="right" if number else "left", no_wrap=number, overflow="fold")
        for row in self.rows:
            made.add_row(*row)
        return made

    def _block(self, row: tuple[str, ...]) -> Table:
        """One row, a line for each cell."""
        made = Table.grid(padding=(0, 2))
        made.add_column()
        made.add_column(overflow="fold")
        for column, cell in zip(self.columns, row, strict=True):
            made.add_row(f"  {column}", cell)
        made.add_row("")
        return made


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> Listing:
    """A table; the columns named in ``right`` hold numbers."""
    return Listing(title, tuple(columns), tuple(map(tuple, rows)), frozenset(right))


def when(micros: int) -> str:
    """A booking time for people, UTC."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def counted(several: int, thing: str) -> str:
    """A number with what it counts, e.g. "1 wallet" or "3 wallets"."""
    return f"{several} {thing}" if several == 1 else f"{several} {thing}s"


def print_json(value: object) -> None:
    """Print a value as JSON; amounts are decimal strings."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False))


def plain(value: object) -> Any:  # noqa: ANN401  # JSON of any shape
    """A value of ours as plain JSON data."""
    if isinstance(value, (Credits, Decimal)):
        # Never 0E-12: not everyone who reads JSON knows exponents.
        return str(value) if isinstance(value, Credits) else f"{value:f}"
    if isinstance(value, Money):
        return {"amount": str(value.decimal), "currency": value.currency}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in cast("dict[object, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in cast("Sequence[object]", value)]
    return to_jsonable_python(value)


def wallet(found: Wallet) -> dict[str, Any]:
    """A wallet as plain JSON data, with what can be spent."""
    return {**plain(found), "available": str(found.available)}


def price_list(listed: PriceList) -> dict[str, Any]:
    """What is on sale as plain JSON data."""
    return {
        **plain(listed),
        "custom": None if listed.custom is None else _custom(listed.custom),
        "addon": None if listed.addon is None else _addon(listed.addon),
    }


def _custom(pack: CustomPack) -> dict[str, Any]:
    tiers = [{"from": plain(start), "ghs_per_credit": str(cedis(price))} for start, price in pack.tiers]
    return {"least": plain(pack.least), "most": plain(pack.most), "tiers": tiers, "quantum": str(pack.quantum)}


def _addon(plan: AddonPlan) -> dict[str, Any]:
    known = {name: plain(getattr(plan, name)) for name in ("price", "credits", "rollover_cap")}
    return {**known, "grace_days": plan.grace_us // _DAY_US}


def cedis(micro: int) -> Decimal:
    """Micro-GHS as cedis with two places, with six where some would be lost."""
    exact = ghs(MicroGhs(micro))
    return exact if micro % _PESEWA_MICRO else exact.quantize(_PESEWA)


def literal(text: str) -> str:
    """A text whose square brackets are no markup to a console."""
    return escape(text)
