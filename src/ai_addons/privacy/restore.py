"""The vault of one call, and putting values back into an answer.

Restoring is generous about decoration and strict about identity: ``<Person 1>``
still is ``[PERSON_1]``, but a placeholder whose number is unknown, or whose number
belongs to another type, stands for nothing and the answer must not be shown.
"""

from __future__ import annotations

import re
from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.base import Json, Kind, Sealed, Unresolved
from ai_addons.privacy.fold import fold, plain
from ai_addons.privacy.grammar import EXACT, LAST_NUMBER, LOOKALIKE, read_token, urls
from ai_addons.privacy.normal import NATIONAL_DIGITS, digits_of
from ai_addons.privacy.recognizers import EmailRecognizer, PhoneRecognizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOO_MANY: Final = (
    f"The call holds more than {LAST_NUMBER} pieces of personal data. Nothing was sent and nothing was charged. "
    "Ask about fewer records at a time."
)
"""What a refusal says when placeholders run out."""

_DEEPEST: Final = 100
_BRACKETED: Final = frozenset({"form", "words", "nameless"})
_NUMBER_GAPS: Final = re.compile(r"(?<=[0-9])[ .\-()+]{1,3}(?=[0-9])")
# Whatever a call's own recognizers are, an invented contact must not send a customer to a stranger.
_CONTACTS: Final = (EmailRecognizer(), PhoneRecognizer())


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
        return MappingProxyType(Counter(kind.value for kind, _ in self._values.values()))

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
        return f"[{kind.value}_{number}]"

    def sent(self, text: str) -> None:
        """Note a masked text: what stood in it may stand in the answer."""
        self._prompt.append(text)

    def restore(self, value: Json) -> Json:
        """Put the values back into every string leaf and key, in one pass.

        Raises:
            Unresolved: If anything looks like a placeholder but is none of ours, if
                one stands inside a link, if two keys become equal, or if the answer
                holds a phone number or an e-mail address of the model's own.
        """
        restoring = _Restoring(self._values, _Prompt(self._prompt))
        restored = restoring.value(value, 0)
        if restoring.unresolved:
            raise Unresolved(tuple(dict.fromkeys(restoring.unresolved)))
        return restored

    def close(self) -> None:
        """Forget everything."""
        self._numbers.clear()
        self._values.clear()
        self._prompt.clear()


class _Restoring(Sealed):
    """One pass over one answer; what it cannot resolve it collects."""

    __slots__ = ("_prompt", "_values", "unresolved")

    def __init__(self, values: Mapping[int, tuple[Kind, str]], prompt: _Prompt) -> None:
        self._values = values
        self._prompt = prompt
        self.unresolved: list[str] = []

    def value(self, value: Json, depth: int) -> Json:
        """One value of the answer."""
        if depth > _DEEPEST:
            self.unresolved.append("[[[")
            return None
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item, depth + 1) for item in value]
        if not isinstance(value, dict):
            return value
        restored: dict[str, Json] = {}
        for key, item in value.items():
            name = self.text(key)
            if name in restored:
                self.unresolved.append(key)
            restored[name] = self.value(item, depth + 1)
        return restored

    def text(self, text: str) -> str:
        """One text of the answer, read once: what is put in is not looked at again."""
        self.unresolved += self._strangers(text)
        links = list(urls(text))
        pieces: list[str] = []
        at = 0
        for match in LOOKALIKE.finditer(text):
            pieces.append(text[at : match.start()])
            inside = any(start <= match.start() < end for start, end in links)
            pieces.append(self._resolve(match, in_link=inside))
            at = match.end()
        return "".join([*pieces, text[at:]])

    def _resolve(self, match: re.Match[str], *, in_link: bool) -> str:
        """What stands for one lookalike; what cannot be resolved stays, and is noted."""
        token = match[0]
        exact = EXACT.search(token)
        copied = match.lastgroup in _BRACKETED and token in self._prompt.lookalikes()
        found = None if in_link else self._found(match, exact, copied=copied)
        if found is None and (exact or not copied):
            self.unresolved.append(token)
        return token if found is None else found

    def _found(self, match: re.Match[str], exact: re.Match[str] | None, *, copied: bool) -> str | None:
        token = match[0]
        # What stood around the placeholder in the prompt, or is no square bracket, is text and stays.
        if exact and (copied or EXACT.sub("", token).strip("[]\\")):
            value = self._value_of(Kind(exact[1]), int(exact[2]))
            return None if value is None else token[: exact.start()] + value + token[exact.end() :]
        read = None if _cut_off(match) else read_token(token)
        value = self._value_of(read.kind, read.number) if read else None
        return None if read is None or value is None else read.before + value + read.after

    def _value_of(self, kind: Kind, number: int) -> str | None:
        """The value, if type and number agree."""
        known, value = self._values.get(number, (None, None))
        return value if known is kind else None

    def _strangers(self, text: str) -> Iterator[str]:
        """Phone numbers and e-mail addresses that were not in the prompt."""
        folded = fold(text)
        for scanner in _CONTACTS:
            for span in scanner.find(folded.text):
                start, end = folded.back(span.start, span.end)
                if not self._prompt.holds(span.kind, folded.text[span.start : span.end]):
                    yield text[start:end]


class _Prompt(Sealed):
    """What was sent, read when an answer first asks about it."""

    __slots__ = ("_lookalikes", "_plain", "_texts")

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._lookalikes: frozenset[str] | None = None
        self._plain: str | None = None

    def lookalikes(self) -> frozenset[str]:
        """The placeholders in it with whatever stood around them, and other short bracketed texts."""
        if self._lookalikes is None:
            self._lookalikes = frozenset(match[0] for text in self._texts for match in LOOKALIKE.finditer(text))
        return self._lookalikes

    def holds(self, kind: Kind, contact: str) -> bool:
        """Whether a phone number, in any spelling, or an e-mail address stood in it."""
        if self._plain is None:
            text = plain("\n".join(self._texts))
            self._plain = f"{text}\n{_NUMBER_GAPS.sub('', text)}"
        return (contact.lower() if kind is Kind.EMAIL else digits_of(contact)[-NATIONAL_DIGITS:]) in self._plain


def _cut_off(match: re.Match[str]) -> bool:
    """Whether it is but a piece: a bracket opened and never closed, or letters that follow directly."""
    if match.lastgroup == "form":
        return False
    before, after = match.string[: match.start()].rstrip()[-1:], match.string[match.end() : match.end() + 1]
    return match.lastgroup in _BRACKETED or before in set("[{<«⟦【［‹") or after.isalnum() or after == "_"  # noqa: RUF001  # full-width brackets are meant
