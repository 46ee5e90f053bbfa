"""`collection_message`: one dignified reminder about the shop's own bill, for a person to approve and send.

Code decides whether, when and in which tone to write. The model chooses among
approved sentences and may add one line of its own, which is dropped for the
slightest doubt. Names, numbers and the owner's offer are filled in locally.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from ai_addons.feature import sold_as
from ai_addons.features._result import FeatureResult  # noqa: TC001  # the decorator reads it from the annotation
from ai_addons.features._spec import built_in
from ai_addons.features.collection_message.bank import PARTS, SentenceBank, english, read_bank
from ai_addons.features.collection_message.drafting import free_draft
from ai_addons.features.collection_message.guard import choice_faults
from ai_addons.features.collection_message.instructions import SYSTEM, USER, USER_SMS
from ai_addons.features.collection_message.models import (
    BlockedReason,
    Channel,
    CollectionChoice,
    CollectionDraft,
    CollectionMessage,
    CollectionPolicy,
    CollectionRequest,
    DraftReview,
    Stage,
    Tone,
)
from ai_addons.features.collection_message.results import blocked, by_rules, case_of, chosen_ids, from_bank
from ai_addons.features.collection_message.timing import stop_reason
from ai_addons.features.collection_message.words import Brief, case
from ai_addons.prompt import Prompt, Steps

if TYPE_CHECKING:
    from ai_addons.features.collection_message.bank import Part
    from ai_addons.features.collection_message.results import Case

__all__ = [
    "SPEC",
    "BlockedReason",
    "Channel",
    "CollectionChoice",
    "CollectionDraft",
    "CollectionMessage",
    "CollectionPolicy",
    "CollectionRequest",
    "DraftReview",
    "SentenceBank",
    "Stage",
    "Tone",
    "collection_message",
    "english",
    "read_bank",
    "stop_reason",
]

SPEC: Final = built_in(
    "collection_message",
    cache=timedelta(hours=24),
    version="1",
    max_tokens=450,
    tokens=(490, 192),
    # So that customers in the same case do not all get the same words.
    variants=4,
)
"""What billing and routing need to know."""

DEFAULT_POLICY: Final = CollectionPolicy()
_SAMPLE_LINE: Final = "Thank you for shopping with us."
_FRIENDLY: Final = 1  # the last stage at which such a line does not sound odd


@sold_as(SPEC)
def collection_message(
    request: CollectionRequest,
    *,
    policy: CollectionPolicy = DEFAULT_POLICY,
    bank: SentenceBank | None = None,
    zone: str = "Africa/Accra",
) -> Steps[FeatureResult[CollectionMessage]]:
    """AI-powered collection reminders.

    Args:
        request: The customer's bill, and the values that are filled in locally.
        policy: The shop's own rules.
        bank: Approved sentences of the request's language; None for those that come with the package, in English.
        zone: The shop's time zone, for the hours of sending.

    Raises:
        ValueError: If the language has no bank, or the zone does not exist.
    """
    known = case_of(request, policy, bank or english(), zone)
    reason = stop_reason(request, policy)
    if reason is not None:
        return Prompt.settled(blocked(known, reason))
    if policy.free_drafting:
        return (yield from free_draft(known))
    return _choosing(known)


def _choosing(known: Case) -> Prompt[FeatureResult[CollectionMessage]]:
    sms = known.place.channel == "sms"
    line = "" if sms or known.place.stage > _FRIENDLY else _SAMPLE_LINE
    menu: dict[Part, dict[str, str]] = {
        part: known.bank.menu(part, known.place.stage, known.place.channel) for part in PARTS
    }
    return Prompt.composed(
        answer=CollectionChoice,
        system=SYSTEM,
        user=USER_SMS if sms else USER,
        data=Brief(
            case=case(known.request, known.policy, known.place.stage),
            sentences={part: tuple(f"{id_}|{text}" for id_, text in menu[part].items()) for part in PARTS},
        ),
        check=lambda choice: choice_faults(chosen_ids(choice), menu),
        finish=lambda choice: from_bank(known, choice),
        fallback=lambda: by_rules(known),
        # None of these is cited in an answer; with facts, an answer is restored as its type understands it.
        facts={},
        sample=lambda: CollectionChoice.model_validate(
            {part: next(iter(menu[part])) for part in PARTS} | {"personal_line": line}
        ),
    )
