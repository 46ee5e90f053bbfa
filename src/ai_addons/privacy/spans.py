"""Stretches of text to hide, and how overlapping ones become one."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.normal import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True, repr=False)
class Hit:
    """A stretch of a text to hide.

    Attributes:
        start: Where it begins.
        end: Where it ends, exclusive.
        kind: The type word of its placeholder.
        priority: Which of several overlapping hits gives the type.
        value: The value it stands for, in the spelling that comes back; None
            hides the stretch as it was typed.
    """

    start: int
    end: int
    kind: Kind
    priority: int
    value: str | None = None


_PLACE: Final = attrgetter("start", "end")


def settle(hits: Iterable[Hit], text: str) -> list[Hit]:
    """Make overlapping hits one, so that no tail of any is left over.

    The type is that of the highest priority, then the longest, then the leftmost.
    A joined stretch comes back as it was typed, unless it still is the same value.
    """
    return [group[0] if len(group) == 1 else _joined(group, text) for group in _groups(sorted(hits, key=_PLACE))]


def _groups(hits: Iterable[Hit]) -> Iterator[list[Hit]]:
    group: list[Hit] = []
    end = 0
    for hit in hits:
        if group and hit.start >= end:
            yield group
            group = []
        group.append(hit)
        end = max(end, hit.end)
    if group:
        yield group


def _joined(group: list[Hit], text: str) -> Hit:
    start, end = group[0].start, max(hit.end for hit in group)
    label = min(group, key=lambda hit: (-hit.priority, hit.start - hit.end, hit.start))
    same = (label.start, label.end) == (start, end) or _same_value(label, text[start:end])
    return Hit(start, end, label.kind, label.priority, label.value if same else None)


def _same_value(label: Hit, text: str) -> bool:
    """Whether the joined stretch is but a fuller spelling of the value, such as a phone with its country code."""
    if label.value is None or (label.kind is Kind.PHONE and any(map(str.isalpha, text))):
        return False
    return normalised(label.kind, text) == normalised(label.kind, label.value)
