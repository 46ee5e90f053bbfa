"""The books of calls: every operation on credits, each one durable transaction.

One call is ``hold`` -> the model is asked -> ``capture`` or ``void``. A hold
that nobody resolves expires: the next touch of its wallet, or ``sweep``, gives
the credits back. Nothing about a call is kept in this process, so a crash at
any point loses nothing.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from ai_addons.billing import calls
from ai_addons.billing.admission import Admission, Admitted, check_call
from ai_addons.billing.captures import Capture, booked, booked_before, log, settle_but
from ai_addons.billing.due import find_subscription
from ai_addons.billing.progress import Stage
from ai_addons.billing.records import Booked, CallIdentity, CallRecord, Finished, Hold, Overrun, Wallet, check_id
from ai_addons.billing.rows import read_entry, read_subscription, read_transaction
from ai_addons.billing.sql import statements as sql
from ai_addons.billing.sql import web
from ai_addons.billing.together import HoldRequest, JointAdmission
from ai_addons.billing.wallet import NOTHING, LockedWallet
from ai_addons.errors import (
    AddOnsError,
    BillingError,
    BudgetSpent,
    HoldExpired,
    StoreUnavailable,
)
from ai_addons.money import Credits, PicoUsd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.records import Transaction
    from ai_addons.billing.sql import Row, Tx

T = TypeVar("T")

logger: Final = logging.getLogger("ai_addons")

_KEEP_TOLD_US: Final = 30 * 86_400_000_000
# Windows are minutes long; one of more days than this would begin anew.
_KEEP_COUNTED_US: Final = 30 * 86_400_000_000
_AFTER_ALL: Final = 2**62


class Store:
    """Holds, captures and the call log of all businesses in one database.

    Businesses, users, keys and references are 1 to 255 characters of text and
    are compared exactly. Every method raises `StoreUnavailable` when the database
    cannot be used, and then nothing was booked.

    Args:
        books: The open books.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._database = books.database
        self._terms = books.terms

    # One call.

    def find(self, call: CallIdentity) -> Finished | None:
        """What a call under this key gave before, None if it never succeeded.

        Raises:
            IdempotencyConflict: If the key was used for another request.
        """
        check_call(call)
        queries = calls.past_queries(call)
        return self._database.read(
            lambda tx: calls.read_past(tx, call, tx.gather(*queries), self._books.now(tx)).finished if queries else None
        )

    def hold(
        self, call: CallIdentity, amount: Credits, *, price_version: str | None = None, bound: PicoUsd | None = None
    ) -> Hold | Finished:
        """Set credits aside; durable when this returns.

        Args:
            call: Which call.
            amount: Its price; more than zero.
            price_version: Which published price that is, None for a list price.
            bound: The most its models can cost; None where no model of ours is asked.

        Returns:
            The hold, or what this very call gave before.

        Raises:
            ValueError: If the amount is not positive.
            InsufficientCreditsError: If too few credits are available.
            IdempotencyConflict: If the key was used for another request.
            LedgerConflict: If the same call is in progress.
            WalletSuspended: If the wallet takes no new holds.
            Paused: If the kill switch is on.
            LimitReached: If a spending limit would be passed.
            BudgetSpent: If the models might cost more than the provider budget has left.
        """
        one, ttl = HoldRequest(call=call, amount=amount, price_version=price_version), self._terms.hold_ttl
        admission = Admission(self._books, call, amount, bound)
        return admission.decide(lambda wallet, admitted: _open(wallet, one, admitted, ttl))

    def hold_many(self, wanted: Sequence[HoldRequest], *, ttl: int) -> list[Hold | Finished | AddOnsError]:
        """Set credits aside for several calls of one business, for all or for none; durable when this returns.

        Each call has a hold of its own, captured or voided like any other.

        Args:
            wanted: The calls, at least one.
            ttl: Microseconds after which a hold that nobody resolved expires.

        Returns:
            For each call its hold, what it gave before, or why its key cannot be used: `IdempotencyConflict`
            or `LedgerConflict`.

        Raises:
            ValueError: If an amount is not positive, or a call is another business's.
            InsufficientCreditsError: If too few credits are available for the sum.
            WalletSuspended: If the wallet takes no new holds.
            Paused: If the kill switch is on for one of the features.
            LimitReached: If the sum would go over a spending limit.
            BudgetSpent: If the models might cost more together than the provider budget has left.
        """
        admission = JointAdmission(self._books, wanted[0].call.business, wanted)
        return admission.decide(lambda wallet, one, admitted: _open(wallet, one, admitted, ttl))

    def check_budget(self, business: str, bound: PicoUsd) -> None:
        """Look whether the provider budget has room for a call that holds no credits; it counts when it ends.

        Raises:
            BudgetSpent: If it has not.
        """
        purse, at = self._terms.purse, self._books.about_now()
        if not purse.budgets:
            return

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> BudgetSpent | None:
            return purse.check(wallet, found, at, bound)

        if (refused := self._books.on(business, work, *purse.queries(at))) is not None:
            raise refused

    def renew(self, hold: Hold) -> Hold:
        """Keep an open hold alive for another time to live, as a stream does every third of it.

        Raises:
            HoldExpired: If it is no longer open; a late capture still finds its money where there is some.
            BillingError: If this store gave out no such hold.
        """

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Hold | None:
            row, _ = calls.the_hold(hold, found)
            if row.state != "open":
                return None
            expires_at = max(row.expires_at, wallet.now + self._terms.hold_ttl)
            key = {"business": wallet.business, "key": row.id, "number": row.attempt}
            wallet.tx.write(sql.RENEW_HOLD, key | {"expires_at": expires_at})
            return replace(hold, expires_at=expires_at)

        renewed = self._resolve(hold, work, settle=True)
        if renewed is None:
            raise HoldExpired
        return renewed

    def capture(
        self, hold: Hold, record: CallRecord, *, used: Credits | None = None, overrun: Overrun = "cap"
    ) -> Booked:
        """Charge a held call, once; a repeat returns what was booked.

        Args:
            hold: What was held.
            record: What came of the call.
            used: What it cost after all; None for what was held. Less gives the rest back.
            overrun: What to do if it cost more.

        Raises:
            ValueError: If ``used`` is below zero.
            LedgerConflict: If the hold was void before; a programming error.
            BillingError: If this store gave out no such hold.
        """
        wanted = hold.amount if used is None else used
        if wanted < NOTHING:
            msg = "a call cannot use less than nothing; nothing was booked"
            raise ValueError(msg)
        if wanted > hold.amount and overrun == "reject":
            return self.void(hold, replace(record, outcome="failed", error_code="overrun"))
        capture = Capture(self._books, hold, record, wanted, overflow=overrun == "overflow")
        return self._resolve(hold, capture.book)

    def void(self, hold: Hold, record: CallRecord) -> Booked:
        """Give held credits back and book what the attempt cost us; harmless if the hold is closed already.

        Raises:
            BillingError: If this store gave out no such hold.
        """
        return self._resolve(hold, lambda wallet, found: self._void(wallet, found, hold, record))

    def void_many(self, holds: Sequence[Hold], record: CallRecord) -> None:
        """Give back the credits of several calls of one business that come to nothing, in one transaction.

        Args:
            holds: Their holds, at least one; those that are closed already stay as they are.
            record: What is said of each of them.

        Raises:
            BillingError: If this store gave out no such hold.
        """

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> None:
            for hold, own in zip(holds, found, strict=True):
                self._void(wallet, [own], hold, record)

        queries = [calls.hold_query(hold) for hold in holds]
        # What is due comes first: none of these holds can expire behind what was found of it.
        self._books.on(holds[0].call.business, work, *queries, without=_no_wallet)

    def _void(self, wallet: LockedWallet, found: Sequence[list[Row]], hold: Hold, record: CallRecord) -> Booked:
        row, shares = calls.the_hold(hold, found)
        if row.state == "open":
            settle_but(self._books, wallet, row)
            calls.close_hold(wallet, row, "void", NOTHING)
            wallet.unpin(row.id, row.attempt, shares, NOTHING)
            log(self._books, wallet, row, hold.call, record)
            return booked(self._books, wallet, NOTHING, record)
        if row.state == "expired" and row.outcome == "unknown":
            calls.end_unknown(self._books, wallet, row, record, NOTHING, 0)
            calls.keep_answers(wallet.tx, hold.call, record, wallet.now)
            return booked(self._books, wallet, NOTHING, record)
        return booked_before(self._books, wallet, row)

    def record(self, call: CallIdentity, record: CallRecord) -> Booked:
        """Book a call that cost nothing and held nothing: a free repeat, a settled or a rules result.

        Raises:
            IdempotencyConflict: If the key was used for another request.
        """
        check_call(call)

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Booked:
            past = calls.read_past(wallet.tx, call, found, wallet.now)
            attempt = 0 if past.attempts is None else past.attempts + 1
            line = calls.Logged(call, attempt, wallet.tz, self._terms.purse.unpinned(wallet.now))
            latency_ms = self._books.latency_ms(record)
            calls.write_row(wallet.tx, line, record, latency_ms, NOTHING, 0, wallet.rate, wallet.now)
            calls.keep_answers(wallet.tx, call, record, wallet.now)
            return booked(self._books, wallet, NOTHING, record)

        return self._books.on(call.business, work, *calls.past_queries(call))

    def _resolve(
        self, hold: Hold, work: Callable[[LockedWallet, Sequence[list[Row]]], T], *, settle: bool = False
    ) -> T:
        return self._books.on(hold.call.business, work, calls.hold_query(hold), without=_no_wallet, settle=settle)

    # Time.

    def sweep(self, on_progress: OnProgress | None = None) -> int:
        """Do what is due in every wallet; drop answers kept long enough and events told long ago.

        Args:
            on_progress: Is told of every wallet.

        Returns:
            How many wallets had something due.
        """
        stage = Stage(on_progress, "wallets looked at", lambda: self._database.read(self._several_due))
        # One wallet at a time, so that no sweep keeps a call waiting.
        done = sum(self._sweep_one(business) for business in stage.over(self._all_due()))
        self._database.write(self._drop_old)
        return done

    def _all_due(self) -> Iterator[str]:
        after = ""
        while businesses := self._database.read(partial(self._due, after)):
            yield from businesses
            after = businesses[-1]

    def _several_due(self, tx: Tx) -> int:
        (row,) = tx.rows(sql.SEVERAL_DUE, {"now": self._books.now(tx)})
        return int(row.wallets)

    def _due(self, after: str, tx: Tx) -> list[str]:
        rows = tx.rows(sql.WALLETS_DUE, {"now": self._books.now(tx), "after": after})
        return [row.business_id for row in rows]

    def _sweep_one(self, business: str) -> bool:
        try:
            self._books.on(business, _only_settle, without=_only_settle)
        except StoreUnavailable:
            raise
        except AddOnsError:
            # One wallet whose books or policy are broken must not keep the others from their due.
            logger.exception("what is due in a wallet could not be done; `ai-addons doctor` tells more")
            return False
        return True

    def _drop_old(self, tx: Tx) -> None:
        now = self._books.now(tx)
        tx.write(sql.DROP_ANSWERS, {"now": now})
        tx.write(sql.DROP_EVENTS, {"before": now - _KEEP_TOLD_US})
        tx.write(web.DROP_REPLIES, {"now": now})
        tx.write(web.DROP_RATES, {"before": now - _KEEP_COUNTED_US})

    # Reading.

    def wallet(self, business: str) -> Wallet:
        """A wallet as it is now; zeros for a business never seen."""
        check_id(business, "a business id")
        if (seen := self._database.read(partial(self._look, business))) is not None:
            return seen
        return self._books.on(business, self._snapshot, without=partial(self._unseen, business))

    def available(self, business: str) -> Credits:
        """What a business can spend now: one indexed read, unless something is due."""
        check_id(business, "a business id")
        read = self._database.read(partial(self._read_available, business))
        return self.wallet(business).available if read is None else read

    def _read_available(self, business: str, tx: Tx) -> Credits | None:
        row = tx.one(sql.LOOK, {"business": business})
        if row is None or (row.next_due_at is not None and row.next_due_at <= self._books.now(tx)):
            return None
        return Credits.from_micro(row.posted - row.held)

    def _look(self, business: str, tx: Tx) -> Wallet | None:
        """The wallet, None if something is to be done first."""
        own = {"business": business}
        wallets, grants, subscriptions = tx.gather((sql.LOOK, own), (sql.GRANTS_LEFT, own), (sql.SUBSCRIPTION, own))
        if not wallets:
            return None
        (row,) = wallets
        terms = self._terms
        wallet = LockedWallet(tx, row, grants, self._books.now(tx), terms.policy(row.policy), terms.rate)
        if wallet.due:
            return None
        return wallet.snapshot(self._terms.low, read_subscription(subscriptions[0]) if subscriptions else None)

    def _snapshot(self, wallet: LockedWallet, found: Sequence[list[Row]]) -> Wallet:
        del found
        return wallet.snapshot(self._terms.low, find_subscription(wallet))

    @staticmethod
    def _unseen(business: str, *_: object) -> Wallet:
        return Wallet(business=business, posted=NOTHING, held=NOTHING, status="active", low=True)

    def ledger(self, business: str, *, before: int | None = None, most: int | None = None) -> list[LedgerEntry]:
        """Ledger rows of a business, oldest first: all of them, or the last ones before a position.

        Args:
            business: Whose.
            before: Only rows at positions below this one; None for no bound.
            most: How many at most, 1 or more; None for all.

        Raises:
            ValueError: If ``most`` is below 1.
        """
        check_id(business, "a business id")
        if before is None and most is None:
            return self._database.read(
                lambda tx: [read_entry(row) for row in tx.rows(sql.LEDGER, {"business": business})]
            )
        if most is not None and most < 1:
            msg = "a page of the ledger has at least one row"
            raise ValueError(msg)
        page = {
            "business": business,
            "before": _AFTER_ALL if before is None else min(before, _AFTER_ALL),
            "most": _AFTER_ALL if most is None else most,
        }
        rows = self._database.read(lambda tx: tx.rows(sql.LEDGER_PAGE, page))
        return [read_entry(row) for row in reversed(rows)]

    def transactions(self, business: str) -> list[Transaction]:
        """All calls of a business, oldest first."""
        check_id(business, "a business id")
        own = {"business": business}
        return self._database.read(lambda tx: [read_transaction(row) for row in tx.rows(sql.TRANSACTIONS, own)])


def _open(wallet: LockedWallet, one: HoldRequest, admitted: Admitted, ttl: int) -> Hold:
    """Write the hold of a call that may spend."""
    expires_at = wallet.now + ttl
    hold = Hold(call=one.call, attempt=admitted.attempt, amount=one.amount, expires_at=expires_at)
    counters, pinned = admitted.counters, admitted.pinned
    calls.open_hold(wallet, hold, price_version=one.price_version, counters=counters, pinned=pinned)
    wallet.pin(one.call.id, hold.attempt, admitted.shares, expires_at)
    return hold


def _only_settle(*_: object) -> None:
    """Nothing beside what is due."""


def _no_wallet(tx: Tx, now: int, found: Sequence[list[Row]]) -> NoReturn:
    del tx, now, found
    msg = "The wallet of this hold is missing. Nothing was charged. Run `ai-addons doctor`."
    raise BillingError(msg)
