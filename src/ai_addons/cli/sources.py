"""What `ai-addons mask` reads: a text, JSON, JSON lines or a table, cut into the pieces that are masked together."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ai_addons.privacy.base import Json

Format: TypeAlias = Literal["text", "json", "jsonl", "csv"]
"""How an input is read."""

FORMATS: Final[tuple[Format, ...]] = get_args(Format)
_BY_SUFFIX: Final[dict[str, Format]] = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Piece:
    """What is masked together, as one call would be.

    Attributes:
        line: Where it begins, from 1.
        size: Characters of the input it stands for.
        text: Free text.
        data: JSON in place of a text.
    """

    line: int
    size: int
    text: str = ""
    data: Json = None


@dataclass(frozen=True, slots=True, repr=False)
class Source:
    """One input.

    Attributes:
        name: What messages call it.
        text: All of it.
        format: How it is read.
        tabs: Whether the columns of a table are divided by tabs.
    """

    name: str
    text: str
    format: Format
    tabs: bool = False

    def pieces(self, most: int) -> Iterator[Piece]:
        """What is masked together: all of it, or each line or row of an input longer than ``most`` bytes.

        Raises:
            ConfigError: If it is not what its format says.
        """
        whole = len(self.text.encode()) <= most
        match self.format:
            case "json":
                yield Piece(line=1, size=len(self.text), data=self._json(self.text, 1))
            case "jsonl":
                yield from self._json_lines()
            case "csv":
                rows = self._rows()
                yield from _together(rows, len(self.text)) if whole else rows
            case _:
                yield from [Piece(line=1, size=len(self.text), text=self.text)] if whole else self._lines()

    def written(self, text: str, data: Json) -> str:
        """A masked piece in the format of the input."""
        match self.format:
            case "json":
                return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
            case "jsonl":
                return json.dumps(data, ensure_ascii=False) + "\n"
            case "csv":
                return self._table(data)
            case _:
                return text

    def _lines(self) -> Iterator[Piece]:
        for number, line in enumerate(self.text.splitlines(keepends=True), start=1):
            yield Piece(line=number, size=len(line), text=line)

    def _json_lines(self) -> Iterator[Piece]:
        for number, line in enumerate(self.text.splitlines(keepends=True), start=1):
            if line.strip():
                yield Piece(line=number, size=len(line), data=self._json(line, number))

    def _rows(self) -> Iterator[Piece]:
        reader = csv.reader(StringIO(self.text, newline=""), delimiter=self._delimiter, strict=True)
        began = 1
        try:
            for row in reader:
                cells: list[Json] = list(row)
                yield Piece(line=began, size=sum(map(len, row)) + len(row), data=[cells])
                began = reader.line_num + 1
        except csv.Error as error:
            msg = f"{self.name} is no table: line {reader.line_num}: {error}. Correct it, or give --format text."
            raise ConfigError(msg) from None

    def _table(self, data: Json) -> str:
        """Rows as a table, with the line ends of the input."""
        out = StringIO(newline="")
        writer = csv.writer(out, delimiter=self._delimiter, lineterminator="\r\n" if "\r\n" in self.text else "\n")
        rows = cast("list[list[object]]", data)
        writer.writerows(rows)
        return out.getvalue()

    @property
    def _delimiter(self) -> str:
        return "\t" if self.tabs else ","

    def _json(self, text: str, line: int) -> Json:
        try:
            parsed: Json = json.loads(text)
        except json.JSONDecodeError as error:
            # Its message names a place and never what stands there.
            msg = (
                f"{self.name} is no JSON: line {line + error.lineno - 1}, column {error.colno}: {error.msg}. "
                "Correct it, or give --format text."
            )
            raise ConfigError(msg) from None
        except (ValueError, RecursionError):
            msg = f"{self.name} is no JSON that can be read: a number too long, or nesting too deep, near line {line}."
            raise ConfigError(msg) from None
        return parsed


def _together(rows: Iterable[Piece], size: int) -> Iterator[Piece]:
    """All rows of a table as one piece."""
    data = [row for piece in rows for row in cast("list[Json]", piece.data)]
    yield Piece(line=1, size=size, data=data)


def open_source(raw: bytes, path: Path | None, *, encoding: str, chosen: Format | None) -> Source:
    """Read an input.

    Args:
        raw: Its bytes.
        path: Where it came from; None for the standard input.
        encoding: What its bytes mean.
        chosen: How to read it; None goes by the file's suffix, and for the standard input by what it holds.

    Raises:
        ConfigError: If it is no text in that encoding.
    """
    name = "The input" if path is None else path.name
    try:
        text = raw.decode(encoding)
    except LookupError:
        msg = f"There is no encoding {encoding!r}. Try utf-8, utf-16 or cp1252."
        raise ConfigError(msg) from None
    except UnicodeDecodeError as error:
        msg = f"{name} is no text in {encoding}: byte {error.start + 1}. Say what it is with --encoding, e.g. cp1252."
        raise ConfigError(msg) from None
    if "\0" in text:
        msg = f"{name} is no text: it holds a NUL character. Export it as text, or say what it is with --encoding."
        raise ConfigError(msg)
    suffix = "" if path is None else path.suffix.lower()
    guessed = _BY_SUFFIX.get(suffix, "json" if path is None and _is_json(text) else "text")
    return Source(name, text, chosen or guessed, tabs=suffix == ".tsv")


def _is_json(text: str) -> bool:
    """Whether a text is a JSON object or array; a number or a word in quotes is a text to people."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
