"""A payment as its payer looks at it: what to do next, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from ai_addons.errors import PaymentError
from ai_addons.money import MICRO
from ai_addons.web.returning import return_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ai_addons.billing.orders import Attempt, Order
    from ai_addons.web.base import Context
    from ai_addons.web.pages.forms import Way

PROMPT_SECONDS: Final = 180
"""How long a prompt on the phone is valid: the limit of the networks."""

Step: TypeAlias = Literal["approve_on_phone", "enter_otp", "redirect", "try_again"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What an unpaid order waits for.

    Attributes:
        step: What the payer does next. What a gateway says of it is not shown: at the next look it is another word.
        url: Page on which to pay, for the step ``redirect``.
        seconds: How long the phone waits yet; 0 once its time is over.
        failed: Whether an attempt has ended without a payment.
    """

    step: Step
    url: str | None = None
    seconds: int = 0
    failed: bool = False


def wait_of(order: Order, attempts: Sequence[Attempt], now: int) -> Wait | None:
    """What an order waits for; None if it waits for nothing.

    Args:
        order: The order.
        attempts: Its attempts, oldest first.
        now: UTC microseconds.
    """
    if order.state != "pending" or not attempts:
        return None
    last = attempts[-1]
    if last.state != "open":
        # A reason may be the gateway's own words about itself, which are not for payers.
        return Wait(step="try_again", failed=last.state == "failed")
    if last.url is not None:
        return Wait(step="redirect", url=last.url if is_page(last.url) else None)
    seconds = max(0, PROMPT_SECONDS - (now - last.created_at) // MICRO)
    return Wait(step=last.next_step or "approve_on_phone", seconds=seconds)


def is_page(url: str) -> bool:
    """Whether an address is one that a link may lead to."""
    return urlsplit(url).scheme in {"https", "http"}


def way_of(context: Context, form: Way) -> Mapping[str, str | None]:
    """How a form wants to pay, as `Payments.start` and `Payments.attempt` take it.

    Raises:
        PaymentError: If half of it is missing, or there is no such card.
    """
    back = {"return_url": return_url(context)}
    if form.way == "phone":
        if not form.phone or form.network is None:
            msg = "A payment by phone needs its number and its network. Nothing was charged. Give both."
            raise PaymentError(msg)
        return {**back, "phone": form.phone, "network": form.network}
    if form.way == "page":
        return back
    for card in context.addons.orders.cards(context.business):
        if card.id == form.card:
            return {**back, "card": card.id, "gateway": card.gateway}
    msg = "There is no such card. Nothing was charged. Pay another way."
    raise PaymentError(msg)
