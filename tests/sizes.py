"""How much of a large test is run: a share of it, or all with ``AI_ADDONS_TEST_SIZE=full``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

FULL: Final = os.environ.get("AI_ADDONS_TEST_SIZE") == "full"
"""Whether there is time for the large sizes."""

_PARTS: Final = 4
_FEWEST: Final = 10


def tries(most: int) -> int:
    """How many values Hypothesis tries: all of them in the full size, else a quarter, of few ones ten.

    Args:
        most: What the full size tries.
    """
    return most if FULL else min(most, max(_FEWEST, most // _PARTS))


def share(every: Sequence[T], number: int, parts: int) -> Sequence[T]:
    """All of them in the full size; else a share.

    Args:
        every: What there is.
        number: Which share; as many numbers in a row as there are parts make the whole.
        parts: How many shares.
    """
    return every if FULL or not every else every[number % min(parts, len(every)) :: parts]
