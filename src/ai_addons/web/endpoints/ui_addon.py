"""The pages of the monthly add-on and of the trial credits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.billing.addon import grace_end, period_start
from ai_addons.errors import AddonNotOffered
from ai_addons.web.base import Context, Endpoint, WebResponse
from ai_addons.web.endpoints.trial import claim
from ai_addons.web.pages.forms import Cancel, Form, read_form
from ai_addons.web.pages.frame import HOME, go, show

if TYPE_CHECKING:
    from ai_addons.billing.policy import Subscription
    from ai_addons.web.base import Action, Handler

_ADDON: Final = f"{HOME}addon/"


def _addon(context: Context) -> WebResponse:
    addons, business = context.addons, context.business
    known = addons.wallet(business).subscription
    live = known is not None and known.state not in {"ended", "incomplete"}
    return show(
        context,
        "shop/addon.html",
        title="Monthly add-on",
        plan=known.plan if known is not None and live else addons.price_list(business).addon,
        known=known,
        live=live,
        next_at=None if known is None else next_renewal(known),
        grace_at=grace_end(known) if known is not None and known.state == "past_due" else None,
        cards=addons.orders.cards(business),
        may_buy=context.allows("credits:purchase") and not _billed_by_host(context),
        may_take=not live and _billed_by_host(context),
    )


def next_renewal(subscription: Subscription) -> int:
    """When what is paid is over, UTC microseconds: the next month is due then."""
    return period_start(subscription, subscription.paid_through + 1)


def _billed_by_host(context: Context) -> bool:
    """Whether the host collects the money itself; it says when a month is paid (`Subscriptions.pay`)."""
    return context.addons.settings.web.addon_billing == "external"


def _take(context: Context) -> WebResponse:
    read_form(Form, context.request)
    if not _billed_by_host(context):
        raise AddonNotOffered
    context.addons.subscriptions.subscribe(context.business)
    return go(context, _ADDON)


def _cancel(context: Context) -> WebResponse:
    form = read_form(Cancel, context.request)
    context.addons.subscriptions.cancel(context.business, immediate=form.when == "now")
    return go(context, _ADDON)


def _resume(context: Context) -> WebResponse:
    read_form(Form, context.request)
    context.addons.subscriptions.resume(context.business)
    return go(context, _ADDON)


def _trial(context: Context) -> WebResponse:
    read_form(Form, context.request)
    claim(context)
    return go(context, HOME)


def _form(path: str, name: str, summary: str, handle: Handler, action: Action) -> Endpoint:
    return Endpoint(
        method="POST", path=path, name=name, summary=summary, handle=handle, action=action, status=303, page=True
    )


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="GET",
        path=_ADDON,
        name="ui_addon",
        summary="Page: the monthly add-on, and how it will be paid.",
        handle=_addon,
        action="addon:manage",
        page=True,
    ),
    _form(f"{_ADDON}take/", "ui_addon_take", "Form: take the add-on, which the host bills.", _take, "addon:manage"),
    _form(f"{_ADDON}cancel/", "ui_addon_cancel", "Form: renew the add-on no more.", _cancel, "addon:manage"),
    _form(f"{_ADDON}resume/", "ui_addon_resume", "Form: take a cancellation back.", _resume, "addon:manage"),
    _form(f"{HOME}trial/", "ui_trial", "Form: claim the trial credits.", _trial, "credits:purchase"),
)
