"""Hold and capture in one transaction, for work that is done already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_addons.billing import calls, quota
from ai_addons.billing.admission import Admission
from ai_addons.billing.records import Booked, Hold
from ai_addons.billing.sql import statements as sql
from ai_addons.errors import InsufficientCreditsError

if TYPE_CHECKING:
    from ai_addons.billing.admission import Admitted
    from ai_addons.billing.books import Books
    from ai_addons.billing.records import CallIdentity, CallRecord, Finished
    from ai_addons.billing.wallet import LockedWallet
    from ai_addons.money import Credits


def charge(
    books: Books, call: CallIdentity, amount: Credits, record: CallRecord, *, price_version: str | None = None
) -> Booked | Finished:
    """Charge a call whose answer is there already; durable when this returns.

    The books show the same as after a hold and its capture. What stops a hold stops this too.

    Args:
        books: The open books.
        call: Which call.
        amount: Its price; more than zero.
        record: What came of it.
        price_version: Which published price that is, None for a list price.

    Returns:
        What was booked, or what this very call gave before.

    Raises:
        ValueError: If the amount is not positive, or a name is none.
        InsufficientCreditsError: If too few credits are available.
        IdempotencyConflict: If the key was used for another request.
        LedgerConflict: If the same call is in progress.
        WalletSuspended: If the wallet takes no new holds.
        Paused: If the kill switch is on.
        LimitReached: If a spending limit would be passed.
        StoreUnavailable: If the database cannot be used; nothing was booked then.
    """
    charging = _Charging(books=books, call=call, amount=amount, record=record, price_version=price_version)
    try:
        return Admission(books, call, amount).decide(charging.book)
    except InsufficientCreditsError as error:
        raise _short(error) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Charging:
    """A charge under way."""

    books: Books
    call: CallIdentity
    amount: Credits
    record: CallRecord
    price_version: str | None

    def book(self, wallet: LockedWallet, admitted: Admitted) -> Booked:
        """Book a call that may spend."""
        self._write_hold(wallet, admitted)
        earned = wallet.burn(self.call.id, admitted.attempt, admitted.shares, {})
        wallet.book_usage(self.call.feature, self.amount, self.call.id)
        # The work is done, so the budget stops nothing here; it counts what was spent.
        pinned = self.books.terms.purse.unpinned(wallet.now)
        line = calls.Logged(self.call, admitted.attempt, wallet.tz, pinned, self.price_version)
        latency_ms = self.record.latency_ms
        calls.write_row(wallet.tx, line, self.record, latency_ms, self.amount, earned, wallet.rate, wallet.now)
        calls.keep_answers(wallet.tx, self.call, self.record, wallet.now)
        return Booked(charged=self.amount, balance=wallet.available, cost_ghs=calls.cost_ghs(self.record, wallet.rate))

    def _write_hold(self, wallet: LockedWallet, admitted: Admitted) -> None:
        """A hold that is captured the moment it is made."""
        hold = Hold(call=self.call, attempt=admitted.attempt, amount=self.amount, expires_at=wallet.now)
        calls.open_hold(wallet, hold, price_version=self.price_version, counters=admitted.counters, pinned=None)
        key = {"business": wallet.business, "key": self.call.id, "number": admitted.attempt}
        closed = {"state": "captured", "captured": self.amount.micro, "closed_at": wallet.now}
        wallet.tx.write(sql.CLOSE_HOLD, key | closed)
        if admitted.counters is not None:
            quota.resolve(wallet.tx, admitted.counters, self.amount, self.amount)


def _short(error: InsufficientCreditsError) -> InsufficientCreditsError:
    """The refusal in other words: its own say that the model was not asked, and here it was, by the host."""
    msg = (
        f"This costs {error.required.short} credits and {error.available.short} are available: "
        f"{error.shortfall.short} are missing. Nothing was charged, though the work is done. "
        f"Buy credits to go on, and check before the next one."
    )
    return InsufficientCreditsError(msg, required=error.required, available=error.available, offers=error.offers)
