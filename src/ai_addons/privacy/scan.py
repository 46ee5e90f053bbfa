"""Searching a text with many recognizers at once.

Recognizers of numbers share one pass over the digits; the others are asked one after
the other. Whatever one of them does wrong refuses the call: a detector that failed
has not found that there is nothing.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from ai_addons.errors import AddOnsError, PrivacyRefused
from ai_addons.privacy.base import Span
from ai_addons.privacy.fold import fold
from ai_addons.privacy.recognizers._runs import RunReader, RunRecognizer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ai_addons.privacy.base import Recognizer
    from ai_addons.privacy.fold import Folded


# Of what stands in these modules it is known that what it finds depends on the text alone. With the dot, so that a
# package whose name only begins like ours is not taken for it.
_OURS: Final = RunReader.__module__.rpartition(".")[0] + "."
_MOST_CLEAN: Final = 4_096


class Scanner:
    """Searches texts with the recognizers given, as fast as they allow.

    Instructions, product names and the prompts of repeated calls come again and again, and hold nothing. Of a text
    in which our own recognizers found nothing a digest is kept, and it is not searched again; the text itself is not.

    Args:
        recognizers: What to search with.
    """

    __slots__ = ("_clean", "_searches")

    def __init__(self, recognizers: Iterable[Recognizer]) -> None:
        chosen = tuple(recognizers)
        shared = [one for one in chosen if isinstance(one, RunRecognizer) and _shares(one)]
        alone = [(type(one).__name__, one.find) for one in chosen if one not in shared]
        together = [("of numbers", RunReader(shared).find)] if shared else []
        self._searches = (*alone, *together)
        ours = all(type(one).__module__.startswith(_OURS) for one in chosen)
        self._clean: set[bytes] | None = set() if ours else None

    def find(self, text: str) -> list[Span]:
        """What they find, in the offsets of the text as given; not yet settled.

        Raises:
            PrivacyRefused: If a recognizer raises, or reports a place outside the text.
        """
        if self._clean is None:
            return self._search(text)
        digest = blake2b(text.encode(errors="surrogatepass"), digest_size=32).digest()
        if digest in self._clean:
            return []
        spans = self._search(text)
        if not spans:
            if len(self._clean) >= _MOST_CLEAN:
                self._clean.clear()
            self._clean.add(digest)
        return spans

    def _search(self, text: str) -> list[Span]:
        folded = fold(text)
        seen, size, moved = folded.text, len(folded.text), folded.starts is not None
        spans: list[Span] = []
        refusal: PrivacyRefused | None = None
        for name, find in self._searches:
            try:
                for span in find(seen):
                    if not 0 <= span.start < span.end <= size:
                        refusal = PrivacyRefused(_outside(name))
                        break
                    spans.append(_moved(span, folded) if moved else span)
            except AddOnsError:
                # One that knows what went wrong has said so, without quoting the text.
                raise
            except Exception as error:  # noqa: BLE001  # a plug-in may raise anything, and all of it fails closed
                refusal = PrivacyRefused(_failed(name, type(error).__name__))
            if refusal:
                # Not chained: what a recognizer raises may quote the text.
                raise refusal
        return spans


def _moved(span: Span, folded: Folded) -> Span:
    return Span(*folded.back(span.start, span.end), span.kind, span.priority)


def _shares(recognizer: RunRecognizer) -> bool:
    """Whether the shared pass finds the same; not for a class that has a search of its own."""
    return type(recognizer).find is RunRecognizer.find


def _outside(name: str) -> str:
    return (
        f"The recognizer {name} reported a place outside the text, so masking cannot be trusted. "
        "Nothing was sent and nothing was charged. Remove it from privacy.recognizers, or correct it."
    )


def _failed(name: str, error: str) -> str:
    return (
        f"The recognizer {name} failed with {error}, so what it would have found is not known. "
        "Nothing was sent and nothing was charged. Remove it from privacy.recognizers, or correct it."
    )
