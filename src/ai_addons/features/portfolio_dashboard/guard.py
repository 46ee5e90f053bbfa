"""What the words of a dashboard must not do: contradict code, promise money, threaten, or leave their area."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_addons.features._facts import references, without_references
from ai_addons.features._guard import Cited, cited_faults, english_faults, refuse_unsafe, script_faults, threat_faults
from ai_addons.features.portfolio_dashboard.results import (
    MOST_ACTION,
    MOST_CAVEAT,
    MOST_CHANGED,
    MOST_HEADLINE,
    MOST_RISK,
    MOST_SECTION,
    DashboardText,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_addons.features._result import Fact
    from ai_addons.features.portfolio_dashboard.facts import Briefing
    from ai_addons.features.portfolio_dashboard.scores import Board, Status

_PRAISE: Final = (
    r"\b(?:excellent|outstanding|healthy|very good|very strong|superb|thriving|in good shape|no concerns?"
    r"|all (?:is )?well|nothing to worry)\b"
)
_ALARM: Final = (
    r"\b(?:crisis|critical|alarming|collaps\w+|disast\w+|bankrupt\w*|insolven\w+|desperate|very bad|very weak"
    r"|failing)\b"
)
# Against the status that code gave.
_AGAINST: Final[Mapping[Status, re.Pattern[str]]] = {
    "good": re.compile(_ALARM),
    "watch": re.compile(f"{_ALARM}|{_PRAISE}"),
    "bad": re.compile(_PRAISE),
}
_MONEY: Final = r"(?:cash|profits?|money|income|sales|revenue|margins?|earnings|savings?|cedis)"
_PROMISE: Final = re.compile(
    r"\bguarante\w+|\bpromis\w+|\brisk[- ]free\b"
    r"|\b(?:will|shall|going to|sure to|'ll) (?:\w+ )?"
    r"(?:bring|earn|yield|generate|recover|release|free up|boost|double|save|collect|pay (?:off|back))\b"
    r"|\b(?:will|shall|going to|sure to|'ll) (?:\w+ ){0,2}"
    rf"(?:increase|grow|raise|improve|lift|add|make|give|gain|get)\b[^.!?]{{0,40}}\b{_MONEY}\b"
    rf"|\b{_MONEY} (?:\w+ )?(?:will|shall|(?:is|are) (?:going|sure) to) (?:\w+ )?"
    r"(?:rise|grow|improve|increase|recover|go up|return|come)\b"
    rf"|\b(?:extra|additional) {_MONEY}\b"
)
_RISING: Final = re.compile(
    r"\b(?:rose|rise[sn]?|rising|grew|grows?|growing|grown|growth|increas\w+|climb\w*|jumped|went up|is up|are up"
    r"|gain(?:ed|s)?)\b"
)
_FALLING: Final = re.compile(
    r"\b(?:fell|falls?|fallen|falling|dropp?(?:ed|s|ing)?|declin\w+|decreas\w+|shr[aiu]nk\w*|went down|is down|are down"
    r"|slipped|lost ground|shorter|narrowed)\b"
)
_SENTENCE: Final = re.compile(r"[.!?;]+(?:\s|$)")


def faults(answer: DashboardText, board: Board, brief: Briefing, *, system: str, canary: str) -> list[str]:
    """What is wrong with the words; the messages quote nothing of them.

    Args:
        answer: What the model wrote.
        board: What code decided.
        brief: What may be cited.
        system: The instructions, which must not come back.
        canary: A word of them that occurs nowhere else.

    Raises:
        BadOutput: If it must not even be corrected.
    """
    parts = list(texts_of(answer))
    refuse_unsafe((cited.text for _, cited, _ in parts), system=system, canary=canary)
    prose = " ".join(without_references(cited.text) for _, cited, _ in parts)
    return [
        *(fault for where, cited, most in parts for fault in cited_faults(where, cited, brief.facts, most=most)),
        *_section_faults(answer, board, brief),
        *_status_faults("headline", answer.headline.text, board.status),
        *(fault for where, cited, _ in parts for fault in _wording_faults(where, cited.text, brief.facts)),
        *threat_faults("the answer", prose),
        *script_faults("the answer", prose),
        *english_faults("the answer", prose),
    ]


def texts_of(answer: DashboardText) -> Iterator[tuple[str, Cited, int]]:
    """Every text of an answer: where it stands, the text, its length once filled."""
    yield "headline", answer.headline, MOST_HEADLINE
    for section in answer.sections:
        yield f"sections.{section.area}", section, MOST_SECTION
    for number, risk in enumerate(answer.risks, 1):
        yield f"risks.{number}", risk, MOST_RISK
    for number, action in enumerate(answer.actions, 1):
        yield f"actions.{number}", action, MOST_ACTION
    yield "what_changed", answer.what_changed, MOST_CHANGED
    for number, caveat in enumerate(answer.caveats, 1):
        yield f"caveats.{number}", caveat, MOST_CAVEAT


def _section_faults(answer: DashboardText, board: Board, brief: Briefing) -> list[str]:
    """The given areas in the given order, each on a fact of its own and in line with its status."""
    if [section.area for section in answer.sections] != [part.area for part in board.areas]:
        return ["sections: must hold exactly the given areas, in the given order"]
    found: list[str] = []
    for section, part in zip(answer.sections, board.areas, strict=True):
        where = f"sections.{part.area}"
        if not brief.own(part.area) & set(references(section.text)):
            found.append(f"{where}: cite a fact of this area")
        found += _status_faults(where, section.text, part.status)
    return found


def _status_faults(where: str, text: str, status: Status | None) -> list[str]:
    against = status is not None and _AGAINST[status].search(without_references(text).lower())
    return [f"{where}: name the status only by citing it"] if against else []


def _wording_faults(where: str, text: str, facts: Mapping[str, Fact]) -> list[str]:
    prose = without_references(text).lower()
    found: list[str] = []
    if _PROMISE.search(prose):
        found.append(f"{where}: promise no cash and no profit")
    if any(_turned(sentence, facts) for sentence in _SENTENCE.split(text)):
        found.append(f"{where}: the direction contradicts the cited fact")
    return found


def _turned(sentence: str, facts: Mapping[str, Fact]) -> bool:
    """Whether a sentence says up of what went down, or the other way round.

    Judged where all signed facts of a sentence point one way, and its words the other.
    """
    signs = {facts[key].sign for key in references(sentence) if key in facts and facts[key].sign is not None}
    prose = without_references(sentence).lower()
    rising, falling = _RISING.search(prose) is not None, _FALLING.search(prose) is not None
    return (signs == {-1} and rising and not falling) or (signs == {1} and falling and not rising)
