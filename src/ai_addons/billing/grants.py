"""Which credits pay: grants, their burn order, and how a hold is spread over them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.money import MICRO, Credits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

GrantSource: TypeAlias = Literal[
    "purchase", "bonus", "trial", "free_monthly", "addon", "rollover", "promo", "adjustment", "clawback_reversal"
]

BurnKey: TypeAlias = tuple[bool, int, int, str]
"""Whether a grant never expires, when it does, its priority, its id."""

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
        paid: Micro-GHS really paid for the whole amount; 0 for free credits.
        effective_at: From when it may pay, UTC microseconds.
        expires_at: From when it may no longer pay, None for never.
        features: The only features it pays for, None for all.
        voided_at: When its unused credits were taken back, None if they were not.
    """

    id: str
    source: GrantSource
    ref: str
    amount: Credits
    remaining: Credits
    held: Credits
    priority: int
    paid: int
    effective_at: int
    expires_at: int | None
    features: tuple[str, ...] | None = None
    voided_at: int | None = None

    @property
    def free(self) -> Credits:
        """Credits that a new hold may take."""
        return self.remaining - self.held

    @property
    def unit_price(self) -> int:
        """Micro-GHS paid per credit, bonus included, rounded down."""
        return self.paid * MICRO // self.amount.micro

    def worth(self, part: Credits) -> int:
        """Micro-GHS paid for the next credits to leave this grant.

        Allotted cumulatively, so that a grant that is used up has earned exactly
        what was paid for it: 7 cedis for 3 credits are 2.333333, 2.333333, 2.333334.

        Args:
            part: How many leave; negative for those that come back.
        """
        gone = self.amount.micro - self.remaining.micro
        return self.paid * (gone + part.micro) // self.amount.micro - self.paid * gone // self.amount.micro

    def may_pay(self, feature: str, now: int) -> bool:
        """Whether its free credits may be spent on a feature at a time (UTC microseconds)."""
        in_time = self.effective_at <= now and (self.expires_at is None or now < self.expires_at)
        return in_time and (self.features is None or feature in self.features)


def burn_key(grant: Grant) -> BurnKey:
    """Sort key of the burn order: soonest expiry first (never last), then priority, then oldest."""
    return (grant.expires_at is None, grant.expires_at or 0, grant.priority, grant.id)


def spread(
    grants: Iterable[Grant], amount: Credits, *, feature: str, now: int, key: Callable[[Grant], BurnKey] = burn_key
) -> list[tuple[Grant, Credits]]:
    """Spread an amount over the grants that may pay for a feature now, in burn order.

    Args:
        grants: The wallet's grants, in any order.
        amount: Credits wanted.
        feature: What they are for.
        now: UTC microseconds.
        key: Burn order.

    Returns:
        Grants with the share each gives; together less than wanted if they do not cover it.
    """
    shares, missing = list[tuple[Grant, Credits]](), amount
    for grant in sorted(grants, key=key):
        share = min(grant.free, missing) if grant.may_pay(feature, now) else Credits(0)
        if share:
            shares.append((grant, share))
            missing -= share
    return shares


def total(shares: Iterable[tuple[Grant, Credits]]) -> Credits:
    """What shares of grants come to."""
    return Credits.from_micro(sum(share.micro for _, share in shares))


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
