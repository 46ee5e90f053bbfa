"""The books: every operation on credits, each one durable transaction.

One call is ``hold`` -> the model is asked -> ``capture`` or ``void``. A hold
that nobody resolves expires: the next touch of its wallet, or ``sweep``, gives
the credits back. Nothing about a call is kept in this process, so a crash at
any point loses nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.billing import calls, intake
from ai_addons.billing.due import release_orphans, touch
from ai_addons.billing.grants import PRIORITY, Grant, GrantSource
from ai_addons.billing.records import Booked, Finished, GrantBooking, Hold, Wallet, check_id
from ai_addons.billing.rows import read_entry, read_transaction
from ai_addons.billing.sql import statements as sql
from ai_addons.billing.wallet import LockedWallet
from ai_addons.errors import (
    AddOnsError,
    BillingError,
    IdempotencyConflict,
    InsufficientCreditsError,
    LedgerConflict,
    WalletSuspended,
)
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.billing.records import CallIdentity, CallRecord, Rate, Transaction
    from ai_addons.billing.sql import Connection, Database
    from ai_addons.catalog import Offer
    from ai_addons.clock import Clock, Ids

_TRIAL: Final = "trial"
_NOTHING: Final = Credits(0)


class Store:
    """Wallets, holds and the call log of all businesses in one database.

    Businesses, users, keys and references are 1 to 255 characters of text and
    are compared exactly. Every method raises `StoreUnavailable` when the database
    cannot be used, and then nothing was booked.

    Args:
        database: Where they are kept.
        clock: Read inside the lock, so that no wait makes it stale.
        ids: Source of grant ids.
        rate: Exchange rate written beside every cost.
        hold_ttl: Microseconds after which an unresolved hold expires.
        low: Threshold below which a wallet counts as low.
        offers: What to sell when credits are short by an amount.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        ids: Ids,
        rate: Rate,
        hold_ttl: int,
        low: Credits,
        offers: Callable[[Credits], tuple[Offer, ...]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._rate = rate
        self._hold_ttl = hold_ttl
        self._low = low
        self._offers = offers

    # Credits in.

    def grant(
        self, business: str, amount: Credits, *, source: GrantSource, ref: str, unit_price: int = 0
    ) -> GrantBooking:
        """Give credits, once per source and reference.

        Args:
            business: Who receives them; its wallet is made if need be.
            amount: How many; more than zero.
            source: Why.
            ref: What makes it unique; the same again changes nothing and says so.
            unit_price: Micro-GHS really paid per credit.

        Raises:
            ValueError: If the amount is not positive or the source unknown.
            IdempotencyConflict: If this source and reference gave another amount.
        """
        check_id(business, "a business id")
        check_id(ref, "the reference of a grant")
        _check_positive(amount, "a grant")
        if source not in PRIORITY:
            msg = f"a grant's source is one of {', '.join(PRIORITY)}; nothing was booked"
            raise ValueError(msg)
        with self._database.write() as tx:
            known = intake.find_grant(tx, business, source, ref)
            if known is None:
                return self._grant(tx, business, amount, source=source, ref=ref, unit_price=unit_price)
            intake.same_amount(known, amount)
            return self._replayed(tx, business, known)

    def claim_trial(self, business: str, amount: Credits, claims: Mapping[str, str]) -> GrantBooking:
        """Give the trial credits, once per business and once per claim key.

        Args:
            business: Who receives them; asking again replays the first answer.
            amount: How many; more than zero.
            claims: Keyed hash to kind (phone, tax id …) of everything known of the owner.

        Raises:
            ValueError: Without any claim key, or for an amount that is not positive.
            TrialClaimed: If any of the keys had a trial before, in whatever business.
        """
        check_id(business, "a business id")
        _check_positive(amount, "a trial")
        with self._database.write() as tx:
            if known := intake.find_grant(tx, business, _TRIAL, _TRIAL):
                return self._replayed(tx, business, known)
            intake.claim(tx, claims, self._clock.now())
            return self._grant(tx, business, amount, source=_TRIAL, ref=_TRIAL, unit_price=0)

    def _replayed(self, tx: Connection, business: str, known: Grant) -> GrantBooking:
        wallet = self._touch(tx, business)
        return GrantBooking(grant=known, balance=_available(wallet), replayed=True)

    def _grant(
        self, tx: Connection, business: str, amount: Credits, *, source: GrantSource, ref: str, unit_price: int
    ) -> GrantBooking:
        now = self._clock.now()
        wallet = self._touch(tx, business) or LockedWallet.make(tx, business, now)
        grant = intake.book_grant(
            wallet, amount, source=source, ref=ref, unit_price=unit_price, new_id=self._ids.new(now)
        )
        return GrantBooking(grant=grant, balance=wallet.available, replayed=False)

    # One call.

    def find(self, call: CallIdentity) -> Finished | None:
        """What a call under this key gave before, None if it never succeeded.

        Raises:
            IdempotencyConflict: If the key was used for another request.
        """
        _check_call(call)
        with self._database.read() as tx:
            return calls.look_up(tx, call, self._clock.now()).finished

    def hold(self, call: CallIdentity, amount: Credits) -> Hold | Finished:
        """Set credits aside; durable when this returns.

        Args:
            call: Which call.
            amount: Its price; more than zero.

        Returns:
            The hold, or what this very call gave before.

        Raises:
            ValueError: If the amount is not positive.
            InsufficientCreditsError: If too few credits are available.
            IdempotencyConflict: If the key was used for another request.
            LedgerConflict: If the same call is in progress.
            WalletSuspended: If the wallet takes no new holds.
        """
        _check_call(call)
        _check_positive(amount, "a hold")
        with self._database.write() as tx:
            decided = self._hold(tx, call, amount)
        # Raised after the commit: due work that was done on the way stays done.
        if isinstance(decided, AddOnsError):
            raise decided
        if isinstance(decided, Credits):
            offers = self._offers(amount - decided)
            raise InsufficientCreditsError(required=amount, available=decided, offers=offers)
        return decided

    def _hold(self, tx: Connection, call: CallIdentity, amount: Credits) -> Hold | Finished | AddOnsError | Credits:
        """Decide on a hold; for want of credits the answer is what is available."""
        wallet = self._touch(tx, call.business)
        try:
            past = calls.look_up(tx, call, self._clock.now())
        except IdempotencyConflict as conflict:
            return conflict
        if past.finished is not None:
            return past.finished
        if past.in_progress:
            return LedgerConflict()
        if wallet is not None and not wallet.active:
            return WalletSuspended()
        if wallet is None or wallet.available < amount:
            return _available(wallet)
        hold = Hold(call=call, attempt=(past.attempts or 0) + 1, amount=amount, expires_at=wallet.now + self._hold_ttl)
        calls.open_hold(tx, hold, wallet.now)
        wallet.pin(call.id, hold.attempt, amount, hold.expires_at)
        wallet.save()
        return hold

    def capture(self, hold: Hold, record: CallRecord) -> Booked:
        """Charge a held call, once; a repeat returns what was booked.

        Raises:
            LedgerConflict: If the hold was void before; a programming error.
            BillingError: If this store gave out no such hold.
        """
        with self._database.write() as tx:
            wallet = self._locked(tx, hold)
            if calls.close_hold(tx, hold, "captured", hold.amount, wallet.now):
                wallet.unpin(hold.call.id, hold.attempt, hold.amount, hold.amount)
                wallet.book_usage(hold.call.feature, hold.amount, hold.call.id)
                calls.write_row(tx, hold.call, hold.attempt, record, hold.amount, self._rate, wallet.now)
                wallet.save()
                return self._booked(wallet, hold.amount, record)
            return self._capture_closed(tx, wallet, hold, record)

    def _capture_closed(self, tx: Connection, wallet: LockedWallet, hold: Hold, record: CallRecord) -> Booked:
        """A hold that is no longer open: a repeat, or one that expired while the model answered."""
        ended = calls.closed(tx, hold)
        if ended.state == "captured" or ended.outcome == "ok":
            return self._booked(wallet, ended.charged, record)
        if ended.outcome != "unknown":
            msg = "This hold was void before and cannot be captured. Nothing was charged."
            raise LedgerConflict(msg)
        charged = self._capture_late(tx, wallet, hold)
        calls.settle_unknown(tx, hold, record, charged, self._rate, wallet.now)
        wallet.save()
        return self._booked(wallet, charged, record)

    def _capture_late(self, tx: Connection, wallet: LockedWallet, hold: Hold) -> Credits:
        """Charge after expiry: from free credits, else as bad debt; a newer attempt of the key pays instead."""
        if calls.newer_attempt(tx, hold):
            return _NOTHING
        release_orphans(tx, wallet, self._rate)
        if wallet.available < hold.amount:
            wallet.book_bad_debt(hold.call.feature, hold.amount, hold.call.id)
            return _NOTHING
        wallet.debit(hold.call.id, hold.attempt, hold.amount)
        wallet.book_usage(hold.call.feature, hold.amount, hold.call.id)
        return hold.amount

    def void(self, hold: Hold, record: CallRecord) -> Booked:
        """Give held credits back and book what the attempt cost us; harmless if the hold is closed already.

        Raises:
            BillingError: If this store gave out no such hold.
        """
        with self._database.write() as tx:
            wallet = self._locked(tx, hold)
            if calls.close_hold(tx, hold, "void", _NOTHING, wallet.now):
                wallet.unpin(hold.call.id, hold.attempt, hold.amount, _NOTHING)
                calls.write_row(tx, hold.call, hold.attempt, record, _NOTHING, self._rate, wallet.now)
                wallet.save()
                return self._booked(wallet, _NOTHING, record)
            ended = calls.closed(tx, hold)
            if ended.state == "expired":
                calls.settle_unknown(tx, hold, record, _NOTHING, self._rate, wallet.now)
            return self._booked(wallet, ended.charged, record)

    def record(self, call: CallIdentity, record: CallRecord) -> Booked:
        """Book a call that cost nothing and held nothing: a free repeat, a settled or a rules result.

        Raises:
            IdempotencyConflict: If the key was used for another request.
        """
        _check_call(call)
        with self._database.write() as tx:
            now = self._clock.now()
            past = calls.look_up(tx, call, now)
            attempt = 0 if past.attempts is None else past.attempts + 1
            calls.write_row(tx, call, attempt, record, _NOTHING, self._rate, now)
            return self._booked(LockedWallet.find(tx, call.business, now), _NOTHING, record)

    def _booked(self, wallet: LockedWallet | None, charged: Credits, record: CallRecord) -> Booked:
        return Booked(charged=charged, balance=_available(wallet), cost_ghs=calls.cost_ghs(record, self._rate))

    def _locked(self, tx: Connection, hold: Hold) -> LockedWallet:
        wallet = LockedWallet.find(tx, hold.call.business, self._clock.now())
        if wallet is None:
            msg = "The wallet of this hold is missing. Nothing was charged. Run `ai-addons doctor`."
            raise BillingError(msg)
        return wallet

    def _touch(self, tx: Connection, business: str) -> LockedWallet | None:
        return touch(tx, business, self._clock.now(), self._rate)

    # Time.

    def sweep(self) -> int:
        """Release the orphan holds of every wallet and drop answers kept long enough.

        Returns:
            How many wallets had something due.
        """
        with self._database.read() as tx:
            due = tx.execute(sql.WALLETS_DUE, {"now": self._clock.now()}).scalars().all()
        for business in due:
            # One wallet at a time, so that no sweep keeps a call waiting.
            with self._database.write() as tx:
                self._touch(tx, business)
        with self._database.write() as tx:
            tx.execute(sql.DROP_ANSWERS, {"now": self._clock.now()})
        return len(due)

    # Reading.

    def wallet(self, business: str) -> Wallet:
        """A wallet as it is now; zeros for a business never seen."""
        check_id(business, "a business id")
        with self._database.read() as tx:
            found = LockedWallet.find(tx, business, self._clock.now())
            if found is None:
                return Wallet(business=business, posted=_NOTHING, held=_NOTHING, status="active", low=True)
            if not found.due:
                return found.snapshot(self._low)
        with self._database.write() as tx:
            return (self._touch(tx, business) or found).snapshot(self._low)

    def ledger(self, business: str) -> list[LedgerEntry]:
        """All ledger rows of a business, oldest first."""
        with self._database.read() as tx:
            return [read_entry(row) for row in tx.execute(sql.LEDGER, {"business": business})]

    def transactions(self, business: str) -> list[Transaction]:
        """All calls of a business, oldest first."""
        with self._database.read() as tx:
            return [read_transaction(row) for row in tx.execute(sql.TRANSACTIONS, {"business": business})]


def _available(wallet: LockedWallet | None) -> Credits:
    return _NOTHING if wallet is None else wallet.available


def _check_call(call: CallIdentity) -> None:
    check_id(call.business, "a business id")
    check_id(call.id, "an idempotency key")
    if call.user is not None:
        check_id(call.user, "a user id")


def _check_positive(amount: Credits, what: str) -> None:
    if amount <= _NOTHING:
        msg = f"{what} must be more than zero credits, not {amount.short}; nothing was booked"
        raise ValueError(msg)
