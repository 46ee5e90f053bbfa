"""Where links stand in a text: values are never put into one.

A link shown or fetched carries what stands in it to whoever owns its host, so a
placeholder inside one stays a placeholder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_BEGINNING: Final = 560
"""No link needs more characters than this to be told from other text."""

_REST: Final = r"[^\s<>\"]*"
_SLASHES: Final = r"(?:\\?/){2}"
# `https://…`, `https:\/\/…`, `//host…` and `www.…`
_PREFIXED: Final = re.compile(
    rf"(?:(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.\-]{{0,19}}:{_SLASHES}|(?<![\w:/\\]){_SLASHES}(?=[^\s<>\"/\\])"
    rf"|(?<!\w)www\.){_REST}",
    re.IGNORECASE,
)
# `host.test/path`, `host.test:8080/`, `host.test?query`
_BARE: Final = re.compile(
    rf"(?<![\w.\-@/])(?:[A-Za-z0-9][A-Za-z0-9\-]{{0,62}}\.){{1,8}}[A-Za-z]{{2,24}}(?::[0-9]{{1,5}})?(?:\\?/|\?){_REST}"
)
_END: Final = re.compile(r"[\s<>\"]")


def urls(text: str, at: int = 0) -> Iterator[tuple[int, int]]:
    """Where links stand, as (start, end), with the punctuation that follows them.

    Args:
        text: Any text.
        at: Where to begin; what stands before it is only looked at.
    """
    if "/" in text or "?" in text or "www." in text.lower():
        for pattern in (_PREFIXED, _BARE):
            yield from (match.span() for match in pattern.finditer(text, at))


def end_of_link(text: str, at: int) -> int:
    """Where a link ends that is open at a place in a text."""
    end = _END.search(text, at)
    return len(text) if end is None else end.start()


def begin_of_run(text: str, at: int) -> int:
    """Where the unbroken run of characters begins that ends at a place; a link lies in one run."""
    start = at
    while start and at - start < LONGEST_BEGINNING and not _END.match(text, start - 1):
        start -= 1
    return start


def is_open(text: str, at: int) -> bool:
    """Whether a link that begins before a place goes on there."""
    return any(end == at for _, end in urls(text[:at], begin_of_run(text, at)))
