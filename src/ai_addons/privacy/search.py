"""Finding everything in a text that is to be hidden, once all texts of a call were read."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.fields import Public
from ai_addons.privacy.fold import Folded, fold
from ai_addons.privacy.grammar import lookalike, may_hold_lookalike
from ai_addons.privacy.late import Remainder
from ai_addons.privacy.links import urls
from ai_addons.privacy.spans import Hit, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ai_addons.privacy.fields import Leaf
    from ai_addons.privacy.matcher import Matcher
    from ai_addons.privacy.scan import Scanner

_ESCAPE_PRIORITY: Final = 100
_LINK_PRIORITY: Final = 95


@dataclass(frozen=True, slots=True, repr=False)
class Search:
    """Finds everything in a text, once all of a call's texts were read."""

    matcher: Matcher
    recognized: Mapping[Leaf, tuple[Hit, ...]]
    recognize: Callable[[Leaf], Iterable[Hit]]

    def hits(self, leaf: Leaf) -> list[Hit]:
        """What recognizers and known values find; texts made by cutting are recognized now."""
        known = self.matcher.find(leaf.text, public=leaf.mark is Public)
        recognized = self.recognized.get(leaf)
        return [*(self.recognize(leaf) if recognized is None else recognized), *known]

    def settled(self, leaf: Leaf, hits: Iterable[Hit]) -> list[Hit]:
        """The stretches to hide, placeholders that somebody typed and whole links among them."""
        text, public = leaf.text, leaf.mark is Public
        found = [*_escapes(text), *hits]
        settled = settle(found, text) if found else []
        if not settled:
            return settled
        # A hidden stretch ends a word: what is left between may now stand alone.
        while fresh := [*self._between(settled, text, public=public)]:
            settled = settle([*settled, *fresh], text)
        return settle([*settled, *_links(settled, text)], text)

    def _between(self, settled: Sequence[Hit], text: str, *, public: bool) -> Iterator[Hit]:
        at = 0
        for start, end in [*((hit.start, hit.end) for hit in settled), (len(text), len(text))]:
            for hit in self.matcher.find(text[at:start], public=public):
                yield Hit(hit.start + at, hit.end + at, hit.kind, hit.priority, hit.value)
            # Beside a placeholder, what was no lookalike before may be one: `PERSON 1 0241234567`.
            left = "]" if at else ""
            for hit in _escapes(f"{left}{text[at:start]}["):
                yield Hit(hit.start + at - len(left), hit.end + at - len(left), hit.kind, hit.priority)
            at = end


def left_over(late: Scanner, leaf: Leaf, settled: Sequence[Hit]) -> Iterator[Hit]:
    """What late recognizers find around that which is to be hidden anyhow."""
    remainder = Remainder.of(leaf.text, settled)
    for hit in late.find(remainder.text):
        for start, end in remainder.back(hit.start, hit.end):
            value = leaf.text[start:end].strip()
            # What stands between two placeholders may be but a comma.
            if any(map(str.isalnum, value)):
                at = leaf.text.index(value, start)
                yield Hit(at, at + len(value), hit.kind, hit.priority, value)


def _escapes(text: str) -> Iterator[Hit]:
    """What somebody typed that looks like a placeholder, with folded typography or without."""
    ascii_only = text.isascii()
    if ascii_only and not may_hold_lookalike(text):
        return
    for view in (Folded(text),) if ascii_only else (Folded(text), fold(text)):
        for match in lookalike().finditer(view.text) if may_hold_lookalike(view.text) else ():
            # Digits alone in brackets are a list or a footnote.
            if match.lastgroup != "words" or any(map(str.isalpha, match[0])):
                yield Hit(*view.back(*match.span()), Kind.TEXT, _ESCAPE_PRIORITY)


def _links(settled: Sequence[Hit], text: str) -> Iterator[Hit]:
    """Links with something to hide in them are hidden whole: a placeholder in a link is never filled in."""
    # Also as they will stand: a link may begin right after what is hidden.
    for start, end in (*urls(text), *urls(_as_hidden(settled, text))):
        first = bisect_right(settled, start, key=lambda hit: hit.end)
        last = bisect_right(settled, end, key=lambda hit: hit.start)
        if first < last:
            address = len(text[start:end].rstrip(".,;:!?"))
            yield Hit(start, max(start + address, settled[last - 1].end), Kind.ID, _LINK_PRIORITY)


def _as_hidden(settled: Sequence[Hit], text: str) -> str:
    """The text with a bracketed stretch of the same length for each hidden one."""
    pieces: list[str] = []
    at = 0
    for hit in settled:
        pieces += [text[at : hit.start], f"[{'_' * (hit.end - hit.start - 2)}]"[-(hit.end - hit.start) :]]
        at = hit.end
    return "".join([*pieces, text[at:]])
