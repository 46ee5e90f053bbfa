"""Whether several calls of one business may spend together: the sum is held, or nothing is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from ai_addons.billing import calls, quota
from ai_addons.billing.admission import Admitted, check_call, check_positive, shortage
from ai_addons.billing.grants import spread, total
from ai_addons.billing.records import CallIdentity, Finished, Hold
from ai_addons.billing.wallet import NOTHING
from ai_addons.errors import AddOnsError, BillingError, IdempotencyConflict, LedgerConflict, Paused, WalletSuspended
from ai_addons.money import Credits, PicoUsd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.grants import Grant
    from ai_addons.billing.limits import Counter
    from ai_addons.billing.quota import Within
    from ai_addons.billing.sql import Row, Tx
    from ai_addons.billing.wallet import LockedWallet

Shares: TypeAlias = "list[tuple[Grant, Credits]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest:
    """One of several calls that ask to spend together.

    Attributes:
        call: Which call.
        amount: Its price; more than zero.
        price_version: Which published price that is, None for a list price.
        bound: The most its models can cost; None where no model of ours is asked.
    """

    call: CallIdentity
    amount: Credits
    price_version: str | None = None
    bound: PicoUsd | None = None


@dataclass(frozen=True, slots=True)
class JointAdmission:
    """Calls of one business that ask to spend together.

    What concerns one key alone (paid for before, in progress, used for another
    request) is said of that call; all else, the balance above all, decides about all
    of them.

    Attributes:
        books: The open books.
        business: Who pays.
        wanted: The calls, at least one.
    """

    books: Books
    business: str
    wanted: Sequence[HoldRequest]

    def decide(
        self, then: Callable[[LockedWallet, HoldRequest, Admitted], Hold]
    ) -> list[Hold | Finished | AddOnsError]:
        """Admit the calls and go on with each, in one durable transaction.

        Args:
            then: What is booked for a call.

        Returns:
            For each call what came of it, what it gave before, or why its key cannot be used.

        Raises:
            ValueError: If an amount is not positive, a name is none, or a call is another business's.
            InsufficientCreditsError: If too few credits are available for the sum.
            WalletSuspended: If the wallet takes no new holds.
            Paused: If the kill switch is on for one of the features.
            LimitReached: If the sum would go over a spending limit.
            BudgetSpent: If the models might cost more together than the provider budget has left.
        """
        for one in self.wanted:
            check_call(one.call)
            check_positive(one.amount, "what a call costs")
            if one.call.business != self.business:
                msg = "calls that are held together are of one business; nothing was booked"
                raise ValueError(msg)
        at = self.books.about_now()
        past = [calls.past_queries(one.call) for one in self.wanted]
        budget = () if self._bound(self.wanted) is None else self.books.terms.purse.queries(at)
        asked = (quota.limit_query(self.business), *(query for queries in past for query in queries), *budget)

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> list[Hold | Finished | AddOnsError] | AddOnsError:
            return self._work(wallet, found, at, then)

        decided = self.books.on(self.business, work, *asked, without=self._newcomer)
        # Raised after the commit: due work that was done on the way stays done.
        if isinstance(decided, AddOnsError):
            raise decided
        return decided

    def _work(
        self,
        wallet: LockedWallet,
        found: Sequence[list[Row]],
        asked_at: int,
        then: Callable[[LockedWallet, HoldRequest, Admitted], Hold],
    ) -> list[Hold | Finished | AddOnsError] | AddOnsError:
        limits, *others = found
        before = self._before(wallet, others)
        asking = [one for one, known in zip(self.wanted, before, strict=True) if isinstance(known, int)]
        admitted = self._admit(wallet, limits, others[-1:], asked_at, asking)
        if isinstance(admitted, AddOnsError):
            return admitted
        results, pairs = list[Hold | Finished | AddOnsError](), iter(admitted)
        for one, known in zip(self.wanted, before, strict=True):
            if isinstance(known, int):
                within, shares = next(pairs)
                counters = quota.count(wallet, within, one.amount)
                pinned = self.books.terms.purse.pinned(
                    one.bound if self.books.terms.purse.budgets else None, wallet.now
                )
                results.append(then(wallet, one, Admitted(known, shares, counters, pinned)))
            else:
                results.append(known)
        return results

    def _before(self, wallet: LockedWallet, found: Sequence[list[Row]]) -> list[int | Finished | AddOnsError]:
        """For each call the number of its attempt, or what its key says against a new one."""
        results, keys = list[int | Finished | AddOnsError](), set[str]()
        for one in self.wanted:
            size = len(calls.past_queries(one.call))
            own, found = found[:size], found[size:]
            if one.call.id in keys:
                results.append(LedgerConflict())
                continue
            keys.add(one.call.id)
            try:
                past = calls.read_past(wallet.tx, one.call, own, wallet.now)
            except IdempotencyConflict as conflict:
                results.append(conflict)
                continue
            if past.finished is None and past.in_progress:
                results.append(LedgerConflict())
            else:
                results.append(past.finished or (past.attempts or 0) + 1)
        return results

    def _admit(
        self,
        wallet: LockedWallet,
        limits: list[Row],
        spent: Sequence[list[Row]],
        asked_at: int,
        asking: Sequence[HoldRequest],
    ) -> list[tuple[Within, Shares]] | AddOnsError:
        """The windows and the grants of each call, or why all of them are refused; nothing is counted yet."""
        if asking and not wallet.active:
            return WalletSuspended()
        shares = self._spread(wallet, asking)
        stopped = _paused(limits, asking) or self._short(wallet, asking, shares)
        if stopped is not None:
            return stopped
        withins = self._within(wallet, limits, asking)
        if isinstance(withins, AddOnsError):
            return withins
        purse, bound = self.books.terms.purse, self._bound(asking)
        # After the limits: everybody locks in this order.
        if bound is not None and purse.budgets:
            refused = purse.check(wallet, spent, asked_at, bound)
            if refused is not None:
                return refused
        return list(zip(withins, shares, strict=True))

    @staticmethod
    def _spread(wallet: LockedWallet, asking: Sequence[HoldRequest]) -> list[Shares]:
        """Which grants give how much for each call, one after the other as single calls would take it."""
        grants, shares = {grant.id: grant for grant in wallet.grants}, list[Shares]()
        for one in asking:
            taken = spread(
                grants.values(), one.amount, feature=one.call.feature, now=wallet.pays_at, key=wallet.policy.burn_key
            )
            grants |= {grant.id: replace(grant, held=grant.held + share) for grant, share in taken}
            shares.append(taken)
        return shares

    def _short(
        self, wallet: LockedWallet, asking: Sequence[HoldRequest], shares: Sequence[Shares]
    ) -> AddOnsError | None:
        required, available = _sum(one.amount for one in asking), _sum(total(one) for one in shares)
        if available == required:
            return None
        if wallet.available >= required and all(grant.features is None for grant in wallet.grants):
            # As for a single call: the gate must never pass what no grant can pay.
            msg = "This wallet's grants do not cover its balance. Nothing was charged. Run `ai-addons doctor`."
            raise BillingError(msg)
        return shortage(self.books, wallet.now, required=required, available=available, policy=wallet.own_policy)

    def _within(
        self, wallet: LockedWallet, limits: list[Row], asking: Sequence[HoldRequest]
    ) -> list[Within] | AddOnsError:
        """The windows each call counts in, those before it counted already."""
        terms, known, withins = self.books.terms, dict["Counter", Credits](), list["Within"]()
        in_force = quota.limits_of(terms, limits)
        for one in asking:
            within = quota.check(wallet, terms, in_force, one.call, one.amount, known=known)
            if isinstance(within, AddOnsError):
                return within
            withins.append(within)
        return withins

    @staticmethod
    def _bound(wanted: Sequence[HoldRequest]) -> PicoUsd | None:
        """The most all models can cost together; None where none is asked."""
        bounds = [one.bound for one in wanted if one.bound is not None]
        return PicoUsd(sum(bounds)) if bounds else None

    def _newcomer(self, tx: Tx, now: int, found: Sequence[list[Row]]) -> AddOnsError:
        """What a business without a wallet is told."""
        del tx
        required = _sum(one.amount for one in self.wanted)
        short = shortage(self.books, now, required=required, available=NOTHING, policy=None)
        return _paused(found[0], self.wanted) or short


def _paused(limits: list[Row], asking: Sequence[HoldRequest]) -> Paused | None:
    """The refusal if the kill switch is on for one of the features."""
    pauses = (quota.paused(limits, one.call.feature) for one in asking)
    return next((pause for pause in pauses if pause is not None), None)


def _sum(amounts: Iterable[Credits]) -> Credits:
    return Credits.from_micro(sum(amount.micro for amount in amounts))
