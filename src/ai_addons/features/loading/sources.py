"""Where rows come from: a CSV file, its text or bytes, rows of dicts, or a DataFrame."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, TextIOBase, TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, TypeAlias, cast

from ai_addons.features.loading.errors import BadTable
from ai_addons.features.loading.frames import frame_rows, is_frame

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

Table: TypeAlias = "str | Path | bytes | IO[str] | IO[bytes] | Iterable[Mapping[str, object]] | object"
"""A path, the bytes of a file, an open file, rows of dicts, or a DataFrame."""

_DELIMITERS: Final = ",;\t|"
_CHUNK: Final = 1 << 16
_NO_CELLS: Final[list[str]] = []
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table before anything is known of its columns.

    Attributes:
        headings: Its columns.
        rows: Place and cells of each row, read as they are asked for.
    """

    headings: Sequence[str]
    rows: Iterator[tuple[int, Sequence[object]]]


@contextmanager
def opened(source: Table, *, delimiter: str | None, encoding: str | None) -> Generator[Grid]:
    """Open a table; a file that was opened here is closed again.

    Args:
        source: Where the rows are. A ``str`` is a path.
        delimiter: What divides the columns of a CSV; None to find out.
        encoding: How a CSV is encoded; None for UTF-8, else Windows-1252.

    Raises:
        BadTable: If it has no heading, or cannot be decoded.
        TypeError: If it is no table.
    """
    if isinstance(source, (str, Path)):
        with Path(source).open(encoding=_known(encoding) or _found(Path(source)), newline="") as file:
            yield _from_text(file, delimiter)
    elif isinstance(source, (bytes, bytearray)):
        yield _from_bytes(bytes(source), delimiter, encoding)
    elif isinstance(source, TextIOBase):
        yield _from_text(cast("IO[str]", source), delimiter)
    elif hasattr(source, "read"):
        yield _from_bytes(cast("IO[bytes]", source).read(), delimiter, encoding)
    elif is_frame(source):
        headings, rows = frame_rows(source)
        yield Grid(headings, enumerate(rows, start=1))
    elif _may_be_rows(source):
        yield _from_dicts(iter(cast("Iterable[object]", source)))
    else:
        raise _no_table(source)


def _may_be_rows(source: object) -> bool:
    return isinstance(source, Iterable) and not isinstance(source, Mapping)


def _no_table(source: object) -> TypeError:
    return TypeError(
        f"a table is a path, bytes, an open file, rows of dicts or a DataFrame, not {type(source).__name__}"
    )


def _from_bytes(table: bytes, delimiter: str | None, encoding: str | None) -> Grid:
    known = _known(encoding) or _encoding(BytesIO(table))
    return _from_text(TextIOWrapper(BytesIO(table), encoding=known, newline=""), delimiter)


def _known(encoding: str | None) -> str | None:
    """The encoding that was given; one of Python's own names of UTF-8 also without its byte-order mark."""
    return "utf-8-sig" if encoding and codecs.lookup(encoding).name == "utf-8" else encoding


def _found(path: Path) -> str:
    with path.open("rb") as file:
        return _encoding(file)


def _encoding(file: IO[bytes]) -> str:
    """UTF-8 if all of the file is, else Windows-1252: what spreadsheets on Windows write."""
    first = file.read(4)
    if first.startswith(_UTF16):
        msg = "The file is in UTF-16. Save it as “CSV UTF-8”, or give encoding='utf-16'."
        raise BadTable(msg)
    for known in ("utf-8-sig", "cp1252"):
        if _decodes(file, known):
            return known
    msg = "The file is neither UTF-8 nor Windows-1252. Save it as “CSV UTF-8”, or give its encoding."
    raise BadTable(msg)


def _decodes(file: IO[bytes], encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _from_text(lines: Iterable[str], delimiter: str | None) -> Grid:
    records = _records(lines, delimiter)
    _, headings = next(records, (1, _NO_CELLS))
    if not any(map(str.strip, headings)):
        msg = "The table is empty: its first line must name the columns."
        raise BadTable(msg)
    return Grid([heading.strip() for heading in headings], records)


def _records(lines: Iterable[str], delimiter: str | None) -> Iterator[tuple[int, list[str]]]:
    """The line at which each record begins, and its cells; lines without any are passed over."""
    began = 1
    try:
        rest = iter(lines)
        before = [next(rest, "").removeprefix("\ufeff")]
        while before[-1] and not before[-1].strip():
            before.append(next(rest, ""))
        reader = csv.reader(chain(before, rest), delimiter=delimiter or _delimiter(before[-1]), strict=True)
        for cells in reader:
            if any(map(str.strip, cells)):
                yield began, cells
            began = reader.line_num + 1
    except UnicodeError:
        msg = "The file cannot be decoded; give its encoding, or save it as “CSV UTF-8”."
    except csv.Error as error:
        msg = f"The file is no CSV: row {began}: {error}."
    else:
        return
    # Raised out here, so that no bytes of the file are in its chain.
    raise BadTable(msg)


def _delimiter(heading: str) -> str:
    """What divides the headings into most columns, quotes minded; a comma where nothing does."""
    return max(_DELIMITERS, key=lambda mark: len(next(csv.reader([heading], delimiter=mark), _NO_CELLS)))


def _from_dicts(rows: Iterator[object]) -> Grid:
    """Rows of dicts; the first one names the columns."""
    if (first := next(rows, None)) is None:
        return Grid([], iter(()))
    headings = [*_dict(first)]
    cells = (_dict_cells(_dict(row), headings) for row in chain((first,), rows))
    return Grid(headings, enumerate(cells, start=1))


def _dict(row: object) -> Mapping[str, object]:
    if not isinstance(row, Mapping):
        msg = f"rows are dicts, not {type(row).__name__}; to read a CSV give its path, bytes or open file"
        raise TypeError(msg)
    return cast("Mapping[str, object]", row)


def _dict_cells(row: Mapping[str, object], headings: Sequence[str]) -> list[object]:
    """The cells of a row in the order of the headings; a key that the first row lacks makes it too long."""
    more = [value for key, value in row.items() if key not in headings]
    return [*(row.get(heading) for heading in headings), *more]
