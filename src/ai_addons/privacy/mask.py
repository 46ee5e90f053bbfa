"""Masking one call: declared values first, recognizers second, and a last look before anything is sent.

In order: texts are measured; what looks like a placeholder is escaped; known values
are found in every text, in all promised spellings; free text is searched by the
recognizers; what the rules refuse stops the call; texts that are too long are cut and
what the rules drop is cut out, and what is left is searched again; overlaps are
joined; placeholders are numbered as they appear; and the result is searched once more
for every known value. The last step finding something means the call is refused.
"""

from __future__ import annotations

import json
import time
from itertools import filterfalse
from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons import plugins
from ai_addons.privacy.base import Declared, Json, Kind, Rules, Sealed, Span
from ai_addons.privacy.bounds import Bounds
from ai_addons.privacy.fields import FreeText, Leaf, Public, leaves, read
from ai_addons.privacy.grammar import lookalike
from ai_addons.privacy.known import read_known
from ai_addons.privacy.late import is_late
from ai_addons.privacy.masking import Deadline, Masking
from ai_addons.privacy.matcher import Matcher
from ai_addons.privacy.normal import normalised
from ai_addons.privacy.restore import PlaceholderVault
from ai_addons.privacy.rules import refuse_declared, rules_of
from ai_addons.privacy.scan import Scanner
from ai_addons.privacy.search import Search, left_over
from ai_addons.privacy.spans import Hit, united

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ai_addons.clock import Clock
    from ai_addons.privacy.base import Recognizer, Session
    from ai_addons.settings import PrivacySettings

# What is searched for in a shop's public texts too; contact details there may be sent.
_SECRET: Final = frozenset({Kind.ID, Kind.ACCOUNT})


def from_settings(settings: PrivacySettings, clock: Clock | None = None) -> BuiltinMasker:
    """The built-in masker with the recognizers the settings name.

    Args:
        settings: What is searched for, what happens to it, and the bounds.
        clock: What the time for masking is measured by; None for the machine's.

    Raises:
        UnknownPlugin: If no installed package registers one of them.
    """
    found = [_made(plugins.load("recognizers", name), settings) for name in settings.recognizers]
    return BuiltinMasker(
        found,
        max_field_bytes=settings.max_field_bytes,
        max_call_bytes=settings.max_call_bytes,
        seconds=settings.deadline.total_seconds(),
        rules=rules_of(settings),
        monotonic=time.monotonic if clock is None else clock.monotonic,
    )


def _made(make: Any, settings: PrivacySettings) -> Recognizer:  # noqa: ANN401  # what an entry point names
    """A recognizer, with the settings if it wants them."""
    with_settings = getattr(make, "from_settings", None)
    made: Recognizer = make() if with_settings is None else with_settings(settings)
    return made


