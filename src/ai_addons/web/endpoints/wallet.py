"""What a business has."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.money import Credits
from ai_addons.web.base import Answer, Context, Endpoint
from ai_addons.web.endpoints._shared import maybe_when, next_renewal, when

if TYPE_CHECKING:
    from ai_addons.billing.grants import Grant
    from ai_addons.billing.policy import Subscription
    from ai_addons.billing.records import Wallet

_LIVE: Final = frozenset({"active", "past_due", "cancel_at_end"})


class GrantAnswer(Answer):
    """Credits that came in together and are not used up."""

    source: str
    amount: Credits
    remaining: Credits
    held: Credits
    effective_at: datetime
    expires_at: datetime | None
    features: list[str] | None


class ExpiringAnswer(Answer):
    """Credits that expire soon."""

    credits: Credits
    next_at: datetime | None


class AddonDetails(Answer):
    """The monthly add-on of a business."""

    price: Decimal
    credits: Credits
    next_renewal: datetime | None
    state: str
    rollover_cap: Credits


class CreditsAnswer(Answer):
    """A business's credits now."""

    balance: Credits
    held: Credits
    available: Credits
    low: bool
    total_purchased: Credits
    total_used: Credits
    trial_credits: Credits
    has_monthly_addon: bool
    monthly_addon_details: AddonDetails | None
    grants: list[GrantAnswer]
    expiring_soon: ExpiringAnswer


def _credits(context: Context) -> CreditsAnswer:
    addons, business = context.addons, context.business
    wallet = addons.wallet(business)
    addon = _addon(wallet.subscription)
    return CreditsAnswer(
        balance=wallet.posted,
        held=wallet.held,
        available=wallet.available,
        low=wallet.low,
        total_purchased=addons.orders.bought(business),
        total_used=wallet.lifetime_used,
        trial_credits=addons.trial_left(business),
        has_monthly_addon=addon is not None,
        monthly_addon_details=addon,
        grants=[_grant(grant) for grant in wallet.grants],
        expiring_soon=_expiring(wallet, before=addons.clock.now() + _micros(context)),
    )


def _micros(context: Context) -> int:
    return round(context.addons.settings.web.expiring_soon.total_seconds() * 1_000_000)


def _addon(subscription: Subscription | None) -> AddonDetails | None:
    if subscription is None or subscription.state not in _LIVE:
        return None
    return AddonDetails(
        price=subscription.plan.price.decimal,
        credits=subscription.plan.credits,
        next_renewal=next_renewal(subscription),
        state=subscription.state,
        rollover_cap=subscription.plan.rollover_cap,
    )


def _grant(grant: Grant) -> GrantAnswer:
    return GrantAnswer(
        source=grant.source,
        amount=grant.amount,
        remaining=grant.remaining,
        held=grant.held,
        effective_at=when(grant.effective_at),
        expires_at=maybe_when(grant.expires_at),
        features=None if grant.features is None else list(grant.features),
    )


def _expiring(wallet: Wallet, *, before: int) -> ExpiringAnswer:
    soon = [
        (grant.expires_at, grant.free)
        for grant in wallet.grants
        if grant.expires_at is not None and grant.expires_at <= before and grant.free
    ]
    return ExpiringAnswer(
        credits=Credits.from_micro(sum(free.micro for _, free in soon)),
        next_at=maybe_when(min((at for at, _ in soon), default=None)),
    )


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="GET",
        path="ai/credits/",
        name="credits",
        summary="A business's credits now.",
        handle=_credits,
        action="credits:read",
        answer=CreditsAnswer,
    ),
)
