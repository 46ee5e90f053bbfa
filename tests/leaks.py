"""Whether anything personal can be seen: an oracle that shares no code with the masking it judges.

A text is read as it stands and with its JSON escapes undone, folded (accents, letter
case, invisible characters) and then searched in two ways: for words, and, with
everything but letters and digits taken out, for stretches.
"""

from __future__ import annotations

import inspect
import re
import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import ai_addons

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.canaries import Canary, Value

OURS: Final = str(Path(ai_addons.__file__).parent)
SHORTEST_WORD: Final = 3
GRAM: Final = 6
"""From so many letters and digits on a value is also found inside other text."""
ALONE: Final = 8
"""From so many letters on so is a part of a name; a shorter one only as a word of its own."""

_ESCAPE: Final = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_CODED: Final = re.compile("%[0-9A-Fa-f]{2}")
_PRINTED: Final = re.compile(f"[^\x00-\x1f\ufffd]{{{SHORTEST_WORD},}}")
_PLAIN: Final = {"b": " ", "f": " ", "n": "\n", "r": "\n", "t": "\t"}
_WORD: Final = re.compile(r"[^\W_]+")
_GAP: Final = r"[\s.\-()/]{0,3}"
_TRUNK: Final = rf"(?<!\d)(?:(?:00)?{_GAP}2{_GAP}3{_GAP}3{_GAP})?(?:0{_GAP})?"
_PIECE: Final = 200_000


class _Folding(dict[int, str]):
    """What each character counts as, worked out once."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        plain = {"ɔ": "o", "ɛ": "e", "Ɔ": "o", "Ɛ": "e"}.get(char, char)
        parts = unicodedata.normalize("NFKD", plain)
        hidden = unicodedata.category(char) in ("Cf", "Mn")
        if unicodedata.category(char) == "Pd":
            parts = "-"
        self[code] = "" if hidden else "".join(part for part in parts if not unicodedata.combining(part)).lower()
        return self[code]


_FOLDING: Final = _Folding()


def folded(text: str) -> str:
    """The text without letter case, accents and invisible characters."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def views(text: str) -> Iterator[str]:
    """The text, and what its lines say once JSON's and the web's escapes are undone, also twice."""
    yield text
    for _ in range(2):
        lines = [line for line in text.split("\n") if "\\" in line]
        if not lines:
            break
        text = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _PLAIN.get(m[2], m[2]), "\n".join(lines))
        yield text
    if coded := [line for line in text.split("\n") if _CODED.search(line)]:
        yield unquote("\n".join(coded))


def squeezed(text: str) -> str:
    """Letters and digits alone."""
    return "".join(_WORD.findall(text))


