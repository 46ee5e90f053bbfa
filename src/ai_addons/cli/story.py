"""How the demo is told: to a person in a terminal, or to a machine as JSON."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from rich.markup import escape
from rich.padding import Padding

from ai_addons.cli import show

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from rich.console import Console

    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.catalog import Offer
    from ai_addons.money import Credits
    from ai_addons.receipt import Receipt

_WORDS_BY: Final = {
    "ai": "words by the model",
    "offline": "a sample of the offline model",
    "cache": "from a stored answer",
    "rules": "the model gave no answer, so code alone wrote this",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Where everything happens."""

    shop: str
    business: str
    products: int
    customers: int
    models: tuple[str, ...]
    offline: bool
    books: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The credits a new shop starts with."""

    granted: Credits
    balance: Credits


@dataclass(frozen=True, slots=True)
class Sent:
    """A text of the shop's, and what leaves of it."""

    typed: str
    sent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A feature's answer with its receipt.

    Attributes:
        feature: Name for people.
        subject: What was asked about.
        text: The answer, paragraph by paragraph.
        sent: What was masked, None if nothing was.
        receipt: What it cost.
        note: Why this is shown.
    """

    feature: str
    subject: str
    text: tuple[str, ...]
    sent: Sent | None
    receipt: Receipt
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A call that was not made because credits were short."""

    feature: str
    subject: str
    required: Credits
    available: Credits
    shortfall: Credits
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """Credits added."""

    pack: str
    granted: Credits
    balance: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerted:
    """Something that only the operator can mend."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The ledger at the end."""

    business: str
    entries: tuple[LedgerEntry, ...]
    balance: Credits
    held: Credits
    sound: bool


Chapter = Opening | Trial | Answered | Refused | Bought | Alerted | Books


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
        if isinstance(chapter, Answered):
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
                self._say(
                    f"\n[bold green]{chapter.pack}:[/] {chapter.granted.short} credits added, as if bought "
                    f"(the demo takes no payment). Balance: {chapter.balance.short}."
                )
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
        private = (
            f"{masked} private {'value' if masked == 1 else 'values'} masked" if masked else "nothing private in it"
        )
        parts += [receipt.model, private]
    return " · ".join([*parts, f"{receipt.latency_ms} ms"])
