"""Books of a few lines for the rules of the monthly add-on: what the store does, in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from ai_addons.billing import addon
from ai_addons.billing.grants import PRIORITY, Grant, GrantSource, spread
from ai_addons.billing.packs import ADDON
from ai_addons.billing.policy import Account, Carry, Due, Forfeit, Give, Release, Subscription, Task, Tell
from ai_addons.money import Credits

ACCRA: Final = "Africa/Accra"
DAY: Final = 86_400_000_000
CEDI: Final = 1_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def us(text: str) -> int:
    """UTC microseconds of an ISO time given in UTC."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


START: Final = us("2027-01-31 10:00")
FEB: Final = us("2027-02-28 10:00")
MAR: Final = us("2027-03-31 10:00")
APR: Final = us("2027-04-30 10:00")
NEW: Final = addon.begin(ADDON, id="s", business="biz", tz=ACCRA, now=START - 5 * DAY)


class Books:
    """A wallet as the store keeps it, in memory: what is due is done in order before anything else."""

    def __init__(self, subscription: Subscription = NEW, *grants: Grant, now: int = START) -> None:
        self.subscription, self.grants, self.now = subscription, list(grants), now
        self.holds = list[tuple[str, Credits, int]]()
        self.kept = Credits(0)
        self.log = list[tuple[int, Task]]()

    def wait(self, until: int) -> None:
        """Do all that is due, each instant in turn."""
        while self._step(until):
            pass
        self.now = max(self.now, until)

    def act(self, work: Due) -> None:
        """Apply what a rule answered."""
        self._apply(work)
        self.wait(self.now)

    def pay(self, period: int | None = None) -> None:
        self.act(addon.pay(self.subscription, period=period, now=self.now))

    def cancel(self, *, immediate: bool = False) -> None:
        self.act(addon.cancel(self.subscription, immediate=immediate, now=self.now))

    def spend(self, amount: str | Credits) -> None:
        """Use credits in burn order."""
        for grant, share in spread(self.grants, Credits(amount), feature="any", now=self.now):
            self._change(grant.id, remaining=grant.remaining - share)

    def hold(self, amount: str | Credits, expires_at: int) -> None:
        """Pin credits; they come back when the hold expires."""
        for grant, share in spread(self.grants, Credits(amount), feature="any", now=self.now):
            self._change(grant.id, held=grant.held + share)
            self.holds.append((grant.id, share, expires_at))

    @property
    def available(self) -> str:
        """Credits that may pay now."""
        alive = (grant.free.micro for grant in self.grants if (grant.expires_at or self.now + 1) > self.now)
        return Credits.from_micro(sum(alive)).short

    @property
    def account(self) -> Account:
        return Account(
            business="biz",
            posted=Credits(0),
            held=Credits(0),
            grants=tuple(grant for grant in self.grants if grant.remaining),
            tz=ACCRA,
            anchor_at=START,
            period=-1,
            subscription=self.subscription,
        )

    def _step(self, until: int) -> bool:
        work = addon.due(self.account)
        ends = [grant.expires_at for grant in self.grants if grant.free and grant.expires_at is not None]
        at = min([hold[2] for hold in self.holds] + ends + ([work.at] if work else []), default=until + 1)
        if at > until:
            return False
        if any(hold[2] == at for hold in self.holds):
            self._return_holds(at)
        elif work is not None and work.at == at:
            self._apply(work)
        else:
            self._expire(at)
        return True

    def _return_holds(self, at: int) -> None:
        for grant_id, share, _ in (hold for hold in self.holds if hold[2] == at):
            self._change(grant_id, held=self.find(grant_id).held - share)
        self.holds = [hold for hold in self.holds if hold[2] != at]

    def _expire(self, at: int) -> None:
        for grant in self.grants:
            if grant.expires_at is not None and grant.expires_at <= at:
                self._change(grant.id, remaining=grant.held)

    def _apply(self, work: Due) -> None:
        for task in work.tasks:
            if isinstance(task, Carry):
                self._carry(task)
        if any(isinstance(task, Carry) for task in work.tasks):
            self._expire(work.at)
        for task in work.tasks:
            self._do(task, work.at)
            self.log.append((work.at, task))
        self.subscription = work.subscription or self.subscription

    def _carry(self, task: Carry) -> None:
        left = task.amount
        for grant_id in task.grants:
            part = min(self.find(grant_id).free, left)
            assert part > Credits(0)
            self._change(grant_id, remaining=self.find(grant_id).remaining - part)
            left -= part
        assert not left
        self.kept += task.amount

    def _do(self, task: Task, at: int) -> None:
        if isinstance(task, Give | Release):
            source: GrantSource = task.source if isinstance(task, Give) else "rollover"
            self._enter(grant(source, task.ref, task.amount, paid=task.paid, expires_at=task.expires_at, at=at))
        if isinstance(task, Release | Forfeit):
            self.kept -= task.amount
            assert self.kept >= Credits(0)

    def _enter(self, grant: Grant) -> None:
        assert grant.amount > Credits(0)
        assert grant.id not in [other.id for other in self.grants], "each grant is given once"
        self.grants.append(grant)

    def find(self, grant_id: str) -> Grant:
        """A grant by its id."""
        return next(grant for grant in self.grants if grant.id == grant_id)

    def _change(self, grant_id: str, *, remaining: Credits | None = None, held: Credits | None = None) -> None:
        """Change one grant; Nones stay as they are."""
        old = self.find(grant_id)
        new = replace(
            old,
            remaining=old.remaining if remaining is None else remaining,
            held=old.held if held is None else held,
        )
        self.grants[self.grants.index(old)] = new


def grant(
    source: GrantSource,
    ref: str,
    amount: str | Credits,
    *,
    paid: int = 0,
    expires_at: int | None = None,
    at: int = START,
) -> Grant:
    """A grant as the books make it."""
    return Grant(
        id=f"{source}/{ref}",
        source=source,
        ref=ref,
        amount=Credits(amount),
        remaining=Credits(amount),
        held=Credits(0),
        priority=PRIORITY[source],
        paid=paid,
        effective_at=at,
        expires_at=expires_at,
    )


def kinds(books: Books) -> list[tuple[int, str]]:
    """What was done, reminders left out."""
    return [(at, type(task).__name__) for at, task in books.log if not isinstance(task, Tell)]
