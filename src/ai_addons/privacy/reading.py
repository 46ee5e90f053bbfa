"""Reading an answer once, from left to right: what stands for a value, what stands for nothing.

A text is read whole (`restore`) or in pieces (`stream`), by the same code: a piece
may be read when nothing that follows can change what it means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind, Sealed
from ai_addons.privacy.contacts import NOT_LOOKED, Looked, contacts
from ai_addons.privacy.fold import Folded, plain
from ai_addons.privacy.grammar import EXACT, is_cut_off, lookalike, lookalike_or_reference, read_token
from ai_addons.privacy.links import begin_of_run, urls
from ai_addons.privacy.normal import NATIONAL_DIGITS, digits_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_BRACKETED: Final = frozenset({"form", "words", "nameless", "cut"})
# What every form, reference and contact in ASCII text holds at least one of.
_SIGN: Final = re.compile(r"[0-9\[<&\\{@]|://|www\.", re.IGNORECASE)
_NUMBER_GAPS: Final = re.compile(r"(?<=[0-9])[ .\-()+]{1,3}(?=[0-9])")


@dataclass(frozen=True, slots=True, repr=False)
class Piece:
    """A stretch of an answer, with enough of what stands around it to be understood.

    Attributes:
        text: The answer, or as much of it as is needed.
        at: Where the stretch begins.
        end: Where it ends; no form crosses it, and every contact that begins before it is whole.
        folded: The same text with its typography levelled, for finding contacts.
        folded_at: Where the stretch begins there.
        folded_end: Where it ends there.
        back: Where a stretch of the folded text stands in ``text``.
        looked: How far contacts were looked for before.
        link_end: Where a link ends that was open at ``at``; None if none was.
    """

    text: str
    at: int
    end: int
    folded: str
    folded_at: int
    folded_end: int
    back: Folded
    looked: Looked = NOT_LOOKED
    link_end: int | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a folded stretch inside the piece stands in its text."""
        first, last = self.back.back(start - self.folded_at, end - self.folded_at)
        return first + self.at, last + self.at

    def links(self) -> Iterator[tuple[int, int]]:
        """Where links stand, the one included that was open at the beginning."""
        yield from urls(self.text, begin_of_run(self.text, self.at))
        if self.link_end is not None:
            yield self.at, self.link_end


def is_plain(text: str) -> bool:
    """Whether a text holds nothing that reading could put a value in or doubt, as most of an answer's words do."""
    return text.isascii() and _SIGN.search(text) is None


class SentPrompt(Sealed):
    """What was sent, read when an answer first asks about it."""

    __slots__ = ("_lookalikes", "_plain", "_texts")

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._lookalikes: frozenset[str] | None = None
        self._plain: str | None = None

    def lookalikes(self) -> frozenset[str]:
        """The placeholders in it with whatever stood around them, and other short bracketed texts."""
        if self._lookalikes is None:
            self._lookalikes = frozenset(match[0] for text in self._texts for match in lookalike().finditer(text))
        return self._lookalikes

    def holds(self, kind: Kind, contact: str) -> bool:
        """Whether a number, in any spelling, an e-mail address or a link stood in it."""
        if self._plain is None:
            text = plain("\n".join(self._texts))
            self._plain = f"{text}\n{_NUMBER_GAPS.sub('', text)}"
        if kind in {Kind.PHONE, Kind.ACCOUNT}:
            return digits_of(contact)[-NATIONAL_DIGITS if kind is Kind.PHONE else 0 :] in self._plain
        # A piece of an address or a link is another one.
        whole = rf"(?<![\w.%+\-]){re.escape(contact.lower())}(?![\w\-/?#&=%]|\.\w)"
        return re.search(whole, self._plain) is not None


class Reading(Sealed):
    """One pass over one answer; what it cannot resolve it collects.

    Args:
        values: Type and value of each number.
        prompt: What was sent.
        facts: Texts of a feature's references; None if the answer holds none.
    """

    __slots__ = ("_facts", "_pattern", "_prompt", "_values", "found", "unresolved")

    def __init__(
        self, values: Mapping[int, tuple[Kind, str]], prompt: SentPrompt, facts: Mapping[str, str] | None = None
    ) -> None:
        self._values = values
        self._prompt = prompt
        self._facts = facts
        self._pattern = lookalike() if facts is None else lookalike_or_reference()
        self.unresolved: list[str] = []
        self.found: set[int] = set()

    def read(self, piece: Piece) -> str:
        """The piece with the values in it; what is put in is not looked at again."""
        faults = [*self._strangers(piece)]
        links: list[tuple[int, int]] | None = None
        pieces: list[str] = []
        at = piece.at
        for match in self._pattern.finditer(piece.text, at):
            if match.start() >= piece.end:
                break
            links = [*piece.links()] if links is None else links
            inside = any(start <= match.start() <= end for start, end in links)
            found = self._resolve(match, in_link=inside)
            if found is None:
                faults.append((match.start(), match[0]))
            pieces += [piece.text[at : match.start()], match[0] if found is None else found]
            at = match.end()
        self.unresolved += [token for _, token in sorted(faults)]
        return "".join([*pieces, piece.text[at : piece.end]])

    def _resolve(self, match: re.Match[str], *, in_link: bool) -> str | None:
        """What stands for one lookalike or reference; None if nothing does."""
        if match.lastgroup == "reference":
            return None if self._facts is None else self._facts.get(match["key"])
        token = match[0]
        exact = EXACT.search(token)
        copied = match.lastgroup in _BRACKETED and token in self._prompt.lookalikes()
        found = None if in_link else self._found(match, exact, copied=copied)
        return token if found is None and copied and not exact else found

    def _found(self, match: re.Match[str], exact: re.Match[str] | None, *, copied: bool) -> str | None:
        token = match[0]
        # What stood around the placeholder in the prompt, or is no square bracket, is text and stays.
        if exact and (copied or EXACT.sub("", token).strip("[]\\")):
            value = self._value_of(Kind(exact[1]), int(exact[2]))
            return None if value is None else token[: exact.start()] + value + token[exact.end() :]
        read = None if is_cut_off(match) else read_token(token)
        value = self._value_of(read.kind, read.number) if read else None
        return None if read is None or value is None else read.before + value + read.after

    def _value_of(self, kind: Kind, number: int) -> str | None:
        """The value, if type and number agree."""
        known, value = self._values.get(number, (None, None))
        if known is not kind:
            return None
        self.found.add(number)
        return value

    def _strangers(self, piece: Piece) -> Iterator[tuple[int, str]]:
        """Contacts that were not in the prompt, with their places."""
        for contact in contacts(piece.folded, piece.looked, piece.folded_end):
            if not self._prompt.holds(contact.kind, contact.written):
                start, end = piece.place(contact.start, contact.end)
                yield start, piece.text[start:end]
