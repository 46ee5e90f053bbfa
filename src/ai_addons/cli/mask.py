"""`ai-addons mask`: a person sees what would be sent of a text."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from ai_addons.cli import show
from ai_addons.cli.exits import Exit, finds
from ai_addons.cli.sources import FORMATS, open_source
from ai_addons.errors import ConfigError, PrivacyRefused
from ai_addons.privacy.base import Kind
from ai_addons.privacy.fields import Pii
from ai_addons.privacy.grammar import EXACT, lookalike

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from rich.console import Console
    from rich.progress import TaskID

    from ai_addons.addons import AddOns
    from ai_addons.cli.sources import Format, Piece, Source
    from ai_addons.privacy.masked import Masked

Known: TypeAlias = "dict[Pii, list[str]]"
"""Values a person declares beside a text, by what they are."""

_STDIN: Final = Path("-")
_COLORS: Final = {
    Kind.PERSON: "cyan",
    Kind.PHONE: "green",
    Kind.EMAIL: "blue",
    Kind.ADDRESS: "yellow",
    Kind.ID: "magenta",
    Kind.ACCOUNT: "red",
    Kind.BUSINESS: "bright_cyan",
    Kind.DATE: "bright_yellow",
    Kind.AMOUNT: "bright_green",
    Kind.TEXT: "bright_black",
}
_NOTHING: Final = (
    "Nothing personal was found. Names are known only where they are declared: --declare NAME='Ama Mensah'."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One placeholder, for the legend.

    Attributes:
        line: Where its piece of the input begins.
        placeholder: As it stands in the text.
        type: Its type word.
        value: What it stands for; None where that was not asked for.
    """

    line: int
    placeholder: str
    type: str
    value: str | None


@dataclass(slots=True, repr=False)
class _Tally:
    """What was found so far."""

    pieces: int = 0
    counts: Counter[str] = field(default_factory=Counter[str])
    found: list[Found] = field(default_factory=list[Found])

    def add(self, masked: Masked, line: int, *, reveal: bool, personal: bool) -> None:
        """Note the placeholders of one piece, or those alone that stand for something personal."""
        self.pieces += 1
        values = masked.reveal()
        for item in masked.placeholders:
            value = values[item.token]
            # What somebody typed in brackets is replaced so that it cannot pass for a placeholder of ours.
            if not (personal and item.kind == Kind.TEXT.value and lookalike().fullmatch(value)):
                self.counts[item.kind] += 1
                shown = value if reveal else None
                self.found.append(Found(line=line, placeholder=item.token, type=item.kind, value=shown))


