"""The second pass over a text: for recognizers that should see only what is left."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ai_addons.privacy.grammar import LAST_NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_addons.privacy.base import Recognizer
    from ai_addons.privacy.spans import Hit


def is_late(recognizer: Recognizer) -> bool:
    """Whether a recognizer is to be run after the others."""
    return bool(getattr(recognizer, "late", False))


@dataclass(frozen=True, slots=True, repr=False)
class Remainder:
    """A text with placeholders where something was found already.

    Attributes:
        text: What is searched. The numbers of the placeholders are not those of the call, which come last of all.
        starts: Where each stretch that is left begins in it.
        stretches: Where that stretch begins and ends in the original.
    """

    text: str
    starts: tuple[int, ...]
    stretches: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str, settled: Sequence[Hit]) -> Self:
        """What hits, in order and apart from each other, leave of a text."""
        pieces: list[str] = []
        starts: list[int] = []
        stretches: list[tuple[int, int]] = []
        at = length = 0
        for number, hit in enumerate(settled):
            token = f"[{hit.kind.value}_{number % LAST_NUMBER + 1}]"
            starts.append(length)
            stretches.append((at, hit.start))
            pieces += [text[at : hit.start], token]
            length += hit.start - at + len(token)
            at = hit.end
        starts.append(length)
        stretches.append((at, len(text)))
        return cls("".join([*pieces, text[at:]]), tuple(starts), tuple(stretches))

    def back(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where a finding stands in the original; a placeholder inside it divides it and stays what it is."""
        first = max(0, bisect_right(self.starts, start) - 1)
        for began, (low, high) in zip(self.starts[first:], self.stretches[first:], strict=True):
            if began >= end:
                break
            found = (max(low, low + start - began), min(high, low + end - began))
            if found[0] < found[1]:
                yield found
