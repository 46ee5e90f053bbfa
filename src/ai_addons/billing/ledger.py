"""The ledger's arithmetic: one row moves credits between two accounts, and each row seals the one before.

A row names a debit and a credit account, so it balances by construction. The
hash chain per wallet shows any later edit by someone who cannot also rewrite
the head on the wallet row.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Iterable

EntryKind: TypeAlias = Literal[
    "grant", "usage", "expire", "void", "adjust", "reverse", "bad_debt", "clawback", "write_off", "debt"
]

WALLET: Final = "wallet"
_FORMAT: Final = "ai_ledger/1"
_canonical: Final = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One immutable row of a wallet's ledger.

    Attributes:
        business: Whose wallet.
        seq: Position in that wallet's ledger, from 1 without a gap.
        kind: ``grant`` (credits in), ``usage`` (a captured call), ``expire`` (not used in time), ``void``
            (carried out of a grant), ``adjust`` (taken by an operator), ``reverse`` (another row undone),
            ``bad_debt`` (an answer delivered that the wallet could not pay), ``clawback`` (taken because money went
            back, or given again because it did not), ``write_off`` (what was to be taken but is spent, borne by the
            operator), or ``debt`` (the same, to be paid by credits bought later; and that payment).
        debit: Account the credits leave.
        credit: Account the credits enter.
        amount: How many.
        ref: What caused it; unique per wallet and kind.
        balance_after: Posted balance of the wallet after this row.
        effective_at: When it counts from, UTC microseconds.
        booked_at: When it was written, UTC microseconds; never runs backwards.
        hash: Seal over this row and the one before.
    """

    business: str
    seq: int
    kind: EntryKind
    debit: str
    credit: str
    amount: Credits
    ref: str
    balance_after: Credits
    effective_at: int
    booked_at: int
    hash: str = ""


def genesis(business: str) -> str:
    """The hash before the first row; differs per business so that chains cannot be swapped."""
    return hashlib.sha256(json.dumps([_FORMAT, "genesis", business]).encode()).hexdigest()


def seal(previous: str, entry: LedgerEntry) -> str:
    """The hash of a row: SHA-256 over the previous hash and the row as canonical JSON.

    JSON rather than joined text, so that no reference can shift a border between two fields.
    """
    row = [
        _FORMAT,
        previous,
        entry.business,
        entry.seq,
        entry.kind,
        entry.debit,
        entry.credit,
        entry.amount.micro,
        entry.ref,
        entry.balance_after.micro,
        entry.effective_at,
        entry.booked_at,
    ]
    return hashlib.sha256(_canonical(row).encode()).hexdigest()


def effect(debit: str, credit: str, amount: Credits) -> Credits:
    """How a row between these accounts changes the wallet's posted balance."""
    if credit == WALLET:
        return amount
    return -amount if debit == WALLET else Credits(0)


def broken_links(business: str, entries: Iterable[LedgerEntry]) -> list[int]:
    """The positions of rows that do not follow from the rows before them.

    Args:
        business: Whose ledger.
        entries: All rows, oldest first.
    """
    previous, seq, balance, broken = genesis(business), 0, Credits(0), list[int]()
    for entry in entries:
        seq, balance = seq + 1, balance + effect(entry.debit, entry.credit, entry.amount)
        if entry.seq != seq or entry.balance_after != balance or entry.hash != seal(previous, entry):
            broken.append(entry.seq)
        previous = entry.hash
    return broken