class Net:
    """Everything that must not be seen, ready to be looked for."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._grams: dict[str, set[str]] = {}
        self._texts: dict[str, str] = {}
        self._exactly: dict[str, re.Pattern[str]] = {}

    def add(self, canary: Canary) -> None:
        """Look for all of somebody's values."""
        for value in canary.values:
            self._add(value)

    def _add(self, value: Value) -> None:
        text = folded(value.text)
        whole = squeezed(text)
        parts = _WORD.findall(text)
        if value.kind == "PHONE":
            # Whatever stands before them, nine digits are the subscriber.
            whole = whole[-9:]
            self._exactly[whole] = re.compile(_TRUNK + _GAP.join(whole) + r"(?!\d)")
        if value.kind == "DOB":
            self._exactly[whole] = re.compile(rf"(?<!\d){_GAP.join([whole[:4], whole[4:6], whole[6:]])}(?!\d)")
        if value.kind == "NAME":
            self._words |= {part: value.text for part in parts if len(part) >= SHORTEST_WORD}
            self._words[whole] = value.text
            alone = (part for part in parts if len(part) >= ALONE)
            for stretch in (whole, parts[0] + parts[-1], parts[-1] + "".join(parts[:-1]), *alone):
                self._stretch(stretch, value.text)
        self._stretch(whole, value.text)

    def _stretch(self, stretch: str, text: str) -> None:
        if len(stretch) >= GRAM:
            self._grams.setdefault(stretch[:GRAM], set()).add(stretch)
            self._texts[stretch] = text

    def catch(self, text: str, *, shortest: int = SHORTEST_WORD) -> set[str]:
        """The values that can be seen in a text.

        Args:
            text: What might be read by somebody.
            shortest: The shortest part of a name that is no chance; among the bytes of a file three letters are one.
        """
        caught: set[str] = set()
        for view in views(text):
            plain = folded(view)
            words = _WORD.findall(plain)
            caught |= {self._words[word] for word in self._words.keys() & set(words) if len(word) >= shortest}
            caught |= self._stretches("".join(words), plain)
        return caught

    def _stretches(self, stretch: str, plain: str) -> set[str]:
        caught: set[str] = set()
        for start in range(0, len(stretch), _PIECE):
            piece = stretch[start : start + _PIECE + 100]
            seen = {piece[at : at + GRAM] for at in range(len(piece) - GRAM + 1)}
            for gram in self._grams.keys() & seen:
                found = {whole for whole in self._grams[gram] if whole in piece}
                caught |= {self._texts[whole] for whole in found if self._is_there(whole, plain)}
        return caught

    def _is_there(self, whole: str, plain: str) -> bool:
        """Whether digits stand together as a number; those of two columns side by side are one by chance."""
        pattern = self._exactly.get(whole)
        return pattern is None or pattern.search(plain) is not None


def files_under(folder: Path) -> str:
    """What is legible in the bytes of every file, write-ahead logs and journals included; each stretch once."""
    legible: dict[str, None] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            legible |= dict.fromkeys([path.name, *_PRINTED.findall(path.read_bytes().decode("utf-8", "replace"))])
    return "\n".join(legible)


def rows_of_sqlite(file: Path) -> str:
    """Every row of every table."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return "\n".join(repr(row) for name in names for row in connection.execute(f'SELECT * FROM "{name}"'))  # noqa: S608  # its own names


def told_by(error: BaseException, *, own: Iterable[type[BaseException]] = ()) -> str:
    """All that an error and everything behind it tell, the locals of the product's frames included.

    Args:
        error: As it was caught.
        own: Errors of the host's own, whose message is the host's business.
    """
    told: list[str] = []
    waiting, seen = [error], list[int]()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.append(id(found))
        waiting += [behind for behind in (found.__cause__, found.__context__) if behind is not None]
        waiting += [part for part in found.args if isinstance(part, BaseException)]
        told += _frames(found, tuple(own))
        if not isinstance(found, tuple(own)):
            told += [str(found), repr(found), repr(found.args), repr(getattr(found, "__dict__", {})), *_details(found)]
    return "\n".join(told)


def _details(error: BaseException) -> list[str]:
    listed: Any = getattr(error, "errors", None)
    notes: list[str] = getattr(error, "__notes__", [])
    return [repr(listed()) if callable(listed) else "", *notes]


def _frames(error: BaseException, own: tuple[type[BaseException], ...]) -> Iterator[str]:
    """The locals of every frame of the product that the error passed; an error of the host's own prints as it likes."""
    step = error.__traceback__
    while step is not None:
        frame, line, step = step.tb_frame, step.tb_lineno, step.tb_next
        # A task that is cancelled before it begins: Python itself holds the arguments of its coroutine.
        begun = not (frame.f_code.co_flags & inspect.CO_COROUTINE and line == frame.f_code.co_firstlineno)
        if begun and frame.f_code.co_filename.startswith(OURS):
            for name, value in frame.f_locals.items():
                if not isinstance(value, own):
                    yield f"{frame.f_code.co_qualname} {name} = {_shown(value)}"


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001  # as `traceback` does
        return f"<no repr: {type(error).__name__}>"
