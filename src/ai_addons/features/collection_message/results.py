"""A case, and the results that can come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.features._result import FeatureResult
from ai_addons.features.collection_message.assembly import LINE, OFFER, Place, assembled, usual
from ai_addons.features.collection_message.gsm7 import encoding, segments
from ai_addons.features.collection_message.guard import DROPPED
from ai_addons.features.collection_message.models import CollectionMessage
from ai_addons.features.collection_message.timing import TONES, days_overdue, send_window, stage_of, zone_of
from ai_addons.features.collection_message.words import message_facts, name_concerns, notices

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Literal

    from ai_addons.features._result import Fact
    from ai_addons.features.collection_message.assembly import Assembled
    from ai_addons.features.collection_message.bank import Part, SentenceBank
    from ai_addons.features.collection_message.models import (
        BlockedReason,
        CollectionChoice,
        CollectionPolicy,
        CollectionRequest,
    )
    from ai_addons.prompt import DegradedReason, Source

GENERATED: Final = frozenset({"en"})
"""Languages in which a model may write a line; others come from the bank alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that code knows of a reminder before a model is asked.

    Attributes:
        request: The customer's bill.
        policy: The shop's rules.
        bank: The approved sentences.
        place: Which of them are called for.
        window: When to send.
        facts: What a sentence may cite.
    """

    request: CollectionRequest
    policy: CollectionPolicy
    bank: SentenceBank
    place: Place
    window: tuple[datetime, datetime]
    facts: Mapping[str, Fact]


def case_of(request: CollectionRequest, policy: CollectionPolicy, bank: SentenceBank, zone: str) -> Case:
    """Work a case out.

    Raises:
        ValueError: If the bank is of another language, there is no such zone, or a free draft is asked for in a
            language that no model writes.
    """
    if request.language != bank.language:
        msg = f"No sentence bank for {request.language!r} was given; nothing was charged. Pass bank=read_bank(…)."
        raise ValueError(msg)
    if policy.free_drafting and bank.language not in GENERATED:
        msg = f"Free drafts are written in English only, not in {bank.language!r}; nothing was charged."
        raise ValueError(msg)
    notes = {
        "thanks": request.partial_paid,
        "promise": request.promise_date is not None,
        "link": request.pay_link is not None,
    }
    return Case(
        request=request,
        policy=policy,
        bank=bank,
        place=Place(
            stage=stage_of(days_overdue(request), policy),
            channel=request.channel,
            notes=frozenset(note for note, holds in notes.items() if holds),
        ),
        window=send_window(request, policy, zone_of(zone)),
        facts=message_facts(request),
    )


def chosen_ids(choice: CollectionChoice) -> dict[Part, str]:
    """The ids a model chose, by part."""
    return {"opening": choice.opening, "ask": choice.ask, "help": choice.help, "close": choice.close}


def from_bank(case: Case, choice: CollectionChoice) -> FeatureResult[CollectionMessage]:
    """The message of a checked choice."""
    keeps = choice.personal_line not in {"", DROPPED} and case.bank.language in GENERATED
    own = {LINE: choice.personal_line} if keeps else {}
    done = assembled(case.bank, case.place, chosen_ids(choice), own | _offer(case), case.facts)
    concerns = {LINE} if choice.personal_line == DROPPED else set[str]()
    return written(case, done, concerns=concerns, drafting="bank", source="ai")


def by_rules(case: Case, degraded: DegradedReason | None = None) -> FeatureResult[CollectionMessage]:
    """The message of the usual sentences, without a model."""
    done = assembled(case.bank, case.place, usual(case.bank, case.place), _offer(case), case.facts)
    result = written(case, done, concerns=(), drafting="bank", source="rules")
    return result if degraded is None else result.with_outcome("rules", degraded)


def _offer(case: Case) -> dict[str, str]:
    offer = case.request.authorised_offer
    return {} if offer is None else {OFFER: offer}


def written(
    case: Case, done: Assembled, *, concerns: Iterable[str], drafting: Literal["bank", "free"], source: Source
) -> FeatureResult[CollectionMessage]:
    """A result with a text."""
    sms = case.place.channel == "sms"
    alphabet = encoding(done.text) if sms else None
    dear = ("ucs2",) if alphabet == "ucs2" else ()
    found = {*concerns, *done.left_out, *name_concerns(case.request), *dear}
    return FeatureResult[CollectionMessage](
        data=CollectionMessage(
            message=done.text,
            channel=case.place.channel,
            stage=case.place.stage,
            tone=TONES[case.place.stage],
            language=case.bank.language,
            references_used=done.cited,
            sentence_ids=tuple(id_ for id_ in done.sentences if id_ not in {LINE, OFFER}) if drafting == "bank" else (),
            drafting=drafting,
            send_not_before=case.window[0],
            send_not_after=case.window[1],
            encoding=alphabet,
            segments=segments(done.text) if sms else None,
            blocked_reason=None,
            bank_version=case.bank.version,
            policy_version=case.policy.version,
        ),
        source=source,
        as_of=case.request.as_of,
        warnings=notices(found),
        facts=tuple(case.facts.values()),
        evidence=dict(done.sentences),
    )


def blocked(case: Case, reason: BlockedReason) -> FeatureResult[CollectionMessage]:
    """A result without a text."""
    return FeatureResult[CollectionMessage](
        data=CollectionMessage(
            message="",
            channel=case.place.channel,
            stage=None,
            tone=None,
            language=case.bank.language,
            references_used=(),
            sentence_ids=(),
            drafting="free" if case.policy.free_drafting else "bank",
            send_not_before=None,
            send_not_after=None,
            encoding=None,
            segments=None,
            blocked_reason=reason,
            bank_version=case.bank.version,
            policy_version=case.policy.version,
        ),
        source="rules",
        degraded_reason="blocked",
        as_of=case.request.as_of,
    )
