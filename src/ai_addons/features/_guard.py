"""What no answer of a model may contain, whatever the feature.

Two severities. A fault is named to the model, which may correct it once; the
message names the place and the rule and never quotes the text. `BadOutput` is
raised where a second try would only help an attacker: there the feature falls
back to sentences made by code.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ai_addons.errors import BadOutput
from ai_addons.features._facts import clean, fill, is_number, plain_references, references, without_references
from ai_addons.features._numerals import number_before_measure, number_word
from ai_addons.features._result import Notice
from ai_addons.privacy.restore import PlaceholderVault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ai_addons.features._result import Fact

Direction: TypeAlias = Literal["up", "down", "flat"]
"""Which way a finding points; compared with the sign that code computed."""

_DIRECTIONS: Final[Mapping[int, Direction]] = {1: "up", 0: "flat", -1: "down"}
_PLACEHOLDER: Final = re.compile(r"\[([A-Z]{2,16})_[0-9]{1,6}\]")
CANARY: Final = "umbrafinch"
"""A word of every feature's instructions that occurs nowhere else; an answer that holds it is refused."""

_ECHO_WORDS: Final = 8
_ENOUGH_WORDS: Final = 12
_ENGLISH_SHARE: Final = 0.12

_EMAIL: Final = re.compile(r"[\w.+-]{1,64} ?(?:@|\(at\)|\[at\]) ?[\w-]{1,63}(?:\.| dot )")
_LINK: Final = re.compile(
    r"[a-z]{2,10}://|\bwww\.|\b(?:tel|mailto|javascript|data):\S"
    r"|\b[a-z0-9-]{2,63}\.(?:com|net|org|gh|io|me|co|info|biz|shop|app|ly|link|site|store|online|xyz|africa)\b"
)
# +233 24…, 0024…, 024 412 3456: a trunk or country prefix and enough digits, with up to two separators between them.
_PHONE: Final = re.compile(r"(?<![\w.,])(?:\+|00|0|233)(?:[ ().-]{0,2}[0-9]){8,14}(?![\w])")
# Also the marks by which chat formats divide turns: <|im_start|>.
_MARKUP: Final = re.compile(r"</?[a-z!?]|<\||\|>|!\[|\]\(|```|&(?:lt|gt|#x?[0-9a-f]{1,6});")
_MODEL_TALK: Final = re.compile(
    r"\bas an? (?:ai|artificial intelligence|assistant|(?:large )?language model)\b|\blanguage model\b"
    r"|\b(?:system|developer) (?:prompt|message|instructions?)\b"
    r"|\b(?:previous|prior|above|my|these|your) (?:instructions?|guidelines|training|prompt)\b"
    r"|\bi(?:'m| am) (?:sorry|unable|not able|an ai)\b"
    r"|\bi (?:cannot|can't|can not|won't) (?:help|assist|comply|write|provide|do)\b"
    r"|\b(?:chatgpt|openai|anthropic)\b|\bthe user (?:wants|asks|asked|is asking)\b|\blet me think\b"
    r"|\bwe need to (?:output|produce|answer|write|respond)\b|\bchain of thought\b"
)
_THREATS: Final = re.compile(
    r"\b(?:interest|penalt(?:y|ies)|fine[ds]|police|courts?|lawyers?|solicitors?|lawsuits?|sue[ds]?|suing|legal(?:ly)?"
    r"|prosecut\w+|seiz\w+|confiscat\w+|repossess\w*|bailiffs?|arrest\w*|jail\w*|prison\w*|credit bureau|blacklist\w*"
    r"|shame[ds]?|shaming|disgrac\w+|humiliat\w+|expos(?:e[ds]?|ing)|threat\w*|warn(?:s|ed|ing)?|consequences"
    r"|employers?|workplace|congregation|relatives|neighbours?|social media|facebook|curse[ds]?|thie(?:f|ves)|liars?"
    r"|criminals?|fraud\w*|our boys|macho\w*|land ?guards?|force(?:d|s|ful)?|or else|last chance)\b"
)
_PIDGIN: Final = re.compile(r"\b(?:dey|wey|abeg|una|sabi|wetin|dem go|no be|e go)\b")
# Frequent English words that are not also frequent in French, Twi, Ga, Ewe or Hausa.
_FREQUENT: Final = (
    "the and of is are with for this that these your you it its from has have be not by will can at was were to in"
    " our we they their which more than when before after about made each"
)
_ENGLISH: Final = frozenset(_FREQUENT.split())
_WORD: Final = re.compile(r"[^\W_]+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")


