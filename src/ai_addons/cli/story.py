"""How the demo is told: to a person in a terminal, or to a machine as JSON."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from rich.markup import escape
from rich.padding import Padding

from ai_addons.cli import show
from ai_addons.cli.chapters import (
    Alerted,
    Answered,
    Books,
    Bought,
    Drawn,
    Opening,
    Records,
    Refused,
    Shown,
    Skipped,
    Sum,
    Trial,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from rich.console import Console

    from ai_addons.cli.chapters import Chapter
    from ai_addons.features.shop.pages import Grid
    from ai_addons.receipt import Receipt

_TABLE_WIDTH: Final = 70
_WORDS_BY: Final = {
    "ai": "words by the model",
    "offline": "a sample of the offline model",
    "cache": "from a stored answer",
    "rules": "the model gave no answer, so code alone wrote this",
}


class Story(Protocol):
    """Takes the demo's chapters as they happen."""

    def tell(self, chapter: Chapter) -> None:
        """Tell one chapter."""
        ...

    @contextmanager
    def waiting(self, what: str) -> Generator[None, None, None]:
        """Show that something is going on."""
        ...


class JsonStory:
    """Collects the chapters and prints them as one JSON document."""

    def __init__(self) -> None:
        self._chapters: list[dict[str, Any]] = []

    def tell(self, chapter: Chapter) -> None:
        """Keep a chapter; receipts go in their form for the shop."""
        told = show.plain(chapter)
        if isinstance(chapter, (Answered, Shown)):
            told["receipt"] = show.plain(chapter.receipt.for_shop())
        self._chapters.append({"step": type(chapter).__name__.lower(), **told})

    @contextmanager
    def waiting(self, what: str) -> Generator[None, None, None]:
        """Machines need no progress."""
        del what
        yield

    def end(self) -> None:
        """Print it."""
        show.print_json(self._chapters)