class BuiltinMasker:
    """Masks by declared fields and recognizers.

    Args:
        recognizers: What searches free text.
        max_field_bytes: A longer text, in UTF-8, is refused or cut.
        max_call_bytes: More than that in all texts of a prompt is refused.
        seconds: A prompt that takes longer is refused.
        rules: What happens to personal data where a call has no rules of its own.
        monotonic: Seconds that never run backwards.
    """

    __slots__ = ("_bounds", "_late", "_loads", "_monotonic", "_rules", "_scanner")

    def __init__(
        self,
        recognizers: Iterable[Recognizer],
        *,
        max_field_bytes: int,
        max_call_bytes: int = 1_048_576,
        seconds: float = 10.0,
        rules: Rules | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        made = tuple(recognizers)
        self._loads = tuple(load for one in made if (load := getattr(one, "warm_up", None)) is not None)
        self._scanner = Scanner(filterfalse(is_late, made))
        late = tuple(filter(is_late, made))
        self._late = Scanner(late) if late else None
        self._bounds = Bounds(field_bytes=max_field_bytes, call_bytes=max_call_bytes, seconds=seconds)
        self._rules = Rules() if rules is None else rules
        self._monotonic = monotonic

    def warm_up(self) -> None:
        """Load what would otherwise be loaded with the first text."""
        lookalike()
        for load in self._loads:
            load()

    def session(self, rules: Rules | None = None) -> Session:
        """Start masking one call, by its own rules or the masker's."""
        return MaskingSession(
            self._scanner,
            self._bounds,
            late=self._late,
            rules=self._rules if rules is None else rules,
            monotonic=self._monotonic,
        )

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
        bounds: How much a prompt may hold.
        late: What searches what is left of it.
        rules: What happens to personal data.
        monotonic: Seconds that never run backwards.
    """

    __slots__ = ("_bounds", "_keys", "_known", "_late", "_monotonic", "_rules", "_scanner", "_vault")

    def __init__(
        self,
        scanner: Scanner,
        bounds: Bounds,
        *,
        late: Scanner | None,
        rules: Rules,
        monotonic: Callable[[], float],
    ) -> None:
        self._scanner = scanner
        self._late = late
        self._bounds = bounds
        self._rules = rules
        self._monotonic = monotonic
        self._known: dict[tuple[Kind, str], Declared] = {}
        self._keys: dict[tuple[Kind, str], str] = {}
        self._vault = PlaceholderVault()

    @property
    def vault(self) -> PlaceholderVault:
        """What restores the answer."""
        return self._vault

    def mask(self, texts: Sequence[str], data: object, *, known: object = None) -> tuple[list[str], Json]:
        """Mask the texts of one prompt and its data.

        Objects come back in the order of their original keys.

        Args:
            texts: Free texts (system, user).
            data: A pydantic model, a list or dict of them, or None.
            known: Personal data that is not sent but may occur in the texts: models with
                marks (or a list or dict of them), ``{Pii.NAME: names}``, or None.

        Returns:
            The masked texts and the data as JSON, masked.

        Raises:
            PrivacyRefused: If masking cannot be done safely; nothing may be sent.
        """
        ends = self._monotonic() + self._bounds.seconds
        tree, declared = read(data)
        refuse_declared(declared, self._rules)
        self._learn(declared)
        if known is not None:
            self._learn(read_known(known))
        free = [Leaf(str.__str__(text), FreeText) for text in texts]
        masking = self._masking([*free, *leaves(tree)], ends)
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
            self._known.setdefault((value.kind, self._key_of(value.kind, value.value)), value)

    def _key_of(self, kind: Kind, value: str) -> str:
        """What makes two values the same; worked out once for each spelling, when it is learnt."""
        key = self._keys.get((kind, value))
        if key is None:
            key = self._keys[kind, value] = normalised(kind, value)
        return key

    def _masking(self, found: Sequence[Leaf], ends: float) -> Masking:
        """Measure and search all texts, so that what one of them gives away is known in the others."""
        longest = max((len(value.value) for value in self._known.values()), default=0)
        windows = self._bounds.windows(found, self._rules, longest)
        recognized: dict[Leaf, tuple[Hit, ...]] = {}
        in_time = Deadline(self._bounds, self._monotonic, ends)
        for leaf in found:
            in_time.check()
            # Hardly a prompt has one, and to look it up takes the hash of a text and its mark.
            seen = windows[leaf][0] if windows and leaf in windows else leaf
            if seen.mark in (FreeText, Public):
                hits = recognized[seen] = tuple(self._recognize(seen))
                if hits:
                    self._learn(Declared(hit.kind, seen.text[hit.start : hit.end]) for hit in hits)
        search = self._search(recognized)
        if self._late is not None and self._search_again(self._late, search, recognized):
            search = self._search(recognized)
        return Masking(self._vault, search, self._rules, windows, in_time, self._key_of)

    def _search(self, recognized: dict[Leaf, tuple[Hit, ...]]) -> Search:
        return Search(Matcher(self._known.values()), recognized, self._recognize)

    def _search_again(self, late: Scanner, search: Search, recognized: dict[Leaf, tuple[Hit, ...]]) -> bool:
        """Let the late recognizers see what is left of the free texts; whether they found anything."""
        found = False
        for leaf in [leaf for leaf in recognized if leaf.mark is FreeText]:
            hits = tuple(left_over(late, leaf, search.settled(leaf, search.hits(leaf))))
            recognized[leaf] += hits
            self._learn(Declared(hit.kind, leaf.text[hit.start : hit.end]) for hit in hits)
            found = found or bool(hits)
        return found

    def _recognize(self, leaf: Leaf) -> Iterator[Hit]:
        for span in self._scanner.find(leaf.text):
            if leaf.mark is FreeText or span.kind in _SECRET:
                yield Hit(span.start, span.end, span.kind, span.priority, leaf.text[span.start : span.end])


def _parsed(text: str) -> object | None:
    """A JSON object or array; None for any other text."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return cast("object", json.loads(text))
    except (ValueError, RecursionError):
        # Nested deeper than the parser goes: a text like any other.
        return None