class Answer(BaseModel):
    """Base of what models are asked for: nothing extra, nothing changeable."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


A = TypeVar("A", bound=Answer)

Prose: TypeAlias = Annotated[str, BeforeValidator(lambda value: clean(value) if isinstance(value, str) else value)]
"""Text of a model, brought to its plain form before its length is measured."""


FactKey: TypeAlias = Annotated[
    str, BeforeValidator(lambda value: plain_references(value).strip("{}") if isinstance(value, str) else value)
]
"""The key of a fact; a model may list it with its braces."""


class Cited(Answer):
    """A sentence or two with the facts they cite."""

    text: Annotated[Prose, Field(min_length=1, max_length=300)]
    fact_keys: Annotated[tuple[FactKey, ...], Field(max_length=8)]


def unsafe(text: str, *, system: str) -> str | None:
    """What makes a text unusable for good, in words; None if nothing does.

    Args:
        text: One text of the answer.
        system: The instructions, which must not come back.
    """
    folded = text.replace("\u2019", "'").lower()
    if any(pattern.search(folded) for pattern in (_EMAIL, _LINK, _PHONE)):
        return "a link, an e-mail address or a telephone number"
    if _MARKUP.search(folded):
        return "markup"
    if _MODEL_TALK.search(folded) or _echoes(folded, system):
        return "talk about instructions or about being a model"
    return None


def _echoes(text: str, system: str) -> bool:
    """Whether eight words in a row are those of the instructions."""
    told = _runs(system.lower())
    return any(run in told for run in _runs(text))


def _runs(text: str) -> set[tuple[str, ...]]:
    found = _WORD.findall(text)
    return {tuple(found[at : at + _ECHO_WORDS]) for at in range(len(found) - _ECHO_WORDS + 1)}


def refuse_unsafe(texts: Iterable[str], *, system: str, canary: str) -> None:
    """Refuse an answer that no correction should mend.

    Args:
        texts: All texts of the answer.
        system: The instructions.
        canary: A word of the instructions that occurs nowhere else.

    Raises:
        BadOutput: For contact details, markup, or an echo of the instructions.
    """
    for text in texts:
        reason = "its instructions" if canary.lower() in text.lower() else unsafe(text, system=system)
        if reason is not None:
            msg = f"The AI model's answer held {reason}, so it was not used. Nothing was charged. Try again."
            raise BadOutput(msg)


def cited_faults(where: str, cited: Cited, facts: Mapping[str, Fact], *, most: int) -> list[str]:
    """Faults of one cited text: references, evidence, numbers, length once filled.

    Args:
        where: Its place in the answer, for the message.
        cited: The text and the keys it says it cites.
        facts: What may be cited.
        most: Characters allowed after filling.
    """
    used = references(cited.text)
    faults = number_faults(where, cited.text)
    if any(key not in facts for key in (*used, *cited.fact_keys)):
        faults.append(f"{where}: cites a key that is not among the facts; copy keys exactly")
    elif len(fill(cited.text, facts)) > most:
        faults.append(f"{where}: longer than {most} characters once the facts are filled in")
    if set(used) != set(cited.fact_keys):
        faults.append(f"{where}: fact_keys must list exactly the keys cited in the text")
    if "{" in without_references(cited.text) or "}" in without_references(cited.text):
        faults.append(f"{where}: holds a brace that belongs to no reference")
    return faults


def filled(answer: A, facts: Mapping[str, str]) -> A:
    """An answer made by code with its facts put in, as one of a model's is while it is restored."""
    return type(answer).model_validate(PlaceholderVault().restore(answer.model_dump(mode="json"), facts=facts))


def words_of_its_own(cited: Cited, facts: Mapping[str, str]) -> str:
    """A text with a gap where a fact was put in."""
    text = cited.text
    for key in cited.fact_keys:
        text = text.replace(facts[key], " ")
    return text


def number_faults(where: str, text: str) -> list[str]:
    """Numbers written by the model itself; placeholders of masked values do not count."""
    prose = without_placeholders(without_references(text))
    faults: list[str] = []
    if any(is_number(char) for char in prose):
        faults.append(f"{where}: holds a digit; cite a fact as {{key}} instead")
    if number_before_measure(prose):
        faults.append(f"{where}: states an amount in words; cite a fact as {{key}} instead")
    return faults


def direction_faults(where: str, direction: Direction, sign: int) -> list[str]:
    """A direction that contradicts the sign code computed (-1, 0 or 1)."""
    return [] if _DIRECTIONS[sign] == direction else [f"{where}: direction must be {_DIRECTIONS[sign]}"]


def placeholder_types(text: str) -> set[str]:
    """The types of the masked values a text mentions: ``PHONE`` for ``[PHONE_1]``."""
    return set(_PLACEHOLDER.findall(text))


def without_placeholders(text: str) -> str:
    """A text with a gap where a masked value stands."""
    return _PLACEHOLDER.sub(" ", text)


def number_word_notices(texts: Iterable[str]) -> tuple[Notice, ...]:
    """A notice of harmless number words ("one month is little to go on"): let through, and mentioned.

    Args:
        texts: What the model wrote of its own, without the facts put in.
    """
    if not any(number_word(text) for text in texts):
        return ()
    return (Notice(code="number_words", text="The text holds number words that were not checked against the figures."),)


def threat_faults(where: str, text: str) -> list[str]:
    """Threats, legal steps, shame and third parties: never part of advice on a customer's debt.

    The words follow the directive on digital credit services of the Bank of Ghana (no threats,
    no contact with a customer's contacts), set by hand.
    """
    found = _THREATS.search(text.lower()) is not None
    return (
        [f"{where}: say nothing about interest, penalties, legal steps, threats, shame or other people"]
        if found
        else []
    )


def script_faults(where: str, text: str) -> list[str]:
    """Letters that are not Latin: a word list would not see a word spelt with look-alikes of another script."""
    foreign = any(char.isalpha() and not unicodedata.name(char, "").startswith("LATIN") for char in text)
    return [f"{where}: use Latin letters only"] if foreign else []


def english_faults(where: str, text: str, *, neutral: Iterable[str] = (), enough: int = _ENOUGH_WORDS) -> list[str]:
    """Text that is not plain English.

    Args:
        where: Its place in the answer.
        text: The text; too short a text is not judged.
        neutral: Words of the tenant's own, which say nothing about the language.
        enough: Words from which on it is judged; with few, a good text may be called foreign too.
    """
    skipped = {word.lower() for word in neutral}
    prose = without_references(without_placeholders(text)).lower()
    found = [word for word in _LETTERS.findall(prose) if word not in skipped]
    share = sum(word in _ENGLISH for word in found) / max(len(found), 1)
    foreign = len(found) >= enough and share < _ENGLISH_SHARE
    return [f"{where}: must be in plain English"] if foreign or _PIDGIN.search(" ".join(found)) else []
