"""Sentences of the shop owner's pages, in the reader's language. The English sentence is a message's name."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger: Final = logging.getLogger("ai_addons")

_PLACE: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Words:
    """Says a sentence of a page.

    Attributes:
        translate: Turns an English sentence into the reader's language; what it does not know it gives back. None
            for English.
    """

    translate: Callable[[str], str] | None = None

    def __call__(self, sentence: str, /, **values: object) -> str:
        """A sentence for the reader.

        Args:
            sentence: In English, with ``{name}`` where a value stands.
            **values: They are put in after the translation, as they are. A translation may leave one out or move
                it; a place that it makes up stays as it is written.

        Returns:
            Text, which templates escape as a whole, so neither a value nor a translation can be markup.
        """
        return _filled(self._translated(sentence), values)

    def _translated(self, sentence: str) -> str:
        # To gettext an empty text is the name of a catalogue's header.
        if self.translate is None or not sentence:
            return sentence
        try:
            return str(self.translate(sentence))
        except Exception:  # the hook is the host's: a page in English is better than none
            logger.exception("the translation of a page's sentence failed; it is shown in English")
            return sentence


ENGLISH: Final = Words()
"""The sentences as they are written here."""


def _filled(sentence: str, values: Mapping[str, object]) -> str:
    # Not `str.format`: a translation is no program that may look into values.
    return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), sentence)
