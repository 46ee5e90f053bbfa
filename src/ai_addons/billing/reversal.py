"""What undoing a ledger row does to grants, calls and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing import calls, quota
from ai_addons.billing.rows import read_grant
from ai_addons.billing.sql import statements as sql
from ai_addons.billing.wallet import NOTHING
from ai_addons.errors import BillingError
from ai_addons.money import Credits

if TYPE_CHECKING:
    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.billing.wallet import LockedWallet


def reverse(wallet: LockedWallet, entry: LedgerEntry) -> None:
    """Book the opposite of a ledger row and put right what stands behind it.

    Raises:
        BillingError: If the row is neither a charge nor a grant, or credits of the grant are spent or held.
    """
    if entry.kind == "usage":
        _uncharge(wallet, entry)
    elif entry.kind == "grant" and entry.debit.startswith("issuance:"):
        _ungrant(wallet, entry)
    else:
        msg = (
            f"Row {entry.seq} is of kind {entry.kind}; only charges and grants can be reversed. Nothing was booked. "
            f"Book an adjustment instead."
        )
        raise BillingError(msg)
    # The row it undoes is its reference, and a reference is booked once.
    wallet.enter("reverse", debit=entry.credit, credit=entry.debit, amount=entry.amount, ref=str(entry.seq))


def _uncharge(wallet: LockedWallet, entry: LedgerEntry) -> None:
    """Give a call's credits back to the grants that paid, and charge nothing for it in the log."""
    key = {"business": wallet.business, "key": entry.ref}
    shares, lines, holds = wallet.tx.gather(
        (sql.USED_UNDER_KEY, key), (sql.ROWS_UNDER_KEY, key), (sql.ALL_HOLDS_UNDER_KEY, key)
    )
    for share in shares:
        (row,) = wallet.tx.rows(sql.GRANT_BY_ID, {"business": wallet.business, "grant": share.grant_id})
        wallet.unburn(read_grant(row), Credits.from_micro(share.used))
        named = key | {"number": share.attempt, "grant": share.grant_id}
        wallet.tx.write(sql.SAVE_SHARE, named | {"used": 0})
    for line in lines:
        if line.charged:
            calls.uncharge_row(wallet.tx, line)
    for hold in holds:
        if hold.counters is not None:
            used = sum(share.used for share in shares if share.attempt == hold.attempt)
            quota.resolve(wallet.tx, hold.counters, NOTHING, Credits.from_micro(-used))
    wallet.tx.write(sql.UNCHARGE_HOLDS, key)
    wallet.lifetime_used -= entry.amount.micro


def _ungrant(wallet: LockedWallet, entry: LedgerEntry) -> None:
    """Take a whole grant back; refused once any of it was used."""
    source, _, ref = entry.ref.partition(":")
    (row,) = wallet.tx.rows(sql.GRANT, {"business": wallet.business, "source": source, "ref": ref})
    grant = read_grant(row)
    if grant.free != grant.amount:
        msg = (
            f"Of this grant's {grant.amount.short} credits only {grant.free.short} are left and free. "
            f"Nothing was booked. Take those by an adjustment instead."
        )
        raise BillingError(msg)
    wallet.void_grant(grant)
