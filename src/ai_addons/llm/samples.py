"""Words for answers that no model wrote: plainly samples, made of the prompt's own facts."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.llm.facts import Facts

_SHORT_NAMES: Final = frozenset({"title", "headline", "heading", "name", "subject", "label", "caption", "tag", "code"})
_MOST_TEXTS: Final = 6
_MOST_FIGURES: Final = 3
_FILLER: Final = "This text stands in for the model's own."
_CHARACTERS_A_TOKEN: Final = 3


@dataclass(frozen=True, slots=True)
class Draw:
    """Numbers that look random and depend on a key and a path alone, on every machine and Python."""

    key: bytes

    def __call__(self, path: str, below: int) -> int:
        """A number from 0 up to ``below``, the same for the same path."""
        digest = blake2b(path.encode(), key=self.key, digest_size=8).digest()
        return int.from_bytes(digest, "big") % below


def draw_for(*parts: str) -> Draw:
    """The numbers that belong to these texts: a seed, a prompt."""
    digest = blake2b(digest_size=32)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part.encode())
    return Draw(digest.digest())


def answer_text(facts: Facts, draw: Draw, max_tokens: int) -> str:
    """A plain answer: what it is, what it is about, and as much more as the output cap allows."""
    texts, figures = facts.texts[:_MOST_TEXTS], facts.figures[:_MOST_FIGURES]
    subject = f"about {listed(texts)}" if texts else "with no facts to go by"
    said = f", with {listed(figures)}" if figures else ""
    first = f"Sample answer from the offline model: {subject}{said}."
    more = _CLOSINGS[draw("closing", len(_CLOSINGS))]
    whole = f"{first} {more}"
    return whole if len(whole) <= max_tokens * _CHARACTERS_A_TOKEN else first


_CLOSINGS: Final = (
    "A real model would say more, in words of its own.",
    "A real model weighs these facts and puts them into words.",
    "Set a provider's key to read what a real model makes of it.",
)


def phrases(name: str, index: int, facts: Facts, draw: Draw) -> list[str]:
    """Texts for a field, best first: a sentence with facts, a phrase with one, one without, the bare label.

    Args:
        name: Of the field.
        index: Its number in a list.
        facts: What may be repeated.
        draw: What decides between equals.
    """
    label = name.replace("_", " ")
    number = f" {index + 1}" if index else ""
    plain = [f"Sample {label}{number}", f"{label}{number}"]
    if not facts.texts:
        return plain
    subject = facts.texts[index % len(facts.texts)]
    short = f"Sample {label}{number}: {subject}"
    figures = facts.figures
    if name.rpartition("_")[2] in _SHORT_NAMES or not figures:
        return [short, *plain]
    at = draw(f"{name} figures", len(figures)) + index
    chosen = dict.fromkeys(figures[(at + step) % len(figures)] for step in range(2))
    return [f"{short}, with {listed(tuple(chosen))}.", short, *plain]


def fitted(candidates: Sequence[str], shortest: int, longest: float) -> str:
    """The first candidate that fits, filled up to the least length; only the last, which holds no fact, is cut."""
    fitting = next((phrase for phrase in candidates if len(phrase) <= longest), None)
    text = candidates[-1][: int(longest)] if fitting is None else fitting
    while len(text) < shortest:
        text = f"{text} {_FILLER}"
    # What stood there before the filler was short enough: only filler is cut, never a fact.
    return text if len(text) <= longest else text[: int(longest)]


def listed(items: Sequence[str]) -> str:
    """Items as they are read out.

    >>> listed(["rice", "milk", "bread"])
    'rice, milk and bread'
    """
    return " and ".join([*filter(None, [", ".join(items[:-1])]), *items[-1:]])
