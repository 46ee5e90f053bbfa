"""A text for a simple regular expression: literals, classes, counts; no groups, no choices."""

from __future__ import annotations

import re
from typing import Final

_ESCAPES: Final = {"d": "1", "w": "a", "s": " ", "D": "a", "S": "a", "W": "-"}
# A unit (escape, class, dot or plain character) and how often it stands.
_UNIT: Final = re.compile(
    r"(?:\\(?P<escape>.)|\[(?P<set>(?:\\.|[^\]\\^])(?:\\.|[^\]\\])*)\]|(?P<dot>\.)|(?P<plain>[^\\\[\](){}|*+?.^$]))"
    r"(?:\{(?P<count>\d+)(?:,\d*)?\}|(?P<loop>[*+?]))?"
)


def match_simple(pattern: str) -> str | None:
    r"""The shortest text that a simple pattern matches.

    >>> match_simple("^[A-Z]{3}-\\d{2}$")
    'AAA-11'

    Returns:
        The text, or None where the pattern is not simple.
    """
    body = pattern.removeprefix("^").removesuffix("$")
    made: list[str] = []
    at = 0
    while at < len(body):
        unit = _UNIT.match(body, at)
        if unit is None:
            return None
        made.append(_character(unit) * _times(unit))
        at = unit.end()
    text = "".join(made)
    return text if re.search(pattern, text) else None


def _character(unit: re.Match[str]) -> str:
    if unit["escape"]:
        return _ESCAPES.get(unit["escape"], unit["escape"])
    if unit["set"]:
        return _ESCAPES.get(unit["set"][1], unit["set"][1]) if unit["set"][0] == "\\" else unit["set"][0]
    return unit["plain"] or "a"


def _times(unit: re.Match[str]) -> int:
    if unit["count"]:
        return int(unit["count"])
    return 1 if unit["loop"] in (None, "+") else 0
