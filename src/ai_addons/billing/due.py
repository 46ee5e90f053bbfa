"""What a wallet's clock asks for, done the same way by the next touch and by the sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing import calls
from ai_addons.billing.rows import read_hold
from ai_addons.billing.wallet import LockedWallet
from ai_addons.money import Credits

if TYPE_CHECKING:
    from ai_addons.billing.records import Rate
    from ai_addons.billing.sql import Connection


def touch(tx: Connection, business: str, now: int, rate: Rate) -> LockedWallet | None:
    """Lock a wallet and do what is due first; None before its first grant."""
    wallet = LockedWallet.find(tx, business, now)
    if wallet is not None and wallet.due:
        release_orphans(tx, wallet, rate)
        wallet.save()
    return wallet


def release_orphans(tx: Connection, wallet: LockedWallet, rate: Rate) -> None:
    """Give back what holds still pin whose time is over."""
    for row in wallet.open_due():
        hold = read_hold(row)
        calls.close_hold(tx, hold, "expired", Credits(0), wallet.now)
        wallet.unpin(hold.call.id, hold.attempt, hold.amount, Credits(0))
        calls.write_row(tx, hold.call, hold.attempt, calls.ORPHAN, Credits(0), rate, wallet.now)
    wallet.schedule()
