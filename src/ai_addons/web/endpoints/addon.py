"""The monthly add-on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

from ai_addons.errors import AddonConflict, AddonNotOffered
from ai_addons.money import Credits
from ai_addons.web.base import Answer, Body, Context, Endpoint
from ai_addons.web.endpoints._shared import next_renewal
from ai_addons.web.endpoints.buying import OPENING
from ai_addons.web.endpoints.paying import WayBody, way_of

if TYPE_CHECKING:
    from ai_addons.billing.policy import Subscription

_GONE: Final = frozenset({None, "ended"})
_NOTHING: Final = Credits(0)


class SubscribeAnswer(Answer):
    """An add-on that was taken. It gives its credits once it is paid."""

    success: bool
    addon_id: str
    monthly_price: Decimal
    monthly_credits: Credits
    credits_added: Credits
    new_balance: Credits
    next_renewal: datetime | None
    payment_url: str | None
    purchase_id: str | None


class CancelBody(Body):
    """When it is to end."""

    immediate: bool = False


class CancelAnswer(Answer):
    """An add-on that will not be renewed."""

    success: bool
    cancelled_immediately: bool
    message: str


class ResumeAnswer(Answer):
    """An add-on that will be renewed again."""

    success: bool
    message: str
    next_renewal: datetime | None


def _subscribe(context: Context) -> SubscribeAnswer:
    addons, business = context.addons, context.business
    known = addons.wallet(business).subscription
    if (known is None or known.state in _GONE) and addons.price_list(business).addon is None:
        raise AddonNotOffered
    if known is not None and known.state == "cancel_at_end":
        msg = "This add-on is cancelled. Nothing was ordered. Resume it first."
        raise AddonConflict(msg)
    if known is not None and known.state == "active":
        # It has what it asks for; only a renewal that falls due is to be paid.
        return _taken(context, known, before=addons.wallet(business).available, url=None, order=None)
    before = addons.wallet(business).available
    if addons.settings.web.addon_billing == "external":
        return _taken(context, addons.subscriptions.subscribe(business).subscription, before=before)
    body = cast("WayBody", context.body)
    payment = addons.orders.start(
        business, addon=True, key=context.key, user=context.user, email=body.email, **way_of(body, context)
    )
    # What was ordered is a month of it.
    now = cast("Subscription", addons.wallet(business).subscription)
    url = payment.attempt.url if payment.order.paid_at is None else None
    return _taken(context, now, before=before, url=url, order=payment.order.id)


def _taken(
    context: Context,
    subscription: Subscription,
    *,
    before: Credits,
    url: str | None = None,
    order: str | None = None,
) -> SubscribeAnswer:
    balance = context.addons.wallet(context.business).available
    return SubscribeAnswer(
        success=True,
        addon_id=subscription.id,
        monthly_price=subscription.plan.price.decimal,
        monthly_credits=subscription.plan.credits,
        credits_added=max(balance - before, _NOTHING),
        new_balance=balance,
        next_renewal=next_renewal(subscription),
        payment_url=url,
        purchase_id=order,
    )


def _cancel(context: Context) -> CancelAnswer:
    booking = context.addons.subscriptions.cancel(
        context.business, immediate=cast("CancelBody", context.body).immediate
    )
    ended = booking.subscription.state == "ended"
    message = (
        "The add-on has ended. Credits that are paid stay until their month is over."
        if ended
        else "The add-on ends when what is paid is over. Until then you may resume it."
    )
    return CancelAnswer(success=True, cancelled_immediately=ended, message=message)


def _resume(context: Context) -> ResumeAnswer:
    booking = context.addons.subscriptions.resume(context.business)
    renewal = next_renewal(booking.subscription)
    return ResumeAnswer(success=True, message="The add-on will be renewed.", next_renewal=renewal)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="POST",
        path="ai/addon/subscribe/",
        name="addon_subscribe",
        summary="Take the monthly add-on and begin to pay it.",
        handle=_subscribe,
        action="addon:manage",
        body=WayBody,
        answer=SubscribeAnswer,
        errors=(*OPENING, AddonNotOffered, AddonConflict),
        keyed=True,
        costly=True,
    ),
    Endpoint(
        method="POST",
        path="ai/addon/cancel/",
        name="addon_cancel",
        summary="Renew the add-on no more, from now or from the end of what is paid on.",
        handle=_cancel,
        action="addon:manage",
        body=CancelBody,
        answer=CancelAnswer,
        errors=(AddonNotOffered,),
    ),
    Endpoint(
        method="POST",
        path="ai/addon/resume/",
        name="addon_resume",
        summary="Take a cancellation back that has not ended the add-on yet.",
        handle=_resume,
        action="addon:manage",
        answer=ResumeAnswer,
        errors=(AddonNotOffered, AddonConflict),
    ),
)
