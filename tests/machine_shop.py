"""What the books should say, once more and as plainly as possible: whole numbers in lists.

Amounts are micro-credits, times UTC microseconds. Every shop lives in Accra, whose
clock is UTC. Nothing is shared with the books but the errors they raise.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CREDIT = 1_000_000
SECOND = 1_000_000
DAY = 86_400 * SECOND
TTL = 120 * SECOND
LOW = 10 * CREDIT
ADDON, CAP, ADDON_PAID, GRACE = 100 * CREDIT, 50 * CREDIT, 50_000_000, 7 * DAY
REMINDERS = (-3 * DAY, 0, 3 * DAY)
FREE, TRIAL = 5 * CREDIT, 5 * CREDIT
PRIORITY = {"trial": 10, "free_monthly": 10, "promo": 10, "bonus": 10, "rollover": 20, "addon": 30}
PAUSE = "paused"

Place: TypeAlias = tuple[str, str, str, str]
"""Business, scope, key and window of a limit; empty for all."""


def month(anchor: int, n: int) -> int:
    """The same day and time ``n`` months later, or the last day of a shorter month."""
    first = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=anchor)
    year, number = divmod(first.year * 12 + first.month - 1 + n, 12)
    day = min(first.day, monthrange(year, number + 1)[1])
    return _micros(first.replace(year=year, month=number + 1, day=day))


def window_start(window: str, now: int) -> int:
    """The midnight that a day or a month began with."""
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now // DAY * DAY)
    return _micros(day if window == "day" else day.replace(day=1))


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


class Refused(Exception):
    """The books must refuse; ``keep`` says that due work done on the way stays done."""

    def __init__(self, error: type[Exception], *, keep: bool = False, available: int | None = None) -> None:
        super().__init__(error.__name__)
        self.error, self.keep, self.available = error, keep, available


@dataclass
class Grant:
    """Credits given for one reason; ``number`` sorts by time of giving."""

    source: str
    ref: str
    amount: int
    paid: int = 0
    begins: int = 0
    ends: int | None = None
    features: tuple[str, ...] | None = None
    priority: int | None = None
    number: tuple[int, int] = (0, 0)
    left: int = 0
    held: int = 0
    void: bool = False

    @property
    def free(self) -> int:
        """What a call can take."""
        return self.left - self.held

    @property
    def burn(self) -> tuple[bool, int, int, tuple[int, int]]:
        """Soonest end first, then free before paid, then oldest."""
        priority = PRIORITY.get(self.source, 50) if self.priority is None else self.priority
        return (self.ends is None, self.ends or 0, priority, self.number)

    def worth(self, part: int) -> int:
        """What was paid for the next credits to go, so that all of them together earn all that was paid."""
        gone = self.amount - self.left
        return self.paid * (gone + part) // self.amount - self.paid * gone // self.amount


@dataclass
class Call:
    """One attempt of a call: its hold, if it had one, and what became of it."""

    key: str
    attempt: int
    amount: int
    feature: str
    user: str | None
    state: str
    ends: int = 0
    shares: list[tuple[Grant, int]] = field(default_factory=list)
    used: list[tuple[Grant, int]] = field(default_factory=list)
    counted: list[tuple[Any, ...]] = field(default_factory=list)
    outcome: str | None = None
    charged: int = 0
    revenue: int = 0
    forgotten: bool = False


@dataclass
class Sub:
    """A monthly add-on."""

    id: str
    state: str
    anchor: int
    first: int = 0
    period: int = 0
    paid_through: int = -1
    carried: int = 0
    waiting: int = 0
    waiting_paid: int = 0
    reminded: int = 0

    def start(self, n: int) -> int:
        """Start of a period."""
        return month(self.anchor, n - self.first)


@dataclass
class Plan:
    """What is to be done at an instant: take what is carried, let grants expire, then the rest."""

    at: int
    carry: Sequence[tuple[Grant, int]] = ()
    then: Callable[[], None] = lambda: None


@dataclass
class Shop:
    """Everything about one business."""

    name: str
    exists: bool = False
    anchor: int = 0
    period: int = -1
    policy: str | None = None
    status: str = "active"
    grants: list[Grant] = field(default_factory=list)
    planned: list[Grant] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    subs: list[Sub] = field(default_factory=list)
    ledger: list[tuple[str, str, str, int, int]] = field(default_factory=list)
    causes: list[Any] = field(default_factory=list)
    undone: set[int] = field(default_factory=set)
    adjusted: dict[str, int] = field(default_factory=dict)
    lifetime_in: int = 0
    lifetime_used: int = 0
    armed: bool = False
    fired: int | None = None
    bought: bool = False

    @property
    def posted(self) -> int:
        """All that grants have left."""
        return sum(grant.left for grant in self.grants)

    @property
    def held(self) -> int:
        """All that open holds hold."""
        return sum(call.amount for call in self.calls if call.state == "open")

    @property
    def available(self) -> int:
        """What can be spent."""
        return self.posted - self.held

    @property
    def sub(self) -> Sub | None:
        """The add-on that lives, else the last one."""
        living = [sub for sub in self.subs if sub.state != "ended"]
        found = living or self.subs
        return found[-1] if found else None

    def enter(self, kind: str, debit: str, credit: str, amount: int, at: int, cause: Any = None) -> None:
        """Write a ledger row."""
        self.ledger.append((kind, debit, credit, amount, at))
        self.causes.append(cause)

    def open_holds(self) -> list[Call]:
        """Open holds, the first to expire first."""
        return sorted((c for c in self.calls if c.state == "open"), key=lambda c: (c.ends, c.key, c.attempt))

    def mortal(self) -> list[Grant]:
        """Grants with free credits that will expire."""
        return sorted((g for g in self.grants if g.free and g.ends is not None), key=lambda g: g.burn)

    def spread(self, feature: str, amount: int, now: int) -> list[tuple[Grant, int]]:
        """Who pays how much; less than asked for if they cannot."""
        shares = []
        for grant in sorted(self.grants, key=lambda g: g.burn):
            may = (grant.ends is None or now < grant.ends) and (grant.features is None or feature in grant.features)
            part = min(grant.free, amount) if may else 0
            if part:
                shares.append((grant, part))
                amount -= part
        return shares


def total(shares: Sequence[tuple[Grant, int]]) -> int:
    """The sum of shares."""
    return sum(part for _, part in shares)
