"""The vault of one call, and putting values back into an answer.

Restoring is generous about decoration and strict about identity: ``<Person 1>``
still is ``[PERSON_1]``, but a placeholder whose number is unknown, or whose number
belongs to another type, stands for nothing and the answer must not be shown.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.base import Json, Kind, Sealed, Unresolved
from ai_addons.privacy.fold import fold
from ai_addons.privacy.grammar import LAST_NUMBER
from ai_addons.privacy.reading import Piece, Reading, SentPrompt, is_plain
from ai_addons.privacy.stream import RestoringStream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

TOO_MANY: Final = (
    f"The call holds more than {LAST_NUMBER} pieces of personal data. Nothing was sent and nothing was charged. "
    "Ask about fewer records at a time."
)
"""What a refusal says when placeholders run out."""

_DEEPEST: Final = 100
# An enum's `value` is a property in Python.
_WORDS: Final = {kind: kind.value for kind in Kind}


class PlaceholderVault(Sealed):
    """The placeholders of one call and what stands behind them; in memory only."""

    __slots__ = ("_numbers", "_prompt", "_values")

    def __init__(self) -> None:
        self._numbers: dict[tuple[Kind, str], int] = {}
        self._values: dict[int, tuple[Kind, str]] = {}
        self._prompt: list[str] = []

    @property
    def counts(self) -> Mapping[str, int]:
        """How many placeholders of each type word were made."""
        # By hand: a `Counter` takes ten times as long for the few there are, and this is asked three times a call.
        counts: dict[str, int] = {}
        for kind, _ in self._values.values():
            word = _WORDS[kind]
            counts[word] = counts.get(word, 0) + 1
        return MappingProxyType(counts)

    def placeholder(self, kind: Kind, key: str, value: str) -> str:
        """The placeholder of a value, the same for the same key; numbers run over all types together.

        Args:
            kind: Its type word.
            key: What makes two values the same.
            value: What comes back.

        Raises:
            PrivacyRefused: If the call holds more values than there are numbers.
        """
        number = self._numbers.setdefault((kind, key), len(self._numbers) + 1)
        if number > LAST_NUMBER:
            raise PrivacyRefused(TOO_MANY)
        self._values.setdefault(number, (kind, value))
        return _placeholder(kind, number)

    def sent(self, text: str) -> None:
        """Note a masked text: what stood in it may stand in the answer."""
        self._prompt.append(text)

    def restore(self, value: Json, *, facts: Mapping[str, str] | None = None, expects: Collection[Kind] = ()) -> Json:
        """Put the values back into every string leaf and key, in one pass.

        Args:
            value: The answer.
            facts: Texts of the references, such as ``{overdue_total}``, that the
                answer may hold; they are put in by the same pass. None leaves
                braces alone.
            expects: Types of which the answer must hold a value.

        Raises:
            Unresolved: If anything looks like a placeholder but is none of ours, if
                one stands inside a link, if two keys become equal, if the answer
                holds a phone number or an e-mail address of the model's own, or if
                a value that was expected is missing.
        """
        reading = Reading(self._values, SentPrompt(self._prompt), facts)
        restored = _Tree(reading).value(value, 0)
        missing = self._missing(reading, expects)
        if reading.unresolved or missing:
            raise Unresolved(tuple(dict.fromkeys(reading.unresolved)), missing)
        return restored

    def stream(self, *, expects: Collection[Kind] = ()) -> RestoringStream:
        """Put the values back into a text answer that arrives in pieces.

        Call it when everything was masked: what is sent later may not stand in the answer.

        Args:
            expects: Types of which the answer must hold a value.
        """
        reading = Reading(self._values, SentPrompt(self._prompt))
        return RestoringStream(reading, missing=lambda: self._missing(reading, expects))

    def close(self) -> None:
        """Forget everything."""
        self._numbers.clear()
        self._values.clear()
        self._prompt.clear()

    def _missing(self, reading: Reading, expects: Collection[Kind]) -> tuple[tuple[str, ...], ...]:
        """For each expected type of which the answer holds no value: its placeholders."""
        made = {
            expected: [number for number, (kind, _) in self._values.items() if kind is expected]
            for expected in dict.fromkeys(expects)
        }
        return tuple(
            tuple(_placeholder(kind, number) for number in numbers)
            for kind, numbers in made.items()
            if not reading.found.intersection(numbers)
        )


class _Tree(Sealed):
    """Walks through a JSON answer and reads its texts."""

    __slots__ = ("_reading",)

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def value(self, value: Json, depth: int) -> Json:
        """One value of the answer."""
        if depth > _DEEPEST:
            self._reading.unresolved.append("[[[")
            return None
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.value(item, depth + 1) for item in value]
        if not isinstance(value, dict):
            return value
        restored: dict[str, Json] = {}
        for key, item in value.items():
            name = self._text(key)
            if name in restored:
                self._reading.unresolved.append(key)
            restored[name] = self.value(item, depth + 1)
        return restored

    def _text(self, text: str) -> str:
        if is_plain(text):
            return text
        folded = fold(text)
        whole = Piece(text, 0, len(text), folded.text, 0, len(folded.text), folded)
        return self._reading.read(whole)


def _placeholder(kind: Kind, number: int) -> str:
    return f"[{_WORDS[kind]}_{number}]"
