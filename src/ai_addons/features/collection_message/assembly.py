"""Putting a message together: values filled in, in the best form that fits the channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.features._facts import fill, references
from ai_addons.features.collection_message.bank import PARTS
from ai_addons.features.collection_message.gsm7 import units
from ai_addons.features.collection_message.models import JOINTS, LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_addons.features._result import Fact
    from ai_addons.features.collection_message.bank import Part, SentenceBank
    from ai_addons.features.collection_message.models import Channel, Stage

LINE: Final = "personal_line"
"""Id under which the model's own line stands in the evidence."""

OFFER: Final = "authorised_offer"
"""Id under which the owner's offer stands in the evidence."""

_ORDER: Final = ("opening", "promise", "thanks", LINE, "ask", OFFER, "link", "help", "close")
# What may be left out, the dearest last: an SMS that says everything would cost the shop several.
_LADDER: Final[tuple[tuple[bool, frozenset[str]], ...]] = (
    (False, frozenset()),
    (False, frozenset({LINE})),
    (False, frozenset({LINE, "thanks", "promise"})),
    (True, frozenset({LINE, "thanks", "promise"})),
    (True, frozenset({LINE, "thanks", "promise", "link"})),
    (True, frozenset({LINE, "thanks", "promise", OFFER})),
    (True, frozenset({LINE, "thanks", "promise", OFFER, "link"})),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which sentences are called for.

    Attributes:
        stage: Stage of the bill.
        channel: How the message is sent.
        notes: Parts that the case adds.
    """

    stage: Stage
    channel: Channel
    notes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A finished text and what it is made of.

    Attributes:
        text: Values filled in.
        sentences: Keys cited, by sentence id, in order.
        left_out: Parts of the case for which there was no room.
    """

    text: str
    sentences: Mapping[str, tuple[str, ...]]
    left_out: frozenset[str]

    @property
    def cited(self) -> tuple[str, ...]:
        """Every key cited, in order, each once."""
        return tuple(dict.fromkeys(key for keys in self.sentences.values() for key in keys))


def size_of(text: str, channel: Channel) -> int:
    """How long a text counts: units for an SMS, characters elsewhere."""
    return units(text) if channel == "sms" else len(text)


def usual(bank: SentenceBank, place: Place) -> dict[Part, str]:
    """The first sentence of each part, by part: its id."""
    return {part: next(iter(bank.menu(part, place.stage, place.channel))) for part in PARTS}


def assembled(
    bank: SentenceBank, place: Place, chosen: Mapping[Part, str], own: Mapping[str, str], facts: Mapping[str, Fact]
) -> Assembled:
    """The fullest form of a message that fits its channel.

    Args:
        bank: The approved sentences.
        place: Which of them are called for.
        chosen: Id by part.
        own: Texts that are not the bank's, `LINE` and `OFFER`.
        facts: What the sentences cite.
    """
    forms = (_form(bank, place, chosen, own, facts, short=short, without=without) for short, without in _LADDER)
    return _first_that_fits(forms, place.channel)


def _first_that_fits(forms: Iterator[Assembled], channel: Channel) -> Assembled:
    """The last form stands for want of a better: the bank is known to fit it."""
    last = next(forms)
    while size_of(last.text, channel) > LIMITS[channel]:
        last = next(forms)
    return last


def _form(
    bank: SentenceBank,
    place: Place,
    chosen: Mapping[Part, str],
    own: Mapping[str, str],
    facts: Mapping[str, Fact],
    *,
    short: bool,
    without: frozenset[str],
) -> Assembled:
    has = place.notes | own.keys()
    texts = dict(_texts(bank, place, chosen, own, short=short, without=without))
    # Filled one by one and in one pass: a name that looks like a key stays a name, and the owner's text is never read.
    filled = [text if id_ in own else fill(text, facts) for id_, text in texts.items()]
    return Assembled(
        text=JOINTS[place.channel].join(filled),
        sentences={id_: () if id_ in own else tuple(references(text)) for id_, text in texts.items()},
        left_out=has & without,
    )


def _texts(
    bank: SentenceBank,
    place: Place,
    chosen: Mapping[Part, str],
    own: Mapping[str, str],
    *,
    short: bool,
    without: frozenset[str],
) -> Iterator[tuple[str, str]]:
    """Id and text of each part, in order."""
    for part in _ORDER:
        if part in without:
            continue
        if part in own:
            yield part, own[part]
        elif part in PARTS:
            menu = bank.menu(part, place.stage, place.channel, short=short)
            id_ = next(iter(menu)) if short else chosen[part]
            yield id_, menu[id_]
        elif part in place.notes:
            yield next(iter(bank.menu(part, place.stage, place.channel).items()))
