"""Which credits pay: grants, their burn order, and how a hold is spread over them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.errors import BillingError
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GrantSource: TypeAlias = Literal[
    "purchase", "bonus", "trial", "free_monthly", "addon", "rollover", "promo", "adjustment", "clawback_reversal"
]

PRIORITY: Final[dict[str, int]] = {
    "trial": 10,
    "free_monthly": 10,
    "promo": 10,
    "bonus": 10,
    "rollover": 20,
    "addon": 30,
    "purchase": 50,
    "adjustment": 50,
    "clawback_reversal": 50,
}
"""Free before paid: a lower number burns first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Credits given to a wallet for one reason.

    Attributes:
        id: Time-ordered id.
        source: Why the credits were given.
        ref: What made it unique (an order, ``trial``, an operator's key).
        amount: Credits given.
        remaining: Credits not spent yet, held ones included.
        held: Credits pinned by open holds.
        priority: Burns earlier when lower.
        unit_price: Micro-GHS really paid per credit; 0 for free credits.
        effective_at: From when it may pay, UTC microseconds.
        expires_at: From when it may no longer pay, None for never.
    """

    id: str
    source: GrantSource
    ref: str
    amount: Credits
    remaining: Credits
    held: Credits
    priority: int
    unit_price: int
    effective_at: int
    expires_at: int | None

    @property
    def free(self) -> Credits:
        """Credits that a new hold may take."""
        return self.remaining - self.held


def burn_key(grant: Grant) -> tuple[bool, int, int, str]:
    """Sort key of the burn order: soonest expiry first (never last), then priority, then oldest."""
    return (grant.expires_at is None, grant.expires_at or 0, grant.priority, grant.id)


def allocate(grants: Iterable[Grant], amount: Credits, now: int) -> list[tuple[Grant, Credits]]:
    """Spread a hold over the grants that may pay now, in burn order.

    Args:
        grants: The wallet's grants, in any order.
        amount: Credits to hold.
        now: UTC microseconds.

    Returns:
        Grants with the share each gives.

    Raises:
        BillingError: If the grants do not cover the amount although the wallet
            did; the books disagree and nothing may be charged.
    """
    shares, missing = list[tuple[Grant, Credits]](), amount
    for grant in sorted(grants, key=burn_key):
        usable = grant.effective_at <= now and (grant.expires_at is None or now < grant.expires_at)
        share = min(grant.free, missing) if usable else Credits(0)
        if share:
            shares.append((grant, share))
            missing -= share
    if missing:
        msg = "This wallet's grants do not cover its balance. Nothing was charged. Run `ai-addons doctor`."
        raise BillingError(msg)
    return shares


def spend(shares: Sequence[Credits], used: Credits) -> list[Credits]:
    """How much of each share of a hold is really used, first shares first.

    Args:
        shares: The hold's allocations in burn order.
        used: Credits captured, at most their sum.
    """
    taken = list[Credits]()
    for share in shares:
        part = min(share, used)
        taken.append(part)
        used -= part
    return taken