def _declared(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> Known:
    """Read ``KIND=VALUE``."""
    marks = {mark.name.lower(): mark for mark in Pii if mark is not Pii.DROP}
    known: Known = {}
    for item in given:
        kind, _, value = item.partition("=")
        if kind.lower() not in marks or not value.strip():
            msg = f"a value is declared as KIND=VALUE, where KIND is one of {', '.join(marks).upper()}"
            raise click.BadParameter(msg)
        known.setdefault(marks[kind.lower()], []).append(value)
    return known


@click.command(epilog=finds("if --check finds anything personal"))
@click.argument(
    "file",
    required=False,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="[FILE]",
)
@click.option(
    "--declare",
    multiple=True,
    metavar="KIND=VALUE",
    callback=_declared,
    help="Replace this value too, in any spelling, as a field marked with Pii.KIND; repeatable.",
)
@click.option("--reveal", is_flag=True, help="Show what each placeholder stands for.")
@click.option("--check", is_flag=True, help="Show no text; say by the exit code whether anything personal was found.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="How to read it; default: by suffix.")
@click.option("--encoding", default="utf-8-sig", show_default=True, help="What the bytes of the input mean.")
@show.as_json
def mask(  # one parameter for each option
    file: Path | None,
    declare: Known,
    *,
    reveal: bool,
    check: bool,
    format_: Format | None,
    encoding: str,
    json_out: bool,
) -> None:
    """Show what would be sent of FILE, or of the standard input (-): personal data is replaced by placeholders.

    Nothing is sent or written. The masked text goes to the standard output, the legend beside it to the standard
    error. A JSON file stays JSON, and its texts are masked; a table (.csv, .tsv) is masked cell by cell; an input over
    privacy.max_field_bytes is masked line by line, each line as a call of its own.
    """
    source = open_source(_read(file), None if file in (None, _STDIN) else file, encoding=encoding, chosen=format_)
    tally, texts = _Tally(), list[str]()
    out, notes = show.console(), show.console(stderr=True)
    streamed = not (json_out or check)
    with closing(show.open_addons()) as addons:
        pieces = source.pieces(addons.settings.privacy.max_field_bytes)
        # A text that runs over the screen is progress enough.
        for piece in _followed(pieces, len(source.text), notes, hidden=streamed and out.is_terminal):
            masked = _masked(addons, source, piece, declare)
            tally.add(masked, piece.line, reveal=reveal, personal=check)
            text = source.written(masked.text, masked.data)
            masked.close()
            if streamed:
                _print(text, out)
            elif json_out:
                texts.append(text)
    if json_out:
        show.print_json(_for_machines(source, tally, None if check else "".join(texts), reveal=reveal))
    else:
        _tell(tally, source, notes, reveal=reveal, check=check)
    if check and tally.counts:
        raise SystemExit(Exit.FINDINGS)


def _read(file: Path | None) -> bytes:
    """The bytes of the input."""
    if file is not None and file != _STDIN:
        return file.read_bytes()
    if sys.stdin.isatty():
        if file is None:
            msg = (
                "There is nothing to mask. Name a file (ai-addons mask notes.txt), send a text through a pipe "
                "(… | ai-addons mask), or type one after: ai-addons mask -"
            )
            raise ConfigError(msg)
        click.echo("Type a text. End it with Ctrl-D (Windows: Ctrl-Z, Enter) on a line of its own.", err=True)
    return sys.stdin.buffer.read()


def _masked(addons: AddOns, source: Source, piece: Piece, known: Known) -> Masked:
    try:
        return addons.mask(piece.text, data=piece.data, known=known)
    except PrivacyRefused as refusal:
        msg = f"{source.name}, from line {piece.line}: {refusal}"
        raise PrivacyRefused(msg) from None


@contextmanager
def _bar(total: int, console: Console, *, hidden: bool) -> Generator[tuple[Progress, TaskID], None, None]:
    columns = (TextColumn("masking"), BarColumn(), TaskProgressColumn())
    hide = hidden or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hide) as progress:
        yield progress, progress.add_task("masking", total=total)


def _followed(pieces: Iterable[Piece], total: int, console: Console, *, hidden: bool) -> Iterator[Piece]:
    """The pieces, with a bar on the standard error that follows them where a person looks."""
    with _bar(total, console, hidden=hidden) as (progress, task):
        for piece in pieces:
            yield piece
            progress.advance(task, piece.size)


def highlighted(text: str) -> Text:
    """A masked text with its placeholders in the colour of their type."""
    shown = Text(text)
    for match in EXACT.finditer(text):
        shown.stylize(f"bold {_COLORS[Kind(match[1])]}", *match.span())
    return shown


def _print(text: str, out: Console) -> None:
    """The text as it is: a terminal gets colours, a pipe gets every character and no line breaks of ours."""
    if out.is_terminal:
        out.print(highlighted(text), soft_wrap=True, end="" if text.endswith("\n") else "\n")
    else:
        click.echo(text, nl=False)


def _for_machines(source: Source, tally: _Tally, text: str | None, *, reveal: bool) -> dict[str, object]:
    found = [
        {"line": item.line, "placeholder": item.placeholder, "type": item.type}
        | ({"value": item.value} if reveal else {})
        for item in tally.found
    ]
    shown = {} if text is None else {"text": text}
    return {**shown, "format": source.format, "pieces": tally.pieces, "placeholders": tally.counts, "found": found}


def _tell(tally: _Tally, source: Source, notes: Console, *, reveal: bool, check: bool) -> None:
    """The legend: what was replaced, by which placeholder."""
    if not tally.counts:
        notes.print(Text(_NOTHING), style="dim", soft_wrap=True)
        return
    several = tally.pieces > 1
    if reveal or not (check or several):
        notes.print(legend(tally.found, reveal=reveal, lines=several))
    total = tally.counts.total()
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.counts.items()))
    would = "would be replaced" if check else "replaced"
    where = f" in {tally.pieces} pieces" if several else ""
    notes.print(Text(f"{source.name}: {show.counted(total, 'value')} {would}{where}: {listed}"), soft_wrap=True)


def legend(found: Iterable[Found], *, reveal: bool, lines: bool) -> show.Listing:
    """A table of placeholders.

    Args:
        found: What was found.
        reveal: Whether to show what each stands for.
        lines: Whether to show where the piece of each begins.
    """
    columns = [*(("line",) if lines else ()), "placeholder", "type", *(("stands for",) if reveal else ())]
    rows = (
        [
            *((str(item.line),) if lines else ()),
            # Square brackets are markup to rich.
            f"[bold {_COLORS[Kind(item.type)]}]\\{item.placeholder}[/]",
            item.type,
            *((show.literal(item.value or ""),) if reveal else ()),
        ]
        for item in found
    )
    return show.table("Placeholders", columns, rows, right=("line",))
