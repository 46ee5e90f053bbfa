"""What an order is for: a pack on sale, a pack of any size, or the next month of the add-on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.packs import custom
from ai_addons.billing.prices import in_force, packs_in_force
from ai_addons.billing.wallet import NOTHING
from ai_addons.errors import AddonConflict, PaymentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.billing.orders import OrderKind
    from ai_addons.billing.policy import Policy, Subscription
    from ai_addons.billing.prices import PackVersion
    from ai_addons.money import Credits, Money

CUSTOM: Final = "CUSTOM"
"""Type of the pack whose size the buyer chooses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a business asks for.

    Attributes:
        pack: Type of a pack; None for the add-on.
        amount: What to pay for a pack of type ``CUSTOM``; None for any other.
        addon: Whether it is the next unpaid month of the add-on.

    Raises:
        ValueError: Unless it is exactly one of the three.
    """

    pack: str | None = None
    amount: Money | None = None
    addon: bool = False

    def __post_init__(self) -> None:
        """Refuse what names nothing, or two things."""
        if self.addon == (self.pack is not None) or (self.amount is not None) != (self.pack == CUSTOM):
            msg = "an order is for a pack, for CUSTOM with an amount, or for the add-on; nothing was ordered"
            raise ValueError(msg)

    @property
    def hash(self) -> str:
        """What tells two requests under one key apart; nothing in it is personal."""
        amount = None if self.amount is None else [self.amount.minor, self.amount.currency]
        text = json.dumps({"pack": self.pack, "amount": amount, "addon": self.addon}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What an order sells.

    Attributes:
        kind: Which sort of order it makes.
        price: What it costs.
        credits: All its credits.
        bonus: How many of them are free.
        pack: Type of the pack, None for the add-on.
        version: When its published version began, as text; None for a list pack.
        subscription: Id of the add-on.
        period: Which month of it.
    """

    kind: OrderKind
    price: Money
    credits: Credits
    bonus: Credits = NOTHING
    pack: str | None = None
    version: str | None = None
    subscription: str | None = None
    period: int | None = None


def sold_pack(policy: Policy, versions: Sequence[PackVersion], wanted: Wanted, at: int) -> Sold:
    """The pack that a policy sells at a time.

    Args:
        policy: The business's.
        versions: Published packs.
        wanted: A pack.
        at: UTC microseconds.

    Raises:
        PaymentError: If the policy does not sell it.
        ValueError: If the amount is out of bounds.
    """
    if wanted.amount is not None:
        if policy.custom is None:
            raise _not_sold(CUSTOM)
        made = custom(policy.custom, wanted.amount)
        return Sold(kind="custom", price=made.price, credits=made.credits, pack=CUSTOM)
    packs = {pack.type: pack for pack in packs_in_force(policy.packs(), versions, at)}
    pack = packs.get(str(wanted.pack))
    if pack is None:
        raise _not_sold(str(wanted.pack))
    version = in_force([one for one in versions if one.pack.type == pack.type], at)
    return Sold(
        kind="pack",
        price=pack.price,
        credits=pack.credits,
        bonus=pack.bonus,
        pack=pack.type,
        version=None if version is None else str(version.effective_from),
    )


def sold_month(subscription: Subscription) -> Sold:
    """The next unpaid month of an add-on, by the terms it was taken on.

    Raises:
        AddonConflict: If it is cancelled.
    """
    if subscription.state == "cancel_at_end":
        msg = "This add-on is cancelled. Nothing was ordered. Resume it first."
        raise AddonConflict(msg)
    return Sold(
        kind="addon" if subscription.state == "incomplete" else "addon_renewal",
        price=subscription.plan.price,
        credits=subscription.plan.credits,
        subscription=subscription.id,
        period=subscription.paid_through + 1,
    )


def _not_sold(pack: str) -> PaymentError:
    return PaymentError(f"The pack {pack!r} is not on sale here. Nothing was ordered. Look at the price list.")
