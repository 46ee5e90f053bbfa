"""Whether work grows with a text's length, and no faster."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH: Final = 6_250 if FULL else 3_000
"""Characters of the shorter text: the longer one has 50 KB in the full size, and 24 KB show it as well."""

_GROWTH: Final = 8
_SLACK: Final = 3
_TRIES: Final = 3
# CPU seconds; less is not measured well.
_LEAST: Final = 0.002


def grows_evenly(work: Callable[[str], None], unit: str, length: int = LENGTH) -> bool:
    """Whether eight times the text costs at most twenty-four times as much; quadratic work would show as sixty-four.

    Compared are CPU seconds, the best of three. The longer text is worked on again only while it takes too long.

    Args:
        work: What is done with a text.
        unit: What the text is made of, again and again.
        length: Characters of the shorter text.
    """
    short, long = (unit * (size // len(unit) + 1) for size in (length, length * _GROWTH))
    most = max(min(_cost(work, short) for _ in range(_TRIES)), _LEAST) * _GROWTH * _SLACK
    return any(_cost(work, long) < most for _ in range(_TRIES))


def _cost(work: Callable[[str], None], text: str) -> float:
    start = time.process_time()
    work(text)
    return time.process_time() - start
