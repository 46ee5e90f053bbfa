"""What a prompt says, for a model that cannot read: the facts in its data, and the placeholders in its words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Final, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_addons.llm.base import Message

Value: TypeAlias = "str | int | float | bool"

_OPEN, _CLOSE = "<data>\n", "\n</data>"
_LONGEST: Final = 60
_PLACEHOLDER: Final = re.compile(r"\[([A-Z]+)_[0-9]+\]")
_KINDS: Final = {
    "name": "PERSON",
    "person": "PERSON",
    "customer": "PERSON",
    "phone": "PHONE",
    "telephone": "PHONE",
    "mobile": "PHONE",
    "email": "EMAIL",
    "address": "ADDRESS",
    "business": "BUSINESS",
    "shop": "BUSINESS",
    "account": "ACCOUNT",
}
"""Kind of placeholder that a field's last word asks for."""

_SUBJECTS: Final = frozenset({"name", "title", "product", "customer", "item"})
_CONTACTS: Final = ("[PHONE_", "[EMAIL_", "[ADDRESS_", "[ACCOUNT_", "[ID_")


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of the data and the key it stands under; a list's items share their list's key."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a prompt says that can be repeated.

    Attributes:
        values: The short values of the data, in order.
        placeholders: The placeholders that were given, each once, in order.
    """

    values: tuple[Fact, ...] = ()
    placeholders: tuple[str, ...] = ()

    def named(self, name: str) -> tuple[Value, ...]:
        """Values that a field of this name may repeat: those under its name, else placeholders of its kind.

        >>> Facts((Fact("customer_name", "Ama"),)).named("name")
        ('Ama',)
        """
        words = set(name.split("_"))
        same = [fact.value for fact in self.values if fact.name == name]
        near = [fact.value for fact in self.values if words <= set(fact.name.split("_"))]
        kind = _KINDS.get(name.rpartition("_")[2])
        of_kind = [token for token in self.placeholders if token.startswith(f"[{kind}_")]
        return tuple(same or near or of_kind)

    @property
    def texts(self) -> tuple[str, ...]:
        """Short texts to speak about, each once: those of the data, else the placeholders; names first."""
        given = [fact for fact in self.values if isinstance(fact.value, str)]
        given = given or [Fact("", token) for token in self.placeholders]
        return tuple(dict.fromkeys(str(fact.value) for fact in sorted(given, key=_rank)))

    @property
    def figures(self) -> tuple[str, ...]:
        """Numbers with their names, as they are said: ``late 2``."""
        numbers = [fact for fact in self.values if fact.name and isinstance(fact.value, (int, float))]
        said = (f"{fact.name.replace('_', ' ')} {fact.value}" for fact in numbers if not isinstance(fact.value, bool))
        return tuple(dict.fromkeys(said))


def _rank(fact: Fact) -> int:
    """Whom or what a sentence is about comes first, how to reach them last."""
    text = str(fact.value)
    if text.startswith("[PERSON_") or fact.name.rpartition("_")[2] in _SUBJECTS:
        return 0
    return 2 if text.startswith(_CONTACTS) else 1


def facts_of(messages: Sequence[Message]) -> Facts:
    """Read the user's first turns: short values of the ``<data>`` blocks, and every placeholder.

    What follows the model's own answer is a correction; it may quote placeholders that do not exist.
    """
    asked = takewhile(lambda message: message.role != "assistant", messages)
    texts = [message.content for message in asked if message.role == "user"]
    values = (fact for text in texts for block in _blocks(text) for fact in _leaves("", block))
    given = dict.fromkeys(match[0] for text in texts for match in _PLACEHOLDER.finditer(text))
    return Facts(tuple(values), tuple(given))


def _blocks(content: str) -> Iterator[object]:
    """The JSON of each delimited block; text that is none is passed over."""
    for part in content.split(_OPEN)[1:]:
        body, closed, _ = part.partition(_CLOSE)
        if closed:
            try:
                yield json.loads(body)
            except ValueError:
                continue


def _leaves(name: str, value: object) -> Iterator[Fact]:
    """The values that are short enough to be repeated whole: a cut placeholder could not be restored."""
    if isinstance(value, dict):
        for key, inner in cast("dict[str, object]", value).items():
            yield from _leaves(key, inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _leaves(name, inner)
    elif isinstance(value, (bool, int, float)):
        yield Fact(name, value)
    elif isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST and "\n" not in value.strip():
        yield Fact(name, value.strip())
