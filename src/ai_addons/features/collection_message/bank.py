"""The sentence bank: what a reminder may say, written and approved by people."""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, Self, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ai_addons.features._facts import fill, is_number, references, without_references, words
from ai_addons.features.collection_message.gsm7 import units
from ai_addons.features.collection_message.guard import tone_faults
from ai_addons.features.collection_message.models import JOINTS, LIMITS, LONGEST, Channel, Stage, Tone
from ai_addons.features.collection_message.timing import TONES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Part: TypeAlias = Literal["opening", "ask", "help", "close"]
"""Parts that the model chooses."""

Note: TypeAlias = Literal["promise", "thanks", "link"]
"""Parts that code puts in where the case has them: a promise that was missed, a part payment, a page to pay on."""

PARTS: Final[tuple[Part, ...]] = get_args(Part)
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)

_KEYS: Final = frozenset(LONGEST) - {"offer"}
_CHOICES: Final = 3
_NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "opening": frozenset({"shop", "amount", "due_date"}),
    "help": frozenset({"contact"}),
    "promise": frozenset({"promise_date"}),
    "link": frozenset({"pay_link"}),
}
_ONLY_IN: Final[Mapping[str, str]] = {"promise_date": "promise", "pay_link": "link"}

_WIDEST: Final = {key: words(key, key, "w" * longest) for key, longest in LONGEST.items()}

SentenceId: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
"""Lower-case letters and underscores."""


class Group(BaseModel):
    """Sentences for one part, for some stages of one tone and some channels."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    part: Part | Note
    """Where they stand."""
    tone: Tone | None = None
    """Tone of these stages; None for sentences of every tone."""
    stages: Annotated[frozenset[Stage], Field(min_length=1)] = frozenset(STAGES)
    """Stages they suit."""
    channels: Annotated[frozenset[Channel], Field(min_length=1)] = frozenset(CHANNELS)
    """Channels they suit."""
    short: bool = False
    """Whether they stand in where the others are too long; the model is not offered those."""
    sentences: Annotated[dict[SentenceId, Annotated[str, Field(min_length=2, max_length=160)]], Field(min_length=1)]
    """Text by id, the first being the usual one."""

    @model_validator(mode="after")
    def _suits_its_tone(self) -> Self:
        if self.tone is not None and any(TONES[stage] != self.tone for stage in self.stages):
            msg = f"a group of {self.part} is {self.tone}, but one of its stages is not"
            raise ValueError(msg)
        return self

    def suits(self, part: str, stage: Stage, channel: Channel) -> bool:
        """Whether its sentences may stand there."""
        return self.part == part and stage in self.stages and channel in self.channels


class SentenceBank(BaseModel):
    """All approved sentences of one language. One that lacks a sentence, or holds a wrong one, is an error at once."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
    """ISO 639 code."""
    version: Annotated[str, Field(min_length=1, max_length=40)]
    """Stands on every message made of it."""
    groups: tuple[Group, ...]
    """The sentences."""

    @model_validator(mode="after")
    def _complete_and_sound(self) -> Self:
        faults = [*_id_faults(self), *_text_faults(self), *_gaps(self)] or _length_faults(self)
        if faults:
            raise ValueError("; ".join(faults[:5]))
        return self

    def menu(self, part: str, stage: Stage, channel: Channel, *, short: bool = False) -> dict[str, str]:
        """Sentences for a place, by id, the usual one first."""
        return {
            id_: text
            for group in self.groups
            if group.short == short and group.suits(part, stage, channel)
            for id_, text in group.sentences.items()
        }


def read_bank(text: str) -> SentenceBank:
    """A bank from TOML, such as that of a language of your own.

    Raises:
        ValueError: If it is no TOML, lacks a sentence, or holds one that no reminder may.
    """
    return SentenceBank.model_validate(tomllib.loads(text))


@cache
def english() -> SentenceBank:
    """The bank that comes with the package."""
    return read_bank(
        files("ai_addons.features.collection_message").joinpath("bank_en.toml").read_text(encoding="utf-8")
    )


def places() -> Iterator[tuple[Stage, Channel]]:
    """Every stage, and with it its tone, in every channel."""
    return ((stage, channel) for stage in STAGES for channel in CHANNELS)


def _id_faults(bank: SentenceBank) -> list[str]:
    counts = Counter(id_ for group in bank.groups for id_ in group.sentences)
    return [f"{id_}: an id that stands twice" for id_, count in counts.items() if count > 1]


def _text_faults(bank: SentenceBank) -> list[str]:
    return [
        fault
        for group in bank.groups
        for id_, text in group.sentences.items()
        for fault in _sentence_faults(id_, group.part, text)
    ]


def _sentence_faults(id_: str, part: str, text: str) -> list[str]:
    cited, prose = frozenset(references(text)), without_references(text)
    found = tone_faults(id_, prose)
    found += [f"{id_}: must cite {{{key}}}" for key in sorted(_NEEDED.get(part, frozenset()) - cited)]
    found += [f"{id_}: cites the unknown {{{key}}}" for key in sorted(cited - _KEYS)]
    found += [f"{id_}: may not cite {{{key}}}" for key in sorted(cited) if _ONLY_IN.get(key, part) != part]
    if {"{", "}"} & set(prose) or any(map(is_number, prose)):
        found.append(f"{id_}: holds a brace or a digit of its own")
    return found


def _gaps(bank: SentenceBank) -> list[str]:
    """Places without three sentences to choose from, a short one, and one of each note."""
    return [
        f"stage {stage}, {channel}: needs {least} {'short ' if short else ''}sentences for {part}"
        for stage, channel in places()
        for part, least, short in (
            *((part, _CHOICES, False) for part in PARTS),
            *((part, 1, True) for part in PARTS),
            *((note, 1, False) for note in get_args(Note)),
        )
        if len(bank.menu(part, stage, channel, short=short)) < least
    ]


def _length_faults(bank: SentenceBank) -> list[str]:
    """Places where not even the short sentences fit with the longest values."""
    return [
        f"stage {stage}, {channel}: the short sentences are {size} long, {LIMITS[channel]} is the most"
        for stage, channel in places()
        if (size := _longest_short(bank, stage, channel)) > LIMITS[channel]
    ]


def _longest_short(bank: SentenceBank, stage: Stage, channel: Channel) -> int:
    shortest = [next(iter(bank.menu(part, stage, channel, short=True).values())) for part in PARTS]
    return sum(map(_filled_size, shortest)) + len(JOINTS[channel]) * (len(PARTS) - 1)


def _filled_size(text: str) -> int:
    return units(fill(text, _WIDEST))
