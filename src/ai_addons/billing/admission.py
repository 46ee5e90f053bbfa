"""Whether a call may spend: what its key gave before, the switches, the balance and the limits, in that order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ai_addons.billing import calls, quota
from ai_addons.billing.grants import total
from ai_addons.billing.packs import offers
from ai_addons.billing.records import CallIdentity, Finished, check_id
from ai_addons.billing.wallet import NOTHING
from ai_addons.errors import (
    AddOnsError,
    BillingError,
    IdempotencyConflict,
    InsufficientCreditsError,
    LedgerConflict,
    WalletSuspended,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.grants import Grant
    from ai_addons.billing.spending import Pinned
    from ai_addons.billing.sql import Row, Tx
    from ai_addons.billing.wallet import LockedWallet
    from ai_addons.money import Credits, PicoUsd

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that may spend.

    Attributes:
        attempt: Its number under its key.
        shares: Which grant gives how much.
        counters: The windows of limits it is counted in, None for none.
        pinned: What it counts with in the provider budget, None where it does not.
    """

    attempt: int
    shares: list[tuple[Grant, Credits]]
    counters: str | None
    pinned: Pinned | None


@dataclass(frozen=True, slots=True)
class Admission:
    """A call that asks to spend.

    Attributes:
        books: The open books.
        call: Which call.
        amount: Its price; more than zero.
        bound: The most its models can cost; None where no model of ours is asked.
    """

    books: Books
    call: CallIdentity
    amount: Credits
    bound: PicoUsd | None = None

    def decide(self, then: Callable[[LockedWallet, Admitted], T]) -> T | Finished:
        """Admit the call and go on, in one durable transaction.

        Args:
            then: What is booked for it.

        Returns:
            What came of it, or what this very call gave before.

        Raises:
            ValueError: If the amount is not positive, or a name is none.
            InsufficientCreditsError: If too few credits are available.
            IdempotencyConflict: If the key was used for another request.
            LedgerConflict: If the same call is in progress.
            WalletSuspended: If the wallet takes no new holds.
            Paused: If the kill switch is on.
            LimitReached: If a spending limit would be passed.
            BudgetSpent: If the models might cost more than the provider budget has left.
        """
        check_call(self.call)
        check_positive(self.amount, "what a call costs")
        at = self.books.about_now()
        budget = () if self.bound is None else self.books.terms.purse.queries(at)
        asked = (quota.limit_query(self.call.business), *calls.past_queries(self.call), *budget)

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> T | Finished | AddOnsError:
            admitted = self._admit(wallet, found, at)
            return then(wallet, admitted) if isinstance(admitted, Admitted) else admitted

        decided = self.books.on(self.call.business, work, *asked, without=self._newcomer)
        # Raised after the commit: due work that was done on the way stays done.
        if isinstance(decided, AddOnsError):
            raise decided
        return decided

    def _admit(
        self, wallet: LockedWallet, found: Sequence[list[Row]], asked_at: int
    ) -> Admitted | Finished | AddOnsError:
        limits, *others = found
        try:
            past = calls.read_past(wallet.tx, self.call, others, wallet.now)
        except IdempotencyConflict as conflict:
            return conflict
        if past.finished is not None:
            return past.finished
        shares = wallet.spread(self.call.feature, self.amount)
        refused = self._refusal(wallet, limits, total(shares), in_progress=past.in_progress)
        if refused is not None:
            return refused
        counted = self._count(wallet, limits, others[-1:], asked_at)
        if isinstance(counted, AddOnsError):
            return counted
        return Admitted((past.attempts or 0) + 1, shares, *counted)

    def _count(
        self, wallet: LockedWallet, limits: list[Row], spent: Sequence[list[Row]], asked_at: int
    ) -> tuple[str | None, Pinned | None] | AddOnsError:
        """Count the call in the limits and the provider budget, in both or in neither."""
        terms = self.books.terms
        within = quota.check(wallet, terms, quota.limits_of(terms, limits), self.call, self.amount)
        if isinstance(within, AddOnsError):
            return within
        purse, bound = terms.purse, self.bound
        if bound is None or not purse.budgets:
            return quota.count(wallet, within, self.amount), None
        # After the limits: everybody locks in this order.
        refused = purse.check(wallet, spent, asked_at, bound)
        return refused or (quota.count(wallet, within, self.amount), purse.pinned(bound, wallet.now))

    def _refusal(
        self, wallet: LockedWallet, limits: list[Row], spendable: Credits, *, in_progress: bool
    ) -> AddOnsError | None:
        """Why a wallet pays nothing; None if it does."""
        if in_progress:
            return LedgerConflict()
        if not wallet.active:
            return WalletSuspended()
        if (pause := quota.paused(limits, self.call.feature)) is not None:
            return pause
        if spendable == self.amount:
            return None
        if wallet.available >= self.amount and all(grant.features is None for grant in wallet.grants):
            # The gate must never pass a call that no grant can pay.
            msg = "This wallet's grants do not cover its balance. Nothing was charged. Run `ai-addons doctor`."
            raise BillingError(msg)
        return shortage(self.books, wallet.now, required=self.amount, available=spendable, policy=wallet.own_policy)

    def _newcomer(self, tx: Tx, now: int, found: Sequence[list[Row]]) -> Finished | AddOnsError:
        """What a business without a wallet is told."""
        limits, *before = found
        try:
            past = calls.read_past(tx, self.call, before, now)
        except IdempotencyConflict as conflict:
            return conflict
        short = shortage(self.books, now, required=self.amount, available=NOTHING, policy=None)
        return past.finished or quota.paused(limits, self.call.feature) or short


def shortage(
    books: Books, now: int, *, required: Credits, available: Credits, policy: str | None
) -> InsufficientCreditsError:
    """The refusal of who has too few credits, with what they can buy.

    Args:
        books: The open books.
        now: UTC microseconds.
        required: What is to be held.
        available: What can be.
        policy: The wallet's own billing policy, None for the default one.
    """
    packs = books.terms.packs(books.terms.policy(policy), now)
    to_buy = offers(packs, required - available)
    return InsufficientCreditsError(required=required, available=available, offers=to_buy)


def check_call(call: CallIdentity) -> None:
    """Refuse a call whose names no database could hold.

    Raises:
        ValueError: If one of them is none.
    """
    check_id(call.business, "a business id")
    check_id(call.id, "an idempotency key")
    if call.user is not None:
        check_id(call.user, "a user id")


def check_positive(amount: Credits, what: str) -> None:
    """Refuse an amount of nothing or less.

    Raises:
        ValueError: If it is.
    """
    if amount <= NOTHING:
        msg = f"{what} must be more than zero credits, not {amount.short}; nothing was booked"
        raise ValueError(msg)
