"""What refunds and disputes of one order should do to credits, said as plainly as Python allows.

Credits are whole micro-credits in three pools that pay in this order: a gift that
ends soon, the order, and what was bought later. Nothing of the package is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

CREDIT: Final = 1_000_000
PAID: Final = 8000
ORDER: Final = 100 * CREDIT
GIFT, OWN, LATER = POOLS = ("gift", "order", "later")
_RANK: Final = {"asked": 0, "pending": 1, "needs_attention": 1, "done": 2, "failed": 3}
_GOING: Final = ("asked", "pending", "needs_attention", "done")


@dataclass
class HeldShares:
    """A call in progress: what it took from which pool, and when it expires."""

    shares: dict[str, int]
    expires_at: int


@dataclass
class Model:
    """A wallet with one order.

    Attributes:
        policy: What becomes of credits that are spent: ``clamp``, ``debt`` or ``suspend``.
        now: Microseconds.
        ends: When each pool expires; None for never.
    """

    policy: str
    now: int
    ends: dict[str, int | None]
    free: dict[str, int] = field(default_factory=lambda: dict.fromkeys(POOLS, 0))
    holds: dict[str, HeldShares] = field(default_factory=dict)
    granted: bool = False
    refunds: dict[str, tuple[int, str]] = field(default_factory=dict)
    disputes: dict[str, tuple[int, str]] = field(default_factory=dict)
    taken: int = 0
    frozen: int = 0
    expired: int = 0
    lapsed: int = 0
    repaid: int = 0
    owed: int = 0
    written_off: int = 0
    suspended: bool = False

    # Money.

    def money(self, *states: str) -> int:
        """Refunds in some states, and lost disputes."""
        back = sum(amount for amount, state in self.refunds.values() if state in states)
        return min(PAID, back + sum(amount for amount, state in self.disputes.values() if state == "lost"))

    @property
    def gone(self) -> int:
        """Money that went back."""
        return self.money("done")

    @property
    def at_risk(self) -> int:
        """Money that went back or may."""
        contested = any(state == "open" for _, state in self.disputes.values())
        return PAID if contested else self.money(*_GOING)

    def refund(self, name: str, amount: int, state: str) -> None:
        """A refund is told; old news change nothing."""
        known = self.refunds.get(name)
        if known is None or _RANK[state] >= _RANK[known[1]]:
            self.refunds[name] = (amount, state)
        self.settle()

    def dispute(self, name: str, amount: int, state: str) -> None:
        """A dispute is told; one that is over does not open again."""
        if state != "open" or name not in self.disputes:
            self.disputes[name] = (amount, state)
        self.settle()

    # Credits.

    @property
    def pinned(self) -> int:
        """What calls hold of the order, or what is still to come of it."""
        return sum(hold.shares[OWN] for hold in self.holds.values()) + (0 if self.granted else ORDER)

    @property
    def available(self) -> int:
        """What a call can have."""
        return sum(self.free.values())

    @property
    def held(self) -> int:
        """What calls hold, and what is frozen."""
        return self.frozen + sum(sum(hold.shares.values()) for hold in self.holds.values())

    def settle(self) -> None:
        """Take, give back and freeze."""
        target, risk = ORDER * self.gone // PAID, ORDER * self.at_risk // PAID
        unfrozen, self.frozen = self.free[OWN] + self.frozen, 0
        excess = self.taken + self.repaid - target
        if excess > 0:
            later = min(excess, self.repaid)
            self.repaid -= later
            self.free[LATER] += later
            self.taken -= excess - later
            unfrozen += excess - later
            self.lapsed = self.written_off = self.owed = 0
        else:
            take = min(-excess, unfrozen)
            self.taken += take
            unfrozen -= take
            missing = max(-excess - take - self.pinned, 0)
            self.lapsed = min(missing, self.expired)
            short, before = missing - self.lapsed, self.owed
            self.written_off, self.owed = (short, 0) if self.policy == "clamp" else (0, short)
            self.suspended = self.suspended or (self.policy == "suspend" and self.owed > before)
        self.suspended = self.suspended and self.owed > 0
        self.frozen = min(risk - target, unfrozen)
        self.free[OWN] = unfrozen - self.frozen
        self.lapse()

    def lapse(self) -> None:
        """What is free when its pool ends is gone."""
        for pool, ends in self.ends.items():
            if ends is not None and ends <= self.now:
                self.expired += self.free[pool] if pool == OWN else 0
                self.free[pool] = 0

    def pay(self) -> None:
        """The order's credits come."""
        self.granted = True
        self.free[OWN] += ORDER
        self.settle()

    def top_up(self, amount: int) -> None:
        """Credits are bought, and pay a debt first."""
        paid = min(self.owed, amount)
        self.owed -= paid
        self.repaid += paid
        self.free[LATER] += amount - paid
        self.suspended = self.suspended and self.owed > 0

    def hold(self, name: str, amount: int, expires_at: int) -> bool:
        """Set credits aside; False if they are refused."""
        if self.suspended or amount > self.available:
            return False
        shares = dict[str, int]()
        for pool in POOLS:
            shares[pool] = min(amount, self.free[pool])
            self.free[pool] -= shares[pool]
            amount -= shares[pool]
        self.holds[name] = HeldShares(shares, expires_at)
        return True

    def end(self, name: str, used: int) -> None:
        """A call ends: what it used is gone, the rest is free again."""
        for pool, share in self.holds.pop(name).shares.items():
            part = min(used, share)
            used -= part
            self.free[pool] += share - part
        self.settle()

    def wait(self, time: int) -> None:
        """Time passes; what falls due does so at its own instant."""
        until = self.now + time
        due = [(hold.expires_at, 0, name) for name, hold in self.holds.items()]
        due += [(ends, 1, pool) for pool, ends in self.ends.items() if ends is not None]
        for at, kind, name in sorted(due):
            if at <= until:
                self.now = max(self.now, at)
                if kind == 0:
                    self.end(name, 0)
                self.lapse()
        self.now = until