class TerminalStory:
    """Tells the chapters to a person as they happen."""

    def __init__(self, out: Console, progress: Console) -> None:
        self._out = out
        self._progress = progress

    def tell(self, chapter: Chapter) -> None:
        """Print a chapter."""
        match chapter:
            case Opening():
                self._opening(chapter)
            case Trial():
                self._say(
                    f"\n[bold]A new shop starts with {chapter.granted.short} free credits.[/] "
                    f"Balance: {chapter.balance.short}."
                )
            case Answered():
                self._answered(chapter)
            case Refused():
                self._refused(chapter)
            case Bought():
                self._bought(chapter)
            case Records() | Shown() | Skipped() | Sum() | Drawn():
                self._tour(chapter)
            case Alerted():
                self._say(f"[yellow]for the operator:[/] {chapter.code} ({escape(chapter.detail)})")
            case Books():
                self._books(chapter)

    @contextmanager
    def waiting(self, what: str) -> Generator[None, None, None]:
        """Show a spinner where a person looks; nothing in a pipe."""
        if not self._progress.is_terminal:
            yield
            return
        with self._progress.status(what):
            yield

    def end(self) -> None:
        """Nothing is left to say."""

    def _say(self, text: str) -> None:
        self._out.print(text)

    def _opening(self, chapter: Opening) -> None:
        self._say(f"[bold]{escape(chapter.shop)}[/] ({chapter.business})")
        self._say(f"Records: {chapter.products} products, {chapter.customers} credit customers")
        self._say(f"Model:   {', then '.join(chapter.models)}")
        if chapter.offline:
            self._say(
                "         [yellow]No provider key is set, so the offline model answers with samples.[/]\n"
                "         Set OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY to hear a real one."
            )
        self._say(f"Books:   {escape(chapter.books)}")

    def _answered(self, chapter: Answered) -> None:
        self._say(f"\n[bold cyan]{chapter.feature}[/] · {escape(chapter.subject)}")
        if chapter.note:
            self._say(f"[dim]{chapter.note}[/]")
        for paragraph in chapter.text:
            self._out.print(Padding(escape(paragraph), (0, 0, 0, 2)))
        if chapter.sent is not None:
            self._out.print(Padding(f"[dim]typed:[/] {escape(chapter.sent.typed)}", (1, 0, 0, 2)))
            self._out.print(Padding(f"[dim]sent: [/] {escape(chapter.sent.sent)}", (0, 0, 0, 2)))
        self._out.print(Padding(f"[dim]receipt:[/] {_receipt(chapter.receipt)}", (1, 0, 0, 2)))

    def _tour(self, chapter: Records | Shown | Skipped | Sum | Drawn) -> None:
        """The chapters of the tour of all features."""
        match chapter:
            case Records():
                self._say(
                    f"Trade:   {chapter.lines:,} lines of sales from {chapter.since} to {chapter.until}, "
                    f"{chapter.items} items, {chapter.bills} bills"
                )
            case Shown():
                self._shown(chapter)
            case Skipped():
                self._say(f"\n[bold cyan]{chapter.feature}[/]\n  {escape(chapter.why)}")
            case Sum():
                self._sum(chapter)
            case Drawn():
                written = f"{', '.join(chapter.files)} in {chapter.folder}"
                self._say(f"\n[bold]Pictures:[/] {escape(chapter.why_not or written)}")

    def _shown(self, chapter: Shown) -> None:
        self._say(f"\n[bold cyan]{chapter.feature}[/] · {chapter.price.short} credits · {escape(chapter.subject)}")
        if chapter.receipt.source == "offline":
            self._indented("[yellow]Sample words[/] [dim]around figures worked out from the records[/]")
        self._indented(f"[bold]{escape(chapter.headline)}[/]")
        for paragraph in chapter.text:
            self._indented(escape(paragraph))
        if chapter.grid is not None:
            self._say("")
            self._grid(chapter.grid)
        if chapter.picture:
            self._say("")
            self._indented(f"[bold]{escape(chapter.picture[0])}[/] [dim](the picture in words)[/]")
        for line in chapter.picture[1:]:
            self._indented(escape(line))
        for note in chapter.notes:
            self._indented(f"[dim]note:[/] {escape(note)}")
        self._out.print(Padding(f"[dim]receipt:[/] {_receipt(chapter.receipt)}", (1, 0, 0, 2)))

    def _indented(self, text: str) -> None:
        self._out.print(Padding(text, (0, 0, 0, 2)))

    def _grid(self, grid: Grid) -> None:
        """A table, or a line for each row where a table would be squeezed."""
        if self._out.width >= _TABLE_WIDTH:
            rows = (tuple(escape(cell) for cell in row) for row in grid.rows)
            self._out.print(Padding(show.table(grid.title, grid.columns, rows, right=grid.right), (0, 0, 0, 2)))
            return
        self._indented(f"[bold]{escape(grid.title)}[/]")
        for first, *others in grid.rows:
            cells = zip(grid.columns[1:], others, strict=True)
            self._indented(escape(f"- {first}: " + ", ".join(f"{column} {cell}" for column, cell in cells)))

    def _sum(self, chapter: Sum) -> None:
        self._say("")
        rows = tuple((name, price.short, charged.short) for name, price, charged in chapter.rows)
        columns = ("feature", "price", "charged")
        self._out.print(show.table("What it cost together", columns, rows, right=("price", "charged")))
        worth = "" if chapter.worth is None else f", {chapter.worth} at the price of the {chapter.pack} pack"
        self._say(f"[bold]{chapter.charged.short} credits in all{worth}[/]")

    def _refused(self, chapter: Refused) -> None:
        self._say(f"\n[bold cyan]{chapter.feature}[/] · {escape(chapter.subject)}")
        self._say(
            f"  [bold red]Not enough credits.[/] It costs {chapter.required.short} and {chapter.available.short} are "
            f"left. Nothing was charged and the model was not asked."
        )
        rows = (
            (offer.type + (" (recommended)" if offer.recommended else ""), str(offer.price), offer.credits.short)
            for offer in chapter.offers
        )
        self._out.print(
            Padding(show.table("What to buy", ("pack", "price", "credits"), rows, right=("price", "credits")), (0, 2))
        )

    def _bought(self, chapter: Bought) -> None:
        self._say(
            f"\n[bold green]{chapter.pack}:[/] {chapter.price} paid by Mobile Money, {chapter.granted.short} credits "
            f"added. Balance: {chapter.balance.short}."
        )
        self._indented("[dim]receipt:[/] this is a fake gateway, no money moves")
        self._indented(f"[dim]order:[/]   {chapter.order}, {chapter.state}, by the gateway {chapter.gateway!r}")

    def _books(self, chapter: Books) -> None:
        self._say("")
        rows = ((str(e.seq), e.kind, e.debit, e.credit, e.amount.short, e.balance_after.short) for e in chapter.entries)
        columns: Sequence[str] = ("#", "kind", "from", "to", "credits", "balance")
        self._out.print(show.table("The ledger", columns, rows, right=("#", "credits", "balance")))
        verdict = (
            "[green]every check of the books passes[/]"
            if chapter.sound
            else "[bold red]the books do not agree; run `ai-addons doctor`[/]"
        )
        self._say(f"{chapter.balance.short} credits available, {chapter.held.short} held, {verdict}")


def _receipt(receipt: Receipt) -> str:
    """A receipt in one line, as a shop owner reads it."""
    paid = f"{receipt.charged.short} credits" if receipt.charged else "free"
    parts = [paid, f"balance {receipt.balance.short}", _WORDS_BY[receipt.source]]
    if receipt.model is not None:
        masked = sum(receipt.masked.values())
        private = f"{show.counted(masked, 'private value')} masked" if masked else "nothing private in it"
        parts += [receipt.model, private]
    return " · ".join([*parts, f"{receipt.latency_ms} ms"])
