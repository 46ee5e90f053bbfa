"""The port to a billing policy: pure rules, never a write.

A policy says what is sold and what is given. The store does every booking, so
a policy cannot break an invariant. It sees a wallet as an `Account` and answers
with `Due` work: what to give, and when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from ai_addons.billing.grants import PRIORITY, Grant
from ai_addons.money import Credits

if TYPE_CHECKING:
    from ai_addons.billing.grants import BurnKey, GrantSource
    from ai_addons.billing.packs import CustomPack
    from ai_addons.catalog import Pack
    from ai_addons.money import Money

SubscriptionState: TypeAlias = Literal["incomplete", "active", "past_due", "cancel_at_end", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddonPlan:
    """A monthly add-on as it is sold.

    Attributes:
        price: What a month costs.
        credits: Credits of a month.
        rollover_cap: Most unused credits that live on for the next month.
        grace_us: Microseconds after a period's end in which its renewal may still be paid.
    """

    price: Money
    credits: Credits
    rollover_cap: Credits
    grace_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A monthly add-on that a business took, on the terms of the day it was sold.

    Attributes:
        id: Time-ordered id.
        business: Who took it.
        plan: The terms.
        state: ``incomplete`` until first paid; ``past_due`` while a renewal may still be paid.
        tz: IANA name of the zone its months are counted in.
        anchor_at: Start of period ``first``, UTC microseconds; every later period is counted from here.
        first: Number of the period that starts at the anchor.
        period: The period it is in.
        paid_through: Last period that is paid, -1 for none.
        carried: Credits carried into this period so far; the cap leaves room for the rest.
        waiting: Credits carried but kept back in account ``rollover`` until the renewal is paid.
        waiting_paid: Micro-GHS that was paid for all waiting credits.
        reminded: How many reminders of the next renewal were sent.
        created_at: When it was taken, UTC microseconds.
        ended_at: When it ended, None while it lives.
    """

    id: str
    business: str
    plan: AddonPlan
    state: SubscriptionState
    tz: str
    anchor_at: int
    first: int
    period: int
    paid_through: int
    carried: Credits
    waiting: Credits
    waiting_paid: int
    reminded: int
    created_at: int
    ended_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A wallet as a policy sees it.

    Attributes:
        business: Whose.
        posted: Credits booked, held ones included.
        held: Credits pinned by open holds.
        grants: The grants that still hold credits, in no order.
        tz: IANA name of the business's zone.
        anchor_at: Where its months are counted from, UTC microseconds.
        period: Last month from the anchor whose due work is done; -1 for none. A wallet first met, or first
            put under a policy, long after its anchor starts at the month before the present one, so that
            nothing is given for months gone by.
        subscription: The open one, else the last one, None if there never was one.
    """

    business: str
    posted: Credits
    held: Credits
    grants: tuple[Grant, ...]
    tz: str
    anchor_at: int
    period: int
    subscription: Subscription | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Give:
    """Credits for the wallet, once per source and reference.

    Attributes:
        source: Why.
        ref: What makes it unique.
        amount: How many; more than zero.
        expires_at: From when they may no longer pay, None for never.
        paid: Micro-GHS really paid for the whole amount; 0 for free credits.
        features: The only features they pay for, None for all.
        priority: Burns earlier when lower; None for the source's own.
    """

    source: GrantSource
    ref: str
    amount: Credits
    expires_at: int | None
    paid: int = 0
    features: tuple[str, ...] | None = None
    priority: int | None = None

    def grant(self, new_id: str, effective_at: int) -> Grant:
        """The grant it becomes, of which nothing is spent or held.

        Args:
            new_id: Id of the grant; sorts by time.
            effective_at: From when it may pay, UTC microseconds.
        """
        return Grant(
            id=new_id,
            source=self.source,
            ref=self.ref,
            amount=self.amount,
            remaining=self.amount,
            held=Credits(0),
            priority=PRIORITY[self.source] if self.priority is None else self.priority,
            paid=self.paid,
            effective_at=effective_at,
            expires_at=self.expires_at,
            features=self.features,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Carry:
    """Take unused credits out of these grants, to live on: wallet -> account ``rollover``.

    Attributes:
        grants: Ids, in the order they are taken from; only their free credits are taken.
        amount: How many in all, at most what is free in them.
    """

    grants: tuple[str, ...]
    amount: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Give carried credits back: account ``rollover`` -> wallet, as a grant of source ``rollover``.

    Attributes:
        ref: What makes it unique.
        amount: How many.
        paid: Micro-GHS that was paid for what was carried.
        expires_at: From when they may no longer pay.
    """

    ref: str
    amount: Credits
    paid: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forfeit:
    """Carried credits that nobody paid to keep: account ``rollover`` -> ``breakage``.

    Attributes:
        ref: What makes it unique.
        amount: How many.
    """

    ref: str
    amount: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """An event for the host, once per key.

    Attributes:
        topic: E.g. ``addon.renewal_due``.
        key: What makes it unique within the business.
        facts: Plain facts about it, without personal data.
    """

    topic: str
    key: str
    facts: tuple[tuple[str, str], ...] = ()


Task: TypeAlias = Give | Carry | Release | Forfeit | Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The next piece of work that time asks for.

    Attributes:
        at: The instant it belongs to, UTC microseconds; maybe in the future.
        tasks: What to do then, in this order, after holds of that instant expired. Credits are
            carried before the grants of that instant expire and given after.
        period: The account's new ``period``, None to leave it.
        subscription: The subscription as it is afterwards, None to leave it.
    """

    at: int
    tasks: tuple[Task, ...] = ()
    period: int | None = None
    subscription: Subscription | None = None


class Policy(Protocol):
    """How credits are sold and given (`ai_addons.policies` entry points).

    `ai_addons.testing.contracts.PolicyContract` tests any of them.
    """

    @property
    def name(self) -> str:
        """Name in the settings."""
        ...

    @property
    def trial(self) -> Credits:
        """Credits given once to a new business; zero for no trial."""
        ...

    @property
    def addon(self) -> AddonPlan | None:
        """The monthly add-on on sale, None for none."""
        ...

    @property
    def custom(self) -> CustomPack | None:
        """The pack of any size on sale, None for none."""
        ...

    def packs(self) -> tuple[Pack, ...]:
        """What can be bought, cheapest first."""
        ...

    def due(self, account: Account) -> Due | None:
        """The policy's next work for a wallet, maybe in the future; None for never.

        Pure, and it must move on: with the work done, what is due next lies later,
        or is the next of a list that ends. Add-ons are not its business: what was
        sold is honoured under any policy.
        """
        ...

    def burn_key(self, grant: Grant) -> BurnKey:
        """Sort key of the order in which grants pay; smallest first."""
        ...
