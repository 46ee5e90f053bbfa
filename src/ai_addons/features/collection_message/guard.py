"""What no reminder may say, whoever wrote it.

A word list alone is no guard: of threats worded with
care it stops about a third. So the default mode sends approved sentences only, and
one line of the model's own that is dropped for the slightest doubt.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_addons.features._facts import clean, plain_references, references, without_references
from ai_addons.features._guard import CANARY, english_faults, number_faults, refuse_unsafe, unsafe
from ai_addons.features._numerals import amounts
from ai_addons.features.collection_message.gsm7 import encoding, plain
from ai_addons.features.collection_message.instructions import DRAFT_SYSTEM, SYSTEM
from ai_addons.features.collection_message.never import RULES
from ai_addons.privacy.grammar import lookalike

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ai_addons.features.collection_message.bank import Part

MOST_LINE: Final = 120
"""Characters of the model's own line."""

DROPPED: Final = "(left out)"
"""Stands for a line of the model's own that failed a check."""

_ENOUGH_WORDS: Final = 3
_MOST_DIGITS_IN_NAME: Final = 4

# The owner's own offer may offer and set a day; it may not do the rest.
_NOT_IN_OFFERS: Final = ("a threat", "shame", "an insult")
_QUERY: Final = re.compile(
    r"\b(?:questions?|quer(?:y|ies)|ask|check|wrong|mistakes?|errors?|differs?|discuss|unclear|not right|talk)\b"
)
_CAPITAL: Final = re.compile(r"(?<=[\w,;:)'] )[A-Z][\w']*")
_MAY_BE_CAPITAL: Final = frozenset({"I", "I'm", "I'd"})
_NAME_MARKS: Final = re.compile(r"[{}\[\]<>|\\@#*_=~^`\"]")


def tone_faults(where: str, text: str) -> list[str]:
    """What a text says that no reminder may; messages quote nothing of it."""
    folded = text.lower()
    return [f"{where}: holds {name}" for name, pattern in RULES.items() if pattern.search(folded)]


def harmless_offer(text: str) -> str:
    """An owner's offer, if it neither threatens nor shames nor insults.

    Raises:
        ValueError: If it does; nothing of it is quoted.
    """
    if any(RULES[name].search(text.lower()) for name in _NOT_IN_OFFERS):
        msg = "an offer may hold no threat, shame or insult"
        raise ValueError(msg)
    return text


def kept_line(value: object) -> object:
    """The model's own line, in plain characters; `DROPPED` in its place if it fails any check."""
    if not isinstance(value, str):
        return value
    line = plain(clean(value))
    return line if line in {"", DROPPED} or _sound(line) else DROPPED


def _sound(line: str) -> bool:
    return (
        len(line) <= MOST_LINE
        and encoding(line) == "gsm7"
        and not _NAME_MARKS.search(line)
        and not lookalike().search(line)
        and unsafe(line, system=SYSTEM) is None
        and CANARY not in line.lower()
        and next(amounts(line), None) is None
        and not [*number_faults("", line), *tone_faults("", line)]
        and not set(_CAPITAL.findall(line)) - _MAY_BE_CAPITAL
        and not english_faults("", line, enough=_ENOUGH_WORDS)
        and line[-1] in ".!?"
    )


def shows_name(name: str) -> bool:
    """Whether a name of the tenant's records can stand in a greeting; a number or a link in it cannot."""
    return (
        not _NAME_MARKS.search(name)
        and not lookalike().search(name)
        and unsafe(name, system=SYSTEM) is None
        and CANARY not in name.lower()
        and sum(char.isdigit() for char in name) <= _MOST_DIGITS_IN_NAME
    )


def choice_faults(chosen: Mapping[Part, str], menu: Mapping[Part, Collection[str]]) -> list[str]:
    """Ids that were not given for their part.

    Args:
        chosen: Id by part.
        menu: Ids that were given, by part.
    """
    return [
        f"{part}: not one of the ids given for it; copy one exactly"
        for part, id_ in chosen.items()
        if id_ not in menu[part]
    ]


def draft_faults(text: str, *, needed: Collection[str], may_cite: Collection[str]) -> list[str]:
    """What is wrong with a free draft before its values are filled in.

    Args:
        text: The draft.
        needed: Keys it must cite.
        may_cite: All keys there are.

    Raises:
        BadOutput: If it must not even be corrected.
    """
    refuse_unsafe((text,), system=DRAFT_SYSTEM, canary=CANARY)
    cited, prose = references(text), plain(without_references(text))
    found = [*number_faults("message", text), *tone_faults("message", prose)]
    found += ["message: cites a key that is not in may_cite"] if set(cited) - set(may_cite) else []
    found += [f"message: must cite {{{key}}}" for key in needed if key not in cited]
    found += ["message: holds a brace or bracket that belongs to no key"] if _NAME_MARKS.search(prose) else []
    found += ["message: must say how to ask about the bill"] if not _QUERY.search(prose.lower()) else []
    found += ["message: write in plain letters only"] if encoding(prose) != "gsm7" else []
    return [*found, *english_faults("message", prose, enough=_ENOUGH_WORDS)]


def draft_text(text: str) -> str:
    """A draft with its references undecorated and its quotes plain."""
    return plain(plain_references(text))
