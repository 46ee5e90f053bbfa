"""One wallet inside one write transaction: the moves that everything else is made of.

The database's write lock is held from the moment the wallet is read until the
transaction commits, so the row can be changed in memory and saved once. The
tables' CHECKs stand behind every move.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from ai_addons.billing.grants import Grant, allocate, burn_key, spend
from ai_addons.billing.ledger import WALLET, EntryKind, LedgerEntry, effect, genesis, seal
from ai_addons.billing.records import Wallet, WalletStatus
from ai_addons.billing.rows import read_grant
from ai_addons.billing.sql import statements as sql
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.billing.sql import Connection, Row

_ACTIVE: Final = "active"


class LockedWallet:
    """A wallet that nobody else can change until the transaction ends.

    Attributes:
        now: The time of the transaction, UTC microseconds, read inside the lock.
    """

    def __init__(self, connection: Connection, row: Row, now: int) -> None:
        self._connection = connection
        self.business: str = row.business_id
        self.status: WalletStatus = row.status
        self.now = now
        self.posted: Credits = Credits.from_micro(row.posted)
        self.held: Credits = Credits.from_micro(row.held)
        self.next_due_at: int | None = row.next_due_at
        self._lifetime_in: int = row.lifetime_in
        self._lifetime_used: int = row.lifetime_used
        self._seq: int = row.seq
        self._head: str = row.chain_head
        # A clock that is set back must not reorder a ledger, nor make a grant not yet effective.
        self._booked_at: int = row.booked_at

    @classmethod
    def find(cls, connection: Connection, business: str, now: int) -> Self | None:
        """The wallet of a business, None before its first grant."""
        row = connection.execute(sql.WALLET, {"business": business}).one_or_none()
        return None if row is None else cls(connection, row, now)

    @classmethod
    def make(cls, connection: Connection, business: str, now: int) -> Self:
        """A new wallet, empty."""
        values = {"business_id": business, "chain_head": genesis(business), "status": _ACTIVE}
        connection.execute(sql.ADD_WALLET, values)
        return cls(connection, connection.execute(sql.WALLET, {"business": business}).one(), now)

    @property
    def available(self) -> Credits:
        """What a new hold may take."""
        return self.posted - self.held

    @property
    def active(self) -> bool:
        """Whether new holds are allowed."""
        return self.status == _ACTIVE

    @property
    def due(self) -> bool:
        """Whether something must be done before anything else; a lower bound, so maybe nothing."""
        return self.next_due_at is not None and self.next_due_at <= self.now

    def save(self) -> None:
        """Write the wallet row back; the last step of every transaction that moved something."""
        self._connection.execute(
            sql.SAVE_WALLET,
            {
                "business": self.business,
                "posted": self.posted.micro,
                "held": self.held.micro,
                "lifetime_in": self._lifetime_in,
                "lifetime_used": self._lifetime_used,
                "next_due_at": self.next_due_at,
                "seq": self._seq,
                "chain_head": self._head,
                "booked_at": self._booked_at,
            },
        )

    def enter(self, kind: EntryKind, *, debit: str, credit: str, amount: Credits, ref: str) -> None:
        """Book one ledger row and move the posted balance by it."""
        self._booked_at = max(self.now, self._booked_at)
        self.posted += effect(debit, credit, amount)
        self._seq += 1
        entry = LedgerEntry(
            business=self.business,
            seq=self._seq,
            kind=kind,
            debit=debit,
            credit=credit,
            amount=amount,
            ref=ref,
            balance_after=self.posted,
            effective_at=self.now,
            booked_at=self._booked_at,
        )
        self._head = seal(self._head, entry)
        self._append(replace(entry, hash=self._head))

    def _append(self, entry: LedgerEntry) -> None:
        self._connection.execute(
            sql.ADD_ENTRY,
            {
                "business_id": entry.business,
                "seq": entry.seq,
                "kind": entry.kind,
                "debit": entry.debit,
                "credit": entry.credit,
                "amount": entry.amount.micro,
                "ref": entry.ref,
                "balance_after": entry.balance_after.micro,
                "effective_at": entry.effective_at,
                "booked_at": entry.booked_at,
                "hash": entry.hash,
            },
        )

    def receive(self, grant: Grant) -> None:
        """Add a grant and book it."""
        self._connection.execute(
            sql.ADD_GRANT,
            {
                "business_id": self.business,
                "id": grant.id,
                "source": grant.source,
                "source_ref": grant.ref,
                "amount": grant.amount.micro,
                "remaining": grant.remaining.micro,
                "priority": grant.priority,
                "unit_price": grant.unit_price,
                "effective_at": grant.effective_at,
                "expires_at": grant.expires_at,
            },
        )
        self._lifetime_in += grant.amount.micro
        self.enter(
            "grant",
            debit=f"issuance:{grant.source}",
            credit=WALLET,
            amount=grant.amount,
            ref=f"{grant.source}:{grant.ref}",
        )

    def pin(self, hold: str, attempt: int, amount: Credits, expires_at: int) -> None:
        """Set credits aside: spread them over the grants and count them as held."""
        shares = self._allocate(amount)
        self._move([(grant.id, share.micro, 0) for grant, share in shares])
        self._connection.execute(
            sql.ADD_SHARE,
            [
                {
                    "business_id": self.business,
                    "hold_id": hold,
                    "attempt": attempt,
                    "grant_id": grant.id,
                    "amount": share.micro,
                }
                for grant, share in shares
            ],
        )
        self.held += amount
        self.next_due_at = min(expires_at, self.next_due_at if self.next_due_at is not None else expires_at)

    def unpin(self, hold: str, attempt: int, amount: Credits, used: Credits) -> None:
        """Resolve a hold: burn what was used, give the rest back to its grants."""
        key = {"business": self.business, "key": hold, "number": attempt}
        rows = self._connection.execute(sql.SHARES, key).all()
        burnt = spend([Credits.from_micro(row.amount) for row in rows], used)
        shares = list(zip(rows, burnt, strict=True))
        self._move([(row.grant_id, -row.amount, -part.micro) for row, part in shares])
        if used:
            self._connection.execute(
                sql.USE_SHARE, [key | {"grant": row.grant_id, "burnt": part.micro} for row, part in shares]
            )
        self.held -= amount

    def debit(self, hold: str, attempt: int, amount: Credits) -> None:
        """Burn credits for a hold that had expired, straight from the grants."""
        shares = self._allocate(amount)
        self._move([(grant.id, 0, -share.micro) for grant, share in shares])
        for grant, share in shares:
            self._connection.execute(
                sql.BURN_LATE,
                {
                    "business_id": self.business,
                    "hold_id": hold,
                    "attempt": attempt,
                    "grant_id": grant.id,
                    "amount": share.micro,
                    "used": share.micro,
                },
            )

    def book_usage(self, feature: str, amount: Credits, ref: str) -> None:
        """Book captured credits as revenue of a feature; a ref is charged once, whatever happened before."""
        self._lifetime_used += amount.micro
        self.enter("usage", debit=WALLET, credit=f"revenue:{feature}", amount=amount, ref=ref)

    def book_bad_debt(self, feature: str, amount: Credits, ref: str) -> None:
        """Book an answer that was delivered but can no longer be paid for."""
        self.enter("bad_debt", debit="bad_debt", credit=f"revenue:{feature}", amount=amount, ref=ref)

    def _allocate(self, amount: Credits) -> list[tuple[Grant, Credits]]:
        return allocate(self._grants(), amount, max(self.now, self._booked_at))

    def _grants(self) -> list[Grant]:
        """The grants that still hold credits."""
        return [read_grant(row) for row in self._connection.execute(sql.GRANTS_LEFT, {"business": self.business})]

    def _move(self, changes: Sequence[tuple[str, int, int]]) -> None:
        """Change what grants have pinned and what they keep, each by (grant, pinned, kept)."""
        self._connection.execute(
            sql.MOVE_GRANT,
            [
                {"business": self.business, "grant": grant, "pinned": pinned, "kept": kept}
                for grant, pinned, kept in changes
            ],
        )

    def snapshot(self, low: Credits) -> Wallet:
        """The wallet as it is now, for people."""
        return Wallet(
            business=self.business,
            posted=self.posted,
            held=self.held,
            status=self.status,
            grants=tuple(sorted(self._grants(), key=burn_key)),
            low=self.available < low,
        )

    def open_due(self) -> Sequence[Row]:
        """Open holds whose time is over, oldest first."""
        return self._connection.execute(sql.HOLDS_DUE, {"business": self.business, "now": self.now}).all()

    def schedule(self) -> None:
        """Set when the wallet must be looked at again: at the earliest expiry of an open hold."""
        self.next_due_at = self._connection.execute(sql.FIRST_EXPIRY, {"business": self.business}).scalar_one()
