"""How a hold becomes a charge: in time, late, or partly; and what stays unpaid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_addons.billing import calls, quota
from ai_addons.billing.due import catch_up
from ai_addons.billing.grants import total
from ai_addons.billing.records import Booked
from ai_addons.billing.sql import statements as sql
from ai_addons.billing.wallet import NOTHING
from ai_addons.errors import LedgerConflict
from ai_addons.events import CapturedLate
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.grants import Grant
    from ai_addons.billing.records import CallIdentity, CallRecord, Hold
    from ai_addons.billing.sql import Row
    from ai_addons.billing.wallet import LockedWallet
    from ai_addons.money import MicroGhs


@dataclass(frozen=True, slots=True)
class Capture:
    """The capture of one hold.

    Attributes:
        books: The open books.
        hold: What was held.
        record: What came of the call.
        wanted: What it cost after all.
        overflow: Whether the wallet is asked for what it cost beyond the hold.
    """

    books: Books
    hold: Hold
    record: CallRecord
    wanted: Credits
    overflow: bool

    def book(self, wallet: LockedWallet, found: Sequence[list[Row]]) -> Booked:
        """Charge it, once; a repeat is told what was booked.

        Args:
            wallet: The locked wallet.
            found: What `calls.hold_query` found.

        Raises:
            LedgerConflict: If the hold was void before.
            BillingError: If this store gave out no such hold.
        """
        row, shares = calls.the_hold(self.hold, found)
        if row.state == "open":
            settle_but(self.books, wallet, row)
            used = self._in_time(wallet, row, shares)
        elif row.state == "captured" or row.outcome == "ok":
            return booked_before(self.books, wallet, row)
        elif row.outcome == "unknown":
            used = self._late(wallet, row, shares)
        else:
            msg = "This hold was void before and cannot be captured. Nothing was charged."
            raise LedgerConflict(msg)
        return booked(self.books, wallet, used, self.record)

    def _in_time(self, wallet: LockedWallet, row: Row, shares: list[Row]) -> Credits:
        within = min(self.wanted, self.hold.amount)
        extra = self._beyond(wallet, row.feature, self.wanted - within)
        used = within + total(extra)
        calls.close_hold(wallet, row, "captured", used)
        earned = wallet.unpin(row.id, row.attempt, shares, within)
        earned += wallet.burn(row.id, row.attempt, extra, {s.grant_id: (s.share, s.share) for s in shares})
        self._charge(wallet, row, used)
        log(self.books, wallet, row, self.hold.call, self.record, used, earned)
        return used

    def _beyond(self, wallet: LockedWallet, feature: str, missing: Credits) -> list[tuple[Grant, Credits]]:
        """What the wallet pays on top of a hold: all of it, or nothing."""
        if not self.overflow or not missing:
            return []
        shares = wallet.spread(feature, missing)
        return shares if total(shares) == missing else []

    def _late(self, wallet: LockedWallet, row: Row, known: list[Row]) -> Credits:
        """Charge after expiry: from free credits, else as bad debt; a newer attempt of the key pays instead."""
        elsewhere = _paid_otherwise(wallet, row)
        used, earned = (NOTHING, 0) if elsewhere else self._pay_late(wallet, row, known)
        unpaid = NOTHING if elsewhere else max(self.wanted - used, NOTHING)
        wallet.note(CapturedLate(call_id=row.id, feature=row.feature, charged=used, unpaid=unpaid))
        calls.end_unknown(self.books, wallet, row, self.record, used, earned)
        calls.keep_answers(wallet.tx, self.hold.call, self.record, wallet.now)
        return used

    def _pay_late(self, wallet: LockedWallet, row: Row, known: list[Row]) -> tuple[Credits, int]:
        if wallet.due:
            catch_up(self.books, wallet)
        shares = self._late_shares(wallet, row.feature)
        used = total(shares)
        earned = wallet.burn(row.id, row.attempt, shares, {s.grant_id: (s.share, 0) for s in known})
        if row.counters is not None:
            quota.resolve(wallet.tx, row.counters, NOTHING, used)
        self._charge(wallet, row, used)
        return used, earned

    def _late_shares(self, wallet: LockedWallet, feature: str) -> list[tuple[Grant, Credits]]:
        """What pays for a late answer: as in time, all of it or what was held; but not a part of that."""
        within = min(self.wanted, self.hold.amount)
        for most in (self.wanted, within) if self.overflow else (within,):
            shares = wallet.spread(feature, most)
            if total(shares) == most:
                return shares
        return []

    def _charge(self, wallet: LockedWallet, row: Row, used: Credits) -> None:
        """Book what was paid as usage, and what was not as bad debt."""
        if used:
            wallet.book_usage(row.feature, used, row.id)
        if self.wanted > used:
            wallet.book_bad_debt(row.feature, self.wanted - used, row.id)


def _paid_otherwise(wallet: LockedWallet, row: Row) -> bool:
    """Whether the key of an expired hold was tried again after it, or is booked as bad debt."""
    key = {"business": wallet.business, "key": row.id}
    attempts, debts = wallet.tx.gather(
        (sql.HOLDS_UNDER_KEY, key), (sql.ENTRY_OF, {"business": wallet.business, "kind": "bad_debt", "ref": row.id})
    )
    return bool(debts) or any(attempt.attempt > row.attempt for attempt in attempts)


def settle_but(books: Books, wallet: LockedWallet, row: Row) -> None:
    """Do what is due before a hold is resolved, but for its own expiry: it has an answer."""
    if wallet.due:
        catch_up(books, wallet, but=(row.id, row.attempt))


def log(
    books: Books,
    wallet: LockedWallet,
    row: Row,
    call: CallIdentity,
    record: CallRecord,
    used: Credits = NOTHING,
    earned: int = 0,
) -> None:
    """Write the line of a hold's call, and keep its answers where a replay may come."""
    line = calls.logged(row, wallet.tz, books.terms.purse)
    latency_ms = books.latency_ms(record)
    calls.write_row(wallet.tx, line, record, latency_ms, used, earned, wallet.rate, wallet.now)
    calls.keep_answers(wallet.tx, call, record, wallet.now)


def booked(books: Books, wallet: LockedWallet, charged: Credits, record: CallRecord) -> Booked:
    """How a call ended, with the balance of now."""
    return _told(books, wallet, charged, calls.cost_ghs(record, wallet.rate))


def booked_before(books: Books, wallet: LockedWallet, row: Row) -> Booked:
    """How a call ended before, with its cost as it was booked then, and the balance of now."""
    return _told(books, wallet, Credits.from_micro(row.charged), row.cost_micro_ghs)


def _told(books: Books, wallet: LockedWallet, charged: Credits, cost_ghs: MicroGhs | None) -> Booked:
    if wallet.due:
        # A share came back to a grant that has expired: nobody is told of credits that cannot pay.
        catch_up(books, wallet)
    return Booked(charged=charged, balance=wallet.available, cost_ghs=cost_ghs)
