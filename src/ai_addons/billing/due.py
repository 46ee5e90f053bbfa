"""What a wallet's clock asks for, done the same way by the next touch and by the sweep.

Everything happens at its own instant, one instant after the other, however late
it is done: holds expire, credits are carried over, grants expire, new ones are
given. So a business that nobody looked at for months finds the same ledger as
one that was swept every minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from ai_addons.billing import addon, calls, reclaim
from ai_addons.billing.ledger import WALLET
from ai_addons.billing.policy import Account, Carry, Due, Forfeit, Give, Release, Subscription, Tell
from ai_addons.billing.rows import read_planned, read_subscription, subscription_values
from ai_addons.billing.sql import statements as sql
from ai_addons.errors import BillingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.grants import Grant
    from ai_addons.billing.policy import Task
    from ai_addons.billing.sql import Row
    from ai_addons.billing.wallet import LockedWallet
    from ai_addons.money import Credits

_ROLLOVER: Final = "rollover"
_BREAKAGE: Final = "breakage"
# A century of months, each with a handful of instants; a policy that asks for more does not move on.
_MOST_INSTANTS: Final = 10_000


def account_of(wallet: LockedWallet, subscription: Subscription | None) -> Account:
    """A wallet as a policy sees it."""
    return Account(
        business=wallet.business,
        posted=wallet.posted,
        held=wallet.held,
        grants=tuple(wallet.grants),
        tz=wallet.tz,
        anchor_at=wallet.anchor_at,
        period=wallet.period,
        subscription=subscription,
    )


def find_subscription(wallet: LockedWallet) -> Subscription | None:
    """The open add-on of a business, else its last one."""
    row = wallet.tx.one(sql.SUBSCRIPTION, {"business": wallet.business})
    return None if row is None else read_subscription(row)


def catch_up(books: Books, wallet: LockedWallet, *, but: tuple[str, int] | None = None) -> Subscription | None:
    """Do all that is due by now, and note when something will be due next.

    Args:
        books: The open books.
        wallet: Whose.
        but: Id and attempt of a hold that is about to be resolved, so that it does not expire any more.

    Returns:
        The business's add-on as it is afterwards.

    Raises:
        BillingError: If the policy asks for the same work again and again; nothing was booked.
    """
    reclaim.settle_wanting(books, wallet, wallet.now)
    course = _Course(books, wallet, but)
    for _ in range(_MOST_INSTANTS):
        if not course.advance():
            return course.subscription
    msg = (
        f"The billing policy {wallet.policy.name!r} does not move on: its work for this wallet never ends. "
        f"Nothing was booked. Test it with PolicyContract."
    )
    raise BillingError(msg)


class _Course:
    """The way of one wallet from instant to instant."""

    def __init__(self, books: Books, wallet: LockedWallet, but: tuple[str, int] | None) -> None:
        self._books = books
        self._wallet = wallet
        own = {"business": wallet.business}
        holds, planned, subscriptions = wallet.tx.gather(
            (sql.OPEN_HOLDS, own), (sql.ALL_PLANNED, own), (sql.SUBSCRIPTION, own)
        )
        self._planned: list[Row] = list(reversed(planned))
        self._holds: list[Row] = [hold for hold in reversed(holds) if (hold.id, hold.attempt) != but]
        self.subscription: Subscription | None = read_subscription(subscriptions[0]) if subscriptions else None

    def advance(self) -> bool:
        """Do what belongs to the next instant; False if that lies in the future, or there is none."""
        plans = self._plans()
        instants = [plan.at for plan in plans] + [grant.expires_at for grant in self._mortal()]
        instants += [self._holds[-1].expires_at] if self._holds else []
        instants += [self._planned[-1].effective_at] if self._planned else []
        at = min((instant for instant in instants if instant is not None), default=None)
        if at is None or at > self._wallet.now:
            self._wallet.next_due_at = at
            return False
        if self._holds and self._holds[-1].expires_at <= at:
            calls.expire_hold(self._books, self._wallet, self._holds.pop())
            reclaim.settle_wanting(self._books, self._wallet, at)
        else:
            self._at(at, [plan for plan in plans if plan.at <= at])
        return True

    def _plans(self) -> list[Due]:
        account = account_of(self._wallet, self.subscription)
        return [plan for plan in (addon.due(account), self._wallet.policy.due(account)) if plan is not None]

    def _mortal(self) -> list[Grant]:
        """Grants with free credits that will expire; pinned ones wait for their hold."""
        return [grant for grant in self._wallet.grants if grant.free and grant.expires_at is not None]

    def _at(self, at: int, plans: Sequence[Due]) -> None:
        tasks = [task for plan in plans for task in plan.tasks]
        for task in tasks:
            if isinstance(task, Carry):
                carry(self._wallet, task, at)
        for grant in sorted(self._mortal(), key=self._wallet.policy.burn_key):
            if grant.expires_at is not None and grant.expires_at <= at:
                expire_grant(self._wallet, grant, grant.expires_at)
        carry_out(self._books, self._wallet, tasks, at)
        while self._planned and self._planned[-1].effective_at <= at:
            enter_planned(self._books, self._wallet, self._planned.pop())
        for plan in plans:
            if plan.period is not None:
                self._wallet.period = plan.period
            if plan.subscription is not None:
                self.subscription = keep_subscription(self._wallet, plan.subscription)
        # Credits that a refund or dispute waits for may have come: they are taken before anybody can spend them.
        reclaim.settle_wanting(self._books, self._wallet, at)


def keep_subscription(wallet: LockedWallet, subscription: Subscription) -> Subscription:
    """Write an add-on back."""
    wallet.tx.write(sql.PUT_SUBSCRIPTION, subscription_values(subscription))
    return subscription


def carry_out(books: Books, wallet: LockedWallet, tasks: Iterable[Task], at: int) -> None:
    """Do what a policy or an add-on asks for, but for carrying, which comes before grants expire."""
    for task in tasks:
        if isinstance(task, Give):
            give(books, wallet, task, at)
        elif isinstance(task, Release):
            release(books, wallet, task, at)
        elif isinstance(task, Forfeit):
            wallet.enter("expire", debit=_ROLLOVER, credit=_BREAKAGE, amount=task.amount, ref=task.ref, at=at)
        elif isinstance(task, Tell):
            wallet.tell(task.topic, task.key, dict(task.facts))


def give(books: Books, wallet: LockedWallet, task: Give, at: int) -> None:
    """Add a grant, unless its source and reference gave one before."""
    key = {"business": wallet.business, "source": task.source, "ref": task.ref}
    if wallet.tx.rows(sql.GRANT, key):
        return
    wallet.receive(task, new_id=books.new_id(at), at=at)


def enter_planned(books: Books, wallet: LockedWallet, row: Row) -> None:
    """A grant that was dated for this moment enters the wallet."""
    wallet.tx.write(sql.DROP_PLANNED, {"business": wallet.business, "source": row.source, "ref": row.source_ref})
    wallet.receive(read_planned(row), new_id=books.new_id(row.effective_at), at=row.effective_at)


def release(books: Books, wallet: LockedWallet, task: Release, at: int) -> None:
    """Give carried credits back as a grant."""
    carried = Give(source=_ROLLOVER, ref=task.ref, amount=task.amount, expires_at=task.expires_at, paid=task.paid)
    wallet.receive(carried, new_id=books.new_id(at), at=at, debit=_ROLLOVER)


def carry(wallet: LockedWallet, task: Carry, at: int) -> None:
    """Take unused credits out of grants, to live on in account ``rollover``."""
    left = task.amount
    for name in task.grants:
        grant = wallet.current(name)
        part = min(left, grant.free)
        if part:
            left -= part
            wallet.take(grant, part)
            _book_loss(wallet, "void", grant, part, _ROLLOVER, at)


def expire_grant(wallet: LockedWallet, grant: Grant, at: int) -> None:
    """Book what nobody used in time; what an open hold pins stays until that is resolved."""
    part = grant.free
    wallet.take(grant, part)
    _book_loss(wallet, "expire", grant, part, _BREAKAGE, at)


def _book_loss(
    wallet: LockedWallet, kind: Literal["void", "expire"], grant: Grant, part: Credits, account: str, at: int
) -> None:
    # With its position: a charge that is reversed later lets the same grant expire a second time.
    ref = f"{grant.id}:{wallet.seq + 1}"
    wallet.enter(kind, debit=WALLET, credit=account, amount=part, ref=ref, at=at)
