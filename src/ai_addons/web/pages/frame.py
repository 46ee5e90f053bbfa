"""What stands on every page of a shop's owner: its name, the way around, the balance, a payment that waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.web.base import WebResponse
from ai_addons.web.pages import HEADERS, HTML, render
from ai_addons.web.pages.filters import credits_text
from ai_addons.web.words import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ai_addons.billing.orders import Order
    from ai_addons.web.base import Action, Context
    from ai_addons.web.words import Words

HOME: Final = "ai/ui/"
"""Where the pages are, below the mount."""

_ADDON: Final = f"{HOME}addon/"
_LINKS: Final[tuple[tuple[str, str, Action], ...]] = (
    (HOME, "Balance", "credits:read"),
    (f"{HOME}buy/", "Buy credits", "credits:purchase"),
    (f"{HOME}prices/", "Prices", "credits:read"),
    (f"{HOME}usage/", "Usage", "usage:read"),
    (f"{HOME}grants/", "Your credits", "credits:read"),
    (f"{HOME}orders/", "Orders", "credits:read"),
    (f"{HOME}ledger/", "Statement", "usage:read"),
    (_ADDON, "Add-on", "addon:manage"),
)
_LATEST: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An order that waits to be paid.

    Attributes:
        path: Its page, below the mount.
        label: What it is, for people.
    """

    path: str
    label: str


def show(  # a page has that many sides
    context: Context, template: str, *, title: str, status: int = 200, badge: bool = True, **facts: object
) -> WebResponse:
    """A page of the shop's owner.

    Args:
        context: What is asked, by whom.
        template: Path of its template.
        title: Its name and first heading, in English.
        status: HTTP status.
        badge: Whether the balance stands at the top; it does not where it is the page's own subject.
        **facts: What else the template needs.
    """
    addons, business, words = context.addons, context.business, context.words
    reads = context.allows("credits:read")
    profile = addons.profile_of(business)
    return render(
        template,
        context.request,
        status=status,
        words=words,
        title=words(title),
        shop_name=profile.name or words("AI credits"),
        tz=profile.tz,
        links=[
            (path, words(label)) for path, label, action in _LINKS if context.allows(action) and _there(context, path)
        ],
        badge=badge and reads,
        available=addons.wallet(business).available if reads else None,
        home=addons.settings.web.home_url,
        waiting=waiting(addons.orders.history(business, most=_LATEST), words) if reads else None,
        **facts,
    )


def _there(context: Context, path: str) -> bool:
    """Whether a page has anything to show: that of the add-on does where one is on sale, or was taken."""
    if path != _ADDON:
        return True
    wallet = context.addons.wallet(context.business)
    return wallet.subscription is not None or context.addons.price_list(context.business).addon is not None


def go(context: Context, path: str) -> WebResponse:
    """Send the browser to another page, so that a form is not sent again.

    Args:
        context: What was asked.
        path: Below the mount.
    """
    return WebResponse(
        status=303, body=b"", content_type=HTML, headers={**HEADERS, "location": f"{context.request.root}{path}"}
    )


def waiting(orders: Iterable[Order], words: Words = ENGLISH) -> Waiting | None:
    """The newest of some orders that waits to be paid, None if there is none.

    Args:
        orders: The newest first.
        words: Say what it is for.
    """
    for order in orders:
        if order.state == "pending":
            return Waiting(path=order_path(order.id), label=order_label(order, words))
    return None


def order_path(order: str) -> str:
    """The page of an order, below the mount."""
    return f"{HOME}orders/{order}/"


def order_label(order: Order, words: Words = ENGLISH) -> str:
    """What an order is for, for people."""
    if order.pack is None:
        name = words("A month of the add-on")
    else:
        name = words("Your own amount") if order.kind == "custom" else pack_name(order.pack)
    amount = credits_text(order.credits)
    return words("{name}, {credits} credits for {price}", name=name, credits=amount, price=order.price)


def pack_name(pack: str) -> str:
    """What a pack is called: ``VALUE`` is Value."""
    return pack.replace("_", " ").capitalize()
