"""Replacing what is to be hidden in the texts of one prompt, once everything in them is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.base import Json, Kind, Rules, Sealed
from ai_addons.privacy.fields import Branch, FreeText, Leaf, Pii, Public, Tree
from ai_addons.privacy.grammar import between
from ai_addons.privacy.rules import cut_before, refuse_found, without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ai_addons.privacy.bounds import Bounds
    from ai_addons.privacy.restore import PlaceholderVault
    from ai_addons.privacy.search import Search
    from ai_addons.privacy.spans import Hit

# Shorter numbers are quantities, not identifiers.
_SHORTEST_NUMBER: Final = 6


class Deadline:
    """The time that masking one prompt may take."""

    __slots__ = ("_bounds", "_ends", "_monotonic")

    def __init__(self, bounds: Bounds, monotonic: Callable[[], float], ends: float) -> None:
        self._bounds = bounds
        self._monotonic = monotonic
        self._ends = ends

    def check(self) -> None:
        """Stop a call that takes too long.

        Raises:
            PrivacyRefused: If the time is over.
        """
        if self._monotonic() > self._ends:
            raise self._bounds.too_late()


class Masking(Sealed):
    """Masks all texts of one prompt, once everything in them is known."""

    __slots__ = ("_done", "_drops", "_in_time", "_key_of", "_rules", "_search", "_vault", "_windows")

    def __init__(
        self,
        vault: PlaceholderVault,
        search: Search,
        rules: Rules,
        windows: Mapping[Leaf, tuple[Leaf, int]],
        in_time: Deadline,
        key_of: Callable[[Kind, str], str],
    ) -> None:
        self._vault = vault
        self._search = search
        self._rules = rules
        # Looked at for every part, and hardly any rules leave one out.
        self._drops = "drop" in rules.handling.values()
        self._windows = windows
        self._in_time = in_time
        self._key_of = key_of
        self._done: list[tuple[str, bool]] = []

    def render(self, tree: Tree) -> Json:
        """A tree as masked JSON."""
        if isinstance(tree, Leaf):
            return None if self._drops and self._is_dropped(tree) else self.leaf(tree)
        if isinstance(tree, tuple):
            return [self.render(item) for item in tree if not (self._drops and self._is_dropped(item))]
        if isinstance(tree, Branch):
            return self._object(tree)
        if isinstance(tree, bool) or tree is None:
            return tree
        return self._number(tree)

    def _is_dropped(self, part: Tree | str) -> bool:
        """Whether a part is a field that the rules leave out."""
        return isinstance(part, Leaf) and isinstance(part.mark, Pii) and self._rules.drops(part.mark.kind)

    def _object(self, branch: Branch) -> Json:
        rendered: dict[str, Json] = {}
        spelled: dict[str, Leaf] = {}
        contested: set[str] = set()
        for key, value in branch.entries:
            if self._drops and (self._is_dropped(key) or self._is_dropped(value)):
                continue
            name = self.leaf(key) if isinstance(key, Leaf) else key
            if isinstance(key, Leaf) and (name in rendered or name in contested):
                # Several spellings of one value as keys of one object: each is to come back as it was.
                contested.add(name)
                rendered = {(self._typed(spelled[n]) if n == name else n): item for n, item in rendered.items()}
                name = self._typed(key)
            if isinstance(key, Leaf):
                spelled[name] = key
            rendered[name] = self.render(value)
        return rendered

    def _typed(self, leaf: Leaf) -> str:
        """A placeholder for a whole text as it was typed."""
        return self._vault.placeholder(Kind.TEXT, leaf.text, leaf.text)

    def _number(self, number: float) -> Json:
        """A number passes, unless it is a known identifier."""
        text = str(number)
        if len(text) < _SHORTEST_NUMBER or not any(self._search.matcher.find(text, figures=False)):
            self._vault.sent(text)
            return number
        # Nothing is left of a number that is dropped.
        return self.leaf(Leaf(text, FreeText)) or None

    def leaf(self, leaf: Leaf) -> str:
        """One text, masked."""
        if not isinstance(leaf.mark, Pii):
            masked, changed = self._searched(leaf)
            if changed:
                self._done.append((masked, leaf.mark is Public))
        elif leaf.text.strip():
            kind = leaf.mark.kind
            masked = self._vault.placeholder(kind, self._key_of(kind, leaf.text), leaf.text)
        else:
            masked = leaf.text
        self._vault.sent(masked)
        return masked

    def _searched(self, leaf: Leaf) -> tuple[str, bool]:
        """A free text, masked, and whether there was anything to mask: what had nothing is sent as it was searched."""
        self._in_time.check()
        leaf, changed = self._trimmed(leaf), False
        while True:
            hits = self._search.hits(leaf)
            settled = self._search.settled(leaf, hits)
            if not settled:
                # Most texts hold nothing to hide, and all that follows is about what is hidden.
                return leaf.text, changed or bool(hits)
            changed = True
            refuse_found(hits, self._rules, leaf.place)
            dropped = [hit for hit in settled if self._rules.drops(hit.kind)]
            if not dropped:
                return self._replaced(settled, leaf.text), True
            # What is left is a text of its own: where two ends meet, something new may stand.
            leaf = replace(leaf, text=without(leaf.text, dropped))

    def _trimmed(self, leaf: Leaf) -> Leaf:
        """A text, cut if it is too long; never inside a value."""
        if not self._windows or leaf not in self._windows:
            return leaf
        seen, limit = self._windows[leaf]
        settled = self._search.settled(seen, self._search.hits(seen))
        return replace(leaf, text=cut_before(leaf.text, limit, settled))

    def _replaced(self, settled: Iterable[Hit], text: str) -> str:
        pieces: list[str] = []
        at = 0
        for hit in settled:
            value = text[hit.start : hit.end] if hit.value is None else hit.value
            key = value if hit.value is None else self._key_of(hit.kind, value)
            pieces += [text[at : hit.start], self._vault.placeholder(hit.kind, key, value)]
            at = hit.end
        return "".join([*pieces, text[at:]])

    def last_look(self) -> None:
        """Search whatever was changed for every known value, as it would be sent.

        Raises:
            PrivacyRefused: If one is still there.
        """
        for masked, public in self._done:
            if any(
                hit for piece in between(masked) if piece for hit in self._search.matcher.find(piece, public=public)
            ):
                msg = (
                    "A value marked as personal would have been sent, so nothing was sent and nothing was charged. "
                    "This is a fault in masking; please report it."
                )
                raise PrivacyRefused(msg)
