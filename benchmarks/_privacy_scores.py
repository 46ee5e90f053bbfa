"""Scores of a detector on texts in which the personal data is known.

masked     no letter or digit of the value is left when every stretch that was found, of whatever type, is hidden
typed      one stretch of the right type has an overlap with the value of at least half of what both cover together
precision  of the stretches that were found, the share that is typed right by the same measure; names do not count
altered    share of the clean texts in which anything was found

Shares come with Wilson's 95 % interval (E. B. Wilson, "Probable inference", Journal of the American Statistical
Association 22, 1927): no miss in 300 shows only 99 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind
from benchmarks._privacy_texts import KINDS, PERSON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks._privacy_texts import Sample, Truth

_Z: Final = 1.959964
"""95 % of a normal distribution lie within so many standard deviations."""
_ENOUGH: Final = 0.5


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch that a detector takes for personal data."""

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share; 1 of nothing."""
        return self.hits / self.of if self.of else 1.0

    def __str__(self) -> str:
        """Per cent with the interval and the counts."""
        low, high = wilson(self.hits, self.of)
        return f"{self.value:.1%} ({low:.1%} to {high:.1%}; {self.hits:,} of {self.of:,})"


@dataclass(frozen=True, slots=True)
class Score:
    """How a detector did on one label, or on all."""

    masked: Share
    typed: Share
    precision: Share


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; everything is possible where nothing was counted.

    >>> wilson(300, 300)
    (0.9873568633..., 1.0)
    """
    if of == 0:
        return 0.0, 1.0
    share, squared = hits / of, _Z**2 / of
    middle = share + squared / 2
    reach = _Z * math.sqrt(share * (1 - share) / of + squared / (4 * of))
    return max(0.0, (middle - reach) / (1 + squared)), min(1.0, (middle + reach) / (1 + squared))


def overlap(one: Found, other: Truth) -> float:
    """What two stretches share, of what they cover together (intersection over union)."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return max(0, shared) / (max(one.end, other.end) - min(one.start, other.start))


def is_masked(text: str, truth: Truth, found: Iterable[Found]) -> bool:
    """Whether no letter or digit of a value is left."""
    left = set(range(truth.start, truth.end)).difference(*(range(one.start, one.end) for one in found))
    return not any(text[place].isalnum() for place in left)


def is_right(one: Found, truth: Truth) -> bool:
    """Whether a stretch is that value, with the right type."""
    return one.kind is KINDS[truth.label] and overlap(one, truth) >= _ENOUGH


def is_typed(truth: Truth, found: Iterable[Found]) -> bool:
    """Whether a value was found as what it is."""
    return any(is_right(one, truth) for one in found)


def _is_name(one: Found, sample: Sample) -> bool:
    """Whether a stretch is taken for a name or lies on one; names are in no score."""
    names = (truth for truth in sample.truths if truth.label == PERSON)
    return one.kind in {Kind.PERSON, Kind.BUSINESS} or any(overlap(one, name) >= _ENOUGH for name in names)


class Tally:
    """Counts a detector's hits and misses.

    Args:
        detect: What a detector finds in a text.
        samples: What it is tried on.
    """

    def __init__(self, detect: Callable[[str], Sequence[Found]], samples: Sequence[Sample]) -> None:
        self._missed: list[tuple[str, bool, bool]] = []
        self._hits: list[tuple[Kind, bool]] = []
        self.odd: list[tuple[str, str]] = []
        """What went wrong, as (what, text): for finding out why."""
        for sample in samples:
            self._count(sample, detect(sample.text))

    def _count(self, sample: Sample, found: Sequence[Found]) -> None:
        for truth in (truth for truth in sample.truths if truth.label != PERSON):
            masked, typed = is_masked(sample.text, truth, found), is_typed(truth, found)
            self._missed.append((truth.label, masked, typed))
            if not (masked and typed):
                value = sample.text[truth.start : truth.end]
                self.odd.append((f"{truth.label} {value!r} {'mistyped' if masked else 'missed'}", sample.text))
        for one in (one for one in found if not _is_name(one, sample)):
            right = any(is_right(one, truth) for truth in sample.truths)
            self._hits.append((one.kind, right))
            if not right:
                self.odd.append((f"{sample.text[one.start : one.end]!r} taken for {one.kind.value}", sample.text))

    def labels(self) -> list[str]:
        """What was there to find."""
        return sorted({label for label, _, _ in self._missed})

    def score(self, label: str | None = None) -> Score:
        """The score on one label, or on all; the precision of a label is that of its placeholder type."""
        rows = [row for row in self._missed if label in {None, row[0]}]
        hits = [right for kind, right in self._hits if label is None or kind is KINDS[label]]
        return Score(
            masked=Share(sum(masked for _, masked, _ in rows), len(rows)),
            typed=Share(sum(typed for _, _, typed in rows), len(rows)),
            precision=Share(sum(hits), len(hits)),
        )


def altered(detect: Callable[[str], Sequence[Found]], samples: Sequence[Sample]) -> Share:
    """The share of clean texts in which a detector finds anything."""
    return Share(sum(bool(detect(sample.text)) for sample in samples), len(samples))
