"""Free drafting: a model writes the text, rules and a second question judge it. Off unless the policy says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.errors import BadOutput, BudgetSpent, CallError, ContentBlocked
from ai_addons.features._facts import fill, references
from ai_addons.features.collection_message.assembly import OFFER, Assembled, size_of, usual
from ai_addons.features.collection_message.guard import draft_faults, draft_text
from ai_addons.features.collection_message.instructions import (
    DRAFT_SYSTEM,
    DRAFT_USER,
    REVIEW_SYSTEM,
    REVIEW_USER,
)
from ai_addons.features.collection_message.models import JOINTS, LIMITS, CollectionDraft, CollectionMessage, DraftReview
from ai_addons.features.collection_message.results import by_rules, written
from ai_addons.features.collection_message.words import DraftBrief, Reminder
from ai_addons.features.collection_message.words import case as briefed
from ai_addons.prompt import Prompt, ask

if TYPE_CHECKING:
    from ai_addons.features._result import FeatureResult
    from ai_addons.features.collection_message.results import Case
    from ai_addons.prompt import DegradedReason, Steps

NEEDED: Final = ("customer", "shop", "amount", "due_date", "contact")
"""Keys that every draft cites."""

DRAFT: Final = "draft"
"""Id of a free draft in the evidence."""


def free_draft(case: Case) -> Steps[FeatureResult[CollectionMessage]]:
    """Ask for a draft, then for a second opinion; without both, the usual sentences stand in, uncharged."""
    try:
        draft = yield from ask(_drafting(case))
    except (CallError, BudgetSpent) as error:
        return Prompt.settled(by_rules(case, _reason(error)))
    text = draft_text(draft.message)
    return Prompt.composed(
        answer=DraftReview,
        system=REVIEW_SYSTEM,
        user=REVIEW_USER,
        data=Reminder(reminder=text),
        check=_approve,
        finish=lambda _: _result(case, text),
        fallback=lambda: by_rules(case),
        sample=lambda: DraftReview(verdict="fine"),
    )


def _drafting(case: Case) -> Prompt[CollectionDraft]:
    may_cite = [key for key in case.facts if key not in {"days_overdue", "staff"}]
    return Prompt.composed(
        answer=CollectionDraft,
        system=DRAFT_SYSTEM,
        user=DRAFT_USER.format(most=_room(case)),
        data=DraftBrief(
            case=briefed(case.request, case.policy, case.place.stage), may_cite=" ".join([*may_cite, "staff"])
        ),
        check=lambda draft: _faults(case, draft),
        finish=lambda draft: draft,
        sample=lambda: _usual_draft(case),
    )


def _room(case: Case) -> int:
    """Characters that a draft is asked to keep to, its values being longer than their keys."""
    return LIMITS[case.place.channel] // 2


def _faults(case: Case, draft: CollectionDraft) -> list[str]:
    """Raises `BadOutput` if no correction can help."""
    text = draft_text(draft.message)
    found = draft_faults(text, needed=NEEDED, may_cite=case.facts)
    if found:
        return found
    return [] if size_of(fill(text, case.facts), case.place.channel) <= LIMITS[case.place.channel] else [_TOO_LONG]


_TOO_LONG: Final = "message: too long once the values are filled in; write half as much"


def _approve(review: DraftReview) -> list[str]:
    """Anything but "fine" ends the matter: a second opinion that is asked twice is none."""
    if review.verdict != "fine":
        msg = "The draft did not pass its second check, so it was not used. Nothing was charged. Try again."
        raise BadOutput(msg)
    return []


def _result(case: Case, text: str) -> FeatureResult[CollectionMessage]:
    """The draft with its values, and the owner's offer where there is room."""
    offer, channel = case.request.authorised_offer, case.place.channel
    message = fill(text, case.facts)
    full = message if offer is None else JOINTS[channel].join((message, offer))
    fits = size_of(full, channel) <= LIMITS[channel]
    done = Assembled(
        text=full if fits else message,
        sentences={DRAFT: tuple(references(text))} | ({OFFER: ()} if offer is not None and fits else {}),
        left_out=frozenset() if fits else frozenset({OFFER}),
    )
    return written(case, done, concerns={"free_draft"}, drafting="free", source="ai")


def _usual_draft(case: Case) -> CollectionDraft:
    """The usual sentences as a draft, for the offline model."""
    done = usual(case.bank, case.place)
    menus = (case.bank.menu(part, case.place.stage, case.place.channel)[id_] for part, id_ in done.items())
    return CollectionDraft(message=" ".join(menus))


def _reason(error: CallError | BudgetSpent) -> DegradedReason:
    if isinstance(error, BudgetSpent):
        return "over_budget"
    return "guard_rejected" if isinstance(error, (BadOutput, ContentBlocked)) else "provider_down"
