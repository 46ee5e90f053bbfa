"""What makes an answer good, as far as code can tell: one plain function for each property.

Limits and lists are set by hand. Whether a text is right, kind and useful, no function here can say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ai_addons.features import FeatureResult
    from ai_addons.receipt import Receipt

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")
_MOST_WORDS: Final = 22
_FEWEST_WORDS: Final = 4
_HYPE: Final = re.compile(
    r"\b(?:amazing|game.?chang\w+|incredible|leverag\w+|robust|seamless\w*|skyrocket\w*|supercharge\w*|synerg\w+"
    r"|unleash\w*|unlock\w*|unparalleled|world.class)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One call that a model was asked for.

    Attributes:
        result: What the shop got.
        receipt: What it cost.
        faults: What was wrong with the first answer; empty if nothing was.
    """

    result: FeatureResult[object]
    receipt: Receipt
    faults: tuple[str, ...] = ()


def usable(one: Answered) -> bool:
    """The model's words were used, after one correction at most."""
    return one.result.source == "ai"


def first_time(one: Answered) -> bool:
    """The first answer passed every check."""
    return usable(one) and not one.faults


def grounded(one: Answered) -> bool:
    """At least one fact is cited."""
    return any(one.result.evidence.values())


def short_sentences(one: Answered) -> bool:
    """A sentence has 22 words at most, on average."""
    lengths = [len(sentence.split()) for text in prose(one) for sentence in _SENTENCE.split(text)]
    return bool(lengths) and sum(lengths) <= _MOST_WORDS * len(lengths)


def no_hype(one: Answered) -> bool:
    """None of the words that sell and say nothing."""
    return not any(_HYPE.search(text) for text in prose(one))


def nothing_twice(one: Answered) -> bool:
    """No sentence stands there two times."""
    found = [sentence.casefold() for text in prose(one) for sentence in _SENTENCE.split(text)]
    return len(found) == len(set(found))


OF_ALL: Final[Mapping[str, Callable[[Answered], bool]]] = {"usable": usable, "first time": first_time}
"""Scored over every call."""

OF_USABLE: Final[Mapping[str, Callable[[Answered], bool]]] = {
    "grounded": grounded,
    "short sentences": short_sentences,
    "no hype": no_hype,
    "nothing twice": nothing_twice,
}
"""Scored over the calls whose words are the model's."""


def prose(one: Answered) -> list[str]:
    """Every text of a result that is a sentence; code's own sentences among them."""
    dump = one.result.model_dump(mode="json")["data"]
    return [text for text in _texts(dump) if len(text.split()) >= _FEWEST_WORDS]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in cast("dict[str, object]", value).values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _texts(inner)
