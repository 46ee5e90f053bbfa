r"""A text for a regular expression: literals, classes, counts, groups and choices; no look-around, no references.

The grammar that is read::

    choice   = sequence ("|" sequence)*
    sequence = (unit count?)*
    unit     = "(" choice ")" | "[" set "]" | "\" escape | "." | character
    count    = "*" | "+" | "?" | "{n}" | "{n,}" | "{n,m}"
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPES: Final = {"d": "1", "w": "a", "s": " ", "D": "a", "S": "a", "W": "-"}
_SET: Final = re.compile(r"\[(?P<first>\\.|[^\]\\^])(?:\\.|[^\]\\])*\]")
_COUNT: Final = re.compile(r"\{(?P<least>\d+)(?P<open>,(?P<most>\d*))?\}|(?P<loop>[*+?])")
_SPECIAL: Final = frozenset("[](){}|*+?^$")


class _Hard(Exception):
    """The pattern holds something that is not attempted."""


def match_simple(pattern: str, more: int = 0) -> str | None:
    r"""A short text that a pattern matches; the first of several choices.

    >>> match_simple("^(GH|NG)-[A-Z]{3}-\\d{2}$")
    'GH-AAA-11'

    Args:
        pattern: A regular expression.
        more: How often what may be repeated stands beyond its least.

    Returns:
        The text, or None where the pattern is not attempted.
    """
    reader = _Reader(pattern.removeprefix("^").removesuffix("$"), more)
    try:
        text = reader.whole()
    except _Hard:
        return None
    return text if re.search(pattern, text) else None


class _Reader:
    """Reads a pattern once from left to right, and writes as it reads."""

    def __init__(self, body: str, more: int) -> None:
        self._body = body
        self._more = more
        self._at = 0

    def whole(self) -> str:
        text = self._choice()
        if self._at < len(self._body):
            raise _Hard
        return text

    def _choice(self) -> str:
        texts = [self._sequence()]
        while self._take("|"):
            texts.append(self._sequence())
        return texts[0]

    def _sequence(self) -> str:
        made: list[str] = []
        while self._at < len(self._body) and self._body[self._at] not in "|)":
            made.append(self._unit() * self._times())
        return "".join(made)

    def _unit(self) -> str:
        if self._take("("):
            text = self._choice()
            if not self._take(")"):
                raise _Hard
            return text
        found = _SET.match(self._body, self._at)
        if found:
            self._at = found.end()
            return _literal(found["first"])
        return self._character()

    def _character(self) -> str:
        escaped = self._take("\\")
        sign = self._body[self._at : self._at + 1]
        self._at += 1
        if not sign or (not escaped and sign in _SPECIAL):
            raise _Hard
        if escaped:
            return _literal(f"\\{sign}")
        return "a" if sign == "." else sign

    def _times(self) -> int:
        count = _COUNT.match(self._body, self._at)
        if count is None:
            return 1
        self._at = count.end()
        if count["loop"]:
            least, most = {"*": (0, self._more), "+": (1, 1 + self._more), "?": (0, 1)}[count["loop"]]
        else:
            least = int(count["least"])
            most = least if not count["open"] else int(count["most"] or least + self._more)
        return min(least + self._more, most)

    def _take(self, sign: str) -> bool:
        taken = self._body.startswith(sign, self._at)
        self._at += taken
        return taken


def _literal(unit: str) -> str:
    """One character of a class, an escape or a plain one."""
    return _ESCAPES.get(unit[1], unit[1]) if unit.startswith("\\") else unit
