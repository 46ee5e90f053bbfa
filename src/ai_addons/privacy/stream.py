"""Putting values back into an answer while it arrives.

What could still become part of a placeholder, a telephone number or an e-mail
address is held back until it is decided; the rest is given out at once. Every form
has a greatest length, so what is held has one too. Whatever way an answer is cut
into pieces, what comes out is what `restore` makes of the whole, or the same refusal.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from ai_addons.privacy import contacts, grammar, links
from ai_addons.privacy.base import Sealed, Unresolved
from ai_addons.privacy.fold import Folded, fold
from ai_addons.privacy.reading import Piece

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.privacy.reading import Reading

_AT_LEAST: Final = 16
_TOGETHER: Final = 32
"""So many new characters without a blank are looked at together: blanks decide most questions."""


class RestoringStream(Sealed):
    """One text answer on its way to a reader; for one thread at a time.

    Args:
        reading: The pass over the answer.
        missing: Placeholders that were expected and did not come, asked at the end.
    """

    __slots__ = (
        "_before",
        "_finished",
        "_folded_before",
        "_in_link",
        "_looked",
        "_missing",
        "_new",
        "_pending",
        "_reading",
    )

    def __init__(self, reading: Reading, *, missing: Callable[[], tuple[tuple[str, ...], ...]]) -> None:
        self._reading = reading
        self._missing = missing
        self._finished = False
        self._pending = ""
        self._new = 0
        # What was given out last, as the model wrote it and folded: it says what the rest means.
        self._before = ""
        self._folded_before = ""
        self._in_link = False
        self._looked = contacts.NOT_LOOKED

    @property
    def held(self) -> int:
        """How many characters are held back at the moment."""
        return len(self._pending)

    def feed(self, chunk: str) -> str:
        """Take the next piece and give what can be shown by now; often nothing.

        Raises:
            Unresolved: If a placeholder stands for nothing, or a contact is the
                model's own; nothing of it was given out, and nothing more will be.
            ValueError: If the answer was finished, or refused, before.
        """
        self._check_open()
        self._pending += chunk
        self._new += len(chunk)
        if self._new < _TOGETHER and not any(map(str.isspace, chunk)):
            return ""
        self._new = 0
        return self._give(fold(self._pending), whole=False)

    def finish(self) -> str:
        """Say that the answer is complete, and give the rest.

        Raises:
            Unresolved: As `feed`, or if a value that was expected is missing.
            ValueError: If the answer was finished, or refused, before.
        """
        self._check_open()
        rest = self._give(fold(self._pending), whole=True)
        self._finished = True
        if missing := self._missing():
            raise Unresolved((), missing)
        return rest

    def _check_open(self) -> None:
        if self._finished:
            msg = "The answer is finished, or was refused; begin a new stream for another one."
            raise ValueError(msg)

    def _give(self, folded: Folded, *, whole: bool) -> str:
        """Read what is decided, and keep the rest."""
        piece = self._piece(folded, whole=whole)
        given = self._reading.read(piece)
        if self._reading.unresolved:
            self._finished = True
            self._pending = self._before = self._folded_before = ""
            raise Unresolved(tuple(dict.fromkeys(self._reading.unresolved)))
        self._pending = piece.text[piece.end :]
        still = self._in_link if piece.link_end is None else piece.link_end >= piece.end
        self._in_link = still or links.is_open(piece.text, piece.end)
        kept = min(links.begin_of_run(piece.text, piece.end) - 1, piece.end - _AT_LEAST)
        self._before = piece.text[max(0, kept) : piece.end]
        cut_off = max(0, piece.folded_end - contacts.BEFORE - 1)
        self._folded_before = piece.folded[cut_off : piece.folded_end]
        self._looked = contacts.looked_to(piece.folded, piece.looked, piece.folded_end).moved(-cut_off)
        return given

    def _piece(self, folded: Folded, *, whole: bool) -> Piece:
        text, at = self._before + self._pending, len(self._before)
        levelled, folded_at = self._folded_before + folded.text, len(self._folded_before)
        link_end = links.end_of_link(text, at) if self._in_link else None
        if whole:
            end, folded_end = len(text), len(levelled)
        else:
            no_contact = contacts.first_unfinished(levelled, self._looked, folded_at)
            end = min(
                grammar.first_unfinished(text, at), at + _place(folded, no_contact - folded_at, len(self._pending))
            )
            end = grammar.crossing(text, at, end)
            folded_end = folded_at + _folded_place(folded, end - at)
        return Piece(text, at, end, levelled, folded_at, folded_end, folded, self._looked, link_end)


def _place(folded: Folded, place: int, length: int) -> int:
    """Where a place in a folded copy stands in its text of this length."""
    return length if place == len(folded.text) else folded.back(place, place + 1)[0]


def _folded_place(folded: Folded, place: int) -> int:
    """Where a place in a text stands in its folded copy."""
    return place if folded.starts is None else bisect_left(folded.starts, place)
