"""The trial credits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.errors import IdempotencyConflict, LedgerConflict, LimitReached, TrialClaimed
from ai_addons.money import Credits
from ai_addons.web.base import Answer, Body, Context, Endpoint
from ai_addons.web.errors import TrialNotOffered

if TYPE_CHECKING:
    from ai_addons.billing.records import GrantBooking


class TrialBody(Body):
    """Nothing: who the owner is the host knows, and nobody may say otherwise."""


class TrialAnswer(Answer):
    """Trial credits, given once. A repeat is told the same credits and the balance of now."""

    success: bool
    credits_added: Credits
    new_balance: Credits
    message: str


def claim(context: Context) -> GrantBooking:
    """Claim the trial credits; the page does the same.

    Raises:
        TrialNotOffered: If the business's policy has none.
        TrialClaimed: If they were claimed before, by whomever.
    """
    addons, business = context.addons, context.business
    if not addons.policy_of(business).trial:
        raise TrialNotOffered
    return addons.claim_trial(business)


def _trial(context: Context) -> TrialAnswer:
    booking = claim(context)
    return TrialAnswer(
        success=True,
        credits_added=booking.grant.amount,
        new_balance=booking.balance,
        message=f"You have {booking.grant.amount.short} credits to begin with.",
    )


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="POST",
        path="ai/trial/",
        name="trial",
        summary="Take the trial credits, once.",
        handle=_trial,
        action="credits:purchase",
        body=TrialBody,
        answer=TrialAnswer,
        errors=(IdempotencyConflict, LedgerConflict, TrialClaimed, TrialNotOffered, LimitReached),
        keyed=True,
        costly=True,
    ),
)
