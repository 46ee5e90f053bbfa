"""Masking one call: declared values first, recognizers second, and a last look before anything is sent.

In order: texts are measured; what looks like a placeholder is escaped; known values
are found in every text, in all promised spellings; free text is searched by the
recognizers; overlaps are joined; placeholders are numbered as they appear; and the
result is searched once more for every known value. The last step finding something
means the call is refused.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from itertools import filterfalse
from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons import plugins
from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.base import Declared, Json, Kind, Sealed
from ai_addons.privacy.fields import Branch, FreeText, Leaf, Pii, Public, Tree, leaves, read
from ai_addons.privacy.fold import Folded, fold
from ai_addons.privacy.grammar import LAST_NUMBER, LOOKALIKE, between
from ai_addons.privacy.late import Remainder, is_late
from ai_addons.privacy.links import urls
from ai_addons.privacy.matcher import Matcher
from ai_addons.privacy.normal import normalised
from ai_addons.privacy.restore import TOO_MANY, PlaceholderVault
from ai_addons.privacy.scan import Scanner
from ai_addons.privacy.spans import Hit, settle, united

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ai_addons.privacy.base import Recognizer, Session, Span
    from ai_addons.settings import PrivacySettings

_ESCAPE_PRIORITY: Final = 100
_LINK_PRIORITY: Final = 95
# What is searched for in a shop's public texts too; contact details there may be sent.
_SECRET: Final = frozenset({Kind.ID, Kind.ACCOUNT})
# Shorter numbers are quantities, not identifiers.
_SHORTEST_NUMBER: Final = 6


def from_settings(settings: PrivacySettings) -> BuiltinMasker:
    """The built-in masker with the recognizers the settings name.

    Raises:
        UnknownPlugin: If no installed package registers one of them.
    """
    found = [_made(plugins.load("recognizers", name), settings) for name in settings.recognizers]
    return BuiltinMasker(found, max_field_bytes=settings.max_field_bytes)


def _made(make: Any, settings: PrivacySettings) -> Recognizer:  # noqa: ANN401  # what an entry point names
    """A recognizer, with the settings if it wants them."""
    with_settings = getattr(make, "from_settings", None)
    made: Recognizer = make() if with_settings is None else with_settings(settings)
    return made


class BuiltinMasker:
    """Masks by declared fields and recognizers.

    Args:
        recognizers: What searches free text.
        max_field_bytes: A longer text, in UTF-8, is refused.
    """

    __slots__ = ("_late", "_loads", "_max_field_bytes", "_scanner")

    def __init__(self, recognizers: Iterable[Recognizer], *, max_field_bytes: int) -> None:
        made = tuple(recognizers)
        self._loads = tuple(load for one in made if (load := getattr(one, "warm_up", None)) is not None)
        self._scanner = Scanner(filterfalse(is_late, made))
        late = tuple(filter(is_late, made))
        self._late = Scanner(late) if late else None
        self._max_field_bytes = max_field_bytes

    def warm_up(self) -> None:
        """Load what its recognizers would otherwise load at their first text."""
        for load in self._loads:
            load()

    def session(self) -> Session:
        """Start masking one call."""
        return MaskingSession(self._scanner, late=self._late, max_field_bytes=self._max_field_bytes)

    def detect(self, text: str) -> list[Span]:
        """What the recognizers alone find in a free text, overlaps made one.

        No field is declared here, so no name is found. The offsets are those of the text as given.

        Raises:
            PrivacyRefused: If a recognizer fails, so that what it would have found is not known.
        """
        return united(self._scanner.find(text))


class MaskingSession(Sealed):
    """The masking of one call; not for use by two threads at once.

    Args:
        scanner: What searches free text.
        late: What searches what is left of it.
        max_field_bytes: A longer text, in UTF-8, is refused.
    """

    __slots__ = ("_known", "_late", "_max_field_bytes", "_scanner", "_vault")

    def __init__(self, scanner: Scanner, *, late: Scanner | None, max_field_bytes: int) -> None:
        self._scanner = scanner
        self._late = late
        self._max_field_bytes = max_field_bytes
        self._known: dict[tuple[Kind, str], Declared] = {}
        self._vault = PlaceholderVault()

    @property
    def vault(self) -> PlaceholderVault:
        """What restores the answer."""
        return self._vault

    def mask(self, texts: Sequence[str], data: object) -> tuple[list[str], Json]:
        """Mask the texts of one prompt and its data.

        Objects come back in the order of their original keys.

        Args:
            texts: Free texts (system, user).
            data: A pydantic model, a list or dict of them, or None.

        Returns:
            The masked texts and the data as JSON, masked.

        Raises:
            PrivacyRefused: If masking cannot be done safely; nothing may be sent.
        """
        tree, declared = read(data)
        self._learn(declared)
        free = [Leaf(text, FreeText) for text in texts]
        masking = self._masking([*free, *leaves(tree)])
        masked = [masking.leaf(leaf) for leaf in free]
        rendered = masking.render(tree)
        masking.last_look()
        return masked, rendered

    def mask_text(self, text: str) -> str:
        """Mask one more text of the call with what is known so far.

        The text is taken as nobody has masked it yet. JSON objects and arrays stay
        JSON: what is masked is the texts in them.

        Raises:
            PrivacyRefused: If masking cannot be done safely; nothing may be sent.
        """
        parsed = _parsed(text)
        if parsed is None:
            (masked,), _ = self.mask([text], None)
            return masked
        _, rendered = self.mask([], parsed)
        return json.dumps(rendered, ensure_ascii=False)

    def _learn(self, values: Iterable[Declared]) -> None:
        for value in values:
            self._known.setdefault((value.kind, normalised(value.kind, value.value)), value)
            if len(self._known) > LAST_NUMBER:
                raise PrivacyRefused(TOO_MANY)

    def _masking(self, found: Sequence[Leaf]) -> _Masking:
        """Measure and search all texts, so that what one of them gives away is known in the others."""
        recognized: dict[Leaf, tuple[Hit, ...]] = {}
        for leaf in found:
            self._measure(leaf.text)
            if leaf.mark in (FreeText, Public):
                hits = recognized[leaf] = tuple(self._recognize(leaf))
                self._learn(Declared(hit.kind, leaf.text[hit.start : hit.end]) for hit in hits)
        masking = _Masking(self._vault, Matcher(self._known.values()), recognized)
        if self._late is not None and self._search_again(self._late, masking, recognized):
            return _Masking(self._vault, Matcher(self._known.values()), recognized)
        return masking

    def _search_again(self, late: Scanner, masking: _Masking, recognized: dict[Leaf, tuple[Hit, ...]]) -> bool:
        """Let the late recognizers see what is left of the free texts; whether they found anything."""
        found = False
        for leaf in [leaf for leaf in recognized if leaf.mark is FreeText]:
            hits = tuple(_left_over(late, leaf, masking.settled(leaf)))
            recognized[leaf] += hits
            self._learn(Declared(hit.kind, leaf.text[hit.start : hit.end]) for hit in hits)
            found = found or bool(hits)
        return found

    def _measure(self, text: str) -> None:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            msg = (
                "A text holds half a character (a lone surrogate), which no provider takes. Nothing was sent and "
                "nothing was charged. Read the text in its right encoding."
            )
            raise PrivacyRefused(msg) from None
        if size > self._max_field_bytes:
            msg = (
                f"A text of {size} bytes is over the limit of {self._max_field_bytes} bytes for one field. Nothing was "
                "sent and nothing was charged. Shorten it, or raise privacy.max_field_bytes in the settings."
            )
            raise PrivacyRefused(msg)

    def _recognize(self, leaf: Leaf) -> Iterator[Hit]:
        for span in self._scanner.find(leaf.text):
            if leaf.mark is FreeText or span.kind in _SECRET:
                yield Hit(span.start, span.end, span.kind, span.priority, leaf.text[span.start : span.end])


class _Masking(Sealed):
    """Masks all texts of one prompt, once everything in them is known."""

    __slots__ = ("_done", "_matcher", "_recognized", "_vault")

    def __init__(self, vault: PlaceholderVault, matcher: Matcher, recognized: dict[Leaf, tuple[Hit, ...]]) -> None:
        self._vault = vault
        self._matcher = matcher
        self._recognized = recognized
        self._done: list[tuple[str, bool]] = []

    def render(self, tree: Tree) -> Json:
        """A tree as masked JSON."""
        if isinstance(tree, Leaf):
            return self.leaf(tree)
        if isinstance(tree, tuple):
            return [self.render(item) for item in tree]
        if isinstance(tree, Branch):
            return self._object(tree)
        if isinstance(tree, bool) or tree is None:
            return tree
        return self._number(tree)

    def _object(self, branch: Branch) -> Json:
        rendered: dict[str, Json] = {}
        spelled: dict[str, Leaf] = {}
        contested: set[str] = set()
        for key, value in branch.entries:
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
        if len(text) < _SHORTEST_NUMBER or not any(self._matcher.find(text, figures=False)):
            self._vault.sent(text)
            return number
        return self.leaf(Leaf(text, FreeText))

    def leaf(self, leaf: Leaf) -> str:
        """One text, masked."""
        if not isinstance(leaf.mark, Pii):
            masked = self._replaced(self.settled(leaf), leaf.text)
        elif leaf.text.strip():
            kind = leaf.mark.kind
            masked = self._vault.placeholder(kind, normalised(kind, leaf.text), leaf.text)
        else:
            masked = leaf.text
        self._done.append((masked, leaf.mark is Public))
        self._vault.sent(masked)
        return masked

    def settled(self, leaf: Leaf) -> list[Hit]:
        """What is to be hidden in a text, in order, no two of them overlapping."""
        text, public = leaf.text, leaf.mark is Public
        hits = [*_escapes(text), *self._recognized.get(leaf, ()), *self._matcher.find(text, public=public)]
        settled = settle(hits, text)
        # A hidden stretch ends a word: what is left between may now stand alone.
        while fresh := [*self._between(settled, text, public=public)]:
            settled = settle([*settled, *fresh], text)
        return settle([*settled, *_links(settled, text)], text)

    def _between(self, settled: Sequence[Hit], text: str, *, public: bool) -> Iterator[Hit]:
        at = 0
        for start, end in [*((hit.start, hit.end) for hit in settled), (len(text), len(text))]:
            for hit in self._matcher.find(text[at:start], public=public) if settled else ():
                yield Hit(hit.start + at, hit.end + at, hit.kind, hit.priority, hit.value)
            # Beside a placeholder, what was no lookalike before may be one: `PERSON 1 0241234567`.
            left = "]" if at else ""
            for hit in _escapes(f"{left}{text[at:start]}[") if settled else ():
                yield Hit(hit.start + at - len(left), hit.end + at - len(left), hit.kind, hit.priority)
            at = end

    def _replaced(self, settled: Iterable[Hit], text: str) -> str:
        pieces: list[str] = []
        at = 0
        for hit in settled:
            value = text[hit.start : hit.end] if hit.value is None else hit.value
            key = value if hit.value is None else normalised(hit.kind, value)
            pieces += [text[at : hit.start], self._vault.placeholder(hit.kind, key, value)]
            at = hit.end
        return "".join([*pieces, text[at:]])

    def last_look(self) -> None:
        """Search what would be sent for every known value.

        Raises:
            PrivacyRefused: If one is still there.
        """
        for masked, public in self._done:
            if any(hit for piece in between(masked) if piece for hit in self._matcher.find(piece, public=public)):
                msg = (
                    "A value marked as personal would have been sent, so nothing was sent and nothing was charged. "
                    "This is a fault in masking; please report it."
                )
                raise PrivacyRefused(msg)


def _left_over(late: Scanner, leaf: Leaf, settled: Sequence[Hit]) -> Iterator[Hit]:
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
    for view in (Folded(text),) if text.isascii() else (Folded(text), fold(text)):
        for match in LOOKALIKE.finditer(view.text):
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


def _parsed(text: str) -> object | None:
    """A JSON object or array; None for any other text."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return cast("object", json.loads(text))
    except ValueError:
        return None
